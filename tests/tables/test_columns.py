"""What columns seem to hold, and what a person is told about them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from mrp_core.tables.columns import KINDS, described, numbers
from mrp_core.tables.quality import found, gives_away, strengths
from tests.tables.made import visits

TWENTY = [str(i) for i in range(20)]


def texts(values: list[str | None], name: str = "column") -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series(values, dtype="str")})


def as_read(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.astype("str").where(frame.notna(), None).astype("str")


@pytest.mark.parametrize(("name", "values", "kind"), [
    ("pulse", ["70.5", "81", None, "1e2", "-3"], "number"), ("age", ["30", "40", "30"] * 10, "number"), ("huge", ["123456789012345678901", "2"], "number"),
    ("flag", ["true", None, "False", "TRUE"], "boolean"), ("flag", ["0", "1", "1", None], "boolean"), ("answer", ["Yes", "no"], "boolean"), ("only", ["yes", "yes"], "category"),
    ("zip", ["01234", "99999", "01234"], "category"), ("day", ["2024-02-29", "2023-01-01", None], "date"), ("day", ["29.02.2024", "1.1.2023"], "date"),
    ("day", ["02/29/2024", "01/01/2023"], "date"), ("moment", ["2024-02-29T10:00:00", "2023-01-01T00:00:00"], "date"), ("moment", ["2024-02-29T10:00:00Z", "2023-01-01T00:00:00+02:00"], "date"),
    ("patient_id", [str(100 + 7 * i) for i in range(30)] * 2, "identifier"), ("row", [str(i) for i in range(40)], "identifier"), ("income", [str(1000 + 17 * i) for i in range(40)], "number"),
    ("name", [f"p{i}x" for i in range(40)], "identifier"), ("note", [f"a long remark about the visit number {i}" for i in range(40)], "text"), ("blood", ["A", "B", "0"] * 10, "category"),
    ("mixed", [*(str(i / 7) for i in range(100)), "unknown"], "number"), ("mixed", [*TWENTY, *["a", "b"] * 20], "category"), ("nothing", [None, None], "category"), ("größe", ["ä", "ö"], "category"),
])
def test_kinds_are_guessed(name: str, values: list[str | None], kind: str) -> None:
    column = described(texts(values, name))[0]
    assert (column.name, column.kind) == (name, kind)
    assert column.missing == pytest.approx(sum(v is None for v in values) / len(values))
    assert column.distinct == len({v for v in values if v is not None})


@given(st.lists(st.none() | st.text(max_size=12), min_size=1, max_size=30))
def test_any_texts_have_a_kind_and_finite_numbers(values: list[str | None]) -> None:
    frame = texts(values)
    column = described(frame)[0]
    assert column.kind in KINDS and 0 <= column.missing <= 1
    for kind in ("number", "date", "boolean"):
        read = numbers(frame["column"], kind)
        assert read.shape == (len(values),) and not np.isinf(read).any()


def test_values_are_read_by_their_kind() -> None:
    np.testing.assert_array_equal(numbers(texts(["1.5", "x", None, "1e999", "12345678901234567890"])["column"], "number"), [1.5, np.nan, np.nan, np.nan, 1.2345678901234567e19])
    np.testing.assert_array_equal(numbers(texts(["Yes", "no", None])["column"], "boolean"), [1, 0, np.nan])
    np.testing.assert_array_equal(numbers(texts(["1970-01-02", "31.12.1969", None])["column"].iloc[:1], "date"), [1])
    np.testing.assert_array_equal(numbers(texts(["02.01.1970", "31.12.1969", "soon"])["column"], "date"), [1, -1, np.nan])


def test_a_column_that_gives_the_label_away_is_found() -> None:
    frame = as_read(visits())
    frame["copy"] = np.where(frame["outcome"] == "ill", "2.0", "1.0")
    kinds = {c.name: c.kind for c in described(frame)}
    strong = strengths(frame, kinds, "outcome", ("age", "pulse", "sex", "recorded", "copy"))
    assert [name for name, s in strong.items() if gives_away(kinds[name], s)] == ["recorded", "copy"]
    truth = roc_auc_score(frame["outcome"] == "ill", frame["pulse"].astype(float))
    assert strong["pulse"] == pytest.approx(max(truth, 1 - truth), abs=1e-9)


def test_an_identifier_of_each_row_gives_nothing_away() -> None:
    """As many values as rows fit any label; what counts is how they predict other rows."""
    frame = as_read(visits())
    frame["name"] = [f"n{i}" for i in range(len(frame))]
    assert strengths(frame, {"name": "category", "outcome": "category"}, "outcome", ("name",))["name"] < 0.1


def test_findings_say_what_is_wrong() -> None:
    frame = as_read(visits(400))
    frame.loc[:300, "blood"] = None
    frame.loc[5, "age"] = "old"
    frame.loc[6, "outcome"] = None
    frame = pd.concat([frame, frame.head(7)], ignore_index=True)
    kinds = {c.name: c.kind for c in described(frame)}
    findings = {(f.code, f.column): f for f in found(frame, kinds, "outcome", ("age", "pulse", "blood", "constant", "recorded", "visit id"))}
    assert set(findings) == {("missing", "blood"), ("missing", "outcome"), ("mixed", "age"), ("constant", "constant"), ("gives_away", "recorded"), ("duplicates", "")}
    assert findings["duplicates", ""].value == 7
    assert findings["missing", "blood"].level == findings["gives_away", "recorded"].level == "warning"
    assert all(f.sentence.endswith(".") and "\n" not in f.sentence for f in findings.values())
    assert found(as_read(visits(400)), kinds, "outcome", ("age", "visit id")) == ()
