"""What an examination found, in tabs: attacks, scores, records, parts, settling, and what else leaks."""

from __future__ import annotations

import math
from collections.abc import Sequence

import streamlit as st

from mrp_core.charts.examination import exposure_frame, score_frame, settling_figure, settling_frame, shapes_figure
from mrp_core.charts.examination_dots import DotsFrame, attack_dots, attribute_dots, dots_figure, part_dots, task_dots
from mrp_core.examination import Examination
from mrp_core.findings import AttackRow, AttributeRisk, PartRisk, TaskRisk
from mrp_core.measurement import METRICS
from mrp_core.wording import Texts, listed, say
from pages.ui import exposed, show, studies, words

TEXT = Texts({
    "alts": {"attacks": "AUC of {n} attacks with intervals; the headline is {title}.", "scores": "Histogram of the headline attack's scores of members, upward, and others, downward.",
             "exposure": "Histogram of the records' own AUC against chance.", "parts": "AUC by {kinds} with intervals.",
             "settling": "AUC over the number of shadow adaptations; the last doubling moved it by {step:+.3f}.",
             "attributes": "AUC of attribute inference against shuffled attributes.", "task_membership": "AUC of task membership against the untrained start."},
    "tabs": ("Attacks", "Scores", "Records", "Groups", "Settling", "What else leaks"),
    "headline": "**{title}** speaks for this setting: AUC {auc}. It was chosen by a rule, not by its result: {rule}",
    "many": "The largest of {n} attacks is not the answer: among many, chance alone lifts one. Read the others as a check that the headline attack misses nothing plain.",
    "left_out": "Not made here", "attack_columns": ("Attack", "AUC", "TPR at 1 % FPR", "Advantage", "Membership leakage", "Paper"), "headline_mark": "{title} (headline)",
    "scores": "Scores that the headline attack gives to members and others, over all seeds, tasks and shadow adaptations; the outermost bins hold what lies beyond. "
              "Where the two shapes part, membership is told.",
    "exposure": "{share:.0f} % of the records are told above AUC {edge:.2f}; chance alone would put {null:.1f} % there. Each bar counts records of all tasks and seeds by their own AUC.",
    "parts_note": "The headline attack on the trials of a part of the records only. 95 % intervals over seeds and tasks, each by itself: with {n} parts shown, one or two may stand out by chance. "
                  "A dot alone: too few tasks for an interval.",
    "overlap": "By {by}: the {n} intervals all overlap, so none is singled out.",
    "apart": "By {by}: the intervals do not all overlap. Most exposed is {top} ({top_auc}), least {low} ({low_auc}): leakage is not evenly spread.",
    "settling": "From {before} to {n} shadow adaptations the AUC moved by {step:+.3f}. "
                "Intervals are over seeds and tasks; each smaller set of shadows lies within the next, so the line is steadier than they are.",
    "settled_none": "There are too few shadow adaptations to see how the estimate settles.",
    "attribute": "What the answers tell about a person's attribute",
    "attribute_note": "From the released probabilities of fresh records; hollow: the same with the attribute shuffled, what chance gives.",
    "attribute_sentence": "**{name}**: an adversary gets AUC {auc}, shuffled {null}; I({name}; output) is at least {bits}, shuffled {null_bits}: {verdict}.",
    "verdict": {"above": "the interval lies above guessing", "below": "below guessing, which tells no more than the seeds' spread", "none": "not told apart from guessing"},
    "tasks": "Which tasks the strategy was trained on", "tasks_note": "{n} training and {n} held-out tasks a seed; hollow: the same attack on the untrained start, what tasks differ in by themselves.",
    "tasks_sentence": {"task": "Judged by records that training never used", "records": "Judged by the records that training used"},
    "tasks_line": "{by}: AUC {auc}, untrained start {untrained}; {verdict}. With one held-out task in ten accused, {tpr} of the training tasks are found.",
    "tasks_verdict": {"above": "above guessing and apart from the untrained start", "start": "but no more than the untrained start explains", "none": "not told apart from guessing"},
    "nothing_else": "This family records no sensitive attribute, and holds too few tasks to ask which ones the strategy was trained on.",
})
_METRIC = {"auc": "lira_auc", "tpr_1pct": "lira_tpr_1pct", "advantage": "lira_advantage", "bits": "membership_bits"}


def draw(study: studies.Study, e: Examination) -> None:
    """All parts of an examination."""
    tabs = st.tabs(TEXT["tabs"], key="examined")
    parts = (lambda: _attacks(e), lambda: _scores(e), lambda: exposed.draw(study, e, _exposure), lambda: _parts(e.parts), lambda: _settling(e), lambda: _else(e))
    for tab, part in zip(tabs, parts, strict=True):
        with tab:
            part()


def _attacks(e: Examination) -> None:
    made, left_out = [a for a in e.attacks if a.means], [a for a in e.attacks if not a.means]
    st.markdown(TEXT["headline"].format(title=say(e.headline.title), auc=words.amount("lira_auc", e.headline.means["auc"]), rule=e.rule))
    st.markdown(TEXT["many"].format(n=len(made)))
    _dots(attack_dots(made), "attacks", alt=TEXT["alts"]["attacks"].format(n=len(made), title=say(e.headline.title)), numbers=False)
    rows = [_attack_row(a) for a in made]
    st.dataframe(rows, hide_index=True, width="stretch", height="content", key="attack_table")
    show.download_rows(rows, "attack_table.csv", key="attack_table_csv")
    if left_out:
        st.markdown(f"**{TEXT['left_out']}**\n\n" + "\n".join(f"- {say(a.title)} ({a.source}): {a.left_out}" for a in left_out))


