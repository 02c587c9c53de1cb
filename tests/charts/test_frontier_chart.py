"""The frontier's frame, number by number, and what its figure draws from it."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from mrp_core.charts.frontier import frontier_frame, setting_label
from mrp_core.charts.frontier_figure import TEXT, frontier_figure
from mrp_core.charts.palette import DARK, LIGHT
from mrp_core.charts.volume import volume_frame
from mrp_core.config import PrivacyConfig, StudyConfig, TaskConfig
from mrp_core.settings import Setting
from tests.charts.made import BIT, measured, summary

CONFIG = StudyConfig(task=TaskConfig(ways=4))
STUDY = [
    summary("lambda=0", mi=(1.0 * BIT, 1.2 * BIT), accuracy=(0.80, 0.84), accuracy_0=(0.30, 0.32), lira_auc=(0.8, 0.82)),
    summary("lambda=0.5", mi=(0.5 * BIT, 0.7 * BIT), accuracy=(0.60, 0.64), lira_auc=(0.83, 0.85)),
    summary("lambda=1", mi=(0.8 * BIT, 1.0 * BIT), accuracy=(0.50, 0.54), lira_auc=(0.84, 0.86)),
    summary("epsilon=3", mi=(0.4 * BIT, 1.0 * BIT), accuracy=(0.40, 0.81), lira_auc=(0.55, 0.57)),
    summary("temperature=2", mi=(0.6 * BIT, 0.8 * BIT), accuracy=(0.61, 0.63), lira_auc=(0.8, 0.82)),
    summary("steps=1", mi=(1.1 * BIT, 1.3 * BIT), accuracy=(0.45, 0.47), lira_auc=(0.6, 0.62)),
]


def test_marks_stand_in_bits_and_per_cent_with_their_status() -> None:
    frame = frontier_frame(STUDY, CONFIG)
    by_key = {m.key: m for m in frame.marks}
    assert list(by_key) == ["lambda=0", "lambda=0.5", "lambda=1", "epsilon=3", "temperature=2"]
    zero = by_key["lambda=0"]
    assert (zero.x, zero.y) == pytest.approx((1.1, 82.0))
    assert (zero.x_low, zero.x_high, zero.y_low, zero.y_high) == pytest.approx((1.1 - 0.01 / BIT, 1.1 + 0.01 / BIT, 81.0, 83.0))
    # λ = 1 is worse than λ = 0.5 in every seed; ε = 3 is worse on average only, and two seeds that disagree don't settle it
    assert {k: m.status for k, m in by_key.items()} == {"lambda=0": "front", "lambda=0.5": "front", "lambda=1": "dominated", "epsilon=3": "near", "temperature=2": "baseline"}
    assert (frame.x_title, frame.y_title) == ("I(X;Ŷ), bits", "Accuracy, %")


def test_staircase_claims_nothing_between_two_settings() -> None:
    assert [(pytest.approx(x), pytest.approx(y)) for x, y in frontier_frame(STUDY, CONFIG).stairs] == [(0.6, 62.0), (1.1, 62.0), (1.1, 82.0)]


def test_the_band_lies_between_the_least_and_the_most_lucky_seed() -> None:
    frame = frontier_frame(STUDY[:2], CONFIG)
    least, most = frame.band
    # what both seeds attain begins where the second one does, and is the worse of the two there
    assert least[0] == pytest.approx((0.7, 60.0))
    assert most[0] == pytest.approx((0.7, 64.0))
    assert least[-1][0] == most[-1][0] == frame.x_range[1]
    assert frontier_frame([summary("lambda=0", mi=1.0, accuracy=0.8), summary("lambda=1", mi=0.5, accuracy=0.6)], CONFIG).band == ()


def test_the_limit_is_fanos_and_only_where_it_is_known() -> None:
    limit = frontier_frame(STUDY, CONFIG).limit
    assert limit[0] == pytest.approx((0.0, 25.0), abs=1e-9)
    assert limit[-1] == pytest.approx((2.0, 100.0))
    error, at = 0.25, limit[100 * 2 // 3]
    assert at[1] == pytest.approx(74.5, abs=0.8)
    assert at[0] == pytest.approx(2 - (-error * math.log2(error) - (1 - error) * math.log2(1 - error)) - error * math.log2(3), abs=0.02)
    assert frontier_frame(STUDY, CONFIG, x="lira_auc").limit == ()
    assert frontier_frame(STUDY, replace(CONFIG, privacy=PrivacyConfig(channel="top_label"))).limit == ()


def test_membership_has_its_own_baselines_and_a_line_where_attackers_guess() -> None:
    frame = frontier_frame(STUDY, CONFIG, x="lira_auc")
    assert [m.key for m in frame.marks if m.status == "baseline"] == ["steps=1"]
    assert frame.x_chance == 0.5
    assert frame.x_range[0] < 0.5
    assert math.isnan(frontier_frame(STUDY, CONFIG).x_chance)


def test_guessing_and_zero_steps_are_drawn_and_everything_lies_inside_the_axes() -> None:
    frame = frontier_frame(STUDY, CONFIG)
    assert (frame.chance, frame.zero_step) == pytest.approx((25.0, 31.0))
    assert frame.y_range[0] < 25 < 82 < frame.y_range[1]
    assert all(frame.x_range[0] <= m.x_low and m.x_high <= frame.x_range[1] for m in frame.marks)


def test_what_is_not_resolved_is_left_out() -> None:
    unknown = summary("lambda=0.7", mi=0.1, accuracy=0.5)
    unknown.means["mi"] = measured(math.nan, "needs more records")
    assert "lambda=0.7" not in {m.key for m in frontier_frame([*STUDY, unknown], CONFIG).marks}
    empty = frontier_frame([], CONFIG)
    assert empty.marks == empty.stairs == empty.band == empty.seeds == ()
    assert all(math.isfinite(v) for v in (*empty.x_range, *empty.y_range))


def test_at_most_300_points_are_drawn_singly() -> None:
    many = [summary(f"lambda={i / 100:g}", mi=[1 - i / 100 + s / 1000 for s in range(5)], accuracy=[0.9 - i / 200] * 5) for i in range(101)]
    assert len(frontier_frame(many, CONFIG).seeds) <= 300 - 60


def test_export_has_a_row_for_each_mark() -> None:
    frame = frontier_frame(STUDY, CONFIG)
    assert len(frame.rows()) == len(frame.marks)
    assert frame.rows()[0] == {"setting": "lambda=0", "kind": "lambda", "status": "front", "I(X;Ŷ), bits": pytest.approx(1.1), "x low": pytest.approx(1.1 - 0.01 / BIT),
                               "x high": pytest.approx(1.1 + 0.01 / BIT), "Accuracy, %": pytest.approx(82.0), "y low": pytest.approx(81.0), "y high": pytest.approx(83.0)}


@pytest.mark.parametrize("colours", [LIGHT, DARK])
def test_the_figure_keeps_ids_fixed_axes_and_one_pick(colours: object) -> None:
    frame = frontier_frame(STUDY, CONFIG)
    fig = frontier_figure(frame, colours, pick="lambda=0.5")  # type: ignore[arg-type]
    traces = {t.name: t for t in fig.data}
    assert list(traces["λ-trained"].customdata) == [["lambda=0"], ["lambda=0.5"], ["lambda=1"]]
    assert (tuple(fig.layout.xaxis.range), tuple(fig.layout.yaxis.range)) == (frame.x_range, frame.y_range)
    assert fig.layout.xaxis.fixedrange and fig.layout.yaxis.fixedrange
    assert traces["your pick"].x == pytest.approx((0.6,)) and traces["your pick"].marker.symbol == "diamond-open"
    assert TEXT["impossible"] in [a.text for a in fig.layout.annotations]
    assert len({t.marker.symbol for t in fig.data if t.customdata is not None}) == 3
    assert not fig.layout.showlegend


def test_dominated_settings_can_be_hidden_but_never_the_pick() -> None:
    frame = frontier_frame(STUDY, CONFIG)
    keys = lambda **kw: [k[0] for k in next(t for t in frontier_figure(frame, LIGHT, dominated=False, **kw).data if t.name == "λ-trained").customdata]  # noqa: E731
    assert keys() == ["lambda=0", "lambda=0.5"]
    assert keys(pick="lambda=1") == ["lambda=0", "lambda=0.5", "lambda=1"]


def test_chart_text_is_large_enough_to_read() -> None:
    fig = frontier_figure(frontier_frame(STUDY, CONFIG), LIGHT, pick="lambda=0.5")
    assert min(a.font.size for a in fig.layout.annotations) >= 12
    assert fig.layout.xaxis.tickfont.size >= 12


def test_labels_of_settings_are_words() -> None:
    words = {"lambda=0": "λ = 0, unprotected", "lambda=0.6": "λ = 0.6", "epsilon=3": "ε = 3", "epsilon=inf": "head only, no noise", "steps=1": "1 inner step", "steps=3": "3 inner steps",
             "head=1": "head only", "rate=0.5": "smaller rate × 0.5", "temperature=2": "temperature T = 2", "rate_distortion=5": "rate-distortion β = 5", "found=3": "found 3"}
    assert {key: setting_label(Setting.from_key(key)) for key in words} == words
    assert setting_label(Setting("found", 3.0), "λ 0.2, 3 steps, head") == "found 3: λ 0.2, 3 steps, head"


def test_what_a_search_found_is_a_series_of_its_own_among_the_trained() -> None:
    frame = frontier_frame([*STUDY, replace(summary("found=1", accuracy=0.99, mi=0.01), about="λ 0.2, head")], CONFIG)
    mark = next(m for m in frame.marks if m.kind == "found")
    assert mark.label == "found 1: λ 0.2, head" and mark.status == "front"
    assert any(t.name == "found by the search" for t in frontier_figure(frame, LIGHT).data)


def test_hypervolume_is_paired_by_seed_and_counts_the_baselines_apart() -> None:
    frame = volume_frame(STUDY, CONFIG)
    box = 2.0 * 75.0
    # (bits, %) of what was trained: (0.4, 40), (0.5, 60), (1.0, 80) with seed 0; (0.7, 64), (1.0, 81), (1.2, 84) with seed 1; free: T = 2 and λ = 0
    trained = [(2.0 - 0.4) * 15 + (2.0 - 0.5) * 20 + (2.0 - 1.0) * 20, (2.0 - 0.7) * 39 + (2.0 - 1.0) * 17 + (2.0 - 1.2) * 3]
    free = [(2.0 - 0.6) * 36 + (2.0 - 1.0) * 19, (2.0 - 0.8) * 38 + (2.0 - 1.2) * 21]
    gains = [(a - b) / box for a, b in zip(trained, free, strict=True)]
    assert (frame.trained, frame.free, frame.gain) == pytest.approx((sum(trained) / 2 / box, sum(free) / 2 / box, sum(gains) / 2))
    assert frame.low < frame.gain < frame.high
    assert (frame.x_worst, frame.x_best, frame.y_worst) == pytest.approx((2.0, 0.0, 25.0))
    assert math.isnan(volume_frame([], CONFIG).trained)
