"""The frontier of a study as Explore draws it: the chart, what is on it, and what its captions say."""

from __future__ import annotations

import math

import streamlit as st

from mrp_core.charts.attained import attained
from mrp_core.charts.beside import add_beside, joined_rows
from mrp_core.charts.frontier import FrontierFrame, frontier_frame, setting_label
from mrp_core.charts.frontier_figure import frontier_figure
from mrp_core.charts.volume import VolumeFrame, volume_frame
from mrp_core.measurement import METRICS
from mrp_core.settings import Setting
from mrp_core.wording import Texts, say
from pages.ui import axes, differences, frame, language, session, show, studies
from pages.ui.comparable import comparable

TEXT = Texts({
    "hide": "Hide dominated settings",
    "beside": "Beside", "beside_none": "this study alone", "beside_help": "Draws another study of the same tasks on the same chart.",
    "beside_note": " Diamonds and the dashed line: {title}; a click on them chooses nothing.",
    "beside_unknown": "The link asks for the study {asked} beside this one, but there is none of that name here; this one is shown alone.",
    "volume": "Hypervolume {trained:.4f} for what was trained, {free:.4f} for λ = 0 and what can be had from it without training; training adds {gain:+.4f} {span}. "
              "The box reaches from the reference point, {y_worst:g} % accuracy at {x_worst}, to 100 % at {x_best}.",
    "attained": "Leaking at most as much as {setting}, the median frontier over {n} seeds attains {median:.1f} % accuracy; {spread}.",
    "spread": {"many": "the band from 5 to 95 % of the seeds: {least} to {most} %", "few": "the least lucky seed {least}, the most lucky {most} % (5 and 95 %, with fewer than 20 seeds)"},
    "nowhere": "no setting that leaks as little",
    "caption": "Circles: λ. Squares: ε. Open triangles and other shapes: without training. Small dots: single seeds. Band: from the least to the most lucky seed. Bars: 95 % intervals. "
               "Filled: on the frontier; hollow in colour: not told apart from it; hollow grey: dominated. Click a mark to choose it.",
    "alt": "Frontier of {title}: accuracy against {leakage}, {n} settings.",
    "alt_chosen": "Frontier of {title}: accuracy against {leakage}, {n} settings. {setting} stands at {y:.1f} % accuracy and {x:.3g} {unit}.",
})


def draw(study: studies.Study, axis: str, setting: Setting, metrics: tuple[str, ...]) -> None:
    """The chart with all that belongs to it."""
    options = comparable(study)
    other = _beside(options)
    data, caption = front(study, axis, metrics), TEXT["caption"]
    hidden = st.session_state.get("hide_dominated", False)
    fig, rows = frontier_figure(data, show.colours(), pick=setting.key, dominated=not hidden), data.rows()
    if other is not None:
        second = front(other, axis, metrics)
        add_beside(fig, data, second, other.title, show.colours())
        rows, caption = joined_rows(data, study.title, second, other.title), caption + TEXT["beside_note"].format(title=frame.escaped(other.title))
    show.chart(fig, rows, key="frontier", caption=caption, on_pick=_clicked, alt=alt(study, data, axis, setting))
    axes.choose(study, axis)
    _choices(options, other)
    _attained(study, axis, setting)
    _volume(study, axis)


def front(study: studies.Study, axis: str, metrics: tuple[str, ...]) -> FrontierFrame:
    """The numbers of the chart."""
    return _front(study.key, study.version, language.current(), axis, metrics)


def alt(study: studies.Study, data: FrontierFrame, axis: str, setting: Setting) -> str:
    """The chart for a person who can't see it."""
    spec, chosen = METRICS[axis], next((m for m in data.marks if m.key == setting.key), None)
    facts = {"title": study.title, "leakage": spec.label, "n": len(data.marks)}
    if chosen is None:
        return TEXT["alt"].format(**facts)
    return TEXT["alt_chosen"].format(**facts, setting=chosen.label, x=chosen.x, y=chosen.y, unit=say(spec.unit) if spec.unit else spec.label)


@st.cache_resource(show_spinner=False, max_entries=64)
def _front(key: str, version: int, language: str, axis: str, metrics: tuple[str, ...]) -> FrontierFrame:
    study = studies.load(key)
    return frontier_frame(differences.summaries(study, metrics), study.config, x=axis)


@st.cache_resource(show_spinner=False, max_entries=64)
def _box(key: str, version: int, axis: str) -> VolumeFrame:
    study = studies.load(key)
    return volume_frame(differences.summaries(study, ("accuracy", axis)), study.config, axis)


def _clicked() -> None:
    if key := show.picked("frontier"):
        session.remember(session.POINT, key)


def _beside(options: list[studies.Choice]) -> studies.Study | None:
    """The study of the same tasks that is to be on the chart too; one of other tasks is left out, and one that isn't there is said to be none."""
    asked = session.value(session.BESIDE)
    if asked and session.asked(session.BESIDE) and asked not in [c.key for c in studies.choices()]:
        st.warning(TEXT["beside_unknown"].format(asked=frame.escaped(repr(asked))))
    other = studies.load(asked) if asked in [c.key for c in options] else None
    return other if other is not None and other.points else None


def _choices(options: list[studies.Choice], other: studies.Study | None) -> None:
    """What is on the chart: dominated settings, and another study where there is one of the same tasks."""
    with st.container(horizontal=True, vertical_alignment="center", gap="medium", key="explore_choices"):
        st.toggle(TEXT["hide"], key="hide_dominated", persist_state="session")
        if options:
            titles = {"": TEXT["beside_none"], **{c.key: c.title for c in options}}
            st.session_state["beside"] = other.key if other is not None else ""
            st.selectbox(TEXT["beside"], list(titles), format_func=lambda key: str(titles.get(key, key)), key="beside", width=300, help=TEXT["beside_help"], on_change=_beside_chosen)


def _beside_chosen() -> None:
    session.remember(session.BESIDE, st.session_state["beside"])


def _volume(study: studies.Study, axis: str) -> None:
    box, spec = _box(study.key, study.version, axis), METRICS[axis]
    if math.isnan(box.gain):
        return
    span = "" if math.isnan(box.low) else f"[{box.low:+.4f}, {box.high:+.4f}]"
    worst = f"{box.x_worst:.3g} {say('bit') if spec.unit == 'bits' and box.x_worst == 1 else say(spec.unit)}" if spec.unit else f"{spec.label} {box.x_worst:g}"
    st.caption(TEXT["volume"].format(trained=box.trained, free=box.free, gain=box.gain, span=span, y_worst=box.y_worst, x_worst=worst, x_best=f"{box.x_best:.3g}"))


def _attained(study: studies.Study, axis: str, setting: Setting) -> None:
    """Median and spread over seeds at the leakage of the chosen setting."""
    found = differences.summaries(study, ("accuracy", axis))
    mean = next((s.means[axis] for s in found if s.setting == setting and axis in s.means), None)
    made = attained(found, axis, mean.value) if mean is not None and mean.resolved else None
    if made is None or made.seeds < 2 or math.isnan(made.median):
        return
    least, most = (TEXT["nowhere"] if math.isnan(v) else f"{v:.1f}" for v in (made.least, made.most))
    spread = TEXT["spread"]["many" if made.seeds >= 20 else "few"].format(least=least, most=most)
    st.caption(TEXT["attained"].format(setting=setting_label(setting), n=made.seeds, median=made.median, spread=spread))
