"""Each held-out client by itself, at the setting under the microscope: frontiers, and whether privacy costs all of them alike."""

from __future__ import annotations

import streamlit as st

from mrp_core.charts.client_frontiers import ClientFrontiers, client_frontiers
from mrp_core.charts.clients import ClientPoints, FairnessFrame, client_points, fairness_frame
from mrp_core.charts.clients_figure import MOST, client_frontiers_figure, fairness_figure, shown
from mrp_core.charts.frontier import setting_label
from mrp_core.measurement import METRICS, Measurement
from mrp_core.settings import UNPROTECTED, Setting
from mrp_core.wording import Texts
from pages.ui import language, promises, show, words
from pages.ui.studies import Study

TEXT = Texts({
    "unmeasured": "not resolved",
    "title": "Each {client} by itself",
    "lead": "The same {n} held-out {client}s are measured in several seeds, so each can be looked at alone: a mean over {client}s may hide one that privacy leaves behind.",
    "leakage": "Leakage", "frontiers": "Accuracy against leakage, {client} by {client}",
    "frontiers_note": "Blue: the {client} along the {kind} slider. Dotted: all held-out tasks. Diamond: {setting}, with 95 % intervals over seeds.{cut}",
    "cut": " Of {n} {client}s the {most} that are least accurate without protection are drawn; the table has all.",
    "fairness": "Accuracy across {client}s", "fairness_note": "Diamonds: {setting}, with 95 % intervals over seeds. Circles: λ = 0. Dashed: mean of all {client}s.",
    "mean": "Mean of all {client}s", "worst": "Worst {client}: {name}", "spread": "Spread across {client}s, points", "gap": "Best less worst, points",
    "spread_help": "Standard deviation of the {client}s' mean accuracies; the jackknife over seeds takes off what noise adds.",
    "gap_help": "Paired by seed. The two were picked by looking, so the interval is the one that holds for all pairs of {client}s at once.",
    "worst_help": "The {client} with the lowest mean accuracy at this setting.",
    "over": "{change} {span} vs λ = 0", "was": "{value} at λ = 0",
    "unequal": "Privacy does not cost all {client}s alike: **{name}** changes by {change} points, **{excess} points** {span} beyond the mean change of {mean}.",
    "equal": "No {client} is shown to pay more than the others: the one that loses most against the mean, {name}, changes "
             "by {change} points, {excess} {span} beyond the mean change of {mean}.",
    "reference": "λ = 0 is the unprotected model, from which the cost of privacy to each {client} is taken: choose another setting to see it.",
    "unresolved": "Whether all {client}s pay alike is not resolved: no two seeds measured every {client} at both settings. Audit at least as many held-out tasks as there are {client}s.",
    "equal_note": "Differences are paired by seed, and the intervals of all {client}s hold at once. Private training is known to cost small and unusual groups most (Bagdasaryan et al. 2019); "
                  "here every {client} adapts on equally many records, so size by itself plays no part.",
    "alt": "Small frontiers of {n} {client}s, accuracy against {leakage}, each in front of the line of all held-out tasks.",
    "alt_fair": "Accuracy of each {client} at {setting} with its interval, and at λ = 0.",
})
LEAKAGES = ("lira_auc", "mi", "lira_tpr_1pct")


def draw(study: Study, setting: Setting) -> None:
    """The section, or nothing where the study's held-out tasks aren't clients that return from seed to seed.

    Raises:
        MRPError: If the clients' names can't be found.
    """
    found = _clients(study.key, study.version, study)
    if found is None:
        return
    client = promises.TEXT["clients"][promises.client(study.config)]
    st.subheader(_say("title", client), anchor=False)
    st.markdown(_say("lead", client, n=len(found.names)))
    _fairness(_fair(study.key, study.version, language.current(), setting, found), setting, client)
    _frontiers(study, found, setting, client)


