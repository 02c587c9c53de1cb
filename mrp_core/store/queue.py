"""The queue of jobs, as supervisors see it: claim, requeue, and who runs where.

A job goes queued -> running -> done | failed | cancelled. (study, attempt) is the token of whoever runs it: the attempt grows
with every claim and is never used twice, and every write of a running job first updates the job's row under that token.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, and_, case, func, or_, select, update
from sqlalchemy.sql.elements import ColumnElement

from mrp_core.results import StudyState
from mrp_core.store.database import Database
from mrp_core.store.journal import record
from mrp_core.store.schema import JOB

MAX_TRIES = 3


@dataclass(frozen=True)
class Claim:
    """The right to run a job: ``attempt`` is the fencing token."""

    study: str
    attempt: int
    kind: str = "study"
    device: str = "cpu"

    @property
    def holds(self) -> ColumnElement[bool]:
        """The condition on the job's row under which this claim is still valid."""
        return and_(JOB.c.study == self.study, JOB.c.attempt == self.attempt, JOB.c.state == StudyState.RUNNING)


@dataclass(frozen=True)
class Held:
    """A running job with the process that should be running it."""

    claim: Claim
    host: str
    slot: str
    pid: int | None
    pid_start: str | None
    cancelling_for: float | None


class Queue:
    """Claims and requeues jobs of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(self, host: str, slot: str, *, lease: float, devices: tuple[str, ...] = ("cpu",), study: str | None = None,
              owner_limit: int | None = None) -> Claim | None:
        """Take the next job, or None: highest priority first, then the owner with fewest running jobs, then the oldest.

        Args:
            host, slot: Who takes it.
            lease: Seconds until others may take it over, unless renewed.
            devices: Kinds of device that the slot can serve.
            study: Take this study or nothing, also while it waits for its next try or for a slot.
            owner_limit: Largest number of running jobs of one owner.

        Raises:
            StoreError: If the database fails.
        """
        query = self._next(devices, study, owner_limit)
        with self._database.read() as connection:
            if connection.execute(query).first() is None:
                return None  # an idle supervisor never takes the write lock
        with self._database.write() as connection:
            row = connection.execute(query.with_for_update(skip_locked=True, of=JOB)).first()
            if row is None:
                return None
            clock = self._database.clock
            taken = connection.execute(update(JOB).where(JOB.c.study == row.study, JOB.c.state == StudyState.QUEUED).values(
                state=StudyState.RUNNING, attempt=row.attempt + 1, tries=JOB.c.tries + 1, host=host, slot=slot, pid=None, pid_start=None,
                lease_until=clock + lease, phase="", step=0, total=0, seconds_left=None, resumed_from=None, error=None,
                started=func.coalesce(JOB.c.started, clock), attempt_started=clock, reported=clock, finished=None)).rowcount
            if taken != 1:
                return None
            record(self._database, connection, row.study, f"{host}/{slot}", f"started, attempt {row.attempt + 1}")
            return Claim(row.study, row.attempt + 1, row.kind, row.device)

    def _next(self, devices: tuple[str, ...], study: str | None, owner_limit: int | None) -> Select[*tuple[Any, ...]]:
        busy = select(JOB.c.owner, func.count().label("running")).where(JOB.c.state == StudyState.RUNNING).group_by(JOB.c.owner).subquery()
        running = func.coalesce(busy.c.running, 0)
        query = select(JOB.c.study, JOB.c.attempt, JOB.c.kind, JOB.c.device).outerjoin(busy, busy.c.owner == JOB.c.owner)
        query = query.where(JOB.c.state == StudyState.QUEUED)
        if study is not None:
            query = query.where(JOB.c.study == study)
        else:
            query = query.where(JOB.c.not_before <= self._database.clock, JOB.c.device.in_(devices))
            query = query.where(running < owner_limit) if owner_limit else query
        return query.order_by(JOB.c.priority.desc(), running, JOB.c.queued).limit(1)

    def release(self, claim: Claim, why: str, who: str, *, fault: bool, backoff: float = 0.0) -> StudyState | None:
        """Give up a running job: cancelled if a person asked for that, else queued again, or failed after :data:`MAX_TRIES` faults in a row.

        Args:
            claim: Who ran it.
            why: A sentence.
            who: Who says so.
            fault: False for a clean stop with a checkpoint, which doesn't count as a try.
            backoff: Seconds before the next try after a first fault; doubled with each further one, up to a minute.

        Returns:
            The new state, or None if the claim wasn't valid any more and nothing was changed.

        Raises:
            StoreError: If the database fails.
        """
        with self._database.write() as connection:
            row = connection.execute(select(JOB.c.tries, JOB.c.cancel_requested).where(claim.holds).with_for_update()).first()
            if row is None:
                return None
            new = StudyState.CANCELLED if row.cancel_requested is not None else StudyState.FAILED if fault and row.tries >= MAX_TRIES else StudyState.QUEUED
            if new is StudyState.FAILED:
                why = f"The study stopped {row.tries} times in a row at about the same place, and isn't tried again: {why} Look into its log, then resume it."
            clock = self._database.clock
            pause = min(60.0, backoff * 2.0 ** (row.tries - 1)) if fault else 0.0
            connection.execute(update(JOB).where(claim.holds).values(
                state=new, error=None if new is StudyState.CANCELLED else why, lease_until=None, pid=None, pid_start=None, cancel_requested=None,
                tries=row.tries if fault else max(0, row.tries - 1), not_before=clock + pause,
                finished=None if new is StudyState.QUEUED else clock, seconds=JOB.c.seconds + JOB.c.reported - JOB.c.attempt_started))
            record(self._database, connection, claim.study, who, f"{new}: {why}" if new is not StudyState.QUEUED else f"interrupted, queued again: {why}")
            return new

    def expired(self) -> list[Held]:
        """Running jobs whose lease has run out, of all hosts.

        Raises:
            StoreError: If the database fails.
        """
        return self._held(or_(JOB.c.lease_until.is_(None), JOB.c.lease_until < self._database.clock))

    def running_on(self, host: str) -> list[Held]:
        """Running jobs of one host.

        Raises:
            StoreError: If the database fails.
        """
        return self._held(JOB.c.host == host)

    def waiting(self) -> bool:
        """Whether any job is queued or running.

        Raises:
            StoreError: If the database fails.
        """
        with self._database.read() as connection:
            return connection.execute(select(JOB.c.study).where(JOB.c.state.in_((StudyState.QUEUED, StudyState.RUNNING))).limit(1)).first() is not None

    def _held(self, condition: ColumnElement[bool]) -> list[Held]:
        cancelling = case((JOB.c.cancel_requested.is_not(None), self._database.clock - JOB.c.cancel_requested))
        query = select(JOB, cancelling.label("cancelling_for")).where(JOB.c.state == StudyState.RUNNING, condition)
        with self._database.read() as connection:
            return [_held(row) for row in connection.execute(query)]


def _held(row: Row[Any]) -> Held:
    return Held(Claim(row.study, row.attempt, row.kind, row.device), row.host, row.slot, row.pid, row.pid_start, row.cancelling_for)
