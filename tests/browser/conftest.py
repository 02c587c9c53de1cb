"""On every page: nothing comes from another host, and the console has no error of ours."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlparse

import pytest
from playwright.sync_api import ConsoleMessage, Page, Request

from tests.serving import AppServer

STREAMLITS_OWN = ("/_stcore/health", "/_stcore/host-config")
"""Of a deep link Streamlit's own script first asks for these below the page's path, and then where they are."""


@pytest.fixture(autouse=True)
def nothing_strange(page: Page, app_server: AppServer) -> Iterator[None]:
    """Watches the test's own page; what another browser of the same test does is that test's affair."""
    outside: list[str] = []
    errors: list[str] = []

    def request(sent: Request) -> None:
        if urlparse(sent.url).hostname not in (None, "", "127.0.0.1", "localhost"):
            outside.append(sent.url)

    def console(message: ConsoleMessage) -> None:
        if message.type == "error" and not message.location.get("url", "").endswith(STREAMLITS_OWN):
            errors.append(f"{message.text} ({message.location.get('url', '')})")

    page.on("request", request)
    page.on("console", console)
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield
    assert outside == []
    assert errors == []
