"""Examinations as JSON: what was written comes back, damage is a sentence, and the id tells all that decides a result apart."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrp_core.config import StudyConfig
from mrp_core.errors import DataError, MRPError
from mrp_core.examination import Examination, ExaminationOptions, examination_id
from mrp_core.findings import EpsilonRange, RecordRisk
from mrp_core.measurement import Measurement
from mrp_core.settings import Setting
from tests.examples import EXAMPLE, NOT_RESOLVED, example, measured

SHORT = st.floats(-1e6, 1e6).map(lambda v: float(f"{v:.5g}"))
MAYBE = SHORT | st.sampled_from([math.nan, math.inf, -math.inf])
MEASUREMENT = st.builds(Measurement, value=MAYBE, low=MAYBE, high=MAYBE, n=st.integers(0, 10**6), note=st.text(max_size=20))


def known(m: Measurement) -> tuple[object, ...]:
    """A measurement in a form in which what isn't finite is equal to itself."""
    return tuple(v if not isinstance(v, float) or math.isfinite(v) else None for v in dataclasses.astuple(m))


def test_it_comes_back_as_it_was() -> None:
    whole = example(attacks=(dataclasses.replace(EXAMPLE.attacks[0], means={"auc": measured(0.8)}), *EXAMPLE.attacks[1:]))
    assert Examination.from_json(whole.to_json()) == whole


def test_what_is_not_resolved_stays_so() -> None:
    text = example(epsilon=dataclasses.replace(EXAMPLE.epsilon, upper=math.nan)).to_json()
    assert "NaN" not in text and "Infinity" not in text
    back = Examination.from_json(text)
    assert math.isnan(back.epsilon.upper)
    assert known(back.headline.means["tpr_01pct"]) == known(NOT_RESOLVED) and not back.headline.means["tpr_01pct"].resolved


@given(auc=MEASUREMENT, settling=st.lists(st.tuples(st.integers(1, 4096), MEASUREMENT), max_size=4), words=st.text(max_size=30), values=st.lists(SHORT, max_size=5),
       epsilon=st.tuples(MAYBE, MAYBE, MAYBE))
def test_any_numbers_and_words_survive(auc: Measurement, settling: list[tuple[int, Measurement]], words: str, values: list[float], epsilon: tuple[float, float, float]) -> None:
    upper, lower, ceiling = epsilon
    exposed = RecordRisk(seed=0, task=words, index=1, label=words, group="", auc=auc, rank_auc=0.5, values=tuple(values))
    made = example(rule=words, settling=tuple(settling), exposed=(exposed,), attributes=(), task_membership=(),
                   epsilon=EpsilonRange(upper=upper, lower=lower, ceiling=ceiling, delta=0.0, trials=0, level=0.95, how=words))
    back = Examination.from_json(made.to_json())
    assert back.to_json() == made.to_json()
    assert [(n, known(m)) for n, m in back.settling] == [(n, known(m)) for n, m in settling]
    assert known(back.exposed[0].auc) == known(auc) and back.exposed[0].values == tuple(values)
    assert (back.rule, back.epsilon.how, back.attributes) == (words, words, ())


def damaged(change: Callable[[dict[str, Any]], object]) -> str:
    raw = json.loads(EXAMPLE.to_json())
    change(raw)
    return json.dumps(raw)


@pytest.mark.parametrize("text", ["", "{", "null", "[]", "{}", "3", damaged(lambda r: r.update(format=99)), damaged(lambda r: r.pop("epsilon")), damaged(lambda r: r.update(extra=1)),
                                  damaged(lambda r: r["attacks"][0].pop("title")), damaged(lambda r: r["settling"].append([1])), damaged(lambda r: r.update(histogram=3)),
                                  damaged(lambda r: r["attacks"][0]["means"].update(auc={"value": "much"}))])
def test_damage_is_a_sentence(text: str) -> None:
    with pytest.raises(DataError, match=r"The examination is damaged .*run it anew"):
        Examination.from_json(text)


@pytest.mark.parametrize("change", [{"setting": "nonsense=1"}, {"options": {"adaptations": 10**9}}])
def test_an_impossible_setting_or_option_is_named(change: dict[str, Any]) -> None:
    with pytest.raises(MRPError):
        Examination.from_json(damaged(lambda raw: raw.update(change)))


def test_the_headline_is_the_one_that_was_chosen() -> None:
    turned = example(attacks=tuple(reversed(EXAMPLE.attacks)))
    assert turned.headline.name == "lira_online"


def test_the_id_changes_with_all_that_decides_the_result_and_nothing_else() -> None:
    config, setting, options = StudyConfig(title="one"), Setting("lambda", 0.4), ExaminationOptions()
    same = [examination_id(dataclasses.replace(config, title="two"), setting, ExaminationOptions(), "sha", "1") for _ in range(2)]
    assert set(same) == {examination_id(config, setting, options, "sha", "1")} and len(same[0]) == 16
    seeds = dataclasses.replace(config, outer=dataclasses.replace(config.outer, seeds=config.outer.seeds + 1))
    others = {examination_id(seeds, setting, options, "sha", "1"), examination_id(config, Setting("lambda", 0.5), options, "sha", "1"),
              examination_id(config, setting, ExaminationOptions(adaptations=256), "sha", "1"), examination_id(config, setting, ExaminationOptions(noisy_copies=0), "sha", "1"),
              examination_id(config, setting, options, "other", "1"), examination_id(config, setting, options, "sha", "2")}
    assert len(others | set(same)) == 7
