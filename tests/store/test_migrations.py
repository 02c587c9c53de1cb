"""The schema: what the migrations make is what the program expects, from every released version on."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from mrp_core.config import StudyConfig
from mrp_core.store import Store
from mrp_core.store.database import MIGRATIONS, Database
from mrp_core.store.schema import METADATA, SCHEMA

RELEASED = [script.revision for script in ScriptDirectory(str(MIGRATIONS)).walk_revisions()]


def test_the_newest_migration_is_the_programs_schema() -> None:
    assert ScriptDirectory(str(MIGRATIONS)).get_current_head() == SCHEMA


@pytest.mark.parametrize("revision", RELEASED)
def test_a_store_of_every_version_is_brought_to_the_present_one(tmp_path: Path, revision: str) -> None:
    url = f"sqlite:///{tmp_path / 'studies.db'}"
    database = Database(url)
    with database.write() as connection:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes.update(connection=connection, metadata=METADATA)
        command.upgrade(config, revision)
    database.dispose()
    store = Store.open(url)
    with store.database.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
    assert store.submit(StudyConfig()) == StudyConfig().id
    store.close()
