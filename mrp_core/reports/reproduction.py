"""A script that measures a point of a study anew, with the settings beside it, as one archive."""

from __future__ import annotations

import io
import json
import zipfile
from importlib.resources import files

from mrp_core.config import StudyConfig
from mrp_core.measurement import Measurement
from mrp_core.reports.facts import versions
from mrp_core.reports.source import Source
from mrp_core.reports.texts import TEXT
from mrp_core.results import summarise
from mrp_core.settings import Setting

CHECKED = ("accuracy", "mi", "lira_auc")
ROUNDING = 5e-4
_EPOCH = (1980, 1, 1, 0, 0, 0)


def reproduction_zip(source: Source, setting: Setting) -> bytes:
    """``reproduce.py`` and ``study.toml``; equal studies give equal bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in (("reproduce.py", script(source, setting)), ("study.toml", source.file.config.to_toml())):
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), text.encode(), zipfile.ZIP_DEFLATED)
    return out.getvalue()


def script(source: Source, setting: Setting) -> str:
    """The text of ``reproduce.py``: what was published is written into it, everything else is read from ``study.toml``."""
    frame = files("mrp_core.reports").joinpath("reproduce.py.txt").read_text(encoding="utf-8")
    return frame.replace("# {about}", "\n".join(f"# {line}" for line in _about(source))).replace('"{point}"', json.dumps(setting.key)).replace("{}  # published", _published(source, setting))


def published(source: Source, setting: Setting) -> dict[str, Measurement]:
    """The values that the script looks for: those that are resolved, of every metric it checks."""
    (found,) = summarise([p for p in source.file.points if p.setting == setting])
    return {name: found.means[name] for name in CHECKED if name in found.means and found.means[name].resolved}


def _published(source: Source, setting: Setting) -> str:
    """As Python: metric -> value, low, high; without an interval, or with hardly any, low and high allow for what rounding does to the value."""
    lines = []
    for name, m in published(source, setting).items():
        low, high = (m.low, m.high) if m.high - m.low >= 2 * ROUNDING else (m.value - ROUNDING, m.value + ROUNDING)
        lines.append(f"    {name!r}: ({m.value:.5g}, {low:.6g}, {high:.6g}),")
    return "{\n" + "\n".join(lines) + "\n}"


def _about(source: Source) -> list[str]:
    """Comment lines; a title is printed on one line, whatever it holds."""
    config: StudyConfig = source.file.config
    t = TEXT["script"]
    lines = [t["purpose"], t["study"].format(title=_line(f"{config.title} ({config.id})")), t["versions"].format(**versions(source)), t["run"]]
    return [_line(line) for line in (*lines, *([t["simulated"]] if config.simulated else []), *([t["table"]] if config.task.family == "table" else []))]


def _line(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)
