"""Points and curves: round trips; intervals: what they cover and when there are none; differences: paired."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrp_core.results import Curve, Point, grid, summarise
from mrp_core.settings import UNPROTECTED, Setting

METRIC_VALUES = st.lists(st.one_of(st.floats(-1e6, 1e6), st.just(math.nan)), min_size=1, max_size=5).map(tuple)
WEAK = Setting("lambda", 0.4)


def same(a: tuple[float, ...], b: tuple[float, ...], digits: float) -> bool:
    return np.allclose(a, b, rtol=digits, atol=0, equal_nan=True)


@given(st.dictionaries(st.sampled_from(["accuracy", "mi", "lira_auc"]), METRIC_VALUES), st.integers(0, 2**31), st.floats(0, 100))
def test_points_survive_json(values: dict[str, tuple[float, ...]], seed: int, weight: float) -> None:
    point = Point(setting=Setting("lambda", weight), seed=seed, values=values, notes={"mi": "jackknife"}, tasks=("ward A",) if seed % 2 else ())
    again = Point.from_json(point.to_json())
    assert (again.setting, again.seed, again.notes, again.tasks) == (point.setting, point.seed, point.notes, point.tasks)
    assert ("tasks" in point.to_dict()) == bool(seed % 2), "points from before task names were kept look as they did"
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


def study(effect: float, *, seeds: int = 5, tasks: int = 8, noise: float = 0.01, seed: int = 0) -> list[Point]:
    """λ = 0 and 0.4 over seeds and tasks that differ by far more than the effect."""
    rng = np.random.default_rng(11)
    level = 0.5 + 0.1 * rng.normal(size=(seeds, tasks))
    changed = level + effect + noise * np.random.default_rng(seed).normal(size=level.shape)
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
    points = study(-0.02)
    others = [dataclasses.replace(p, setting=Setting("lambda", weight)) for weight in (0.1, 0.2, 0.3) for p in study(0.0, seed=int(100 * weight)) if p.setting == WEAK]
    one, many = (next(s for s in summarise(points + others, together=t) if s.setting == WEAK).differences["mi"] for t in (False, True))
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


def test_a_difference_s_interval_keeps_to_what_is_possible() -> None:
    """Two seeds that disagree say little; that an accuracy falls by more than 100 points they don't say."""
    points = [Point(setting=Setting("lambda", value), seed=seed, values={"accuracy": (accuracy, accuracy)}) for value, seed, accuracy in ((0.0, 0, 0.9), (0.0, 1, 0.9), (1.0, 0, 0.2), (1.0, 1, 0.8))]
    d = summarise(points)[1].differences["accuracy"]
    assert (d.low, d.high) == (-1.0, 1.0) and d.value == pytest.approx(-0.4)
