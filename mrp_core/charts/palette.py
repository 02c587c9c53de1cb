"""Colours that colour-blind people can tell apart (Okabe & Ito 2008), in a light and a dark set, and the common look of all charts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import plotly.graph_objects as go

Figure = go.Figure
"""The type of a finished chart, for pages, which don't import plotly."""

@dataclass(frozen=True, kw_only=True)
class Palette:
    """One colour per meaning; meaning is always doubled by shape or dash."""

    trained: str
    trained_band: str
    pick: str
    pick_band: str
    noisy: str
    free: str
    grey: str
    seed: str
    text: str
    soft: str
    rule: str
    surface: str
    impossible: str


LIGHT = Palette(trained="#0072B2", trained_band="rgba(0,114,178,0.13)", pick="#D55E00", pick_band="rgba(213,94,0,0.14)", noisy="#009E73", free="#B4588F",
                grey="#7A858F", seed="rgba(90,102,112,0.30)", text="#1B2026", soft="#55606B", rule="#E3E8ED", surface="#FFFFFF", impossible="rgba(90,102,112,0.10)")
DARK = Palette(trained="#56B4E9", trained_band="rgba(86,180,233,0.17)", pick="#F0A35E", pick_band="rgba(240,163,94,0.18)", noisy="#4DC9A0", free="#E2A3CB",
               grey="#8E99A4", seed="rgba(170,182,194,0.30)", text="#E8ECF0", soft="#A9B4BF", rule="#2A333C", surface="#12161A", impossible="rgba(160,172,184,0.12)")

FONT = '"Source Sans", "Source Sans Pro", "Segoe UI", Roboto, Helvetica, Arial, sans-serif'
CONFIG: dict[str, Any] = {"displayModeBar": "hover", "modeBarButtons": [["toImage"]], "displaylogo": False, "scrollZoom": False, "doubleClick": False, "responsive": True,
                          "toImageButtonOptions": {"format": "svg", "filename": "mrp-chart"}}


def config(name: str) -> dict[str, Any]:
    """How a chart behaves: nothing zooms, and its camera saves an SVG file of this name."""
    return CONFIG | {"toImageButtonOptions": {"format": "svg", "filename": name}}


def palette(dark: bool) -> Palette:
    """The set for a dark or a light page."""
    return DARK if dark else LIGHT


def figure(colours: Palette, *, height: int, x_title: str, y_title: str, margin: tuple[int, int, int, int] = (58, 16, 12, 52), x: Mapping[str, Any] = MappingProxyType({}),
           y: Mapping[str, Any] = MappingProxyType({}), data: Sequence[Mapping[str, Any]] = (), **layout: Any) -> go.Figure:
    """A figure in the common look, made in one piece: each later update of a figure costs plotly several milliseconds.

    Args:
        colours: Light or dark.
        height: In pixels.
        x_title: Words under the chart.
        y_title: Words beside it.
        margin: Left, right, top, bottom, in pixels.
        x: What the x axis has beside the common look.
        y: The same for the y axis.
        data: Its traces, each with its "type".
        layout: More of the layout, such as ``annotations``.
    """
    left, right, top, bottom = margin
    axis = {"gridcolor": colours.rule, "linecolor": colours.soft, "tickcolor": colours.soft, "zeroline": False, "ticks": "outside", "ticklen": 4, "showline": True,
            "fixedrange": True, "tickfont": {"size": 13, "color": colours.soft}}
    title = {"font": {"size": 14, "color": colours.text}, "standoff": 8}
    return go.Figure(data=list(data), layout={
        "height": height, "margin": {"l": left, "r": right, "t": top, "b": bottom}, "showlegend": False, "hovermode": "closest", "dragmode": False, "clickmode": "event+select",
        "paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)", "font": {"size": 13, "color": colours.text, "family": FONT},
        "hoverlabel": {"bgcolor": colours.surface, "bordercolor": colours.soft, "font": {"size": 13, "color": colours.text, "family": FONT}},
        "xaxis": axis | {"showgrid": False, "title": title | {"text": x_title}} | dict(x), "yaxis": axis | {"showline": False, "ticks": "", "title": title | {"text": y_title}} | dict(y),
        **layout,
    })


def on_two_lines(title: str) -> str:
    """A long title of an axis, its part in brackets below the rest, so that a phone shows all of it."""
    return title.replace(" (", "<br>(", 1)


def words(x: float, y: float, text: str, colour: str, *, anchor: str = "left", valign: str = "middle", shift: tuple[float, float] = (0, 0), name: str | None = None) -> dict[str, Any]:
    """Words at a place of the plot, for ``annotations`` (log axes: pass exponents)."""
    return {"x": x, "y": y, "text": text, "showarrow": False, "xanchor": anchor, "yanchor": valign, "xshift": shift[0], "yshift": shift[1], "font": {"size": 13, "color": colour}, "name": name}


def note(fig: go.Figure, x: float, y: float, text: str, colour: str, *, anchor: str = "left", valign: str = "middle", shift: tuple[float, float] = (0, 0), name: str | None = None) -> None:
    """Write words at a place of a figure (log axes: pass exponents)."""
    fig.add_annotation(words(x, y, text, colour, anchor=anchor, valign=valign, shift=shift, name=name))
