"""Simulated records are said to be simulated: by a badge wherever a study or family of them is shown, and in every row that is exported."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import streamlit as st

from mrp_core.wording import Texts

TEXT = Texts({
    "badge": ":orange-badge[:material/science: Simulated data]",
    "help": "The records of this study are made up by this program. What is measured on them is real, but says nothing about real persons.",
    "name": "{name} (simulated)", "column": "data", "value": "simulated",
})
_NOTED = "study_simulated"
Row = TypeVar("Row")


def note(made_up: bool) -> None:
    """Note whether the study that all pages show has simulated records; the frame does so before each page."""
    st.session_state[_NOTED] = made_up


def noted() -> bool:
    """Whether the study at hand has simulated records."""
    return bool(st.session_state.get(_NOTED))


def named(name: str, made_up: bool) -> str:
    """A name, with a word on it if its records are simulated."""
    return TEXT["name"].format(name=name) if made_up else name


def marked(rows: Sequence[dict[str, Row]], made_up: bool) -> Sequence[dict[str, Row | str]]:
    """The rows, each with a first cell that says so if their records are simulated."""
    return [{TEXT["column"]: TEXT["value"], **row} if made_up else dict(row) for row in rows]
