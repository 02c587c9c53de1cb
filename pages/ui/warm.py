"""The engine, warmed beside the page: its import takes seconds, in which the page must be there and answer."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

import streamlit as st

from mrp_core.errors import CheckpointError
from pages.ui import studies

if TYPE_CHECKING:
    from mrp_core.strategy import Strategy

PATIENCE, POLL_SECONDS = 0.25, 0.3
_WORKER = ThreadPoolExecutor(1, thread_name_prefix="warm")


def strategy(study: studies.Study) -> Strategy | None:
    """The trained strategy of a study once the engine is warm; until then None, and it is warmed.

    Raises:
        CheckpointError: If the strategy's file is damaged.
    """
    try:
        return _loading(*_wanted(study)).result(timeout=PATIENCE)
    except TimeoutError:
        return None
    except CheckpointError:
        _loading.clear(*_wanted(study))
        raise


def follow(study: studies.Study) -> None:
    """Draw the page anew as soon as what :func:`strategy` began is finished; until then the page is free for anything else."""
    st.fragment(_again, run_every=POLL_SECONDS, key="warming")(*_wanted(study))


def _wanted(study: studies.Study) -> tuple[str, int, str]:
    return study.key, study.version, str(study.strategy)


def _again(key: str, version: int, path: str) -> None:
    if _loading(key, version, path).done():
        st.rerun()


@st.cache_resource(show_spinner=False, max_entries=4)
def _loading(key: str, version: int, path: str) -> Future[Strategy]:
    return _WORKER.submit(_load, path)


def _load(path: str) -> Strategy:
    from mrp_core.engine import live
    from mrp_core.strategy import Strategy

    made = Strategy.load(path)
    live(made, seed=made.config.seeds[0], task=0, draw=0)  # the first batch of a process also sets up the libraries; its time would say nothing
    return made
