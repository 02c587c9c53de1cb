"""Charts outside the app: as plain data beside plotly.js in one HTML file, and in light colours with their title and source for a picture."""

from __future__ import annotations

import dataclasses
import html
import json
import textwrap
from collections.abc import Mapping
from typing import Any

from mrp_core.charts.palette import DARK, FONT, LIGHT, Figure

PICTURE_WIDTH = 960
"""Pixels of a picture, before it is enlarged."""
_LEAST_FONT = 12
_TOP, _FOOT, _HEAD_LINE, _LINE, _HEAD = 46, 30, 24, 120, 84
"""Pixels above and below, pixels of a further line of the title, and letters a line of source and title."""


def plotly_js() -> str:
    """The source of plotly.js, as the installed package brings it."""
    from plotly.offline import get_plotlyjs  # here: a page that shows charts has no use for it

    return str(get_plotlyjs())


def plain(fig: Figure) -> dict[str, Any]:
    """A figure as plain data, which plotly.js draws."""
    return json.loads(str(fig.to_json()))


def picture(fig: Figure, *, title: str, source: str) -> dict[str, Any]:
    """A figure for a slide or a printed page: light colours on white whatever the theme, no letter below 12 pixels, title and source inside.

    Args:
        fig: As it is on the page; it stays as it is.
        title: Stands above the chart; taken as plain text.
        source: Stands below it, likewise.
    """
    made = json.loads(_in_light(str(fig.to_json())))
    layout = made["layout"]
    _enlarge(made)
    margin = layout.setdefault("margin", {})
    left, top, bottom, height = margin.get("l", 58) + 12, margin.get("t", 12), margin.get("b", 52), layout.get("height") or 470
    heads, lines = textwrap.wrap(title, _HEAD) or [""], textwrap.wrap(source, _LINE) or [""]
    above, below = _TOP + _HEAD_LINE * (len(heads) - 1), _FOOT * len(lines)
    margin |= {"t": top + above, "b": bottom + below, "l": left, "r": max(margin.get("r", 16), 28)}
    layout |= {"width": PICTURE_WIDTH, "height": height + above + below, "paper_bgcolor": "#FFFFFF", "plot_bgcolor": "#FFFFFF"}
    layout.pop("template", None)
    layout.pop("title", None)
    place = {"xref": "paper", "yref": "paper", "x": 0, "xanchor": "left", "yanchor": "top", "align": "left", "showarrow": False}
    head = place | {"text": "<br>".join(f"<b>{html.escape(line, quote=False)}</b>" for line in heads), "y": 1, "yshift": top + above - 12, "xshift": 14 - left,
                    "font": {"size": 18, "color": LIGHT.text, "family": FONT}}
    foot = place | {"text": "<br>".join(html.escape(line, quote=False) for line in lines), "y": 0, "yshift": -bottom - 6, "xshift": 14 - left,
                    "font": {"size": _LEAST_FONT, "color": LIGHT.soft, "family": FONT}}
    layout["annotations"] = [*layout.get("annotations", ()), head, foot]
    return made


def _in_light(text: str) -> str:
    """Each colour of the dark palette becomes that of the light one."""
    light = dataclasses.asdict(LIGHT)
    for name, colour in dataclasses.asdict(DARK).items():
        text = text.replace(colour, light[name])
    return text


def _enlarge(node: Any) -> None:
    """Raise every font below the least size."""
    if isinstance(node, list):
        for item in node:
            if isinstance(item, Mapping | list):
                _enlarge(item)
    elif isinstance(node, dict):
        for key, item in node.items():
            if key.endswith("font") and isinstance(item, dict) and isinstance(size := item.get("size"), int | float):
                item["size"] = max(size, _LEAST_FONT)
            if isinstance(item, dict | list):
                _enlarge(item)
