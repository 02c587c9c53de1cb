"""Closed forms of the test pairs against quadrature in two dimensions, Monte Carlo and each other."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import xlogy
from scipy.stats import multivariate_normal, multivariate_t, norm, t

from mrp_core.errors import ConfigError
from mrp_core.estimating import Sample
from mrp_core.gaussian_truth import channel_information, linear_score
from mrp_core.mi_truth import cases, dirichlet_information, gaussian_information, logistic_information, sign_information, student_information

CASES = {case.name: case for case in cases()}


@pytest.mark.parametrize("rho", [0.0, 0.3, -0.6, 0.9])
def test_gaussian_pair_against_its_density(rho: float) -> None:
    z = np.random.default_rng(0).multivariate_normal([0, 0], [[1, rho], [rho, 1]], 200_000)
    ratio = multivariate_normal([0, 0], [[1, rho], [rho, 1]]).logpdf(z) - norm.logpdf(z).sum(-1)
    assert gaussian_information(rho) == pytest.approx(ratio.mean(), abs=4 * ratio.std() / math.sqrt(len(z)) + 1e-12)
    noise = math.sqrt(1 - rho * rho)
    assert gaussian_information(rho, 3) == pytest.approx(channel_information(rho * np.eye(3), np.eye(3), noise), abs=1e-12)


@pytest.mark.parametrize(("rho", "freedom"), [(0.0, 1.0), (0.6, 3.0), (0.3, 8.0)])
def test_student_pair_against_its_density(rho: float, freedom: float) -> None:
    whole = multivariate_t([0, 0], [[1, rho], [rho, 1]], df=freedom, seed=1)
    z = whole.rvs(300_000)
    ratio = whole.logpdf(z) - t.logpdf(z, freedom).sum(-1)
    assert student_information(rho, freedom) == pytest.approx(ratio.mean(), abs=4 * ratio.std() / math.sqrt(len(z)))
    assert student_information(rho, 1e6) == pytest.approx(gaussian_information(rho), abs=1e-5)


@pytest.mark.parametrize(("mean", "noise"), [(1.0, 1.0), (1.0, 0.3), (0.2, 2.0), (0.0, 1.0)])
def test_sign_in_noise_is_the_label_information_of_the_family(mean: float, noise: float) -> None:
    spread = math.hypot(1.0, noise)
    family = linear_score([1.0], [1.0], [1.0], noise, task_scale=mean * spread / noise, sensitive_scale=0.0)
    assert sign_information(mean, noise) == pytest.approx(family.label_mi, abs=1e-9)


def test_sampled_labels_against_monte_carlo() -> None:
    rng = np.random.default_rng(2)
    p = rng.dirichlet(np.full(4, 0.3), 300_000)
    assert dirichlet_information(0.3, 4) == pytest.approx(math.log(4) + xlogy(p, p).sum(-1).mean(), abs=0.004)
    q = 1 / (1 + np.exp(-3 * rng.standard_normal(300_000)))
    assert logistic_information(3.0) == pytest.approx(math.log(2) + (xlogy(q, q) + xlogy(1 - q, 1 - q)).mean(), abs=0.002)
    assert logistic_information(0.0) == pytest.approx(0, abs=1e-12)
    assert logistic_information(1e4) == pytest.approx(math.log(2), abs=0.01)


@pytest.mark.parametrize("call", [lambda: gaussian_information(1.0), lambda: gaussian_information(math.nan), lambda: student_information(0.0, 0.0), lambda: student_information(2.0, 3.0)])
def test_arguments_out_of_range_are_refused(call: object) -> None:
    with pytest.raises(ConfigError):
        call()  # type: ignore[operator]


@pytest.mark.parametrize("name", CASES)
def test_a_case_draws_what_it_says(name: str) -> None:
    case = CASES[name]
    sample = case.draw(4000, 3)
    assert case.truth >= 0 and sample.x.ndim == sample.z.ndim == 2 and len(sample.x) == len(sample.z) == 4000
    again = case.draw(4000, 3)
    np.testing.assert_array_equal(again.z, sample.z)
    assert not np.array_equal(case.draw(4000, 4).z, sample.z)
    if sample.means is not None:
        assert np.mean(((sample.z - sample.means) / sample.noise) ** 2) == pytest.approx(1, abs=0.1)
    if sample.probabilities is not None:
        np.testing.assert_allclose(sample.probabilities.sum(-1), 1)
        mine = np.take_along_axis(sample.probabilities, sample.z.astype(int), 1)
        assert mine.mean() == pytest.approx((sample.probabilities**2).sum(-1).mean(), abs=0.02), "labels are drawn from the probabilities"


def test_the_family_case_has_the_family_s_spread() -> None:
    """Variance of the score: a² + b² cos² of the angle + 1 + noise², and its label decides its sign about as often as the closed form says."""
    sample: Sample = CASES["family_record"].draw(40_000, 0)
    cosine = math.cos(math.radians(40))
    assert sample.z.var() == pytest.approx(4 + cosine**2 + 2, rel=0.03)
    label = CASES["family_label"].draw(40_000, 0)
    w = np.array([cosine, math.sin(math.radians(40))])
    assert (np.sign(label.z) == label.x).mean() == pytest.approx(linear_score(w, w, [1.0, 0.0], 1.0).accuracy, abs=0.01)
