"""A task family of a few gaussian classes, small enough that a whole study takes a second."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mrp_core.config import AuditConfig, InnerConfig, OuterConfig, PrivacyConfig, StudyConfig, TaskConfig
from mrp_core.taskdata import Split, TaskSet

FEATURES, MEMBERS, OTHERS = 6, 24, 10
CLASSES = ((0, 8), (8, 12), (12, 16))


@dataclass(frozen=True)
class Toy:
    """Classes 0-7 for training, 8-11 for validation, 12-15 for the test; ``spread`` is the distance of their means, ``grid`` makes them pictures or signals."""

    name: str = "toy"
    title: str = "Toy"
    summary: str = "For tests."
    order: int = 99
    modes: tuple[str, ...] = ("few_shot",)
    defaults: dict[str, int | float | str] = field(default_factory=dict)
    sensitive: tuple[str, ...] = ()
    grid: tuple[int, ...] = ()
    simulated: bool = True
    licence: str = ""
    origin: str = ""
    caveat: str = ""
    files: tuple[str, ...] = ()
    spread: float = 1.2

    def build(self, config: TaskConfig, seed: int) -> TaskSet:
        rng = np.random.default_rng([seed, 3])
        count = math.prod(self.grid) if self.grid else FEATURES
        means = self.spread * rng.standard_normal((16, count))
        train, validation, test = (self._split(rng, means, low, high, config.ways) for low, high in CLASSES)
        return TaskSet(train=train, validation=validation, test=test, classes=16, permute_labels=True, features=tuple(f"x{i}" for i in range(count)))

    @staticmethod
    def _split(rng: np.random.Generator, means: np.ndarray, low: int, high: int, ways: int) -> Split:
        each = MEMBERS + OTHERS
        label = np.repeat(np.arange(high - low), each)
        x = (means[low + label] + rng.standard_normal((len(label), means.shape[1]))).astype(np.float32)
        tasks = np.array(list(itertools.combinations(range(high - low), ways)))
        return Split(x=x, person=np.arange(len(x)), member=np.tile(np.arange(each) < MEMBERS, high - low), sensitive=np.full(len(x), -1),
                     buckets=tuple(np.flatnonzero(label == c) for c in range(high - low)), tasks=tasks, names=tuple(str(tuple(t)) for t in tasks.tolist()),
                     visible=np.ones((len(tasks), means.shape[1]), dtype=bool), bucket_class=np.arange(low, high))


def toy_study(**changes: Any) -> StudyConfig:
    """A tiny study of the toy; each change is ``part__knob=value``, e.g. ``outer__seeds=2``."""
    given: dict[str, dict[str, Any]] = {
        "task": {"family": "toy", "ways": 3, "shots": 3, "queries": 4},
        "privacy": {"lambda_points": 3, "epsilons": (3.0, 20.0), "dp_steps": 2},
        "inner": {"steps": 2},
        "outer": {"iterations": 12, "meta_batch": 3, "seeds": 1, "hidden": (8, 7), "rate": 0.01},
        "audit": {"tasks": 3, "adaptations": 8, "records": 6},
    }
    for key, value in changes.items():
        part, knob = key.split("__")
        given[part][knob] = value
    return StudyConfig(title="Toy", task=TaskConfig(**given["task"]), privacy=PrivacyConfig(**given["privacy"]), inner=InnerConfig(**given["inner"]),
                       outer=OuterConfig(**given["outer"]), audit=AuditConfig(**given["audit"]))
