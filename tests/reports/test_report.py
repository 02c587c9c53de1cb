"""The report of a study: one file that fetches nothing, escapes all that people wrote, and says what its numbers are worth."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest

from mrp_core.charts.embedding import plotly_js
from mrp_core.errors import ConfigError, DataError
from mrp_core.measurement import METRICS
from mrp_core.reports import Source, chosen_setting, report_html, source_of
from mrp_core.reports.texts import TEXT
from mrp_core.results import StudyState, summarise
from mrp_core.settings import UNPROTECTED, Setting
from tests.reports.made import NASTY, TINY, trained

EPSILON = Setting("epsilon", 3.0)


class Parts(HTMLParser):
    """What a browser would make of a file: its elements with attributes, and the text of each outermost kind."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.words: list[str] = []
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._inside = tag
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            self.scripts[-1] += data
        elif self._inside != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.fixture(scope="module")
def source() -> Source:
    return trained()


@pytest.fixture(scope="module")
def parts(source: Source) -> Parts:
    return Parts(report_html(source, EPSILON))


def test_it_is_one_file_with_plotly_once_and_no_address_to_fetch(parts: Parts) -> None:
    assert parts.scripts.count(plotly_js()) == 1 and len(parts.scripts) == 3
    assert [tag for tag, attrs in parts.elements if {"src", "srcset", "data", "action"} & set(attrs) or tag in ("link", "img", "iframe", "base", "object")] == []
    assert all((attrs["href"] or "").startswith("#") for _, attrs in parts.elements if "href" in attrs)
    policy = next(attrs["content"] or "" for tag, attrs in parts.elements if tag == "meta" and attrs.get("http-equiv"))
    assert policy.startswith("default-src 'none'; script-src 'sha256-") and "unsafe-eval" not in policy and policy.count("sha256-") == 2


def test_it_has_every_section_and_each_anchor_leads_somewhere(parts: Parts) -> None:
    ids = {attrs["id"] for _, attrs in parts.elements if attrs.get("id")}
    assert {(attrs["href"] or "")[1:] for _, attrs in parts.elements if "href" in attrs} <= ids
    assert {"point", "frontier", "roc", "differences", "front", "limits", "measured", "data", "settings", "reproduce"} <= ids
    assert "note" not in ids, "without a note there is no place for it"


def test_numbers_are_those_of_the_study_with_their_paired_intervals(source: Source, parts: Parts) -> None:
    found = next(s for s in summarise(list(source.file.points), together=True) if s.setting == EPSILON)
    mean, d = found.means["accuracy"], found.differences["accuracy"]
    assert f"{mean.value * 100:.1f} % [{mean.low * 100:.1f}, {mean.high * 100:.1f}]" in parts.text
    signed = "{:+.1f} points [{:+.1f}, {:+.1f}]".format(*(v * 100 for v in (d.value, d.low, d.high))).replace("-", "\u2212")
    assert signed in parts.text
    for name, kind in (("mi", "estimate"), ("lira_auc", "attack: a lower bound"), ("epsilon", "upper bound (guarantee)")):
        assert f"{METRICS[name].help} ({kind})" in parts.text
    assert "(ε, δ) = (3, 0.001)" in parts.text and "proves nothing" in parts.text


def test_charts_hold_the_figures_for_both_themes_both_widths_and_paper(parts: Parts) -> None:
    charts: dict[str, Any] = json.loads(next(s for s in parts.scripts if s.lstrip().startswith("{")))
    assert set(charts) == {"frontier", "roc"}
    for chart in charts.values():
        assert set(chart["figures"]) == {"light_wide", "light_narrow", "dark_wide", "dark_narrow", "paper"} and chart["alt"]
    marks = [key for trace in charts["frontier"]["figures"]["paper"]["data"] for key in trace.get("customdata", [])]
    assert ["epsilon=3"] in marks and ["lambda=0"] in marks


def test_simulated_records_are_said_to_be_so_and_real_ones_are_not(source: Source, parts: Parts) -> None:
    assert TEXT["simulated"] in parts.text
    assert TEXT["simulated"] not in Parts(report_html(source_of("letters"), Setting("lambda", 0.4))).text


