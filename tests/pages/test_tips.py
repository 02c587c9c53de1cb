"""Tooltips: every knob that Train shows says what raising it does, every number what it is, and both lead to a term that exists."""

from __future__ import annotations

import pytest

from mrp_core.knobs import knobs_of
from mrp_core.measurement import METRICS
from pages.ui import glossary, tips
from pages.ui.controls import PARTS
from tests.pages.test_acts import page

KNOBS = [(part, name) for part, cls in PARTS.items() for name in knobs_of(cls)]


def test_every_knob_on_the_page_says_what_raising_it_does() -> None:
    at = page("train")
    assert not at.exception
    shown = {w.key: w.help for kind in ("selectbox", "slider", "number_input", "text_input", "toggle") for w in at.get(kind) if str(w.key).startswith("knob:") and w.key != "knob:title"}
    assert len(shown) >= 40
    for key, help in shown.items():
        part, _, name = str(key).removeprefix("knob:").partition(".")
        spec = knobs_of(PARTS[part])[name][1]
        assert spec.help in help, key
        assert f"- **Accuracy** · {spec.accuracy}.\n- **Leakage** · {spec.leakage}." in help, key


@pytest.mark.parametrize(("part", "name"), KNOBS)
def test_a_tooltip_names_the_act(part: str, name: str) -> None:
    field, spec = knobs_of(PARTS[part])[name]
    text = tips.knob(part, name, spec, field.default)
    act = "Choosing another" if spec.choices or spec.registry or isinstance(field.default, str) else "Switching it on" if isinstance(field.default, bool) else "Raising"
    assert f"\n{act}" in text


def test_tooltips_lead_to_terms_that_exist() -> None:
    assert set(tips.TERMS) <= {f"{part}.{name}" for part, name in KNOBS}
    assert set(tips.TERMS.values()) | set(tips.MEASURED.values()) <= set(glossary.TERMS)
    assert set(tips.MEASURED) == set(METRICS)
    assert "learn?term=shots-ways" in tips.knob("task", "shots", knobs_of(PARTS["task"])["shots"][1], 5)


def test_a_number_says_its_kind_and_which_way_is_better() -> None:
    assert "attack, lower is more private" in tips.metric("lira_auc")
    assert "estimate, higher is better" in tips.metric("accuracy", "Here.")
    assert " Here. " in tips.metric("accuracy", "Here.")
