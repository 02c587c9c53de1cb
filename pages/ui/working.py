"""That queued work goes on, whoever stopped working meanwhile."""

from __future__ import annotations

from mrp_core.store import Store


def keep_going(store: Store) -> None:
    """See that a supervisor runs on this host.

    Raises:
        StoreError: If the store's folder can't be written.
    """
    from mrp_core.jobs import ensure_supervisor

    ensure_supervisor(store)
