"""Points and curves of a study, read from and written to the caller's transaction."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import Connection, and_, delete, insert, or_, select, update

from mrp_core.errors import StoreError
from mrp_core.home import write_whole
from mrp_core.results import Curve, Point, StudyState
from mrp_core.settings import Setting
from mrp_core.store.database import Database
from mrp_core.store.files import artifact_file
from mrp_core.store.journal import record
from mrp_core.store.schema import ARTIFACT, CURVE, JOB, METRIC, POINT, STUDY
from mrp_core.studyfile import StudyFile

STRATEGY = "strategy.safetensors"


def read_points(connection: Connection, study: str) -> list[Point]:
    """All points by setting and seed."""
    rows = connection.execute(select(POINT.c.content).where(POINT.c.study == study))
    return sorted((Point.from_json(row.content) for row in rows), key=lambda p: (p.setting, p.seed))


def read_curves(connection: Connection, study: str) -> list[Curve]:
    """Training curves from the metrics, then the stored curves, by setting and name; a stored curve stands in for metrics of its name."""
    rows = connection.execute(select(CURVE.c.content).where(CURVE.c.study == study).order_by(CURVE.c.setting, CURVE.c.name))
    stored = [Curve.from_json(row.content) for row in rows]
    lines: dict[str, tuple[list[float], list[float]]] = {}
    for row in connection.execute(select(METRIC).where(METRIC.c.study == study).order_by(METRIC.c.phase, METRIC.c.step)):
        for name, value in json.loads(row.content).items():
            x, y = lines.setdefault(f"{row.phase}:{name}", ([], []))
            x.append(float(row.step))
            y.append(float(value))
    names = {c.name for c in stored if c.setting is None}
    return [Curve(setting=None, name=name, x=tuple(x), y=tuple(y)) for name, (x, y) in lines.items() if name not in names] + stored


def put_results(connection: Connection, study: str, attempt: int, points: Sequence[Point], curves: Sequence[Curve]) -> None:
    """Write points and curves, replacing those of the same setting and seed, or setting and name."""
    rows = {(p.setting.key, p.seed): p.to_json() for p in points}
    lines = {(c.setting.key if c.setting else "", c.name): c.to_json() for c in curves}
    if rows:
        connection.execute(delete(POINT).where(POINT.c.study == study, or_(*(and_(POINT.c.setting == s, POINT.c.seed == k) for s, k in rows))))
        connection.execute(insert(POINT), [{"study": study, "setting": s, "seed": k, "attempt": attempt, "content": text} for (s, k), text in rows.items()])
    if lines:
        connection.execute(delete(CURVE).where(CURVE.c.study == study, or_(*(and_(CURVE.c.setting == s, CURVE.c.name == k) for s, k in lines))))
        connection.execute(insert(CURVE), [{"study": study, "setting": s, "name": k, "attempt": attempt, "content": text} for (s, k), text in lines.items()])


def stored_settings(connection: Connection, study: str) -> frozenset[Setting]:
    """Settings with points."""
    return frozenset(Setting.from_key(key) for key in connection.execute(select(POINT.c.setting).where(POINT.c.study == study).distinct()).scalars())


def put_artifact(database: Database, connection: Connection, study: str, attempt: int, name: str, file: str, sha256: str, size: int) -> None:
    """Write the row of an artifact, replacing that of the same name."""
    connection.execute(delete(ARTIFACT).where(ARTIFACT.c.study == study, ARTIFACT.c.name == name))
    connection.execute(insert(ARTIFACT).values(study=study, name=name, attempt=attempt, file=file, sha256=sha256, size=size, created=database.clock))


def import_results(database: Database, connection: Connection, home: Path, file: StudyFile, who: str) -> None:
    """Take the results of a study file in, unless the study waits, runs or is done already.

    Raises:
        StoreError: If the strategy beside the study file can't be copied.
    """
    study = file.config.id
    attempt = connection.execute(select(JOB.c.attempt).where(JOB.c.study == study, JOB.c.state.in_((StudyState.FAILED, StudyState.CANCELLED)))).scalar()
    if attempt is None:
        return
    put_results(connection, study, attempt, file.points, file.curves)
    if file.strategy is not None:
        try:
            data = file.strategy.read_bytes()
            path = artifact_file(home, study, STRATEGY, data)
            put_artifact(database, connection, study, attempt, STRATEGY, str(path.relative_to(home)), write_whole(path, data), len(data))
        except OSError as error:
            why = error.strerror or error
            raise StoreError(f"The strategy {file.strategy.name!r} can't be copied into the store ({why}); free some space and try again.") from error
    connection.execute(update(JOB).where(JOB.c.study == study).values(state=StudyState.DONE, error=None, finished=database.clock))
    connection.execute(update(STUDY).where(STUDY.c.id == study).values(origin=json.dumps(file.origin)))
    record(database, connection, study, who, "imported from a file")
