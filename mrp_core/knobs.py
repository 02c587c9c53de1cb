"""A knob is declared once, as a dataclass field; slider, validation, command line, documentation and tests read it there."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any, Literal

from mrp_core.errors import ConfigError
from mrp_core.wording import Said


@dataclass(frozen=True, kw_only=True)
class Knob:
    """Range and words of one setting.

    Attributes:
        label: Name on screen.
        help: One sentence on what moving it does.
        accuracy, leakage: What raising it does to either, as a clause; of a choice, what the choice decides. Where it depends or was not measured, it says so.
        low, high: Inclusive range of a number (of each item, for a tuple of numbers).
        unit: Unit on screen, "" for a pure number.
        scale: How a slider spaces its values.
        choices: Allowed values of a text knob; ``registry`` instead names a plug-in package whose names are allowed.
        registry: "tasks", "privacy", "meta" or "search".
        advanced: Shown only when a person asks for more.
    """

    label: Said = Said()
    help: Said = Said()
    accuracy: Said = Said()
    leakage: Said = Said()
    low: float | None = None
    high: float | None = None
    unit: Said = Said()
    scale: Literal["linear", "log"] = "linear"
    choices: tuple[str, ...] = ()
    registry: str | None = None
    advanced: bool = False


def knob(default: Any, **words: Any) -> Any:
    """Declare a dataclass field that carries a :class:`Knob`."""
    said: dict[str, Any] = {"accuracy": "", "leakage": "", "unit": "", **words}
    return dataclasses.field(default=default, metadata={"knob": Knob(**said)})


def knobs_of(owner: Any) -> dict[str, tuple[dataclasses.Field[Any], Knob]]:
    """The knobs of a dataclass (class or instance) by field name, in order of declaration."""
    return {f.name: (f, f.metadata["knob"]) for f in dataclasses.fields(owner) if "knob" in f.metadata}


def validate(instance: Any) -> None:
    """Check each knob of a dataclass instance; call it from ``__post_init__``. A whole number given for a decimal one becomes a float.

    Raises:
        ConfigError: With the knob's name, the value and the rule. NaN fails every range.
    """
    for name, (field, spec) in knobs_of(instance).items():
        check(name, spec, getattr(instance, name), field.default)
        object.__setattr__(instance, name, _plain(getattr(instance, name), field.default))


def check(name: str, spec: Knob, value: Any, default: Any) -> None:
    """Check one value against its knob; ``default`` tells the expected type.

    Raises:
        ConfigError: If the type, the choice or the range is wrong.
    """
    if isinstance(default, tuple):
        if not isinstance(value, tuple) or not value:
            raise ConfigError(f"{name} is {value!r}, but must be a list of at least one number.")
        for item in value:
            check(name, spec, item, default[0] if default else 0)
        return
    if isinstance(default, bool):
        if not isinstance(value, bool):
            raise ConfigError(f"{name} is {value!r}, but must be true or false.")
        return
    if isinstance(default, str):
        if not isinstance(value, str):
            raise ConfigError(f"{name} is {value!r}, but must be a text.")
        if spec.choices and value not in spec.choices:
            raise ConfigError(f"{name} is {value!r}, but must be one of: {', '.join(spec.choices)}.")
        return
    _check_number(name, spec, value, whole=isinstance(default, int))


def _plain(value: Any, default: Any) -> Any:
    """The one form of equal values (1 and 1.0, -0.0 and 0.0), so that equal configurations have one identity."""
    if isinstance(default, tuple):
        return tuple(_plain(item, default[0]) for item in value)
    return float(value) + 0.0 if isinstance(default, float) else value


def _check_number(name: str, spec: Knob, value: Any, whole: bool) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ConfigError(f"{name} is {value!r}, but must be a number.")
    if whole and not isinstance(value, int):
        raise ConfigError(f"{name} is {value!r}, but must be a whole number.")
    low = -math.inf if spec.low is None else spec.low
    high = math.inf if spec.high is None else spec.high
    if not low <= value <= high or math.isinf(value):
        raise ConfigError(f"{name} is {value!r}, but must lie between {low:g} and {high:g}.")
