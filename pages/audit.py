"""Could someone tell who was in the data? One setting under the microscope, against the unprotected model."""

from __future__ import annotations

import math
from typing import Any

import streamlit as st

from mrp_core.charts.frontier import setting_label
from mrp_core.charts.roc import roc_figure, roc_frame
from mrp_core.config import UNPROTECTED, Setting
from mrp_core.measurement import METRICS, Measurement
from mrp_core.results import Summary
from pages.ui import differences, frame, show, slide, studies, words

frame.guard()

TEXT: dict[str, Any] = {
    "title": "Could someone tell who was in the data?",
    "lead": "An attacker who knows the strategy and sees the released output tries to tell the support records of a task from others of the same kind.",
    "empty": "This study has no finished point yet; the train page shows how far it is.",
    "follow": "Follow it",
    "attack": "Attack",
    "attacks": {"lira": "LiRA", "lira_t": "LiRA, Student-t", "threshold": "Loss threshold"},
    "attack_help": "LiRA with pooled variance is the headline attack, fixed before looking; the others are shown beside it, never the best of them.",
    "no_curve": "The ROC of {setting} is not measured yet.",
    "sentence": "At {setting}, while one non-member in a hundred is accused, the attack finds **{value}** of the members; for the unprotected model it finds {base}. Guessing finds 1 %.",
    "sentence_base": "For the unprotected model, while one non-member in a hundred is accused, the attack finds **{value}** of the members. Guessing finds 1 %.",
    "unresolved": "At {setting} the true-positive rate at 1 % false accusations is {why}.",
    "caption": "Both axes logarithmic. Band: 95 % over seeds and tasks. {note}.",
    "blank": "not resolved",
    "table": "All that was measured here",
    "columns": {"what": "Measure", "value": "This setting", "base": "λ = 0", "difference": "Paired difference", "kind": "Kind"},
    "proof": "A failed attack is no proof of privacy: each attack is a lower bound on what a better one could do. Only an ε is a bound from above.",
    "no_bound": "This setting carries no guarantee: it was attacked, and that is all that can be said. Settings on the ε slider have one.",
    "bound": "The dash-dotted line is what no attack whatever can pass under this guarantee.",
}
ROWS = ("lira_auc", "lira_t_auc", "threshold_auc", "lira_advantage", "lira_tpr_1pct", "lira_tpr_01pct", "membership_bits", "mi", "mi_task", "mi_excess", "accuracy")


def main() -> None:
    """Draw the page."""
    frame.title(TEXT["title"], TEXT["lead"])
    study = studies.current()
    if study is None or not study.points:
        st.info(TEXT["empty"])
        frame.link("train", TEXT["follow"], icon=":material/play_circle:")
        return
    setting = slide.current(study.settings)
    slide.setting_slider(study.settings, setting)
    chosen = differences.against_unprotected(study, setting, ROWS)
    base = differences.against_unprotected(study, UNPROTECTED, ROWS)
    st.info(_sentence(setting, chosen, base), icon=":material/policy:")
    _roc(study, setting)
    _guarantee(study, setting)
    _table(chosen, base)


def _sentence(setting: Setting, chosen: Summary | None, base: Summary | None) -> str:
    value = chosen.means.get("lira_tpr_1pct") if chosen else None
    other = base.means.get("lira_tpr_1pct") if base else None
    if value is None or not value.resolved:
        return TEXT["unresolved"].format(setting=setting_label(setting), why=value.note if value else "not measured yet")
    shown = words.amount("lira_tpr_1pct", value)
    if setting == UNPROTECTED or other is None:
        return TEXT["sentence_base"].format(value=shown)
    return TEXT["sentence"].format(setting=setting_label(setting), value=shown, base=words.amount("lira_tpr_1pct", other))


def _roc(study: studies.Study, setting: Setting) -> None:
    attacks = [a for a in TEXT["attacks"] if any(c.name == f"roc:{a}" for c in study.curves)]
    if not attacks:
        return
    attack = st.segmented_control(TEXT["attack"], attacks, format_func=TEXT["attacks"].get, key="attack", default=attacks[0], required=True, help=TEXT["attack_help"], persist_state="session")
    curve = next((c for c in study.curves if c.setting == setting and c.name == f"roc:{attack}"), None)
    if curve is None:
        st.caption(TEXT["no_curve"].format(setting=setting_label(setting)))
        return
    data = roc_frame(study.curves, setting, attack=attack, delta=study.config.privacy.delta, floor=1.0 / _non_members(study))
    show.chart(roc_figure(data, show.colours()), data.rows(), key="roc", caption=TEXT["caption"].format(note=curve.note[:1].upper() + curve.note[1:]),
               alt=f"ROC of {TEXT['attacks'][attack]} at {setting_label(setting)} against the unprotected model, logarithmic axes.")


def _non_members(study: studies.Study) -> int:
    """Trials of non-members in one task: each adaptation leaves out half of a pool of 2 x shots a class."""
    task = study.config.task
    return study.config.audit.adaptations * task.ways * task.shots


def _guarantee(study: studies.Study, setting: Setting) -> None:
    text = words.guarantee(setting, study.config.privacy.delta)
    st.markdown(f"{text} {TEXT['bound']}" if text else TEXT["no_bound"])
    st.markdown(f"*{TEXT['proof']}*")


def _table(chosen: Summary | None, base: Summary | None) -> None:
    if chosen is None:
        return
    c = TEXT["columns"]
    rows = []
    for name in ROWS:
        mean, d = chosen.means.get(name), chosen.differences.get(name)
        if mean is None:
            continue
        other = base.means.get(name) if base else None
        change = f"{words.change(name, d)} {words.span(name, d)}" if d is not None and d.resolved and not math.isnan(d.value) else "—"
        rows.append({c["what"]: METRICS[name].label, c["value"]: _cell(name, mean), c["base"]: _cell(name, other), c["difference"]: change,
                     c["kind"]: METRICS[name].kind})
    st.subheader(TEXT["table"], anchor=False)
    st.dataframe(rows, hide_index=True, width="stretch", height="content", key="audit_table")
    show.download("CSV", lambda: show.csv_text(rows), "audit.csv", key="audit_csv")


def _cell(name: str, m: Measurement | None) -> str:
    return "—" if m is None else words.amount(name, m) if m.resolved else TEXT["blank"]


with frame.sentences():
    main()
