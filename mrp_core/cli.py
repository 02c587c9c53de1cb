"""The same work without a browser: ``mrp run | app | worker | export | examine | report | studies | data``. Bad input ends with exit code 2 and one sentence."""

from __future__ import annotations

import argparse
import json
import logging
import math
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from io import TextIOWrapper
from pathlib import Path
from typing import Any, NoReturn

from mrp_core.cli_data import data_commands
from mrp_core.cli_report import report_command
from mrp_core.config import ComputeOptions, StudyConfig
from mrp_core.errors import ConfigError, DataError, JobInterrupted, MRPError, StoreError
from mrp_core.examination import Examination, ExaminationOptions
from mrp_core.exporting import check_place, write_study, write_text
from mrp_core.jobs import open_log
from mrp_core.jobs.settings import JobTimes, host_name
from mrp_core.jobs.stored import STOPPED
from mrp_core.jobs.supervisor import supervise, take_back
from mrp_core.measurement import METRICS
from mrp_core.results import StudyState, summarise
from mrp_core.settings import Setting
from mrp_core.store import Store
from mrp_core.store.queue import Queue
from mrp_core.studyfile import StudyFile, samples

ROOT = Path(__file__).resolve().parent.parent
SHOWN = ("accuracy", "mi", "lira_auc")
BAD_INPUT = 2
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry of the ``mrp`` command; returns its exit code."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.work(options))
    except MRPError as error:
        print(json.dumps({"error": str(error)}) if getattr(options, "json", False) else str(error), file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # whoever read the output has had enough of it
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 -- closed by the interpreter, which would stumble over the pipe
        return 0


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(BAD_INPUT, f"{message[:1].upper()}{message[1:]}; see {self.prog} --help.\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="mrp", description="The privacy/utility explorer without a browser.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    run = commands.add_parser("run", help="train and audit the study of a TOML file, here and now; again to go on after an interruption")
    run.add_argument("study", type=Path, metavar="STUDY", help="a TOML file, or a study file (JSON) to compute anew")
    run.add_argument("--out", type=Path, metavar="FILE", help="also write the finished study to this JSON file, and its strategy beside it")
    run.add_argument("--device", default="cpu", help="cpu or cuda")
    run.add_argument("--precision", default="float32", help="float32 or float64")
    run.add_argument("--json", action="store_true", help="print the result as JSON")
    run.set_defaults(work=_run)
    app = commands.add_parser("app", help="open the app in the browser")
    app.add_argument("--port", type=int, default=8501)
    app.add_argument("--headless", action="store_true", help="don't open a browser")
    app.set_defaults(work=_app)
    worker = commands.add_parser("worker", help="work on queued studies until stopped")
    worker.set_defaults(work=_worker)
    export = commands.add_parser("export", help="write a study, by its id or a sample's name, as JSON with its strategy beside it")
    export.add_argument("study", metavar="ID")
    export.add_argument("--out", type=Path, metavar="FILE", help="instead of standard output")
    export.add_argument("--json", action="store_true", help="report errors as JSON")
    export.set_defaults(work=_export)
    examine = commands.add_parser("examine", help="look closely at settings of a trained study: every attack, who is exposed, bounds on epsilon")
    examine.add_argument("study", metavar="ID", help="a study's id, or a sample's name")
    examine.add_argument("settings", nargs="+", metavar="SETTING", help="for example lambda=0.4 or epsilon=3")
    examine.add_argument("--adaptations", type=int, default=ExaminationOptions().adaptations, metavar="N", help="shadow adaptations of each task")
    examine.add_argument("--out", type=Path, metavar="FOLDER", help="write each examination here, as ID.SETTING.json")
    examine.add_argument("--json", action="store_true", help="print the examinations as JSON")
    examine.set_defaults(work=_examine)
    studies = commands.add_parser("studies", help="list the studies of the store and the samples")
    studies.add_argument("--json", action="store_true")
    studies.set_defaults(work=_studies)
    for answered in (*data_commands(commands), report_command(commands)):
        answered.set_defaults(work=_answered)
    return parser


def _run(options: argparse.Namespace) -> int:
    config = StudyFile.read(options.study).config if options.study.suffix == ".json" else StudyConfig.from_file(options.study)
    compute = ComputeOptions(device=options.device, precision=options.precision)
    if options.out:
        check_place(options.out)
    store, times = Store.open(), JobTimes.from_environment()
    take_back(Queue(store.database), host_name(), times)  # an earlier run of this command may have been killed
    store.submit(config, compute, hold=times.lease)
    progress = store.progress(config.id)
    if progress is not None and progress.state is StudyState.RUNNING:
        raise StoreError(f"The study {config.id} is running already; follow it in the app, or cancel it there first.")
    if progress is not None and progress.state is StudyState.QUEUED:
        state = _work(store, config, times)
        if state is not StudyState.DONE:
            return _stopped(store, config, state, options.study)
    file = store.study_file(config.id)
    if options.out:
        write_study(file, options.out)
    print(json.dumps(_outcome(file)) if options.json else _words(file))
    return 0


def _work(store: Store, config: StudyConfig, times: JobTimes) -> StudyState | None:
    from mrp_core.jobs.process import run_claim  # here: the other commands don't need it

    claim = Queue(store.database).claim(host_name(), "foreground", lease=times.lease, devices=("cpu", "cuda"), study=config.id)
    if claim is None:
        raise StoreError(f"The study {config.id} was taken by another process just now; follow it in the app.")
    watch = _Watch(store, config.id)
    with open_log(store.home, config.id) as log:
        handler = logging.StreamHandler(TextIOWrapper(log, encoding="utf-8"))  # a terminal shows sentences; the details are for the log
        logging.getLogger("mrp").addHandler(handler)
        watch.start()
        try:
            return run_claim(store, claim, times)
        finally:
            watch.stop()
            logging.getLogger("mrp").removeHandler(handler)
            handler.flush()


def _stopped(store: Store, config: StudyConfig, state: StudyState | None, path: Path) -> int:
    """What the command says and returns when the study isn't finished.

    Raises:
        JobInterrupted: With the sentence of a failure.
    """
    progress = store.progress(config.id)
    if state is None:
        raise JobInterrupted(f"The study {config.id} was taken over by another process; follow it in the app.")
    if state is StudyState.QUEUED:
        store.cancel(config.id)  # or a supervisor would go on with what was just stopped
    if progress is not None and progress.error and progress.error != STOPPED:
        raise JobInterrupted(progress.error)
    print(f"Stopped with a checkpoint; to go on from there, run again: mrp run {path}", file=sys.stderr)
    return INTERRUPTED


def _app(options: argparse.Namespace) -> int:
    if not 1 <= options.port <= 65535:
        raise ConfigError(f"port is {options.port}, but must lie between 1 and 65535.")
    if not (ROOT / "app.py").exists():
        raise ConfigError(f"There is no app.py beside the package in {str(ROOT)!r}; run the command from an installation made in the project's folder.")
    command = [sys.executable, "-m", "pages.ui.start", "run", str(ROOT / "app.py"), "--server.address", "127.0.0.1", "--server.port", str(options.port)]
    command += ["--server.headless", "true"] if options.headless else []
    if os.name == "posix":  # in this process's place, so that whoever ends the command ends the app
        os.chdir(ROOT)
        os.execv(sys.executable, command)
    try:
        return subprocess.call(command, cwd=ROOT)
    except KeyboardInterrupt:
        return 0


def _worker(options: argparse.Namespace) -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    del options
    if not supervise():
        print("Another worker serves this host already; it takes the queued studies.", file=sys.stderr)
    return 0


def _export(options: argparse.Namespace) -> int:
    found = samples()
    file = StudyFile.read(found[options.study]) if options.study in found else Store.open().study_file(options.study)
    if options.out:
        write_study(file, options.out)
    else:
        print(file.to_json())
    return 0


def _examine(options: argparse.Namespace) -> int:
    settings, how = [Setting.from_key(s) for s in options.settings], ExaminationOptions(adaptations=options.adaptations)
    found = samples()
    file = StudyFile.read(found[options.study]) if options.study in found else Store.open().study_file(options.study)
    if file.strategy is None:
        raise ConfigError(f"The study {options.study!r} has no trained strategy at hand; train it to the end first.")
    from mrp_core.examiner import examine  # here: the other commands don't need the engine
    from mrp_core.strategy import Strategy

    strategy, made = Strategy.load(file.strategy), []
    for setting in settings:
        print(f"examining {setting.key}", file=sys.stderr)
        made.append(examine(strategy, setting, how))
        if options.out:
            write_text(options.out / f"{options.study}.{setting.key}.json", made[-1].to_json())
    print("[" + ",".join(e.to_json() for e in made) + "]" if options.json else "\n".join(_examined(e) for e in made))
    return 0


def _examined(e: Examination) -> str:
    auc, tpr = e.headline.means["auc"], e.headline.means["tpr_1pct"]
    return (f"{e.setting.key}: {e.headline.title}: AUC {auc.value:.3f} [{auc.low:.3f}, {auc.high:.3f}], TPR at 1 % FPR "
            f"{f'{tpr.value:.1%} [{tpr.low:.1%}, {tpr.high:.1%}]' if tpr.resolved else tpr.note}. {e.epsilon.how}")


def _studies(options: argparse.Namespace) -> int:
    rows: list[dict[str, Any]] = [{"id": name, "title": StudyFile.read(path).config.title, "state": "sample"} for name, path in samples().items()]
    rows += [{"id": row.id, "title": row.title, "state": str(row.state)} for row in Store.open().studies()]
    print(json.dumps(rows) if options.json else "\n".join(f"{r['id']:18} {r['state']:10} {r['title']}" for r in rows))
    return 0


def _answered(options: argparse.Namespace) -> int:
    text, problem = options.answer(options)
    print(text)
    if problem:
        raise DataError(problem)
    return 0


def _outcome(file: StudyFile) -> Mapping[str, Any]:
    summaries = summarise(list(file.points))
    return {"id": file.config.id, "title": file.config.title, "origin": file.origin,
            "settings": [{"setting": s.setting.key, **{name: _plain(asdict(m)) for name, m in s.means.items()}} for s in summaries]}


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """JSON has no NaN: what is not resolved is null."""
    return {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in values.items()}


def _words(file: StudyFile) -> str:
    columns = [name for name in SHOWN if any(name in p.values for p in file.points)]
    lines = [f"{file.config.title} ({file.config.id})", f"{'setting':22}" + "".join(f"{METRICS[name].label[:22]:>24}" for name in columns)]
    for s in summarise(list(file.points)):
        texts = (METRICS[name].text(s.means[name].value) if name in s.means else "not measured" for name in columns)
        lines.append(f"{s.setting.key:22}" + "".join(f"{text:>24}" for text in texts))
    return "\n".join(lines)


class _Watch:
    """Prints how far a study is, with the time left, from what it stores; on a terminal in one line."""

    def __init__(self, store: Store, study: str) -> None:
        self._store, self._study = store, study
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._done.set()
        self._thread.join(timeout=5)
        if sys.stderr.isatty():
            print(file=sys.stderr)

    def _follow(self) -> None:
        last, terminal = "", sys.stderr.isatty()
        while not self._done.wait(0.5 if terminal else 5.0):
            try:
                progress = self._store.progress(self._study)
            except StoreError:
                continue
            if progress is None or not progress.total:
                continue
            left = "" if progress.seconds_left is None else f", about {progress.seconds_left:.0f} s left"
            text = f"{progress.phase} {progress.step} of {progress.total}{left}"
            if text != last:
                print(f"\r{text:60}" if terminal else f"{time.strftime('%H:%M:%S')} {text}", end="" if terminal else "\n", file=sys.stderr, flush=True)
            last = text


if __name__ == "__main__":
    sys.exit(main())
