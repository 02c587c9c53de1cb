"""Where tables of one's own lie: ``tables/<SHA-256 of the file as given>.parquet`` in the home folder, never under the name given."""

from __future__ import annotations

import functools
import hashlib
import os
import re
import secrets
import time
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from mrp_core.errors import DataError, StoreError
from mrp_core.home import home_folder
from mrp_core.intake.apart import read_apart
from mrp_core.intake.bounds import checked_bytes
from mrp_core.tables.spec import HASH

FORGOTTEN = 24 * 3600.0
"""Seconds after which an upload that no description names is deleted."""


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A table that was read and kept.

    Attributes:
        table: SHA-256 of the file as given.
        title: Its file name without the ending, for people; no file is ever called so.
        rows: Number of rows.
        columns: Names of its columns.
        how: How it was read: encoding and separator, or Parquet.
    """

    table: str
    title: str
    rows: int
    columns: tuple[str, ...]
    how: str


def store_upload(name: str, data: bytes) -> Upload:
    """Read a file in a process of its own and keep its table; the same bytes are kept once.

    Args:
        name: The file's plain name, which serves as title only.
        data: Its bytes: CSV or Parquet, told apart by content.

    Raises:
        DataError: If the bytes hold no table, or the name is a path.
        StoreError: If the folder can't be written.
    """
    title = _title(name)
    checked_bytes(len(data))
    table = hashlib.sha256(data).hexdigest()
    try:
        folder = table_folder(make=True)
        _sweep(folder)
        place = folder / f"{table}.parquet"
        if place.exists():
            os.utime(place)
        else:
            _keep(data, place)
    except OSError as error:
        raise StoreError(f"The table can't be kept ({error.strerror or error}); free some space, or set MRP_HOME to a folder that you may write.") from error
    return opened(table, title)


def opened(table: str, title: str = "My table") -> Upload:
    """An upload by its hash, as :func:`store_upload` returned it.

    Raises:
        DataError: If it isn't there any more, or damaged.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        about = pq.read_schema(_place(table)), pq.read_metadata(_place(table))
    except (OSError, pa.ArrowException) as error:
        raise _damaged(table) from error
    how = (about[0].metadata or {}).get(b"how", b"").decode()
    return Upload(table=table, title=title, rows=about[1].num_rows, columns=tuple(about[0].names), how=how)


def frame_of(table: str) -> pd.DataFrame:
    """The table's texts, NaN where a value is missing; not to be changed.

    Raises:
        DataError: If it isn't there any more, or damaged.
    """
    place = _place(table)
    return _frame(place, place.stat().st_mtime_ns)


def discard(table: str) -> None:
    """Delete a table for good; one that isn't there is no error.

    Raises:
        StoreError: If it can't be deleted.
    """
    if not HASH.fullmatch(table):
        return
    _frame.cache_clear()
    try:
        (table_folder() / f"{table}.parquet").unlink(missing_ok=True)
    except OSError as error:
        raise StoreError(f"The table can't be deleted ({error.strerror or error}); give write permission to its folder.") from error


def table_folder(make: bool = False) -> Path:
    """The folder of tables, for its owner alone.

    Raises:
        OSError: If it can't be made.
    """
    folder = home_folder() / "tables"
    if make:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def _keep(data: bytes, place: Path) -> None:
    temporary = place.with_name(f"{place.stem}.{secrets.token_hex(8)}.tmp")
    try:
        read_apart(data, temporary)
        temporary.replace(place)
    finally:
        temporary.unlink(missing_ok=True)


def _sweep(folder: Path) -> None:
    """Delete what an interrupted upload left, and tables that nobody has given a description within a day: data of persons isn't kept by accident."""
    named = "".join(path.read_text(encoding="utf-8", errors="replace") for path in folder.glob("*.json"))
    for path in (*folder.glob("*.tmp"), *folder.glob("*.parquet")):
        if path.stem not in named and path.stat().st_mtime < time.time() - FORGOTTEN:
            path.unlink(missing_ok=True)


def _place(table: str) -> Path:
    place = table_folder() / f"{table}.parquet"
    if not HASH.fullmatch(table) or not place.is_file():
        raise DataError(f"The table {table[:16]!r} isn't here; it was deleted, or lies on another machine. Add the file anew.")
    return place


@functools.lru_cache(maxsize=2)
def _frame(place: Path, changed: int) -> pd.DataFrame:
    import pyarrow as pa
    import pyarrow.parquet as pq

    del changed  # part of the key, so that a replaced file is read anew
    try:
        return pq.ParquetFile(place, page_checksum_verification=True).read(use_threads=False).to_pandas()
    except (OSError, ValueError, pa.ArrowException) as error:
        raise _damaged(place.stem) from error


def _damaged(table: str) -> DataError:
    return DataError(f"The kept table {table[:16]!r} is damaged; delete it, and add the file anew.")


def _title(name: str) -> str:
    if re.search(r"[/\\\0]", name) or name.strip() in ("", ".", ".."):
        raise DataError(f"The file name is {name[:80]!r}, but must be a plain name such as table.csv.")
    return Path(name).stem[:100]
