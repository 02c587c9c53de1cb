"""Trials of membership that may be counted, out of adaptations whose records depend on each other. Needs numpy only.

An in/out matrix of R adaptations x N records holds far fewer independent trials than entries: records of one adaptation share its noise, a half of a pool has
a fixed size, and a complementary half is determined by the other. Two selections stay rigorous: one record of each adaptation (:func:`independent_trials`, for
two proportions), and pairs of one record in and one out within an adaptation (:func:`record_pairs`, fair coins for the one-run audit).

Both want noise drawn anew for each adaptation, and scores that rest on no other adaptation among the trials: shadow adaptations are kept apart.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mrp_core.errors import DataError

_Scores = NDArray[np.float64]
_Member = NDArray[np.bool_]


def independent_trials(scores: _Scores, keep: _Member, twin: NDArray[np.int64] | None = None, *, record: int | None = None,
                       seed: int = 0) -> tuple[_Scores, _Member]:
    """One trial for each adaptation, or for each complementary pair, and in each task as many members as non-members.

    The record of a trial is drawn evenly from the pool, whoever is in, or is the one declared. A pair is used once: as a member's trial or as a
    non-member's, whichever the task has fewer of; single adaptations in excess on one side are dropped by chance. Nothing depends on the scores.
    Both sides then mix tasks in the same shares, so that a guarantee that holds in each task holds for the mixed rates; and success probabilities that
    differ between trials only narrow the spread of a count, so that exact limits stay valid wherever they certify anything (Hoeffding 1956, theorem 4).

    Args:
        scores: float64 [..., R, N], higher for members; leading axes are tasks, seeds, ...
        keep: bool [..., R, N], which records each adaptation used; must broadcast to scores.
        twin: int [R], each adaptation's complement, its own index where it has none; None if none has.
        record: Index of the one record to use in all tasks, e.g. a canary; chosen without looking at these scores.
        seed: Of the draws.

    Returns:
        scores float64 [M] and member bool [M], members first.

    Raises:
        DataError: If shapes don't fit, a twin isn't the complement, or no task has a trial on both sides.
    """
    scores, keep, twin = _runs(scores, keep, twin)
    n = scores.shape[-1]
    if record is not None and not 0 <= record < n:
        raise DataError(f"record is {record}, but must be the index of one of the {n} records.")
    rng = np.random.default_rng(seed)
    inside, outside = [], []
    for s, k in zip(scores, keep, strict=True):
        sides = _one_each(s, k, twin, record, rng)
        both = min(len(v) for v in sides)
        for picked, values in zip((outside, inside), sides, strict=True):
            picked += [values[i] for i in rng.permutation(len(values))[:both]]
    if not inside:
        raise DataError(f"keep has the shape {keep.shape}, but no task has a trial in and a trial out; add adaptations.")
    return np.array(inside + outside), np.repeat([True, False], len(inside))


def record_pairs(scores: _Scores, keep: _Member, twin: NDArray[np.int64] | None = None, *, strata: NDArray[np.int64] | None = None,
                 seed: int = 0) -> tuple[_Scores, _Member]:
    """Fair coins out of random subsets of a fixed size: within an adaptation each record in is matched with one out, by chance; the coin is which of them is in.

    Records of a half aren't coins: whoever knows all but one knows the last. But where all subsets of a size are equally likely, and the matching is drawn
    evenly, all ways round of the matched pairs are equally likely given the pairs: they are independent fair coins. Turning one exchanges two records, so the
    guarantee that is tested is the one against exchange (``swapped=True`` for an add-or-remove guarantee). Of a complementary pair of adaptations the first
    counts, for both turn with the same coins.

    Args:
        scores, keep, twin, seed: As in :func:`independent_trials`.
        strata: int [..., N], groups within which the size is fixed, e.g. classes of a stratified half; must broadcast to [..., N] of scores. None for one.

    Returns:
        float64 [M], score of a pair's first record less that of its second, in an order drawn by chance; and bool [M], whether the first is in.

    Raises:
        DataError: If shapes don't fit, a score is NaN, a twin isn't the complement, or nothing can be matched.
    """
    scores, keep, twin = _runs(scores, keep, twin)
    if np.isnan(scores).any():
        raise DataError(f"scores {scores.shape} have a NaN; pairs need numbers, infinities included.")
    groups = _groups(strata, scores.shape)
    rng = np.random.default_rng(seed)
    first, second = [], []
    mine = twin >= np.arange(len(twin))
    for s, k, group in zip(scores[:, mine], keep[:, mine], groups, strict=True):
        for g in np.unique(group):
            x, member = s[:, group == g], k[:, group == g]
            order = (rng.random(x.shape) + ~member).argsort(-1)  # those in come first, by chance, then those out
            n_in = member.sum(-1, keepdims=True)
            ranked, place = np.take_along_axis(x, order, -1), np.arange(x.shape[-1])
            matched = place < np.minimum(n_in, x.shape[-1] - n_in)
            first.append(ranked[matched])
            second.append(np.take_along_axis(ranked, np.minimum(n_in + place, x.shape[-1] - 1), -1)[matched])
    inside, outside = np.concatenate(first), np.concatenate(second)
    if len(inside) == 0:
        raise DataError(f"keep has the shape {keep.shape}, but no adaptation has a record in and a record out of one stratum.")
    member = rng.random(len(inside)) < 0.5
    a, b = np.where(member, inside, outside), np.where(member, outside, inside)
    same = a == b
    return np.subtract(a, b, out=np.zeros(len(a)), where=~same), member


def checked_trials(scores: _Scores, member: _Member) -> tuple[_Scores, _Member]:
    """Scores float64 [M] and member bool [M], checked.

    Raises:
        DataError: If they aren't two equally long axes of at least two, member isn't boolean, or a score is NaN.
    """
    scores, member = np.asarray(scores, dtype=np.float64), np.asarray(member)
    if scores.ndim != 1 or scores.shape != member.shape or len(scores) < 2 or member.dtype != np.bool_:
        raise DataError(f"scores {scores.shape} and member {member.dtype} {member.shape} must be one axis of at least 2 independent trials, member boolean.")
    if np.isnan(scores).any():
        raise DataError(f"scores have {np.isnan(scores).sum()} NaN among {len(scores)}; drop those trials, or find out why.")
    return scores, member


def check_levels(delta: float, alpha: float) -> None:
    """Raise a DataError unless delta is in [0, 1) and alpha in (0, 0.25]."""
    if not 0 <= delta < 1:
        raise DataError(f"delta is {delta!r}, but must lie from 0 to below 1.")
    if not 0 < alpha <= 0.25:
        raise DataError(f"alpha is {alpha!r}, but must lie above 0 and at most at 0.25.")


def _one_each(s: _Scores, k: _Member, twin: NDArray[np.int64], record: int | None, rng: np.random.Generator) -> tuple[list[float], list[float]]:
    """Scores of one task's trials, out and in; single adaptations first, then pairs to balance them."""
    sides: tuple[list[float], list[float]] = ([], [])
    units = rng.permutation(np.flatnonzero(twin >= np.arange(len(twin))))
    single = twin[units] == units
    for i in np.concatenate([units[single], units[~single]]):
        x = int(rng.integers(s.shape[-1])) if record is None else record
        coin = bool(rng.random() < 0.5)
        side = bool(k[i, x])
        if twin[i] != i and len(sides[0]) != len(sides[1]):
            side = len(sides[1]) < len(sides[0])
        elif twin[i] != i:
            side = coin
        sides[side].append(float(s[i if k[i, x] == side else twin[i], x]))
    return sides


