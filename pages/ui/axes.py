"""Which leakage a frontier is drawn against: by the link, else the first that the study has measured."""

from __future__ import annotations

import streamlit as st

from mrp_core.wording import Texts
from pages.ui import frame, session, studies

TEXT = Texts({
    "axis": "Leakage measured by",
    "axes": {"mi": "One answer: I(X;Ŷ)", "mi_excess": "Beyond the label: I(X;Ŷ|Y)", "lira_auc": "Membership: LiRA AUC", "lira_tpr_1pct": "Membership: TPR at 1 %"},
    "help": "I(X;Ŷ): how much one answer tells about the queried record. Membership: how well an attacker tells who was adapted on. The two can disagree.",
    "unknown": "The link asks for the leakage {asked}, which this study hasn't measured; it is shown by {shown} instead.",
})


def current(study: studies.Study) -> str:
    """The metric that :func:`asked` gives; that the link asks for another one is said."""
    found, wanted = asked(study), session.value(session.AXIS)
    if wanted and wanted != found and session.asked(session.AXIS):
        st.warning(TEXT["unknown"].format(asked=frame.escaped(repr(wanted)), shown=TEXT["axes"][found]))
    return found


def asked(study: studies.Study) -> str:
    """The metric in the link, or chosen on another page, if the study has it, else the first one."""
    options = _options(study)
    wanted = session.value(session.AXIS, options[0])
    return wanted if wanted in options else options[0]


def choose(study: studies.Study, axis: str) -> None:
    """The control that changes it."""
    st.session_state["axis"] = axis
    st.segmented_control(TEXT["axis"], _options(study), format_func=lambda m: str(TEXT["axes"][m]), key="axis", required=True, help=TEXT["help"], on_change=_chosen)


def _options(study: studies.Study) -> list[str]:
    return [m for m in TEXT["axes"] if any(m in p.values for p in study.points[:1])] or ["mi"]


def _chosen() -> None:
    session.remember(session.AXIS, st.session_state["axis"])
