"""Small job bodies for the drills: quick, deterministic, and each able to fail in one way. Chosen through MRP_BODIES."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

from mrp_core.config import ComputeOptions, StudyConfig
from mrp_core.errors import ConfigError, JobCancelled, JobInterrupted
from mrp_core.jobs.context import JobContext
from mrp_core.results import Point
from mrp_core.settings import Setting

STEPS = 30


def _walk(config: StudyConfig, context: JobContext, hook: str = "") -> None:
    """A chaotic walk whose last value shows whether every step was done once; a point every ten steps."""
    first = Path(os.environ["MRP_HOME"]) / f"first-{config.id}"
    fresh = not first.exists()
    first.touch()
    state = {"step": 0, "x": 0.3 + 0.001 * config.outer.first_seed}
    found = context.load_checkpoint()
    if found is not None:
        state = json.loads(found[1])
    done = context.stored_settings()
    while state["step"] < STEPS:
        if state["step"] % 5 == 0 and (found is None or state["step"] > json.loads(found[1])["step"]):
            context.save_checkpoint(int(state["step"]), json.dumps(state).encode())
        if hook == "hang" and state["step"] == 5:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            time.sleep(1000)
        if hook == "crash" and state["step"] == 5:
            os.kill(os.getpid(), signal.SIGKILL)
        if hook == "wrong" and state["step"] == 5:
            raise ConfigError("rate is 7, but must lie between 0 and 1.")
        if hook == "bug" and state["step"] == 5:
            raise ZeroDivisionError("a bug")
        time.sleep(0.04 if fresh else 0.01)
        state = {"step": state["step"] + 1, "x": 3.9 * state["x"] * (1.0 - state["x"])}
        setting = Setting("lambda", float(state["step"]))
        if state["step"] % 10 == 0 and setting not in done:
            context.put_results([Point(setting=setting, seed=0, values={"accuracy": (state["x"],)})], [])
        try:
            context.report("train", int(state["step"]), STEPS, {"x": state["x"]})
        except (JobCancelled, JobInterrupted):
            context.save_checkpoint(int(state["step"]), json.dumps(state).encode())
            raise
    context.put_artifact("result.json", json.dumps(state).encode())


def walk(config: StudyConfig, compute: ComputeOptions, context: JobContext) -> None:
    """Nothing goes wrong by itself."""
    _walk(config, context)


def hang(config: StudyConfig, compute: ComputeOptions, context: JobContext) -> None:
    """Hangs, deaf to SIGTERM."""
    _walk(config, context, "hang")


def crash(config: StudyConfig, compute: ComputeOptions, context: JobContext) -> None:
    """Kills its own process each time."""
    _walk(config, context, "crash")


def wrong(config: StudyConfig, compute: ComputeOptions, context: JobContext) -> None:
    """Finds the setting wrong."""
    _walk(config, context, "wrong")


def bug(config: StudyConfig, compute: ComputeOptions, context: JobContext) -> None:
    """Has a bug."""
    _walk(config, context, "bug")
