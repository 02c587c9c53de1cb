"""What would this lambda give me? One held-out task, adapted live under every setting of the sliders."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from mrp_core.charts.live import AnswerFrame, StatisticFrame, answer_figure, statistic_figure, statistic_frame
from mrp_core.measurement import METRICS
from mrp_core.settings import UNPROTECTED, Setting
from mrp_core.wording import Texts
from pages.ui import frame, kept, promises, records, show, slide, studies, tips, warm

if TYPE_CHECKING:
    from mrp_core.engine import Live
    from mrp_core.strategy import Strategy

frame.guard()

TEXT = Texts({
    "title": "What would this λ give me?",
    "lead": "One task that meta-training never saw. Its whole λ and ε grid is re-adapted in one batch; the slider walks through it.",
    "none": "This study has no trained strategy at hand: its training hasn't finished, or its file wasn't kept. Pick another study, or train this one.",
    "train": "Train a study", "warm": "Warming up the engine: this takes a few seconds once.",
    "steps": "Steps at test time", "times": {1: "as trained: {steps}", 2: "twice: {steps}", 4: "4 times: {steps}", 10: "10 times: {steps}"},
    "steps_help": "Longer fine-tuning: beyond the trained steps the last step's rate is kept. Each ε stays what it is: more noisy steps mean more noise in each of them.",
    "longer": "{n} steps instead of {trained} for λ, {noisy} instead of {noisy_trained} for ε: more than meta-training took. ",
    "longer_plain": "{n} steps instead of {trained}: more than meta-training took. ",
    "task": "Held-out task", "seed": "Seed", "draw": "New support set", "draw_help": "Adapts to another random half of the task's pool.",
    "accuracy": "Accuracy", "confidence": "Confidence", "leak": "One answer tells", "attack": "Loss-threshold attack",
    "zero": "Here {value} before any step.", "gain": "{value:+.1f} points by adapting", "over": "{value:+.1f} points vs λ = 0", "bits": "{value:+.2f} bits vs λ = 0", "guess": "guessing is 0.5",
    "answers": "What fresh records get", "statistic": "Members against others",
    "answers_note": "Each group is a record, named after its true label, which is filled. Dotted: chance. {n} of the {all} fresh records that no adaptation saw.",
    "statistic_note": "The attack's statistic for the {n} support records (up) and the {n} others of the pool (down), in this one adaptation. The more the shapes differ, the easier the attack.",
    "promised": "What is guaranteed here, and to whom",
    "support": "Support records, the members", "fresh": "Fresh records", "took": "{n} settings adapted in one batch in {ms:.0f} ms. "
            "One adaptation of one task: the frontier shows means over many, with intervals.",
    "record": "{i}: {label}", "yes": "yes", "no": "no",
    "alt_answers": "Probabilities of {ways} labels for {n} fresh records; mean confidence {confidence:.0f} %.", "alt_statistic": "Histogram of the attack's statistic; loss-threshold AUC {auc:.2f}.",
    "percent": "{value:.1f} %", "whole": "{value:.0f} %", "amount": "{value:.2f} bits", "auc": "{value:.2f} AUC",
    "confidence_help": "The largest probability that the model gives to any label, averaged over fresh records.",
    "found": "What the search found here: {about}.", "found_longer": "It adapts as it was found, whatever the steps at test time.",
})
SHOWN = 8
PICTURES = {"digits": 8}


@dataclass(frozen=True, kw_only=True, eq=False)
class Look:
    """One live adaptation with what doesn't change when the slider moves.

    Attributes:
        live: The adaptation.
        statistics: Histograms of the attack's statistic, one a setting.
        top: Largest share in any of them.
        pictures: Sheets of the support set and of the fresh records; none if they are no pictures.
    """

    live: Live
    statistics: tuple[StatisticFrame, ...]
    top: float
    pictures: tuple[NDArray[np.uint8], ...]


def main() -> None:
    """Draw the page."""
    frame.title(TEXT["title"], TEXT["lead"], study=True)
    study = studies.current()
    if study is None or study.strategy is None:
        st.info(TEXT["none"])
        frame.link("train", TEXT["train"], icon=":material/play_circle:")
        return
    strategy = warm.strategy(study)
    if strategy is None:
        _skeleton(study)
        return
    seed, task, draw, longer = _chooser(study, strategy)
    look = _look(study.key, study.version, seed, task, draw, longer, strategy)
    live = look.live
    setting = slide.current(live.settings)
    slide.setting_slider(live.settings, setting)
    at, base = live.settings.index(setting), live.settings.index(UNPROTECTED)
    _about(study, strategy, setting, longer)
    _numbers(live, at, base)
    with st.container(key="adapt_body"):
        left, right = st.columns(2, gap="large")
        with left:
            _answers(study, live, at)
        with right:
            _statistic(look, at)
    _pictures(look)
    st.caption(_longer(study, longer) + TEXT["took"].format(n=len(live.settings), ms=live.seconds * 1000))


def _skeleton(study: studies.Study) -> None:
    """The page's frame while the engine warms up; the page is drawn anew as soon as it is ready."""
    st.markdown(f":material/hourglass_top: {TEXT['warm']}")
    st.skeleton(height=90)
    for column in st.columns(5):
        column.skeleton(height=110)
    for column in st.columns(2, gap="large"):
        column.skeleton(height=330)
    warm.follow(study)


