"""A table of one's own as a task family: groups or classes split once and for all, members drawn once per person, inputs scaled by training members."""

from __future__ import annotations

import dataclasses
import hashlib
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mrp_core.config import TaskConfig
from mrp_core.errors import DataError
from mrp_core.tables.columns import classes_of, column_of, numbers
from mrp_core.tables.inputs import above, binarised, encoded
from mrp_core.tables.spec import TableSpec
from mrp_core.tabular import MEMBERS, class_tasks, distinct_rows, draw_members, sensitive_name, standardised
from mrp_core.taskdata import Split, TaskSet

PARTS = ("training", "validation", "test")
VALIDATION_SHARE, TEST_SHARE = 0.15, 0.25
LEAST_OTHERS = 8
"""Non-members that each class of a task needs, to be judged by."""
FEW_NUMBERS = 10
"""A label of numbers with more distinct values is cut at the median of the training members."""


@dataclass(frozen=True, eq=False)
class _Rows:
    """The rows that are left, all arrays [rows].

    Attributes:
        frame: Their texts.
        person: Whose row it is, from 0.
        group: Number of its group (mode site) or class, from 0.
        label: Number of its class, from 0; -1 outside the classes used.
        groups, classes: Names by number.
        measured: The label as a number, where it is to be cut; else None.
    """

    frame: pd.DataFrame
    person: NDArray[np.int64]
    group: NDArray[np.int64]
    label: NDArray[np.int64]
    groups: tuple[str, ...]
    classes: tuple[str, ...]
    measured: NDArray[np.float64] | None

    def take(self, keep: NDArray[np.bool_]) -> _Rows:
        """Some of the rows."""
        cut = {"frame": self.frame[keep].reset_index(drop=True), "person": self.person[keep], "group": self.group[keep], "label": self.label[keep],
               "measured": None if self.measured is None else self.measured[keep]}
        return dataclasses.replace(self, **cut)


def mode_of(spec: TableSpec) -> str:
    """``site`` where a column names the tasks, else ``few_shot``: the classes make them."""
    return "site" if spec.task else "few_shot"


def build(frame: pd.DataFrame, spec: TableSpec, config: TaskConfig, seed: int) -> TaskSet:
    """The task set of a table; equal arguments give equal arrays.

    Raises:
        DataError: If the columns can't play their parts, or too few rows are left for what was asked.
    """
    attribute = sensitive_name("table", spec.sensitive, config.sensitive)
    if config.mode != mode_of(spec):
        reason = f"names the task column {spec.task!r}" if spec.task else "names no task column"
        raise DataError(f"mode is {config.mode!r}, but the table {spec.title!r} {reason}; set mode to {mode_of(spec)}.")
    rows = _rows(frame, spec, config.ways)
    known, needed = len(rows.frame), max(2 * config.shots, config.shots + config.queries)
    large = _large_groups(rows, needed, len(rows.classes) if spec.task else 1)
    part = _parts(rows, large, spec, config)
    rows, part = rows.take(part >= 0), part[part >= 0]
    kept = _one_part_a_person(rows.person, part)
    strangers, rows, part = int((~kept).sum()), rows.take(kept), part[kept]
    member = _members(rows, part, seed)
    basis = member & (part == 0)
    if rows.measured is not None:
        label, cut = above(rows.measured, basis)
        rows = dataclasses.replace(rows, label=label, classes=(f"at most {cut:.6g}", f"above {cut:.6g}"))
    raw, names = encoded(rows.frame, spec, basis)
    x = standardised(raw, basis)
    sensitive, values = binarised(column_of(rows.frame, attribute), spec.kind(attribute), basis) if attribute else (np.full(len(x), -1, dtype=np.int64), ())
    own = np.zeros(len(x), dtype=bool)
    own[distinct_rows(x.astype(np.float64))] = True
    splits = [_split(rows, x, member, sensitive, own & (part == i), config, i, needed) for i in range(3)]
    facts = _facts(spec, rows, splits, {"given": len(frame), "known": known, "groups": len(rows.groups), "strangers": strangers, "twins": int((~own).sum()), "inputs": len(names)}, attribute)
    few_shot = config.mode == "few_shot"
    return TaskSet(train=splits[0], validation=splits[1], test=splits[2], classes=len(rows.classes), permute_labels=few_shot, features=names, facts=facts,
                   labels=() if few_shot else rows.classes, sensitive_values=values)


