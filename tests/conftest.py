"""What all tests share: a home folder that isn't the person's own, a browser, and the real app."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings

from tests.serving import AppServer

# Repeatable, and without time limits, which a busy machine would break.
settings.register_profile("mrp", deadline=None, derandomize=True, max_examples=60)
settings.load_profile("mrp")

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# Without a screen or a graphics card, as root, and without a look at any outside host.
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything that drives the browser is marked so, and shares one process and one app server."""
    for item in items:
        if {"page", "browser", "app_server"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.xdist_group("browser"))


@pytest.fixture(scope="session", autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test touches the studies of the person who runs it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MRP_HOME", str(tmp_path_factory.mktemp("home")))
        patch.delenv("MRP_STORE", raising=False)
        yield


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """The system's Chromium instead of one that Playwright would download."""
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        pytest.fail("The browser tests need Chromium: install the package chromium.")
    return {**browser_type_launch_args, "executable_path": program, "args": list(FLAGS)}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    """A laptop's window in light colours."""
    return {**browser_context_args, "viewport": {"width": 1280, "height": 900}, "locale": "en-GB", "color_scheme": "light"}


@pytest.fixture(scope="session")
def app_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    """The real app with an empty store; ``.url`` and ``.home`` tell where."""
    server = AppServer(tmp_path_factory.mktemp("app"))
    try:
        yield server.start()
    finally:
        server.stop()
