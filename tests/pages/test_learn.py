"""The learn page: nothing is revealed before a prediction, the control changes the result, and every number follows from a closed form or the samples."""

from __future__ import annotations

import gzip
import json
import math
import re
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given as given_values
from hypothesis import strategies
from streamlit.testing.v1 import AppTest

from mrp_core import studyfile
from mrp_core.charts.lesson_bars import Bar, bars_frame
from mrp_core.charts.lesson_lines import LessonLine, lines_figure, lines_frame
from mrp_core.charts.lesson_shapes import two_frame
from mrp_core.charts.palette import DARK, LIGHT
from mrp_core.errors import ConfigError, DataError
from mrp_core.findings import Histogram, PartRisk
from mrp_core.limits import DPLimit
from mrp_core.measurement import Measurement
from mrp_core.settings import UNPROTECTED
from pages.ui import glossary, language, lesson, lesson_component, lesson_link, prepared, show, simulated
from pages.ui import lesson_document as document
from pages.ui.lesson import Lesson
from pages.ui.lesson_changes import changed, changes, coloured, themes
from pages.ui.lessons import disagree, epsilon, exposed, failure, information, membership, meta, weight

ROOT = Path(__file__).resolve().parents[2]
KEYS = list(lesson.lessons("en"))


def json_values() -> strategies.SearchStrategy[Any]:
    plain = strategies.none() | strategies.booleans() | strategies.integers(-3, 3) | strategies.sampled_from(["", "a", 0.5, 1.0])
    return strategies.recursive(plain, lambda inner: strategies.lists(inner, max_size=4) | strategies.dictionaries(strategies.sampled_from("abc"), inner, max_size=3), max_leaves=12)


def found(key: str) -> Lesson:
    return lesson.lessons("en")[key]


def experiment(key: str) -> dict[str, Any]:
    """What the browser gets, before it is JSON."""
    return json.loads(prepared.waited(found(key), 0))


def page(*, wait: bool = False, **parameters: str) -> AppTest:
    """The page, if asked once its lesson is prepared; a browser would ask again by itself."""
    at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=90)
    for key, value in parameters.items():
        at.query_params[key] = value
    at = at.switch_page("pages/learn.py").run()
    for _ in range(600 if wait else 0):
        if at.exception or at.error or given(at)["experiment"]:
            return at
        time.sleep(0.1)
        at = at.run()
    assert not wait, "The lesson isn't prepared after a minute."
    return at


def given(at: AppTest) -> dict[str, Any]:
    """What the page gives to the document."""
    return json.loads(at.get("bidi_component")[0].proto.json)


@pytest.mark.parametrize("key", KEYS)
def test_each_value_of_a_control_comes_to_the_browser_as_reveal_makes_it(key: str) -> None:
    made, sent = found(key), experiment(key)
    ready = prepared.made(made)
    control = made.control(ready)
    assert [v["text"] for v in sent["control"]["values"]] == [control.show(v) for v in control.values]
    assert len({v["name"] for v in sent["control"]["values"]}) == len(sent["changes"]) == len(control.values)
    for value, moved in zip(control.values, sent["changes"], strict=True):
        shown, told = made.reveal(value, ready), changed(sent["first"], moved)
        assert told["sentence"] == shown.sentence and [(n["label"], n["value"], n["note"]) for n in told["numbers"]] == [(n.label, n.value, n.note) for n in shown.numbers]
        for picture, p in zip(shown.pictures, told["pictures"], strict=True):
            assert (p["title"], p["caption"], p["alt"]) == (picture.title, picture.caption, picture.alt) and picture.alt
            rows = simulated.marked([dict(row) for row in picture.rows], "simulated" in made.data)
            assert p["csv"] == show.csv_text(rows) != ""
            if value in (control.values[0], control.default):
                assert all(coloured(p["figure"], themes()[name]) == json.loads(picture.figure(palette).to_json()) for name, palette in (("light", LIGHT), ("dark", DARK)))


@pytest.mark.parametrize("key", KEYS)
def test_the_verdict_is_about_the_value_that_the_question_names(key: str) -> None:
    made, sent = found(key), experiment(key)
    ready = prepared.made(made)
    control = made.control(ready)
    answer = made.reveal(control.default, ready).answer
    assert control.values[sent["asked"]] == control.default and sent["answer"] == answer
    assert [v.startswith("**As you") for v in sent["verdicts"]] == [i == answer for i in range(len(made.options))]
    assert all(made.options[answer] in v for i, v in enumerate(sent["verdicts"]) if i != answer)


