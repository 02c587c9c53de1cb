"""One process of one job: ``python -m mrp_core.jobs.process STUDY ATTEMPT KIND``. It owns its lease, and ends itself when it has lost it."""

from __future__ import annotations

import importlib
import json
import logging
import os
import platform
import signal
import sys
import threading
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from sqlalchemy import select

from mrp_core.config import ComputeOptions
from mrp_core.errors import JobCancelled, JobInterrupted, MRPError, StoreError
from mrp_core.jobs.settings import JobTimes, body_path, host_name, process_start
from mrp_core.jobs.stored import StoredContext
from mrp_core.results import StudyState
from mrp_core.store import Store
from mrp_core.store.attempt import Attempt, LeaseLost
from mrp_core.store.queue import Claim, Queue
from mrp_core.store.schema import JOB

LOG = logging.getLogger("mrp.job")
LOST = 75
ENDING = 1.0
"""Seconds that the main thread has to notice by itself that the lease is lost, or that the job is done."""


def run_claim(store: Store, claim: Claim, times: JobTimes) -> StudyState | None:
    """Do the work of a claim in this process, to its end.

    SIGTERM and SIGINT ask for a checkpoint and hand the job back; a cancellation in the store does the same and ends it.

    Returns:
        The state that the job was left in, or None if the claim was lost and nothing more was written.
    """
    who = f"{host_name()}:{os.getpid()}"
    context = StoredContext(Attempt(store.database, store.home, claim), times, who)
    done = threading.Event()
    beat = threading.Thread(target=_keep_lease, args=(context, done), daemon=True)
    previous = {s: signal.signal(s, lambda *_: context.interrupted.set()) for s in (signal.SIGTERM, signal.SIGINT)}
    beat.start()
    try:
        return _run(store, claim, context, who)
    except LeaseLost:
        LOG.warning("the lease is lost: another attempt owns the job")
        return None
    finally:
        done.set()
        beat.join(timeout=times.heartbeat + 1)
        for s, handler in previous.items():
            signal.signal(s, handler)


def _run(store: Store, claim: Claim, context: StoredContext, who: str) -> StudyState | None:
    state, error = StudyState.DONE, None
    queue = Queue(store.database)
    try:
        context.surely(lambda: context.attempt.begin(who))
        module, _, function = body_path(claim.kind).partition(":")
        config, compute = context.surely(lambda: (store.study(claim.study).config, _compute(store, claim)))
        getattr(importlib.import_module(module), function)(config, compute, context)
    except (JobCancelled, JobInterrupted) as stop:
        why = str(stop)
        return context.surely(lambda: queue.release(claim, why, who, fault=False))
    except (StoreError, OSError, MemoryError) as fault:  # the surroundings are at fault, not the setting: another try may do better
        LOG.exception("the attempt broke down")
        why = f"{fault}" if isinstance(fault, StoreError) else f"The computer let it down ({type(fault).__name__}: {fault})."
        return context.surely(lambda: queue.release(claim, why, who, fault=True, backoff=context.times.backoff))
    except MRPError as wrong:
        LOG.exception("the study failed")
        state, error = StudyState.FAILED, str(wrong)
    except LeaseLost:
        raise
    except Exception as wrong:  # the outermost loop of a worker: whatever the body raised becomes a sentence, and the traceback goes to the log
        LOG.exception("an error in the program")
        state, error = StudyState.FAILED, f"The study stopped with an error in the program ({type(wrong).__name__}: {wrong}); report it together with its log."
    context.surely(lambda: context.attempt.finish(state, error, who, origin()))
    return state


def _compute(store: Store, claim: Claim) -> ComputeOptions:
    with store.database.read() as connection:
        return ComputeOptions(**json.loads(connection.execute(select(JOB.c.compute).where(JOB.c.study == claim.study)).scalar_one()))


def _keep_lease(context: StoredContext, done: threading.Event) -> None:
    pid = os.getpid()
    while not done.is_set():
        try:
            if context.attempt.beat(context.times.lease, pid, process_start(pid)):
                context.cancelled.set()
        except LeaseLost:
            if not done.wait(ENDING):  # the job may have ended well just now
                LOG.warning("the lease is lost: another attempt owns the job, and this process ends")
                os._exit(LOST)
        except StoreError as error:
            LOG.warning("lease not renewed: %s", error)
        done.wait(context.times.heartbeat)


def origin() -> dict[str, str | float]:
    """Where results come from: machine, processors, versions and date."""
    return {"machine": f"{platform.system()} {platform.machine()}", "processor": _processor(),
            "cores": float(os.cpu_count() or 1), "python": platform.python_version(),
            "torch": version("torch"), "date": datetime.now(UTC).strftime("%Y-%m-%d")}


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.processor())


def main() -> int:
    """Entry of the process."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    logging.raiseExceptions = False
    study, attempt, kind = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    if hasattr(os, "nice") and not os.environ.get("CUDA_VISIBLE_DEVICES"):
        os.nice(5)  # the pages stay quick while a study uses all cores
    try:
        state = run_claim(Store.open(), Claim(study, attempt, kind), JobTimes.from_environment())
    except MRPError as error:
        LOG.error("the attempt ended: %s", error)  # the supervisor sees it and queues the job again
        return 1
    return LOST if state is None else 0


if __name__ == "__main__":
    sys.exit(main())
