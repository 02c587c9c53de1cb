"""Two-proportion bounds on epsilon: exact limits, declared decisions, coverage with known truth, and which trials may be counted."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import betaincinv, expit

from mrp_core.audit.epsilon import EpsilonBound, Thresholds, certifiable_epsilon, clopper_pearson, two_proportion_bound
from mrp_core.audit.trials import independent_trials, record_pairs
from mrp_core.errors import DataError

SIDE = 500
MIDDLE = Thresholds(rates=(), values=(0.5,))
Scores = NDArray[np.float64]
Member = NDArray[np.bool_]


def tail(n: int, k: int, p: float) -> float:
    """P[Bin(n, p) >= k] by counting."""
    return float(sum(math.comb(n, i) * Fraction(p) ** i * (1 - Fraction(p)) ** (n - i) for i in range(k, n + 1)))


def balanced() -> Member:
    return np.repeat([True, False], SIDE)


def response(rng: np.random.Generator, member: Member, epsilon: float) -> Scores:
    return np.where(rng.random(len(member)) < expit(epsilon), member, ~member) * 1.0


def laplace(rng: np.random.Generator, member: Member, epsilon: float) -> Scores:
    return epsilon * member + rng.laplace(size=len(member))


@pytest.mark.parametrize(("k", "n", "low", "high"), [(0, 10, 0.0, 0.3085), (1, 10, 0.0025, 0.4450), (5, 10, 0.1871, 0.8129), (10, 10, 0.6915, 1.0)])
def test_limits_are_those_of_the_tables(k: int, n: int, low: float, high: float) -> None:
    # 95 % limits of Clopper & Pearson 1934, as printed in statistical tables (e.g. Documenta Geigy) to four digits
    assert clopper_pearson(k, n, 0.025) == pytest.approx((low, high), abs=5e-5)


def test_limits_without_an_event_have_a_closed_form() -> None:
    for n in (1, 7, 500, 100_000):
        assert clopper_pearson(0, n, 0.025)[1] == pytest.approx(1 - 0.025 ** (1 / n), rel=1e-9)
        assert clopper_pearson(n, n, 0.025)[0] == pytest.approx(0.025 ** (1 / n), rel=1e-12)


def test_limits_put_the_tail_on_each_side_exactly() -> None:
    for k, n in ((1, 3), (4, 9), (12, 30), (29, 30)):
        low, high = clopper_pearson(k, n, 0.01)
        assert tail(n, k, low) == pytest.approx(0.01, rel=1e-6)
        assert 1 - tail(n, k + 1, high) == pytest.approx(0.01, rel=1e-6)


def naive(scores: Scores, member: Member, delta: float, alpha: float, thresholds: Thresholds) -> float:
    """The bound by loops over lists, from the definition."""
    inside, outside = sorted((s for s, m in zip(scores, member, strict=True) if m), reverse=True), sorted((s for s, m in zip(scores, member, strict=True) if not m), reverse=True)
    called = [(sum(s > v for s in inside), sum(s > v for s in outside)) for v in thresholds.values]
    for rate in thresholds.rates:
        k = int(rate * len(outside))
        called.append((sum(s >= outside[k - 1] for s in inside), sum(s >= outside[k - 1] for s in outside)) if k else (sum(s > outside[0] for s in inside), 0))
    for rate in thresholds.miss_rates:
        k = int(rate * len(inside))
        called.append((sum(s > inside[-k] for s in inside), sum(s > inside[-k] for s in outside)) if k
                      else (len(inside), sum(s >= inside[-1] for s in outside)))
    best, level = 0.0, alpha / len(called) / 2
    for tp, fp in called:
        tpr, fpr = clopper_pearson(tp, len(inside), level)[0], clopper_pearson(fp, len(outside), level)[1]
        tnr, fnr = clopper_pearson(len(outside) - fp, len(outside), level)[0], clopper_pearson(len(inside) - tp, len(inside), level)[1]
        for hits, false in ((tpr, fpr), (tnr, fnr)):
            best = max(best, math.log((hits - delta) / false)) if hits > delta else best
    return best


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([-math.inf, -1e308, -1.0, 0.0, 5e-324, 0.5, 0.6, 1.0, 3.0, math.inf]), st.booleans()), min_size=2, max_size=60),
       st.sampled_from([0.0, 1e-5, 0.2, 0.999]),
       st.sampled_from([Thresholds(), MIDDLE, Thresholds(rates=(0.0,), miss_rates=(0.0, 0.25)), Thresholds(rates=(), miss_rates=(0.5,)), Thresholds(rates=(0.99,))]))
def test_bound_equals_a_naive_loop_also_on_ties_and_infinities(rows: list[tuple[float, bool]], delta: float, thresholds: Thresholds) -> None:
    scores, member = np.array([r[0] for r in rows]), np.array([r[1] for r in rows])
    if member.all() or not member.any():
        with pytest.raises(DataError, match="members and non-members"):
            two_proportion_bound(scores, member, delta=delta, thresholds=thresholds)
        return
    bound = two_proportion_bound(scores, member, delta=delta, thresholds=thresholds)
    assert bound.epsilon == pytest.approx(naive(scores, member, delta, 0.05, thresholds), abs=1e-9)
    assert 0 <= bound.epsilon <= bound.ceiling + 1e-12
    if not thresholds.values:
        mirrored = two_proportion_bound(-scores, ~member, delta=delta, thresholds=Thresholds(rates=thresholds.miss_rates, miss_rates=thresholds.rates))
        assert mirrored.epsilon == pytest.approx(bound.epsilon, abs=1e-9)


def test_ceiling_is_reached_by_perfect_scores_and_by_nothing_else() -> None:
    bound = two_proportion_bound(balanced() * 1.0, balanced(), delta=0.0, thresholds=MIDDLE)
    low, high = 0.025 ** (1 / SIDE), 1 - 0.025 ** (1 / SIDE)
    assert bound.epsilon == pytest.approx(math.log(low / high)) == pytest.approx(bound.ceiling) == pytest.approx(certifiable_epsilon(SIDE, SIDE, delta=0.0))
    assert bound.ceiling == pytest.approx(math.log(low * SIDE / -math.log(0.025)), abs=0.01)  # one over the rule of three
    assert bound.ceiling == pytest.approx(4.9056, abs=5e-5)
    with_rates = two_proportion_bound(balanced() * 1.0, balanced(), delta=0.0)
    assert with_rates.epsilon <= with_rates.ceiling < bound.ceiling
    assert certifiable_epsilon(SIDE, SIDE, delta=0.0, comparisons=2) > with_rates.ceiling


def test_a_group_of_two_is_what_swapped_allows_for() -> None:
    rng = np.random.default_rng(0)
    scores = response(rng, balanced(), 2.0)
    plain, swapped = (two_proportion_bound(scores, balanced(), delta=0.0, thresholds=MIDDLE, swapped=s).epsilon for s in (False, True))
    assert swapped == pytest.approx(plain / 2)
    bound = two_proportion_bound(scores, balanced(), delta=1e-2, thresholds=MIDDLE, swapped=True)
    e, (hits, false) = bound.epsilon, (bound.tpr_low, bound.fpr_high) if not bound.mirrored else (1 - bound.fpr_high, 1 - bound.tpr_low)
    assert hits == pytest.approx(math.exp(2 * e) * false + (1 + math.exp(e)) * 1e-2)


def bounds(mechanism: object, epsilon: float, thresholds: Thresholds, repetitions: int = 200) -> Scores:
    return np.array([two_proportion_bound(mechanism(np.random.default_rng(seed), balanced(), epsilon), balanced(), delta=0.0, thresholds=thresholds).epsilon  # type: ignore[operator]
                     for seed in range(repetitions)])


@pytest.mark.parametrize("mechanism", [response, laplace])
@pytest.mark.parametrize("thresholds", [MIDDLE, Thresholds(), Thresholds(rates=(0.05,), miss_rates=(0.05,))])
def test_the_bound_lies_above_the_truth_no_more_often_than_it_says(mechanism: object, thresholds: Thresholds) -> None:
    for truth in (0.0, 1.0):
        assert (bounds(mechanism, truth, thresholds) > truth + 1e-9).mean() <= 0.05


def test_the_bound_comes_near_the_truth() -> None:
    for thresholds in (MIDDLE, Thresholds()):
        assert np.median(bounds(response, 1.0, thresholds)) >= 0.78
    assert np.median(bounds(laplace, 1.0, Thresholds())) >= 0.6


def undeclared(scores: Scores, member: Member, side: float) -> float:
    """Every observed score tried as the threshold, with limits as if it were the only one; no limits at side 0."""
    tried = np.unique(scores)
    tp, fp = (SIDE - np.searchsorted(np.sort(s), tried) for s in (scores[member], scores[~member]))
    if side == 0:
        return float(np.log(np.maximum(tp, 1e-9) / np.maximum(fp, 1))[fp >= 5].max())
    low = np.where(tp > 0, betaincinv(np.maximum(tp, 1), SIDE - tp + 1, side), 0.0)
    high = np.where(fp < SIDE, 1 - betaincinv(np.maximum(SIDE - fp, 1), fp + 1, side), 1.0)
    with np.errstate(divide="ignore"):
        return float(max(np.log(low / high).max(), np.log((1 - high) / (1 - low)).max()))


@pytest.mark.parametrize("truth", [0.0, 1.0])
def test_a_threshold_chosen_afterwards_breaks_the_promise(truth: float) -> None:
    drawn = [laplace(np.random.default_rng(seed), balanced(), truth) for seed in range(200)]
    assert np.mean([undeclared(s, balanced(), 0.05) > truth for s in drawn]) >= 0.12
    assert np.mean([undeclared(s, balanced(), 0.0) > truth for s in drawn]) >= 0.8


def test_limits_at_a_rank_hold_for_scores_with_few_values() -> None:
    """The k-th highest of scores that are mostly equal: the false-positive rate there is below its limit as often as promised."""
    for values, weights in (((0.0, 1.0), (0.9, 0.1)), ((0.0, 1.0, 2.0, 3.0), (0.75, 0.1, 0.1, 0.05)), (tuple(map(float, range(40))), (1 / 40,) * 40)):
        missed = 0
        for seed in range(400):
            rng = np.random.default_rng(seed)
            outside = rng.choice(values, 50, p=weights)
            bound = two_proportion_bound(np.concatenate([np.full(50, 99.0), outside]), np.repeat([True, False], 50), delta=0.0, alpha=0.2, thresholds=Thresholds(rates=(0.1,)))
            truth = sum(w for v, w in zip(values, weights, strict=True) if (v >= bound.threshold if bound.inclusive else v > bound.threshold))
            missed += truth > bound.fpr_high
        assert missed <= 0.1 * 400 + 3 * 6


@pytest.mark.parametrize("chances", [(0.9, 0.1), (0.5, 0.3), (1.0, 0.0), (0.02, 0.0)])
def test_limits_hold_when_trials_succeed_with_different_chances(chances: tuple[float, float]) -> None:
    """Half of the trials with one chance, half with the other: the exact distribution of the count, against limits for the mean chance."""
    mass, mean = np.ones(1), sum(chances) / 2
    for p in np.repeat(chances, 50):
        mass = np.convolve(mass, [1 - p, p])
    limits = [clopper_pearson(k, 100, 0.025) for k in range(101)]
    assert sum(m for m, (low, _) in zip(mass, limits, strict=True) if low > mean) <= 0.025
    assert sum(m for m, (_, high) in zip(mass, limits, strict=True) if high < mean) <= 0.025


def test_a_bound_says_in_words_what_it_is() -> None:
    found = two_proportion_bound(balanced() * 1.0, balanced(), delta=1e-5, thresholds=MIDDLE)
    assert found.sentence == ("Epsilon is at least 4.91 at 95 % confidence (delta 1e-05): 500 of 500 members and 0 of 500 non-members were called members; "
                              "as many trials can certify 4.91 at most, and a low bound is no evidence of privacy.")
    nothing = two_proportion_bound(np.zeros(2 * SIDE), balanced(), delta=0.0)
    assert isinstance(nothing, EpsilonBound) and nothing.epsilon == 0
    assert "certify no epsilon above 0" in nothing.sentence and "no evidence of privacy" in nothing.sentence


@pytest.mark.parametrize(("change", "words"), [
    ({"scores": np.zeros((2, 3))}, r"\(2, 3\)"), ({"scores": np.zeros(3)}, r"\(3,\)"), ({"member": np.array([0, 1, 0, 1])}, "boolean"), ({"member": np.ones(4, bool)}, "4 of 4"),
    ({"member": np.zeros(4, bool)}, "0 of 4"), ({"scores": np.array([0, np.nan, 1, 2])}, "1 NaN"), ({"delta": -0.1}, "delta"), ({"delta": math.nan}, "delta"), ({"delta": 1}, "delta"),
    ({"alpha": 0}, "alpha"), ({"alpha": 0.5}, "alpha"), ({"alpha": math.nan}, "alpha"),
])
def test_bad_input_is_refused(change: dict[str, object], words: str) -> None:
    with pytest.raises(DataError, match=words):
        two_proportion_bound(**{"scores": np.arange(4.0), "member": np.array([True, True, False, False]), "delta": 0.0, **change})  # type: ignore[arg-type]


@pytest.mark.parametrize("declared", [{"rates": ()}, {"rates": (1.0,)}, {"rates": (-0.1,)}, {"miss_rates": (math.nan,)}, {"values": (math.inf,)}])
def test_bad_declarations_are_refused(declared: dict[str, tuple[float, ...]]) -> None:
    with pytest.raises(DataError):
        Thresholds(**declared)


def test_bad_counts_are_refused() -> None:
    for k, n, side in ((-1, 5, 0.1), (6, 5, 0.1), (0, 0, 0.1), (1, 5, 0.0), (1, 5, math.nan)):
        with pytest.raises(DataError):
            clopper_pearson(k, n, side)
    with pytest.raises(DataError):
        certifiable_epsilon(0, 5, delta=0.0)


# ---- trials


def halves(rng: np.random.Generator, tasks: int, runs: int, n: int) -> tuple[Member, NDArray[np.int64]]:
    half = rng.random((tasks, runs // 2, n)).argsort(-1) < n // 2
    return np.concatenate([half, ~half], 1), (np.arange(runs) + runs // 2) % runs


def test_each_pair_of_adaptations_gives_one_trial_and_tasks_are_balanced() -> None:
    keep, twin = halves(np.random.default_rng(0), 5, 32, 10)
    place = np.arange(keep.size, dtype=float).reshape(keep.shape)
    scores, member = independent_trials(place, keep, twin, seed=1)
    t, r, n = np.unravel_index(scores.astype(int), keep.shape)
    np.testing.assert_array_equal(keep[t, r, n], member)
    assert len({(a, b) for a, b in zip(t, r % 16, strict=True)}) == len(scores) == 5 * 16
    for task in range(5):
        assert member[t == task].sum() == 8
    assert len(set(n)) > 5


def test_single_adaptations_are_thinned_to_balance() -> None:
    rng = np.random.default_rng(0)
    keep = rng.random((4, 30, 6)) < 0.3
    place = np.arange(keep.size, dtype=float).reshape(keep.shape)
    scores, member = independent_trials(place, keep, record=2)
    t, r, n = np.unravel_index(scores.astype(int), keep.shape)
    assert (n == 2).all() and len(set(zip(t, r, strict=True))) == len(scores)
    for task in range(4):
        side = min(keep[task, :, 2].sum(), (~keep[task, :, 2]).sum())
        assert member[t == task].sum() == (~member[t == task]).sum() == side


def test_the_choice_of_trials_does_not_look_at_scores() -> None:
    keep, twin = halves(np.random.default_rng(3), 2, 16, 8)
    place = np.arange(keep.size, dtype=float).reshape(keep.shape)
    chosen, member = independent_trials(place, keep, twin, seed=5)
    again, same = independent_trials(-(place**3), keep, twin, seed=5)
    np.testing.assert_array_equal(-(chosen**3), again)
    np.testing.assert_array_equal(member, same)


def test_bounds_from_whole_adaptations_need_independent_trials() -> None:
    """Noise that all records of an adaptation share, nothing about membership: entries of the matrix taken as trials claim an epsilon, picked ones don't."""
    whole, picked = 0, 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        keep = rng.random((1, 40, 50)) < np.where(rng.random((1, 40, 1)) < 0.5, 0.1, 0.9)  # supports of different sizes
        scores = np.broadcast_to(rng.normal(size=(1, 40, 1)), keep.shape)
        declared = Thresholds(rates=(), values=(0.0,))
        whole += two_proportion_bound(scores.ravel(), keep.ravel(), delta=0.0, thresholds=declared).epsilon > 0
        picked += two_proportion_bound(*independent_trials(scores, keep, seed=seed), delta=0.0, thresholds=declared).epsilon > 0
    assert whole >= 15 and picked <= 3


