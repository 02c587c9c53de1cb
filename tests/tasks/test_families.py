"""Each family by itself: its splits, its labels, its masks, and that something can be learned."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_score

from mrp_core import tabular
from mrp_core.config import TaskConfig
from mrp_core.errors import DataError
from mrp_core.registry import plugin
from mrp_core.taskdata import Split, TaskSet, held_out
from mrp_core.tasks import digits, gaussian, letters, medical


@cache
def built(name: str, mode: str, ways: int = 2, seed: int = 0, sensitive: str = "", hardness: float = 45.0) -> TaskSet:
    return plugin("tasks", name).build(TaskConfig(family=name, mode=mode, ways=ways, sensitive=sensitive, hardness=hardness), seed)


def splits(tasks: TaskSet) -> tuple[Split, Split, Split]:
    return tasks.train, tasks.validation, tasks.test


def labelled(*parts: Split) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Records with the class of their bucket, in random order."""
    x = np.concatenate([s.x[np.concatenate(s.buckets)] for s in parts])
    y = np.concatenate([np.repeat(s.bucket_class, [len(b) for b in s.buckets]) for s in parts])
    order = np.random.default_rng(0).permutation(len(x))
    return x[order], y[order]


def classifier() -> LogisticRegression:
    return LogisticRegression(C=0.3, max_iter=500)


def test_letters_of_a_split_are_its_own() -> None:
    names = ["".join(sorted(set("".join(s.names)))) for s in splits(built("letters", "few_shot", 5))]
    assert names == [letters.TRAIN, letters.VALIDATION, letters.TEST]
    assert [len(n) for n in names] == [15, 5, 6]
    assert len(set("".join(names))) == 26
    assert [s.tasks.shape for s in splits(built("letters", "few_shot", 5))] == [(3003, 5), (1, 5), (6, 5)]


def test_letters_name_their_records() -> None:
    tasks = built("letters", "few_shot", 5)
    for split in splits(tasks):
        assert all("".join(chr(65 + split.bucket_class[b]) for b in row) == name for row, name in zip(split.tasks, split.names, strict=True))
    assert ("Records", "7,534 distinct (266 twins left out)") in tasks.facts


def test_letters_can_be_learned() -> None:
    x, y = labelled(*splits(built("letters", "few_shot", 5)))
    assert cross_val_score(classifier(), x, y, cv=3).mean() == pytest.approx(0.758, abs=0.03)


def test_statistics_come_from_members_of_training_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    spied: dict[str, Any] = {}

    def spy(x: NDArray[np.float64], basis: NDArray[np.bool_]) -> NDArray[np.float32]:
        spied.update(x=x, basis=basis)
        return tabular.standardised(x, basis)

    monkeypatch.setattr(letters, "standardised", spy)
    tasks = letters.PLUGIN.build(TaskConfig(), 3)
    assert spied["basis"].sum() == tasks.train.member.sum()
    assert sorted(np.flatnonzero(spied["basis"])) == sorted(tasks.train.person[tasks.train.member])


@pytest.mark.parametrize(("name", "mode", "ways"), [
    ("letters", "few_shot", 5), ("digits", "few_shot", 5), ("medical", "site", 2), ("medical", "site_target", 2)])
def test_members_of_training_are_centred(name: str, mode: str, ways: int) -> None:
    train = built(name, mode, ways).train
    own, clipped = train.x[train.member], (np.abs(train.x[train.member]) >= tabular.CLIP).any(0)
    assert np.abs(own.mean(0))[~clipped].max() < 1e-4
    spread = own.std(0)[~clipped]
    assert np.all((np.abs(spread - 1) < 1e-3) | (spread == 0))


@pytest.mark.parametrize(("name", "mode", "ways", "words"), [
    ("letters", "few_shot", 6, "validation split of this family has only 5 classes"),
    ("letters", "few_shot", 20, "training split of this family has only 15 classes"),
    ("digits", "few_shot", 11, "has only 10 classes"), ("digits", "pairs", 5, "set ways to 2"), ("medical", "site", 5, "set ways to 2"),
    ("medical", "site_target", 3, "set ways to 2"), ("gaussian", "site", 5, "set ways to 2")])
