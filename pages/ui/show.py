"""A chart as every page shows it: words for screen readers, its numbers and its picture as files, and picks that are kept by id."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Literal

import streamlit as st

from mrp_core import __version__
from mrp_core.cells import neutralised
from mrp_core.charts import pictures
from mrp_core.charts.embedding import picture
from mrp_core.charts.palette import Figure, Palette, config, palette
from mrp_core.wording import Texts
from pages.ui import frame, studies
from pages.ui import simulated as made_up
from pages.ui.later import failed, later

TEXT = Texts({
    "csv": "CSV", "csv_help": "The numbers of this chart.", "menu": "Download", "png": "PNG picture", "svg": "SVG picture", "all": "Numbers (CSV)",
    "camera": "Pictures are drawn in light colours, with title and source, which takes a few seconds. The camera icon on the chart saves it at once, as it looks there.",
    "no_browser": "{why} Until then the camera icon on the chart saves it as a picture, as it looks there.",
    "source": {"study": "{study} · {date} · MRP {version}", "plain": "{date} · MRP {version}"}, "simulated": "{source} · simulated data",
})
Row = Mapping[str, str | float]
PictureKind = Literal["png", "svg"]
_MIME: Mapping[PictureKind, str] = {"png": "image/png", "svg": "image/svg+xml"}


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
        st.plotly_chart(fig, theme=None, key=key, alt=alt, config=config(f"mrp-{key}"))
    else:
        st.plotly_chart(fig, theme=None, key=key, alt=alt, config=config(f"mrp-{key}"), on_select=on_pick, selection_mode="points")
    with st.container(horizontal=True, wrap=False, vertical_alignment="center", key=f"{key}_foot"):
        st.caption(caption or "\u00a0")
        with st.popover(TEXT["menu"], type="tertiary", icon=":material/download:", key=f"{key}_menu"), st.container(gap=None):
            _menu(fig, rows, key, alt, simulated)


def _menu(fig: Figure, rows: Sequence[Row], key: str, alt: str, simulated: bool | None) -> None:
    """The numbers of a chart, and its picture in two forms where a browser can draw it."""
    download_rows(rows, f"{key}.csv", key=f"{key}_csv", help=TEXT["csv_help"], simulated=simulated, label=TEXT["all"])
    if not pictures.browser():
        st.markdown(TEXT["no_browser"].format(why=pictures.TEXT["none"]))
        return
    for kind, mime in _MIME.items():
        download(TEXT[kind], _picture(fig, alt, simulated, kind), f"mrp-{key}.{kind}", key=f"{key}_{kind}", mime=mime)
        if why := failed(f"{key}_{kind}"):
            st.markdown(f":small[{frame.escaped(why)}]")
    st.markdown(f":small[{TEXT['camera']}]")


def _picture(fig: Figure, alt: str, simulated: bool | None, kind: PictureKind) -> Callable[[], bytes]:
    """The first sentence of what a chart says to those who can't see it is its picture's title."""
    return lambda: pictures.drawn(picture(fig, title=alt.partition(". ")[0].partition("。")[0].rstrip("."), source=_source(simulated)), kind)


def _source(simulated: bool | None) -> str:
    """Where a picture comes from; a chart that says by itself whether its records are simulated is of no study."""
    study = studies.current() if simulated is None else None
    facts = {"date": datetime.now(UTC).strftime("%Y-%m-%d"), "version": __version__}
    text = str(TEXT["source"]["plain"].format(**facts) if study is None else TEXT["source"]["study"].format(study=study.title, **facts))
    return str(TEXT["simulated"].format(source=text)) if simulated or (study is not None and study.config.simulated) else text


def download_rows(rows: Sequence[Row], name: str, *, key: str, help: str | None = None, simulated: bool | None = None, label: str = "") -> None:
    """A download of rows as CSV, in which each row of a study with simulated records says so; ``None`` asks the study at hand."""
    said = made_up.marked([dict(row) for row in rows], made_up.noted() if simulated is None else simulated)
    download(label or TEXT["csv"], lambda: csv_text(said), name, key=key, help=help)


def download(label: str, data: Callable[[], str | bytes], name: str, *, key: str, help: str | None = None, mime: str = "text/csv") -> None:
    """A quiet download button whose content is made on demand."""
    st.download_button(label, data=later(key, data), file_name=name, mime=mime, key=key, help=help, type="tertiary", icon=":material/download:", on_click="ignore")


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
