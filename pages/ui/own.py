"""The tables of one's own that are kept: a list to train on or delete from."""

from __future__ import annotations

import streamlit as st

from mrp_core import tables
from mrp_core.tables import Entry
from mrp_core.wording import Texts
from pages.ui import controls, frame, launch, studies, tabled

TEXT = Texts({
    "title": "Your tables", "none": "No table is kept yet.", "line": "**{title}** · predicts {label} {by} · {rows:,} rows",
    "by": "for each {task}", "classes": "from its classes", "train": "Train on this", "delete": "Delete", "new": "just added", "broken": "table {id}",
    "ask": "Delete {title} for good? Its description goes, and the table with it, unless another description uses that. This can't be undone.",
    "used": "Studies that used it keep their results, but can't be trained or examined again: {titles}.", "sure": "Delete for good", "keep": "Keep it", "gone": "Deleted for good.",
})
_ADDED = "own:added"


def set_added(id: str) -> None:
    """Note the table that was saved last, which the list points out."""
    st.session_state[_ADDED] = id


def draw() -> None:
    """The list of kept tables."""
    st.subheader(TEXT["title"], anchor=False)
    entries = tables.listing()
    if not entries:
        st.caption(TEXT["none"])
    for entry in entries:
        _line(entry)


def _line(entry: Entry) -> None:
    with st.container(border=True, horizontal=True, vertical_alignment="center", key=f"own_{entry.id}"):
        spec = entry.spec
        if spec is None or entry.problem:
            st.markdown(f":material/error: {frame.escaped(entry.problem)}", width="stretch")
        else:
            by = TEXT["by"].format(task=frame.escaped(spec.task)) if spec.task else TEXT["classes"]
            new = f" :blue-badge[{TEXT['new']}]" if st.session_state.get(_ADDED) == entry.id else ""
            st.markdown(TEXT["line"].format(title=frame.escaped(spec.title), label=frame.escaped(spec.label), by=by, rows=entry.rows) + new, width="stretch")
            if st.button(TEXT["train"], key=f"own_train_{entry.id}", icon=":material/play_circle:", type="primary"):
                choose(entry.id)
                frame.go("train")
        if st.button(TEXT["delete"], key=f"own_delete_{entry.id}", icon=":material/delete:"):
            _sure(entry)


def choose(id: str) -> None:
    """Put a table, and the shots that it has rows for, into the widgets of the train page.

    Raises:
        DataError: If it isn't here any more.
    """
    controls.choose_family("table", table=id, **tabled.suggested(id))


@st.dialog(TEXT["delete"], icon=":material/delete:")
def _sure(entry: Entry) -> None:
    title = entry.spec.title if entry.spec else TEXT["broken"].format(id=entry.id)
    st.markdown(TEXT["ask"].format(title=f"**{frame.escaped(title)}**"))
    used = [row.title for row in studies.store().studies() if row.config.task.table == entry.id]
    if used:
        st.warning(TEXT["used"].format(titles=frame.escaped(", ".join(used))), icon=":material/warning:")
    with st.container(horizontal=True):
        sure = st.button(TEXT["sure"], key="own_sure", type="primary", icon=":material/delete_forever:", on_click=_delete, args=(entry.id,))
        if st.button(TEXT["keep"], key="own_keep") or sure:
            st.rerun()  # closes the dialog


def _delete(id: str) -> None:
    def act() -> None:
        tables.delete(id)
        tabled.checked.clear()

    launch.attempt(act, TEXT["gone"])
