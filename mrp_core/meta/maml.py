"""MAML, second order (Finn et al. 2017)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mrp_core.objective import OuterLoss, Problem


@dataclass(frozen=True)
class Maml:
    """The meta-gradient goes through every inner step, Hessian terms included."""

    name: str = "maml"
    title: str = "MAML"
    summary: str = "Learns a start from which a few gradient steps go far; differentiates through the steps."
    order: int = 1
    head_only: bool = False
    joint: bool = False
    trains: bool = True
    tunes_rate: bool = False
    baseline: bool = False
    element_rates: bool = False

    def outer(self, problem: Problem) -> OuterLoss:
        """Query loss of the adapted weights, differentiable through the adaptation."""
        return problem.outer(problem.adapt(second_order=True))


PLUGIN = Maml()
