"""The data page: fields first, a card for each family, and a table of one's own from the file to its deletion."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from mrp_core import tables
from mrp_core.config import StudyConfig, TaskConfig
from mrp_core.registry import plugins
from mrp_core.store import Store
from mrp_core.studyfile import StudyFile
from mrp_core.tables import Column
from pages.ui import families, show, simulated
from pages.ui.guesses import guessed
from tests.pages.test_acts import finished, page, store

__all__ = ["store"]
AREAS = families.by_area()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty home folder, whose tables and store the pages see."""
    monkeypatch.setenv("MRP_HOME", str(tmp_path))
    st.cache_resource.clear()
    yield tmp_path
    st.cache_resource.clear()


def visits(rows: int = 960, wards: int = 8) -> bytes:
    """A table of two visits each of persons who belong to a ward."""
    rng = np.random.default_rng(0)
    age, bp = rng.integers(20, 90, rows), rng.normal(120, 15, rows).round(1)
    died = (rng.random(rows) < 0.3 + 0.004 * (age - 50)).astype(int)
    lines = [f"{1000 + i // 2},W{i // 2 % wards},{'mf'[i % 2]},{age[i]},{bp[i]},{died[i]}" for i in range(rows)]
    return "\n".join(["patient_id,ward,sex,age,b*p*,died", *lines]).encode()


def uploaded(name: str = "visits.csv", data: bytes | None = None) -> AppTest:
    at = page("data", area="own")
    at.file_uploader(key="own_file_0").set_value((name, visits() if data is None else data, "text/csv")).run()
    return at


def parts_key(at: AppTest) -> str:
    """What the keys of the widgets of an uploaded table end with."""
    return next(s.key for s in at.selectbox if s.key and s.key.startswith("own_label_")).removeprefix("own_label_")


def test_the_overview_counts_every_family_and_names_what_is_missing() -> None:
    at = page("data")
    assert not at.exception and not at.error
    table = at.table[0].value
    shipped = [f for group in AREAS.values() for f in group if not f.optional]
    assert len(table) == sum(map(len, AREAS.values()))
    assert sum("simulated" in name for name in table["Data"]) == sum(f.simulated for group in AREAS.values() for f in group)
    counted = table[[any(str(name).startswith(f"{f.title} ") for f in shipped) for name in table["Data"]]]
    assert len(counted) == len(shipped) and counted["Records"].str.match(r"[\d,]+ \w+").all() and counted["Tasks"].str.count("/").eq(2).all()
    assert any("Purchase-100" in c.value and "Omniglot" in c.value for c in at.caption)


@pytest.mark.parametrize("area", [a for a in AREAS if a != "own"])
def test_a_field_has_a_card_for_each_of_its_families(area: str) -> None:
    at = page("data", area=area)
    assert not at.exception and at.button_group(key="area").value == area
    text = " ".join(m.value for m in at.markdown)
    for family in AREAS[area]:
        assert any(s.value.startswith(f"{family.title} ") for s in at.subheader) and family.caveat in text
        assert any(family.licence in c.value and family.origin in c.value for c in at.caption)
        assert at.button(key=f"train_{family.name}")
    assert not at.error and len(at.info) == sum(f.optional for f in AREAS[area]), "records that aren't shipped are a sentence, not a blank"


def test_a_dialog_lists_the_tasks_and_a_card_leads_to_the_study_of_its_family() -> None:
    at = page("data", area="medical")
    at.button(key="tasks_medical").click().run()
    assert not at.exception
    first = at.dataframe[0].value
    assert list(first.columns) == ["Task", "Records", "Members"] and len(first) == 15
    assert (first["Members"] < first["Records"]).all() and (first["Members"] > 0).all()
    assert [t.label for t in at.tabs] == ["Training (15)", "Validation (3)", "Test (6)"]
    at = page("data", area="medical")
    at.button(key="study_medical").click().run()
    assert at.title[0].value.startswith("How much accuracy") and at.query_params["study"] in ("medical", ["medical"])


