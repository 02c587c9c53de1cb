"""The record of studies: what goes in comes out, nothing is lost, and every failure is one sentence."""

from __future__ import annotations

import json
import math
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import text, update

from mrp_core import __version__, cost
from mrp_core.config import ComputeOptions, OuterConfig, StudyConfig
from mrp_core.errors import ConfigError, MRPError, StoreError
from mrp_core.results import Curve, Point, StudyState
from mrp_core.settings import UNPROTECTED, Setting
from mrp_core.store import Store
from mrp_core.store.attempt import LeaseLost, Metric
from mrp_core.store.queue import MAX_TRIES, Claim, Queue
from mrp_core.store.schema import JOB, STUDY
from mrp_core.studyfile import StudyFile
from tests.store.claims import claimed, state

CONFIG = StudyConfig(title="First")


def point(setting: Setting = UNPROTECTED, seed: int = 0, value: float = 0.5) -> Point:
    return Point(setting=setting, seed=seed, values={"accuracy": (value, math.nan)}, notes={"accuracy": "one task is not resolved"})


def test_a_study_is_kept_over_a_restart(store: Store) -> None:
    study = store.submit(CONFIG, ComputeOptions(precision="float64"), "ann")
    again = Store.open(store.database.url)
    row = again.study(study)
    again.close()
    assert (row.id, row.title, row.owner, row.config, row.state, row.n_points, row.code_version) == (
        CONFIG.id, "First", "ann", CONFIG, StudyState.QUEUED, 0, __version__)


def test_submitting_again_changes_nothing_unless_it_has_stopped(store: Store) -> None:
    study = store.submit(CONFIG)
    version = store.version(study)
    assert store.submit(CONFIG) == study
    assert store.version(study) == version
    attempt = claimed(store, study)
    assert store.submit(CONFIG) == study
    attempt.finish(StudyState.FAILED, "No.", "me", {})
    assert state(store, study) is StudyState.FAILED
    store.submit(CONFIG, ComputeOptions(device="cuda"))
    assert state(store, study) is StudyState.QUEUED
    assert Queue(store.database).claim("here", "cpu:0", lease=60.0) is None, "it asks for a card now"
    attempt = claimed(store, study)
    attempt.finish(StudyState.DONE, None, "me", {"machine": "mine"})
    store.submit(CONFIG)
    assert state(store, study) is StudyState.DONE


def test_the_version_grows_with_every_change_and_not_by_looking(store: Store) -> None:
    study = store.submit(CONFIG)
    attempt = claimed(store, study)
    acts = [lambda: attempt.report(Metric("train", 1, {"loss": 1.0}), 10, None, []), lambda: attempt.put_results([point()], []),
            lambda: attempt.put_artifact("a.bin", b"a"), lambda: store.rename(study, "Other"), lambda: store.set_note(study, "note"),
            lambda: store.pin(study, "lambda=0"), lambda: store.unpin(study, "lambda=0"), lambda: store.cancel(study), lambda: store.delete(study),
            lambda: store.undelete(study), lambda: attempt.finish(StudyState.DONE, None, "me", {})]
    for act in acts:
        before = store.version(study)
        store.studies(), store.progress(study), store.points(study), store.curves(study), store.events(study), store.pins()
        assert store.version(study) == before
        act()
        assert store.version(study) > before


def test_points_and_curves_come_back_and_replace_those_of_the_same_key(store: Store) -> None:
    study = store.submit(CONFIG)
    attempt = claimed(store, study)
    roc = Curve(setting=UNPROTECTED, name="roc:lira", x=(0.0, 1.0), y=(0.0, 1.0), low=(0.0, 0.9), high=(0.1, 1.0), note="step convention")
    attempt.put_results([point(seed=0, value=0.25), point(seed=1), point(Setting("epsilon", math.inf))], [roc])
    attempt.put_results([point(seed=0, value=0.75)], [])
    found = store.points(study)
    assert [(p.setting.key, p.seed, p.values["accuracy"][0]) for p in found] == [("epsilon=inf", 0, 0.5), ("lambda=0", 0, 0.75), ("lambda=0", 1, 0.5)]
    assert all(math.isnan(p.values["accuracy"][1]) for p in found)
    assert store.curves(study) == [roc]
    assert attempt.stored_settings() == {UNPROTECTED, Setting("epsilon", math.inf)}
    assert store.study(study).n_points == 3


