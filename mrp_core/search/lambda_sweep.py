"""One training per λ (linear scalarisation), all of them as one batch: the reference that the conditioned strategy is held against."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mrp_core.searching import Arm, Search

if TYPE_CHECKING:
    from mrp_core.config import StudyConfig


@dataclass(frozen=True)
class LambdaSweep(Search):
    """Separate trainings. The meta-iterations are shared out among them, so that the total equals the conditioned strategy's."""

    name: str = "lambda_sweep"
    title: str = "One training per λ"
    summary: str = "Trains each λ by itself and shares the meta-iterations out among them; the classical way, for comparison."
    order: int = 2
    explores: bool = False

    def arms(self, config: StudyConfig, noise: tuple[float, ...]) -> tuple[Arm, ...]:
        """An arm per λ and seed, and one per noise multiplier and seed."""
        lambdas = [Arm(kind="lambda", seed=s, levels=(v,)) for v in config.lambdas for s in config.seeds]
        return tuple(lambdas + [Arm(kind="epsilon", seed=s, levels=(v,)) for v in noise for s in config.seeds])

    def iterations(self, config: StudyConfig) -> int:
        """The study's meta-iterations over the number of λ, at least one."""
        return max(1, config.outer.iterations // len(config.lambdas))


PLUGIN = LambdaSweep()
