"""A meeting in a real browser: the four steps by keys alone, a reload in the middle, a phone, and a second person with the link."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.serving import AppServer

SECONDS = 1000
TITLES = ("What does a model give away about its records?", "What does privacy cost?", "Could someone tell who was in the data?", "Recommended: ε = 3")
LINK = "/?mode=present&point=epsilon%3D3"
FITS = """() => ![...document.querySelectorAll('[data-testid=stMain], [data-testid=stAppScrollToBottomContainer]')].some(e => e.scrollHeight > e.clientHeight + 1)"""
WIDER = "() => document.documentElement.scrollWidth > window.innerWidth || document.querySelector('[data-testid=stMain]').scrollWidth > window.innerWidth"


def opened(page: Page, url: str, step: int) -> None:
    """Wait until a step is there, with its chart where it has one."""
    page.goto(url)
    at_step(page, step)


def at_step(page: Page, step: int) -> None:
    expect(page.get_by_role("heading", name=TITLES[step])).to_be_visible(timeout=60 * SECONDS)
    expect(page.get_by_text(f"{step + 1} of 4")).to_be_visible(timeout=30 * SECONDS)
    if step in (1, 2):
        expect(page.locator(f".st-key-present_{('', 'frontier', 'roc')[step]} .js-plotly-plot")).to_be_visible(timeout=30 * SECONDS)
    expect(page.locator("[data-testid=stApp]")).to_have_attribute("data-test-script-state", "notRunning", timeout=30 * SECONDS)
    page.wait_for_timeout(SECONDS / 2)  # a key counts from the moment at which its button listens


def test_four_steps_by_keys_fit_a_projector_and_a_reload_keeps_the_step(page: Page, app_server: AppServer) -> None:
    page.set_viewport_size({"width": 1280, "height": 720})
    opened(page, app_server.url + LINK, 0)
    for step in range(4):
        at_step(page, step)
        page.wait_for_function(FITS, timeout=10 * SECONDS)  # while a step replaces another, both may be there
        if step < 3:
            page.keyboard.press("n")
    page.get_by_role("button", name="Report and files").click()
    with page.expect_download() as asked:
        page.get_by_role("button", name="Report (HTML)").click()
    page.keyboard.press("Escape")
    assert asked.value.suggested_filename == "letters.epsilon-3.html"
    page.keyboard.press("p")
    at_step(page, 2)
    page.reload()
    at_step(page, 2)
    expect(page.get_by_role("link", name="Compare")).to_have_count(0)
    page.keyboard.press("Escape")
    expect(page.get_by_role("heading", name="How much accuracy does privacy cost here?")).to_be_visible(timeout=30 * SECONDS)
    expect(page.get_by_role("link", name="Compare")).to_be_visible(timeout=30 * SECONDS)
    expect(page).to_have_url(re.compile(r"/\?point=epsilon%3D3$"))


def test_a_phone_steps_by_touch_and_nothing_is_wider_than_it(page: Page, app_server: AppServer) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    opened(page, app_server.url + LINK, 0)
    for step in range(4):
        at_step(page, step)
        assert not page.evaluate(WIDER), f"step {step + 1} is wider than the phone"
        if step < 3:
            page.get_by_role("button", name="Next").click()
    page.get_by_role("button", name="Leave").click()
    expect(page.get_by_role("button", name="Present")).to_be_visible(timeout=30 * SECONDS)


def test_the_link_in_the_dialog_shows_a_second_person_the_same(page: Page, browser: Browser, app_server: AppServer) -> None:
    page.goto(f"{app_server.url}/?point=epsilon%3D3&axis=lira_auc")
    page.get_by_role("button", name="Copy link").click(timeout=60 * SECONDS)
    link = page.get_by_role("dialog").locator("code").filter(has_text="mode=present").inner_text(timeout=30 * SECONDS)
    assert link.startswith(f"{app_server.url}/?")
    context = browser.new_context()
    try:
        other = context.new_page()
        opened(other, link.replace("step=question", "step=frontier"), 1)
        expect(other.get_by_text("At ε = 3 an attacker tells a member")).to_be_visible()
    finally:
        context.close()


@pytest.mark.parametrize("query", ["mode=x&axis=nonsense&point=nonsense&beside=nonsense&study=%3Cimg%20src%3Dx%3E"])
def test_a_link_full_of_nonsense_still_shows_the_frontier(page: Page, app_server: AppServer, query: str) -> None:
    page.goto(f"{app_server.url}/?{query}")
    expect(page.locator(".st-key-frontier .js-plotly-plot")).to_be_visible(timeout=60 * SECONDS)
    expect(page.locator("[data-testid=stAlert]").filter(has_text="<img src=x>")).to_be_visible()
    assert page.locator("img[src=x]").count() == 0
