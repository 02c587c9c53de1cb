"""The real app, started for a test with a home folder of its own, and stopped with everything that it has started."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class AppServer:
    """``streamlit run app.py`` on a free port.

    Attributes:
        url: Address of the home page, without a slash at its end.
        home: The folder that stands in for the person's own (``MRP_HOME``).
        log: What the server has printed.
    """

    def __init__(self, home: Path, **environment: str) -> None:
        self.home, self.log, self.url = home, home / "streamlit.log", ""
        own = {"MRP_HOME": str(home), "MRP_IDLE_SECONDS": "5"}  # a supervisor of a test ends soon, should nothing else end it
        self._environment = {k: v for k, v in os.environ.items() if k != "MRP_STORE"} | own | environment
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *, patience: float = 60.0) -> AppServer:
        """Start the server and wait until it answers."""
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless", "true", "--server.port", str(port)]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, cwd=ROOT, env=self._environment, stdout=log, stderr=log)
        end = time.monotonic() + patience
        while not self.answers():
            if self._process.poll() is not None or time.monotonic() > end:
                self.stop()
                raise RuntimeError(f"The app didn't start:\n{self.log.read_text(errors='replace')[-4000:]}")
            time.sleep(0.1)
        return self

    def answers(self) -> bool:
        """Whether the server says that it is well."""
        try:
            with urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=2) as reply:
                return reply.status == 200
        except (urllib.error.URLError, OSError):
            return False

    def kill(self) -> None:
        """End the app's process alone, without warning, as a crash would; supervisor and jobs go on."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def stop(self) -> None:
        """End the app, and every supervisor and job that works in its home folder."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self.kill()
            self._process = None
        end_processes_of(self.home)


def free_port() -> int:
    """A port of this host that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def processes_of(home: Path) -> list[int]:
    """Processes whose ``MRP_HOME`` is this folder, as Linux lists them; elsewhere none are found."""
    wanted, found = f"MRP_HOME={home}".encode(), []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            environment = (entry / "environ").read_bytes().split(b"\0")
        except OSError:
            continue  # ended meanwhile, or another account's
        if wanted in environment and int(entry.name) != os.getpid():
            found.append(int(entry.name))
    return found


def end_processes_of(home: Path, *, patience: float = 10.0) -> None:
    """Ask the processes of a home folder to end, and after a while make them."""
    for sign, wait in ((signal.SIGTERM, patience), (signal.SIGKILL, patience)):
        end = time.monotonic() + wait
        for pid in processes_of(home):
            try:
                os.kill(pid, sign)
            except ProcessLookupError:
                continue
        while processes_of(home) and time.monotonic() < end:
            time.sleep(0.05)
