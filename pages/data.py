"""Would it hold for my data? The families of tasks, each with its origin, licence and caveat."""

from __future__ import annotations

from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from mrp_core.config import TaskConfig
from mrp_core.errors import MRPError
from mrp_core.registry import plugins
from mrp_core.taskdata import TaskFamily
from pages.ui import controls, frame, records

frame.guard()

TEXT: dict[str, Any] = {
    "title": "Would it hold for my data?",
    "lead": "Pick the family that is most like yours. Tasks that judge a strategy are never among those that trained it.",
    "real": "real data", "simulated": "simulated", "modes": "Modes", "sensitive": "Sensitive attributes", "none": "none recorded",
    "origin": "Origin", "licence": "Licence", "caveat": "Caveat", "train": "Train on this", "order": "training / validation / test",
}


def main() -> None:
    """Draw the page."""
    frame.title(TEXT["title"], TEXT["lead"])
    found = list(plugins("tasks").values())
    places = {}
    with st.container(key="families"):
        for start in range(0, len(found), 2):
            for column, family in zip(st.columns(2, gap="medium"), found[start:start + 2], strict=False):
                with column, st.container(border=True, height="stretch", key=f"family_{family.name}"):
                    places[family.name] = _card(family)
    for family in found:
        with places[family.name].container():
            _facts(family)


def _card(family: TaskFamily) -> DeltaGenerator:
    """All of a card but its facts, for which a place is left: to count them, the records must be read."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(family.title, anchor=False, width="content")
        st.badge(TEXT["simulated"] if family.simulated else TEXT["real"], icon=":material/science:" if family.simulated else ":material/verified:",
                 color="orange" if family.simulated else "green")
    st.markdown(family.summary)
    place = st.empty()
    place.skeleton(height=150)
    st.caption(f"{TEXT['origin']}: {family.origin}  \n{TEXT['licence']}: {family.licence}.  \n**{TEXT['caveat']}: {family.caveat}**")
    if st.button(TEXT["train"], key=f"train_{family.name}", icon=":material/play_circle:", type="tertiary"):
        controls.choose_family(family.name)
        frame.go("train")
    return place


def _facts(family: TaskFamily) -> None:
    try:
        facts, sample = _counted(family.name)
    except MRPError as error:
        if family.optional:  # nothing went wrong: its records are for the reader to bring
            st.info(str(error), icon=":material/folder_open:")
        else:
            st.error(str(error), icon=":material/error:")
        return
    modes = ", ".join(controls.TEXT["titles"][m] for m in family.modes)
    lines = [f"**{name}** {text}" + (f" ({TEXT['order']})" if name in ("Tasks", "Wards") else "") for name, text in facts if not name.startswith("Sensitive")]
    lines += [f"**{TEXT['modes']}** {modes}", f"**{TEXT['sensitive']}** {', '.join(family.sensitive) or TEXT['none']}"]
    st.markdown("  \n".join(lines))
    records.draw(sample)


@st.cache_data(show_spinner=False)
def _counted(name: str) -> tuple[tuple[tuple[str, str], ...], records.Sample]:
    """Facts and some records of a family in its usual mode."""
    family = plugins("tasks")[name]
    task = TaskConfig(family=name, **{"mode": family.modes[0], **family.defaults})
    built = family.build(task, 0)
    return built.facts, records.sample_of(built)


with frame.sentences():
    main()
