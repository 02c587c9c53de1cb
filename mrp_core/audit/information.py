"""How much an answer tells about the queried record, and about its label, in nats. Needs numpy only."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mrp_core.audit.utility import one_hot, whole_labels
from mrp_core.errors import DataError

_SATURATED = 0.3
_CHUNK = 1 << 15  # probabilities computed together: what stays in the cache


@dataclass(frozen=True, kw_only=True)
class ChannelInformation:
    """Information through the released channel, nats; arrays have the leading axes of the input.

    Attributes:
        total: I(X; output).
        task: I(Y; output), the part that the task needs.
        high: Upper bound on the total where the estimate is a bound (noisy scores), otherwise the total itself.
        capped: bool, whether the total is within 0.3 nats of the log of the number of records, so that it can only be read as "at least".
    """

    total: NDArray[np.float64]
    task: NDArray[np.float64]
    high: NDArray[np.float64]
    capped: NDArray[np.bool_]

    @property
    def excess(self) -> NDArray[np.float64]:
        """I(X; output | Y) = total - task: what an answer tells beyond the label."""
        return self.total - self.task


def sampled_label_information(p: NDArray[np.float64], strata: NDArray[np.int64] | None = None) -> NDArray[np.float64]:
    """I(X; Yhat) [...] where one label is drawn from p(.|x): H(mean p) - mean H(p), with jackknife correction, within [0, ln C].

    The plug-in is low by about (C - 1) / (2 N); deleting each record once gives the correction in closed form (Quenouille 1956). Where the records were drawn
    a fixed number per class, pass the class as ``strata``: only the spread within a class is then sampling error (stratified jackknife, Jones 1974), and
    the unstratified correction would be too large.

    Args:
        p: float64 [..., N, C], probabilities.
        strata: int [..., N] or None.
    """
    p = _probabilities(p)
    y = np.zeros(p.shape[-2], dtype=np.int64) if strata is None else whole_labels(strata, p.shape)
    return _chunked(p, y, True)[0]


def channel_information(p: NDArray[np.float64], labels: NDArray[np.int64], *, stratified: bool = True) -> ChannelInformation:
    """I(X; Yhat), I(Y; Yhat) and their difference on the sampled-label channel; for the top label pass :func:`mrp_core.audit.utility.one_hot` of it.

    Both are jackknifed; 0 <= task <= total <= ln C holds for what is returned.

    Args:
        p: float64 [..., N, C], probabilities.
        labels: int [..., N], true labels in 0 .. C - 1; must broadcast to p's leading axes.
        stratified: Whether a fixed number of records was drawn per class.
    """
    p = _probabilities(p)
    total, task = _chunked(p, whole_labels(labels, p.shape), stratified)
    return ChannelInformation(total=total, task=task, high=total, capped=np.zeros(total.shape, dtype=bool))


def noisy_scores_information(scores: NDArray[np.float64], labels: NDArray[np.int64], noise: float, *, draws: int = 8, seed: int = 0) -> ChannelInformation:
    """Bounds on I(X; Z) for Z = scores + noise * N(0, I), with the known Gaussian conditional: no critic is trained.

    The total is InfoNCE with the true conditional (a lower bound, at most ln N), ``high`` the leave-one-out bound; both from Poole et al. 2019,
    "On variational bounds of mutual information", equations 12 and 13. The task part is I(Y; Z) of the same N records.

    Args:
        scores: float64 [..., N, C].
        labels: int [..., N].
        noise: Standard deviation.
        draws: Noise draws per record.
        seed: Of the draws, which are the same for every leading index.

    Raises:
        DataError: If the noise isn't positive or there are fewer than two records.
    """
    scores = np.asarray(scores, dtype=np.float64)
    if scores.ndim < 2 or scores.shape[-2] < 2:
        raise DataError(f"scores have the shape {scores.shape}, but must be [..., records, classes] with at least two records.")
    if not 0 < noise < math.inf:
        raise DataError(f"noise is {noise!r}, but must be a positive number.")
    y = np.broadcast_to(whole_labels(labels, scores.shape), scores.shape[:-1]).reshape(-1, scores.shape[-2])
    flat = scores.reshape(-1, *scores.shape[-2:])
    e = np.random.default_rng(seed).standard_normal((draws, *scores.shape[-2:]))
    out = np.array([_noisy(s / noise, e, k) for s, k in zip(flat, y, strict=True)]).reshape(*scores.shape[:-2], 3)
    cap = math.log(scores.shape[-2])
    total = np.clip(out[..., 0], 0.0, cap)
    return ChannelInformation(total=total, task=np.clip(out[..., 2], 0.0, total), high=np.maximum(out[..., 1], total), capped=total > cap - _SATURATED)


def deterministic_information(released: NDArray[np.float64], labels: NDArray[np.int64]) -> ChannelInformation:
    """I(X; V) = H(V) for a deterministic discrete output V, such as rounded probabilities; at most ln N, flagged near that cap.

    Both entropies are plug-ins over the N records at hand: with nearly as many values as records they say "at least".

    Args:
        released: [..., N, D], the released value of each record; equal rows are the same value.
        labels: int [..., N].
    """
    released = np.asarray(released)
    n = released.shape[-2]
    y = np.broadcast_to(whole_labels(labels, released.shape), released.shape[:-1]).reshape(-1, n)
    flat = released.reshape(-1, *released.shape[-2:])
    out = np.empty((len(flat), 2))
    for i, (rows, k) in enumerate(zip(flat, y, strict=True)):
        code = np.unique(rows, axis=0, return_inverse=True)[1].ravel()
        whole = _counted(np.bincount(code))
        out[i] = whole, whole - sum(np.mean(k == c) * _counted(np.bincount(code[k == c])) for c in np.unique(k))
    total, task = (out[:, j].reshape(released.shape[:-2]) for j in (0, 1))
    return ChannelInformation(total=total, task=np.clip(task, 0.0, total), high=total, capped=total > math.log(n) - _SATURATED)


def _chunked(p: NDArray[np.float64], y: NDArray[np.int64], stratified: bool) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Total and task information [...]; in pieces along the first axes that fit the cache."""
    if p.size <= _CHUNK or p.ndim < 3 or len(p) == 0:
        return _label_information(p, y, stratified)
    own = y.ndim == p.ndim - 1 and len(y) == len(p)
    parts = [_chunked(p[i], y[i] if own else y[0] if y.ndim == p.ndim - 1 else y, stratified) for i in range(len(p))]
    return np.stack([a for a, _ in parts]), np.stack([b for _, b in parts])


