"""Exact values for the gaussian family: what a linear score with noise tells about the label, the sensitive attribute and the record."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import entr, expit, ndtr

from mrp_core.errors import ConfigError

REACH, POINTS = 10.0, 2001


@dataclass(frozen=True)
class LinearScore:
    """What is known of the score z = w.x + σ ξ, ξ ~ N(0, 1), of a record x = y a u + s b v + e.

    Attributes:
        accuracy: Share of records with sign(z) = y.
        attack: Share of records for which the best guess of s from z is right; 0.5 is a coin.
        sensitive_mi: I(s; z), nats; at most log 2.
        label_mi: I(y; z), nats; at most log 2.
        record_mi: I(x; z), nats; infinite without noise.
    """

    accuracy: float
    attack: float
    sensitive_mi: float
    label_mi: float
    record_mi: float


def linear_score(w: ArrayLike, u: ArrayLike, v: ArrayLike, sigma: float, *, task_scale: float = 2.0, sensitive_scale: float = 1.0) -> LinearScore:
    """Exact values by one-dimensional quadrature.

    Given y and s, z is normal with mean y a (w.u) + s b (w.v) and variance |w|² + σ², so z is a mixture of four normals. Entropies and posteriors
    (Cover & Thomas 2006, ch. 8) are expectations over one standard normal per component, so that means far apart cost no precision.

    Args:
        w: Weights of the score, [features].
        u: Direction of the task, unit length, [features].
        v: Direction of the sensitive attribute, unit length, [features].
        sigma: Standard deviation of the score's noise, at least 0.
        task_scale: a.
        sensitive_scale: b.

    Raises:
        ConfigError: If a value isn't finite, ``sigma`` is negative, or the score is always zero.
    """
    w, u, v = (np.asarray(part, dtype=np.float64) for part in (w, u, v))
    _check_noise(sigma)
    spread = math.hypot(float(np.linalg.norm(w)), sigma)
    if not (math.isfinite(spread) and spread > 0):
        raise ConfigError(f"The weights have length {np.linalg.norm(w):g} and the noise is {sigma:g}, so the score is no random number; "
                          "give finite weights, not all zero, or noise.")
    p, q = task_scale * float(w @ u) / spread, sensitive_scale * float(w @ v) / spread
    t, weight = _standard_normal()
    y, s = np.array([1.0, 1.0, -1.0, -1.0]), np.array([1.0, -1.0, 1.0, -1.0])
    means = y * p + s * q
    # Log-density, under each component (first axis), of points spread about each component: [component, component, point].
    densities = -((means[:, None] + t - means[:, None, None]) ** 2) / 2 - math.log(2 * math.pi) / 2
    entropy = math.log(4) - _expected(np.logaddexp.reduce(densities, axis=0), weight) + math.log(spread)
    of_y, of_s = _posterior(densities, y), _posterior(densities, s)
    return LinearScore(
        accuracy=float(ndtr(p + q) + ndtr(p - q)) / 2, attack=_expected(of_s.max(axis=0), weight),
        sensitive_mi=_information(of_s, weight), label_mi=_information(of_y, weight),
        record_mi=math.inf if sigma == 0 else max(0.0, entropy - math.log(2 * math.pi * math.e) / 2 - math.log(sigma)))


def channel_information(weights: ArrayLike, covariance: ArrayLike, sigma: float) -> float:
    """I(x; Wx + σ ξ) of a gaussian x, nats: log det(I + W S Wᵀ / σ²) / 2 (Cover & Thomas 2006, eq. 9.62); infinite without noise.

    Args:
        weights: W, [outputs, features].
        covariance: S, [features, features].
        sigma: Standard deviation of the noise of each output, at least 0.

    Raises:
        ConfigError: If ``sigma`` is negative or not finite.
    """
    _check_noise(sigma)
    w, s = np.asarray(weights, dtype=np.float64), np.asarray(covariance, dtype=np.float64)
    signal = w @ s @ w.T
    if sigma == 0:
        return math.inf if np.any(np.diag(signal) > 0) else 0.0
    return float(np.linalg.slogdet(np.eye(len(w)) + signal / sigma**2)[1]) / 2


def _check_noise(sigma: float) -> None:
    if not (math.isfinite(sigma) and sigma >= 0):
        raise ConfigError(f"The noise is {sigma:g}, but must be a number of at least 0.")


def _standard_normal() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Points and weights that integrate against N(0, 1); the trapezoid rule converges fastest for such integrands."""
    t = np.linspace(-REACH, REACH, POINTS)
    weight = np.exp(-t * t / 2)
    return t, weight / weight.sum()


def _expected(values: NDArray[np.float64], weight: NDArray[np.float64]) -> float:
    """Mean over the components of the mixture, [component, point] -> scalar."""
    return float((values @ weight).mean())


def _posterior(densities: NDArray[np.float64], sign: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probabilities of +1 and -1 given z, [2, component, point]."""
    odds = np.logaddexp.reduce(densities[sign > 0], axis=0) - np.logaddexp.reduce(densities[sign < 0], axis=0)
    return expit(np.stack([odds, -odds]))


def _information(posterior: NDArray[np.float64], weight: NDArray[np.float64]) -> float:
    """The sign's entropy, log 2, less the expected entropy of its posterior, nats."""
    return max(0.0, math.log(2) - _expected(np.sum(entr(posterior), axis=0), weight))
