"""How much accuracy does privacy cost here? The frontier of a study, one setting under the thumb."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

import streamlit as st

from mrp_core.charts.frontier import setting_label
from mrp_core.measurement import METRICS
from mrp_core.registry import plugin
from mrp_core.results import Summary
from mrp_core.settings import UNPROTECTED
from mrp_core.wording import Texts, say
from pages.ui import aims, axes, differences, frame, fronts, launch, links, modes, present, promises, share, slide, standing, studies, suggested, tabled, tips, words

frame.guard()

TEXT = Texts({
    "title": "How much accuracy does privacy cost here?", "lead": "{study}. {summary}",
    "mode": "There is no mode {asked}; modes are explore, present and teach. This is explore.",
    "numbers": "**{setting}**, and its paired difference from λ = 0", "unresolved": "not resolved", "interval": "95 % interval: {amount}.",
    "audit": "Audit this point", "pin": "Pin to compare", "adapt": "Try it on a task",
    "empty": "No sample study is installed and you have none of your own yet: train one, it takes about a minute.",
    "train": "Train a study",
    "read": "Each mark is one setting, tried on new tasks. **Higher: right more often. Further left: leaks less.** The line joins the best; the diamond is the one chosen above.",
    "differences": "Differences from λ = 0 are paired by seed and task; their intervals hold for all {n} settings at once.",
    "sample": "Sample study: computed by this program · {facts}",
    "own": "Your study · {facts}",
    "seeds": "{n} seeds", "tasks": "{n} held-out tasks", "cost": "{seconds:.0f} s on {cores} cores of {processor}", "processor": "a processor",
    "recompute": "Recompute here", "recompute_help": "Runs the same configuration on this machine and opens it on the train page.",
    "command": "or in a terminal: `mrp run {path}`",
})


def main() -> None:
    """Draw the page."""
    if st.session_state.pop("go_train", False):
        frame.go("train")
    study = studies.current()
    if modes.current() == "present":
        present.draw(study)
        return
    _top(study)
    if study is None:
        st.info(TEXT["empty"])
        frame.link("train", TEXT["train"], icon=":material/play_circle:")
        return
    standing.say(study)
    if study.points:
        _study(study)


def _top(study: studies.Study | None) -> None:
    """The question, and the ways to show this to others."""
    lead = TEXT["lead"].format(study=frame.escaped(study.title), summary=say(plugin("tasks", study.config.task.family).summary)) if study else ""
    frame.title(TEXT["title"], lead, study=True, acts=partial(links.buttons, study) if study is not None and study.points else None)
    if wrong := modes.unknown():
        st.warning(TEXT["mode"].format(asked=frame.escaped(repr(wrong))))


def _study(study: studies.Study) -> None:
    """What is measured of a study."""
    axis, setting = axes.current(study), slide.current(study.settings)
    slide.setting_slider(study.settings, setting)
    with standing.first_look(study):
        metrics = tuple(dict.fromkeys(("accuracy", "accuracy_0", axis, "lira_auc", "mi")))
        chosen = differences.against_unprotected(study, setting, metrics)
        base = differences.against_unprotected(study, UNPROTECTED, metrics)
        suggested.advice(study, axis)
    suggested.row(study, axis, setting)
    _verdict(study, chosen, base, axis)
    with st.container(key="explore_body"):
        left, right = st.columns([0.75, 0.25], gap="medium")
        with right, st.container(key="explore_side"):
            _numbers(study, chosen, axis)
        with left:
            st.caption(TEXT["read"])
            fronts.draw(study, axis, setting, metrics)
            aims.draw(study)
    st.caption(TEXT["differences"].format(n=len(study.settings)))
    if text := tabled.missing(study.config):
        st.warning(text, icon=":material/folder_off:")
    _provenance(study)


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
        st.metric(f"{spec.label}", spec.text(mean.value) if mean.resolved else TEXT["unresolved"], delta=words.change(metric, d) if d is not None and d.resolved else None,
                  delta_color="blue" if words.real(d) else "gray", delta_description=words.span(metric, d) if d is not None else None, border=True,
                  help=tips.metric(metric, TEXT["interval"].format(amount=words.amount(metric, mean))))
    with st.container(key="explore_acts", gap=None):
        if any(c.setting == chosen.setting for c in study.curves):
            frame.link("audit", TEXT["audit"], icon=":material/policy:", point=chosen.setting.key)
        if study.strategy is not None and chosen.setting.kind in ("lambda", "epsilon", "found"):
            frame.link("adapt", TEXT["adapt"], icon=":material/tune:", point=chosen.setting.key)
        st.button(TEXT["pin"], key="pin", icon=":material/keep:", type="tertiary", on_click=launch.pin, args=(study.key, chosen.setting.key))
        share.draw(study)


def _attacker(chosen: Summary | None, base: Summary | None) -> str:
    if chosen is None or "lira_auc" not in chosen.means:
        return ""
    other = base.means.get("lira_auc") if base is not None and base.setting != chosen.setting else None
    return words.attacker(chosen.means["lira_auc"], other, chosen.differences.get("lira_auc"))


def _verdict(study: studies.Study, chosen: Summary | None, base: Summary | None, axis: str) -> None:
    seeds = len({p.seed for p in study.points})
    text = words.verdict(chosen, axis, seeds)
    more = promises.guarantee(chosen.setting, study.config) if chosen else ""
    with st.container(key="verdict"):
        st.info(" ".join(part for part in (f"**{text}**", _attacker(chosen, base), more) if part), icon=":material/lightbulb:")


def _provenance(study: studies.Study) -> None:
    tasks = max((len(v) for p in study.points[:1] for v in p.values.values()), default=0)
    facts = [TEXT["seeds"].format(n=len({p.seed for p in study.points})), TEXT["tasks"].format(n=tasks), *_origin(study.origin)]
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
        out.append(TEXT["cost"].format(seconds=seconds, cores=int(float(origin.get("cores", 1))), processor=origin.get("processor", TEXT["processor"])))
    out += [f"{label} {origin[name]}" for name, label in (("torch", "torch"), ("code_version", "MRP"), ("code version", "MRP")) if name in origin]
    return out


with frame.sentences():
    main()
