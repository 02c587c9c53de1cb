"""What the documents say can be done can be done."""

from __future__ import annotations

import doctest
import json
import re
import shlex
from pathlib import Path

import pytest

from benchmarks import estimators
from mrp_core import cli

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_examples_give_what_they_show() -> None:
    result = doctest.testfile(str(ROOT / "README.md"), module_relative=False)
    assert result.attempted > 0
    assert result.failed == 0


@pytest.mark.parametrize("line", re.findall(r"^(mrp [^#\n]*)", README, flags=re.MULTILINE))
def test_each_command_is_understood(line: str) -> None:
    cli._parser().parse_args(shlex.split(line)[1:])


def test_each_make_target_exists() -> None:
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    for document in ("README.md", "CONTRIBUTING.md"):
        named = re.findall(r"(?:^|`)make ([a-z]+)", (ROOT / document).read_text(encoding="utf-8"), flags=re.MULTILINE)
        assert named
        assert set(named) <= set(targets)


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md"])
def test_files_that_are_named_exist(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", text)
    paths = re.findall(r"`((?:mrp_core|pages|sample_data|tests)/[A-Za-z0-9_./]+)`", text)
    assert [name for name in links + paths if not (ROOT / name).exists()] == []


def test_the_table_of_estimators_is_that_of_the_stored_results() -> None:
    results = ROOT / "benchmarks" / "results"
    assert (results / "estimators.md").read_text(encoding="utf-8") == estimators.render(json.loads((results / "estimators.json").read_text(encoding="utf-8")))
