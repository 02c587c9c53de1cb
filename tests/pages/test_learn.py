"""The learn page: nothing is revealed before a prediction, the control changes the result, and every number follows from a closed form or the samples."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
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
from pages.ui import glossary, lesson, prepared
from pages.ui.lessons import disagree, epsilon, exposed, failure, information, membership, meta, weight

ROOT = Path(__file__).resolve().parents[2]
KEYS = list(lesson.lessons())


def page(**parameters: str) -> AppTest:
    at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=90)
    for key, value in parameters.items():
        at.query_params[key] = value
    return at.switch_page("pages/learn.py").run()


def predicted(key: str, guess: int = 0) -> AppTest:
    """A lesson after the prediction and once it is prepared; a browser would ask again by itself."""
    at = page(lesson=key).radio(key=f"guess_{key}").set_value(guess).run()
    for _ in range(600):
        if at.info or at.error or at.exception:
            return at
        time.sleep(0.1)
        at = at.run()
    raise AssertionError("The lesson isn't prepared after a minute.")


def keys(at: AppTest) -> set[str]:
    """Controls and charts' downloads on the page."""
    return {str(w.key) for kind in ("select_slider", "button_group", "download_button", "metric") for w in at.get(kind)}


@pytest.mark.parametrize("key", KEYS)
def test_a_lesson_reveals_nothing_before_the_prediction_and_its_result_after(key: str) -> None:
    made = lesson.lessons()[key]
    at = page(lesson=key)
    assert not at.exception
    assert made.title in [s.value for s in at.subheader] and at.radio(key=f"guess_{key}").value is None
    assert not at.info and not at.success and not at.metric and f"control_{key}" not in keys(at)
    at = predicted(key)
    assert not at.exception and not at.error
    shown = made.reveal(made.control(prepared.result(made)).default, prepared.result(made))
    assert shown.sentence in at.info[0].value and at.info[0].value.startswith("**As you" if shown.answer == 0 else "**Not as you")
    assert made.takeaway in at.success[0].value and at.latex[0].value.strip("$\n ") == made.formula
    assert len(at.metric) == len(shown.numbers)


@pytest.mark.parametrize("key", KEYS)
def test_every_value_of_a_control_has_its_own_result(key: str) -> None:
    made = lesson.lessons()[key]
    ready = prepared.result(made)
    control = made.control(ready)
    results = [made.reveal(value, ready) for value in control.values]
    assert control.default in control.values and len({control.show(v) for v in control.values}) == len(control.values)
    assert len({r.sentence for r in results}) == len(results) > 1
    assert all(0 <= r.answer < len(made.options) for r in results)
    assert all("{" not in text for r in results for text in (r.sentence, *(p.caption for p in r.pictures), *(n.note for n in r.numbers)))
    for picture in results[0].pictures:
        assert picture.rows and picture.alt and picture.figure(LIGHT) != picture.figure(DARK)


def test_the_control_moves_the_page_and_takes_the_verdict_back() -> None:
    at = predicted("epsilon", 1)
    assert at.info[0].value.startswith("**As you predicted") and "73.1 %" in at.info[0].value
    at = at.select_slider(key="control_epsilon").set_value("2").run()
    assert not at.exception and at.info[0].value.startswith("At ε = 2") and "88.1 %" in at.info[0].value


def test_next_and_previous_walk_all_lessons_and_end_at_the_glossary() -> None:
    at = page()
    for key in KEYS[:-1]:
        assert at.radio[0].key == f"guess_{key}"
        at = at.button(key="lesson_next").click().run()
        assert not at.exception
    assert at.query_params["lesson"] == KEYS[-1]
    back = at.button(key="lesson_previous").click().run()
    assert back.radio[0].key == f"guess_{KEYS[-2]}"
    at = page(lesson=KEYS[-1]).button(key="lesson_next").click().run()
    assert not at.exception and at.text_input(key="term_search").value == "" and not at.radio


