"""Help to choose: what matters, at most three suggestions with their reasons, what can't be had, and where all that lies on the frontier."""

from __future__ import annotations

import math
from collections.abc import Sequence

import streamlit as st

from mrp_core.charts.choice import choice_figure, choice_frame
from mrp_core.charts.frontier import CHEAP, INFORMATION, RELEASES, TRAINED, setting_label
from mrp_core.errors import StoreError
from mrp_core.judging import Limits
from mrp_core.measurement import METRICS
from mrp_core.results import Summary
from mrp_core.store import PinRow
from mrp_core.suggesting import Advice, Loosening, advise
from mrp_core.wording import Texts, listed
from pages.ui import choose_cards, choose_groups, choose_limits, differences, frame, launch, show, studies

TEXT = Texts({
    "title": "What matters to you?",
    "lead": "Say what must hold for **{title}**, or leave it at any: up to three of its {n} settings are suggested, each with its reason. They are judged by {label}. "
            "Another study is asked by choosing it in the side menu.",
    "leaks": {"lira_tpr_1pct": "the share of members that an attack finds while it accuses one non-member in a hundred (TPR at 1 % FPR; 1 % is guessing)",
              "lira_auc": "how well a membership attack does (LiRA AUC), since its TPR at 1 % FPR is not resolved here",
              "mi": "what an answer tells about its record (I(X;Ŷ)), since no membership attack is resolved here"},
    "empty": "There is no study to choose from yet: train one, it takes about a minute.",
    "waiting": "**{title}** has no measured setting yet, so there is nothing to choose from: the train page shows how far it is.",
    "running": "This study is still running: what is suggested may change until it is finished.", "follow": "Follow it", "train": "Train a study",
    "unmeasured": "No setting of this study has a resolved accuracy, so none can be suggested.",
    "none": "**No setting of this study meets all your limits.** The nearest is **{setting}**; its card says what it misses and by how much.",
    "loosen": "One looser limit would do:", "loosened": "{bound} (lets {setting} through)", "dropped": "no limit on {label} (lets {setting} through)",
    "no_loosening": "No single limit that is loosened alone would do.",
    "missing": {
        "knee": {"few": "No knee: fewer than three settings lie on the frontier that is left.", "straight": "No knee: nothing on the frontier that is left lies above the line between its ends.",
                 "flat": "No knee: the seeds don't tell the accuracy of the frontier's two ends apart, so the one that leaks less costs nothing that can be shown."},
        "cheapest": {"unlowered": "No cheapest privacy: no paired interval shows that any setting on the frontier that is left lowers {label}."},
    },
    "how": "How these are found",
    "definitions": "- **Knee**: of the settings on the frontier within your limits, the one farthest above the straight line between the frontier's two ends, "
                   "both axes scaled to run from 0 to 1 between them (Das 1999).\n- **Most accurate**: the highest mean accuracy within your limits.\n"
                   "- **Cheapest privacy**: the least accuracy lost for each unit of {label} lowered, paired against λ = 0, of the settings "
                   "on that frontier whose interval excludes that nothing is lowered.\n"
                   "- A setting is within a limit if its **mean** is; each card says whether its whole 95 % interval is. "
                   "What is best of many is partly luck, so look at the interval, not at the last digit. Leakage measures can disagree: I(X;Ŷ) stands on each card too.\n"
                   "- **Nearest**: each miss as a share of the spread between this study's settings (of ε, by factors); the setting with the least root of their summed squares.",
    "chart": "Numbered diamonds: suggested, with 95 % intervals. Filled: within all limits; hollow: not. Ringed: pinned. Tinted: what the limits on these two axes leave.",
    "alt": "Small frontier of {title}: accuracy against {label}. {n} settings, {allowed} within the limits. Suggested: {suggested}.", "alt_none": "none",
})
ROWS = ("accuracy", "accuracy_0", "f1", "mi", "mi_excess", "lira_auc", "lira_tpr_1pct", "membership_bits", "epsilon")
"""What this page reads of a setting; one list for all its parts, so that it is summarised once."""
_LEAKS = ("lira_tpr_1pct", "lira_auc", "mi")


def draw() -> None:
    """The whole part, by itself: a limit that is moved redraws nothing else."""
    if asked := st.session_state.pop(choose_cards.ASKED, None):
        launch.pin(*asked)
    st.fragment(_body, key="choose")()


