"""One training per λ, in which task loss and leakage each have a gradient and neither step may raise the other: Jacobian descent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mrp_core.searching import Arm, Search

if TYPE_CHECKING:
    from torch import Tensor

    from mrp_core.config import StudyConfig


@dataclass(frozen=True)
class MultiGradient(Search):
    """Separate trainings whose outer step joins two gradients (:mod:`mrp_core.aggregating`); λ sets the preference between them.

    The meta-iterations are shared out among the λ as in a sweep; each costs a second backward pass. λ = 0 and the arms under noise,
    which have no privacy loss, follow the task's gradient alone. What a learner adds to the losses (Reptile's pull) goes with the task.
    """

    name: str = "multi_gradient"
    title: str = "Joined gradients"
    summary: str = "Takes a gradient of the task loss and one of the leakage, and joins them so that, to first order, neither rises."
    order: int = 4
    separate: bool = True

    def arms(self, config: StudyConfig, noise: tuple[float, ...]) -> tuple[Arm, ...]:
        """An arm per λ and seed, and one per noise multiplier and seed."""
        lambdas = [Arm(kind="lambda", seed=s, levels=(v,)) for v in config.lambdas for s in config.seeds]
        return tuple(lambdas + [Arm(kind="epsilon", seed=s, levels=(v,)) for v in noise for s in config.seeds])

    def iterations(self, config: StudyConfig) -> int:
        """The study's meta-iterations over the number of λ, at least one."""
        return max(1, config.outer.iterations // len(config.lambdas))

    def total(self, task: Tensor, leak: Tensor, weight: Tensor) -> Tensor:
        """The task loss alone: the leakage has a gradient of its own."""
        return task


PLUGIN = MultiGradient()
