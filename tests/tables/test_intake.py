"""Files of unknown origin: every honest one is read as it was meant, every other one is a sentence, and none does harm."""

from __future__ import annotations

import csv
import gzip
import io
import re
import shutil
import string
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrp_core.errors import DataError
from mrp_core.intake import bounds
from mrp_core.intake.apart import read_apart
from mrp_core.intake.bounds import MISSING
from mrp_core.intake.columnar import read_any

ROOT = Path(__file__).resolve().parents[2]
WORDS = "name,größe,ort\nJürgen,3,Köln\nZoë,4,Besançon\n"


def parquet(columns: dict[str, Any], **options: Any) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out, **options)
    return out.getvalue()


def read(data: bytes) -> dict[str, list[str | None]]:
    return read_any(data)[0].to_pydict()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "latin-1"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_encodings_and_separators_are_found_out(encoding: str, separator: str) -> None:
    assert read(WORDS.replace(",", separator).encode(encoding)) == {"name": ["Jürgen", "Zoë"], "größe": ["3", "4"], "ort": ["Köln", "Besançon"]}


@pytest.mark.parametrize(("text", "encoding"), [("имя,город\nИван,Москва\nОльга,Казань\n", "cp1251"), ("名前,都市\n太郎,東京\n花子,大阪\n", "shift_jis")])
def test_other_alphabets_are_found_out(text: str, encoding: str) -> None:
    assert list(read(text.encode(encoding))) == text.split("\n")[0].split(",")


@pytest.mark.parametrize(("text", "values"), [
    ('a;b\n"3,5";x\n-1.200,25;y\n', ["3.5", "-1200.25"]), ("a;b\n3,5;x\nthree;y\n", ["3,5", "three"]), ('a,b\n"1,200",x\n"12,345,678.5",y\n', ["1200", "12345678.5"]),
    ('a,b\n"1,2",x\n"3,4",y\n', ["1,2", "3,4"]), ("a\tb\n0,5\tx\n,25\ty\n", ["0.5", ".25"]), ("a;b\n1.200;x\n2.500;y\n", ["1.200", "2.500"]),
])
def test_decimal_commas_and_thousands_become_plain_numbers(text: str, values: list[str]) -> None:
    assert read(text.encode())["a"] == values


def test_values_stay_as_they_are() -> None:
    text = 'id,big,when,flag,note\n007,123456789012345678901234567890,2024-02-29,true,"two\nlines, and ""quotes"""\n008, 1e999 ,,,=1+1\n'
    assert read(text.encode()) == {"id": ["007", "008"], "big": ["123456789012345678901234567890", "1e999"], "when": ["2024-02-29", None], "flag": ["true", None],
                                   "note": ['two\nlines, and "quotes"', "=1+1"]}


@pytest.mark.parametrize("word", [*MISSING, "NA", " NaN ", "None"])
def test_words_for_nothing_are_missing(word: str) -> None:
    assert read(f"a,b\n{word},1\n2,1\n".encode())["a"] == [None, "2"]


def test_parquet_types_become_texts() -> None:
    moment = np.array(["2024-01-02T03:04:05", "NaT"], dtype="datetime64[s]")
    columns = {"n": [1.5, float("nan")], "i": [2**62, None], "b": [True, None], "t": moment, "c": pa.array(["x", None]).dictionary_encode(), "s.t": [" y ", "NA"], "e": pa.nulls(2)}
    assert read(parquet(columns)) == {"n": ["1.5", None], "i": [str(2**62), None], "b": ["true", None], "t": ["2024-01-02 03:04:05", None], "c": ["x", None],
                                      "s.t": ["y", None], "e": [None, None]}


def excel_bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("xl/workbook.xml", bytes(5_000_000))
    return out.getvalue()


def other_schema() -> bytes:
    """A Parquet file whose footer tells of another table than its pages hold."""
    honest, other = parquet({"a": [1, 2, 3]}, compression="none"), parquet({"a": ["x" * 50] * 9}, compression="none")
    length = int.from_bytes(other[-8:-4], "little")
    return honest[:40] + other[-8 - length:]


