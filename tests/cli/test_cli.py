"""The same work without a browser: results for people and for scripts, one sentence for bad input, and Ctrl-C that loses nothing."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mrp_core import cli
from mrp_core.config import StudyConfig
from mrp_core.examination import Examination
from mrp_core.results import StudyState
from mrp_core.store import Store
from mrp_core.studyfile import StudyFile, samples
from tests.faults.bodies import STEPS

ROOT = Path(__file__).resolve().parents[2]
CONFIG = StudyConfig(title="From the command line")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a store of its own, a study to run, and a small body instead of the engine."""
    monkeypatch.setenv("MRP_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("MRP_BODIES", "study=tests.faults.bodies:walk")
    monkeypatch.setenv("MRP_HEARTBEAT_SECONDS", "0.3")
    (tmp_path / "home").mkdir()
    (tmp_path / "study.toml").write_text(CONFIG.to_toml(), encoding="utf-8")
    return tmp_path


def command(*arguments: str | Path) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-m", "mrp_core", *map(str, arguments)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def progressed(place: Path, steps: int) -> Callable[[], bool]:
    store = Store.open()

    def reached() -> bool:
        progress = store.progress(CONFIG.id)
        return progress is not None and progress.step >= steps

    return reached


def wait(until: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < end
        time.sleep(0.02)


def state() -> StudyState:
    store = Store.open()
    progress = store.progress(CONFIG.id)
    store.close()
    assert progress is not None
    return progress.state


def test_a_run_ends_in_files_that_can_be_read_and_the_store_has_it(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = place / "result.json"
    assert cli.main(["run", str(place / "study.toml"), "--out", str(out), "--json"]) == 0
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert answer["id"] == CONFIG.id and len(answer["settings"]) == 3
    assert answer["settings"][0]["accuracy"]["low"] is None, "JSON has no NaN"
    assert answer["origin"]["attempts"] == 1
    file = StudyFile.read(out)
    assert (file.config, len(file.points)) == (CONFIG, 3)
    assert StudyConfig.from_file(place / "result.toml") == CONFIG
    assert state() is StudyState.DONE
    assert cli.main(["run", str(place / "study.toml")]) == 0, "a finished study is shown, not run again"
    words = capsys.readouterr().out
    assert CONFIG.title in words and "lambda=10" in words
    assert cli.main(["run", str(out)]) == 0, "a study file can be run, too"


def test_the_configuration_that_was_run_is_not_written_over(place: Path) -> None:
    text = "# my own words\n" + CONFIG.to_toml()
    (place / "study.toml").write_text(text, encoding="utf-8")
    assert cli.main(["run", str(place / "study.toml"), "--out", str(place / "study.json")]) == 0
    assert (place / "study.toml").read_text(encoding="utf-8") == text


@pytest.mark.parametrize(("content", "said"), [
    ("title = ", "not valid TOML"),
    ("[inner]\nrate = nan", "rate is nan"),
    ("[inner]\nsteps = 99", "steps is 99"),
    ("[privacy]\nloss = 'magic'", "'magic'"),
    ("[task]\nfamily = 'nothing'", "'nothing'"),
    ("version = 0", "version 0"),
    ("[inner]\nwrong = 1", "inner.wrong"),
    (None, "can't be read"),
])
def test_bad_input_is_one_sentence_and_exit_code_2(place: Path, capsys: pytest.CaptureFixture[str], content: str | None, said: str) -> None:
    path = place / "bad.toml"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    assert cli.main(["run", str(path)]) == 2
    output = capsys.readouterr()
    assert said in output.err and output.err.count("\n") == 1 and output.out == ""
    assert cli.main(["run", str(path), "--json"]) == 2
    assert said in json.loads(capsys.readouterr().err)["error"]
    assert not (place / "home" / "studies.db").exists(), "nothing was stored"


@pytest.mark.parametrize(("arguments", "said"), [
    (["run", "STUDY", "--device", "abacus"], "device is 'abacus'"),
    (["run", "STUDY", "--precision", "float8"], "precision is 'float8'"),
    (["run", "STUDY", "--out", "STUDY"], "must be a file whose name ends in .json"),
    (["export", "nothing"], "no study 'nothing'"),
    (["app", "--port", "0"], "port is 0"),
])
def test_bad_arguments_are_one_sentence_and_exit_code_2(place: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str) -> None:
    assert cli.main([str(place / "study.toml") if a == "STUDY" else a for a in arguments]) == 2
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["run"], ["app", "--port", "many"]])
def test_a_command_that_is_not_understood_is_one_sentence(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)
    error = capsys.readouterr().err
    assert caught.value.code == 2 and error.count("\n") == 1 and "--help" in error


def test_a_body_that_fails_is_one_sentence(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MRP_BODIES", "study=tests.faults.bodies:wrong")
    process = command("run", place / "study.toml")
    _, error = process.communicate(timeout=60)
    assert process.returncode == 2
    sentences = [line for line in error.splitlines() if not re.match(r"[0-9:]{8} train", line)]
    assert sentences == ["rate is 7, but must lie between 0 and 1."]
    assert "Traceback" in (place / "home" / "logs" / f"{CONFIG.id}.log").read_text(encoding="utf-8")
    assert state() is StudyState.FAILED


def test_a_damaged_store_is_one_sentence(place: Path) -> None:
    (place / "home" / "studies.db").write_bytes(b"no database" * 1000)
    process = command("studies")
    output, error = process.communicate(timeout=60)
    assert (process.returncode, output) == (2, "") and error.count("\n") == 1 and "damaged" in error


def test_ctrl_c_takes_a_checkpoint_says_how_to_go_on_and_running_again_resumes(place: Path) -> None:
    process = command("run", place / "study.toml")
    wait(progressed(place, 7))
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 130 and "run again: mrp run" in error and "Traceback" not in error
    assert state() is StudyState.CANCELLED
    process = command("run", place / "study.toml", "--json")
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0 and json.loads(output)["origin"]["attempts"] == 2
    store = Store.open()
    progress = store.progress(CONFIG.id)
    assert progress is not None and progress.resumed_from is not None and progress.resumed_from >= 5
    assert [c.x for c in store.curves(CONFIG.id)] == [tuple(float(i + 1) for i in range(STEPS))]


def test_a_killed_run_resumes_when_run_again(place: Path) -> None:
    process = command("run", place / "study.toml")
    wait(progressed(place, 7))
    process.kill()
    process.communicate()
    assert state() is StudyState.RUNNING, "nobody has noticed yet"
    process = command("run", place / "study.toml", "--json")
    output, error = process.communicate(timeout=60)
    assert process.returncode == 0, error
    assert json.loads(output)["origin"]["attempts"] == 2


def test_a_study_that_runs_elsewhere_is_not_run_twice(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    process = command("run", place / "study.toml")
    wait(progressed(place, 1))
    assert cli.main(["run", str(place / "study.toml")]) == 2
    assert "running already" in capsys.readouterr().err
    assert process.wait(60) == 0
    process.communicate()


def test_a_worker_takes_what_waits_and_drains_on_sigterm(place: Path) -> None:
    store = Store.open()
    store.submit(CONFIG)
    process = command("worker")
    wait(progressed(place, 7))
    process.terminate()
    process.communicate(timeout=60)
    assert (process.returncode, state()) == (0, StudyState.QUEUED)


def test_studies_and_samples_are_listed_and_exported(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = Store.open()
    store.submit(CONFIG)
    assert cli.main(["studies", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {"id": CONFIG.id, "title": CONFIG.title, "state": "queued"} in rows
    assert {r["id"] for r in rows if r["state"] == "sample"} == set(samples())
    assert cli.main(["export", CONFIG.id]) == 0
    assert StudyFile.from_json(capsys.readouterr().out).config == CONFIG
    for name, path in samples().items():
        out = place / f"copy-of-{name}.json"
        assert cli.main(["export", name, "--out", str(out)]) == 0
        assert StudyFile.read(out).points == StudyFile.read(path).points


def test_output_into_a_closed_pipe_is_no_error(place: Path) -> None:
    process = command("export", next(iter(samples())))
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    assert process.wait(60) == 0 and "Traceback" not in process.stderr.read()
    process.stderr.close()


def test_bare_python_runs_the_command() -> None:
    process = subprocess.run([sys.executable, "-m", "mrp_core", "--help"], cwd=ROOT, capture_output=True, text=True, check=False, env={**os.environ, "COLUMNS": "120"})
    assert process.returncode == 0 and "worker" in process.stdout


def test_examine_looks_closely_at_a_sample(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MRP_HOME", str(tmp_path / "home"))
    assert cli.main(["examine", "medical", "epsilon=3", "--adaptations", "8", "--out", str(tmp_path)]) == 0
    words = capsys.readouterr().out
    assert re.search(r"epsilon=3: LiRA.*: AUC 0\.\d{3} \[0\.\d{3}, 0\.\d{3}\]", words) and "no evidence of privacy" in words
    kept = Examination.from_json((tmp_path / "medical.epsilon=3.json").read_text(encoding="utf-8"))
    assert (kept.setting.key, kept.options.adaptations, kept.epsilon.upper) == ("epsilon=3", 8, 3.0)


@pytest.mark.parametrize(("arguments", "sentence"), [
    (["letters", "speed=3"], "'speed=3' is not a setting"), (["letters", "lambda=99"], "was not trained for lambda=99"), (["nothing", "lambda=0"], "no study 'nothing'"),
    (["letters", "lambda=0", "--adaptations", "3"], "adaptations is 3"),
])
def test_examine_says_what_is_wrong(arguments: list[str], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MRP_HOME", str(tmp_path / "home"))
    assert cli.main(["examine", *arguments]) == 2
    assert sentence in capsys.readouterr().err
