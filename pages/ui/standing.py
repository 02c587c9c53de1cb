"""How a study stands, where its numbers are shown: it waits, runs, has failed or was cancelled; and that its first numbers are on their way."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import streamlit as st

from mrp_core.results import StudyState
from mrp_core.wording import Texts
from pages.ui import frame, studies

TEXT = Texts({
    "queued": "This study waits for its turn; its first points appear here when it runs.",
    "running": "This study runs and has no finished point yet.",
    "running_some": "This study still runs: the {n} settings measured so far are shown, and the frontier may still move. Load the page anew for later ones.",
    "failed": "This study failed before its first point was finished: {error}",
    "failed_some": "This study failed: {error} The {n} settings that were finished before are shown.",
    "cancelled": "This study was cancelled before its first point was finished; the train page can resume it.",
    "cancelled_some": "This study was cancelled: the {n} settings that were finished are shown.",
    "done": "This study is done but has no point; train it anew.",
    "why": "no reason was recorded.",
    "follow": "See it on the train page",
})
_SEEN = "standing_seen"


def say(study: studies.Study) -> None:
    """A sentence and the way to the train page, unless all is there."""
    n = len(study.settings)
    if study.state is StudyState.DONE and n:
        return
    text = TEXT[f"{study.state.value}_some" if n and study.state is not StudyState.QUEUED else study.state.value].format(n=n, error=frame.escaped(_error(study)))
    if study.state is StudyState.FAILED:
        st.error(text, icon=":material/error:")
    else:
        st.info(text, icon=":material/hourglass_top:" if study.state in studies.ACTIVE else ":material/pause_circle:")
    frame.link("train", TEXT["follow"], icon=":material/play_circle:")


@contextmanager
def first_look(study: studies.Study) -> Generator[None]:
    """Grey shapes stand where the numbers will be, the first time that a browser session looks at a study and something has to be computed.

    Later looks are drawn from what is kept; shapes would only flicker there, and make the browser build the chart anew.
    """
    seen: set[tuple[str, int]] = st.session_state.setdefault(_SEEN, set())
    with st.container(gap=None):
        places = [st.empty() for _ in range(2)]
    if (study.key, study.version) not in seen:
        places[0].skeleton(height=90)
        places[1].skeleton(height=470)
    yield
    for place in places:
        place.empty()
    seen.add((study.key, study.version))


def _error(study: studies.Study) -> str:
    """Why a failed study failed."""
    if study.state is not StudyState.FAILED:
        return ""
    found = studies.store().progress(study.key)
    return (found.error if found is not None else None) or TEXT["why"]
