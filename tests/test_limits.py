"""Limits against closed forms, brute force and simulated attackers; the releases that need no training."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mrp_core.audit import channel_information, roc_curve, sampled_label_information
from mrp_core.errors import DataError
from mrp_core.limits import DPLimit, fano, label_rate_distortion, rate_distortion_marginal, rate_distortion_release, temperature_release


def test_fano_is_its_textbook_formula() -> None:
    a = np.linspace(0, 1, 101)
    for c in (2, 3, 5, 64):
        e = 1 - a
        with np.errstate(divide="ignore", invalid="ignore"):
            h = np.nan_to_num(-e * np.log(e)) + np.nan_to_num(-a * np.log(a))
        want = np.where(a > 1 / c, math.log(c) - h - e * math.log(c - 1), 0)
        np.testing.assert_allclose(fano(a, c), want, atol=1e-12)
    assert fano(0.5, 5).shape == () and float(fano(1.0, 5)) == pytest.approx(math.log(5))


def blahut_arimoto(prior: NDArray[np.float64], s: float) -> tuple[float, float]:
    """Accuracy and information of the optimal channel at slope ln s, by 20,000 plain iterations."""
    r = np.full(len(prior), 1 / len(prior))
    w = np.where(np.eye(len(prior)) > 0, s, 1.0)
    for _ in range(20_000):
        q = w * r / (w @ r)[:, None]
        r = prior @ q
    q = w * r / (w @ r)[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        information = np.nansum(prior[:, None] * q * np.log(q / r))
    return float((prior * np.diag(q)).sum()), float(information)


@pytest.mark.parametrize("prior", [[0.5, 0.3, 0.2], [0.7, 0.1, 0.1, 0.1], [0.25] * 4, [0.6, 0.25, 0.1, 0.04, 0.01]])
def test_rate_distortion_of_unbalanced_labels_equals_blahut_arimoto(prior: list[float]) -> None:
    pi = np.array(prior)
    for s in (1.8, 3.0, 8.0, 40.0):
        accuracy, information = blahut_arimoto(pi, s)
        if accuracy > pi.max() + 1e-6:
            assert float(label_rate_distortion(pi, accuracy)) == pytest.approx(information, abs=1e-5)


def test_rate_distortion_of_a_coin_is_its_textbook_formula() -> None:
    h = lambda p: -p * math.log(p) - (1 - p) * math.log(1 - p)  # noqa: E731
    for e in (0.01, 0.1, 0.29):  # Cover & Thomas, theorem 10.3.1: R(D) = h(p) - h(D) for D < p
        assert float(label_rate_distortion([0.3, 0.7], 1 - e)) == pytest.approx(h(0.3) - h(e))
    assert float(label_rate_distortion([0.3, 0.7], 0.7)) == 0 == float(label_rate_distortion([1.0, 0.0], 1.0))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=2, max_size=8).filter(lambda v: sum(v) > 0.01))
def test_rate_distortion_is_convex_rising_and_ends_at_the_entropy(prior: list[float]) -> None:
    a = np.linspace(0, 1, 201)
    r = label_rate_distortion(prior, a)
    pi = np.array([v for v in prior if v > 0]) / sum(prior)
    assert r[-1] == pytest.approx(-(pi * np.log(pi)).sum(), abs=1e-9)
    assert (np.diff(r) >= -1e-9).all() and (np.diff(r, 2) >= -1e-7).all()
    assert (label_rate_distortion(prior[::-1], a) == pytest.approx(r, abs=1e-9))


def test_no_sampled_channel_is_above_the_limit() -> None:
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(4), 25)
    for sharpness in (0.5, 2, 8):
        p = temperature_release(rng.normal(size=(30, 100, 4)) + sharpness * (y[:, None] == np.arange(4)), 1.0)
        accuracy = p[:, np.arange(100), y].mean(1)
        # the plug-in information of the very records whose accuracy is taken: the inequality is then exact
        mean = p.mean(1)
        plain = -(mean * np.log(mean)).sum(-1) + (p * np.log(p)).sum(-1).mean(-1)
        assert (plain >= fano(accuracy, 4) - 1e-12).all()


def test_release_is_the_fixed_point_and_batched() -> None:
    p = np.random.default_rng(1).dirichlet(np.ones(4) * 0.4, size=(2, 3, 50))
    for beta in (0.0, 0.6, 2.5, 8.0, 800.0):
        r = rate_distortion_marginal(p, beta, tolerance=1e-7, iterations=20_000)
        q = rate_distortion_release(p, beta, r)
        np.testing.assert_allclose(q.sum(-1), 1)
        np.testing.assert_allclose(q.mean(-2), r, atol=1e-5)
        np.testing.assert_allclose(rate_distortion_release(p[1, 2], beta), rate_distortion_release(p, beta)[1, 2], atol=1e-12)
    assert (rate_distortion_release(p, 800.0).argmax(-1) == p.argmax(-1)).mean() > 0.99
    np.testing.assert_allclose(rate_distortion_release(p, 0.0), 0.25)


@pytest.mark.parametrize("beta", [0.1, 0.6, 1.2, 2.5, 5.0, 50.0])
@pytest.mark.parametrize("concentration", [0.1, 0.5, 2.0])
def test_the_tolerance_is_kept_against_plain_blahut_arimoto(beta: float, concentration: float) -> None:
    p = np.random.default_rng(5).dirichlet(np.ones(5) * concentration, size=(4, 40))

    def cost(r: NDArray[np.float64]) -> NDArray[np.float64]:
        # I - beta * accuracy at the optimal channel for r, up to a constant
        return -np.log((r[..., None, :] * np.exp(beta * p)).sum(-1)).mean(-1)

    plain = np.full((4, 5), 0.2)
    w = np.exp(beta * p)
    for _ in range(3000):
        plain = plain * (w / (w @ plain[..., None])).mean(-2)
    assert (cost(rate_distortion_marginal(p, beta)) <= cost(plain) + 1e-3).all()
    assert (cost(rate_distortion_marginal(p, beta, tolerance=1e-5)) <= cost(plain) + 1e-5).all()


def test_release_beats_temperature_and_random_channels_at_equal_expected_accuracy() -> None:
    rng = np.random.default_rng(2)
    p = temperature_release(3 * rng.normal(size=(200, 5)), 1.0)

    def score(q: NDArray[np.float64]) -> tuple[float, float]:
        mean = q.mean(0)
        return float((p * q).sum(-1).mean()), float((q * np.log(q / mean)).sum(-1).mean())

    best = np.array([score(rate_distortion_release(p, b, rate_distortion_marginal(p, b, tolerance=1e-6))) for b in np.geomspace(0.1, 60, 120)])
    others = [temperature_release(np.log(p), t) for t in (0.5, 1, 1.5, 2, 3, 5)]
    others += [temperature_release(np.log(p) + rng.normal(size=p.shape), 1.5) for _ in range(20)]
    for q in others:
        accuracy, information = score(q)
        assert information >= np.interp(accuracy, best[:, 0], best[:, 1]) - 1e-3


def test_equal_gains_keep_the_golden_channel() -> None:
    # posteriors one-hot and balanced: the optimal release is the symmetric channel with accuracy e^beta / (e^beta + C - 1)
    q = rate_distortion_release(np.eye(5), 2.0)
    accuracy = math.exp(2) / (math.exp(2) + 4)
    np.testing.assert_allclose(np.diag(q), accuracy)
    information = math.log(5) + float((q * np.log(q)).sum(-1).mean())
    assert information == pytest.approx(float(fano(accuracy, 5)))


def test_temperature_of_logits_and_of_log_probabilities_agree() -> None:
    z = np.random.default_rng(3).normal(size=(7, 4)) * 50
    p = temperature_release(z, 1.0)
    with np.errstate(divide="ignore"):
        np.testing.assert_allclose(temperature_release(np.log(p), 5.0), temperature_release(z, 5.0), atol=1e-9)
    np.testing.assert_allclose(temperature_release(z, 1e9), 0.25, atol=1e-6)
    assert sampled_label_information(temperature_release(z, 2.0)) >= 0
    assert channel_information(temperature_release(z, 1.0), np.zeros(7, int)).total >= 0


@pytest.mark.parametrize(("epsilon", "delta"), [(0.0, 0.0), (0.3, 0.0), (1.0, 1e-3), (3.0, 0.05), (40.0, 0.0), (900.0, 1e-3), (math.inf, 0.0), (0.0, 1.0)])
def test_dp_limits_agree_with_their_own_curve(epsilon: float, delta: float) -> None:
    limit = DPLimit(epsilon, delta)
    f = np.unique(np.concatenate([np.linspace(0, 1, 20_001), np.geomspace(1e-12, 1, 20_001)]))
    t = limit.tpr(f)
    assert ((t >= f - 1e-12) & (t <= 1)).all() and (np.diff(t) >= -1e-12).all()
    assert limit.advantage == pytest.approx((t - f).max(), abs=1e-4)
    assert limit.auc == pytest.approx(np.trapezoid(t, f), abs=1e-4)
    assert limit.accuracy == pytest.approx((1 + limit.advantage) / 2)
    if delta == 0:
        assert limit.information <= min(epsilon, epsilon**2 / 2, math.log(2)) + 1e-15


def test_dp_limit_formulas() -> None:
    limit = DPLimit(1.0, 1e-3)
    assert limit.advantage == pytest.approx((math.e - 1 + 2e-3) / (math.e + 1))
    assert float(limit.tpr(0.01)) == pytest.approx(math.e * 0.01 + 1e-3)
    assert float(limit.tpr(0.9)) == pytest.approx(1 - (1 - 1e-3 - 0.9) / math.e)
    np.testing.assert_allclose(DPLimit(0.0).tpr(np.linspace(0, 1, 11)), np.linspace(0, 1, 11), atol=1e-15)
    assert (DPLimit(0.0).auc, DPLimit(0.0).advantage, DPLimit(0.0).information) == (0.5, 0.0, 0.0)
    assert (DPLimit(math.inf).auc, DPLimit(math.inf).advantage, DPLimit(math.inf).information) == (1.0, 1.0, math.log(2))


def test_the_best_attacker_of_randomised_response_meets_the_limit() -> None:
    # with probability delta the bit is shown, otherwise it is told truly with odds e^epsilon: the mechanism that attains the bound
    eps, delta = 1.2, 0.05
    rng = np.random.default_rng(4)
    member = rng.random(400_000) < 0.5
    truth = np.where(rng.random(member.size) < math.exp(eps) / (1 + math.exp(eps)), member, ~member)
    score = np.where(rng.random(member.size) < delta, np.where(member, 3.0, 0.0), 1.0 + truth)
    fpr, tpr, _ = roc_curve(score, member)
    limit = DPLimit(eps, delta)
    assert (tpr <= limit.tpr(fpr) + 0.005).all()
    assert (tpr - fpr).max() == pytest.approx(limit.advantage, abs=0.005)
    assert np.trapezoid(tpr, fpr) == pytest.approx(limit.auc, abs=0.005)
    joint = np.array([[np.mean(member & (score == v)) for v in range(4)], [np.mean(~member & (score == v)) for v in range(4)]])
    with np.errstate(divide="ignore", invalid="ignore"):
        information = np.nansum(joint * np.log(joint / (joint.sum(0) * joint.sum(1, keepdims=True))))
    assert information == pytest.approx(limit.information, abs=0.002)


@pytest.mark.parametrize("call", [
    lambda: fano(0.5, 1),
    lambda: fano(1.2, 3),
    lambda: fano(math.nan, 3),
    lambda: label_rate_distortion([], 0.5),
    lambda: label_rate_distortion([0.5, -0.5, 1.0], 0.5),
    lambda: label_rate_distortion([0.0, 0.0], 0.5),
    lambda: temperature_release(np.zeros((2, 2)), 0.0),
    lambda: temperature_release(np.zeros((2, 2)), math.nan),
    lambda: rate_distortion_release(np.full((2, 2), 0.5), -1.0),
    lambda: rate_distortion_release(np.full((2, 2), 0.5), math.inf),
    lambda: DPLimit(-1.0),
    lambda: DPLimit(math.nan),
    lambda: DPLimit(1.0, 2.0),
])
def test_bad_input_is_refused(call: object) -> None:
    with pytest.raises(DataError):
        call()  # type: ignore[operator]
