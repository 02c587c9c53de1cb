"""Clients by themselves: numbers worked out by hand from values that are known by client."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest

from mrp_core.charts.client_frontiers import POOLED, client_frontiers
from mrp_core.charts.clients import ClientPoints, client_points, fairness_frame
from mrp_core.charts.clients_figure import MOST, client_frontiers_figure, fairness_figure, shown
from mrp_core.charts.palette import LIGHT
from mrp_core.config import StudyConfig, TaskConfig
from mrp_core.intervals import interval, student
from mrp_core.results import Point
from mrp_core.settings import UNPROTECTED, Setting
from mrp_core.taskdata import held_out_names

WARDS = StudyConfig(task=TaskConfig(family="medical", mode="site", ways=2, queries=7))
HALF = Setting("lambda", 0.4)


def points(values: Mapping[Setting, Sequence[Mapping[str, float]]], order: Sequence[Sequence[str]]) -> list[Point]:
    """Per setting and seed the accuracy of each client, laid out in each seed's own order of tasks; LiRA's AUC is a tenth more."""
    made = []
    for setting, seeds in values.items():
        for seed, by in enumerate(seeds):
            accuracy = tuple(by[name] for name in order[seed])
            made.append(Point(setting=setting, seed=seed, tasks=tuple(order[seed]), values={"accuracy": accuracy, "lira_auc": tuple(a + 0.1 for a in accuracy)}))
    return made


def found(made: list[Point]) -> ClientPoints:
    clients = client_points(made, WARDS)
    assert clients is not None
    return clients


BASE = [{"A": 0.80, "B": 0.70, "C": 0.60}, {"A": 0.84, "B": 0.72, "C": 0.60}, {"A": 0.82, "B": 0.71, "C": 0.60}]
AFTER = [{"A": 0.79, "B": 0.69, "C": 0.50}, {"A": 0.83, "B": 0.71, "C": 0.50}, {"A": 0.81, "B": 0.70, "C": 0.50}]
ORDER = ["ABC", "CAB", "BCA"]
STUDY = points({UNPROTECTED: BASE, HALF: AFTER}, ORDER)


def test_each_client_is_found_wherever_its_seed_put_it() -> None:
    clients = found(STUDY)
    assert clients.names == ("A", "B", "C")
    np.testing.assert_allclose(clients.table(HALF, "accuracy"), [[by[n] for n in "ABC"] for by in AFTER])
    twice = found(points({HALF: [{"A": 0.5, "B": 0.4}, {"A": 0.7, "B": 0.6}]}, ["AABA", "BA"]))
    np.testing.assert_allclose(twice.table(HALF, "accuracy"), [[0.5, 0.4], [0.7, 0.6]])
    assert np.isnan(twice.table(UNPROTECTED, "accuracy")).all() and np.isnan(twice.table(HALF, "mi")).all()


def test_who_pays_most_is_told_from_the_mean_change_with_intervals_for_all_at_once() -> None:
    frame = fairness_frame(found(STUDY), HALF)
    assert [c.name for c in frame.clients] == ["A", "B", "C"] and frame.hardest.name == "C"
    c = frame.hardest
    assert (c.accuracy.value, c.base.value, c.change.value, c.seeds) == pytest.approx((0.5, 0.6, -0.1, 3))
    assert c.excess.value == pytest.approx(-0.1 + 0.04) and c.excess.high < 0
    assert (frame.mean.value, frame.base_mean.value, frame.change.value) == pytest.approx((np.mean([[0.81, 0.70, 0.50]]), np.mean([[0.82, 0.71, 0.60]]), -0.04))
    a = next(x for x in frame.clients if x.name == "A")
    half = student(0.95, 2) * 0.02 / math.sqrt(3)
    assert (a.accuracy.low, a.accuracy.high) == pytest.approx((0.81 - half, 0.81 + half))
    row = frame.rows()[-1]
    assert (row["client"], row["accuracy, %"], row["change, points"]) == ("C", pytest.approx(50.0), pytest.approx(-10.0))


def test_alike_clients_are_not_told_apart() -> None:
    """The negative control: all clients lose alike but for noise, and the one that happens to lose most isn't accused in 19 of 20 studies."""
    accused = gaps = 0
    for run in range(200):
        rng = np.random.default_rng([run, 1])
        base, after = ([dict(zip("ABCDEF", 0.7 + 0.03 * rng.standard_normal(6), strict=True)) for _ in range(5)] for _ in range(2))
        frame = fairness_frame(found(points({UNPROTECTED: base, HALF: after}, ["ABCDEF"] * 5)), HALF)
        accused += frame.hardest.excess.high < 0
        gaps += frame.gap.low > 0
    assert accused <= 20 and gaps <= 20


