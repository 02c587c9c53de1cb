"""CSV of unknown origin as a table of texts: encoding, separator and decimal sign are found out, and nothing else is guessed."""

from __future__ import annotations

import codecs
import csv
import io
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from mrp_core.errors import DataError
from mrp_core.intake.bounds import LONGEST_VALUE, MISSING, checked_names, checked_size

if TYPE_CHECKING:
    import pyarrow as pa

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
FOREIGN = ("cp1251", "cp1253", "shift_jis", "gb18030", "big5", "euc_kr")
"""Told apart by charset-normalizer; between western encodings it guesses, so those are read as cp1252."""
SAMPLE, SNIFFED, CHUNK = 65_536, 200, 10_000


def read_text(data: bytes) -> tuple[pa.Table, str]:
    """The table, every column of texts with null where a value is missing, and a sentence on how it was read.

    Raises:
        DataError: If the bytes aren't such a table, or too large a one.
    """
    import pyarrow as pa

    text, encoding = _decoded(data)
    separator = _separator(text[:SAMPLE])
    rows = _rows(text, separator)
    names = checked_names(next(rows, []))
    if not names:
        raise DataError("The file has no header; its first line must name the columns.")
    parts, done, size, chunk = [], 0, 0, []
    for row in rows:
        if len(row) != len(names):
            raise DataError(f"Row {done + len(chunk) + 1} after the header has {len(row)} values, but the header names {len(names)} columns (separated by {SEPARATORS[separator]}); "
                            "correct that row, or put texts that hold separators in quotes.")
        chunk.append(row)
        if len(chunk) == CHUNK:
            parts.append(_part(chunk, names))
            done, size, chunk = done + len(chunk), size + parts[-1].nbytes, []
            checked_size(done, len(names), size)
    parts += [_part(chunk, names)] if chunk or not parts else []
    checked_size(done + len(chunk), len(names), size + parts[-1].nbytes)
    table = pa.concat_tables(parts).combine_chunks()
    table = pa.table([_plain_numbers(table[name], separator) for name in names], names=names)
    return table, f"Read as {encoding}, separated by {SEPARATORS[separator]}."


def cleaned(column: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """Texts without spaces around them, and null for whatever says that there is no value."""
    import pyarrow as pa

    pc = compute()
    trimmed = pc.utf8_trim_whitespace(column)
    return pc.if_else(pc.is_in(pc.utf8_lower(trimmed), value_set=pa.array(MISSING)), None, trimmed)


def compute() -> Any:
    """The module pyarrow.compute, which makes its functions as it is loaded, so that no type checker knows them."""
    import pyarrow.compute

    return pyarrow.compute


def _decoded(data: bytes) -> tuple[str, str]:
    encoding = _encoding(data)
    try:
        text = data.decode(encoding)
    except ValueError as error:
        raise DataError(f"The file can't be read as {encoding} text (byte {getattr(error, 'start', 0):,}); save it as CSV in UTF-8.") from error
    if "\0" in text:
        raise DataError(f"The file holds a NUL character (position {text.index(chr(0)):,}), so it isn't plain text; save it as CSV in UTF-8.")
    sample = text[:SAMPLE]
    if sum(c < " " and c not in "\t\n\r" for c in sample) > len(sample) // 100:
        raise DataError("The file holds control characters, so it isn't plain text; save it as CSV in UTF-8, or as Parquet.")
    return text, encoding.removesuffix("-sig").upper() if encoding.startswith("utf") else encoding


def _encoding(data: bytes) -> str:
    for mark, name in MARKS:
        if data.startswith(mark):
            return name
    odd, even = data[1:2000:2], data[:2000:2]
    for zeros, others, name in ((odd, even, "utf-16-le"), (even, odd, "utf-16-be")):
        if len(zeros) > 4 and zeros.count(0) > 0.6 * len(zeros) and others.count(0) < 0.1 * len(others):
            return name
    try:
        data.decode("utf-8")
    except ValueError:
        return _single_byte(data)
    return "utf-8"


def _single_byte(data: bytes) -> str:
    from charset_normalizer import from_bytes

    sample = data[:SAMPLE].rsplit(b"\n", 1)[0]
    guess = from_bytes(sample, cp_isolation=["cp1252", *FOREIGN]).best()
    for name in ([guess.encoding] if guess and guess.encoding in FOREIGN else []) + ["cp1252"]:
        try:
            data.decode(name)
        except ValueError:
            continue
        return name
    return "latin-1"


def _separator(sample: str) -> str:
    """The one by which most of the first lines have equally many values, and more than one."""
    def score(separator: str) -> tuple[float, int]:
        widths: Counter[int] = Counter()
        try:
            for row, _ in zip(csv.reader(io.StringIO(sample, newline=""), delimiter=separator), range(SNIFFED), strict=False):
                widths[len(row)] += bool(row)
        except csv.Error:
            pass  # the sample may end within quotes; what was counted so far counts
        width, lines = widths.most_common(1)[0] if widths else (1, 0)
        return (lines / max(1, widths.total()), width) if width > 1 else (0.0, 1)

    return max(SEPARATORS, key=score)


def _rows(text: str, separator: str) -> Iterator[list[str]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        for row in reader:
            if row:
                yield row
    except csv.Error as error:
        reason = {"unexpected end of data": "a quotation mark that never closes"}.get(str(error), f"text that isn't CSV ({error})")
        raise DataError(f"The file holds {reason}, at the latest on line {reader.line_num:,}; correct that line.") from error


def _part(rows: list[list[str]], names: list[str]) -> pa.Table:
    import pyarrow as pa

    columns = list(zip(*rows, strict=True)) or [()] * len(names)
    for name, values in zip(names, columns, strict=True):
        if max(map(len, values), default=0) > LONGEST_VALUE:
            raise DataError(f"The column {name!r} holds a value of more than {LONGEST_VALUE:,} characters; leave such texts out.")
    return pa.table([cleaned(pa.array(values, pa.string())) for values in columns], names=names)


def _plain_numbers(column: pa.ChunkedArray, separator: str) -> pa.ChunkedArray:
    """Numbers with a decimal comma (where commas don't separate values), or with commas between thousands, in plain form."""
    pc = compute()
    if separator == ",":
        shape, marks = r"^[+-]?(\d{1,3}(,\d{3})+|\d+)(\.\d+)?$", ((",", ""),)
    else:
        shape, marks = r"^[+-]?(\d{1,3}(\.\d{3})+|\d*)(,\d+)?$", ((".", ""), (",", "."))
    if not pc.any(pc.match_substring(column, ",")).as_py() or not pc.all(pc.match_substring_regex(column, shape)).as_py():
        return column
    for mark, plain in marks:
        column = pc.replace_substring(column, mark, plain)
    return column
