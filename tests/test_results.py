"""Points and curves: round trips; intervals: what they cover and when there are none; differences: paired."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from mrp_core.config import UNPROTECTED, Setting
from mrp_core.results import Curve, Point, grid, interval, summarise

METRIC_VALUES = st.lists(st.one_of(st.floats(-1e6, 1e6), st.just(math.nan)), min_size=1, max_size=5).map(tuple)
WEAK = Setting("lambda", 0.4)


def same(a: tuple[float, ...], b: tuple[float, ...], digits: float) -> bool:
    return np.allclose(a, b, rtol=digits, atol=0, equal_nan=True)


@given(st.dictionaries(st.sampled_from(["accuracy", "mi", "lira_auc"]), METRIC_VALUES), st.integers(0, 2**31), st.floats(0, 100))
def test_points_survive_json(values: dict[str, tuple[float, ...]], seed: int, weight: float) -> None:
    point = Point(setting=Setting("lambda", weight), seed=seed, values=values, notes={"mi": "jackknife"})
    again = Point.from_json(point.to_json())
    assert (again.setting, again.seed, again.notes) == (point.setting, point.seed, point.notes)
    assert again.values.keys() == values.keys()
    assert all(same(again.values[k], values[k], 1e-4) for k in values)
    assert Point.from_json(again.to_json()).to_json() == again.to_json()


@given(st.lists(st.one_of(st.floats(-1e6, 1e6), st.just(math.nan)), max_size=5).map(tuple), st.sampled_from([None, UNPROTECTED, Setting("epsilon", math.inf)]))
def test_curves_survive_json(x: tuple[float, ...], setting: Setting | None) -> None:
    curve = Curve(setting=setting, name="roc:lira", x=x, y=x, note="step convention")
    again = Curve.from_json(curve.to_json())
    assert (again.setting, again.name, again.note, again.low) == (setting, "roc:lira", "step convention", ())
    assert same(again.x, x, 1e-3)


def test_grid_has_seeds_in_order() -> None:
    points = [Point(setting=WEAK, seed=s, values={"mi": (s + 0.1, s + 0.2)}) for s in (2, 0, 1)]
    np.testing.assert_allclose(grid(points, "mi"), [[0.1, 0.2], [1.1, 1.2], [2.1, 2.2]])


@given(st.integers(1, 5), st.integers(1, 6), st.integers(0, 99), st.floats(-100, 100), st.floats(0, 10))
def test_an_interval_holds_its_value(seeds: int, tasks: int, seed: int, middle: float, spread: float) -> None:
    values = middle + spread * np.random.default_rng(seed).normal(size=(seeds, tasks))
    found = interval(values, resamples=100)
    assert found.value == pytest.approx(values.mean(), abs=1e-9)
    assert found.n == values.size
    if values.size > 1:
        assert values.min() - 1e-9 <= found.low <= found.high <= values.max() + 1e-9


def test_an_interval_moves_and_scales_with_its_values() -> None:
    values = np.random.default_rng(3).normal(size=(4, 6))
    plain, moved = interval(values), interval(10 + 2 * values)
    assert (moved.low, moved.high) == pytest.approx((10 + 2 * plain.low, 10 + 2 * plain.high))
    assert interval(values) == plain, "the same values give the same interval"
    wide = interval(values, level=0.999)
    assert wide.low < plain.low < plain.high < wide.high


def test_where_there_is_no_interval() -> None:
    one = interval(np.array([[0.3]]))
    assert (one.value, one.n) == (0.3, 1)
    assert math.isnan(one.low)
    assert math.isnan(one.high)
    assert not interval(np.empty((0, 3))).resolved
    unresolved = interval(np.array([[0.1, math.nan]]), note="needs more non-members")
    assert not unresolved.resolved
    assert unresolved.note == "needs more non-members"
    flat = interval(np.full((3, 4), 0.5))
    assert (flat.low, flat.value, flat.high) == pytest.approx((0.5, 0.5, 0.5), abs=1e-12)


def coverage(seeds: int, tasks: int, seed_spread: float, repetitions: int = 300) -> float:
    """How often the interval of simulated values holds the true mean, 0."""
    rng, hits = np.random.default_rng([seeds, tasks]), 0
    for _ in range(repetitions):
        values: NDArray[np.float64] = rng.normal(0, seed_spread, (seeds, 1)) + rng.normal(size=(seeds, tasks))
        found = interval(values, resamples=300)
        hits += found.low <= 0 <= found.high
    return hits / repetitions


@pytest.mark.parametrize(("seeds", "tasks", "seed_spread"), [(3, 12, 0.0), (5, 12, 0.0), (5, 12, 0.3), (10, 12, 0.5)])
def test_two_stage_bootstrap_covers_when_tasks_differ_more_than_seeds(seeds: int, tasks: int, seed_spread: float) -> None:
    assert 0.9 <= coverage(seeds, tasks, seed_spread) <= 0.995


def test_few_seeds_that_differ_much_are_where_the_bootstrap_is_too_narrow() -> None:
    """Resampling three values can't know their spread; five do better: why a verdict asks for five seeds."""
    assert coverage(3, 12, 1.0) < coverage(5, 12, 1.0) < coverage(12, 12, 1.0)
    assert coverage(12, 12, 1.0) > 0.85


