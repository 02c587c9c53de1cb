"""First-order MAML (Finn et al. 2017; Nichol et al. 2018)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mrp_core.objective import OuterLoss, Problem


@dataclass(frozen=True)
class FirstOrderMaml:
    """Inner gradients are constants; the learned rates still get their exact gradient, -<inner gradient, outer gradient>."""

    name: str = "fomaml"
    title: str = "First-order MAML"
    summary: str = "MAML without the second derivatives: about half the work, often nearly as good."
    order: int = 2
    head_only: bool = False
    joint: bool = False
    trains: bool = True
    tunes_rate: bool = False
    baseline: bool = False
    element_rates: bool = False

    def outer(self, problem: Problem) -> OuterLoss:
        """Query loss of the adapted weights, with the inner gradients held constant."""
        return problem.outer(problem.adapt(second_order=False))


PLUGIN = FirstOrderMaml()
