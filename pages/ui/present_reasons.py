"""The last step of a presentation: which setting, what it costs and gains, what is guaranteed, and what to be careful about."""

from __future__ import annotations

import math

import streamlit as st

from mrp_core.charts.frontier import setting_label
from mrp_core.registry import plugin
from mrp_core.settings import UNPROTECTED, Setting
from mrp_core.wording import Texts, say
from pages.ui import frame, present_steps, share, studies, suggested, words

TEXT = Texts({
    "recommended": "Recommended: {setting}", "suggested": "Suggested: {setting} ({why})", "unprotected": "The choice: no protection",
    "what": {"lambda": "In training, leakage weighs {value:g} times as much as error.",
             "epsilon": "Noise is added whenever the model is adapted.",
             "head": "Only the last layer is adapted, without noise.",
             "temperature": "The unprotected model, answering more at random.",
             "rate_distortion": "The unprotected model, whose answers are blurred so as to tell less for the accuracy they keep.",
             "steps": "The unprotected model, adapted by {value:g} steps.",
             "rate": "The unprotected model, adapted with steps {value:g} times as long.",
             "found": "What the search found: {about}"},
    "none": "The model as it is trained for accuracy alone.",
    "cost": "**Cost and gain.** {verdict} {attack}",
    "gain": {True: "An attacker finds {value} of 100 members instead of {base}.",
             False: "An attacker finds {value} of 100 members instead of {base}, which isn't certain with so few seeds."},
    "gain_base": "An attacker finds {value} of 100 members.",
    "promise": {"epsilon": "**Guaranteed.** ε = {epsilon:g} at δ = {delta:g}, for each record that the model is adapted to, against every attacker.",
                "no": "**Not guaranteed.** These leakages are what was measured; a better attacker may find more. Only an ε holds against all."},
    "careful": "**Careful.** Measured on {tasks} held-out tasks with {seeds} seeds: other data may give other numbers. {caveat}",
    "others": "Other choices: {others}.",
    "note": "**Author's note.** {note}",
    "audit": "Look closer at this point",
})
_NOTE = 420
"""Characters of the author's note that fit on a slide."""


def recommendation(shown: present_steps.Shown) -> None:
    """Three lines, the alternatives, and the author's own words."""
    study, setting = shown.study, shown.setting
    summary, config = shown.summary(setting), study.config
    about = summary.about if summary else ""
    frame.title(_title(shown))
    with st.container(key="present_reasons"):
        st.markdown(_what(setting, about))
        verdict = words.verdict(summary, shown.axis, shown.seeds)
        st.markdown(TEXT["cost"].format(verdict=verdict, attack=_gain(shown)))
        st.markdown(TEXT["promise"]["epsilon" if _bounded(setting) else "no"].format(epsilon=setting.value, delta=config.privacy.delta))
        tasks = max((len(v) for p in study.points[:1] for v in p.values.values()), default=0)
        st.markdown(TEXT["careful"].format(tasks=tasks, seeds=shown.seeds, caveat=say(plugin("tasks", config.task.family).caveat)))
        if text := note(study):
            st.markdown(TEXT["note"].format(note=frame.escaped(text)))
        if others := suggested.alternatives(study, shown.axis, setting):
            st.caption(TEXT["others"].format(others="; ".join(map(frame.escaped, others))))
        _ways(shown)


def _ways(shown: present_steps.Shown) -> None:
    """To the point on the audit page, and to the report about it."""
    study, setting = shown.study, shown.setting
    with st.container(horizontal=True, vertical_alignment="center", gap="medium", key="present_ways"):
        if any(c.setting == setting for c in study.curves):
            frame.link("audit", TEXT["audit"], icon=":material/policy:", point=setting.key)
        share.draw(study, setting)


def note(study: studies.Study) -> str:
    """What the author of an own study noted, on one line and as long as a slide holds; "" if nothing."""
    text = "" if study.sample else " ".join(studies.store().study(study.key).note.split())
    return text if len(text) <= _NOTE else f"{text[:_NOTE].rsplit(' ', 1)[0]} …"


def _title(shown: present_steps.Shown) -> str:
    if shown.setting == UNPROTECTED:
        return TEXT["unprotected"]
    return TEXT["suggested" if shown.why else "recommended"].format(setting=setting_label(shown.setting), why=shown.why)


def _what(setting: Setting, about: str) -> str:
    kind = "head" if setting.kind == "epsilon" and math.isinf(setting.value) else setting.kind
    return TEXT["none"] if setting == UNPROTECTED else TEXT["what"][kind].format(value=setting.value, about=about)


def _gain(shown: present_steps.Shown) -> str:
    """What the attack of the step before finds, in a few words; "" where that isn't resolved."""
    summary, base = shown.summary(shown.setting), shown.summary(UNPROTECTED)
    value, other, d = (found.get(present_steps.ATTACK) for found in (summary.means if summary else {}, base.means if base else {}, summary.differences if summary else {}))
    if value is None or not value.resolved:
        return ""
    if other is None or d is None or not other.resolved or not d.resolved:
        return TEXT["gain_base"].format(value=present_steps.of_100(value))
    return TEXT["gain"][words.real(d)].format(value=present_steps.of_100(value), base=present_steps.of_100(other))


def _bounded(setting: Setting) -> bool:
    return setting.kind == "epsilon" and math.isfinite(setting.value)
