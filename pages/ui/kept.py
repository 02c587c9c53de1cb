"""What lives as long as a browser session and is not worth a link."""

from __future__ import annotations

import streamlit as st

_ROUTED = "routed"


def draw() -> int:
    """Number of the support set that the adapt page shows."""
    return int(st.session_state.get("adapt_draws", 0))


def next_draw() -> None:
    """Ask for another support set."""
    st.session_state["adapt_draws"] = draw() + 1


def deleted() -> tuple[str, str] | None:
    """Id and title of the study deleted last, as long as that can be taken back here."""
    found: tuple[str, str] | None = st.session_state.get("last_deleted")
    return found


def set_deleted(key: str | None, title: str) -> None:
    """Note a deletion, or with None that there is none to take back."""
    st.session_state["last_deleted"] = None if key is None else (key, title)


def routed() -> bool:
    """Whether the page frame has run in this session."""
    return bool(st.session_state.get(_ROUTED))


def mark_routed() -> None:
    """Note that the page frame has run in this session."""
    st.session_state[_ROUTED] = True