def test_origin_licence_and_notes_of_the_data_are_told() -> None:
    text = Parts(report_html(source_of("medical"), EPSILON)).text
    assert "SUPPORT2" in text and "courtesy of the Vanderbilt" in text and "SHA-256" in text and "CC BY 4.0" in text
    assert "12 tasks a seed" in text and "torch 2.13.0" in text and "Patients of 1989-1994" in text


@pytest.mark.parametrize("value", [NASTY, "{{ 7 * 7 }} {% raw %}", "</title><svg onload=alert(1)>"])
def test_markup_of_people_stays_text(source: Source, value: str, parts: Parts) -> None:
    line = " ".join(value.split())[:200]
    file = replace(source.file, config=replace(source.file.config, title=line), origin={**source.file.origin, "processor": value, "machine": value, "date": value},
                   curves=tuple(replace(c, note=value) for c in source.file.curves))
    made = Parts(report_html(replace(source, file=file, note=value), EPSILON))
    assert [tag for tag, _ in made.elements if tag in ("script", "svg", "b")] == ["script"] * 3
    assert [attrs for _, attrs in made.elements if any(name.startswith("on") for name in attrs)] == []
    assert made.scripts[1:] == parts.scripts[1:], "no script but the two that belong there"
    assert made.text.count(line) >= 3
    note = "".join(made.words)
    assert value in note, "line breaks of a note stay"


def test_a_mark_in_the_data_of_a_chart_cannot_end_its_script(source: Source) -> None:
    evil = "</script><script>alert(1)</script>"
    points = tuple(replace(p, notes={**p.notes, "setting": evil}, setting=Setting("found", 1.0)) if p.setting == EPSILON else p for p in source.file.points)
    made = Parts(report_html(replace(source, file=replace(source.file, points=points)), Setting("found", 1.0)))
    assert len(made.scripts) == 3
    assert evil in json.dumps(json.loads(made.scripts[0]), ensure_ascii=False).replace('\\"', '"'), "the chart's data hold it as text"


@pytest.mark.parametrize("state", [s for s in StudyState if s is not StudyState.DONE])
def test_a_study_under_way_says_how_far_it_was(source: Source, state: StudyState) -> None:
    few = tuple(p for p in source.file.points if p.setting in (UNPROTECTED, EPSILON))
    made = Parts(report_html(replace(source, state=state, file=replace(source.file, points=few)), EPSILON))
    assert TEXT["unfinished"][state.value].format(done=2, total=source.planned) in made.text
    assert "2 of 4 settings" in made.text


def test_a_finished_study_says_nothing_of_that_kind(parts: Parts) -> None:
    assert not re.search(r"\d of \d settings were measured", parts.text)


def test_what_is_missing_is_left_out_and_said(source: Source) -> None:
    only = replace(source, file=replace(source.file, points=tuple(p for p in source.file.points if p.setting == EPSILON), curves=(), origin={}))
    text = Parts(report_html(only, EPSILON)).text
    assert TEXT["against"]["unpaired"] in text and TEXT["told"]["unknown"] in text and "No ROC was stored for ε = 3." in text


def test_a_study_without_a_point_is_a_sentence(source: Source) -> None:
    with pytest.raises(DataError, match="no measured point yet"):
        chosen_setting(replace(source, file=replace(source.file, points=())))


def test_the_setting_is_the_one_asked_for_or_the_middle_of_the_grid(source: Source) -> None:
    assert chosen_setting(source, "epsilon=3") == EPSILON
    assert chosen_setting(source_of("letters")) == Setting("lambda", 0.4)
    for key, words in (("lambda=0.33", "has not measured it"), ("nonsense", "is not a setting")):
        with pytest.raises(ConfigError, match=words):
            chosen_setting(source, key)


def test_every_knob_stands_there_in_words(parts: Parts) -> None:
    for label, value in (("Inner steps", "2"), ("Released output", "one sampled label"), ("Task family", "Gaussian"), ("ε values audited", "3"), ("Free baselines", "off")):
        assert f"{label} {value} " in parts.text
    assert TINY.id in parts.text
