"""LiRA against a naive reimplementation, its invariances, and its behaviour with few shadows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy import stats

from mrp_core.audit import attack_result, evidence, lira, lira_online, loss_threshold
from mrp_core.audit.membership import Variance
from mrp_core.errors import DataError

VARIANCES: tuple[Variance, ...] = ("pooled", "per_record", "student_t")


def halves(rng: np.random.Generator, tasks: int, r: int, n: int) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    half = rng.random((tasks, r // 2, n)).argsort(-1) < n // 2
    return np.concatenate([half, ~half], axis=1), (np.arange(r) + r // 2) % r


def draw(rng: np.random.Generator, tasks: int, r: int, n: int, shift: float = 1.0) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.int64]]:
    keep, twin = halves(rng, tasks, r, n)
    phi = rng.normal(0, 2, (tasks, 1, n)) + shift * np.exp(0.5 * rng.normal(size=(tasks, 1, n))) * keep + rng.normal(size=keep.shape)
    return phi, keep, twin


def naive(phi: NDArray[np.float64], keep: NDArray[np.bool_], twin: NDArray[np.int64], variance: Variance) -> NDArray[np.float64]:
    """One target at a time, shadows picked by hand."""
    out = np.zeros(phi.shape)
    r = len(twin)
    for t in range(r):
        shadows = [s for s in range(r) if s not in (t, twin[t])]
        for sign, side in ((1, keep), (-1, ~keep)):
            groups = [phi[[s for s in shadows if side[s, x]], x] for x in range(phi.shape[1])]
            out[t] += sign * np.array(naive_side(phi[t], groups, variance))
    return out


def naive_side(target: NDArray[np.float64], groups: list[NDArray[np.float64]], variance: Variance) -> list[float]:
    freedom = np.array([max(len(g) - 1, 0) for g in groups])
    squares = np.array([((g - g.mean()) ** 2).sum() for g in groups])
    pooled = squares.sum() / freedom.sum()
    means = np.array([g.mean() for g in groups])
    if variance == "pooled":
        return [float(stats.norm.logpdf(a, m, np.sqrt(pooled))) for a, m in zip(target, means, strict=True)]
    if variance == "per_record":
        return [float(stats.norm.logpdf(a, m, np.sqrt(s / f))) for a, m, s, f in zip(target, means, squares, freedom, strict=True)]
    n = np.array([len(g) for g in groups])
    between = max(means.var(ddof=1) - pooled * np.mean(1 / n), pooled / 1000)
    kappa = pooled / between
    d = (freedom**2).sum() / freedom.sum()
    cv = (freedom * (squares / freedom / pooled - 1) ** 2).sum() / freedom.sum()
    excess = (cv + 1) / (1 + 2 / d) - 1
    nu = 4 + 2 / excess if excess > 0.002 else 1000.0
    out = []
    for a, m, s, k in zip(target, means, squares, n, strict=True):
        scale = (nu * pooled + s + kappa * k / (kappa + k) * (m - means.mean()) ** 2) / (nu + k)
        out.append(float(stats.t.logpdf(a, nu + k, (kappa * means.mean() + k * m) / (kappa + k), np.sqrt(scale * (kappa + k + 1) / (kappa + k)))))
    return out


@pytest.mark.parametrize("variance", VARIANCES)
def test_equals_a_loop_over_targets(variance: Variance) -> None:
    phi, keep, twin = draw(np.random.default_rng(1), 2, 12, 9)
    keep[1, 0] = np.arange(9) < 5  # sizes of the sides then differ between records
    keep[1, 6] = ~keep[1, 0]
    got = lira_online(phi, keep, twin, variance)
    for t in range(2):
        np.testing.assert_allclose(got[t], naive(phi[t], keep[t], twin, variance), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("variance", VARIANCES)
def test_equals_the_loop_without_complements(variance: Variance) -> None:
    rng = np.random.default_rng(2)
    phi, keep = rng.normal(size=(16, 6)), np.stack([rng.permutation(16) < 8 for _ in range(6)], 1)
    alone = np.arange(16)
    np.testing.assert_allclose(lira_online(phi, keep, alone, variance), naive(phi, keep, alone, variance), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("variance", VARIANCES)
def test_neither_the_twin_nor_the_targets_membership_is_used(variance: Variance) -> None:
    phi, keep, twin = draw(np.random.default_rng(3), 1, 10, 8)
    before = lira_online(phi, keep, twin, variance)[0, 2]
    other, swapped = phi.copy(), keep.copy()
    other[0, twin[2]] += np.linspace(-3, 3, 8)
    swapped[0, [2, twin[2]]] = ~swapped[0, [2, twin[2]]]
    np.testing.assert_allclose(lira_online(other, keep, twin, variance)[0, 2], before, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(lira_online(phi, swapped, twin, variance)[0, 2], before, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("variance", VARIANCES)
def test_shift_and_scale_do_not_matter_and_leading_axes_are_independent(variance: Variance) -> None:
    phi, keep, twin = draw(np.random.default_rng(4), 6, 16, 10)
    score = lira_online(phi, keep, twin, variance)
    np.testing.assert_allclose(lira_online(1e7 + 250 * phi, keep, twin, variance), score, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(lira_online(phi.reshape(2, 3, 16, 10), keep.reshape(2, 3, 16, 10), twin, variance), score.reshape(2, 3, 16, 10), rtol=1e-12)
    np.testing.assert_allclose(lira_online(phi[2], keep[2], twin, variance), score[2], rtol=1e-12)


@pytest.mark.parametrize("variance", VARIANCES)
@pytest.mark.parametrize("value", [0.0, 0.1, -1e-300, 1e300, np.inf])
def test_a_statistic_that_never_changes_scores_nothing(variance: Variance, value: float) -> None:
    keep, twin = halves(np.random.default_rng(5), 3, 16, 10)
    phi = np.full(keep.shape, value)
    phi[:, :, ::2] = 0.3 * np.arange(5)
    result = attack_result(lira_online(phi, keep, twin, variance), keep)
    np.testing.assert_array_equal(result.auc, 0.5)
    np.testing.assert_array_equal(result.information, 0.0)


@settings(max_examples=60, deadline=None)
@given(arrays(np.float64, (2, 6, 5), elements=st.floats(allow_nan=False, width=64)), st.sampled_from(VARIANCES))
def test_any_numbers_give_finite_scores(phi: NDArray[np.float64], variance: Variance) -> None:
    keep, twin = halves(np.random.default_rng(6), 2, 6, 5)
    assert np.isfinite(lira_online(phi, keep, twin, variance)).all()


@pytest.mark.parametrize("variance", VARIANCES)
def test_infinite_values_keep_their_order_and_nan_spoils_its_task_only(variance: Variance) -> None:
    phi, keep, twin = draw(np.random.default_rng(7), 2, 16, 10)
    phi[0, keep[0]] = np.inf
    phi[0, ~keep[0]] = np.where(np.arange(80) % 2 == 0, -np.inf, 0.0)
    assert attack_result(lira_online(phi, keep, twin, variance), keep).auc[0] == 1.0
    phi[0, 3, 3] = np.nan
    score = lira_online(phi, keep, twin, variance)
    assert np.isnan(score[0]).all() and np.isfinite(score[1]).all()


def test_four_adaptations_are_the_least_that_work() -> None:
    phi, keep, twin = draw(np.random.default_rng(8), 4, 4, 20, shift=6.0)
    for variance in VARIANCES:
        assert attack_result(lira_online(phi, keep, twin, variance), keep).auc.min() > 0.8


def test_pooled_variance_is_clearly_better_at_four_shadows_and_student_t_better_still() -> None:
    phi, keep, twin = draw(np.random.default_rng(0), 20, 6, 300)
    found = {v: attack_result(lira_online(phi, keep, twin, v), keep) for v in VARIANCES}
    auc = {v: float(a.auc.mean()) for v, a in found.items()}
    low = {v: float(a.at(0.01).mean()) for v, a in found.items()}
    assert auc["pooled"] > auc["per_record"] + 0.06 and low["pooled"] > 3 * low["per_record"]
    assert auc["student_t"] > auc["pooled"] + 0.004


def test_student_t_follows_the_records_own_variance_with_many_shadows() -> None:
    rng = np.random.default_rng(9)
    keep, twin = halves(rng, 6, 128, 100)
    phi = keep + np.exp(0.7 * rng.normal(size=(6, 1, 100))) * rng.normal(size=keep.shape)
    auc = {v: float(attack_result(lira_online(phi, keep, twin, v), keep).auc.mean()) for v in VARIANCES}
    assert auc["per_record"] > auc["pooled"] + 0.03
    assert abs(auc["student_t"] - auc["per_record"]) < 0.01


def test_with_known_gaussians_the_auc_is_the_closed_form() -> None:
    rng = np.random.default_rng(10)
    keep, twin = halves(rng, 10, 256, 40)
    phi = rng.normal(0, 3, (10, 1, 40)) + 1.0 * keep + rng.normal(size=keep.shape)
    auc = attack_result(lira_online(phi, keep, twin), keep).auc.mean()
    assert auc == pytest.approx(stats.norm.cdf(1 / np.sqrt(2)), abs=0.006)


def test_loss_threshold_is_the_log_probability_and_never_saturates_early() -> None:
    p = np.array([1e-12, 0.2, 0.5, 1 - 1e-12])
    np.testing.assert_allclose(loss_threshold(np.log(p) - np.log1p(-p)), np.log(p), rtol=1e-12, atol=1e-300)
    assert (np.diff(loss_threshold(np.array([-np.inf, -800.0, 0.0, 40.0, 700.0]))) > 0).all()


@pytest.mark.parametrize(("phi", "keep", "twin"), [
    (np.zeros((2, 5)), np.zeros((2, 5), bool), np.array([1, 0])),
    (np.zeros((4, 0)), np.zeros((4, 0), bool), np.array([2, 3, 0, 1])),
    (np.zeros((4, 5)), np.zeros((4, 5)), np.array([2, 3, 0, 1])),
    (np.zeros((4, 5)), np.zeros((4, 6), bool), np.array([2, 3, 0, 1])),
    (np.zeros((3, 4, 5)), np.zeros((2, 4, 5), bool), np.array([2, 3, 0, 1])),
    (np.zeros((4, 5)), np.zeros((4, 5), bool), np.array([1, 2, 3, 0])),
    (np.zeros((4, 5)), np.zeros((4, 5), bool), np.array([2, 3, 0])),
])
def test_bad_shapes_are_refused(phi: NDArray[np.float64], keep: NDArray[np.bool_], twin: NDArray[np.int64]) -> None:
    with pytest.raises(DataError):
        lira_online(phi, keep, twin)


def test_an_unknown_variance_is_refused() -> None:
    with pytest.raises(DataError, match="student_t"):
        lira_online(np.zeros((4, 5)), np.zeros((4, 5), bool), np.array([2, 3, 0, 1]), "median")  # type: ignore[arg-type]


@pytest.mark.parametrize("variance", VARIANCES)
def test_lira_of_an_evidence_is_that_of_its_margins_for_all_targets_or_some(variance: Variance) -> None:
    phi, keep, twin = draw(np.random.default_rng(11), 3, 12, 20)
    logits = np.stack([phi, np.zeros_like(phi)], -1)
    expected = lira_online(phi, keep, twin, variance)
    np.testing.assert_allclose(lira(evidence(logits, np.zeros(20, int), keep, twin=twin), variance), expected, rtol=1e-12, atol=1e-12)
    some = evidence(logits, np.zeros(20, int), keep, twin=twin, targets=[7, 0, 5])
    np.testing.assert_allclose(lira(some, variance), expected[:, [7, 0, 5]], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("variance", VARIANCES)
def test_offline_lira_rises_with_the_statistic_and_does_not_depend_on_shift_or_scale(variance: Variance) -> None:
    phi, keep, twin = draw(np.random.default_rng(12), 1, 12, 20)
    score = lambda p: lira(evidence(np.stack([p, np.zeros_like(p)], -1), np.zeros(20, int), keep[0], twin=twin, targets=[0]), variance, offline=True)  # noqa: E731
    first = score(phi[0])
    higher = phi[0].copy()
    higher[0] += 0.5
    assert (score(higher) > first).all()
    np.testing.assert_allclose(score(300.0 + 20.0 * phi[0]), first, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("variance", VARIANCES)
def test_a_record_without_shadows_outside_is_no_evidence_offline(variance: Variance) -> None:
    phi, keep, _twin = draw(np.random.default_rng(13), 1, 12, 20)
    keep[0, 1:, 4] = True
    made = evidence(np.stack([phi[0], np.zeros_like(phi[0])], -1), np.zeros(20, int), keep[0], twin=np.arange(12), targets=[0])
    score = lira(made, variance, offline=True)
    assert score[0, 4] == 0.0 and np.isfinite(score).all()
    with pytest.raises(DataError, match="median"):
        lira(made, "median")  # type: ignore[arg-type]
