"""A chart in large type, for a room instead of a desk."""

from __future__ import annotations

from typing import Any, cast

from mrp_core.charts.palette import Figure


def enlarged(fig: Figure, factor: float, *, height: int) -> Figure:
    """Type, marks, lines and the distances of names grow by a factor; the plot takes what is left.

    Draw names for a plot that is smaller by the same factor, so that they find room in the large one.

    Args:
        fig: A finished figure; it is changed.
        factor: Above 0; 1.3 makes 13 px type 17 px.
        height: Of the whole chart, in pixels.
    """
    layout: Any = fig.layout
    margin = layout.margin
    layout.height = height
    layout.margin = {side: round(margin[side] * factor) for side in "lrtb"}
    for font in (layout.font, layout.hoverlabel.font, *(f for axis in (layout.xaxis, layout.yaxis) for f in (axis.tickfont, axis.title.font))):
        font.size = round(font.size * factor)
    for words in layout.annotations:
        words.update(font={"size": round(words.font.size * factor)}, xshift=(words.xshift or 0) * factor, yshift=(words.yshift or 0) * factor)
    for trace in cast(Any, fig.data):
        if trace.line.width:
            trace.line.width *= factor
        if trace.marker.size:
            trace.marker.size *= factor
        if trace.marker.line.width:
            trace.marker.line.width *= factor
    return fig
