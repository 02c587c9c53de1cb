"""A report in a real browser without a network: it draws, fits a phone, and complains of nothing, and a chart's picture comes from its menu."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from mrp_core.reports import report_html, source_of
from mrp_core.settings import Setting
from tests.serving import AppServer

SECONDS = 1000


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(report_html(source_of("medical"), Setting("epsilon", 3.0)), encoding="utf-8")
    return path


@pytest.mark.parametrize(("width", "scheme"), [(1440, "dark"), (390, "light")])
def test_it_works_offline(browser: Browser, browser_context_args: dict[str, Any], report: Path, width: int, scheme: Any) -> None:
    context = browser.new_context(**{**browser_context_args, "viewport": {"width": width, "height": 900}, "color_scheme": scheme, "offline": True})
    page, asked, told = context.new_page(), [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: told.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: told.append(str(error)))
    page.goto(report.as_uri())
    expect(page.locator(".screen-chart .main-svg").first).to_be_visible(timeout=20 * SECONDS)
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == [] and told == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width, "nothing sticks out to the side"
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == ("rgb(18, 22, 26)" if scheme == "dark" else "rgb(255, 255, 255)")
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    assert [(rule["id"], node["html"][:150]) for rule in found if rule["impact"] in ("serious", "critical") for node in rule["nodes"]] == []
    page.emulate_media(media="print")
    assert page.locator(".screen-chart:visible").count() == 0 and page.locator(".paper-chart .main-svg").first.is_visible() and page.locator("nav:visible").count() == 0
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)", "paper is light"
    context.close()


def test_a_picture_of_a_chart_comes_from_its_menu(page: Page, app_server: AppServer) -> None:
    page.goto(app_server.url)
    expect(page.locator(".st-key-frontier .js-plotly-plot")).to_be_visible(timeout=60 * SECONDS)
    page.locator(".st-key-frontier_menu button").first.click()
    with page.expect_download(timeout=60 * SECONDS) as coming:
        page.locator(".st-key-frontier_png button:visible").first.click()
    assert coming.value.suggested_filename == "mrp-frontier.png" and Path(coming.value.path()).read_bytes().startswith(b"\x89PNG")
