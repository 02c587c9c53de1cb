"""Tables of one's own without a browser: ``mrp data check | add | list | delete``. Each command gives its answer as text, and a problem as one sentence."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import stat
from pathlib import Path
from typing import Any

from mrp_core import tables
from mrp_core.errors import ConfigError, DataError
from mrp_core.intake.bounds import MOST_BYTES
from mrp_core.store import Store

Answer = tuple[str, str]


def data_commands(commands: Any) -> list[argparse.ArgumentParser]:
    """Add ``mrp data`` to the parser of the command; each of the parsers returned sets ``answer``, a function from options to text and problem."""
    parts = commands.add_parser("data", help="tables of your own: check, add, list, delete").add_subparsers(required=True, metavar="WHAT")
    check = parts.add_parser("check", help="look at a CSV or Parquet file: types, findings, and whether tasks can be built; nothing is kept")
    check.set_defaults(answer=_check)
    add = parts.add_parser("add", help="keep a table and what its columns are for; prints the id that a study names as table")
    add.set_defaults(answer=_add)
    for parser in (check, add):
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--label", default="", metavar="COLUMN", help="the column that is predicted", required=parser is add)
        parser.add_argument("--task", default="", metavar="COLUMN", help="the column whose values are the tasks; without it, the label's classes make them")
        parser.add_argument("--person", default="", metavar="COLUMN", help="the column that says whose row it is")
        parser.add_argument("--sensitive", default="", metavar="A,B", help="columns that an observer may want to infer; never inputs")
        parser.add_argument("--features", default="", metavar="A,B", help="the inputs, instead of all usable columns")
        parser.add_argument("--kind", action="append", default=[], metavar="COLUMN=KIND", help=f"correct a column's kind: {', '.join(tables.KINDS)}")
    add.add_argument("--title", default="", help="what to call it, instead of the file's name")
    listing = parts.add_parser("list", help="the tables that are kept")
    listing.set_defaults(answer=_list)
    delete = parts.add_parser("delete", help="delete a table for good")
    delete.add_argument("id", metavar="ID")
    delete.set_defaults(answer=_delete)
    for parser in (check, add, listing, delete):
        parser.add_argument("--json", action="store_true", help="answer as JSON")
    return [check, add, listing, delete]


def read_file(path: Path) -> bytes:
    """The bytes of a plain file, no more of them than a table may have and one.

    Raises:
        DataError: If it is a link, a folder or a device, or can't be read.
    """
    try:
        with open(os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)), "rb") as file:  # noqa: PTH123 -- only a descriptor refuses links
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise DataError(f"{str(path)!r} is no plain file; give the file itself.")
            return file.read(MOST_BYTES + 1)
    except OSError as error:
        if path.is_symlink():
            raise DataError(f"{str(path)!r} is a symbolic link; give the file that it points to.") from error
        raise DataError(f"{str(path)!r} can't be read ({error.strerror or error}); give the path of a CSV or Parquet file.") from error


def _check(options: argparse.Namespace) -> Answer:
    before = {entry.spec.table for entry in tables.listing() if entry.spec is not None}
    upload = tables.store_upload(options.file.name, read_file(options.file))
    try:
        if not options.label:
            columns = tables.guess(upload)
            text = json.dumps([dataclasses.asdict(c) for c in columns]) if options.json else _shown(_table(upload, columns))
            return text, ""
        report = tables.check(upload, _spec(upload, options))
    finally:
        if upload.table not in before:
            tables.discard(upload.table)
    return (json.dumps(dataclasses.asdict(report)) if options.json else _shown(_words(upload, report))), report.problem


def _add(options: argparse.Namespace) -> Answer:
    upload = tables.store_upload(options.file.name, read_file(options.file))
    spec = _spec(upload, options)
    report = tables.check(upload, spec)
    if report.problem:
        raise DataError(report.problem)
    id = tables.save(spec)
    if options.json:
        return json.dumps({"id": id, "task": {"family": "table", "table": id, **report.suggested}}), ""
    knobs = "\n".join(f"{k} = {json.dumps(v)}" for k, v in {"family": "table", "table": id, **report.suggested}.items())
    return f"{id}\n\nIn a study:\n\n[task]\n{knobs}", ""


def _list(options: argparse.Namespace) -> Answer:
    found = tables.listing()
    if options.json:
        return json.dumps([{"id": e.id, "title": e.spec.title if e.spec else "", "rows": e.rows, "label": e.spec.label if e.spec else "",
                            "task": e.spec.task if e.spec else "", "problem": e.problem} for e in found]), ""
    return "\n".join(f"{e.id}  {e.rows:>8,}  {_described(e)}" for e in found) or "No tables are kept; add one with mrp data add.", ""


def _delete(options: argparse.Namespace) -> Answer:
    used = [row.id for row in Store.open().studies() if row.config.task.table == options.id]
    tables.delete(options.id)
    if options.json:
        return json.dumps({"deleted": options.id, "studies": used}), ""
    return f"Deleted {options.id} for good." + (f" Studies that used it keep their results: {', '.join(used)}." if used else ""), ""


def _spec(upload: tables.Upload, options: argparse.Namespace) -> tables.TableSpec:
    kinds = {}
    for pair in options.kind:
        column, _, kind = pair.rpartition("=")
        if kind not in tables.KINDS or not column:
            raise ConfigError(f"kind is {pair!r}, but must be COLUMN=KIND with one of: {', '.join(tables.KINDS)}.")
        kinds[column] = kind
    spec = tables.proposed(upload, options.label, task=options.task, person=options.person, sensitive=_names(options.sensitive), kinds=kinds, features=_names(options.features))
    return dataclasses.replace(spec, title=getattr(options, "title", "") or spec.title)


def _names(text: str) -> tuple[str, ...]:
    return tuple(filter(None, (name.strip() for name in text.split(","))))


def _table(upload: tables.Upload, columns: tuple[tables.Column, ...]) -> list[str]:
    wide = max(len(c.name) for c in columns)
    return [f"{upload.rows:,} rows, {len(columns)} columns. {upload.how}", "", f"{'column':{wide}}  {'kind':10}  missing  distinct  examples",
            *(f"{c.name:{wide}}  {c.kind:10}  {c.missing:7.1%}  {c.distinct:8,}  {', '.join(repr(e) for e in c.examples)}" for c in columns)]


def _words(upload: tables.Upload, report: tables.Report) -> list[str]:
    lines = [*_table(upload, report.columns), "", *(f"{f.level}: {f.sentence}" for f in report.findings)]
    if not report.problem:
        lines += ["", *(f"{name}: {text}" for name, text in report.facts), "", "Fits a study with: " + ", ".join(f"{k} {v}" for k, v in report.suggested.items())]
    return lines


def _shown(lines: list[str]) -> str:
    """Lines for a terminal, which would take control characters of a cell for commands."""
    return "\n".join("".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in line) for line in lines)


def _described(entry: tables.Entry) -> str:
    if entry.spec is None or entry.problem:
        return entry.problem
    return f"{entry.spec.title}: {entry.spec.label}" + (f" by {entry.spec.task}" if entry.spec.task else ", its classes as tasks")
