"""Pinned points side by side, each with a note of its own."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from functools import partial

import streamlit as st

from mrp_core.charts.frontier import setting_label
from mrp_core.config import StudyConfig
from mrp_core.errors import MRPError
from mrp_core.measurement import METRICS
from mrp_core.settings import Setting
from mrp_core.store import PinRow
from mrp_core.wording import Texts
from pages.ui import choose, choose_note, differences, frame, launch, promises, show, simulated, studies, words

TEXT = Texts({
    "title": "Pinned points", "none": "Nothing is pinned yet. Press **Pin** on a suggestion above, or on Explore choose a point and press **Pin to compare**; it then stands here beside the others.",
    "note": "Note", "note_of": "Note on {name}", "note_help": "One line of your own on this pin, up to 200 characters; it stands in the table and in the CSV.", "notes": "Notes, and unpinning",
    "unpin": "Unpin", "unpin_help": "Unpin {name}",
    "caption": "Means over seeds and held-out tasks with 95 % intervals. Points of one study share seeds and tasks; differences from its own λ = 0 are paired.",
    "measure": "Measure", "against": "{measure}, against λ = 0", "blank": "not resolved", "gone": "{setting}: no longer measured", "not_yet": "{setting}: not measured yet, its study is still running",
    "heading": "{setting} · {title}", "own": "{title} ({key})", "running": "{name}, still running",
    "binned": "Pins of studies that were deleted are out of sight, and come back with their study: {titles}.",
})
PAIRED = ("accuracy", "mi", "lira_auc", "lira_tpr_1pct")


def draw(pins: Sequence[PinRow]) -> None:
    """The table, the notes, and what choosing among pinned guarantees costs."""
    st.subheader(TEXT["title"], anchor=False)
    _binned()
    if not pins:
        st.info(TEXT["none"], icon=":material/keep:")
        return
    columns = [(pin, *_column(pin)) for pin in pins]
    wanted = [*((m, METRICS[m].label) for m in choose.ROWS), *((f"{m} -", TEXT["against"].format(measure=METRICS[m].label)) for m in PAIRED), ("note", TEXT["note"])]
    rows = [{TEXT["measure"]: label, **{name: values.get(m, "—") for _, name, values in columns}} for m, label in wanted if any(values.get(m) for _, _, values in columns)]
    st.table([{frame.escaped(k): frame.escaped(v) for k, v in row.items()} for row in rows], border="horizontal", hide_index=True, alt=TEXT["title"])
    with st.container(horizontal=True, wrap=False, vertical_alignment="center"):
        st.caption(TEXT["caption"])
        show.download_rows(rows, "pinned.csv", key="pins_csv", simulated=False)
    with st.expander(TEXT["notes"]):
        for pin, name, _ in columns:
            _note(pin, name)
    _choosing(pins)


def _binned() -> None:
    """Pins that a deletion has taken along."""
    titles = [frame.escaped(row.title) for row in studies.store().studies(deleted=True) if row.pinned]
    if titles:
        st.caption(TEXT["binned"].format(titles=", ".join(titles)))


def _column(pin: PinRow) -> tuple[str, dict[str, str]]:
    """Heading and cells of one pinned point."""
    setting = Setting.from_key(pin.setting_key)
    try:
        study = studies.load(pin.study)
        found = differences.against_unprotected(study, setting, choose.ROWS)
    except MRPError as error:
        return setting_label(setting), {"accuracy": str(error), "note": pin.label}
    title = study.title if study.sample else TEXT["own"].format(title=study.title, key=study.key[:6])
    name = simulated.named(TEXT["heading"].format(setting=setting_label(setting, found.about if found else ""), title=title), study.config.simulated)
    running = study.state in studies.ACTIVE
    name = TEXT["running"].format(name=name) if running else name
    if found is None:
        return name, {"accuracy": TEXT["not_yet" if running else "gone"].format(setting=setting_label(setting)), "note": pin.label}
    cells = {m: words.amount(m, mean) if mean.resolved else TEXT["blank"] for m, mean in found.means.items()}
    if "epsilon" in found.means:
        cells["epsilon"] = f"{found.means['epsilon'].value:g}"
    cells |= {f"{m} -": f"{words.change(m, d)} {words.span(m, d)}" for m, d in found.differences.items() if m in PAIRED and d.resolved}
    return name, {**cells, "note": pin.label}


def _note(pin: PinRow, name: str) -> None:
    """A pin's note, stored as it is left, and the button that unpins."""
    field, write = f"pin_note:{pin.study}:{pin.setting_key}", partial(_write, pin.study, pin.setting_key)
    choose_note.fresh(field, pin.label)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input(TEXT["note_of"].format(name=frame.escaped(name)), max_chars=200, key=field, persist_state="session", help=TEXT["note_help"], on_change=choose_note.saved, args=(field, write))
        st.button(TEXT["unpin"], key=f"unpin:{pin.study}:{pin.setting_key}", type="tertiary", help=TEXT["unpin_help"].format(name=frame.escaped(name)), icon=":material/keep_off:",
                  on_click=_unpin, args=(pin,))
    choose_note.beside(field, pin.label, write)


def _write(study: str, setting: str, text: str, read: str) -> str | None:
    return studies.store().pin(study, setting, " ".join(text.split())[:200], read)


def _unpin(pin: PinRow) -> None:
    launch.attempt(lambda: studies.store().unpin(pin.study, pin.setting_key))


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
