"""Who is exposed: the attack seen record by record, on parts of the records, and as shadows grow in number. Needs numpy only."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mrp_core.audit.membership import lira_online
from mrp_core.audit.roc import attack_result
from mrp_core.errors import DataError

_Array = NDArray[np.float64]
_Z = 1.959963984540054


def record_auc(scores: _Array, keep: NDArray[np.bool_]) -> _Array:
    """AUC [..., N] of each record by itself, over the models [..., R, N] that were and weren't trained on it; 0.5 is guessing.

    Raises:
        DataError: If shapes don't fit.
    """
    turned = lambda a: np.moveaxis(np.broadcast_to(a, scores.shape), -1, -2)[..., None]  # noqa: E731
    return attack_result(turned(scores), turned(keep)).auc


def auc_interval(auc: _Array, members: int, others: int) -> tuple[_Array, _Array]:
    """95 % interval [...] of AUCs that rest on so many independent trials each; it has a width at 0 and 1 too.

    The bounds solve |auc - t| = z sqrt(V(t)), with V the Mann-Whitney variance at t for exponential scores.

    Source:
        Newcombe 2006, "Confidence intervals for an effect size measure based on the Mann-Whitney statistic, part 2", method 5.
    """
    if members < 1 or others < 1:
        raise DataError(f"members is {members} and others is {others}, but an AUC rests on at least one of each.")
    auc = np.asarray(auc, dtype=np.float64)
    star = (members + others) / 2 - 1

    def reach(t: _Array) -> _Array:
        spread = t * (1 - t) * (1 + star * (1 - t) / (2 - t) + star * t / (1 + t)) / (members * others)
        return _Z * np.sqrt(np.maximum(spread, 0.0))

    ends = []
    for side in (-1.0, 1.0):
        near, far = auc.copy(), np.full_like(auc, (1 + side) / 2)
        for _ in range(50):
            middle = (near + far) / 2
            inside = np.abs(middle - auc) <= reach(middle)
            near, far = np.where(inside, middle, near), np.where(inside, far, middle)
        ends.append(near)
    return ends[0], ends[1]


def two_halves(twin: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The models in two halves, each with both sides of its complementary pairs: what one half ranks or calibrates, the other may judge.

    Args:
        twin: int [R], each model's complement, its own index where it has none.
    """
    first = np.flatnonzero(np.arange(len(twin)) <= twin)
    parts = (first[0::2], first[1::2])
    return tuple(np.unique(np.concatenate([p, twin[p]])) for p in parts)  # type: ignore[return-value]


def exposed_records(scores: _Array, keep: NDArray[np.bool_], twin: NDArray[np.int64]) -> tuple[_Array, _Array, tuple[int, int]]:
    """AUC of each record [..., N] in the models that rank it and in those that judge it, and how many trials of members and others judge.

    The largest of many noisy AUCs flatters itself; judged by models without a say in the rank it doesn't. A score of one half still rests on shadows of the
    other, which only blurs it.
    """
    rank, judge = two_halves(twin)
    used = np.broadcast_to(keep, scores.shape)
    sides = used[..., judge, :].sum(-2)
    return record_auc(scores[..., rank, :], used[..., rank, :]), record_auc(scores[..., judge, :], used[..., judge, :]), (int(sides.min()), int((len(judge) - sides).min()))


def part_risk(scores: _Array, keep: NDArray[np.bool_], part: NDArray[np.bool_], fpr: float = 0.01) -> tuple[_Array, _Array]:
    """AUC [T] of the trials of a part of the records, and the share [T] of its members found at the threshold that accuses ``fpr`` of all non-members of the task.

    Args:
        scores: float64 [T, R, N].
        keep: bool [T, R, N].
        part: bool [T, N]; a task without a record of the part is NaN.
        fpr: Share of non-members of the whole task above the threshold, at most.
    """
    auc, tpr = np.full(len(scores), np.nan), np.full(len(scores), np.nan)
    for t, (s, k, p) in enumerate(zip(scores, np.broadcast_to(keep, scores.shape), part, strict=True)):
        if not p.any() or not k[:, p].any() or k[:, p].all():
            continue
        auc[t] = attack_result(s[:, p], k[:, p]).auc
        others = np.sort(s[~k])[::-1]
        allowed = int(fpr * len(others) + 1e-9)
        if allowed >= 1:
            tpr[t] = float((s[:, p][k[:, p]] > others[allowed]).mean()) if allowed < len(others) else 1.0
    return auc, tpr


def settling(phi: _Array, keep: NDArray[np.bool_], twin: NDArray[np.int64], seed: int = 0) -> list[tuple[int, _Array]]:
    """AUC [T] of LiRA (pooled variance) with 4, 8, 16 ... of the models, each count drawn as complementary pairs.

    Args:
        phi: float64 [T, R, N], LiRA's statistic.
        keep, twin: As in :func:`mrp_core.audit.lira_online`.
        seed: Of the draws; a smaller set lies within a larger one.
    """
    pairs = np.random.default_rng(seed).permutation(np.flatnonzero(np.arange(len(twin)) < twin))
    out, count = [], 2
    while count <= len(pairs):
        chosen = np.concatenate([pairs[:count], twin[pairs[:count]]])
        k = keep[..., chosen, :]
        out.append((2 * count, attack_result(lira_online(phi[..., chosen, :], k, (np.arange(2 * count) + count) % (2 * count)), k).auc))
        count *= 2
    return out
