"""The context of a job in the store: buffered reports, a heartbeat, checkpoints that survive a full disk."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence

from mrp_core.config import Setting
from mrp_core.errors import JobCancelled, JobInterrupted, StoreError
from mrp_core.jobs.settings import JobTimes
from mrp_core.results import Curve, Point
from mrp_core.store.attempt import Attempt, Metric

LOG = logging.getLogger("mrp.job")
REPORT_SECONDS = 0.5
PATIENCE = 120
"""How often a write that must not be lost is tried again while the store is away, with pauses of up to 5 s."""


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
        if phase == "train":
            self._buffer.append(metric)
        stop = self.stop_requested()
        if time.monotonic() - self._written >= REPORT_SECONDS or step >= total or stop:
            self._flush(metric, total)
        if self.cancelled.is_set():
            raise JobCancelled("The study was cancelled; resume it to go on from its checkpoint.")
        if stop:
            raise JobInterrupted("The process was told to end; the study goes on from its checkpoint.")

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
        skipped = 0
        for step, data in self.attempt.checkpoints():
            if data is not None:
                self.attempt.resumed(step, f"goes on from the checkpoint of step {step}" + (f"; {skipped} damaged checkpoint skipped" if skipped else ""), self.who)
                return step, data
            skipped += 1
        if self.attempt.claim.attempt > 1:
            self.attempt.resumed(None, "starts again from the beginning: no usable checkpoint" + (f", {skipped} damaged" if skipped else ""), self.who)
        return None

    def put_results(self, points: Sequence[Point], curves: Sequence[Curve]) -> None:
        """See :class:`JobContext`."""
        self.surely(lambda: self.attempt.put_results(points, curves))

    def stored_settings(self) -> frozenset[Setting]:
        """See :class:`JobContext`."""
        found = self.attempt.stored_settings()
        if found:
            self.attempt.mark_resumed(len(found), f"goes on after {len(found)} measured settings", self.who)
        return found

    def put_artifact(self, name: str, data: bytes) -> None:
        """See :class:`JobContext`; a disk that stays full fails the job, since its result could not be kept.

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
        return self.attempt.get_artifact(name)

    def surely(self, write: Callable[[], object], tries: int = PATIENCE) -> None:
        """Try a write again while the store is away.

        Raises:
            StoreError: If it stays away.
        """
        for i in range(tries):
            try:
                write()
                return
            except StoreError as error:
                if i == tries - 1 or self.interrupted.is_set():
                    raise
                LOG.warning("written later: %s", error)
                time.sleep(min(5.0, 0.25 * (i + 1)))
