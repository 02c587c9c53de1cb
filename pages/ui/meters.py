"""Mutual information beside membership inference: what moved against λ = 0, and whether the two meters agree."""

from __future__ import annotations

import math

import streamlit as st

from mrp_core.measurement import METRICS, Measurement
from mrp_core.results import Summary
from mrp_core.settings import UNPROTECTED
from mrp_core.wording import Texts
from pages.ui import show, tips, words

TEXT = Texts({
    "title": "Mutual information beside membership",
    "agree_down": "The two meters agree: against λ = 0, {mi} and {auc}.",
    "agree_up": "The two meters agree that more leaks: against λ = 0, {mi} and {auc}.",
    "agree_none": "The two meters agree that nothing is resolved: {mi}, and {auc}.",
    "disagree": "The two meters disagree: against λ = 0, {mi}, but {auc}. They ask different things: I(X;Ŷ) what an answer tells about the record that is asked about, LiRA who was adapted on.",
    "reference": "λ = 0 is the unprotected model: it is what the others are compared with.",
    "unpaired": "There is no paired measurement of λ = 0, so whether the meters agree can't be said.",
    "phrase": {"down": "{what} falls by {size} {span}", "up": "{what} rises by {size} {span}", "none": "{what} is not told apart from it ({size} {span})"},
    "over": "{change} {span} vs λ = 0", "blank": "not resolved",
    "note": "Differences are paired by seed and task; their intervals hold for all settings of the study at once.",
    "auc": "the AUC of LiRA", "bits": " bits",
    "amount": "Here: {amount}.",
    "table": "All that was measured here",
    "columns": {"what": "Measure", "value": "This setting", "base": "λ = 0", "difference": "Paired difference", "kind": "Kind"},
})
CARDS = ("mi", "mi_excess", "membership_bits", "lira_auc")
ROWS = ("lira_auc", "lira_t_auc", "threshold_auc", "lira_advantage", "lira_tpr_1pct", "lira_tpr_01pct", "membership_bits", "mi", "mi_task", "mi_excess", "accuracy")


def draw(chosen: Summary | None, base: Summary | None) -> None:
    """Four numbers with their differences, one sentence, and the table of all."""
    if chosen is None:
        return
    st.subheader(TEXT["title"], anchor=False)
    with st.container(horizontal=True, key="meters"):
        for name in CARDS:
            if name in chosen.means:
                _card(name, chosen)
    st.markdown(verdict(chosen))
    st.caption(TEXT["note"])
    with st.expander(TEXT["table"]):
        _table(chosen, base)


def verdict(summary: Summary) -> str:
    """Whether I(X;Ŷ) and LiRA moved the same way against λ = 0, from their paired intervals only."""
    if summary.setting == UNPROTECTED:
        return TEXT["reference"]
    mi, auc = summary.differences.get("mi"), summary.differences.get("lira_auc")
    if mi is None or auc is None or not mi.resolved or not auc.resolved:
        return TEXT["unpaired"]
    ways = (_way(mi), _way(auc))
    kind = f"agree_{ways[0]}" if ways[0] == ways[1] else "disagree"
    return TEXT[kind].format(mi=_phrase("mi", mi), auc=_phrase("lira_auc", auc))


def _way(d: Measurement) -> str:
    return "none" if not words.real(d) else "down" if d.value < 0 else "up"


def _phrase(name: str, d: Measurement) -> str:
    spec, way = METRICS[name], _way(d)
    digits, unit = (2, TEXT["bits"]) if spec.unit == "bits" else (3, "")
    low, high = sorted((abs(spec.shown(d.low)), abs(spec.shown(d.high))))
    size, span = (words.change(name, d), words.span(name, d)) if way == "none" else (f"{abs(spec.shown(d.value)):.{digits}f}{unit}", f"[{low:.{digits}f}, {high:.{digits}f}]")
    return TEXT["phrase"][way].format(what=TEXT["auc"] if name == "lira_auc" else spec.label, size=size, span=span).replace(" )", ")")


def _card(name: str, chosen: Summary) -> None:
    mean, d, spec = chosen.means[name], chosen.differences.get(name), METRICS[name]
    delta = TEXT["over"].format(change=words.change(name, d), span=words.span(name, d)) if d is not None and d.resolved else None
    st.metric(spec.label, spec.text(mean.value), delta=delta, delta_color="gray", border=True, help=tips.metric(name, TEXT["amount"].format(amount=words.amount(name, mean))))


def _table(chosen: Summary, base: Summary | None) -> None:
    c = TEXT["columns"]
    rows = []
    for name in ROWS:
        mean, d = chosen.means.get(name), chosen.differences.get(name)
        if mean is None:
            continue
        other = base.means.get(name) if base else None
        change = f"{words.change(name, d)} {words.span(name, d)}" if d is not None and d.resolved and not math.isnan(d.value) else "—"
        rows.append({c["what"]: METRICS[name].label, c["value"]: _cell(name, mean), c["base"]: _cell(name, other), c["difference"]: change, c["kind"]: METRICS[name].kind})
    st.dataframe(rows, hide_index=True, width="stretch", height="content", key="audit_table")
    show.download_rows(rows, "audit.csv", key="audit_csv")


def _cell(name: str, m: Measurement | None) -> str:
    return "—" if m is None else words.amount(name, m) if m.resolved else TEXT["blank"]