def test_metrics_become_training_curves_and_a_stored_curve_of_that_name_stands_in(store: Store) -> None:
    study = store.submit(CONFIG)
    attempt = claimed(store, study)
    attempt.report(Metric("train", 2, {"loss": 0.5}), 2, 0.0, [Metric("train", 1, {"loss": 1.0, "validation": 0.3}), Metric("train", 2, {"loss": 0.5})])
    loss, validation = store.curves(study)
    assert (loss.name, loss.x, loss.y, validation.x) == ("train:loss", (1.0, 2.0), (1.0, 0.5), (1.0,))
    stored = Curve(setting=None, name="train:validation", x=(5.0,), y=(0.9,))
    attempt.put_results([], [stored])
    assert store.curves(study) == [loss, stored]


def test_a_stale_attempt_writes_nothing(store: Store) -> None:
    study = store.submit(CONFIG)
    old = claimed(store, study)
    assert Queue(store.database).release(old.claim, "frozen", "another host", fault=True) is StudyState.QUEUED
    new = claimed(store, study)
    assert new.claim.attempt == old.claim.attempt + 1
    writes = [lambda: old.beat(60.0, 1, "1"), lambda: old.begin("me"), lambda: old.report(Metric("train", 9, {"loss": 9.0}), 9, None, [Metric("train", 9, {"loss": 9.0})]),
              lambda: old.put_results([point()], []), lambda: old.save_checkpoint(9, b"old", []), lambda: old.put_artifact("a.bin", b"old"), lambda: old.resumed(9, "no", "me"),
              lambda: old.mark_resumed(9, "no", "me"), lambda: old.finish(StudyState.DONE, None, "me", {})]
    version = store.version(study)
    for write in writes:
        with pytest.raises(LeaseLost):
            write()
    assert Queue(store.database).release(old.claim, "no", "me", fault=True) is None
    assert (store.version(study), store.points(study), store.curves(study), list(new.checkpoints()), new.get_artifact("a.bin")) == (version, [], [], [], None)


def test_two_checkpoints_are_kept_and_a_damaged_one_is_told(store: Store) -> None:
    study = store.submit(CONFIG)
    attempt = claimed(store, study)
    for step in (5, 10, 15):
        attempt.save_checkpoint(step, f"state {step}".encode(), [Metric("train", step, {"loss": 1.0 / step})])
    folder = store.home / "checkpoints" / study
    assert sorted(p.name for p in folder.iterdir()) == ["attempt1-step10.ckpt", "attempt1-step15.ckpt"]
    (folder / "attempt1-step15.ckpt").write_bytes(b"state 1")
    assert list(attempt.checkpoints()) == [(15, None), (10, b"state 10")]
    assert store.curves(study)[0].x == (5.0, 10.0, 15.0)
    attempt.finish(StudyState.DONE, None, "me", {})
    assert list(folder.iterdir()) == [] and list(attempt.checkpoints()) == []


def test_resuming_drops_what_earlier_attempts_reported_beyond(store: Store) -> None:
    study = store.submit(CONFIG)
    first = claimed(store, study)
    first.report(Metric("train", 3, {}), 9, None, [Metric("train", s, {"loss": float(s)}) for s in (1, 2, 3)])
    Queue(store.database).release(first.claim, "killed", "me", fault=True)
    second = claimed(store, study)
    second.resumed(2, "goes on from the checkpoint of step 2", "me")
    assert store.curves(study)[0].x == (1.0, 2.0)
    progress = store.progress(study)
    assert progress is not None and progress.resumed_from == 2
    assert store.events(study)[-1].what == "goes on from the checkpoint of step 2"


