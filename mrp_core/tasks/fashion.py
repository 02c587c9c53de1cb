"""Fashion: pictures of articles; classes that training never saw, or pairs of known classes with new records."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from mrp_core.config import TaskConfig
from mrp_core.errors import DataError
from mrp_core.pictures import class_split, pairs_of_ten, record_parts, scaled_by_channel
from mrp_core.tabular import class_tasks, distinct_rows, draw_members, read_arrays, sensitive_name
from mrp_core.taskdata import TaskSet

FILE, SIDE = "images_fashion4k.npz", 28
ARTICLES = ("T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")
PARTS = ((0, 4, 6, 7), (3, 5, 8), (1, 2, 9))
SHARES, ROUNDS = (0.40, 0.15), (5, 1, 3)
NAMES = ("training", "validation", "test")


@dataclass(frozen=True)
class Fashion:
    """Fashion-MNIST (Xiao et al. 2017): 400 grey pictures of each of ten classes of articles, 28 x 28.

    In mode ``few_shot`` the classes are split 4 / 3 / 3: three are the fewest that allow 3-way tasks, so that validation and test have no more and
    training keeps the rest; each part has something for the feet, something for the upper body and something else. In mode ``pairs`` all parts know all
    classes, but records are divided 40 / 15 / 45 and the 45 pairs of classes 25 / 5 / 15, each class in as many pairs as any other.
    """

    name: str = "fashion"
    title: str = "Fashion articles"
    summary: str = "Tell articles of clothing apart in small grey pictures, after a few examples of classes that training never saw."
    area: str = "images"
    order: int = 12
    modes: tuple[str, ...] = ("few_shot", "pairs")
    defaults: dict[str, int | float | str] = field(default_factory=lambda: {"mode": "few_shot", "ways": 3, "shots": 5, "queries": 15})
    sensitive: tuple[str, ...] = ()
    grid: tuple[int, ...] = (1, SIDE, SIDE)
    simulated: bool = False
    optional: bool = False
    licence: str = "MIT, © 2017 Zalando SE"
    origin: str = "H. Xiao, K. Rasul, R. Vollgraf, Fashion-MNIST: a novel image dataset for benchmarking machine learning algorithms, arXiv:1708.07747 (2017)."
    caveat: str = "Four classes are few to learn a strategy from, so in mode few_shot training anew for each task may do as well; articles, not persons."
    files: tuple[str, ...] = (FILE,)

    def build(self, config: TaskConfig, seed: int) -> TaskSet:
        """Class-disjoint or record-disjoint splits; see :class:`mrp_core.taskdata.TaskFamily`.

        Raises:
            DataError: As the interface says, and if ``config.ways`` doesn't fit the mode or a split has fewer classes.
        """
        sensitive_name(self.name, self.sensitive, config.sensitive)
        pairs = config.mode == "pairs"
        if pairs and config.ways != 2:
            raise DataError(f"ways is {config.ways}, but a task of the mode pairs has two classes; set ways to 2.")
        arrays = read_arrays(FILE, ("X", "y"))
        raw = arrays["X"].reshape(len(arrays["X"]), -1).astype(np.float64)
        keep = distinct_rows(raw)
        raw, y = raw[keep], arrays["y"].astype(np.int64)[keep]
        part = record_parts(y, SHARES, seed) if pairs else np.select([np.isin(y, own) for own in PARTS], (0, 1, 2))
        member = draw_members(y + len(ARTICLES) * part, seed)
        x = scaled_by_channel(raw, member & (part == 0), 1)
        classes = [np.arange(len(ARTICLES))] * 3 if pairs else [np.array(own) for own in PARTS]
        tasks = pairs_of_ten(ROUNDS) if pairs else [class_tasks(len(own), config.ways, name) for own, name in zip(PARTS, NAMES, strict=True)]
        splits = [class_split(x, y, member, np.arange(len(x)), np.flatnonzero(part == i), classes[i], tasks[i], ARTICLES) for i in range(3)]
        divided = (part == 0).sum(), (part == 1).sum(), (part == 2).sum()
        facts = (("Pictures", f"{len(x):,} distinct, {SIDE} x {SIDE}"), ("Members", f"{member.sum():,}, drawn class by class" + " in each split" * pairs),
                 ("Split", " / ".join(f"{n:,}" for n in divided) + " pictures for training, validation and test"),
                 ("Classes", "the same ten in each split" if pairs else " / ".join(str(len(own)) for own in PARTS) + ", none in two splits"),
                 ("Tasks", " / ".join(f"{len(s.tasks):,}" for s in splits)))
        return TaskSet(train=splits[0], validation=splits[1], test=splits[2], classes=len(ARTICLES), permute_labels=True,
                       features=tuple(f"pixel {i}" for i in range(SIDE * SIDE)), facts=facts, image=(SIDE, SIDE))


PLUGIN = Fashion()
