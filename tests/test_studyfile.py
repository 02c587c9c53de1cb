"""Study files: round trips, and one sentence for every kind of damage."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrp_core.config import StudyConfig
from mrp_core.errors import DataError, MRPError
from mrp_core.results import Curve, Point
from mrp_core.settings import UNPROTECTED, Setting
from mrp_core.studyfile import StudyFile, samples


def made() -> StudyFile:
    values = {"accuracy": (0.5, 0.25), "mi": (0.125, 1.0)}
    points = tuple(Point(setting=s, seed=i, values=values) for s in (UNPROTECTED, Setting("lambda", 0.8 / 41)) for i in range(2))
    curve = Curve(setting=UNPROTECTED, name="roc:lira", x=(0.0, 1.0), y=(0.0, 1.0), low=(0.0, 1.0), high=(0.0, 1.0))
    return StudyFile(config=StudyConfig(title="λ, measured"), points=points, curves=(curve,), origin={"seconds": 61.5, "machine": "2 cores"})


TEXT = made().to_json()


def test_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "study.json"
    path.write_text(TEXT, encoding="utf-8")
    assert StudyFile.read(path) == made()
    (tmp_path / "study.safetensors").touch()
    assert StudyFile.read(path).strategy == tmp_path / "study.safetensors"


def changed(change: Callable[[dict[str, Any]], object]) -> str:
    raw = json.loads(TEXT)
    change(raw)
    return json.dumps(raw)


BAD = {
    "empty": "", "no JSON": "study", "a list": "[]", "a number": "3", "null": "null", "an empty object": "{}", "nested without end": "[" * 100_000,
    "an older format": changed(lambda raw: raw.update(format=0)),
    "no points": changed(lambda raw: raw.pop("points")),
    "points that are none": changed(lambda raw: raw.update(points=[1])),
    "a point of no setting": changed(lambda raw: raw["points"][0].update(setting="gamma=1")),
    "words for values": changed(lambda raw: raw["points"][0]["values"].update(accuracy=["x"])),
    "fewer tasks in one point": changed(lambda raw: raw["points"][0]["values"].update(accuracy=[0.5])),
    "a curve without its line": changed(lambda raw: raw["curves"][0].pop("x")),
    "a configuration that is none": changed(lambda raw: raw.update(config=[1])),
    "a knob out of range": changed(lambda raw: raw["config"]["task"].update(ways=1)),
    "an older configuration": changed(lambda raw: raw["config"].update(version=0)),
}


@pytest.mark.parametrize("case", BAD)
def test_damage_gets_one_sentence_with_the_files_name(case: str, tmp_path: Path) -> None:
    path = tmp_path / "broken.json"
    path.write_text(BAD[case], encoding="utf-8")
    with pytest.raises(DataError) as caught:
        StudyFile.read(path)
    assert str(caught.value).startswith("broken.json: ")
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)


def test_missing_and_binary_files_are_named(tmp_path: Path) -> None:
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe")
    for name in ("none.json", "binary.json"):
        with pytest.raises(DataError, match=f"'{name}' can't be read"):
            StudyFile.read(tmp_path / name)


@given(st.integers(0, len(TEXT) - 1))
def test_a_truncated_file_is_refused(length: int) -> None:
    with pytest.raises(DataError):
        StudyFile.from_json(TEXT[:length])


@given(st.integers(0, len(TEXT) - 1), st.characters(exclude_categories=("Cs",)))
def test_an_altered_file_is_read_or_refused(place: int, letter: str) -> None:
    try:
        StudyFile.from_json(TEXT[:place] + letter + TEXT[place + 1:])
    except MRPError as error:
        assert "\n" not in str(error)


def test_shipped_samples_can_be_read_and_the_default_comes_first() -> None:
    found = samples()
    assert "letters" not in found or next(iter(found)) == "letters"
    for path in found.values():
        file = StudyFile.read(path)
        assert file.points
        assert file.config.title
        assert {p.seed for p in file.points} == set(file.config.seeds)
