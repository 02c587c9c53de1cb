"""A small policy over the privacy actions of each inner step, and two estimates of how to improve it without a gradient of the reward."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mrp_core.recipes import Recipe, canonical, first_layer, guarantees

if TYPE_CHECKING:
    from mrp_core.config import StudyConfig

Array = NDArray[np.float64]
PARAMETERS = 12
"""Constant and slope in λ of the guarantee and of the weight; constant, slopes in λ and step, and their product, of the rates and of the budget."""
RANGE = 3.0
"""Largest action for a rate (a power of 2) and for a step's budget (a power of e)."""


def design(place: float, steps: int) -> Array:
    """The matrix [2 + 2 steps, 12] that maps parameters to mean actions: guarantee, weight, a rate for each step, a budget for each step.

    The features are λ and the number of the step, nothing of the task's records: actions that follow the records would spend privacy that no ε accounts for.

    Args:
        place: Where λ stands on its slider, from -1 to 1.
        steps: Inner steps.
    """
    out = np.zeros((2 + 2 * steps, PARAMETERS))
    out[0, :2] = out[1, 2:4] = 1.0, place
    for k in range(steps):
        s = 2.0 * k / (steps - 1) - 1.0 if steps > 1 else 0.0
        out[2 + k, 4:8] = out[2 + steps + k, 8:] = 1.0, place, s, place * s
    return out


def performed(config: StudyConfig, actions: Array) -> Recipe:
    """What actions [2 + 2 steps] do: a guarantee from the study's list (none to the smallest ε), λ where there is none, the rate of each step, and its share of the budget."""
    steps = (len(actions) - 2) // 2
    level, weight = 1.0 / (1.0 + np.exp(-np.clip(actions[:2], -30.0, 30.0)))
    ladder = guarantees(config)
    epsilon = ladder[min(int(level * len(ladder)), len(ladder) - 1)]
    head = math.isfinite(epsilon) and config.privacy.dp_adapts == "head"
    bounded = np.clip(actions[2:], -RANGE, RANGE)
    return canonical(config, weight=float(weight) * config.privacy.lambda_max, epsilon=epsilon, lowest=len(config.hidden) if head else first_layer(config),
                     rates=(2.0 ** bounded[:steps]).tolist(), shares=np.exp(bounded[steps:]).tolist())


def score_gradient(designs: Array, deviations: Array, advantages: Array, spread: float) -> Array:
    """REINFORCE's estimate of the gradient of the expected reward, [12] (Williams 1992): mean of advantage x gradient of the log-probability of the actions.

    Args:
        designs: [n, actions, 12], of :func:`design`.
        deviations: Actions less their means, [n, actions].
        advantages: Reward less a baseline that doesn't depend on the action, [n].
        spread: Standard deviation of the actions.
    """
    return np.einsum("n,nap,na->p", advantages, designs, deviations) / (len(advantages) * spread**2)


def antithetic_gradient(directions: Array, plus: Array, minus: Array, spread: float) -> Array:
    """Evolution strategies' estimate of the gradient, [12] (Salimans et al. 2017, with mirrored sampling): mean of (R(θ + s d) - R(θ - s d)) d / 2 s.

    Args:
        directions: Standard normal [n, 12].
        plus, minus: Rewards of the parameters moved along and against them, [n].
        spread: Size s of the move.
    """
    return (plus - minus) @ directions / (2.0 * spread * len(directions))


def expected(places: Array, seen_places: Array, seen_rewards: Array) -> Array:
    """A baseline: the reward that earlier batches let expect at each place, [n], by a parabola in λ (ridge regression)."""
    powers = lambda x: np.stack([np.ones_like(x), x, x * x], -1)  # noqa: E731
    p, mean = powers(seen_places), seen_rewards.mean()
    return mean + powers(places) @ np.linalg.solve(p.T @ p + np.eye(3), p.T @ (seen_rewards - mean))


@dataclass(kw_only=True)
class Ascent:
    """Adam (Kingma & Ba 2015) uphill, from zero: no change to any rate, equal budgets, the middle of both lists."""

    rate: float
    parameters: Array = field(default_factory=lambda: np.zeros(PARAMETERS))
    first: Array = field(default_factory=lambda: np.zeros(PARAMETERS))
    second: Array = field(default_factory=lambda: np.zeros(PARAMETERS))
    done: int = 0

    def step(self, gradient: Array) -> None:
        """One step along a gradient [12]."""
        self.done += 1
        self.first = 0.8 * self.first + 0.2 * gradient
        self.second = 0.95 * self.second + 0.05 * gradient**2
        self.parameters = self.parameters + self.rate * (self.first / (1 - 0.8**self.done)) / (np.sqrt(self.second / (1 - 0.95**self.done)) + 1e-8)