def test_artifacts_lie_under_their_hash_and_a_damaged_one_is_none(store: Store) -> None:
    study = store.submit(CONFIG)
    attempt = claimed(store, study)
    attempt.put_artifact("strategy.safetensors", b"one")
    old = store.artifact_path(study, "strategy.safetensors")
    attempt.put_artifact("strategy.safetensors", b"two")
    path = store.artifact_path(study, "strategy.safetensors")
    assert old is not None and path is not None and path.suffix == ".safetensors"
    assert not old.exists() and attempt.get_artifact("strategy.safetensors") == b"two"
    path.write_bytes(b"TWO")
    assert attempt.get_artifact("strategy.safetensors") is None
    path.write_bytes(b"t")
    assert store.artifact_path(study, "strategy.safetensors") is None
    assert store.artifact_path(study, "other") is None
    with pytest.raises(StoreError, match="plain file name"):
        attempt.put_artifact("../outside", b"x")


def test_faults_in_a_row_end_a_job_and_clean_stops_and_progress_do_not(store: Store) -> None:
    study, queue = store.submit(CONFIG), Queue(store.database)
    for _ in range(5):
        assert queue.release(claimed(store, study).claim, "drained", "me", fault=False) is StudyState.QUEUED
    for _ in range(5):
        attempt = claimed(store, study)
        attempt.put_results([point()], [])
        assert queue.release(attempt.claim, "killed", "me", fault=True) is StudyState.QUEUED
    for _ in range(MAX_TRIES - 2):  # the last attempt that got further counts as one
        assert queue.release(claimed(store, study).claim, "Killed.", "me", fault=True) is StudyState.QUEUED
    assert queue.release(claimed(store, study).claim, "Killed.", "me", fault=True) is StudyState.FAILED
    progress = store.progress(study)
    assert progress is not None and "3 times in a row" in str(progress.error) and "Killed." in str(progress.error)
    store.resume(study)
    assert state(store, study) is StudyState.QUEUED


def test_the_next_try_waits_longer_each_time(store: Store) -> None:
    study, queue = store.submit(CONFIG), Queue(store.database)
    pauses = []
    for _ in range(2):
        queue.release(claimed(store, study).claim, "Killed.", "me", fault=True, backoff=10.0)
        with store.database.read() as connection:
            pauses.append(connection.execute(text("select not_before - (julianday('now') - 2440587.5) * 86400.0 from job")).scalar_one())
        assert queue.claim("here", "cpu:0", lease=60.0) is None
    assert pauses == [pytest.approx(10.0, abs=3.0), pytest.approx(20.0, abs=3.0)]


def test_a_withdrawn_cancellation_queues_the_job_again(store: Store) -> None:
    study = store.submit(CONFIG)
    attempt = claimed(store, study)
    store.cancel(study)
    progress = store.progress(study)
    assert progress is not None and progress.cancel_requested and attempt.beat(60.0, 1, "1")
    store.resume(study)
    assert Queue(store.database).release(attempt.claim, "stopped", "me", fault=False) is StudyState.QUEUED


def test_deleting_can_be_undone_and_stops_what_waits(store: Store) -> None:
    study, other = store.submit(CONFIG), store.submit(StudyConfig(title="Second", outer=OuterConfig(first_seed=9)))
    store.pin(study, "lambda=0.6", "mine")
    store.delete(study)
    assert ([r.id for r in store.studies()], [r.id for r in store.studies(deleted=True)], store.pins()) == ([other], [study], [])
    assert state(store, study) is StudyState.CANCELLED
    store.undelete(study)
    assert [r.title for r in store.studies()] == ["Second", "First"]
    assert [(p.study, p.setting_key, p.label) for p in store.pins()] == [(study, "lambda=0.6", "mine")]
    store.delete(study)
    store.submit(CONFIG)
    assert state(store, study) is StudyState.QUEUED and not store.study(study).deleted


