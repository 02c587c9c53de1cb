"""A table of one's own, from the file to the kept table: upload, kinds, parts, what was found, save."""

from __future__ import annotations

import dataclasses

import pandas as pd
import streamlit as st

from mrp_core import tables
from mrp_core.errors import DataError, MRPError
from mrp_core.tables import Column, TableSpec, Upload
from mrp_core.tables.shelf import frame_of
from mrp_core.wording import Texts
from pages.ui import frame, guesses, own, tabled

TEXT = Texts({
    "private": "Nothing leaves this machine. The file is read in a process of its own; its table is kept in your own folder, for you alone, until you delete it.",
    "needs": "CSV or Parquet, at most 20 MB, one row for each record, names in the first line. It needs a column to predict, and a column of groups (wards, shops, devices ...) or several classes.",
    "upload": "Your table (CSV or Parquet)", "reading": "Reading the table", "restart": "Take another file",
    "steps": {"look": "1. Is it read as it should be?", "parts": "2. What is each column for?", "findings": "3. What was found", "save": "4. Keep it"},
    "read": "**{title}**: {rows:,} rows, {columns} columns. {how}", "preview": "The first rows, as they were read.",
    "kinds": "Kinds are guesses; correct them where they are wrong. Texts and identifiers are no inputs.",
    "columns": {"name": "Column", "kind": "Kind", "missing": "Missing", "distinct": "Distinct", "examples": "Commonest values"},
    "label": "Predicted", "label_help": "What a model is to learn. A number with many values is cut at its median.",
    "task": "Task", "task_help": "A column whose values are sites or groups: some of them are kept out of training, to judge by. Without it, the classes of the predicted column make the tasks.",
    "person": "Person", "person_help": "Whose row it is: all rows of a person are members, or none. Without it, each row counts as another person's.",
    "sensitive": "Sensitive", "sensitive_help": "What an observer may want to infer; never an input.",
    "out": "Leave out", "out_help": "Columns that no model should see. All other usable columns are inputs.",
    "none": "none", "inputs": "{n} inputs: {names}", "title": "Name of the table",
    "save": "Save this table", "saved": "{title} is kept.", "unread": "Give the file once more.",
})
PREVIEW, NAMED = 5, 20
_AT, _SEEN, _ERROR, _ROUND = "own:upload", "own:seen", "own:error", "own:round"


def draw() -> None:
    """The whole way of a table; each step stands below the one before it."""
    st.info(TEXT["private"], icon=":material/lock:")
    _receive()
    upload = _upload()
    if upload is None:
        st.caption(TEXT["needs"])
        return
    with st.container(border=True, key="own_steps"):
        columns = _look(upload)
        spec = _parts(upload, columns)
        report = tabled.draw(upload, spec) if spec is not None else None
        if spec is not None:
            _save(spec, ready=report is not None and not report.problem)


def _receive() -> None:
    """Read a file that has just come; if it can't be, the sentence stays, and so does what was there before."""
    held = st.file_uploader(TEXT["upload"], type=["csv", "tsv", "txt", "parquet"], key=f"own_file_{st.session_state.get(_ROUND, 0)}")
    if held is not None and held.file_id != st.session_state.get(_SEEN):
        st.session_state[_SEEN], st.session_state[_ERROR] = held.file_id, ""
        try:
            with st.spinner(TEXT["reading"]):
                upload = tables.store_upload(held.name, held.getvalue())
            st.session_state[_AT] = (upload.table, upload.title)
        except MRPError as error:
            st.session_state[_ERROR] = str(error)
    if message := st.session_state.get(_ERROR):
        st.error(frame.escaped(message), icon=":material/error:")


def _upload() -> Upload | None:
    """The table at hand, which a rerun or a look at another page doesn't lose."""
    at = st.session_state.get(_AT)
    if at is None:
        return None
    try:
        return tables.opened(*at)
    except DataError as error:
        st.error(f"{frame.escaped(str(error))} {TEXT['unread']}", icon=":material/error:")
        return None


