"""A table of one's own as a family: the rules that every shipped family keeps to, and a study on it."""

from __future__ import annotations

import dataclasses
from functools import cache
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mrp_core import tables
from mrp_core.config import AuditConfig, ComputeOptions, InnerConfig, OuterConfig, PrivacyConfig, StudyConfig, TaskConfig
from mrp_core.engine import audit, train
from mrp_core.errors import ConfigError, DataError
from mrp_core.registry import plugin
from mrp_core.settings import Setting
from mrp_core.tables import shelf
from mrp_core.tables.inputs import binarised, encoded
from mrp_core.taskdata import Split, TaskSet, held_out, offered_attributes
from tests.tables.made import csv_of, lending, species, stored, visits

PARTS = ("train", "validation", "test")
FAMILY = plugin("tasks", "table")


@cache
def ids() -> dict[str, str]:
    return {"site": stored(visits(2000), "outcome", task="ward", sensitive=("sex", "age")), "people": stored(visits(3000, people=900), "outcome", task="ward", person="person"),
            "few_shot": stored(species(), "species")}


def config(name: str, **changes: Any) -> TaskConfig:
    base: dict[str, Any] = {"mode": "few_shot", "ways": 3} if name == "few_shot" else {"mode": "site", "ways": 2}
    return TaskConfig(**{"family": "table", "table": ids()[name], "shots": 5, "queries": 7, **base, **changes})


@cache
def built(name: str, seed: int = 0) -> TaskSet:
    return FAMILY.build(config(name), seed)


def splits(made: TaskSet) -> tuple[Split, ...]:
    return tuple(getattr(made, part) for part in PARTS)


NAMES = ("site", "people", "few_shot")


@pytest.mark.parametrize("name", NAMES)
def test_it_keeps_to_the_rules_of_all_families(name: str) -> None:
    c, made = config(name), built(name)
    assert made.permute_labels == (name == "few_shot")
    assert made.labels == (() if name == "few_shot" else ("ill", "well"))
    assert all(label and text for label, text in made.facts)
    x = np.concatenate([s.x for s in splits(made)])
    assert len(np.unique(x, axis=0)) == len(x) and x.shape[1] == len(made.features) and np.isfinite(x).all()
    for split in splits(made):
        assert (split.x.dtype, split.person.dtype, split.member.dtype, split.sensitive.dtype, split.tasks.dtype) == (np.float32, np.int64, np.bool_, np.int64, np.int64)
        assert split.tasks.shape == (len(split.names), c.ways) and len(set(split.names)) == len(split.names)
        assert split.visible.shape == (len(split.tasks), len(made.features)) and split.visible.all()
        assert set(split.bucket_class.tolist()) <= set(range(made.classes)) and len(split.bucket_class) == len(split.buckets)
        assert split.member[np.unique(split.person, return_index=True)[1]].mean() == pytest.approx(0.55, abs=0.03)
        assert not np.intersect1d(split.person[split.member], split.person[~split.member]).size
        assert min(len(split.bucket_members(b, True)) for b in range(len(split.buckets))) >= c.shots + c.queries
    for one, two in combinations(splits(made), 2):
        assert not np.intersect1d(one.person, two.person).size
        assert not set(one.names) & set(two.names)
    held = held_out(made.test, tasks=12, shots=c.shots, records=20, seed=0)
    assert held.eval_x.shape[1] >= 8 * c.ways


@pytest.mark.parametrize("name", NAMES)
def test_seeds_draw_members_and_never_move_a_task(name: str) -> None:
    again, other = FAMILY.build(config(name), 0), built(name, 1)
    for one, two, different in zip(splits(built(name)), splits(again), splits(other), strict=True):
        np.testing.assert_array_equal(one.x, two.x)
        np.testing.assert_array_equal(one.member, two.member)
        assert one.names == two.names == different.names
        assert len(one.member) != len(different.member) or not np.array_equal(one.member, different.member)


def test_labels_groups_and_inputs_are_those_of_the_table() -> None:
    """Each bucket, against pandas on the original frame: scaling is monotone, so pulses within a bucket must correlate perfectly."""
    frame, made = visits(2000).drop_duplicates(["pulse", "blood", "smokes", "seen"]), built("site")
    pulse = made.features.index("pulse")
    for split in splits(made):
        for name, task in zip(split.names, split.tasks, strict=True):
            for label, bucket in zip(made.labels, task, strict=True):
                own = frame[(frame["ward"] == name) & (frame["outcome"] == label)]["pulse"].to_numpy(dtype=float)
                x = split.x[split.buckets[bucket], pulse]
                assert len(own) == len(x)
                assert np.corrcoef(own, x)[0, 1] > 0.9999


