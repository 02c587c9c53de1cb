"""How long a person waits: from the command to the chart, on later visits, at a page switch, and after a move, in Chromium on the real app.

Run ``python -m benchmarks.pages``; it writes ``results/pages.json`` and the table ``results/pages.md``. Server and browser share the machine's cores. A move is timed
in the page, from the key press until what it moves has changed and been painted.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.machine import RESULTS, machine, write
from tests.conftest import BROWSERS, FLAGS
from tests.serving import AppServer, end_processes_of, free_port

FRONTIER = ".st-key-frontier .js-plotly-plot"
PAGES = ("Train", "Adapt", "Audit", "Compare", "Data", "Learn", "Explore")
STILL = "[data-testid=stApp][data-test-script-state=notRunning]"
MOVED = """([selector, key]) => new Promise(done => {
    const thing = () => { const e = document.querySelector(selector); return e ? (e.data ? JSON.stringify(e.data.map(t => [t.x, t.y])) : e.innerText) : ''; };
    const before = thing(), start = performance.now();
    const look = () => { const now = thing(); now && now !== before ? requestAnimationFrame(() => done(performance.now() - start)) : requestAnimationFrame(look); };
    look();
})"""
"""Resolves to the milliseconds until what a selector finds (the numbers of a chart, else its text) is another."""
MOVES: dict[str, tuple[str, str, str]] = {
    "λ slider on Explore, chart": ("/", "role=slider", FRONTIER),
    "λ slider on Explore, sentence": ("/", "role=slider", ".st-key-verdict"),
    "slider on Adapt, chart": ("/adapt", "role=slider", ".js-plotly-plot"),
}
"""Name -> page, what is moved by an arrow key, and what it must change."""
TARGETS = {"command to chart": 8.0, "later visit": 4.0, "move": 0.3}
"""Seconds."""


def first_paint(browser: Browser, repetitions: int) -> list[float]:
    """Seconds from ``mrp app`` to the chart, each time with a new home folder and an empty browser cache; the browser itself is open already."""
    out = []
    for _ in range(repetitions):
        with tempfile.TemporaryDirectory() as home:
            port, start = free_port(), time.perf_counter()
            app = subprocess.Popen([sys.executable, "-m", "mrp_core", "app", "--headless", "--port", str(port)], env={**os.environ, "MRP_HOME": home, "MRP_IDLE_SECONDS": "5"},
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            with fresh(browser) as page:
                _open(page, f"http://127.0.0.1:{port}")
                page.locator(FRONTIER).wait_for(timeout=60_000)
                out.append(time.perf_counter() - start)
            app.terminate()
            app.wait()
            end_processes_of(Path(home))
    return out


def visits(browser: Browser, url: str, repetitions: int) -> list[float]:
    """Seconds to the chart for further people with an empty cache."""
    out = []
    for _ in range(repetitions):
        with fresh(browser) as page:
            start = time.perf_counter()
            page.goto(url)
            page.locator(FRONTIER).wait_for(timeout=60_000)
            out.append(time.perf_counter() - start)
    return out


def switches(page: Page, url: str, rounds: int) -> dict[str, list[float]]:
    """Seconds from a click in the menu until the page stands and nothing runs any more; the first round, in which pages load what they need, is left out."""
    page.goto(url)
    page.locator(FRONTIER).wait_for(timeout=60_000)
    out: dict[str, list[float]] = {name: [] for name in PAGES}
    for lap in range(rounds + 1):
        for name in PAGES:
            before = page.locator("h1").inner_text()
            start = time.perf_counter()
            page.locator(".st-key-menu").get_by_role("link", name=name, exact=True).click()
            page.wait_for_function("before => document.querySelector('h1') && document.querySelector('h1').innerText !== before", arg=before, timeout=60_000)
            page.locator(STILL).wait_for(timeout=60_000)
            if lap:
                out[name].append(time.perf_counter() - start)
            page.wait_for_timeout(800)
    return out


def moves(page: Page, url: str, repetitions: int) -> dict[str, list[float]]:
    """Seconds of each of :data:`MOVES`, back and forth."""
    out: dict[str, list[float]] = {}
    for name, (path, control, shown) in MOVES.items():
        page.goto(f"{url}{path}")
        page.locator(shown).first.wait_for(timeout=60_000)
        page.locator(STILL).wait_for(timeout=60_000)
        page.wait_for_timeout(1500)
        out[name] = [_move(page, control, shown, "ArrowRight" if i % 4 < 2 else "ArrowLeft") for i in range(repetitions + 2)][2:]
    return out


def _move(page: Page, control: str, shown: str, key: str) -> float:
    page.locator(control).first.focus()
    handle = page.evaluate_handle(f"arg => ({{waited: ({MOVED})(arg)}})", [shown, key])
    page.keyboard.press(key)
    seconds = float(handle.evaluate("h => h.waited")) / 1000
    page.locator(STILL).wait_for(timeout=60_000)
    page.wait_for_timeout(400)
    return seconds


def summary(seconds: list[float]) -> dict[str, float]:
    """Median, least and most."""
    return {"median": statistics.median(seconds), "low": min(seconds), "high": max(seconds), "n": len(seconds)}


def table(found: dict[str, Any]) -> str:
    """The results as Markdown."""
    m = found["machine"]
    lines = ["# How long a person waits", "", f"Seconds in Chromium; server and browser share {m['cores']} cores of {m['processor']}, load {m['load_before']} before. "
             f"Made by `python -m benchmarks.pages` on {m['taken']}.", "", "| what | median | least to most | n | target |", "| --- | --- | --- | --- | --- |"]
    for name, s in found["seconds"].items():
        goal = next((f"< {v:g}" for k, v in TARGETS.items() if name.startswith(k)), f"< {TARGETS['move']:g}" if name in MOVES else "")
        lines.append(f"| {name} | {s['median']:.2f} | {s['low']:.2f} to {s['high']:.2f} | {s['n']} | {goal} |")
    return "\n".join(lines) + "\n"


@contextmanager
def fresh(browser: Browser) -> Iterator[Page]:
    """A page with nothing in its cache."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    try:
        yield context.new_page()
    finally:
        context.close()