def _look(upload: Upload) -> tuple[Column, ...]:
    """Preview and kinds; returns the columns with the kinds as corrected."""
    st.markdown(f"#### {TEXT['steps']['look']}")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(TEXT["read"].format(title=frame.escaped(upload.title), rows=upload.rows, columns=len(upload.columns), how=frame.escaped(upload.how)), width="stretch")
        st.button(TEXT["restart"], key="own_restart", icon=":material/undo:", type="tertiary", on_click=restart)
    st.dataframe(frame_of(upload.table).head(PREVIEW), hide_index=True, width="stretch", height="content")
    st.caption(f"{TEXT['preview']} {TEXT['kinds']}")
    columns, c = tables.guess(upload), TEXT["columns"]
    rows = pd.DataFrame([{c["name"]: x.name, c["kind"]: x.kind, c["missing"]: x.missing, c["distinct"]: x.distinct, c["examples"]: ", ".join(x.examples)} for x in columns])
    config = {c["kind"]: st.column_config.SelectboxColumn(options=list(tables.KINDS), required=True), c["missing"]: st.column_config.NumberColumn(format="percent")}
    edited = st.data_editor(rows, hide_index=True, width="stretch", height=min(360, 38 + 35 * len(columns)), disabled=[v for k, v in c.items() if k != "kind"], column_config=config,
                            key=f"own_kinds_{upload.table[:16]}")
    return tuple(dataclasses.replace(x, kind=str(kind)) for x, kind in zip(columns, edited[c["kind"]], strict=True))


def _parts(upload: Upload, columns: tuple[Column, ...]) -> TableSpec | None:
    """Label, task, person, sensitive and inputs; a choice that doesn't fit is a sentence, and stays as it is."""
    st.markdown(f"#### {TEXT['steps']['parts']}")
    first, names = guesses.guessed(columns, upload.rows), [c.name for c in columns]
    key = lambda part: f"own_{part}_{upload.table[:16]}"  # noqa: E731
    one = lambda place, part, guess, options: place.selectbox(TEXT[part], options, index=options.index(guess), format_func=lambda v: v or TEXT["none"], key=key(part),  # noqa: E731
                                                              help=TEXT[f"{part}_help"], persist_state="session")
    left, middle, right = st.columns(3, gap="medium")
    label = one(left, "label", first.label, names)
    task, person = one(middle, "task", first.task, ["", *names]), one(right, "person", first.person, ["", *names])
    left, right = st.columns(2, gap="medium")
    sensitive = left.multiselect(TEXT["sensitive"], names, default=list(first.sensitive), key=key("sensitive"), help=TEXT["sensitive_help"], persist_state="session")
    out = right.multiselect(TEXT["out"], names, key=key("out"), help=TEXT["out_help"], persist_state="session")
    try:
        spec = tables.proposed(upload, label, task=task, person=person, sensitive=tuple(sensitive), kinds={c.name: c.kind for c in columns})
        kept = tuple(name for name in spec.features if name not in out)
        spec = dataclasses.replace(spec, features=kept, kinds=tuple((name, kind) for name, kind in spec.kinds if name not in out or name not in spec.features))
    except DataError as error:
        st.error(frame.escaped(str(error)), icon=":material/error:")
        return None
    st.caption(frame.escaped(TEXT["inputs"].format(n=len(kept), names=", ".join(kept[:NAMED]) + (" ..." if len(kept) > NAMED else ""))))
    return spec


def _save(spec: TableSpec, ready: bool) -> None:
    st.markdown(f"#### {TEXT['steps']['save']}")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        title = st.text_input(TEXT["title"], value=spec.title, max_chars=100, key=f"own_title_{spec.table[:16]}")
        st.button(TEXT["save"], key="own_save", type="primary", icon=":material/save:", disabled=not ready, on_click=_saved, args=(dataclasses.replace(spec, title=title),))


def _saved(spec: TableSpec) -> None:
    try:
        own.set_added(tables.save(spec))
    except MRPError as error:
        st.toast(str(error), icon=":material/error:", duration="long")
        return
    st.toast(TEXT["saved"].format(title=frame.escaped(spec.title)), icon=":material/check:")
    restart()


def restart() -> None:
    """Forget the file at hand, so that another one can be given; a kept table stays, others are deleted within a day."""
    for key in (_AT, _SEEN, _ERROR):
        st.session_state.pop(key, None)
    st.session_state[_ROUND] = st.session_state.get(_ROUND, 0) + 1
