"""The record of all studies: what was asked, where it stands, what was measured, and what people noted about it."""

from __future__ import annotations

import json
import os
from typing import Self

from sqlalchemy import URL, Connection, and_, delete, select, update

from mrp_core import __version__
from mrp_core.config import ComputeOptions, StudyConfig
from mrp_core.errors import ConfigError, StoreError
from mrp_core.home import home_folder
from mrp_core.settings import Setting
from mrp_core.store.database import Database
from mrp_core.store.jobs import ask_to_stop, new_job, queue_again
from mrp_core.store.journal import record, touch
from mrp_core.store.reading import Reader
from mrp_core.store.results import import_results
from mrp_core.store.schema import PIN, STUDY
from mrp_core.studyfile import StudyFile

FILE = "studies.db"


class Store(Reader):
    """Studies, their jobs and results. Safe to share between threads; every process opens its own.

    Every method raises :class:`StoreError` if the database fails or doesn't hold the study asked for.
    """

    @classmethod
    def open(cls, url: str | None = None) -> Self:
        """Open the store, making or upgrading it where needed.

        Args:
            url: SQLAlchemy URL; without it MRP_STORE, or else an SQLite file in MRP_HOME (by default the user's data folder).
                Files lie in MRP_HOME, or else beside an SQLite file.

        Raises:
            StoreError: If it can't be read or written, is damaged, or was written by a newer program.
        """
        url = url or os.environ.get("MRP_STORE")
        home = home_folder(url)
        database = Database(url or URL.create("sqlite", database=str(home / FILE)).render_as_string(hide_password=False))
        try:
            home.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"The folder {str(home)!r} can't be made ({error.strerror or error}); set MRP_HOME to a folder that you may write.") from error
        database.migrate()
        return cls(database, home)

    def close(self) -> None:
        """Close all connections."""
        self.database.dispose()

    def submit(self, config: StudyConfig, compute: ComputeOptions | None = None, owner: str = "local", *, kind: str = "study", hold: float = 0.0) -> str:
        """Ask for a study; asking again changes nothing while it waits, runs or is done, and lets a failed or cancelled one go on.

        Args:
            config: What to run; its id becomes the study's.
            compute: Where to run it.
            owner: Who asks.
            kind: Key of the table of job bodies.
            hold: Seconds in which no supervisor takes it, for a caller who runs it.

        Returns:
            The study's id.
        """
        compute = compute or ComputeOptions()
        with self.database.write() as connection:
            if self._add(connection, config, owner, __version__):
                new_job(self.database, connection, config.id, owner, kind, compute, hold)
                record(self.database, connection, config.id, owner, "submitted")
            else:
                self._restore(connection, config.id, owner)
                queue_again(self.database, connection, config.id, owner, compute, hold)
        return config.id

    def resume(self, id: str, owner: str = "local") -> None:
        """Queue a failed or cancelled study again; it goes on from its checkpoint. A cancellation that hasn't taken effect yet is withdrawn."""
        with self.database.write() as connection:
            self._known(connection, id)
            queue_again(self.database, connection, id, owner)

    def cancel(self, id: str, owner: str = "local") -> None:
        """Cancel a study: at once if it waits; a running one takes a checkpoint first, and is ended after a grace if it doesn't."""
        with self.database.write() as connection:
            self._known(connection, id)
            ask_to_stop(self.database, connection, id, owner)

    def rename(self, id: str, title: str) -> None:
        """Give the study another title.

        Raises:
            ConfigError: If it isn't 1 to 200 characters.
        """
        title = " ".join(str(title).split())
        if not 1 <= len(title) <= 200:
            raise ConfigError(f"The title has {len(title)} characters, but must have 1 to 200; write a shorter or longer one.")
        self._edit(id, f"renamed to {title!r}", title=title)

    def set_note(self, id: str, text: str, read: str | None = None) -> str | None:
        """Replace the study's note.

        Args:
            id: Which study.
            text: The new note.
            read: The note as the writer read it; without it, whatever stands there is replaced.

        Returns:
            None if it is stored; else what somebody else has written since, and nothing is changed.

        Raises:
            ConfigError: If it is longer than 10,000 characters.
        """
        if len(text) > 10_000:
            raise ConfigError(f"The note has {len(text)} characters, but may have 10000; shorten it.")
        with self.database.write() as connection:
            self._known(connection, id)
            unchanged = STUDY.c.id == id if read is None else and_(STUDY.c.id == id, STUDY.c.note.in_((read, text)))
            if connection.execute(update(STUDY).where(unchanged).values(note=text)).rowcount:
                record(self.database, connection, id, "local", "note changed")
                return None
            return str(connection.execute(select(STUDY.c.note).where(STUDY.c.id == id)).scalar_one())

    def delete(self, id: str, owner: str = "local") -> None:
        """Put the study into the bin, and stop it if it waits or runs; :meth:`undelete` brings it back with all its results."""
        with self.database.write() as connection:
            self._known(connection, id)
            connection.execute(update(STUDY).where(STUDY.c.id == id, STUDY.c.deleted.is_(None)).values(deleted=self.database.clock))
            record(self.database, connection, id, owner, "deleted")
            ask_to_stop(self.database, connection, id, owner)

    def undelete(self, id: str, owner: str = "local") -> None:
        """Take the study out of the bin."""
        with self.database.write() as connection:
            self._known(connection, id)
            self._restore(connection, id, owner)

    def pin(self, id: str, setting_key: str, label: str | None = None, read: str | None = None) -> str | None:
        """Pin a setting of a study, or of a shipped sample by its name; pinning again changes the label, or without one nothing.

        Args:
            id: Study or sample.
            setting_key: Which of its settings.
            label: A person's note on this pin, of one line.
            read: The label as the writer read it; without it, whatever stands there is replaced.

        Returns:
            None if it is stored; else the label that somebody else has written since, and nothing is changed.

        Raises:
            ConfigError: If the text is no setting's key, or the label is longer than 200 characters.
        """
        key = Setting.from_key(setting_key).key
        if label is not None and len(label) > 200:
            raise ConfigError(f"The label has {len(label)} characters, but may have 200; shorten it.")
        with self.database.write() as connection:
            new = self.database.insert_new(connection, PIN, {"study": id, "setting": key, "label": label or "", "created": self.database.clock})
            if not new and label is not None:
                mine = and_(PIN.c.study == id, PIN.c.setting == key)
                unchanged = mine if read is None else and_(mine, PIN.c.label.in_((read, label)))
                if not connection.execute(update(PIN).where(unchanged).values(label=label)).rowcount:
                    return str(connection.execute(select(PIN.c.label).where(mine)).scalar_one())
            touch(connection, id)
        return None

    def unpin(self, id: str, setting_key: str) -> None:
        """Remove a pin; one that isn't there is no error."""
        with self.database.write() as connection:
            connection.execute(delete(PIN).where(PIN.c.study == id, PIN.c.setting == Setting.from_key(setting_key).key))
            touch(connection, id)

    def import_file(self, file: StudyFile, owner: str = "local") -> str:
        """Take a study file in as a finished study; one that is there already and waits, runs or is done stays as it is.

        Returns:
            The study's id.
        """
        id = file.config.id
        with self.database.write() as connection:
            if self._add(connection, file.config, owner, str(file.origin.get("code_version", "unknown"))):
                new_job(self.database, connection, id, owner, "study", ComputeOptions())
                ask_to_stop(self.database, connection, id, owner)
            self._restore(connection, id, owner)
            import_results(self.database, connection, self.home, file, owner)
        return id

    def _add(self, connection: Connection, config: StudyConfig, owner: str, code_version: str) -> bool:
        text = json.dumps(config.to_dict())
        return self.database.insert_new(connection, STUDY, {"id": config.id, "title": config.title, "owner": owner, "note": "", "config": text, "version": 1,
                                                            "created": self.database.clock, "code_version": code_version, "origin": "{}"})

    def _restore(self, connection: Connection, id: str, owner: str) -> None:
        if connection.execute(update(STUDY).where(STUDY.c.id == id, STUDY.c.deleted.is_not(None)).values(deleted=None)).rowcount:
            record(self.database, connection, id, owner, "brought back")

    def _edit(self, id: str, what: str, **values: str) -> None:
        with self.database.write() as connection:
            self._known(connection, id)
            connection.execute(update(STUDY).where(STUDY.c.id == id).values(**values))
            record(self.database, connection, id, "local", what)
