"""What is read off one output: margin of the label, log-probabilities, and ranks without ties. Infinite logits are ranked. Needs numpy only."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_Array = NDArray[np.float64]


def label_margin(logits: _Array, labels: NDArray[np.int64]) -> _Array:
    """phi = z_y - log sum_{c != y} exp z_c = log p_y - log(1 - p_y), [..., N], in logit space, where it never saturates.

    Args:
        logits: float64 [..., N, C]; may be infinite: a class at +inf has the probability 1 (shared if there are several), one at -inf has 0.
        labels: int64, broadcasts to [..., N].

    Source:
        Carlini et al. 2022, "Membership inference attacks from first principles".
    """
    z = _settled(logits)
    index = np.broadcast_to(labels, z.shape[:-1])[..., None]
    own = np.take_along_axis(z, index, -1)[..., 0]
    others = z.copy()
    np.put_along_axis(others, index, -np.inf, -1)
    top = others.max(-1)
    top = np.where(np.isfinite(top), top, 0.0)
    with np.errstate(divide="ignore", over="ignore"):
        others -= top[..., None]
        return own - (top + np.log(np.exp(others, out=others).sum(-1)))


def log_probabilities(logits: _Array) -> tuple[_Array, _Array]:
    """log p and log(1 - p) of every class, each [..., N, C]; exact near probability 1 too, where log(1 - exp(log p)) is not.

    Args:
        logits: float64 [..., N, C]; may be infinite, as in :func:`label_margin`.
    """
    z = _settled(logits)
    with np.errstate(over="ignore"):
        z = z - z.max(-1, keepdims=True)
    first = z.argmax(-1)[..., None]
    e = np.exp(z)
    np.put_along_axis(e, first, 0.0, -1)
    rest = e.sum(-1, keepdims=True)
    logp = z - np.log1p(rest)
    with np.errstate(divide="ignore"):
        against = np.log1p(-np.minimum(np.exp(logp), 1.0))
        np.put_along_axis(against, first, np.log(rest) - np.log1p(rest), -1)
    return logp, against


def finite(values: _Array, limit: float = 1e150) -> _Array:
    """Infinities one range of the task's finite values beyond them, so that the order stays; NaN as 0. A task is the last two axes."""
    known = np.isfinite(values)
    clipped = np.clip(values, -limit, limit)
    if known.all():
        return clipped
    high = np.where(known, clipped, -np.inf).max((-2, -1), keepdims=True, initial=-limit)
    low = np.where(known, clipped, np.inf).min((-2, -1), keepdims=True, initial=limit)
    high, low = np.where(high < low, 0.0, high), np.where(high < low, 0.0, low)
    beyond = np.where(high > low, high - low, 1.0)
    return np.where(known, clipped, np.where(np.isnan(values), 0.0, np.where(values > 0, high + beyond, low - beyond)))


def class_ranks(values: _Array, labels: NDArray[np.int64], others: _Array, other_labels: NDArray[np.int64]) -> tuple[_Array, _Array]:
    """How many of the others of the same class lie below each value (equal ones count half), and how many others the class has; each [B, N].

    A class without others is compared with all of them. Everything is done on whole numbers (ranks), so that nothing is rounded.

    Args:
        values: float64 [B, N], without NaN.
        labels: int64 [B, N].
        others: float64 [B, E].
        other_labels: int64 [B, E].
    """
    (b, n), e = values.shape, others.shape[1]
    rank = _dense_ranks(np.concatenate([values, others], -1))
    classes = int(max(labels.max(), other_labels.max())) + 1
    sizes = (other_labels[..., None] == np.arange(classes)).sum(1)
    size = np.take_along_axis(sizes, labels, -1)
    row, width = np.arange(b)[:, None], n + e + 1
    within = _counted((row * classes + labels) * width + rank[:, :n], (row * classes + other_labels) * width + rank[:, n:])
    overall = _counted(row * width + rank[:, :n], row * width + rank[:, n:])
    before = np.take_along_axis(np.cumsum(sizes, -1) - sizes, labels, -1)
    below = np.where(size > 0, within - row * e - before, overall - row * e)
    return below, np.where(size > 0, size, e).astype(np.float64)


def tie_free(below: _Array, size: _Array, deviation: _Array) -> _Array:
    """A share below in (0, 1) that keeps the order of the ranks; equal ranks are put in the order of the deviation.

    Args:
        below: float64 [...], how many lie below; equal ones count half.
        size: How many there are.
        deviation: float64 [...], finite, rising with the value that was ranked.
    """
    return (below + 0.5 + 0.5 * deviation / (1.0 + np.abs(deviation))) / (size + 1.0)


def _settled(logits: _Array) -> _Array:
    """The same outputs with a finite largest logit in each row: classes at +inf share the probability, and only -inf everywhere means no preference."""
    top = logits.max(-1, keepdims=True)
    known = np.isfinite(top)
    return logits if known.all() else np.where(known, logits, np.where(logits == top, 0.0, -np.inf))


def _dense_ranks(values: _Array) -> NDArray[np.int64]:
    """Ranks from 0 within each row; equal values share one."""
    order = np.argsort(values, axis=-1)
    ranked = np.take_along_axis(values, order, -1)
    step = np.zeros(values.shape, dtype=np.int64)
    step[:, 1:] = ranked[:, 1:] != ranked[:, :-1]
    out = np.empty_like(step)
    np.put_along_axis(out, order, np.cumsum(step, -1), -1)
    return out


def _counted(keys: NDArray[np.int64], others: NDArray[np.int64]) -> _Array:
    """Number of other keys below each key, equal ones half."""
    flat = np.sort(others, axis=None)
    return (np.searchsorted(flat, keys, side="left") + np.searchsorted(flat, keys, side="right")).astype(np.float64) / 2.0
