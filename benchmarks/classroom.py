"""A class on one laptop: thirty browsers open the teacher's link at once, predict, and move the control; the same with one.

Run ``python -m benchmarks.classroom``; it writes ``results/classroom.json``. The real app serves real Chromium contexts, and all of them share this machine's cores with the
server, so that thirty students' browsers are slower here than on thirty laptops. So the same thirty also move one after the other, each with the cores to itself as on a laptop
of its own, while the server holds all their sessions; and what the server worked meanwhile is told. A move is timed in the page, from the input event until the sentence is
another, every chart is drawn, and the browser has had one more turn to paint.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from playwright.async_api import Browser, async_playwright

from benchmarks.machine import machine, write
from tests.conftest import BROWSERS, FLAGS
from tests.serving import AppServer, processes_of

LESSON = "epsilon"
PATIENCE = 400_000
"""Milliseconds until a browser gives up; thirty starting at once on two cores take their time."""
PAUSE = (1000.0, 3000.0)
"""Milliseconds that a person looks at what a move has shown."""
QUIET = 100.0
"""Milliseconds before a move in turn."""
MOVE = """async ([pause, at]) => {
    const root = document.querySelector('.mrp-lesson-root'), slider = root.querySelector('input[type=range]');
    await new Promise(done => setTimeout(done, pause));
    const look = () => root.querySelector('.sentence').textContent + [...root.querySelectorAll('.chart .main-svg')].map(e => e.innerHTML).join();
    const before = look();
    return new Promise((done, failed) => {
        const watch = new MutationObserver(() => {
            if (root.dataset.shown !== String(at)) return;
            watch.disconnect();
            requestAnimationFrame(() => look() === before ? failed(new Error('Nothing moved.')) : done(performance.now() - start));
        });
        watch.observe(root, {attributes: true, attributeFilter: ['data-shown']});
        const start = performance.now();
        slider.value = String(at);
        slider.dispatchEvent(new Event('input', {bubbles: true}));
    });
}"""
"""Waits as a person does, moves the control to a value, and resolves to the milliseconds that this took."""


async def student(browser: Browser, url: str, moves: int, late: float, ready: asyncio.Barrier, turn: asyncio.Lock) -> dict[str, Any]:
    """One browser, which arrives ``late`` seconds after the bell.

    Seconds until the question and until the experiment is shown, and of each move; these begin when all are ``ready``, first at once and then by ``turn``.
    """
    context = await browser.new_context(viewport={"width": 1280, "height": 800})
    page = await context.new_page()
    page.set_default_timeout(PATIENCE)
    rng = np.random.default_rng(round(late * 1000))
    await asyncio.sleep(late)
    start = time.perf_counter()
    await page.goto(f"{url}/learn?mode=teach&lesson={LESSON}&keep=control,formula&seed=0")
    await page.locator(".mrp-lesson .guess input").first.wait_for()
    question = time.perf_counter() - start
    await asyncio.sleep(float(rng.uniform(4, 8)))  # the question is read
    start = time.perf_counter()
    await page.locator(".mrp-lesson .guess input").nth(1).check()
    await page.locator(".mrp-lesson-root[data-shown]").wait_for()
    experiment = time.perf_counter() - start
    values = int(await page.locator(".mrp-lesson input[type=range]").get_attribute("max") or 0) + 1
    at, at_once, in_turn = int(await page.locator(".mrp-lesson-root").get_attribute("data-shown") or 0), [], []
    await ready.wait()
    for _ in range(moves):
        at = (at + 1) % values
        at_once.append(await page.evaluate(MOVE, [float(rng.uniform(*PAUSE)), at]) / 1000)
    await ready.wait()
    for _ in range(2):
        at = (at + 1) % values
        async with turn:
            in_turn.append(await page.evaluate(MOVE, [QUIET, at]) / 1000)
    await context.close()
    return {"question": question, "experiment": experiment, "at_once": at_once, "in_turn": in_turn}


async def lesson(students: int, moves: int, within: float) -> dict[str, Any]:
    """A whole class on a fresh server: all arrive within some seconds."""
    with tempfile.TemporaryDirectory() as home:
        server = AppServer(Path(home)).start()
        try:
            before = memory(Path(home))
            async with async_playwright() as p:
                browser = await p.chromium.launch(executable_path=next(filter(None, map(shutil.which, BROWSERS)), None), args=list(FLAGS))
                ready, turn = asyncio.Barrier(students + 1), asyncio.Lock()
                async with asyncio.TaskGroup() as group:
                    class_ = [group.create_task(student(browser, server.url, moves, within * i / students, ready, turn)) for i in range(students)]
                    await ready.wait()
                    served, start = processor(Path(home)), time.perf_counter()
                    await ready.wait()
                    moving, lasted = processor(Path(home)) - served, time.perf_counter() - start
                found = [task.result() for task in class_]
                await browser.close()
            after = memory(Path(home))
        finally:
            server.stop()
    return {"students": students, "arrive_within_s": within,
            "move_in_turn_s": spread([m for f in found for m in f["in_turn"]]), "move_at_once_s": spread([m for f in found for m in f["at_once"]]),
            "question_after_s": spread([f["question"] for f in found]), "experiment_after_prediction_s": spread([f["experiment"] for f in found]),
            "server_cpu_s_until_all_had_the_lesson": served, "moving_for_s": lasted, "server_cpu_s_meanwhile": moving,
            "server_mb_before": before, "server_mb_after": after}


def memory(home: Path) -> float:
    """Megabytes that the processes of a home folder hold (resident)."""
    pages = [int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) for pid in processes_of(home)]
    return sum(pages) * 4096 / 1e6


def processor(home: Path) -> float:
    """Seconds of processor time that the processes of a home folder have used."""
    used = [Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split() for pid in processes_of(home)]
    return sum(int(fields[11]) + int(fields[12]) for fields in used) / os.sysconf("SC_CLK_TCK")


def spread(seconds: list[float]) -> dict[str, float]:
    """Median, 95th percentile and most."""
    return {"median": float(np.median(seconds)), "p95": float(np.quantile(seconds, 0.95)), "most": max(seconds), "n": len(seconds)}


def main() -> None:
    """Measure a class and a single person, and write both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--students", type=int, default=30)
    parser.add_argument("--moves", type=int, default=10)
    parser.add_argument("--within", type=float, default=60.0, help="seconds in which the class arrives")
    asked = parser.parse_args()
    content: dict[str, Any] = {"machine": machine(), "lesson": LESSON, "shared": "All browsers and the server share this machine's cores."}
    for name, students, within in (("alone", 1, 0.0), ("class", asked.students, asked.within)):
        content[name] = asyncio.run(lesson(students, asked.moves, within))
        print(write("classroom", content).read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
