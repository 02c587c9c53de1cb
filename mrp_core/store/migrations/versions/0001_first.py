"""The first released schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make all tables."""
    _studies_and_jobs()
    _results()
    _files()
    _notes()


def _study() -> sa.Column[str]:
    return sa.Column("study", sa.String(64), sa.ForeignKey("study.id"), primary_key=True)


def _studies_and_jobs() -> None:
    op.create_table(
        "study", sa.Column("id", sa.String(64), primary_key=True), sa.Column("title", sa.String(200), nullable=False),
        sa.Column("owner", sa.String(200), nullable=False), sa.Column("note", sa.Text, nullable=False), sa.Column("config", sa.Text, nullable=False),
        sa.Column("created", sa.Float, nullable=False), sa.Column("deleted", sa.Float), sa.Column("version", sa.Integer, nullable=False),
        sa.Column("code_version", sa.String(40), nullable=False), sa.Column("origin", sa.Text, nullable=False))
    op.create_table(
        "job", _study(), sa.Column("kind", sa.String(40), nullable=False), sa.Column("state", sa.String(12), nullable=False),
        sa.Column("priority", sa.Integer, nullable=False), sa.Column("owner", sa.String(200), nullable=False), sa.Column("device", sa.String(20), nullable=False),
        sa.Column("compute", sa.Text, nullable=False), sa.Column("attempt", sa.Integer, nullable=False), sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("cancel_requested", sa.Float), sa.Column("host", sa.String(200)), sa.Column("slot", sa.String(40)), sa.Column("pid", sa.Integer),
        sa.Column("pid_start", sa.String(60)), sa.Column("lease_until", sa.Float), sa.Column("not_before", sa.Float, nullable=False),
        sa.Column("phase", sa.String(20), nullable=False), sa.Column("step", sa.Integer, nullable=False), sa.Column("total", sa.Integer, nullable=False),
        sa.Column("seconds_left", sa.Float), sa.Column("latest", sa.Text, nullable=False), sa.Column("resumed_from", sa.Integer), sa.Column("error", sa.Text),
        sa.Column("queued", sa.Float, nullable=False), sa.Column("started", sa.Float), sa.Column("finished", sa.Float), sa.Column("attempt_started", sa.Float),
        sa.Column("reported", sa.Float), sa.Column("seconds", sa.Float, nullable=False))
    op.create_index("ix_job_queue", "job", ["state", "priority", "queued"])


def _results() -> None:
    op.create_table("point", _study(), sa.Column("setting", sa.String(60), primary_key=True), sa.Column("seed", sa.Integer, primary_key=True),
                    sa.Column("attempt", sa.Integer, nullable=False), sa.Column("content", sa.Text, nullable=False))
    op.create_table("curve", _study(), sa.Column("setting", sa.String(60), primary_key=True), sa.Column("name", sa.String(80), primary_key=True),
                    sa.Column("attempt", sa.Integer, nullable=False), sa.Column("content", sa.Text, nullable=False))
    op.create_table("metric", _study(), sa.Column("phase", sa.String(20), primary_key=True), sa.Column("step", sa.Integer, primary_key=True),
                    sa.Column("attempt", sa.Integer, nullable=False), sa.Column("content", sa.Text, nullable=False))


def _files() -> None:
    op.create_table("checkpoint", _study(), sa.Column("attempt", sa.Integer, primary_key=True), sa.Column("step", sa.Integer, primary_key=True),
                    sa.Column("file", sa.Text, nullable=False), sa.Column("sha256", sa.String(64), nullable=False), sa.Column("created", sa.Float, nullable=False))
    op.create_table("artifact", _study(), sa.Column("name", sa.String(100), primary_key=True), sa.Column("attempt", sa.Integer, nullable=False),
                    sa.Column("file", sa.Text, nullable=False), sa.Column("sha256", sa.String(64), nullable=False), sa.Column("size", sa.Integer, nullable=False),
                    sa.Column("created", sa.Float, nullable=False))


def _notes() -> None:
    op.create_table("event", sa.Column("id", sa.Integer, primary_key=True, autoincrement=True), sa.Column("study", sa.String(64), sa.ForeignKey("study.id"), nullable=False),
                    sa.Column("time", sa.Float, nullable=False), sa.Column("who", sa.String(200), nullable=False), sa.Column("what", sa.Text, nullable=False))
    op.create_index("ix_event_study", "event", ["study", "id"])
    op.create_table("pin", sa.Column("study", sa.String(64), primary_key=True), sa.Column("setting", sa.String(60), primary_key=True),
                    sa.Column("label", sa.String(200), nullable=False), sa.Column("created", sa.Float, nullable=False))
