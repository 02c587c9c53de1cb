"""Pairs whose mutual information is known exactly, to judge estimators by. Needs numpy and scipy only."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma, entr, expit, gammaln

from mrp_core.errors import ConfigError
from mrp_core.estimating import Sample
from mrp_core.gaussian_truth import linear_score

_REACH, _POINTS = 12.0, 4001
_FEATURES, _TASK, _SENSITIVE = 10, 2.0, 1.0
_ANGLE, _NOISE = math.radians(40.0), 1.0


@dataclass(frozen=True)
class Case:
    """Pairs drawn from a known distribution.

    Attributes:
        name, title: For code and for tables.
        truth: Mutual information, nats.
        draw: N and a seed to a sample.
    """

    name: str
    title: str
    truth: float
    draw: Callable[[int, int], Sample]


def gaussian_information(rho: float, dimensions: int = 1) -> float:
    """Nats between x and z, N(0, I) each, with correlation rho coordinate by coordinate: -D log(1 - rho²) / 2 (Cover & Thomas 2006, example 8.5.1).

    Raises:
        ConfigError: If rho isn't between -1 and 1.
    """
    if not abs(rho) < 1:
        raise ConfigError(f"The correlation is {rho!r}, but must be between -1 and 1.")
    return -dimensions * math.log1p(-rho * rho) / 2


def student_information(rho: float, freedom: float) -> float:
    """Nats between the two coordinates of a bivariate Student t: the gaussian value plus what the shared scale tells, which is there at rho = 0 too.

    Entropies of the multivariate t: Kotz & Nadarajah 2004, "Multivariate t distributions and their applications", section 1.9.

    Args:
        rho: Correlation of the underlying normals.
        freedom: Degrees of freedom, positive.

    Raises:
        ConfigError: If an argument is out of range.
    """
    if not freedom > 0:
        raise ConfigError(f"The degrees of freedom are {freedom!r}, but must be positive.")

    def entropy(p: int) -> float:
        half, more = freedom / 2, (freedom + p) / 2
        return float(gammaln(half) - gammaln(more)) + p / 2 * math.log(freedom * math.pi) + more * float(digamma(more) - digamma(half))

    return 2 * entropy(1) - entropy(2) + gaussian_information(rho)


def sign_information(mean: float, noise: float) -> float:
    """Nats between a fair sign s and z = mean * s + noise * N(0, 1), by quadrature: log 2 less the expected entropy of the posterior."""
    t, weight = _normal(_POINTS)
    posterior = expit(2 * (mean / noise) * (mean / noise + t))
    return math.log(2) - float(weight @ (entr(posterior) + entr(1 - posterior)))


def logistic_information(slope: float) -> float:
    """Nats between x ~ N(0, 1) and a label that is 1 with probability 1 / (1 + exp(-slope x)), by quadrature."""
    t, weight = _normal(_POINTS)
    p = expit(slope * t)
    return math.log(2) - float(weight @ (entr(p) + entr(1 - p)))


def dirichlet_information(concentration: float, classes: int) -> float:
    """Nats between p ~ Dirichlet(concentration, ..., concentration) and a label drawn from it: log C - psi(C a + 1) + psi(a + 1) (Wolpert & Wolf 1995)."""
    return math.log(classes) - float(digamma(classes * concentration + 1) - digamma(concentration + 1))


def cases() -> tuple[Case, ...]:
    """What the validation table is made of."""
    gaussians = [("rho_0", 0.0), ("rho_03", 0.3), ("rho_06", 0.6), ("rho_09", 0.9), ("rho_0999", 0.999)]
    wide = math.sqrt(-math.expm1(-0.2))
    family = linear_score(*_family_directions(), _NOISE, task_scale=_TASK, sensitive_scale=_SENSITIVE)
    return (
        *(Case(name, f"Gaussian, ρ = {rho:g}", gaussian_information(rho), _gaussian(rho)) for name, rho in gaussians),
        Case("family_record", "gaussian family, record (10-dim.) and score", family.record_mi, _family(record=True)),
        Case("family_label", "gaussian family, label and score", family.label_mi, _family(record=False)),
        Case("sign", "Bimodal: sign + noise 1", sign_information(1.0, 1.0), _sign(1.0, 1.0)),
        Case("sign_clear", "Bimodal: sign + noise 0.3", sign_information(1.0, 0.3), _sign(1.0, 0.3)),
        Case("student_3", "Student t, 3 degrees of freedom, ρ = 0.6", student_information(0.6, 3.0), _student(0.6, 3.0)),
        Case("cauchy", "Student t, 1 degree of freedom, ρ = 0", student_information(0.0, 1.0), _student(0.0, 1.0)),
        Case("wide", "Gaussian, 20 dimensions, 0.1 nats each", gaussian_information(wide, 20), _gaussian(wide, 20)),
        Case("large", "Gaussian, 20 dimensions, ρ = 0.99", gaussian_information(0.99, 20), _gaussian(0.99, 20)),
        Case("logistic", "Sampled label, 2 classes, logistic in x", logistic_information(3.0), _logistic(3.0)),
        Case("dirichlet", "Sampled label, 10 classes, Dirichlet(0.05)", dirichlet_information(0.05, 10), _dirichlet(0.05, 10)),
    )


def _normal(points: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Points and weights that integrate against N(0, 1)."""
    t = np.linspace(-_REACH, _REACH, points)
    weight = np.exp(-t * t / 2)
    return t, weight / weight.sum()


