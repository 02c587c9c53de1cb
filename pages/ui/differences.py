"""Means of a study's settings, and their paired differences from λ = 0; cached by the study's key and version."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from mrp_core.results import Point, Summary, summarise
from mrp_core.settings import Setting
from pages.ui.studies import Study


def summaries(study: Study, metrics: tuple[str, ...]) -> list[Summary]:
    """Means over seeds and tasks of the metrics asked for, and paired differences from λ = 0 whose intervals hold for all settings at once."""
    return _all(study.key, study.version, metrics, study.points)


def against_unprotected(study: Study, setting: Setting, metrics: tuple[str, ...]) -> Summary | None:
    """Of :func:`summaries`, that of one setting."""
    return next((s for s in summaries(study, metrics) if s.setting == setting), None)


def _only(points: Sequence[Point], metrics: tuple[str, ...]) -> list[Point]:
    return [replace(p, values={m: p.values[m] for m in metrics if m in p.values}) for p in points]


@st.cache_resource(show_spinner=False, max_entries=128)
def _all(key: str, version: int, metrics: tuple[str, ...], _points: tuple[Point, ...]) -> list[Summary]:
    return summarise(_only(_points, metrics), together=True)
