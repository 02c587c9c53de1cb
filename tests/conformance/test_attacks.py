"""What every attack must keep to, whichever files lie in its package."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from mrp_core.attacking import Evidence
from mrp_core.audit import attack_result
from mrp_core.errors import DataError
from mrp_core.registry import plugins
from mrp_core.results import interval
from tests.attacks.made import made

ATTACKS: dict[str, Any] = plugins("attacks")
NEEDS = {"shadows", "population", "noisy_labels", "features"}
# Attacks that see nothing but whether the top label is right, or how often: coarse, but not blind.
COARSE = {"label_only_gap": 0.6, "label_only_noise": 0.65}


def test_the_registry_holds_the_attacks_of_the_field() -> None:
    assert set(ATTACKS) >= {
        "loss_threshold", "confidence", "entropy", "modified_entropy", "attack_p", "attack_r", "shadow_classifier", "quantile_regression", "lira_online",
        "lira_online_per_record", "lira_online_t", "lira_offline", "lira_offline_per_record", "lira_offline_t", "rmia_online", "rmia_offline",
        "label_only_gap", "label_only_noise",
    }
    assert len({a.title for a in ATTACKS.values()}) == len({a.order for a in ATTACKS.values()}) == len(ATTACKS)


@pytest.mark.parametrize("name", ATTACKS)
def test_every_attack_says_what_it_is(name: str) -> None:
    attack = ATTACKS[name]
    assert attack.name == name and name.isidentifier()
    assert 3 <= len(attack.title) <= 40
    assert attack.summary[-1] in ".!" and len(attack.summary) <= 140
    assert attack.source.split()[-1].isdigit() and "Source:" in str(type(attack).__doc__)
    assert attack.needs <= NEEDS and isinstance(attack.labels_only, bool) and isinstance(attack.decides, bool)
    assert (attack.shadows > 0) == ("shadows" in attack.needs)
    with pytest.raises(dataclasses.FrozenInstanceError):
        attack.name = "other"


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_needs_what_it_declares_and_nothing_else(name: str) -> None:
    attack, whole = ATTACKS[name], made(1, targets=np.array([3]))
    optional = {"population": ("population", "population_labels", "population_features"), "features": ("features", "population_features"), "noisy_labels": ("noisy_labels",)}
    bare = dataclasses.replace(whole, **{field: None for need, fields in optional.items() if need not in attack.needs for field in fields})
    if "shadows" not in attack.needs:
        bare = without_shadows(bare)
    np.testing.assert_array_equal(attack.score(bare), attack.score(whole))
    for need in attack.needs:
        lacking = without_shadows(whole) if need == "shadows" else dataclasses.replace(whole, **{need: None})
        with pytest.raises(DataError, match=attack.title.split(",")[0].replace("(", r"\(").replace(")", r"\)")):
            attack.score(lacking)


def without_shadows(evidence: Evidence) -> Evidence:
    """The only target alone."""
    of = lambda a, axis: None if a is None else np.take(a, evidence.targets, axis)  # noqa: E731
    return dataclasses.replace(
        evidence, logits=of(evidence.logits, -3), keep=of(evidence.keep, -2), population=of(evidence.population, -3), noisy_labels=of(evidence.noisy_labels, -3),
        twin=np.array([0]), targets=np.array([0]))


@pytest.mark.parametrize("name", ATTACKS)
def test_scores_are_one_number_a_target_and_record_and_tasks_are_independent(name: str) -> None:
    whole = made(2, lead=(2, 3), models=8, records=24)
    scores = ATTACKS[name].score(whole)
    assert scores.shape == (2, 3, 8, 24) and scores.dtype == np.float64 and not np.isnan(scores).any()
    alone = dataclasses.replace(whole, **{f: getattr(whole, f)[1, 2] for f in (
        "logits", "labels", "keep", "population", "population_labels", "features", "population_features", "noisy_labels")})
    np.testing.assert_allclose(ATTACKS[name].score(alone), scores[1, 2], rtol=1e-9, atol=1e-9)
    some = dataclasses.replace(alone, targets=np.array([6, 1]))
    assert ATTACKS[name].score(some).shape == (2, 24)
    if name != "shadow_classifier":  # whose folds hold the targets that there are
        np.testing.assert_allclose(ATTACKS[name].score(some), scores[1, 2, [6, 1]], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", ATTACKS)
def test_a_score_knows_nothing_of_the_targets_own_membership(name: str) -> None:
    whole = made(3, models=10, records=30)
    for targets in (np.array([4]), np.arange(10)):
        before = dataclasses.replace(whole, targets=targets)
        keep = whole.keep.copy()
        keep[[4, 9]] = ~keep[[4, 9]]
        after = dataclasses.replace(before, keep=keep)
        row = targets.tolist().index(4)
        np.testing.assert_allclose(ATTACKS[name].score(after)[row], ATTACKS[name].score(before)[row], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", [n for n, a in ATTACKS.items() if "shadows" in a.needs])
def test_a_twin_is_no_shadow(name: str) -> None:
    whole = made(4, models=10, records=30, targets=np.array([4]))
    logits = whole.logits.copy()
    logits[9] = np.random.default_rng(0).normal(size=logits[9].shape)
    np.testing.assert_allclose(ATTACKS[name].score(dataclasses.replace(whole, logits=logits)), ATTACKS[name].score(whole), rtol=1e-7, atol=1e-7)
    assert not np.allclose(ATTACKS[name].score(dataclasses.replace(whole, logits=logits, twin=np.arange(10))), ATTACKS[name].score(whole))


@pytest.mark.parametrize("name", ATTACKS)
def test_a_constant_added_to_a_rows_logits_and_the_numbering_of_classes_do_not_matter(name: str) -> None:
    whole = made(5, models=8, records=24)
    assert whole.population is not None and whole.population_labels is not None and whole.noisy_labels is not None
    scores, rng = ATTACKS[name].score(whole), np.random.default_rng(0)
    moved = dataclasses.replace(whole, logits=whole.logits + rng.normal(0, 30, (8, 24, 1)), population=whole.population + rng.normal(0, 30, (8, 48, 1)))
    np.testing.assert_allclose(ATTACKS[name].score(moved), scores, rtol=1e-6, atol=1e-6)
    turned = dataclasses.replace(
        whole, logits=whole.logits[..., ::-1], labels=3 - whole.labels, population=whole.population[..., ::-1], population_labels=3 - whole.population_labels,
        noisy_labels=3 - whole.noisy_labels)
    np.testing.assert_allclose(ATTACKS[name].score(turned), scores, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", [n for n, a in ATTACKS.items() if a.labels_only])
def test_a_label_only_attack_sees_top_labels_only(name: str) -> None:
    whole = made(6)
    np.testing.assert_array_equal(ATTACKS[name].score(dataclasses.replace(whole, logits=3.0 * whole.logits + 1.0)), ATTACKS[name].score(whole))


@pytest.mark.parametrize("name", ATTACKS)
def test_infinite_logits_are_ranked(name: str) -> None:
    """Members' labels at +inf and some others' at -inf are the clearest signal of all; with a row of equal infinities thrown in."""
    whole = made(7, models=12, records=40)
    logits, label = whole.logits.copy(), whole.labels[None, :, None] == np.arange(4)
    rows = (np.random.default_rng(0).random((12, 40)) < 0.5)[..., None] & label
    logits[rows & whole.keep[..., None]] = np.inf
    logits[rows & ~whole.keep[..., None]] = -np.inf
    logits[5, :2] = np.inf
    logits[6, :2] = -np.inf
    scores = ATTACKS[name].score(dataclasses.replace(whole, logits=logits))
    assert not np.isnan(scores).any()
    low = {"confidence": 0.6, "entropy": 0.6}.get(name, COARSE.get(name, 0.8))
    assert attack_result(scores, whole.keep).auc > low


NASTY = st.one_of(st.sampled_from([0.0, -0.0, np.inf, -np.inf, 1e308, -1e308, 1e-308, 710.0, -746.0, 1.0]), st.floats(allow_nan=False, width=64))


@pytest.mark.parametrize("name", ATTACKS)
@settings(max_examples=25, deadline=None, derandomize=True)
@given(arrays(np.float64, (6, 5, 3), elements=NASTY), arrays(np.float64, (6, 24, 3), elements=NASTY))
def test_any_logits_give_scores_that_can_be_ranked(name: str, logits: NDArray[np.float64], population: NDArray[np.float64]) -> None:
    whole = made(11, models=6, records=12, classes=3)
    assert whole.labels is not None and whole.features is not None and whole.noisy_labels is not None
    awkward = dataclasses.replace(whole, logits=logits, population=population, labels=whole.labels[:5], keep=whole.keep[:, :5], features=whole.features[:5],
                                  noisy_labels=whole.noisy_labels[:, :5])
    assert not np.isnan(ATTACKS[name].score(awkward)).any()


@pytest.mark.parametrize("name", ATTACKS)
def test_membership_that_is_not_used_is_not_found(name: str) -> None:
    whole = made(8, lead=(12, 2), models=12, records=40, effect=0.0)
    result = attack_result(ATTACKS[name].score(whole), whole.keep)
    auc = interval(result.auc, level=0.99)
    assert auc.low <= 0.5 <= auc.high and auc.high - auc.low < 0.06
    assert np.nanmean(result.at(0.01)) < 0.02


@pytest.mark.parametrize("name", ATTACKS)
def test_a_real_signal_is_found(name: str) -> None:
    whole = made(9, models=24, records=200)
    scores = ATTACKS[name].score(whole)
    assert attack_result(scores, whole.keep).auc > COARSE.get(name, 0.7)
    if ATTACKS[name].decides:
        result = attack_result(scores, whole.keep)
        assert result.information > 0.02, "0 is a threshold of its own"


@pytest.mark.parametrize("name", ATTACKS)
def test_scores_are_the_same_each_time(name: str) -> None:
    whole = made(10, models=8, records=20)
    first: NDArray[np.float64] = ATTACKS[name].score(whole)
    np.testing.assert_array_equal(ATTACKS[name].score(whole), first)
