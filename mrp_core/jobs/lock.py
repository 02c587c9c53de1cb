"""The file lock that makes a supervisor the only one of its host."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from typing import IO

from mrp_core.errors import StoreError
from mrp_core.jobs.settings import host_name


def take_lock(home: Path, *, wait: float = 0.0) -> IO[str] | None:
    """The lock of this host's supervisor, or None if another holds it; keep the file open as long as the lock is wanted.

    Args:
        home: Folder of the store.
        wait: Seconds to go on trying, for a supervisor that starts while somebody looks whether there is one.

    Raises:
        StoreError: If the file can't be made.
    """
    end = time.monotonic() + wait
    try:
        home.mkdir(parents=True, exist_ok=True)
        file = (home / f"supervisor.{host_name()}.lock").open("a+", encoding="utf-8")
    except OSError as error:
        why = error.strerror or error
        raise StoreError(f"The supervisor's lock in {str(home)!r} can't be made ({why}); set MRP_HOME to a folder that you may write.") from error
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= end:
                file.close()
                return None
            time.sleep(0.05)
        else:
            return file


def sign(lock: IO[str]) -> None:
    """Write into the lock's file who holds it, for people who look; a full disk doesn't matter."""
    try:
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
    except OSError:
        return