def label_classes(frame: pd.DataFrame, spec: TableSpec) -> pd.Series | None:
    """The commonest classes first, with their rows; None where the label is a number that is cut at a median.

    Raises:
        DataError: If there is no second class.
    """
    counts = classes_of(column_of(frame, spec.label), spec.kind(spec.label)).value_counts().sort_index().sort_values(ascending=False, kind="stable")
    if len(counts) < 2:
        raise DataError(f"The label column {spec.label!r} has {'one value only' if len(counts) else 'no value'}; choose a column with at least two classes.")
    return None if spec.kind(spec.label) in ("number", "date") and len(counts) > FEW_NUMBERS else counts


def _rows(frame: pd.DataFrame, spec: TableSpec, ways: int) -> _Rows:
    counts = label_classes(frame, spec)
    if spec.task:
        _check_task_column(column_of(frame, spec.task), spec.task)
        if counts is None and ways != 2:
            raise DataError(f"ways is {ways}, but the label column {spec.label!r} holds numbers, which are cut into two classes; set ways to 2.")
        if counts is not None and len(counts) < ways:
            raise DataError(f"ways is {ways}, but the label column {spec.label!r} has only {len(counts)} classes; set ways to {len(counts)}.")
    elif counts is None:
        raise DataError(f"The label column {spec.label!r} holds {column_of(frame, spec.label).nunique():,} different numbers, so its values can't be classes; "
                        "name a task column, or choose another label.")
    measured = numbers(column_of(frame, spec.label), spec.kind(spec.label)) if counts is None else None
    classes = ("low", "high") if counts is None else _in_order([str(v) for v in (counts.index[:ways] if spec.task else counts.index)])
    label = above(measured, np.ones(len(frame), dtype=bool))[0] if measured is not None else _numbered(classes_of(column_of(frame, spec.label), spec.kind(spec.label)), classes)
    group_names = tuple(sorted(str(v) for v in column_of(frame, spec.task).dropna().unique())) if spec.task else classes
    group = _numbered(column_of(frame, spec.task), group_names) if spec.task else label
    first = ~frame.duplicated(subset=list(spec.features)).to_numpy()
    person = np.arange(len(frame)) if not spec.person else _persons(column_of(frame, spec.person))
    every = _Rows(frame=frame, person=person.astype(np.int64), group=group, label=label, groups=group_names, classes=classes, measured=measured)
    return every.take(first & (label >= 0) & (group >= 0))


def _in_order(names: list[str]) -> tuple[str, ...]:
    """Classes by size where all are numbers, else by name, so that no comes before yes."""
    sizes = np.asarray(pd.to_numeric(pd.Series(names), errors="coerce"), dtype=np.float64)
    return tuple(names[i] for i in np.argsort(sizes, kind="stable")) if not np.isnan(sizes).any() else tuple(sorted(names))


def _numbered(column: pd.Series, names: tuple[str, ...]) -> NDArray[np.int64]:
    return pd.Index(names, dtype="str").get_indexer(pd.Index(column)).astype(np.int64)


def _persons(column: pd.Series) -> NDArray[np.int64]:
    """A number for each person; a row that names nobody is a person of its own."""
    codes = pd.factorize(column)[0].astype(np.int64)
    return np.where(codes < 0, codes.max() + 1 + np.arange(len(codes)), codes)


def _check_task_column(column: pd.Series, name: str) -> None:
    distinct, rows = column.nunique(), int(column.notna().sum())
    if distinct < 3:
        raise DataError(f"The task column {name!r} has {distinct} {'value' if distinct == 1 else 'values'}, but training, validation and test need one each; "
                        "choose a column with at least three groups, or leave it empty.")
    if distinct == rows:
        raise DataError(f"The task column {name!r} has another value in every row, but a task needs many rows; choose a column of groups, or leave it empty.")


def _large_groups(rows: _Rows, needed: int, ways: int) -> NDArray[np.int64]:
    """Groups in which every class has enough rows for members and others, ascending; with one way, a class is its own group."""
    counts = np.zeros((len(rows.groups), ways))
    np.add.at(counts, (rows.group, rows.label if ways > 1 else np.zeros_like(rows.label)), 1)
    least = max(needed / MEMBERS, LEAST_OTHERS / (1 - MEMBERS))
    return np.flatnonzero((counts >= least).all(1))


