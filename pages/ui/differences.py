"""Means of a study's settings, and their paired differences from λ = 0; cached by the study's key and version."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from mrp_core.config import UNPROTECTED, Setting
from mrp_core.measurement import METRICS
from mrp_core.results import Point, Summary, grid, interval, summarise
from pages.ui.studies import Study


def summaries(study: Study, metrics: tuple[str, ...]) -> list[Summary]:
    """Means over seeds and tasks of the metrics asked for, without differences (those cost a bootstrap each; see :func:`against_unprotected`)."""
    return _summaries(study.key, study.version, metrics, study.points)


def against_unprotected(study: Study, setting: Setting, metrics: tuple[str, ...]) -> Summary | None:
    """Means of one setting and its paired differences from λ = 0, adjusted for the number of settings that can be picked."""
    return _difference(study.key, study.version, setting, metrics, study.points)


def comparisons(study: Study) -> int:
    """How many trained settings a person may look at beside λ = 0."""
    return max(1, sum(s.kind in ("lambda", "epsilon") and s != UNPROTECTED for s in study.settings))


def _only(points: Sequence[Point], metrics: tuple[str, ...]) -> list[Point]:
    return [replace(p, values={m: p.values[m] for m in metrics if m in p.values}) for p in points]


@st.cache_resource(show_spinner=False, max_entries=128)
def _summaries(key: str, version: int, metrics: tuple[str, ...], _points: tuple[Point, ...]) -> list[Summary]:
    groups: dict[Setting, list[Point]] = {}
    for p in _only(_points, metrics):
        groups.setdefault(p.setting, []).append(p)
    out = []
    for setting, group in sorted(groups.items()):
        present = [m for m in METRICS if all(m in p.values for p in group)]
        values = {m: grid(group, m) for m in present}
        out.append(Summary(setting=setting, means={m: interval(values[m], note=group[0].notes.get(m, "")) for m in present}, differences={},
                           seeds={m: tuple(values[m].mean(1).tolist()) for m in present}))
    return out


@st.cache_resource(show_spinner=False, max_entries=512)
def _difference(key: str, version: int, setting: Setting, metrics: tuple[str, ...], _points: tuple[Point, ...]) -> Summary | None:
    looked_at = max(1, len({p.setting for p in _points if p.setting.kind in ("lambda", "epsilon")} - {UNPROTECTED}))
    found = summarise(_only([p for p in _points if p.setting in (setting, UNPROTECTED)], metrics), comparisons=looked_at)
    return next((s for s in found if s.setting == setting), None)
