"""A teacher's link: what it asks for, and the dialog in which it is made. Every value of it may have been edited by hand."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

import streamlit as st

from mrp_core.wording import Texts
from pages.ui import language, modes, prepared, session
from pages.ui.lesson import Lesson

KEPT = (modes.MENU, "lessons", "glossary", "control", "formula", "downloads")
USUAL = ("glossary", "control", "formula")
EACH, NONE = "each", "none"
_OWN, _HERE = "own_seed", ("127.0.0.1", "localhost", "::1")
TEXT = Texts({
    "seed": "The link's seed {seed!r} is neither a whole number from 0 to {most} nor \"each\", so seed 0 is used.",
    "keep": "The link keeps {names!r}, which a lesson doesn't have; it may keep {known}, or \"none\".",
    "start": "The control has no value {start!r}, so it starts at {text!r}; it has {known}.",
    "title": "A link for your class", "lead": "Whoever opens the link sees this lesson and what you keep beside it. Students predict first; the control then moves in their browsers.",
    "lesson": "Lesson", "draw": "What is drawn at random",
    "draws": {"same": "everyone sees the same", "each": "each sees another draw"}, "number": "Seed, 0 to {most}",
    "no_chance": "Nothing in this lesson is drawn at random: it is read from shipped samples and is the same for everyone.",
    "keeps": "What stays on the page",
    "kept": {"menu": "Menu", "lessons": "Other lessons", "glossary": "Words of the lesson", "control": "The lesson's control", "formula": "Formula", "downloads": "Downloads"},
    "first": "The control starts at", "question": "where the question is", "language": "Language", "browser": "as each browser asks", "copy": "The link", "open": "Open it as a student",
    "computing": "Computing the lesson's values once.",
    "here": "This address works on this computer only. For others, start the app with `streamlit run app.py --server.address 0.0.0.0` and open this dialog at the computer's own address.",
})


@dataclass(frozen=True, kw_only=True)
class Class:
    """What a teacher's link asks for.

    Attributes:
        seed: What the lesson's chance follows from.
        keep: Of :data:`KEPT`.
        start: Name of the value that the control starts at; "" for the question's.
        sentences: What is wrong with the link.
    """

    seed: int = 0
    keep: tuple[str, ...] = tuple(k for k in KEPT if k != modes.MENU)
    start: str = ""
    sentences: tuple[str, ...] = ()


def read() -> Class:
    """What the URL asks for; outside of teaching, everything is kept."""
    if modes.current() != "teach":
        return Class()
    keep = [part for part in st.query_params.get(session.KEEP, ",".join(USUAL)).split(",") if part and part != NONE]
    strange = ", ".join(part for part in keep if part not in KEPT)
    seed, told = _seed(st.query_params.get(session.SEED, ""))
    sentences = (told, TEXT["keep"].format(names=strange, known=", ".join(KEPT)) if strange else "")
    return Class(seed=seed, keep=tuple(k for k in KEPT if k in keep), start=st.query_params.get(session.START, ""), sentences=tuple(filter(None, sentences)))


def unknown_start(asked: Class, made: str) -> str:
    """What is wrong with the start value of a link, or ""; ``made`` is the lesson's experiment as JSON."""
    if not asked.start:
        return ""
    found = json.loads(made)
    values = found["control"]["values"]
    names = [v["name"] for v in values]
    return "" if asked.start in names else TEXT["start"].format(start=asked.start, text=values[found["asked"]]["text"], known=", ".join(names))


def link(lesson: str, *, keep: tuple[str, ...], seed: str = "", start: str = "", spoken: str = "") -> str:
    """The link, seen from the page's host; what is as usual is left out, except what is kept."""
    values = {session.MODE: "teach", session.LESSON: lesson, session.SEED: seed, session.KEEP: ",".join(keep) or NONE, session.START: start, session.LANG: spoken}
    return "learn?" + urlencode({name: value for name, value in values.items() if value}, safe=",")


def dialog(found: Mapping[str, Lesson], current: Lesson) -> None:
    """Open the dialog."""
    st.dialog(TEXT["title"], width="medium")(choose)(found, current)


def choose(found: Mapping[str, Lesson], current: Lesson) -> None:
    """What the dialog asks for, and the link."""
    st.markdown(TEXT["lead"])
    lesson = found[st.selectbox(TEXT["lesson"], list(found), index=list(found).index(current.key), format_func=lambda key: found[key].title, key="class_lesson")]
    seed = _choose_seed(lesson)
    keep = st.pills(TEXT["keeps"], KEPT, selection_mode="multi", default=list(USUAL), format_func=lambda name: TEXT["kept"][name], key="class_keep")
    with st.spinner(TEXT["computing"]):
        values = {v["name"]: v["text"] for v in json.loads(prepared.waited(lesson, 0))["control"]["values"]}
    start = st.selectbox(TEXT["first"], ["", *values], format_func=lambda name: values.get(name, TEXT["question"]), key=f"class_start_{lesson.key}")
    spoken = st.selectbox(TEXT["language"], ["", *language.LANGUAGES], format_func=lambda code: language.LANGUAGES.get(code, TEXT["browser"]), key="class_language")
    relative = link(lesson.key, keep=tuple(k for k in KEPT if k in keep), seed=seed, start=start, spoken=spoken)
    page = urlsplit(st.context.url or "")
    address = f"{page.scheme}://{page.netloc}{page.path.removesuffix('learn')}{relative}" if page.netloc else relative
    st.caption(TEXT["copy"])
    st.code(address, language=None, wrap_lines=True)
    if page.hostname in _HERE:
        st.caption(TEXT["here"])
    st.link_button(TEXT["open"], address, icon=":material/open_in_new:")


def _choose_seed(lesson: Lesson) -> str:
    if not lesson.chance:
        st.caption(TEXT["no_chance"])
        return ""
    draw = st.radio(TEXT["draw"], ("same", EACH), format_func=lambda name: TEXT["draws"][name], horizontal=True, key="class_draw")
    if draw == EACH:
        return EACH
    return str(st.number_input(TEXT["number"].format(most=prepared.SEEDS - 1), min_value=0, max_value=prepared.SEEDS - 1, value=0, step=1, key="class_seed"))


def _seed(asked: str) -> tuple[int, str]:
    """The seed, and what is wrong with it."""
    if asked == EACH:
        own: int = st.session_state.setdefault(_OWN, random.randrange(prepared.SEEDS))  # a class's draws needn't repeat
        return own, ""
    if asked.isascii() and asked.isdigit() and len(asked) < 4 and int(asked) < prepared.SEEDS:
        return int(asked), ""
    return 0, TEXT["seed"].format(seed=asked, most=prepared.SEEDS - 1) if asked else ""
