"""Gaussian: the teaching family, in which accuracy, every mutual information and the best attack are known exactly."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mrp_core.config import TaskConfig
from mrp_core.errors import DataError
from mrp_core.tabular import draw_members, sensitive_name
from mrp_core.taskdata import Split, TaskSet

FEATURES, TASK_SCALE, SENSITIVE_SCALE = 10, 2.0, 1.0
TASKS = (60, 10, 20)
RECORDS = 160


@dataclass(frozen=True)
class Gaussian:
    """x = y a u_t + s b v + e with fair signs y (the label) and s (the sensitive attribute), e ~ N(0, I), a = 2, b = 1, 10 features.

    Every task has its own direction u_t at an angle to v drawn from U[hardness, 90°]: a small angle puts task and attribute on nearly the
    same axis. The records are not standardised, so that :mod:`mrp_core.gaussian_truth` has the exact values for their linear noisy scores.
    """

    name: str = "gaussian"
    title: str = "Gaussian"
    summary: str = "A made-up family whose exact answers are known: the angle between task and sensitive direction sets how hard the trade-off is."
    area: str = "teaching"
    order: int = 4
    modes: tuple[str, ...] = ("site",)
    defaults: dict[str, int | float | str] = field(default_factory=lambda: {"mode": "site", "ways": 2, "shots": 5, "queries": 15})
    sensitive: tuple[str, ...] = ("s",)
    grid: tuple[int, ...] = ()
    simulated: bool = True
    optional: bool = False
    licence: str = "none needed: drawn by this program"
    origin: str = "Simulated by this program from the formula above; equal seeds draw equal records."
    caveat: str = "Simulated. For a deterministic score of continuous records I(X; score) is infinite; only noisy or sampled outputs have a finite one."
    files: tuple[str, ...] = ()

    def build(self, config: TaskConfig, seed: int) -> TaskSet:
        """Tasks with directions of their own; see :class:`mrp_core.taskdata.TaskFamily`.

        Raises:
            DataError: If ``config.ways`` isn't 2 or ``config.sensitive`` isn't offered.
        """
        sensitive_name(self.name, self.sensitive, config.sensitive)
        if config.ways != 2:
            raise DataError(f"ways is {config.ways}, but a gaussian task has two classes; set ways to 2.")
        v, us = directions(config.hardness, seed)
        rng = np.random.default_rng([seed, 9])
        splits = [_split(u, v, first, seed, rng) for u, first in zip(us, np.cumsum([0, *TASKS]) * RECORDS, strict=False)]
        facts = (("Records", f"{sum(TASKS) * RECORDS:,}, simulated, {RECORDS} of each task"),
                 ("Members", f"{sum(s.member.sum() for s in splits):,}, drawn class by class"),
                 ("Tasks", " / ".join(map(str, TASKS))), ("Angles", f"{config.hardness:g}° to 90°"))
        return TaskSet(train=splits[0], validation=splits[1], test=splits[2], classes=2, permute_labels=False,
                       features=tuple(f"x{i}" for i in range(FEATURES)), facts=facts, labels=("-1", "+1"), sensitive_values=("s = -1", "s = +1"))


def directions(hardness: float, seed: int) -> tuple[NDArray[np.float64], tuple[NDArray[np.float64], ...]]:
    """The direction v of the sensitive attribute, [features], and those of the tasks of training, validation and test, [tasks, features] each; unit length."""
    rng = np.random.default_rng([seed, 6])
    v = np.eye(FEATURES)[0]
    across = rng.standard_normal((sum(TASKS), FEATURES))
    across -= np.outer(across @ v, v)
    angles = np.radians(rng.uniform(hardness, 90.0, (sum(TASKS), 1)))
    u = np.cos(angles) * v + np.sin(angles) * across / np.linalg.norm(across, axis=1, keepdims=True)
    return v, tuple(np.split(u, np.cumsum(TASKS)[:-1]))


def _split(u: NDArray[np.float64], v: NDArray[np.float64], first: int, seed: int, rng: np.random.Generator) -> Split:
    """Records of the tasks with directions u; ``first`` is the number of the first person."""
    count = len(u)
    y, s = rng.integers(0, 2, (2, count, RECORDS))
    signal = (2 * y - 1)[..., None] * TASK_SCALE * u[:, None, :] + (2 * s - 1)[..., None] * SENSITIVE_SCALE * v
    x = (signal + rng.standard_normal(signal.shape)).reshape(-1, FEATURES).astype(np.float32)
    bucket = (2 * np.arange(count)[:, None] + y).ravel()
    angles = np.degrees(np.arccos(np.clip(u @ v, -1.0, 1.0)))
    return Split(x=x, person=first + np.arange(len(x)), member=draw_members(bucket, seed), sensitive=s.ravel(),
                 buckets=tuple(np.flatnonzero(bucket == b) for b in range(2 * count)), tasks=np.arange(2 * count).reshape(-1, 2),
                 names=tuple(f"task {i}, angle {a:.0f}°" for i, a in enumerate(angles)), visible=np.ones((count, FEATURES), dtype=bool),
                 bucket_class=np.tile([0, 1], count))


PLUGIN = Gaussian()
