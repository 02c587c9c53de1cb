"""ROC, live adaptation, training curves and the placing of names: frames exactly, figures in what matters."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrp_core.charts.labels import place
from mrp_core.charts.live import AnswerFrame, answer_figure, statistic_figure, statistic_frame
from mrp_core.charts.palette import DARK, LIGHT, palette
from mrp_core.charts.roc import TEXT, roc_figure, roc_frame
from mrp_core.charts.training import training_figure, training_frame
from mrp_core.results import Curve
from mrp_core.settings import UNPROTECTED, Setting
from tests.charts.made import curve

CURVES = [curve("lambda=0", {1e-4: 0.02, 1e-3: 0.04, 1e-2: 0.16, 0.1: 0.5, 1.0: 1.0}), curve("epsilon=3", {1e-3: 0.001, 1e-2: 0.017, 0.1: 0.16, 1.0: 1.0}),
          curve("epsilon=3", {1e-2: 0.9, 1.0: 1.0}, attack="threshold")]


def test_roc_begins_at_a_tenth_of_a_per_cent_and_stands_against_the_unprotected_model() -> None:
    frame = roc_frame(CURVES, Setting("epsilon", 3.0), delta=1e-3)
    assert [(line.label, line.chosen) for line in frame.lines] == [("λ = 0, unprotected", False), ("ε = 3", True)]
    assert frame.lines[0].fpr == (1e-3, 1e-2, 0.1, 1.0)
    assert (frame.lines[1].tpr, frame.lines[1].low) == ((0.001, 0.017, 0.16, 1.0), (0.0005, 0.0085, 0.08, 0.5))
    assert frame.rows()[5] == {"setting": "ε = 3", "FPR": 1e-2, "TPR": 0.017, "TPR low": 0.0085, "TPR high": 0.034}
    assert [line.tpr for line in roc_frame(CURVES, Setting("epsilon", 3.0), attack="threshold").lines] == [(0.9, 1.0)]


def test_only_a_guarantee_has_a_line_that_no_attack_can_pass() -> None:
    limit = dict(roc_frame(CURVES, Setting("epsilon", 3.0), delta=1e-3).limit)
    assert limit[1e-3] == pytest.approx(math.e**3 * 1e-3 + 1e-3)
    assert max(limit.values()) <= 1
    for setting in (UNPROTECTED, Setting("epsilon", math.inf), Setting("steps", 1.0)):
        assert roc_frame(CURVES, setting, delta=1e-3).limit == ()


def test_roc_figure_is_logarithmic_both_ways_and_greys_what_is_not_resolved() -> None:
    rates = [10 ** (-3 + i / 16) for i in range(49)]
    dense = [curve("lambda=0", {f: f**0.4 for f in rates}), curve("epsilon=3", {f: f**0.9 for f in rates})]
    fig = roc_figure(roc_frame(dense, Setting("epsilon", 3.0), delta=1e-3, floor=0.005), LIGHT)
    assert (fig.layout.xaxis.type, fig.layout.yaxis.type) == ("log", "log")
    assert fig.layout.xaxis.range[0] == fig.layout.yaxis.range[0] == -3
    assert {"guessing", TEXT["bound"], "ε = 3", "λ = 0, unprotected"} <= {a.text for a in fig.layout.annotations}
    assert any(s.type == "rect" and s.x1 == 0.005 for s in fig.layout.shapes)
    assert not any(s.type == "rect" for s in roc_figure(roc_frame(CURVES, UNPROTECTED), LIGHT).layout.shapes)


def test_a_setting_that_was_not_attacked_has_no_line() -> None:
    assert [line.label for line in roc_frame(CURVES, Setting("lambda", 0.5)).lines] == ["λ = 0, unprotected"]
    assert roc_figure(roc_frame([], UNPROTECTED), DARK).layout.xaxis.type == "log"


def test_answers_fill_the_true_label() -> None:
    frame = AnswerFrame(records=("a", "b"), labels=("no", "yes"), probabilities=((0.2, 0.8), (0.6, 0.4)), truth=(1, 1))
    assert frame.rows() == [{"record": "a", "truth": "yes", "p(no)": 0.2, "p(yes)": 0.8}, {"record": "b", "truth": "yes", "p(no)": 0.6, "p(yes)": 0.4}]
    fig = answer_figure(frame, LIGHT)
    assert [list(t.y) for t in fig.data] == [[0.2, 0.6], [0.8, 0.4]]
    assert set(fig.data[1].marker.color) == {LIGHT.trained} and LIGHT.trained not in fig.data[0].marker.color


def test_statistic_counts_shares_in_equal_bins_and_keeps_the_ends() -> None:
    frame = statistic_frame([-9.0, 0.1, 0.9, math.nan], [1.5, 9.0], 0.0, 2.0, bins=2)
    assert frame.edges == (0.0, 1.0, 2.0)
    assert frame.members == pytest.approx((1.0, 0.0))
    assert frame.others == (0.0, 1.0)
    assert frame.rows()[1] == {"from": 1.0, "to": 2.0, "members": 0.0, "others": 1.0}
    fig = statistic_figure(frame, LIGHT, top=1.2)
    assert [list(t.y) for t in fig.data] == [[1.0, 0.0], [0.0, -1.0]]
    assert tuple(fig.layout.yaxis.range) == (-fig.layout.yaxis.range[1], fig.layout.yaxis.range[1])


def test_training_curves_are_thinned_smoothed_and_named_in_words() -> None:
    steps = tuple(float(i) for i in range(1000))
    made = {"train:task_loss": tuple(1 / (1 + s) for s in steps), "validation:lambda:none": (0.5,), "train:diverged": (0.0, 0.25, 0.0), "train:unnamed": (1.0,)}
    frame = training_frame([*(Curve(setting=None, name=name, x=steps[:len(y)], y=y) for name, y in made.items()), *CURVES], 2000)
    assert [line.name for line in frame.lines] == ["task loss", "validation, λ = 0"]
    loss, validation = frame.lines
    assert len(loss.x) == len(loss.y) == len(loss.smooth) <= 150
    assert loss.smooth[0] == loss.y[0] and loss.smooth[1] == pytest.approx((loss.y[0] + loss.y[1]) / 2)
    assert (validation.y, validation.smooth) == ((0.5,), ())
    assert frame.diverged == 0.25
    assert frame.x_range == (0.0, 2000.0)
    assert frame.rows()[0] == {"curve": "task loss", "step": 0.0, "value": 1.0}
    drawn = training_figure(frame, LIGHT)
    assert {t.name for t in drawn.data if t.showlegend is not False} == {"task loss", "validation, λ = 0"}
    assert not drawn.layout.annotations and drawn.layout.legend.y > 1  # outside the plot, where names can't cover lines or one another
    assert training_frame([]).lines == ()


def test_a_name_avoids_marks_lines_and_other_names() -> None:
    crowd = [(0.5 + 0.002 * i, 0.5) for i in range(60)]
    first, second = place({"one": [(0.5, 0.5)], "two": [(0.5, 0.5)]}, crowd, (0, 1), (0, 1), lines=[[(0.0, 0.6), (1.0, 0.6)]])
    assert (first.dx, first.dy) != (second.dx, second.dy)
    # to the right of the mark the crowd is in the way
    assert not (first.anchor == "left" and first.dy == 0)


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=8))
def test_every_name_gets_one_place_inside_the_plot(points: list[tuple[float, float]]) -> None:
    labels = place({"a name": points, "b": points[:1]}, points, (0, 1), (0, 1))
    assert [label.text for label in labels] == ["a name", "b"]
    for label in labels:
        assert -20 <= label.x * 700 + label.dx <= 720 and -20 <= label.y * 380 + label.dy <= 400


def test_both_palettes_differ_and_have_the_same_meanings() -> None:
    assert palette(True) is DARK and palette(False) is LIGHT
    assert (LIGHT.trained, DARK.trained, LIGHT.pick, DARK.pick) == ("#0072B2", "#56B4E9", "#D55E00", "#F0A35E")


def test_one_place_is_free_in_a_narrow_and_in_a_wide_plot() -> None:
    """Beside a steep line a long name is clear of a rule in the wide plot only, so it takes the other side."""
    rule = [(0.55, 0.0), (0.55, 1.0)]
    (label,) = place({"a rather long name": [(0.3, 0.5)]}, [], (0, 1), (0, 1), sizes=((300, 300), (900, 300)), lines=[rule] * 4)
    for wide in (300, 900):
        left = 0.3 * wide + label.dx - {"left": 0, "right": 110, "center": 55}[label.anchor]
        assert not left < 0.55 * wide < left + 110


def test_the_bound_is_named_above_its_end() -> None:
    """It ends at 100 % for every ε, and nothing is drawn above that."""
    fig = roc_figure(roc_frame(CURVES, Setting("epsilon", 3.0), delta=1e-3), LIGHT)
    bound = next(a for a in fig.layout.annotations if a.text == TEXT["bound"])
    assert (bound.x, bound.y, bound.xanchor, bound.yanchor) == (0, 0, "right", "bottom") and fig.layout.yaxis.range[1] > 0.1
