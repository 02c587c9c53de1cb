"""A real study, small: killed in training and again in the audit, it ends as the undisturbed one, bit for bit."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load
from sqlalchemy import select

from mrp_core.config import AuditConfig, ComputeOptions, OuterConfig, PrivacyConfig, StudyConfig, TaskConfig
from mrp_core.jobs.context import SilentContext
from mrp_core.results import StudyState
from mrp_core.store import Progress, Store
from mrp_core.store.schema import JOB

ROOT = Path(__file__).resolve().parents[2]
CONFIG = StudyConfig(
    title="Killed twice", task=TaskConfig(family="gaussian", mode="site", ways=2), privacy=PrivacyConfig(lambda_points=61, epsilons=(1.0, 3.0)),  # enough of an audit that a kill finds it under way
    outer=OuterConfig(iterations=80, meta_batch=4, seeds=2, hidden=(16,)), audit=AuditConfig(tasks=3, adaptations=32, records=10))


def reach(store: Store, until: Callable[[Progress], bool], seconds: float = 200.0) -> Progress:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        progress = store.progress(CONFIG.id)
        assert progress is not None
        if until(progress):
            return progress
        time.sleep(0.01)
    raise AssertionError(f"not reached: {store.progress(CONFIG.id)}")


def kill(store: Store) -> None:
    with store.database.read() as connection:
        os.kill(connection.execute(select(JOB.c.pid)).scalar_one(), signal.SIGKILL)


@pytest.mark.slow
def test_a_real_study_killed_twice_ends_as_the_undisturbed_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mrp_core.engine import run_study

    monkeypatch.setenv("MRP_HOME", str(tmp_path))
    environment = {**os.environ, "MRP_CHECKPOINT_SECONDS": "0.3", "MRP_HEARTBEAT_SECONDS": "0.5", "MRP_BACKOFF_SECONDS": "0.1", "MRP_SLOTS": "cpu:0"}
    store = Store.open()
    store.submit(CONFIG)
    supervisor = subprocess.Popen([sys.executable, "-m", "mrp_core.jobs.supervisor"], cwd=ROOT, env=environment, start_new_session=True)
    try:
        reach(store, lambda p: p.phase == "train" and p.step >= 25)
        kill(store)
        first = reach(store, lambda p: p.attempt == 2 and p.resumed_from is not None)
        assert first.resumed_from is not None and first.resumed_from > 0
        reach(store, lambda p: p.phase == "audit" and p.step >= 3)
        kill(store)
        end = reach(store, lambda p: p.state in (StudyState.DONE, StudyState.FAILED))
    finally:
        supervisor.terminate()
        supervisor.wait(30)
    assert (end.state, end.attempt) == (StudyState.DONE, 3)
    undisturbed = SilentContext()
    run_study(CONFIG, ComputeOptions(), undisturbed)
    path = store.artifact_path(CONFIG.id, "strategy.safetensors")
    assert path is not None
    resumed, other = load(path.read_bytes()), load(undisturbed.artifacts["strategy.safetensors"])  # of the file itself only the order of notes in its header may differ
    assert resumed.keys() == other.keys() and all(np.array_equal(resumed[k], other[k]) for k in other)
    assert {(p.setting, p.seed): p.to_json() for p in store.points(CONFIG.id)} == {k: p.to_json() for k, p in undisturbed.points.items()}
    assert {(c.setting, c.name): c.to_json() for c in store.curves(CONFIG.id) if c.setting} == {k: c.to_json() for k, c in undisturbed.curves.items() if c.setting}
    loss = next(c for c in store.curves(CONFIG.id) if c.name == "train:task_loss")
    assert loss.x == tuple(float(i + 1) for i in range(CONFIG.outer.iterations))
    assert loss.y == tuple(values["task_loss"] for phase, _, _, values in undisturbed.reports if phase == "train")
    store.close()
