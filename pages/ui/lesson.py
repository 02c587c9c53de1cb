"""What a lesson is, and all lessons found in ``pages/ui/lessons``: one file a lesson. No lesson draws: it computes, and the learn page shows what it found."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from mrp_core.charts.palette import Figure, Palette
from mrp_core.errors import ConfigError
from pages.ui import lessons as package
from pages.ui.language import spoken

Data = Literal["real", "simulated"]


@dataclass(frozen=True, kw_only=True)
class Control:
    """The one thing that can be moved.

    Attributes:
        values: What it can be, in order.
        default: Where it stands at first.
        show: A value in words.
        ends: What the left and the right end mean, or two empty texts.
        choice: Whether the values have no order, so that they are picked and not slid along.
    """

    label: str
    values: tuple[Any, ...]
    default: Any
    show: Callable[[Any], str] = str
    ends: tuple[str, str] = ("", "")
    choice: bool = False

    def name(self, value: Any) -> str:
        """A value in a link: the same in every language."""
        return f"{value:g}" if isinstance(value, int | float) else str(getattr(value, "key", value))


@dataclass(frozen=True, kw_only=True)
class Number:
    """A number on screen, with its unit in the value and its interval or reference in the note."""

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A chart: drawn with the page's colours, told in words, and exported as rows."""

    key: str
    title: str
    figure: Callable[[Palette], Figure]
    rows: Sequence[dict[str, str | float]]
    alt: str
    caption: str = ""


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What a lesson reveals.

    Attributes:
        answer: Index of the option that turned out true, from what was computed.
        sentence: The result in one or two sentences, with its numbers.
    """

    answer: int
    sentence: str
    numbers: tuple[Number, ...] = ()
    pictures: tuple[Picture, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """About three minutes: a question and a prediction, one control, the real result, one sentence to keep.

    Attributes:
        key, order: Name in the link, and place among the lessons.
        title: The lesson's own question.
        question: What is to be predicted, and about what.
        options: What can be predicted.
        takeaway: One sentence.
        formula, symbols: LaTeX, and what its letters mean.
        paper: Where it comes from.
        terms: Keys of :data:`pages.ui.glossary.TERMS`.
        prepare: What is computed once for all values of the control from a seed, or read from the samples; raises an MRPError where that can't be.
        control: The control, from what was prepared.
        reveal: (value of the control, what was prepared) -> what is shown. Pure.
        source: Where the numbers come from, in words.
        data: Whether its records are real, simulated, or some of both.
        chance: Whether the seed changes anything; what is read from the samples is the same for every seed.
    """

    key: str
    order: int
    title: str
    question: str
    options: tuple[str, ...]
    takeaway: str
    formula: str
    symbols: str
    paper: str
    terms: tuple[str, ...]
    control: Callable[[Any], Control]
    reveal: Callable[[Any, Any], Shown]
    prepare: Callable[[int], Any]
    source: str
    minutes: int = 3
    data: tuple[Data, ...] = ("real",)
    chance: bool = False


def lessons(language: str) -> dict[str, Lesson]:
    """All lessons by key, in order: each module of ``pages.ui.lessons`` that offers ``lesson()``, in a language (:mod:`pages.ui.language`).

    Raises:
        ConfigError: If two lessons share a key.
    """
    with spoken(language):
        return _found(language)


@functools.cache
def _found(language: str) -> dict[str, Lesson]:
    found: dict[str, Lesson] = {}
    for info in pkgutil.iter_modules(package.__path__):
        offered = getattr(importlib.import_module(f"{package.__name__}.{info.name}"), "lesson", None)
        if offered is None:
            continue
        made: Lesson = offered()
        if made.key in found:
            raise ConfigError(f"Two lessons are called {made.key!r}; rename one of them.")
        found[made.key] = made
    return dict(sorted(found.items(), key=lambda item: (item[1].order, item[0])))
