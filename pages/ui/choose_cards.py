"""One card for each suggestion: why this setting, its numbers, how it stands to each limit, and what can be done with it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import streamlit as st

from mrp_core.charts.frontier import setting_label
from mrp_core.judging import METRIC, Judged, State, Verdict
from mrp_core.limits import DPLimit
from mrp_core.measurement import METRICS
from mrp_core.results import Summary
from mrp_core.suggesting import Suggestion
from mrp_core.wording import Texts
from pages.ui import frame, session, studies, words

TEXT = Texts({
    "title": "{n}. {setting}", "nearest": "{setting}",
    "kinds": {"knee": ":blue-badge[Knee]", "accuracy": ":green-badge[Most accurate]", "cheapest": ":violet-badge[Cheapest privacy]", "nearest": ":gray-badge[Nearest]"},
    "knee": "The frontier bends most here. Between its ends, {least} ({least_y}) and {most} ({most_y}), "
            "this setting has **{gain:.0f} %** of the gain in accuracy for **{cost:.0f} %** of the added leakage.",
    "end": "{accuracy} accurate, {leak} found",
    "accuracy": {False: "The highest mean accuracy of all settings.", True: "The highest mean accuracy within your limits."},
    "alike": "But {seeds} seeds don't tell {setting} apart from it in accuracy ({accuracy}), and that leaks less ({leak}).",
    "cheapest": "It loses the least accuracy for each point of leakage lowered: **{accuracy}** {accuracy_span} for {label} **{leak}** {leak_span}, both paired against λ = 0.",
    "free": "{label}: **{leak}** {leak_span}, and no accuracy is lost on average: **{accuracy}** {accuracy_span}, both paired against λ = 0.",
    "line": "{label}: **{value}**",
    "guarantee": "Guarantee: **ε = {value:g}**, so no attack whatever finds more than {share:.3g} % at 1 % FPR",
    "weak": "Guarantee: **ε = {value:g}**, too weak to rule out anything at 1 % FPR", "no_guarantee": "No guarantee: a better attack may find more",
    "bounds": {"accuracy": "Accuracy at least {bound}", "tpr": "TPR at most {bound}", "epsilon": "ε at most {bound}", "group": "TPR of each group at most {bound}"},
    "states": {
        "met": ":material/check_circle: {bound}: met by the whole 95 % interval.",
        "bare": ":material/contrast: {bound}: met by a single value, which has no interval.",
        "crossed": ":material/contrast: {bound}: met on average only, its 95 % interval crosses the limit.",
        "nearly": ":material/contrast: {bound}: missed by {miss} on average, within its 95 % interval only.",
        "missed": ":material/cancel: {bound}: missed by {miss}.",
        "nothing": ":material/cancel: {bound}: not resolved here, so nobody can say that it is met.",
        "no_epsilon": ":material/cancel: {bound}: no ε here, so no guarantee and not met.",
        "not_examined": ":material/help: {bound}: not judged, no examination has measured groups here. Run one on Audit before you rely on it.",
        "not_resolved": ":material/help: {bound}: not judged, the group {group} is not resolved.",
    },
    "worst": "{bound} ({group}, {value})",
    "open": "Open", "pin": "Pin", "pinned": "Pinned", "present": "Present", "audit": "Audit",
    "points": "{value:.1f} points", "factor": "a factor of {value:.2g}",
})
ASKED = "pin_asked"
"""In the session: (study, setting) that a card was asked to pin, which the whole page then does and shows."""
FPR = 0.01
WEAK = 99
"""Per cent of members found that a guarantee must rule out to be worth a number."""


def suggestion(n: int, s: Suggestion, study: studies.Study, leak: str, limited: bool, pinned: Sequence[str]) -> None:
    """The card of one suggestion.

    Args:
        n: Its number, as on the chart.
        s: What is suggested and why.
        study: Whose setting it is.
        leak: The metric of leakage that the suggestions go by.
        limited: Whether any limit is set.
        pinned: Keys of the pinned settings of this study.
    """
    with st.container(border=True, key=f"card:{n}", height="stretch"):
        st.markdown(f"**{TEXT['title'].format(n=n, setting=label(s.judged.summary))}** {' '.join(TEXT['kinds'][k] for k in s.kinds)}")
        for kind in s.kinds:
            st.markdown(_reason(kind, s, leak, limited))
        _rest(s.judged, study, leak, pinned)


def nearest(j: Judged, study: studies.Study, leak: str, pinned: Sequence[str]) -> None:
    """The card of the setting that misses the limits by the least."""
    with st.container(border=True, key="card:nearest"):
        st.markdown(f"**{TEXT['nearest'].format(setting=label(j.summary))}** {TEXT['kinds']['nearest']}")
        _rest(j, study, leak, pinned)


def label(s: Summary) -> str:
    """The setting in words that may stand in Markdown."""
    return frame.escaped(setting_label(s.setting, s.about))


def bound(name: str, value: float) -> str:
    """A limit in words, e.g. "Accuracy at least 70 %"."""
    return str(TEXT["bounds"][name]).format(bound=f"{value:g}" if name == "epsilon" else f"{value * 100:.4g} %")


def _reason(kind: str, s: Suggestion, leak: str, limited: bool) -> str:
    own = s.judged.summary
    if kind == "knee" and s.ends is not None:
        (x0, y0), (x1, y1), (x, y) = ((e.means[leak].value, e.means["accuracy"].value) for e in (*s.ends, own))
        places = [TEXT["end"].format(accuracy=METRICS["accuracy"].text(b), leak=METRICS[leak].text(a)) for a, b in ((x0, y0), (x1, y1))]
        return TEXT["knee"].format(least=label(s.ends[0]), most=label(s.ends[1]), least_y=places[0], most_y=places[1], gain=100 * (y - y0) / (y1 - y0), cost=100 * (x - x0) / (x1 - x0))
    if kind == "accuracy":
        text = str(TEXT["accuracy"][limited])
        if s.alike is None:
            return text
        return f"{text} " + TEXT["alike"].format(seeds=len(s.alike.seeds["accuracy"]), setting=label(s.alike), accuracy=METRICS["accuracy"].text(s.alike.means["accuracy"].value),
                                                 leak=METRICS[leak].text(s.alike.means[leak].value))
    d, e = own.differences["accuracy"], own.differences[leak]
    return TEXT["cheapest" if s.price > 0 else "free"].format(accuracy=words.change("accuracy", d), accuracy_span=_plain(words.span("accuracy", d)), leak=words.change(leak, e),
                                                              leak_span=_plain(words.span(leak, e)), label=METRICS[leak].label)


def _rest(j: Judged, study: studies.Study, leak: str, pinned: Sequence[str]) -> None:
    """Numbers, verdicts and buttons."""
    means = j.summary.means
    lines = [TEXT["line"].format(label=METRICS[m].label, value=_plain(words.amount(m, means[m]))) for m in dict.fromkeys(("accuracy", leak, "mi")) if m in means]
    guarantee = means.get("epsilon")
    if guarantee is None or not math.isfinite(guarantee.value):
        lines.append(TEXT["no_guarantee"])
    else:
        share = math.ceil(float(DPLimit(guarantee.value, study.config.privacy.delta).tpr(FPR)) * 1000) / 10
        lines.append(TEXT["weak" if share > WEAK else "guarantee"].format(value=guarantee.value, share=share))
    st.markdown("\n".join(f"- {line}" for line in lines))
    if j.verdicts:
        st.markdown("  \n".join(f":small[{_verdict(v)}]" for v in j.verdicts))
    key = j.setting.key
    with st.container(horizontal=True, vertical_alignment="center", key=f"acts:{key}"):
        frame.link("explore", TEXT["open"], icon=":material/show_chart:", **_target(study, key))
        held = key in pinned
        st.button(TEXT["pinned" if held else "pin"], key=f"pin:{key}", icon=":material/keep:", type="tertiary", disabled=held, on_click=_pin, args=(study.key, key))
        frame.link("explore", TEXT["present"], icon=":material/slideshow:", **_target(study, key), **{session.MODE: "present"})
        if any(v.limit == "group" and v.measured is None for v in j.verdicts):
            frame.link("audit", TEXT["audit"], icon=":material/policy:", **_target(study, key))


def _pin(study: str, setting: str) -> None:
    st.session_state[ASKED] = (study, setting)


def _target(study: studies.Study, key: str) -> dict[str, str]:
    return {session.STUDY: study.key, session.POINT: key}


def _verdict(v: Verdict) -> str:
    text = bound(v.limit, v.bound)
    if v.limit == "group" and v.measured is not None:
        text = TEXT["worst"].format(bound=text, group=frame.escaped(v.group), value=_plain(words.amount(METRIC["group"], v.measured)))
    return str(TEXT["states"][_state(v)]).format(bound=text, miss=_miss(v), group=frame.escaped(v.group))


def _state(v: Verdict) -> str:
    if v.measured is None:
        return "no_epsilon" if v.limit == "epsilon" else "nothing" if v.limit != "group" else "not_resolved" if v.group else "not_examined"
    if v.state is not State.CROSSED:
        return str(v.state)
    bare = math.isnan(v.measured.low)
    return ("missed" if bare else "nearly") if v.miss else "bare" if bare else "crossed"


def _miss(v: Verdict) -> str:
    if v.limit == "epsilon":
        return TEXT["factor"].format(value=1 + v.miss / v.bound)
    return TEXT["points"].format(value=v.miss * 100) if v.miss >= 0.0005 or not v.miss else TEXT["points"].format(value=0.1)


def _plain(text: str) -> str:
    """An interval in Markdown: its brackets are no link."""
    return text.replace("[", "\\[").replace("]", "\\]")