def test_train_on_this_brings_the_family_along() -> None:
    at = page("data", area="teaching")
    at.button(key="train_gaussian").click().run()
    assert not at.exception and at.selectbox(key="knob:task.family").value == "gaussian" and at.slider(key="knob:task.ways").value == 2


def test_the_counts_of_a_view_are_those_of_its_splits() -> None:
    family = plugins("tasks")["gaussian"]
    built = family.build(families.usual(family), 0)
    view = families.view_of(built, family.grid)
    assert (view.records, view.whom, [p.count for p in view.parts]) == (14400, "14,400 records", [60, 10, 20])
    name, records, members = view.parts[2].tasks[0]
    rows = np.concatenate([built.test.buckets[b] for b in built.test.tasks[0]])
    assert (name, records, members) == (built.test.names[0], len(rows), int(built.test.member[rows].sum()))


def test_a_table_is_uploaded_described_saved_and_trained_on(home: Path) -> None:
    at = uploaded()
    assert not at.exception and not at.error, [e.value for e in at.error]
    key = parts_key(at)
    assert [at.selectbox(key=f"own_{part}_{key}").value for part in ("label", "task", "person")] == ["died", "ward", "patient_id"]
    assert at.multiselect(key=f"own_sensitive_{key}").value == ["sex"]
    assert any("Nothing leaves this machine" in i.value for i in at.info)
    assert any(r"age, b\*p\*" in c.value for c in at.caption), "names are no Markdown"
    assert "Tasks can be built" in at.success[0].value
    at.selectbox(key=f"own_task_{key}").set_value("died").run()
    assert not at.exception and "two parts" in at.error[0].value and at.selectbox(key=f"own_task_{key}").value == "died", "a choice that doesn't fit stays"
    at.selectbox(key=f"own_task_{key}").set_value("ward")
    at.multiselect(key=f"own_out_{key}").set_value(["age", "b*p*"]).run()
    assert not at.exception and "at least one column must be an input" in at.error[0].value
    at.multiselect(key=f"own_out_{key}").set_value(["age"]).run()
    at.button(key="own_save").click().run()
    (entry,) = tables.listing()
    assert not at.exception and entry.spec is not None and (entry.spec.sensitive, entry.spec.features) == (("sex",), ("b*p*",))
    at.button(key=f"own_train_{entry.id}").click().run()
    assert not at.exception and not at.error
    assert (at.selectbox(key="knob:task.family").value, at.selectbox(key="knob:task.table").value) == ("table", entry.id)
    assert at.selectbox(key="knob:task.table").options == ["visits"] and len(at.selectbox(key="knob:task.mode").options) == 1
    assert not at.button(key="launch").disabled


BAD = {
    "empty.csv": (b"", "is empty"), "picture.csv": (b"\x89PNG\r\n\x1a\n" + bytes(200), ""), "twice.csv": (b"a,a\n1,2\n3,4\n", "Two columns are called"),
}


def test_each_kind_of_bad_table_is_a_sentence_and_what_was_chosen_stays(home: Path) -> None:
    at = uploaded()
    key = parts_key(at)
    at.selectbox(key=f"own_person_{key}").set_value("").run()
    for name, (data, sentence) in BAD.items():
        at.file_uploader(key="own_file_0").set_value((name, data, "text/csv")).run()
        assert not at.exception and len(at.error) == 1, name
        assert at.error[0].value.endswith(".") and sentence in at.error[0].value, name
        assert at.title[0].value.endswith("?") and at.selectbox(key=f"own_person_{key}").value == "" and not at.button(key="own_save").disabled
    at.file_uploader(key="own_file_0").set_value(("small.csv", b"site,y,x\nA,0,1\nA,1,2\nB,0,3\nB,1,4\n", "text/csv")).run()
    assert not at.exception and len(at.error) == 1 and at.button(key="own_save").disabled, "too few rows: described, but no tasks"
    assert tables.listing() == ()


