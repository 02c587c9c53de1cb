"""One-run bounds on epsilon: exact p-values, closed forms, coverage with known truth, and what isn't a coin."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import betaincinv, expit, logit

from mrp_core.accounting import gaussian_epsilon
from mrp_core.audit.one_run import Guesses, one_run_bound, one_run_epsilon, one_run_p_value
from mrp_core.audit.trials import record_pairs
from mrp_core.errors import DataError

COINS = 1000
THREE = Guesses(fractions=(0.1, 0.25, 0.5))
ALL = Guesses(fractions=(0.5,))
Scores = NDArray[np.float64]
Member = NDArray[np.bool_]


def response(rng: np.random.Generator, member: Member, epsilon: float, answers: float = 1.0) -> Scores:
    told = np.where(rng.random(len(member)) < expit(epsilon), member, ~member) * 2.0 - 1.0
    return np.where(rng.random(len(member)) < answers, told, rng.uniform(-0.5, 0.5, len(member)))


def laplace(rng: np.random.Generator, member: Member, epsilon: float) -> Scores:
    return epsilon * member + rng.laplace(size=len(member))


def coins(seed: int) -> tuple[np.random.Generator, Member]:
    rng = np.random.default_rng(seed)
    return rng, rng.random(COINS) < 0.5


def naive_p_value(epsilon: float, m: int, r: int, v: int, delta: float) -> float:
    """By counting, with exact fractions."""
    q = Fraction(math.exp(epsilon) / (1 + math.exp(epsilon)))
    mass = [math.comb(r, k) * q**k * (1 - q) ** (r - k) for k in range(r + 1)]
    beta = sum(mass[v:], Fraction(0))
    alpha = max((sum(mass[v - i:v], Fraction(0)) / i for i in range(1, v + 1)), default=Fraction(0))
    return min(1.0, float(beta + 2 * m * Fraction(delta) * alpha))


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 25), st.floats(0, 1), st.floats(0, 1), st.floats(0, 6), st.sampled_from([0.0, 1e-9, 1e-5, 1e-3, 0.1]))
def test_p_value_equals_counting(m: int, guessed: float, hit: float, epsilon: float, delta: float) -> None:
    r = round(m * guessed)
    v = round(r * hit)
    got = one_run_p_value(epsilon, coins=m, guesses=r, right=v, delta=delta)
    assert got == pytest.approx(naive_p_value(epsilon, m, r, v, delta), rel=1e-9, abs=1e-15)


def test_bound_without_delta_is_binomial_inversion() -> None:
    for r, v in ((1, 1), (10, 10), (10, 9), (200, 150), (1000, 731)):
        q = float(betaincinv(v, r - v + 1, 0.05))
        assert one_run_epsilon(1000, r, v, delta=0.0) == pytest.approx(max(0.0, float(logit(q))), abs=1e-9)


def test_all_right_has_a_closed_form() -> None:
    for r in (5, 10, 200):
        q = 0.05 ** (1 / r)
        assert one_run_epsilon(1000, r, r, delta=0.0) == pytest.approx(math.log(q / (1 - q)), abs=1e-9)
    assert one_run_epsilon(1000, 10, 10, delta=0.0) == pytest.approx(1.0519, abs=5e-5)


def test_p_value_grows_with_epsilon_where_it_matters() -> None:
    grid = np.linspace(0, 8, 161)
    for m, r, v, delta in ((1000, 200, 160, 1e-5), (1000, 200, 199, 1e-3), (50, 50, 45, 1e-2), (10_000, 1000, 800, 1e-6), (20, 4, 4, 0.01)):
        for swapped in (False, True):
            p = np.array([one_run_p_value(e, coins=m, guesses=r, right=v, delta=delta, swapped=swapped) for e in grid])
            below = np.flatnonzero(p <= 0.25)
            assert (np.diff(p[:len(below) + 1]) >= 0).all() and (below == np.arange(len(below))).all()
            bound = one_run_epsilon(m, r, v, delta=delta, swapped=swapped)
            if bound > 0:
                assert one_run_p_value(bound, coins=m, guesses=r, right=v, delta=delta, swapped=swapped) <= 0.05
                assert one_run_p_value(bound + 1e-6, coins=m, guesses=r, right=v, delta=delta, swapped=swapped) > 0.05


def test_swapped_allows_two_steps() -> None:
    assert one_run_epsilon(1000, 200, 180, delta=0.0, swapped=True) == pytest.approx(one_run_epsilon(1000, 200, 180, delta=0.0) / 2, abs=1e-9)
    got = one_run_p_value(0.7, coins=100, guesses=50, right=45, delta=1e-4, swapped=True)
    assert got == pytest.approx(naive_p_value(1.4, 100, 50, 45, (1 + math.exp(0.7)) * 1e-4), rel=1e-9)


def test_a_larger_delta_and_more_coins_certify_less() -> None:
    found = [one_run_epsilon(m, 200, 180, delta=d) for m, d in ((1000, 0.0), (1000, 1e-6), (1000, 1e-4), (10_000, 1e-4))]
    assert found == sorted(found, reverse=True) and found[0] > found[2] > 0


def bounds(mechanism: object, epsilon: float, guesses: Guesses, **more: float) -> Scores:
    found = []
    for seed in range(200):
        rng, member = coins(seed)
        found.append(one_run_bound(mechanism(rng, member, epsilon, **more), member, delta=0.0, guesses=guesses).epsilon)  # type: ignore[operator]
    return np.array(found)


@pytest.mark.parametrize("mechanism", [response, laplace])
@pytest.mark.parametrize("guesses", [Guesses(), THREE, ALL], ids=["default", "three", "all"])
def test_the_bound_lies_above_the_truth_no_more_often_than_it_says(mechanism: object, guesses: Guesses) -> None:
    for truth in (0.0, 1.0):
        assert (bounds(mechanism, truth, guesses) > truth + 1e-9).mean() <= 0.08


def test_the_bound_comes_near_the_truth() -> None:
    assert np.median(bounds(response, 1.0, THREE)) >= 0.78
    assert np.median(bounds(response, 1.0, ALL)) >= 0.78
    assert np.median(bounds(response, 1.0, Guesses())) >= 0.7


def test_abstention_pays_where_few_canaries_stand_out() -> None:
    few, everyone = (np.median(bounds(response, 1.0, g, answers=0.2)) for g in (Guesses(), ALL))
    assert few >= 0.6 and everyone <= few / 2
    assert (bounds(response, 1.0, Guesses(), answers=0.2) > 1).mean() <= 0.08


def test_a_number_of_guesses_chosen_afterwards_breaks_the_promise() -> None:
    many = tuple(k / 40 for k in range(1, 21))
    broken = 0
    for seed in range(200):
        rng, member = coins(seed)
        scores = laplace(rng, member, 0.0)
        broken += max(one_run_bound(scores, member, delta=0.0, guesses=Guesses(fractions=(f,))).epsilon for f in many) > 0
    assert broken >= 0.15 * 200


def test_the_gaussian_mechanism_stays_within_its_exact_epsilon() -> None:
    truth = gaussian_epsilon(1.0, 1e-5)
    for seed in range(50):
        rng, member = coins(seed)
        found = one_run_bound(member + rng.normal(size=COINS), member, delta=1e-5)
        assert 0.5 < found.epsilon < truth and found.epsilon <= found.ceiling


def test_halves_are_coins_only_as_pairs() -> None:
    """One of two records is in, and the released sum is 0.5-private against adding or removing one; exchanging them reaches twice that."""
    signs, found = np.array([1.0, -1.0]), {"pairs": [], "one step": [], "records": []}
    for seed in range(200):
        rng = np.random.default_rng(seed)
        keep = rng.random((500, 2)).argsort(-1) < 1
        scores = ((keep * signs).sum(-1, keepdims=True) + rng.laplace(0, 2, (500, 1))) * signs
        difference, member = record_pairs(scores, keep, seed=seed)
        for name, (s, m), swapped in (("pairs", (difference, member), True), ("one step", (difference, member), False), ("records", (scores.ravel(), keep.ravel()), True)):
            found[name].append(one_run_bound(s, m, delta=0.0, guesses=Guesses(fractions=(0.25,)), swapped=swapped).epsilon > 0.5)
    assert np.mean(found["pairs"]) <= 0.08
    assert np.mean(found["one step"]) >= 0.9  # two steps taken for one
    assert np.mean(found["records"]) >= 0.1  # two records of a half taken for two coins


def test_equal_scores_are_broken_by_chance_and_not_by_position() -> None:
    member = np.repeat([True, False], COINS // 2)
    for order in (member, ~member):
        assert one_run_bound(np.zeros(COINS), order, delta=0.0).epsilon == 0
        assert 60 <= one_run_bound(np.zeros(COINS), order, delta=0.0).right <= 140


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([-math.inf, -1e308, 0.0, 5e-324, 1.0, math.inf]), st.booleans()), min_size=2, max_size=30), st.sampled_from([0.0, 1e-3, 0.9]))
def test_bounds_are_numbers_within_the_ceiling(rows: list[tuple[float, bool]], delta: float) -> None:
    scores, member = np.array([r[0] for r in rows]), np.array([r[1] for r in rows])
    try:
        found = one_run_bound(scores, member, delta=delta, guesses=THREE)
    except DataError:
        assert member.mean() in (0, 1)
        return
    assert 0 <= found.epsilon <= found.ceiling and found.right <= found.guesses <= found.coins == len(rows)


def test_a_bound_says_in_words_what_it_is() -> None:
    _, member = coins(0)
    assert one_run_bound(member * 1.0, member, delta=0.0).sentence == (
        "Epsilon is at least 4.19 at 95 % confidence (delta 0): 200 of 200 guesses on 1000 canaries were right; all right would certify 4.19, "
        "and a low bound is no evidence of privacy.")
    assert one_run_bound(np.zeros(COINS), member, delta=0.0).sentence.startswith("No epsilon above 0 is certified")


@pytest.mark.parametrize(("change", "words"), [
    ({"scores": np.zeros((2, 2))}, r"\(2, 2\)"), ({"member": np.zeros(40)}, "boolean"), ({"scores": np.full(40, np.nan)}, "40 NaN"), ({"member": np.ones(40, bool)}, "fair coins"),
    ({"member": np.zeros(40, bool)}, "fair coins"), ({"delta": 1.0}, "delta"), ({"alpha": 0.3}, "alpha"), ({"alpha": math.nan}, "alpha"),
])
def test_bad_input_is_refused(change: dict[str, object], words: str) -> None:
    with pytest.raises(DataError, match=words):
        one_run_bound(**{"scores": np.arange(40.0), "member": np.arange(40) % 2 == 0, "delta": 0.0, **change})  # type: ignore[arg-type]


def test_bad_declarations_and_counts_are_refused() -> None:
    for fractions in ((), (0.0,), (0.6,), (math.nan,)):
        with pytest.raises(DataError):
            Guesses(fractions=fractions)
    for m, r, v, e in ((5, 6, 1, 0.0), (5, 4, 5, 0.0), (5, 4, -1, 0.0), (5, 4, 3, -1.0), (5, 4, 3, math.nan)):
        with pytest.raises(DataError):
            one_run_p_value(e, coins=m, guesses=r, right=v, delta=0.0)
