"""Charts as PNG and SVG files, drawn by the system's Chromium in a process of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from typing import Any, Literal

from mrp_core.errors import DataError
from mrp_core.wording import Texts

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PATIENCE = 60.0
TEXT = Texts({
    "none": "Drawing a picture needs Chromium or Chrome, and neither is on this machine; install the package chromium, or set BROWSER_PATH to the program.",
    "failed": "The picture couldn't be drawn: the browser {browser!r} gave none; try again, or set BROWSER_PATH to another Chromium.",
    "late": "The picture wasn't drawn within {seconds:.0f} s by the browser {browser!r}; try again when the machine is less busy.",
})


def browser() -> str:
    """The program that draws pictures: BROWSER_PATH, or the first Chromium that is installed; "" where there is none."""
    asked = os.environ.get("BROWSER_PATH", "")
    return next(filter(None, map(shutil.which, [asked] if asked else BROWSERS)), "")


def drawn(figure: Mapping[str, Any], kind: Literal["png", "svg"]) -> bytes:
    """Draw a figure as :func:`mrp_core.charts.embedding.picture` made it; takes a few seconds.

    Raises:
        DataError: If there is no browser, or it fails.
    """
    program = browser()
    if not program:
        raise DataError(TEXT["none"])
    asked = json.dumps({"figure": figure, "format": kind, "browser": program}).encode()
    try:
        made = subprocess.run([sys.executable, "-m", "mrp_core.charts.picture_process"], input=asked, capture_output=True, timeout=PATIENCE, check=False)
    except subprocess.TimeoutExpired as error:
        raise DataError(TEXT["late"].format(browser=program, seconds=PATIENCE)) from error
    if made.returncode or not made.stdout:
        raise DataError(TEXT["failed"].format(browser=program))
    return made.stdout
