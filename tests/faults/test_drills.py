"""What must survive: kill -9 of the job, of the supervisor, of both; freezing; cancelling; crashes; damaged checkpoints; a full disk."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from mrp_core.config import OuterConfig, StudyConfig
from mrp_core.results import StudyState
from mrp_core.store import Progress, Store
from mrp_core.store.queue import Queue
from mrp_core.store.schema import CHECKPOINT, JOB
from tests.faults.bodies import STEPS

ROOT = Path(__file__).resolve().parents[2]
BODIES = ",".join(f"{k}=tests.faults.bodies:{k}" for k in ("walk", "hang", "crash", "wrong", "bug"))
FINAL = (StudyState.DONE, StudyState.FAILED, StudyState.CANCELLED)


class Site:
    """A store in a folder of its own, and the supervisors started for it."""

    def __init__(self, home: Path) -> None:
        self.environment = {**os.environ, "MRP_HOME": str(home), "MRP_BODIES": BODIES, "MRP_HEARTBEAT_SECONDS": "0.3", "MRP_LEASE_SECONDS": "2",
                            "MRP_GRACE_SECONDS": "1", "MRP_CHECKPOINT_SECONDS": "0", "PYTHONPATH": str(ROOT)}
        self.environment.pop("MRP_STORE", None)
        self.store = Store.open(f"sqlite:///{home / 'studies.db'}")
        self.started: list[subprocess.Popen[bytes]] = []
        self._seed = 0

    def supervisor(self, **environment: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen([sys.executable, "-m", "mrp_core.jobs.supervisor"], env={**self.environment, **environment}, cwd=ROOT, start_new_session=True)
        self.started.append(process)
        return process

    def submit(self, kind: str, owner: str = "local") -> str:
        self._seed += 1
        return self.store.submit(StudyConfig(outer=OuterConfig(first_seed=self._seed)), owner=owner, kind=kind)

    def wait(self, study: str, until: Callable[[Progress], bool], seconds: float = 30.0) -> Progress:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            progress = self.store.progress(study)
            assert progress is not None
            if until(progress):
                return progress
            time.sleep(0.02)
        raise AssertionError(f"not reached within {seconds} s: {self.store.progress(study)}")

    def end(self, study: str) -> Progress:
        return self.wait(study, lambda p: p.state in FINAL)

    def at_step(self, study: str, step: int) -> Progress:
        return self.wait(study, lambda p: p.state is StudyState.RUNNING and p.step >= step)

    def pid(self, study: str) -> int:
        with self.store.database.read() as connection:
            return int(connection.execute(select(JOB.c.pid).where(JOB.c.study == study)).scalar_one())

    def result(self, study: str) -> dict[str, float]:
        path = self.store.artifact_path(study, "result.json")
        assert path is not None
        return json.loads(path.read_bytes())

    def said(self, study: str) -> str:
        return " | ".join(e.what for e in self.store.events(study))


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("MRP_HOME", str(tmp_path))
    made = Site(tmp_path)
    yield made
    for process in made.started:
        for s in (signal.SIGCONT, signal.SIGTERM):
            if process.poll() is None:
                process.send_signal(s)
    for process in made.started:
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    made.store.close()


def expected(first_seed: int) -> float:
    """The undisturbed walk."""
    x = 0.3 + 0.001 * first_seed
    for _ in range(STEPS):
        x = 3.9 * x * (1.0 - x)
    return x


def assert_undisturbed(site: Site, study: str) -> None:
    """Same last value, each point once, each step of the training curve once."""
    assert site.result(study) == {"step": STEPS, "x": expected(site.store.study(study).config.outer.first_seed)}
    assert [p.setting.value for p in site.store.points(study)] == [10.0, 20.0, 30.0]
    assert [c.x for c in site.store.curves(study) if c.name == "train:x"] == [tuple(float(i + 1) for i in range(STEPS))]


def test_undisturbed_and_submitting_twice(site: Site) -> None:
    study = site.submit("walk")
    assert site.store.submit(site.store.study(study).config) == study
    site.supervisor()
    assert site.end(study).state is StudyState.DONE
    assert_undisturbed(site, study)
    assert site.store.submit(site.store.study(study).config) == study
    assert site.store.progress(study).attempt == 1  # type: ignore[union-attr]


def test_killed_job_goes_on_from_its_checkpoint_and_says_so(site: Site) -> None:
    site.supervisor()
    study = site.submit("walk")
    site.at_step(study, 12)
    os.kill(site.pid(study), signal.SIGKILL)
    progress = site.end(study)
    assert (progress.state, progress.attempt) == (StudyState.DONE, 2)
    assert progress.resumed_from is not None and progress.resumed_from >= 10
    assert "goes on from the checkpoint" in site.said(study)
    assert_undisturbed(site, study)


def test_killed_supervisor_leaves_the_job_alone_and_the_next_adopts_it(site: Site) -> None:
    first = site.supervisor()
    study = site.submit("walk")
    site.at_step(study, 3)
    first.kill()
    first.wait()
    site.at_step(study, 8)
    site.supervisor()
    assert site.end(study).attempt == 1
    assert_undisturbed(site, study)


def test_killing_both_resumes_when_the_lease_ends(site: Site) -> None:
    first = site.supervisor()
    study = site.submit("walk")
    site.at_step(study, 12)
    first.kill()
    os.kill(site.pid(study), signal.SIGKILL)
    first.wait()
    site.supervisor()
    assert site.end(study).attempt == 2
    assert_undisturbed(site, study)


def test_a_frozen_host_is_taken_over_and_its_zombie_writes_nothing(site: Site) -> None:
    first = site.supervisor(MRP_HOST="host-a")
    study = site.submit("walk")
    site.at_step(study, 8)
    zombie = site.pid(study)
    for pid in (zombie, first.pid):
        os.kill(pid, signal.SIGSTOP)
    site.supervisor(MRP_HOST="host-b")
    site.wait(study, lambda p: p.attempt == 2)
    os.kill(zombie, signal.SIGCONT)
    assert site.end(study).attempt == 2
    os.kill(first.pid, signal.SIGCONT)
    assert_undisturbed(site, study)


def test_cancel_queued_running_and_hung(site: Site) -> None:
    queued = site.submit("walk")
    site.store.cancel(queued)
    assert site.store.progress(queued).state is StudyState.CANCELLED  # type: ignore[union-attr]
    site.supervisor()
    running = site.submit("walk")
    site.at_step(running, 7)
    site.store.cancel(running)
    assert site.end(running).state is StudyState.CANCELLED
    site.store.resume(running)
    assert site.end(running).state is StudyState.DONE
    assert_undisturbed(site, running)
    hung = site.submit("hang")
    site.at_step(hung, 5)
    site.store.cancel(hung)
    assert site.end(hung).state is StudyState.CANCELLED


def test_a_wrong_setting_fails_once_with_its_sentence_and_a_bug_with_its_name(site: Site) -> None:
    site.supervisor()
    wrong, bug = site.submit("wrong"), site.submit("bug")
    progress = site.end(wrong)
    assert (progress.state, progress.attempt, progress.error) == (StudyState.FAILED, 1, "rate is 7, but must lie between 0 and 1.")
    progress = site.end(bug)
    assert progress.state is StudyState.FAILED and "ZeroDivisionError" in str(progress.error)


@pytest.mark.slow
def test_a_crash_loop_ends_after_three_tries_and_nothing_stored_is_lost(site: Site) -> None:
    site.supervisor()
    study = site.submit("crash")
    progress = site.end(study)
    assert (progress.state, progress.attempt) == (StudyState.FAILED, 3)
    assert "3 times in a row" in str(progress.error)


def test_draining_takes_a_checkpoint_and_costs_no_try(site: Site) -> None:
    first = site.supervisor()
    study = site.submit("walk")
    site.at_step(study, 7)
    first.terminate()
    first.wait(10)
    assert site.store.progress(study).state is StudyState.QUEUED  # type: ignore[union-attr]
    site.supervisor()
    assert site.end(study).state is StudyState.DONE
    assert_undisturbed(site, study)


def test_a_truncated_checkpoint_falls_back_to_the_one_before(site: Site) -> None:
    first = site.supervisor()
    study = site.submit("walk")
    site.at_step(study, 17)
    first.kill()
    os.kill(site.pid(study), signal.SIGKILL)
    first.wait()
    with site.store.database.read() as connection:
        rows = connection.execute(select(CHECKPOINT).where(CHECKPOINT.c.study == study).order_by(CHECKPOINT.c.step.desc())).all()
    assert len(rows) == 2
    newest = site.store.home / rows[0].file
    newest.write_bytes(newest.read_bytes()[:7])
    site.supervisor()
    progress = site.end(study)
    assert progress.resumed_from == rows[1].step
    assert "1 damaged checkpoint skipped" in site.said(study)
    assert_undisturbed(site, study)


def test_checkpoints_that_can_not_be_written_do_not_fail_the_job(site: Site) -> None:
    (site.store.home / "checkpoints").write_text("a file where the folder should be: every checkpoint fails to be written", encoding="utf-8")
    site.supervisor()
    study = site.submit("walk")
    assert site.end(study).state is StudyState.DONE
    assert_undisturbed(site, study)


def test_claimers_side_by_side_never_take_a_job_twice(site: Site) -> None:
    studies = {site.submit("walk", owner=f"person {i % 3}") for i in range(40)}
    taken: list[str] = []

    def claim(name: str) -> None:
        queue = Queue(Store.open(f"sqlite:///{site.store.home / 'studies.db'}").database)
        while (found := queue.claim(name, "cpu:0", lease=60.0)) is not None:
            taken.append(found.study)

    threads = [threading.Thread(target=claim, args=(f"host {i}",)) for i in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert sorted(taken) == sorted(studies)
