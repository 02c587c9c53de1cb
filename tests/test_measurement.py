"""Numbers as they are shown: unit, kind, direction, and values that there aren't."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrp_core.measurement import METRICS, Measurement


def test_every_metric_says_what_it_is() -> None:
    for name, metric in METRICS.items():
        assert metric.name == name
        assert metric.label
        assert metric.help.endswith(".")
        assert metric.unit in ("%", "bits", "")
        assert metric.low < metric.high
        assert metric.better in ("higher", "lower")


def test_directions_follow_from_the_axes() -> None:
    for metric in METRICS.values():
        assert metric.axis != "utility" or metric.better == "higher"
        assert metric.axis != "leakage" or metric.better == "lower"
    assert {m.kind for m in METRICS.values() if m.name.startswith("lira")} == {"attack"}


@pytest.mark.parametrize(("name", "value", "text"), [
    ("accuracy", 0.7254, "72.5 %"), ("mi", math.log(2), "1.00 bits"), ("lira_auc", 0.53149, "0.531"), ("epsilon", math.inf, "inf"),
    ("accuracy", math.nan, "not resolved"), ("mi", None, "not resolved"), ("membership_bits", 0.0, "0.00 bits"),
])
def test_text_has_value_and_unit(name: str, value: float | None, text: str) -> None:
    assert METRICS[name].text(value) == text


@given(st.floats(0, 1))
def test_shown_keeps_order_and_bounds(value: float) -> None:
    assert METRICS["accuracy"].shown(value) == pytest.approx(100 * value)
    assert METRICS["mi"].shown(value) * math.log(2) == pytest.approx(value)
    assert METRICS["lira_auc"].shown(value) == value


def test_not_resolved_is_a_value() -> None:
    assert not Measurement(value=math.nan, low=math.nan, high=math.nan, note="needs more records").resolved
    assert Measurement(value=0.0, low=-1.0, high=1.0, n=4).resolved
