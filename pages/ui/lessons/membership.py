"""What does a model give away? A tiny model, trained many times with and without one record whose label is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from mrp_core.charts.lesson_shapes import two_figure, two_frame
from mrp_core.measurement import Measurement
from mrp_core.wording import Texts
from pages.ui.lesson import Control, Lesson, Number, Picture, Shown

FEATURES, MODELS, PENALTY = 10, 1000, 1.0
SIZES = (5, 10, 20, 40, 80, 160, 320)
BARELY, SURE = 0.6, 0.9
TEXT = Texts({
    "sentence": "With {n} other records, whoever sees one answer tells the model that was trained on the record from one that wasn't **{auc:.0f} times of 100**; guessing is 50. "
                "The same record with its right label is found out {plain:.0f} times of 100.",
    "control": "Other records that the model is trained on", "ends": ("← few", "many →"), "title": "What the two models answer about the record", "times": "{value:.0f} of 100",
    "numbers": ("Wrong label: told apart", "Right label: told apart"), "note": "[{low:.0f}, {high:.0f}]; guessing is 50",
    "names": ("trained with the record", "trained without it"), "x": "how much the model backs the wrong label",
    "caption": "{models:,} models of each kind, each trained on {n} other records drawn anew. Where the two shapes lie apart, the answer tells.",
    "alt": "Histograms of the answer of models trained with the record, upward, and without it, downward; they are told apart {auc:.0f} times of 100.",
    "lesson": {
        "title": "What does a model give away?",
        "question": "A small model learns to tell two groups of people apart. In its training data one record has the wrong label. Somebody trains the same model twice, with and without that "
            "record, and asks each **one** question: about that record. With 10 other records, how often does the answer give away which model knew it?",
        "options": ("Barely: up to 60 times of 100, and guessing is 50", "Often: 60 to 90 times of 100", "Nearly always: more than 90 times of 100"),
        "takeaway": "A model's answers carry traces of single records, and a record that stands out leaves the clearest one: to ask \"was this person in the data?\" is an attack on its own.",
        "formula": r"\Lambda(x)=\frac{p\left(\text{answer}\mid \text{trained with } x\right)}{p\left(\text{answer}\mid \text{trained without } x\right)}",
        "symbols": "The attacker says \"member\" where the ratio Λ is large; no other test finds more members at the same rate of false accusations (Neyman and Pearson).",
        "source": "Computed here, now: ridge regression on simulated records with 10 features.",
    },
})


@dataclass(frozen=True, kw_only=True, eq=False)
class Answers:
    """What both kinds of model say about the record, times its label: float64 [models] each."""

    inside: NDArray[np.float64]
    outside: NDArray[np.float64]

    def auc(self, parts: int = 20) -> Measurement:
        """How often a model with the record backs its label more than one without it, ties counted half: mean over equal parts of the models, with its 95 % interval."""
        from mrp_core.audit.roc import attack_result
        from mrp_core.intervals import interval

        scores = np.stack([self.inside, self.outside], -1).reshape(parts, -1, 2)
        return interval(attack_result(scores, np.broadcast_to([True, False], scores.shape)).auc[None], low=0.0, high=1.0)


def answers(records: int, label: float, *, seed: int, models: int = MODELS) -> Answers:
    """Ridge regression on two clusters; the record is the centre of the positive one, and ``label`` is what it is trained with.

    Adding one record moves the fit by a known amount, f_in = f_out + h / (1 + h) (label - f_out) with h = x' A^-1 x (Sherman & Morrison 1950), so that each
    pair of models costs one solution.
    """
    rng = np.random.default_rng([seed, records])
    y = 2.0 * rng.integers(0, 2, (models, records)) - 1
    centre = np.zeros(FEATURES)
    centre[0] = 1.0
    x = y[..., None] * centre + rng.standard_normal((models, records, FEATURES))
    gram = np.swapaxes(x, 1, 2) @ x + PENALTY * np.eye(FEATURES)
    solved = np.linalg.solve(gram, np.stack([np.einsum("rnd,rn->rd", x, y), np.broadcast_to(centre, (models, FEATURES))], -1))
    outside, pull = np.asarray(solved[:, 0, 0], dtype=np.float64), solved[:, 0, 1]
    return Answers(inside=label * (outside + pull / (1 + pull) * (label - outside)), outside=label * outside)


def prepare(seed: int) -> dict[int, tuple[Answers, Answers]]:
    """By the number of other records, what models say about the record with its wrong label and with its right one."""
    return {n: (answers(n, -1.0, seed=seed), answers(n, 1.0, seed=seed)) for n in SIZES}


def _control(prepared: object) -> Control:
    """Number of other records."""
    return Control(label=TEXT["control"], values=SIZES, default=10, ends=TEXT["ends"])


def reveal(records: int, prepared: dict[int, tuple[Answers, Answers]]) -> Shown:
    """How well the two kinds of model are told apart."""
    flipped, plain = prepared[records]
    auc, other = flipped.auc(), plain.auc()
    both = np.concatenate([flipped.inside, flipped.outside])
    low, high = np.quantile(both, [0.005, 0.995])
    frame = two_frame(flipped.inside.tolist(), flipped.outside.tolist(), names=TEXT["names"], x_title=TEXT["x"], low=float(low), high=float(high))
    words = {"n": records, "auc": auc.value * 100, "plain": other.value * 100, "models": MODELS}
    return Shown(answer=0 if auc.value < BARELY else 1 if auc.value < SURE else 2, sentence=TEXT["sentence"].format(**words),
                 numbers=(_number(TEXT["numbers"][0], auc), _number(TEXT["numbers"][1], other)),
                 pictures=(Picture(key="answers", title=TEXT["title"], figure=partial(two_figure, frame), rows=frame.rows(), alt=TEXT["alt"].format(**words),
                                   caption=TEXT["caption"].format(**words)),))


def _number(label: str, m: Measurement) -> Number:
    return Number(label=label, value=TEXT["times"].format(value=m.value * 100), note=TEXT["note"].format(low=m.low * 100, high=m.high * 100))


def lesson() -> Lesson:
    """The lesson, in the language of the moment."""
    return Lesson(
        key="membership", order=1,
        paper="Shokri et al. 2017, Membership inference attacks against machine learning models; Carlini et al. 2022, Membership inference attacks from first principles.",
        terms=("membership-inference", "member", "shadow", "lira", "auc"),
        control=_control, reveal=reveal, prepare=prepare, chance=True, data=("simulated",), **TEXT["lesson"],
    )
