"""What is mutual information? A family of records for which it is known exactly, and what estimators make of samples."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from mrp_core.charts.lesson_lines import LessonLine, Role, lines_figure, lines_frame
from mrp_core.estimating import Estimate
from mrp_core.measurement import METRICS
from mrp_core.wording import Texts
from pages.ui.lesson import Control, Lesson, Number, Picture, Shown

SIZES, CASE = (50, 100, 200, 400), "family_record"
ROLES: dict[str, Role] = {"noisy_scores_lower": "first", "noisy_scores_upper": "third", "ksg": "second"}
JUDGED = "ksg"
TEXT = Texts({
    "sentence": "The truth is **{truth:.2f} bits**. From {n} pairs the nearest-neighbour estimator reads **{value:.2f}** [{low:.2f}, {high:.2f}]: {verdict}. "
                "The two that know how the noise arose read {first} and {second}.", "reading": "{value:.2f} [{low:.2f}, {high:.2f}]",
    "estimators": {"noisy_scores_lower": "InfoNCE, noise known", "noisy_scores_upper": "leave-one-out, noise known", "ksg": "nearest neighbours"},
    "control": "Pairs that the estimators see", "ends": ("← few", "many →"), "bits": "{value:.2f} bits",
    "verdict": ("its interval holds the truth", "too low, and surer of it than it may be", "too high, and surer of it than it may be"),
    "title": "Estimates from samples of {most} pairs and fewer", "x": "pairs in the sample", "y": "bits",
    "caption": "Dotted line: the truth. Bands: each estimator's own 95 % interval. Blue: InfoNCE, a lower bound; diamonds: leave-one-out, an upper bound; both know the noise. "
               "Green, dashed: nearest neighbours, which don't.",
    "alt": "Estimates over the number of pairs against the true {truth:.2f} bits.", "number_truth": "Truth", "exact": "by quadrature, exact", "note": "[{low:.2f}, {high:.2f}] bits",
    "lesson": {
        "title": "What is mutual information?",
        "question": "Simulated people have 10 features each; a model gives each a score and adds known noise. How many bits the score tells about the person is known exactly here. The "
            "best known estimator "
            "for data without a model, nearest neighbours (KSG), sees 400 pairs of person and score. What does it read?",
        "options": ("The truth, within its own 95 % interval", "Too little, by more than its interval admits", "Too much, by more than its interval admits"),
        "takeaway": "Mutual information is exact only where the channel is known; an estimator can be wrong by far more than its interval says, so ask first what kind of number it is: "
            "a bound, or a guess.",
        "formula": r"\begin{array}{rl}I(X;Z)&=\mathbb{E}\left[\log_2\frac{p(z\mid x)}{p(z)}\right]\\&=H(Z)-H(Z\mid X)\end{array}",
        "symbols": "X the record, Z what is released. 0 bits: Z says nothing about X; 1 bit: as much as one yes-or-no question.",
        "source": "Computed here, now: the gaussian family, whose exact value is a one-dimensional integral.",
    },
})


@dataclass(frozen=True, kw_only=True)
class Estimates:
    """The exact value in nats, and by estimator its readings, one for each of :data:`SIZES`."""

    truth: float
    made: dict[str, tuple[Estimate, ...]]


def prepare(seed: int) -> Estimates:
    """Let each estimator read samples of the gaussian family's records (10 features) and their noisy scores."""
    from mrp_core.mi_truth import cases
    from mrp_core.registry import plugin

    case = next(c for c in cases() if c.name == CASE)
    samples = [case.draw(n, seed) for n in SIZES]
    return Estimates(truth=case.truth, made={name: tuple(plugin("estimators", name).estimate(s) for s in samples) for name in ROLES})


def judged(estimate: Estimate, truth: float) -> int:
    """0 if the interval holds the truth, 1 if it lies below, 2 if above."""
    return 1 if estimate.high < truth else 2 if estimate.low > truth else 0


def _control(prepared: Estimates) -> Control:
    """Number of pairs."""
    return Control(label=TEXT["control"], values=SIZES, default=SIZES[-1], ends=TEXT["ends"])


def reveal(n: int, prepared: Estimates) -> Shown:
    """Each estimator against the exact value."""
    at, truth = SIZES.index(n), METRICS["mi"].shown(prepared.truth)
    found = {name: _bits(made[at]) for name, made in prepared.made.items()}
    answer = judged(prepared.made[JUDGED][at], prepared.truth)
    first, second = (TEXT["reading"].format(value=v, low=a, high=b) for name, (v, a, b) in found.items() if name != JUDGED)
    value, low, high = found[JUDGED]
    frame = lines_frame([_line(name, made) for name, made in prepared.made.items()], x_title=TEXT["x"], y_title=TEXT["y"], mark=n, levels=[(truth, "")], log_x=True,
                        ticks=[(s, str(s)) for s in SIZES], y_range=(0.0, 1.35 * truth))
    numbers = [Number(label=TEXT["estimators"][name], value=TEXT["bits"].format(value=v), note=TEXT["note"].format(low=a, high=b)) for name, (v, a, b) in found.items()]
    return Shown(answer=answer, sentence=TEXT["sentence"].format(truth=truth, n=n, value=value, low=low, high=high, verdict=TEXT["verdict"][answer], first=first, second=second),
                 numbers=(Number(label=TEXT["number_truth"], value=TEXT["bits"].format(value=truth), note=TEXT["exact"]), *numbers),
                 pictures=(Picture(key="estimates", title=TEXT["title"].format(most=SIZES[-1]), figure=partial(lines_figure, frame), rows=frame.rows(), caption=TEXT["caption"],
                                   alt=TEXT["alt"].format(truth=truth)),))


def _bits(e: Estimate) -> tuple[float, float, float]:
    shown = METRICS["mi"].shown
    return shown(e.value), shown(e.low), shown(e.high)


def _line(name: str, made: tuple[Estimate, ...]) -> LessonLine:
    values = [_bits(e) for e in made]
    return LessonLine(name=TEXT["estimators"][name], x=SIZES, y=tuple(v for v, _, _ in values), low=tuple(a for _, a, _ in values), high=tuple(b for _, _, b in values), role=ROLES[name])


def lesson() -> Lesson:
    """The lesson, in the language of the moment."""
    return Lesson(
        key="information", order=2,
        paper="Kraskov et al. 2004, Estimating mutual information; Poole et al. 2019, On variational bounds of mutual information.",
        terms=("mutual-information", "output-mi", "ksg", "infonce", "channel"),
        control=_control, reveal=reveal, prepare=prepare, chance=True, data=("simulated",), **TEXT["lesson"],
    )
