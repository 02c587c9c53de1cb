"""No page has a serious barrier in the eyes of axe-core, in light and in dark colours."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.serving import AppServer

SECONDS = 1000
PAGES = {"explore": "/", "train": "/train", "adapt": "/adapt", "audit": "/audit?point=epsilon%3D3", "compare": "/compare", "present": "/?mode=present&step=attack&point=epsilon%3D3",
         "data": "/data", "learn": "/learn", "glossary": "/learn?term=lira"}
STREAMLITS_OWN: dict[str, str] = {}
"""Rule -> selector of what Streamlit builds itself, which no page can change."""


@pytest.mark.parametrize("name", list(PAGES))
def test_a_page_has_no_serious_barrier(page: Page, app_server: AppServer, name: str) -> None:
    page.emulate_media(color_scheme="light")
    page.goto(f"{app_server.url}{PAGES[name]}")
    expect(page.get_by_role("heading", level=1)).to_be_visible(timeout=60 * SECONDS)
    told = _barriers(page)
    page.emulate_media(color_scheme="dark")
    expect(page.locator("[data-testid=stApp]")).to_have_css("color-scheme", "dark", timeout=20 * SECONDS)
    assert told + _barriers(page) == []


def _barriers(page: Page) -> list[str]:
    """What axe-core finds serious once the page is still."""
    expect(page.locator("[data-testid=stSkeleton]")).to_have_count(0, timeout=60 * SECONDS)
    expect(page.locator("[data-testid=stApp]")).to_have_attribute("data-test-script-state", "notRunning", timeout=60 * SECONDS)
    page.wait_for_timeout(SECONDS)  # elements fade in, and a half-faded text has little contrast
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [f"{rule['id']}: {node['target']} {node['html'][:200]}" for rule in found if rule["impact"] in ("serious", "critical") for node in rule["nodes"]
            if STREAMLITS_OWN.get(rule["id"], "no such thing") not in str(node["html"])]
