"""Jobs: a queue in the store, one supervisor a host, one process a job."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mrp_core.store import Store


def ensure_supervisor(store: Store) -> bool:
    """Start this host's supervisor, detached, unless one runs; whether one was started.

    Raises:
        StoreError: If the store's folder can't be written.
    """
    from mrp_core.jobs.supervisor import take_lock  # here: it imports the store, which imports the contexts of this package

    lock = take_lock(store.home)
    if lock is None:
        return False
    lock.close()
    environment = {**os.environ, "MRP_STORE": store.database.url, "MRP_HOME": str(store.home)}
    log = store.home / "logs" / "supervisor.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        subprocess.Popen([sys.executable, "-m", "mrp_core.jobs.supervisor"], env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                         start_new_session=True, cwd=Path(__file__).resolve().parents[2])
    return True
