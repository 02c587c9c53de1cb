"""Two leakages that disagree: what one answer tells about the queried record, and what the model tells about its members."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from mrp_core import studyfile
from mrp_core.charts.lesson_lines import Role, lines_figure, lines_frame
from mrp_core.errors import DataError
from mrp_core.measurement import METRICS, Measurement
from mrp_core.results import Summary
from mrp_core.wording import Texts
from pages.ui import samples, words
from pages.ui.lesson import Control, Lesson, Number, Picture, Shown

FIRST, METRIC_NAMES = "letters", ("mi", "lira_auc")
TEXT = Texts({
    "sentence": "In {name}, from λ = 0 to λ = {value:g}, what one answer tells changes by **{less}** {mi_span}, and LiRA's AUC **{verdict}**: {change} {span}.",
    "verdicts": ("falls too", "cannot be told from what it was before", "rises"), "titles": ("What one answer tells about the record asked about", "What the model tells about its members"),
    "names": ("I(X;Ŷ)", "LiRA AUC"), "guess": "guessing", "x": "λ", "level": "{change} {span} against λ = 0",
    "captions": ("Bands: 95 % over seeds and tasks. Lower is more private.", "Bands: 95 % over seeds and tasks. 0.5 is guessing. LiRA is an attack: a better one may find more."),
    "alts": ("I(X;Ŷ) over λ in {name}.", "AUC of LiRA over λ in {name}: it {verdict}."), "control": "Sample study",
    "none": "No sample study has several λ, so this lesson has nothing to show; restore sample_data/studies from the repository.",
    "lesson": {
        "title": "Can two leakages disagree?",
        "question": "The λ of the last lesson makes each answer tell less about the record that is **asked about**. Another worry is about the records that the model was **adapted "
            "on**, its members: LiRA, "
            "an attack, tries to tell them from others. In the letters sample, from λ = 0 to the middle of the slider, what happens to LiRA's success?",
        "options": ("It falls too: less information is less information", "It cannot be told from what it was before", "It rises: the attack does better on the model that tells less"),
        "takeaway": "\"Private\" means nothing until you say private against what: to tell less about the record asked about is no protection of the records learned from.",
        "formula": r"\begin{array}{c}I(X;\hat Y)=H(\hat Y)-H(\hat Y\mid X)\\\mathrm{AUC}=\Pr\left[s_\text{member}>s_\text{other}\right]\end{array}",
        "symbols": "The first is about X, the record asked about; the second about the records learned from, by the attacker's score s, here LiRA's likelihood ratio.",
        "source": "From the shipped sample studies; intervals are paired by seed and task and hold for all settings of a study at once.",
    },
})


@dataclass(frozen=True, kw_only=True)
class Ladder:
    """One sample's settings along λ, from 0."""

    name: str
    along: tuple[Summary, ...]

    @property
    def middle(self) -> Summary:
        """The setting in the middle of the λ slider."""
        return self.along[len(self.along) // 2]


def prepare(seed: int) -> dict[str, Ladder]:
    """All samples that have several λ and both measures; nothing is drawn.

    Raises:
        DataError: If there is none.
    """
    found = {key: samples.along(samples.sample(key), "lambda", METRIC_NAMES) for key in studyfile.samples()}
    made = {key: Ladder(name=key.replace("_", " "), along=along) for key, along in found.items() if len(along) > 2}
    if not made:
        raise DataError(TEXT["none"])
    return made


def moved(difference: Measurement) -> int:
    """0 if a paired difference is really below 0, 2 if really above, 1 if it isn't told from 0."""
    return 1 if not words.real(difference) else 0 if difference.value < 0 else 2


def _control(prepared: dict[str, Ladder]) -> Control:
    """Which sample."""
    return Control(label=TEXT["control"], values=tuple(prepared), default=FIRST if FIRST in prepared else next(iter(prepared)), show=lambda key: prepared[key].name.capitalize(), choice=True)


def reveal(key: str, prepared: dict[str, Ladder]) -> Shown:
    """Both measures along λ."""
    ladder = prepared[key]
    middle = ladder.middle
    mi, auc = (middle.differences[m] for m in METRIC_NAMES)
    verdict = TEXT["verdicts"][moved(auc)]
    said = {"name": ladder.name, "value": middle.setting.value, "less": words.change("mi", mi), "mi_span": words.span("mi", mi), "verdict": verdict, "change": words.change("lira_auc", auc),
            "span": words.span("lira_auc", auc)}
    numbers = tuple(Number(label=label, value=words.amount(m, middle.means[m], span=False), note=TEXT["level"].format(change=words.change(m, d), span=words.span(m, d)))
                    for label, m, d in zip(TEXT["names"], METRIC_NAMES, (mi, auc), strict=True))
    return Shown(answer=moved(auc), sentence=TEXT["sentence"].format(**said), numbers=numbers,
                 pictures=tuple(_picture(ladder, i, said) for i in range(len(METRIC_NAMES))))


def _picture(ladder: Ladder, which: int, said: dict[str, Any]) -> Picture:
    metric = METRIC_NAMES[which]
    roles: tuple[Role, ...] = ("first", "second")
    line = samples.line(ladder.along, metric, TEXT["names"][which], roles[which])
    unit = METRICS[metric].unit
    frame = lines_frame([line], x_title=TEXT["x"], y_title=f"{METRICS[metric].label}, {unit}" if unit else METRICS[metric].label, mark=ladder.middle.setting.value,
                        levels=[(0.5, TEXT["guess"])] if which else [(0.0, "")])
    return Picture(key=f"leak_{metric}", title=TEXT["titles"][which], figure=partial(lines_figure, frame), rows=frame.rows(), caption=TEXT["captions"][which], alt=TEXT["alts"][which].format(**said))


def lesson() -> Lesson:
    """The lesson, in the language of the moment."""
    return Lesson(
        key="disagree", order=4,
        paper="Carlini et al. 2022, Membership inference attacks from first principles.",
        terms=("output-mi", "lira", "auc", "membership-inference", "paired-interval"),
        control=_control, reveal=reveal, prepare=prepare, **TEXT["lesson"],
    )
