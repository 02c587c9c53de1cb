"""Examinations as jobs: one looks at one setting of one strategy, is found again by what decides its result, and keeps its own files."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path

from sqlalchemy import Connection, select, update

from mrp_core import __version__
from mrp_core.config import ComputeOptions, StudyConfig
from mrp_core.errors import StoreError
from mrp_core.examination import Examination, ExaminationOptions, examination_id
from mrp_core.home import write_whole
from mrp_core.settings import Setting
from mrp_core.store.files import artifact_file, read_whole
from mrp_core.store.jobs import new_job, queue_again
from mrp_core.store.journal import record
from mrp_core.store.reading import EXAMINATION
from mrp_core.store.results import STRATEGY, put_artifact
from mrp_core.store.schema import ARTIFACT, JOB, STUDY
from mrp_core.store.store import Store

REQUEST, RESULT = "request.json", "examination.json"
PRIORITY = 10
"""Before studies that wait: an examination takes seconds, and somebody is looking."""


def submit_examination(store: Store, config: StudyConfig, strategy: Path, setting: Setting, options: ExaminationOptions, owner: str = "local") -> str:
    """Ask for the examination of a setting; one that waits, runs or is done is found again, a failed or cancelled one goes on.

    Returns:
        The examination's id, by which :meth:`Store.progress`, :meth:`Store.cancel` and :func:`read_examination` know it.

    Raises:
        StoreError: If the strategy can't be read, or the store can't be written.
    """
    try:
        data = strategy.read_bytes()
    except OSError as error:
        raise StoreError(f"The strategy {strategy.name!r} can't be read ({error.strerror or error}); train the study anew.") from error
    id = wanted(config, data, setting, options)
    request = json.dumps({"setting": setting.key, "options": dataclasses.asdict(options)}).encode()
    with store.database.write() as connection:
        row = {"id": id, "title": f"{config.title[:150]}: {setting.key}", "owner": owner, "note": "", "config": json.dumps(config.to_dict()), "version": 1,
               "created": store.database.clock, "code_version": __version__, "origin": "{}"}
        if store.database.insert_new(connection, STUDY, row):
            new_job(store.database, connection, id, owner, EXAMINATION, ComputeOptions())
            connection.execute(update(JOB).where(JOB.c.study == id).values(priority=PRIORITY))
            for name, content in ((STRATEGY, data), (REQUEST, request)):
                _keep(store, connection, id, name, content)
            record(store.database, connection, id, owner, "submitted")
        else:
            queue_again(store.database, connection, id, owner)
    return id


def wanted(config: StudyConfig, strategy: bytes, setting: Setting, options: ExaminationOptions) -> str:
    """Id of the examination that would be made of a strategy's bytes by this program."""
    return examination_id(config, setting, options, hashlib.sha256(strategy).hexdigest(), __version__)


def read_examination(store: Store, id: str) -> Examination | None:
    """The result, or None if there is none yet.

    Raises:
        DataError: If it is of another format.
        StoreError: If the store can't be read.
    """
    with store.database.read() as connection:
        row = connection.execute(select(ARTIFACT).where(ARTIFACT.c.study == id, ARTIFACT.c.name == RESULT)).first()
    data = None if row is None else read_whole(store.home / row.file, row.sha256)
    return None if data is None else Examination.from_json(data.decode())


def finished_examinations(store: Store) -> frozenset[str]:
    """Ids of all examinations that have a result, for who looks for many at once.

    Raises:
        StoreError: If the store can't be read.
    """
    with store.database.read() as connection:
        return frozenset(connection.execute(select(ARTIFACT.c.study).where(ARTIFACT.c.name == RESULT)).scalars())


def _keep(store: Store, connection: Connection, id: str, name: str, data: bytes) -> None:
    path = artifact_file(store.home, id, name, data)
    try:
        put_artifact(store.database, connection, id, 0, name, str(path.relative_to(store.home)), write_whole(path, data), len(data))
    except OSError as error:
        raise StoreError(f"{name} can't be written ({error.strerror or error}); free some space and try again.") from error
