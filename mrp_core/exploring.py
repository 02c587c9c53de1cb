"""Searches on measured objectives, which have no gradient: what they measure, who measures it for them, and what measuring costs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from mrp_core.cost import arms, evaluation_passes, iteration_passes
from mrp_core.recipes import Outcome, Recipe
from mrp_core.searching import Search

if TYPE_CHECKING:
    from mrp_core.config import StudyConfig


@dataclass(frozen=True, kw_only=True)
class Objective:
    """What stands beside the accuracy, and on how much both are measured.

    Attributes:
        leakage: "mi", or "lira_auc" for an attack, which needs shadows.
        tasks: Validation tasks of each seed.
        adaptations: Half-subsets that each of them is adapted on.
    """

    leakage: str
    tasks: int
    adaptations: int


class Laboratory(Protocol):
    """Measures recipes, many as one batch. What it returns depends on the recipe alone, so an exploration that is begun again repeats itself."""

    def measure(self, recipes: Sequence[Recipe]) -> list[Outcome]:
        """An outcome for each recipe, in order; equal recipes are measured once, and failures come back with their reason.

        Raises:
            JobCancelled, JobInterrupted: As the job's context says, after a checkpoint of all that is measured.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class Exploration:
    """What a search came to.

    Attributes:
        recipes: From accurate to private.
        curves: By name, (evaluations, value) as the search went on.
        note: What else there is to say.
    """

    recipes: tuple[Recipe, ...]
    curves: dict[str, tuple[tuple[float, float], ...]]
    note: str = ""


class Explorer(Search, Protocol):
    """A search that looks for settings by measuring candidates."""

    def objective(self, config: StudyConfig) -> Objective:
        """What it measures, and how thoroughly."""
        ...

    def evaluations(self, config: StudyConfig) -> int:
        """How many recipes it asks for, equal ones included."""
        ...

    def explore(self, config: StudyConfig, laboratory: Laboratory) -> Exploration:
        """Search; a function of the configuration and of the outcomes alone."""
        ...


def price(config: StudyConfig, objective: Objective) -> float:
    """Meta-iterations (of all arms of a seed) that one evaluation costs: the ratio of the records that both pass, steps counted at their most.

    With the standard study an evaluation of I(X;Ŷ) on 8 tasks x 4 adaptations is worth about half a meta-iteration, and one of LiRA with 8 x 16 about two.
    """
    steps = max(config.inner.steps, config.privacy.dp_steps)
    return evaluation_passes(config, objective.tasks, objective.adaptations, steps) / (iteration_passes(config) * arms(config))


def bought(config: StudyConfig, objective: Objective) -> int:
    """Evaluations that the exploring share of the meta-iterations pays for."""
    return int(config.outer.search_share * config.outer.iterations / price(config, objective))


def trained(config: StudyConfig, objective: Objective, evaluations: int) -> int:
    """Meta-iterations that are left for training, at least one."""
    return max(1, config.outer.iterations - math.ceil(evaluations * price(config, objective)))
