"""Pictures of charts: light on white with title and source, letters that can be read, and a sentence where there is no browser."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mrp_core.charts import pictures
from mrp_core.charts.embedding import picture
from mrp_core.charts.palette import DARK, LIGHT, config, figure
from mrp_core.errors import DataError


def dark() -> Any:
    return figure(DARK, height=300, x_title="x", y_title="y", data=[{"type": "scatter", "x": [1, 2], "y": [2, 1], "line": {"color": DARK.trained}}],
                  annotations=[{"x": 1, "y": 2, "text": "small", "font": {"size": 8, "color": DARK.soft}}])


def sizes(node: Any) -> Iterator[float]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key.endswith("font") and isinstance(value, dict) and "size" in value:
                yield value["size"]
            yield from sizes(value)
    elif isinstance(node, list):
        for value in node:
            yield from sizes(value)


def test_a_dark_chart_becomes_light_on_white_and_stays_as_it_is_on_the_page() -> None:
    fig = dark()
    before = fig.to_json()
    made = picture(fig, title="Title", source="Source")
    assert fig.to_json() == before
    text = json.dumps(made)
    assert LIGHT.trained in text and DARK.trained not in text and DARK.text not in text
    assert made["layout"]["paper_bgcolor"] == made["layout"]["plot_bgcolor"] == "#FFFFFF"
    assert min(sizes(made)) >= 12


def test_title_and_source_are_text_and_have_room_however_long_they_are() -> None:
    short, long = picture(dark(), title="<b>x</b>", source="s"), picture(dark(), title="word " * 60, source="other " * 60)
    assert "&lt;b&gt;x&lt;/b&gt;" in short["layout"]["annotations"][-2]["text"]
    assert long["layout"]["height"] > short["layout"]["height"] > 300
    margins = [m["layout"]["margin"] for m in (short, long)]
    assert margins[1]["t"] > margins[0]["t"] and margins[1]["b"] > margins[0]["b"]


def test_the_camera_saves_svg_under_a_name() -> None:
    assert config("mrp-roc")["toImageButtonOptions"] == {"format": "svg", "filename": "mrp-roc"}


@pytest.mark.browser
@pytest.mark.xdist_group("browser")
def test_chromium_draws_what_was_written() -> None:
    made = picture(dark(), title="A title", source="A source")
    svg = ElementTree.fromstring(pictures.drawn(made, "svg"))
    said = "".join(svg.itertext())
    assert "A title" in said and "A source" in said and svg.get("width") == "960"


def test_without_a_browser_a_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("BROWSER_PATH", raising=False)
    assert pictures.browser() == ""
    with pytest.raises(DataError, match="install the package chromium"):
        pictures.drawn({}, "png")


def test_a_program_that_is_no_browser_is_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "chromium"
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("BROWSER_PATH", str(program))
    monkeypatch.setattr(pictures, "PATIENCE", 20.0)
    with pytest.raises(DataError, match="BROWSER_PATH"):
        pictures.drawn(picture(dark(), title="t", source="s"), "png")
