"""Intervals cover what they say, with few seeds too; and many of them hold together."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import t as student
from scipy.stats import ttest_1samp

from mrp_core.intervals import interval, simultaneous_level, spans


def draws(seeds: int, tasks: int, seed_spread: float, repetitions: int, level: int = 0) -> NDArray[np.float64]:
    """Values [seeds, tasks, repetitions] of a random-effects model with mean 0."""
    rng = np.random.default_rng([seeds, tasks, level])
    return rng.normal(0, seed_spread, (seeds, 1, repetitions)) + rng.normal(size=(seeds, tasks, repetitions))


@pytest.mark.parametrize("seed_spread", [0.0, 0.2, 0.5, 1.0, 3.0])
@pytest.mark.parametrize(("seeds", "tasks"), [(3, 12), (5, 12), (5, 4), (10, 12)])
@pytest.mark.parametrize("level", [0.95, 0.99])
def test_intervals_cover_from_three_seeds_on(seeds: int, tasks: int, seed_spread: float, level: float) -> None:
    _, low, high = spans(draws(seeds, tasks, seed_spread, 20_000), level=level)
    covered = ((low <= 0) & (high >= 0)).mean()
    assert level - 0.03 <= covered <= level + 0.7 * (1 - level)


def test_two_seeds_are_too_few_to_know_how_seeds_differ() -> None:
    _, low, high = spans(draws(2, 12, 0.5, 20_000))
    assert 0.85 < ((low <= 0) & (high >= 0)).mean() < 0.93


def test_one_seed_is_a_one_sample_t_interval_over_tasks() -> None:
    values = np.random.default_rng(0).normal(size=(1, 9))
    found, expected = interval(values), ttest_1samp(values[0], 0.0).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))


def test_seeds_that_differ_give_the_t_interval_of_their_means() -> None:
    values = np.array([[0.0], [1.0], [5.0]]) + 0.01 * np.random.default_rng(0).normal(size=(3, 6))
    means = values.mean(1)
    half = student.ppf(0.975, 2) * means.std(ddof=1) / math.sqrt(3)
    found = interval(values)
    assert (found.low, found.high) == pytest.approx((means.mean() - half, means.mean() + half))


def test_seeds_that_do_not_differ_are_pooled() -> None:
    values = np.tile([[0.0, 1.0, 2.0, 3.0]], (3, 1))
    half = student.ppf(0.975, 9) * math.sqrt(np.var(values[0], ddof=1) / 12)
    found = interval(values)
    assert (found.low, found.high) == pytest.approx((1.5 - half, 1.5 + half))


@given(st.integers(1, 5), st.integers(1, 6), st.integers(0, 99), st.floats(-100, 100), st.floats(0, 10))
def test_an_interval_holds_its_value_and_keeps_to_bounds(seeds: int, tasks: int, seed: int, middle: float, spread: float) -> None:
    values = middle + spread * np.random.default_rng(seed).normal(size=(seeds, tasks))
    found = interval(values, low=float(values.min()), high=float(values.max()))
    assert found.value == pytest.approx(values.mean(), abs=1e-9)
    assert found.n == values.size
    if values.size > 1:
        assert values.min() - 1e-9 <= found.low <= found.high <= values.max() + 1e-9


def test_an_interval_moves_and_scales_with_its_values() -> None:
    values = np.random.default_rng(3).normal(size=(4, 6))
    plain, moved = interval(values), interval(10 + 2 * values)
    assert (moved.low, moved.high) == pytest.approx((10 + 2 * plain.low, 10 + 2 * plain.high))
    wide = interval(values, level=0.999)
    assert wide.low < plain.low < plain.high < wide.high


def test_where_there_is_no_interval() -> None:
    one = interval(np.array([[0.3]]))
    assert (one.value, one.n) == (0.3, 1)
    assert math.isnan(one.low) and math.isnan(one.high)
    assert not interval(np.empty((0, 3))).resolved
    unresolved = interval(np.array([[0.1, math.nan]]), note="needs more non-members")
    assert not unresolved.resolved
    assert unresolved.note == "needs more non-members"
    flat = interval(np.full((3, 4), 0.5))
    assert (flat.low, flat.value, flat.high) == pytest.approx((0.5, 0.5, 0.5), abs=1e-12)


def test_spans_of_many_quantities_are_those_of_each() -> None:
    values = np.random.default_rng(1).normal(size=(4, 5, 3))
    values[2, 1, 1] = math.nan
    mean, low, high = spans(values)
    for i in (0, 2):
        one = interval(values[..., i])
        assert (mean[i], low[i], high[i]) == pytest.approx((one.value, one.low, one.high))
    assert np.isnan([mean[1], low[1], high[1]]).all()


# ---- many at once ----

def test_one_quantity_or_copies_of_it_need_no_other_level() -> None:
    one = np.random.default_rng(0).normal(size=(3, 4, 1))
    assert simultaneous_level(one) == 0.95
    assert simultaneous_level(np.repeat(one, 40, -1)) == pytest.approx(0.95, abs=0.01)
    assert simultaneous_level(np.zeros((3, 4, 5))) == 0.95


def test_independent_quantities_need_the_level_of_sidak() -> None:
    values = np.random.default_rng(0).normal(size=(20, 50, 10))
    assert simultaneous_level(values) == pytest.approx(0.95 ** (1 / 10), abs=0.0015)


@pytest.mark.parametrize("correlation", [0.0, 0.9])
def test_all_intervals_hold_together(correlation: float) -> None:
    rng, held, repetitions, k = np.random.default_rng(5), 0, 300, 12
    for _ in range(repetitions):
        shared = rng.normal(size=(5, 12, 1))
        values = math.sqrt(correlation) * shared + math.sqrt(1 - correlation) * rng.normal(size=(5, 12, k))
        _, low, high = spans(values, level=simultaneous_level(values))
        held += bool(((low <= 0) & (high >= 0)).all())
    assert held / repetitions >= 0.93
