"""What matters to a person: four limits that can each be off, kept in the URL."""

from __future__ import annotations

import math

import streamlit as st

from mrp_core.judging import Limits
from mrp_core.wording import Texts
from pages.ui import frame, session

TEXT = Texts({
    "labels": {"accuracy": "Accuracy, at least (%)", "tpr": "TPR at 1 % FPR, at most (%)", "epsilon": "Guaranteed ε, at most", "group": "TPR of any group, at most (%)"},
    "help": {
        "accuracy": "Held-out accuracy of what is released. Empty: any. Raising it leaves fewer settings, and those leak more.",
        "tpr": "The share of members that the attack finds while one non-member in a hundred is accused; 1 % is guessing. Empty: any. Lowering it leaves fewer settings, and those are less accurate.",
        "epsilon": "Differential privacy of one adaptation, an upper bound that holds against every attack. Empty: any. A setting without ε has no guarantee and meets no such limit.",
        "group": "The same attack on the records of one group, such as women, where an examination has measured it. Empty: any.",
    },
    "any": "any",
    "no_groups": "Run an examination on Audit to set limits for groups: of this study, none has measured any.",
    "nonsense": "{value} in the address is no limit for {label}: it is left out. Write a number {rule}.",
    "rules": {"share": "from 0 to 100", "epsilon": "above 0"},
    "clear": "Clear all limits",
})
PARAMETERS = {"accuracy": session.LEAST_ACCURACY, "tpr": session.MOST_TPR, "epsilon": session.MOST_EPSILON, "group": session.MOST_GROUP}


def draw(groups: bool) -> Limits:
    """The inputs; what stands in the URL decides, and what is no number there is told in a sentence.

    Args:
        groups: Whether an examination has measured groups.
    """
    shown = {name: _read(name) for name in PARAMETERS if groups or name != "group"}
    with st.container(horizontal=True, vertical_alignment="bottom", key="limits"):
        for name, value in shown.items():
            st.session_state[f"limit:{name}"] = value
            st.number_input(TEXT["labels"][name], min_value=0.0, max_value=None if name == "epsilon" else 100.0, value=None, step=1.0, format="%g", placeholder=TEXT["any"],
                            key=f"limit:{name}", help=TEXT["help"][name], on_change=_changed, args=(name,))
    limited = any(v is not None for v in shown.values())
    if limited or not groups:
        with st.container(horizontal=True, vertical_alignment="center", key="limits_foot"):
            if limited:
                st.button(TEXT["clear"], key="clear_limits", type="tertiary", icon=":material/filter_alt_off:", on_click=_clear)
            if not groups:
                st.caption(TEXT["no_groups"], width="content")
    return Limits(**{name: value if value is None or name == "epsilon" else value / 100 for name, value in shown.items()})


def loosen(name: str, to: float) -> None:
    """Set a limit, in a callback; infinity takes it away.

    Args:
        name: In :class:`Limits`.
        to: In the unit on screen, as :func:`outward` gives it.
    """
    if math.isinf(to):
        session.forget(PARAMETERS[name])
    else:
        session.remember(PARAMETERS[name], f"{to:g}")


def outward(name: str, value: float) -> float:
    """A limit in the unit on screen, rounded to a tenth so that what has exactly this value still meets it."""
    if name == "epsilon" or math.isinf(value):
        return value
    tenths = value * 1000
    return (math.floor(tenths + 1e-9) if name == "accuracy" else math.ceil(tenths - 1e-9)) / 10


def _read(name: str) -> float | None:
    text = session.value(PARAMETERS[name]).strip()
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if (0 < value < math.inf) if name == "epsilon" else (0 <= value <= 100):
        return value
    st.warning(TEXT["nonsense"].format(value=frame.escaped(repr(text[:40])), label=TEXT["labels"][name], rule=TEXT["rules"]["epsilon" if name == "epsilon" else "share"]), icon=":material/link_off:")
    return None


def _changed(name: str) -> None:
    value = st.session_state[f"limit:{name}"]
    if value is None or (name == "epsilon" and value == 0):
        session.forget(PARAMETERS[name])
    else:
        session.remember(PARAMETERS[name], f"{value:g}")


def _clear() -> None:
    for parameter in PARAMETERS.values():
        session.forget(parameter)
