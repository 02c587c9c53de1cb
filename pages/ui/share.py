"""What goes out with the study at hand, in one place: report, study, points, settings, and what reproduces its point."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from mrp_core.charts.frontier import setting_label
from mrp_core.results import StudyState
from mrp_core.settings import Setting
from mrp_core.wording import Texts
from pages.ui import frame, later, session, show, simulated, slide, studies

if TYPE_CHECKING:
    from mrp_core.reports import Source

TEXT = Texts({
    "open": "Report and files", "lead": "Of **{title}**, about **{setting}**. A point that you choose on Explore changes what report and script are about.",
    "nothing": "The study **{title}** has no finished point yet: a report can be made from the first one on.",
    "report": "Report (HTML)", "report_help": "One file with interactive charts, numbers, limits and settings; it works offline and prints to PDF.",
    "reproduce": "Reproduce: script and settings (ZIP)", "reproduce_help": "A script that trains from the settings, measures this point anew, and says whether it agrees.",
    "json": "Study (JSON)", "csv": "Points (CSV)", "toml": "Settings (TOML)", "columns": {"setting": "setting", "seed": "seed", "metric": "metric", "task": "task", "value": "value"},
})


def draw(study: studies.Study, setting: Setting | None = None) -> None:
    """The button and what lies behind it; files are made when they are asked for.

    Args:
        study: Which study goes out.
        setting: What report and script are about; without it the point in the URL, or else the one that the pages begin with.
    """
    with st.popover(TEXT["open"], icon=":material/ios_share:", key="share_files", type="tertiary"):
        setting = setting or _setting(study)
        if setting is None:
            st.markdown(TEXT["nothing"].format(title=frame.escaped(study.title)))
        else:
            st.markdown(TEXT["lead"].format(title=frame.escaped(study.title), setting=frame.escaped(setting_label(setting))))
            _about_point(study, setting)
        show.download(TEXT["json"], study.file.to_json, f"{study.key}.json", key="share_json", mime="application/json")
        if setting is not None:
            show.download(TEXT["csv"], lambda: points_csv(study), f"{study.key}.csv", key="share_csv")
        show.download(TEXT["toml"], study.config.to_toml, f"{study.key}.toml", key="share_toml", mime="application/toml")


def draw_current() -> None:
    """The same for the study that all pages show, if there is one."""
    if (study := studies.current()) is not None:
        draw(study)


def _about_point(study: studies.Study, setting: Setting) -> None:
    """Report and script; a study that isn't finished says so first."""
    if study.state is not StudyState.DONE:
        from mrp_core.reports import unfinished

        st.warning(unfinished(_source(study)))
    axis = session.value(session.AXIS, "mi")
    name = f"{study.key}.{setting.key.replace('=', '-')}"
    show.download(TEXT["report"], lambda: _report(study, setting, axis), f"{name}.html", key="share_report", help=TEXT["report_help"], mime="text/html")
    show.download(TEXT["reproduce"], lambda: _reproduction(study, setting), f"{name}.zip", key="share_reproduce", help=TEXT["reproduce_help"], mime="application/zip")
    for key in ("share_report", "share_reproduce"):
        if why := later.failed(key):
            st.error(frame.escaped(why))


def _source(study: studies.Study) -> Source:
    from mrp_core.reports import source_of  # here and below: the page is drawn before anybody asks for a report

    return source_of(study.key, None if study.sample else studies.store())


def _report(study: studies.Study, setting: Setting, axis: str) -> str:
    from mrp_core.reports import report_html

    return report_html(_source(study), setting, axis=axis)


def _reproduction(study: studies.Study, setting: Setting) -> bytes:
    from mrp_core.reports import reproduction_zip

    return reproduction_zip(_source(study), setting)


def points_csv(study: studies.Study) -> str:
    """Every measured value of a study, one a row."""
    c = TEXT["columns"]
    rows = [{c["setting"]: p.setting.key, c["seed"]: p.seed, c["metric"]: m, c["task"]: p.tasks[i] if p.tasks else i, c["value"]: v}
            for p in study.points for m, values in p.values.items() for i, v in enumerate(values)]
    return show.csv_text(simulated.marked(rows, study.config.simulated))


def _setting(study: studies.Study) -> Setting | None:
    """The point in the URL if the study has it, else the one that the pages begin with; None without any."""
    return (slide.asked(study.settings) or slide.middle(study.settings)) if study.points else None
