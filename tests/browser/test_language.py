"""Whose browser asks for Chinese reads Chinese, and a switch changes it for good."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.serving import AppServer

SECONDS = 1000


@pytest.fixture
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    return {**browser_context_args, "locale": "zh-CN"}


def test_the_browser_chooses_and_the_switch_changes_it(page: Page, app_server: AppServer) -> None:
    page.goto(app_server.url)
    expect(page.get_by_role("heading", level=1, name="在这里，隐私要付出多少准确率？")).to_be_visible(timeout=60 * SECONDS)
    expect(page.locator(".st-key-frontier .js-plotly-plot")).to_contain_text("不可能", timeout=60 * SECONDS)
    page.get_by_text("English", exact=True).click()
    expect(page.get_by_role("heading", level=1, name="How much accuracy does privacy cost here?")).to_be_visible(timeout=30 * SECONDS)
    expect(page.locator(".st-key-frontier .js-plotly-plot")).to_contain_text("impossible", timeout=30 * SECONDS)
    expect(page).to_have_url(re.compile("lang=en"))
    page.get_by_role("link", name="Learn").click()
    expect(page.get_by_role("heading", level=1, name="What do these words mean?")).to_be_visible(timeout=30 * SECONDS)
    expect(page).to_have_url(re.compile("/learn.*lang=en"))
