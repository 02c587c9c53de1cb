"""What an examination finds, part by part. Pure results."""

from __future__ import annotations

from dataclasses import dataclass, field

from mrp_core.measurement import Measurement


@dataclass(frozen=True, kw_only=True)
class AttackRow:
    """One attack over all seeds and tasks; an attack that couldn't be made has ``left_out`` and no means."""

    name: str
    title: str
    source: str
    headline: bool = False
    means: dict[str, Measurement] = field(default_factory=dict)
    left_out: str = ""


@dataclass(frozen=True, kw_only=True)
class Histogram:
    """Scores of the headline attack, counted over all seeds and tasks; ``edges`` has one more entry than the counts."""

    edges: tuple[float, ...]
    members: tuple[int, ...]
    others: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class RecordRisk:
    """One record: how well its membership is told over the models of one half, ranked by the other half, so that the ranking doesn't flatter itself.

    Attributes:
        seed, task, index: Which seed, held-out task and record of its pool.
        label, group: Its class and what is known of it, in words.
        auc: Of the record's own trials in models that had no say in its rank, with its 95 % interval.
        rank_auc: Of the models that ranked it.
        values: The record itself, standardised features; empty where it isn't shown.
    """

    seed: int
    task: str
    index: int
    label: str
    group: str
    auc: Measurement
    rank_auc: float
    values: tuple[float, ...] = ()


@dataclass(frozen=True, kw_only=True)
class PartRisk:
    """The headline attack on a part of the records: by "class", "task" or a sensitive attribute."""

    by: str
    name: str
    records: int
    auc: Measurement
    tpr: Measurement


@dataclass(frozen=True, kw_only=True)
class EpsilonRange:
    """Bounds on ε: ``upper`` by accounting (NaN without a guarantee), ``lower`` shown by the attack, ``ceiling`` the most that so many trials could show."""

    upper: float
    lower: float
    ceiling: float
    delta: float
    trials: int
    level: float
    how: str


@dataclass(frozen=True, kw_only=True)
class AttributeRisk:
    """What the output tells about an attribute that isn't an input: AUC and nats, with the same on shuffled values."""

    name: str
    auc: Measurement
    information: Measurement
    null_auc: Measurement
    null_information: Measurement
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class TaskRisk:
    """Whether the strategy tells which tasks it was meta-trained on.

    Attributes:
        by: "task" (judged by records that training never used) or "records" (by those that it used).
        tasks: Training tasks and held-out tasks a seed, so many each.
        auc: Of the attack; 0.5 is guessing.
        untrained: The same against the untrained start: what tasks differ in by themselves.
        tpr: Training tasks found while one held-out task in ten is accused.
        calibrated: Whether a task's score is relative to strategies that weren't trained on it.
    """

    by: str
    tasks: int
    auc: Measurement
    untrained: Measurement
    tpr: Measurement
    calibrated: bool
    notes: tuple[str, ...] = ()
