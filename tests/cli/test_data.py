"""``mrp data``: what a table holds, keeping it, a study that uses it, deleting it; one sentence for bad input."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

import pytest

from mrp_core import cli
from mrp_core.config import StudyConfig, TaskConfig
from mrp_core.registry import plugin
from mrp_core.store import Store
from mrp_core.tables import shelf
from tests.tables.made import csv_of, read_here, visits


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Path:
    """A table in a folder, beside an empty home."""
    monkeypatch.setenv("MRP_HOME", str(tmp_path / "home"))
    if "back" not in request.node.name:  # one test goes through the reading process
        monkeypatch.setattr(shelf, "read_apart", read_here)
    path = tmp_path / "visits.csv"
    path.write_bytes(csv_of(visits(1200)))
    return path


def run(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    code = cli.main(["data", *map(str, arguments)])
    out, err = capsys.readouterr()
    return code, out, err


ROLES = ("--label", "outcome", "--task", "ward", "--sensitive", "sex")


def test_from_a_file_to_a_study_and_back(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "check", file, *ROLES)
    assert code == 0
    assert "visit id  identifier" in out and "Read as UTF-8, separated by commas." in out and "'recorded' would give 'outcome' away, and is no input." in out and "mode site, ways 2" in out
    assert list((file.parent / "home" / "tables").iterdir()) == []  # a check keeps nothing
    code, out, _ = run(capsys, "add", file, *ROLES, "--title", "Visits", "--kind", "visit id=number", "--json")
    added = json.loads(out)
    assert code == 0 and added["task"] == {"family": "table", "table": added["id"], "mode": "site", "ways": 2, "shots": 5, "queries": 7}
    built = plugin("tasks", "table").build(TaskConfig(**added["task"]), 0)
    assert "visit id" in built.features and built.labels == ("ill", "well")
    assert "Visits: outcome by ward" in run(capsys, "list")[1]
    study = StudyConfig(title="On visits", task=TaskConfig(**added["task"]))
    Store.open().submit(study)
    code, out, _ = run(capsys, "delete", added["id"])
    assert code == 0 and study.id in out
    assert list((file.parent / "home" / "tables").iterdir()) == []
    code, _, err = run(capsys, "delete", added["id"])
    assert code == cli.BAD_INPUT and "There is no table with the id" in err
    assert "No tables are kept" in run(capsys, "list")[1]


def test_answers_are_json_when_asked(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    columns = json.loads(run(capsys, "check", file, "--json")[1])
    assert {c["name"]: c["kind"] for c in columns}["seen"] == "date"
    report = json.loads(run(capsys, "check", file, *ROLES, "--json")[1])
    assert report["problem"] == "" and sum(report["tasks"]) == 8 and report["rows"] == 1200
    assert json.loads(run(capsys, "list", "--json")[1]) == []


def test_a_check_spares_a_table_that_is_kept(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    id = run(capsys, "add", file, *ROLES)[1].split()[0]
    assert run(capsys, "check", file)[0] == 0
    assert [row["id"] for row in json.loads(run(capsys, "list", "--json")[1]) if row["problem"] == ""] == [id]


def test_what_cant_be_built_is_told_after_the_findings(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "check", file, "--label", "outcome", "--task", "sex")
    assert code == cli.BAD_INPUT and "visit id" in out and err == ("The task column 'sex' has 2 values, but training, validation and test need one each; "
                                                                     "choose a column with at least three groups, or leave it empty.\n")
    code, out, err = run(capsys, "add", file, "--label", "constant", "--task", "ward", "--json")
    assert code == cli.BAD_INPUT and out == "" and "one value only" in json.loads(err)["error"]


@pytest.mark.parametrize("kind", ["link", "folder", "missing", "pipe", "gzip", "no column", "kind", "big"])
def test_bad_input_is_one_sentence(file: Path, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    path, more = file.parent / "other.csv", ("--label", "outcome")
    if kind == "link":
        path.symlink_to(file)
    elif kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "gzip":
        path.write_bytes(gzip.compress(file.read_bytes()))
    elif kind == "big":
        path.write_bytes(b"a,b\n" + bytes(21 * 2**20))
    else:
        path, more = (path if kind == "missing" else file), {"no column": ("--label", "nope"), "kind": ("--label", "outcome", "--kind", "age=colour")}.get(kind, more)
    code, out, err = run(capsys, "check", path, *more)
    words = {"link": "symbolic link", "folder": "directory", "missing": "No such file", "pipe": "no plain file", "gzip": "packed by gzip", "no column": "no column 'nope'",
             "kind": "kind is 'age=colour'", "big": "at most 20 MB"}
    assert code == cli.BAD_INPUT and out == "" and words[kind] in err and err.count("\n") == 1


def test_no_cell_reaches_the_terminal_as_a_command(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_bytes(csv_of(visits(1200).replace({"well": "well\x1b[2Jgone"})))
    code, out, err = run(capsys, "check", file, *ROLES)
    assert code == 0 and "gone" in out and "\x1b" not in out + err
