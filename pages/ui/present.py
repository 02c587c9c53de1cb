"""The presentation: four steps in large type, one after the other, by keys or buttons. Which step is in the URL, so a reload keeps it."""

from __future__ import annotations

from typing import Any

import streamlit as st

from mrp_core.settings import Setting
from mrp_core.wording import Texts
from pages.ui import axes, frame, present_reasons, present_steps, session, simulated, slide, studies, suggested

TEXT = Texts({
    "next": "Next", "previous": "Previous", "leave": "Leave", "place": "{n} of {all}",
    "unknown": "The link asks for the step {asked}, but a presentation has these: {steps}. The first one is shown.",
    "empty": "There is nothing to present: no sample study is installed, and you have none of your own yet. Leave, and train one.",
    "waiting": "{study} has no finished point yet, so there is nothing to present. Leave, and see on the train page how far it is.",
    "running": "This study still runs: {n} settings are measured so far.",
})
STEPS = ("question", "frontier", "attack", "recommendation")


def draw(study: studies.Study | None) -> None:
    """The step that the URL asks for."""
    step, wrong = _step()
    with st.container(key="present", gap="small"):
        if study is None or not study.points:
            _bar(None, None)
            st.info(TEXT["empty"] if study is None else TEXT["waiting"].format(study=frame.escaped(study.title)))
            return
        axis = axes.current(study)
        shown = present_steps.Shown(study=study, axis=axis, **_point(study, axis))
        _bar(step, shown.setting)
        _head(study)
        if wrong:
            st.warning(TEXT["unknown"].format(asked=frame.escaped(repr(wrong)), steps=", ".join(STEPS)))
        if text := slide.missing(study.settings, shown.setting):
            st.warning(text)
        {"question": present_steps.question, "frontier": present_steps.frontier, "attack": present_steps.attack, "recommendation": present_reasons.recommendation}[step](shown)


def _step() -> tuple[str, str]:
    """The step, and what was asked for instead of one."""
    asked = st.query_params.get(session.STEP, "")
    return (asked, "") if asked in STEPS else (STEPS[0], asked)


def _point(study: studies.Study, axis: str) -> dict[str, Any]:
    """The setting that is asked for; else the one that the study suggests, and why; else the one in the middle."""
    if (found := slide.asked(study.settings)) is not None:
        return {"setting": found, "why": ""}
    if (suggestion := suggested.first(study, axis)) is not None:
        return {"setting": suggestion.judged.setting, "why": suggested.reasons(suggestion)}
    return {"setting": slide.middle(study.settings), "why": ""}


def _head(study: studies.Study) -> None:
    badge = f"{simulated.TEXT['badge']} " if study.config.simulated else ""
    running = f" · {TEXT['running'].format(n=len(study.settings))}" if study.state in studies.ACTIVE else ""
    st.markdown(f"{badge}:gray[{frame.escaped(study.title)}{running}]")


def _bar(step: str | None, setting: Setting | None) -> None:
    """Where one is, and the ways on, back and out; at the lower edge of the window."""
    at = STEPS.index(step) if step else 0
    with st.bottom, st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", gap="small", key="present_bar"):
        st.button(TEXT["leave"], key="present_leave", shortcut="Esc", type="tertiary", icon=":material/close:", on_click=_leave, args=(setting,))
        if step is None:
            return
        st.markdown(f"**{TEXT['place'].format(n=at + 1, all=len(STEPS))}**", width="content")
        with st.container(horizontal=True, gap="small", width="content"):
            st.button(TEXT["previous"], key="present_previous", shortcut="P", disabled=at == 0, on_click=_go, args=(at - 1,))
            st.button(TEXT["next"], key="present_next", shortcut="N", type="primary", disabled=at == len(STEPS) - 1, on_click=_go, args=(at + 1,))


def _go(to: int) -> None:
    session.remember(session.STEP, STEPS[to])


def _leave(setting: Setting | None) -> None:
    """Back to Explore, at the point that was shown."""
    session.change(**{session.MODE: "", session.STEP: ""}, **({session.POINT: setting.key} if setting is not None else {}))
