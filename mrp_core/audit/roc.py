"""What a membership score is worth: exact ROC, TPR at low FPR, AUC, advantage and membership information, batched. Needs numpy only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mrp_core.errors import DataError
from mrp_core.intervals import spans

FPR_GRID: NDArray[np.float64] = np.logspace(-3, 0, 49)
FPR_GRID[[0, 16, 32, 48]] = 1e-3, 1e-2, 1e-1, 1.0  # exact, so that the curve passes through the reported points
FPR_GRID.flags.writeable = False


@dataclass(frozen=True, kw_only=True)
class AttackResult:
    """An attack on each task; arrays have the leading axes of the scores.

    Attributes:
        auc: Area under the ROC, ties counted half.
        advantage: Largest TPR - FPR over all thresholds.
        information: I(membership; decision) in nats for a fair coin, at the threshold that was fixed beforehand.
        decision_tpr, decision_fpr: Operating point of that decision.
        tpr: [..., 49], the largest TPR with FPR <= each of :data:`FPR_GRID`; NaN where one non-member alone is more than that.
        n_out: int [...], number of non-members.
    """

    auc: NDArray[np.float64]
    advantage: NDArray[np.float64]
    information: NDArray[np.float64]
    decision_tpr: NDArray[np.float64]
    decision_fpr: NDArray[np.float64]
    tpr: NDArray[np.float64]
    n_out: NDArray[np.int64]

    def at(self, fpr: float) -> NDArray[np.float64]:
        """TPR [...] at one of the rates of :data:`FPR_GRID`, such as 0.01 or 0.001.

        Raises:
            DataError: If the rate isn't on the grid.
        """
        where = np.flatnonzero(np.equal(FPR_GRID, fpr))
        if len(where) == 0:
            raise DataError(f"The false-positive rate {fpr!r} is not on the grid; take 0.001, 0.01, 0.1 or call tpr_at.")
        return self.tpr[..., where[0]]

    def note(self, fpr: float) -> str:
        """Why the TPR at ``fpr`` isn't resolved in every task, or ""."""
        needed = int(np.ceil(1 / fpr - 1e-9))
        return f"not resolved, needs at least {needed} non-members" if self.n_out.size and int(self.n_out.min()) < needed else ""


def attack_result(scores: NDArray[np.float64], keep: NDArray[np.bool_], *, threshold: float = 0.0) -> AttackResult:
    """Judge scores task by task; the trials of one task are all its (adaptation, record) pairs.

    The information is taken at a threshold fixed beforehand, not at the best one seen: choosing the threshold on the same trials would show information where
    there is none. 0 is where LiRA's likelihood ratio is even. Its plug-in bias is about 1 / (2 trials) nats.

    Args:
        scores: float64 [..., R, N], higher for members; a task with a NaN yields NaN.
        keep: bool [..., R, N], who is a member; must broadcast to scores. A task without members or without non-members yields NaN.
        threshold: Scores above it are decided "member".

    Raises:
        DataError: If shapes don't fit.
    """
    s, member = _trials(scores, keep)
    tp, fp = _steps(s, member)
    p, n = tp[:, -1:], fp[:, -1:]
    with np.errstate(divide="ignore", invalid="ignore"):
        rise = np.diff(tp, prepend=0) * 1.0
        area = (np.diff(fp, prepend=0) * (tp - rise / 2)).sum(-1) / (p * n)[:, 0]
        advantage = np.maximum((tp / p - fp / n).max(-1), 0.0)
        decided = s > threshold
        tpr, fpr = (decided & member).sum(-1) / p[:, 0], (decided & ~member).sum(-1) / n[:, 0]
    curve = _largest(tp, fp, FPR_GRID)
    bad = np.isnan(s).any(-1) | (p[:, 0] == 0) | (n[:, 0] == 0)
    parts = [area, advantage, membership_information(tpr, fpr), tpr, fpr, curve]
    if bad.any():
        for a in parts:
            a[bad] = np.nan
    lead = scores.shape[:-2]
    auc, adv, info, t, f, grid = (a.reshape(lead + a.shape[1:]) for a in parts)
    return AttackResult(auc=auc, advantage=adv, information=info, decision_tpr=t, decision_fpr=f, tpr=grid, n_out=n[:, 0].reshape(lead))


def tpr_at(scores: NDArray[np.float64], keep: NDArray[np.bool_], fpr: float) -> NDArray[np.float64]:
    """Largest TPR [...] with FPR <= ``fpr`` (step convention, no interpolation); NaN below the floor of one over the number of non-members.

    Args:
        scores, keep: As in :func:`attack_result`.
        fpr: A rate in (0, 1].
    """
    if not 0 < fpr <= 1:
        raise DataError(f"fpr is {fpr!r}, but must lie above 0 and at most at 1.")
    s, member = _trials(scores, keep)
    out = _largest(*_steps(s, member), np.array([fpr]))[:, 0]
    out[np.isnan(s).any(-1)] = np.nan
    return out.reshape(scores.shape[:-2])