def _runs(scores: _Scores, keep: _Member, twin: NDArray[np.int64] | None) -> tuple[_Scores, _Member, NDArray[np.int64]]:
    """Scores and keep as [tasks, R, N], and twin, checked."""
    scores, keep = np.asarray(scores, dtype=np.float64), np.asarray(keep)
    if scores.ndim < 2 or scores.size == 0 or keep.dtype != np.bool_ or keep.shape[-2:] != scores.shape[-2:]:
        raise DataError(f"scores {scores.shape} and keep {keep.dtype} {keep.shape} must be [..., adaptations, records], not empty, keep boolean.")
    try:
        keep = np.broadcast_to(keep, scores.shape)
    except ValueError as error:
        raise DataError(f"keep has the shape {keep.shape}, but must broadcast to the scores' shape {scores.shape}.") from error
    r = scores.shape[-2]
    twin = np.arange(r) if twin is None else np.asarray(twin)
    if twin.shape != (r,) or not np.isin(twin, np.arange(r)).all() or (twin[twin] != np.arange(r)).any():
        raise DataError(f"twin must pair the {r} adaptations: {r} indices such that twin[twin[r]] == r.")
    keep = keep.reshape(-1, *keep.shape[-2:])
    paired = np.flatnonzero(twin != np.arange(r))
    if (keep[:, paired] == keep[:, twin[paired]]).any():
        raise DataError("twin pairs two adaptations of which one isn't on exactly the other's complement; pass None if there are no complements.")
    return scores.reshape(keep.shape), keep, twin


def _groups(strata: NDArray[np.int64] | None, shape: tuple[int, ...]) -> NDArray[np.int64]:
    """[tasks, N], zeros without strata."""
    tasks, _, n = shape
    if strata is None:
        return np.zeros((tasks, n), dtype=np.int64)
    groups = np.asarray(strata)
    if groups.shape[-1:] != (n,) or groups.size not in (n, tasks * n):
        raise DataError(f"strata have the shape {groups.shape}, but must be one group for each of the {n} records of each of the {tasks} tasks.")
    return np.broadcast_to(groups.reshape(-1, n), (tasks, n))
