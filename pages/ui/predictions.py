"""What this browser session has predicted in which lessons."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

_KEY = "lessons_predicted"


def made() -> Mapping[str, int]:
    """Key of the lesson -> index of the option."""
    found: Mapping[str, int] = st.session_state.get(_KEY, {})
    return found


def note(lesson: str, guess: int) -> None:
    """Note a prediction; the first one counts."""
    st.session_state[_KEY] = {lesson: guess, **made()}
