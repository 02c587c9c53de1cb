"""In which lessons this browser session has made a prediction."""

from __future__ import annotations

import streamlit as st

_KEY = "lessons_predicted"


def made() -> frozenset[str]:
    """Keys of the lessons."""
    found: frozenset[str] = st.session_state.get(_KEY, frozenset())
    return found


def note(lesson: str) -> None:
    """Note that a prediction was made in a lesson."""
    st.session_state[_KEY] = made() | {lesson}
