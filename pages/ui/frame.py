"""The frame of every page: menu, study picker, style, and errors as sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from mrp_core.errors import MRPError
from mrp_core.wording import Texts
from pages.ui import kept, language, modes, session, simulated, studies

TEXT = Texts({
    "name": "MRP",
    "tagline": "Meta-learned privacy: what it costs, measured",
    "pages": {"explore": "Explore", "train": "Train", "adapt": "Adapt", "audit": "Audit", "compare": "Compare", "data": "Data", "learn": "Learn"},
    "study": "Study",
    "study_help": "All pages but Learn show this study; lessons have samples of their own.",
    "samples": "sample", "language": "Language",
    "unknown": "There is no study {asked} here, so {shown} is shown; pick another in the side menu.",
})
_CUT = 26
"""Characters of a title that the picker shows; a longer one stands below it in full."""
ROOT = Path(__file__).resolve().parent.parent.parent
PAGES: dict[str, str] = {"explore": ":material/show_chart:", "train": ":material/play_circle:", "adapt": ":material/tune:", "audit": ":material/policy:",
                         "compare": ":material/view_column:", "data": ":material/database:", "learn": ":material/school:"}
"""Page -> its icon in the menu, in order."""


def run() -> None:
    """Draw the frame and the page that was asked for; the body of app.py."""
    language.speak()
    language.choose()
    st.set_page_config(page_title=TEXT["name"], page_icon="⚖️", layout="wide")
    pages = _pages()
    current = st.navigation(list(pages.values()), position="hidden")
    kept.mark_routed()
    st.html(ROOT / "pages" / "ui" / "style.css")
    name = next((name for name, page in pages.items() if page is current), "")
    with sentences():
        bare = modes.bare(name)
        choices = studies.choices(report=not bare)  # where there is no side bar, nothing may be told in it
        simulated.note(any(c.simulated for c in choices if c.key == studies.current_key(choices)))
        if not bare:
            _sidebar(pages, choices)
    current.run()


def guard() -> None:
    """First line of every page: where the first request of a session is a deep link, Streamlit runs the page without app.py; then start over with the frame."""
    if kept.routed():
        return
    kept.mark_routed()
    language.speak()
    st.navigation(list(_pages().values()), position="hidden")
    st.rerun()


@contextmanager
def sentences() -> Generator[None]:
    """Show an error of the program's own as one sentence; nothing else is caught."""
    try:
        yield
    except MRPError as error:
        st.error(escaped(str(error)), icon=":material/error:")


def go(page: str) -> None:
    """Switch to a page, with what the URL carries."""
    st.switch_page(_pages()[page], query_params=dict(session.carried()))


def link(page: str, label: str, *, icon: str | None = None, **changes: str) -> None:
    """A link to another page that carries study and point along."""
    st.page_link(_pages()[page], label=label, icon=icon, query_params={**session.carried(), **changes})


def title(text: str, lead: str = "", *, study: bool = False, acts: Callable[[], None] | None = None) -> None:
    """The question of the page, and one sentence under it; with a badge if the page shows a study and its records are simulated.

    Args:
        text: The question.
        lead: The sentence.
        study: Whether the page shows the study at hand.
        acts: Draws buttons to the right of the sentence.
    """
    st.title(text, anchor=False)
    badge = f"{simulated.TEXT['badge']} " if study and simulated.noted() else ""
    with st.container(horizontal=True, vertical_alignment="top", gap="medium", key="lead") if acts else nullcontext():
        if lead or badge:
            st.markdown(badge + (f":gray[{lead}]" if lead else ""))
        if acts:
            acts()
    _absent()


def _absent() -> None:
    """Say that the study that the link asks for isn't here, if so; in the page itself, since a phone hides the side bar."""
    asked = session.value(session.STUDY)
    if asked and (choices := studies.choices()) and not any(c.key == asked for c in choices):
        shown = next(c.title for c in choices if c.key == studies.current_key(choices))
        st.warning(TEXT["unknown"].format(asked=escaped(repr(asked)), shown=escaped(shown)))


def escaped(text: str) -> str:
    """A text by somebody else, as it stands: none of it is Markdown."""
    for mark in "\\`*_[]$:#":
        text = text.replace(mark, "\\" + mark)
    return text


def _pages() -> dict[str, StreamlitPage]:
    """Without icons of their own: the browser would fetch one from another host as the page's picture."""
    folder = ROOT / "pages"
    return {name: st.Page(folder / f"{name}.py", title=TEXT["pages"][name], default=name == "explore") for name in PAGES}


def _sidebar(pages: dict[str, StreamlitPage], choices: Sequence[studies.Choice]) -> None:
    with st.sidebar:
        st.markdown(f"**{TEXT['name']}**  \n:small[:gray[{TEXT['tagline']}]]")
        query = dict(session.carried())
        with st.container(key="menu", gap=None):
            for name, icon in PAGES.items():
                st.page_link(pages[name], label=TEXT["pages"][name], icon=icon, query_params=query, width="stretch")
        if choices:
            _picker(choices)
        _language()


def _picker(choices: Sequence[studies.Choice]) -> None:
    """The study that the pages show."""
    current = studies.current_key(choices)
    st.session_state["study_picker"] = current
    titles = _titles(choices)
    st.selectbox(TEXT["study"], list(titles), format_func=lambda key: str(titles.get(key, key)), key="study_picker", on_change=_picked, help=TEXT["study_help"])
    if len(titles[current]) > _CUT:
        st.caption(escaped(titles[current]))
    if simulated.noted():
        st.markdown(simulated.TEXT["badge"], help=simulated.TEXT["help"])


def _language() -> None:
    """The switch of languages, which the link carries from then on."""
    st.session_state["language_picker"] = language.current()
    st.segmented_control(TEXT["language"], list(language.LANGUAGES), format_func=lambda code: language.LANGUAGES[code], key="language_picker", required=True,
                         label_visibility="collapsed", on_change=lambda: language.remember(st.session_state["language_picker"]))


def _titles(choices: Sequence[studies.Choice]) -> dict[str, str]:
    """A label for each study; no two are alike, since the browser tells options apart by their labels."""
    labels = {c.key: f"{c.title} ({TEXT['samples']})" if c.sample else c.title for c in choices}
    counts = Counter(labels.values())
    return {key: label if counts[label] == 1 else f"{label} ({key[:6]})" for key, label in labels.items()}


def _picked() -> None:
    session.choose_study(st.session_state["study_picker"])
