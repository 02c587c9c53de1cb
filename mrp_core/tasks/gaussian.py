"""Gaussian: the teaching family, in which accuracy, every mutual information and the best attack are known exactly."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mrp_core.config import TaskConfig
from mrp_core.errors import DataError
from mrp_core.tabular import draw_members, standardised
from mrp_core.taskdata import Split, TaskSet

FEATURES, TASK_SCALE, SENSITIVE_SCALE = 10, 2.0, 1.0
TASKS = (60, 10, 20)
RECORDS = 160


@dataclass(frozen=True)
class Gaussian:
    """x = y a u_t + s b v + e with fair signs y (the label) and s (the sensitive attribute), e ~ N(0, I), a = 2, b = 1, 10 features.

    Every task has its own direction u_t at an angle to v drawn from U[hardness, 90°]: a small angle puts task and attribute on nearly the
    same axis. :mod:`mrp_core.gaussian_truth` has the exact values for linear noisy scores.
    """

    name: str = "gaussian"
    title: str = "Gaussian"
    summary: str = "A made-up family whose exact answers are known: the angle between task and sensitive direction sets how hard the trade-off is."
    order: int = 4
    modes: tuple[str, ...] = ("site",)
    defaults: dict[str, int | float | str] = field(default_factory=lambda: {"mode": "site", "ways": 2, "shots": 5, "queries": 15})
    sensitive: tuple[str, ...] = ("s",)
    simulated: bool = True
    licence: str = "none needed: drawn by this program"
    origin: str = "Simulated by this program from the formula above; equal seeds draw equal records."
    caveat: str = "Simulated. For a deterministic score of continuous records I(X; score) is infinite; only noisy or sampled outputs have a finite one."
    files: tuple[str, ...] = ()

    def build(self, config: TaskConfig, seed: int) -> TaskSet:
        """Tasks with directions of their own; see :class:`mrp_core.taskdata.TaskFamily`."""
        if config.ways != 2:
            raise DataError(f"ways is {config.ways}, but a gaussian task has two classes; set ways to 2.")
        rng = np.random.default_rng([seed, 6])
        v = np.eye(FEATURES)[0]
        raw = [_records(rng, v, config.hardness, n) for n in TASKS]
        members = [draw_members(label + 2 * np.repeat(np.arange(n), RECORDS), seed) for (_, label, _, _), n in zip(raw, TASKS, strict=True)]
        sizes = np.cumsum([0, *(len(r[0]) for r in raw)])
        basis = np.concatenate([members[0], np.zeros(sizes[3] - sizes[1], dtype=bool)])
        x = standardised(np.concatenate([r[0] for r in raw]), basis)
        splits = [_split(x[sizes[i]:sizes[i + 1]], sizes[i], members[i], *raw[i][1:]) for i in range(3)]
        facts = (("Records", f"{sizes[3]:,}, simulated"), ("Tasks", " / ".join(map(str, TASKS))), ("Angles", f"{config.hardness:g}° to 90°"))
        return TaskSet(train=splits[0], validation=splits[1], test=splits[2], classes=2, permute_labels=False, features=tuple(f"x{i}" for i in range(FEATURES)), facts=facts,
                       labels=("-1", "+1"))


def direction(rng: np.random.Generator, v: NDArray[np.float64], degrees: float) -> NDArray[np.float64]:
    """A random unit vector at an angle to the unit vector v, [features]."""
    w = rng.standard_normal(len(v))
    w -= (w @ v) * v
    angle = np.radians(degrees)
    return np.cos(angle) * v + np.sin(angle) * w / np.linalg.norm(w)


def _records(rng: np.random.Generator, v: NDArray[np.float64], hardness: float, tasks: int) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    angles = rng.uniform(hardness, 90.0, tasks)
    y, s = (np.where(rng.random((tasks, RECORDS)) < 0.5, 1, -1) for _ in range(2))
    u = np.stack([direction(rng, v, a) for a in angles])
    x = y[..., None] * TASK_SCALE * u[:, None, :] + s[..., None] * SENSITIVE_SCALE * v + rng.standard_normal((tasks, RECORDS, len(v)))
    return x.reshape(-1, len(v)), ((y + 1) // 2).ravel(), ((s + 1) // 2).ravel(), angles


def _split(x: NDArray[np.float32], first: int, member: NDArray[np.bool_], y: NDArray[np.int64], s: NDArray[np.int64], angles: NDArray[np.float64]) -> Split:
    task = np.repeat(np.arange(len(angles)), RECORDS)
    buckets = tuple(np.flatnonzero((task == t) & (y == label)) for t in range(len(angles)) for label in (0, 1))
    return Split(x=x, person=first + np.arange(len(x)), member=member, sensitive=s, buckets=buckets, tasks=np.arange(2 * len(angles)).reshape(-1, 2),
                 names=tuple(f"task {i}, angle {a:.0f}°" for i, a in enumerate(angles)), visible=np.ones((len(angles), x.shape[1]), dtype=bool),
                 bucket_class=np.tile([0, 1], len(angles)))


PLUGIN = Gaussian()
