"""The frame around every page: page settings, the menu, and the page that was asked for. Start with ``mrp app``."""

from pages.ui.frame import run

run()
