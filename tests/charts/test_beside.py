"""A second study on the frontier chart: its trained settings alone, on axes that hold both."""

from __future__ import annotations

import pytest

from mrp_core.charts.beside import add_beside, joined_rows
from mrp_core.charts.frontier import frontier_frame
from mrp_core.charts.frontier_figure import frontier_figure
from mrp_core.charts.palette import LIGHT
from mrp_core.config import StudyConfig, TaskConfig
from tests.charts.made import BIT, summary

CONFIG = StudyConfig(task=TaskConfig(ways=4))
ONE = [summary("lambda=0", mi=(1.0 * BIT,), accuracy=(0.8,)), summary("lambda=1", mi=(0.5 * BIT,), accuracy=(0.6,))]
TWO = [summary("lambda=0", mi=(1.9 * BIT,), accuracy=(0.95,)), summary("epsilon=1", mi=(0.7 * BIT,), accuracy=(0.5,)), summary("temperature=2", mi=(0.6 * BIT,), accuracy=(0.9,))]


def test_the_other_study_is_drawn_without_its_baselines_and_picks_nothing() -> None:
    first, second = frontier_frame(ONE, CONFIG), frontier_frame(TWO, CONFIG)
    fig = frontier_figure(first, LIGHT)
    before = len(fig.data)
    add_beside(fig, first, second, "Two", LIGHT)
    added = fig.data[before:]
    assert [t.name for t in added] == ["95 % intervals, Two", "attained, Two", "lambda, Two", "epsilon, Two"]
    assert [(list(t.x), list(t.y)) for t in added[2:]] == [([pytest.approx(1.9)], [95.0]), ([pytest.approx(0.7)], [50.0])]
    assert all(t.customdata is None for t in added) and "Two" in added[2].hovertext[0]
    assert fig.layout.xaxis.range[0] <= 0.5 and fig.layout.xaxis.range[1] >= 1.9 and fig.layout.yaxis.range[1] >= 95


def test_rows_name_their_study() -> None:
    rows = joined_rows(frontier_frame(ONE, CONFIG), "One", frontier_frame(TWO, CONFIG), "Two")
    assert [(r["study"], r["setting"]) for r in rows] == [("One", "lambda=0"), ("One", "lambda=1"), ("Two", "lambda=0"), ("Two", "epsilon=1"), ("Two", "temperature=2")]
