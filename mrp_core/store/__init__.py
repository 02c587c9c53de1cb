"""The store: studies, jobs, points, curves, events, artifacts and pins, on SQLite or PostgreSQL."""

from mrp_core.store.rows import EventRow, PinRow, Progress, StudyRow
from mrp_core.store.store import Store

__all__ = ["EventRow", "PinRow", "Progress", "Store", "StudyRow"]
