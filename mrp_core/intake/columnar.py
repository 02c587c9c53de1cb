"""Parquet as a table of texts, counted while it is unpacked; what its own header claims is not believed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mrp_core.errors import DataError
from mrp_core.intake.bounds import LONGEST_VALUE, checked_names, checked_size
from mrp_core.intake.text import cleaned, compute, read_text

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

PARQUET = b"PAR1"
PACKED = {b"\x1f\x8b": "packed by gzip", b"PK\x03\x04": "a zip archive or an Excel workbook", b"\xd0\xcf\x11\xe0": "an old Excel workbook", b"BZh": "packed by bzip2",
          b"\xfd7zXZ": "packed by xz", b"\x28\xb5\x2f\xfd": "packed by zstd", b"7z\xbc\xaf": "a 7z archive", b"%PDF": "a PDF", b"ARROW1": "an Arrow file"}
BATCH = 1000


def read_any(data: bytes) -> tuple[pa.Table, str]:
    """A table of texts from CSV or Parquet, told apart by content alone, and a sentence on how it was read.

    Raises:
        DataError: If it is neither, is damaged, or too large.
    """
    for start, what in PACKED.items():
        if data.startswith(start):
            raise DataError(f"The file is {what}; give plain CSV or Parquet (in a spreadsheet: save as CSV, UTF-8).")
    table, how = _read_parquet(data) if data.startswith(PARQUET) else read_text(data)
    if not table.num_rows:
        raise DataError("The table has a header, but no rows.")
    return table, how


def _read_parquet(data: bytes) -> tuple[pa.Table, str]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(pa.BufferReader(data), page_checksum_verification=True) as file:
            return _unpacked(file), "Read as Parquet."
    except (pa.ArrowException, OSError, ValueError, KeyError, OverflowError) as error:
        raise DataError("The Parquet file is damaged: truncated, altered, or not what its own description says; write it anew.") from error
    except MemoryError as error:
        raise DataError("The Parquet file needs more memory than reading may take; leave out rows or columns.") from error


def _unpacked(file: pq.ParquetFile) -> pa.Table:
    import pyarrow as pa

    fields = [f for f in file.schema_arrow if not f.name.startswith("__index_level_")]
    names = checked_names([f.name for f in fields])
    if not names:
        raise DataError("The Parquet file has no columns.")
    told = file.metadata.num_rows
    checked_size(told, len(names), 0)
    rows, size, parts = 0, 0, []
    for batch in file.iter_batches(batch_size=BATCH, columns=[f.name for f in fields], use_threads=False):
        if len(batch.columns) != len(names):
            raise ValueError("columns are missing")
        part = pa.table([_texts(column, name) for column, name in zip(batch.columns, names, strict=True)], names=names)
        parts.append(part)
        rows, size = rows + part.num_rows, size + part.nbytes
        checked_size(rows, len(names), size)
    if rows != told:
        raise ValueError("rows are missing")
    return pa.concat_tables(parts).combine_chunks() if parts else pa.table([pa.array([], pa.string())] * len(names), names=names)


def _texts(column: pa.Array, name: str) -> pa.Array:
    import pyarrow as pa

    pc, kind = compute(), column.type
    if isinstance(kind, pa.DictionaryType):
        column, kind = column.dictionary_decode(), kind.value_type
    types = pa.types
    plain = (types.is_boolean, types.is_integer, types.is_floating, types.is_decimal, types.is_date, types.is_timestamp, types.is_time, types.is_null,
             types.is_string, types.is_large_string, types.is_string_view)
    if not any(test(kind) for test in plain):
        raise DataError(f"The column {name!r} holds values of the type {str(kind)[:60]}, but only numbers, texts, dates and booleans are read; leave it out.")
    column.validate(full=True)
    texts = column.cast(pa.string())
    if types.is_timestamp(kind):
        texts = pc.replace_substring_regex(texts, r"\.0+(Z?)$", r"\1")
    if (pc.max(pc.utf8_length(texts)).as_py() or 0) > LONGEST_VALUE:
        raise DataError(f"The column {name!r} holds a value of more than {LONGEST_VALUE:,} characters; leave such texts out.")
    return cleaned(texts)
