"""How much accuracy does privacy cost here? The frontier of a study, one setting under the thumb."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import streamlit as st

from mrp_core.charts.attained import attained
from mrp_core.charts.beside import add_beside, joined_rows
from mrp_core.charts.frontier import FrontierFrame, frontier_frame, setting_label
from mrp_core.charts.frontier_figure import frontier_figure
from mrp_core.charts.volume import VolumeFrame, volume_frame
from mrp_core.measurement import METRICS
from mrp_core.registry import plugin
from mrp_core.results import Summary
from mrp_core.settings import Setting
from pages.ui import aims, differences, frame, launch, promises, session, show, slide, studies, tabled, tips, words
from pages.ui.comparable import comparable

frame.guard()

TEXT: dict[str, Any] = {
    "title": "How much accuracy does privacy cost here?",
    "axis": "Leakage measured by",
    "axes": {"mi": "One answer: I(X;Ŷ)", "mi_excess": "Beyond the label: I(X;Ŷ|Y)", "lira_auc": "Membership: LiRA AUC", "lira_tpr_1pct": "Membership: TPR at 1 %"},
    "axis_help": "I(X;Ŷ): how much one answer tells about the queried record. Membership: how well an attacker tells who was adapted on. The two can disagree.",
    "interval": "95 % interval: {amount}.",
    "hide": "Hide dominated settings",
    "beside": "Beside", "beside_none": "this study alone", "beside_help": "Draws another study of the same tasks on the same chart.",
    "beside_note": " Diamonds and the dashed line: {title}; a click on them chooses nothing.",
    "numbers": "**{setting}**, and its paired difference from λ = 0",
    "audit": "Audit this point", "pin": "Pin to compare", "adapt": "Try it on a task",
    "volume": "Hypervolume {trained:.4f} for what was trained, {free:.4f} for λ = 0 and what can be had from it without training; training adds {gain:+.4f} {span}. "
              "The box reaches from the reference point, {y_worst:g} % accuracy at {x_worst}, to 100 % at {x_best}.",
    "attained": "Leaking at most as much as {setting}, the median frontier over {n} seeds attains {median:.1f} % accuracy; {spread}.",
    "spread": {"many": "the band from 5 to 95 % of the seeds: {least} to {most} %", "few": "the least lucky seed {least}, the most lucky {most} % (5 and 95 %, with fewer than 20 seeds)"},
    "nowhere": "no setting that leaks as little",
    "empty": "No sample study is installed and you have none of your own yet: train one, it takes about a minute.",
    "waiting": "This study has no finished point yet; the train page shows how far it is.",
    "caption": "Circles: λ. Squares: ε. Open triangles and other shapes: without training. Small dots: single seeds. Band: from the least to the most lucky seed. Bars: 95 % intervals. "
               "Filled: on the frontier; hollow in colour: not told apart from it; hollow grey: dominated. Click a mark to choose it.",
    "differences": "Differences from λ = 0 are paired by seed and task; their intervals hold for all {n} settings at once.",
    "sample": "Sample study: computed by this program · {facts}",
    "own": "Your study · {facts}",
    "recompute": "Recompute here", "recompute_help": "Runs the same configuration on this machine and opens it on the train page.",
    "command": "or in a terminal: `mrp run {path}`",
    "about": "How these numbers came about",
}


def main() -> None:
    """Draw the page."""
    if st.session_state.pop("go_train", False):
        frame.go("train")
    study = studies.current()
    frame.title(TEXT["title"], f"{study.title}. {plugin('tasks', study.config.task.family).summary}" if study else "", study=True)
    if study is None:
        st.info(TEXT["empty"])
        frame.link("train", "Train a study", icon=":material/play_circle:")
        return
    if not study.points:
        st.info(TEXT["waiting"])
        frame.link("train", "Follow it", icon=":material/play_circle:")
        return
    setting = slide.current(study.settings)
    axis = _axis(study)
    slide.setting_slider(study.settings, setting)
    metrics = tuple(dict.fromkeys(("accuracy", "accuracy_0", axis, "lira_auc", "mi")))
    chosen = differences.against_unprotected(study, setting, metrics)
    _verdict(study, chosen, axis)
    with st.container(key="explore_body"):
        left, right = st.columns([0.75, 0.25], gap="medium")
        with right, st.container(key="explore_side"):
            _numbers(study, chosen, axis)
        with left:
            _chart(study, axis, setting, metrics)
            aims.draw(study)
    st.caption(TEXT["differences"].format(n=len(study.settings)))
    if text := tabled.missing(study.config):
        st.warning(text, icon=":material/folder_off:")
    _provenance(study)


def _axis(study: studies.Study) -> str:
    options = [m for m in TEXT["axes"] if any(m in p.values for p in study.points[:1])] or ["mi"]
    asked = session.value(session.AXIS, options[0])
    asked = asked if asked in options else options[0]
    st.session_state["axis"] = asked
    st.segmented_control(TEXT["axis"], options, format_func=lambda m: str(TEXT["axes"][m]), key="axis", required=True, help=TEXT["axis_help"], on_change=_axis_chosen)
    return asked


def _axis_chosen() -> None:
    session.remember(session.AXIS, st.session_state["axis"])


def _clicked() -> None:
    if key := show.picked("frontier"):
        session.remember(session.POINT, key)


@st.cache_resource(show_spinner=False, max_entries=64)
def _frame(key: str, version: int, axis: str, metrics: tuple[str, ...]) -> FrontierFrame:
    study = studies.load(key)
    return frontier_frame(differences.summaries(study, metrics), study.config, x=axis)


@st.cache_resource(show_spinner=False, max_entries=64)
def _volume(key: str, version: int, axis: str) -> VolumeFrame:
    study = studies.load(key)
    return volume_frame(differences.summaries(study, ("accuracy", axis)), study.config, axis)


def _beside(study: studies.Study, options: list[studies.Choice]) -> studies.Study | None:
    """The study of the same tasks that is to be on the chart too."""
    asked = session.value(session.BESIDE)
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


def _chart(study: studies.Study, axis: str, setting: Setting, metrics: tuple[str, ...]) -> None:
    options = comparable(study)
    other = _beside(study, options)
    data, caption = _frame(study.key, study.version, axis, metrics), TEXT["caption"]
    hidden = st.session_state.get("hide_dominated", False)
    fig, rows = frontier_figure(data, show.colours(), pick=setting.key, dominated=not hidden), data.rows()
    if other is not None:
        second = _frame(other.key, other.version, axis, metrics)
        add_beside(fig, data, second, other.title, show.colours())
        rows, caption = joined_rows(data, study.title, second, other.title), caption + TEXT["beside_note"].format(title=other.title)
    chosen = next((m for m in data.marks if m.key == setting.key), None)
    place = f" {chosen.label} stands at {chosen.y:.1f} % accuracy and {chosen.x:.3g} {METRICS[axis].unit or METRICS[axis].label}." if chosen else ""
    show.chart(fig, rows, key="frontier", caption=caption, on_pick=_clicked,
               alt=f"Frontier of {study.title}: accuracy against {METRICS[axis].label}, {len(data.marks)} settings.{place}")
    _choices(options, other)
    _attained(study, axis, setting)
    box = _volume(study.key, study.version, axis)
    if not math.isnan(box.gain):
        spec = METRICS[axis]
        span = "" if math.isnan(box.low) else f"[{box.low:+.4f}, {box.high:+.4f}]"
        worst = f"{box.x_worst:.3g} {'bit' if spec.unit == 'bits' and box.x_worst == 1 else spec.unit}" if spec.unit else f"{spec.label} {box.x_worst:g}"
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


def _numbers(study: studies.Study, chosen: Summary | None, axis: str) -> None:
    if chosen is None:
        return
    second = "lira_auc" if axis in ("mi", "mi_excess") else "mi"
    st.markdown(TEXT["numbers"].format(setting=setting_label(chosen.setting, chosen.about)))
    for metric in ("accuracy", axis, second):
        mean, d = chosen.means.get(metric), chosen.differences.get(metric)
        if mean is None:
            continue
        spec = METRICS[metric]
        st.metric(f"{spec.label}", spec.text(mean.value) if mean.resolved else "not resolved", delta=words.change(metric, d) if d is not None and d.resolved else None,
                  delta_color="blue" if words.real(d) else "gray", delta_description=words.span(metric, d) if d is not None else None, border=True,
                  help=tips.metric(metric, TEXT["interval"].format(amount=words.amount(metric, mean))))
    with st.container(key="explore_acts", gap=None):
        if any(c.setting == chosen.setting for c in study.curves):
            frame.link("audit", TEXT["audit"], icon=":material/policy:", point=chosen.setting.key)
        if study.strategy is not None and chosen.setting.kind in ("lambda", "epsilon", "found"):
            frame.link("adapt", TEXT["adapt"], icon=":material/tune:", point=chosen.setting.key)
        st.button(TEXT["pin"], key="pin", icon=":material/keep:", type="tertiary", on_click=launch.pin, args=(study.key, chosen.setting.key))


def _verdict(study: studies.Study, chosen: Summary | None, axis: str) -> None:
    seeds = len({p.seed for p in study.points})
    text = words.verdict(chosen, axis, seeds)
    auc = chosen.means.get("lira_auc") if chosen else None
    more = promises.guarantee(chosen.setting, study.config) if chosen else ""
    with st.container(key="verdict"):
        st.info(" ".join(part for part in (f"**{text}**", words.attacker(auc) if auc is not None else "", more) if part), icon=":material/lightbulb:")


def _provenance(study: studies.Study) -> None:
    tasks = max((len(v) for p in study.points[:1] for v in p.values.values()), default=0)
    facts = [f"{len({p.seed for p in study.points})} seeds", f"{tasks} held-out tasks", *_origin(study.origin)]
    text = TEXT["sample" if study.sample else "own"].format(facts=" · ".join(facts))
    with st.container(border=True, key="provenance"):
        st.caption(text)
        if study.sample:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.button(TEXT["recompute"], key="recompute", icon=":material/replay:", on_click=launch.launch, args=(study.config,), help=TEXT["recompute_help"])
                st.caption(TEXT["command"].format(path=f"sample_data/studies/{study.key}.toml"), width="content")


def _origin(origin: dict[str, str | float]) -> list[str]:
    """The facts that a reader asks for, in a fixed order; a moment in seconds becomes a date."""
    out = [str(origin[name]) for name in ("date",) if name in origin]
    if not out and isinstance(created := origin.get("created"), int | float):
        out.append(datetime.fromtimestamp(created, UTC).strftime("%Y-%m-%d"))
    if isinstance(seconds := origin.get("seconds"), int | float):
        out.append(f"{seconds:.0f} s on {int(float(origin.get('cores', 1)))} cores of {origin.get('processor', 'a processor')}")
    out += [f"{label} {origin[name]}" for name, label in (("torch", "torch"), ("code_version", "MRP"), ("code version", "MRP")) if name in origin]
    return out


with frame.sentences():
    main()
