"""Letters: few-shot tasks over classes that meta-training never sees."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mrp_core.config import TaskConfig
from mrp_core.tabular import class_tasks, distinct_rows, draw_members, read_arrays, sensitive_name, standardised
from mrp_core.taskdata import Split, TaskSet

TRAIN, VALIDATION, TEST = "ABEFHJKMNORTUXZ", "CGLSY", "DIPQVW"


@dataclass(frozen=True)
class Letters:
    """UCI Letter Recognition (Slate 1991): 26 capital letters as 16 numbers that describe a distorted glyph.

    The classes are split 15 / 5 / 6: five for validation are the fewest that allow 5-way tasks, six for the test give six tasks of
    different classes, and training keeps the rest, since few training classes are what limits this family.
    """

    name: str = "letters"
    title: str = "Letters"
    summary: str = "Tell a few capital letters apart after a few examples of each, for letters that training never saw."
    area: str = "images"
    order: int = 1
    modes: tuple[str, ...] = ("few_shot",)
    defaults: dict[str, int | float | str] = field(default_factory=lambda: {"mode": "few_shot", "ways": 5, "shots": 5, "queries": 15})
    sensitive: tuple[str, ...] = ()
    grid: tuple[int, ...] = ()
    simulated: bool = False
    optional: bool = False
    licence: str = "CC BY 4.0"
    origin: str = "D. Slate, Letter Recognition, UCI Machine Learning Repository (1991), doi 10.24432/C5ZP40; 300 records of each letter."
    caveat: str = "Glyphs, not persons: nobody is exposed here, so it shows mechanisms rather than harm."
    files: tuple[str, ...] = ("letters26.npz",)

    def build(self, config: TaskConfig, seed: int) -> TaskSet:
        """Class-disjoint splits; see :class:`mrp_core.taskdata.TaskFamily`.

        Raises:
            DataError: As the interface says, and if a split has fewer classes than ``config.ways``.
        """
        sensitive_name(self.name, self.sensitive, config.sensitive)
        arrays = read_arrays("letters26.npz", ("X", "y", "features"))
        x, y = arrays["X"].astype(np.float64), arrays["y"].astype(np.int64)
        keep = distinct_rows(x)
        x, y = x[keep], y[keep]
        member = draw_members(y, seed)
        letters = [np.array([ord(c) - ord("A") for c in part]) for part in (TRAIN, VALIDATION, TEST)]
        x32 = standardised(x, member & np.isin(y, letters[0]))
        splits = [_split(x32, y, member, classes, config.ways, part) for classes, part in zip(letters, ("training", "validation", "test"), strict=True)]
        facts = (("Records", f"{len(x):,} distinct ({len(arrays['y']) - len(x)} twins left out)"), ("Members", f"{member.sum():,}, drawn letter by letter"),
                 ("Classes", "15 for training, 5 for validation, 6 for the test"),
                 ("Tasks", " / ".join(f"{len(s.tasks):,}" for s in splits)))
        return TaskSet(train=splits[0], validation=splits[1], test=splits[2], classes=26, permute_labels=True,
                       features=tuple(arrays["features"].tolist()), facts=facts)


def _split(x: NDArray[np.float32], y: NDArray[np.int64], member: NDArray[np.bool_], classes: NDArray[np.int64], ways: int, part: str) -> Split:
    rows = np.flatnonzero(np.isin(y, classes))
    own = y[rows]
    tasks = class_tasks(len(classes), ways, part)
    names = tuple("".join(chr(ord("A") + classes[i]) for i in task) for task in tasks)
    return Split(x=x[rows], person=rows, member=member[rows], sensitive=np.full(len(rows), -1),
                 buckets=tuple(np.flatnonzero(own == c) for c in classes), tasks=tasks, names=names,
                 visible=np.ones((len(tasks), x.shape[1]), dtype=bool), bucket_class=classes)


PLUGIN = Letters()
