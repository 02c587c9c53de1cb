"""Attribute inference: what released probabilities tell about a sensitive attribute, by an adversary that is judged on people it hasn't seen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from mrp_core.errors import DataError
from mrp_core.intervals import interval
from mrp_core.measurement import Measurement

_Array = NDArray[np.float64]
_Labels = NDArray[np.int64]
Adversary = Literal["logistic", "boosting"]
FOLDS = 5
LEAST = 2 * FOLDS
"""People that a value of the attribute needs, so that each fold holds two of them."""
_RESAMPLES = 500
_PRIOR_SHARE = 0.02  # of the base rate in each prediction: bounds the loss of an adversary that is sure and wrong
_SMALLEST = 1e-6  # of a released probability before its log is taken


@dataclass(frozen=True, kw_only=True)
class AttributeInference:
    """How well the attribute is inferred from what is released; what isn't resolved is NaN with its reason as note.

    Attributes:
        auc: Held-out AUC; with more than two values the mean over values of "this value or another".
        information: Lower bound on I(A; output) in nats, per task where tasks are given; not below 0.
        entropy: H(A) in nats, what the bound can't exceed.
        null_auc, null_information: The same with A shuffled: mean, 2.5 % and 97.5 % quantile over the permutations.
        notes: Sentences for the reader.
    """

    auc: Measurement
    information: Measurement
    entropy: float
    null_auc: Measurement
    null_information: Measurement
    notes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class _Case:
    """Known records: log-probabilities z [N, C], attribute a [N] as 0 .. K - 1, person and task [N] as numbers from 0."""

    z: _Array
    a: _Labels
    person: _Labels
    task: _Labels

    @property
    def values(self) -> int:
        return int(self.a.max()) + 1


def attribute_inference(probabilities: _Array, attribute: _Labels, *, person: _Labels | None = None, task: _Labels | None = None,
                        adversary: Adversary = "logistic", permutations: int = 20, seed: int = 0) -> AttributeInference:
    """Attack an attribute through released outputs, cross-fitted: every record is judged by an adversary fitted on other people.

    The information is the bound of Barber & Agakov (2003), equation 3: H(A) - E[-log q(A | output)] for any q, here the adversary's held-out prediction, mixed
    with 2 % of the base rate. H(A) is the plug-in entropy, which errs to the low side, as a lower bound should. With tasks, adversary and entropy know each
    task's base rate, so only what the output adds is counted, and intervals are over tasks (:func:`mrp_core.intervals.interval`);
    otherwise they are a bootstrap over people. The AUC compares records of one fold, that is, judged by one adversary; its interval reaches at least two
    standard deviations of the shuffled AUC to each side, since folds depend on one another where there is little to find. That an adversary finds nothing
    doesn't show that there is nothing.

    Args:
        probabilities: float64 [N, C], released for each record.
        attribute: int [N], -1 where unknown; such records are left out.
        person: int [N], whose record it is; a person is never on both sides of a fit. Each record its own person if not given.
        task: int [N], which task the record belongs to; one adversary serves all.
        adversary: Logistic regression on log-probabilities, or boosted trees (scikit-learn).
        permutations: How often A is shuffled (among people, within a task) for the null; 0 for none.
        seed: Of folds, permutations and bootstrap.

    Raises:
        DataError: If shapes don't fit, a probability isn't one, or the attribute isn't whole numbers from -1.
    """
    if adversary not in get_args(Adversary) or permutations < 0:
        raise DataError(f"adversary is {adversary!r} and permutations {permutations!r}; the adversaries are {', '.join(get_args(Adversary))}, and permutations is at least 0.")
    case, notes = _case(probabilities, attribute, person, task)
    if case is None:
        missing = Measurement(value=np.nan, low=np.nan, high=np.nan, note=f"not resolved: {notes[-1]}")
        return AttributeInference(auc=missing, information=missing, entropy=np.nan, null_auc=missing, null_information=missing, notes=notes)
    rng = np.random.default_rng([seed, 19])
    auc, information, entropy = _measured(case, *_held_out(case, adversary, rng), task is not None, rng)
    null = np.array([_null(case, adversary, rng, task is not None) for _ in range(permutations)]).reshape(-1, 2)
    shuffled = [_over(null[:, i]) for i in (0, 1)]
    notes = (*notes, auc.note) if auc.note else notes
    return AttributeInference(auc=_widened(auc, null[:, 0]), information=information, entropy=entropy, null_auc=shuffled[0], null_information=shuffled[1], notes=notes)


def _case(p: _Array, a: _Labels, person: _Labels | None, task: _Labels | None) -> tuple[_Case | None, tuple[str, ...]]:
    """The records that can be used, or None, and sentences on what was left out."""
    p, a = _checked(p, a)
    n = len(a)
    columns = [np.arange(n) if person is None else np.asarray(person), np.zeros(n, dtype=np.int64) if task is None else np.asarray(task)]
    for name, column in zip(("person", "task"), columns, strict=True):
        if column.shape != (n,) or column.dtype.kind not in "iu":
            raise DataError(f"{name} is {column.dtype} {column.shape}, but must be a whole number for each of the {n} records.")
    known = a >= 0
    notes = [f"{(~known).sum()} of {n} records have an unknown attribute and are left out."] if not known.all() else []
    people = {int(v): len(np.unique(columns[0][a == v])) for v in np.unique(a[known])}
    few = {v: k for v, k in people.items() if k < LEAST}
    notes += [f"The attribute's value {v} has {k} {'person' if k == 1 else 'people'}, but at least {LEAST} are needed; left out." for v, k in few.items()]
    if len(people) - len(few) < 2:
        seen = ", ".join(f"value {v}: {k}" for v, k in people.items()) or "none"
        return None, (*notes, f"two values of the attribute with at least {LEAST} people each are needed; known people are {seen}.")
    use = known & ~np.isin(a, list(few))
    number = [np.unique(column[use], return_inverse=True)[1] for column in (a, *columns)]
    return _Case(z=np.log(np.maximum(p[use], _SMALLEST)), a=number[0], person=number[1], task=number[2]), tuple(notes)


def _checked(p: _Array, a: _Labels) -> tuple[_Array, _Labels]:
    p, a = np.asarray(p, dtype=np.float64), np.asarray(a)
    if p.ndim != 2 or p.shape[1] < 2 or len(p) == 0:
        raise DataError(f"probabilities have the shape {p.shape}, but must be [records, classes] with at least one record and two classes.")
    if not ((p >= 0) & np.isfinite(p)).all() or np.abs(p.sum(1) - 1.0).max() > 1e-3:
        row = int(np.argmax(~((p >= 0) & np.isfinite(p)).all(1) | (np.abs(p.sum(1) - 1.0) > 1e-3)))
        raise DataError(f"Row {row} of probabilities is {np.round(p[row], 4).tolist()}, but must be finite, not negative, and add up to 1; pass the softmax of logits.")
    if a.shape != p.shape[:1] or a.dtype.kind not in "iu" or a.min() < -1:
        raise DataError(f"attribute is {a.dtype} {a.shape}, but must be a whole number from 0, or -1 where unknown, for each of the {len(p)} records.")
    return p, a.astype(np.int64)


def _held_out(case: _Case, adversary: Adversary, rng: np.random.Generator) -> tuple[_Array, _Labels]:
    """q [N, K], each record's prediction by an adversary fitted on the people of the other folds, and the folds [N]."""
    first = np.unique(case.person, return_index=True)[1]
    order = rng.permutation(len(first))
    order = order[np.lexsort((case.task[first][order], case.a[first][order]))]
    fold = np.empty(len(first), dtype=np.int64)
    fold[order] = np.arange(len(first)) % FOLDS
    fold = fold[case.person]
    # the task's base rate is common knowledge: from the other folds alone it would run against what is held out, and push the AUC below one half
    share = _shares(case)
    prior = (share + 1e-3) / (1 + 1e-3 * case.values)
    x = np.column_stack([case.z, np.log(prior[:, 1:] / prior[:, :1])]) if case.task.any() else case.z
    out = np.empty((len(case.a), case.values))
    for k in range(FOLDS):
        fit, ask = fold != k, fold == k
        out[ask] = _fitted(adversary, x[fit], case.a[fit], x[ask], case.values)
    return (1 - _PRIOR_SHARE) * out + _PRIOR_SHARE * prior, fold


