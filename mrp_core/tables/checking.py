"""A table with roles, looked at before anything is trained: what was found, and whether tasks can be built."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import pandas as pd

from mrp_core.config import TaskConfig
from mrp_core.errors import DataError
from mrp_core.tables import shelf
from mrp_core.tables.building import build, label_classes, mode_of
from mrp_core.tables.columns import MODELLED, Column, described
from mrp_core.tables.quality import Finding, found, gives_away, strengths
from mrp_core.tables.register import checked_columns
from mrp_core.tables.shelf import Upload
from mrp_core.tables.spec import TableSpec
from mrp_core.taskdata import TaskSet

SIZES = ((5, 7), (5, 5), (3, 3), (2, 2), (1, 1))
"""Shots and query records that are tried in turn."""
MOST_WAYS = 5


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a person should know before training on a table.

    Attributes:
        rows: Rows of the table.
        columns: Its columns as guessed.
        findings: Remarks, warnings first.
        problem: Why no tasks can be built, as one sentence, or "".
        tasks: Number of training, validation and test tasks; zeros where there is a problem.
        members: Rows drawn as members.
        facts: (label, text) pairs about the tasks.
        suggested: Knobs of the part ``task`` of a study that fit the table (mode, ways, shots, queries).
    """

    rows: int
    columns: tuple[Column, ...]
    findings: tuple[Finding, ...]
    problem: str
    tasks: tuple[int, int, int]
    members: int
    facts: tuple[tuple[str, str], ...]
    suggested: dict[str, str | int]


def guess(upload: Upload) -> tuple[Column, ...]:
    """What each column of an upload seems to hold.

    Raises:
        DataError: If the upload isn't here any more.
    """
    return described(shelf.frame_of(upload.table))


def proposed(upload: Upload, label: str, *, task: str = "", person: str = "", sensitive: tuple[str, ...] = (), kinds: dict[str, str] | None = None,
             features: tuple[str, ...] = ()) -> TableSpec:
    """A description with every usable column as input: none that has another part, is constant, a text or an identifier, or gives the label away.

    Args:
        upload: The table.
        label, task, person, sensitive: As in :class:`TableSpec`.
        kinds: Corrections of what was guessed, by column.
        features: The inputs, where not every usable column is to be one.

    Raises:
        DataError: If a column is unknown, has two parts, or no input is left.
    """
    frame, columns = shelf.frame_of(upload.table), guess(upload)
    parts = (label, *filter(None, (task, person)), *sensitive)
    for name in (*parts, *features, *(kinds or {})):
        if name not in upload.columns:
            raise DataError(f"The table has no column {name!r}; its columns are: {', '.join(upload.columns[:12])}{' ...' if len(upload.columns) > 12 else ''}.")
    of = {c.name: c.kind for c in columns} | (kinds or {})
    usable = features or tuple(c.name for c in columns if c.name not in parts and of[c.name] in MODELLED and c.distinct > 1)
    strong = dict.fromkeys(features, 0.0) or strengths(frame, of, label, usable)
    features = tuple(name for name in usable if not gives_away(of[name], strong[name]))
    return TableSpec(table=upload.table, label=label, task=task, person=person, sensitive=sensitive, features=features, title=upload.title,
                     kinds=tuple((name, of[name]) for name in (*parts, *features)))


def check(upload: Upload, spec: TableSpec) -> Report:
    """Look at a table with its roles, and try to build its tasks.

    Raises:
        DataError: If the upload isn't here any more, or lacks a column that the description names.
    """
    checked_columns(spec, upload.columns)
    frame = shelf.frame_of(upload.table)
    columns = described(frame)
    kinds = {c.name: c.kind for c in columns} | dict(spec.kinds)
    others = tuple(c.name for c in columns if c.name not in spec.used and kinds[c.name] in MODELLED)
    findings = found(frame, kinds, spec.label, spec.features)
    away = [name for name, s in strengths(frame, kinds, spec.label, others).items() if gives_away(kinds[name], s)]
    findings += tuple(Finding(code="gives_away", level="note", column=name, value=1.0, sentence=f"{name!r} would give {spec.label!r} away, and is no input.") for name in away)
    built, suggested, problem = _tried(frame, spec)
    if built is None:
        return Report(rows=len(frame), columns=columns, findings=findings, problem=problem, tasks=(0, 0, 0), members=0, facts=(), suggested={})
    splits = (built.train, built.validation, built.test)
    return Report(rows=len(frame), columns=columns, findings=findings, problem="", tasks=(len(splits[0].tasks), len(splits[1].tasks), len(splits[2].tasks)),
                  members=sum(int(s.member.sum()) for s in splits), facts=built.facts, suggested=suggested)


def _tried(frame: pd.DataFrame, spec: TableSpec) -> tuple[TaskSet | None, dict[str, str | int], str]:
    """The tasks with as many shots, and then ways, as the table has rows for; without any, the sentence of the smallest attempt."""
    try:
        counts = label_classes(frame, spec)
    except DataError as error:
        return None, {}, str(error)
    most = 2 if counts is None else min(MOST_WAYS, len(counts) if spec.task else max(2, len(counts) // 3))
    problem = ""
    for (shots, queries), ways in itertools.product(SIZES, range(most, 1, -1)):
        chosen: dict[str, str | int] = {"mode": mode_of(spec), "ways": ways, "shots": shots, "queries": queries}
        try:
            return build(frame, spec, TaskConfig(family="table", mode=mode_of(spec), ways=ways, shots=shots, queries=queries), 0), chosen, ""
        except DataError as error:
            problem = str(error)
    return None, {}, problem