def _body() -> None:
    with frame.sentences():
        if choose_cards.ASKED in st.session_state:
            st.rerun()  # the list of pins stands outside
        _whole(_pins())


def _pins() -> Sequence[PinRow]:
    try:
        return studies.store().pins()
    except StoreError:  # told below, where the pins are listed
        return ()


def _whole(pins: Sequence[PinRow]) -> None:
    """Where there is nothing to choose from, why."""
    st.subheader(TEXT["title"], anchor=False)
    study = studies.current()
    if study is None or not study.points:
        st.info(TEXT["empty"] if study is None else TEXT["waiting"].format(title=frame.escaped(study.title)), icon=":material/hourglass_empty:")
        frame.link("train", TEXT["train" if study is None else "follow"], icon=":material/play_circle:")
        return
    found = differences.summaries(study, ROWS)
    leak = next((m for m in _LEAKS if any(m in s.means and s.means[m].resolved for s in found)), _LEAKS[0])
    kinds = TRAINED + (RELEASES if leak in INFORMATION else CHEAP)
    settings = [s for s in found if s.setting.kind in kinds]
    st.markdown(TEXT["lead"].format(title=frame.escaped(study.title), n=len(settings), label=TEXT["leaks"][leak]))
    if study.state in studies.ACTIVE:
        st.warning(TEXT["running"], icon=":material/hourglass_top:")
    groups = choose_groups.measured(study)
    limits = choose_limits.draw(bool(groups))
    advice = advise(settings, limits, groups, leak)
    if not advice.judged:
        st.info(TEXT["unmeasured"], icon=":material/help:")
        return
    pinned = [p.setting_key for p in pins if p.study == study.key]
    _advice(advice, study, leak, limits, pinned)
    _chart(settings, study, advice, limits, pinned, leak)


def _advice(advice: Advice, study: studies.Study, leak: str, limits: Limits, pinned: Sequence[str]) -> None:
    if advice.suggestions:
        with st.container(key="cards"):
            columns = st.columns(len(advice.suggestions), gap="small")
            for i, (column, s) in enumerate(zip(columns, advice.suggestions, strict=True)):
                with column:
                    choose_cards.suggestion(i + 1, s, study, leak, bool(limits.active), pinned)
        missing = [TEXT["missing"][kind][why].format(label=METRICS[leak].label) for kind, why in advice.missing.items()]
        if missing:
            st.caption("  \n".join(missing))
    elif advice.nearest is not None:
        st.warning(TEXT["none"].format(setting=choose_cards.label(advice.nearest.summary)), icon=":material/block:")
        _loosenings(advice.loosenings)
        choose_cards.nearest(advice.nearest, study, leak, pinned)


def _loosenings(found: Sequence[Loosening]) -> None:
    """Buttons that loosen one limit by as little as will do."""
    if not found:
        st.caption(TEXT["no_loosening"])
        return
    with st.container(horizontal=True, vertical_alignment="center", key="loosenings"):
        st.markdown(TEXT["loosen"], width="content")
        for o in found:
            to, setting = choose_limits.outward(o.limit, o.to), frame.escaped(setting_label(o.setting))
            text = TEXT["dropped"].format(label=choose_limits.TEXT["labels"][o.limit], setting=setting) if math.isinf(to) else TEXT["loosened"].format(
                bound=choose_cards.bound(o.limit, to if o.limit == "epsilon" else to / 100), setting=setting)
            st.button(text, key=f"loosen:{o.limit}", icon=":material/tune:", on_click=choose_limits.loosen, args=(o.limit, to))


def _chart(settings: Sequence[Summary], study: studies.Study, advice: Advice, limits: Limits, pinned: Sequence[str], leak: str) -> None:
    data = choice_frame(settings, study.config, advice, limits, pinned, leak)
    names = listed(setting_label(s.judged.setting, s.judged.summary.about) for s in advice.suggestions)
    with st.container(key="choice_body"):
        left, right = st.columns([0.58, 0.42], gap="medium")
        with left:
            show.chart(choice_figure(data, show.colours()), data.rows(), key="choice", caption=TEXT["chart"],
                       alt=TEXT["alt"].format(title=study.title, label=METRICS[leak].label, n=len(data.front.marks), allowed=sum(m.key in data.allowed for m in data.front.marks),
                                              suggested=names or TEXT["alt_none"]))
        with right:
            st.markdown(f"**{TEXT['how']}**")
            st.caption(TEXT["definitions"].format(label=METRICS[leak].label))