def _attack_row(a: AttackRow) -> dict[str, str]:
    title, *middle, paper = TEXT["attack_columns"]
    cells = {column: words.amount(_METRIC[m], a.means[m]) if m in a.means else "—" for column, m in zip(middle, _METRIC, strict=True)}
    return {title: TEXT["headline_mark"].format(title=say(a.title)) if a.headline else say(a.title), **cells, paper: a.source}


def _scores(e: Examination) -> None:
    data = score_frame(e.histogram)
    show.chart(shapes_figure(data, show.colours()), data.rows(), key="scores", caption=TEXT["scores"], alt=TEXT["alts"]["scores"])


def _exposure(e: Examination) -> None:
    data = exposure_frame(e.exposure)
    text = TEXT["exposure"].format(share=data.beyond[0] * 100, edge=data.edge, null=data.beyond[1] * 100)
    show.chart(shapes_figure(data, show.colours()), data.rows(), key="exposure", caption=text, alt=f"{TEXT['alts']['exposure']} {text}")


def _parts(parts: Sequence[PartRisk]) -> None:
    kinds = list(dict.fromkeys(p.by for p in parts))
    sentences = [_spread(kind, [p for p in parts if p.by == kind and p.auc.resolved]) for kind in kinds]
    st.markdown("  \n".join(s for s in sentences if s))
    _dots(part_dots(parts), "parts", caption=TEXT["parts_note"].format(n=len(parts)), alt=TEXT["alts"]["parts"].format(kinds=listed(kinds)))


def _spread(by: str, parts: Sequence[PartRisk]) -> str:
    """Whether the parts' intervals single one out, as a sentence; nothing of a lone part."""
    if len(parts) < 2 or any(math.isnan(p.auc.low) for p in parts):
        return ""
    if max(p.auc.low for p in parts) <= min(p.auc.high for p in parts):
        return TEXT["overlap"].format(by=by, n=len(parts))
    top, low = max(parts, key=lambda p: p.auc.value), min(parts, key=lambda p: p.auc.value)
    return TEXT["apart"].format(by=by, top=top.name, top_auc=words.amount("lira_auc", top.auc), low=low.name, low_auc=words.amount("lira_auc", low.auc))


def _settling(e: Examination) -> None:
    data = settling_frame(e.settling)
    if len(data.counts) < 2:
        st.caption(TEXT["settled_none"])
        return
    show.chart(settling_figure(data, show.colours()), data.rows(), key="settling", caption=TEXT["settling"].format(before=data.counts[-2], n=data.counts[-1], step=data.last_step),
               alt=TEXT["alts"]["settling"].format(step=data.last_step))


def _else(e: Examination) -> None:
    if not e.attributes and not e.task_membership:
        st.info(TEXT["nothing_else"])
    if e.attributes:
        st.markdown(f"**{TEXT['attribute']}**")
        st.markdown("  \n".join(_attribute(a) for a in e.attributes))
        _dots(attribute_dots(e.attributes), "attributes", caption=" ".join((TEXT["attribute_note"], *(n for a in e.attributes for n in a.notes))),
              alt=TEXT["alts"]["attributes"])
    if e.task_membership:
        st.markdown(f"**{TEXT['tasks']}**")
        st.markdown("  \n".join(_task(t) for t in e.task_membership))
        notes = dict.fromkeys(n for t in e.task_membership for n in t.notes)
        _dots(task_dots(e.task_membership), "task_membership", caption=" ".join((TEXT["tasks_note"].format(n=e.task_membership[0].tasks), *notes)),
              alt=TEXT["alts"]["task_membership"])


def _attribute(a: AttributeRisk) -> str:
    amount = words.amount
    verdict = "above" if a.auc.low > 0.5 else "below" if a.auc.high < 0.5 else "none"
    return TEXT["attribute_sentence"].format(name=a.name, auc=amount("lira_auc", a.auc), null=amount("lira_auc", a.null_auc), bits=_bits(a.information.value, a.information.low, a.information.high),
                                             null_bits=_bits(a.null_information.value, a.null_information.low, a.null_information.high), verdict=TEXT["verdict"][verdict])


def _task(t: TaskRisk) -> str:
    verdict = "none" if not t.auc.low > 0.5 else "above" if t.auc.low > t.untrained.high else "start"
    return TEXT["tasks_line"].format(by=TEXT["tasks_sentence"][t.by], auc=words.amount("lira_auc", t.auc), untrained=words.amount("lira_auc", t.untrained),
                                     verdict=TEXT["tasks_verdict"][verdict], tpr=words.amount("lira_tpr_1pct", t.tpr))


def _bits(*nats: float) -> str:
    value, low, high = (METRICS["mi"].shown(v) for v in nats)
    return f"{value:.3f} {say('bits')}" + ("" if math.isnan(low) else f" [{low:.3f}, {high:.3f}]")


def _dots(data: DotsFrame, key: str, *, alt: str, caption: str = "", numbers: bool = True) -> None:
    show.chart(dots_figure(data, show.colours(), numbers=numbers), data.rows(), key=key, caption=caption, alt=alt)
