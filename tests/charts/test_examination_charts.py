"""Charts of an examination: frames exactly, figures in what matters."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrp_core.charts.examination import TAIL, exposure_frame, score_frame, settling_figure, settling_frame, shapes_figure
from mrp_core.charts.examination_dots import CONTROL, HEADLINE, PLAIN, attack_dots, attribute_dots, dots_figure, part_dots, task_dots
from mrp_core.charts.examination_epsilon import epsilon_figure, epsilon_frame
from mrp_core.charts.palette import DARK, LIGHT
from mrp_core.findings import EpsilonRange, Histogram
from mrp_core.measurement import Measurement
from tests.examples import EXAMPLE, NOT_RESOLVED


def bounds(**changes: float) -> EpsilonRange:
    known = {"upper": 3.0, "lower": 0.5, "ceiling": 1.8} | changes
    return EpsilonRange(upper=known["upper"], lower=known["lower"], ceiling=known["ceiling"], delta=1e-3, trials=100, level=0.95, how="")


def test_scores_are_shares_of_each_side_members_up_and_others_down() -> None:
    frame = score_frame(EXAMPLE.histogram)
    assert frame.rows() == [{"from": -1.0, "to": 0.0, "members": 0.25, "others": 0.75}, {"from": 0.0, "to": 1.0, "members": 0.75, "others": 0.25}]
    fig = shapes_figure(frame, LIGHT)
    assert [list(t.y) for t in fig.data] == [[0.25, 0.75], [-0.75, -0.25]]
    assert list(fig.layout.xaxis.range) == [-1.0, 1.0] and fig.layout.yaxis.range[0] == -fig.layout.yaxis.range[1]
    assert fig.data[1].marker.pattern.shape == "/"


def test_exposure_is_told_above_what_chance_leaves_a_fortieth_of() -> None:
    frame = exposure_frame(EXAMPLE.exposure)
    assert (frame.edge, frame.beyond) == (0.75, (0.7, 0.02))
    assert frame.rows()[2] == {"from": 0.75, "to": 1.0, "records": 0.7, "chance alone": 0.02}
    fig = shapes_figure(frame, DARK)
    assert [t.type for t in fig.data] == ["bar", "scatter"] and fig.data[1].line.dash == "dash"
    assert fig.layout.yaxis.range[0] == 0


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=40))
def test_chance_never_leaves_more_than_its_tail_above_the_edge(counts: list[int]) -> None:
    edges = tuple(i / len(counts) for i in range(len(counts) + 1))
    frame = exposure_frame(Histogram(edges=edges, members=tuple(counts), others=tuple(counts)))
    assert frame.edge in edges and frame.beyond[1] <= TAIL
    shapes_figure(frame, LIGHT)


def test_settling_goes_from_few_to_many_and_says_what_the_last_doubling_moved() -> None:
    frame = settling_frame([*EXAMPLE.settling, (32, NOT_RESOLVED)])
    assert (frame.counts, frame.value) == ((4, 8, 16), (0.7, 0.77, 0.8))
    assert frame.last_step == pytest.approx(0.03)
    assert frame.rows()[0] == {"shadow adaptations": 4, "AUC": 0.7, "low": 0.65, "high": 0.75}
    line = settling_figure(frame, LIGHT).data[0]
    assert list(line.x) == [2, 3, 4]
    assert list(line.error_y.array) == pytest.approx([0.05] * 3) and list(line.error_y.arrayminus) == pytest.approx([0.05] * 3)
    assert math.isnan(settling_frame([]).last_step)
    settling_figure(settling_frame([]), LIGHT)


def test_settling_without_an_interval_has_no_bars() -> None:
    alone = Measurement(value=0.6, low=math.nan, high=math.nan, n=1)
    line = settling_figure(settling_frame([(4, alone)]), LIGHT).data[0]
    assert (list(line.error_y.array), list(line.y)) == ([0], [0.6])


def test_attacks_have_the_headline_first_and_left_out_ones_nowhere() -> None:
    frame = attack_dots(EXAMPLE.attacks)
    assert [(d.name, d.role) for d in frame.dots] == [("LiRA online", HEADLINE), ("Loss threshold", PLAIN)]
    assert frame.rows()[0] == {"group": "", "name": "LiRA online", "role": HEADLINE, "AUC": 0.8, "low": 0.75, "high": 0.85}
    fig = dots_figure(frame, LIGHT, numbers=False)
    assert not fig.layout.annotations
    shapes = {t.name: (t.marker.symbol, t.marker.color) for t in fig.data if t.mode == "markers"}
    assert shapes[HEADLINE] == ("diamond", LIGHT.pick) and shapes[PLAIN] == ("circle", LIGHT.trained)


def test_parts_stand_under_their_headings_with_their_numbers_beside() -> None:
    frame = part_dots(EXAMPLE.parts)
    assert [(d.group, d.name) for d in frame.dots] == [("by class", "A"), ("by class", "B"), ("by sex", "f"), ("by sex", "m")]
    fig = dots_figure(frame, LIGHT)
    assert list(fig.layout.yaxis.ticktext) == ["<b>by class</b>", "A", "B", "<b>by sex</b>", "f", "m"]
    assert [a.text for a in fig.layout.annotations] == ["0.90 [0.85, 0.95]", "0.70 [0.65, 0.75]", "0.80 [0.75, 0.85]", "0.82 [0.77, 0.87]"]
    marks = next(t for t in fig.data if t.mode == "markers" and t.name == PLAIN)
    assert (list(marks.x), list(marks.y)) == ([0.9, 0.7, 0.8, 0.82], [1, 2, 4, 5])
    assert fig.layout.yaxis.range[0] > fig.layout.yaxis.range[1]


def test_controls_are_hollow() -> None:
    assert [(d.name, d.role) for d in attribute_dots(EXAMPLE.attributes).dots] == [("sex", PLAIN), ("sex, shuffled", CONTROL)]
    frame = task_dots(EXAMPLE.task_membership)
    assert [(d.group, d.name, d.role) for d in frame.dots][2:] == [("by the records trained on", "trained strategy", PLAIN), ("by the records trained on", "untrained start", CONTROL)]
    marks = next(t for t in dots_figure(frame, LIGHT).data if t.mode == "markers" and t.name == CONTROL)
    assert marks.marker.symbol == "circle-open"


def test_dots_of_nothing_are_an_empty_chart() -> None:
    assert part_dots([]).rows() == []
    dots_figure(part_dots([]), DARK)


def test_epsilon_shades_what_either_side_rules_out() -> None:
    frame = epsilon_frame(bounds())
    assert frame.rows() == [{"bound": "lower bound (attack)", "epsilon": 0.5}, {"bound": "upper bound (accounting)", "epsilon": 3.0}, {"bound": "ceiling of so many trials", "epsilon": 1.8}]
    assert frame.top == pytest.approx(3.6) and frame.consistent
    fig = epsilon_figure(frame, LIGHT)
    assert [(s.x0, s.x1) for s in fig.layout.shapes if s.type == "rect"] == [(3.0, frame.top), (0.0, 0.5)]
    assert [list(t.x) for t in fig.data] == [[0.5, 3.0], [0.5], [3.0]]
    assert {a.text for a in fig.layout.annotations} == {"attack: at least 0.50", "guarantee: at most 3", "so many trials can show 1.80 at most"}


def test_without_a_guarantee_the_bar_is_open_to_the_right() -> None:
    frame = epsilon_frame(bounds(upper=math.nan, lower=0.0))
    fig = epsilon_figure(frame, DARK)
    assert frame.consistent and not [s for s in fig.layout.shapes if s.type == "rect"]
    assert list(fig.data[0].x) == [0.0, frame.top] and fig.data[2].name == "no upper bound"
    assert {"attack: shows nothing above 0", "no guarantee: no upper bound"} <= {a.text for a in fig.layout.annotations}


def test_an_attack_that_passes_the_guarantee_is_a_contradiction() -> None:
    assert not epsilon_frame(bounds(upper=0.4)).consistent