def roc_curve(
    scores: NDArray[np.float64], member: NDArray[np.bool_], *, drop_intermediate: bool = True
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """FPR, TPR and thresholds of one set of trials, as ``sklearn.metrics.roc_curve`` returns them: equal scores make one step.

    Args:
        scores: float64 [M], finite.
        member: bool [M], with at least one member and one non-member.
        drop_intermediate: Leave out thresholds on a straight line between their neighbours.

    Raises:
        DataError: If a score isn't finite, or a side is empty.
    """
    scores, member = np.asarray(scores, dtype=np.float64), np.asarray(member, dtype=bool)
    if scores.ndim != 1 or scores.shape != member.shape or not np.isfinite(scores).all() or member.all() or not member.any():
        raise DataError(f"A ROC needs finite scores and equally many labels on one axis, with members and non-members; scores have the shape {scores.shape}.")
    order = np.argsort(-scores, kind="stable")
    s, m = scores[order], member[order]
    last = np.append(np.flatnonzero(np.diff(s)), len(s) - 1)
    tp = np.cumsum(m)[last]
    fp = 1 + last - tp
    if drop_intermediate and len(last) > 2:
        corner = np.concatenate([[True], (np.diff(fp, 2) != 0) | (np.diff(tp, 2) != 0), [True]])
        tp, fp, last = tp[corner], fp[corner], last[corner]
    return np.concatenate([[0.0], fp / fp[-1]]), np.concatenate([[0.0], tp / tp[-1]]), np.concatenate([[np.inf], s[last]])


def membership_information(tpr: NDArray[np.float64], fpr: NDArray[np.float64]) -> NDArray[np.float64]:
    """I(M; decision) in nats for a fair coin M: h((TPR + FPR) / 2) - (h(TPR) + h(FPR)) / 2, with h the binary entropy."""
    tpr, fpr = np.asarray(tpr, dtype=np.float64), np.asarray(fpr, dtype=np.float64)
    return np.maximum(_entropy((tpr + fpr) / 2) - (_entropy(tpr) + _entropy(fpr)) / 2, 0.0)


def averaged_roc(tpr: NDArray[np.float64], *, level: float = 0.95) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Mean over seeds and tasks of TPRs on a common grid, with a pointwise band.

    At each rate the band is :func:`mrp_core.intervals.spans` of the per-task TPRs at that rate, within [0, 1].

    Args:
        tpr: float64 [seeds, tasks, G]; a rate that isn't resolved in some task is NaN in the result.
        level: Coverage of the band.

    Returns:
        mean, low, high, each [G]; low and high are NaN where there is one value only.
    """
    mean, low, high = spans(tpr, level=level)
    return mean, np.clip(low, 0.0, None), np.clip(high, None, 1.0)


def _trials(scores: NDArray[np.float64], keep: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Scores and membership as [tasks, trials]."""
    if scores.ndim < 2 or scores.shape[-1] * scores.shape[-2] == 0:
        raise DataError(f"scores have the shape {scores.shape}, but must be [..., adaptations, records], neither empty.")
    try:
        member = np.broadcast_to(np.asarray(keep, dtype=bool), scores.shape)
    except ValueError as error:
        raise DataError(f"keep has the shape {np.shape(keep)}, but must broadcast to the scores' shape {scores.shape}.") from error
    m = scores.shape[-1] * scores.shape[-2]
    return np.asarray(scores, dtype=np.float64).reshape(-1, m), member.reshape(-1, m)


def _steps(s: NDArray[np.float64], member: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """True and false positives [tasks, trials] after each trial from the highest score down; inside a group of equal scores, those of the step before."""
    order = np.argsort(-s, axis=-1)
    ranked = np.take_along_axis(s, order, -1)
    tp = np.cumsum(np.take_along_axis(member, order, -1), -1, dtype=np.int64)
    fp = np.arange(1, s.shape[-1] + 1, dtype=np.int64) - tp
    inside = np.zeros(s.shape, dtype=bool)
    inside[:, :-1] = ranked[:, :-1] == ranked[:, 1:]
    if inside.any():
        tp = np.maximum.accumulate(np.where(inside, 0, tp), axis=-1)
        fp = np.maximum.accumulate(np.where(inside, 0, fp), axis=-1)
    return tp, fp


def _largest(tp: NDArray[np.int64], fp: NDArray[np.int64], rates: NDArray[np.float64]) -> NDArray[np.float64]:
    """Largest TPR with FPR <= each rate, [tasks, rates]; one search over all tasks, set apart by an offset."""
    rows, m = fp.shape
    n = fp[:, -1:]
    allowed = np.floor(rates * n * (1 + 1e-12)).astype(np.int64)
    apart = np.arange(rows)[:, None] * (m + 1)
    found = np.searchsorted((fp + apart).ravel(), (allowed + apart).ravel(), side="right").reshape(allowed.shape) - np.arange(rows)[:, None] * m
    best = np.where(found > 0, np.take_along_axis(tp, np.maximum(found - 1, 0), -1), 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(allowed >= 1, best / tp[:, -1:], np.nan)


def _entropy(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Binary entropy in nats."""
    q = np.clip(p, 1e-300, 1.0)
    r = np.clip(1 - p, 1e-300, 1.0)
    return -(q * np.log(q) + r * np.log(r))