BAD = {
    "empty": (b"", "is empty"), "header only": (b"a,b\n", "no rows"), "blank lines": (b"\n\n\n", "no header"), "blank name": (b"a,,c\n1,2,3\n", "Column 2 has no name"),
    "same name": (b"a, a\n1,2\n", "Two columns are called 'a'"), "long name": (b"a" * 200 + b"\n1\n", "200 characters"), "control in name": (b"a\x1b[2J,b\n1,2\n", "control characters"),
    "many columns": ((",".join(f"c{i}" for i in range(10_000)) + "\n").encode(), "10,000 columns"), "long value": (b"a,b\n1," + b"x" * 120_000 + b"\n", "100,000 characters"),
    "ragged": (b"a,b\n1,2\n1,2,3\n", "Row 2 after the header has 3 values"), "NUL": (b"a,b\n1,\x002\n", "NUL"), "open quote": (b'a,b\n1,"2\n3,4\n', "never closes"),
    "text behind a quote": (b'a,b\n1,"2"3\n', "isn't CSV"), "control characters": (b"a,b\n" + b"\x01\x02,3\n" * 50, "control characters"),
    "half a UTF-16": ("a,b\n".encode("utf-16") + b"\x00", "can't be read as utf-16"),
    "gzip": (gzip.compress(bytes(10**7)), "packed by gzip"), "Excel": (excel_bomb(), "Excel"), "PDF": (b"%PDF-1.7\n", "PDF"),
    "truncated Parquet": (parquet({"a": list(range(1000))})[:-50], "damaged"), "only the mark": (b"PAR1", "damaged"), "other schema": (other_schema(), "damaged"),
    "nested": (parquet({"a": [[1], [2]]}), "type list"), "bytes": (parquet({"a": [b"x"]}), "type binary"), "no columns": (parquet({}), "no columns"),
    "no rows": (parquet({"a": pa.nulls(0)}), "no rows"),
    "twice in Parquet": (parquet({"a": [1], "b": [2]}, compression="none").replace(b"b", b"a"), "damaged|Two columns"),
    "long value in Parquet": (parquet({"a": ["x" * 200_000]}), "100,000 characters"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_one_sentence(name: str) -> None:
    data, words = BAD[name]
    with pytest.raises(DataError, match=words) as caught:
        bounds.checked_bytes(len(data))
        read_any(data)
    assert re.fullmatch(r"[^\n]{10,400}\.", str(caught.value))


@given(st.one_of(st.binary(max_size=400), st.text(alphabet=string.ascii_letters + ',;\t|"\n\r 0123456789.-é', max_size=300).map(lambda t: t.encode("utf-8"))))
@settings(max_examples=300)
def test_any_bytes_are_a_table_or_a_sentence(data: bytes) -> None:
    try:
        table = read_any(data)[0]
    except DataError as error:
        assert str(error).endswith(".") and "\n" not in str(error)
    else:
        assert table.num_rows and set(table.schema.types) == {pa.string()}


HONEST = parquet({"a": list(range(50)), "b": ["x", "y"] * 25})


@given(st.lists(st.tuples(st.integers(0, len(HONEST) - 1), st.integers(0, 255)), min_size=1, max_size=6))
@settings(max_examples=150)
def test_altered_parquet_is_a_table_or_a_sentence(changes: list[tuple[int, int]]) -> None:
    data = bytearray(HONEST)
    for place, value in changes:
        data[place] = value
    try:
        read_any(bytes(data))
    except DataError as error:
        assert "\n" not in str(error)


CELLS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zs", "Zl", "Zp")) | st.sampled_from(' ,;|"'), min_size=1, max_size=8).map(str.strip).filter(
    lambda t: t.lower() not in MISSING and not re.fullmatch(r"[+-]?[\d.,]+", t))
NAMES = st.lists(st.text("abcdefghijk éü", min_size=1, max_size=6).map(lambda t: " ".join(t.split())).filter(bool), min_size=2, max_size=4, unique=True)


@given(st.data(), NAMES, st.integers(2, 6), st.sampled_from(",;\t|"), st.sampled_from(["utf-8", "utf-16", "utf-8-sig"]))
@settings(max_examples=100)
def test_what_was_written_is_read(data: st.DataObject, names: list[str], rows: int, separator: str, encoding: str) -> None:
    """With letters and digits alone around the separator, that is the one found; any other text survives in quotes."""
    plain = st.text("abcxyz0123456789", min_size=1, max_size=5).filter(lambda t: t not in MISSING)
    cells = [[data.draw(plain if i else CELLS) for i in range(len(names))] for _ in range(rows)]
    out = io.StringIO()
    csv.writer(out, delimiter=separator, quoting=csv.QUOTE_ALL).writerows([names, *cells])
    table = read_any(out.getvalue().encode(encoding))[0]
    assert table.column_names == names
    assert [list(row.values()) for row in table.to_pylist()] == cells


def test_the_size_is_what_the_app_lets_up() -> None:
    served = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    assert served["server"]["maxUploadSize"] * 2**20 == bounds.MOST_BYTES
    with pytest.raises(DataError, match=r"at most 20 MB"):
        bounds.checked_bytes(bounds.MOST_BYTES + 1)


@pytest.mark.parametrize(("name", "value", "words"), [("MOST_ROWS", 20, "more than 20 rows"), ("MOST_CELLS", 50, "more than 25 rows"), ("MOST_TEXT", 30, "unpacks to more than")])
@pytest.mark.parametrize("data", [b"a,b\n" + b"1,2\n" * 40, parquet({"a": list(range(40)), "b": list(range(40))})], ids=["csv", "parquet"])
def test_rows_cells_and_text_are_counted_while_reading(data: bytes, name: str, value: int, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, name, value)
    with pytest.raises(DataError, match=words):
        read_any(data)


def test_the_reading_process_answers_as_the_function_does(tmp_path: Path) -> None:
    place = tmp_path / "out"
    for name in ("header only", "NUL", "open quote", "truncated Parquet", "Excel"):
        with pytest.raises(DataError, match=BAD[name][1]):
            read_apart(BAD[name][0], place)
        assert list(tmp_path.iterdir()) == []
    read_apart(WORDS.encode("cp1252"), place)
    assert pq.read_table(place).to_pydict() == read(WORDS.encode("utf-8"))
    assert pq.read_schema(place).metadata == {b"how": b"Read as cp1252, separated by commas."}


def test_a_bomb_ends_within_its_bounds(tmp_path: Path) -> None:
    """5 kB that claim 36 GB: the process gives up, with a sentence, and the parent has read nothing of it."""
    bomb = parquet({"a": pa.DictionaryArray.from_arrays(pa.array(np.zeros(400_000, dtype="int32")), pa.array(["x" * 90_000]))})
    assert len(bomb) < 10_000
    with pytest.raises(DataError, match="unpacks to more than 256 MB"):
        read_apart(bomb, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


LIMITED = """
import resource, sys
from mrp_core.intake import child
child.MEMORY, child.MOST_TEXT, child.CPU_SECONDS = 600 * 2**20, 1000, 1
child.limit()
{}
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits are the system's")
@pytest.mark.parametrize(("code", "word"), [("bytes(700 * 2**20)", "MemoryError"), ("f = open('large', 'wb', 0); f.write(bytes(5000)); f.write(b'x')", "File too large"), ("while True: pass", "")])
def test_the_reading_process_cant_exceed_its_limits(code: str, word: str, tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", LIMITED.format(code)], cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode != 0
    assert word in done.stderr


def test_a_process_that_hangs_or_dies_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match=r"took more than 0\.01 seconds"):
        read_apart(b"a\n1\n", tmp_path / "out", seconds=0.01)
    monkeypatch.setattr(sys, "executable", shutil.which("false"))  # as if it had died
    with pytest.raises(DataError, match=r"^The file can't be read within the memory and time"):
        read_apart(b"a\n1\n", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_the_reading_process_knows_no_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, str] = {}
    run = subprocess.run
    monkeypatch.setenv("MRP_STORE", "postgresql://user:secret@host/db")
    monkeypatch.setattr(subprocess, "run", lambda *a, **k: (seen.update(k["env"]), run(*a, **k))[1])
    read_apart(b"a\n1\n", tmp_path / "out")
    assert seen and not [k for k, v in seen.items() if "secret" in v]
