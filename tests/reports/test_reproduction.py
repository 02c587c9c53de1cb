"""The script that goes out with a study measures its point anew, on its own, and tells when it doesn't agree."""

from __future__ import annotations

import ast
import io
import os
import re
import runpy
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from mrp_core.config import StudyConfig
from mrp_core.reports import Source, reproduction_zip
from mrp_core.reports.reproduction import script
from mrp_core.results import summarise
from mrp_core.settings import Setting
from tests.reports.made import NASTY, TINY, trained

ROOT = Path(__file__).resolve().parents[2]
POINT = Setting("lambda", 0.8)


@pytest.fixture(scope="module")
def source() -> Source:
    return trained()


def test_it_gives_the_same_point_from_an_empty_folder(source: Source, tmp_path: Path) -> None:
    point = Setting("epsilon", 3.0)
    zipfile.ZipFile(io.BytesIO(reproduction_zip(source, point))).extractall(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["reproduce.py", "study.toml"]
    done = subprocess.run([sys.executable, "reproduce.py"], cwd=tmp_path, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert (done.returncode, done.stderr) == (0, "")
    assert "agrees with what was published" in done.stdout
    (want,) = summarise([p for p in source.file.points if p.setting == point])
    for name in ("accuracy", "mi", "lira_auc"):
        found = re.search(rf"{name}: (\S+); published (\S+) \[", done.stdout)
        assert found and float(found[1]) == pytest.approx(want.means[name].value, rel=2e-4), "equal on one machine, but for the rounding of files"
        assert float(found[1]) == pytest.approx(float(found[2]), rel=2e-4)


def test_a_value_that_was_tampered_with_is_found_out(source: Source, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    zipfile.ZipFile(io.BytesIO(reproduction_zip(source, POINT))).extractall(tmp_path)
    file = tmp_path / "reproduce.py"
    text, count = re.subn(r"'accuracy': \([^)]*\)", "'accuracy': (0.99, 0.98, 1.0)", file.read_text())
    assert count == 1
    file.write_text(text)
    assert runpy.run_path(str(file))["main"]() == 1, "in this process, which has torch already"
    said = capsys.readouterr().out
    assert "does not agree" in said and said.count("NOT within") == 1 and "agrees" not in said


def test_equal_studies_give_equal_bytes_and_the_settings_are_the_study(source: Source) -> None:
    made = reproduction_zip(source, POINT)
    assert made == reproduction_zip(source, POINT)
    assert StudyConfig.from_toml(zipfile.ZipFile(io.BytesIO(made)).read("study.toml").decode()) == TINY


def test_a_title_of_code_stays_a_comment(source: Source) -> None:
    evil = replace(source, file=replace(source.file, config=replace(TINY, title=NASTY), origin={"torch": "2\nimport os", "python": "3\r\x0cimport os"}))
    names = [alias.name for node in ast.walk(ast.parse(script(evil, POINT))) if isinstance(node, ast.Import) for alias in node.names]
    assert names == ["sys"]


def test_versions_and_simulation_stand_in_it(source: Source) -> None:
    assert "torch 2 and Python 3" in script(source, POINT) and "are simulated" in script(source, POINT)
