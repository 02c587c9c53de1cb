"""``mrp app`` as a person or a service manager starts and ends it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from mrp_core import cli
from tests.serving import free_port


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=2) as reply:
            return reply.status == 200
    except (urllib.error.URLError, OSError):
        return False


def until(wanted: bool, port: int, patience: float = 60.0) -> None:
    end = time.monotonic() + patience
    while answers(port) is not wanted:
        assert time.monotonic() < end, f"The app {'did not start' if wanted else 'goes on'}."
        time.sleep(0.1)


POSIX = pytest.mark.skipif(os.name != "posix", reason="Elsewhere the app is a child process.")


@POSIX
def test_the_app_listens_to_this_host_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(program: str, line: list[str]) -> None:
        raise SystemExit(" ".join(line))

    monkeypatch.setattr(os, "execv", run)
    monkeypatch.setattr(os, "chdir", lambda _: None)
    with pytest.raises(SystemExit, match=r"pages.ui.start run .*--server.address 127.0.0.1 --server.port 8765 --server.headless true"):
        cli.main(["app", "--port", "8765", "--headless"])


@POSIX
def test_ending_the_command_ends_the_app(tmp_path: Path) -> None:
    port = free_port()
    app = subprocess.Popen([sys.executable, "-m", "mrp_core", "app", "--headless", "--port", str(port)], cwd=tmp_path, env={**os.environ, "MRP_HOME": str(tmp_path)},
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until(True, port)
    finally:
        app.terminate()
        app.wait(timeout=30)
    until(False, port)
