"""What a task family hands to the engine: record tables, classes as buckets of records, and tasks as rows of buckets."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from mrp_core.errors import DataError
from mrp_core.registry import plugin

if TYPE_CHECKING:
    from mrp_core.config import StudyConfig, TaskConfig


AREAS = ("medical", "finance", "wearable", "smart home", "recommendation", "federated", "images", "teaching", "own")
"""Fields of application, in the order in which a page shows them."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Split:
    """The records and tasks of meta-training, of validation or of the meta-test.

    Attributes:
        x: Standardised features, float32 [records, features].
        person: Whom a record belongs to, int64 [records]; no person is in two splits.
        member: Drawn once per person, before tasks are built, bool [records]: members may be adapted on, non-members only judged.
        sensitive: The sensitive attribute, int64 [records], -1 where unknown.
        buckets: A class of one group: indices of its records, int64 [any] each.
        tasks: Bucket of each class of each task, int64 [tasks, ways]; the column is the label.
        names: A name for each task.
        visible: Which features a task may see, bool [tasks, features] (a target column is masked from the input).
        bucket_class: The class that a bucket stands for across groups, int64 [buckets]; baselines with one joint head use it.
    """

    x: NDArray[np.float32]
    person: NDArray[np.int64]
    member: NDArray[np.bool_]
    sensitive: NDArray[np.int64]
    buckets: tuple[NDArray[np.int64], ...]
    tasks: NDArray[np.int64]
    names: tuple[str, ...]
    visible: NDArray[np.bool_]
    bucket_class: NDArray[np.int64]

    def bucket_members(self, bucket: int, member: bool) -> NDArray[np.int64]:
        """Indices of the members (or non-members) of a bucket."""
        records = self.buckets[bucket]
        return records[self.member[records] == member]


@dataclass(frozen=True, kw_only=True, eq=False)
class TaskSet:
    """A family under one configuration and seed.

    Attributes:
        train, validation, test: Disjoint by class, group or person, as the family says.
        classes: Number of classes over all buckets, for a joint head.
        permute_labels: Whether the numbering of a task's classes is arbitrary, and so drawn anew for each episode.
        features: Names of the columns of ``x``.
        groups: Facts for the page: rows, persons, tasks, duplicates removed, ... as (label, text) pairs.
        image: (height, width) where a record can be shown as a picture, else None.
        labels: Names of the labels, by column of ``tasks``, where they have fixed meanings; else empty.
        sensitive_values: Names of the values of the sensitive attribute, by number; empty if there is none.
    """

    train: Split
    validation: Split
    test: Split
    classes: int
    permute_labels: bool
    features: tuple[str, ...]
    facts: tuple[tuple[str, str], ...] = ()
    image: tuple[int, int] | None = None
    labels: tuple[str, ...] = ()
    sensitive_values: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class HeldOutTasks:
    """Fixed records of held-out tasks: the same for every setting of a study with the same seed.

    Attributes:
        pool_x: float32 [tasks, pool, features]; half of it is adapted on at a time, so each record is a member half of the time.
        pool_y: int64 [tasks, pool]; each class has 2 x shots records.
        eval_x: float32 [tasks, eval, features], records that no adaptation sees.
        eval_y: int64 [tasks, eval].
        pool_sensitive, eval_sensitive: int64 [tasks, pool] and [tasks, eval], -1 where unknown.
        pool_person, eval_person: Whom a record belongs to, int64, likewise.
        names: A name for each task.
        pool_class: Class of the joint head for each label, int64 [tasks, ways].
    """

    pool_x: NDArray[np.float32]
    pool_y: NDArray[np.int64]
    eval_x: NDArray[np.float32]
    eval_y: NDArray[np.int64]
    pool_sensitive: NDArray[np.int64]
    eval_sensitive: NDArray[np.int64]
    pool_person: NDArray[np.int64]
    eval_person: NDArray[np.int64]
    names: tuple[str, ...]
    pool_class: NDArray[np.int64]

    def one(self, task: int) -> HeldOutTasks:
        """The task alone, as a set of one."""
        cut = {f.name: getattr(self, f.name)[task:task + 1] for f in fields(self)}
        return HeldOutTasks(**cut)