def test_impossible_ways_are_one_sentence(name: str, mode: str, ways: int, words: str) -> None:
    with pytest.raises(DataError, match=rf"^ways is {ways}, .*{words}.*\.$"):
        built(name, mode, ways)


@pytest.mark.parametrize(("name", "file"), [("letters", "letters26.npz"), ("medical", "medical_support2.csv.gz")])
def test_a_missing_file_is_one_sentence(name: str, file: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tabular, "SAMPLE_DATA", tmp_path)
    with pytest.raises(DataError, match=f"sample_data/{re.escape(file)} from the repository"):
        plugin("tasks", name).build(TaskConfig(family=name, **plugin("tasks", name).defaults), 0)


def test_digits_share_classes_but_no_record() -> None:
    tasks = built("digits", "few_shot", 5)
    sizes = [len(s.x) for s in splits(tasks)]
    assert np.allclose(np.array(sizes) / sum(sizes), digits.SHARES, atol=0.01)
    assert all(s.bucket_class.tolist() == list(range(10)) for s in splits(tasks))
    assert tasks.image == (8, 8)


def test_digit_pairs_are_divided_too() -> None:
    pairs = [set(s.names) for s in splits(built("digits", "pairs"))]
    assert [len(p) for p in pairs] == [25, 5, 15]
    assert len(set.union(*pairs)) == 45
    for part in pairs:
        assert len({"".join(part).count(digit) for digit in "0123456789"}) == 1, "no digit is tested more than another"


def test_digits_can_be_learned_from_other_records() -> None:
    tasks = built("digits", "few_shot", 5)
    x, y = labelled(tasks.train)
    assert classifier().fit(x, y).score(*labelled(tasks.test)) > 0.9


def test_wards_of_a_split_have_their_own_diseases() -> None:
    diseases = [{n.rsplit(",", 1)[0] for n in s.names} for s in splits(built("medical", "site"))]
    assert diseases[1:] == [set(medical.VALIDATION), set(medical.TEST)]
    assert diseases[0] == {"ARF/MOSF w/Sepsis", "CHF", "Colon Cancer", "Coma", "MOSF w/Malig"}
    assert [len(s.tasks) for s in splits(built("medical", "site"))] == [15, 3, 6]


def test_deaths_in_wards_can_be_learned() -> None:
    tasks = built("medical", "site")
    x, y = labelled(*splits(tasks))
    assert cross_val_score(classifier(), x, y, cv=5, scoring="roc_auc").mean() == pytest.approx(0.753, abs=0.03)
    model = classifier().fit(*labelled(tasks.train))
    unseen, truth = labelled(tasks.test)
    assert roc_auc_score(truth, model.decision_function(unseen)) == pytest.approx(0.689, abs=0.03)


def test_membership_is_drawn_once_for_both_modes() -> None:
    for one, two in zip(splits(built("medical", "site")), splits(built("medical", "site_target")), strict=True):
        np.testing.assert_array_equal(one.member, two.member)
        np.testing.assert_array_equal(one.person, two.person)


def test_the_sensitive_attribute_is_no_input() -> None:
    race, sex = (built("medical", "site", sensitive=s) for s in ("race", "sex"))
    assert not {"race", "sex", "income"} & {f.split(" ")[0] for f in race.features}
    assert len(race.features) == 33
    for one, two in zip(splits(race), splits(sex), strict=True):
        np.testing.assert_array_equal(one.x, two.x)
    known = np.concatenate([s.sensitive for s in splits(race)])
    assert (known == -1).sum() == 42
    assert (known == 1).sum() == 7191
    assert np.concatenate([s.sensitive for s in splits(sex)]).tolist().count(1) == 5125
    np.testing.assert_array_equal(built("medical", "site").test.sensitive, race.test.sensitive)


