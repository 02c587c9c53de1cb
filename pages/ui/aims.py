"""Which leakage a study was meant to lower, and which it measurably lowered on this data: paired differences from λ = 0 at the private end of each slider."""

from __future__ import annotations

import streamlit as st

from mrp_core.charts.frontier import setting_label
from mrp_core.measurement import METRICS, Measurement
from mrp_core.registry import plugin
from mrp_core.results import Summary
from mrp_core.settings import UNPROTECTED, Setting
from mrp_core.wording import Texts, listed, say
from pages.ui import differences, show, studies, words

TEXT = Texts({
    "lambda": "**{loss}** is meant to lower {aim}. At {setting}, its far end, it",
    "epsilon": "**The noise** is meant to lower what membership attacks find. At {setting}, its far end, it",
    "lowered": "lowers {names}", "raised": "raises {names}", "none": "is not told apart from λ = 0 in {names}", "nothing": "has no paired measurement yet",
    "join": "; it ", "sentence": "{start} {told}.",
    "table": "Which leakage did it lower, in numbers?", "column": "Leakage", "far": "{setting}, paired difference from λ = 0",
})
LEAKS = tuple(name for name, m in METRICS.items() if m.axis == "leakage" and name != "epsilon")


def draw(study: studies.Study) -> None:
    """A sentence for λ and one for ε, where the study has them, and their numbers."""
    ends = [end for kind in ("lambda", "epsilon") if (end := _end(differences.summaries(study, LEAKS), kind)) is not None]
    if not ends:
        return
    st.markdown("  \n".join(sentence(study, end) for end in ends))
    with st.expander(TEXT["table"]):
        table = rows(ends)
        st.dataframe(table, hide_index=True, width="stretch", height="content", key="aims_table")
        show.download_rows(table, "leakage.csv", key="aims_csv")


def sentence(study: studies.Study, summary: Summary) -> str:
    """What a setting lowers, raises, and doesn't move, from the intervals of its paired differences."""
    loss = plugin("privacy", study.config.privacy.loss)
    start = TEXT[summary.setting.kind].format(loss=say(loss.title), aim=METRICS[loss.lowers].label, setting=setting_label(summary.setting))
    groups: dict[str, list[str]] = {"lowered": [], "raised": [], "none": []}
    for name, d in _resolved(summary).items():
        groups["none" if not words.real(d) else "lowered" if d.value < 0 else "raised"].append(METRICS[name].label)
    found = [TEXT[k].format(names=listed(v)) for k, v in groups.items() if v]
    return TEXT["sentence"].format(start=start, told=TEXT["join"].join(found) or TEXT["nothing"])


def rows(ends: list[Summary]) -> list[dict[str, str | float]]:
    """The differences in words, a row a leakage and a column a setting."""
    names = [name for name in LEAKS if any(name in _resolved(end) for end in ends)]
    return [{TEXT["column"]: METRICS[name].label,
             **{TEXT["far"].format(setting=setting_label(end.setting)): f"{words.change(name, d)} {words.span(name, d)}" if (d := _resolved(end).get(name)) is not None else "—" for end in ends}}
            for name in names]


def _resolved(summary: Summary) -> dict[str, Measurement]:
    return {name: d for name, d in summary.differences.items() if name in LEAKS and d.resolved}


def _end(found: list[Summary], kind: str) -> Summary | None:
    """The most private setting of a kind that has differences."""
    own = [s for s in found if s.setting.kind == kind and s.setting != UNPROTECTED and s.differences]
    private = (lambda s: s.value) if kind == "lambda" else _least
    return max(own, key=lambda s: private(s.setting), default=None)


def _least(setting: Setting) -> float:
    return -setting.value
