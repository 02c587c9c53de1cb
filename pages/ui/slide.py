"""The one slider over a study's settings, and which of them is chosen; shared by the pages that move one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import streamlit as st

from mrp_core.charts.frontier import setting_label
from mrp_core.errors import ConfigError
from mrp_core.settings import SETTING_KINDS, UNPROTECTED, Setting
from pages.ui import frame, session

TEXT: dict[str, Any] = {
    "along": "Slide along",
    "kinds": {"lambda": "λ", "epsilon": "ε", "found": "found", "free": "free baselines"},
    "slider": {"lambda": "λ, weight of the privacy loss", "epsilon": "ε, guarantee of the noisy adaptation", "found": "Settings that the search found", "free": "Baselines that need no training"},
    "elsewhere": "{asked} is not among the settings here, so {shown} is shown.", "noiseless": "no noise",
    "unprotected": "unprotected", "left": "← more accurate", "right": "more private →",
}


def current(settings: Sequence[Setting]) -> Setting:
    """The setting in the URL if it is among these, else the one in the middle of the λ slider, with a sentence if another one was asked for."""
    asked = session.value(session.POINT)
    middle = _middle(settings)
    if not asked:
        return middle
    try:
        setting = Setting.from_key(asked)
    except ConfigError as error:
        st.warning(frame.escaped(str(error)))
        return middle
    if setting in settings:
        return setting
    st.info(TEXT["elsewhere"].format(asked=setting_label(setting), shown=setting_label(middle)), icon=":material/info:")
    return middle


def _middle(settings: Sequence[Setting]) -> Setting:
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
    return TEXT["noiseless"] if setting.kind == "epsilon" else setting_label(setting)


def _kind_chosen(found: dict[str, list[Setting]]) -> None:
    items = found[st.session_state["slider_kind"]]
    session.remember(session.POINT, items[len(items) // 2].key)


def _slid(kind: str) -> None:
    session.remember(session.POINT, st.session_state[f"slider_{kind}"])
