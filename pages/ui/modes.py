"""Modes, which are no pages: a page as one explores it, as an audience sees it, or as a class does. The URL alone says which."""

from __future__ import annotations

from typing import Literal

import streamlit as st

from pages.ui import session

Mode = Literal["explore", "present", "teach"]
_MODES: dict[str, Mode] = {"explore": "explore", "present": "present", "teach": "teach"}
MENU = "menu"
"""What a class link keeps, in :data:`pages.ui.session.KEEP`, if menu and side bar are to stay."""


def current() -> Mode:
    """The mode that the URL asks for; an unknown one is "explore"."""
    return _MODES.get(st.query_params.get(session.MODE, ""), "explore")


def unknown() -> str:
    """What the URL asks for instead of a mode, or ""."""
    asked = st.query_params.get(session.MODE, "")
    return "" if asked in _MODES else asked


def bare(page: str) -> bool:
    """Whether a page of this name is drawn without menu and side bar: a presentation, and a class whose link doesn't keep them.

    Other pages keep theirs whatever the URL says: nobody could leave them otherwise.
    """
    if page == "explore":
        return current() == "present"
    return page == "learn" and current() == "teach" and MENU not in st.query_params.get(session.KEEP, "").split(",")
