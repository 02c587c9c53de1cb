"""One conditioned strategy, whose outer loss is the worse of the two objectives instead of their sum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mrp_core.searching import Arm, Search

if TYPE_CHECKING:
    from torch import Tensor

    from mrp_core.config import StudyConfig

TEMPERATURE = 0.05
"""Of the smooth maximum, in units of the losses: the task loss lies in [0, 1] or a little above, I(X;Ŷ) in [0, ln C]."""
AUGMENTATION = 0.05
"""Share of the sum that is added, so that an objective that isn't the worse one still counts."""


@dataclass(frozen=True)
class Chebyshev(Search):
    """Augmented weighted Chebyshev scalarisation (Steuer & Choo 1983) with a smooth maximum (Lin et al. 2024).

    With f = (L_task, λ L_privacy), both against the utopian point 0, and s = (1, λ) / (1 + λ):
    ``total = (T log sum_i s_i exp(f_i / T) + rho sum_i f_i) / (1 + rho)``. The shares s leave an objective without a weight out of the
    maximum, so that λ = 0 is the unprotected model; the smooth maximum lies below the true one, by at most T log(1 / min s).

    A sum reaches the points of a frontier's convex hull only; a maximum reaches those in its dents too. The inner loop keeps the sum.
    """

    name: str = "chebyshev"
    title: str = "Chebyshev"
    summary: str = "One training serves every λ, but lowers the worse of task loss and λ × leakage instead of their sum; reaches dents of a frontier."
    order: int = 3

    def arms(self, config: StudyConfig, noise: tuple[float, ...]) -> tuple[Arm, ...]:
        """An arm over all λ, and one over all noise multipliers, for each seed."""
        lambdas = [Arm(kind="lambda", seed=s, levels=(0.0, config.privacy.lambda_max)) for s in config.seeds]
        return tuple(lambdas + ([Arm(kind="epsilon", seed=s, levels=noise) for s in config.seeds] if noise else []))

    def iterations(self, config: StudyConfig) -> int:
        """All of the study's meta-iterations."""
        return config.outer.iterations

    def total(self, task: Tensor, leak: Tensor, weight: Tensor) -> Tensor:
        """The scalarised outer loss of each row, [B]."""
        import torch

        values = torch.stack([task, weight * leak], -1)
        shares = torch.stack([torch.ones_like(weight), weight], -1) / (1.0 + weight).unsqueeze(-1)
        largest = TEMPERATURE * torch.logsumexp(values / TEMPERATURE + shares.log(), -1)
        return (largest + AUGMENTATION * values.sum(-1)) / (1.0 + AUGMENTATION)


PLUGIN = Chebyshev()
