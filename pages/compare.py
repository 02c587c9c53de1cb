"""Which choice should I take, and why? Pinned points side by side, and the list of studies."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from textwrap import shorten
from typing import Any

import streamlit as st

from mrp_core.charts.frontier import setting_label
from mrp_core.config import StudyConfig
from mrp_core.errors import MRPError
from mrp_core.measurement import METRICS
from mrp_core.results import StudyState
from mrp_core.settings import Setting
from mrp_core.store import PinRow, StudyRow
from pages.ui import compared, differences, frame, kept, launch, promises, session, share, show, simulated, studies, words

frame.guard()

TEXT: dict[str, Any] = {
    "title": "Which choice should I take, and why?",
    "pins": "Pinned points", "no_pins": "Nothing is pinned yet. On Explore, choose a point and press **Pin to compare**; it then stands here beside the others.",
    "unpin": "Unpin", "open": "Open", "pins_note": "Means over seeds and held-out tasks with 95 % intervals. Points of one study share seeds and tasks; differences from its own λ = 0 are paired.",
    "studies": "Your studies", "no_studies": "You have no study of your own yet; the samples are always there.", "train": "Train a study",
    "columns": {"title": "Title", "state": "State", "family": "Data", "search": "Search", "points": "Points", "created": "Created", "note": "Note", "id": "id"},
    "pick": "Choose a row to open, rename, annotate, export or delete it.",
    "name": "Title", "note": "Note", "save": "Save", "saved": "Saved.", "delete": "Delete", "deleted": "Deleted: {title}.", "undo": "Undo", "back": "{title} is back.",
    "export": {"json": "Study (JSON)", "csv": "Points (CSV)", "toml": "Settings (TOML)"},
    "unreadable": "Not readable by this version; nothing of it is lost: {text}",
    "measure": "Measure", "against": "{measure}, against λ = 0", "blank": "not resolved", "gone": "{setting}: no longer measured",
}
ROWS = ("accuracy", "accuracy_0", "f1", "mi", "mi_excess", "lira_auc", "lira_tpr_1pct", "membership_bits", "epsilon")
PAIRED = ("accuracy", "mi", "lira_auc", "lira_tpr_1pct")


def main() -> None:
    """Draw the page."""
    frame.title(TEXT["title"])
    _pins()
    _undo()
    _studies()
    compared.draw()
    share.draw_current()


def _pins() -> None:
    st.subheader(TEXT["pins"], anchor=False)
    pins = studies.store().pins()
    if not pins:
        st.info(TEXT["no_pins"], icon=":material/keep:")
        return
    columns = [(pin, *_column(pin)) for pin in pins]
    wanted = [*((m, METRICS[m].label) for m in ROWS), *((f"{m} -", TEXT["against"].format(measure=METRICS[m].label)) for m in PAIRED)]
    rows = [{TEXT["measure"]: label, **{name: values.get(m, "—") for _, name, values in columns}} for m, label in wanted if any(m in values for _, _, values in columns)]
    st.table(rows, border="horizontal", hide_index=True, alt=TEXT["pins"])
    with st.container(horizontal=True, vertical_alignment="center"):
        for pin, name, _ in columns:
            st.button(f"{TEXT['unpin']} {shorten(name, 34, placeholder=' …')}", key=f"unpin:{pin.study}:{pin.setting_key}", type="tertiary", help=name,
                      icon=":material/keep_off:", on_click=_unpin, args=(pin,))
        show.download_rows(rows, "pinned.csv", key="pins_csv", simulated=False)
    st.caption(TEXT["pins_note"])
    _choosing(pins)


def _column(pin: PinRow) -> tuple[str, dict[str, str]]:
    """Heading and cells of one pinned point."""
    setting = Setting.from_key(pin.setting_key)
    try:
        study = studies.load(pin.study)
        found = differences.against_unprotected(study, setting, ROWS)
    except MRPError as error:
        return setting_label(setting), {"accuracy": str(error)}
    name = f"{setting_label(setting, found.about if found else '')} · {study.title}" + ("" if study.sample else f" ({study.key[:6]})")
    name = simulated.named(name, study.config.simulated)
    if found is None:
        return name, {"accuracy": TEXT["gone"].format(setting=setting_label(setting))}
    cells = {m: words.amount(m, mean) if mean.resolved else TEXT["blank"] for m, mean in found.means.items()}
    if "epsilon" in found.means:
        cells["epsilon"] = f"{found.means['epsilon'].value:g}"
    cells |= {f"{m} -": f"{words.change(m, d)} {words.span(m, d)}" for m, d in found.differences.items() if m in PAIRED and d.resolved}
    return name, cells


def _choosing(pins: Sequence[PinRow]) -> None:
    """What choosing among the pinned guarantees costs, by the weakest of them; a pin whose study can't be read has said so already."""
    found: list[tuple[Setting, StudyConfig]] = []
    for pin in pins:
        setting = Setting.from_key(pin.setting_key)
        if setting.kind == "epsilon" and math.isfinite(setting.value):
            with suppress(MRPError):
                found.append((setting, studies.load(pin.study).config))
    if found and (text := promises.choosing(*max(found, key=lambda f: f[0].value), len(found))):
        st.caption(text)


