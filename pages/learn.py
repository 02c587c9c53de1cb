"""What do these words mean? Lessons of three minutes with one control each, which moves in the browser, and a glossary."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from mrp_core.wording import Texts
from pages.ui import frame, glossary, language, lesson_component, lesson_document, lesson_link, modes, predictions, prepared, session, show
from pages.ui.lesson import Lesson, lessons
from pages.ui.lesson_document import View
from pages.ui.lesson_link import Class

frame.guard()

TEXT = Texts({
    "title": "What do these words mean?",
    "lead": "Short lessons: predict first, then move one control and see what is really so. Every number is computed here or comes from a shipped sample study.",
    "views": {"lessons": "Lessons", "glossary": "Glossary"}, "view": "Show",
    "which": "Lesson", "done": ":material/check_circle: {i}",
    "unknown": "There is no lesson {key!r}, so the first one is shown; choose another here.",
    "unknown_term": "The glossary has no entry {key!r}; search it below.", "unknown_mode": "There is no mode {mode!r}; a link may ask for \"teach\".",
    "next": "Next: {title}", "previous": "Previous: {title}", "all_done": "That was the last lesson. Open the glossary",
    "file": "This lesson as a file", "file_help": "One HTML page with everything in it; it opens without a network.", "class": "A link for your class",
    "search": "Search the glossary", "none": "Nothing found for \"{query}\".", "count": "{n} terms",
    "link": "A link to a term: `learn?term=` and its name, e.g. `learn?term=lira`.",
})


def main() -> None:
    """Draw the page."""
    asked = lesson_link.read()
    teach = modes.current() == "teach"
    if not teach:
        frame.title(TEXT["title"], TEXT["lead"])
    if session.asked(session.LESSON) and not session.asked(session.TERM):
        session.forget(session.TERM)
    term = "" if teach else session.value(session.TERM)
    if not teach:
        _switch(term)
    if term:
        _glossary(term)
    else:
        _lesson(lessons(language.current()), asked, teach)


def _switch(term: str) -> None:
    st.session_state["learn_view"] = "glossary" if term else "lessons"
    st.segmented_control(TEXT["view"], list(TEXT["views"]), format_func=lambda view: TEXT["views"][view], key="learn_view", required=True, on_change=_viewed, label_visibility="collapsed")


def _viewed() -> None:
    if st.session_state["learn_view"] == "glossary":
        session.remember(session.TERM, glossary.ALL)
    else:
        session.forget(session.TERM)


def _lesson(found: dict[str, Lesson], asked: Class, teach: bool) -> None:
    """One lesson, with its place among the others as far as they are kept."""
    key = session.value(session.LESSON)
    sentences = [TEXT["unknown"].format(key=key)] if key and key not in found else []
    if mode := modes.unknown():
        sentences.append(TEXT["unknown_mode"].format(mode=mode))
    lesson = found.get(key) or next(iter(found.values()))
    made = prepared.experiment(lesson, asked.seed)
    for sentence in (*sentences, *asked.sentences, *([lesson_link.unknown_start(asked, made)] if made else [])):
        if sentence:
            st.warning(frame.escaped(sentence))
    if "lessons" in asked.keep:
        _dots(found, lesson)
    view = View(keep=asked.keep, start=asked.start, large=teach, heading="h1" if teach else "h2")
    lesson_component.draw(lesson, made, view)
    if made is None:
        prepared.follow(lesson, asked.seed)
    _beside(found, lesson, made, view, teach)
    if "lessons" in asked.keep:
        _around(found, list(found).index(lesson.key))


def _dots(found: dict[str, Lesson], lesson: Lesson) -> None:
    """One button a lesson, ticked where a prediction was made."""
    done = predictions.made()
    names = {key: TEXT["done"].format(i=i) if key in done else str(i) for i, key in enumerate(found, start=1)}
    st.session_state["learn_lesson"] = lesson.key
    st.segmented_control(TEXT["which"], list(found), format_func=lambda key: names[key], key="learn_lesson", required=True, on_change=_chosen, label_visibility="collapsed")


def _chosen() -> None:
    session.remember(session.LESSON, st.session_state["learn_lesson"])


def _beside(found: dict[str, Lesson], lesson: Lesson, made: str | None, view: View, teach: bool) -> None:
    """The lesson as a file, and the way to a link for a class; once the lesson is computed, since the run that shows it then would close a dialog."""
    if made is None:
        return
    spoken = language.current()  # the file is made when it is asked for, outside of this run
    with st.container(horizontal=True, key="lesson_beside"):
        if "downloads" in view.keep:
            show.download(TEXT["file"], lambda: _file(lesson, made, view, spoken), f"lesson-{lesson.key}.html", key="lesson_file", help=TEXT["file_help"], mime="text/html")
        if not teach and st.button(TEXT["class"], key="lesson_class", icon=":material/groups:", type="tertiary"):
            lesson_link.dialog(found, lesson)


def _file(lesson: Lesson, made: str, view: View, spoken: str) -> str:
    with language.spoken(spoken):
        return lesson_document.page(lesson, made, replace(view, heading="h1"))


def _around(found: dict[str, Lesson], at: int) -> None:
    """The lesson before and the one after."""
    keys = list(found)
    with st.container(horizontal=True, horizontal_alignment="distribute", key="lesson_around"):
        if at > 0:
            st.button(TEXT["previous"].format(title=found[keys[at - 1]].title), key="lesson_previous", icon=":material/arrow_back:", on_click=session.remember, args=(session.LESSON, keys[at - 1]))
        if at + 1 < len(keys):
            st.button(TEXT["next"].format(title=found[keys[at + 1]].title), key="lesson_next", icon=":material/arrow_forward:", on_click=session.remember, args=(session.LESSON, keys[at + 1]))
        else:
            st.button(TEXT["all_done"], key="lesson_next", icon=":material/menu_book:", on_click=session.remember, args=(session.TERM, glossary.ALL))


def _glossary(asked: str) -> None:
    """All terms, the one that a link asks for first."""
    if asked != glossary.ALL:
        with st.container(border=True, key="term_asked"):
            if asked in glossary.TERMS:
                st.markdown(glossary.entry(asked))
            else:
                st.warning(TEXT["unknown_term"].format(key=asked))
    query = st.text_input(TEXT["search"], key="term_search", icon=":material/search:")
    found = glossary.search(query)
    if not found:
        st.info(TEXT["none"].format(query=query))
    st.caption(f"{TEXT['count'].format(n=len(found))}. {TEXT['link']}")
    for key in found:
        st.subheader(glossary.TERMS[key].name, anchor=key)
        st.markdown(glossary.entry(key, heading=False))


with frame.sentences():
    main()
