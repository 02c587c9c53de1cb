"""A person's own studies: open, rename, annotate, export, and delete with undo."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

import streamlit as st

from mrp_core.results import StudyState
from mrp_core.store import StudyRow
from mrp_core.wording import Texts
from pages.ui import choose_note, frame, kept, launch, session, show, simulated, studies

TEXT = Texts({
    "title": "Your studies", "none": "You have no study of your own yet; the samples are always there.", "train": "Train a study",
    "columns": {"title": "Title", "state": "State", "family": "Data", "search": "Search", "points": "Points", "created": "Created", "note": "Note"},
    "states": {"queued": "queued", "running": "running", "done": "done", "failed": "failed", "cancelled": "cancelled"},
    "pick": "Choose a row to open, rename, annotate, export or delete it.",
    "name": "Title", "note": "Note", "open": "Open", "save": "Save", "saved": "Saved.", "delete": "Delete", "deleted": "Deleted: {title}.", "undo": "Undo", "back": "{title} is back.",
    "export": {"json": "Study (JSON)", "csv": "Points (CSV)", "toml": "Settings (TOML)"},
    "unreadable": "Not readable by this version; nothing of it is lost: {text}",
})


def draw() -> None:
    """What was deleted last, the list, and the acts on the chosen row."""
    _undo()
    st.subheader(TEXT["title"], anchor=False)
    found = studies.store().studies()
    for text in studies.store().unreadable():
        st.warning(TEXT["unreadable"].format(text=frame.escaped(text)))
    if not found:
        st.info(TEXT["none"])
        frame.link("train", TEXT["train"], icon=":material/play_circle:")
        return
    c = TEXT["columns"]
    rows = [{c["title"]: r.title, c["state"]: TEXT["states"].get(r.state, r.state), c["family"]: simulated.named(r.config.task.family, r.config.simulated), c["search"]: r.config.outer.search,
             c["points"]: r.n_points, c["created"]: datetime.fromtimestamp(r.created, UTC).strftime("%Y-%m-%d %H:%M"), c["note"]: r.note} for r in found]
    picked = st.dataframe(rows, hide_index=True, width="stretch", key="studies_table", on_select="rerun", selection_mode="single-row")
    chosen = picked.selection.rows
    if not chosen or chosen[0] >= len(found):
        st.caption(TEXT["pick"])
        return
    _one(found[chosen[0]])


def _one(row: StudyRow) -> None:
    title, note, write = f"title:{row.id}", f"note:{row.id}", partial(_write, row.id)
    choose_note.fresh(title, row.title)
    choose_note.fresh(note, row.note)
    with st.container(border=True, key="one_study"):
        left, right = st.columns(2, gap="medium")
        left.text_input(TEXT["name"], max_chars=200, key=title, persist_state="session")
        with right:
            st.text_area(TEXT["note"], max_chars=10_000, key=note, height=68, persist_state="session")
            choose_note.beside(note, row.note, write)
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button(TEXT["save"], key="save_study", icon=":material/save:", type="primary", on_click=_save, args=(row.id,))
            if st.button(TEXT["open"], key="open_study", icon=":material/open_in_new:"):
                session.choose_study(row.id)
                frame.go("explore" if row.n_points and row.state is StudyState.DONE else "train")
            file = studies.store().study_file
            show.download(TEXT["export"]["json"], lambda: file(row.id).to_json(), f"{row.id}.json", key="export_json", mime="application/json")
            show.download(TEXT["export"]["csv"], lambda: _points_csv(row.id), f"{row.id}.csv", key="export_csv")
            show.download(TEXT["export"]["toml"], row.config.to_toml, f"{row.id}.toml", key="export_toml", mime="application/toml")
            st.button(TEXT["delete"], key="delete_study", icon=":material/delete:", on_click=_delete, args=(row.id, row.title))


def _points_csv(key: str) -> str:
    rows = [{"setting": p.setting.key, "seed": p.seed, "metric": m, "task": i, "value": v} for p in studies.store().points(key) for m, vs in p.values.items() for i, v in enumerate(vs)]
    return show.csv_text(simulated.marked(rows, studies.store().study(key).config.simulated))


def _write(key: str, text: str, read: str) -> str | None:
    return studies.store().set_note(key, text, read)


def _rename(key: str, text: str, read: str) -> str | None:
    studies.store().rename(key, text)
    return None


def _save(key: str) -> None:
    """What was changed here, and only that: a title or note that this tab hasn't touched stays as others have made it."""
    fields = ((f"title:{key}", partial(_rename, key)), (f"note:{key}", partial(_write, key)))
    saved = [choose_note.save(name, write) for name, write in fields if choose_note.changed(name)]
    if all(saved):
        st.toast(TEXT["saved"], icon=":material/check:")


def _delete(key: str, title: str) -> None:
    if launch.attempt(lambda: studies.store().delete(key)):
        kept.set_deleted(key, title)


def _undo() -> None:
    """The last deletion of this session, to be taken back."""
    gone = kept.deleted()
    if gone is None:
        return
    with st.container(horizontal=True, vertical_alignment="center", key="undo_bar"):
        st.markdown(TEXT["deleted"].format(title=frame.escaped(gone[1])))
        st.button(TEXT["undo"], key="undo_delete", icon=":material/undo:", on_click=_bring_back, args=gone)


def _bring_back(key: str, title: str) -> None:
    if launch.attempt(lambda: studies.store().undelete(key), TEXT["back"].format(title=frame.escaped(title))):
        kept.set_deleted(None, "")
