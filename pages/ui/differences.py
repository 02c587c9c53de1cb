"""Means of a study's settings, and their paired differences from λ = 0; cached by the study's key and version."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from mrp_core.measurement import METRICS
from mrp_core.results import Point, Summary, summarise
from mrp_core.settings import Setting
from pages.ui.studies import Study


def summaries(study: Study, metrics: tuple[str, ...]) -> list[Summary]:
    """Means over seeds and tasks of the metrics asked for, and paired differences from λ = 0 whose intervals hold for all settings at once."""
    return _all(study.key, study.version, metrics, study.points)


def against_unprotected(study: Study, setting: Setting, metrics: tuple[str, ...]) -> Summary | None:
    """Of :func:`summaries`, that of one setting."""
    return next((s for s in summaries(study, metrics) if s.setting == setting), None)


@st.cache_resource(show_spinner=False, max_entries=128)
def _all(key: str, version: int, metrics: tuple[str, ...], _points: tuple[Point, ...]) -> list[Summary]:
    """Metric by metric, since one doesn't depend on which others are asked for, and pages ask for many selections."""
    found = [_one(key, version, m, _points) for m in METRICS if m in metrics]
    merged = [replace(s, means={}, differences={}, seeds={}) for s in (found[0] if found else [])]
    for part in found:
        for whole, s in zip(merged, part, strict=True):
            for name in ("means", "differences", "seeds"):
                getattr(whole, name).update(getattr(s, name))
    return merged


@st.cache_resource(show_spinner=False, max_entries=512)
def _one(key: str, version: int, metric: str, _points: tuple[Point, ...]) -> list[Summary]:
    return summarise([replace(p, values={metric: p.values[metric]} if metric in p.values else {}) for p in _points], together=True)
