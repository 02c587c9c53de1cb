"""What a page knows of a task family: counted when it is first looked at, since that reads the records, and kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from mrp_core.charts.records import ProfileFrame, SignalFrame, profile_frame, signal_frame
from mrp_core.config import TaskConfig
from mrp_core.registry import plugins
from mrp_core.taskdata import AREAS, Split, TaskFamily, TaskSet
from pages.ui import records

PARTS = ("training", "validation", "test")
MOST_TASKS = 500
"""Tasks of one part that a list shows."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """The tasks of meta-training, validation or test.

    Attributes:
        name: One of :data:`PARTS`.
        count: How many tasks there are.
        tasks: (name, records, members) of the first 500 of them.
    """

    name: str
    count: int
    tasks: tuple[tuple[str, int, int], ...]


@dataclass(frozen=True, kw_only=True)
class View:
    """A family in its usual mode.

    Attributes:
        records: How many there are in all three parts.
        facts: (label, text) pairs as the family gives them.
        parts: Its tasks.
        sample: A few records.
        chart: Signals where records are signals, class means where they are rows of a table, None where they are pictures.
    """

    records: int
    facts: tuple[tuple[str, str], ...]
    parts: tuple[Part, ...]
    sample: records.Sample
    chart: SignalFrame | ProfileFrame | None

    @property
    def whom(self) -> str:
        """How many records of whom: the family's facts have a word for them beside their number."""
        number = f"{self.records:,}"
        word = next((label.lower() for label, text in self.facts if text.split(" ")[0].rstrip(",") == number), "records")
        return f"{number} {word}"

    @property
    def tasks(self) -> str:
        """Numbers of training, validation and test tasks."""
        return "\u00a0/\u00a0".join(f"{part.count:,}" for part in self.parts)


def by_area() -> dict[str, list[TaskFamily]]:
    """Families of each field of application that has any, in the order in which a page shows them."""
    found: list[TaskFamily] = list(plugins("tasks").values())
    areas = {area: [f for f in found if f.area == area] for area in AREAS}
    return {area: families for area, families in areas.items() if families}


def usual(family: TaskFamily) -> TaskConfig:
    """The configuration that a family starts from."""
    values: dict[str, Any] = {"mode": family.modes[0], **family.defaults}
    return TaskConfig(family=family.name, **values)


@st.cache_resource(show_spinner=False, max_entries=64)
def view(name: str) -> View:
    """Read, build and count a family; the first look takes up to a second.

    Raises:
        DataError: If its records are missing or damaged.
    """
    family = plugins("tasks")[name]
    return view_of(family.build(usual(family), 0), family.grid)


def view_of(built: TaskSet, grid: tuple[int, ...]) -> View:
    """Count a task set; ``grid`` as in :class:`mrp_core.taskdata.TaskFamily`."""
    splits = (built.train, built.validation, built.test)
    chart = None if built.image else signal_frame(built, grid) if len(grid) == 2 else profile_frame(built)
    return View(records=sum(len(s.x) for s in splits), facts=built.facts, sample=records.sample_of(built), chart=chart,
                parts=tuple(_part(name, split) for name, split in zip(PARTS, splits, strict=True)))


def _part(name: str, split: Split) -> Part:
    sizes = np.array([len(b) for b in split.buckets])
    members = np.array([int(split.member[b].sum()) for b in split.buckets])
    few = split.tasks[:MOST_TASKS]
    rows = zip(split.names, sizes[few].sum(1).tolist(), members[few].sum(1).tolist(), strict=False)
    return Part(name=name, count=len(split.tasks), tasks=tuple(rows))
