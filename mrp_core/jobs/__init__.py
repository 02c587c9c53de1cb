"""Jobs: a queue in the store, one supervisor a host, one process a job."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING

from mrp_core.jobs.lock import take_lock

if TYPE_CHECKING:
    from mrp_core.store import Store

_started: list[subprocess.Popen[bytes]] = []


def ensure_supervisor(store: Store) -> bool:
    """Start this host's supervisor, detached, unless one runs; whether one was started. Cheap enough for every look at a queued study.

    Raises:
        StoreError: If the store's folder can't be written.
    """
    _started[:] = [process for process in _started if process.poll() is None]  # reaps what has ended, so that no zombie stays
    lock = take_lock(store.home)
    if lock is None:
        return False
    lock.close()
    environment = {**os.environ, "MRP_STORE": store.database.url, "MRP_HOME": str(store.home)}
    with open_log(store.home, "supervisor") as output:
        _started.append(subprocess.Popen([sys.executable, "-m", "mrp_core.jobs.supervisor"], env=environment, stdin=subprocess.DEVNULL, stdout=output,
                                         stderr=output, start_new_session=True, cwd=Path(__file__).resolve().parents[2]))
    return True


def open_log(home: Path, name: str) -> IO[bytes]:
    """A log file to append to; on a full disk it goes nowhere, since a log must not stop the work."""
    try:
        (home / "logs").mkdir(parents=True, exist_ok=True)
        return (home / "logs" / f"{name}.log").open("ab")
    except OSError:
        return Path(os.devnull).open("ab")
