"""What a person may stumble over on Train, Adapt, Audit and Data: other people's acts, edited links, titles with marks in them."""

from __future__ import annotations

from typing import Any

import pytest
import streamlit
from sqlalchemy import update

from mrp_core.registry import plugin
from mrp_core.results import StudyState
from mrp_core.store import Store
from mrp_core.store.schema import JOB
from pages.ui import progress
from tests.pages.test_acts import OWN, page, store

__all__ = ["store"]


@pytest.mark.parametrize(("family", "mode", "ways"), [("wearable", "few_shot", 5), ("digits", "pairs", 2)])
def test_another_mode_brings_as_many_ways_as_it_has_classes_for(store: Store, family: str, mode: str, ways: int) -> None:
    at = page("train")
    at.selectbox(key="knob:task.family").set_value(family).run()
    at.selectbox(key="knob:task.mode").set_value(mode).run()
    assert at.slider(key="knob:task.ways").value == ways
    at.selectbox(key="knob:task.mode").set_value(plugin("tasks", family).modes[0]).run()
    assert at.slider(key="knob:task.ways").value == plugin("tasks", family).defaults["ways"]
    assert not at.exception and not at.error


def test_a_title_is_no_markup(store: Store) -> None:
    at = page("train", study=store.submit(OWN))
    assert at.subheader[0].value == "Mine \\*today\\*"


@pytest.mark.parametrize(("name", "parameters", "words"), [
    ("data", {"area": "nonsense"}, "no field 'nonsense'"), ("audit", {"study": "letters", "point": "lambda=99"}, "λ = 99 was asked for, which isn't among the settings here"),
    ("audit", {"study": "letters", "point": "no*sense"}, "is not a setting"), ("train", {"study": "nonsense"}, "no study 'nonsense'")])
def test_a_link_that_was_edited_is_a_sentence(store: Store, name: str, parameters: dict[str, str], words: str) -> None:
    at = page(name, **parameters)
    assert not at.exception
    assert any(words in box.value for box in [*at.info, *at.warning]), [b.value for b in [*at.info, *at.warning]]


def test_a_stopped_study_is_looked_at_again_since_somebody_else_may_resume_it(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[StudyState, float | None] = {}
    key = store.submit(OWN)
    for state in StudyState:
        with store.database.write() as connection:
            connection.execute(update(JOB).where(JOB.c.study == key).values(state=state.value))

        def fragment(body: Any, *, run_every: float | None, key: str, state: StudyState = state) -> Any:
            seen[state] = run_every
            return lambda *args: None

        monkeypatch.setattr(streamlit, "fragment", fragment)
        progress.follow(key)
    assert {s for s, every in seen.items() if every == progress.POLL_SECONDS} == {StudyState.QUEUED, StudyState.RUNNING}
    assert seen[StudyState.DONE] is None
    assert seen[StudyState.CANCELLED] == seen[StudyState.FAILED] == progress.STOPPED_SECONDS
