"""Every text of the pages has a Chinese one that can be filled in as the English one is, and pages are drawn in it."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest
from streamlit.testing.v1 import AppTest

from mrp_core import wording
from mrp_core.wording import Texts, listed, say
from pages.ui import language

ROOT = Path(__file__).resolve().parent.parent.parent
FIELD = re.compile(r"(?<!\{)\{[^{}]*\}(?!\})")


def collector() -> ModuleType:
    spec = importlib.util.spec_from_file_location("texts", ROOT / ".ci" / "texts.py")
    assert spec is not None and spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    sys.modules["texts"] = found
    spec.loader.exec_module(found)
    return found


def test_the_catalogue_holds_every_text_and_no_other() -> None:
    wanted, held = set(collector().texts()), set(language.catalogue("zh"))
    assert wanted - held == set(), "run python .ci/texts.py and translate what it adds"
    assert held - wanted == set(), "run python .ci/texts.py"


def test_a_translation_is_filled_in_like_its_original() -> None:
    for english, chinese in language.catalogue("zh").items():
        assert set(FIELD.findall(english)) == set(FIELD.findall(chinese)), english
        assert english.count("**") % 2 == chinese.count("**") % 2, english
        assert english.count("`") == chinese.count("`"), english


def test_most_texts_are_in_chinese_letters() -> None:
    own = [english for english, chinese in language.catalogue("zh").items() if not re.search(r"[\u4e00-\u9fff]", chinese) and len(re.sub(r"\\\w+|\{[^}]*\}", "", english).split()) > 3]
    assert [text for text in own if not re.search(r"\\|©|CC BY|MIT|GPL|\(\d{4}\)|^MRP ", text)] == []


def test_a_text_is_said_in_the_language_of_the_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = Texts({"a": "one", "b": {"c": "two {n}"}, "d": ("one", 3)})
    spoken: dict[str, str] = {}
    monkeypatch.setattr(wording, "_provider", [lambda: spoken])
    assert (texts["a"], texts["b"]["c"], texts["d"], listed(["x", "y"])) == ("one", "two {n}", ("one", 3), "x, y")
    spoken |= {"one": "eins", "two {n}": "zwei {n}", "{first}, {second}": "{first}; {second}"}
    assert (texts["a"], texts["b"]["c"].format(n=2), texts["d"], listed(["x", "y", "z"]), say("three")) == ("eins", "zwei 2", ("eins", 3), "x; y; z", "three")


@pytest.mark.parametrize("page", ["explore", "train", "audit", "compare", "learn"])
def test_a_page_is_drawn_in_the_language_of_its_link(page: str) -> None:
    at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    at.query_params["lang"] = "zh"
    at.switch_page(f"pages/{page}.py").run()
    assert not at.exception
    assert re.search(r"[\u4e00-\u9fff]", at.title[0].value)


def test_an_unknown_language_is_the_browser_s() -> None:
    at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    at.query_params["lang"] = "<b>xx"
    at.run()
    assert not at.exception and at.title[0].value == "How much accuracy does privacy cost here?"