def _open(page: Page, url: str, *, patience: float = 60.0) -> None:
    """Go there as soon as the server answers."""
    end = time.monotonic() + patience
    while True:
        with suppress(URLError, OSError), urlopen(f"{url}/_stcore/health", timeout=2):
            break
        if time.monotonic() > end:
            raise RuntimeError(f"Nothing answers at {url}.")
        time.sleep(0.02)
    page.goto(url)


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=7)
    asked = parser.parse_args()
    found: dict[str, Any] = {"machine": machine(), "seconds": {}}
    with sync_playwright() as play, tempfile.TemporaryDirectory() as home:
        browser = play.chromium.launch(executable_path=next(filter(None, map(shutil.which, BROWSERS))), args=list(FLAGS))
        found["seconds"]["command to chart"] = summary(first_paint(browser, 3))
        server = AppServer(Path(home)).start()
        try:
            _measure(browser, server.url, asked.repetitions, lambda name, seconds: found["seconds"].update({name: summary(seconds)}))
        finally:
            server.stop()
        browser.close()
    print(write("pages", found))
    (RESULTS / "pages.md").write_text(table(found), encoding="utf-8")
    print(table(found))


def _measure(browser: Browser, url: str, repetitions: int, note: Callable[[str, list[float]], None]) -> None:
    visits(browser, url, 1)
    note("later visit, nothing in the cache", visits(browser, url, repetitions))
    with fresh(browser) as page:
        for name, seconds in switches(page, url, 3).items():
            note(f"switch to {name}", seconds)
        for name, seconds in moves(page, url, repetitions).items():
            note(name, seconds)


if __name__ == "__main__":
    main()
