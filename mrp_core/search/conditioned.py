"""One strategy for every λ: the network is conditioned on the privacy weight, which is drawn anew for each task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mrp_core.searching import Arm, Search, conditioned_arms

if TYPE_CHECKING:
    from mrp_core.config import StudyConfig


@dataclass(frozen=True)
class Conditioned(Search):
    """Dosovitskiy & Djolonga (2020), Navon et al. (2021), Ruchte & Grabocka (2021): one training yields the whole frontier."""

    name: str = "conditioned"
    title: str = "Conditioned strategy"
    summary: str = "One training serves every λ (and another every ε), so the sliders re-adapt live."
    order: int = 1
    explores: bool = False

    def arms(self, config: StudyConfig, noise: tuple[float, ...]) -> tuple[Arm, ...]:
        """An arm over all λ, and one over all noise multipliers, for each seed."""
        return conditioned_arms(config, noise)

    def iterations(self, config: StudyConfig) -> int:
        """All of the study's meta-iterations."""
        return config.outer.iterations


PLUGIN = Conditioned()