@pytest.mark.parametrize("target", ["bun", "crea", "alb", "age", "died_60d"])
def test_a_target_is_masked_from_the_input(target: str) -> None:
    tasks = built("medical", "site_target")
    hidden = {"bun": {"bun", "bun missing", "crea"}, "crea": {"bun", "bun missing", "crea"}, "alb": {"alb", "alb missing"}, "age": {"age"}}.get(target, set())
    for split in splits(tasks):
        rows = [i for i, n in enumerate(split.names) if n.endswith(f": {target}")]
        assert rows
        for row in rows:
            assert {f for f, seen in zip(tasks.features, split.visible[row], strict=True) if not seen} == hidden
    held = held_out(tasks.test, tasks=len(tasks.test.tasks), shots=5, records=10, seed=0)
    columns = [tasks.features.index(f) for f in hidden]
    chosen = [i for i, n in enumerate(held.names) if n.endswith(f": {target}")]
    assert not held.pool_x[chosen][..., columns].any()
    assert not held.eval_x[chosen][..., columns].any()
    assert held.pool_x[chosen].any()


def test_above_the_median_is_the_median_of_the_members_of_the_disease() -> None:
    tasks = built("medical", "site_target")
    table = tabular.read_table(medical.FILE, ("meanbp",))
    for split in splits(tasks):
        for row, name in zip(split.tasks, split.names, strict=True):
            disease, target = name.rsplit(",", 1)[0], name.rsplit(": ", 1)[1]
            if target not in ("meanbp", "alb"):
                continue
            own = split.person[split.member]
            values = table.loc[own][table.loc[own]["disease"] == disease][target]
            low, high = (table.loc[split.person[split.buckets[b]]][target] for b in row)
            assert low.max() <= values.median() < high.min()
            assert not low.isna().any()


def test_pairs_with_too_few_patients_are_left_out_and_told() -> None:
    tasks = built("medical", "site_target")
    for split in splits(tasks):
        for b in range(len(split.buckets)):
            assert len(split.bucket_members(b, True)) >= medical.LEAST[0]
            assert len(split.bucket_members(b, False)) >= medical.LEAST[1]
    left = [17 * wards - len(s.tasks) for wards, s in zip((15, 3, 6), splits(tasks), strict=True)]
    assert min(left) > 0
    assert dict(tasks.facts)["Left out"].startswith(" / ".join(map(str, left)))
    assert "Left out" not in dict(built("medical", "site").facts)


@pytest.mark.parametrize("hardness", [0.0, 30.0, 90.0])
def test_gaussian_angles_are_as_asked(hardness: float) -> None:
    v, us = gaussian.directions(hardness, 4)
    angles = np.degrees(np.arccos(np.clip(np.concatenate(us) @ v, -1, 1)))
    assert angles.min() >= hardness - 1e-5
    assert angles.max() <= 90 + 1e-5
    assert hardness == 90 or angles.max() - angles.min() > 0.8 * (90 - hardness)
    np.testing.assert_allclose(np.linalg.norm(np.concatenate(us), axis=1), 1)


def test_gaussian_records_follow_their_formula() -> None:
    tasks = built("gaussian", "site", seed=4, hardness=20.0)
    v, us = gaussian.directions(20.0, 4)
    noise = []
    for split, u in zip(splits(tasks), us, strict=True):
        for task, (no, yes) in enumerate(split.tasks):
            for bucket, y in ((no, -1), (yes, 1)):
                rows = split.buckets[bucket]
                noise.append(split.x[rows] - y * gaussian.TASK_SCALE * u[task] - (2 * split.sensitive[rows, None] - 1) * gaussian.SENSITIVE_SCALE * v)
    rest = np.concatenate(noise)
    assert np.abs(rest.mean(0)).max() < 0.05
    np.testing.assert_allclose(np.cov(rest.T), np.eye(gaussian.FEATURES), atol=0.05)