def test_pairs_are_matched_within_strata_and_adaptations() -> None:
    keep, twin = halves(np.random.default_rng(0), 3, 8, 12)
    strata = np.arange(12) % 3
    place = np.arange(keep.size, dtype=float).reshape(keep.shape)
    difference, member = record_pairs(place, keep, twin, strata=strata)
    assert (difference % 3 == 0).all() and (np.abs(difference) < 12).all()
    assert 0.2 < member.mean() < 0.8
    signs = np.where(keep, 1.0, -1.0)
    difference, member = record_pairs(signs, keep, twin)
    assert len(difference) == 3 * 4 * 6
    np.testing.assert_array_equal(difference, np.where(member, 2.0, -2.0))


def test_pairs_of_a_half_are_independent_fair_coins() -> None:
    """All halves of four records, many draws: given the two pairs, all four ways round come equally often."""
    keep = np.random.default_rng(0).random((1, 40_000, 4)).argsort(-1) < 2
    difference, member = record_pairs(np.broadcast_to([0.0, 1.0, 5.0, 25.0], keep.shape), keep)
    first, second = (np.sign(difference) == np.where(member, 1, -1)).reshape(-1, 2).T  # whether the higher of the two is in
    counts = [(first & second).mean(), (first & ~second).mean(), (~first & second).mean(), (~first & ~second).mean()]
    np.testing.assert_allclose(counts, 0.25, atol=0.01)


