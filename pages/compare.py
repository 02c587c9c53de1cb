"""Which choice should I take, and why? Help to choose, pinned points side by side, and the list of studies."""

from __future__ import annotations

from mrp_core.wording import Texts
from pages.ui import choose, choose_pins, choose_studies, compared, frame, share, studies

frame.guard()

TEXT = Texts({"title": "Which choice should I take, and why?"})


def main() -> None:
    """Draw the page."""
    frame.title(TEXT["title"], study=True)
    choose.draw()
    share.draw_current()
    choose_pins.draw(studies.store().pins())
    choose_studies.draw()
    compared.draw()


with frame.sentences():
    main()
