"""What goes out with a study, without a browser: ``mrp report``."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from mrp_core.errors import ConfigError, StoreError
from mrp_core.home import write_whole
from mrp_core.reports import chosen_setting, report_html, reproduction_zip, source_of

Answer = tuple[str, str]


def report_command(commands: Any) -> argparse.ArgumentParser:
    """Add ``mrp report`` to the parser of the command; it sets ``answer``, a function from options to text and problem."""
    parser = commands.add_parser("report", help="write a report of a study, by its id or a sample's name, as one HTML file; or what reproduces its point")
    parser.add_argument("study", metavar="STUDY", help="a study's id, or a sample's name")
    parser.add_argument("--point", default="", metavar="KEY", help="the setting it is about, for example lambda=0.4; without it, the middle of the λ grid")
    parser.add_argument("--out", type=Path, metavar="FILE", help="instead of STUDY.report.html (or STUDY.reproduce.zip) in this folder")
    parser.add_argument("--reproduce", action="store_true", help="write a script and the settings that measure the point anew, as a zip file, instead of a report")
    parser.add_argument("--json", action="store_true", help="answer as JSON")
    parser.set_defaults(answer=_report)
    return parser


def _report(options: argparse.Namespace) -> Answer:
    source = source_of(options.study)
    setting = chosen_setting(source, options.point)
    path = options.out or Path(f"{source.key}.{'reproduce.zip' if options.reproduce else 'report.html'}")
    if path.is_dir():
        raise ConfigError(f"out is {str(path)!r}, which is a folder; give the name of a file.")
    data = reproduction_zip(source, setting) if options.reproduce else report_html(source, setting).encode()
    try:
        write_whole(path, data)
    except OSError as error:
        raise StoreError(f"{str(path)!r} can't be written ({error.strerror or error}); choose another place or free some space.") from error
    return json.dumps({"file": str(path), "setting": setting.key, "bytes": len(data)}) if options.json else str(path), ""
