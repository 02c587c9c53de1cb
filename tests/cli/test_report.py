"""``mrp report``: a file is written and named, and bad input is one sentence with exit code 2."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from mrp_core.cli import main
from mrp_core.config import OuterConfig, StudyConfig
from mrp_core.store import Store


def test_a_report_of_a_sample_is_written_where_it_was_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "r.html"
    assert main(["report", "letters", "--point", "epsilon=3", "--out", str(out)]) == 0
    assert capsys.readouterr().out == f"{out}\n"
    assert "ε = 3" in out.read_text(encoding="utf-8")[:40_000]


def test_without_a_place_it_lies_in_this_folder_and_the_script_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["report", "letters", "--reproduce", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["file"] == "letters.reproduce.zip" and told["setting"] == "lambda=0.4"
    assert zipfile.ZipFile(told["file"]).namelist() == ["reproduce.py", "study.toml"]


def test_bad_input_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("MRP_HOME", str(tmp_path / "home"))
    empty = Store.open().submit(StudyConfig(title="Empty <b>", outer=OuterConfig(iterations=1)))
    cases = {("nothing",): "no study 'nothing'", ("letters", "--point", "lambda=9"): "has not measured it", ("letters", "--point", "x"): "is not a setting",
             (empty,): "no measured point yet", ("letters", "--out", str(tmp_path)): "is a folder", ("letters", "--out", "/proc/none/r.html"): "can't be written"}
    for arguments, words in cases.items():
        assert main(["report", *arguments]) == 2, arguments
        said = capsys.readouterr()
        assert words in said.err and said.err.count("\n") == 1 and said.out == ""
