"""Times and slots of job processes and supervisors, each from the environment; and what is known of a process."""

from __future__ import annotations

import dataclasses
import os
import signal
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path

from mrp_core.errors import ConfigError

BODIES = {"study": "mrp_core.engine:run_study", "examination": "mrp_core.examiner:run"}
"""Body of each kind of job. MRP_BODIES adds more, as "kind=module:function" separated by commas: tests use it."""


@dataclass(frozen=True)
class JobTimes:
    """Seconds.

    Attributes:
        heartbeat: Between two renewals of a lease.
        lease: Until a job whose process isn't heard of is taken over.
        grace: Between a cancellation and the hard end of a process that doesn't stop.
        checkpoint: Least time between checkpoints.
        idle: After which a supervisor without work, started by the app, ends.
        backoff: Unit of the pause before a job that broke down is tried again; it doubles with each try.
        patience: For how long a write that must not be lost is tried again while the store is away.
    """

    heartbeat: float = 5.0
    lease: float = 30.0
    grace: float = 10.0
    checkpoint: float = 20.0
    idle: float = 900.0
    backoff: float = 1.0
    patience: float = 600.0

    @classmethod
    def from_environment(cls) -> JobTimes:
        """MRP_HEARTBEAT_SECONDS, MRP_LEASE_SECONDS and so on, where set.

        Raises:
            ConfigError: If one isn't a number that is at least 0.
        """
        return cls(**{name: _seconds(name, getattr(cls, name)) for name in (f.name for f in dataclasses.fields(cls))})


def _seconds(name: str, default: float) -> float:
    key = f"MRP_{name.upper()}_SECONDS"
    text = os.environ.get(key)
    if text is None:
        return default
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1e9:
        raise ConfigError(f"{key} is {text!r}, but must be a number of seconds that is at least 0.")
    return value


def slots_from_environment() -> tuple[str, ...]:
    """Device slots of this host: MRP_SLOTS, e.g. "cpu:0,cuda:0"; by default one on the processor, and one on each NVIDIA card.

    Raises:
        ConfigError: If a slot is of no known kind.
    """
    cards = sorted(int(p.name.removeprefix("nvidia")) for p in Path("/dev").glob("nvidia[0-9]*"))
    default = ",".join(["cpu:0", *(f"cuda:{i}" for i in cards)])
    slots = tuple(s.strip() for s in os.environ.get("MRP_SLOTS", default).split(",") if s.strip())
    wrong = [s for s in slots if s.split(":")[0] not in ("cpu", "cuda")]
    if wrong or not slots:
        raise ConfigError(f"MRP_SLOTS holds {wrong[0] if wrong else ''!r}, but a slot is cpu:N or cuda:N.")
    return slots


def host_name() -> str:
    """Name of this host in the store; MRP_HOST overrides it, so that a test can be several hosts."""
    return os.environ.get("MRP_HOST") or socket.gethostname()


def body_path(kind: str) -> str:
    """"module:function" of a kind of job.

    Raises:
        ConfigError: If there is no such kind.
    """
    extra = dict(item.split("=", 1) for item in os.environ.get("MRP_BODIES", "").split(",") if "=" in item)
    known = {**BODIES, **extra}
    if kind not in known:
        raise ConfigError(f"The job is of the kind {kind!r}, but this program knows: {', '.join(known)}; update it.")
    return known[kind]


def process_start(pid: int) -> str | None:
    """When a process started, in the system's own words; None if there is none, or it has ended and waits to be reaped."""
    if not Path("/proc/self/stat").exists():
        return subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout.strip() or None
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
    except (OSError, IndexError):
        return None
    return None if fields[0] == "Z" else fields[19]


def signal_job(pid: int | None, started: str | None, number: signal.Signals) -> None:
    """Signal a job, only if its process is still the one that was recorded: SIGKILL ends the whole group, any other goes to the process."""
    if pid is None or started is None or process_start(pid) != started:
        return
    try:
        if number is signal.SIGKILL and os.getpgid(pid) == pid:
            os.killpg(pid, number)
        else:
            os.kill(pid, number)
    except ProcessLookupError:
        return
