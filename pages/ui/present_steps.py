"""The first three steps of a presentation: what is at stake, what privacy costs, and what an attacker gets."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from mrp_core.charts.enlarged import enlarged
from mrp_core.charts.frontier import setting_label
from mrp_core.charts.frontier_figure import frontier_figure
from mrp_core.charts.palette import CONFIG, Figure
from mrp_core.charts.roc import roc_figure, roc_frame
from mrp_core.measurement import Measurement
from mrp_core.registry import plugin
from mrp_core.results import Summary
from mrp_core.settings import UNPROTECTED, Setting
from mrp_core.wording import Texts, say
from pages.ui import differences, frame, fronts, promises, show, studies, words

TEXT = Texts({
    "question": "What does a model give away about its records?",
    "data": "**The data.** {family}: {summary}",
    "whose": "**Whose records.** For each new task the model is adapted to {n} {who}; those are at risk.",
    "who": {"medical": "patients' records", "finance": "people's records", "wearable": "records of one wearer's movements", "smart home": "records of one household",
            "recommendation": "ratings by one person", "federated": "records that never leave their owner", "images": "pictures", "teaching": "made-up records", "own": "rows of your table"},
    "who_else": "records",
    "released": {"sampled_label": "**What is released.** One label for each query, drawn with the model's probabilities.",
                 "top_label": "**What is released.** The most likely label for each query.",
                 "noisy_scores": "**What is released.** The model's scores for each query, with noise added.",
                 "scores": "**What is released.** The model's rounded probabilities for each query."},
    "wants": "**What an attacker wants.** To tell from these answers which records the model was adapted to.",
    "right": "Unprotected, the model is right", "picks": "Shown a member and another record, an attacker picks the member",
    "of_100": "{value:.0f} times in 100", "interval": "95 % interval: {low:.0f} to {high:.0f}",
    "guess": "{interval}; guessing gives {chance:.0f}",
    "frontier": "What does privacy cost?",
    "read": "Each mark is one setting, measured on tasks that training never saw. Higher is more accurate, further left leaks less; the line is the best that was attained.",
    "attack": "Could someone tell who was in the data?",
    "found": "At {setting} an attacker finds **{value}** of 100 members at 1 false accusation in 100; without protection, {base}. Guessing finds 1.",
    "found_base": "Without protection an attacker finds **{value}** of 100 members at 1 false accusation in 100. Guessing finds 1.",
    "told": {True: "The difference is real.", False: "With {seeds} seeds and {n} settings looked at, this difference isn't certain."},
    "unresolved": "At {setting} it is not resolved how many of 100 members an attacker finds at 1 false accusation in 100.",
    "unresolved_base": "not resolved",
    "roc": "Solid: {setting}. Dashed: λ = 0, unprotected. Higher is better for the attacker; on the dotted line one guesses. A failed attack is no proof of privacy.",
    "roc_base": "λ = 0, unprotected. Higher is better for the attacker; on the dotted line one guesses. A failed attack is no proof of privacy.",
    "no_curve": "The ROC of this setting wasn't measured.",
    "roc_alt": "ROC of LiRA at {setting} against the unprotected model, logarithmic axes. {sentence}",
})
ATTACK = "lira_tpr_1pct"
FACTOR, TALL, WIDE = 1.4, 400, 1150
"""How much larger than on a desk, and how many pixels high and about how many wide a chart is."""


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What is presented.

    Attributes:
        setting: The point.
        why: What speaks for it, if it is the study's suggestion; "" if a person chose it.
    """

    study: studies.Study
    axis: str
    setting: Setting
    why: str

    @property
    def metrics(self) -> tuple[str, ...]:
        """What is measured of each setting here."""
        return tuple(dict.fromkeys(("accuracy", "accuracy_0", self.axis, "lira_auc", "mi", ATTACK)))

    @property
    def seeds(self) -> int:
        """How many seeds were measured."""
        return len({p.seed for p in self.study.points})

    def summary(self, setting: Setting) -> Summary | None:
        """A setting's means and paired differences from λ = 0."""
        return differences.against_unprotected(self.study, setting, self.metrics)