@st.cache_data(show_spinner=False, max_entries=32)
def _names(key: str, version: int, seed: int, _strategy: Strategy) -> tuple[str, ...]:
    from mrp_core.engine import held_out_names

    return held_out_names(_strategy, seed)


@st.cache_resource(show_spinner=False, max_entries=64)
def _look(key: str, version: int, seed: int, task: int, draw: int, longer: int, _strategy: Strategy) -> Look:
    from mrp_core.engine import live

    made = live(_strategy, seed=seed, task=task, draw=draw, longer=longer)
    both = sorted([*made.support_phi.ravel().tolist(), *made.other_phi.ravel().tolist()])
    low, high = both[len(both) // 100], both[-1 - len(both) // 100]
    statistics = tuple(statistic_frame(made.support_phi[i].tolist(), made.other_phi[i].tolist(), low, high) for i in range(len(made.settings)))
    side = PICTURES.get(_strategy.config.task.family)
    pictures = () if side is None else tuple(records.sheet(x, y, (side, side)) for x, y in ((made.support_x, made.support_y), (made.eval_x, made.eval_y)))
    return Look(live=made, statistics=statistics, top=max(max(*s.members, *s.others) for s in statistics), pictures=pictures)


def _chooser(study: studies.Study, strategy: Strategy) -> tuple[int, int, int, int]:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        seed = int(st.selectbox(TEXT["seed"], study.config.seeds, key="adapt_seed", width=110, persist_state="session"))
        names = _names(study.key, study.version, seed, strategy)
        task = st.selectbox(TEXT["task"], range(len(names)), format_func=lambda i: f"{i + 1}: {names[i]}", key="adapt_task", width=280, persist_state="session")
        longer = st.selectbox(TEXT["steps"], tuple(TEXT["times"]), format_func=lambda n: TEXT["times"][n].format(steps=n * study.config.inner.steps), key="adapt_longer", width=160,
                              help=TEXT["steps_help"], persist_state="session")
        st.button(TEXT["draw"], key="adapt_draw", icon=":material/casino:", help=TEXT["draw_help"], on_click=kept.next_draw)
    return seed, int(task or 0), kept.draw(), int(longer or 1)


def _longer(study: studies.Study, longer: int) -> str:
    """What longer fine-tuning changed, in words; nothing where nothing did."""
    if longer == 1:
        return ""
    steps, noisy = study.config.inner.steps, study.config.privacy.dp_steps
    text = TEXT["longer"] if study.config.privacy.mechanism != "none" else TEXT["longer_plain"]
    return text.format(n=longer * steps, trained=steps, noisy=longer * noisy, noisy_trained=noisy)


def _about(study: studies.Study, strategy: Strategy, setting: Setting, longer: int) -> None:
    """What a found setting stands for, and what is guaranteed to whom; nothing where there is nothing to say."""
    if setting.kind == "found":
        about = strategy.recipe(setting).words(len(study.config.hidden) + 1)
        st.caption(TEXT["found"].format(about=about) + (f" {TEXT['found_longer']}" if longer > 1 else ""))
    found = strategy.recipe(setting).epsilon if setting.kind == "found" else math.inf
    bound = promises.guarantee(setting, study.config, found=found) if longer == 1 or setting.kind == "found" else ""  # σ would be that of fewer steps
    promised = (bound, promises.tasks(study.config))
    if any(promised):
        with st.expander(TEXT["promised"], icon=":material/verified_user:"):
            for text in filter(None, promised):
                st.markdown(text)


def _numbers(live: Live, at: int, base: int) -> None:
    bits, over = METRICS["mi"].shown, TEXT["over"]
    with st.container(horizontal=True, key="adapt_numbers"):
        _number(TEXT["accuracy"], TEXT["percent"].format(value=live.accuracy[at] * 100), over.format(value=(live.accuracy[at] - live.accuracy[base]) * 100),
                tips.metric("accuracy", TEXT["zero"].format(value=TEXT["percent"].format(value=live.accuracy_0[at] * 100))))
        _number(METRICS["accuracy_0"].label, TEXT["percent"].format(value=live.accuracy_0[at] * 100), TEXT["gain"].format(value=(live.accuracy[at] - live.accuracy_0[at]) * 100),
                tips.metric("accuracy_0"))
        _number(TEXT["confidence"], TEXT["whole"].format(value=live.confidence[at] * 100), over.format(value=(live.confidence[at] - live.confidence[base]) * 100),
                f"{TEXT['confidence_help']} {tips.more('confidence')}")
        _number(TEXT["leak"], TEXT["amount"].format(value=bits(live.mi[at])), TEXT["bits"].format(value=bits(live.mi[at] - live.mi[base])), tips.metric("mi"))
        st.metric(TEXT["attack"], TEXT["auc"].format(value=live.threshold_auc[at]), delta=TEXT["guess"], delta_color="off", delta_arrow="off", border=True, help=tips.metric("threshold_auc"))


def _number(label: str, value: str, delta: str, help: str) -> None:
    st.metric(label, value, delta=delta, delta_color="gray", border=True, help=help)


def _answers(study: studies.Study, live: Live, at: int) -> None:
    st.subheader(TEXT["answers"], anchor=False)
    ways = live.probabilities.shape[-1]
    order = sorted(range(len(live.eval_y)), key=lambda i: (i % max(1, len(live.eval_y) // ways), i))[:SHOWN]
    labels = _labels(study, live)
    names = tuple(TEXT["record"].format(i=n + 1, label=labels[int(live.eval_y[i])]) for n, i in enumerate(order))
    data = AnswerFrame(records=names, labels=labels, truth=tuple(int(live.eval_y[i]) for i in order),
                       probabilities=tuple(tuple(live.probabilities[at, i].tolist()) for i in order))
    show.chart(answer_figure(data, show.colours()), data.rows(), key="answers", caption=TEXT["answers_note"].format(n=len(order), all=len(live.eval_y)),
               alt=TEXT["alt_answers"].format(ways=ways, n=len(order), confidence=live.confidence[at] * 100))


def _labels(study: studies.Study, live: Live) -> tuple[str, ...]:
    ways = live.probabilities.shape[-1]
    if study.config.task.mode in ("few_shot", "pairs") and len(live.task_name) == ways:
        return tuple(live.task_name)
    return (TEXT["no"], TEXT["yes"]) if ways == 2 else tuple(str(i + 1) for i in range(ways))


def _statistic(look: Look, at: int) -> None:
    st.subheader(TEXT["statistic"], anchor=False)
    live, data = look.live, look.statistics[at]
    show.chart(statistic_figure(data, show.colours(), top=look.top), data.rows(), key="statistic", caption=TEXT["statistic_note"].format(n=len(live.support_y)),
               alt=TEXT["alt_statistic"].format(auc=live.threshold_auc[at]))


def _pictures(look: Look) -> None:
    """Records as small pictures, where the family's records are pictures."""
    if not look.pictures:
        return
    with st.container(key="adapt_pictures"):
        for column, title, picture in zip(st.columns(2, gap="large"), (TEXT["support"], TEXT["fresh"]), look.pictures, strict=True):
            column.caption(title)
            column.image(picture, alt=title)


with frame.sentences():
    main()
