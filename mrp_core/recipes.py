"""Recipes of an adaptation, their measured outcomes, and the front among them: what searches on measured objectives work with."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from mrp_core.errors import ConfigError
from mrp_core.frontier import Reference, hypervolume, non_dominated
from mrp_core.registry import plugin

if TYPE_CHECKING:
    from mrp_core.config import StudyConfig


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


def guarantees(config: StudyConfig) -> tuple[float, ...]:
    """The ε that a recipe may have: none (inf), then those of the study from large to small."""
    return (math.inf, *sorted(set(config.privacy.epsilons), reverse=True)) if config.privacy.mechanism != "none" else (math.inf,)


def first_layer(config: StudyConfig) -> int:
    """The lowest layer that a recipe may adapt: the head where the study or its meta-learner adapts nothing else."""
    return len(config.hidden) if plugin("meta", config.outer.learner).head_only or config.inner.adapts == "head" else 0


def canonical(config: StudyConfig, *, weight: float, epsilon: float, lowest: int, rates: Sequence[float], shares: Sequence[float] = (), temperature: float = 1.0) -> Recipe:
    """A recipe in the one form of all that do the same, to three digits: without λ under noise, no more steps than were trained, nothing where nothing is adapted.

    Args:
        config: The study.
        weight, epsilon, lowest, temperature: As of :class:`Recipe`.
        rates: For at least as many steps as are wanted; those beyond what the study trained are left out.
        shares: Positive, for as many steps; they are made to add up to 1.
    """
    short = lambda value: float(f"{value:.3g}")  # noqa: E731
    noisy = math.isfinite(epsilon)
    kept = tuple(short(r) for r in rates[:config.privacy.dp_steps if noisy else config.inner.steps])
    noisy = noisy and bool(kept)
    parts = [float(s) for s in shares[:len(kept)]] if noisy else []
    parts = parts if parts and max(parts) > (1 + 1e-9) * min(parts) else []
    return Recipe(weight=0.0 if noisy else min(short(weight), config.privacy.lambda_max), epsilon=epsilon if noisy else math.inf, lowest=lowest if kept else len(config.hidden),
                  rates=kept, shares=tuple(p / sum(parts) for p in parts), temperature=short(temperature))


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