def test_what_has_another_part_is_no_input() -> None:
    made = built("site")
    hidden = {"ward", "outcome", "sex", "visit id", "constant", "recorded"}
    assert not {name.split(" = ")[0].removesuffix(" missing") for name in made.features} & hidden
    assert "age" not in made.features  # sensitive here
    assert {"blood = A", "blood = AB", "pulse", "seen", "smokes", "smokes missing"} <= set(made.features)


def test_sensitive_columns_have_two_values() -> None:
    frame = visits(2000)
    made = built("site")
    assert offered_attributes(FAMILY, config("site")) == ("sex", "age")
    assert set(made.sensitive_values) == {"female", "male"}
    other = FAMILY.build(config("site", sensitive="age"), 0)
    low, high = other.sensitive_values
    cut = float(low.removeprefix("at most "))
    assert high == f"above {cut:.6g}" and abs(cut - frame["age"].median()) <= 2
    np.testing.assert_array_equal(other.train.x, made.train.x)
    assert {0, 1} == set(other.train.sensitive.tolist())
    with pytest.raises(DataError, match=r"^sensitive is 'shoe size'.*sex, age\.$"):
        FAMILY.build(config("site", sensitive="shoe size"), 0)


def test_scaling_and_categories_come_from_the_basis_alone() -> None:
    frame = pd.DataFrame({"c": ["a", "a", "b", "z", "z", None], "n": ["1", "2", "3", "900", "x", None]}).astype("str")
    spec = tables.TableSpec(table="0" * 64, label="y", features=("c", "n"), kinds=(("c", "category"), ("n", "number"), ("y", "category")))
    basis = np.array([True, True, True, False, False, False])
    x, names = encoded(frame, spec, basis)
    assert names == ("c = a", "n")
    np.testing.assert_array_equal(x[:, 0], [1, 1, 0, 0, 0, 0])
    assert binarised(frame["n"], "number", basis)[1] == ("at most 2", "above 2")
    np.testing.assert_array_equal(binarised(frame["n"], "number", basis)[0], [0, 0, 1, 1, -1, -1])
    np.testing.assert_array_equal(binarised(frame["c"], "category", basis)[0], [1, 1, 0, 0, 0, -1])


def test_a_person_is_in_one_part_and_a_member_or_not_for_all_rows() -> None:
    frame, made = visits(3000, people=900), built("people")
    assert sum(len(s.x) for s in splits(made)) < 0.8 * len(frame)  # people who went to wards of several parts keep the rows of one
    assert any(label == "Left out" and "persons" in text for label, text in made.facts)
    assert sum(len(np.unique(s.person)) for s in splits(made)) <= frame["person"].nunique()
    assert max(np.bincount(s.person).max() for s in splits(made)) > 1


def test_twins_are_left_out_before_members_are_drawn() -> None:
    frame = visits(1500)
    doubled = pd.concat([frame, frame], ignore_index=True)
    one, two = (FAMILY.build(TaskConfig(family="table", mode="site", ways=2, shots=5, queries=7, table=stored(f, "outcome", task="ward")), 0) for f in (frame, doubled))
    assert sum(len(s.x) for s in splits(one)) == sum(len(s.x) for s in splits(two))
    assert any(text.startswith("1,5") for label, text in two.facts if label == "Left out")


def test_small_groups_and_rare_classes_are_left_out_and_said_so() -> None:
    frame = visits(2000)
    frame.loc[frame.index[:5], "outcome"] = "unknown to us"
    frame.loc[frame.index[10:20], "ward"] = "a small ward"
    made = FAMILY.build(TaskConfig(family="table", mode="site", ways=2, shots=5, queries=7, table=stored(frame, "outcome", task="ward")), 0)
    assert "a small ward" not in [n for s in splits(made) for n in s.names]
    assert made.labels == ("ill", "well")
    assert any("1 groups with too few rows" in text for label, text in made.facts if label == "Left out")


def test_a_rare_class_or_small_groups_lower_what_is_suggested() -> None:
    frame = visits(2000)
    frame.loc[frame.index[:5], "outcome"] = "unknown"
    report, small = (tables.check(u, tables.proposed(u, "outcome", task="ward")) for u in (tables.store_upload("made.csv", csv_of(f)) for f in (frame, visits(300))))
    assert report.suggested == {"mode": "site", "ways": 2, "shots": 5, "queries": 7}
    assert small.problem == "" and small.suggested["shots"] in (2, 3)


