"""What do these words mean? Lessons of three minutes with one live control each, and a glossary."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.ui import frame, glossary, predictions, prepared, session, show
from pages.ui.lesson import Control, Lesson, Number, Picture, Shown, lessons

frame.guard()

TEXT: dict[str, Any] = {
    "title": "What do these words mean?",
    "lead": "Short lessons: predict first, then move one control and see what is really so. Every number is computed here or comes from a shipped sample study.",
    "views": {"lessons": "Lessons", "glossary": "Glossary"}, "view": "Show",
    "which": "Lesson", "place": "Lesson {i} of {n} · about {minutes} minutes", "done": ":material/check_circle: {i}",
    "unknown": "There is no lesson {key!r}, so the first one is shown; the numbers below lead to all of them.",
    "unknown_term": "The glossary has no entry {key!r}; search it below.",
    "predict": "What do you think?", "hint": "Choose an answer: the experiment appears once you have.",
    "simulated": "simulated records", "real": "sample study, real data",
    "right": "**As you predicted.** {sentence}", "wrong": "**Not as you predicted:** it is \"{answer}\". {sentence}",
    "moved": "{sentence}",
    "waiting": "Computing the experiment: this takes a few seconds once.",
    "keep": "To keep: {takeaway}", "more": "The formula and the paper", "words": "Words of this lesson",
    "source": "{source} Paper: {paper}", "next": "Next: {title}", "previous": "Previous: {title}", "all_done": "That was the last lesson. Open the glossary",
    "search": "Search the glossary", "none": "Nothing found for \"{query}\".", "count": "{n} terms",
    "link": "A link to a term: `learn?term=` and its name, e.g. `learn?term=lira`.",
}


def main() -> None:
    """Draw the page."""
    frame.title(TEXT["title"], TEXT["lead"])
    if session.asked(session.LESSON) and not session.asked(session.TERM):
        session.forget(session.TERM)
    term = session.value(session.TERM)
    st.session_state["learn_view"] = "glossary" if term else "lessons"
    st.segmented_control(TEXT["view"], list(TEXT["views"]), format_func=TEXT["views"].get, key="learn_view", required=True, on_change=_viewed, label_visibility="collapsed")
    if term:
        _glossary(term)
    else:
        _lesson(lessons())


def _viewed() -> None:
    if st.session_state["learn_view"] == "glossary":
        session.remember(session.TERM, glossary.ALL)
    else:
        session.forget(session.TERM)


def _lesson(found: dict[str, Lesson]) -> None:
    """One lesson: its place among the others, prediction, experiment, and what to keep."""
    asked = session.value(session.LESSON)
    if asked and asked not in found:
        st.warning(TEXT["unknown"].format(key=asked))
    lesson = found.get(asked) or next(iter(found.values()))
    _dots(found, lesson)
    keys = list(found)
    st.subheader(lesson.title, anchor=False)
    with st.container(horizontal=True, vertical_alignment="center", key="lesson_place"):
        st.caption(TEXT["place"].format(i=keys.index(lesson.key) + 1, n=len(keys), minutes=lesson.minutes), width="content")
        for kind in lesson.data:
            st.badge(TEXT[kind], icon=":material/science:" if kind == "simulated" else ":material/verified:", color="orange" if kind == "simulated" else "green")
    ready = prepared.begin(lesson)
    st.markdown(lesson.question)
    guess = st.radio(TEXT["predict"], range(len(lesson.options)), index=None, format_func=lambda i: lesson.options[i], key=f"guess_{lesson.key}", persist_state="session",
                     on_change=predictions.note, args=(lesson.key,))
    if guess is None:
        st.caption(TEXT["hint"])
    elif not ready:
        st.markdown(f":material/hourglass_top: {TEXT['waiting']}")
        st.skeleton(height=330)
        prepared.follow(lesson)
    else:
        with frame.sentences():
            _experiment(lesson, int(guess))
    _around(found, keys.index(lesson.key))


def _dots(found: dict[str, Lesson], lesson: Lesson) -> None:
    """One button a lesson, ticked where a prediction was made."""
    done = predictions.made()
    names = {key: TEXT["done"].format(i=i) if key in done else str(i) for i, key in enumerate(found, start=1)}
    st.session_state["learn_lesson"] = lesson.key
    st.segmented_control(TEXT["which"], list(found), format_func=lambda key: names[key], key="learn_lesson", required=True, on_change=_chosen, label_visibility="collapsed")


def _chosen() -> None:
    session.remember(session.LESSON, st.session_state["learn_lesson"])


def _experiment(lesson: Lesson, guess: int) -> None:
    """The control, whether the prediction held, the charts, and what to keep."""
    made = prepared.result(lesson)
    control = lesson.control(made)
    answer = _shown(lesson.key, control.default, prepared.version(), made).answer  # the question is about where the control stands at first
    value = _control(lesson.key, control)
    shown = _shown(lesson.key, value, prepared.version(), made)
    verdict = TEXT["moved"] if value != control.default else TEXT["right"] if answer == guess else TEXT["wrong"]
    st.info(verdict.format(sentence=shown.sentence, answer=lesson.options[answer]), icon=":material/lightbulb:")
    _numbers(shown.numbers)
    _pictures(shown.pictures)
    st.success(TEXT["keep"].format(takeaway=lesson.takeaway), icon=":material/school:")
    st.latex(lesson.formula)
    st.caption(lesson.symbols)
    with st.expander(TEXT["words"], icon=":material/menu_book:"):
        st.markdown("\n".join(f"- {glossary.line(key)}" for key in lesson.terms))
    st.caption(TEXT["source"].format(source=lesson.source, paper=lesson.paper))


def _control(key: str, control: Control) -> Any:
    """The widget; texts stand for the values, so that any value will do."""
    texts = {control.show(v): v for v in control.values}
    default, name = control.show(control.default), f"control_{key}"
    if st.session_state.get(name) not in texts:
        st.session_state[name] = default
    if control.choice:
        picked = st.segmented_control(control.label, list(texts), key=name, required=True, persist_state="session")
        return texts[picked or default]
    with st.container(), st.container(gap=None):
        picked = st.select_slider(control.label, list(texts), key=name, persist_state="session")
        if any(control.ends):
            with st.container(horizontal=True, horizontal_alignment="distribute", key="ends"):
                st.caption(control.ends[0], width="content")
                st.caption(control.ends[1], width="content")
    return texts[picked]


@st.cache_resource(show_spinner=False, max_entries=256)
def _shown(key: str, value: Any, version: int, _made: Any) -> Shown:
    return lessons()[key].reveal(value, _made)


def _numbers(numbers: tuple[Number, ...]) -> None:
    if numbers:
        with st.container(horizontal=True, key="lesson_numbers"):
            for number in numbers:
                st.metric(number.label, number.value, delta=number.note or None, delta_color="off", delta_arrow="off", border=True)


def _pictures(pictures: tuple[Picture, ...]) -> None:
    """Charts two by two, below one another in a narrow window."""
    with st.container(key="lesson_body"):
        for start in range(0, len(pictures), 2):
            row = pictures[start:start + 2]
            for column, picture in zip(st.columns(2, gap="large") if len(row) > 1 else [st.container()], row, strict=True):
                with column:
                    st.markdown(f"**{picture.title}**")
                    show.chart(picture.figure(show.colours()), picture.rows, key=f"lesson_{picture.key}", caption=picture.caption, alt=picture.alt)


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
