"""Compare: what matters goes into the URL, suggestions keep it, what can't be had is said, and two tabs with one note lose nothing."""

from __future__ import annotations

from dataclasses import replace

from streamlit.testing.v1 import AppTest

from mrp_core.results import Point
from mrp_core.settings import Setting
from mrp_core.store import Store
from mrp_core.studyfile import StudyFile
from tests.pages.test_acts import OWN, page, store

__all__ = ["store"]
VALUES = {"lambda=0": (0.9, 0.3), "lambda=0.5": (0.88, 0.12), "epsilon=3": (0.7, 0.04), "epsilon=1": (0.4, 0.015)}
MARKUP = "**Bold** <i>x</i> [a](b)"


def study(store: Store, title: str = OWN.title) -> str:
    """A finished study with four settings of two seeds, made up so that the suggestions are known."""
    points = []
    for key, (accuracy, tpr) in VALUES.items():
        epsilon = {"epsilon": (float(key[8:]),) * 2} if key.startswith("epsilon") else {}
        points += [Point(setting=Setting.from_key(key), seed=seed, values={"accuracy": (accuracy + 0.001 * seed, accuracy), "lira_tpr_1pct": (tpr, tpr + 0.001 * seed), "mi": (0.5, 0.6), **epsilon})
                   for seed in (0, 1)]
    return store.import_file(StudyFile(config=replace(OWN, title=title), points=tuple(points)))


def cards(at: AppTest) -> list[str]:
    """Headings of the suggestion cards."""
    return [m.value for m in at.markdown if "-badge[" in m.value and m.value.startswith("**")]


def texts(at: AppTest) -> str:
    return "\n".join(e.value for kind in (at.markdown, at.caption, at.info, at.warning, at.error) for e in kind)


def test_suggestions_come_with_reasons_and_keep_the_limits_in_the_address(store: Store) -> None:
    key = study(store)
    at = page("compare", study=key)
    assert not at.exception
    assert cards(at) == ["**1. λ = 0.5** :blue-badge[Knee] :violet-badge[Cheapest privacy]", "**2. λ = 0, unprotected** :green-badge[Most accurate]"]
    assert "loses the least accuracy" in texts(at) and "Run an examination on Audit to set limits for groups" in texts(at)
    at.number_input(key="limit:epsilon").set_value(2.0).run()
    assert at.query_params["eps"] in ("2", ["2"])
    assert [c.split(":")[0] for c in cards(at)] == ["**1. ε = 1** "]
    assert "no attack whatever finds more than" in texts(at) and "ε at most 2: met" in texts(at)
    at.button(key="pin:epsilon=1").click().run()
    assert [(p.study, p.setting_key) for p in store.pins()] == [(key, "epsilon=1")] and at.button(key="pin:epsilon=1").disabled
    at.button(key="clear_limits").click().run()
    assert "eps" not in at.query_params and len(cards(at)) == 2 and not at.exception


def test_what_cannot_be_had_is_said_and_one_limit_can_be_loosened(store: Store) -> None:
    at = page("compare", study=study(store), least="80", tpr="5")
    assert not at.exception and cards(at) == ["**ε = 3** :gray-badge[Nearest]"]
    assert "No setting of this study meets all your limits" in texts(at) and "Accuracy at least 80 %: missed by 10.0 points" in texts(at)
    assert "lets λ = 0.5 through" in at.button(key="loosen:tpr").label and "lets ε = 3 through" in at.button(key="loosen:accuracy").label
    at.button(key="loosen:tpr").click().run()
    assert at.query_params["tpr"] in ("12.1", ["12.1"]) and "1. λ = 0.5" in cards(at)[0], "rounded outward, so that it does let it through"


def test_nonsense_in_the_address_is_a_sentence(store: Store) -> None:
    at = page("compare", study=study(store), least="**lots**", tpr="-3", eps="inf", group="x")
    assert not at.exception and len(cards(at)) == 2
    said = [w.value for w in at.warning]
    assert len(said) == 3 and all("is left out" in w for w in said) and "\\*\\*lots" in said[0]


def test_groups_have_a_limit_where_an_examination_has_measured_them(store: Store) -> None:
    at = page("compare", study="medical", group="2.5")
    assert not at.exception and at.number_input(key="limit:group").value == 2.5
    assert "not judged, no examination has measured groups here" in texts(at)
    assert not any(c.startswith("**2. ε = 3") for c in cards(at)), "race: other is found more often than that"


def test_two_tabs_with_one_note_lose_nothing(store: Store) -> None:
    key = study(store)
    name = f"note:{key}"
    left, right = (open_row(page("compare")) for _ in range(2))
    left.text_area(key=name).set_value("from the left")
    left.button(key="save_study").click().run()
    right.text_area(key=name).set_value("from the right")
    right.button(key="save_study").click().run()
    assert store.study(key).note == "from the left" and not right.exception
    assert right.text_area(key=name).value == "from the right" and any(t.value == "from the left" and t.disabled for t in right.text_area)
    assert any("Somebody else has changed this note" in w.value for w in right.warning) and not any("Saved" in t.value for t in right.toast)
    right.button(key=f"{name}:both").click().run()
    assert right.text_area(key=name).value == "from the right\n\nfrom the left" and not [w for w in right.warning if "Somebody" in w.value]
    right.button(key="save_study").click().run()
    assert store.study(key).note == "from the right\n\nfrom the left"
    left.text_input(key=f"title:{key}").set_value("Renamed")
    left.button(key="save_study").click().run()
    assert (store.study(key).title, store.study(key).note) == ("Renamed", "from the right\n\nfrom the left"), "what a tab hasn't touched it leaves alone"
    assert left.text_area(key=name).value == "from the right\n\nfrom the left"


def open_row(at: AppTest) -> AppTest:
    """Choose the first row of the studies, which a test can't click."""
    at.session_state["studies_table"] = {"selection": {"rows": [0], "columns": [], "cells": []}}
    return at.run()


def test_a_pin_has_a_note_and_two_tabs_lose_nothing_there_either(store: Store) -> None:
    key = study(store)
    store.pin(key, "epsilon=3", "at first")
    name = f"pin_note:{key}:epsilon=3"
    left, right = page("compare"), page("compare")
    left.text_input(key=name).set_value("from the left").run()
    right.text_input(key=name).set_value("from the right").run()
    assert [p.label for p in store.pins()] == ["from the left"] and right.text_input(key=name).value == "from the right"
    right.button(key=f"{name}:mine").click().run()
    assert [p.label for p in store.pins()] == ["from the right"] and not right.exception
    assert right.table[0].value.iloc[-1, 1] == "from the right"


def test_markup_running_and_deleted_studies_are_told_as_they_are(store: Store) -> None:
    key, other = study(store, MARKUP), store.submit(replace(OWN, title="Still going", outer=replace(OWN.outer, iterations=4)))
    for pinned in (key, other):
        store.pin(pinned, "epsilon=3", MARKUP)
    at = page("compare", study=other)
    assert not at.exception and "has no measured setting yet" in texts(at)
    table = at.table[0].value
    assert "\\*\\*Bold\\*\\*" in table.columns[1] and "still running" in table.columns[2] and "not measured yet" in table.iloc[0, 2]
    assert table.iloc[-1, 1].startswith("\\*\\*Bold")
    store.delete(key)
    at = page("compare", study=other)
    assert any("come back with their study: \\*\\*Bold\\*\\*" in c.value for c in at.caption) and at.table[0].value.shape[1] == 2 and not at.exception
