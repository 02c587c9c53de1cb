"""What a supervisor and a job's process decide: slots, times, bodies, who is still alive, and what kind of error is whose fault."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import update

from mrp_core.config import ComputeOptions, OuterConfig, StudyConfig
from mrp_core.errors import ConfigError, DataError, StoreError
from mrp_core.jobs import ensure_supervisor
from mrp_core.jobs.lock import take_lock
from mrp_core.jobs.process import origin, run_claim
from mrp_core.jobs.settings import JobTimes, body_path, process_start, signal_job, slots_from_environment
from mrp_core.jobs.supervisor import Supervisor, supervise, take_back
from mrp_core.results import StudyState
from mrp_core.store import Store
from mrp_core.store.queue import Claim, Queue
from mrp_core.store.schema import JOB

CONFIG = StudyConfig()
TIMES = JobTimes(heartbeat=0.1, patience=0.5, backoff=0.0)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.setenv("MRP_HOME", str(tmp_path))
    made = Store.open()
    yield made
    made.close()


def claim(store: Store, host: str = "here", kind: str = "study") -> Claim:
    store.submit(CONFIG, kind=kind)
    found = Queue(store.database).claim(host, "cpu:0", lease=60.0)
    assert found is not None
    return found


def set_job(store: Store, **values: object) -> None:
    with store.database.write() as connection:
        connection.execute(update(JOB).values(**values))


def state(store: Store) -> StudyState:
    progress = store.progress(CONFIG.id)
    assert progress is not None
    return progress.state


def test_times_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (JobTimes.from_environment().heartbeat, JobTimes.from_environment().lease) == (5.0, 30.0)
    monkeypatch.setenv("MRP_LEASE_SECONDS", "7.5")
    assert JobTimes.from_environment().lease == 7.5
    for wrong in ("soon", "-1", "nan", "inf"):
        monkeypatch.setenv("MRP_LEASE_SECONDS", wrong)
        with pytest.raises(ConfigError, match="MRP_LEASE_SECONDS"):
            JobTimes.from_environment()


def test_slots_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MRP_SLOTS", "cpu:0, cuda:1")
    assert slots_from_environment() == ("cpu:0", "cuda:1")
    monkeypatch.delenv("MRP_SLOTS")
    assert slots_from_environment()[0] == "cpu:0"
    for wrong in ("", "tpu:0"):
        monkeypatch.setenv("MRP_SLOTS", wrong)
        with pytest.raises(ConfigError, match="MRP_SLOTS"):
            slots_from_environment()


def test_bodies_are_named_by_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    assert body_path("study") == "mrp_core.engine:run_study"
    monkeypatch.setenv("MRP_BODIES", "drill=a.b:c")
    assert body_path("drill") == "a.b:c"
    with pytest.raises(ConfigError, match="'other'"):
        body_path("other")


def test_only_the_recorded_process_is_signalled() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True)
    started = process_start(child.pid)
    assert started is not None and process_start(os.getpid()) is not None
    signal_job(child.pid, "another start", signal.SIGKILL)
    signal_job(child.pid, None, signal.SIGKILL)
    assert child.poll() is None
    signal_job(child.pid, started, signal.SIGKILL)
    assert child.wait(10) == -signal.SIGKILL
    assert process_start(child.pid) is None
    signal_job(child.pid, started, signal.SIGKILL)
    assert child.stdin is not None
    child.stdin.close()


def test_jobs_whose_process_is_gone_are_taken_back_at_once_and_others_left(store: Store) -> None:
    queue = Queue(store.database)
    claim(store)
    take_back(queue, "here", TIMES)
    assert state(store) is StudyState.RUNNING, "its process has not signed in yet"
    set_job(store, pid=os.getpid(), pid_start=process_start(os.getpid()))
    take_back(queue, "here", TIMES)
    assert state(store) is StudyState.RUNNING
    set_job(store, pid_start="another start")
    take_back(queue, "there", TIMES)
    assert state(store) is StudyState.RUNNING, "another host's processes can't be seen"
    take_back(queue, "here", TIMES)
    assert state(store) is StudyState.QUEUED
    assert "process is gone" in store.events(CONFIG.id)[-1].what


def test_leases_that_ran_out_are_taken_back_unless_the_supervisor_was_away(store: Store) -> None:
    claim(store, host="there")
    set_job(store, lease_until=1.0)
    take_back(Queue(store.database), "here", TIMES, leases=False)
    assert state(store) is StudyState.RUNNING
    take_back(Queue(store.database), "here", TIMES)
    assert state(store) is StudyState.QUEUED


def test_slots_serve_their_device(store: Store) -> None:
    both = Supervisor(store, TIMES, ("cpu:0", "cuda:0"))
    assert (both._devices("cpu:0"), both._devices("cuda:0")) == (("cpu",), ("cuda",))
    assert Supervisor(store, TIMES, ("cpu:0",))._devices("cpu:0") == ("cpu", "cuda"), "or a job for a card would wait for ever"


def test_a_lock_is_held_by_one(store: Store, tmp_path: Path) -> None:
    lock = take_lock(store.home)
    assert lock is not None
    assert take_lock(store.home) is None
    assert supervise() is False and ensure_supervisor(store) is False
    lock.close()
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="MRP_HOME"):
        take_lock(tmp_path / "file")


def raising(error: Exception) -> object:
    def body(*_: object) -> None:
        raise error

    return body


@pytest.mark.parametrize(("error", "end", "said"), [
    (DataError("The file is gone."), StudyState.FAILED, "The file is gone."),
    (ZeroDivisionError("a bug"), StudyState.FAILED, "ZeroDivisionError: a bug"),
    (OSError(28, "No space left on device"), StudyState.QUEUED, "No space left"),
    (MemoryError(), StudyState.QUEUED, "MemoryError"),
    (StoreError("The store is away."), StudyState.QUEUED, "The store is away."),
])
def test_a_fault_of_the_setting_fails_and_one_of_the_surroundings_is_tried_again(
        store: Store, monkeypatch: pytest.MonkeyPatch, error: Exception, end: StudyState, said: str) -> None:
    monkeypatch.setenv("MRP_BODIES", "odd=tests.faults.bodies:walk")
    monkeypatch.setattr("tests.faults.bodies.walk", raising(error))
    assert run_claim(store, claim(store, kind="odd"), TIMES) is end
    progress = store.progress(CONFIG.id)
    assert progress is not None and progress.state is end and said in str(progress.error)


def test_a_kind_that_this_program_does_not_know_fails_with_a_sentence(store: Store) -> None:
    assert run_claim(store, claim(store, kind="other"), TIMES) is StudyState.FAILED


def test_a_lost_lease_ends_the_attempt_without_a_word(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MRP_BODIES", "odd=tests.faults.bodies:walk")
    old = claim(store, kind="odd")
    Queue(store.database).release(old, "frozen", "another host", fault=True)
    Queue(store.database).claim("there", "cpu:0", lease=60.0)
    version = store.version(CONFIG.id)
    assert run_claim(store, old, TIMES) is None
    assert store.version(CONFIG.id) == version


def test_origin_tells_where_results_come_from() -> None:
    assert {"machine", "processor", "cores", "python", "torch", "date"} <= set(origin())


def test_a_study_waits_while_it_is_held_for_who_runs_it_here(store: Store) -> None:
    study = StudyConfig(outer=OuterConfig(first_seed=3))
    store.submit(study, ComputeOptions(), hold=60.0)
    queue = Queue(store.database)
    assert queue.claim("here", "cpu:0", lease=60.0) is None
    assert queue.claim("here", "foreground", lease=60.0, study=study.id) is not None
