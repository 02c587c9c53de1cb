"""Tables as they are kept: by hash, for their owner alone, described by what identifies them, and deleted for good."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import stat
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrp_core import tables
from mrp_core.errors import DataError, StoreError
from mrp_core.home import home_folder
from mrp_core.tables import TableSpec, shelf
from tests.tables.made import csv_of, species

SPEC = TableSpec(table="0" * 64, label="y", features=("a",), kinds=(("y", "category"), ("a", "number")))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MRP_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def everything(folder: Path) -> set[str]:
    return {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}


def test_a_table_lies_under_its_hash_and_nowhere_else(home: Path) -> None:
    data = csv_of(species(60))
    upload = tables.store_upload("Ünïque name.csv", data)
    assert (upload.table, upload.title, upload.rows, upload.columns[-1]) == (hashlib.sha256(data).hexdigest(), "Ünïque name", 60, "species")
    assert everything(home.parent) == {f"home/tables/{upload.table}.parquet"}
    assert stat.S_IMODE((home / "tables").stat().st_mode) == 0o700
    assert tables.opened(upload.table, upload.title) == upload == tables.store_upload("Ünïque name.csv", data)
    assert shelf.frame_of(upload.table)["species"].tolist() == species(60)["species"].tolist()


@pytest.mark.parametrize("name", ["../../x", "/etc/passwd", "..", "", " ", "a\\b.csv", "a\0.csv"])
def test_a_path_as_a_name_is_refused(home: Path, name: str) -> None:
    with pytest.raises(DataError, match=r"^The file name is .*plain name"):
        tables.store_upload(name, b"a,b\n1,2\n")
    assert not home.exists()


def test_a_bad_file_leaves_nothing(home: Path) -> None:
    with pytest.raises(DataError, match="NUL"):
        tables.store_upload("bad.csv", b"a,b\n1,\0\n")
    assert everything(home.parent) == set()


def test_descriptions_are_saved_listed_and_loaded(home: Path) -> None:
    assert tables.listing() == ()
    upload = tables.store_upload("plants.csv", csv_of(species(60)))
    spec = tables.proposed(upload, "species")
    id = tables.save(spec)
    assert id == spec.id and tables.load(id) == spec
    assert [(e.id, e.spec, e.rows, e.problem) for e in tables.listing()] == [(id, spec, 60, "")]
    assert tables.save(dataclasses.replace(spec, title="Other title")) == id
    assert tables.listing()[0].spec == dataclasses.replace(spec, title="Other title")


def test_deleting_is_for_good_but_spares_what_others_use(home: Path) -> None:
    upload = tables.store_upload("plants.csv", csv_of(species(60)))
    one = tables.save(tables.proposed(upload, "species"))
    two = tables.save(tables.proposed(upload, "species", features=("m0", "m1")))
    tables.delete(one)
    assert [e.id for e in tables.listing()] == [two]
    tables.load(two)
    tables.delete(two)
    assert everything(home) == set()
    for gone in (one, two):
        for act in (tables.load, tables.delete):
            with pytest.raises(DataError, match=rf"There is no table with the id '{gone}'"):
                act(gone)


@pytest.mark.parametrize("damage", ["table gone", "table cut", "description cut", "description other"])
def test_what_is_damaged_says_so_and_can_be_deleted(home: Path, damage: str) -> None:
    upload = tables.store_upload("plants.csv", csv_of(species(60)))
    id = tables.save(tables.proposed(upload, "species"))
    file, text = home / "tables" / f"{upload.table}.parquet", home / "tables" / f"{id}.json"
    if damage == "table gone":
        file.unlink()
    elif damage == "table cut":
        file.write_bytes(file.read_bytes()[:-20])
    else:
        text.write_text('{"version": 1, "label": [1], "table": 3}' if damage == "description other" else text.read_text()[:40])
    with pytest.raises(DataError):
        tables.load(id)
    assert tables.listing()[0].problem.endswith(".")
    tables.delete(id)
    assert tables.listing() == ()


def test_an_altered_page_is_noticed(home: Path) -> None:
    upload = tables.store_upload("plants.csv", csv_of(species(60)))
    file = home / "tables" / f"{upload.table}.parquet"
    data = bytearray(file.read_bytes())
    data[120] ^= 1
    file.write_bytes(bytes(data))
    with pytest.raises(DataError, match="damaged"):
        shelf.frame_of(upload.table)


def test_an_upload_that_nobody_described_goes_after_a_day(home: Path) -> None:
    kept = tables.store_upload("kept.csv", csv_of(species(60)))
    tables.save(tables.proposed(kept, "species"))
    lost, fresh = (tables.store_upload("x.csv", csv_of(species(60, seed=s))) for s in (1, 2))
    (home / "tables" / "half.tmp").write_bytes(b"")
    old = time.time() - 2 * 24 * 3600
    for name in (f"{kept.table}.parquet", f"{lost.table}.parquet", "half.tmp"):
        os.utime(home / "tables" / name, (old, old))
    tables.store_upload("new.csv", b"a,b\n1,2\n")
    left = {name.split(".")[0] for name in everything(home / "tables")}
    assert {kept.table, fresh.table} <= left and lost.table not in left and "half" not in left
    tables.discard(fresh.table)
    tables.discard("../../x")
    assert f"tables/{fresh.table}.parquet" not in everything(home)


def test_a_folder_that_cant_be_written_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MRP_HOME", str(tmp_path / "file"))
    with pytest.raises(StoreError, match=r"^The table can't be kept .*MRP_HOME.*\.$"):
        tables.store_upload("x.csv", b"a,b\n1,2\n")


def test_the_home_is_the_stores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MRP_HOME")
    assert home_folder(f"sqlite:///{tmp_path}/of studies.db") == tmp_path
    monkeypatch.setenv("MRP_STORE", f"sqlite:///{tmp_path}/x/studies.db")
    assert home_folder() == tmp_path / "x"
    assert home_folder("sqlite://not a url").name == home_folder("postgresql://h/db").name == "mrp"


NAMES = st.text(min_size=1, max_size=10)


@given(st.lists(NAMES, min_size=2, max_size=6, unique=True), st.text(max_size=30))
def test_a_description_survives_json(names: list[str], title: str) -> None:
    spec = TableSpec(table="ab" * 32, label=names[0], features=tuple(names[1:]), kinds=tuple((n, "number") for n in names), title=title)
    again = TableSpec.from_json(spec.to_json())
    assert again == spec and again.id == spec.id and spec.title


def test_the_identity_is_all_but_the_title() -> None:
    assert dataclasses.replace(SPEC, title="x").id == SPEC.id == dataclasses.replace(SPEC, kinds=SPEC.kinds[::-1]).id
    more = (*SPEC.kinds, ("b", "number"))
    others = [dataclasses.replace(SPEC, table="1" * 64), dataclasses.replace(SPEC, task="b", kinds=more), dataclasses.replace(SPEC, person="b", kinds=more),
              dataclasses.replace(SPEC, sensitive=("b",), kinds=more), dataclasses.replace(SPEC, features=("a", "b"), kinds=more),
              dataclasses.replace(SPEC, kinds=(("y", "category"), ("a", "category")))]
    assert len({s.id for s in (SPEC, *others)}) == 7


@pytest.mark.parametrize(("changes", "words"), [
    ({"table": "../x"}, "64 hex digits"), ({"label": ""}, "label is empty"), ({"features": ()}, "features is empty"), ({"features": ("a", "y")}, "two parts"), ({"features": ("a", "a")}, "two parts"),
    ({"task": "a"}, "two parts"), ({"kinds": (("y", "category"),)}, "but no kind"), ({"kinds": (("y", "category"), ("a", "colour"))}, "kind of the column 'a' is 'colour'"),
    ({"kinds": (("y", "category"), ("a", "text"))}, "can't be an input"),
])
def test_a_wrong_description_is_one_sentence(changes: dict[str, object], words: str) -> None:
    with pytest.raises(DataError, match=words) as caught:
        dataclasses.replace(SPEC, **changes)  # type: ignore[arg-type]
    assert str(caught.value).endswith(".")


KEYS = st.sampled_from(["table", "label", "kinds", "version", "features", "more"])
JSON = st.recursive(st.none() | st.integers() | st.text(max_size=5), lambda x: st.lists(x, max_size=3) | st.dictionaries(KEYS, x))


@given(st.text(max_size=40) | st.dictionaries(KEYS, JSON).map(lambda d: json.dumps({**d, "version": 1})))
def test_any_text_is_a_description_or_a_sentence(text: str) -> None:
    with pytest.raises(DataError, match=r"\.$"):
        TableSpec.from_json(text)


def test_columns_must_be_those_of_the_table(home: Path) -> None:
    upload = tables.store_upload("plants.csv", csv_of(species(60)))
    spec = tables.proposed(upload, "species")
    with pytest.raises(DataError, match="no column 'nope'"):
        tables.save(dataclasses.replace(spec, task="nope", kinds=(*spec.kinds, ("nope", "category"))))
    with pytest.raises(DataError, match="no column 'nope'"):
        tables.proposed(upload, "nope")
    assert tables.proposed(upload, "species", kinds={"m0": "category"}).kind("m0") == "category"