def _fairness(frame: FairnessFrame, setting: Setting, client: str) -> None:
    if not frame.clients:
        return
    st.markdown(f"**{_say('fairness', client)}**")
    worst = frame.clients[-1]
    with st.container(horizontal=True, key="client_meters"):
        for key, m, d, name in (("mean", frame.mean, frame.change, ""), ("worst", worst.accuracy, worst.change, worst.name)):
            delta = _over(d) if setting != UNPROTECTED else None
            help = f"{_say('worst_help', client) if name else ''} {words.amount('accuracy', m)}".strip()
            st.metric(_say(key, client, name=name), METRICS["accuracy"].text(m.value), delta=delta, delta_color="gray", border=True, help=help)
        was = TEXT["was"].format(value=_points(frame.base_spread)) if setting != UNPROTECTED else None
        st.metric(_say("spread", client), _points(frame.spread), delta=was, delta_color="off", delta_arrow="off", border=True, help=_say("spread_help", client))
        st.metric(TEXT["gap"], _points(frame.gap), border=True, help=_say("gap_help", client))
    st.markdown(verdict(frame, setting, client))
    show.chart(fairness_figure(frame, show.colours()), frame.rows(), key="client_fairness", alt=_say("alt_fair", client, setting=frame.label),
               caption=f"{_say('fairness_note', client, setting=frame.label)} {_say('equal_note', client)}")


def verdict(frame: FairnessFrame, setting: Setting, client: str) -> str:
    """Whether the cost of privacy is shown to differ between clients, by intervals that hold for all of them at once."""
    if setting == UNPROTECTED:
        return _say("reference", client)
    hardest = frame.hardest
    if not hardest.excess.resolved or frame.change.n < 2:
        return _say("unresolved", client)
    signed = lambda m: f"{100 * m.value:+.1f}"  # noqa: E731
    key = "unequal" if hardest.excess.high < 0 else "equal"
    return _say(key, client, name=hardest.name, change=signed(hardest.change), excess=signed(hardest.excess), span=words.span("accuracy", hardest.excess), mean=signed(frame.change))


def _frontiers(study: Study, found: ClientPoints, setting: Setting, client: str) -> None:
    st.markdown(f"**{_say('frontiers', client)}**")
    x = st.segmented_control(TEXT["leakage"], LEAKAGES, format_func=lambda m: METRICS[m].label, key="client_leakage", default=LEAKAGES[0], required=True, persist_state="session")
    kind = setting.kind if setting.kind in ("lambda", "epsilon") else "lambda"
    frame = _lines(study.key, study.version, language.current(), kind, x, found)
    cut = _say("cut", client, n=len(frame.lines), most=MOST) if len(shown(frame)) < len(frame.lines) else ""
    caption = _say("frontiers_note", client, kind="λ" if kind == "lambda" else "ε", setting=setting_label(setting), cut=cut)
    show.chart(client_frontiers_figure(frame, show.colours(), pick=setting.key), frame.rows(), key="client_frontiers", caption=caption,
               alt=_say("alt", client, n=len(shown(frame)), leakage=METRICS[x].label))


def _say(key: str, client: str, **more: object) -> str:
    return str(TEXT[key].format(client=client, **more))


def _points(m: Measurement) -> str:
    """A difference or deviation of accuracies in points with its interval."""
    if not m.resolved:
        return TEXT["unmeasured"]
    return f"{100 * m.value:.1f} [{100 * m.low:.1f}, {100 * m.high:.1f}]" if m.n > 1 else f"{100 * m.value:.1f}"


def _over(d: Measurement) -> str | None:
    return TEXT["over"].format(change=words.change("accuracy", d), span=words.span("accuracy", d)) if d.resolved else None


@st.cache_resource(show_spinner=False, max_entries=16)
def _clients(key: str, version: int, _study: Study) -> ClientPoints | None:
    return client_points(_study.points, _study.config)


@st.cache_resource(show_spinner=False, max_entries=256)
def _fair(key: str, version: int, language: str, setting: Setting, _found: ClientPoints) -> FairnessFrame:
    return fairness_frame(_found, setting)


@st.cache_resource(show_spinner=False, max_entries=64)
def _lines(key: str, version: int, language: str, kind: str, x: str, _found: ClientPoints) -> ClientFrontiers:
    return client_frontiers(_found, kind, x)
