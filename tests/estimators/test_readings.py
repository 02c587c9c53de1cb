"""Each estimator against a naive loop or a closed form, and what it must not do."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.special import digamma, xlogy

from mrp_core.audit import noisy_scores_information, sampled_label_information
from mrp_core.critics import critic_scores
from mrp_core.errors import DataError
from mrp_core.estimating import Estimate, Sample
from mrp_core.estimators import club, infonce, ksg, smile
from mrp_core.mi_truth import cases, dirichlet_information, gaussian_information
from mrp_core.reading import reading
from mrp_core.registry import plugins

ESTIMATORS = plugins("estimators")
CASES = {case.name: case for case in cases()}


def read(name: str, sample: Sample, **options: bool) -> Estimate:
    return ESTIMATORS[name].estimate(sample, **options)


# ---- sampled label ----

def test_the_sampled_label_is_the_audit_s_and_its_interval_a_naive_jackknife_s() -> None:
    sample = CASES["dirichlet"].draw(60, 0)
    p = sample.probabilities
    assert p is not None
    made = read("sampled_label", sample)
    assert made.value == pytest.approx(float(sampled_label_information(p)))

    def plug_in(rows: NDArray[np.float64]) -> float:
        return float(xlogy(rows, rows).sum(-1).mean() - xlogy(rows.mean(0), rows.mean(0)).sum())

    without = np.array([plug_in(np.delete(p, i, 0)) for i in range(60)])
    error = math.sqrt(59 / 60 * ((without - without.mean()) ** 2).sum())
    assert made.value - made.low == pytest.approx(2.001 * error, rel=0.1)


@pytest.mark.parametrize(("classes", "concentration"), [(10, 0.05), (10, 0.1), (5, 0.2), (5, 1.0), (2, 0.5)])
def test_bias_at_thirty_records(classes: int, concentration: float) -> None:
    truth = dirichlet_information(concentration, classes)
    p = np.random.default_rng(classes).dirichlet(np.full(classes, concentration), (4000, 30))
    mean = p.mean(1)
    plain = float((xlogy(p, p).sum(-1).mean(-1) - xlogy(mean, mean).sum(-1)).mean())
    bias = float(sampled_label_information(p).mean()) - truth
    assert abs(bias) <= 0.005
    assert plain - truth < -0.008
    if concentration == 0.05:
        assert plain - truth == pytest.approx(-0.103, abs=0.005)


def test_the_sampled_label_s_interval_covers() -> None:
    case = CASES["logistic"]
    made = [read("sampled_label", case.draw(100, seed)) for seed in range(200)]
    assert np.mean([e.low <= case.truth <= e.high for e in made]) >= 0.92


# ---- noisy scores ----

@pytest.mark.parametrize("records", [30, 100])
@pytest.mark.parametrize("name", [n for n, c in CASES.items() if c.draw(2, 0).means is not None])
def test_the_sandwich_holds_the_truth(name: str, records: int) -> None:
    """The mean bounds enclose it, up to what 40 samples can tell, and the two intervals enclose it as often as their level says."""
    case = CASES[name]
    samples = [case.draw(records, 1000 * records + seed) for seed in range(40)]
    lower, upper = ([read(f"noisy_scores_{side}", sample) for sample in samples] for side in ("lower", "upper"))
    low, high = (np.array([e.value for e in bounds]) for bounds in (lower, upper))
    assert low.mean() - 3 * low.std() / math.sqrt(40) <= case.truth <= high.mean() + 3 * high.std() / math.sqrt(40)
    assert (low <= high).all() and (low <= math.log(records)).all()
    assert sum(a.low <= case.truth <= b.high for a, b in zip(lower, upper, strict=True)) >= 35


def test_noisy_scores_are_the_audit_s() -> None:
    sample = CASES["wide"].draw(50, 0)
    assert sample.means is not None
    found = noisy_scores_information(sample.means, np.zeros(50, dtype=np.int64), sample.noise, draws=8, seed=0)
    assert read("noisy_scores_lower", sample).value == pytest.approx(float(found.total))
    assert read("noisy_scores_upper", sample).value == pytest.approx(float(found.high))


def test_the_interval_of_a_noisy_bound_covers_its_mean() -> None:
    made = [read("noisy_scores_lower", CASES["rho_09"].draw(60, seed)) for seed in range(100)]
    middle = np.mean([e.value for e in made])
    assert np.mean([e.low <= middle <= e.high for e in made]) >= 0.9


# ---- nearest neighbours ----

def naive_ksg(x: NDArray[np.float64], z: NDArray[np.float64], k: int) -> float:
    n, total = len(x), 0.0
    for i in range(n):
        apart_x, apart_z = np.abs(x - x[i]).max(-1), np.abs(z - z[i]).max(-1)
        both = np.delete(np.maximum(apart_x, apart_z), i)
        reach = np.sort(both)[k - 1]
        total += digamma((apart_x < reach).sum()) + digamma((apart_z < reach).sum())
    return float(digamma(k) + digamma(n) - total / n)


@pytest.mark.parametrize(("dimensions", "k"), [(1, 3), (2, 1), (3, 5)])
def test_nearest_neighbours_equal_the_naive_loop(dimensions: int, k: int) -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((80, dimensions))
    z = x[:, :1] + rng.standard_normal((80, 2))
    assert ksg.nearest(x, z, k) == pytest.approx(naive_ksg(x, z, k), abs=1e-12)


@pytest.mark.parametrize("name", ["rho_0", "rho_03", "rho_06", "rho_09", "family_label", "sign"])
def test_nearest_neighbours_are_good_in_one_dimension(name: str) -> None:
    made = [read("ksg", CASES[name].draw(400, seed)) for seed in range(6)]
    assert np.mean([e.value for e in made]) == pytest.approx(CASES[name].truth, abs=0.05)
    assert sum(e.low <= CASES[name].truth <= e.high for e in made) >= 5


def test_nearest_neighbours_in_two_dimensions_a_side() -> None:
    rng = np.random.default_rng(1)
    x, e = rng.standard_normal((2, 1000, 2))
    made = read("ksg", Sample(x=x, z=0.6 * x + 0.8 * e))
    assert made.low <= gaussian_information(0.6, 2) <= made.high


def test_nearest_neighbours_fail_where_they_are_said_to() -> None:
    """Heavy tails and many dimensions: too low, by far more than the interval."""
    heavy = [read("ksg", CASES["cauchy"].draw(500, seed)).value for seed in range(6)]
    assert np.mean(heavy) < CASES["cauchy"].truth - 0.05
    wide = read("ksg", CASES["wide"].draw(400, 0))
    assert wide.high < 0.4 * CASES["wide"].truth and any("too low" in text for text in wide.notes)


def test_equal_points_and_identity_stay_below_the_cap() -> None:
    x = np.repeat(np.arange(10.0), 10)[:, None]
    for z in (x, np.ones_like(x)):
        made = read("ksg", Sample(x=x, z=z))
        assert made.low <= made.value <= made.high <= made.cap
    line = np.linspace(0, 1, 300)[:, None]
    sure = read("ksg", Sample(x=line, z=line))
    assert sure.saturated and sure.value <= sure.cap


# ---- critics ----

def naive_infonce(f: NDArray[np.float64]) -> float:
    return float(np.mean([f[i, i] - math.log(np.exp(f[i]).mean()) for i in range(len(f))]))


def naive_smile(f: NDArray[np.float64], clip: float) -> float:
    k = len(f)
    others = [math.exp(min(max(f[i, j], -clip), clip)) for i in range(k) for j in range(k) if i != j]
    return float(np.diagonal(f).mean() - math.log(np.mean(others)))


def naive_club(f: NDArray[np.float64]) -> float:
    return float(np.mean([f[i, i] - f[i, j] for i in range(len(f)) for j in range(len(f))]))


@pytest.mark.parametrize(("fast", "slow"), [
    (infonce.bound, naive_infonce),
    (lambda f: smile.clipped(f, 2.0), lambda f: naive_smile(f, 2.0)),
    (club.contrast, naive_club),
])
def test_values_and_pseudo_values_equal_leaving_pairs_out(fast: Callable[..., tuple[float, NDArray[np.float64]]], slow: Callable[..., float]) -> None:
    f = 2.0 * np.random.default_rng(3).standard_normal((15, 15)) + 2 * np.eye(15)
    value, pseudo = fast(f)
    assert value == pytest.approx(slow(f), abs=1e-12)
    for i in range(15):
        rest = np.delete(np.delete(f, i, 0), i, 1)
        assert pseudo[i] == pytest.approx(15 * slow(f) - 14 * slow(rest), abs=1e-9)


def test_infonce_of_any_scores_is_below_log_k() -> None:
    for size in (0.0, 1.0, 1e3):
        f = size * (np.eye(30) + np.random.default_rng(4).standard_normal((30, 30)) / 10)
        value, pseudo = infonce.bound(f)
        assert value <= math.log(30) + 1e-12 and np.isfinite(pseudo).all()


def test_equal_seeds_give_equal_scores_and_leave_the_callers_settings_alone() -> None:
    sample = CASES["rho_09"].draw(120, 0)
    torch.manual_seed(7)
    before, threads = torch.random.get_rng_state(), torch.get_num_threads()
    scores = [critic_scores(sample.x, sample.z, infonce._loss, seed) for seed in (1, 1, 2)]
    np.testing.assert_array_equal(scores[0], scores[1])
    assert not np.array_equal(scores[0], scores[2])
    assert scores[0].shape == (60, 60) and np.isfinite(scores[0]).all()
    assert torch.equal(torch.random.get_rng_state(), before) and torch.get_num_threads() == threads


@pytest.mark.parametrize("name", ["infonce", "smile"])
def test_critics_find_what_there_is(name: str) -> None:
    case = CASES["rho_09"]
    made = read(name, case.draw(1000, 0))
    assert made.low <= case.truth <= made.high + 0.1 and made.value > 0.6
    label = read(name, CASES["dirichlet"].draw(1000, 0))
    assert 0.5 * CASES["dirichlet"].truth < label.value < CASES["dirichlet"].truth + 0.1


def test_infonce_saturates_and_says_so() -> None:
    made = read("infonce", CASES["large"].draw(1000, 0))
    assert made.saturated and made.cap == pytest.approx(math.log(500)) and made.cap - 0.3 < made.value <= made.cap
    assert CASES["large"].truth > 5 * made.value and any("at least" in text for text in made.notes)


@pytest.mark.slow
@pytest.mark.parametrize("name", list(CASES))
def test_infonce_is_a_lower_bound_on_average(name: str) -> None:
    case = CASES[name]
    made = [read("infonce", case.draw(400, seed)) for seed in range(3)]
    error = np.std([e.value for e in made]) / math.sqrt(3)
    assert np.mean([e.value for e in made]) <= case.truth + 2.5 * error + 0.02
    assert all(e.value <= e.cap for e in made)


# ---- CLUB ----

@pytest.mark.parametrize("rho", [0.1, 0.3, 0.9, 0.999])
def test_club_is_no_meter(rho: float) -> None:
    """Exactly rho² / (1 - rho²) with the true conditional: twice the truth at small rho, and over 100 times at large."""
    x, e = np.random.default_rng(5).standard_normal((2, 4000, 1))
    noise = math.sqrt(1 - rho * rho)
    made = read("club", Sample(x=x, z=rho * x + noise * e, means=rho * x, noise=noise))
    exact, truth = rho * rho / (1 - rho * rho), gaussian_information(rho)
    half = (made.high - made.low) / 2
    assert made.kind == "penalty" and abs(made.value - exact) <= 2 * half
    assert exact / truth > (100 if rho == 0.999 else 1.9)
    if rho == 0.1:
        assert exact / truth == pytest.approx(2, abs=0.05)


def test_club_with_a_fitted_conditional_is_near_the_one_with_the_true() -> None:
    sample = CASES["rho_06"].draw(1000, 0)
    fitted = read("club", dataclasses.replace(sample, means=None, noise=0.0))
    assert fitted.value == pytest.approx(0.36 / 0.64, abs=0.2)


# ---- histogram ----

def test_histogram_of_labels_is_miller_madow() -> None:
    rng = np.random.default_rng(6)
    x = rng.integers(0, 3, (400, 1)).astype(float)
    z = np.where(rng.random((400, 1)) < 0.7, x, rng.integers(0, 3, (400, 1)))

    def entropy(rows: NDArray[np.float64]) -> float:
        counts = np.unique(rows, axis=0, return_counts=True)[1]
        return -sum(c / 400 * math.log(c / 400) for c in counts) + (len(counts) - 1) / 800

    assert read("histogram", Sample(x=x, z=z)).value == pytest.approx(entropy(x) + entropy(z) - entropy(np.hstack([x, z])), abs=1e-12)


def test_a_histogram_near_its_cap_means_at_least_only_where_bins_make_the_cap() -> None:
    line = np.linspace(0, 1, 200)[:, None]
    assert read("histogram", Sample(x=line, z=line)).saturated
    two = (line > 0.5).astype(float)
    made = read("histogram", Sample(x=two, z=two))
    assert made.cap - 0.01 < made.value <= made.cap == pytest.approx(math.log(2)) and not made.saturated


@pytest.mark.parametrize("name", ["rho_0", "rho_06", "sign", "logistic"])
def test_histogram_checks_low_dimensions(name: str) -> None:
    made = [read("histogram", CASES[name].draw(1000, seed)) for seed in range(10)]
    assert np.mean([e.value for e in made]) == pytest.approx(CASES[name].truth, abs=0.03)


# ---- intervals ----

def test_a_reading_keeps_within_floor_and_cap() -> None:
    noise = np.random.default_rng(7).standard_normal(50)
    for value in (-1.0, 0.0, 0.5, 2.0, 9.0):
        made = reading(value, noise, kind="estimate", cap=2.0, floor=0.0)
        assert 0 <= made.low <= made.value <= made.high <= 2.0
        assert made.saturated == (value > 1.7)
    open_ended = reading(-0.1, noise, kind="estimate")
    assert open_ended.value == -0.1 and open_ended.cap == math.inf and not open_ended.saturated
    assert not reading(2.0, noise, kind="estimate", cap=2.0, at_least=False).saturated


def test_noise_that_does_not_fit_is_found() -> None:
    sample = CASES["rho_06"].draw(200, 0)
    with pytest.raises(DataError, match=r"standard deviation of 0\.8"):
        read("noisy_scores_lower", dataclasses.replace(sample, noise=0.4))
