"""Differential-privacy accounting of the noisy adaptation, by the dp-accounting library.

One adaptation is K full-batch steps on the support set, each a Gaussian mechanism without subsampling; neighbours differ by adding or removing one record.
Such a composition is itself one Gaussian mechanism of noise multiplier sigma / sqrt(K) (Dong, Roth & Su 2022, corollary 3.3), so the exact analytic
bound (Balle & Wang 2018, theorem 8) starts the calibration and checks the accountant. The central-limit approximation is not used: it reports too little.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import numpy as np
from scipy.optimize import brentq
from scipy.special import log_ndtr

from mrp_core.errors import ConfigError

_GRID_POINTS = 40_000


@dataclass(frozen=True, kw_only=True)
class Guarantee:
    """(epsilon, delta)-differential privacy: of one adaptation, for one support record; or of a meta-training, for one of its tasks.

    Attributes:
        epsilon: Upper bound; inf without noise.
        delta: Probability with which the bound may fail.
        accountant: "PLD" (tight), "RDP" (7-20 % higher), or "none" where there is nothing to account.
        steps: Steps composed.
        noise_multiplier: Noise standard deviation / clipping norm.
        sampling: Probability with which a record takes part in a step.
    """

    epsilon: float
    delta: float
    accountant: str
    steps: int
    noise_multiplier: float
    sampling: float = 1.0


def epsilon(noise_multiplier: float, steps: int, delta: float) -> Guarantee:
    """The guarantee that is published, from the privacy loss distribution; from RDP, and so said, where that fails numerically.

    Raises:
        ConfigError: If the noise multiplier or the steps are negative, or delta isn't in (0, 1).
    """
    return _published(noise_multiplier, steps, delta)


@functools.lru_cache(maxsize=1024)
def _published(noise_multiplier: float, steps: int, delta: float) -> Guarantee:
    _check(noise_multiplier, steps, delta)
    if steps == 0 or noise_multiplier == 0:
        return _guarantee(0.0 if steps == 0 else math.inf, "none", noise_multiplier, steps, delta)
    mu = math.sqrt(steps) / noise_multiplier
    with np.errstate(all="ignore"):  # tiny noise overflows in the library; the check below then refuses the result
        value, exact = or_nan(lambda: _pld_epsilon(mu, delta)), or_nan(lambda: gaussian_epsilon(mu, delta))
    if not exact * (1 - 1e-6) - 1e-6 <= value < math.inf:
        return epsilon_rdp(noise_multiplier, steps, delta)
    return _guarantee(value, "PLD", noise_multiplier, steps, delta)


@functools.lru_cache(maxsize=4096)
def epsilon_rdp(noise_multiplier: float, steps: int, delta: float) -> Guarantee:
    """A quick guarantee by Renyi differential privacy, for a slider: valid, and 7-20 % higher than the published one.

    Raises:
        ConfigError: As :func:`epsilon`.
    """
    _check(noise_multiplier, steps, delta)
    if steps == 0 or noise_multiplier == 0:
        return _guarantee(0.0 if steps == 0 else math.inf, "none", noise_multiplier, steps, delta)
    from dp_accounting import dp_event
    from dp_accounting.rdp import rdp_privacy_accountant

    accountant = rdp_privacy_accountant.RdpAccountant()

    def spent() -> float:
        accountant.compose(dp_event.GaussianDpEvent(noise_multiplier), steps)
        return float(accountant.get_epsilon(delta))

    with np.errstate(all="ignore"):
        value = or_nan(spent)
    return _guarantee(math.inf if math.isnan(value) else value, "RDP", noise_multiplier, steps, delta)


@functools.lru_cache(maxsize=1024)
def noise_multiplier(epsilon: float, steps: int, delta: float) -> float:
    """The least noise multiplier (to 0.1 %, mostly to one in a million) whose published guarantee is at most ``epsilon``.

    It is 0.0 for an infinite epsilon or no step.

    Raises:
        ConfigError: If epsilon isn't positive, steps are negative, delta isn't in (0, 1), or no noise multiplier is found.
    """
    sigma = gaussian_noise_multiplier(epsilon, steps, delta)
    if sigma == 0.0:
        return 0.0
    for _ in range(40):
        over = _published(sigma, steps, delta).epsilon / epsilon - 1
        if over <= 0:
            return sigma
        sigma *= 1 + max(over, 1e-7)
    raise ConfigError(f"No noise multiplier was found for epsilon {epsilon:g}, delta {delta:g} and {steps} steps; take a larger epsilon or delta.")


def gaussian_noise_multiplier(epsilon: float, steps: int, delta: float) -> float:
    """:func:`noise_multiplier` by the exact formula, to one part in 100,000: for a text on a page, since it needs no accountant.

    Raises:
        ConfigError: As :func:`noise_multiplier`.
    """
    _check(0.0, steps, delta)
    if not epsilon > 0:
        raise ConfigError(f"epsilon is {epsilon!r}, but must be positive; infinity means no noise.")
    return 0.0 if math.isinf(epsilon) or steps == 0 else math.sqrt(steps) / _largest_mu(epsilon, delta)


def gaussian_epsilon(mu: float, delta: float) -> float:
    """Exact epsilon of a Gaussian mechanism with sensitivity / noise = mu (Balle & Wang 2018, theorem 8)."""
    if _gaussian_delta(0.0, mu) <= delta:
        return 0.0
    high = mu * mu / 2 + mu * (10 + math.sqrt(-2 * math.log(delta)))
    return _root(lambda e: _gaussian_delta(e, mu) - delta, 0.0, high)


def or_nan(compute: Callable[[], float]) -> float:
    """A number, or NaN where an accountant fails numerically."""
    try:
        return compute()
    except (ValueError, OverflowError, ArithmeticError, MemoryError):
        return math.nan


def _gaussian_delta(epsilon: float, mu: float) -> float:
    return math.exp(log_ndtr(mu / 2 - epsilon / mu)) - math.exp(epsilon + log_ndtr(-mu / 2 - epsilon / mu))


def _largest_mu(epsilon: float, delta: float) -> float:
    """The mu at which a Gaussian mechanism's exact epsilon is ``epsilon``."""
    high = 1.0
    while _gaussian_delta(epsilon, high) < delta:
        high *= 2
    return _root(lambda mu: _gaussian_delta(epsilon, mu) - delta, 1e-12, high)


