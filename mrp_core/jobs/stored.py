"""The context of a job in the store: buffered reports, a heartbeat, checkpoints that survive a full disk."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from mrp_core.errors import JobCancelled, JobInterrupted, StoreError
from mrp_core.jobs.settings import JobTimes
from mrp_core.results import Curve, Point
from mrp_core.settings import Setting
from mrp_core.store.attempt import Attempt, Metric

LOG = logging.getLogger("mrp.job")
REPORT_SECONDS = 0.5
STOPPED = "The process was told to end; the study goes on from its checkpoint."
CURVE_STEPS = 500
"""Most values of a training curve that are stored: of a longer training every second, third ... step."""
Answer = TypeVar("Answer")


class StoredContext:
    """Implements :class:`mrp_core.jobs.context.JobContext` on one attempt; :class:`LeaseLost` passes through every method."""

    def __init__(self, attempt: Attempt, times: JobTimes, who: str) -> None:
        self.attempt = attempt
        self.times = times
        self.who = who
        self.cancelled = threading.Event()
        self.interrupted = threading.Event()
        self._buffer: list[Metric] = []
        self._written = 0.0
        self._checkpointed = time.monotonic()
        self._phase, self._begun = "", (0, 0.0)

    def report(self, phase: str, step: int, total: int, values: Mapping[str, float]) -> None:
        """See :class:`JobContext`; while the store is away reports are kept and written later.

        Raises:
            JobCancelled, JobInterrupted: When asked to stop.
        """
        if phase != self._phase:
            self._phase, self._begun = phase, (step, time.monotonic())
        metric = Metric(phase, step, dict(values))
        if phase == "train" and (step % -(-total // CURVE_STEPS) == 0 or step >= total):
            self._buffer.append(metric)
        stop = self.stop_requested()
        if time.monotonic() - self._written >= REPORT_SECONDS or step >= total or stop:
            self._flush(metric, total)
        if self.cancelled.is_set():
            raise JobCancelled("The study was cancelled; resume it to go on from its checkpoint.")
        if stop:
            raise JobInterrupted(STOPPED)

    def _flush(self, metric: Metric, total: int) -> None:
        self._written = time.monotonic()
        try:
            self.attempt.report(metric, total, self._seconds_left(metric.step, total), self._buffer)
            self._buffer.clear()
        except StoreError as error:
            LOG.warning("report kept for later: %s", error)

    def _seconds_left(self, step: int, total: int) -> float | None:
        first, begun = self._begun
        done = step - first
        return (time.monotonic() - begun) / done * (total - step) if done > 0 else None

    def stop_requested(self) -> bool:
        """See :class:`JobContext`."""
        return self.cancelled.is_set() or self.interrupted.is_set()

    def checkpoint_due(self) -> bool:
        """See :class:`JobContext`."""
        return time.monotonic() - self._checkpointed >= self.times.checkpoint

    def save_checkpoint(self, step: int, data: bytes) -> None:
        """See :class:`JobContext`."""
        self._checkpointed = time.monotonic()
        try:
            self.attempt.save_checkpoint(step, data, self._buffer)
            self._buffer.clear()
        except (OSError, StoreError) as error:
            LOG.warning("checkpoint of step %d not written, going on: %s", step, error)

    def load_checkpoint(self) -> tuple[int, bytes] | None:
        """See :class:`JobContext`; says in the study's events where it goes on, and drops what was reported beyond."""
        found = self.surely(lambda: list(self.attempt.checkpoints()))
        whole = next(((step, data) for step, data in found if data is not None), None)
        damaged = len([step for step, data in found if data is None and (whole is None or step >= whole[0])])
        skipped = f"; {damaged} damaged checkpoint{'s' * (damaged > 1)} skipped" if damaged else ""
        if whole is not None:
            self.surely(lambda: self.attempt.resumed(whole[0], f"goes on from the checkpoint of step {whole[0]}{skipped}", self.who))
        elif self.attempt.claim.attempt > 1:
            self.surely(lambda: self.attempt.resumed(None, f"starts again from the beginning: there is no checkpoint{skipped}", self.who))
        return whole

    def put_results(self, points: Sequence[Point], curves: Sequence[Curve]) -> None:
        """See :class:`JobContext`."""
        self.surely(lambda: self.attempt.put_results(points, curves))

    def stored_settings(self) -> frozenset[Setting]:
        """See :class:`JobContext`."""
        found = self.surely(self.attempt.stored_settings)
        if found:
            self.surely(lambda: self.attempt.mark_resumed(len(found), f"goes on after {len(found)} measured settings", self.who))
        return found

    def put_artifact(self, name: str, data: bytes) -> None:
        """See :class:`JobContext`; a disk that stays full ends the attempt, since the job is worth nothing without it.

        Raises:
            StoreError: If it can't be written.
        """

        def write() -> None:
            try:
                self.attempt.put_artifact(name, data)
            except OSError as error:
                raise StoreError(f"{name} can't be written ({error.strerror or error}); free some space and resume the study.") from error

        self.surely(write)

    def get_artifact(self, name: str) -> bytes | None:
        """See :class:`JobContext`."""
        return self.surely(lambda: self.attempt.get_artifact(name))

    def surely(self, ask: Callable[[], Answer]) -> Answer:
        """Read or write once more and again while the store is away, for as long as :attr:`JobTimes.patience`, and return the answer.

        Raises:
            StoreError: If it stays away, or the process is told to end meanwhile.
        """
        end, pause = time.monotonic() + self.times.patience, 0.25
        while True:
            try:
                return ask()
            except StoreError as error:
                if time.monotonic() + pause > end or self.interrupted.is_set():
                    raise
                LOG.warning("tried again in %.1f s: %s", pause, error)
            self.interrupted.wait(pause)
            pause = min(5.0, 2 * pause)
