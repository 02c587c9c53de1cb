"""One document for a lesson: what is asked, what the control can show, and the page that shows it, on Learn and in a file of its own that needs no network."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from mrp_core.wording import Texts
from pages.ui import glossary, language, show, simulated
from pages.ui.lesson import Control, Lesson, Picture, Shown
from pages.ui.lesson_changes import STANDING, changes, themes

FRONT = Path(__file__).parent / "lesson_front"
TEXT = Texts({
    "minutes": "about {minutes} minutes", "kinds": {"real": "sample study, real data", "simulated": "simulated records"},
    "predict": "What do you think?", "hint": "Choose an answer: the experiment appears once you have.", "waiting": "Computing the experiment: this takes a few seconds once.",
    "right": "**As you predicted.**", "wrong": "**Not as you predicted:** it is \"{answer}\".", "about": "The question is about: {label} {value}.",
    "keep": "To keep:", "words": "Words of this lesson", "download": "Download the chart as", "source": "{source}", "paper": "Paper: {paper}",
    "broken": "The charts can't be fetched from the server; reload the page once it answers.",
    "noscript": "This lesson's control needs JavaScript, which is switched off in this browser.",
})

_PRIME = re.compile(r"<msup>(<m[io]>[^<]*</m[io]>)<mi>&#x02032;</mi></msup>")
"""A prime is raised by itself; as an exponent it shrinks to a dot."""


@dataclass(frozen=True, kw_only=True)
class View:
    """How a lesson is shown.

    Attributes:
        keep: Of "control", "glossary", "formula" and "downloads", what is shown beside the rest.
        start: Name of the control's value that is shown first; "" is the one that the question is about.
        large: Whether it is read from the back of a room.
        heading: The title's element.
    """

    keep: tuple[str, ...] = ("control", "glossary", "formula", "downloads")
    start: str = ""
    large: bool = False
    heading: str = "h2"


def _front(lesson: Lesson) -> dict[str, Any]:
    """What is there before anything is computed, in the language of the moment."""
    return {
        "key": lesson.key, "language": language.current(), "title": lesson.title, "question": lesson.question, "options": list(lesson.options), "takeaway": lesson.takeaway,
        "symbols": lesson.symbols, "source": TEXT["source"].format(source=lesson.source), "paper": TEXT["paper"].format(paper=lesson.paper), "minutes": TEXT["minutes"].format(minutes=lesson.minutes),
        "data": [{"kind": kind, "text": TEXT["kinds"][kind]} for kind in lesson.data],
        "texts": {name: TEXT[name] for name in ("predict", "hint", "waiting", "keep", "words", "download", "broken")},
    }


def experiment(lesson: Lesson, prepared: Any) -> dict[str, Any]:
    """What each value of the control shows, in the language of the moment; ``asked`` is the value that the question is about, and ``verdicts`` what each prediction was worth."""
    control: Control = lesson.control(prepared)
    shown = [lesson.reveal(value, prepared) for value in control.values]
    told = [_told(s, "simulated" in lesson.data) for s in shown]
    asked = control.values.index(control.default)
    answer = shown[asked].answer
    return {
        "control": {"label": control.label, "choice": control.choice, "ends": list(control.ends), "values": [{"name": control.name(v), "text": control.show(v)} for v in control.values]},
        "asked": asked, "answer": answer, "verdicts": [TEXT["right" if i == answer else "wrong"].format(answer=lesson.options[answer]) for i in range(len(lesson.options))],
        "about": TEXT["about"].format(label=control.label, value=control.show(control.default)), "first": told[0], "changes": [changes(told[0], t) for t in told],
        "formula": mathml(lesson.formula), "terms": _terms(lesson.terms), "themes": themes(),
    }


def page(lesson: Lesson, made: str, view: View) -> str:
    """A lesson as one HTML file that fetches nothing, everything in it escaped.

    Args:
        lesson: The lesson.
        made: Its :func:`experiment` as JSON.
        view: What of it.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    data = json.dumps(content(lesson, made, view), ensure_ascii=False).replace("<", "\\u003c")
    template = Environment(loader=FileSystemLoader(FRONT), autoescape=True, undefined=StrictUndefined).get_template("file.html")
    trusted = {name: Markup(text) for name, text in (("style", code("lesson.css")), ("script", code("lesson.js")), ("plotly", _script(library() / "plotly.min.js")), ("data", data))}
    return template.render(title=lesson.title, language=language.current(), noscript=TEXT["noscript"], **trusted)


def content(lesson: Lesson, made: str | None, view: View, guess: int | None = None) -> dict[str, Any]:
    """All that the document is given: ``made`` is the :func:`experiment` as JSON, or None while that is computed."""
    return {"front": _front(lesson), "experiment": made, "options": asdict(view) | {"keep": list(view.keep)}, "guess": guess}


@functools.cache
def code(name: str) -> str:
    """A file of the document."""
    return (FRONT / name).read_text(encoding="utf-8")


def library() -> Path:
    """The folder that holds the chart library for browsers, which comes with plotly; found without importing that."""
    found = find_spec("plotly")
    return Path(found.submodule_search_locations[0] if found and found.submodule_search_locations else "") / "package_data"


@functools.cache
def mathml(formula: str) -> str:
    """A formula as browsers draw it by themselves."""
    from latex2mathml.converter import convert

    return _PRIME.sub(r"<mrow>\1<mo>&#x02032;</mo></mrow>", convert(formula, display="block"))


def _told(shown: Shown, made_up: bool) -> dict[str, Any]:
    return {"sentence": shown.sentence, "numbers": [asdict(n) for n in shown.numbers], "pictures": [_picture(p, made_up) for p in shown.pictures]}


def _picture(picture: Picture, made_up: bool) -> dict[str, Any]:
    """A chart with colours that stand for the theme's; its rows say so where records are simulated."""
    rows = simulated.marked([dict(row) for row in picture.rows], made_up)
    return {"key": picture.key, "title": picture.title, "caption": picture.caption, "alt": picture.alt, "csv": show.csv_text(rows), "figure": json.loads(str(picture.figure(STANDING).to_json()))}


def _terms(keys: Sequence[str]) -> list[dict[str, str]]:
    found = [glossary.TERMS[key] for key in keys]
    return [{"name": t.name, "text": t.text, "formula": mathml(t.formula) if t.formula else ""} for t in found]


def _script(path: Path) -> str:
    return path.read_text(encoding="utf-8").replace("</script", "<\\/script")
