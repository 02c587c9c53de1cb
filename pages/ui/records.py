"""A few records of a family, as pictures where they are pictures, else as a table of standardised values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from mrp_core.charts.records import class_names
from mrp_core.taskdata import TaskSet
from mrp_core.wording import Texts

TEXT = Texts({
    "pictures": "Records of the held-out task {task}: a row for each class.",
    "table": "Records of the held-out task {task}; values in standard deviations of the training members, the first {n} of {all} inputs.",
    "label": "label",
})
PER_CLASS, COLUMNS, ENLARGED = 8, 6, 4


@dataclass(frozen=True, kw_only=True)
class Sample:
    """Some records of one held-out task.

    Attributes:
        task: Its name.
        picture: Grey values of all records in one picture, a row for each class, or None.
        rows: The records as a table, if they are no pictures.
        inputs: How many inputs a record has.
    """

    task: str
    picture: NDArray[np.uint8] | None
    rows: tuple[dict[str, str], ...]
    inputs: int


def sample_of(tasks: TaskSet) -> Sample:
    """Take records of the first held-out task."""
    split, buckets = tasks.test, tasks.test.tasks[0].tolist()
    few = PER_CLASS if tasks.image else max(1, 4 // len(buckets))
    chosen = [split.buckets[b][:few] for b in buckets]
    if tasks.image:
        rows = [np.hstack([_grey(split.x[i], tasks.image) for i in records]) for records in chosen]
        return Sample(task=split.names[0], picture=np.vstack(rows), rows=(), inputs=split.x.shape[1])
    names = class_names(tasks, split, 0)
    table = tuple({TEXT["label"]: names[label], **{f: f"{v:+.1f}" for f, v in zip(tasks.features[:COLUMNS], split.x[i, :COLUMNS].tolist(), strict=True)}}
                  for label, records in enumerate(chosen) for i in records)
    return Sample(task=split.names[0], picture=None, rows=table, inputs=split.x.shape[1])


def draw(sample: Sample) -> None:
    """Show the records."""
    if sample.picture is not None:
        st.image(sample.picture, caption=TEXT["pictures"].format(task=sample.task), alt=TEXT["pictures"].format(task=sample.task))
        return
    st.dataframe(list(sample.rows), hide_index=True, width="stretch", height="content")
    st.caption(TEXT["table"].format(task=sample.task, n=min(COLUMNS, sample.inputs), all=sample.inputs))


def sheet(records: NDArray[np.float32], labels: NDArray[np.int64], shape: tuple[int, int], per_class: int = 5) -> NDArray[np.uint8]:
    """Grey values of records [n, features] in one picture: a row for each class, at most ``per_class`` records each."""
    rows = [[_grey(r, shape) for r in records[labels == c][:per_class]] for c in np.unique(labels)]
    wide = min(map(len, rows))
    return np.vstack([np.hstack(row[:wide]) for row in rows])


def _grey(record: NDArray[np.float32], shape: tuple[int, int]) -> NDArray[np.uint8]:
    """One record as an enlarged picture with a light margin; ink is dark."""
    values = record.reshape(shape)
    span = float(np.ptp(values)) or 1.0
    small = (255 * (1 - (values - values.min()) / span)).astype(np.uint8)
    return np.pad(np.kron(small, np.ones((ENLARGED, ENLARGED), dtype=np.uint8)), 3, constant_values=255)
