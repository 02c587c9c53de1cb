"""The one slider over a study's settings, and which of them is chosen; shared by the pages that move one."""

from __future__ import annotations

import math
from collections.abc import Sequence

import streamlit as st

from mrp_core.charts.frontier import setting_label
from mrp_core.errors import ConfigError
from mrp_core.settings import SETTING_KINDS, UNPROTECTED, Setting
from mrp_core.wording import Texts
from pages.ui import frame, session

TEXT = Texts({
    "along": "Slide along",
    "kinds": {"lambda": "λ", "epsilon": "ε", "found": "found", "free": "free baselines"},
    "slider": {"lambda": "λ, weight of the privacy loss", "epsilon": "ε, guarantee of the noisy adaptation", "found": "Settings that the search found", "free": "Baselines that need no training"},
    "unprotected": "unprotected", "left": "← more accurate", "right": "more private →",
    "no noise": "no noise",
    "missing": "{asked} was asked for, which isn't among the settings here; {shown} is shown instead.",
    "unknown": "{error} Here {shown} is shown instead.",
})


def current(settings: Sequence[Setting]) -> Setting:
    """The setting that the link asks for if it is among these, else the one in the middle of the λ slider; that another one was asked for is said."""
    if (found := asked(settings)) is not None:
        return found
    setting = middle(settings)
    if text := missing(settings, setting):
        st.warning(text)
    return setting


def asked(settings: Sequence[Setting]) -> Setting | None:
    """The setting that the link asks for, or that was chosen on another page; None if that is none of these."""
    try:
        found = Setting.from_key(session.value(session.POINT))
    except ConfigError:
        return None
    return found if found in settings else None


def missing(settings: Sequence[Setting], shown: Setting) -> str:
    """Why the link's setting isn't shown, as a sentence; empty where it is, or where the link names none."""
    key = session.value(session.POINT)
    if not key or asked(settings) is not None:
        return ""
    try:
        return TEXT["missing"].format(asked=frame.escaped(setting_label(Setting.from_key(key))), shown=setting_label(shown))
    except ConfigError as error:
        return TEXT["unknown"].format(error=frame.escaped(str(error)), shown=setting_label(shown))


def middle(settings: Sequence[Setting]) -> Setting:
    """Where a page starts that isn't asked for a setting: the middle of the λ slider."""
    lambdas = [s for s in settings if s.kind == "lambda"]
    if len(lambdas) == 1:
        items = next(iter(groups(settings).values()))
        return items[len(items) // 2]
    return lambdas[len(lambdas) // 2] if lambdas else settings[0]


def setting_slider(settings: Sequence[Setting], setting: Setting) -> None:
    """One slider over the settings of a kind, from accurate to private; a move goes into the URL."""
    found = groups(settings)
    kind = next((name for name, items in found.items() if setting in items), next(iter(found)))
    with st.container(), st.container(horizontal=True, vertical_alignment="bottom", gap="medium", key="slider_row"):
        if len(found) > 1:
            st.session_state["slider_kind"] = kind
            st.segmented_control(TEXT["along"], list(found), format_func=lambda k: TEXT["kinds"][k], key="slider_kind", required=True, on_change=_kind_chosen, args=(found,))
        with st.container():
            options = [s.key for s in found[kind]]
            if len(options) < 2:
                st.caption(setting_label(setting))
                return
            st.session_state[f"slider_{kind}"] = setting.key
            st.select_slider(TEXT["slider"][kind], options, format_func=lambda key: _short(key, kind), key=f"slider_{kind}", on_change=_slid, args=(kind,))
            with st.container(horizontal=True, horizontal_alignment="distribute", key="ends"):
                st.caption(TEXT["left"], width="content")
                st.caption(TEXT["right"], width="content")


def groups(settings: Sequence[Setting]) -> dict[str, list[Setting]]:
    """Settings by slider, each from accurate to private; a single λ is no slider, and leads the one over ε."""
    lambdas = sorted(s for s in settings if s.kind == "lambda")
    noisy = sorted((s for s in settings if s.kind == "epsilon"), key=lambda s: -s.value)
    found = sorted(s for s in settings if s.kind == "found")
    free = [s for s in settings if s.kind not in ("lambda", "epsilon", "found")]
    free.sort(key=lambda s: (list(SETTING_KINDS).index(s.kind), s.value if s.kind == "temperature" else -s.value))
    if len(lambdas) == 1 and noisy:
        lambdas, noisy = [], lambdas + noisy
    return {name: items for name, items in (("lambda", lambdas), ("epsilon", noisy), ("found", found), ("free", free)) if items}


def _short(key: str, kind: str) -> str:
    setting = Setting.from_key(key)
    if setting == UNPROTECTED and kind != "lambda":
        return TEXT["unprotected"]
    if setting.kind in ("lambda", "found") or (setting.kind == "epsilon" and math.isfinite(setting.value)):
        return f"{setting.value:g}"
    return TEXT["no noise"] if setting.kind == "epsilon" else setting_label(setting)


def _kind_chosen(found: dict[str, list[Setting]]) -> None:
    items = found[st.session_state["slider_kind"]]
    session.remember(session.POINT, items[len(items) // 2].key)


def _slid(kind: str) -> None:
    session.remember(session.POINT, st.session_state[f"slider_{kind}"])
