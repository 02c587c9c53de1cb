"""Federated training in one press: clients as tasks, and what the server gets to see of them."""

from __future__ import annotations

from typing import Any

import streamlit as st

from mrp_core.registry import plugin, plugins
from mrp_core.wording import Texts, say
from pages.ui import controls

TEXT = Texts({
    "title": "Federated: clients as tasks",
    "lead": "A client (a hospital, a bank, a ward) is a task: each trains locally on its own records, and the server joins what they send. Personalisation is the adaptation: a new "
            "client adapts the shared start to its own records, which is what every accuracy and leakage here is measured on.",
    "sees": "**What the server sees:** each client's update, that is its locally trained weights less the start (or its meta-gradient, which a client can compute by itself under every learner "
            "here), never a record. An update may still tell of its records. *Noise for meta-training tasks* (Privacy, More) clips and noises their sum: client-level differential privacy. "
            "The scaling of the features and the scores by which a training is chosen on validation clients are taken as shared. The program itself runs all clients in one process.",
    "averaging": "Set up FedAvg", "averaging_help": "Federated averaging (McMahan et al. 2017): Reptile, plain server steps at the inner rate: the start becomes the mean of the "
                                                           "clients' weights. The server's rate then falls along a cosine, as in every study here.",
    "adam": "Set up FedAdam", "adam_help": "Adaptive federated optimisation (Reddi et al. 2021): the same updates, with Adam on the server.",
    "family": "The task family becomes **{family}**, whose tasks are clients; learner, outer optimiser and rates change, all else stays.",
    "kept": "The task family stays **{family}**; learner, outer optimiser and rates change, all else stays.",
})
_RATE = 0.1
PREFERRED = "lending"
"""Has enough clients to learn from; the four hospitals of heart, which are the usual federated example, are too few."""
SETUPS: dict[str, dict[tuple[str, str], Any]] = {
    "averaging": {("outer", "learner"): "reptile", ("outer", "optimiser"): "sgd", ("outer", "rate"): _RATE, ("inner", "rate"): _RATE, ("inner", "learn_rates"): False},
    "adam": {("outer", "learner"): "reptile", ("outer", "optimiser"): "adam", ("outer", "rate"): 3e-3, ("inner", "rate"): _RATE, ("inner", "learn_rates"): True},
}
"""Per button what it puts into the widgets."""


def draw() -> None:
    """The explanation and the two buttons."""
    with st.expander(TEXT["title"], icon=":material/hub:"):
        st.markdown(TEXT["lead"])
        st.markdown(TEXT["sees"])
        now = str(st.session_state[controls.widget_key("task", "family")])
        name = family(now)
        st.caption(TEXT["kept" if name == now else "family"].format(family=say(plugin("tasks", name).title)))
        with st.container(horizontal=True):
            for setup in SETUPS:
                st.button(TEXT[setup], key=f"federated_{setup}", help=TEXT[f"{setup}_help"], on_click=_set, args=(setup,))


def family(now: str) -> str:
    """The family at hand if its tasks are sites; else :data:`PREFERRED`, or the first whose records are real and at hand."""
    found = plugins("tasks")
    if now in found and "site" in found[now].modes:
        return now
    sites = [(name != PREFERRED, f.order, name) for name, f in found.items() if "site" in f.modes and not f.simulated and not f.optional]
    return min(sites)[-1]


def _set(setup: str) -> None:
    now = str(st.session_state[controls.widget_key("task", "family")])
    name = family(now)
    if name != now:
        controls.choose_family(name)
    controls.set_value("task", "mode", "site")
    for (part, knob), value in SETUPS[setup].items():
        controls.set_value(part, knob, value)
