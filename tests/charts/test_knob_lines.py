"""Lines over knobs and their shares: what stands where, and what few or unmoved knobs give."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from mrp_core.charts.knob_lines import lines_figure, lines_frame, shares_figure, shares_frame
from mrp_core.charts.palette import DARK, LIGHT
from mrp_core.config import OuterConfig, StudyConfig
from mrp_core.errors import DataError
from mrp_core.importance import MINIMUM, importances, varied

BASE = StudyConfig(outer=OuterConfig(iterations=10, seeds=2))


def studies(*iterations: int, hidden: tuple[tuple[int, ...], ...] = ((8,),)) -> list[StudyConfig]:
    return [replace(BASE, outer=replace(BASE.outer, iterations=n, hidden=hidden[i % len(hidden)])) for i, n in enumerate(iterations)]


def test_only_knobs_that_differ_count() -> None:
    assert varied([]) == varied([BASE]) == varied([BASE, BASE]) == ()
    (iterations,) = varied(studies(10, 100))
    assert (iterations.name, iterations.values, iterations.numeric) == ("outer.iterations", (10.0, 100.0), True)
    both = varied(studies(10, 100, hidden=((8,), (16, 16))))
    assert [(k.name, k.values) for k in both] == [("outer.iterations", (10.0, 100.0)), ("outer.hidden", ("8", "16, 16"))]


def test_lines_stand_where_the_values_are() -> None:
    knobs = varied(studies(10, 40, 110, hidden=((8,), (16, 16), (8,))))
    frame = lines_frame(["A", "B", "<i>C</i>"], knobs, {"Hypervolume": [0.2, 0.7, math.nan]})
    iterations, hidden, volume = frame.axes
    assert iterations.places == (0.0, pytest.approx(math.log(4) / math.log(11)), 1.0) and iterations.ticks == ((0.0, "10"), (1.0, "110"))
    assert hidden.places == (1.0, 0.0, 1.0) and hidden.ticks == ((0.0, "16, 16"), (1.0, "8"))
    assert volume.places[:2] == (0.0, 1.0) and math.isnan(volume.places[2])
    assert frame.rows()[1] == {"study": "B", iterations.label: 40.0, hidden.label: "16, 16", "Hypervolume": 0.7}
    fig = lines_figure(frame, LIGHT, pick=0)
    assert [t.name for t in fig.data] == ["B", "&lt;i&gt;C&lt;/i&gt;", "A"], "the one that stands out is drawn last, and markup is none"
    assert fig.data[1].y[2] is None and "<i>" not in fig.data[1].hovertext[0]


def test_knobs_with_a_slider_by_factors_are_spaced_by_factors() -> None:
    at = [replace(BASE, privacy=replace(BASE.privacy, lambda_max=v)) for v in (0.1, 1.0, 10.0)]
    (knob,) = varied(at)
    assert knob.name == "privacy.lambda_max" and knob.logarithmic
    assert lines_frame(["a", "b", "c"], [knob], {}).axes[0].places == (0.0, pytest.approx(0.5), 1.0)


def test_the_knob_that_decides_gets_nearly_all_and_the_others_little() -> None:
    knobs = varied(studies(*(10 * (i + 1) for i in range(12)), hidden=((8,), (16, 16), (8,))))
    shares = importances(knobs, [float(i) for i in range(12)])
    assert sum(shares.values()) == pytest.approx(1.0) and next(iter(shares)) == "outer.iterations" and shares["outer.iterations"] > 0.9
    assert importances(knobs, [float(i) for i in range(12)]) == shares, "no chance in it"
    frame = shares_frame(knobs, shares)
    assert [r["share"] for r in frame.rows()] == list(shares.values())
    assert list(shares_figure(frame, DARK).data[0].x) == [pytest.approx(100 * s) for s in shares.values()]


@pytest.mark.parametrize("result", [[1.0] * MINIMUM, [float(i) for i in range(MINIMUM - 1)], [math.nan, *(float(i) for i in range(MINIMUM))], []])
def test_too_little_to_weigh_is_a_sentence(result: list[float]) -> None:
    knobs = varied(studies(*(10 * (i + 1) for i in range(max(2, len(result))))))
    with pytest.raises(DataError, match=str(MINIMUM)):
        importances(knobs, result)
    with pytest.raises(DataError, match="a knob"):
        importances((), [float(i) for i in range(12)])
