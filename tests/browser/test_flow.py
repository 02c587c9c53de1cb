"""The main job in a real browser: see the sample frontier, launch a study, watch its points arrive, choose one, drag λ."""

from __future__ import annotations

import re

from playwright.sync_api import Browser, Page, expect

from mrp_core.config import AuditConfig, OuterConfig, PrivacyConfig, StudyConfig, TaskConfig
from tests.serving import AppServer

SECONDS = 1000
TINY = StudyConfig(title="A tiny study", task=TaskConfig(family="gaussian", mode="site", ways=2, shots=5, queries=10),
                   privacy=PrivacyConfig(lambda_points=5, epsilons=(3.0,)), outer=OuterConfig(iterations=20, meta_batch=4, seeds=2, hidden=(8,)),
                   audit=AuditConfig(tasks=2, adaptations=8, records=10))


MARK = """() => {
    const chart = document.querySelector('.st-key-frontier .js-plotly-plot'), place = chart.getBoundingClientRect(), {xaxis, yaxis} = chart._fullLayout;
    const marks = chart._fullData.filter(t => t.customdata).flatMap(t => t.x.map((x, i) => [xaxis.c2p(x), yaxis.c2p(t.y[i]), t.name, t.customdata[i][0]]));
    const room = m => Math.min(...marks.filter(o => o !== m).map(o => Math.hypot(o[0] - m[0], o[1] - m[1])));
    const [x, y, , key] = marks.filter(m => m[2] === 'ε-guaranteed' && m[3] !== 'epsilon=inf').reduce((a, b) => room(b) > room(a) ? b : a);
    return [place.left + xaxis._offset + x, place.top + yaxis._offset + y, key];
}"""
"""Where that mark of the ε slider stands on the screen that has the most room around it, and its id."""


def test_cold_deep_link_has_menu_and_page(page: Page, app_server: AppServer) -> None:
    page.goto(f"{app_server.url}/audit?point=epsilon%3D3")
    expect(page.get_by_role("heading", name="Could someone tell who was in the data?")).to_be_visible(timeout=60 * SECONDS)
    expect(page.get_by_role("link", name="Compare")).to_be_visible(timeout=60 * SECONDS)  # widgets come after texts, and how long after is the machine's affair
    expect(page.get_by_text("no attack can pass this")).to_be_visible(timeout=30 * SECONDS)


def test_the_sample_frontier_and_the_slider(page: Page, app_server: AppServer) -> None:
    page.goto(app_server.url)
    expect(page.locator(".st-key-frontier .js-plotly-plot")).to_be_visible(timeout=60 * SECONDS)
    expect(page.get_by_text("impossible (Fano)")).to_be_visible()
    thumb = page.get_by_role("slider").first
    thumb.focus()
    thumb.press("ArrowRight")
    expect(page).to_have_url(re.compile("point=lambda"), timeout=20 * SECONDS)
    expect(page.locator("[data-testid=stAlert]").first).to_contain_text("both differences are real", timeout=20 * SECONDS)


def test_a_click_on_a_mark_chooses_it_and_the_pages_keep_it(page: Page, app_server: AppServer) -> None:
    page.goto(app_server.url)
    expect(page.locator(".st-key-frontier .js-plotly-plot")).to_be_visible(timeout=60 * SECONDS)
    page.wait_for_timeout(SECONDS)  # the chart answers clicks a moment after it is drawn
    x, y, key = page.evaluate(MARK)
    page.mouse.click(x, y)
    expect(page).to_have_url(re.compile(re.escape(key.replace("=", "%3D"))), timeout=20 * SECONDS)
    expect(page.locator("[data-testid=stAlert]").first).to_contain_text(key.replace("epsilon=", "ε = "), timeout=20 * SECONDS)
    page.get_by_role("link", name="Audit this point").click()  # at once: what is still drawn for the former point must not lead back to it
    expect(page.get_by_role("heading", name="Could someone tell who was in the data?")).to_be_visible(timeout=30 * SECONDS)
    expect(page).to_have_url(re.compile("/audit.*" + re.escape(key.replace("=", "%3D"))))
    page.go_back()
    expect(page.get_by_role("heading", name="How much accuracy does privacy cost here?")).to_be_visible(timeout=30 * SECONDS)


def test_launch_watch_reload_and_choose(page: Page, browser: Browser, app_server: AppServer) -> None:
    page.goto(f"{app_server.url}/train")
    page.get_by_text("Study file").click(timeout=60 * SECONDS)
    page.locator("input[type=file]").set_input_files({"name": "tiny.toml", "mimeType": "application/toml", "buffer": TINY.to_toml().encode()})
    expect(page.get_by_label("Title")).to_have_value("A tiny study", timeout=20 * SECONDS)
    page.get_by_role("button", name="Launch").click()
    expect(page).to_have_url(re.compile(f"study={TINY.id}"), timeout=30 * SECONDS)
    page.reload()
    other = browser.new_context(locale="en-GB").new_page()  # a second person, who watches the same study
    other.goto(f"{app_server.url}/train?study={TINY.id}")
    expect(page.locator(".js-plotly-plot").first).to_be_visible(timeout=90 * SECONDS)
    for shown in (page, other):
        expect(shown.get_by_text(re.compile("^Done|finished", re.IGNORECASE)).first).to_be_visible(timeout=120 * SECONDS)
    other.context.close()
    page.goto(f"{app_server.url}/?study={TINY.id}")
    expect(page.locator(".st-key-frontier .js-plotly-plot")).to_be_visible(timeout=30 * SECONDS)
    page.get_by_role("slider").first.press("End")
    expect(page).to_have_url(re.compile(re.escape(f"point=lambda%3D{TINY.privacy.lambda_max:g}")), timeout=20 * SECONDS)
    page.goto(f"{app_server.url}/adapt?study={TINY.id}")
    expect(page.get_by_text("settings adapted in one batch")).to_be_visible(timeout=60 * SECONDS)
