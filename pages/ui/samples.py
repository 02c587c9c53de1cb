"""Shipped sample studies as the lessons read them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from mrp_core import studyfile
from mrp_core.charts.lesson_lines import LessonLine, Role
from mrp_core.errors import DataError
from mrp_core.examination import Examination
from mrp_core.measurement import METRICS
from mrp_core.results import Summary
from mrp_core.wording import Texts
from pages.ui import differences, studies

TEXT = Texts({
    "study": "The sample study {name!r} isn't installed, so this lesson has nothing to show; restore sample_data/studies from the repository.",
    "look": "The sample study {name!r} comes without an examination of {key}, so this lesson has nothing to show; restore sample_data/studies from the repository.",
})


def sample(name: str) -> studies.Study:
    """A sample study.

    Raises:
        DataError: If it isn't there, or is damaged.
    """
    if name not in studyfile.samples():
        raise DataError(TEXT["study"].format(name=name))
    return studies.load(name)


def along(study: studies.Study, kind: str, metrics: tuple[str, ...]) -> tuple[Summary, ...]:
    """A study's settings of one kind by value, with means and paired differences from λ = 0; settings without one of the metrics, and infinite ones, are left out."""
    found = [s for s in differences.summaries(study, metrics) if s.setting.kind == kind and math.isfinite(s.setting.value)]
    return tuple(sorted((s for s in found if all(m in s.means and s.means[m].resolved for m in metrics)), key=lambda s: s.setting.value))


def examination(name: str, key: str) -> Examination:
    """The shipped examination of a sample's setting.

    Raises:
        DataError: If it isn't there, or is damaged.
    """
    path = studyfile.examinations(name).get(key)
    if path is None:
        raise DataError(TEXT["look"].format(name=name, key=key))
    return _read(str(path), path.stat().st_mtime_ns)


def line(along: Sequence[Summary], metric: str, name: str, role: Role) -> LessonLine:
    """A metric along settings of one kind, with its 95 % band, in the unit on screen."""
    shown, means = METRICS[metric].shown, [s.means[metric] for s in along]
    return LessonLine(name=name, x=tuple(s.setting.value for s in along), y=tuple(shown(m.value) for m in means), low=tuple(shown(m.low) for m in means),
                      high=tuple(shown(m.high) for m in means), role=role)


@st.cache_resource(show_spinner=False, max_entries=32)
def _read(path: str, changed: int) -> Examination:
    return Examination.from_json(Path(path).read_text(encoding="utf-8"))
