"""Reptile (Nichol et al. 2018)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mrp_core.objective import OuterLoss, Problem


@dataclass(frozen=True)
class Reptile:
    """The start follows theta_0 - theta_K. Reptile says nothing of conditioning and rates: they follow the first-order gradient of the outer loss.

    With clients as tasks, each client trains locally and sends theta_0 - theta_K, which is its update of federated averaging (McMahan et al. 2017, algorithm 1;
    Jiang et al. 2019, section 3), in units of the inner rate; what the server makes of the mean is the outer optimiser's part, see :func:`mrp_core.stepping.outer_step`.
    All clients weigh alike, since all train on equally many records.
    """

    name: str = "reptile"
    title: str = "Reptile"
    summary: str = "Moves the start towards the adapted weights, without derivatives through the steps; with clients as tasks, federated averaging."
    order: int = 4
    head_only: bool = False
    joint: bool = False
    trains: bool = True
    tunes_rate: bool = False
    baseline: bool = False
    element_rates: bool = False

    def outer(self, problem: Problem) -> OuterLoss:
        """Half the squared distance to the adapted weights, over the inner rate, plus the first-order outer loss for the conditioning."""
        adapted = problem.adapt(second_order=False)
        repeats = len(adapted.weights[0]) // len(problem.rows.weights[0])
        starts = (*problem.rows.weights, *problem.rows.biases)
        ends = [t.detach().unflatten(0, (-1, repeats)).mean(1) for t in (*adapted.weights, *adapted.biases)]
        pull = sum((start - end).square().flatten(1).sum(1) for start, end in zip(starts, ends, strict=True))
        still = problem.rows.with_weights([w.detach() for w in problem.rows.weights], [b.detach() for b in problem.rows.biases])
        loss = problem.outer(replace(problem, rows=still).adapt(second_order=False))
        scale = 0.5 / problem.rows.rates.detach().mean((1, 2)).clamp_min(1e-6)
        return replace(loss, total=loss.total + scale * pull)


PLUGIN = Reptile()