@pytest.mark.parametrize("key", KEYS)
def test_every_value_of_a_control_has_its_own_result(key: str) -> None:
    made = found(key)
    ready = prepared.made(made)
    control = made.control(ready)
    results = [made.reveal(value, ready) for value in control.values]
    assert control.default in control.values and len({control.show(v) for v in control.values}) == len(control.values)
    assert len({r.sentence for r in results}) == len(results) > 1
    assert all(0 <= r.answer < len(made.options) for r in results)
    assert all("{" not in text for r in results for text in (r.sentence, *(p.caption for p in r.pictures), *(n.note for n in r.numbers)))


@pytest.mark.parametrize("key", KEYS)
def test_a_lesson_is_small_and_its_formulas_are_whole(key: str) -> None:
    sent = experiment(key)
    assert len(json.dumps(sent, ensure_ascii=False).encode()) < 200_000
    for formula in (sent["formula"], *(t["formula"] for t in sent["terms"] if t["formula"])):
        text = "".join(ElementTree.fromstring(formula).itertext())
        assert text and not set("\\&") & set(text), formula
    lines = found(key).formula.count(r"\\") + 1
    assert sent["formula"].count("<mtr") == (lines if lines > 1 else 0)


@given_values(json_values(), json_values())
def test_changes_lead_from_one_value_to_the_other(before: Any, after: Any) -> None:
    found = changes(before, after)
    assert json.dumps(changed(before, found)) == json.dumps(after)
    assert changes(after, after) == [] and len(json.dumps(found)) <= max(len(json.dumps([[[], after]])), 2)


def test_a_lesson_s_file_holds_everything_and_nothing_in_it_is_markup() -> None:
    evil = "</script><img src=x onerror=alert(1)>"
    made = replace(found("failure"), title=evil, question=evil)
    whole = document.page(made, json.dumps({"evil": evil}), document.View())
    assert "<img" not in whole and whole.count("<script") == whole.count("</script>") == 3
    assert not re.search(r"<(link|iframe|img|script[^>]+src)", whole) and "default-src 'none'" in whole
    data = json.loads(whole.split('id="data">')[1].split("</script>")[0])
    assert data["front"]["title"] == evil and json.loads(data["experiment"]) == {"evil": evil}


@pytest.mark.parametrize("key", ["epsilon", "failure"])
def test_the_page_gives_question_first_and_the_experiment_once_it_is_there(key: str) -> None:
    at = page(lesson=key, wait=True)
    assert not at.exception and not at.warning
    data = given(at)
    assert data["front"]["title"] == found(key).title and data["guess"] is None and json.loads(data["experiment"]) == experiment(key)
    assert data["options"] == {"keep": ["glossary", "control", "formula", "downloads"], "start": "", "large": False, "heading": "h2"} | {"keep": data["options"]["keep"]}
    assert {"lesson_file", "lesson_class"} <= {str(w.key) for kind in ("download_button", "button") for w in at.get(kind)}


def test_next_and_previous_walk_all_lessons_and_end_at_the_glossary() -> None:
    at = page()
    for key in KEYS[:-1]:
        assert given(at)["front"]["key"] == key
        at = at.button(key="lesson_next").click().run()
        assert not at.exception
    assert at.query_params["lesson"] == KEYS[-1]
    back = at.button(key="lesson_previous").click().run()
    assert given(back)["front"]["key"] == KEYS[-2]
    at = page(lesson=KEYS[-1]).button(key="lesson_next").click().run()
    assert not at.exception and at.text_input(key="term_search").value == "" and not at.get("bidi_component")


def test_an_unknown_lesson_or_term_is_a_sentence_and_the_page_works() -> None:
    at = page(lesson="nonsense")
    assert not at.exception and "no lesson 'nonsense'" in at.warning[0].value and given(at)["front"]["key"] == KEYS[0]
    at = page(term="nonsense")
    assert not at.exception and "no entry 'nonsense'" in at.warning[0].value
    assert len([s for s in at.subheader if s.value]) == len(glossary.TERMS)


