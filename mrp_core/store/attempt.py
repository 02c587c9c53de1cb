"""What a job writes while it runs. Every transaction first updates the job's row under the claim's token: the fence."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, and_, delete, func, insert, select, update

from mrp_core import __version__
from mrp_core.home import write_whole
from mrp_core.results import Curve, Point, StudyState
from mrp_core.settings import Setting
from mrp_core.store.database import Database
from mrp_core.store.files import artifact_file, checkpoint_folder, read_whole, remove
from mrp_core.store.journal import record, touch
from mrp_core.store.queue import Claim
from mrp_core.store.results import put_artifact, put_results, stored_settings
from mrp_core.store.schema import ARTIFACT, CHECKPOINT, JOB, METRIC, STUDY

KEPT_CHECKPOINTS = 2
PROGRESS = 1
"""Tries that count once an attempt has got further: this one. So only breaking down again and again without getting further ends a job."""


class LeaseLost(Exception):
    """Another attempt owns the job: whoever sees this writes nothing more and ends. No :class:`MRPError`, so that nobody handles it as one."""


@dataclass(frozen=True)
class Metric:
    """Values of one step of one phase."""

    phase: str
    step: int
    values: Mapping[str, float]


class Attempt:
    """One claim at work.

    Every method raises :class:`LeaseLost` if the claim isn't valid any more, and :class:`StoreError` if the store fails;
    either way nothing of that call is stored.
    """

    def __init__(self, database: Database, home: Path, claim: Claim) -> None:
        self.claim = claim
        self._database = database
        self._home = home

    @contextmanager
    def _fenced(self, **values: Any) -> Generator[Connection]:
        with self._database.write() as connection:
            if connection.execute(update(JOB).where(self.claim.holds).values({"attempt": self.claim.attempt, **values})).rowcount != 1:
                raise LeaseLost(self.claim.study)
            yield connection

    def beat(self, lease: float, pid: int, pid_start: str | None) -> bool:
        """Renew the lease; whether the job is to be cancelled."""
        with self._fenced(lease_until=self._database.clock + lease, pid=pid, pid_start=pid_start) as connection:
            return connection.execute(select(JOB.c.cancel_requested).where(JOB.c.study == self.claim.study)).scalar() is not None

    def begin(self, who: str) -> None:
        """Note which program computes from here on."""
        with self._fenced() as connection:
            before = connection.execute(select(STUDY.c.code_version).where(STUDY.c.id == self.claim.study)).scalar()
            connection.execute(update(STUDY).where(STUDY.c.id == self.claim.study).values(code_version=__version__))
            if before != __version__:
                record(self._database, connection, self.claim.study, who, f"goes on with version {__version__}; earlier results are of version {before}")

    def report(self, last: Metric, total: int, seconds_left: float | None, metrics: Sequence[Metric]) -> None:
        """Store how far the job is, and metrics since the last report."""
        with self._fenced(phase=last.phase, step=last.step, total=total, seconds_left=seconds_left, latest=json.dumps(dict(last.values)),
                          reported=self._database.clock) as connection:
            self._put_metrics(connection, metrics)
            touch(connection, self.claim.study)

    def resumed(self, step: int | None, what: str, who: str) -> None:
        """Say that this attempt goes on from ``step`` of training (None: from the start), and drop what earlier attempts reported beyond."""
        with self._fenced(resumed_from=step) as connection:
            connection.execute(delete(METRIC).where(METRIC.c.study == self.claim.study, METRIC.c.attempt < self.claim.attempt, METRIC.c.step > (step or 0)))
            record(self._database, connection, self.claim.study, who, what)

    def mark_resumed(self, count: int, what: str, who: str) -> None:
        """Say that training was finished before, and ``count`` settings are measured already."""
        with self._fenced(resumed_from=func.coalesce(JOB.c.resumed_from, count)) as connection:
            record(self._database, connection, self.claim.study, who, what)

    def put_results(self, points: Sequence[Point], curves: Sequence[Curve]) -> None:
        """Store points and curves in one transaction; a point replaces that of the same setting and seed, a curve that of the same setting and name."""
        with self._fenced(**({"tries": PROGRESS} if points else {})) as connection:
            put_results(connection, self.claim.study, self.claim.attempt, points, curves)
            touch(connection, self.claim.study)

    def stored_settings(self) -> frozenset[Setting]:
        """Settings with points."""
        with self._database.read() as connection:
            return stored_settings(connection, self.claim.study)

    def save_checkpoint(self, step: int, data: bytes, metrics: Sequence[Metric]) -> None:
        """Write a checkpoint and its row, together with the metrics up to its step; older ones beyond two are removed.

        Raises:
            OSError: If the file can't be written.
        """
        folder = checkpoint_folder(self._home, self.claim.study)
        file = folder / f"attempt{self.claim.attempt}-step{step}.ckpt"
        digest = write_whole(file, data)
        with self._fenced(tries=PROGRESS) as connection:
            self._put_metrics(connection, metrics)
            same = and_(CHECKPOINT.c.study == self.claim.study, CHECKPOINT.c.attempt == self.claim.attempt, CHECKPOINT.c.step == step)
            connection.execute(delete(CHECKPOINT).where(same))
            connection.execute(insert(CHECKPOINT).values(study=self.claim.study, attempt=self.claim.attempt, step=step, file=str(file.relative_to(self._home)),
                                                         sha256=digest, created=self._database.clock))
            rows = connection.execute(self._checkpoints()).all()
            for row in rows[KEPT_CHECKPOINTS:]:
                old = and_(CHECKPOINT.c.study == self.claim.study, CHECKPOINT.c.attempt == row.attempt, CHECKPOINT.c.step == row.step)
                connection.execute(delete(CHECKPOINT).where(old))
        kept = {self._home / row.file for row in rows[:KEPT_CHECKPOINTS]}
        remove(path for path in folder.iterdir() if path not in kept)

    def checkpoints(self) -> Iterator[tuple[int, bytes | None]]:
        """Step and data of the checkpoints, the newest first; None for one that is missing, truncated or altered."""
        with self._database.read() as connection:
            rows = connection.execute(self._checkpoints()).all()
        for row in rows:
            yield row.step, read_whole(self._home / row.file, row.sha256)

    def put_artifact(self, name: str, data: bytes) -> None:
        """Write a file of the study under its hash, then its row; the file that it replaces is removed.

        Raises:
            OSError: If the file can't be written.
        """
        with self._database.read() as connection:
            before = connection.execute(select(ARTIFACT.c.file).where(ARTIFACT.c.study == self.claim.study, ARTIFACT.c.name == name)).scalar()
        path = artifact_file(self._home, self.claim.study, name, data)
        file, digest = str(path.relative_to(self._home)), write_whole(path, data)
        with self._fenced() as connection:
            put_artifact(self._database, connection, self.claim.study, self.claim.attempt, name, file, digest, len(data))
            touch(connection, self.claim.study)
        if before is not None and before != file:
            remove([self._home / before])

    def get_artifact(self, name: str) -> bytes | None:
        """The bytes of a file of the study, or None if there is none that is whole."""
        with self._database.read() as connection:
            row = connection.execute(select(ARTIFACT).where(ARTIFACT.c.study == self.claim.study, ARTIFACT.c.name == name)).first()
        return None if row is None else read_whole(self._home / row.file, row.sha256)

    def finish(self, state: StudyState, error: str | None, who: str, origin: Mapping[str, str | float]) -> None:
        """End the job as done or failed; the checkpoints of a finished study are removed."""
        done = state is StudyState.DONE
        clock = self._database.clock
        with self._fenced(state=state, error=error, finished=clock, lease_until=None, pid=None, pid_start=None, cancel_requested=None,
                          seconds=JOB.c.seconds + clock - JOB.c.attempt_started) as connection:
            seconds = connection.execute(select(JOB.c.seconds).where(JOB.c.study == self.claim.study)).scalar_one()
            if done:
                text = json.dumps({"seconds": round(float(seconds), 1), "attempts": self.claim.attempt, **origin})
                connection.execute(update(STUDY).where(STUDY.c.id == self.claim.study).values(origin=text))
                connection.execute(delete(CHECKPOINT).where(CHECKPOINT.c.study == self.claim.study))
            record(self._database, connection, self.claim.study, who, str(state) if error is None else f"{state}: {error}")
        if done:
            folder = checkpoint_folder(self._home, self.claim.study)
            remove(folder.iterdir() if folder.exists() else ())

    def _checkpoints(self) -> Any:
        return select(CHECKPOINT).where(CHECKPOINT.c.study == self.claim.study).order_by(CHECKPOINT.c.attempt.desc(), CHECKPOINT.c.step.desc())

    def _put_metrics(self, connection: Connection, metrics: Sequence[Metric]) -> None:
        newest = {(m.phase, m.step): m for m in metrics}
        for phase, step in newest:
            connection.execute(delete(METRIC).where(METRIC.c.study == self.claim.study, METRIC.c.phase == phase, METRIC.c.step == step))
        if newest:
            connection.execute(insert(METRIC), [{"study": self.claim.study, "phase": m.phase, "step": m.step, "attempt": self.claim.attempt,
                                                 "content": json.dumps(dict(m.values))} for m in newest.values()])

