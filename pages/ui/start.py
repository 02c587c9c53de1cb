"""Starts Streamlit, and loads what the first page needs while the browser still loads the page: ``python -m pages.ui.start run app.py ...`` in the project's folder."""

from __future__ import annotations

import contextlib
import importlib
import socket
import sys
import threading
import time

NEEDED = ("pandas", "scipy.special", "scipy.stats", "plotly.graph_objects", "moocore", "mrp_core.charts.frontier_figure", "mrp_core.store", "mrp_core.config", "pages.ui.fronts", "pages.ui.frame")
"""Modules without effects of their own; a page's own module isn't among them, since importing one draws it."""
PATIENCE = 30.0
"""Seconds."""


def load(port: int) -> None:
    """Wait until the server listens, so as not to hold it up, then import :data:`NEEDED` and the task families."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1.0):
            break
        time.sleep(0.05)
    for name in NEEDED:
        importlib.import_module(name)
    importlib.import_module("mrp_core.registry").plugins("tasks")


def main() -> None:
    """Hand over to Streamlit's command line."""
    arguments = sys.argv[1:]
    if "--server.port" in arguments:
        port = int(arguments[arguments.index("--server.port") + 1])
        threading.Thread(target=load, args=(port,), name="load", daemon=True).start()
    from streamlit.web.cli import main as streamlit

    streamlit()


if __name__ == "__main__":
    main()
