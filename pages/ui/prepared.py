"""What a lesson needs before it can show anything: computed once for all sessions, beside the page."""

from __future__ import annotations

import json
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import streamlit as st

from mrp_core import studyfile
from pages.ui import language, lesson_document
from pages.ui.lesson import Lesson, lessons

POLL_SECONDS = 0.3
SEEDS = 100
"""Seeds are 0 to 99, so that a class can't fill the server's memory with draws of its own."""
_WORKERS = ThreadPoolExecutor(2, thread_name_prefix="lesson")


def experiment(lesson: Lesson, seed: int) -> str | None:
    """The lesson's :func:`pages.ui.lesson_document.experiment` as JSON, in the session's language; None as long as it is being computed.

    Raises:
        MRPError: As the lesson's own ``prepare``; it is tried anew the next time.
    """
    asked = (lesson.key, _drawn(lesson, seed), language.current(), version())
    future = _running(*asked)
    if not future.done():
        return None
    if future.exception() is not None:
        _running.clear(*asked)
    return future.result()


def waited(lesson: Lesson, seed: int) -> str:
    """The same, waiting for it."""
    return experiment(lesson, seed) or _running(lesson.key, _drawn(lesson, seed), language.current(), version()).result()


def follow(lesson: Lesson, seed: int) -> None:
    """Draw the page anew as soon as :func:`experiment` is there."""
    st.fragment(_again, run_every=POLL_SECONDS, key="preparing")(lesson.key, _drawn(lesson, seed), language.current(), version())


def made(lesson: Lesson, seed: int = 0) -> Any:
    """What the lesson's ``prepare`` makes, in this thread if need be.

    Raises:
        MRPError: As ``prepare``.
    """
    return _made(lesson.key, _drawn(lesson, seed), version())


def version() -> int:
    """Changes with the sample studies."""
    return max((path.stat().st_mtime_ns for path in studyfile.samples().values()), default=0)


def _drawn(lesson: Lesson, seed: int) -> int:
    return seed if lesson.chance else 0


def _again(*asked: Any) -> None:
    if _running(*asked).done():
        st.rerun()


@st.cache_resource(show_spinner=False, max_entries=64)
def _running(key: str, seed: int, spoken: str, changed: int) -> Future[str]:
    return _WORKERS.submit(_computed, key, seed, spoken)


def _computed(key: str, seed: int, spoken: str) -> str:
    with language.spoken(spoken):
        lesson = lessons(spoken)[key]
        return json.dumps(lesson_document.experiment(lesson, made(lesson, seed)), ensure_ascii=False)


@st.cache_resource(show_spinner=False, max_entries=64)
def _made(key: str, seed: int, changed: int) -> Any:
    return lessons("en")[key].prepare(seed)
