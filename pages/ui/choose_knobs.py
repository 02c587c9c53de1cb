"""What the studies that are judged alike were given, and which of their knobs tell the better half apart."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import streamlit as st

from mrp_core.charts.comparison import LEAKAGES, ComparedStudy
from mrp_core.charts.knob_lines import lines_figure, lines_frame, shares_figure, shares_frame
from mrp_core.config import StudyConfig
from mrp_core.importance import MINIMUM, Varied, importances, varied
from mrp_core.measurement import METRICS
from mrp_core.wording import Texts
from pages.ui import show

TEXT = Texts({
    "title": "What their knobs have to do with it",
    "alone": "This takes at least two finished studies that are judged alike; there is {n} so far.",
    "same": "All {n} studies were given the same knobs, so none can explain a difference.",
    "lines": "One line a study, over the knobs that vary and then the hypervolumes; each axis runs from its least to its largest value, at the bottom and at the top. "
             "Solid: the study in the side menu. The table below has the same numbers.",
    "more": " The first {shown} of {n} knobs that vary are drawn.",
    "alt": "Lines of {n} studies over {knobs} and their hypervolumes; the table below holds all their values.",
    "volume": "Hypervolume, accuracy × {label}",
    "importance": "Knob importance",
    "few": "{n} studies with {knobs} knobs that vary are too few to weigh the knobs: it takes {minimum} with a hypervolume, so that the better half holds five.",
    "alike": "All studies attain the same hypervolume, so no knob can be weighed.",
    "shares": "PED-ANOVA (Watanabe, Bansal & Hutter 2023, by Optuna) on {label}: how far the better half of {n} studies lies apart along each knob alone. "
              "No interplay of knobs is seen, knobs that were always moved together "
              "can't be told apart, and studies that people chose to run are no random sample: it shows where good studies lie, not what made them good.",
    "shares_alt": "Bars of knob importance: {text}.", "share": "{label} {share:.0%}",
})
AXES = 7
"""Most knobs that are drawn side by side."""


def draw(found: Sequence[ComparedStudy], configs: Sequence[StudyConfig], current: str) -> None:
    """Both charts, or a sentence why there is nothing to see.

    Args:
        found: The studies that are judged alike.
        configs: Theirs, in the same order.
        current: Key of the study in the side menu.
    """
    st.markdown(f"**{TEXT['title']}**")
    knobs = varied(configs)
    if len(found) < 2 or not knobs:
        st.caption(TEXT["alone" if len(found) < 2 else "same"].format(n=len(found)))
        return
    results = {TEXT["volume"].format(label=METRICS[x].label): [s.volumes[x].value for s in found] for x in LEAKAGES}
    _lines(found, knobs, results, current)
    _shares(found, knobs)


def _lines(found: Sequence[ComparedStudy], knobs: Sequence[Varied], results: Mapping[str, Sequence[float]], current: str) -> None:
    names = [s.title for s in found]
    drawn, whole = lines_frame(names, knobs[:AXES], results), lines_frame(names, knobs, results)
    pick = next((i for i, s in enumerate(found) if s.key == current), None)
    caption = TEXT["lines"] + (TEXT["more"].format(shown=AXES, n=len(knobs)) if len(knobs) > AXES else "")
    show.chart(lines_figure(drawn, show.colours(), pick=pick), whole.rows(), key="knob_lines", caption=caption,
               alt=TEXT["alt"].format(n=len(found), knobs=", ".join(k.knob.label for k in knobs[:AXES])))
    st.dataframe(whole.rows(), hide_index=True, width="stretch", key="knob_table")


def _shares(found: Sequence[ComparedStudy], knobs: Sequence[Varied]) -> None:
    st.markdown(f"**{TEXT['importance']}**")
    first = LEAKAGES[0]
    known = [i for i, s in enumerate(found) if not math.isnan(s.volumes[first].value)]
    if len(known) < MINIMUM:
        st.caption(TEXT["few"].format(n=len(known), knobs=len(knobs), minimum=MINIMUM))
        return
    values = tuple(found[i].volumes[first].value for i in known)
    weighed = tuple(Varied(name=k.name, knob=k.knob, values=tuple(k.values[i] for i in known)) for k in knobs)
    moved = tuple(k for k in weighed if len(set(k.values)) > 1)
    if not moved or min(values) == max(values):
        st.caption(TEXT["same" if not moved else "alike"].format(n=len(known)))
        return
    data = shares_frame(moved, _weighed(tuple((k.name, k.values) for k in moved), values, moved))
    text = ", ".join(TEXT["share"].format(label=label, share=share) for label, share in data.shares)
    show.chart(shares_figure(data, show.colours()), data.rows(), key="knob_shares", caption=TEXT["shares"].format(label=METRICS[first].label, n=len(known)), alt=TEXT["shares_alt"].format(text=text))


@st.cache_resource(show_spinner=False, max_entries=16)
def _weighed(given: tuple[tuple[str, tuple[object, ...]], ...], values: tuple[float, ...], _knobs: Sequence[Varied]) -> Mapping[str, float]:
    return importances(_knobs, values)
