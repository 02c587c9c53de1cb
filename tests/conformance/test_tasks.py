"""What every task family must keep to, whichever files lie in mrp_core/tasks."""

from __future__ import annotations

import ast
import inspect
import sys
from functools import cache
from itertools import combinations
from typing import Any

import numpy as np
import pytest

from mrp_core.config import TaskConfig
from mrp_core.errors import DataError
from mrp_core.registry import plugins
from mrp_core.tabular import SAMPLE_DATA
from mrp_core.taskdata import AREAS, Split, TaskSet, held_out

CASES = [(name, mode) for name, family in plugins("tasks").items() if not family.optional for mode in family.modes]
PARTS = ("train", "validation", "test")


def config(name: str, mode: str, **changes: Any) -> TaskConfig:
    ways = {"ways": 2} if mode == "pairs" else {}
    return TaskConfig(family=name, **{**plugins("tasks")[name].defaults, "mode": mode, **ways, **changes})


@cache
def built(name: str, mode: str, seed: int = 0) -> TaskSet:
    return plugins("tasks")[name].build(config(name, mode), seed)


def splits(tasks: TaskSet) -> tuple[Split, ...]:
    return tuple(getattr(tasks, part) for part in PARTS)


def used(split: Split) -> list[int]:
    return sorted(set(split.tasks.ravel().tolist()))


def test_there_are_families() -> None:
    assert {"letters", "digits", "medical", "gaussian"} <= set(plugins("tasks"))


@pytest.mark.parametrize("name", plugins("tasks"))
def test_a_family_describes_itself(name: str) -> None:
    family = plugins("tasks")[name]
    for text in (family.title, family.summary, family.licence, family.origin, family.caveat):
        assert text.strip() == text
        assert text
    assert family.modes
    assert family.defaults.get("mode", family.modes[0]) == family.modes[0]
    assert isinstance(family.simulated, bool)
    assert family.area in AREAS
    assert all((SAMPLE_DATA / file).is_file() and (SAMPLE_DATA / f"{file.split('.')[0]}.provenance.md").is_file() for file in family.files)
    assert not family.simulated or "imulated" in family.origin + family.caveat


@pytest.mark.parametrize("name", plugins("tasks"))
def test_listing_a_family_loads_no_engine(name: str) -> None:
    module = sys.modules[type(plugins("tasks")[name]).__module__]
    top = [node for node in ast.parse(inspect.getsource(module)).body if isinstance(node, ast.Import | ast.ImportFrom)]
    loaded = [node.module or "" if isinstance(node, ast.ImportFrom) else alias.name for node in top for alias in node.names]
    assert not {name.split(".")[0] for name in loaded} & {"torch", "sklearn", "streamlit"}


@pytest.mark.parametrize(("name", "mode"), CASES)
def test_arrays_fit_together(name: str, mode: str) -> None:
    tasks = built(name, mode)
    for split in splits(tasks):
        n, ways = len(split.x), config(name, mode).ways
        assert (split.x.dtype, split.x.shape) == (np.float32, (n, len(tasks.features)))
        assert np.isfinite(split.x).all()
        assert split.person.shape == split.member.shape == split.sensitive.shape == (n,)
        assert (split.person.dtype, split.member.dtype, split.sensitive.dtype, split.tasks.dtype) == (np.int64, np.bool_, np.int64, np.int64)
        assert split.tasks.shape == (len(split.names), ways)
        assert split.visible.shape == (len(split.names), len(tasks.features))
        assert len(set(split.names)) == len(split.names)
        assert split.bucket_class.shape == (len(split.buckets),)
        assert set(split.bucket_class.tolist()) <= set(range(tasks.classes))
        assert all(len(set(row)) == ways for row in split.tasks.tolist())
    assert tasks.image is None or tasks.image[0] * tasks.image[1] == len(tasks.features)
    assert not tasks.labels or len(tasks.labels) == config(name, mode).ways
    assert all(label and text for label, text in tasks.facts)


@pytest.mark.parametrize(("name", "mode"), CASES)
def test_no_person_is_in_two_splits(name: str, mode: str) -> None:
    for one, two in combinations(splits(built(name, mode)), 2):
        assert not np.intersect1d(one.person, two.person).size


@pytest.mark.parametrize(("name", "mode"), CASES)
def test_classes_of_a_task_share_no_record(name: str, mode: str) -> None:
    for split in splits(built(name, mode)):
        for task in split.tasks[:300]:
            assert len(np.unique(np.concatenate([split.buckets[b] for b in task]))) == sum(len(split.buckets[b]) for b in task)


@pytest.mark.parametrize(("name", "mode"), CASES)
def test_a_person_is_a_member_or_not(name: str, mode: str) -> None:
    for split in splits(built(name, mode)):
        members, others = split.person[split.member], split.person[~split.member]
        assert not np.intersect1d(members, others).size
        assert split.member.mean() == pytest.approx(0.55, abs=0.02)


