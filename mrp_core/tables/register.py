"""Descriptions of tables, ``tables/<id>.json``: saved, listed, loaded, deleted for good."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from mrp_core.errors import DataError, StoreError
from mrp_core.home import write_whole
from mrp_core.tables import shelf
from mrp_core.tables.spec import TableSpec

ID = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One line of the list of tables.

    Attributes:
        id: What a study's ``table`` names.
        spec: The description; None where it can't be read.
        rows: Rows of its table; 0 where that is gone.
        problem: One sentence on what is wrong with it, or "".
    """

    id: str
    spec: TableSpec | None
    rows: int
    problem: str = ""


def save(spec: TableSpec) -> str:
    """Keep a description; returns its id.

    Raises:
        DataError: If the table isn't here, or lacks a column.
        StoreError: If the folder can't be written.
    """
    upload = shelf.opened(spec.table)
    checked_columns(spec, upload.columns)
    try:
        write_whole(shelf.table_folder(make=True) / f"{spec.id}.json", spec.to_json().encode())
    except OSError as error:
        raise StoreError(f"The description can't be kept ({error.strerror or error}); free some space, or set MRP_HOME to a folder that you may write.") from error
    return spec.id


def checked_columns(spec: TableSpec, columns: tuple[str, ...]) -> None:
    """Whether a table has the columns that a description names.

    Raises:
        DataError: With the first that it lacks.
    """
    for name in spec.used:
        if name not in columns:
            shown = ", ".join(columns[:12]) + (" ..." if len(columns) > 12 else "")
            raise DataError(f"The table has no column {name!r}; its columns are: {shown}.")


def load(id: str) -> TableSpec:
    """A description by its id.

    Raises:
        DataError: If there is none, it is damaged, or its table is gone.
    """
    spec = _read(_place(id))
    shelf.opened(spec.table)
    return spec


def listing() -> tuple[Entry, ...]:
    """All descriptions, the newest first; one that can't be used says why."""
    try:
        found = sorted(shelf.table_folder().glob("*.json"), key=lambda p: (-p.stat().st_mtime, p.name))
    except OSError as error:
        raise StoreError(f"The folder of tables can't be read ({error.strerror or error}); give read permission to it.") from error
    return tuple(_entry(path) for path in found if ID.fullmatch(path.stem))


def delete(id: str) -> None:
    """Delete a description for good, and its table with it, unless another description uses that.

    Studies that used it keep their results, but can't be trained or examined again.

    Raises:
        DataError: If there is none.
        StoreError: If it can't be deleted.
    """
    place = _place(id)
    entry = _entry(place)
    try:
        place.unlink(missing_ok=True)
    except OSError as error:
        raise StoreError(f"The description can't be deleted ({error.strerror or error}); give write permission to its folder.") from error
    if entry.spec is not None and all(e.spec is None or e.spec.table != entry.spec.table for e in listing()):
        shelf.discard(entry.spec.table)


def _entry(path: Path) -> Entry:
    try:
        spec = _read(path)
    except DataError as error:
        return Entry(id=path.stem, spec=None, rows=0, problem=str(error))
    try:
        return Entry(id=path.stem, spec=spec, rows=shelf.opened(spec.table).rows)
    except DataError as error:
        return Entry(id=path.stem, spec=spec, rows=0, problem=str(error))


def _read(path: Path) -> TableSpec:
    try:
        return TableSpec.from_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"The description {path.stem!r} can't be read; delete it, and add the table anew.") from error


def _place(id: str) -> Path:
    place = shelf.table_folder() / f"{id}.json"
    if not ID.fullmatch(id) or not place.is_file():
        raise DataError(f"There is no table with the id {id[:40]!r}; it was deleted, or lies on another machine. Add the file anew, or choose another table.")
    return place
