"""Attribute inference where the truth is known: closed forms, nothing to find, persons on both sides, and awkward inputs."""

from __future__ import annotations

import math
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrp_core.audit.attribute import AttributeInference, _auc, attribute_inference
from mrp_core.errors import DataError


def released(a: np.ndarray, effect: float, rng: np.random.Generator, classes: int = 3) -> np.ndarray:
    """Probabilities whose logits are Gaussian and move by ``effect`` with the attribute."""
    z = rng.normal(size=(len(a), classes))
    z[np.arange(len(a)), a % classes] += effect
    p = np.exp(z)
    return p / p.sum(1, keepdims=True)


def binary_symmetric(n: int, wrong: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """An output of two values that equals a fair A but for a share ``wrong``: I = ln 2 - h(wrong), AUC = 1 - wrong."""
    a = np.arange(n) % 2
    seen = np.where(rng.random(n) < wrong, 1 - a, a)
    return np.where(seen[:, None] == [0, 1], 0.8, 0.2), a


@pytest.mark.parametrize("adversary", ["logistic", "boosting"])
@pytest.mark.parametrize("wrong", [0.1, 0.3])
def test_a_binary_symmetric_channel_has_its_closed_form(adversary: Any, wrong: float) -> None:
    p, a = binary_symmetric(3000, wrong, np.random.default_rng(1))
    found = attribute_inference(p, a, adversary=adversary, permutations=2)
    truth = math.log(2) + wrong * math.log(wrong) + (1 - wrong) * math.log(1 - wrong)
    assert found.information.low <= truth <= found.information.high + 0.01  # the 2 % of base rate cost a little
    assert truth - 0.03 < found.information.value < truth + 0.03
    assert found.auc.low <= 1 - wrong <= found.auc.high
    assert found.entropy == pytest.approx(math.log(2)) and found.notes == ()
    assert found.null_information.high < 0.01 and abs(found.null_auc.value - 0.5) < 0.05


def test_gaussian_logits_stay_below_the_true_information() -> None:
    rng = np.random.default_rng(2)
    a = rng.integers(0, 2, 4000)
    found = attribute_inference(released(a, 1.5, rng), a, permutations=0)
    # z_0 - z_2 and z_1 - z_2 have variance 2 and covariance 1, and move by (1.5, -1.5) between the values: squared distance 4.5
    t = np.linspace(-12, 12, 20001)
    m = 4.5 / 2
    density = np.exp(-((t - m) ** 2) / (2 * 4.5)) / math.sqrt(2 * math.pi * 4.5)  # of the log likelihood ratio given A = 1
    truth = math.log(2) - float((density * np.logaddexp(0, -t)).sum() * (t[1] - t[0]))
    assert found.information.low <= truth and truth - 0.03 < found.information.value < truth + 0.02
    assert found.null_auc.note == "not computed" and math.isnan(found.null_auc.value)


def nothing(seed: int, by_task: bool, permutations: int) -> AttributeInference:
    """Outputs that don't depend on the attribute; base rates differ between tasks, which must not count."""
    rng = np.random.default_rng(seed)
    task = np.repeat(np.arange(8), 30)
    a = (rng.random(240) < rng.uniform(0.25, 0.75, 8)[task]).astype(int)
    p = released(np.zeros(240, dtype=int), 1.0, rng)
    return attribute_inference(p, a, task=task if by_task else None, permutations=permutations, seed=seed)


@pytest.mark.parametrize("by_task", [False, True])
def test_nothing_to_find_is_not_found(by_task: bool) -> None:
    found = [nothing(seed, by_task, 0) for seed in range(40)]
    assert abs(np.mean([f.auc.value for f in found]) - 0.5) < 0.025
    assert max(f.information.low for f in found) == 0.0 and np.mean([f.information.value for f in found]) < 0.003


@pytest.mark.slow
@pytest.mark.parametrize("by_task", [False, True])
def test_intervals_cover_one_half_where_there_is_nothing_to_find(by_task: bool) -> None:
    found = [nothing(seed, by_task, 20) for seed in range(60)]
    assert np.mean([f.auc.low <= 0.5 <= f.auc.high for f in found]) >= 0.92
    assert np.mean([f.auc.value <= f.null_auc.high for f in found]) >= 0.9  # the shuffled runs are what such a number looks like


def test_a_task_that_gives_its_base_rate_away_adds_nothing_once_the_task_is_known() -> None:
    rng = np.random.default_rng(3)
    task = np.repeat(np.arange(10), 60)
    a = (rng.random(600) < np.where(task % 2, 0.9, 0.1)).astype(int)
    p = released(task % 2, 3.0, rng)  # the output says which kind of task it is, nothing about the person
    without, known = attribute_inference(p, a, permutations=0), attribute_inference(p, a, task=task, permutations=0)
    assert without.information.low > 0.1 and without.auc.low > 0.7
    assert known.information.value < 0.01 and known.entropy < without.entropy - 0.2
    assert known.auc.low <= 0.5 + 0.05


def test_tasks_are_the_units_of_the_interval() -> None:
    rng = np.random.default_rng(4)
    task, a = np.repeat(np.arange(12), 40), rng.integers(0, 2, 480)
    found = attribute_inference(released(a, 1.2, rng), a, task=task, permutations=2)
    assert found.auc.n == 12 and found.information.n == 12
    assert 0.5 < found.auc.low < found.auc.value < found.auc.high <= 1
    assert found.information.low > 0 and found.information.high < found.entropy
    assert found.null_auc.value < found.auc.low


def test_a_task_without_one_of_the_values_has_no_auc() -> None:
    rng = np.random.default_rng(5)
    task, a = np.repeat(np.arange(6), 30), rng.integers(0, 2, 180)
    a[task == 2] = 0
    found = attribute_inference(released(a, 1.0, rng), a, task=task, permutations=2)
    assert found.notes == ("AUC over 5 of 6 tasks: the others hold too few records of a value.",) and found.auc.n == 5 and found.information.n == 6


def test_three_values_are_read_as_well() -> None:
    rng = np.random.default_rng(6)
    a = rng.integers(0, 3, 900)
    found = attribute_inference(released(a, 2.0, rng), a, permutations=4)
    assert found.auc.low > 0.8 and found.information.low > 0.2 and found.entropy == pytest.approx(math.log(3), abs=0.01)
    assert found.null_auc.low <= 0.5 <= found.null_auc.high


def test_a_person_is_never_on_both_sides() -> None:
    """Ten records of each person are recognisable by the output, but persons' attributes are coin flips: only leaking persons would find them."""
    rng = np.random.default_rng(7)
    person = np.repeat(np.arange(40), 10)
    a = rng.integers(0, 2, 40)[person]
    z = 4.0 * rng.normal(size=(40, 4))[person] + 0.01 * rng.normal(size=(400, 4))
    p = np.exp(z) / np.exp(z).sum(1, keepdims=True)
    leaking = attribute_inference(p, a, adversary="boosting", permutations=0)
    honest = attribute_inference(p, a, person=person, adversary="boosting", permutations=3)
    assert leaking.auc.value > 0.9  # what would be claimed if records were taken for persons
    assert honest.auc.low <= 0.5 <= honest.auc.high and honest.information.low == 0.0 and honest.auc.n == 40


def test_unknown_and_rare_values_are_left_out_and_said() -> None:
    rng = np.random.default_rng(8)
    a = rng.integers(0, 2, 300)
    p = released(a, 1.0, rng)
    plain = attribute_inference(p, a, permutations=2)
    more = np.concatenate([a, np.full(50, -1), np.full(4, 7)])
    found = attribute_inference(np.concatenate([p, released(np.zeros(54, dtype=int), 9.0, rng)]), more, permutations=2)
    assert found.auc == plain.auc and found.information == plain.information and found.null_auc == plain.null_auc
    assert found.notes == ("50 of 354 records have an unknown attribute and are left out.", "The attribute's value 7 has 4 people, but at least 10 are needed; left out.")


@pytest.mark.parametrize("a", [np.full(30, -1), np.zeros(30, dtype=int), np.r_[np.zeros(25, dtype=int), np.ones(5, dtype=int)]])
def test_too_few_of_a_value_is_not_resolved(a: np.ndarray) -> None:
    found = attribute_inference(np.full((30, 2), 0.5), a)
    for m in (found.auc, found.information, found.null_auc, found.null_information):
        assert not m.resolved and m.note.startswith("not resolved: two values of the attribute with at least 10 people each are needed")
    assert math.isnan(found.entropy)


def test_records_of_few_people_are_not_many_people() -> None:
    rng = np.random.default_rng(9)
    person = np.repeat(np.arange(8), 50)
    assert not attribute_inference(released(person % 2, 1.0, rng), person % 2, person=person).auc.resolved


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 5), st.sampled_from(["constant", "sure", "rounded", "mixed"]))
def test_awkward_outputs_give_numbers_within_bounds(seed: int, classes: int, kind: str) -> None:
    rng = np.random.default_rng(seed)
    a = rng.permutation(np.arange(60) % 3)
    p = {"constant": np.full((60, classes), 1 / classes), "sure": np.eye(classes)[rng.integers(0, classes, 60)],
         "rounded": np.eye(classes)[rng.integers(0, classes, 60)] * 0.5 + 0.5 / classes, "mixed": rng.dirichlet(np.full(classes, 0.05), 60)}[kind]
    found = attribute_inference(p, a, permutations=1, seed=seed)
    assert 0 <= found.auc.low <= found.auc.value <= found.auc.high <= 1
    assert 0 <= found.information.low <= found.information.value <= found.information.high and found.information.value <= found.entropy + 1e-9
    if kind == "constant":
        assert found.information.value < 1e-3


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 4))
def test_auc_equals_counting_pairs_within_folds(seed: int, values: int) -> None:
    rng = np.random.default_rng(seed)
    a, fold, weight = rng.integers(0, values, 25), rng.integers(0, 3, 25), rng.integers(0, 3, (2, 25)).astype(float)
    q = np.round(rng.random((25, values)), 1)
    found = _auc(q, a, fold, weight)
    for b in range(2):
        each = []
        for v in range(values) if values > 2 else (1,):
            wins = pairs = 0.0
            for i in np.flatnonzero(a == v):
                for j in np.flatnonzero((a != v) & (fold == fold[i])):
                    w = weight[b, i] * weight[b, j]
                    pairs += w
                    wins += w * ((q[i, v] > q[j, v]) + 0.5 * (q[i, v] == q[j, v]))
            each.append(wins / pairs if pairs else math.nan)
        np.testing.assert_allclose(found[b], np.mean(each), rtol=1e-9)