def test_spread_and_gap_of_clients_that_do_not_vary_are_exact() -> None:
    still = [{"A": 0.9, "B": 0.7, "C": 0.5}] * 3
    frame = fairness_frame(found(points({UNPROTECTED: still, HALF: still}, ORDER)), HALF)
    assert (frame.spread.value, frame.spread.low, frame.spread.high) == pytest.approx((0.2, 0.2, 0.2))
    assert (frame.gap.value, frame.gap.low, frame.gap.high) == pytest.approx((0.4, 0.4, 0.4))


def test_the_jackknife_takes_off_the_spread_that_noise_makes() -> None:
    noise, plain = [], []
    for run in range(100):
        rng = np.random.default_rng([run, 2])
        table = 0.7 + 0.05 * rng.standard_normal((5, 6))
        frame = fairness_frame(found(points({UNPROTECTED: [dict(zip("ABCDEF", row, strict=True)) for row in table]}, ["ABCDEF"] * 5)), UNPROTECTED)
        noise.append(frame.spread.value)
        plain.append(table.mean(0).std(ddof=1))
    assert np.mean(noise) < 0.8 * np.mean(plain)


def test_a_client_that_no_seed_has_with_all_others_leaves_the_comparison_open() -> None:
    frame = fairness_frame(found(points({UNPROTECTED: BASE, HALF: AFTER}, ["AB", "BC", "CA"])), HALF)
    assert {c.name: c.seeds for c in frame.clients} == {"A": 2, "B": 2, "C": 2}
    assert all(c.accuracy.resolved and c.change.resolved and not c.excess.resolved for c in frame.clients)
    assert not frame.mean.resolved and not frame.spread.resolved and not frame.change.resolved


def test_each_line_is_a_client_along_the_settings_before_the_line_of_all() -> None:
    frame = client_frontiers(found(STUDY), "lambda")
    assert [line.name for line in frame.lines] == ["A", "B", "C"] and frame.pooled.name == POOLED
    assert all(line.keys == ("lambda=0", "lambda=0.4") for line in (*frame.lines, frame.pooled))
    c = frame.lines[2]
    assert (c.y[0][0], c.y[1][0], c.x[1][0]) == pytest.approx((60.0, 50.0, 0.6))
    m = interval(np.array([[by[n] for n in "ABC"] for by in AFTER]), low=0.0, high=1.0)
    assert frame.pooled.y[1] == pytest.approx((100 * m.value, 100 * m.low, 100 * m.high)), "as every other page has it"
    assert len(frame.rows()) == 8 and frame.rows()[0]["client"] == POOLED


def test_only_tasks_that_return_under_their_names_are_clients() -> None:
    assert client_points([p for p in STUDY if p.seed == 0], WARDS) is None, "one seed"
    assert client_points(points({HALF: [{"A": 0.5, "B": 0.5}, {"A": 0.5, "C": 0.5}]}, ["AB", "AC"]), WARDS) is None, "one client returns"
    for other in (TaskConfig(), TaskConfig(family="gaussian", mode="site", ways=2)):
        assert client_points(STUDY, replace(WARDS, task=other)) is None


def test_points_from_before_names_were_kept_find_them_by_drawing_once_more() -> None:
    order = [held_out_names(WARDS, seed) for seed in range(2)]
    made = [Point(setting=UNPROTECTED, seed=s, values={"accuracy": tuple(0.5 + 0.01 * len(n) for n in names)}) for s, names in enumerate(order)]
    clients = found(made)
    assert len(clients.names) == 6 and order[0] != order[1]
    np.testing.assert_allclose(clients.table(UNPROTECTED, "accuracy"), [[0.5 + 0.01 * len(n) for n in clients.names]] * 2)


def test_panels_share_their_axes_and_show_the_pick_whole() -> None:
    frame = client_frontiers(found(STUDY), "lambda")
    fig = client_frontiers_figure(frame, LIGHT, pick="lambda=0.4")
    assert [a.text for a in fig.layout.annotations][:3] == ["A", "B", "C"]
    ranges = {fig.layout[f"{axis}{n}"].range for axis in ("yaxis",) for n in ("", "2", "3")}
    assert len(ranges) == 1
    low, high = ranges.pop()
    assert all(low <= line.y[1][1] and line.y[1][2] <= high for line in frame.lines), "no interval is cut off"
    assert [t.name for t in fig.data].count("chosen") == 3
    many = {f"client {i:02d}": 0.5 + 0.01 * i for i in range(MOST + 3)}
    cut = shown(client_frontiers(found(points({UNPROTECTED: [many, many]}, [list(many)] * 2)), "lambda"))
    assert [line.name for line in cut] == [f"client {i:02d}" for i in range(MOST)], "the least accurate ones"


def test_the_fairness_chart_has_one_line_a_client() -> None:
    fig = fairness_figure(fairness_frame(found(STUDY), HALF), LIGHT)
    assert fig.layout.yaxis.ticktext == ("A", "B", "C")
    assert list(fig.data[-1].x) == pytest.approx([81.0, 70.0, 50.0]) and list(fig.data[-2].x) == pytest.approx([82.0, 71.0, 60.0])
