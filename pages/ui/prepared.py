"""What a lesson needs before it can show anything: computed once for all sessions, beside the page where it takes longer than a page may."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import streamlit as st

from mrp_core import studyfile
from pages.ui.lesson import Lesson, lessons

POLL_SECONDS = 0.3
_WORKER = ThreadPoolExecutor(1, thread_name_prefix="lesson")


def begin(lesson: Lesson) -> bool:
    """Begin to prepare a lesson, as a person reads its question; whether that is finished (or needs no time)."""
    return not lesson.slow or _running(lesson.key, version()).done()


def result(lesson: Lesson) -> Any:
    """What was prepared; waits for it if need be.

    Raises:
        MRPError: As the lesson's own ``prepare``; it is tried anew the next time.
    """
    if not lesson.slow:
        return _made(lesson.key, version())
    future = _running(lesson.key, version())
    if future.exception() is not None:
        _running.clear(lesson.key, version())
    return future.result()


def follow(lesson: Lesson) -> None:
    """Draw the page anew as soon as :func:`begin` is through."""
    st.fragment(_again, run_every=POLL_SECONDS, key="preparing")(lesson.key, version())


def version() -> int:
    """Changes with the sample studies."""
    return max((path.stat().st_mtime_ns for path in studyfile.samples().values()), default=0)


def _again(key: str, changed: int) -> None:
    if _running(key, changed).done():
        st.rerun()


@st.cache_resource(show_spinner=False, max_entries=32)
def _running(key: str, changed: int) -> Future[Any]:
    return _WORKER.submit(lessons()[key].prepare)


@st.cache_resource(show_spinner=False, max_entries=32)
def _made(key: str, changed: int) -> Any:
    return lessons()[key].prepare()