def test_a_class_sees_only_what_its_link_keeps() -> None:
    at = page(mode="teach", lesson="epsilon", keep="control,formula", start="3", seed="7", wait=True)
    assert not at.exception and not at.warning and not at.title and not at.sidebar.children and not at.button
    data = given(at)
    assert data["options"] == {"keep": ["control", "formula"], "start": "3", "large": True, "heading": "h1"}
    assert json.loads(data["experiment"]) != experiment("epsilon"), "another seed is another survey"
    assert not at.get("download_button")
    at = page(mode="teach", lesson="epsilon", keep="menu,lessons,downloads", wait=True)
    assert at.sidebar.children and at.button(key="lesson_next") and at.get("download_button") and json.loads(given(at)["experiment"]) == experiment("epsilon")
    assert page(mode="teach", lesson="epsilon", keep="none").get("bidi_component")


@pytest.mark.parametrize(("parameters", "said"), [
    ({"lesson": "nonsense"}, "no lesson 'nonsense'"), ({"seed": "abc"}, "seed 'abc'"), ({"seed": "100"}, "seed '100'"), ({"seed": "-1"}, "seed '-1'"), ({"seed": "\u0663"}, "seed"),
    ({"keep": "nonsense,control"}, "keeps 'nonsense'"), ({"start": "nonsense"}, "no value 'nonsense'"), ({"mode": "nonsense"}, "no mode 'nonsense'"), ({"start": "**x**"}, "\\*\\*x"),
])
def test_a_hand_edited_class_link_is_a_sentence_and_the_lesson_works(parameters: dict[str, str], said: str) -> None:
    at = page(wait=True, **{"mode": "teach", "lesson": "failure", **parameters})
    assert not at.exception and not at.error and len(at.warning) == 1 and said in at.warning[0].value
    assert given(at)["experiment"]


