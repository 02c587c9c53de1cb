"""Lower bounds on epsilon from independent membership trials: two proportions with exact limits at thresholds declared beforehand. Needs numpy and scipy only.

A guarantee (epsilon, delta) for one support record says that no event is more than e^epsilon times as likely, plus delta, with the record as without it. For
the event "the score says member" that is TPR <= e^epsilon FPR + delta, and for its complement TNR <= e^epsilon FNR + delta. Limits of the two rates that
fail together with probability alpha at most turn either line into a lower bound on epsilon.

Which trials may be counted. A trial is one record, one bit (was it in?), one score. Exact limits need trials whose scores are independent given the bits.
Records of one adaptation share its noise, so that an adaptation gives one trial, whatever the number of its records; one on the complementary half is no
trial of its own, because its support is fixed by the other's. The noise must be drawn anew for each adaptation, and whatever else the score uses (shadow
adaptations, difficulty of the records) must come from adaptations that are no trials themselves. Trials of several records, tasks and seeds may be put
together: a guarantee that holds for each of them holds for the mean of their rates, if members and non-members mix them in the same shares.
:func:`mrp_core.audit.trials.independent_trials` picks such trials; :mod:`mrp_core.audit.one_run` uses all records of an adaptation, by another argument.

What differs between a trial that is in and one that is out decides which guarantee is tested. Supports of a fixed size, such as halves of a pool, exchange
the record for another one: removing one and adding one, two steps of an add-or-remove guarantee. ``swapped=True`` accounts for that.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

from mrp_core.audit.trials import check_levels, checked_trials
from mrp_core.errors import DataError

_Scores = NDArray[np.float64]
_Member = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Thresholds:
    """Decisions that are named before the trials are seen; the error probability is shared equally among them (Bonferroni).

    A rate is a rule of rank, and may be declared without knowing the scale of the scores: the limit of a false-positive rate at the k-th highest
    non-member is the one at a fixed threshold with k false positives (Wilks 1941), also with ties.

    Attributes:
        rates: False-positive rates. Members are called from the k-th highest non-member score on, k = floor(rate * non-members); above all of them at k = 0.
        miss_rates: The mirror: non-members are called up to the k-th lowest member score, k = floor(rate * members); below all of them at k = 0.
        values: Fixed thresholds, e.g. chosen on other data; members are called above them.

    Raises:
        DataError: If nothing is declared, a rate isn't in [0, 1), or a value isn't finite.
    """

    rates: tuple[float, ...] = (0.02, 0.2)
    miss_rates: tuple[float, ...] = ()
    values: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if self.comparisons == 0:
            raise DataError("Thresholds are empty; declare at least one rate, miss rate or value.")
        if not all(0 <= r < 1 for r in self.rates + self.miss_rates):
            raise DataError(f"rates are {self.rates} and {self.miss_rates}, but must lie in [0, 1).")
        if not all(math.isfinite(v) for v in self.values):
            raise DataError(f"values are {self.values}, but must be finite.")

    @property
    def comparisons(self) -> int:
        """How many decisions share the error probability; a decision and its mirror use the same two limits and count once."""
        return len(self.rates) + len(self.miss_rates) + len(self.values)


@dataclass(frozen=True, kw_only=True)
class EpsilonBound:
    """What trials certify: the true epsilon is below ``epsilon`` with probability ``alpha`` at most.

    Attributes:
        epsilon: Lower bound, 0 where nothing is certified.
        ceiling: The largest bound that as many trials could have given under the same declaration, with every member found.
        delta, alpha: As asked.
        comparisons: Decisions that shared alpha.
        swapped: Whether two steps of an add-or-remove guarantee were allowed for.
        threshold: Of the decision that gave the bound.
        inclusive: Whether scores equal to it are called members.
        mirrored: Whether non-members were the ones told apart (TNR against FNR).
        true_positives, false_positives, n_in, n_out: Counts at that decision.
        tpr_low, fpr_high: Limits of its rates, each missed with probability alpha / (2 * comparisons) at most.
    """

    epsilon: float
    ceiling: float
    delta: float
    alpha: float
    comparisons: int
    swapped: bool
    threshold: float
    inclusive: bool
    mirrored: bool
    true_positives: int
    false_positives: int
    n_in: int
    n_out: int
    tpr_low: float
    fpr_high: float

    @property
    def sentence(self) -> str:
        """The bound in words, with what it could have been."""
        sure, trials = f"{100 * (1 - self.alpha):g} % confidence", f"{self.n_in} members and {self.n_out} non-members"
        limit = f"as many trials can certify {self.ceiling:.2f} at most, and a low bound is no evidence of privacy."
        if self.epsilon == 0:
            return f"Trials of {trials} certify no epsilon above 0 at {sure}; {limit}"
        return (f"Epsilon is at least {self.epsilon:.2f} at {sure} (delta {self.delta:g}): {self.true_positives} of {self.n_in} members and "
                f"{self.false_positives} of {self.n_out} non-members were called members; {limit}")


def two_proportion_bound(scores: _Scores, member: _Member, *, delta: float, alpha: float = 0.05, thresholds: Thresholds | None = None,
                         swapped: bool = False) -> EpsilonBound:
    """Lower bound on epsilon: the largest of ln((TPR_low - delta) / FPR_high) and its mirror over the declared decisions.

    Args:
        scores: float64 [M], higher for members; infinities are ranked. One independent trial each, see the module.
        member: bool [M], with members and non-members.
        delta: Of the guarantee that is tested, in [0, 1).
        alpha: Probability, at most, that the bound lies above the true epsilon; in (0, 0.25].
        thresholds: Declared before the scores were seen; two false-positive rates if None.
        swapped: True where trials in and out differ by exchanging the record for another one, and the bound is wanted for the add-or-remove guarantee.

    Raises:
        DataError: If shapes don't fit, a score is NaN, a side is empty, or delta or alpha is out of range.

    Source:
        Jagielski, Ullman & Oprea 2020, "Auditing differentially private machine learning", section 4, with Clopper & Pearson 1934; group privacy for
        ``swapped``: TPR <= e^(2 epsilon) FPR + (1 + e^epsilon) delta.
    """
    scores, member = checked_trials(scores, member)
    check_levels(delta, alpha)
    thresholds = thresholds or Thresholds()
    if member.all() or not member.any():
        raise DataError(f"member has {member.sum()} of {len(member)} members; two proportions need members and non-members.")
    inside, outside = np.sort(scores[member]), np.sort(scores[~member])
    tail = alpha / (2 * thresholds.comparisons)
    found, ceiling = [], 0.0
    for threshold, inclusive, ideal in _decisions(inside, outside, thresholds):
        tp, fp = _count(inside, threshold, inclusive), _count(outside, threshold, inclusive)
        low, high = _limits(tp, fp, len(inside), len(outside), tail)
        value, mirrored = _epsilon(low, high, delta, swapped)
        ceiling = max(ceiling, _epsilon(*_limits(*ideal, len(inside), len(outside), tail), delta, swapped)[0])
        found.append((value, threshold, inclusive, mirrored, tp, fp, low, high))
    value, threshold, inclusive, mirrored, tp, fp, low, high = max(found, key=lambda f: f[0])
    return EpsilonBound(epsilon=value, ceiling=ceiling, delta=delta, alpha=alpha, comparisons=thresholds.comparisons, swapped=swapped, threshold=threshold,
                        inclusive=inclusive, mirrored=mirrored, true_positives=tp, false_positives=fp, n_in=len(inside), n_out=len(outside), tpr_low=low,
                        fpr_high=high)


def certifiable_epsilon(n_in: int, n_out: int, *, delta: float, alpha: float = 0.05, comparisons: int = 1, swapped: bool = False) -> float:
    """The largest bound that any scores could give: every member found, no false positive; about ln(n_out / ln(2 comparisons / alpha)).

    Args:
        n_in, n_out: Members and non-members, at least one each.
        delta, alpha, swapped: As in :func:`two_proportion_bound`.
        comparisons: Declared decisions.
    """
    check_levels(delta, alpha)
    if min(n_in, n_out, comparisons) < 1:
        raise DataError(f"n_in, n_out and comparisons are {n_in}, {n_out} and {comparisons}, but must be at least 1.")
    return _epsilon(*_limits(n_in, 0, n_in, n_out, alpha / (2 * comparisons)), delta, swapped)[0]


def clopper_pearson(successes: int, trials: int, tail: float) -> tuple[float, float]:
    """Exact limits of a binomial proportion, each missed with probability ``tail`` at most (0.025 for a 95 % interval).

    Raises:
        DataError: If not 0 <= successes <= trials, trials < 1, or tail isn't in (0, 0.5].

    Source:
        Clopper & Pearson 1934, as quantiles of beta distributions.
    """
    if not 0 <= successes <= trials or trials < 1 or not 0 < tail <= 0.5:
        raise DataError(f"{successes} successes of {trials} trials at tail {tail!r} have no limits; give 0 <= successes <= trials and a tail in (0, 0.5].")
    low = float(betaincinv(successes, trials - successes + 1, tail)) if successes else 0.0
    high = float(1 - betaincinv(trials - successes, successes + 1, tail)) if successes < trials else 1.0
    return low, high


def _decisions(inside: _Scores, outside: _Scores, thresholds: Thresholds) -> list[tuple[float, bool, tuple[int, int]]]:
    """Threshold, whether it is called a member itself, and the best counts (true, false positives) that the declaration allows; sorted scores."""
    n_in, n_out = len(inside), len(outside)
    found: list[tuple[float, bool, tuple[int, int]]] = [(v, False, (n_in, 0)) for v in thresholds.values]
    for rate in thresholds.rates:
        k = _rank(rate, n_out)
        found.append((float(outside[n_out - max(k, 1)]), k > 0, (n_in, k)))
    for rate in thresholds.miss_rates:
        k = _rank(rate, n_in)
        found.append((float(inside[max(k, 1) - 1]), k == 0, (n_in - k, 0)))
    return found


def _rank(rate: float, n: int) -> int:
    return math.floor(rate * n * (1 + 1e-12))


def _count(ordered: _Scores, threshold: float, inclusive: bool) -> int:
    """How many are called members."""
    return len(ordered) - int(np.searchsorted(ordered, threshold, side="left" if inclusive else "right"))


def _limits(tp: int, fp: int, n_in: int, n_out: int, tail: float) -> tuple[float, float]:
    """Lower limit of TPR, upper limit of FPR."""
    return clopper_pearson(tp, n_in, tail)[0], clopper_pearson(fp, n_out, tail)[1]


def _epsilon(tpr_low: float, fpr_high: float, delta: float, swapped: bool) -> tuple[float, bool]:
    """Bound from the limits of one decision, and whether its mirror gave it; the mirror needs no further limits."""
    direct, mirror = (_ratio(a, b, delta, swapped) for a, b in ((tpr_low, fpr_high), (1 - fpr_high, 1 - tpr_low)))
    return max(direct, mirror), mirror > direct


def _ratio(hits: float, false: float, delta: float, swapped: bool) -> float:
    """Least epsilon >= 0 with hits <= e^epsilon false + delta; with hits <= e^(2 epsilon) false + (1 + e^epsilon) delta where swapped."""
    if hits <= delta + false:
        return 0.0
    if not swapped:
        return math.log((hits - delta) / false)
    return max(0.0, math.log((math.sqrt(delta * delta + 4 * false * (hits - delta)) - delta) / (2 * false)))
