"""The families of one field, each as a card: words on the left, its records on the right, its tasks in a dialog."""

from __future__ import annotations

import re
from collections.abc import Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from mrp_core.charts.records import SignalFrame, profile_figure, signal_figure
from mrp_core.errors import MRPError
from mrp_core.taskdata import TaskFamily
from mrp_core.wording import Texts, listed, say
from pages.ui import controls, families, frame, records, session, show, studies

TEXT = Texts({
    "real": ":green-badge[:material/verified: real]", "simulated": ":orange-badge[:material/science: simulated]", "optional": ":gray-badge[not shipped]",
    "modes": "Modes", "sensitive": "Sensitive attributes", "none": "none recorded", "origin": "Origin", "licence": "Licence", "caveat": "Caveat",
    "train": "Train on this", "study": "Study of this family", "tasks": "Tasks and records", "order": "training / validation / test",
    "profile": "Means of the classes of the held-out task {task} with 95 % intervals, for the {n} of {all} inputs in which the classes differ most.",
    "signals": "One record of each class of the held-out task {task}, sample by sample; values in standard deviations of the training members.",
    "columns": {"task": "Task", "records": "Records", "members": "Members"},
    "parts": {"training": "Training", "validation": "Validation", "test": "Test"},
    "first": "The first {n} of {all} are listed.", "members": "Members are records that a strategy may be adapted on; the others only judge. Tasks of one family can share records.",
})
_SKIPPED = ("Sensitive", "Modes")


def badge(family: TaskFamily) -> str:
    """Whether the records are real, as Markdown; of a table of one's own nobody but its owner knows."""
    if family.area == "own":
        return ""
    return TEXT["simulated" if family.simulated else "real"] + (f" {TEXT['optional']}" if family.optional else "")


def draw(group: Sequence[TaskFamily]) -> None:
    """A card for each family; what needs its records is filled in last, so that all words are on the screen at once."""
    with st.container(key="families"):
        places = {family.name: _card(family) for family in group}
    for family in group:
        _fill(family, *places[family.name])


def _card(family: TaskFamily) -> tuple[DeltaGenerator, DeltaGenerator]:
    """All of a card but its facts and its picture, for which places are left."""
    with st.container(border=True, key=f"family_{family.name}"):
        left, right = st.columns([0.46, 0.54], gap="large")
        with left:
            st.subheader(f"{say(family.title)} &nbsp;{badge(family)}", anchor=False)
            st.markdown(say(family.summary))
            facts = st.empty()
            facts.skeleton(height=110)
            st.markdown(f":small[**{TEXT['caveat']}** {say(family.caveat)}]")
            _buttons(family)
        with right:
            picture = st.empty()
            picture.skeleton(height=300)
            st.caption(f"{TEXT['origin']}: {say(family.origin)}  \n{TEXT['licence']}: {say(family.licence)}")
    return facts, picture


def _buttons(family: TaskFamily) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button(TEXT["train"], key=f"train_{family.name}", icon=":material/play_circle:", type="primary"):
            controls.choose_family(family.name)
            frame.go("train")
        if st.button(TEXT["tasks"], key=f"tasks_{family.name}", icon=":material/list:"):
            _tasks(family)
        key = next((c.key for c in studies.choices() if c.family == family.name), "")
        if key and st.button(TEXT["study"], key=f"study_{family.name}", icon=":material/show_chart:"):
            session.choose_study(key)
            frame.go("explore")


def _fill(family: TaskFamily, facts: DeltaGenerator, picture: DeltaGenerator) -> None:
    try:
        view = families.view(family.name)
    except MRPError as error:
        if family.optional:  # nothing went wrong: its records are for the reader to bring
            facts.info(frame.escaped(str(error)), icon=":material/folder_open:")
        else:
            facts.error(frame.escaped(str(error)), icon=":material/error:")
        picture.empty()
        return
    modes = listed(controls.TEXT["titles"].get(m, m) for m in family.modes)
    lines = [f"**{name}** {text}" + (f" ({TEXT['order']})" if re.fullmatch(r"[\d,]+( / [\d,]+){2}", text) else "") for name, text in view.facts if not name.startswith(_SKIPPED)]
    lines += [f"**{TEXT['modes']}** {modes}", f"**{TEXT['sensitive']}** {', '.join(family.sensitive) or TEXT['none']}"]
    facts.markdown("  \n".join(lines))
    with picture.container():
        _picture(family, view)


def _picture(family: TaskFamily, view: families.View) -> None:
    """Pictures as pictures, signals as lines, tables by what tells their classes apart."""
    chart, key = view.chart, f"view_{family.name}"
    if chart is None:
        records.draw(view.sample)
    elif isinstance(chart, SignalFrame):
        text = TEXT["signals"].format(task=chart.task)
        show.chart(signal_figure(chart, show.colours()), chart.rows(), key=key, alt=text, caption=text, simulated=family.simulated)
    else:
        text = TEXT["profile"].format(task=chart.task, n=len(chart.inputs), all=view.sample.inputs)
        show.chart(profile_figure(chart, show.colours()), chart.rows(), key=key, alt=text, caption=text, simulated=family.simulated)


@st.dialog(TEXT["tasks"], width="large", icon=":material/list:")
def _tasks(family: TaskFamily) -> None:
    """The names of all tasks with their counts, and some records."""
    st.markdown(f"**{say(family.title)}** {badge(family)}")
    with frame.sentences():
        view, c = families.view(family.name), TEXT["columns"]
        for tab, part in zip(st.tabs([f"{TEXT['parts'][p.name]} ({p.count:,})" for p in view.parts]), view.parts, strict=True):
            rows = [{c["task"]: name, c["records"]: n, c["members"]: members} for name, n, members in part.tasks]
            tab.dataframe(rows, hide_index=True, width="stretch", height=280)
            if part.count > len(rows):
                tab.caption(TEXT["first"].format(n=len(rows), all=f"{part.count:,}"))
        st.caption(TEXT["members"])
        records.draw(view.sample)