def study(effect: float, *, seeds: int = 5, tasks: int = 8, noise: float = 0.01) -> list[Point]:
    """λ = 0 and 0.4 over seeds and tasks that differ by far more than the effect."""
    rng = np.random.default_rng(11)
    level = 0.5 + 0.1 * rng.normal(size=(seeds, tasks))
    changed = level + effect + noise * rng.normal(size=level.shape)
    measured = [(s, i, tuple(v[i].tolist())) for s, v in ((WEAK, changed), (UNPROTECTED, level)) for i in range(seeds)]
    return [Point(setting=s, seed=i, values={"mi": v, "accuracy": v}) for s, i, v in measured]


def test_differences_are_paired() -> None:
    base, weak = summarise(study(-0.02))
    assert (base.setting, weak.setting) == (UNPROTECTED, WEAK)
    assert base.differences == {}
    difference = weak.differences["mi"]
    assert difference.high < 0, "the paired effect is resolved"
    assert weak.means["mi"].high > base.means["mi"].low, "though the intervals of the two overlap"
    assert difference.value == pytest.approx(weak.means["mi"].value - base.means["mi"].value)
    assert weak.seeds["mi"] == pytest.approx(tuple(np.mean(p.values["mi"]) for p in study(-0.02)[:5]))


def test_no_effect_is_not_resolved() -> None:
    difference = summarise(study(0.0))[1].differences["mi"]
    assert difference.low < 0 < difference.high


def test_looking_at_more_settings_widens_the_differences() -> None:
    one, many = (summarise(study(-0.02), comparisons=n)[1].differences["mi"] for n in (1, 40))
    assert many.high - many.low > one.high - one.low
    assert many.value == one.value


def test_only_seeds_in_both_are_compared() -> None:
    points = [p for p in study(-0.02) if not (p.setting == UNPROTECTED and p.seed > 1)]
    weak = summarise(points)[1]
    assert weak.differences["mi"].n == 2 * 8
    assert weak.means["mi"].n == 5 * 8
    assert summarise([p for p in points if p.setting == WEAK])[0].differences == {}


def test_a_metric_that_a_seed_lacks_is_left_out() -> None:
    points = study(-0.02)
    broken = [Point(setting=p.setting, seed=p.seed, values={"accuracy": p.values["accuracy"]}) if (p.setting, p.seed) == (WEAK, 0) else p for p in points]
    assert set(summarise(broken)[1].means) == {"accuracy"}
    assert summarise([]) == []