class TaskFamily(Protocol):
    """The interface of a family's ``PLUGIN``.

    Attributes:
        name: Key in files, e.g. "medical".
        title, summary: Words on the page.
        area: Field of application, one of :data:`AREAS`; the page groups families by it.
        modes: Allowed values of ``TaskConfig.mode``, the default first.
        defaults: Overrides of TaskConfig that make sense for this family (ways, shots, mode ...).
        sensitive: Names of sensitive attributes, the default first; empty if there are none.
        grid: Where a record is a picture or a signal: channels and then height and width, or length, in which its features lie row by row; else empty.
        simulated: Whether the records are made up: badged on every page.
        optional: Whether its records aren't shipped, but brought by whoever runs the program; without them building it is a sentence.
        licence, origin, caveat: One sentence each.
        files: Names of the sample files that it reads.
    """

    name: str
    title: str
    summary: str
    area: str
    order: int
    modes: tuple[str, ...]
    defaults: dict[str, int | float | str]
    sensitive: tuple[str, ...]
    grid: tuple[int, ...]
    simulated: bool
    optional: bool
    licence: str
    origin: str
    caveat: str
    files: tuple[str, ...]

    def build(self, config: TaskConfig, seed: int) -> TaskSet:
        """Build the task set; equal arguments give equal arrays. A family whose attributes depend on ``config`` has a method ``offered`` too.

        Raises:
            DataError: If a file is missing or damaged, or classes hold too few records for the shots asked.
        """
        ...


def offered_attributes(family: TaskFamily, config: TaskConfig) -> tuple[str, ...]:
    """Names of the sensitive attributes that a family offers under a configuration, the default first.

    Raises:
        DataError: If they depend on a table that isn't here.
    """
    offered = getattr(family, "offered", None)
    return tuple(offered(config)) if offered else family.sensitive


def held_out(split: Split, *, tasks: int, shots: int, records: int, seed: int) -> HeldOutTasks:
    """Draw ``tasks`` fixed tasks from a split: pools of 2 x ``shots`` members a class, ``records`` non-members a class.

    Tasks are taken in turn from ``split.tasks``; pools of different tasks are disjoint while the
    records last, and random again after that.

    Raises:
        DataError: If a bucket holds fewer members than 2 x ``shots``, or fewer than 2 non-members.
    """
    rng = np.random.default_rng([seed, 7])
    order = {b: [rng.permutation(split.bucket_members(b, m)) for m in (True, False)] for b in sorted(set(split.tasks.ravel().tolist()))}
    used = dict.fromkeys(order, 0)
    turns = np.concatenate([rng.permutation(len(split.tasks)) for _ in range(-(-tasks // len(split.tasks)))])[:tasks]
    keep = min([records, *(len(others) for _, others in order.values())])
    pools, evals = [], []
    for task in turns:
        pool, fresh = [], []
        for bucket in split.tasks[task].tolist():
            members, others = order[bucket]
            if len(members) < 2 * shots or keep < 2:
                raise DataError(f"shots is {shots}, but a class of the held-out task {split.names[task]!r} has only {len(members)} member and "
                                f"{len(others)} other records; {2 * shots} and 2 are needed. Ask for fewer shots.")
            if used[bucket] + 2 * shots > len(members):
                members, used[bucket] = rng.permutation(members), 0
                order[bucket] = [members, others]
            start = used[bucket]
            used[bucket] = start + 2 * shots
            pool.append(members[start:start + 2 * shots])
            fresh.append(rng.permutation(others)[:keep])
        pools.append(pool)
        evals.append(fresh)
    ways = split.tasks.shape[1]
    p, e = np.array(pools).reshape(tasks, -1), np.array(evals).reshape(tasks, -1)
    mask = split.visible[turns][:, None, :]
    label = lambda n: np.tile(np.repeat(np.arange(ways), n), (tasks, 1))  # noqa: E731
    return HeldOutTasks(pool_x=split.x[p] * mask, pool_y=label(2 * shots), eval_x=split.x[e] * mask, eval_y=label(keep),
                        pool_sensitive=split.sensitive[p], eval_sensitive=split.sensitive[e], pool_person=split.person[p], eval_person=split.person[e],
                        names=tuple(split.names[t] for t in turns), pool_class=split.bucket_class[split.tasks[turns]])


@lru_cache(maxsize=256)
def held_out_names(config: StudyConfig, seed: int) -> tuple[str, ...]:
    """Names of the held-out tasks on which a seed of a study is measured, by drawing them once more.

    Raises:
        DataError: If the family can't be built, or holds too few records.
    """
    built = plugin("tasks", config.task.family).build(config.task, seed)
    return held_out(built.test, tasks=config.audit.tasks, shots=config.task.shots, records=config.audit.records, seed=seed).names
