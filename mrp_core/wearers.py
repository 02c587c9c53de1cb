"""What the two wearable families share: which windows are whose, which of them are members, and how they make tasks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mrp_core.config import TaskConfig
from mrp_core.errors import DataError
from mrp_core.tabular import class_tasks, distinct_rows, draw_members, read_arrays, sensitive_name
from mrp_core.taskdata import Split, TaskSet

PARTS = ((1, 2, 3, 4, 5, 6), (7,), (8, 9, 10))
"""Wearers of training, validation and test."""
EXERCISES = ("pendulum", "abduction", "forward elevation", "internal rotation", "external rotation", "trapezius row", "bent-over row")
ATTRIBUTES = ("side", "wearer")
WEARERS = 10


@dataclass(frozen=True, kw_only=True, eq=False)
class Windows:
    """Two seconds of one exercise each; no two overlap.

    Attributes:
        raw: What is known of each window, not yet scaled, float64 [windows, features].
        exercise, wearer, side, late: int64 [windows]; wearers count from 1, side is the arm, late is 1 in the last 40 % of a recording.
    """

    raw: NDArray[np.float64]
    exercise: NDArray[np.int64]
    wearer: NDArray[np.int64]
    side: NDArray[np.int64]
    late: NDArray[np.int64]

    def members(self, seed: int) -> NDArray[np.bool_]:
        """Members drawn wearer by wearer and exercise by exercise, of early and of late windows the same share, bool [windows].

        With members from early and others from late windows an attack would find the drift within a recording, and take it for membership.
        """
        return draw_members((self.wearer * len(EXERCISES) + self.exercise) * 2 + self.late, seed)

    def of_training(self) -> NDArray[np.bool_]:
        """Whether a window is of a wearer of training, bool [windows]."""
        return np.isin(self.wearer, PARTS[0])


def read_windows(file: str, names: str, *, signal: bool = False) -> tuple[Windows, tuple[str, ...]]:
    """The windows of a sample file, twins left out, and its array ``names``; a signal is brought to its units and flattened channel by channel.

    Raises:
        DataError: If the file is missing or damaged, or lacks an array.
    """
    arrays = read_arrays(file, ("X", "y", "subject", "side", "late", names, *(("scale",) if signal else ())))
    raw = arrays["X"].astype(np.float64)
    if signal:
        raw = (raw * arrays["scale"].astype(np.float64)).transpose(0, 2, 1).reshape(len(raw), -1)
    keep = distinct_rows(raw)
    exercise, wearer, side, late = (arrays[k].astype(np.int64)[keep] for k in ("y", "subject", "side", "late"))
    return Windows(raw=raw[keep], exercise=exercise, wearer=wearer, side=side, late=late), tuple(arrays[names].tolist())


def checked_attribute(family: str, config: TaskConfig) -> str:
    """The sensitive attribute asked for.

    Raises:
        DataError: If it isn't offered, or ``config.ways`` doesn't fit the mode.
    """
    if config.mode == "site" and config.ways != len(EXERCISES):
        raise DataError(f"ways is {config.ways}, but in the mode site a task has all {len(EXERCISES)} exercises; set ways to {len(EXERCISES)}, or the mode to few_shot.")
    return sensitive_name(family, ATTRIBUTES, config.sensitive)


def wearer_tasks(windows: Windows, x: NDArray[np.float32], member: NDArray[np.bool_], config: TaskConfig, attribute: str, features: tuple[str, ...]) -> TaskSet:
    """Wearer-disjoint splits. In mode ``site`` a task is a wearer and the label an exercise; in ``few_shot`` a task is a few exercises of a split's wearers together.

    Only tasks of several wearers can leak which of them it was, so the attribute ``wearer`` is unknown (-1) in mode ``site``, where a task has one.

    Args:
        windows: As read.
        x: Scaled inputs, float32 [windows, features].
        member: bool [windows].
        config: Mode and ways.
        attribute: One of :data:`ATTRIBUTES`.
        features: Names of the columns of ``x``.

    Raises:
        DataError: If ``config.ways`` is more than the exercises.
    """
    splits = [_split(windows, x, member, wearers, config, _sensitive(windows, config.mode, attribute), part)
              for wearers, part in zip(PARTS, ("training", "validation", "test"), strict=True)]
    site = config.mode == "site"
    meaning = {"side": "which arm moved", "wearer": "which wearer it was" + (", which a task of one wearer can't tell" if site else "")}[attribute]
    facts = (("Windows", f"{len(x):,} of two seconds, none overlaps another"),
             ("Members", f"{member.sum():,}, drawn wearer by wearer and exercise by exercise, of early and late windows the same share"),
             ("Wearers", " / ".join(str(len(part)) for part in PARTS) + " for training, validation and test"),
             ("Tasks", " / ".join(f"{len(s.tasks):,}" for s in splits)), ("Inputs", f"{len(features)}"), ("Sensitive attribute", f"{meaning}; never an input"))
    values = ("one arm", "other arm") if attribute == "side" else tuple(f"wearer {i + 1}" for i in range(WEARERS))
    return TaskSet(train=splits[0], validation=splits[1], test=splits[2], classes=len(EXERCISES), permute_labels=not site, features=features, facts=facts,
                   labels=EXERCISES if site else (), sensitive_values=values)


def _sensitive(windows: Windows, mode: str, attribute: str) -> NDArray[np.int64]:
    if attribute == "side":
        return windows.side
    return np.full(len(windows.wearer), -1) if mode == "site" else windows.wearer - 1


def _split(windows: Windows, x: NDArray[np.float32], member: NDArray[np.bool_], wearers: tuple[int, ...], config: TaskConfig, sensitive: NDArray[np.int64], part: str) -> Split:
    rows = np.flatnonzero(np.isin(windows.wearer, wearers))
    exercise, wearer, count = windows.exercise[rows], windows.wearer[rows], len(EXERCISES)
    if config.mode == "site":
        buckets = tuple(np.flatnonzero((wearer == w) & (exercise == e)) for w in wearers for e in range(count))
        tasks, names = np.arange(len(buckets)).reshape(-1, count), tuple(f"wearer {w}" for w in wearers)
    else:
        buckets = tuple(np.flatnonzero(exercise == e) for e in range(count))
        tasks = class_tasks(count, config.ways, part)
        names = tuple(" / ".join(EXERCISES[e] for e in task) for task in tasks)
    return Split(x=x[rows], person=rows, member=member[rows], sensitive=sensitive[rows], buckets=buckets, tasks=tasks, names=names,
                 visible=np.ones((len(tasks), x.shape[1]), dtype=bool), bucket_class=np.arange(len(buckets)) % count)
