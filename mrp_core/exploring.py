"""Searches on measured objectives, which have no gradient: recipes of an adaptation, their outcomes, who measures them, and what measuring costs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Protocol, Self

import numpy as np

from mrp_core.cost import arms, evaluation_passes, iteration_passes
from mrp_core.errors import ConfigError
from mrp_core.frontier import Reference, hypervolume, non_dominated
from mrp_core.searching import Search

if TYPE_CHECKING:
    from mrp_core.config import StudyConfig

TASKS = 8
"""Validation tasks of each seed on which a recipe is measured."""
ADAPTATIONS = {"mi": 4, "lira_auc": 16}
"""Half-subsets that each of them is adapted on, by what is measured: an attack needs shadows."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a new task is adapted to and what is released of it; the same for every seed of a study.

    Attributes:
        weight: Privacy weight λ; 0 under noise.
        epsilon: Guarantee of the noisy adaptation; inf is neither clipping nor noise.
        lowest: First adapting layer.
        rates: Factor on the inner rates of each step, [steps]; its length is the number of steps.
        shares: Share of the privacy budget that each noisy step spends, [steps], adding up to 1; empty for equal shares.
        temperature: Divides the released logits; post-processing, so a guarantee stays.
    """

    weight: float
    epsilon: float
    lowest: int
    rates: tuple[float, ...]
    shares: tuple[float, ...] = ()
    temperature: float = 1.0

    def __post_init__(self) -> None:
        numbers = (self.weight, self.temperature, *self.rates, *self.shares)
        whole = self.weight >= 0 and self.epsilon > 0 and self.lowest >= 0 and self.temperature > 0 and all(r >= 0 for r in self.rates)
        divided = not self.shares or (len(self.shares) == len(self.rates) and min(self.shares) > 0 and abs(sum(self.shares) - 1.0) < 1e-6)
        if not (whole and divided and all(map(math.isfinite, numbers))):
            raise ConfigError(f"The recipe {asdict(self)} is not one: numbers must be finite and from 0, epsilon and temperature positive, and shares must add up to 1.")

    @property
    def steps(self) -> int:
        """Number of inner steps."""
        return len(self.rates)

    def words(self, layers: int) -> str:
        """What it does, e.g. "λ 0.2, 3 steps, head", of a network with so many layers."""
        parts = [f"ε {self.epsilon:g}" if math.isfinite(self.epsilon) else f"λ {self.weight:g}", f"{self.steps} step{'' if self.steps == 1 else 's'}"]
        if self.steps:
            parts.append("head" if self.lowest == layers - 1 else "all layers" if self.lowest == 0 else f"layers from {self.lowest + 1}")
        if any(r != 1.0 for r in self.rates):
            same = len(set(self.rates)) == 1
            parts.append(f"rate × {self.rates[0]:g}" if same else "rates × " + " / ".join(f"{r:g}" for r in self.rates))
        if self.shares:
            parts.append("budget " + " / ".join(f"{100 * s:.0f}" for s in self.shares) + " %")
        return ", ".join([*parts, *([f"T {self.temperature:g}"] if self.temperature != 1.0 else [])])

    def to_dict(self) -> dict[str, Any]:
        """What JSON can hold; no noise is null."""
        return {**asdict(self), "epsilon": self.epsilon if math.isfinite(self.epsilon) else None}

    @classmethod
    def from_dict(cls, raw: dict[str, Any]) -> Self:
        """Inverse of :meth:`to_dict`.

        Raises:
            ConfigError: If the numbers are no recipe.
        """
        tuples = {k: tuple(map(float, raw[k])) for k in ("rates", "shares")}
        return cls(weight=float(raw["weight"]), epsilon=math.inf if raw["epsilon"] is None else float(raw["epsilon"]), lowest=int(raw["lowest"]),
                   temperature=float(raw["temperature"]), **tuples)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A recipe as measured on the validation tasks of all seeds.

    Attributes:
        recipe: What was measured.
        utility, leakage: Accuracy of what is released, and the leakage asked for; NaN if it failed.
        reason: Why it failed, or "".
    """

    recipe: Recipe
    utility: float
    leakage: float
    reason: str = ""


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
    """

    recipes: tuple[Recipe, ...]
    curves: dict[str, tuple[tuple[float, float], ...]]


class Explorer(Search, Protocol):
    """A search that looks for settings by measuring candidates."""

    def leakage(self, config: StudyConfig) -> str:
        """The leakage that it measures: a key of :data:`ADAPTATIONS`."""
        ...

    def evaluations(self, config: StudyConfig) -> int:
        """How many recipes it asks for, equal ones included."""
        ...

    def explore(self, config: StudyConfig, laboratory: Laboratory) -> Exploration:
        """Search; a function of the configuration and of the outcomes alone."""
        ...


def price(config: StudyConfig, leakage: str) -> float:
    """Meta-iterations (of all arms of a seed) that one evaluation costs: the ratio of the records that both pass, steps counted at their most.

    With the standard study 1 evaluation of I(X;Ŷ) is worth about half a meta-iteration, and one of LiRA, with 16 adaptations a task, about two.
    """
    steps = max(config.inner.steps, config.privacy.dp_steps)
    return evaluation_passes(config, TASKS, ADAPTATIONS[leakage], steps) / (iteration_passes(config) * arms(config))


def bought(config: StudyConfig, leakage: str) -> int:
    """Evaluations that the exploring share of the meta-iterations pays for."""
    return int(config.outer.search_share * config.outer.iterations / price(config, leakage))


def trained(config: StudyConfig, leakage: str, evaluations: int) -> int:
    """Meta-iterations that are left for training, at least one."""
    return max(1, config.outer.iterations - math.ceil(evaluations * price(config, leakage)))


def spread(outcomes: Sequence[Outcome], most: int) -> tuple[Recipe, ...]:
    """The non-dominated recipes, at most so many, evenly along the front, from accurate to private; of recipes with equal outcomes the first."""
    best = {(o.leakage, o.utility): o for o in reversed(outcomes) if not o.reason}
    points = np.array(sorted(best, reverse=True), dtype=np.float64).reshape(-1, 2)
    points = points[non_dominated(points[:, 0], points[:, 1])]
    if len(points) > most:
        span = np.maximum(np.ptp(points, 0), 1e-12)
        along = np.concatenate([[0.0], np.linalg.norm(np.diff(points / span, axis=0), axis=1).cumsum()])
        left, picked = list(range(len(points))), []
        for goal in np.linspace(0.0, along[-1], most):
            nearest = min(left, key=lambda i: abs(along[i] - goal))
            left.remove(nearest)
            picked.append(nearest)
        points = points[sorted(picked)]
    return tuple(best[(float(x), float(y))].recipe for x, y in points)


def volume(config: StudyConfig, leakage: str, outcomes: Sequence[Outcome]) -> float:
    """Hypervolume of the outcomes, in the box from guessing with full leakage to faultless without any."""
    ways = config.task.ways
    box = Reference(utility=1 / ways, leakage=math.log(ways)) if leakage == "mi" else Reference(utility=1 / ways, leakage=1.0, best_leakage=0.5)
    known = [o for o in outcomes if not o.reason]
    return hypervolume([o.leakage for o in known], [o.utility for o in known], box)
