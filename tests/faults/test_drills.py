"""What must survive: kill -9 of the job, of the supervisor, of both; freezing; cancelling; crashes; damaged checkpoints; a full disk."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from mrp_core.config import OuterConfig, StudyConfig
from mrp_core.jobs import ensure_supervisor
from mrp_core.jobs.lock import take_lock
from mrp_core.jobs.settings import process_start
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
        self.environment = {**os.environ, "MRP_HOME": str(home), "MRP_BODIES": BODIES, "MRP_HEARTBEAT_SECONDS": "0.3", "MRP_LEASE_SECONDS": "20",
                            "MRP_GRACE_SECONDS": "1", "MRP_CHECKPOINT_SECONDS": "0", "MRP_BACKOFF_SECONDS": "0.2", "MRP_SLOTS": "cpu:0", "PYTHONPATH": str(ROOT)}
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

    def wait(self, study: str, until: Callable[[Progress], bool], seconds: float = 60.0) -> Progress:
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

    def gone(self, pid: int) -> None:
        end = time.monotonic() + 10
        while process_start(pid) is not None:
            assert time.monotonic() < end, f"process {pid} lives on"
            time.sleep(0.02)

    def result(self, study: str) -> dict[str, float]:
        path = self.store.artifact_path(study, "result.json")
        assert path is not None
        return json.loads(path.read_bytes())

    def said(self, study: str) -> str:
        return " | ".join(e.what for e in self.store.events(study))


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("MRP_HOME", str(tmp_path))
    yield from sites(tmp_path)


def sites(home: Path) -> Iterator[Site]:
    """One site, cleaned up after use."""
    made = Site(home)
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


def test_killing_both_resumes_at_once_without_waiting_for_the_lease(site: Site) -> None:
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
    site.environment["MRP_LEASE_SECONDS"] = "4"
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
    site.gone(zombie)
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
    site.at_step(hung, 1)
    time.sleep(0.5)
    pid = site.pid(hung)
    site.store.cancel(hung)
    assert site.end(hung).state is StudyState.CANCELLED
    site.gone(pid)
    assert "asked to stop" in site.said(hung) and "ended after the grace" in site.said(hung)


def test_a_wrong_setting_fails_once_with_its_sentence_and_a_bug_with_its_name(site: Site) -> None:
    site.supervisor()
    wrong, bug = site.submit("wrong"), site.submit("bug")
    progress = site.end(wrong)
    assert (progress.state, progress.attempt, progress.error) == (StudyState.FAILED, 1, "rate is 7, but must lie between 0 and 1.")
    progress = site.end(bug)
    assert progress.state is StudyState.FAILED and "ZeroDivisionError" in str(progress.error)


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


def test_sigterm_to_the_job_alone_takes_a_checkpoint_and_costs_no_try(site: Site) -> None:
    site.supervisor()
    study = site.submit("walk")
    site.at_step(study, 7)
    os.kill(site.pid(study), signal.SIGTERM)
    progress = site.end(study)
    assert (progress.state, progress.attempt) == (StudyState.DONE, 2)
    with site.store.database.read() as connection:
        assert connection.execute(select(JOB.c.tries).where(JOB.c.study == study)).scalar_one() <= 1
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


def test_a_second_supervisor_leaves_and_the_app_starts_none(site: Site) -> None:
    site.supervisor()
    lock = site.store.home / f"supervisor.{os.uname().nodename}.lock"
    end = time.monotonic() + 20
    while not (lock.exists() and lock.read_text(encoding="utf-8")):
        assert time.monotonic() < end
        time.sleep(0.02)
    assert ensure_supervisor(site.store) is False
    assert site.supervisor().wait(20) == 0
    assert site.started[0].poll() is None


def test_the_app_starts_a_supervisor_that_outlives_it_and_leaves_when_idle(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    study = site.submit("walk")
    for name, value in {**site.environment, "MRP_IDLE_SECONDS": "0.5"}.items():
        monkeypatch.setenv(name, value)
    code = "from mrp_core.store import Store; from mrp_core.jobs import ensure_supervisor; raise SystemExit(not ensure_supervisor(Store.open()))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0  # the "app" is gone when this returns
    assert site.end(study).state is StudyState.DONE
    assert_undisturbed(site, study)
    end = time.monotonic() + 20
    while (lock := take_lock(site.store.home)) is None:
        assert time.monotonic() < end
        time.sleep(0.05)
    lock.close()


def test_a_store_held_by_another_program_only_delays(site: Site) -> None:
    """Longer than the busy timeout, so that reports and checkpoints fail, and longer than the lease."""
    site.environment["MRP_LEASE_SECONDS"] = "4"
    site.supervisor()
    study = site.submit("walk")
    site.at_step(study, 7)
    with sqlite3.connect(site.store.home / "studies.db", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        time.sleep(6.5)
        other.execute("COMMIT")
    other.close()
    assert site.end(study).state is StudyState.DONE
    assert_undisturbed(site, study)


def test_two_owners_share_two_slots_and_no_slot_holds_two(site: Site) -> None:
    studies = [site.submit("walk", owner="ann") for _ in range(3)] + [site.submit("walk", owner="bob")]
    queue = Queue(site.store.database)
    first, second = (queue.claim("host", f"cpu:{i}", lease=60.0) for i in range(2))
    assert first is not None and second is not None
    assert [first.study, second.study] == [studies[0], studies[3]]
    assert {held.slot for held in queue.running_on("host")} == {"cpu:0", "cpu:1"}
    assert queue.claim("host", "cpu:2", lease=60.0, owner_limit=1) is None


def test_many_kills_over_a_row_of_studies(site: Site) -> None:
    """Each attempt has got further, so that no number of kills ends a study."""
    site.environment["MRP_SLOTS"] = "cpu:0,cpu:1"
    site.supervisor()
    studies = [site.submit("walk") for _ in range(3)]
    for study in (*studies, studies[0]):
        if site.wait(study, lambda p: p.state in FINAL or (p.state is StudyState.RUNNING and p.step >= 6)).state is StudyState.RUNNING:
            os.kill(site.pid(study), signal.SIGKILL)
    for study in studies:
        assert site.end(study).state is StudyState.DONE
        assert_undisturbed(site, study)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)], capture_output=True, check=False).returncode:
        pytest.skip("a small disk can be mounted only by root")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_delays_a_study_and_loses_nothing(small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MRP_HOME", str(small_disk))
    for site in sites(small_disk):
        before = site.submit("walk")
        site.supervisor()
        assert site.end(before).state is StudyState.DONE
        study = site.submit("walk")
        site.at_step(study, 7)
        fill(small_disk / "filler")
        time.sleep(2.5)
        assert site.started[0].poll() is None, "the supervisor lives"
        (small_disk / "filler").unlink()
        assert site.end(study).state is StudyState.DONE
        assert_undisturbed(site, study)
        assert_undisturbed(site, before)
        with site.store.database.read() as connection:
            assert connection.exec_driver_sql("pragma integrity_check").scalar() == "ok"


def fill(path: Path) -> None:
    """Take all space that is left."""
    with path.open("wb", buffering=0) as file:
        for size in (65536, 4096, 512):
            while True:
                try:
                    file.write(b"x" * size)
                except OSError:
                    break
