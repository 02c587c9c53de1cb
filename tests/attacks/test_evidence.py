"""Evidence is checked at the border: each bad input is one sentence with the array, its shape and the rule."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from mrp_core.audit import evidence, evidence_of_target, run_attacks
from mrp_core.errors import DataError
from tests.attacks.made import made

RNG = np.random.default_rng(0)
Z = RNG.normal(size=(4, 6, 3))
P = np.exp(Z) / np.exp(Z).sum(-1, keepdims=True)
Y = np.array([0, 1, 2, 0, 1, 2])
K = np.array([[1, 1, 1, 0, 0, 0], [0, 0, 0, 1, 1, 1], [1, 0, 1, 0, 1, 0], [1, 1, 0, 0, 0, 1]], bool)


def with_nan(a: np.ndarray) -> np.ndarray:
    out = a.copy()
    out[1, 2, 0] = np.nan
    return out


def test_what_is_left_out_is_filled_in() -> None:
    made_evidence = evidence(Z, Y, K.astype(int))
    assert made_evidence.keep.dtype == np.bool_ and made_evidence.labels.dtype == np.int64
    np.testing.assert_array_equal(made_evidence.twin, [1, 0, 2, 3])
    np.testing.assert_array_equal(made_evidence.targets, np.arange(4))
    leading = evidence(np.stack([Z, Z + 1]), Y, K)
    assert leading.labels.shape == (2, 6) and leading.keep.shape == (2, 4, 6)
    several = evidence(np.stack([Z, Z]), Y, np.stack([K, K[[0, 2, 1, 3]]]))
    np.testing.assert_array_equal(several.twin, np.arange(4), err_msg="complements in one task only are none")


def test_twins_are_found_in_pairs_even_among_equal_rows() -> None:
    rows = np.array([[1, 0], [0, 1], [1, 0], [0, 1], [1, 0], [1, 1]], bool)
    twin = evidence(RNG.normal(size=(6, 2, 2)), np.array([0, 1]), rows).twin
    np.testing.assert_array_equal(twin[twin], np.arange(6))
    assert (twin[:4] != np.arange(4)).all() and (twin[4:] == [4, 5]).all()


def test_infinite_logits_and_numbers_of_other_types_are_taken() -> None:
    z = Z.copy()
    z[0, 0, 0], z[1, 1] = np.inf, -np.inf
    assert np.isinf(evidence(z, Y, K).logits).sum() == 4
    assert evidence(Z.astype(np.float32), Y.astype(np.uint8), K).logits.dtype == np.float64
    assert evidence(np.log(P), Y, K).logits.shape == Z.shape
    assert evidence(Z.tolist(), Y.tolist(), K.tolist()).keep.shape == K.shape


BAD: list[tuple[dict[str, Any], str]] = [
    ({"logits": Z[0]}, r"logits has the shape \(6, 3\), but must be \[\.\.\., models, records, classes\]"),
    ({"logits": Z[..., :1]}, r"logits has the shape \(4, 6, 1\), .* at least two classes"),
    ({"logits": Z[:, :0]}, r"none of them empty"),
    ({"logits": with_nan(Z)}, r"logits \(4, 6, 3\) holds 1 NaN, the first at \(1, 2, 0\)"),
    ({"logits": P}, r"logits \(4, 6, 3\) are probabilities .* pass np\.log\(p\)"),
    ({"logits": P.astype(np.float32)}, r"are probabilities"),
    ({"logits": np.eye(3)[np.tile(Y, (4, 1))]}, r"are probabilities"),
    ({"logits": [["a"]]}, r"logits can't be read as an array of numbers"),
    ({"logits": np.ones((4, 6, 3))}, r"the same for every record \(constant scores\)"),
    ({"labels": Y[:5]}, r"labels is int64 \(5,\), but must hold whole numbers of the shape \[6\]"),
    ({"labels": Y.astype(float)}, r"labels is float64"),
    ({"labels": np.int64(1)}, r"labels is int64 \(\)"),
    ({"labels": Y + 1}, r"labels \(6,\) runs from 1 to 3, but must lie in 0 \.\. 2: there are 3 classes, counted from 0"),
    ({"labels": Y - 1}, r"runs from -1 to 1"),
    ({"keep": K[:, :5]}, r"keep has the shape \(4, 5\), but must fit \[4, 6\]"),
    ({"keep": K[0]}, r"keep has the shape \(6,\)"),
    ({"keep": K[None, None]}, r"keep has the shape \(1, 1, 4, 6\)"),
    ({"keep": K + 1}, r"keep is int64 \(4, 6\), but must hold True and False only"),
    ({"keep": Z[..., 0]}, r"keep is float64"),
    ({"keep": np.ones((4, 6), bool)}, r"keep \(4, 6\) have no non-members"),
    ({"keep": np.zeros((4, 6), bool)}, r"keep \(4, 6\) have no members"),
    ({"twin": [1, 2, 3, 0]}, r"twin must pair the 4 models"),
    ({"twin": [1, 0]}, r"twin must pair the 4 models"),
    ({"twin": [1, 0, 2, 9]}, r"twin is int64 \(4,\), but must list models by number, 0 \.\. 3"),
    ({"targets": [0, 0]}, r"targets is int64 \(2,\).* at most once"),
    ({"targets": [4]}, r"targets .* 0 \.\. 3"),
    ({"targets": []}, r"targets"),
    ({"population": Z}, r"population and population_labels belong together"),
    ({"population_labels": Y}, r"population and population_labels belong together"),
    ({"population": P, "population_labels": Y}, r"population \(4, 6, 3\) are probabilities"),
    ({"population": Z[:3], "population_labels": Y}, r"population has the shape \(3, 6, 3\), but must fit \[4, 6, 3\]"),
    ({"population": Z, "population_labels": Y[:5]}, r"population_labels is int64 \(5,\)"),
    ({"features": Z[0, :5]}, r"features has the shape \(5, 3\), but must fit \[6, 3\]"),
    ({"features": with_nan(Z)[1]}, r"features \(6, 3\) must hold finite numbers only"),
    ({"features": 3.0}, r"features"),
    ({"population_features": Z[0]}, r"population_features go with population and features"),
    ({"features": Z[0], "population": Z, "population_labels": Y, "population_features": Z[0, :, :2]}, r"population_features has the shape \(6, 2\)"),
    ({"noisy_labels": np.zeros((4, 5, 2), int)}, r"noisy_labels has the shape \(4, 5, 2\), but must fit \[4, 6, 2\]"),
    ({"noisy_labels": np.full((4, 6, 2), 3)}, r"noisy_labels \(4, 6, 2\) runs from 3 to 3"),
]


@pytest.mark.parametrize(("bad", "message"), BAD)
def test_bad_input_is_one_sentence(bad: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message) as error:
        evidence(**{"logits": Z, "labels": Y, "keep": K, **bad})
    assert "\n" not in str(error.value) and re.search(r"[.:)]$|inhomogeneous|float", str(error.value)) is not None


def test_one_target_is_model_0_and_its_shadows_have_no_twins() -> None:
    made_evidence = evidence_of_target(Z[0], Z[1:], K[1:], Y, member=K[0], population=Z[1, :5], population_labels=Y[:5], features=Z[2], population_features=Z[3, :5],
                                       noisy_labels=np.zeros((6, 7), int))
    np.testing.assert_array_equal(made_evidence.logits, Z)
    np.testing.assert_array_equal(made_evidence.keep, K)
    np.testing.assert_array_equal(made_evidence.twin, np.arange(4))
    np.testing.assert_array_equal(made_evidence.targets, [0])
    assert made_evidence.population is not None and made_evidence.noisy_labels is not None
    assert made_evidence.population.shape == (4, 5, 3) and made_evidence.noisy_labels.shape == (4, 6, 7)
    np.testing.assert_array_equal(made_evidence.population[0], Z[1, :5])


def test_several_targets_are_judged_one_by_one_and_are_not_each_others_shadows() -> None:
    whole = made(1, models=12, records=50)
    target, member = whole.logits[:3], whole.keep[:3]
    together = run_attacks(evidence_of_target(target, whole.logits[6:9], whole.keep[6:9], whole.labels, member=member))
    for i in range(3):
        alone = run_attacks(evidence_of_target(target[i], whole.logits[6:9], whole.keep[6:9], whole.labels, member=member[i]))
        for name, scores in alone.scores.items():
            np.testing.assert_allclose(together.scores[name][i], scores, rtol=1e-9, atol=1e-9, err_msg=name)
            assert together.results[name].auc[i] == pytest.approx(float(alone.results[name].auc), abs=1e-12)


BAD_TARGET: list[tuple[dict[str, Any], str]] = [
    ({"target_logits": Z[0, 0]}, r"target_logits has the shape \(3,\), but must be \[records, classes\] or \[targets, records, classes\]"),
    ({"target_logits": P[0]}, r"target_logits \(6, 3\) are probabilities"),
    ({"shadow_logits": P[1:]}, r"shadow_logits \(3, 6, 3\) are probabilities"),
    ({"shadow_logits": with_nan(Z)[1:]}, r"shadow_logits \(3, 6, 3\) holds 1 NaN"),
    ({"shadow_logits": Z[1:, :5], "keep": K[1:, :5]}, r"shadow_logits have the shape \(3, 5, 3\), but must be \[shadows, 6, 3\]"),
    ({"keep": K}, r"keep has the shape \(4, 6\), but must fit \[3, 6\]"),
    ({"keep": None}, r"shadow_logits and keep belong together"),
    ({"keep": np.ones((3, 6), bool)}, r"keep \(3, 6\) has no non-members: every shadow"),
    ({"member": np.ones(6, bool)}, r"rows of keep \(1, 6\) have no non-members"),
    ({"member": np.zeros(6, bool)}, r"rows of keep \(1, 6\) have no members"),
    ({"member": K[0, :4]}, r"member has the shape \(4,\)"),
    ({"target_logits": np.ones((6, 3))}, r"the same for every record"),
    ({"population": Z[1, :5], "population_labels": Y}, r"population_labels is int64 \(6,\)"),
    ({"noisy_labels": Y}, r"one row per record"),
]


@pytest.mark.parametrize(("bad", "message"), BAD_TARGET)
def test_bad_input_about_a_target_is_one_sentence(bad: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        evidence_of_target(**{"target_logits": Z[0], "shadow_logits": Z[1:], "keep": K[1:], "labels": Y, "member": K[0], **bad})
