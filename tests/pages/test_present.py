"""A presentation of four steps, links that show another person the same, and what a page says of links and studies that aren't what they should be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import pytest
from streamlit.testing.v1 import AppTest

from mrp_core.charts.enlarged import enlarged
from mrp_core.charts.palette import LIGHT, figure, note
from mrp_core.measurement import Measurement
from mrp_core.store import Store
from pages.ui import words
from tests.pages.test_acts import OWN, finished, page, store

__all__ = ["store"]
STEPS = ("question", "frontier", "attack", "recommendation")


def texts(at: AppTest) -> str:
    return "\n".join(e.value for e in [*at.title, *at.markdown, *at.caption, *at.info, *at.warning, *at.error])


def asked(at: AppTest) -> dict[str, str]:
    """What the link says."""
    return {name: value if isinstance(value, str) else value[0] for name, value in at.query_params.items()}


@pytest.fixture(scope="module")
def steps() -> Iterator[dict[str, AppTest]]:
    """Every step of the sample's presentation, by its link."""
    yield {step: page("explore", mode="present", step=step, point="epsilon=3", axis="lira_auc") for step in STEPS}


def test_every_step_is_drawn_without_the_menu_and_says_where_it_is(steps: dict[str, AppTest]) -> None:
    for n, (step, at) in enumerate(steps.items(), 1):
        assert not at.exception and not at.warning and not at.error, step
        assert not at.sidebar.selectbox and f"**{n} of 4**" in texts(at)
        assert (at.button(key="present_previous").disabled, at.button(key="present_next").disabled) == (n == 1, n == 4)


def test_the_steps_show_the_numbers_of_the_study(steps: dict[str, AppTest]) -> None:
    assert [m.value for m in steps["question"].metric] == ["77 times in 100", "80 times in 100"]
    assert "an attacker tells a member from another record 21.7 times in 100 less often" in texts(steps["frontier"])
    assert "of 100 members at 1 false accusation in 100" in texts(steps["attack"]) and "Guessing finds 1" in texts(steps["attack"])
    last = texts(steps["recommendation"])
    assert last.startswith("Recommended: ε = 3") and "**Guaranteed.** ε = 3 at δ = 0.001" in last and "Not guaranteed" not in last
    assert "nobody is exposed here" in last and "Other choices: " in last


def test_next_previous_and_leave_change_the_link_and_nothing_else() -> None:
    at = page("explore", mode="present")
    at.button(key="present_next").click().run()
    at.button(key="present_next").click().run()
    assert asked(at)["step"] == "attack" and at.title[0].value.startswith("Could someone tell")
    at.button(key="present_previous").click().run()
    assert (asked(at)["mode"], asked(at)["step"]) == ("present", "frontier")
    at.button(key="present_leave").click().run()
    assert not {"mode", "step"} & set(asked(at))
    assert at.title[0].value.startswith("How much accuracy")


def test_without_a_point_the_study_suggests_one_and_leaving_keeps_it() -> None:
    at = page("explore", mode="present", step="recommendation")
    assert at.title[0].value == "Suggested: rate-distortion β = 2.5 (best bargain)" and "Not guaranteed" in texts(at)
    at.button(key="present_leave").click().run()
    assert asked(at)["point"] == "rate_distortion=2.5"


@pytest.mark.parametrize(("asked", "said"), [
    ({"step": "9"}, "question, frontier, attack, recommendation"), ({"point": "nonsense"}, "is not a setting"), ({"point": "lambda=77"}, "λ = 77 was asked for"),
    ({"axis": "nonsense"}, "hasn't measured"), ({"study": "<b>no</b>"}, "There is no study"),
])
def test_a_wrong_value_in_a_presentation_is_a_sentence_and_a_step_is_shown(asked: dict[str, str], said: str) -> None:
    at = page("explore", mode="present", **asked)
    assert not at.exception and len(at.warning) == 1 and said in at.warning[0].value.replace("\\", "")
    assert at.metric and "1 of 4" in texts(at)


