"""The small frontier of the choice: its region, numbers and pins are exactly what limits and advice say."""

from __future__ import annotations

import math

import pytest

from mrp_core.charts.choice import choice_figure, choice_frame
from mrp_core.charts.palette import DARK, LIGHT
from mrp_core.config import StudyConfig, TaskConfig
from mrp_core.judging import Limits
from mrp_core.suggesting import advise
from tests.charts.made import summary

CONFIG = StudyConfig(task=TaskConfig(ways=4))
STUDY = [summary("lambda=0", lira_tpr_1pct=0.3, accuracy=0.9), summary("lambda=0.5", lira_tpr_1pct=0.1, accuracy=0.85), summary("epsilon=1", lira_tpr_1pct=0.02, accuracy=0.5)]


def test_the_region_is_what_the_limits_leave() -> None:
    limits = Limits(accuracy=0.6, tpr=0.2)
    frame = choice_frame(STUDY, CONFIG, advise(STUDY, limits), limits, ["epsilon=1", "lambda=0.9"])
    assert (frame.most, frame.least, frame.allowed, frame.suggested, frame.pinned) == (20.0, 60.0, {"lambda=0.5"}, ("lambda=0.5",), ("epsilon=1",))
    fig = choice_figure(frame, LIGHT)
    box, right, bottom = fig.layout.shapes
    assert (box.x1, box.y0, right.x0, bottom.y0) == (20.0, 60.0, 20.0, 60.0)
    traces = {t.name: t for t in fig.data}
    assert list(traces["within the limits"].x) == [pytest.approx(10.0)] and list(traces["outside of the limits"].y) == [pytest.approx(90.0), pytest.approx(50.0)]
    assert [list(traces[name].x) for name in ("suggested", "pinned")] == [[pytest.approx(10.0)], [pytest.approx(2.0)]]
    assert {a.text for a in fig.layout.annotations} == {"<b>1: λ = 0.5</b>", "pinned: ε = 1", "what your limits leave"}


def test_limits_on_another_axis_bound_no_region_but_fill_fewer_marks() -> None:
    limits = Limits(epsilon=2.0)
    frame = choice_frame(STUDY, CONFIG, advise(STUDY, limits), limits)
    assert (frame.most, frame.least, frame.allowed) == (math.inf, -math.inf, frozenset())
    assert not choice_figure(frame, DARK).layout.shapes
    assert choice_frame(STUDY, CONFIG, advise(STUDY, Limits(tpr=0.2)), Limits(tpr=0.2), x="mi").most == math.inf


def test_a_limit_beyond_what_was_measured_is_still_on_the_chart() -> None:
    limits = Limits(accuracy=0.97, tpr=0.6)
    fig = choice_figure(choice_frame(STUDY, CONFIG, advise(STUDY, limits), limits), LIGHT)
    assert fig.layout.xaxis.range[1] > 60 and fig.layout.yaxis.range[1] > 97
    low = Limits(accuracy=0.1)
    assert choice_figure(choice_frame(STUDY, CONFIG, advise(STUDY, low), low), LIGHT).layout.yaxis.range[0] < 10


def test_the_table_says_what_the_marks_show() -> None:
    rows = choice_frame(STUDY, CONFIG, advise(STUDY, Limits()), Limits(), ["lambda=0"]).rows()
    assert [(r["setting"], r["within the limits"], r["suggested"], r["pinned"]) for r in rows] == [
        ("lambda=0", "true", "2", "true"), ("lambda=0.5", "true", "1", "false"), ("epsilon=1", "true", "", "false")]


def test_an_empty_study_is_an_empty_chart() -> None:
    frame = choice_frame([], CONFIG, advise([], Limits()), Limits())
    assert frame.rows() == [] and choice_figure(frame, LIGHT)