@pytest.mark.parametrize(("change", "words"), [
    ({"probabilities": np.full((20, 2), 0.4)}, "Row 0 of probabilities .* add up to 1"), ({"probabilities": np.tile([2.0, -1.0], (20, 1))}, "not negative"),
    ({"probabilities": np.full((20, 2), np.nan)}, "finite"), ({"probabilities": np.full(20, 0.5)}, r"shape \(20,\)"), ({"probabilities": np.ones((20, 1))}, "two classes"),
    ({"probabilities": np.ones((0, 2))}, "at least one record"), ({"attribute": np.zeros(19, dtype=int)}, r"attribute is int64 \(19,\)"),
    ({"attribute": np.full(20, -2)}, "whole number from 0, or -1"), ({"attribute": np.zeros(20)}, "attribute is float64"),
    ({"person": np.zeros(3, dtype=int)}, "person is"), ({"task": np.zeros(20)}, "task is float64"), ({"adversary": "oracle"}, "adversary is 'oracle'"), ({"permutations": -1}, "permutations -1"),
])
def test_bad_input_is_named(change: dict[str, Any], words: str) -> None:
    given: dict[str, Any] = {"probabilities": np.full((20, 2), 0.5), "attribute": np.arange(20) % 2, **change}
    with pytest.raises(DataError, match=words):
        attribute_inference(**given)


def test_equal_seeds_agree_and_the_import_is_light() -> None:
    rng = np.random.default_rng(10)
    a = rng.integers(0, 2, 100)
    p = released(a, 0.5, rng)
    assert attribute_inference(p, a, permutations=2, seed=3) == attribute_inference(p, a, permutations=2, seed=3)
    code = "import mrp_core.audit.attribute, sys; print([m for m in ('torch', 'sklearn') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
