"""What does ε mean? Randomised response by hand, then the noisy adaptation of the sample: bounded from above by accounting, from below by an attack."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial

import numpy as np

from mrp_core.charts.examination_epsilon import epsilon_figure, epsilon_frame
from mrp_core.charts.lesson_lines import LessonLine, lines_figure, lines_frame
from mrp_core.findings import EpsilonRange
from mrp_core.limits import DPLimit
from mrp_core.measurement import Measurement
from mrp_core.results import Summary
from mrp_core.wording import Texts
from pages.ui import samples
from pages.ui.lesson import Control, Lesson, Number, Picture, Shown

SAMPLE, EXAMINED, METRIC = "letters", "epsilon=3", "lira_advantage"
EPSILONS = (0.1, 0.5, 1.0, 2.0, 3.0, 5.0, 7.0)
PEOPLE, SHARE = 1000, 0.3
SURE, COIN = 0.9, 0.6
TEXT = Texts({
    "sentence": "At ε = {epsilon:g} each answer is true with probability **{truth:.1f} %**: whatever was answered is at most **{ratio} times** as likely for one person as for another. "
                "Yet the survey of {people:,} people finds {estimate:.0f} % [{low:.0f}, {high:.0f}] who did it; truly it is {share:.0f} %.",
    "numbers": ("An answer is true", "One answer is more likely by at most", "The survey finds"), "notes": ("50 % would tell nothing", "e^ε", "[{low:.0f}, {high:.0f}] %; truly {share:.0f} %"),
    "control": "ε", "ends": ("← more private", "more accurate →"), "times": "{ratio} times", "percent": "{value:.{digits}f} %", "coin": "a coin", "guess": "guessing",
    "survey": "By hand: a survey", "x": "ε (smaller: more private)", "y": "per cent", "true": "answers that are true", "error": "error of the survey, ±",
    "caption": "Blue: how sure anyone can be about one person. Green, dashed: how far off the survey of {people:,} may be, half its 95 % interval.",
    "alt": "Share of true answers and error of the survey over ε.",
    "model": "In a model: the sample's noisy adaptation", "limit": "no attack can pass this", "attack": "LiRA", "y_model": "right guesses about membership",
    "caption_model": "Of members and others in equal number, how many an attacker places rightly at best. The line follows from ε and δ = {delta:g} alone; the squares were measured.",
    "alt_model": "Right guesses of LiRA over ε, below the line that no attack can pass.",
    "bounds": "From both sides: the adaptation with ε = {upper:g}",
    "caption_bounds": "Accounting proves that ε is at most {upper:g}; the attack has shown that it is at least {lower:.2f}, in {trials:,} "
                      "independent trials, which could have shown {ceiling:.2f} at most. The truth lies between.", "alt_bounds": "Scale of ε with a lower and an upper bound.",
    "lesson": {
        "title": "What does ε mean?",
        "question": "A survey asks about something that nobody likes to admit. Everyone secretly rolls a die and then either answers truly or says the opposite, so that every answer can be denied. "
            "The dice are made so that ε = 1. How often is an answer true?",
        "options": ("Nearly always, more than 90 % of the time", "About three times of four, 60 to 90 %", "Hardly more often than a coin would have it, under 60 %"),
        "takeaway": "ε bounds how much more likely any one person can make anything that is released: a promise about the procedure, from above and against every attack, not a result of one.",
        "formula": r"\Pr\left[M(D)\in S\right]\ \le\ e^{\varepsilon}\,\Pr\left[M(D')\in S\right]+\delta",
        "symbols": "M is what is released, D and D′ differ in one record, S is any outcome. In the survey δ = 0, and a true answer has the probability e^ε / (1 + e^ε).",
        "source": "The survey is simulated here, now; the model is the shipped sample study of letters, and one of its examinations.",
    },
})


@dataclass(frozen=True, kw_only=True)
class Noisy:
    """The sample's settings along ε, δ, the bounds of one that was examined, and what the survey's dice follow from."""

    along: tuple[Summary, ...]
    delta: float
    bounds: EpsilonRange
    seed: int


def prepare(seed: int) -> Noisy:
    """Read the sample; the seed is the survey's."""
    study = samples.sample(SAMPLE)
    return Noisy(along=samples.along(study, "epsilon", (METRIC,)), delta=study.config.privacy.delta, bounds=samples.examination(SAMPLE, EXAMINED).epsilon, seed=seed)


def truth_rate(epsilon: float) -> float:
    """Probability of a true answer, e^ε / (1 + e^ε): the most truth that ε allows (Warner 1965; Kairouz et al. 2014)."""
    return 1 / (1 + math.exp(-epsilon))


def survey_error(epsilon: float, people: int, share: float) -> float:
    """Half the 95 % interval of the unbiased estimate (answers - (1 - p)) / (2 p - 1), p the probability of a true answer."""
    p = truth_rate(epsilon)
    yes = share * p + (1 - share) * (1 - p)
    return 1.96 * math.sqrt(yes * (1 - yes) / people) / (2 * p - 1)


