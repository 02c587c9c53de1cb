"""ANIL: almost no inner loop (Raghu et al. 2020)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mrp_core.objective import OuterLoss, Problem


@dataclass(frozen=True)
class Anil:
    """Second order, but the inner loop moves the head only."""

    name: str = "anil"
    title: str = "ANIL"
    summary: str = "MAML in which only the head adapts: the body is a shared representation."
    order: int = 3
    head_only: bool = True
    joint: bool = False
    trains: bool = True
    tunes_rate: bool = False
    baseline: bool = False
    element_rates: bool = False

    def outer(self, problem: Problem) -> OuterLoss:
        """Query loss after adapting the head, differentiable through the adaptation."""
        return problem.outer(problem.adapt(second_order=True))


PLUGIN = Anil()
