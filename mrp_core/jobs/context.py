"""What the body of a job may ask of its surroundings: progress, stop, checkpoints, results. Needs no torch and no store."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Protocol

from mrp_core.errors import JobInterrupted
from mrp_core.results import Curve, Point
from mrp_core.settings import Setting


class JobContext(Protocol):
    """The surroundings of one attempt at a job. The body calls it from one thread."""

    def report(self, phase: str, step: int, total: int, values: Mapping[str, float]) -> None:
        """Say how far the work is: ``step`` of ``total`` steps of the phase ("train" or "audit") are done.

        Cheap enough for every step: the store is written at most twice a second. ``values`` of the phase "train" become the
        training curves "train:loss" and so on.

        Raises:
            JobCancelled: If a person has cancelled the job.
            JobInterrupted: If the process was told to end.
        """
        ...

    def stop_requested(self) -> bool:
        """Whether to take a checkpoint now and then call :meth:`report`, which raises."""
        ...

    def checkpoint_due(self) -> bool:
        """Whether enough time (20 s, or MRP_CHECKPOINT_SECONDS) has passed since the last checkpoint."""
        ...

    def save_checkpoint(self, step: int, data: bytes) -> None:
        """Keep what is needed to go on after ``step`` finished steps of training. A full disk is logged, never raised."""
        ...

    def load_checkpoint(self) -> tuple[int, bytes] | None:
        """Step and data of the newest checkpoint that is whole, or None."""
        ...

    def put_results(self, points: Sequence[Point], curves: Sequence[Curve]) -> None:
        """Store finished results at once; a point replaces that of the same setting and seed, a curve that of the same setting and name."""
        ...

    def stored_settings(self) -> frozenset[Setting]:
        """Settings that have points already, e.g. from an earlier attempt."""
        ...

    def put_artifact(self, name: str, data: bytes) -> None:
        """Keep a file of the study, e.g. "strategy.safetensors"."""
        ...

    def get_artifact(self, name: str) -> bytes | None:
        """A file kept by this or an earlier attempt, or None."""
        ...


class SilentContext:
    """A context without a store: everything is kept in memory, so that a test can stop a body and let it go on.

    Args:
        checkpoint_seconds: Least time between checkpoints; None never asks for one, 0 asks at every step.
        stop_after: Number of calls of :meth:`report` after which the body is asked to stop; None never.
        keep: False keeps nothing, for a caller who only wants the return value.
    """

    def __init__(self, *, checkpoint_seconds: float | None = None, stop_after: int | None = None, keep: bool = True) -> None:
        self.checkpoint_seconds = checkpoint_seconds
        self.stop_after = stop_after
        self.checkpoints: list[tuple[int, bytes]] = []
        self.points: dict[tuple[Setting, int], Point] = {}
        self.curves: dict[tuple[Setting | None, str], Curve] = {}
        self.artifacts: dict[str, bytes] = {}
        self.reports: list[tuple[str, int, int, dict[str, float]]] = []
        self._keep = keep
        self._calls = 0
        self._last_checkpoint = time.monotonic()

    def report(self, phase: str, step: int, total: int, values: Mapping[str, float]) -> None:
        """Remember the report.

        Raises:
            JobInterrupted: After ``stop_after`` calls.
        """
        if self.stop_requested():
            raise JobInterrupted("The job was asked to stop; run it again to go on.")
        self._calls += 1
        if self._keep:
            self.reports.append((phase, step, total, dict(values)))

    def stop_requested(self) -> bool:
        """Whether ``stop_after`` reports were made."""
        return self.stop_after is not None and self._calls >= self.stop_after

    def checkpoint_due(self) -> bool:
        """Whether ``checkpoint_seconds`` have passed."""
        return self.checkpoint_seconds is not None and time.monotonic() - self._last_checkpoint >= self.checkpoint_seconds

    def save_checkpoint(self, step: int, data: bytes) -> None:
        """Remember the newest two checkpoints."""
        self._last_checkpoint = time.monotonic()
        if self._keep:
            self.checkpoints = [*self.checkpoints[-1:], (step, data)]

    def load_checkpoint(self) -> tuple[int, bytes] | None:
        """The newest checkpoint."""
        return self.checkpoints[-1] if self.checkpoints else None

    def put_results(self, points: Sequence[Point], curves: Sequence[Curve]) -> None:
        """Remember points and curves."""
        if self._keep:
            self.points.update({(p.setting, p.seed): p for p in points})
            self.curves.update({(c.setting, c.name): c for c in curves})

    def stored_settings(self) -> frozenset[Setting]:
        """Settings of the remembered points."""
        return frozenset(setting for setting, _ in self.points)

    def put_artifact(self, name: str, data: bytes) -> None:
        """Remember the bytes."""
        if self._keep:
            self.artifacts[name] = data

    def get_artifact(self, name: str) -> bytes | None:
        """The remembered bytes."""
        return self.artifacts.get(name)