def survey(epsilon: float, people: int, share: float, seed: int) -> Measurement:
    """Ask people of whom a share did it; each answers truly with probability e^ε / (1 + e^ε), and otherwise the opposite.

    The share that is found, with its 95 % interval; neither is cut off at 0 and 1, so that the mean over surveys is the truth.
    """
    rng = np.random.default_rng([seed, people])
    did, true = np.arange(people) < round(share * people), rng.random(people) < truth_rate(epsilon)
    p, yes = truth_rate(epsilon), float((did == true).mean())
    half = 1.96 * math.sqrt(yes * (1 - yes) / people) / (2 * p - 1)
    estimate = (yes - (1 - p)) / (2 * p - 1)
    return Measurement(value=estimate, low=estimate - half, high=estimate + half, n=people)


def _control(prepared: Noisy) -> Control:
    """ε."""
    return Control(label=TEXT["control"], values=EPSILONS, default=1.0, show=lambda v: f"{v:g}", ends=TEXT["ends"])


def reveal(epsilon: float, prepared: Noisy) -> Shown:
    """The survey, the sample, and the bounds from both sides."""
    p, found = truth_rate(epsilon), survey(epsilon, PEOPLE, SHARE, prepared.seed)
    value, low, high = (min(1.0, max(0.0, v)) * 100 for v in (found.value, found.low, found.high))
    ratio = f"{math.exp(epsilon):,.0f}" if epsilon > 4 else f"{math.exp(epsilon):.2f}"
    said = {"epsilon": epsilon, "truth": p * 100, "ratio": ratio, "people": PEOPLE, "estimate": value, "low": low, "high": high, "share": SHARE * 100}
    values = (TEXT["percent"].format(value=p * 100, digits=1), TEXT["times"].format(ratio=ratio), TEXT["percent"].format(value=value, digits=0))
    return Shown(answer=0 if p > SURE else 1 if p >= COIN else 2, sentence=TEXT["sentence"].format(**said),
                 numbers=tuple(Number(label=label, value=value, note=note.format(**said)) for label, value, note in zip(TEXT["numbers"], values, TEXT["notes"], strict=True)),
                 pictures=(_survey(epsilon), _model(epsilon, prepared), _bounds(prepared.bounds)))


def _survey(epsilon: float) -> Picture:
    truth = LessonLine(name=TEXT["true"], x=EPSILONS, y=tuple(truth_rate(e) * 100 for e in EPSILONS))
    error = LessonLine(name=TEXT["error"], x=EPSILONS, y=tuple(survey_error(e, PEOPLE, SHARE) * 100 for e in EPSILONS), role="second")
    frame = lines_frame([truth, error], x_title=TEXT["x"], y_title=TEXT["y"], unit=" %", mark=epsilon, log_x=True, ticks=_ticks(EPSILONS), levels=[(50.0, TEXT["coin"])], y_range=(0.0, 108.0))
    return Picture(key="survey", title=TEXT["survey"], figure=partial(lines_figure, frame), rows=frame.rows(), caption=TEXT["caption"].format(people=PEOPLE), alt=TEXT["alt"])


def _model(epsilon: float, prepared: Noisy) -> Picture:
    """An advantage a is (1 + a) / 2 right guesses."""
    grid = tuple(10 ** (i / 20) for i in range(round(20 * math.log10(prepared.along[-1].setting.value)) + 1)) if prepared.along else (1.0, 10.0)
    limit = LessonLine(name=TEXT["limit"], x=grid, y=tuple(DPLimit(e, prepared.delta).accuracy * 100 for e in grid), role="limit")
    ends = [tuple(50 * (1 + v) for v in (s.means[METRIC].value, s.means[METRIC].low, s.means[METRIC].high)) for s in prepared.along]
    attack = LessonLine(name=TEXT["attack"], x=tuple(s.setting.value for s in prepared.along), y=tuple(v for v, _, _ in ends), low=tuple(a for _, a, _ in ends),
                        high=tuple(b for _, _, b in ends), role="second")
    inside = epsilon if grid[0] <= epsilon <= grid[-1] else math.nan
    frame = lines_frame([limit, attack], x_title=TEXT["x"], y_title=TEXT["y_model"], unit=" %", mark=inside, log_x=True, ticks=_ticks((1.0, 3.0, 7.0, 17.5, 48.0)), levels=[(50.0, TEXT["guess"])])
    return Picture(key="model", title=TEXT["model"], figure=partial(lines_figure, frame), rows=frame.rows(), caption=TEXT["caption_model"].format(delta=prepared.delta), alt=TEXT["alt_model"])


def _bounds(bounds: EpsilonRange) -> Picture:
    frame = epsilon_frame(bounds)
    said = {"upper": bounds.upper, "lower": bounds.lower, "trials": bounds.trials, "ceiling": bounds.ceiling}
    return Picture(key="bounds", title=TEXT["bounds"].format(**said), figure=partial(epsilon_figure, frame), rows=frame.rows(), caption=TEXT["caption_bounds"].format(**said), alt=TEXT["alt_bounds"])


def _ticks(values: tuple[float, ...]) -> list[tuple[float, str]]:
    return [(v, f"{v:g}") for v in values]


def lesson() -> Lesson:
    """The lesson, in the language of the moment."""
    return Lesson(
        key="epsilon", order=5,
        paper="Warner 1965, Randomized response; Dwork and Roth 2014, The algorithmic foundations of differential privacy; Kairouz et al. 2015, The composition theorem for differential privacy.",
        terms=("epsilon", "delta", "differential-privacy", "randomised-response", "sensitivity", "clipping-norm", "noise-multiplier", "epsilon-lower-bound"),
        control=_control, reveal=reveal, prepare=prepare, chance=True, data=("simulated", "real"), **TEXT["lesson"],
    )
