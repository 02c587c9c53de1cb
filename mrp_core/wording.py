"""Texts in the language of whoever reads them, by their English words as in gettext: what no catalogue holds stays English."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, overload

Catalogue = Mapping[str, str]
_ENGLISH: Catalogue = {}
_KEPT = "said_"


def _english() -> Catalogue:
    return _ENGLISH


_provider: list[Callable[[], Catalogue]] = [_english]


def provide(catalogue: Callable[[], Catalogue]) -> None:
    """Let a program say in which language it speaks: ``catalogue`` is asked anew for every text, in the thread that wants it, and maps English to that language."""
    _provider[0] = catalogue


def say(text: str) -> str:
    """A text in the language of the moment; a template keeps its fields, so format it afterwards."""
    return _provider[0]().get(text, text)


def listed(names: Iterable[str]) -> str:
    """Names one after another; "" for none."""
    found = tuple(names)
    return functools.reduce(lambda first, second: say("{first}, {second}").format(first=first, second=second), found) if found else ""


class Said:
    """A text field of a dataclass (``label: Said = Said()``) that is set in English and reads in the language of the moment."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = f"{_KEPT}{name}"

    @overload
    def __get__(self, owned: None, owner: type) -> Said: ...

    @overload
    def __get__(self, owned: object, owner: type) -> str: ...

    def __get__(self, owned: object | None, owner: type) -> str | Said:
        if owned is None:
            raise AttributeError("A said field has no default.")  # a dataclass asks its class for one
        return say(owned.__dict__[self._name])

    def __set__(self, owned: object, text: str) -> None:
        owned.__dict__[self._name] = text


class Texts(Mapping[str, Any]):
    """The texts of one module: strings, or dicts and tuples of them, looked up in the language of the moment.

    Attributes:
        english: As they were written.
    """

    def __init__(self, english: Mapping[Any, Any]) -> None:
        self.english = english

    def __getitem__(self, key: Any) -> Any:
        return _said(self.english[key])

    def __iter__(self) -> Iterator[Any]:
        return iter(self.english)

    def __len__(self) -> int:
        return len(self.english)


def english(owned: object, name: str) -> str:
    """A :class:`Said` field as it was written."""
    return owned.__dict__[f"{_KEPT}{name}"]


def _said(value: Any) -> Any:
    if isinstance(value, str):
        return say(value)
    if isinstance(value, tuple):
        return tuple(_said(v) for v in value)
    return Texts(value) if isinstance(value, Mapping) else value
