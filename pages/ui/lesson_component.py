"""A lesson on the page: the control moves the browser alone, and only the prediction comes back."""

from __future__ import annotations

import functools
import gzip
import threading
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.components.v1 import declare_component
from streamlit.components.v2 import component

from mrp_core.home import home_folder, write_whole
from pages.ui import lesson_document, predictions
from pages.ui.lesson import Lesson
from pages.ui.lesson_document import View

_PREDICTED = "predicted"
_PACKING = threading.Lock()


def draw(lesson: Lesson, made: str | None, view: View) -> None:
    """Show a lesson; ``made`` is its :func:`pages.ui.lesson_document.experiment` as JSON, or None while that is computed."""
    key = f"lesson_{lesson.key}"
    data = lesson_document.content(lesson, made, view, predictions.made().get(lesson.key))
    _component()(key=key, data=data, on_predicted_change=lambda: _note(lesson, key))


def _note(lesson: Lesson, key: str) -> None:
    guess = dict(st.session_state.get(key) or {}).get(_PREDICTED)
    if isinstance(guess, int) and 0 <= guess < len(lesson.options):
        predictions.note(lesson.key, guess)


def _component() -> Callable[..., Any]:
    """The chart library is served beside the component, whose own script travels with each run of the page."""
    file = packed(home_folder() / "served")
    return _mounted(f"{declare_component('charts', path=file.parent).name}/{file.name}")


def packed(folder: Path) -> Path:
    """The chart library, packed once: the server would otherwise pack 5 MB anew for every browser of a class, which comes in all at once."""
    file = folder / f"plotly-{version('plotly')}.min.js.gz"
    with _PACKING:
        if not file.exists():
            write_whole(file, gzip.compress((lesson_document.library() / "plotly.min.js").read_bytes(), mtime=0))
    return file


@functools.cache
def _mounted(served: str) -> Callable[..., Any]:
    script = f"{lesson_document.code('lesson.js')}\n{lesson_document.code('component.js').replace('LIBRARY_NAME', served)}"
    return component("lesson", css=lesson_document.code("lesson.css"), js=script, isolate_styles=False)
