"""What people do to a study's job: queue it, queue it again, ask it to stop. Each works in the caller's transaction."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, insert, select, update

from mrp_core.config import ComputeOptions
from mrp_core.results import StudyState
from mrp_core.store.database import Database
from mrp_core.store.journal import record
from mrp_core.store.schema import JOB


def new_job(database: Database, connection: Connection, study: str, owner: str, kind: str, compute: ComputeOptions, hold: float = 0.0) -> None:
    """Queue the job of a new study."""
    connection.execute(insert(JOB).values(
        study=study, kind=kind, state=StudyState.QUEUED, priority=0, owner=owner, attempt=0, tries=0, not_before=database.clock + hold, phase="", step=0,
        total=0, latest="{}", queued=database.clock, seconds=0.0, **_computed(compute)))


def queue_again(database: Database, connection: Connection, study: str, owner: str, compute: ComputeOptions | None = None, hold: float = 0.0) -> None:
    """Queue a failed or cancelled job again, or withdraw a cancellation under way; a job that waits is only held, any other left alone."""
    job = update(JOB).where(JOB.c.study == study)
    state, asked = connection.execute(select(JOB.c.state, JOB.c.cancel_requested).where(JOB.c.study == study).with_for_update()).one()
    if state in (StudyState.FAILED, StudyState.CANCELLED):
        connection.execute(job.values(state=StudyState.QUEUED, tries=0, error=None, cancel_requested=None, finished=None, queued=database.clock,
                                      not_before=database.clock + hold, **(_computed(compute) if compute else {})))
        record(database, connection, study, owner, "queued again, to go on from its last checkpoint")
    elif state == StudyState.QUEUED and hold:
        connection.execute(job.values(not_before=database.clock + hold))
    elif state == StudyState.RUNNING and asked is not None:
        connection.execute(job.values(cancel_requested=None))
        record(database, connection, study, owner, "cancellation withdrawn")


def ask_to_stop(database: Database, connection: Connection, study: str, owner: str) -> None:
    """Cancel a waiting job at once, and ask a running one to stop."""
    clock = database.clock
    waiting = update(JOB).where(JOB.c.study == study, JOB.c.state == StudyState.QUEUED)
    running = update(JOB).where(JOB.c.study == study, JOB.c.state == StudyState.RUNNING, JOB.c.cancel_requested.is_(None))
    if connection.execute(waiting.values(state=StudyState.CANCELLED, error=None, finished=clock)).rowcount:
        record(database, connection, study, owner, "cancelled")
    elif connection.execute(running.values(cancel_requested=clock)).rowcount:
        record(database, connection, study, owner, "asked to stop")


def _computed(compute: ComputeOptions) -> dict[str, Any]:
    return {"device": compute.device, "compute": json.dumps(asdict(compute))}
