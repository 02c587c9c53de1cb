"""Two people, one note: who saves second is told what the first wrote, and overwrites nothing without knowing it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from mrp_core.config import StudyConfig
from mrp_core.errors import StoreError
from mrp_core.store import Store


@pytest.fixture
def other(store: Store) -> Iterator[Store]:
    """The same store, as another process has it open."""
    made = Store.open(store.database.url)
    yield made
    made.close()


def test_the_second_save_is_told_what_the_first_wrote(store: Store, other: Store) -> None:
    study = store.submit(StudyConfig())
    assert store.set_note(study, "first") is None
    assert other.set_note(study, "from the left", read="first") is None
    version, events = store.version(study), len(store.events(study))
    assert store.set_note(study, "from the right", read="first") == "from the left"
    assert (store.study(study).note, store.version(study), len(store.events(study))) == ("from the left", version, events), "nothing has changed"
    assert store.set_note(study, "both", read="from the left") is None
    assert other.study(study).note == "both"


def test_the_same_words_are_no_conflict_and_without_what_was_read_there_is_none(store: Store) -> None:
    study = store.submit(StudyConfig())
    store.set_note(study, "alike", read="")
    assert store.set_note(study, "alike", read="") is None
    assert store.set_note(study, "whatever") is None
    with pytest.raises(StoreError, match="no study"):
        store.set_note("nobody", "note", read="")


def test_of_many_at_once_one_is_stored_and_the_others_are_told(store: Store) -> None:
    study = store.submit(StudyConfig())
    with ThreadPoolExecutor(4) as pool:
        told = list(pool.map(lambda i: store.set_note(study, f"note {i}", read=""), range(4)))
    kept = store.study(study).note
    assert told.count(None) == 1 and set(told) == {None, kept} and kept == f"note {told.index(None)}"


def test_a_pin_has_a_note_that_pinning_again_keeps(store: Store, other: Store) -> None:
    study = store.submit(StudyConfig())
    store.pin(study, "lambda=0", "for Monday")
    store.pin(study, "lambda=0")
    assert [p.label for p in store.pins()] == ["for Monday"]
    assert other.pin(study, "lambda=0", "theirs", read="for Monday") is None
    assert store.pin(study, "lambda=0", "mine", read="for Monday") == "theirs"
    assert [p.label for p in store.pins()] == ["theirs"]
    assert store.pin(study, "lambda=0", "", read="theirs") is None
    assert [p.label for p in store.pins()] == [""]
