"""A job taken from a store, and where it stands."""

from __future__ import annotations

from mrp_core.results import StudyState
from mrp_core.store import Store
from mrp_core.store.attempt import Attempt
from mrp_core.store.queue import Queue


def claimed(store: Store, study: str | None = None) -> Attempt:
    claim = Queue(store.database).claim("here", "cpu:0", lease=60.0, study=study)
    assert claim is not None
    return Attempt(store.database, store.home, claim)


def state(store: Store, study: str) -> StudyState:
    progress = store.progress(study)
    assert progress is not None
    return progress.state
