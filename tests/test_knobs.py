"""Knobs: what is accepted, and the sentence for what isn't."""

from __future__ import annotations

import math
from dataclasses import FrozenInstanceError, dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrp_core.errors import ConfigError
from mrp_core.knobs import Knob, knob, knobs_of, validate


@dataclass(frozen=True, kw_only=True)
class Part:
    rate: float = knob(0.5, label="Rate", help="A rate.", low=0.0, high=1.0)
    steps: int = knob(3, label="Steps", help="Some steps.", low=0, high=10)
    free: float = knob(0.0, label="Free", help="Without a range.")
    on: bool = knob(True, label="On", help="A switch.")
    kind: str = knob("a", label="Kind", help="A choice.", choices=("a", "b"))
    sizes: tuple[int, ...] = knob((4, 4), label="Sizes", help="Several.", low=1, high=8)
    plain: int = 7

    def __post_init__(self) -> None:
        validate(self)


def test_knobs_are_found_in_order_on_class_and_instance() -> None:
    assert list(knobs_of(Part)) == list(knobs_of(Part())) == ["rate", "steps", "free", "on", "kind", "sizes"]
    assert all(isinstance(spec, Knob) for _, spec in knobs_of(Part).values())


def test_a_part_is_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        Part().rate = 0.1  # type: ignore[misc]


@given(rate=st.floats(0, 1), steps=st.integers(0, 10), free=st.floats(allow_nan=False, allow_infinity=False), sizes=st.lists(st.integers(1, 8), min_size=1))
def test_what_lies_in_the_range_is_kept(rate: float, steps: int, free: float, sizes: list[int]) -> None:
    part = Part(rate=rate, steps=steps, free=free, sizes=tuple(sizes))
    assert (part.rate, part.steps, part.free, part.sizes) == (rate, steps, free, tuple(sizes))


@pytest.mark.parametrize(("name", "value", "rule"), [
    ("rate", math.nan, "between 0 and 1"), ("rate", math.inf, "between 0 and 1"), ("rate", -math.inf, "between 0 and 1"),
    ("rate", 1.0000001, "between 0 and 1"),
    ("rate", -5e-324, "between 0 and 1"), ("rate", 10**400, "between 0 and 1"), ("rate", "0.5", "a number"),
    ("rate", True, "a number"), ("rate", None, "a number"),
    ("free", math.nan, "between -inf and inf"), ("free", math.inf, "between -inf and inf"),
    ("steps", 2.0, "a whole number"), ("steps", -1, "between 0 and 10"), ("steps", True, "a number"), ("steps", math.nan, "a whole number"),
    ("on", 1, "true or false"), ("on", "yes", "true or false"),
    ("kind", "c", "one of: a, b"), ("kind", 1, "a text"), ("kind", ["a"], "a text"),
    ("sizes", (), "at least one"), ("sizes", [4], "a list"), ("sizes", (4, 9), "between 1 and 8"), ("sizes", (4.0,), "a whole number"), ("sizes", 4, "a list"),
])
def test_what_does_not_fit_gets_one_sentence(name: str, value: Any, rule: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Part(**{name: value})
    sentence = str(caught.value)
    assert sentence.startswith(f"{name} is ")
    assert rule in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence


ANYTHING = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.lists(st.integers(), max_size=2), st.dates())


@given(value=ANYTHING, name=st.sampled_from(["rate", "steps", "on", "kind", "sizes", "free"]))
def test_any_value_is_kept_or_refused(name: str, value: Any) -> None:
    try:
        part = Part(**{name: value})
    except ConfigError as error:
        assert name in str(error)
    else:
        assert getattr(part, name) == value


def test_equal_values_take_one_form() -> None:
    part = Part(rate=1, free=-0.0)
    assert isinstance(part.rate, float)
    assert math.copysign(1, part.free) == 1.0


def test_fields_without_a_knob_are_not_checked() -> None:
    assert Part(plain=-1).plain == -1
