"""A policy over the privacy actions of each inner step, rewarded by what is measured: utility less λ times the success of an attack."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mrp_core.exploring import Exploration, Explorer, Laboratory, Objective, bought, trained
from mrp_core.policies import PARAMETERS, Array, Ascent, antithetic_gradient, design, expected, performed, score_gradient
from mrp_core.recipes import Outcome, spread
from mrp_core.searching import Arm, conditioned_arms

if TYPE_CHECKING:
    from mrp_core.config import StudyConfig

BATCH, FEWEST = 12, 4
RATE, ACTION_SPREAD, PARAMETER_SPREAD = 0.2, 0.7, 0.4
Line = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Reinforce(Explorer):
    """REINFORCE (Williams 1992) with a baseline, beside evolution strategies (Salimans et al. 2017) on the same policy with as many evaluations.

    A conditioned strategy is trained with a share of the budget; the rest is halved between the two ways to learn. The reward at a weight λ is
    accuracy - λ (2 AUC - 1), LiRA's AUC, on the validation tasks of all seeds. Both policies and the one they start from are judged at the same λ, and the best
    of the three gives the settings.
    """

    name: str = "reinforce"
    title: str = "Reinforced actions"
    summary: str = "Trains one conditioned strategy, then learns each step's rate and noise from the measured success of an attack."
    order: int = 21
    explores: bool = True

    def arms(self, config: StudyConfig, noise: tuple[float, ...]) -> tuple[Arm, ...]:
        """An arm over all λ, and one over all noise multipliers, for each seed."""
        return conditioned_arms(config, noise)

    def iterations(self, config: StudyConfig) -> int:
        """What the policies leave of the study's meta-iterations."""
        return trained(config, self.objective(config), self.evaluations(config))

    def objective(self, config: StudyConfig) -> Objective:
        """LiRA on few adaptations: many noisy rewards teach more than few sure ones."""
        return Objective(leakage="lira_auc", tasks=4, adaptations=8)

    def evaluations(self, config: StudyConfig) -> int:
        """Two policies x updates x batch, and three policies judged; none if the budget doesn't pay for two updates of four."""
        batch, updates = self._sizes(config)
        return 2 * batch * updates + 3 * config.outer.search_points if updates else 0

    def explore(self, config: StudyConfig, laboratory: Laboratory) -> Exploration:
        """Learn both policies, judge them, and keep the settings of the best."""
        batch, updates = self._sizes(config)
        if not updates:
            return Exploration(recipes=(), curves={})
        room = _Room(config, laboratory)
        learned = {"the start": (np.zeros(PARAMETERS), ()), "REINFORCE": room.learn(_reinforced, batch, updates), "evolution strategies": room.learn(_evolved, batch, updates)}
        judged = {name: room.judge(parameters, config.outer.search_points) for name, (parameters, _) in learned.items()}
        best = max(judged, key=lambda name: judged[name][0])
        told = [f"{name} {reward:.3f}" if math.isfinite(reward) else f"{name} failed" for name, (reward, _) in judged.items()]
        return Exploration(recipes=spread(judged[best][1], config.outer.search_points), note=f"Mean reward on validation tasks: {', '.join(told)}; the settings are those of {best}",
                           curves={"reinforce": learned["REINFORCE"][1], "strategies": learned["evolution strategies"][1]})

    def _sizes(self, config: StudyConfig) -> tuple[int, int]:
        """Batch (even) and updates of each policy."""
        half = max(0, bought(config, self.objective(config)) - 3 * config.outer.search_points) // 2
        batch = min(BATCH, max(FEWEST, math.isqrt(half) // 2 * 2))
        return batch, half // batch if half >= 2 * batch else 0


@dataclass(frozen=True)
class _Room:
    """Rewards of policies."""

    config: StudyConfig
    laboratory: Laboratory

    def designs(self, places: Array) -> Array:
        """[n, actions, 12]."""
        steps = max(self.config.inner.steps, self.config.privacy.dp_steps if self.config.privacy.mechanism != "none" else 0)
        return np.stack([design(float(x), steps) for x in places])

    def rewards(self, places: Array, actions: Array) -> tuple[Array, list[Outcome]]:
        """Measured rewards [n], NaN where the measurement failed, for actions [n, actions]."""
        found = self.laboratory.measure([performed(self.config, a) for a in actions])
        weights = self.config.privacy.lambda_max * (places + 1.0) / 2.0
        return np.array([o.utility - w * (2.0 * o.leakage - 1.0) for o, w in zip(found, weights, strict=True)]), found

    def judge(self, parameters: Array, points: int) -> tuple[float, list[Outcome]]:
        """Mean reward of the mean actions over the λ slider, -inf if one failed, and their outcomes."""
        places = np.linspace(-1.0, 1.0, points)
        reward, found = self.rewards(places, self.designs(places) @ parameters)
        return (float(reward.mean()) if np.isfinite(reward).all() else -math.inf), found

    def learn(self, update: Callable[[_Room, Ascent, np.random.Generator, int, _Memory], Array], batch: int, updates: int) -> tuple[Array, Line]:
        """Parameters after so many updates, and the mean reward of each batch, exploration included."""
        ascent, rng, memory, curve = Ascent(rate=RATE), np.random.default_rng([self.config.outer.first_seed, 31]), _Memory(), list[tuple[float, float]]()
        for i in range(updates):
            reward = update(self, ascent, rng, batch, memory)
            known = reward[np.isfinite(reward)]
            if len(known):
                curve.append((float((i + 1) * batch), float(known.mean())))
        return ascent.parameters, tuple(curve)


class _Memory:
    """Places and rewards of earlier batches."""

    def __init__(self) -> None:
        self.places, self.rewards = np.empty(0), np.empty(0)

    def add(self, places: Array, rewards: Array) -> None:
        self.places, self.rewards = np.concatenate([self.places, places]), np.concatenate([self.rewards, rewards])


def _reinforced(room: _Room, ascent: Ascent, rng: np.random.Generator, batch: int, memory: _Memory) -> Array:
    places = _stratified(rng, batch)
    designs = room.designs(places)
    deviations = ACTION_SPREAD * rng.standard_normal(designs.shape[:2])
    reward, _ = room.rewards(places, designs @ ascent.parameters + deviations)
    known = np.isfinite(reward)
    if known.sum() > 1:
        base = expected(places, memory.places, memory.rewards)[known] if len(memory.places) else (reward[known].sum() - reward[known]) / (known.sum() - 1)
        ascent.step(score_gradient(designs[known], deviations[known], reward[known] - base, ACTION_SPREAD))
        memory.add(places[known], reward[known])
    return reward


def _evolved(room: _Room, ascent: Ascent, rng: np.random.Generator, batch: int, memory: _Memory) -> Array:
    places = np.tile(_stratified(rng, batch // 2), 2)
    directions = rng.standard_normal((batch // 2, PARAMETERS))
    moved = ascent.parameters + PARAMETER_SPREAD * np.concatenate([directions, -directions])
    reward, _ = room.rewards(places, np.einsum("nap,np->na", room.designs(places), moved))
    plus, minus = reward[:batch // 2], reward[batch // 2:]
    known = np.isfinite(plus) & np.isfinite(minus)
    if known.any():
        ascent.step(antithetic_gradient(directions[known], plus[known], minus[known], PARAMETER_SPREAD))
    return reward


def _stratified(rng: np.random.Generator, count: int) -> Array:
    """A place in each of so many equal parts of the λ slider."""
    return 2.0 * (np.arange(count) + rng.random(count)) / count - 1.0


PLUGIN = Reinforce()