def test_a_table_is_deleted_for_good_only_after_a_second_click(home: Path) -> None:
    upload = tables.store_upload("visits.csv", visits())
    id = tables.save(tables.proposed(upload, "died", task="ward", person="patient_id"))
    at = page("data", area="own")
    at.button(key=f"own_delete_{id}").click().run()
    assert [e.id for e in tables.listing()] == [id] and any("for good?" in m.value for m in at.markdown)
    at.button(key="own_sure").click().run()
    assert not at.exception and tables.listing() == () and not list((home / "tables").glob("*.parquet"))
    assert any("No table is kept" in c.value for c in page("data", area="own").caption)


def test_a_study_of_a_table_that_is_elsewhere_is_shown_with_a_sentence(store: Store) -> None:
    file = store.study_file(finished(store))
    config = StudyConfig(title="Elsewhere", task=TaskConfig(family="table", mode="site", ways=2, shots=3, table="0123456789abcdef"))
    key = store.import_file(StudyFile(config=config, points=file.points))
    at = page("explore", study=key)
    assert not at.exception and any("isn't on this machine" in w.value for w in at.warning)
    at = page("train", study=key)
    assert not at.exception


def test_the_train_page_without_any_table_says_where_to_add_one(home: Path) -> None:
    at = page("train")
    at.selectbox(key="knob:task.family").set_value("table").run()
    assert not at.exception and "add a table" in at.error[0].value and at.button(key="launch").disabled


def test_a_simulated_study_says_so_on_every_page_and_in_every_export(store: Store) -> None:
    file = store.study_file(finished(store))
    config = StudyConfig(title="Made up", task=TaskConfig(family="gaussian", mode="site", ways=2, shots=3))
    made = StudyFile(config=config, points=file.points)
    key = store.import_file(made)
    assert json.loads(made.to_json())["simulated"] is True and StudyFile.from_json(made.to_json()).config == config
    assert config.to_toml().startswith("# The records of this study are simulated") and StudyConfig.from_toml(config.to_toml()) == config
    for name in ("explore", "adapt", "audit", "compare", "train", "data"):
        at = page(name, study=key, area="teaching")
        assert not at.exception and any("Simulated data" in m.value for m in at.sidebar.markdown), name
        if name in ("explore", "adapt", "audit"):
            assert any("Simulated data" in m.value for m in at.main.markdown), name
    page("explore", study=key, point="lambda=1").button(key="pin").click().run()
    at = page("compare", study=key)
    assert "(simulated)" in at.table[0].value.columns[1]
    assert "gaussian (simulated)" in set(at.dataframe[0].value["Data"])
    assert not any("Simulated data" in m.value for m in page("explore", study=file.config.id).markdown), "a real one doesn't"


def test_rows_of_simulated_records_say_so() -> None:
    rows = [{"setting": "λ = 0", "value": 1.0}]
    assert show.csv_text(simulated.marked(rows, True)).splitlines() == ["data,setting,value", "simulated,λ = 0,1.0"]
    assert simulated.marked(rows, False) == rows
    assert "simulated" not in StudyFile(config=StudyConfig(), points=()).to_json().split('"config"')[0]


@pytest.mark.parametrize(("columns", "label", "task", "person", "sensitive"), [
    ([("id", "identifier", 500), ("x", "number", 90), ("outcome", "boolean", 2)], "outcome", "", "", ()),
    ([("race", "category", 4), ("hospital", "category", 9), ("kind", "category", 5), ("x", "number", 200)], "kind", "hospital", "", ("race",)),
    ([("a", "number", 400), ("b", "number", 300)], "b", "", "", ()),
    ([("user_id", "identifier", 50), ("churn", "category", 2), ("bought", "boolean", 2), ("gender", "category", 3)], "churn", "", "user_id", ("gender",)),
])
def test_parts_are_guessed_by_name_and_kind(columns: list[tuple[str, str, int]], label: str, task: str, person: str, sensitive: tuple[str, ...]) -> None:
    roles = guessed([Column(name=n, kind=k, missing=0.0, distinct=d, examples=()) for n, k, d in columns], rows=500)
    assert (roles.label, roles.task, roles.person, roles.sensitive) == (label, task, person, sensitive)
