"""The trail of a study: its events, and the counter that pages poll."""

from __future__ import annotations

from sqlalchemy import Connection, insert, update

from mrp_core.store.database import Database
from mrp_core.store.schema import EVENT, STUDY


def touch(connection: Connection, study: str) -> None:
    """Count a change of the study, in the transaction that makes it."""
    connection.execute(update(STUDY).where(STUDY.c.id == study).values(version=STUDY.c.version + 1))


def record(database: Database, connection: Connection, study: str, who: str, what: str) -> None:
    """Append an event and count it as a change."""
    connection.execute(insert(EVENT).values(study=study, time=database.clock, who=who, what=what))
    touch(connection, study)
