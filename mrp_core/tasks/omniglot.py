"""Omniglot: characters of alphabets that training never saw; the drawings are brought by whoever runs the program."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mrp_core.config import TaskConfig
from mrp_core.drawings import FOLDERS, SIDE, Drawings, read_drawings
from mrp_core.pictures import class_split, scaled_by_channel
from mrp_core.tabular import class_tasks, draw_members, sensitive_name
from mrp_core.taskdata import TaskSet

NAMES = ("training", "validation", "test")


@dataclass(frozen=True)
class Omniglot:
    """Omniglot (Lake et al. 2015): 1,623 characters of 50 alphabets, each drawn by 20 persons; here 28 x 28, read from the folder in MRP_OMNIGLOT.

    Whole alphabets are split: of images_background every fifth is for validation and the others for training, and images_evaluation is the test;
    without it, another fifth of the background is. A task is any few characters of a split. A drawer is a person: all
    drawings of an alphabet by one hand are members or none is. Drawer 3 of one alphabet needn't be drawer 3 of another, so that the drawer is no
    attribute to be inferred across tasks.
    """

    name: str = "omniglot"
    title: str = "Omniglot"
    summary: str = "Tell five characters apart after one to five drawings of each, for alphabets that training never saw."
    area: str = "images"
    order: int = 13
    modes: tuple[str, ...] = ("few_shot",)
    defaults: dict[str, int | float | str] = field(default_factory=lambda: {"mode": "few_shot", "ways": 5, "shots": 5, "queries": 6})
    sensitive: tuple[str, ...] = ()
    grid: tuple[int, ...] = (1, SIDE, SIDE)
    simulated: bool = False
    optional: bool = True
    licence: str = "MIT, © 2015 Brenden Lake (not shipped: bring your own copy)"
    origin: str = "B. Lake, R. Salakhutdinov, J. Tenenbaum, Human-level concept learning through probabilistic program induction, Science 350 (2015) 1332-1338."
    caveat: str = "Eleven drawings of a character are members, so five shots are the most; figures depend on the copy that you bring."
    files: tuple[str, ...] = ()

    def build(self, config: TaskConfig, seed: int) -> TaskSet:
        """Alphabet-disjoint splits; see :class:`mrp_core.taskdata.TaskFamily`.

        Raises:
            DataError: If MRP_OMNIGLOT doesn't name a folder of drawings, or a split has fewer characters than ``config.ways``.
        """
        sensitive_name(self.name, self.sensitive, config.sensitive)
        drawings = read_drawings(os.environ.get("MRP_OMNIGLOT", ""))
        alphabet, part_of = _alphabets(drawings)
        part = part_of[drawings.character]
        by_hand, person = np.unique(alphabet[drawings.character] * 100 + drawings.drawer, return_inverse=True)
        member = draw_members(by_hand // 100, seed)[person]
        x = scaled_by_channel(drawings.pixels, member & (part == 0), 1)
        classes = [np.flatnonzero(part_of == i) for i in range(3)]
        tasks = [class_tasks(len(own), config.ways, name, seed) for own, name in zip(classes, NAMES, strict=True)]
        titles = tuple(f"{name} {character.removeprefix('character')}" for _, name, character in drawings.characters)
        splits = [class_split(x, drawings.character, member, person.astype(np.int64), np.flatnonzero(part == i), classes[i], tasks[i], titles) for i in range(3)]
        alphabets = [len(np.unique(alphabet[own])) for own in classes]
        facts = (("Drawings", f"{len(x):,} distinct ({drawings.twins} twins left out), {SIDE} x {SIDE}"), ("Members", f"{member.sum():,}, drawn drawer by drawer"),
                 ("Alphabets", " / ".join(map(str, alphabets)) + " for training, validation and test"), ("Characters", " / ".join(str(len(own)) for own in classes)),
                 ("Tasks", " / ".join(f"{len(s.tasks):,}" for s in splits)))
        return TaskSet(train=splits[0], validation=splits[1], test=splits[2], classes=len(titles), permute_labels=True,
                       features=tuple(f"pixel {i}" for i in range(SIDE * SIDE)), facts=facts, image=(SIDE, SIDE))


def _alphabets(drawings: Drawings) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Of each character: the number of its alphabet, and 0, 1 or 2 for training, validation or test."""
    names = sorted({(part, alphabet) for part, alphabet, _ in drawings.characters})
    background = [n for n in names if n[0] == FOLDERS[0]]
    rest = {4: 1} if len(background) < len(names) else {4: 1, 3: 2}
    parts = [rest.get(i % 5, 0) for i in range(len(background))] + [2] * (len(names) - len(background))
    number = np.array([names.index(c[:2]) for c in drawings.characters])
    return number, np.array(parts)[number]


PLUGIN = Omniglot()
