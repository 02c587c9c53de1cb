"""Digits: few-shot tasks or class pairs over scikit-learn's handwritten digits; classes are shared, records are not."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mrp_core.config import TaskConfig
from mrp_core.errors import DataError
from mrp_core.pictures import pairs_of_ten, record_parts
from mrp_core.tabular import class_tasks, distinct_rows, draw_members, sensitive_name, standardised
from mrp_core.taskdata import Split, TaskSet

SHARES = (0.40, 0.15, 0.45)
PARTS = ("training", "validation", "test")
ROUNDS = (5, 1, 3)


@functools.cache
def _digits() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    from sklearn.datasets import load_digits  # here: a page lists families before scikit-learn is loaded

    x, y = load_digits(return_X_y=True)
    return np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.int64)


@dataclass(frozen=True)
class Digits:
    """Optical Recognition of Handwritten Digits (Alpaydin & Kaynak 1998), the 1,797 records that scikit-learn ships.

    The records of each class are divided 40 / 15 / 45 into training, validation and test, so a new task has new records of known classes;
    in mode ``pairs`` the 45 class pairs are divided too (25 / 5 / 15), each digit in as many pairs as any other.
    """

    name: str = "digits"
    title: str = "Digits"
    summary: str = "Tell handwritten digits apart after a few examples; new tasks have new records of classes that training knows."
    area: str = "images"
    order: int = 3
    modes: tuple[str, ...] = ("few_shot", "pairs")
    defaults: dict[str, int | float | str] = field(default_factory=lambda: {"mode": "few_shot", "ways": 5, "shots": 5, "queries": 15})
    sensitive: tuple[str, ...] = ()
    grid: tuple[int, ...] = ()
    simulated: bool = False
    optional: bool = False
    licence: str = "CC BY 4.0 (data), BSD-3-Clause (scikit-learn's copy)"
    origin: str = "E. Alpaydin, C. Kaynak, Optical Recognition of Handwritten Digits, UCI (1998), doi 10.24432/C50P49; shipped inside scikit-learn."
    caveat: str = "Training sees all ten classes, so this is easier than a truly new task; who wrote a digit is not recorded."
    files: tuple[str, ...] = ()

    def build(self, config: TaskConfig, seed: int) -> TaskSet:
        """Record-disjoint splits; see :class:`mrp_core.taskdata.TaskFamily`.

        Raises:
            DataError: As the interface says, and if ``config.ways`` doesn't fit the mode.
        """
        sensitive_name(self.name, self.sensitive, config.sensitive)
        if config.mode == "pairs" and config.ways != 2:
            raise DataError(f"ways is {config.ways}, but a task of the mode pairs has two classes; set ways to 2.")
        x, y = _digits()
        keep = distinct_rows(x)
        x, y = x[keep], y[keep]
        part = record_parts(y, SHARES[:2], seed)
        member = draw_members(y + 10 * part, seed)
        x32 = standardised(x, member & (part == 0))
        tasks = pairs_of_ten(ROUNDS) if config.mode == "pairs" else (class_tasks(10, config.ways, "training"),) * 3
        splits = [_split(x32, y, part == i, member, tasks[i]) for i in range(3)]
        facts = (("Records", f"{len(x):,} distinct of {len(_digits()[1]):,}"), ("Members", f"{member.sum():,}, drawn class by class in each split"),
                 ("Split", " / ".join(f"{(part == i).sum():,}" for i in range(3)) + " for training, validation and test"),
                 ("Tasks", " / ".join(f"{len(s.tasks):,}" for s in splits)))
        return TaskSet(train=splits[0], validation=splits[1], test=splits[2], classes=10, permute_labels=True, features=tuple(f"pixel {i}" for i in range(64)),
                       facts=facts, image=(8, 8))


def _split(x: NDArray[np.float32], y: NDArray[np.int64], inside: NDArray[np.bool_], member: NDArray[np.bool_], tasks: NDArray[np.int64]) -> Split:
    rows = np.flatnonzero(inside)
    buckets = tuple(np.flatnonzero(y[rows] == c) for c in range(10))
    return Split(x=x[rows], person=rows, member=member[rows], sensitive=np.full(len(rows), -1), buckets=buckets, tasks=tasks,
                 names=tuple("".join(map(str, task)) for task in tasks), visible=np.ones((len(tasks), 64), dtype=bool), bucket_class=np.arange(10))


PLUGIN = Digits()
