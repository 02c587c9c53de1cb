"""No page has a serious barrier in the eyes of axe-core, in light and in dark colours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.serving import AppServer

SECONDS = 1000
PAGES = {"explore": "/", "train": "/train", "adapt": "/adapt", "audit": "/audit?point=epsilon%3D3", "compare": "/compare", "data": "/data", "learn": "/learn", "glossary": "/learn?term=lira"}
STREAMLITS_OWN: dict[str, str] = {}
"""Rule -> selector of what Streamlit builds itself, which no page can change."""


@pytest.fixture(params=["light", "dark"])
def themed(request: pytest.FixtureRequest, browser: Browser, browser_context_args: dict[str, Any], app_server: AppServer) -> Iterator[Page]:
    context = browser.new_context(**{**browser_context_args, "color_scheme": request.param, "base_url": app_server.url})
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("name", list(PAGES))
def test_a_page_has_no_serious_barrier(themed: Page, name: str) -> None:
    themed.goto(PAGES[name])
    expect(themed.get_by_role("heading", level=1)).to_be_visible(timeout=60 * SECONDS)
    expect(themed.locator("[data-testid=stSkeleton]")).to_have_count(0, timeout=60 * SECONDS)
    expect(themed.locator("[data-testid=stApp]")).to_have_attribute("data-test-script-state", "notRunning", timeout=60 * SECONDS)
    themed.wait_for_timeout(SECONDS)  # elements fade in, and a half-faded text has little contrast
    found = Axe().run(themed, options={"resultTypes": ["violations"]}).response["violations"]
    told = [f"{rule['id']}: {node['target']} {node['html'][:200]}" for rule in found if rule["impact"] in ("serious", "critical") for node in rule["nodes"]
            if STREAMLITS_OWN.get(rule["id"], "no such thing") not in str(node["html"])]
    assert told == []
