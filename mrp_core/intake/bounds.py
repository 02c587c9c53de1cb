"""How large a table of one's own may be, and what the process that reads it may use."""

from __future__ import annotations

from mrp_core.errors import DataError

MOST_BYTES = 20 * 2**20
"""Of the file as given; the app's maxUploadSize."""
MOST_ROWS, MOST_COLUMNS, MOST_CELLS = 500_000, 300, 10_000_000
MOST_TEXT = 256 * 2**20
"""Bytes of all values once decompressed."""
LONGEST_VALUE, LONGEST_NAME = 100_000, 100
MEMORY = 2 * 2**30
"""Address space of the reading process, bytes."""
CPU_SECONDS, WALL_SECONDS = 60, 120
MISSING = ("", "na", "n/a", "#n/a", "<na>", "nan", "null", "none", "nil", "-", "--", "?", ".", "missing")
"""What counts as no value, in lower case."""


def checked_bytes(size: int) -> None:
    """Whether a file of this size is read.

    Raises:
        DataError: If it is empty or too large.
    """
    if not size:
        raise DataError("The file is empty; give a table with a header line and rows.")
    if size > MOST_BYTES:
        raise DataError(f"The file has {size / 2**20:,.1f} MB, but at most {MOST_BYTES >> 20} MB are read; leave out rows or columns, or save it as Parquet.")


def checked_names(names: list[str]) -> list[str]:
    """Column names with plain spaces.

    Raises:
        DataError: If there are too many, or one is blank, too long or there twice.
    """
    if len(names) > MOST_COLUMNS:
        raise DataError(f"The table has {len(names):,} columns, but at most {MOST_COLUMNS} are read; leave out those that no model should see.")
    plain = [" ".join(name.split()) for name in names]
    seen: set[str] = set()
    for number, name in enumerate(plain, 1):
        if not name:
            raise DataError(f"Column {number} has no name; write one into the header.")
        if len(name) > LONGEST_NAME:
            raise DataError(f"The name of column {number} has {len(name)} characters ({name[:30]!r} ...), but may have {LONGEST_NAME}; shorten it.")
        if not name.isprintable():
            raise DataError(f"The name of column {number} is {name!r}, which holds control characters; write it anew.")
        if name in seen:
            raise DataError(f"Two columns are called {name!r}; give one of them another name.")
        seen.add(name)
    return plain


def checked_size(rows: int, columns: int, size: int) -> None:
    """Whether a table of this size, counted while it is read, goes on being read.

    Raises:
        DataError: If it is too large.
    """
    if rows > MOST_ROWS:
        raise DataError(f"The table has more than {MOST_ROWS:,} rows; give a sample of them.")
    if rows * columns > MOST_CELLS:
        raise DataError(f"The table has {columns} columns and more than {MOST_CELLS // columns:,} rows, but at most {MOST_CELLS:,} cells are read; leave out columns or rows.")
    if size > MOST_TEXT:
        raise DataError(f"The table unpacks to more than {MOST_TEXT >> 20} MB; leave out long texts or rows.")
