"""What a lesson sends to the browser, once: the first value of its control whole, each other value as its changes from that, and colours by their meaning."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from typing import Any

from mrp_core.charts.palette import DARK, LIGHT, Palette

Path = tuple[str | int, ...]
Change = tuple[Path, Any]
STANDING = Palette(**{f.name: f"#0{i:X}F{i:X}0{i:X}" for i, f in enumerate(fields(Palette), start=1)})
"""Colours that no chart uses: they stand for those of the browser's theme, which takes their place there."""


def changes(before: Any, after: Any) -> list[Change]:
    """Where two JSON values differ, and what stands there in the second; as few characters as that takes, more or less."""
    if before == after and _text(before) == _text(after):  # 1, 1.0 and true are equal, and not the same
        return []
    parts = _parts(before, after)
    whole: list[Change] = [((), after)]
    return whole if parts is None or len(_text(parts)) > len(_text(whole)) else parts


def changed(before: Any, after: list[Change]) -> Any:
    """The second value from the first and its :func:`changes`; the browser does the same."""
    made = json.loads(json.dumps(before))
    for path, value in after:
        if not path:
            made = value
            continue
        place = made
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value
    return made


def themes() -> dict[str, dict[str, str]]:
    """For a light and a dark page, colour that stands for it -> colour."""
    standing = asdict(STANDING)
    return {name: {standing[meaning]: colour for meaning, colour in asdict(palette).items()} for name, palette in (("light", LIGHT), ("dark", DARK))}


def coloured(figure: Any, theme: dict[str, str]) -> Any:
    """A figure as JSON in the colours of a theme; the browser does the same."""
    if isinstance(figure, dict):
        return {key: coloured(value, theme) for key, value in figure.items()}
    if isinstance(figure, list):
        return [coloured(value, theme) for value in figure]
    return theme.get(figure, figure) if isinstance(figure, str) else figure


def _parts(before: Any, after: Any) -> list[Change] | None:
    """The changes below two values of one shape; None where the shapes differ."""
    if isinstance(before, dict) and isinstance(after, dict) and before.keys() == after.keys():
        below: list[tuple[str | int, Any, Any]] = [(key, before[key], value) for key, value in after.items()]
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        below = list(zip(range(len(after)), before, after, strict=True))
    else:
        return None
    return [((key, *path), value) for key, old, new in below for path, value in changes(old, new)]


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
