"""What does λ buy? The frontier of the sample, the limit that nothing passes, and what happens to the most likely label."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from mrp_core.charts.frontier import frontier_frame
from mrp_core.charts.frontier_figure import frontier_figure
from mrp_core.charts.lesson_lines import Role, lines_figure, lines_frame
from mrp_core.config import StudyConfig
from mrp_core.limits import fano
from mrp_core.measurement import METRICS
from mrp_core.results import Summary
from mrp_core.settings import UNPROTECTED
from mrp_core.wording import Texts
from pages.ui import differences, samples, words
from pages.ui.lesson import Control, Lesson, Number, Picture, Shown

SAMPLE, METRIC_NAMES = "letters", ("accuracy", "accuracy_argmax", "mi")
TEXT = Texts({
    "sentence": "At λ = {value:g} an answer tells **{mi:.2f} bits**, and **{accuracy:.0f} %** of the drawn answers are right, while the most likely label is right **{top:.0f} %** of the time. "
                "Nothing whatever is so accurate with less than {least:.2f} bits (Fano).",
    "numbers": ("Drawn label is right", "Most likely label is right", "One answer tells"), "change": "{change} {span} against λ = 0", "reference": "λ = 0: what others are compared with",
    "control": "λ, weight of the privacy loss", "ends": ("← more accurate", "more private →"), "x": "λ",
    "lines": ("drawn label", "most likely label"), "frontier": "Accuracy against what one answer tells", "both": "Two accuracies along λ",
    "caption": "Circles: λ, trained. Triangles: λ = 0 released more carefully, without any training: T is a temperature, β the least that can be told at an accuracy. Diamond: your λ.",
    "caption_both": "Bands: 95 % over seeds and tasks. Blue: what is released, a label drawn from the model's probabilities. Green, dashed: the label that it holds most likely.",
    "alt": "Frontier with λ = {value:g} marked.", "alt_both": "Accuracy of the drawn label falls with λ to {accuracy:.0f} %; that of the most likely one is {top:.0f} %.",
    "lesson": {
        "title": "What does λ buy?",
        "question": "A model adapted to five new letters releases one label, drawn from its probabilities. Training it with a weight λ on privacy makes each answer tell less about the picture "
            "that was asked about. In the middle of the λ slider of the sample study, what has this done to accuracy?",
        "options": ("The drawn label is right less often; the model's most likely label is not", "Both are right less often", "Neither is right less often"),
        "takeaway": "λ buys less information per answer mostly with confidence: judged by its most likely label a model seems to protect for free, so measure utility and leakage on what is released.",
        "formula": r"\begin{array}{c}L=L_\text{task}+\lambda\,I(X;\hat Y)\\I(X;\hat Y)\ \ge\ \log C-h(e)-e\log(C-1)\end{array}",
        "symbols": "Above what is trained, below the Fano limit: C classes, e the share of wrong answers, h the entropy of a coin that falls so.",
        "source": "From the shipped sample study of letters, whose differences are paired by seed and task.",
    },
})


@dataclass(frozen=True, kw_only=True)
class Ladder:
    """The sample's settings along λ, all that stand on its frontier chart, and its configuration."""

    config: StudyConfig
    along: tuple[Summary, ...]
    charted: tuple[Summary, ...]


def prepare(seed: int) -> Ladder:
    """Read the sample; nothing is drawn."""
    study = samples.sample(SAMPLE)
    charted = tuple(s for s in differences.summaries(study, METRIC_NAMES) if s.setting.kind in ("lambda", "temperature", "rate_distortion"))
    return Ladder(config=study.config, along=samples.along(study, "lambda", METRIC_NAMES), charted=charted)


def fell(summary: Summary) -> int:
    """0: the drawn label's accuracy fell and the most likely label's didn't; 1: both fell; 2: the drawn label's didn't fall. By paired intervals."""
    drawn, top = (words.real(summary.differences.get(m)) and summary.differences[m].value < 0 for m in ("accuracy", "accuracy_argmax"))
    return 2 if not drawn else 1 if top else 0


def _control(prepared: Ladder) -> Control:
    """λ, a value in two of the grid."""
    values = tuple(s.setting.value for s in prepared.along)
    thinned = values[::max(1, len(values) // 20)]
    return Control(label=TEXT["control"], values=thinned, default=thinned[len(thinned) // 2], show=lambda v: f"{v:g}", ends=TEXT["ends"])


def reveal(value: float, prepared: Ladder) -> Shown:
    """What λ does to both accuracies and to I(X;Ŷ)."""
    summary = next(s for s in prepared.along if s.setting.value == value)
    accuracy, top, mi = (summary.means[m].value for m in METRIC_NAMES)
    said = {"value": value, "accuracy": accuracy * 100, "top": top * 100, "mi": METRICS["mi"].shown(mi), "least": METRICS["mi"].shown(float(fano(accuracy, prepared.config.task.ways)))}
    chart = frontier_frame(prepared.charted, prepared.config)
    roles: tuple[Role, ...] = ("first", "second")
    both = lines_frame([samples.line(prepared.along, m, name, role) for m, name, role in zip(METRIC_NAMES[:2], TEXT["lines"], roles, strict=True)],
                       x_title=TEXT["x"], y_title=METRICS["accuracy"].label, unit=" %", mark=value)
    return Shown(answer=fell(summary), sentence=TEXT["sentence"].format(**said),
                 numbers=tuple(Number(label=label, value=words.amount(m, summary.means[m], span=False), note=_change(summary, m)) for label, m in zip(TEXT["numbers"], METRIC_NAMES, strict=True)),
                 pictures=(Picture(key="ladder", title=TEXT["frontier"], rows=chart.rows(),
                                   figure=partial(frontier_figure, chart, pick=summary.setting.key, height=360, width=540),
                                   caption=TEXT["caption"], alt=TEXT["alt"].format(**said)),
                           Picture(key="tops", title=TEXT["both"], rows=both.rows(), figure=partial(lines_figure, both, height=360), caption=TEXT["caption_both"],
                                   alt=TEXT["alt_both"].format(**said))))


def _change(summary: Summary, metric: str) -> str:
    d = summary.differences.get(metric)
    if summary.setting == UNPROTECTED or d is None:
        return TEXT["reference"]
    return TEXT["change"].format(change=words.change(metric, d), span=words.span(metric, d))


def lesson() -> Lesson:
    """The lesson, in the language of the moment."""
    return Lesson(
        key="weight", order=3,
        paper="Cover and Thomas 2006, Elements of information theory, theorem 2.10.1; Dosovitskiy and Djolonga 2020, You only train once.",
        terms=("lambda", "output-mi", "sampled-label", "frontier", "fano", "temperature", "rate-distortion", "confidence"),
        control=_control, reveal=reveal, prepare=prepare, **TEXT["lesson"],
    )
