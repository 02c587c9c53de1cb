"""Files that are made when somebody asks for them: outside the page's thread, yet in the language and with the study of whoever asks."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import add_script_run_ctx, get_script_run_ctx

from mrp_core.errors import MRPError

_FAILED = "file_failed:"


def later(key: str, make: Callable[[], str | bytes]) -> Callable[[], str | bytes]:
    """What a download button takes as ``data``: ``make`` with the session of this run at hand.

    Streamlit asks for the content in a thread without a session, and on failure says no more than that it failed; the sentence is kept for :func:`failed`.
    """
    context = get_script_run_ctx(suppress_warning=True)

    def made() -> str | bytes:
        found: dict[str, Any] = {}
        st_thread = threading.Thread(target=_keep, args=(key, make, found), daemon=True)
        add_script_run_ctx(st_thread, context)
        st_thread.start()
        st_thread.join()
        if "data" not in found:
            raise found.get("error") or RuntimeError(key)
        return found["data"]

    return made


def failed(key: str) -> str:
    """The sentence of the last failure of a file, or ""."""
    return str(st.session_state.get(_FAILED + key, ""))


def _keep(key: str, make: Callable[[], str | bytes], found: dict[str, Any]) -> None:
    try:
        found["data"] = make()
        st.session_state.pop(_FAILED + key, None)
    except MRPError as error:
        found["error"] = error
        st.session_state[_FAILED + key] = str(error)
