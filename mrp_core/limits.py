"""What no method can pass: accuracy against information, attacks against differential privacy; and releases that need no training. Needs numpy only."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mrp_core.errors import DataError


def fano(accuracy: ArrayLike, classes: int) -> NDArray[np.float64]:
    """Least I(X; Yhat) in nats at an accuracy, for C equally frequent classes: ln C - h(e) - e ln(C - 1), e the error; 0 up to chance.

    Read the other way round it is the limit curve: no release that tells ``fano(a, C)`` nats about its input is more accurate than a.

    Args:
        accuracy: Fraction(s) in [0, 1].
        classes: C >= 2.

    Source:
        Cover & Thomas, Elements of Information Theory, theorem 2.10.1; attained with equality by the symmetric channel.
    """
    return label_rate_distortion(np.full(_whole(classes), 1 / classes), accuracy)


def label_rate_distortion(prior: ArrayLike, accuracy: ArrayLike) -> NDArray[np.float64]:
    """Least I(Y; Yhat) in nats, and so least I(X; Yhat), at an accuracy, for labels with the given frequencies.

    The rate-distortion function under Hamming loss in closed form (Erokhin 1958): with the k most frequent classes in use and P their sum, accuracy
    P s / (s - 1 + k) at slope ln s; a class is in use while its frequency exceeds t = P / (s - 1 + k).

    Args:
        prior: [C], frequencies of the classes, positive sum.
        accuracy: Fraction(s) in [0, 1]; up to the largest frequency nothing need be told.

    Returns:
        Nats, of accuracy's shape.
    """
    pi = np.sort(np.asarray(prior, dtype=np.float64))[::-1]
    a = np.asarray(accuracy, dtype=np.float64)
    if pi.ndim != 1 or not np.isfinite(pi).all() or pi.min(initial=0) < 0 or pi.sum() <= 0:
        raise DataError(f"prior is {prior!r}, but must be frequencies of classes: none negative, not all zero.")
    if not ((a >= 0) & (a <= 1)).all():
        raise DataError("accuracy must lie between 0 and 1.")
    pi = pi[pi > 0] / pi.sum()
    if len(pi) == 1:
        return np.zeros(a.shape)
    k = np.arange(2, len(pi) + 1)
    p = np.minimum(np.cumsum(pi)[1:], 1.0)
    inner = np.clip(a[..., None], pi[0], None)
    with np.errstate(divide="ignore"):
        t = (p - inner) / (k - 1)
    # the right k is the largest whose rarest class is still in use
    use = np.maximum((t < pi[1:]).cumprod(-1).sum(-1), 1) - 1
    t = np.maximum(np.take_along_axis(t, use[..., None], -1), 0.0)
    active = np.maximum(pi, t)
    with np.errstate(divide="ignore", invalid="ignore"):
        told = inner[..., 0] * np.log(inner[..., 0] / np.maximum(t[..., 0], 1e-300)) - (pi * np.log(active / np.maximum(t, 1e-300))).sum(-1)
    gain = np.where(inner[..., 0] < 1, told, -(pi * np.log(pi)).sum())
    return np.where(a <= pi[0], 0.0, np.maximum(gain, 0.0))


def temperature_release(logits: NDArray[np.float64], temperature: float) -> NDArray[np.float64]:
    """Probabilities softmax(logits / T) [..., C]; log-probabilities do as well as logits.

    Raises:
        DataError: If T isn't positive.
    """
    if not temperature > 0:
        raise DataError(f"temperature is {temperature!r}, but must be positive.")
    z = np.asarray(logits, dtype=np.float64) / temperature
    z = np.exp(z - z.max(-1, keepdims=True))
    return z / z.sum(-1, keepdims=True)


def rate_distortion_release(p: NDArray[np.float64], beta: float, marginal: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
    """The release q(yhat|x) ~ r(yhat) exp(beta p(yhat|x)): for posteriors p the least I(X; Yhat) at its expected accuracy.

    Args:
        p: float64 [..., N, C], posteriors of the unprotected model.
        beta: >= 0; 0 tells nothing, infinity would release the top label.
        marginal: r, float64 [..., C]; by default :func:`rate_distortion_marginal` of p itself.

    Returns:
        float64 [..., N, C].

    Source:
        Blahut 1972, Arimoto 1972; distortion 1 - p(yhat|x), the expected error.
    """
    p = np.asarray(p, dtype=np.float64)
    r = rate_distortion_marginal(p, beta) if marginal is None else np.asarray(marginal, dtype=np.float64)
    q = _tilted(p, beta) * r[..., None, :]
    return q / q.sum(-1, keepdims=True)


def rate_distortion_marginal(p: NDArray[np.float64], beta: float, *, tolerance: float = 1e-3, iterations: int = 1000) -> NDArray[np.float64]:
    """The marginal r of the optimal release, float64 [..., C], batched over leading axes.

    Blahut-Arimoto multiplies r by g = mean over x of exp(beta p) / (r . exp(beta p)); the largest ln g bounds how far I - beta * accuracy still is from
    its optimum. The exponent on g is enlarged where the answers hardly differ between records, where the plain iteration crawls.

    Args:
        p: float64 [..., N, C].
        beta: >= 0.
        tolerance: In nats; each batch element stops when it is provably within.
        iterations: The most there are.

    Raises:
        DataError: If beta is negative or not finite.
    """
    if not 0 <= beta < math.inf:
        raise DataError(f"beta is {beta!r}, but must be a number from 0.")
    p = np.asarray(p, dtype=np.float64)
    w = _tilted(p, beta).reshape(-1, *p.shape[-2:])
    out = np.full((len(w), p.shape[-1]), 1 / p.shape[-1])
    left = np.arange(len(w))
    for _ in range(iterations):
        r = out[left]
        inverse = 1 / (w @ r[..., None])
        g = (np.swapaxes(w, -1, -2) @ inverse)[..., 0] / p.shape[-2]
        far = g.max(-1) > math.exp(tolerance)
        if not far.all():
            left, w, r, g, inverse = left[far], w[far], r[far], g[far], inverse[far]
        if len(left) == 0:
            break
        differ = ((np.square(w) @ r[..., None]) * np.square(inverse)).max(-2) - 1
        r = r * g ** np.clip(1.5 / np.maximum(differ, 1e-9), 1.0, 1e3)
        out[left] = r / r.sum(-1, keepdims=True)
    return out.reshape(*p.shape[:-2], p.shape[-1])


@dataclass(frozen=True)
class DPLimit:
    """What (epsilon, delta)-differential privacy allows any attacker on one record; ``DPLimit(0, 0)`` is the chance line.

    Attributes:
        epsilon: >= 0, may be inf.
        delta: In [0, 1].

    Source:
        Kairouz, Oh & Viswanath 2015, "The composition theorem for differential privacy", theorem 2.1.
    """

    epsilon: float
    delta: float = 0.0

    def __post_init__(self) -> None:
        if not (self.epsilon >= 0 and 0 <= self.delta <= 1):
            raise DataError(f"epsilon is {self.epsilon!r} and delta {self.delta!r}, but epsilon must be at least 0 and delta between 0 and 1.")

    def tpr(self, fpr: ArrayLike) -> NDArray[np.float64]:
        """Largest TPR at each FPR: min(1, e^eps FPR + delta, 1 - e^-eps (1 - delta - FPR))."""
        f = np.asarray(fpr, dtype=np.float64)
        if math.isinf(self.epsilon):
            return np.ones(f.shape)
        steep = np.exp(np.minimum(self.epsilon + np.log(np.maximum(f, 1e-300)), 1.0)) * (f > 0)
        return np.clip(np.minimum(steep + self.delta, 1 - math.exp(-self.epsilon) * (1 - self.delta - f)), 0.0, 1.0)

    @property
    def advantage(self) -> float:
        """Largest TPR - FPR: (e^eps - 1 + 2 delta) / (e^eps + 1)."""
        less = math.exp(-self.epsilon)
        return (1 - less + 2 * self.delta * less) / (1 + less)

    @property
    def accuracy(self) -> float:
        """Largest share of right guesses when half of the candidates are members: (1 + advantage) / 2."""
        return (1 + self.advantage) / 2

    @property
    def auc(self) -> float:
        """Area under the curve of :meth:`tpr`."""
        corner = (1 - self.delta) * math.exp(-self.epsilon) / (1 + math.exp(-self.epsilon))
        return corner * (self.delta + 1 - corner) / 2 + (1 - self.delta - corner) * (2 - corner) / 2 + self.delta

    @property
    def information(self) -> float:
        """Largest I(membership; output) in nats for a fair coin: delta ln 2 + (1 - delta) (ln 2 - h(1 / (1 + e^eps))).

        Without delta that is at most min(eps, eps^2 / 2).
        """
        p = math.exp(-self.epsilon) / (1 + math.exp(-self.epsilon))
        h = -p * math.log(p) - (1 - p) * math.log1p(-p) if p > 0 else 0.0
        return self.delta * math.log(2) + (1 - self.delta) * max(0.0, math.log(2) - h)


def _tilted(p: NDArray[np.float64], beta: float) -> NDArray[np.float64]:
    """exp(beta (p - max p)): the same release, and no overflow."""
    return np.exp(beta * (p - p.max(-1, keepdims=True)))


def _whole(classes: int) -> int:
    if isinstance(classes, bool) or int(classes) != classes or classes < 2:
        raise DataError(f"classes is {classes!r}, but must be a whole number from 2.")
    return int(classes)
