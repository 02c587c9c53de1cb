"""Acts that change the store, as callbacks: each says what it did, or what is wrong, in one sentence."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from mrp_core.config import ComputeOptions, StudyConfig
from mrp_core.errors import MRPError
from mrp_core.wording import Texts
from pages.ui import session, studies
from pages.ui.working import keep_going

TEXT = Texts({"launched": "Launched. It goes on by itself: you may close this page and come back.", "pinned": "Pinned to the compare page."})


def launch(config: StudyConfig, compute: ComputeOptions | None = None) -> None:
    """Queue a study, see that a supervisor runs, and open the study; returns at once."""
    def act() -> None:
        key = studies.store().submit(config, compute or ComputeOptions())
        keep_going(studies.store())
        session.choose_study(key)
        st.session_state["go_train"] = True

    attempt(act, TEXT["launched"])


def resume(key: str) -> None:
    """Queue a stopped study again; it goes on from its checkpoint."""
    def act() -> None:
        studies.store().resume(key)
        keep_going(studies.store())

    attempt(act)


def cancel(key: str) -> None:
    """Ask a running study to stop; what is finished stays."""
    attempt(lambda: studies.store().cancel(key))


def pin(key: str, setting: str) -> None:
    """Pin a setting of an own or of a sample study for the compare page."""
    attempt(lambda: studies.store().pin(key, setting), TEXT["pinned"])


def attempt(act: Callable[[], object], done: str = "") -> bool:
    """Do something in a callback; an error becomes a toast, since nothing else can be drawn there."""
    try:
        act()
    except MRPError as error:
        st.toast(str(error), icon=":material/error:", duration="long")
        return False
    if done:
        st.toast(done, icon=":material/check:")
    return True