def _gaussian(rho: float, dimensions: int = 1) -> Callable[[int, int], Sample]:
    def draw(n: int, seed: int) -> Sample:
        x, e = np.random.default_rng([seed, 20]).standard_normal((2, n, dimensions))
        noise = math.sqrt(1 - rho * rho)
        return Sample(x=x, z=rho * x + noise * e, means=rho * x, noise=noise, seed=seed)

    return draw


def _family_directions() -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """w, u, v of one task: the score lies along the task's direction, 40 degrees from the attribute's."""
    u, v = np.zeros((2, _FEATURES))
    v[0] = 1.0
    u[:2] = math.cos(_ANGLE), math.sin(_ANGLE)
    return u, u, v


def _family(*, record: bool) -> Callable[[int, int], Sample]:
    """Records of the gaussian family, or their labels alone, and a noisy linear score."""
    w, u, v = _family_directions()

    def draw(n: int, seed: int) -> Sample:
        rng = np.random.default_rng([seed, 21])
        y, s = 2.0 * rng.integers(0, 2, (2, n, 1)) - 1
        x = y * _TASK * u + s * _SENSITIVE * v + rng.standard_normal((n, _FEATURES))
        means = (x @ w)[:, None]
        z = means + _NOISE * rng.standard_normal((n, 1))
        return Sample(x=x, z=z, means=means, noise=_NOISE, seed=seed) if record else Sample(x=y, z=z, seed=seed)

    return draw


def _sign(mean: float, noise: float) -> Callable[[int, int], Sample]:
    def draw(n: int, seed: int) -> Sample:
        rng = np.random.default_rng([seed, 22])
        x = np.where(rng.random((n, 1)) < 0.5, 1.0, -1.0)
        return Sample(x=x, z=mean * x + noise * rng.standard_normal((n, 1)), means=mean * x, noise=noise, seed=seed)

    return draw


def _student(rho: float, freedom: float) -> Callable[[int, int], Sample]:
    def draw(n: int, seed: int) -> Sample:
        rng = np.random.default_rng([seed, 23])
        x, e = rng.standard_normal((2, n, 1))
        scale = np.sqrt(freedom / rng.chisquare(freedom, (n, 1)))
        return Sample(x=scale * x, z=scale * (rho * x + math.sqrt(1 - rho * rho) * e), seed=seed)

    return draw


def _logistic(slope: float) -> Callable[[int, int], Sample]:
    def draw(n: int, seed: int) -> Sample:
        rng = np.random.default_rng([seed, 24])
        x = rng.standard_normal((n, 1))
        p = expit(slope * x)
        return Sample(x=x, z=(rng.random((n, 1)) < p).astype(np.float64), probabilities=np.hstack([1 - p, p]), seed=seed)

    return draw


def _dirichlet(concentration: float, classes: int) -> Callable[[int, int], Sample]:
    def draw(n: int, seed: int) -> Sample:
        rng = np.random.default_rng([seed, 25])
        p = rng.dirichlet(np.full(classes, concentration), n)
        z = np.minimum((p.cumsum(1) < rng.random((n, 1))).sum(1, keepdims=True), classes - 1)
        return Sample(x=np.log(np.maximum(p, 1e-12)), z=z.astype(np.float64), probabilities=p, seed=seed)

    return draw
