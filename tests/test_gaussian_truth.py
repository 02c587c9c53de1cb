"""Closed forms against Monte Carlo, limits and values that are known otherwise."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import logsumexp, ndtr
from scipy.stats import norm

from mrp_core.errors import ConfigError
from mrp_core.gaussian_truth import channel_information, linear_score

NATS = math.log(2)


def plane(degrees: float) -> np.ndarray[Any, Any]:
    return np.array([math.cos(math.radians(degrees)), math.sin(math.radians(degrees))])


@pytest.mark.parametrize(("theta", "alpha", "sigma"), [(30, 70, 0.5), (10, 10, 0.0), (60, 0, 2.0), (90, 90, 1.0)])
def test_monte_carlo_agrees(theta: float, alpha: float, sigma: float) -> None:
    rng, n = np.random.default_rng(1), 200_000
    u, v, w = plane(theta), plane(0), plane(alpha)
    y, s = rng.choice([-1, 1], (2, n))
    x = 2.0 * y[:, None] * u + s[:, None] * v + rng.standard_normal((n, 2))
    z = x @ w + sigma * rng.standard_normal(n)
    spread = math.hypot(1, sigma)
    given_both = lambda a, b: norm.logpdf(z, a * 2 * (w @ u) + b * (w @ v), spread)  # noqa: E731
    of_s = [logsumexp([given_both(1, b), given_both(-1, b)], axis=0) - NATS for b in (1, -1)]
    of_y = [logsumexp([given_both(a, 1), given_both(a, -1)], axis=0) - NATS for a in (1, -1)]
    whole = logsumexp(of_s, axis=0) - NATS
    found = linear_score(w, u, v, sigma)
    assert found.accuracy == pytest.approx((np.sign(z) == y).mean(), abs=0.004)
    assert found.attack == pytest.approx((np.where(of_s[0] > of_s[1], 1, -1) == s).mean(), abs=0.005)
    assert found.sensitive_mi == pytest.approx((np.where(s > 0, *of_s) - whole).mean(), abs=0.005)
    assert found.label_mi == pytest.approx((np.where(y > 0, *of_y) - whole).mean(), abs=0.008)
    if sigma:
        assert found.record_mi == pytest.approx((norm.logpdf(z, x @ w, sigma) - whole).mean(), abs=0.01)
    else:
        assert found.record_mi == math.inf


@pytest.mark.parametrize("theta", [0.0, 20.0, 90.0])
def test_the_whole_accuracy_at_the_task_direction(theta: float) -> None:
    c = math.cos(math.radians(theta))
    assert linear_score(plane(theta), plane(theta), plane(0), 0).accuracy == pytest.approx((ndtr(2 + c) + ndtr(2 - c)) / 2, rel=1e-12)


def test_across_the_sensitive_direction_nothing_leaks() -> None:
    found = linear_score(plane(90), plane(40), plane(0), 0.3)
    assert found.sensitive_mi == pytest.approx(0, abs=1e-12)
    assert found.attack == pytest.approx(0.5, abs=1e-12)


def test_means_far_apart_cost_no_precision() -> None:
    found = linear_score(plane(0), plane(0), plane(0), 0, task_scale=1e9, sensitive_scale=1e3)
    assert (found.accuracy, found.attack, found.sensitive_mi, found.label_mi) == pytest.approx((1.0, 1.0, NATS, NATS))


def test_best_accuracy_under_a_cap_on_the_leak() -> None:
    """Reference values for 30°, from a search over all directions and noises with a finer quadrature: 0.933 at 0.05 nats, 0.943 without a cap."""
    found = [linear_score(plane(a), plane(30), plane(0), s) for a in range(20, 70, 2) for s in (0.0, 0.3, 0.6)]
    assert max(f.accuracy for f in found) == pytest.approx(0.943, abs=0.002)
    assert max(f.accuracy for f in found if f.sensitive_mi <= 0.05) == pytest.approx(0.933, abs=0.004)


@given(st.lists(st.floats(-50, 50), min_size=3, max_size=3), st.floats(0, 90), st.floats(0.01, 100))
def test_values_keep_their_bounds(w: list[float], theta: float, sigma: float) -> None:
    found = linear_score(w, [*plane(theta), 0.0], [1.0, 0.0, 0.0], sigma)
    assert 0 <= found.accuracy <= 1
    assert 0.5 - 1e-9 <= found.attack <= 1 + 1e-9
    assert found.sensitive_mi <= NATS + 1e-9
    assert max(found.sensitive_mi, found.label_mi) <= found.record_mi + 1e-7
    assert found.sensitive_mi >= 2 * (found.attack - 0.5) ** 2 - 1e-6  # Pinsker
    covariance = np.eye(3) + 4 * np.outer(u := np.array([*plane(theta), 0.0]), u) + np.outer(v := np.eye(3)[0], v)
    assert found.record_mi <= channel_information([w], covariance, sigma) + 1e-7  # a normal x of the same covariance tells most


def test_a_channel_of_one_output_is_the_textbook_formula() -> None:
    assert channel_information([[2.0]], [[3.0]], 1.5) == pytest.approx(math.log1p(12 / 2.25) / 2)
    assert channel_information(np.eye(3), np.diag([1.0, 4.0, 0.0]), 0.5) == pytest.approx((math.log(5) + math.log(17)) / 2)


def test_a_channel_agrees_with_monte_carlo() -> None:
    rng = np.random.default_rng(2)
    w, root = rng.standard_normal((2, 3)), rng.standard_normal((3, 3))
    x = rng.standard_normal((100_000, 3)) @ root.T
    noise = 0.7 * rng.standard_normal((100_000, 2))
    z = x @ w.T + noise
    cov = w @ root @ root.T @ w.T + 0.49 * np.eye(2)
    density = -np.einsum("ni,ij,nj->n", z, np.linalg.inv(cov), z) / 2 - np.linalg.slogdet(cov)[1] / 2
    given_x = -(noise**2).sum(1) / 0.98 - math.log(0.49)
    assert channel_information(w, root @ root.T, 0.7) == pytest.approx((given_x - density).mean(), abs=0.02)


def test_without_noise_a_record_is_told_without_end() -> None:
    assert channel_information([[1.0]], [[1.0]], 0.0) == math.inf
    assert channel_information([[0.0]], [[1.0]], 0.0) == 0.0


@pytest.mark.parametrize("sigma", [-1.0, math.nan, math.inf])
def test_bad_noise_is_one_sentence(sigma: float) -> None:
    for call in (lambda: linear_score([1.0], [1.0], [1.0], sigma), lambda: channel_information([[1.0]], [[1.0]], sigma)):
        with pytest.raises(ConfigError, match=r"^The noise is .*\.$"):
            call()


@pytest.mark.parametrize("w", [[0.0], [math.nan], [math.inf]])
def test_a_score_that_is_no_random_number_is_one_sentence(w: list[float]) -> None:
    with pytest.raises(ConfigError, match=r"^The weights have length .*\.$"):
        linear_score(w, [1.0], [1.0], 0.0)
