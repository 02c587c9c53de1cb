"""ROC against scikit-learn, conventions at low FPR, membership information, the averaged curve."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn import metrics

from mrp_core.audit import FPR_GRID, attack_result, averaged_roc, membership_information, roc_curve, tpr_at
from mrp_core.errors import DataError
from mrp_core.intervals import interval

KINDS = ("continuous", "rounded", "binary", "constant", "huge")


def trials(rng: np.random.Generator, kind: str, shape: tuple[int, ...]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    keep = rng.random(shape) < 0.4
    keep[..., 0], keep[..., 1] = True, False
    s = rng.normal(size=shape) + keep
    return {"continuous": s, "rounded": np.round(s), "binary": (s > 0.5) * 1.0, "constant": s * 0, "huge": s * 1e300}[kind], keep


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("drop", [True, False])
def test_curve_is_identical_to_scikit_learn(kind: str, drop: bool) -> None:
    for seed in range(20):
        s, m = trials(np.random.default_rng(seed), kind, (int(3 + 9 * seed),))
        for got, want in zip(roc_curve(s, m, drop_intermediate=drop), metrics.roc_curve(m, s, drop_intermediate=drop), strict=True):
            np.testing.assert_array_equal(got, want)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([-1e308, -1.0, 0.0, -0.0, 5e-324, 1.0, 1.0000000000000002, 1e308]), st.booleans()), min_size=2, max_size=40))
def test_curve_is_identical_on_nasty_ties(rows: list[tuple[float, bool]]) -> None:
    s, m = np.array([r[0] for r in rows]), np.array([r[1] for r in rows])
    if m.all() or not m.any():
        with pytest.raises(DataError):
            roc_curve(s, m)
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # scikit-learn subtracts the largest from the smallest float
        want = metrics.roc_curve(m, s)
    with np.errstate(over="ignore"):
        got = roc_curve(s, m)
    for a, b in zip(got, want, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("kind", KINDS)
def test_batched_figures_equal_scikit_learn_task_by_task(kind: str) -> None:
    s, keep = trials(np.random.default_rng(0), kind, (2, 3, 6, 40))
    result = attack_result(s, keep)
    for i in np.ndindex(2, 3):
        a, m = s[i].ravel(), keep[i].ravel()
        fpr, tpr, _ = metrics.roc_curve(m, a, drop_intermediate=False)
        assert result.auc[i] == pytest.approx(metrics.roc_auc_score(m, a), abs=1e-12)
        assert result.advantage[i] == pytest.approx((tpr - fpr).max(), abs=1e-12)
        assert result.n_out[i] == (~m).sum()
        step = [tpr[fpr <= q].max() if q >= 1 / (~m).sum() else math.nan for q in FPR_GRID]
        np.testing.assert_allclose(result.tpr[i], step, rtol=1e-12)
        assert tpr_at(s, keep, 0.05)[i] == tpr[fpr <= 0.05].max()
        np.testing.assert_allclose([result.decision_tpr[i], result.decision_fpr[i]], [(a[m] > 0).mean(), (a[~m] > 0).mean()])


def test_low_rates_are_steps_and_not_resolved_below_one_non_member() -> None:
    # 100 non-members at 0 .. 99; members above all of them (3), tied with the best (1), below (6)
    s = np.concatenate([np.arange(100.0), [200, 201, 202, 99, *[-1.0] * 6]])[None]
    keep = (np.arange(110) >= 100)[None]
    result = attack_result(s, keep)
    assert float(result.at(0.01)) == 0.4
    assert float(tpr_at(s, keep, 0.0199)) == 0.4
    assert math.isnan(result.at(0.001)) and math.isnan(tpr_at(s, keep, 0.0099))
    assert result.note(0.001) == "not resolved, needs at least 1000 non-members"
    assert result.note(0.01) == ""


def test_a_rate_equal_to_a_whole_number_of_non_members_is_not_lost_to_rounding() -> None:
    for n in (100, 300, 700, 1100, 2900, 1000):
        s = np.concatenate([np.arange(n), np.arange(n) + 0.5])[None]
        keep = (np.arange(2 * n) >= n)[None]
        assert float(attack_result(s, keep).at(0.01)) == pytest.approx((n // 100 + 1) / n), n


def test_grid_holds_the_reported_rates_exactly() -> None:
    assert {0.001, 0.01, 0.1, 1.0} <= set(FPR_GRID.tolist()) and len(FPR_GRID) == 49 and (np.diff(FPR_GRID) > 0).all()
    with pytest.raises(DataError, match="not on the grid"):
        attack_result(np.zeros((2, 2)), np.eye(2, dtype=bool)).at(0.02)
    with pytest.raises(ValueError, match="read-only"):
        FPR_GRID[0] = 1


def test_bits_of_a_perfect_attack_a_coin_and_a_published_point() -> None:
    assert float(membership_information(1.0, 0.0)) == pytest.approx(math.log(2))
    assert float(membership_information(0.0, 1.0)) == pytest.approx(math.log(2))
    np.testing.assert_allclose(membership_information(FPR_GRID, FPR_GRID), 0, atol=1e-15)
    # binary symmetric channel with crossover 0.11 has capacity 0.5 bits (Cover & Thomas, section 7.1.4)
    assert float(membership_information(0.89, 0.11)) / math.log(2) == pytest.approx(0.5, abs=1e-3)
    table = np.array([[0.3, 0.2], [0.1, 0.4]])
    want = sum(table[i, j] * math.log(table[i, j] / (table[i].sum() * table[:, j].sum())) for i in (0, 1) for j in (0, 1))
    assert float(membership_information(0.6, 0.2)) == pytest.approx(want)


def test_nan_scores_and_empty_sides_are_not_resolved() -> None:
    s, keep = np.random.default_rng(0).normal(size=(3, 4, 10)), np.tile(np.arange(10) < 5, (3, 4, 1))
    s[0, 1, 2] = np.nan
    keep[1] = True
    result = attack_result(s, keep)
    for a in (result.auc, result.advantage, result.information, result.decision_tpr):
        assert np.isnan(a).tolist() == [True, True, False]
    assert np.isnan(result.tpr[:2]).all() and np.isnan(tpr_at(s, keep, 0.5)[:2]).all()


@pytest.mark.parametrize("shape", [(5, 12), (1, 12), (3, 1)])
def test_averaged_curve_equals_the_mean_and_the_interval_of_its_points(shape: tuple[int, int]) -> None:
    tpr = np.random.default_rng(1).random((*shape, 49))
    mean, low, high = averaged_roc(tpr)
    for g in (0, 16, 48):
        one = interval(tpr[..., g], low=0.0, high=1.0)
        assert (mean[g], low[g], high[g]) == pytest.approx((one.value, one.low, one.high), abs=1e-12)


def test_averaged_curve_leaves_unresolved_rates_and_lone_values_without_a_band() -> None:
    tpr = np.random.default_rng(2).random((2, 3, 49))
    tpr[1, 2, :5] = np.nan
    mean, low, _ = averaged_roc(tpr)
    assert np.isnan(mean[:5]).all() and np.isfinite(mean[5:]).all() and np.isfinite(low[5:]).all()
    mean, low, high = averaged_roc(tpr[:1, :1])
    np.testing.assert_array_equal(mean, tpr[0, 0])
    assert np.isnan(low).all() and np.isnan(high).all()


@pytest.mark.parametrize("call", [
    lambda: attack_result(np.zeros(4), np.zeros(4, bool)),
    lambda: attack_result(np.zeros((2, 0)), np.zeros((2, 0), bool)),
    lambda: attack_result(np.zeros((2, 3)), np.zeros((2, 4), bool)),
    lambda: tpr_at(np.zeros((2, 3)), np.zeros((2, 3), bool), 0.0),
    lambda: tpr_at(np.zeros((2, 3)), np.zeros((2, 3), bool), math.nan),
    lambda: roc_curve(np.array([0.0, math.nan]), np.array([True, False])),
])
def test_bad_input_is_refused(call: object) -> None:
    with pytest.raises(DataError):
        call()  # type: ignore[operator]
