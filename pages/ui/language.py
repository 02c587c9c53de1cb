"""In which language a person reads: by the link, else as chosen before, else as the browser asks; English where there is no catalogue."""

from __future__ import annotations

import functools
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from mrp_core import wording
from pages.ui import session

LANGUAGES: Mapping[str, str] = {"en": "English", "zh": "简体中文"}
"""Code in the link -> name in its own language."""
_FOLDER = Path(__file__).parent / "languages"
_KEPT = "language"
_SPOKEN: ContextVar[str] = ContextVar("spoken", default="")


def current() -> str:
    """The code of this browser session's language; "en" outside any."""
    if spoken_now := _SPOKEN.get():
        return spoken_now
    if get_script_run_ctx(suppress_warning=True) is None:
        return "en"
    return st.session_state.get(_KEPT) or choose()


@contextmanager
def spoken(code: str) -> Generator[None]:
    """Say everything in a language meanwhile, in this thread alone: for what is prepared beside the page or kept for several sessions."""
    before = _SPOKEN.set(code)
    try:
        yield
    finally:
        _SPOKEN.reset(before)


def choose() -> str:
    """Settle the session's language, at the start of each run."""
    asked = st.query_params.get(session.LANG, "")
    found = asked if asked in LANGUAGES else st.session_state.get(_KEPT) or _of_browser()
    st.session_state[_KEPT] = found
    return found


def remember(code: str) -> None:
    """Change to another language, which is part of every link from then on."""
    st.session_state[_KEPT] = code
    session.remember(session.LANG, code)


@functools.cache
def catalogue(code: str) -> Mapping[str, str]:
    """English text -> text in a language; what isn't translated is missing.

    Args:
        code: A key of :data:`LANGUAGES`.
    """
    path = _FOLDER / f"{code}.po"
    if not path.exists():
        return {}
    from babel.messages.pofile import read_po

    with path.open("rb") as file:
        return {str(m.id): str(m.string) for m in read_po(file, locale=code) if m.id and m.string and not m.fuzzy}


def speak() -> None:
    """Let all texts of the program be said in the session's language."""
    wording.provide(lambda: catalogue(current()))


def _of_browser() -> str:
    """Simplified Chinese for any Chinese, as there is no other; ``st.context.locale`` is the browser's first choice."""
    return "zh" if (st.context.locale or "").lower().startswith("zh") else "en"
