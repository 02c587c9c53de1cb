"""One supervisor a host: claims jobs for free slots, starts a process for each, and takes back what has died."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from mrp_core.errors import MRPError, StoreError
from mrp_core.jobs import open_log
from mrp_core.jobs.lock import sign, take_lock
from mrp_core.jobs.settings import JobTimes, host_name, process_start, signal_job, slots_from_environment
from mrp_core.store import Store
from mrp_core.store.attempt import Attempt, LeaseLost
from mrp_core.store.queue import Claim, Held, Queue

LOG = logging.getLogger("mrp.supervisor")
TICK = 0.25


class Supervisor:
    """Runs until told to stop. Its own death loses nothing: job processes hold their own leases, and the next supervisor adopts them."""

    def __init__(self, store: Store, times: JobTimes, slots: tuple[str, ...]) -> None:
        self.store, self.times, self.slots = store, times, slots
        self.queue = Queue(store.database)
        self.host = host_name()
        self.who = f"{self.host}/supervisor"
        self.children: dict[int, tuple[subprocess.Popen[bytes], Claim]] = {}
        self.asked: set[Claim] = set()
        self.no_reaping_until = 0.0
        self.stop = threading.Event()

    def run(self, *, idle: float | None = None) -> None:
        """Work until :attr:`stop`, or until there has been nothing to do for ``idle`` seconds."""
        contact = busy = time.time()  # the clock on the wall also counts the time that a laptop has slept
        away = False
        while not self.stop.is_set():
            now = time.time()
            try:
                if now - contact > self.times.lease / 2:
                    LOG.warning("no contact with the store for %.0f s: nothing is taken back for one lease", now - contact)
                    self.no_reaping_until = now + self.times.lease
                self.tick()
                contact, away = time.time(), False
                busy = contact if self.children or self.queue.waiting() else busy
            except (StoreError, OSError) as error:
                if not away:
                    LOG.warning("the store can't be reached: %s", error)
                away = True
            if idle is not None and time.time() - busy > idle:
                return
            self.stop.wait(TICK)
        self._drain()

    def tick(self) -> None:
        """One round: reap, take back, end what was cancelled, start what waits.

        Raises:
            StoreError: If the store can't be reached.
        """
        self._reap()
        take_back(self.queue, self.host, self.times, leases=time.time() >= self.no_reaping_until)
        here = self.queue.running_on(self.host)
        for held in here:
            if held.cancelling_for is not None:
                self._stop(held, held.cancelling_for)
        used = {held.slot for held in here}
        for slot in self.slots:
            if slot not in used:
                self._start(slot)

    def _stop(self, held: Held, seconds: float) -> None:
        """Pass a cancellation on to the process at once, and end it after the grace."""
        if seconds > self.times.grace:
            signal_job(held.pid, held.pid_start, signal.SIGKILL)
            self.queue.release(held.claim, "ended after the grace, since it didn't stop by itself.", self.who, fault=False)
        elif held.claim not in self.asked:
            self.asked.add(held.claim)
            signal_job(held.pid, held.pid_start, signal.SIGTERM)

    def _devices(self, slot: str) -> tuple[str, ...]:
        """Kinds of device that a slot serves. Where no slot has a card, the processor takes all: a job for a card then fails with a sentence."""
        cards = any(s.startswith("cuda") for s in self.slots)
        return ("cuda",) if slot.startswith("cuda") else ("cpu",) if cards or not self.store.database.embedded else ("cpu", "cuda")

    def _start(self, slot: str) -> None:
        """Claim a job for a free slot, if one waits, and start its process."""
        kind, _, index = slot.partition(":")
        claim = self.queue.claim(self.host, slot, lease=self.times.lease, devices=self._devices(slot))
        if claim is None:
            return
        environment = {**os.environ, "MRP_STORE": self.store.database.url, "MRP_HOME": str(self.store.home), "OMP_NUM_THREADS": "1",
                       "CUDA_VISIBLE_DEVICES": index if kind == "cuda" else ""}
        with open_log(self.store.home, claim.study) as log:
            child = subprocess.Popen([sys.executable, "-m", "mrp_core.jobs.process", claim.study, str(claim.attempt), claim.kind], env=environment,
                                     stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd=Path(__file__).resolve().parents[2])
        self.children[child.pid] = child, claim
        with contextlib.suppress(LeaseLost):
            Attempt(self.store.database, self.store.home, claim).beat(self.times.lease, child.pid, process_start(child.pid))

    def _reap(self) -> None:
        for pid, (child, claim) in list(self.children.items()):
            code = child.poll()
            if code is not None:
                # A process that ended well has left its job in another state, or under a later attempt: then this changes nothing.
                self.queue.release(claim, f"Its process ended unexpectedly ({_exit(code)}).", self.who, fault=True, backoff=self.times.backoff)
                self.asked.discard(claim)
                del self.children[pid]

    def _drain(self) -> None:
        """Ask all children for a checkpoint, and wait for as long as the grace."""
        for child, _ in self.children.values():
            child.send_signal(signal.SIGTERM)
        for child, _ in self.children.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(self.times.grace)
        self._reap()


def take_back(queue: Queue, host: str, times: JobTimes, *, leases: bool = True) -> None:
    """Queue again what nobody works on: jobs of this host whose process is gone and, if ``leases``, jobs of any host whose lease has run out.

    Raises:
        StoreError: If the store can't be reached.
    """
    who = f"{host}/supervisor"
    for held in queue.running_on(host):
        if held.pid is not None and held.pid_start is not None and process_start(held.pid) != held.pid_start:
            queue.release(held.claim, "Its process is gone: it was killed, or the computer was switched off.", who, fault=True, backoff=times.backoff)
    for held in queue.expired() if leases else ():
        if held.host == host:
            signal_job(held.pid, held.pid_start, signal.SIGKILL)
        queue.release(held.claim, "Its process was not heard of for a whole lease.", who, fault=True, backoff=times.backoff)


def _exit(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    return f"killed by {signal.Signals(-code).name}" + (", as the system does when memory runs out" if -code == signal.SIGKILL else "")


def supervise(*, idle: float | None = None) -> bool:
    """Be this host's supervisor; False if there is one already.

    Raises:
        StoreError, ConfigError: If the store or the environment can't be used.
    """
    store, times = Store.open(), JobTimes.from_environment()
    supervisor = Supervisor(store, times, slots_from_environment())
    served = False
    while True:
        lock = take_lock(store.home, wait=0.0 if served else 1.0)
        if lock is None:
            return served
        with lock:
            sign(lock)
            for s in (signal.SIGTERM, signal.SIGINT):
                signal.signal(s, lambda *_: supervisor.stop.set())
            supervisor.run(idle=idle)
            served = True
        # Somebody may have submitted a study and seen the lock still held while this supervisor was about to leave.
        if supervisor.stop.is_set() or not supervisor.queue.waiting():
            return True


def main() -> int:
    """Entry of a supervisor that the app has started."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    logging.raiseExceptions = False
    try:
        supervise(idle=JobTimes.from_environment().idle)
    except MRPError as error:
        LOG.error("the supervisor ended: %s", error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