@pytest.mark.parametrize(("name", "mode"), CASES)
def test_no_record_has_a_twin(name: str, mode: str) -> None:
    x = np.concatenate([split.x for split in splits(built(name, mode))])
    assert len(np.unique(x, axis=0)) == len(x)


@pytest.mark.parametrize(("name", "mode"), CASES)
def test_equal_seeds_build_equal_arrays(name: str, mode: str) -> None:
    again = plugins("tasks")[name].build(config(name, mode), 0)
    other = plugins("tasks")[name].build(config(name, mode), 1)
    for one, two, different in zip(splits(built(name, mode)), splits(again), splits(other), strict=True):
        for field in ("x", "person", "member", "sensitive", "tasks", "visible", "bucket_class"):
            np.testing.assert_array_equal(getattr(one, field), getattr(two, field))
        assert one.names == two.names
        assert all(np.array_equal(a, b) for a, b in zip(one.buckets, two.buckets, strict=True))
        assert not np.array_equal(one.member, different.member)


@pytest.mark.parametrize(("name", "mode"), CASES)
def test_a_caller_cannot_spoil_the_next_build(name: str, mode: str) -> None:
    spoilt = plugins("tasks")[name].build(config(name, mode), 0)
    for split in splits(spoilt):
        split.x[:], split.member[:], split.tasks[:] = 7.0, True, 0
        for bucket in split.buckets:
            bucket[:] = 0
    for one, two in zip(splits(built(name, mode)), splits(plugins("tasks")[name].build(config(name, mode), 0)), strict=True):
        np.testing.assert_array_equal(one.x, two.x)
        np.testing.assert_array_equal(one.tasks, two.tasks)
        assert all(np.array_equal(a, b) for a, b in zip(one.buckets, two.buckets, strict=True))


@pytest.mark.parametrize(("name", "mode"), CASES)
def test_defaults_leave_enough_records(name: str, mode: str) -> None:
    c, tasks = config(name, mode), built(name, mode)
    assert min(len(tasks.train.bucket_members(b, True)) for b in used(tasks.train)) >= c.shots + c.queries
    for split in (tasks.validation, tasks.test):
        held = held_out(split, tasks=12, shots=c.shots, records=20, seed=0)
        assert held.pool_x.shape == (12, c.ways * 2 * c.shots, len(tasks.features))
        assert held.eval_x.shape[1] >= 8 * c.ways


@pytest.mark.parametrize(("name", "mode"), CASES)
def test_pools_are_members_and_disjoint_while_they_last(name: str, mode: str) -> None:
    c, tasks = config(name, mode), built(name, mode)
    split = tasks.test
    rounds = min(len(split.bucket_members(b, True)) // (2 * c.shots) for b in used(split))
    share = np.bincount(split.tasks.ravel(), minlength=len(split.buckets)).max()
    assert rounds >= 1
    if share == 1 and mode == "site":
        held = held_out(split, tasks=len(split.tasks) * rounds, shots=c.shots, records=20, seed=0)
        records = held.pool_x.reshape(-1, held.pool_x.shape[-1])
        assert len(np.unique(records, axis=0)) == len(records)
    held = held_out(split, tasks=1, shots=c.shots, records=20, seed=0)
    pool, fresh = held.pool_x[0], held.eval_x[0]
    assert not {row.tobytes() for row in pool} & {row.tobytes() for row in fresh}
    members = {row.tobytes() for row in split.x[split.member] * split.visible[split.names.index(held.names[0])]}
    assert {row.tobytes() for row in pool} <= members


@pytest.mark.parametrize(("name", "mode"), CASES)
def test_too_many_shots_are_one_sentence(name: str, mode: str) -> None:
    with pytest.raises(DataError, match=r"^shots is 5000.*fewer shots\.$"):
        held_out(built(name, mode).test, tasks=2, shots=5000, records=20, seed=0)


@pytest.mark.parametrize(("name", "mode"), CASES)
def test_an_unknown_sensitive_attribute_is_one_sentence(name: str, mode: str) -> None:
    with pytest.raises(DataError, match=r"^sensitive is 'shoe size'.*\.$"):
        plugins("tasks")[name].build(config(name, mode, sensitive="shoe size"), 0)


@pytest.mark.parametrize(("name", "mode"), CASES)
def test_sensitive_values_are_there_where_offered(name: str, mode: str) -> None:
    for split in splits(built(name, mode)):
        found = set(split.sensitive.tolist())
        assert found <= {-1, *range(len(built(name, mode).sensitive_values))}
        assert (found == {-1}) if not plugins("tasks")[name].sensitive else len(found - {-1}) >= 2
