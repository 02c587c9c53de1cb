"""Non-dominated sets, staircase, hypervolume and attainment against definitions written out."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrp_core.errors import DataError
from mrp_core.frontier import Reference, attainment, hypervolume, non_dominated, staircase
from mrp_core.measurement import Measurement

BOX = Reference(utility=0.2, leakage=math.log(5))
POINTS = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=12)


def m(value: float, half: float) -> Measurement:
    return Measurement(value=value, low=value - half, high=value + half, n=9)


@settings(max_examples=100, deadline=None)
@given(POINTS)
def test_non_dominated_is_its_definition(points: list[tuple[int, int]]) -> None:
    want = [not any(a <= x and b >= y and (a, b) != (x, y) for a, b in points) for x, y in points]
    assert non_dominated([p[0] for p in points], [p[1] for p in points]).tolist() == want


def test_unresolved_settings_are_never_on_the_front_and_beat_nobody() -> None:
    assert non_dominated([0.0, 1.0, math.nan], [math.nan, 0.5, 0.9]).tolist() == [False, True, False]
    assert non_dominated([], []).tolist() == []
    assert non_dominated([math.nan], [1.0]).tolist() == [False]


def test_equal_settings_stay_together() -> None:
    assert non_dominated([1, 1, 2], [3, 3, 3]).tolist() == [True, True, False]


def test_staircase_claims_only_what_was_attained() -> None:
    corners = staircase([0.5, 0.1, 0.3, 0.3], [0.9, 0.4, 0.3, 0.7], until=1.0)
    np.testing.assert_allclose(corners, [[0.1, 0.4], [0.3, 0.4], [0.3, 0.7], [0.5, 0.7], [0.5, 0.9], [1.0, 0.9]])
    assert staircase([math.nan], [0.5]).shape == (0, 2)
    np.testing.assert_allclose(staircase([0.1], [0.5], until=0.05), [[0.1, 0.5]])


def test_hypervolume_of_a_staircase_by_hand() -> None:
    box = Reference(utility=0.0, leakage=1.0)
    assert hypervolume([0.25, 0.5], [0.4, 0.8], box) == pytest.approx(0.25 * 0.4 + 0.5 * 0.8)
    assert hypervolume([0.0], [1.0], box) == pytest.approx(1)
    assert hypervolume([1.0, 0.3], [1.0, 0.0], box) == pytest.approx(0)
    assert hypervolume([], [], box) == 0 == hypervolume([math.nan], [0.5], box)
    assert hypervolume([-0.5], [0.5], box) == pytest.approx(0.5)  # better than the ideal counts as the ideal
    assert "reference point: utility 0, leakage 1" in box.text()


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 2), st.floats(0, 1.1)), min_size=1, max_size=10))
def test_hypervolume_equals_a_sum_of_steps_and_grows_with_settings(points: list[tuple[float, float]]) -> None:
    x, y = np.array(points).T
    grid = np.sort(np.concatenate([np.clip(x, 0, BOX.leakage), [BOX.leakage]]))
    best = np.array([max([0.2, *np.minimum(y, 1.0)[np.minimum(np.maximum(x, 0), BOX.leakage) <= g]]) for g in grid[:-1]])
    want = float(((best - 0.2) * np.diff(grid)).sum()) / (0.8 * BOX.leakage)
    got = hypervolume(x, y, BOX)
    assert got == pytest.approx(want, abs=1e-9)
    assert hypervolume(np.append(x, 0.5), np.append(y, 0.6), BOX) >= got - 1e-12


@settings(max_examples=50, deadline=None)
@given(st.lists(POINTS, min_size=1, max_size=5), st.sampled_from([5.0, 50.0, 95.0, 100.0]))
def test_attainment_counts_seeds(seeds: list[list[tuple[int, int]]], percentile: float) -> None:
    leakage, utility = [[p[0] for p in s] for s in seeds], [[p[1] for p in s] for s in seeds]
    front = attainment(leakage, utility, (percentile,))[percentile]
    needed = max(1, math.ceil(percentile / 100 * len(seeds) - 1e-9))
    for x in range(7):
        for y in range(7):
            attained = sum(any(a <= x and b >= y for a, b in s) for s in seeds) >= needed
            assert attained == bool(((front[:, 0] <= x) & (front[:, 1] >= y)).any())
    assert (np.diff(front[:, 0]) > 0).all()


def test_attainment_of_three_seeds_is_best_median_and_worst() -> None:
    front = attainment([[0.1], [0.2], [0.3]], [[0.9], [0.8], [0.7]])
    assert {q: f.tolist() for q, f in front.items()} == {5.0: [[0.1, 0.9]], 50.0: [[0.2, 0.8]], 95.0: [[0.3, 0.7]]}


def test_a_seed_without_resolved_settings_attains_nothing() -> None:
    assert all(len(f) == 0 for f in attainment([[0.1], [math.nan]], [[0.9], [0.8]]).values())


@pytest.mark.parametrize("call", [
    lambda: non_dominated([1, 2], [1]),
    lambda: non_dominated([[1]], [[1]]),
    lambda: Reference(utility=1.0, leakage=1.0),
    lambda: Reference(utility=0.0, leakage=math.nan),
    lambda: attainment([], []),
    lambda: attainment([[1]], [[1]], (0.0,)),
])
def test_bad_input_is_refused(call: object) -> None:
    with pytest.raises(DataError):
        call()  # type: ignore[operator]
