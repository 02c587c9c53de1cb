"""A report in one HTML file: charts that can be read and hovered without a network, numbers with intervals, and what they don't say."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from mrp_core import __version__
from mrp_core.charts.embedding import plain, plotly_js
from mrp_core.charts.frontier import FrontierFrame, frontier_frame, setting_label
from mrp_core.charts.frontier_figure import frontier_figure
from mrp_core.charts.palette import DARK, LIGHT, Figure, Palette
from mrp_core.charts.roc import roc_figure, roc_frame
from mrp_core.measurement import METRICS
from mrp_core.reports import facts, numbers
from mrp_core.reports.reproduction import published
from mrp_core.reports.source import Source
from mrp_core.reports.texts import TEXT
from mrp_core.results import Point, StudyState, summarise
from mrp_core.settings import UNPROTECTED, Setting

ATTACK = "lira"
_WIDE, _NARROW, _HEIGHT = 760, 350, 430
_PAPER = (680, 310)
"""In pixels: an A4 page is as wide between its margins."""


def report_html(source: Source, setting: Setting, *, axis: str = "mi") -> str:
    """The report of one setting of a study.

    Args:
        source: The study, finished or not.
        setting: A setting that has points.
        axis: Leakage on the frontier chart.

    Raises:
        DataError: If there is no point of the setting.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined  # here: pages that only offer a report needn't load it
    from markupsafe import Markup

    environment = Environment(loader=PackageLoader("mrp_core", "reports"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    library, boot = plotly_js(), environment.get_template("report.js").render()
    content = _content(source, setting, axis)
    policy = " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()}'" for code in (library, boot))
    return environment.get_template("report.html.j2").render(t=TEXT, colours={"light": dataclasses.asdict(LIGHT), "dark": dataclasses.asdict(DARK)}, policy=Markup(policy),
                                                             library=Markup(library), boot=Markup(boot), **content)


def _content(source: Source, setting: Setting, axis: str) -> dict[str, Any]:
    """All that the template shows."""
    config, file = source.file.config, source.file
    summaries = summarise(_only(file.points, {*numbers.SHOWN, axis}), together=True)
    chosen = next(s for s in summaries if s.setting == setting)
    unprotected = next((s for s in summaries if s.setting == UNPROTECTED), None)
    axis = axis if axis in chosen.means and chosen.means[axis].resolved else "mi"
    frame = frontier_frame(summaries, config, x=axis)
    label = setting_label(setting, chosen.about)
    charts, roc_note = _charts(source, setting, frame, axis)
    columns = ("accuracy", axis, *(m for m in ("lira_auc",) if m != axis))
    front = numbers.front(frame, summaries, columns, setting.key)
    return {
        "title": config.title, "setting": label, "simulated": config.simulated, "note": source.note.strip(), "unfinished": unfinished(source),
        "made": TEXT["made"].format(date=datetime.now(UTC).strftime("%Y-%m-%d"), version=__version__, id=source.key), "charts": charts, "roc_note": roc_note,
        "point": numbers.point_words(chosen, config), "guarantee": numbers.guarantee_words(chosen, config), "rows": numbers.differences(chosen, unprotected),
        "differences_note": TEXT["differences_note"].format(n=len(summaries)),
        "front": front, "front_columns": [METRICS[m].label for m in columns],
        "front_note": TEXT["front_note"].format(leakage=METRICS[axis].label, shown=len(front), all=sum(m.status == "front" for m in frame.marks)), "limits": _limits(source),
        "measured": facts.measured_told(source), "data": facts.data_told(config), "provenance": facts.provenance(config), "parts": facts.settings_told(config),
        "toml": config.to_toml(), "own_table": config.task.family == "table",
        "reproduce": TEXT["reproduce"].format(setting=label, command=f"mrp report {source.key} --point {setting.key} --reproduce"),
        "expected": [(METRICS[name].label, numbers.amount(name, m)) for name, m in published(source, setting).items()],
    }


def unfinished(source: Source) -> str:
    """One sentence on a study that isn't finished; empty for one that is."""
    return "" if source.state is StudyState.DONE else str(TEXT["unfinished"][source.state.value].format(done=source.measured, total=source.planned))


def _only(points: Sequence[Point], metrics: set[str]) -> list[Point]:
    return [dataclasses.replace(p, values={m: v for m, v in p.values.items() if m in metrics}) for p in points]


def _limits(source: Source) -> list[str]:
    config = source.file.config
    few = [] if config.outer.seeds >= 5 else [TEXT["one_seed"] if config.outer.seeds == 1 else TEXT["few_seeds"].format(seeds=config.outer.seeds)]
    made_up = [TEXT["simulated_help"]] if config.simulated else []
    return [text.format(channel=facts.channel(config)) for text in TEXT["limits"]] + few + made_up


def _charts(source: Source, setting: Setting, frame: FrontierFrame, axis: str) -> tuple[dict[str, Any], str]:
    """Charts by name, each with what a person who can't see it should know; and what to say of the ROC."""
    config, curves = source.file.config, source.file.curves
    mark = next((m for m in frame.marks if m.key == setting.key), None)
    alt = TEXT["frontier_alt"].format(leakage=METRICS[axis].label, n=len(frame.marks), x=mark.x if mark else math.nan, y=mark.y if mark else math.nan)
    out = {"frontier": {"alt": alt, **_variants(lambda colours, width, height: frontier_figure(frame, colours, pick=setting.key, width=width, height=height))}}
    curve = next((c for c in curves if c.setting == setting and c.name == f"roc:{ATTACK}"), None)
    if curve is None:
        return out, str(TEXT["no_roc"].format(setting=setting_label(setting)))
    trials = config.audit.adaptations * config.task.ways * config.task.shots  # non-members of one task: each adaptation leaves out half of a pool of 2 x shots a class
    roc = roc_frame(curves, setting, attack=ATTACK, delta=config.privacy.delta, floor=1.0 / trials)
    out["roc"] = {"alt": TEXT["roc_alt"].format(setting=setting_label(setting)), **_variants(lambda colours, width, height: roc_figure(roc, colours, height=height))}
    bound = TEXT["roc_bound"].format(setting=setting_label(setting)) if roc.limit else ""
    return out, f"{TEXT['roc_note'].format(note=curve.note[:1].upper() + curve.note[1:])} {bound}".strip()


def _variants(draw: Callable[[Palette, int, int], Figure]) -> dict[str, Any]:
    """A chart for light and dark, wide and narrow, and for paper."""
    made = {f"{theme}_{name}": draw(colours, width, _HEIGHT) for theme, colours in (("light", LIGHT), ("dark", DARK)) for name, width in (("wide", _WIDE), ("narrow", _NARROW))}
    return {"figures": {name: plain(fig) for name, fig in (made | {"paper": draw(LIGHT, *_PAPER)}).items()}}