def test_an_unknown_lesson_or_term_is_a_sentence_and_the_page_works() -> None:
    at = page(lesson="nonsense")
    assert not at.exception and "no lesson 'nonsense'" in at.warning[0].value and at.radio[0].key == f"guess_{KEYS[0]}"
    at = page(term="nonsense")
    assert not at.exception and "no entry 'nonsense'" in at.warning[0].value
    assert len([s for s in at.subheader if s.value]) == len(glossary.TERMS)


def test_a_term_in_the_link_stands_first_and_the_search_finds() -> None:
    at = page(term="lira")
    assert not at.exception and glossary.line("lira") in at.markdown[1].value + at.markdown[2].value
    at = at.text_input(key="term_search").set_value("fano").run()
    assert "Fano limit" in [s.value for s in at.subheader] and len(at.subheader) < 6
    at = at.text_input(key="term_search").set_value("no such word").run()
    assert not at.exception and "no such word" in at.info[0].value


def test_without_samples_a_lesson_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(studyfile, "SAMPLES", tmp_path)
    for made in (weight, disagree, epsilon, exposed, failure, meta):
        with pytest.raises(DataError, match="has nothing to show; restore"):
            made.prepare()
    at = page(lesson="weight").radio(key="guess_weight").set_value(0).run()
    assert not at.exception and "has nothing to show" in at.error[0].value


def test_two_lessons_of_one_key_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    lesson.lessons.cache_clear()
    monkeypatch.setattr(weight, "LESSON", replace(weight.LESSON, key="epsilon"))
    with pytest.raises(ConfigError, match="Two lessons are called 'epsilon'"):
        lesson.lessons()
    monkeypatch.undo()
    lesson.lessons.cache_clear()
    assert list(lesson.lessons()) == KEYS


def test_lessons_name_terms_that_the_glossary_has_and_every_term_is_whole() -> None:
    for made in lesson.lessons().values():
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
    rng = np.random.default_rng([membership.SEED, n])
    y = 2.0 * rng.integers(0, 2, (models, n)) - 1
    centre = np.eye(membership.FEATURES)[0]
    x = y[..., None] * centre + rng.standard_normal((models, n, membership.FEATURES))
    made = membership.answers(n, label, models=models)
    for i in range(models):
        for xs, ys, found in ((x[i], y[i], made.outside[i]), (np.vstack([x[i], centre]), np.append(y[i], label), made.inside[i])):
            fit = np.linalg.inv(xs.T @ xs + membership.PENALTY * np.eye(membership.FEATURES)) @ xs.T @ ys
            assert found == pytest.approx(label * centre @ fit, abs=1e-12)


def test_membership_shows_with_few_records_and_hardly_with_many() -> None:
    few, many = membership.answers(5, -1.0).auc(), membership.answers(320, -1.0).auc()
    plain = membership.answers(5, 1.0).auc()
    assert few.low > many.high > 0.5 and few.low > plain.high
    same = membership.Answers(inside=np.arange(40.0), outside=np.arange(40.0)).auc(parts=2)
    assert same.value == pytest.approx(0.5)


def test_an_interval_is_judged_by_the_side_of_the_truth() -> None:
    one = prepared.result(lesson.lessons()["information"]).made["ksg"][0]
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
    noisy = prepared.result(lesson.lessons()["epsilon"])
    assert noisy.along
    for s in noisy.along:
        assert s.means["lira_advantage"].low <= DPLimit(s.setting.value, noisy.delta).advantage
    assert noisy.bounds.lower <= noisy.bounds.upper


def test_verdicts_follow_the_paired_interval() -> None:
    up, down, none = (Measurement(value=v, low=v - 1, high=v + 1, n=9) for v in (3.0, -3.0, 0.5))
    assert [disagree.moved(d) for d in (down, none, up)] == [0, 1, 2]
    assert [meta.winner(d) for d in (up, none, down)] == [0, 1, 2]
    base = prepared.result(lesson.lessons()["weight"]).along[0]
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
    race = prepared.result(lesson.lessons()["meta"])
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
