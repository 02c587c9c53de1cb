"""One supervisor a host: claims jobs for free slots, starts a process for each, and takes back what has died."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO

from mrp_core.errors import StoreError
from mrp_core.jobs.settings import JobTimes, host_name, kill_group, process_start, slots_from_environment
from mrp_core.store import Store
from mrp_core.store.attempt import Attempt, LeaseLost
from mrp_core.store.queue import Claim, Queue

LOG = logging.getLogger("mrp.supervisor")
TICK = 0.25


class Supervisor:
    """Runs until told to stop. Its own death loses nothing: job processes hold their own leases, and the next supervisor adopts them."""

    def __init__(self, store: Store, times: JobTimes, slots: tuple[str, ...]) -> None:
        self.store, self.times, self.slots = store, times, slots
        self.queue = Queue(store.database)
        self.host = host_name()
        self.children: dict[int, tuple[subprocess.Popen[bytes], Claim]] = {}
        self.no_reaping_until = 0.0
        self.stop = threading.Event()

    def run(self, *, idle: float | None = None) -> None:
        """Work until :attr:`stop`, or until there has been nothing to do for ``idle`` seconds."""
        contact = busy = time.monotonic()
        while not self.stop.is_set():
            now = time.monotonic()
            try:
                if now - contact > self.times.lease / 2:
                    LOG.warning("no contact with the store for %.0f s: nothing is taken back for one lease", now - contact)
                    self.no_reaping_until = now + self.times.lease
                self.tick()
                contact = time.monotonic()
                busy = contact if self.children or self.queue.waiting() else busy
            except (StoreError, OSError) as error:
                LOG.warning("the store can't be reached: %s", error)
            if idle is not None and time.monotonic() - busy > idle:
                return
            self.stop.wait(TICK)
        self._drain()

    def tick(self) -> None:
        """One round: reap, take back, end what was cancelled, start what waits.

        Raises:
            StoreError: If the store can't be reached.
        """
        self._reap()
        if time.monotonic() >= self.no_reaping_until:
            for held in self.queue.expired():
                if held.host == self.host:
                    kill_group(held.pid, held.pid_start)
                self.queue.release(held.claim, "Its process was not heard of for a whole lease.", f"{self.host}/supervisor", fault=True)
        here = self.queue.running_on(self.host)
        for held in here:
            if held.cancelling_for is not None and held.cancelling_for > self.times.grace:
                kill_group(held.pid, held.pid_start)
                self.queue.release(held.claim, "Ended after the grace: it did not stop by itself.", f"{self.host}/supervisor", fault=False)
        used = {held.slot for held in here}
        for slot in self.slots:
            if slot not in used and not self._start(slot):
                return

    def _start(self, slot: str) -> bool:
        """Claim a job for a free slot and start its process; False if nothing waits."""
        kind = slot.split(":")[0]
        claim = self.queue.claim(self.host, slot, lease=self.times.lease, devices=(kind,) if kind == "cpu" else ("cuda", "cpu"))
        if claim is None:
            return False
        environment = {**os.environ, "MRP_STORE": self.store.database.url, "MRP_HOME": str(self.store.home), "OMP_NUM_THREADS": "1",
                       "CUDA_VISIBLE_DEVICES": slot.partition(":")[2] if kind == "cuda" else ""}
        with self._log(claim) as log:
            child = subprocess.Popen([sys.executable, "-m", "mrp_core.jobs.process", claim.study, str(claim.attempt), claim.kind], env=environment,
                                     stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd=Path(__file__).resolve().parents[2])
        self.children[child.pid] = child, claim
        with contextlib.suppress(LeaseLost):
            Attempt(self.store.database, self.store.home, claim).beat(self.times.lease, child.pid, process_start(child.pid))
        return True

    def _log(self, claim: Claim) -> IO[bytes]:
        folder = self.store.home / "logs"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            return (folder / f"{claim.study}.log").open("ab")
        except OSError:
            return Path(os.devnull).open("ab")

    def _reap(self) -> None:
        for pid, (child, claim) in list(self.children.items()):
            code = child.poll()
            if code is not None:
                # A process that ended well has left its job in another state, or under a later attempt: then this changes nothing.
                self.queue.release(claim, f"Its process ended unexpectedly (exit code {code}).", f"{self.host}/supervisor", fault=True, delay=min(60.0, 0.5 * 2.0**claim.attempt))
                del self.children[pid]

    def _drain(self) -> None:
        """Ask all children for a checkpoint, and wait for as long as the grace."""
        for child, _ in self.children.values():
            child.send_signal(signal.SIGTERM)
        for child, _ in self.children.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(self.times.grace)
        self._reap()


def lock_file(home: Path) -> Path:
    """The file that a host's supervisor holds locked."""
    return home / f"supervisor.{host_name()}.lock"


def take_lock(home: Path) -> IO[str] | None:
    """The lock of this host's supervisor, or None if another holds it; keep the file open as long as the lock is wanted.

    Raises:
        StoreError: If the file can't be made.
    """
    try:
        home.mkdir(parents=True, exist_ok=True)
        file = lock_file(home).open("a+", encoding="utf-8")
    except OSError as error:
        raise StoreError(f"The supervisor's lock in {str(home)!r} can't be made ({error.strerror or error}); set MRP_HOME to a folder that you may write.") from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


def supervise(*, idle: float | None = None) -> bool:
    """Be this host's supervisor; False at once if there is one already.

    Raises:
        StoreError, ConfigError: If the store or the environment can't be used.
    """
    store, times = Store.open(), JobTimes.from_environment()
    lock = take_lock(store.home)
    if lock is None:
        return False
    with lock:
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        supervisor = Supervisor(store, times, slots_from_environment())
        for s in (signal.SIGTERM, signal.SIGINT):
            signal.signal(s, lambda *_: supervisor.stop.set())
        supervisor.run(idle=idle)
    return True


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    logging.raiseExceptions = False
    supervise(idle=JobTimes.from_environment().idle)
