"""Which choice should I take, and why? Help to choose, pinned points side by side, and the list of studies."""

from __future__ import annotations

from mrp_core.errors import StoreError
from mrp_core.store import PinRow
from mrp_core.wording import Texts
from pages.ui import choose, choose_pins, choose_studies, compared, frame, share, studies

frame.guard()

TEXT = Texts({"title": "Which choice should I take, and why?"})


def main() -> None:
    """Draw the page."""
    frame.title(TEXT["title"], study=True)
    with frame.sentences():
        choose.draw(_pins())
    choose_pins.draw(studies.store().pins())
    choose_studies.draw()
    compared.draw()
    share.draw_current()


def _pins() -> list[PinRow]:
    """For the chart of the choice, which needs no store of one's own."""
    try:
        return studies.store().pins()
    except StoreError:  # told below, where the pins are listed
        return []


with frame.sentences():
    main()
