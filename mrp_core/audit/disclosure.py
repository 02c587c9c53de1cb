"""What one answer tells about a sensitive attribute of the queried record, in nats. Needs numpy only."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mrp_core.audit.utility import one_hot
from mrp_core.errors import DataError

_CHUNK = 1 << 20

def attribute_information(p: NDArray[np.float64], attribute: NDArray[np.int64], strata: NDArray[np.int64]) -> NDArray[np.float64]:
    """I(A; Yhat) [...] where one label is drawn from p(.|x), plug-in over the records with jackknife correction.

    The plug-in is the mutual information of the joint distribution of A and Yhat over the records; it is high by about (K - 1)(C - 1) / (2 N) for sure answers.
    Deleting each record once gives the correction in closed form, class by class, since the records were drawn a fixed number per class (stratified
    jackknife, Jones 1974). The result isn't cut at 0, so that its mean over adaptations and tasks stays unbiased where nothing leaks.

    Args:
        p: float64 [..., N, C], probabilities.
        attribute: int [..., N], -1 where unknown; such records are left out. NaN is returned where none is known.
        strata: int [..., N], class of each record.

    Raises:
        DataError: If there are no records, or attribute or strata don't fit.
    """
    p, lead = np.asarray(p, dtype=np.float64), np.shape(p)[:-1]
    if p.ndim < 2 or p.size == 0 or any(_joint_shape(np.shape(a), lead) != lead for a in (attribute, strata)):
        raise DataError(f"p has the shape {p.shape}, attribute {np.shape(attribute)} and strata {np.shape(strata)}, but must be [..., records, classes], [..., records] and [..., records].")
    n, sizes = lead[-1], (int(np.max(attribute, initial=0)) + 1, int(np.max(strata)) + 1)
    a, y = (np.broadcast_to(v, lead).reshape(-1, n) for v in (attribute, strata))
    flat, step = p.reshape(-1, n, p.shape[-1]), max(1, _CHUNK // (n * sizes[0] * p.shape[-1]))
    parts = [_jackknifed(flat[i:i + step], a[i:i + step], y[i:i + step], sizes) for i in range(0, len(flat), step)]
    return np.concatenate(parts).reshape(lead[:-1])


def _joint_shape(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...] | None:
    try:
        return np.broadcast_shapes(a, b)
    except ValueError:
        return None


def _jackknifed(p: NDArray[np.float64], attribute: NDArray[np.int64], strata: NDArray[np.int64], sizes: tuple[int, int]) -> NDArray[np.float64]:
    """[M] from p [M, N, C]: theta + sum_i (n_i - 1) / n_i * (theta - theta without i), n_i the size of i's class among the known."""
    known = (attribute >= 0)[..., None]
    each = (one_hot(attribute, sizes[0])[..., None] * p[..., None, :]).reshape(*p.shape[:2], -1)
    member = one_hot(strata, sizes[1]) * known
    count = member.sum(1, keepdims=True)
    total = count.sum(-1, keepdims=True)
    means = np.swapaxes(member, 1, 2) @ each / np.maximum(np.swapaxes(count, 1, 2), 1)
    mine = (member @ np.swapaxes(count, 1, 2))
    joint = each.sum(1, keepdims=True) / np.maximum(total, 1)
    without = joint + mine / np.maximum(total, 1) / np.maximum(mine - 1, 1) * (member @ means - each)
    weight = np.where(mine > 1, (mine - 1) / np.maximum(mine, 1), 0.0)[..., 0]
    whole, less = (_information(j.reshape(*j.shape[:-1], sizes[0], -1)) for j in (joint, without))
    return np.where(total[:, 0, 0] > 0, whole[:, 0] + (weight * (whole - less)).sum(1), np.nan)


def _information(joint: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mutual information of joint distributions [..., K, C] in nats."""
    plain = lambda q, axes: (q * np.log(np.maximum(q, 1e-300))).sum(axes)  # noqa: E731
    return plain(joint, (-2, -1)) - plain(joint.sum(-1), -1) - plain(joint.sum(-2), -1)
