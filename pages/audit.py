"""Could someone tell who was in the data? One setting under the microscope, against the unprotected model."""

from __future__ import annotations

import math

import streamlit as st

from mrp_core.charts.examination_epsilon import epsilon_figure, epsilon_frame
from mrp_core.charts.frontier import setting_label
from mrp_core.charts.roc import roc_figure, roc_frame
from mrp_core.examination import Examination
from mrp_core.measurement import Measurement
from mrp_core.results import Summary
from mrp_core.settings import UNPROTECTED, Setting
from mrp_core.wording import Texts
from pages.ui import clients, differences, examine, examined, frame, meters, promises, show, slide, studies, words

frame.guard()

TEXT = Texts({
    "title": "Could someone tell who was in the data?",
    "lead": "An attacker who knows the strategy and sees the released output tries to tell the support records of a task from others of the same kind.",
    "empty": "This study has no finished point yet; the train page shows how far it is.",
    "follow": "Follow it",
    "attack": "Attack",
    "attacks": {"lira": "LiRA", "lira_t": "LiRA, Student-t", "threshold": "Loss threshold"},
    "attack_help": "LiRA with pooled variance is the headline attack, fixed before looking; the others are shown beside it, never the best of them.",
    "no_curve": "The ROC of {setting} is not measured yet.",
    "sentence": "At {setting}: of 1,000 people at the 1 % false-alarm level, **{value}** would be recognised as members; chance is 10. For the unprotected model it is {base}; {difference}.",
    "sentence_base": "λ = 0, the unprotected model: of 1,000 people at the 1 % false-alarm level, **{value}** would be recognised as members; chance is 10.",
    "level": "Members are the people whose records a task was adapted on; at this level one non-member in a hundred is accused, wrongly.",
    "real": "the paired difference, {value} of 1,000, is real", "not_real": "the paired difference, {value} of 1,000, does not tell the two apart", "unpaired": "there is no paired difference",
    "found": "What the search found here: {about}.", "not_yet": "not measured yet", "not_measured": "not measured",
    "alt": "ROC of {attack} at {setting} against the unprotected model, logarithmic axes.", "alt_epsilon": "Scale of ε. {how}",
    "unresolved": "At {setting} the true-positive rate at 1 % false accusations is {why}.",
    "caption": "Both axes logarithmic. Band: 95 % over seeds and tasks. {note}.",
    "proof": "A failed attack is no proof of privacy: each attack is a lower bound on what a better one could do. Only an ε is a bound from above.",
    "no_bound": "This setting carries no guarantee: it was attacked, and that is all that can be said. Settings on the ε slider have one.",
    "bound": "The dash-dotted line in the chart above is what no attack whatever can pass under this guarantee.",
    "epsilon": "ε from both sides",
    "from_below": "From below: the attack shows that ε is at least {lower:.2f}, at {level:.0f} % confidence in {trials} independent trials.",
    "from_below_none": "From below: the attack shows nothing above 0 in {trials} independent trials; that is no evidence of privacy.",
    "ceiling": "So many trials could show {ceiling:.2f} at most, so a larger ε would go unseen.",
    "contradiction": "The attack shows more than the guarantee allows: one of the two is wrong. Treat this guarantee as broken until that is found.",
    "epsilon_caption": "Shaded: ruled out, by the attack on the left and by the guarantee, if there is one, on the right. Bar: where ε may be. Dashed: the most that {trials} trials can show. "
                       "Thresholds were declared beforehand and share the error; the confidence is this setting's alone, not that of the largest bound among many settings.",
    "no_lower": "What the attack shows from below comes with the closer look.",
})
MEASURED = (*meters.ROWS, "epsilon")