def _shares(case: _Case) -> _Array:
    """Share of each value among the records of a record's task, [N, K]."""
    count = np.zeros((int(case.task.max()) + 1, case.values))
    np.add.at(count, (case.task, case.a), 1.0)
    return (count / count.sum(1, keepdims=True))[case.task]


def _fitted(adversary: Adversary, x: _Array, a: _Labels, asked: _Array, values: int) -> _Array:
    """Predicted probabilities [asked, K]; a value that the fitted records lack gets none."""
    from sklearn.ensemble import HistGradientBoostingClassifier  # here: a page reads results before scikit-learn is loaded
    from sklearn.linear_model import LogisticRegression

    out = np.zeros((len(asked), values))
    classes = np.unique(a)
    if len(classes) == 1:
        out[:, classes[0]] = 1.0
    elif adversary == "logistic":
        centre, scale = x.mean(0), x.std(0)
        scale = np.where(scale > 1e-9, scale, 1.0)
        model = LogisticRegression(max_iter=1000).fit((x - centre) / scale, a)
        out[:, classes] = model.predict_proba((asked - centre) / scale)
    else:
        trees = HistGradientBoostingClassifier(max_iter=40, max_leaf_nodes=8, learning_rate=0.1, random_state=0).fit(x, a)
        out[:, classes] = trees.predict_proba(asked)
    return out


