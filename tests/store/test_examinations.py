"""Examinations in the store: asked for once, found again, resumed, and kept apart from studies."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from mrp_core.config import StudyConfig
from mrp_core.errors import StoreError
from mrp_core.examination import ExaminationOptions
from mrp_core.results import StudyState
from mrp_core.settings import Setting
from mrp_core.store import Store
from mrp_core.store.examinations import PRIORITY, REQUEST, RESULT, read_examination, submit_examination, wanted
from mrp_core.store.schema import JOB
from tests.examples import EXAMPLE
from tests.store.claims import claimed, state

CONFIG, SETTING, OPTIONS = StudyConfig(title="Looked at"), Setting("lambda", 0.4), ExaminationOptions(adaptations=16)


@pytest.fixture
def strategy(tmp_path: Path) -> Path:
    path = tmp_path / "strategy.safetensors"
    path.write_bytes(b"weights")
    return path


def test_it_is_queued_with_its_request_and_the_strategy(store: Store, strategy: Path) -> None:
    id = submit_examination(store, CONFIG, strategy, SETTING, OPTIONS, "ann")
    assert id == wanted(CONFIG, b"weights", SETTING, OPTIONS)
    assert state(store, id) is StudyState.QUEUED and read_examination(store, id) is None
    attempt = claimed(store, id)
    request = attempt.get_artifact(REQUEST)
    assert request is not None and json.loads(request) == {"setting": "lambda=0.4", "options": {"adaptations": 16, "noisy_copies": 16}}
    assert attempt.get_artifact("strategy.safetensors") == b"weights"


def test_asking_again_finds_the_same_and_something_else_is_another(store: Store, strategy: Path) -> None:
    first = submit_examination(store, CONFIG, strategy, SETTING, OPTIONS)
    assert submit_examination(store, replace(CONFIG, title="Renamed"), strategy, SETTING, OPTIONS) == first
    other = submit_examination(store, CONFIG, strategy, Setting("epsilon", 3.0), OPTIONS)
    closer = submit_examination(store, CONFIG, strategy, SETTING, ExaminationOptions(adaptations=32))
    strategy.write_bytes(b"other weights")
    assert len({first, other, closer, submit_examination(store, CONFIG, strategy, SETTING, OPTIONS)}) == 4


def test_a_cancelled_one_goes_on_when_asked_for_again(store: Store, strategy: Path) -> None:
    id = submit_examination(store, CONFIG, strategy, SETTING, OPTIONS)
    store.cancel(id)
    assert state(store, id) is StudyState.CANCELLED
    assert submit_examination(store, CONFIG, strategy, SETTING, OPTIONS) == id
    assert state(store, id) is StudyState.QUEUED


def test_it_runs_before_studies_that_wait_and_is_none_of_them(store: Store, strategy: Path) -> None:
    study = store.submit(CONFIG)
    id = submit_examination(store, CONFIG, strategy, SETTING, OPTIONS)
    assert [row.id for row in store.studies()] == [study]
    with store.database.read() as connection:
        assert {row.study: row.priority for row in connection.execute(select(JOB.c.study, JOB.c.priority))} == {study: 0, id: PRIORITY}
    assert claimed(store).claim.study == id


def test_the_result_comes_back_and_a_damaged_one_is_none(store: Store, strategy: Path) -> None:
    id = submit_examination(store, CONFIG, strategy, SETTING, OPTIONS)
    text = EXAMPLE.to_json()
    claimed(store, id).put_artifact(RESULT, text.encode())
    found = read_examination(store, id)
    assert found is not None and found.to_json() == text
    path = store.artifact_path(id, RESULT)
    assert path is not None
    path.write_bytes(path.read_bytes()[:-1] + b" ")
    assert read_examination(store, id) is None


def test_nothing_is_asked_of_a_strategy_that_is_gone(store: Store, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"gone\.safetensors.*train the study anew"):
        submit_examination(store, CONFIG, tmp_path / "gone.safetensors", SETTING, OPTIONS)
    assert read_examination(store, "0" * 16) is None and store.progress("0" * 16) is None