def test_a_whole_class_may_come_in_before_the_chart_library_is_packed(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        files = set(pool.map(lesson_component.packed, [tmp_path / "served"] * 8))
    assert gzip.decompress(files.pop().read_bytes()) == (document.library() / "plotly.min.js").read_bytes() and not files


def test_a_class_may_see_one_draw_or_each_another() -> None:
    same = [lesson_link.link("membership", keep=("control",), seed=s) for s in ("4", "4", "5")]
    assert same[0] == same[1] != same[2]
    assert same[0] == "learn?mode=teach&lesson=membership&seed=4&keep=control" and lesson_link.link("weight", keep=()) == "learn?mode=teach&lesson=weight&keep=none"
    at = page(mode="teach", lesson="failure", seed="each")
    assert not at.exception and not at.warning and 0 <= at.session_state["own_seed"] < prepared.SEEDS


def test_the_seed_changes_lessons_with_chance_and_only_those() -> None:
    assert [key for key in KEYS if found(key).chance] == ["membership", "information", "epsilon"]
    a, b, c = (document.experiment(found("membership"), found("membership").prepare(seed))["first"] for seed in (1, 1, 2))
    assert a == b != c


def dialog() -> None:
    from pages.ui import lesson, lesson_link

    found = lesson.lessons("en")
    lesson_link.choose(found, found["epsilon"])


def test_the_dialog_makes_a_link_that_does_what_it_says() -> None:
    at = AppTest.from_function(dialog, default_timeout=90).run()
    assert not at.exception
    at = at.selectbox(key="class_start_epsilon").set_value("3").run()
    at = at.number_input(key="class_seed").set_value(7).run()
    asked = dict(part.split("=") for part in at.code[0].value.split("?")[1].split("&"))
    assert asked == {"mode": "teach", "lesson": "epsilon", "seed": "7", "keep": "glossary,control,formula", "start": "3"}
    opened = page(wait=True, **asked)
    assert not opened.warning and given(opened)["options"]["start"] == "3"
    at = at.selectbox(key="class_lesson").set_value("failure").run()
    assert not at.exception and "seed" not in at.code[0].value and any("Nothing in this lesson is drawn" in c.value for c in at.caption)


def test_a_term_in_the_link_stands_first_and_the_search_finds() -> None:
    at = page(term="lira")
    assert not at.exception and glossary.line("lira") in at.markdown[1].value + at.markdown[2].value
    at = at.text_input(key="term_search").set_value("fano").run()
    assert "Fano limit" in [s.value for s in at.subheader] and len(at.subheader) < 6
    at = at.text_input(key="term_search").set_value("no such word").run()
    assert not at.exception and "no such word" in at.info[0].value


def test_without_samples_a_lesson_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(studyfile, "SAMPLES", tmp_path)
    for module in (weight, disagree, epsilon, exposed, failure, meta):
        with pytest.raises(DataError, match="has nothing to show; restore"):
            module.prepare(0)
    at = page(lesson="weight", wait=True)
    assert not at.exception and "has nothing to show" in at.error[0].value


def test_two_lessons_of_one_key_are_refused_and_texts_are_kept_by_language(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weight, "lesson", epsilon.lesson)
    with pytest.raises(ConfigError, match="Two lessons are called 'epsilon'"):
        lesson.lessons("one")
    whole = found("weight")
    monkeypatch.setattr(weight, "lesson", lambda: replace(whole, title=f"in {language.current()}?"))
    assert [lesson.lessons(code)["weight"].title for code in ("two", "three", "two")] == ["in two?", "in three?", "in two?"]
    assert list(lesson.lessons("en")) == KEYS


def test_lessons_name_terms_that_the_glossary_has_and_every_term_is_whole() -> None:
    for made in lesson.lessons("en").values():
        assert made.title.endswith("?") and set(made.terms) <= glossary.TERMS.keys() and len(set(made.options)) == len(made.options) == 3
    for key, term in glossary.TERMS.items():
        assert term.text.endswith(".") and term.formula.count("{") == term.formula.count("}")
        assert glossary.search(term.name)[0] == key or key in glossary.search(term.name)
        assert f"learn?term={key}" in glossary.tip(key)
    wanted = ("membership-inference", "lira", "rmia", "tpr-at-fpr", "advantage", "mutual-information", "output-mi", "fano", "epsilon", "delta", "noise-multiplier", "clipping-norm", "sensitivity",
              "inner-loop", "outer-loop", "support-query", "shots-ways", "adaptation", "shadow", "frontier", "non-dominated", "hypervolume", "attainment", "lambda", "channel", "sampled-label",
              "rate-distortion", "paired-interval")
    assert set(wanted) <= glossary.TERMS.keys()


def test_one_record_more_is_the_model_trained_with_it() -> None:
    """Against ridge regression solved from scratch, with and without the record."""
    n, models, label = 12, 3, -1.0
    rng = np.random.default_rng([3, n])
    y = 2.0 * rng.integers(0, 2, (models, n)) - 1
    centre = np.eye(membership.FEATURES)[0]
    x = y[..., None] * centre + rng.standard_normal((models, n, membership.FEATURES))
    made = membership.answers(n, label, seed=3, models=models)
    for i in range(models):
        for xs, ys, found in ((x[i], y[i], made.outside[i]), (np.vstack([x[i], centre]), np.append(y[i], label), made.inside[i])):
            fit = np.linalg.inv(xs.T @ xs + membership.PENALTY * np.eye(membership.FEATURES)) @ xs.T @ ys
            assert found == pytest.approx(label * centre @ fit, abs=1e-12)


def test_membership_shows_with_few_records_and_hardly_with_many() -> None:
    few, many = membership.answers(5, -1.0, seed=0).auc(), membership.answers(320, -1.0, seed=0).auc()
    plain = membership.answers(5, 1.0, seed=0).auc()
    assert few.low > many.high > 0.5 and few.low > plain.high
    same = membership.Answers(inside=np.arange(40.0), outside=np.arange(40.0)).auc(parts=2)
    assert same.value == pytest.approx(0.5)


def test_an_interval_is_judged_by_the_side_of_the_truth() -> None:
    one = prepared.made(lesson.lessons("en")["information"]).made["ksg"][0]
    assert [information.judged(replace(one, low=a, high=b), 1.0) for a, b in ((0.5, 1.5), (0.2, 0.9), (1.1, 2.0))] == [0, 1, 2]


def test_randomised_response_tells_the_truth_as_often_as_epsilon_allows() -> None:
    assert epsilon.truth_rate(0.0) == 0.5 and epsilon.truth_rate(math.log(3)) == pytest.approx(0.75)
    for e in epsilon.EPSILONS:
        p = epsilon.truth_rate(e)
        assert p / (1 - p) == pytest.approx(math.exp(e)) and p == pytest.approx(DPLimit(e).accuracy)
    found = [epsilon.survey(1.0, 1000, 0.3, seed) for seed in range(400)]
    assert np.mean([m.value for m in found]) == pytest.approx(0.3, abs=0.006)
    assert np.std([m.value for m in found]) * 1.96 <= epsilon.survey_error(1.0, 1000, 0.3) * 1.05
    assert np.mean([m.low <= 0.3 <= m.high for m in found]) > 0.92
    assert epsilon.survey(60.0, 1000, 0.3, 0).value == pytest.approx(0.3)


def test_no_attack_of_the_sample_passes_what_epsilon_allows() -> None:
    noisy = prepared.made(lesson.lessons("en")["epsilon"])
    assert noisy.along
    for s in noisy.along:
        assert s.means["lira_advantage"].low <= DPLimit(s.setting.value, noisy.delta).advantage
    assert noisy.bounds.lower <= noisy.bounds.upper


def test_verdicts_follow_the_paired_interval() -> None:
    up, down, none = (Measurement(value=v, low=v - 1, high=v + 1, n=9) for v in (3.0, -3.0, 0.5))
    assert [disagree.moved(d) for d in (down, none, up)] == [0, 1, 2]
    assert [meta.winner(d) for d in (up, none, down)] == [0, 1, 2]
    base = prepared.made(lesson.lessons("en")["weight"]).along[0]
    cases = (({"accuracy": down, "accuracy_argmax": none}, 0), ({"accuracy": down, "accuracy_argmax": down}, 1), ({"accuracy": none, "accuracy_argmax": down}, 2), ({}, 2))
    assert [weight.fell(replace(base, differences=d)) for d, _ in cases] == [answer for _, answer in cases]


def test_records_told_nearly_always_are_counted_from_the_bins_above() -> None:
    shares = exposed.told(Histogram(edges=(0.0, 0.5, 0.95, 0.975, 1.0), members=(1, 5, 3, 1), others=(4, 6, 0, 0)))
    assert (shares.records, shares.chance) == (0.4, 0.0)
    part = lambda name, low, high: PartRisk(by="sex", name=name, records=9, auc=Measurement(value=(low + high) / 2, low=low, high=high, n=9), tpr=Measurement(value=0, low=0, high=0, n=9))  # noqa: E731
    assert exposed.apart([part("a", 0.5, 0.6), part("b", 0.55, 0.7)]) is None
    pair = exposed.apart([part("a", 0.5, 0.6), part("b", 0.65, 0.7)])
    assert pair is not None and [p.name for p in pair] == ["b", "a"]


def test_a_strong_attack_is_compared_with_the_one_that_failed() -> None:
    rate = lambda v: Measurement(value=v, low=v, high=v, n=9)  # noqa: E731
    assert failure.found_times({"loss_threshold": rate(0.02), "lira_online": rate(0.16)}) == pytest.approx(8)
    assert failure.found_times({"loss_threshold": rate(0.0), "lira_online": rate(0.16)}) == math.inf


def test_both_starts_are_judged_on_the_same_tasks_and_begin_at_zero_steps() -> None:
    race = prepared.made(lesson.lessons("en")["meta"])
    study_steps = studyfile.StudyFile.read(studyfile.samples()["letters"]).config
    for setting, both in race.accuracy.items():
        steps = study_steps.inner.steps if setting == UNPROTECTED else study_steps.privacy.dp_steps
        assert both[meta.LEARNED].shape == both[meta.SCRATCH].shape and both[meta.LEARNED].shape[-1] == steps + 1
        assert race.difference(setting).value == pytest.approx(race.ends(setting, meta.LEARNED).value - race.ends(setting, meta.SCRATCH).value)
    random_start = race.accuracy[UNPROTECTED][meta.SCRATCH][..., 0]
    assert abs(random_start.mean() - 1 / race.ways) < 0.03, "random weights guess before any step"


def test_the_lesson_charts_hold_what_they_are_given() -> None:
    line = LessonLine(name="a", x=(1.0, 10.0, 100.0), y=(0.0, 5.0, math.nan), low=(-1.0, 4.0, math.nan), high=(1.0, 7.0, math.nan))
    frame = lines_frame([line], x_title="n", y_title="v", mark=10.0, levels=[(9.0, "top")], log_x=True)
    assert frame.x_range == pytest.approx((-0.06, 2.06)) and frame.y_range == pytest.approx((-1.8, 9.8))
    assert frame.rows()[1] == {"series": "a", "n": 10.0, "v": 5.0, "low": 4.0, "high": 7.0}
    drawn = lines_figure(frame, LIGHT)
    assert [t.x for t in drawn.data if t.name == "a: chosen"] == [(1.0,)]
    two = two_frame([0.1, 0.1, 9.0], [-5.0, 0.9], names=("up", "down"), x_title="x", low=0.0, high=1.0, bins=2)
    assert two.up == pytest.approx((2 / 3, 1 / 3)) and two.down == (0.5, 0.5) and two.top == pytest.approx(2 / 3)
    assert bars_frame([Bar(name="a", value=2.0, high=5.0), Bar(name="b", value=3.0)], x_title="x").top == 6.0
