"""The only place that names URL parameters. What matters is in the URL; a page switch carries it along."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

STUDY, POINT, AXIS, BESIDE = "study", "point", "axis", "beside"
AREA, LESSON, TERM = "area", "lesson", "term"
LANG = "lang"
MODE, STEP, KEEP = "mode", "step", "keep"
SEED, START = "seed", "start"
LEAST_ACCURACY, MOST_TPR, MOST_EPSILON, MOST_GROUP = "least", "tpr", "eps", "group"
_CARRIED = (LANG, STUDY, POINT, AXIS, BESIDE, LEAST_ACCURACY, MOST_TPR, MOST_EPSILON, MOST_GROUP)


def value(name: str, default: str = "") -> str:
    """A parameter: from the URL, else as it was last on another page."""
    found = st.query_params.get(name)
    if found is not None:
        st.session_state[_kept(name)] = found
        return found
    return st.session_state.get(_kept(name), default)


def asked(name: str) -> bool:
    """Whether a parameter stands in the URL now."""
    return name in st.query_params


def remember(name: str, new: str) -> None:
    """Set a parameter here and in the URL; call it from callbacks, so that each act of a person is one step of the browser's history."""
    st.session_state[_kept(name)] = new
    st.query_params[name] = new


def forget(name: str) -> None:
    """Drop a parameter."""
    st.session_state.pop(_kept(name), None)
    if name in st.query_params:
        del st.query_params[name]


def change(**new: str) -> None:
    """Set several parameters at once, as one step of the browser's history; "" drops one."""
    for name, text in new.items():
        st.session_state.pop(_kept(name), None)
        if text:
            st.session_state[_kept(name)] = text
    st.query_params.from_dict({name: text for name, text in {**st.query_params.to_dict(), **new}.items() if text})


def carried() -> Mapping[str, str]:
    """Parameters that a link to another page takes along."""
    return {name: found for name in _CARRIED if (found := value(name))}


def choose_study(key: str) -> None:
    """Go to another study; a point of the former one means nothing there."""
    if key != value(STUDY):
        forget(POINT)
    remember(STUDY, key)


def _kept(name: str) -> str:
    return f"kept:{name}"