def test_infinite_scores_make_pairs_too() -> None:
    keep = np.array([[True, False]] * 3)
    scores = np.array([[np.inf, np.inf], [np.inf, -np.inf], [-np.inf, -np.inf]])
    difference, member = record_pairs(scores, keep)
    np.testing.assert_array_equal(difference, [0.0, np.inf if member[1] else -np.inf, 0.0])


@pytest.mark.parametrize(("change", "words"), [
    ({"scores": np.zeros(3)}, r"\(3,\)"), ({"scores": np.zeros((4, 0))}, r"\(4, 0\)"), ({"keep": np.ones((4, 3))}, "boolean"), ({"keep": np.ones((4, 2), bool)}, r"\(4, 2\)"),
    ({"keep": np.ones((7, 4, 3), bool)}, "broadcast"), ({"keep": np.ones((4, 3), bool)}, "(in and a trial out|complement)"), ({"twin": np.array([1, 0, 3])}, "twin"),
    ({"twin": np.array([1, 2, 3, 0])}, "twin"), ({"twin": np.array([2, 3, 0, 1])}, "complement"),
])
def test_bad_matrices_are_refused(change: dict[str, object], words: str) -> None:
    keep = np.array([[1, 0, 0], [0, 1, 1], [1, 1, 0], [0, 0, 1]], bool)
    arguments = {"scores": np.zeros((4, 3)), "keep": keep, "twin": np.array([1, 0, 3, 2]), **change}
    if "keep" in change:
        arguments["twin"] = None
    with pytest.raises(DataError, match=words):
        independent_trials(**arguments)  # type: ignore[arg-type]
    with pytest.raises(DataError):
        record_pairs(**arguments)  # type: ignore[arg-type]


def test_bad_records_strata_and_nan_are_refused() -> None:
    keep = np.array([[True, False], [False, True]])
    with pytest.raises(DataError, match="record is 2"):
        independent_trials(np.zeros((2, 2)), keep, record=2)
    with pytest.raises(DataError, match="strata"):
        record_pairs(np.zeros((2, 2)), keep, strata=np.zeros(3, dtype=np.int64))
    with pytest.raises(DataError, match="NaN"):
        record_pairs(np.full((2, 2), np.nan), keep)
    with pytest.raises(DataError, match="stratum"):
        record_pairs(np.zeros((2, 2)), keep, strata=np.array([0, 1]))
