"""Lower bound on epsilon from many canaries at once, even all of one adaptation (Steinke, Nasr & Jagielski 2023). Needs numpy and scipy only.

Each of m canaries is in or out by its own fair coin. An attacker sees the released model, makes r guesses and abstains on the rest; v are right. Canaries may
influence each other through the model: what the guarantee limits is how well any coin is known from the model *and* all other coins.

Which bits are such coins. Independent ones: each record of a pool in with probability 1/2, so that the support's size varies. The records of a random half are
not: given all others, the last one is certain, right guesses come in clumps, and the audit is wrong far more often than it says.
:func:`mrp_core.audit.trials.record_pairs` draws independent coins out of halves, rigorously. Several adaptations with noise of their own, one of each
complementary pair, may be put together: no coin touches more than one. Scores must not rest on the bits of other canaries (shadows are kept apart).
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, expit

from mrp_core.audit.trials import check_levels, checked_trials
from mrp_core.errors import DataError

_LARGEST = 40.0  # nats; 1 - 1e-17 is 1 already, so that no more can be told
_UNFAIR = 1e-7  # probability below which a share of members isn't taken for fair coins


@dataclass(frozen=True, kw_only=True)
class Guesses:
    """On whom to guess, declared before the scores are seen; the error probability is shared equally among the fractions (Bonferroni).

    Few guesses find more where only few canaries stand out (guessing on everybody can halve the bound), many guesses where all are alike.

    Attributes:
        fractions: Shares of canaries that are guessed in, from the top, and the same share guessed out, from the bottom; each in (0, 0.5].
        seed: Breaks ties at the edge, by chance and not by position.

    Raises:
        DataError: If nothing is declared or a fraction is out of range.
    """

    fractions: tuple[float, ...] = (0.1,)
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.fractions or not all(0 < f <= 0.5 for f in self.fractions):
            raise DataError(f"fractions are {self.fractions}, but must be at least one number above 0 and at most 0.5.")


@dataclass(frozen=True, kw_only=True)
class OneRunBound:
    """What the guesses certify: the true epsilon is below ``epsilon`` with probability ``alpha`` at most.

    Attributes:
        epsilon: Lower bound, 0 where nothing is certified.
        ceiling: The bound with every guess right, the largest over the declared fractions.
        delta, alpha: As asked.
        comparisons: Fractions that shared alpha.
        swapped: Whether two steps of an add-or-remove guarantee were allowed for.
        coins, guesses, right: m, r and v of the fraction that gave the bound.
    """

    epsilon: float
    ceiling: float
    delta: float
    alpha: float
    comparisons: int
    swapped: bool
    coins: int
    guesses: int
    right: int

    @property
    def sentence(self) -> str:
        """The bound in words, with what it could have been."""
        sure = f"{100 * (1 - self.alpha):g} % confidence"
        found = f"Epsilon is at least {self.epsilon:.2f} at {sure} (delta {self.delta:g})" if self.epsilon > 0 else f"No epsilon above 0 is certified at {sure}"
        return (f"{found}: {self.right} of {self.guesses} guesses on {self.coins} canaries were right; all right would certify {self.ceiling:.2f}, and a low "
                "bound is no evidence of privacy.")


def one_run_bound(scores: NDArray[np.float64], member: NDArray[np.bool_], *, delta: float, alpha: float = 0.05, guesses: Guesses | None = None,
                  swapped: bool = False) -> OneRunBound:
    """Lower bound on epsilon from guesses on the highest and lowest scores.

    Args:
        scores: float64 [m], higher for members; infinities are ranked.
        member: bool [m], the coins: independent and fair, see the module.
        delta: Of the guarantee that is tested, in [0, 1).
        alpha: Probability, at most, that the bound lies above the true epsilon; in (0, 0.25].
        guesses: Declared before the scores were seen; the top and bottom 10 % if None.
        swapped: True where turning a coin exchanges two records, and the bound is wanted for the add-or-remove guarantee.

    Raises:
        DataError: If shapes don't fit, a score is NaN, delta or alpha is out of range, or the share of members is impossible for fair coins.

    Source:
        Steinke, Nasr & Jagielski 2023, "Privacy auditing with one (1) training run", algorithm 1 and the main theorem of section 5.
    """
    scores, member = checked_trials(scores, member)
    check_levels(delta, alpha)
    guesses = guesses or Guesses()
    m, n_in = len(member), int(member.sum())
    if min(_tails(m, [n_in], 0.5)[0], _tails(m, [m - n_in], 0.5)[0]) < _UNFAIR:
        raise DataError(f"member has {n_in} of {m} in, which fair coins don't give; the one-run audit needs each canary in with probability 1/2.")
    order = np.lexsort((np.random.default_rng(guesses.seed).permutation(m), scores))
    level = alpha / len(guesses.fractions)
    best, ceiling = (-1.0, 0, 0), 0.0
    for fraction in guesses.fractions:
        k = max(1, math.floor(fraction * m * (1 + 1e-12)))
        right = int(member[order[m - k:]].sum()) + int((~member[order[:k]]).sum())
        best = max(best, (one_run_epsilon(m, 2 * k, right, delta=delta, alpha=level, swapped=swapped), 2 * k, right), key=lambda b: b[0])
        ceiling = max(ceiling, one_run_epsilon(m, 2 * k, 2 * k, delta=delta, alpha=level, swapped=swapped))
    return OneRunBound(epsilon=best[0], ceiling=ceiling, delta=delta, alpha=alpha, comparisons=len(guesses.fractions), swapped=swapped, coins=m,
                       guesses=best[1], right=best[2])


@functools.lru_cache(maxsize=4096)
def one_run_epsilon(coins: int, guesses: int, right: int, *, delta: float, alpha: float = 0.05, swapped: bool = False) -> float:
    """The largest epsilon >= 0 up to which every epsilon is rejected at ``alpha``, by bisection; from below, to 1e-12.

    Where the p-value is at most 1/4 it grows with epsilon, so that it passes alpha once.

    Args:
        coins, guesses, right: m >= r >= v >= 0.
        delta, alpha, swapped: As in :func:`one_run_bound`.
    """
    check_levels(delta, alpha)
    if one_run_p_value(0.0, coins=coins, guesses=guesses, right=right, delta=delta, swapped=swapped) > alpha:
        return 0.0
    low, high = 0.0, _LARGEST
    while high - low > 1e-12:
        middle = (low + high) / 2
        rejected = one_run_p_value(middle, coins=coins, guesses=guesses, right=right, delta=delta, swapped=swapped) <= alpha
        low, high = (middle, high) if rejected else (low, middle)
    return low


def one_run_p_value(epsilon: float, *, coins: int, guesses: int, right: int, delta: float, swapped: bool = False) -> float:
    """Upper limit, for every (epsilon, delta)-private mechanism and every attacker, of the chance of so many right guesses: beta + 2 m delta alpha*.

    beta = P[Bin(r, q) >= v] with q = e^epsilon / (1 + e^epsilon), and alpha* = max over 1 <= i <= v of (P[Bin(r, q) >= v - i] - beta) / i.
    With ``swapped``, epsilon and delta become 2 epsilon and (1 + e^epsilon) delta.

    Raises:
        DataError: If not 0 <= v <= r <= m, or epsilon is negative or not a number.

    Source:
        Steinke, Nasr & Jagielski 2023, main theorem of section 5 and appendix D; tails as incomplete beta functions.
    """
    if not 0 <= right <= guesses <= coins or not epsilon >= 0:
        raise DataError(f"{right} right of {guesses} guesses on {coins} coins at epsilon {epsilon!r}: give 0 <= right <= guesses <= coins and epsilon >= 0.")
    if right == 0:
        return 1.0
    if swapped:
        epsilon, delta = 2 * epsilon, (1 + math.exp(min(epsilon, _LARGEST))) * delta
    q = float(expit(epsilon))
    beta = float(_tails(guesses, [right], q)[0])
    if delta == 0:
        return beta
    i = np.arange(1, right + 1)
    extra = float(((_tails(guesses, right - i, q) - beta) / i).max())
    return min(1.0, beta + 2 * coins * delta * extra)


def _tails(r: int, least: NDArray[np.int64] | list[int], q: float) -> NDArray[np.float64]:
    """P[Bin(r, q) >= k] for each k in 0 .. r of ``least``."""
    k = np.asarray(least)
    return np.where(k > 0, betainc(np.maximum(k, 1), r - k + 1, q), 1.0)
