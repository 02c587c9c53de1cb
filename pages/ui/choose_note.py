"""A person's words that two tabs may edit: who saves second is told what the first wrote, sees both, and loses nothing."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from mrp_core.wording import Texts
from pages.ui import launch

TEXT = Texts({
    "conflict": "Somebody else has changed this note since you opened it here. Yours is not saved yet; theirs stands beside it. Choose what is kept.",
    "theirs": "Theirs, as it is stored now", "nothing": "(they emptied it)", "both": "Put both into the field", "mine": "Save mine instead", "take": "Take theirs",
    "refused": "Not saved: somebody else has changed this note meanwhile. Both are shown.",
})
Write = Callable[[str, str], str | None]
"""Stores a text if what was read still stands there; else returns what stands there now."""


def fresh(name: str, stored: str) -> None:
    """Prepare a field before it is drawn: what was stored since it was last drawn is shown, unless the person has typed something else here.

    Args:
        name: Key of the field.
        stored: What the store holds now.
    """
    state = st.session_state
    read = state.setdefault(_read(name), stored)
    if state.setdefault(name, read) in (read, stored):
        state[name] = state[_read(name)] = stored


def changed(name: str) -> bool:
    """Whether the person has typed something else than what this tab read."""
    return st.session_state[name] != st.session_state[_read(name)]


def save(name: str, write: Write) -> bool:
    """Store what the field holds, in a callback; whether it is stored. A refusal is told, and the field keeps what was typed."""
    told: list[str | None] = []
    text = st.session_state[name]
    if not launch.attempt(lambda: told.append(write(text, st.session_state[_read(name)]))):
        return False
    if told[0] is None:
        st.session_state[_read(name)] = text
        return True
    st.toast(TEXT["refused"], icon=":material/warning:", duration="long")
    return False


def saved(name: str, write: Write) -> None:
    """:func:`save` as a widget's callback."""
    save(name, write)


def beside(name: str, stored: str, write: Write) -> None:
    """Below the field: where somebody else has written meanwhile, their text and the ways out of it."""
    if stored in (st.session_state[_read(name)], st.session_state[name]):
        return
    with st.container(border=True, key=f"{name}:conflict"):
        st.warning(TEXT["conflict"], icon=":material/group:")
        st.text_area(TEXT["theirs"], value=stored or TEXT["nothing"], disabled=True, key=f"{name}:theirs:{hash(stored)}", height=68)
        with st.container(horizontal=True):
            st.button(TEXT["both"], key=f"{name}:both", icon=":material/merge:", on_click=_put, args=(name, stored, True))
            st.button(TEXT["mine"], key=f"{name}:mine", icon=":material/save:", on_click=_insist, args=(name, stored, write))
            st.button(TEXT["take"], key=f"{name}:take", icon=":material/undo:", on_click=_put, args=(name, stored, False))


def _put(name: str, theirs: str, both: bool) -> None:
    mine = st.session_state[name]
    st.session_state[name] = f"{mine}\n\n{theirs}".strip() if both else theirs
    st.session_state[_read(name)] = theirs


def _insist(name: str, theirs: str, write: Write) -> None:
    """Overwrite what was seen; what has been written since is told again."""
    st.session_state[_read(name)] = theirs
    save(name, write)


def _read(name: str) -> str:
    return f"{name}:read"
