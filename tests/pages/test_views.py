"""What adapt, audit, explore and data show: live adaptation is computed once, bounds are told from attacks, every family has its card."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from mrp_core import engine
from mrp_core.strategy import Strategy

ROOT = Path(__file__).resolve().parents[2]


def page(name: str, **parameters: str) -> AppTest:
    at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=90)
    for key, value in parameters.items():
        at.query_params[key] = value
    return at.run() if name == "explore" else at.switch_page(f"pages/{name}.py").run()


def warmed(at: AppTest) -> AppTest:
    """The adapt page once its engine is warm; a browser would ask again by itself."""
    for _ in range(300):
        if at.metric or at.error or at.exception:
            return at
        time.sleep(0.1)
        at = at.run()
    raise AssertionError("The engine isn't warm after half a minute.")


def metrics(at: AppTest) -> dict[str, str]:
    return {m.label: str(m.value) for m in at.metric}


@pytest.fixture
def adaptations(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int, int, int]]:
    """Records each call of the engine's live adaptation, which starts with no cached one."""
    st.cache_resource.clear()
    calls: list[tuple[int, int, int, int]] = []
    whole = engine.live

    def counted(strategy: engine.Strategy, *, seed: int, task: int, draw: int, longer: int = 1) -> engine.Live:
        calls.append((seed, task, draw, longer))
        return whole(strategy, seed=seed, task=task, draw=draw, longer=longer)

    monkeypatch.setattr(engine, "live", counted)
    return calls


def test_moving_the_slider_adapts_nothing_anew(adaptations: list[tuple[int, int, int, int]]) -> None:
    at = warmed(page("adapt", study="medical"))
    assert not at.exception
    end = time.monotonic() + 60
    while not metrics(at) and time.monotonic() < end:  # the engine warms up in the background; a fragment asks for the page again
        time.sleep(0.2)
        at.run()
    assert metrics(at).keys() >= {"Accuracy", "Accuracy at 0 steps", "Confidence", "One answer tells", "Loss-threshold attack"}
    before, shown = len(adaptations), metrics(at)
    at.select_slider(key="slider_lambda").set_value("lambda=0").run()
    assert metrics(at) != shown
    assert len(adaptations) == before
    at.button(key="adapt_draw").click().run()
    assert adaptations[before:] == [(0, 0, 1, 1)]
    assert not at.exception


def test_longer_fine_tuning_adapts_anew_and_says_so(adaptations: list[tuple[int, int, int, int]]) -> None:
    at = warmed(page("adapt", study="letters", point="lambda=0"))
    before, shown = len(adaptations), metrics(at)
    assert not [c for c in at.caption if "instead of" in c.value]
    at.selectbox(key="adapt_longer").set_value(4).run()
    assert not at.exception and [call[3] for call in adaptations[before:]] == [4]
    assert metrics(at) != shown and metrics(at)["Accuracy at 0 steps"] == shown["Accuracy at 0 steps"]
    assert [c for c in at.caption if c.value.startswith("20 steps instead of 5 for λ, 12 instead of 3 for ε")]
    at.selectbox(key="adapt_longer").set_value(1).run()
    assert metrics(at) == shown and len(adaptations) == before + 1, "back to what was adapted already"


def test_a_study_without_a_strategy_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mrp_core import studyfile

    (tmp_path / "letters.json").write_text((studyfile.SAMPLES / "letters.json").read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.setattr(studyfile, "SAMPLES", tmp_path)
    st.cache_resource.clear()
    at = page("adapt")
    assert not at.exception and "no trained strategy" in at.info[0].value


def test_a_damaged_strategy_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mrp_core import studyfile

    (tmp_path / "letters.json").write_text((studyfile.SAMPLES / "letters.json").read_text(encoding="utf-8"), encoding="utf-8")
    whole = studyfile.SAMPLES / "letters.safetensors"
    (tmp_path / "letters.safetensors").write_bytes(whole.read_bytes()[:5000])
    monkeypatch.setattr(studyfile, "SAMPLES", tmp_path)
    st.cache_resource.clear()
    at = warmed(page("adapt"))
    assert not at.exception and len(at.error) == 1
    shutil.copy(whole, tmp_path / "letters.safetensors")
    assert metrics(warmed(page("adapt"))), "a file that was put right is read anew"


def test_the_adapt_page_is_there_before_its_engine_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """It must neither wait for the engine nor keep a person from going elsewhere meanwhile."""
    st.cache_resource.clear()
    go_on = threading.Event()
    load = Strategy.load

    def slow(path: str) -> Strategy:
        go_on.wait(30)
        return load(path)

    monkeypatch.setattr(Strategy, "load", slow)
    at = page("adapt")
    assert not at.exception and at.title[0].value.startswith("What would this") and "Warming up" in " ".join(m.value for m in at.markdown)
    assert not at.metric
    assert at.switch_page("pages/audit.py").run().title[0].value.startswith("Could someone")
    go_on.set()
    assert metrics(warmed(page("adapt")))


def test_only_an_epsilon_is_a_bound_and_an_attack_is_no_proof() -> None:
    at = page("audit", point="epsilon=3")
    words = " ".join(m.value for m in at.markdown)
    assert "(ε, δ) = (3, 0.001), an upper bound" in words and "each support record" in words and "no proof of privacy" in words
    assert "one non-member in a hundred" in at.info[0].value
    kinds = dict(zip(at.dataframe[0].value["Measure"], at.dataframe[0].value["Kind"], strict=True))
    assert (kinds["LiRA AUC"], kinds["I(X;Ŷ)"]) == ("attack", "estimate")
    at = page("audit", point="lambda=0.4")
    assert "carries no guarantee" in " ".join(m.value for m in at.markdown)


def test_what_too_few_trials_cannot_tell_is_not_a_number() -> None:
    table = page("audit", study="medical", point="epsilon=3").dataframe[0].value.set_index("Measure")
    assert table.loc["TPR at 0.1 % FPR"].tolist()[:3] == ["not resolved", "not resolved", "—"]


@pytest.mark.parametrize(("axis", "labels"), [("mi", ["Accuracy", "I(X;Ŷ)", "LiRA AUC"]), ("lira_auc", ["Accuracy", "LiRA AUC", "I(X;Ŷ)"]),
                                              ("lira_tpr_1pct", ["Accuracy", "TPR at 1 % FPR", "I(X;Ŷ)"]), ("mi_excess", ["Accuracy", "Excess I(X;Ŷ|Y)", "LiRA AUC"]),
                                              ("nonsense", ["Accuracy", "I(X;Ŷ)", "LiRA AUC"])])
def test_the_axis_in_the_link_decides_which_leakage_is_shown(axis: str, labels: list[str]) -> None:
    at = page("explore", axis=axis)
    assert not at.exception
    assert [m.label for m in at.metric] == labels
    assert any("reference point" in c.value for c in at.caption)


def test_the_first_page_is_drawn_without_the_engine(tmp_path: Path) -> None:
    code = ("import sys\nfrom streamlit.testing.v1 import AppTest\nat = AppTest.from_file('app.py', default_timeout=90).run()\n"
            "assert not at.exception and at.metric, at.exception\nprint([m for m in ('torch', 'sklearn') if m in sys.modules])")
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env={**os.environ, "MRP_HOME": str(tmp_path)}, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[]", done.stderr[-2000:]