def test_words_have_limits_and_a_renamed_study_keeps_its_id(store: Store) -> None:
    study = store.submit(CONFIG)
    store.rename(study, "  Ünïcode <b>λ</b>\n'; drop table study; -- ")
    store.set_note(study, "because")
    row = store.study(study)
    assert (row.title, row.note, row.config.id) == ("Ünïcode <b>λ</b> '; drop table study; --", "because", study)
    assert row.config.title == row.title
    for act in (lambda: store.rename(study, " "), lambda: store.rename(study, "x" * 201), lambda: store.set_note(study, "x" * 10_001),
                lambda: store.pin(study, "lambda=0", "x" * 201), lambda: store.pin(study, "nonsense=1"), lambda: store.pin(study, "lambda=nan")):
        with pytest.raises(ConfigError):
            act()


def test_pins_are_set_once_each_and_samples_can_be_pinned(store: Store) -> None:
    study = store.submit(CONFIG)
    for label in ("one", "two"):
        store.pin(study, "lambda=0.6", label)
    store.pin("letters", "epsilon=3")
    assert [(p.study, p.setting_key, p.label) for p in store.pins()] == [(study, "lambda=0.6", "two"), ("letters", "epsilon=3", "")]
    assert store.study(study).pinned == ("lambda=0.6",)
    store.unpin(study, "lambda=0.6")
    store.unpin(study, "lambda=0.6")
    assert store.study(study).pinned == ()


def test_an_exported_study_is_imported_as_it_was(store: Store, tmp_path: Path) -> None:
    study = store.submit(CONFIG)
    attempt = claimed(store, study)
    attempt.put_results([point(), point(Setting("lambda", 1.2))], [Curve(setting=UNPROTECTED, name="roc:lira", x=(0.0,), y=(1.0,))])
    attempt.put_artifact("strategy.safetensors", b"weights")
    attempt.finish(StudyState.DONE, None, "me", {"machine": "mine"})
    file = store.study_file(study)
    assert file.origin["machine"] == "mine" and file.origin["code_version"] == __version__
    other = Store.open(f"sqlite:///{tmp_path / 'other' / 'studies.db'}")
    other.home = tmp_path / "other"
    for _ in range(2):
        assert other.import_file(StudyFile.from_json(file.to_json(), strategy=file.strategy)) == study
    again = other.study_file(study)
    assert (again.to_json(), other.study(study).state) == (file.to_json(), StudyState.DONE)
    assert again.strategy is not None and again.strategy.read_bytes() == b"weights"
    other.submit(CONFIG)
    assert state(other, study) is StudyState.DONE
    other.close()


def test_an_import_leaves_a_running_study_alone(store: Store) -> None:
    study = store.submit(CONFIG)
    attempt = claimed(store, study)
    store.import_file(StudyFile(config=CONFIG, points=(point(),)))
    assert (store.points(study), state(store, study)) == ([], StudyState.RUNNING)
    attempt.finish(StudyState.FAILED, "No.", "me", {})
    store.import_file(StudyFile(config=CONFIG, points=(point(),)))
    assert (len(store.points(study)), state(store, study)) == (1, StudyState.DONE)


def test_results_of_another_version_are_noted(store: Store) -> None:
    study = store.submit(CONFIG)
    with store.database.write() as connection:
        connection.execute(update(STUDY).values(code_version="0.0.1"))
    claimed(store, study).begin("me")
    assert store.study(study).code_version == __version__
    assert "0.0.1" in store.events(study)[-1].what


def test_a_study_that_this_program_cannot_read_does_not_hide_the_others(store: Store) -> None:
    study, other = store.submit(CONFIG), store.submit(StudyConfig(outer=OuterConfig(first_seed=9)))
    raw = json.dumps({**CONFIG.to_dict(), "version": 99})
    with store.database.write() as connection:
        connection.execute(update(STUDY).where(STUDY.c.id == study).values(config=raw))
    assert [r.id for r in store.studies()] == [other]
    assert len(store.unreadable()) == 1 and "version 99" in store.unreadable()[0]
    with pytest.raises(StoreError, match="version 99"):
        store.study(study)


def test_unknown_studies_are_named(store: Store) -> None:
    for act in (store.study, store.points, store.curves, store.events, store.version, store.cancel, store.resume, store.delete, store.undelete, store.study_file):
        with pytest.raises(StoreError, match="no study 'nothing'"):
            act("nothing")
    assert store.progress("nothing") is None and store.artifact_path("nothing", "x") is None


