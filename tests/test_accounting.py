"""The accountant against the exact Gaussian mechanism, published figures, and its own failures."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

import mrp_core.accounting as accounting
from mrp_core.accounting import epsilon, epsilon_rdp, gaussian_epsilon, noise_multiplier
from mrp_core.errors import ConfigError


def exact_delta(eps: float, mu: float) -> float:
    """Balle & Wang 2018, theorem 8, as printed."""
    return float(norm.cdf(mu / 2 - eps / mu) - math.exp(eps) * norm.cdf(-mu / 2 - eps / mu))


@pytest.mark.parametrize("sigma", [0.25, 0.5, 1.0, 2.0, 10.0])
@pytest.mark.parametrize(("steps", "delta"), [(1, 1e-5), (3, 1e-3)])
def test_composition_is_one_gaussian_mechanism(sigma: float, steps: int, delta: float) -> None:
    published = epsilon(sigma, steps, delta)
    mu = math.sqrt(steps) / sigma
    exact = gaussian_epsilon(mu, delta)
    assert exact_delta(exact, mu) == pytest.approx(delta, rel=1e-5)
    assert published.accountant == "PLD"
    assert exact - 1e-9 <= published.epsilon <= exact + 1e-5 * (1 + exact)
    quick = epsilon_rdp(sigma, steps, delta)
    assert quick.accountant == "RDP" and published.epsilon < quick.epsilon < 1.3 * published.epsilon + 0.1


@pytest.mark.parametrize(("sigma", "rdp", "pld"), [(0.25, 47.91, 44.59), (0.5, 17.52, 15.99), (1.0, 7.00, 6.28), (2.0, 2.97, 2.63)])
def test_golden_values_at_three_steps(sigma: float, rdp: float, pld: float) -> None:
    # RDP: dp-accounting 0.6; the tight ones from the exact formula of Balle & Wang 2018
    assert epsilon_rdp(sigma, 3, 1e-3).epsilon == pytest.approx(rdp, abs=0.006)
    assert epsilon(sigma, 3, 1e-3).epsilon == pytest.approx(pld, abs=0.006)


def test_golden_value_of_the_analytic_gaussian() -> None:
    # mu = 1 has delta(eps = 1) = 0.1269 (Dong, Roth & Su 2022, equation 6)
    assert gaussian_epsilon(1.0, float(norm.cdf(-0.5) - math.e * norm.cdf(-1.5))) == pytest.approx(1.0)


@pytest.mark.parametrize("target", [0.05, 0.5, 1.0, 3.0, 7.0, 17.5, 48.0, 1000.0])
@pytest.mark.parametrize(("steps", "delta"), [(3, 1e-3), (20, 1e-7)])
def test_calibration_spends_the_budget_and_no_more(target: float, steps: int, delta: float) -> None:
    sigma = noise_multiplier(target, steps, delta)
    assert target * (1 - 1e-3) <= epsilon(sigma, steps, delta).epsilon <= target


def test_calibration_at_the_ends() -> None:
    assert noise_multiplier(math.inf, 3, 1e-3) == 0.0 == noise_multiplier(1.0, 0, 1e-3)
    assert epsilon(0.0, 3, 1e-3).epsilon == math.inf == epsilon_rdp(0.0, 3, 1e-3).epsilon
    assert epsilon(0.0, 0, 1e-3).epsilon == 0.0 == epsilon_rdp(1.0, 0, 1e-3).epsilon
    assert epsilon(1e6, 3, 1e-3).epsilon == 0.0
    assert epsilon(0.0, 3, 1e-3).accountant == "none"


@settings(max_examples=15, deadline=None)
@given(st.floats(0.1, 20), st.integers(1, 20), st.sampled_from([1e-2, 1e-5, 1e-8]))
def test_never_below_the_truth_and_rising_with_steps(sigma: float, steps: int, delta: float) -> None:
    exact = gaussian_epsilon(math.sqrt(steps) / sigma, delta)
    assert epsilon(sigma, steps, delta).epsilon >= exact - 1e-8 * (1 + exact)
    assert epsilon_rdp(sigma, steps, delta).epsilon >= exact - 1e-9
    assert epsilon_rdp(sigma, steps + 1, delta).epsilon >= epsilon_rdp(sigma, steps, delta).epsilon


@pytest.mark.parametrize("failure", [ValueError("no"), OverflowError("no"), MemoryError("no"), math.nan, math.inf, 0.5])
def test_where_the_tight_accountant_fails_rdp_is_used_and_named(failure: object, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(mu: float, delta: float) -> float:
        if isinstance(failure, Exception):
            raise failure
        assert isinstance(failure, float)
        return failure

    accounting._published.cache_clear()
    monkeypatch.setattr(accounting, "_pld_epsilon", broken)
    guarantee = epsilon(1.0, 3, 1e-3)
    accounting._published.cache_clear()
    assert guarantee.accountant == "RDP" and guarantee.epsilon == pytest.approx(7.0, abs=0.01)


def test_almost_no_noise_still_has_a_valid_guarantee() -> None:
    guarantee = epsilon(1e-4, 3, 1e-3)
    assert guarantee.epsilon >= gaussian_epsilon(math.sqrt(3) / 1e-4, 1e-3) and math.isfinite(guarantee.epsilon)


@pytest.mark.parametrize("call", [
    lambda: epsilon(-1.0, 3, 1e-3),
    lambda: epsilon(math.nan, 3, 1e-3),
    lambda: epsilon(math.inf, 3, 1e-3),
    lambda: epsilon(1.0, -1, 1e-3),
    lambda: epsilon(1.0, 1.5, 1e-3),  # type: ignore[arg-type]
    lambda: epsilon(1.0, True, 1e-3),
    lambda: epsilon_rdp(1.0, 3, 0.0),
    lambda: noise_multiplier(0.0, 3, 1e-3),
    lambda: noise_multiplier(math.nan, 3, 1e-3),
    lambda: noise_multiplier(1.0, 3, 1.0),
])
def test_bad_input_is_refused(call: object) -> None:
    with pytest.raises(ConfigError):
        call()  # type: ignore[operator]
