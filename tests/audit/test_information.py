"""Information estimators: closed forms, naive delete-one loops, bias, bounds."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score

from mrp_core.audit import (
    accuracy_f1,
    channel_information,
    confusion,
    deterministic_information,
    noisy_scores_information,
    one_hot,
    sampled_label_information,
)
from mrp_core.errors import DataError


def entropy(p: NDArray[np.float64]) -> float:
    p = p[p > 0]
    return -float((p * np.log(p)).sum())


def plug_in(p: NDArray[np.float64], y: NDArray[np.int64], share: dict[int, float]) -> tuple[float, float]:
    """Total and task information with given class weights."""
    whole = sum(w * p[y == c].mean(0) for c, w in share.items())
    inner = sum(w * np.mean([entropy(q) for q in p[y == c]]) for c, w in share.items())
    return entropy(whole) - inner, entropy(whole) - sum(w * entropy(p[y == c].mean(0)) for c, w in share.items())


def naive(p: NDArray[np.float64], y: NDArray[np.int64], stratified: bool) -> tuple[float, float]:
    n = len(p)
    shares = lambda y: {int(c): float(np.mean(y == c)) for c in np.unique(y)}  # noqa: E731
    theta = np.array(plug_in(p, y, shares(y)))
    out = theta.copy()
    for i in range(n):
        rest = np.arange(n) != i
        size = int((y == y[i]).sum()) if stratified else n
        if size > 1:
            out += (size - 1) / size * (theta - plug_in(p[rest], y[rest], shares(y) if stratified else shares(y[rest])))
    total = min(max(out[0], 0.0), math.log(p.shape[1]))
    return total, min(max(out[1], 0.0), total)


@pytest.mark.parametrize("stratified", [True, False])
def test_closed_form_equals_deleting_one_record_at_a_time(stratified: bool) -> None:
    rng = np.random.default_rng(0)
    p = rng.dirichlet([0.5, 1.0, 2.0], size=(2, 4, 17))
    y = rng.integers(0, 3, (2, 1, 17))
    y[0, 0, 0], y[0, 0, 1:] = 2, y[0, 0, 1:] % 2  # a class with one record only
    got = channel_information(p, y, stratified=stratified)
    for i, j in np.ndindex(2, 4):
        want = naive(p[i, j], y[i, 0], stratified)
        assert (got.total[i, j], got.task[i, j]) == pytest.approx(want, abs=1e-12)
        assert got.excess[i, j] == pytest.approx(want[0] - want[1], abs=1e-12)
    strata = np.broadcast_to(y, (2, 4, 17)) if stratified else None
    np.testing.assert_allclose(sampled_label_information(p, strata), got.total, atol=1e-12)


def test_pieces_do_not_change_the_figures() -> None:
    rng = np.random.default_rng(1)
    p, y = rng.dirichlet(np.ones(5), size=(3, 4, 20, 100)), np.tile(np.repeat(np.arange(5), 20), (3, 4, 1, 1))
    got = channel_information(p, y)
    shared = np.repeat(np.arange(5), 20)[None, None, None]
    np.testing.assert_allclose(sampled_label_information(p, shared), got.total, atol=1e-13)
    for one in (channel_information(p[1, 2], y[1, 2]), channel_information(p[1, 2], y[1, 2, 0])):
        np.testing.assert_allclose(got.total[1, 2], one.total, atol=1e-13)
        np.testing.assert_allclose(got.task[1, 2], one.task, atol=1e-13)


def test_known_channels() -> None:
    y = np.repeat(np.arange(4), 25)
    sure = channel_information(one_hot(y, 4), y)
    assert (float(sure.total), float(sure.task)) == pytest.approx((math.log(4), math.log(4)))
    blind = channel_information(np.full((100, 4), 0.25), y)
    assert (float(blind.total), float(blind.task)) == pytest.approx((0, 0), abs=1e-12)
    e = 0.3
    symmetric = np.where(one_hot(y, 4) > 0, 1 - e, e / 3)
    want = math.log(4) + (1 - e) * math.log(1 - e) + e * math.log(e / 3)
    assert float(channel_information(symmetric, y).total) == pytest.approx(want)
    flipped = one_hot(np.tile(np.arange(2), 50), 2)  # tells the record's parity, nothing about the label
    assert float(channel_information(flipped, np.repeat(np.arange(2), 50)).excess) == pytest.approx(math.log(2), abs=0.02)


@pytest.mark.parametrize("concentration", [0.5, 1.0, 3.0])
def test_jackknife_bias_is_below_five_thousandths_at_thirty_records(concentration: float) -> None:
    rng = np.random.default_rng(2)
    c, n = 5, 30
    alpha = np.full(c, concentration)
    many = rng.dirichlet(alpha, size=200_000)
    truth = math.log(c) - float(-(many * np.log(np.maximum(many, 1e-300))).sum(-1).mean())
    p = rng.dirichlet(alpha, size=(15_000, n))
    estimate = sampled_label_information(p)
    plain = -(p.mean(1) * np.log(p.mean(1))).sum(-1) + (p * np.log(np.maximum(p, 1e-300))).sum(-1).mean(-1)
    error = float(estimate.mean()) - truth
    assert abs(error) <= 0.005
    assert abs(float(plain.mean()) - truth) > 3 * abs(error)


def test_stratified_draws_need_the_stratified_correction() -> None:
    rng = np.random.default_rng(3)
    y = np.repeat(np.arange(5), 6)
    alpha = 0.6 + 6.0 * one_hot(np.arange(5), 5)
    draws = np.stack([rng.dirichlet(alpha[c], size=(10_000, 6)) for c in range(5)], 1).reshape(10_000, 30, 5)
    many = np.concatenate([rng.dirichlet(alpha[c], size=60_000) for c in range(5)])
    truth = math.log(5) + float((many * np.log(np.maximum(many, 1e-300))).sum(-1).mean())
    truth_task = math.log(5) - 1.0 * np.mean([entropy(alpha[c] / alpha[c].sum()) for c in range(5)])
    got = channel_information(draws, y)
    assert abs(float(got.total.mean()) - truth) <= 0.005
    assert abs(float(got.task.mean()) - truth_task) <= 0.005
    assert float(sampled_label_information(draws).mean()) - truth > 0.03


@settings(max_examples=80, deadline=None)
@given(arrays(np.float64, (7, 3), elements=st.floats(0, 1e6)), arrays(np.int64, 7, elements=st.integers(0, 2)), st.booleans())
def test_bounds_always_hold(raw: NDArray[np.float64], y: NDArray[np.int64], stratified: bool) -> None:
    p = (raw + 1e-12) / (raw + 1e-12).sum(-1, keepdims=True)
    got = channel_information(p, y, stratified=stratified)
    assert 0 <= got.task <= got.total <= math.log(3) and got.excess >= 0


def naive_noisy(f: NDArray[np.float64], noise: float, e: NDArray[np.float64]) -> tuple[float, float]:
    lower, upper, n = [], [], len(f)
    for d in range(len(e)):
        for i in range(n):
            z = f[i] + noise * e[d, i]
            density = np.exp(-((z - f) ** 2).sum(-1) / (2 * noise**2))
            lower.append(math.log(density[i] / density.mean()))
            upper.append(math.log(density[i] / np.delete(density, i).mean()))
    return float(np.mean(lower)), float(np.mean(upper))


def test_noisy_scores_equal_the_textbook_sums() -> None:
    rng = np.random.default_rng(4)
    f, y = rng.normal(size=(3, 12, 4)), rng.integers(0, 4, (3, 12))
    got = noisy_scores_information(f, y, 0.8, draws=5, seed=9)
    e = np.random.default_rng(9).standard_normal((5, 12, 4))
    for i in range(3):
        lower, upper = naive_noisy(f[i], 0.8, e)
        assert (got.total[i], got.high[i]) == pytest.approx((lower, upper), abs=1e-10)


def test_noisy_bounds_enclose_the_gaussian_closed_form_and_saturation_is_flagged() -> None:
    rng = np.random.default_rng(5)
    f, y = rng.normal(size=(1500, 1)), rng.integers(0, 2, 1500)
    truth = 0.5 * math.log(1 + 1 / 0.7**2)  # X ~ N(0, 1), Z = X + N(0, 0.7^2)
    got = noisy_scores_information(f, y, 0.7, draws=4)
    assert float(got.total) == pytest.approx(truth, abs=0.02) and float(got.high) == pytest.approx(truth, abs=0.02)
    assert got.total <= got.high and not got.capped and float(got.task) < 0.01
    exact = noisy_scores_information(f[:50], y[:50], 1e-4)
    assert exact.capped and float(exact.total) == pytest.approx(math.log(50), abs=0.3)
    assert float(exact.task) == pytest.approx(entropy(np.bincount(y[:50]) / 50), abs=0.05)
    assert np.isfinite(noisy_scores_information(f[:50] * 1e6, y[:50], 1e-3).high)


def test_rounded_scores_and_their_cap() -> None:
    y = np.repeat(np.arange(2), 8)
    released = np.stack([one_hot(y, 2), np.round(np.random.default_rng(6).random((16, 2)), 6)])
    got = deterministic_information(released, y)
    np.testing.assert_allclose(got.total, [math.log(2), math.log(16)])
    np.testing.assert_allclose(got.task, [math.log(2), math.log(2)])
    assert got.capped.tolist() == [False, True]


@pytest.mark.parametrize("missing", [False, True])
def test_hard_labels_score_as_in_scikit_learn(missing: bool) -> None:
    rng = np.random.default_rng(7)
    y, z = rng.integers(0, 4, (5, 30)), rng.integers(0, 4, (5, 30))
    if missing:
        y, z = np.minimum(y, 2), np.minimum(z, 2)
    counts = confusion(one_hot(z, 4), y)
    accuracy, f1 = accuracy_f1(counts)
    for i in range(5):
        np.testing.assert_array_equal(counts[i], confusion_matrix(y[i], z[i], labels=range(4)))
        assert accuracy[i] == pytest.approx(accuracy_score(y[i], z[i]))
        assert f1[i] == pytest.approx(f1_score(y[i], z[i], average="macro"))


def test_expected_counts_are_the_mean_over_sampled_labels() -> None:
    rng = np.random.default_rng(8)
    p, y = rng.dirichlet(np.ones(3), size=20), rng.integers(0, 3, 20)
    z = (rng.random((20_000, 20, 1)) > p.cumsum(-1)).sum(-1)
    np.testing.assert_allclose(confusion(p, y), confusion(one_hot(z, 3), y).mean(0), atol=0.06)
    assert accuracy_f1(confusion(p, y))[0] == pytest.approx(p[np.arange(20), y].mean())


@pytest.mark.parametrize("call", [
    lambda: sampled_label_information(np.zeros((0, 3))),
    lambda: sampled_label_information(np.zeros(3)),
    lambda: channel_information(np.full((4, 2), 0.5), np.zeros(4)),
    lambda: channel_information(np.full((4, 2), 0.5), np.array([0, 1, 0])),
    lambda: channel_information(np.full((4, 2), 0.5), np.array([0, 1, 0, -1])),
    lambda: channel_information(np.full((3, 4, 2), 0.5), np.zeros((2, 4), int)),
    lambda: sampled_label_information(np.full((3, 4, 2), 0.5), np.zeros((2, 4), int)),
    lambda: confusion(np.full((4, 2), 0.5), np.array([0, 1, 0, 2])),
    lambda: noisy_scores_information(np.zeros((4, 2)), np.zeros(4, int), 0.0),
    lambda: noisy_scores_information(np.zeros((1, 2)), np.zeros(1, int), 1.0),
])
def test_bad_input_is_refused(call: object) -> None:
    with pytest.raises(DataError):
        call()  # type: ignore[operator]