@pytest.mark.parametrize(("asked", "said"), [
    ({"mode": "x"}, "There is no mode 'x'"), ({"axis": "nonsense"}, "hasn't measured"), ({"beside": "nonsense"}, "there is none of that name"),
    ({"point": "lambda=77"}, "λ = 77 was asked for"), ({"study": "nowhere"}, "There is no study 'nowhere' here, so Letters"), ({"step": "9"}, ""),
])
def test_a_wrong_value_on_explore_is_a_sentence_and_the_page_works(asked: dict[str, str], said: str) -> None:
    at = page("explore", **asked)
    assert not at.exception and [w.value for w in at.warning if said in w.value.replace("\\", "")] == [w.value for w in at.warning] and len(at.warning) == bool(said)
    assert len(at.metric) == 3


def test_the_links_name_study_point_and_axis_and_open_the_same() -> None:
    at = page("explore", axis="lira_auc", point="epsilon=3")
    at.button(key="link_open").click().run()
    explore, presentation = ({name: values[0] for name, values in parse_qs(urlsplit(c.value).query).items()} for c in at.code)
    assert explore == {"study": "letters", "point": "epsilon=3", "axis": "lira_auc"}
    assert presentation == {**explore, "mode": "present", "step": "question"}
    again = page("explore", **explore)
    assert [m.value for m in again.metric] == [m.value for m in at.metric]


def test_present_begins_at_the_question_with_the_point_on_the_screen() -> None:
    at = page("explore", point="epsilon=3")
    at.button(key="present_start").click().run()
    assert asked(at) == {"mode": "present", "step": "question", "point": "epsilon=3"}


def test_a_suggestion_is_one_click_away() -> None:
    at = page("explore")
    at.button(key="suggest:accuracy").click().run()
    assert asked(at)["point"] == "rate_distortion=8" and "At rate-distortion β = 8" in at.info[0].value
    assert at.session_state["slider_kind"] == "free"


def test_the_authors_note_stands_on_the_last_slide_as_it_was_written(store: Store) -> None:
    own = finished(store)
    store.set_note(own, "<b>Ask</b> the *board* first\n" + "and then " * 200)
    at = page("explore", study=own, mode="present", step="recommendation")
    said = next(m.value for m in at.markdown if "Author's note" in m.value)
    assert "<b>Ask</b> the \\*board\\* first and then" in said and said.endswith("…") and len(said) < 480
    assert not at.exception


def test_a_study_without_points_says_how_it_stands(store: Store) -> None:
    store.submit(OWN)
    assert "waits for its turn" in texts(page("explore", study=OWN.id))
    at = page("explore", study=OWN.id, mode="present")
    assert "no finished point yet" in at.info[0].value and at.button(key="present_leave") and not at.metric


def test_a_metric_that_rises_is_said_even_where_another_leakage_falls() -> None:
    at = Measurement(value=0.86, low=0.84, high=0.88)
    base, more = Measurement(value=0.80, low=0.78, high=0.82), Measurement(value=0.06, low=0.02, high=0.1)
    assert words.attacker(at, base, more).endswith("So membership leaks **more** here than without protection.")
    assert "80 times without protection" in words.attacker(at, base, Measurement(value=0.06, low=-0.02, high=0.1))
    assert "more" not in words.attacker(at, base, Measurement(value=0.06, low=-0.02, high=0.1))
    assert "without" not in words.attacker(at)


def test_an_enlarged_chart_has_larger_type_and_the_height_asked_for() -> None:
    fig = figure(LIGHT, height=300, x_title="x", y_title="y")
    fig.add_scatter(x=[1], y=[2], marker={"size": 8}, line={"width": 2})
    note(fig, 1, 2, "name", LIGHT.text, shift=(10, -10))
    layout, trace = cast(Any, fig.layout), cast(Any, fig.data)[0]
    before = layout.xaxis.tickfont.size, layout.annotations[0].font.size
    enlarged(fig, 2.0, height=500)
    assert (layout.height, layout.xaxis.tickfont.size, layout.annotations[0].font.size) == (500, 2 * before[0], 2 * before[1])
    assert (layout.annotations[0].xshift, trace.marker.size, trace.line.width) == (20, 16, 4)
