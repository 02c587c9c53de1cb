"""Helpers of the families, on files and columns as bad as they come."""

from __future__ import annotations

import gzip
import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray

from mrp_core import tabular
from mrp_core.errors import DataError
from mrp_core.tabular import class_tasks, distinct_rows, draw_members, read_arrays, read_table, standardised

VALUES = st.one_of(st.just(np.nan), st.just(1.0), st.just(-0.0), st.floats(-1e12, 1e12, allow_nan=False))
TABLES = arrays(np.float64, array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=12), elements=VALUES)
FILES = tuple(tabular.CHECKSUMS)


def read(name: str) -> object:
    return read_arrays(name, ("X",)) if name.endswith("npz") else read_table(name, ("age",))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the sample files that a test may damage."""
    for name in FILES:
        shutil.copy(tabular.SAMPLE_DATA / name, tmp_path / name)
    monkeypatch.setattr(tabular, "SAMPLE_DATA", tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", FILES)
def test_the_note_beside_a_file_has_its_checksum(name: str) -> None:
    note = (tabular.SAMPLE_DATA / f"{name.split('.')[0]}.provenance.md").read_text(encoding="utf-8")
    assert hashlib.sha256((tabular.SAMPLE_DATA / name).read_bytes()).hexdigest() == tabular.CHECKSUMS[name]
    assert tabular.CHECKSUMS[name] in note
    assert all(word in note for word in ("Origin", "Licence", "Cite", "Changes"))


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", ["gone", "empty", "truncated", "one bit", "other", "folder"])
def test_a_bad_file_is_one_sentence(folder: Path, name: str, damage: str) -> None:
    content = (folder / name).read_bytes()
    half = len(content) // 2
    (folder / name).unlink()
    if damage == "folder":
        (folder / name).mkdir()
    elif damage != "gone":
        (folder / name).write_bytes({"empty": b"", "truncated": content[:half], "one bit": content[:half] + bytes([content[half] ^ 1]) + content[half + 1:],
                                     "other": b"not this format"}[damage])
    with pytest.raises(DataError, match=rf"^The sample file '{name}' is (missing|damaged).*restore sample_data/{name} from the repository\.$"):
        read(name)


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04broken", gzip.compress(b"a,b\n1,2\n", mtime=0)[:-9], gzip.compress(b"", mtime=0)])
@pytest.mark.parametrize("name", ["other.npz", "other.csv.gz"])
def test_a_file_without_checksum_that_cannot_be_parsed_is_one_sentence(folder: Path, name: str, content: bytes) -> None:
    (folder / name).write_bytes(content)
    with pytest.raises(DataError, match=rf"^The sample file '{name}' is damaged"):
        read(name)


def test_a_file_without_the_expected_content_is_one_sentence(folder: Path) -> None:
    np.savez(folder / "other.npz", y=np.zeros(2))
    (folder / "other.csv.gz").write_bytes(gzip.compress(b"a,b\n1,2\n", mtime=0))
    np.save(folder / "plain.npy", np.zeros(2))
    (folder / "plain.npy").rename(folder / "plain.npz")
    for name, words in (("other.npz", "no array 'X'"), ("other.csv.gz", "no column 'age'"), ("plain.npz", "damaged")):
        with pytest.raises(DataError, match=words):
            read(name)


def test_what_is_read_may_be_altered() -> None:
    read_arrays("letters26.npz", ("X",))["X"][:] = 0
    table = read_table("medical_support2.csv.gz", ("age",))
    table["age"] = 0
    assert read_arrays("letters26.npz", ("X",))["X"].any()
    assert (read_table("medical_support2.csv.gz", ("age",))["age"] > 0).all()


@given(TABLES, st.data())
def test_standardised_columns_are_finite_bounded_and_know_the_basis_only(x: NDArray[np.float64], data: st.DataObject) -> None:
    basis = data.draw(arrays(np.bool_, len(x)))
    out = standardised(x, basis)
    assert out.dtype == np.float32
    assert np.isfinite(out).all()
    assert np.abs(out).max() <= tabular.CLIP
    changed = np.where(basis[:, None], x, 1e6)
    np.testing.assert_array_equal(standardised(changed, basis)[basis], out[basis])


@given(arrays(np.float64, (9, 3), elements=st.floats(-1e3, 1e3)), st.sampled_from([np.nan, 0.0, 0.1, 1e15 + 0.1]))
def test_a_column_without_values_or_spread_becomes_zero(x: NDArray[np.float64], constant: float) -> None:
    x[:, 1] = constant
    assert not standardised(x, np.ones(9, dtype=bool))[:, 1].any()


def test_standardised_is_the_textbook_on_a_plain_column() -> None:
    x = np.array([[1.0], [2.0], [np.nan], [6.0], [1e9]])
    basis = np.array([True, True, True, True, False])
    expected = (np.array([1.0, 2.0, 2.0, 6.0]) - 2.75) / np.std([1.0, 2.0, 2.0, 6.0])
    np.testing.assert_allclose(standardised(x, basis)[:, 0], [*expected, 5.0], rtol=1e-6)


@given(TABLES)
def test_distinct_rows_keep_the_first_of_each(x: NDArray[np.float64]) -> None:
    keys = [tuple(None if np.isnan(v) else v + 0.0 for v in row) for row in x.tolist()]
    assert distinct_rows(x).tolist() == [i for i, key in enumerate(keys) if key not in keys[:i]]


@given(arrays(np.int64, st.integers(0, 60), elements=st.integers(-2, 2)), st.integers(0, 2**31))
def test_members_are_the_same_share_of_each_stratum(strata: NDArray[np.int64], seed: int) -> None:
    member = draw_members(strata, seed)
    for stratum in np.unique(strata):
        own = member[strata == stratum]
        assert abs(own.sum() - tabular.MEMBERS * len(own)) <= 0.5
    np.testing.assert_array_equal(member, draw_members(strata, seed))


@pytest.mark.parametrize(("classes", "ways"), [(5, 5), (6, 2), (15, 5), (26, 13), (40, 20)])
def test_tasks_are_distinct_sets_of_classes(classes: int, ways: int) -> None:
    tasks = class_tasks(classes, ways, "training")
    assert len(tasks) <= tabular.MOST_TASKS
    assert (np.diff(tasks, axis=1) > 0).all()
    assert len(np.unique(tasks, axis=0)) == len(tasks)
    assert set(tasks.ravel().tolist()) == set(range(classes))