def main() -> None:
    """Draw the page."""
    frame.title(TEXT["title"], TEXT["lead"], study=True)
    study = studies.current()
    if study is None or not study.points:
        st.info(TEXT["empty"])
        frame.link("train", TEXT["follow"], icon=":material/play_circle:")
        return
    setting = slide.current(study.settings)
    slide.setting_slider(study.settings, setting)
    chosen = differences.against_unprotected(study, setting, MEASURED)
    base = differences.against_unprotected(study, UNPROTECTED, MEASURED)
    found = examine.find(study, setting)
    if chosen and chosen.about:
        st.caption(TEXT["found"].format(about=chosen.about))
    st.info(f"{_sentence(setting, chosen, base)} {TEXT['level']}", icon=":material/policy:")
    _roc(study, setting)
    meters.draw(chosen, base)
    _epsilon(study, setting, chosen, found.best)
    examine.bar(study, setting, found)
    if found.best is not None:
        examined.draw(study, found.best)
    clients.draw(study, setting)


def _sentence(setting: Setting, chosen: Summary | None, base: Summary | None) -> str:
    """How many of 1,000 members are found, from the study's points."""
    value = chosen.means.get("lira_tpr_1pct") if chosen else None
    other = base.means.get("lira_tpr_1pct") if base else None
    if value is None or not value.resolved:
        return TEXT["unresolved"].format(setting=setting_label(setting), why=value.note if value else TEXT["not_yet"])
    if setting == UNPROTECTED or other is None or not other.resolved:
        return TEXT["sentence_base" if setting == UNPROTECTED else "sentence"].format(setting=setting_label(setting), value=_people(value), base=TEXT["not_measured"], difference=TEXT["unpaired"])
    d = chosen.differences.get("lira_tpr_1pct") if chosen else None
    difference = TEXT["unpaired"] if d is None or not d.resolved else TEXT["real" if words.real(d) else "not_real"].format(value=_people(d, sign="+"))
    return TEXT["sentence"].format(setting=setting_label(setting), value=_people(value), base=_people(other), difference=difference)


def _people(m: Measurement, sign: str = "") -> str:
    """A rate as people of 1,000 with its interval."""
    one = lambda v: f"{round(v * 1000):{sign},d}".replace("-", "\u2212")  # noqa: E731
    return one(m.value) if math.isnan(m.low) else f"{one(m.value)} [{one(m.low)}, {one(m.high)}]"


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
               alt=TEXT["alt"].format(attack=TEXT["attacks"][attack], setting=setting_label(setting)))


def _non_members(study: studies.Study) -> int:
    """Trials of non-members in one task: each adaptation leaves out half of a pool of 2 x shots a class."""
    task = study.config.task
    return study.config.audit.adaptations * task.ways * task.shots


def _epsilon(study: studies.Study, setting: Setting, chosen: Summary | None, found: Examination | None) -> None:
    """Both bounds on one scale and in words; without an examination, the upper one alone."""
    st.subheader(TEXT["epsilon"], anchor=False)
    epsilon = chosen.means.get("epsilon") if chosen else None
    text = promises.guarantee(setting, study.config, found=epsilon.value if epsilon else math.inf)
    st.markdown(" ".join((text, TEXT["bound"])) if text and setting.kind == "epsilon" else text or TEXT["no_bound"])
    for more in (promises.choosing(setting, study.config, len(study.config.privacy.epsilons)), promises.tasks(study.config)):
        if more:
            st.markdown(more)
    if found is None or not found.epsilon.trials:
        st.markdown(f"{TEXT['no_lower'] if found is None else found.epsilon.how} *{TEXT['proof']}*")
        return
    e, data = found.epsilon, epsilon_frame(found.epsilon)
    below = TEXT["from_below" if e.lower > 0 else "from_below_none"].format(lower=e.lower, level=e.level * 100, trials=e.trials)
    sentence = f"{below} {TEXT['ceiling'].format(ceiling=e.ceiling)}"
    if not data.consistent:
        st.error(TEXT["contradiction"], icon=":material/error:")
    st.markdown(f"{sentence} *{TEXT['proof']}*")
    show.chart(epsilon_figure(data, show.colours()), data.rows(), key="epsilon", caption=TEXT["epsilon_caption"].format(trials=e.trials), alt=TEXT["alt_epsilon"].format(how=e.how))


with frame.sentences():
    main()
