"""Tables of the store. A change here needs a migration in ``migrations/versions`` and a new :data:`SCHEMA`."""

from __future__ import annotations

from sqlalchemy import Column, Float, ForeignKey, Index, Integer, MetaData, String, Table, Text

SCHEMA = "0001"
METADATA = MetaData()


def _study() -> Column[str]:
    return Column("study", String(64), ForeignKey("study.id"), primary_key=True)


STUDY = Table(
    "study", METADATA,
    Column("id", String(64), primary_key=True),
    Column("title", String(200), nullable=False),
    Column("owner", String(200), nullable=False),
    Column("note", Text, nullable=False),
    Column("config", Text, nullable=False),
    Column("created", Float, nullable=False),
    Column("deleted", Float),
    Column("version", Integer, nullable=False),
    Column("code_version", String(40), nullable=False),
    Column("origin", Text, nullable=False),
)

JOB = Table(
    "job", METADATA,
    _study(),
    Column("kind", String(40), nullable=False),
    Column("state", String(12), nullable=False),
    Column("priority", Integer, nullable=False),
    Column("owner", String(200), nullable=False),
    Column("device", String(20), nullable=False),
    Column("compute", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("cancel_requested", Float),
    Column("host", String(200)),
    Column("slot", String(40)),
    Column("pid", Integer),
    Column("pid_start", String(60)),
    Column("lease_until", Float),
    Column("not_before", Float, nullable=False),
    Column("phase", String(20), nullable=False),
    Column("step", Integer, nullable=False),
    Column("total", Integer, nullable=False),
    Column("seconds_left", Float),
    Column("latest", Text, nullable=False),
    Column("resumed_from", Integer),
    Column("error", Text),
    Column("queued", Float, nullable=False),
    Column("started", Float),
    Column("finished", Float),
    Column("attempt_started", Float),
    Column("reported", Float),
    Column("seconds", Float, nullable=False),
    Index("ix_job_queue", "state", "priority", "queued"),
)

POINT = Table(
    "point", METADATA, _study(),
    Column("setting", String(60), primary_key=True),
    Column("seed", Integer, primary_key=True),
    Column("attempt", Integer, nullable=False),
    Column("content", Text, nullable=False),
)

CURVE = Table(
    "curve", METADATA, _study(),
    Column("setting", String(60), primary_key=True),
    Column("name", String(80), primary_key=True),
    Column("attempt", Integer, nullable=False),
    Column("content", Text, nullable=False),
)

METRIC = Table(
    "metric", METADATA, _study(),
    Column("phase", String(20), primary_key=True),
    Column("step", Integer, primary_key=True),
    Column("attempt", Integer, nullable=False),
    Column("content", Text, nullable=False),
)

CHECKPOINT = Table(
    "checkpoint", METADATA, _study(),
    Column("attempt", Integer, primary_key=True),
    Column("step", Integer, primary_key=True),
    Column("file", Text, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("created", Float, nullable=False),
)

ARTIFACT = Table(
    "artifact", METADATA, _study(),
    Column("name", String(100), primary_key=True),
    Column("attempt", Integer, nullable=False),
    Column("file", Text, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("size", Integer, nullable=False),
    Column("created", Float, nullable=False),
)

EVENT = Table(
    "event", METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("study", String(64), ForeignKey("study.id"), nullable=False),
    Column("time", Float, nullable=False),
    Column("who", String(200), nullable=False),
    Column("what", Text, nullable=False),
    Index("ix_event_study", "study", "id"),
)

# No foreign key: points of shipped samples, which aren't in the store, may be pinned too.
PIN = Table(
    "pin", METADATA,
    Column("study", String(64), primary_key=True),
    Column("setting", String(60), primary_key=True),
    Column("label", String(200), nullable=False),
    Column("created", Float, nullable=False),
)
