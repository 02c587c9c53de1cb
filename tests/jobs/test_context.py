"""What a job's body is promised: reports that cost little, stops that are told apart, checkpoints that never raise."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mrp_core.config import StudyConfig
from mrp_core.errors import JobCancelled, JobInterrupted, StoreError
from mrp_core.jobs.context import JobContext, SilentContext
from mrp_core.jobs.settings import JobTimes
from mrp_core.jobs.stored import CURVE_STEPS, StoredContext
from mrp_core.results import Point
from mrp_core.settings import UNPROTECTED
from mrp_core.store import Progress, Store
from mrp_core.store.attempt import Attempt, Metric
from mrp_core.store.queue import Queue

POINT = Point(setting=UNPROTECTED, seed=0, values={"accuracy": (0.5,)})
TIMES = JobTimes(checkpoint=0.0, patience=1.0)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store.open(f"sqlite:///{tmp_path / 'studies.db'}")
    made.home = tmp_path
    made.submit(StudyConfig())
    yield made
    made.close()


@pytest.fixture
def job(store: Store) -> StoredContext:
    return again(store)


def again(store: Store) -> StoredContext:
    claim = Queue(store.database).claim("here", "cpu:0", lease=60.0)
    assert claim is not None
    return StoredContext(Attempt(store.database, store.home, claim), TIMES, "me")


def progress(store: Store) -> Progress:
    found = store.progress(StudyConfig().id)
    assert found is not None
    return found


def fails(*_: object, **__: object) -> None:
    raise StoreError("The store is away.")


def test_both_contexts_do_what_a_body_needs(job: StoredContext) -> None:
    body: JobContext
    for body in (job, SilentContext(checkpoint_seconds=0.0)):
        assert body.load_checkpoint() is None and body.get_artifact("a.bin") is None and body.stored_settings() == frozenset()
        assert not body.stop_requested() and body.checkpoint_due()
        body.report("train", 1, 2, {"loss": 1.0})
        for step in (1, 2, 3):
            body.save_checkpoint(step, bytes([step]))
        body.put_results([POINT], [])
        body.put_artifact("a.bin", b"a")
        assert body.load_checkpoint() == (3, b"\x03") and body.get_artifact("a.bin") == b"a" and body.stored_settings() == {UNPROTECTED}


def test_the_silent_context_stops_when_told_and_the_shared_one_keeps_nothing() -> None:
    context = SilentContext(stop_after=2)
    context.report("train", 1, 9, {})
    assert not context.stop_requested()
    context.report("train", 2, 9, {})
    assert context.stop_requested()
    with pytest.raises(JobInterrupted):
        context.report("train", 3, 9, {})
    silent = SilentContext(keep=False)
    silent.put_results([POINT], [])
    silent.save_checkpoint(1, b"x")
    assert silent.load_checkpoint() is None and silent.stored_settings() == frozenset() and not silent.checkpoint_due()


def test_reports_are_written_rarely_and_the_last_one_always(store: Store, job: StoredContext) -> None:
    before = store.version(StudyConfig().id)
    for step in range(1, 201):
        job.report("train", step, 200, {"loss": 1.0 / step})
    assert store.version(StudyConfig().id) - before < 20
    assert (progress(store).step, progress(store).total, progress(store).phase, progress(store).values) == (200, 200, "train", {"loss": 1.0 / 200})
    assert store.curves(StudyConfig().id)[0].x == tuple(float(s) for s in range(1, 201))


def test_a_long_training_stores_a_curve_of_bounded_length(store: Store, job: StoredContext) -> None:
    total = 10 * CURVE_STEPS + 3
    for step in range(1, total + 1):
        job.report("train", step, total, {"loss": 1.0})
    x = store.curves(StudyConfig().id)[0].x
    assert len(x) <= CURVE_STEPS + 1 and x[-1] == total


def test_time_left_is_unknown_at_first_and_per_phase(store: Store, job: StoredContext) -> None:
    job.report("train", 50, 100, {})
    assert progress(store).seconds_left is None
    time.sleep(0.55)
    job.report("train", 60, 100, {})
    left = progress(store).seconds_left
    assert left is not None and 2.0 < left < 30.0
    job._written = 0.0
    job.report("audit", 1, 10, {})
    assert (progress(store).phase, progress(store).seconds_left) == ("audit", None)


def test_cancelled_and_interrupted_are_told_apart(job: StoredContext) -> None:
    job.interrupted.set()
    assert job.stop_requested()
    with pytest.raises(JobInterrupted):
        job.report("train", 1, 9, {})
    job.cancelled.set()
    with pytest.raises(JobCancelled):
        job.report("train", 1, 9, {})


def test_reports_made_while_the_store_is_away_are_written_later(store: Store, job: StoredContext, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as away:
        away.setattr(Attempt, "report", fails)
        for step in (1, 2, 3):
            job._written = 0.0
            job.report("train", step, 4, {"loss": float(step)})
    assert store.curves(StudyConfig().id) == []
    job.report("train", 4, 4, {"loss": 4.0})
    assert store.curves(StudyConfig().id)[0].y == (1.0, 2.0, 3.0, 4.0)


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), StoreError("The disk is full.")])
def test_a_checkpoint_that_cannot_be_written_is_skipped(job: StoredContext, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    job.save_checkpoint(5, b"five")

    def full(*_: object) -> None:
        raise error

    with monkeypatch.context() as away:
        away.setattr(Attempt, "save_checkpoint", full)
        job.save_checkpoint(10, b"ten")
    assert job.load_checkpoint() == (5, b"five")


def test_results_are_written_when_the_store_is_back_and_given_up_after_the_patience(job: StoredContext, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []

    def once(self: Attempt, *_: object) -> None:
        calls.append(1)
        if len(calls) < 2:
            fails()

    with monkeypatch.context() as away:
        away.setattr(Attempt, "put_results", once)
        job.put_results([POINT], [])
        assert len(calls) == 2
        away.setattr(Attempt, "put_results", fails)
        with pytest.raises(StoreError):
            job.put_results([POINT], [])


def test_resuming_says_so_and_skips_damaged_checkpoints(store: Store, job: StoredContext) -> None:
    for step in (5, 10):
        job.report("train", step, 20, {"loss": 1.0})
        job.save_checkpoint(step, f"{step}".encode())
    job._written = 0.0
    job.report("train", 12, 20, {"loss": 1.0})
    job.put_results([POINT], [])
    Queue(store.database).release(job.attempt.claim, "Killed.", "me", fault=True)
    assert progress(store).error == "Killed."
    second = again(store)
    file = next((store.home / "checkpoints").rglob("*step10.ckpt"))
    file.write_bytes(b"1")
    assert second.load_checkpoint() == (5, b"5")
    assert progress(store).resumed_from == 5 and progress(store).error is None
    assert store.curves(StudyConfig().id)[0].x == (5.0,)
    assert second.stored_settings() == {UNPROTECTED}
    said = [e.what for e in store.events(StudyConfig().id)]
    assert said[-2:] == ["goes on from the checkpoint of step 5; 1 damaged checkpoint skipped", "goes on after 1 measured settings"]
    for left in (store.home / "checkpoints").rglob("*.ckpt"):
        left.unlink()
    assert second.load_checkpoint() is None
    assert "from the beginning" in store.events(StudyConfig().id)[-1].what


def test_a_metric_is_one_row_a_step(store: Store, job: StoredContext) -> None:
    job.attempt.report(Metric("train", 1, {}), 2, None, [Metric("train", 1, {"loss": 1.0}), Metric("train", 1, {"loss": 2.0})])
    assert store.curves(StudyConfig().id)[0].y == (2.0,)
