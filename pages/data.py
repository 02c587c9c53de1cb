"""Would it hold for my data? What there is by field of application, each family in detail, and a table of one's own."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from mrp_core import tables
from mrp_core.errors import MRPError
from mrp_core.taskdata import TaskFamily
from mrp_core.wording import Texts, say
from pages.ui import cards, families, frame, own, session, upload

frame.guard()

TEXT = Texts({
    "title": "Would it hold for my data?",
    "lead": "Pick the field that is most like yours. Tasks that judge a strategy are never among those that trained it.",
    "areas": {"medical": "Medical", "finance": "Finance", "wearable": "Wearable", "smart home": "Smart home", "recommendation": "Recommendation", "federated": "Federated",
              "images": "Images", "teaching": "Teaching", "own": "Your own table"},
    "nowhere": "There is no field {asked} here; the overview shows all.",
    "all": "Overview", "pills": "Field of application",
    "columns": {"area": "Field", "data": "Data", "what": "What is learned", "whom": "Records", "tasks": "Tasks", "sensitive": "Sensitive"},
    "counting": "…", "unreadable": "can't be read", "bring": "for you to bring", "yours": "{n} kept", "none": "none", "say": "as you say",
    "note": "Tasks: for training / validation / test, in the mode that a family starts with. Choose a field above to see its records, tasks, licence and caveats.",
    "absent_title": "What isn't here",
    "absent": "No data that may be passed on were found for these, so they are missing or simulated: Purchase-100 and Texas-100 (baskets and hospital stays, on which attacks are often shown), "
              "CIFAR and EMNIST pictures, sensor logs of several real smart homes, hospital records that name the hospital, and the whole of Omniglot. "
              "Results on other data don't carry over to them by themselves.",
})


def main() -> None:
    """Draw the page."""
    frame.title(TEXT["title"], TEXT["lead"])
    found = families.by_area()
    area = _area(list(found))
    if area == "own":
        upload.draw()
        own.draw()
        return
    if area:
        cards.draw(found[area])
        _absent()
        return
    with st.container(key="overview"):
        place = st.empty()
        _table(place, found, {})
    st.caption(TEXT["note"])
    _absent()
    _count(place, found)


def _area(areas: list[str]) -> str:
    """The field asked for in the URL, "" for the overview; a row of buttons changes it."""
    asked = session.value(session.AREA)
    if asked and asked not in areas:
        st.warning(TEXT["nowhere"].format(asked=frame.escaped(repr(asked))), icon=":material/warning:")
    asked = asked if asked in areas else ""
    st.session_state["area"] = asked
    st.pills(TEXT["pills"], ["", *areas], format_func=lambda a: TEXT["areas"].get(a, a.capitalize()) if a else TEXT["all"], key="area", required=True, label_visibility="collapsed",
             on_change=_area_chosen)
    return asked


def _area_chosen() -> None:
    if area := st.session_state["area"]:
        session.remember(session.AREA, area)
    else:
        session.forget(session.AREA)


def _count(place: DeltaGenerator, found: dict[str, list[TaskFamily]]) -> None:
    """Fill in what needs the records to be read, family by family, once all else is on the screen."""
    counted: dict[str, tuple[str, str]] = {}
    for family in (f for group in found.values() for f in group if f.area != "own"):
        try:
            view = families.view(family.name)
            counted[family.name] = (view.whom, view.tasks)
        except MRPError:
            counted[family.name] = (TEXT["bring" if family.optional else "unreadable"], "—")
    _table(place, found, counted)


def _table(place: DeltaGenerator, found: dict[str, list[TaskFamily]], counted: dict[str, tuple[str, str]]) -> None:
    c = TEXT["columns"]
    rows = []
    for area, group in found.items():
        for i, family in enumerate(group):
            whom, tasks = counted.get(family.name, (TEXT["counting"],) * 2 if family.area != "own" else (TEXT["yours"].format(n=len(tables.listing())), "—"))
            rows.append({c["area"]: f"**{TEXT['areas'].get(area, area.capitalize())}**" if i == 0 else "", c["data"]: f"{say(family.title)} {cards.badge(family)}", c["what"]: say(family.summary),
                         c["whom"]: whom, c["tasks"]: tasks, c["sensitive"]: ", ".join(family.sensitive) or TEXT["none" if area != "own" else "say"]})
    place.table(rows, border="horizontal", hide_index=True, alt=TEXT["title"])


def _absent() -> None:
    with st.container(border=True, key="absent"):
        st.caption(f"**{TEXT['absent_title']}.** {TEXT['absent']}")


with frame.sentences():
    main()
