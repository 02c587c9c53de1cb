"""Baseline: no meta-training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mrp_core.objective import OuterLoss, Problem


@dataclass(frozen=True)
class FromScratch:
    """Random weights are adapted to each task; nothing is learned from other tasks."""

    name: str = "from_scratch"
    title: str = "From scratch"
    summary: str = "No meta-training: each new task starts from random weights."
    order: int = 7
    head_only: bool = False
    joint: bool = False
    trains: bool = False
    tunes_rate: bool = True
    baseline: bool = True
    element_rates: bool = False

    def outer(self, problem: Problem) -> OuterLoss:
        """There is nothing to train; the loss of the adapted weights, for the record."""
        return problem.outer(problem.adapt(second_order=False))


PLUGIN = FromScratch()