def _label_information(p: NDArray[np.float64], y: NDArray[np.int64], stratified: bool) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Jackknifed total and task information; the estimate is theta + sum_i (n_i - 1) / n_i * (theta - theta without i), n_i the size of i's stratum."""
    n_all, classes = p.shape[-2:]
    member = one_hot(y, int(y.max(initial=0)) + 1)
    count = member.sum(-2)
    mine = np.take_along_axis(count, y, -1)
    fewer = np.maximum(mine - 1, 1.0)[..., None]
    means = (np.swapaxes(member, -1, -2) / np.maximum(count, 1)[..., None]) @ p
    away = (member @ means - p) / fewer
    share = count / n_all
    whole = (share[..., None, :] @ means)[..., 0, :]
    h_whole, h_class = _entropy(whole), _entropy(means)
    conditional = (share * h_class).sum(-1)
    class_without = _entropy(member @ means + away)
    h_mine = (member @ h_class[..., None])[..., 0]
    if stratified:
        without = _entropy(whole[..., None, :] + (mine / n_all)[..., None] * away)
        weight = (mine - 1) / mine
        dropped = (mine / n_all) * (h_mine - class_without)
    else:
        without = _entropy(whole[..., None, :] + (whole[..., None, :] - p) / max(n_all - 1, 1))
        weight = np.full(mine.shape, (n_all - 1) / n_all)
        dropped = conditional[..., None] - (n_all * conditional[..., None] - mine * h_mine + (mine - 1) * class_without) / max(n_all - 1, 1)
    marginal = h_whole + (weight * (h_whole[..., None] - without)).sum(-1)
    total = np.clip(marginal - _entropy(p).mean(-1), 0.0, math.log(classes))
    return total, np.clip(marginal - conditional - (weight * dropped).sum(-1), 0.0, total)


def _entropy(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Entropy in nats over the last axis; rounding below 0 counts as 0."""
    q = np.maximum(p, 1e-300)
    log = np.log(q)
    log *= q
    return -(log @ np.ones(q.shape[-1]))


def _counted(counts: NDArray[np.int64]) -> float:
    share = counts[counts > 0] / counts.sum()
    return max(0.0, -float((share * np.log(share)).sum()))


def _noisy(f: NDArray[np.float64], e: NDArray[np.float64], y: NDArray[np.int64]) -> tuple[float, float, float]:
    """Lower bound, upper bound and I(Y; Z) for scores in units of the noise, [N, C], and standard normal draws [D, N, C]."""
    from scipy.spatial.distance import cdist  # here: pages that list metrics don't wait for it

    n = len(f)
    apart = cdist(f, f, "sqeuclidean")
    # log p(z_i | x_j) without its constant, z_i = f_i + e_i
    log = -0.5 * (apart + 2 * (np.einsum("dic,ic->di", e, f)[..., None] - e @ f.T) + (e**2).sum(-1)[..., None])
    top = log.max(-1, keepdims=True)
    weight = np.exp(log - top)
    own = np.diagonal(log, axis1=-2, axis2=-1) - top[..., 0]
    every = weight.sum(-1)
    others = np.maximum(every - np.diagonal(weight, axis1=-2, axis2=-1), 1e-300)
    lower = float((own - np.log(every / n)).mean())
    upper = float((own - np.log(others / (n - 1))).mean())
    share = np.maximum((weight @ one_hot(y, int(y.max()) + 1)) / every[..., None], 1e-300)
    return lower, upper, _counted(np.bincount(y)) + float((share * np.log(share)).sum(-1).mean())


def _probabilities(p: NDArray[np.float64]) -> NDArray[np.float64]:
    p = np.asarray(p, dtype=np.float64)
    if p.ndim < 2 or p.shape[-2] == 0 or p.shape[-1] == 0:
        raise DataError(f"p has the shape {p.shape}, but must be [..., records, classes], neither empty.")
    return p
