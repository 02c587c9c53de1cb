"""Charts of records: which inputs tell classes apart, and signals, against what was put in."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from mrp_core.charts.palette import DARK, LIGHT
from mrp_core.charts.records import class_names, profile_figure, profile_frame, signal_figure, signal_frame
from mrp_core.taskdata import Split, TaskSet


def made(x: np.ndarray, y: np.ndarray, *, visible: np.ndarray | None = None, name: str = "one", labels: tuple[str, ...] = (), features: tuple[str, ...] = ()) -> TaskSet:
    """One task whose classes are the values of y."""
    ways = int(y.max()) + 1
    split = Split(x=x.astype(np.float32), person=np.arange(len(x)), member=np.ones(len(x), bool), sensitive=np.full(len(x), -1), buckets=tuple(np.flatnonzero(y == c) for c in range(ways)),
                  tasks=np.arange(ways)[None], names=(name,), visible=np.ones((1, x.shape[1]), bool) if visible is None else visible[None], bucket_class=np.arange(ways))
    return TaskSet(train=split, validation=split, test=split, classes=ways, permute_labels=False, labels=labels, features=features or tuple(f"f{i}" for i in range(x.shape[1])))


def test_inputs_are_ranked_by_how_well_they_tell_classes_apart_and_masked_ones_left_out() -> None:
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], 50)
    x = rng.normal(size=(100, 9)) + np.outer(y, [0, 3, 0, 1, 0, 0, 0, 0, 50])
    x[:, 4] = 2.0
    frame = profile_frame(made(x, y, visible=np.arange(9) != 8, labels=("no", "yes")))
    assert frame.inputs[:2] == ("f1", "f3") and len(frame.inputs) == 6 and not {"f8", "f4"} & set(frame.inputs)
    column = x[y == 1, 1].astype(np.float32).astype(float)
    low, high = stats.t.interval(0.95, 49, loc=column.mean(), scale=stats.sem(column))
    assert (frame.means[0, 1], frame.low[0, 1], frame.high[0, 1]) == pytest.approx((column.mean(), low, high))
    assert frame.rows()[1] == {"task": "one", "input": "f1", "class": "yes", "mean": pytest.approx(column.mean()), "low": pytest.approx(low), "high": pytest.approx(high)}


def test_a_single_record_has_no_interval_and_no_difference_no_line() -> None:
    frame = profile_frame(made(np.array([[0.0, 1.0], [2.0, 1.0], [3.0, 1.0]]), np.array([0, 1, 1])))
    assert frame.inputs == ("f0",) and math.isnan(frame.low[0, 0]) and not math.isnan(frame.low[0, 1])
    for colours in (LIGHT, DARK):
        assert list(profile_figure(frame, colours).data[0].y) == ["f0"]
    nothing = profile_frame(made(np.ones((4, 2)), np.array([0, 0, 1, 1])))
    assert nothing.inputs == () and nothing.rows() == [] and profile_figure(nothing, LIGHT).layout.height > 0


def test_signals_are_cut_by_channel_and_named_by_what_their_features_share() -> None:
    x, y = np.arange(24.0).reshape(2, 12), np.array([0, 1])
    names = tuple(f"{c}_{t}" for c in ("ax", "w2x", "ay") for t in range(4))
    frame = signal_frame(made(x, y, features=names, name="walk, run"), (3, 4))
    assert (frame.channels, frame.labels) == (("ax", "w2x", "ay"), ("walk", "run"))
    assert np.array_equal(frame.values, x.reshape(2, 3, 4))
    assert frame.rows()[5] == {"task": "walk, run", "class": "run", "sample": 1, "ax": 13.0, "w2x": 17.0, "ay": 21.0}
    fig = signal_figure(frame, LIGHT)
    assert len(fig.data) == 6 and [fig.layout.xaxis.title.text, fig.layout.xaxis2.title.text] == ["walk", "run"]
    assert fig.layout.xaxis.domain[1] < fig.layout.xaxis2.domain[0]


def test_names_that_plotly_would_read_as_markup_are_escaped_and_wrapped() -> None:
    labels = ("<b>bold</b>", "a & b", *(f"a class with a long name {i}" for i in range(4)))
    y = np.repeat(np.arange(6), 3)
    frame = profile_frame(made(np.random.default_rng(0).normal(size=(18, 3)), y, labels=labels, features=("<i>x</i>", "y", "z")))
    text = profile_figure(frame, LIGHT).layout.annotations[0].text
    assert "&lt;b>bold" in text and "a &amp; b" in text and "<b>" not in text and text.count("<br>") >= 2
    assert "&lt;i>x&lt;/i>" in set(profile_figure(frame, LIGHT).data[0].y)


@pytest.mark.parametrize(("name", "labels", "expected"), [("wearer 8", ("no", "yes"), ("no", "yes")), ("Bag, Boot", (), ("Bag", "Boot")), ("DQ", (), ("D", "Q")), ("ward 7", (), ("1", "2"))])
def test_classes_have_names(name: str, labels: tuple[str, ...], expected: tuple[str, ...]) -> None:
    built = made(np.zeros((2, 1)), np.array([0, 1]), name=name, labels=labels)
    assert class_names(built, built.test, 0) == expected
