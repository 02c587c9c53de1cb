"""Lessons in a real browser: the control moves without the server, the keyboard suffices, and a lesson's file needs no network."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from pages.ui import lesson_document as document
from pages.ui import prepared, show, simulated
from pages.ui.lesson import lessons
from pages.ui.lesson_changes import changed
from tests.serving import AppServer

SECONDS = 1000


def drawn(page: Page) -> str:
    """The charts as they stand."""
    return "".join(page.locator(".mrp-lesson .chart .main-svg").evaluate_all("all => all.map(e => e.innerHTML)"))


def test_a_student_predicts_and_moves_without_the_server(page: Page, app_server: AppServer) -> None:
    sent: list[int] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(len(frame))))
    page.goto(f"{app_server.url}/learn?mode=teach&lesson=epsilon&keep=control,formula,downloads&start=3")
    expect(page.get_by_role("heading", level=1, name="What does ε mean?")).to_be_visible(timeout=60 * SECONDS)
    expect(page.get_by_role("slider")).to_have_count(0)
    expect(page.locator("[data-testid=stSidebar]")).to_have_count(0)
    page.get_by_role("radio").nth(1).check()
    slider = page.get_by_role("slider")
    expect(slider).to_have_attribute("aria-valuetext", "3", timeout=60 * SECONDS)
    expect(page.locator(".mrp-lesson .verdict")).to_contain_text("As you predicted. The question is about: ε 1.")
    expect(page.locator(".mrp-lesson-root")).to_have_attribute("data-shown", "4", timeout=20 * SECONDS)
    page.wait_for_timeout(SECONDS)
    before, told, said = drawn(page), page.locator(".mrp-lesson .sentence").inner_text(), len(sent)
    slider.focus()
    page.keyboard.press("ArrowLeft")
    expect(slider).to_have_attribute("aria-valuetext", "2")
    expect(page.locator(".mrp-lesson .sentence")).to_contain_text("At ε = 2 each answer is true with probability 88.1 %")
    expect(page.locator(".mrp-lesson-root")).to_have_attribute("data-shown", "3")
    assert drawn(page) != before and "At ε = 3" in told
    page.wait_for_timeout(SECONDS / 2)
    assert len(sent) == said


def test_a_teacher_makes_a_link_and_a_student_opens_it(page: Page, browser: Browser, app_server: AppServer) -> None:
    page.goto(f"{app_server.url}/learn?lesson=membership")
    page.get_by_role("button", name="A link for your class").click(timeout=60 * SECONDS)
    link = page.get_by_role("dialog").locator("code").first
    expect(link).to_contain_text("mode=teach&lesson=membership", timeout=60 * SECONDS)
    student = browser.new_context(locale="en-GB", viewport={"width": 390, "height": 844}).new_page()
    student.goto(link.inner_text())
    expect(student.get_by_role("heading", level=1, name="What does a model give away?")).to_be_visible(timeout=60 * SECONDS)
    expect(student.locator("[data-testid=stSidebar]")).to_have_count(0)
    student.get_by_role("radio").first.check()
    expect(student.locator(".mrp-lesson .sentence")).to_be_visible(timeout=60 * SECONDS)
    student.context.close()


def test_downloads_are_what_is_shown(page: Page, app_server: AppServer) -> None:
    page.goto(f"{app_server.url}/learn?lesson=epsilon")
    page.locator(".mrp-lesson .guess input").first.check(timeout=60 * SECONDS)
    expect(page.locator(".mrp-lesson-root")).to_have_attribute("data-shown", "2", timeout=60 * SECONDS)
    with page.expect_download() as csv:
        page.get_by_role("button", name="Download the chart as CSV").first.click()
    made = lessons("en")["epsilon"]
    rows = made.reveal(1.0, prepared.made(made)).pictures[0].rows
    assert Path(csv.value.path()).read_bytes().decode() == show.csv_text(simulated.marked([dict(r) for r in rows], True))
    for name, start in (("SVG", b"<svg"), ("PNG", b"\x89PNG")):
        with page.expect_download() as picture:
            page.get_by_role("button", name=f"Download the chart as {name}").first.click()
        assert Path(picture.value.path()).read_bytes().startswith(start) and picture.value.suggested_filename == f"epsilon_survey_1.{name.lower()}"
    expect(page.locator(".st-key-learn_lesson")).to_contain_text("check_circle")
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_role("heading", level=2, name="Why meta-learning?")).to_be_visible(timeout=20 * SECONDS)
    expect(page.locator(".mrp-lesson .guess input:checked")).to_have_count(0)
    page.get_by_role("button", name="Previous").click()
    expect(page.get_by_role("heading", level=2, name="What does ε mean?")).to_be_visible(timeout=20 * SECONDS)
    expect(page.locator(".mrp-lesson .guess input").first).to_be_checked()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_lesson_s_file_works_without_a_network(browser: Browser, tmp_path: Path, scheme: str) -> None:
    made = lessons("en")["failure"]
    whole = json.loads(prepared.waited(made, 0))
    file = tmp_path / "lesson.html"
    file.write_text(document.page(made, json.dumps(whole), document.View(heading="h1")), encoding="utf-8")
    context = browser.new_context(color_scheme=scheme, viewport={"width": 390, "height": 800})  # type: ignore[arg-type]
    context.set_offline(True)
    page, asked, faults = context.new_page(), [], []
    page.on("request", lambda request: asked.append(request.url) if not request.url.startswith(("file:", "blob:", "data:")) else None)
    page.on("console", lambda message: faults.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(file.as_uri())
    page.get_by_role("radio").first.check()
    expect(page.locator("#lesson")).to_have_attribute("data-shown", str(whole["asked"]))
    page.get_by_role("slider").press("End")
    last = changed(whole["first"], whole["changes"][-1])
    expect(page.locator("#lesson")).to_have_attribute("data-shown", str(len(whole["changes"]) - 1))
    expect(page.locator(".sentence")).to_have_text(last["sentence"].replace("**", ""))
    assert page.locator(".chart .main-svg").count() > 0 and page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    with page.expect_download() as picture:
        page.get_by_role("button", name="Download the chart as PNG").first.click()
    assert Path(picture.value.path()).stat().st_size > 10_000
    page.locator("summary").click()
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    assert [rule["id"] for rule in found if rule["impact"] in ("serious", "critical")] == []
    assert asked == [] and faults == []
    context.close()
