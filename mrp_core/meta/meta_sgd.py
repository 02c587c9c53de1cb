"""Meta-SGD (Li et al. 2017): a learned inner rate for each weight."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mrp_core.objective import OuterLoss, Problem


@dataclass(frozen=True)
class MetaSgd:
    """theta_k+1 = theta_k - alpha o grad L(theta_k), with a vector alpha that is learned beside the start (Li et al. 2017, equation 2).

    alpha is the rate of the layer and step, which may depend on λ and ε, times a positive factor of the weight's own within bounds. The paper's alpha may turn
    negative and is one for all steps; it has a single step.
    """

    name: str = "meta_sgd"
    title: str = "Meta-SGD"
    summary: str = "MAML with a learned rate for each weight: it also learns which way, and how far, to move."
    order: int = 5
    head_only: bool = False
    joint: bool = False
    trains: bool = True
    tunes_rate: bool = False
    baseline: bool = False
    element_rates: bool = True

    def outer(self, problem: Problem) -> OuterLoss:
        """Query loss of the adapted weights, differentiable through the adaptation and its rates."""
        return problem.outer(problem.adapt(second_order=True))


PLUGIN = MetaSgd()
