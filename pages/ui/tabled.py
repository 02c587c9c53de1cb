"""What is known of tables of one's own: what was found, as plain sentences; the names of those kept; and what to say where one is missing."""

from __future__ import annotations

import streamlit as st

from mrp_core import tables
from mrp_core.config import StudyConfig
from mrp_core.errors import DataError
from mrp_core.tables import Report, TableSpec, Upload
from mrp_core.wording import Texts
from pages.ui import frame

TEXT = Texts({
    "title": "3. What was found", "fine": "Nothing stands in the way.", "looking": "Looking at the table",
    "tasks": "Tasks can be built: {training} for training, {validation} for validation, {test} held out to judge by; {members:,} of {rows:,} rows are drawn as members.",
    "knobs": "It starts with {ways} classes a task and {shots} records of each to learn from.",
    "more": "About the tasks", "icons": {"warning": ":material/warning:", "note": ":material/info:"},
    "choose": "No table is chosen; add a table of your own on the Data page, or take another family.",
    "missing": "The table of this study isn't on this machine: the study can be looked at here, but not trained, adapted or examined anew.",
})
MOST = 12


def draw(upload: Upload, spec: TableSpec) -> Report | None:
    """The report of a described table; None where it couldn't be looked at."""
    st.markdown(f"#### {TEXT['title']}")
    try:
        with st.spinner(TEXT["looking"]):
            report = checked(upload, spec)
    except DataError as error:
        st.error(frame.escaped(str(error)), icon=":material/error:")
        return None
    if report.problem:
        st.error(frame.escaped(report.problem), icon=":material/error:")
    else:
        training, validation, test = report.tasks
        text = TEXT["tasks"].format(training=training, validation=validation, test=test, members=report.members, rows=report.rows)
        st.success(f"{text} {TEXT['knobs'].format(**report.suggested)}", icon=":material/check_circle:")
    lines = [f"{TEXT['icons'][f.level]} {frame.escaped(f.sentence)}" for f in report.findings[:MOST]]
    if lines or not report.problem:
        st.markdown("  \n".join(lines) or TEXT["fine"])
    rest = report.findings[MOST:]
    if report.facts or rest:
        with st.expander(TEXT["more"]):
            st.markdown("  \n".join([*(f"**{frame.escaped(name)}** {frame.escaped(text)}" for name, text in report.facts),
                                     *(f"{TEXT['icons'][f.level]} {frame.escaped(f.sentence)}" for f in rest)]))
    return report


@st.cache_resource(show_spinner=False, max_entries=16)
def checked(upload: Upload, spec: TableSpec) -> Report:
    """A report, kept while the table is looked at.

    Raises:
        DataError: As :func:`mrp_core.tables.check`.
    """
    return tables.check(upload, spec)


def suggested(id: str) -> dict[str, str | int]:
    """Knobs of a study's task that fit a kept table.

    Raises:
        DataError: If it isn't here.
    """
    spec = tables.load(id)
    return checked(tables.opened(spec.table), spec).suggested


def titles() -> dict[str, str]:
    """Titles of the tables that can be used, by id, the newest first; no two are alike, since the browser tells options apart by their labels."""
    usable = {e.id: e.spec.title for e in tables.listing() if e.spec is not None and not e.problem}
    names = list(usable.values())
    return {id: title if names.count(title) == 1 else f"{title} ({id[:6]})" for id, title in usable.items()}


def missing(config: StudyConfig) -> str:
    """A sentence if the study was made from a table that isn't here, else ""."""
    try:
        required(config)
    except DataError:
        return str(TEXT["missing"])
    return ""


def required(config: StudyConfig) -> None:
    """Whether the table that a study is to be made from is here.

    Raises:
        DataError: If it isn't.
    """
    if config.task.family == "table":
        if not config.task.table:
            raise DataError(TEXT["choose"])
        tables.load(config.task.table)