def test_expired_leases_are_found_and_running_ones_are_not(store: Store) -> None:
    study, queue = store.submit(CONFIG), Queue(store.database)
    attempt = claimed(store, study)
    assert queue.expired() == [] and queue.waiting()
    with store.database.write() as connection:
        connection.execute(update(JOB).values(lease_until=1.0))
    assert [h.claim for h in queue.expired()] == [Claim(study, 1)]
    attempt.beat(60.0, 1, "1")
    assert queue.expired() == []


@pytest.mark.parametrize(("make", "said"), [
    (lambda folder: (folder / "studies.db").write_bytes(b"not a database at all" * 100), "damaged"),
    (lambda folder: (folder / "studies.db").mkdir(), "can't be"),
    (lambda folder: sqlite3.connect(folder / "studies.db").executescript("create table alembic_version (version_num text); insert into alembic_version values ('9999');").close(),
     "newer program"),
])
def test_an_unusable_store_is_one_sentence(tmp_path: Path, make: object, said: str) -> None:
    make(tmp_path)  # type: ignore[operator]
    with pytest.raises(StoreError, match=said) as caught:
        Store.open(f"sqlite:///{tmp_path / 'studies.db'}")
    assert "\n" not in str(caught.value)


def test_a_truncated_database_is_one_sentence(store: Store) -> None:
    for i in range(40):
        store.submit(StudyConfig(outer=OuterConfig(first_seed=i)))
    file = store.home / "studies.db"
    with store.database.write() as connection:
        connection.exec_driver_sql("select 1")
    store.close()
    for extra in store.home.glob("studies.db-*"):
        extra.unlink()
    file.write_bytes(file.read_bytes()[: 3 * 4096 + 100])
    with pytest.raises(StoreError, match="damaged"):
        Store.open(store.database.url).studies()


@pytest.mark.parametrize("url", ["nonsense", "mysql://host/db", "postgresql+nodriver://host/db", "sqlite:////proc/none/studies.db"])
def test_an_unusable_url_is_one_sentence(url: str) -> None:
    with pytest.raises(MRPError) as caught:
        Store.open(url)
    assert "\n" not in str(caught.value)


def test_a_password_is_never_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StoreError) as caught:
        Store.open("mysql://ann:secret@host/db")
    assert "secret" not in str(caught.value)


def test_a_full_disk_is_one_sentence_and_loses_nothing(store: Store) -> None:
    study = store.submit(CONFIG)
    with store.database.read() as connection:
        pages = connection.exec_driver_sql("pragma page_count").scalar_one()
        connection.exec_driver_sql(f"pragma max_page_count={pages + 1}")
    with pytest.raises(StoreError, match="disk is full") as caught:
        store.set_note(study, "x" * 10_000)
    assert "\n" not in str(caught.value)
    assert (store.study(study).note, store.study(study).title) == ("", "First")


def test_the_home_folder_comes_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MRP_HOME", str(tmp_path / "with ä % space"))
    store = Store.open()
    study = store.submit(CONFIG)
    assert (tmp_path / "with ä % space" / "studies.db").exists() and store.home == tmp_path / "with ä % space"
    store.close()
    monkeypatch.delenv("MRP_HOME")
    other = Store.open(f"sqlite:///{tmp_path / 'with ä % space' / 'studies.db'}")
    assert other.home == tmp_path / "with ä % space" and other.study(study).id == study
    other.close()


def test_the_rate_of_the_last_finished_study_replaces_the_default(store: Store) -> None:
    assert store.rate() is None
    study = store.submit(CONFIG)
    claimed(store, study).finish(StudyState.DONE, None, "me", {})
    with store.database.write() as connection:
        connection.execute(update(JOB).values(seconds=cost.START + 50.0))
    assert store.rate() == pytest.approx(cost.work(CONFIG) / 50.0)
    assert cost.seconds(CONFIG, store.rate()) == pytest.approx(cost.START + 50.0)