def _unpin(pin: PinRow) -> None:
    launch.attempt(lambda: studies.store().unpin(pin.study, pin.setting_key))


def _studies() -> None:
    st.subheader(TEXT["studies"], anchor=False)
    found = studies.store().studies()
    for text in studies.store().unreadable():
        st.warning(TEXT["unreadable"].format(text=text))
    if not found:
        st.info(TEXT["no_studies"])
        frame.link("train", TEXT["train"], icon=":material/play_circle:")
        return
    c = TEXT["columns"]
    rows = [{c["title"]: r.title, c["state"]: r.state.value, c["family"]: simulated.named(r.config.task.family, r.config.simulated), c["search"]: r.config.outer.search, c["points"]: r.n_points,
             c["created"]: datetime.fromtimestamp(r.created, UTC).strftime("%Y-%m-%d %H:%M"), c["note"]: r.note} for r in found]
    picked = st.dataframe(rows, hide_index=True, width="stretch", key="studies_table", on_select="rerun", selection_mode="single-row")
    chosen = picked.selection.rows
    if not chosen or chosen[0] >= len(found):
        st.caption(TEXT["pick"])
        return
    _one(found[chosen[0]])


def _one(row: StudyRow) -> None:
    with st.container(border=True, key="one_study"):
        left, right = st.columns(2, gap="medium")
        left.text_input(TEXT["name"], value=row.title, max_chars=200, key=f"title:{row.id}")
        right.text_area(TEXT["note"], value=row.note, max_chars=10_000, key=f"note:{row.id}", height=68)
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


def _save(key: str) -> None:
    def act() -> None:
        studies.store().rename(key, st.session_state[f"title:{key}"])
        studies.store().set_note(key, st.session_state[f"note:{key}"])

    launch.attempt(act, TEXT["saved"])


def _delete(key: str, title: str) -> None:
    if launch.attempt(lambda: studies.store().delete(key)):
        kept.set_deleted(key, title)


def _undo() -> None:
    """The last deletion of this session, to be taken back."""
    gone = kept.deleted()
    if gone is None:
        return
    with st.container(horizontal=True, vertical_alignment="center", key="undo_bar"):
        st.markdown(TEXT["deleted"].format(title=gone[1].replace("[", "\\[")))
        st.button(TEXT["undo"], key="undo_delete", icon=":material/undo:", on_click=_bring_back, args=gone)


def _bring_back(key: str, title: str) -> None:
    if launch.attempt(lambda: studies.store().undelete(key), TEXT["back"].format(title=title)):
        kept.set_deleted(None, "")


with frame.sentences():
    main()