def _root(function: Callable[[float], float], low: float, high: float) -> float:
    return cast("float", brentq(function, low, high, xtol=1e-14, rtol=1e-13))  # pyright: ignore[reportArgumentType]


def _pld_epsilon(mu: float, delta: float) -> float:
    """By the privacy loss distribution, on a grid of about equally many points whatever mu; the discretisation rounds up."""
    from dp_accounting.pld import privacy_loss_distribution

    width = mu * mu + 20 * mu
    pld = privacy_loss_distribution.from_gaussian_mechanism(1 / mu, value_discretization_interval=width / _GRID_POINTS)
    return float(pld.get_epsilon_for_delta(delta))


def _guarantee(value: float, accountant: str, sigma: float, steps: int, delta: float) -> Guarantee:
    return Guarantee(epsilon=value, delta=delta, accountant=accountant, steps=steps, noise_multiplier=sigma)


def _check(sigma: float, steps: int, delta: float) -> None:
    if not 0 <= sigma < math.inf:
        raise ConfigError(f"noise_multiplier is {sigma!r}, but must be a number from 0.")
    if isinstance(steps, bool) or int(steps) != steps or steps < 0:
        raise ConfigError(f"steps is {steps!r}, but must be a whole number from 0.")
    if not 0 < delta < 1:
        raise ConfigError(f"delta is {delta!r}, but must lie between 0 and 1.")
