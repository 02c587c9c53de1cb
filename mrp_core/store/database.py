"""Connections and transactions: the one place that knows how SQLite and PostgreSQL differ."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, Float, Table, create_engine, event, inspect, literal_column, make_url, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from mrp_core.errors import StoreError
from mrp_core.store.schema import METADATA, SCHEMA

MIGRATIONS = Path(__file__).parent / "migrations"
PRAGMAS = ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=5000", "foreign_keys=ON", "journal_size_limit=67108864")
CLOCKS = {"sqlite": "((julianday('now') - 2440587.5) * 86400.0)", "postgresql": "extract(epoch from clock_timestamp())"}
CAUSES = (
    ("full", "the disk is full; free some space and try again. Nothing stored is lost"),
    ("no space", "the disk is full; free some space and try again. Nothing stored is lost"),
    ("not a database", "the file is damaged or no store; move it away, or restore it from a copy"),
    ("malformed", "the file is damaged; move it away, or restore it from a copy"),
    ("readonly", "it may not be written; give write permission, or set MRP_HOME to another folder"),
    ("read-only", "it may not be written; give write permission, or set MRP_HOME to another folder"),
    ("unable to open", "it can't be opened; give write permission, or set MRP_HOME to another folder"),
    ("locked", "another program has held it for 5 s; close that program, or try again"),
)


class Database:
    """A database by URL. Every failure of it is a :class:`StoreError` with one sentence.

    Attributes:
        url: SQLAlchemy URL, with the password.
        clock: The database's own clock as an SQL expression, seconds since 1970.
        embedded: Whether it is a file of this host (SQLite), not a server for several hosts.
    """

    def __init__(self, url: str) -> None:
        try:
            parsed = make_url(url)
            self.name = f"store {parsed.render_as_string(hide_password=True)}"
            if parsed.get_backend_name() not in CLOCKS:
                raise StoreError(f"The {self.name} is of an unknown kind; give an URL that begins with sqlite:/// or postgresql+psycopg://.")
            self.url = url
            self.embedded = parsed.get_backend_name() == "sqlite"
            self.clock: ColumnElement[float] = literal_column(CLOCKS[parsed.get_backend_name()], Float)
            if self.embedded and parsed.database:
                self.name = f"store {parsed.database!r}"
                Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
            self._engine = create_engine(url) if self.embedded else create_engine(url, pool_pre_ping=True)
        except (ArgumentError, NoSuchModuleError, ImportError) as error:
            raise StoreError(f"The store's URL can't be used ({error}); correct MRP_STORE, or unset it to keep studies in a file.") from error
        except OSError as error:
            raise StoreError(f"The {self.name} can't be made ({error.strerror or error}); set MRP_HOME to a folder that you may write.") from error
        if self.embedded:
            event.listen(self._engine, "connect", _prepare)
            event.listen(self._engine, "begin", _begin)

    @contextmanager
    def read(self) -> Generator[Connection]:
        """A reading transaction.

        Raises:
            StoreError: If the database fails.
        """
        with self._errors("read"), self._engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Generator[Connection]:
        """A writing transaction; on SQLite it takes the write lock at its start, so that it never has to upgrade a read.

        Raises:
            StoreError: If the database fails; nothing of the transaction is stored then.
        """
        with self._errors("written"), self._engine.connect() as connection, connection.execution_options(mrp_write=True).begin():
            yield connection

    def insert_new(self, connection: Connection, table: Table, values: dict[str, Any]) -> bool:
        """Insert a row unless its key is there; whether it was new."""
        insert = sqlite.insert if self.embedded else postgresql.insert
        statement = insert(table).values(values).on_conflict_do_nothing().returning(literal_column("1"))
        return connection.execute(statement).first() is not None

    def migrate(self) -> None:
        """Bring the schema to this program's version; a store that is there already is only looked at.

        Raises:
            StoreError: If the store is of a newer program, or fails.
        """
        if self._schema() != SCHEMA:
            with self.write() as connection:
                if not self.embedded:
                    connection.execute(text("select pg_advisory_xact_lock(77001)"))
                self._upgrade(connection)

    def _schema(self) -> str | None:
        with self.read() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return None
            return connection.execute(text("select version_num from alembic_version")).scalar()

    def _upgrade(self, connection: Connection) -> None:
        from alembic import command  # here: a page's first paint doesn't wait for it
        from alembic.config import Config
        from alembic.util import CommandError

        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
        config.attributes.update(connection=connection, metadata=METADATA)
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise StoreError(f"The {self.name} was written by a newer program ({error}); update this program, or set MRP_HOME to another folder.") from error

    def dispose(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    @contextmanager
    def _errors(self, verb: str) -> Generator[None]:
        try:
            yield
        except (SQLAlchemyError, sqlite3.Error) as error:
            said = str(getattr(error, "orig", None) or error).splitlines()[0]
            cause = next((words for sign, words in CAUSES if sign in said.lower()), f"{said}; check that it can be reached, and try again")
            raise StoreError(f"The {self.name} can't be {verb}: {cause}.") from error


def _prepare(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # the begin event below opens transactions, not the driver
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("mrp_write") else "BEGIN")