def question(shown: Shown) -> None:
    """What is at stake, in four sentences and two numbers."""
    config, family = shown.study.config, plugin("tasks", shown.study.config.task.family)
    frame.title(TEXT["question"])
    with st.container(key="present_question"):
        left, right = st.columns([0.6, 0.4], gap="large")
        with left, st.container(key="present_words"):
            st.markdown(TEXT["data"].format(family=say(family.title), summary=say(family.summary)))
            st.markdown(TEXT["whose"].format(n=promises.records(config), who=TEXT["who"].get(family.area, TEXT["who_else"])))
            st.markdown(TEXT["released"][config.privacy.channel])
            st.markdown(TEXT["wants"])
        base = shown.summary(UNPROTECTED)
        with right, st.container(key="present_numbers"):
            if base is not None:
                _number(TEXT["right"], base.means.get("accuracy"), 100 / config.task.ways)
                _number(TEXT["picks"], base.means.get("lira_auc"), 50)


def _number(label: str, m: Measurement | None, chance: float) -> None:
    if m is None or not m.resolved:
        st.metric(label, words.amount("accuracy", m) if m else "—", border=True)
        return
    interval = TEXT["interval"].format(low=m.low * 100, high=m.high * 100) if m.low == m.low else ""
    st.metric(label, TEXT["of_100"].format(value=m.value * 100), border=True)
    st.caption(TEXT["guess"].format(interval=interval, chance=chance))


def frontier(shown: Shown) -> None:
    """What privacy costs: the verdict, and the chart with the point marked."""
    frame.title(TEXT["frontier"])
    st.markdown(words.verdict(shown.summary(shown.setting), shown.axis, shown.seeds))
    data = fronts.front(shown.study, shown.axis, shown.metrics)
    fig = frontier_figure(data, show.colours(), pick=shown.setting.key, height=round(TALL / FACTOR), width=round(WIDE / FACTOR))
    _chart(fig, fronts.alt(shown.study, data, shown.axis, shown.setting), "present_frontier")
    st.caption(TEXT["read"])


def attack(shown: Shown) -> None:
    """What an attacker gets at the point, against λ = 0."""
    frame.title(TEXT["attack"])
    sentence = found(shown)
    st.markdown(sentence)
    study, setting = shown.study, shown.setting
    if not any(c.setting == setting and c.name == "roc:lira" for c in study.curves):
        st.caption(TEXT["no_curve"])
        return
    non_members = study.config.audit.adaptations * promises.records(study.config)
    data = roc_frame(study.curves, setting, delta=study.config.privacy.delta, floor=1.0 / non_members)
    _chart(roc_figure(data, show.colours(), height=round(TALL / FACTOR)), TEXT["roc_alt"].format(setting=setting_label(setting), sentence=sentence.replace("*", "")), "present_roc")
    st.caption(TEXT["roc_base" if setting == UNPROTECTED else "roc"].format(setting=setting_label(setting)))


def found(shown: Shown) -> str:
    """How many of 100 members an attacker finds, from the study's points."""
    chosen, base = (s.means.get(ATTACK) if s else None for s in (shown.summary(shown.setting), shown.summary(UNPROTECTED)))
    if chosen is None or not chosen.resolved:
        return TEXT["unresolved"].format(setting=setting_label(shown.setting))
    if shown.setting == UNPROTECTED:
        return TEXT["found_base"].format(value=of_100(chosen))
    text = TEXT["found"].format(setting=setting_label(shown.setting), value=of_100(chosen), base=of_100(base) if base is not None and base.resolved else TEXT["unresolved_base"])
    summary = shown.summary(shown.setting)
    d = summary.differences.get(ATTACK) if summary else None
    return text if d is None or not d.resolved else f"{text} {TEXT['told'][words.real(d)].format(seeds=shown.seeds, n=len(shown.study.settings))}"


def of_100(m: Measurement) -> str:
    """A rate as people of 100 with its interval, e.g. "11.6 [9.8, 13.4]"."""
    return words.amount(ATTACK, m).replace(" %", "")


def _chart(fig: Figure, alt: str, key: str) -> None:
    with st.container(key="present_chart"):
        st.plotly_chart(enlarged(fig, FACTOR, height=TALL), theme=None, key=key, alt=alt, config=CONFIG, height="stretch")