def _measured(case: _Case, q: _Array, fold: _Labels, by_task: bool, rng: np.random.Generator) -> tuple[Measurement, Measurement, float]:
    """AUC, information and H(A) (given the task) with intervals over tasks or people."""
    gain, entropy = _gains(case, q)
    if by_task:
        count = np.bincount(case.task)
        each = np.array([_auc(q[mine], case.a[mine], fold[mine])[0] for mine in (case.task == t for t in range(len(count)))])
        known = each[~np.isnan(each)]
        note = f"AUC over {len(known)} of {len(count)} tasks: the others hold too few records of a value." if len(known) < len(count) else ""
        return interval(known[None], low=0.0, high=1.0, note=note), _clipped(interval((np.bincount(case.task, gain) / count)[None])), entropy
    people = int(case.person.max()) + 1
    weight = rng.multinomial(people, np.full(people, 1 / people), _RESAMPLES)[:, case.person].astype(np.float64)
    draws = np.stack([_auc(q, case.a, fold, weight), weight @ gain / weight.sum(1)])
    low, high = np.quantile(draws[:, ~np.isnan(draws[0])], [0.025, 0.975], axis=1)
    values = _auc(q, case.a, fold)[0], gain.mean()
    auc, information = (Measurement(value=float(values[i]), low=float(low[i]), high=float(high[i]), n=people) for i in (0, 1))
    return auc, _clipped(information), entropy


def _gains(case: _Case, q: _Array) -> tuple[_Array, float]:
    """log q(a | output) - log (share of a in its task) of each record, [N], and the mean of the second term, H(A | task)."""
    row = np.arange(len(q))
    surprise = -np.log(_shares(case)[row, case.a])
    return surprise + np.log(q[row, case.a]), float(surprise.mean())


def _auc(q: _Array, a: _Labels, fold: _Labels, weight: _Array | None = None) -> _Array:
    """AUC [B] over pairs of one fold, under record weights [B, N] (1 if not given), ties counted half; NaN without a pair.

    With more than two values it is the mean over values, otherwise that of value 1.
    """
    weight = np.ones((1, len(a))) if weight is None else weight
    found = []
    for v in range(q.shape[1]) if q.shape[1] > 2 else (1,):
        order = np.lexsort((q[:, v], fold))
        new_fold = np.diff(fold[order], prepend=-1) > 0
        starts = np.flatnonzero(new_fold | (np.diff(q[order, v], prepend=-1.0) > 0))
        positive, negative = (np.add.reduceat(np.where(side[order], weight[:, order], 0.0), starts, axis=1) for side in (a == v, a != v))
        first = np.flatnonzero(new_fold[starts])
        below = np.cumsum(negative, 1)
        before = np.repeat((below - negative)[:, first], np.diff(first, append=len(starts)), axis=1)
        pairs = (np.add.reduceat(positive, first, axis=1) * np.add.reduceat(negative, first, axis=1)).sum(1)
        wins = (positive * (below - before - negative / 2)).sum(1)
        found.append(np.where(pairs > 0, wins / np.where(pairs > 0, pairs, 1.0), np.nan))
    return np.mean(found, axis=0)


def _null(case: _Case, adversary: Adversary, rng: np.random.Generator, by_task: bool) -> tuple[float, float]:
    """AUC and information with the attribute shuffled among the people of each task; a person keeps one value where it had one."""
    constant = (case.a == case.a[np.unique(case.person, return_index=True)[1]][case.person]).all()
    unit = case.person if constant else np.arange(len(case.a))
    first = np.unique(unit, return_index=True)[1]
    a, task = case.a[first], case.task[first]
    for t in np.unique(task):
        mine = np.flatnonzero(task == t)
        a[mine] = a[rng.permutation(mine)]
    moved = replace(case, a=a[unit])
    q, fold = _held_out(moved, adversary, rng)
    if not by_task:
        return float(_auc(q, moved.a, fold)[0]), max(0.0, float(_gains(moved, q)[0].mean()))
    auc, information, _ = _measured(moved, q, fold, True, rng)
    return auc.value, information.value


def _over(values: _Array) -> Measurement:
    """Mean and 95 % range over the permutations."""
    known = values[~np.isnan(values)]
    if len(known) == 0:
        return Measurement(value=np.nan, low=np.nan, high=np.nan, note="not computed")
    low, high = np.quantile(known, [0.025, 0.975])
    return Measurement(value=float(known.mean()), low=float(low), high=float(high), n=len(known), note="attribute shuffled")


def _widened(auc: Measurement, null: _Array) -> Measurement:
    known = null[~np.isnan(null)]
    if len(known) < 2:
        return auc
    reach = 2.0 * float(known.std(ddof=1))
    return replace(auc, low=max(0.0, min(auc.low, auc.value - reach)), high=min(1.0, max(auc.high, auc.value + reach)))


def _clipped(m: Measurement) -> Measurement:
    return replace(m, value=max(0.0, m.value), low=max(0.0, m.low), high=max(0.0, m.high))
