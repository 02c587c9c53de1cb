"""The interface that each file in ``mrp_core/search`` fills: arms, the configurations that are trained as one batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from mrp_core.losses import linear

if TYPE_CHECKING:
    from torch import Tensor

    from mrp_core.config import StudyConfig


@dataclass(frozen=True, kw_only=True)
class Arm:
    """One trained configuration: own weights, own random numbers.

    Attributes:
        kind: "lambda" (levels are privacy weights, no noise) or "epsilon" (levels are noise multipliers, no privacy loss).
        seed: Its seed.
        levels: Ascending values that it is trained for: sampled per task between neighbouring levels, or fixed if there is one.
    """

    kind: str
    seed: int
    levels: tuple[float, ...]

    def serves(self, kind: str, seed: int, value: float) -> bool:
        """Whether the arm was trained for a value (a privacy weight, or a noise multiplier)."""
        slack = 1e-6 * max(1.0, abs(self.levels[-1]))
        return kind == self.kind and seed == self.seed and self.levels[0] - slack <= value <= self.levels[-1] + slack


def conditioned_arms(config: StudyConfig, noise: tuple[float, ...]) -> tuple[Arm, ...]:
    """Of each seed an arm over all λ, and one over all noise multipliers where there are any."""
    levels = (0.0, config.privacy.lambda_max) if len(config.lambdas) > 1 else config.lambdas
    lambdas = [Arm(kind="lambda", seed=s, levels=levels) for s in config.seeds]
    return tuple(lambdas + ([Arm(kind="epsilon", seed=s, levels=noise) for s in config.seeds] if noise else []))


class Search(Protocol):
    """The interface of a search's ``PLUGIN``, which derives from it and so inherits what it doesn't say itself.

    Attributes:
        name, title, summary, order: As for every plug-in.
        separate: Whether the outer step takes a gradient of ``total`` and another of the leakage, to be joined by the aggregator that
            the study names; its arms then have one level each.
        explores: Whether, after the training, it looks for settings by measuring candidates; it is then an :class:`mrp_core.exploring.Explorer`.
    """

    name: str
    title: str
    summary: str
    order: int
    separate: bool = False
    explores: bool = False

    def arms(self, config: StudyConfig, noise: tuple[float, ...]) -> tuple[Arm, ...]:
        """The configurations to train; ``noise`` are the noise multipliers of the study's epsilons, ascending from 0, or empty."""
        ...

    def iterations(self, config: StudyConfig) -> int:
        """Meta-iterations of each arm, such that every search spends the same total on the λ axis, exploring included."""
        ...

    def total(self, task: Tensor, leak: Tensor, weight: Tensor) -> Tensor:
        """The outer loss of each row, [B], from its task loss, its leakage and its privacy weight; at weight 0 it is the task loss."""
        return linear(task, leak, weight)
