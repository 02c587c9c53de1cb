"""What a study suggests to a person who has set no limits: the knee, the cheapest privacy, the most accurate setting."""

from __future__ import annotations

import streamlit as st

from mrp_core.charts.frontier import setting_label
from mrp_core.judging import Limits
from mrp_core.settings import Setting
from mrp_core.suggesting import Advice, Suggestion, advise
from mrp_core.wording import Texts, listed
from pages.ui import differences, frame, session, studies

TEXT = Texts({
    "lead": "What would one choose?",
    "kinds": {"knee": "best bargain", "cheapest": "cheapest privacy", "accuracy": "most accurate"},
    "why": {"knee": "The knee of the frontier: beyond it, less leakage costs ever more accuracy.",
            "cheapest": "The least accuracy lost for each unit of leakage that it measurably lowers.",
            "accuracy": "The highest mean accuracy of all settings."},
    "button": "{setting}: {why}",
    "none": "No setting of this study can be suggested yet: nothing about them is told apart.",
})
ORDER = ("knee", "cheapest", "accuracy")


def advice(study: studies.Study, axis: str) -> Advice:
    """All that can be suggested by this leakage."""
    return _advice(study.key, study.version, axis)


def first(study: studies.Study, axis: str) -> Suggestion | None:
    """The one to start from: the knee if there is one, else the cheapest privacy, else the most accurate."""
    found = advice(study, axis).suggestions
    return next((s for kind in ORDER for s in found if kind in s.kinds), None)


def reasons(suggestion: Suggestion) -> str:
    """In a few words what speaks for a setting, e.g. "best bargain, cheapest privacy"."""
    return listed(TEXT["kinds"][kind] for kind in ORDER if kind in suggestion.kinds)


def alternatives(study: studies.Study, axis: str, setting: Setting) -> list[str]:
    """Every other suggestion, as "setting: what speaks for it"."""
    return [TEXT["button"].format(setting=_name(s), why=reasons(s)) for s in advice(study, axis).suggestions if s.judged.setting != setting]


def row(study: studies.Study, axis: str, setting: Setting) -> None:
    """A button for each suggestion, which chooses it."""
    found = advice(study, axis).suggestions
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="suggested"):
        st.markdown(f"**{TEXT['lead']}**" if found else TEXT["none"], width="content")
        for s in found:
            chosen = s.judged.setting
            why = " ".join(TEXT["why"][k] for k in ORDER if k in s.kinds)
            st.button(reasons(s), key=f"suggest:{s.kinds[0]}", help=frame.escaped(TEXT["button"].format(setting=_name(s), why=why)),
                      type="primary" if chosen == setting else "secondary", on_click=session.remember, args=(session.POINT, chosen.key))


def _name(s: Suggestion) -> str:
    return setting_label(s.judged.setting, s.judged.summary.about)


@st.cache_resource(show_spinner=False, max_entries=64)
def _advice(key: str, version: int, axis: str) -> Advice:
    study = studies.load(key)
    return advise(differences.summaries(study, tuple(dict.fromkeys(("accuracy", axis, "epsilon")))), Limits(), leakage=axis)
