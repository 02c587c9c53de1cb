"""The link that shows another person the same: study, point and axis, on Explore or as a presentation."""

from __future__ import annotations

from urllib.parse import urlencode

import streamlit as st

from mrp_core.charts.frontier import setting_label
from mrp_core.wording import Texts
from pages.ui import axes, frame, session, slide, studies

TEXT = Texts({
    "present": "Present", "present_help": "Four steps in large type, without menus: the question, the frontier, the attack, the recommendation.",
    "share": "Copy link", "title": "A link to what you see",
    "what": "{study}, at {setting}. Whoever opens a link on this server sees the same; nothing else needs to be set.",
    "explore": "To explore it", "presentation": "To present it", "open": "A link works where this address can be reached: one that begins with localhost or 127.0.0.1, on this machine alone.",
    "suggested": "No point was chosen, so the presentation starts from the one that the study suggests.",
    "own": "This is a study of your own: it is in the store of this server, so the link leads nowhere on another one.",
})


def buttons(study: studies.Study) -> None:
    """Present, and the dialog with the links."""
    with st.container(horizontal=True, horizontal_alignment="right", gap="small", width="content", wrap=False, key="link_row"):
        if st.button(TEXT["share"], key="link_open", icon=":material/link:"):
            st.dialog(TEXT["title"], width="medium", icon=":material/link:")(_links)(study)
        st.button(TEXT["present"], key="present_start", icon=":material/slideshow:", help=TEXT["present_help"], on_click=present)


def present() -> None:
    """Begin the presentation of what is on the screen."""
    session.change(**{session.MODE: "present", session.STEP: "question"})


def address(**parameters: str) -> str:
    """The address of this page with these parameters; relative where the browser's isn't known."""
    return f"{(st.context.url or '').rstrip('/')}/?{urlencode({name: value for name, value in parameters.items() if value})}"


def _links(study: studies.Study) -> None:
    chosen = slide.asked(study.settings) is not None
    setting, axis = slide.asked(study.settings) or slide.middle(study.settings), axes.asked(study)
    same = {**session.carried(), session.STUDY: study.key, session.AXIS: axis}
    st.markdown(TEXT["what"].format(study=f"**{frame.escaped(study.title)}**", setting=f"**{setting_label(setting)}**"))
    st.markdown(TEXT["explore"])
    st.code(address(**{**same, session.POINT: setting.key}), language=None, wrap_lines=True)
    st.markdown(TEXT["presentation"])
    st.code(address(**{**same, session.POINT: setting.key if chosen else "", session.MODE: "present", session.STEP: "question"}), language=None, wrap_lines=True)
    for name, wanted in (("suggested", not chosen), ("own", not study.sample), ("open", True)):
        if wanted:
            st.caption(TEXT[name])