def _parts(rows: _Rows, large: NDArray[np.int64], spec: TableSpec, config: TaskConfig) -> NDArray[np.int64]:
    """0 training, 1 validation, 2 test, -1 left out, [rows]: by the hash of the group's name, so that no seed changes it."""
    least = 1 if spec.task else config.ways
    if len(large) < 3 * least:
        what = f"groups of the task column {spec.task!r}" if spec.task else f"classes of the label column {spec.label!r}"
        raise DataError(f"Only {len(large)} {what} have enough rows ({config.shots} shots and {config.queries} query records a class), but training, validation and test "
                        f"need {least} each; ask for fewer shots, queries or ways, or give more rows.")
    order = sorted(large.tolist(), key=lambda g: hashlib.sha256(f"{spec.table}\0{rows.groups[g]}".encode()).digest())
    test, validation = (max(least, round(share * len(order))) for share in (TEST_SHARE, VALIDATION_SHARE))
    of_group = np.full(len(rows.groups), -1)
    of_group[order] = 0
    of_group[order[:test]] = 2
    of_group[order[test:test + validation]] = 1
    return of_group[rows.group]


def _one_part_a_person(person: NDArray[np.int64], part: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Rows that lie in the part where their person has most rows, bool [rows]."""
    numbers_, inverse = np.unique(person, return_inverse=True)
    counts = np.zeros((len(numbers_), 3), dtype=np.int64)
    np.add.at(counts, (inverse, part), 1)
    return counts.argmax(1)[inverse] == part


def _members(rows: _Rows, part: NDArray[np.int64], seed: int) -> NDArray[np.bool_]:
    """Members drawn once per person, the same share of each group and class (by a person's first row), bool [rows]."""
    _, first, inverse = np.unique(rows.person, return_index=True, return_inverse=True)
    stratum = (part * len(rows.groups) + rows.group) * (len(rows.classes) + 1) + rows.label
    return draw_members(stratum[first], seed)[inverse]


def _split(rows: _Rows, x: NDArray[np.float32], member: NDArray[np.bool_], sensitive: NDArray[np.int64], inside: NDArray[np.bool_], config: TaskConfig,
           number: int, needed: int) -> Split:
    index = np.flatnonzero(inside)
    group, label, chosen = rows.group[index], rows.label[index], member[index]
    buckets, numbers_, titles = [], [], []
    site = config.mode == "site"
    for g in np.unique(group).tolist():
        both = [np.flatnonzero((group == g) & (label == c)) for c in (range(config.ways) if site else (g,))]
        if all(chosen[b].sum() >= needed and (~chosen[b]).sum() >= LEAST_OTHERS for b in both):
            buckets += both
            numbers_ += list(range(config.ways)) if site else [g]
            titles.append(rows.groups[g])
    if len(titles) < (1 if site else config.ways):
        raise DataError(f"The {PARTS[number]} part has too few {'groups' if site else 'classes'} with enough members and others left; ask for fewer shots, queries or ways, or give more rows.")
    tasks = np.arange(len(buckets)).reshape(-1, config.ways) if site else class_tasks(len(buckets), config.ways, PARTS[number])
    names = tuple(titles) if site else tuple(" | ".join(titles[i] for i in task) for task in tasks)
    return Split(x=x[index], person=rows.person[index], member=chosen, sensitive=sensitive[index], buckets=tuple(buckets), tasks=tasks.astype(np.int64), names=names,
                 visible=np.ones((len(tasks), x.shape[1]), dtype=bool), bucket_class=np.array(numbers_, dtype=np.int64))


def _facts(spec: TableSpec, rows: _Rows, splits: list[Split], counts: dict[str, int], attribute: str) -> tuple[tuple[str, str], ...]:
    used, members = sum(len(s.x) for s in splits), sum(int(s.member.sum()) for s in splits)
    persons = len(np.unique(np.concatenate([s.person for s in splits])))
    groups = sum(len(s.buckets) for s in splits) // (len(rows.classes) if spec.task else 1)
    what = "groups" if spec.task else "classes"
    left = {"rows with equal inputs, or without a label or a group": counts["given"] - counts["known"], f"{what} with too few rows of a class": counts["groups"] - groups,
            "rows of persons who have more in another part": counts["strangers"], "rows whose scaled inputs equal another's": counts["twins"]}
    return (("Rows", f"{used:,} of {counts['given']:,}"), *([("Persons", f"{persons:,}, by {spec.person}")] if spec.person else []),
            ("Members", f"{members:,} rows, drawn {'person by person' if spec.person else 'row by row'} in each group and class"),
            ("Tasks", " / ".join(f"{len(s.tasks):,}" for s in splits)),
            *([("Classes", ", ".join(rows.classes))] if spec.task else [("Classes", " / ".join(f"{len(s.buckets):,}" for s in splits))]),
            *([("Left out", "; ".join(f"{n:,} {text}" for text, n in left.items() if n))] if any(left.values()) else []),
            ("Inputs", f"{counts['inputs']} from {len(spec.features)} columns"),
            *([("Sensitive attribute", f"{attribute}; never an input")] if attribute else []))
