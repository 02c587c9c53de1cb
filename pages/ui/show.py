"""A chart as every page shows it: words for screen readers, its numbers as CSV, and picks that are kept by id."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from mrp_core.cells import neutralised
from mrp_core.charts.palette import CONFIG, Figure, Palette, palette
from pages.ui import simulated as made_up

TEXT: dict[str, Any] = {"csv": "CSV", "csv_help": "The numbers of this chart."}
Row = Mapping[str, str | float]


def colours() -> Palette:
    """The palette for the page's theme."""
    return palette(st.context.theme.type == "dark")


def chart(fig: Figure, rows: Sequence[Row], *, key: str, alt: str, caption: str = "", on_pick: Callable[[], None] | None = None, simulated: bool | None = None) -> None:
    """Draw a figure with what must stand beside it.

    Args:
        fig: The figure.
        rows: Its numbers, for export.
        key: Stable name of the chart on the page.
        alt: What a person who can't see it should know.
        caption: Words under the chart.
        on_pick: Called after a click on a mark; read it with :func:`picked`.
        simulated: As in :func:`download_rows`.
    """
    if on_pick is None:
        st.plotly_chart(fig, theme=None, key=key, alt=alt, config=CONFIG)
    else:
        st.plotly_chart(fig, theme=None, key=key, alt=alt, config=CONFIG, on_select=on_pick, selection_mode="points")
    with st.container(horizontal=True, wrap=False, vertical_alignment="center", key=f"{key}_foot"):
        st.caption(caption or "\u00a0")
        download_rows(rows, f"{key}.csv", key=f"{key}_csv", help=TEXT["csv_help"], simulated=simulated)


def download_rows(rows: Sequence[Row], name: str, *, key: str, help: str | None = None, simulated: bool | None = None) -> None:
    """A download of rows as CSV, in which each row of a study with simulated records says so; ``None`` asks the study at hand."""
    said = made_up.marked([dict(row) for row in rows], made_up.noted() if simulated is None else simulated)
    download(TEXT["csv"], lambda: csv_text(said), name, key=key, help=help)


def download(label: str, data: Callable[[], str], name: str, *, key: str, help: str | None = None, mime: str = "text/csv") -> None:
    """A quiet download button whose content is made on demand."""
    st.download_button(label, data=data, file_name=name, mime=mime, key=key, help=help, type="tertiary", icon=":material/download:", on_click="ignore")


def picked(key: str) -> str:
    """Id of the mark last clicked in a chart, or ""."""
    state = st.session_state.get(key)
    points = state.selection.points if state else []
    data = points[0].get("customdata") if points else None
    return str(data[0]) if isinstance(data, list | tuple) and data else ""


def csv_text(rows: Sequence[Row]) -> str:
    """Rows as CSV. A text that a spreadsheet would take for a formula gets an apostrophe."""
    if not rows:
        return ""
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=list(rows[0]))
    writer.writerow({k: neutralised(k) for k in rows[0]})
    writer.writerows({k: neutralised(v) for k, v in row.items()} for row in rows)
    return out.getvalue()