def test_spelling_makes_no_class() -> None:
    frame = visits(2000)
    frame["outcome"] = np.where(frame["outcome"] == "well", "no", np.where(frame["age"] % 2 == 0, "Yes", "yes"))
    made = FAMILY.build(TaskConfig(family="table", mode="site", ways=2, shots=5, queries=7, table=stored(frame, "outcome", task="ward")), 0)
    assert made.labels == ("no", "yes")
    assert sum(len(s.x) for s in splits(made)) > 1900


BAD = {
    "one class": (lambda f: f.assign(outcome="ill"), {}, "one value only"), "no class": (lambda f: f.assign(outcome=None), {}, "no value"),
    "one group": (lambda f: f.assign(ward="w"), {}, "has 1 value,"), "a group for each row": (lambda f: f.assign(ward=[f"w{i}" for i in range(len(f))]), {}, "another value in every row"),
    "few rows": (lambda f: f.head(60), {}, "enough rows"), "other mode": (lambda f: f, {"mode": "few_shot"}, "names the task column 'ward'"),
    "three ways": (lambda f: f, {"ways": 3}, "only 2 classes"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cant_be_built_is_one_sentence(name: str) -> None:
    change, knobs, words = BAD[name]
    frame = change(visits(600))
    upload = tables.store_upload("made.csv", csv_of(frame))
    names = ("age", "pulse", "blood")
    spec = tables.proposed(upload, "outcome", task="ward", features=names, kinds={"outcome": "category", "ward": "category"})
    with pytest.raises(DataError, match=words):
        FAMILY.build(TaskConfig(**{"family": "table", "mode": "site", "ways": 2, "shots": 5, "queries": 7, "table": tables.save(spec), **knobs}), 0)
    if not knobs:
        report = tables.check(upload, spec)
        assert words in report.problem and report.tasks == (0, 0, 0) and report.suggested == {}


@pytest.mark.parametrize("id", ["", "0123456789abcdef", "../../../etc/passwd", "nonsense"])
def test_a_table_that_isnt_here_is_one_sentence(id: str) -> None:
    with pytest.raises(DataError, match=r"^(table is empty|There is no table with the id).*\.$"):
        FAMILY.build(TaskConfig(family="table", mode="site", ways=2, table=id), 0)


def test_a_loss_that_needs_an_attribute_needs_a_sensitive_column() -> None:
    study = StudyConfig(task=config("few_shot"), privacy=PrivacyConfig(loss="attribute_mi"), outer=OuterConfig(iterations=2))
    with pytest.raises(DataError, match=r"no sensitive column"):
        train(study)
    with pytest.raises(ConfigError, match="no sensitive attribute"):
        StudyConfig(privacy=PrivacyConfig(loss="attribute_mi"))


def test_a_knob_at_its_default_changes_no_study() -> None:
    assert StudyConfig().id == dataclasses.replace(StudyConfig(), task=TaskConfig(table="")).id
    assert StudyConfig(task=config("site")).id != StudyConfig(task=config("site", table=ids()["people"])).id


def test_loans_as_a_table_train_and_audit_like_a_shipped_family() -> None:
    upload = tables.store_upload("loans.csv", lending())
    spec = tables.proposed(upload, "int_rate", task="state", sensitive=("annual_inc",))
    report = tables.check(upload, spec)
    assert report.problem == "" and sum(report.tasks) >= 30 and report.members > 4000
    task = TaskConfig(family="table", table=tables.save(spec), **report.suggested)
    study = StudyConfig(task=task, privacy=PrivacyConfig(lambda_points=2, mechanism="none"), inner=InnerConfig(steps=2), outer=OuterConfig(iterations=40, meta_batch=4, seeds=1, hidden=(16,)),
                        audit=AuditConfig(tasks=6, adaptations=8, records=20, baselines=False))
    strategy = train(study, ComputeOptions())
    points = [p for found, _ in audit(strategy, [Setting("lambda", 0.0), Setting("lambda", study.lambdas[-1])]) for p in found]
    assert len(points) == 2
    accuracy = points[0].values["accuracy"]
    assert 0.55 < float(accuracy if isinstance(accuracy, float) else np.mean(accuracy)) < 0.9


def test_the_kept_table_is_read_once() -> None:
    table = tables.load(ids()["site"]).table
    assert shelf.frame_of(table) is shelf.frame_of(table)
