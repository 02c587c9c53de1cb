"""The reading half of the store."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Select, and_, func, select

from mrp_core import cost
from mrp_core.errors import StoreError
from mrp_core.results import Curve, Point, StudyState
from mrp_core.store.database import Database
from mrp_core.store.results import read_curves, read_points
from mrp_core.store.rows import EventRow, PinRow, Progress, StudyRow, progress_row, study_row
from mrp_core.store.schema import ARTIFACT, EVENT, JOB, PIN, POINT, STUDY
from mrp_core.studyfile import StudyFile

EXAMINATION = "examination"
"""Kind of the jobs that look at one setting; they aren't studies in lists."""


class Reader:
    """What can be asked of a store without changing it.

    Every method raises :class:`StoreError` if the database fails or doesn't hold the study asked for.

    Attributes:
        database: Connections; jobs and the queue write through it.
        home: Folder of checkpoints, artifacts and logs.
    """

    def __init__(self, database: Database, home: Path) -> None:
        self.database = database
        self.home = home

    def studies(self, deleted: bool = False) -> list[StudyRow]:
        """All studies that this program can read, or those in the bin; the newest first."""
        return [row for row in self._rows(deleted) if isinstance(row, StudyRow)]

    def unreadable(self) -> list[str]:
        """A sentence for each study that this program can't read, e.g. because its plug-in is gone; nothing of it is lost."""
        return [str(row) for row in self._rows(False) if isinstance(row, StoreError)]

    def study(self, id: str) -> StudyRow:
        """One study, in the bin or not."""
        with self.database.read() as connection:
            row = connection.execute(_query().where(STUDY.c.id == id)).first()
            pins = connection.execute(select(PIN.c.setting).where(PIN.c.study == id).order_by(PIN.c.created)).scalars().all()
        if row is None:
            raise _unknown(id)
        return study_row(row, tuple(pins))

    def progress(self, id: str) -> Progress | None:
        """How far the study's job is; None if there is no such study."""
        with self.database.read() as connection:
            row = connection.execute(select(JOB).where(JOB.c.study == id)).first()
        return None if row is None else progress_row(row)

    def points(self, id: str) -> list[Point]:
        """All points stored so far, by setting and seed."""
        with self.database.read() as connection:
            self._known(connection, id)
            return read_points(connection, id)

    def curves(self, id: str) -> list[Curve]:
        """All curves stored so far: training curves ("train:loss" ...) over the step, then those of the audit."""
        with self.database.read() as connection:
            self._known(connection, id)
            return read_curves(connection, id)

    def events(self, id: str) -> list[EventRow]:
        """What happened to the study, the oldest first."""
        with self.database.read() as connection:
            self._known(connection, id)
            rows = connection.execute(select(EVENT.c.time, EVENT.c.who, EVENT.c.what).where(EVENT.c.study == id).order_by(EVENT.c.id))
            return [EventRow(*row) for row in rows]

    def version(self, id: str) -> int:
        """A number that grows with every stored change of the study, for pages that poll."""
        with self.database.read() as connection:
            found = connection.execute(select(STUDY.c.version).where(STUDY.c.id == id)).scalar()
        if found is None:
            raise _unknown(id)
        return found

    def artifact_path(self, id: str, name: str) -> Path | None:
        """Path of a file of the study, e.g. "strategy.safetensors", or None if it isn't there in full length."""
        with self.database.read() as connection:
            row = connection.execute(select(ARTIFACT.c.file, ARTIFACT.c.size).where(ARTIFACT.c.study == id, ARTIFACT.c.name == name)).first()
        path = None if row is None else self.home / row.file
        return path if row is not None and path is not None and path.is_file() and path.stat().st_size == row.size else None

    def pins(self) -> list[PinRow]:
        """All pins in the order in which they were set, without those of studies in the bin."""
        binned = select(STUDY.c.id).where(STUDY.c.deleted.is_not(None))
        query = select(PIN.c.study, PIN.c.setting, PIN.c.label).where(PIN.c.study.not_in(binned)).order_by(PIN.c.created)
        with self.database.read() as connection:
            return [PinRow(*row) for row in connection.execute(query)]

    def rate(self) -> float | None:
        """Giga-multiply-adds a second of the study that was finished last by this store's workers, or None before there is one."""
        query = select(STUDY.c.id, JOB.c.seconds).join(JOB, JOB.c.study == STUDY.c.id).where(JOB.c.state == StudyState.DONE, JOB.c.seconds > 0, JOB.c.kind != EXAMINATION)
        with self.database.read() as connection:
            row = connection.execute(query.order_by(JOB.c.finished.desc()).limit(1)).first()
        return None if row is None else cost.work(self.study(row.id).config) / max(1.0, row.seconds - cost.START)

    def study_file(self, id: str) -> StudyFile:
        """The study with all results, to be exported."""
        row = self.study(id)
        with self.database.read() as connection:
            origin: dict[str, Any] = json.loads(connection.execute(select(STUDY.c.origin).where(STUDY.c.id == id)).scalar_one())
        return StudyFile(config=row.config, points=tuple(self.points(id)), curves=tuple(self.curves(id)), origin={"code_version": row.code_version, **origin},
                         strategy=self.artifact_path(id, "strategy.safetensors"))

    def _rows(self, deleted: bool) -> list[StudyRow | StoreError]:
        condition = and_(STUDY.c.deleted.is_not(None) if deleted else STUDY.c.deleted.is_(None), JOB.c.kind != EXAMINATION)
        with self.database.read() as connection:
            rows = connection.execute(_query().where(condition).order_by(STUDY.c.created.desc(), STUDY.c.id)).all()
            pins = connection.execute(select(PIN.c.study, PIN.c.setting).order_by(PIN.c.created)).all()
        found: list[StudyRow | StoreError] = []
        for row in rows:
            try:
                found.append(study_row(row, tuple(p.setting for p in pins if p.study == row.id)))
            except StoreError as error:
                found.append(error)
        return found

    def _known(self, connection: Connection, id: str) -> None:
        if connection.execute(select(STUDY.c.id).where(STUDY.c.id == id)).first() is None:
            raise _unknown(id)


def _query() -> Select[Any]:
    count = select(func.count()).where(POINT.c.study == STUDY.c.id).scalar_subquery()
    return select(STUDY, JOB.c.state, count.label("n_points")).join(JOB, JOB.c.study == STUDY.c.id)


def _unknown(id: str) -> StoreError:
    return StoreError(f"There is no study {id!r} in the store; choose one from the list of studies.")
