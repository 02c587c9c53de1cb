"""Why meta-learning? The same few noisy steps on new tasks, from a learned start and from a random one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mrp_core.charts.lesson_lines import LessonLine, Role, lines_figure, lines_frame
from mrp_core.errors import DataError
from mrp_core.measurement import METRICS, Measurement
from mrp_core.settings import UNPROTECTED, Setting
from mrp_core.wording import Texts
from pages.ui import samples, words
from pages.ui.lesson import Control, Lesson, Number, Picture, Shown

if TYPE_CHECKING:
    from mrp_core.evaluation import AuditTasks
    from mrp_core.strategy import Strategy
    from mrp_core.taskdata import HeldOutTasks

SAMPLE, SEEDS, HALVES, ASKED, WANTED = "letters", 3, 4, 3.0, (17.5, 7.0, 3.0, 1.0)
METRIC, LEARNED, SCRATCH = "accuracy", "learned", "scratch"
TEXT = Texts({
    "sentence": "{setting}: after {steps} steps the meta-learned start is right **{learned:.0f} %** of the time, the random one **{scratch:.0f} %**; {verdict}, {change} {span}. "
                "Guessing is {chance:.0f} %.",
    "verdicts": ("the paired difference is real", "the paired difference does not tell them apart", "the paired difference is real, for the random start"),
    "settings": {"lambda": "Without any protection", "epsilon": "With the guarantee ε = {value:g}"}, "short": {"lambda": "no protection", "epsilon": "ε = {value:g}"},
    "starts": {"learned": "meta-learned start", "scratch": "random start"}, "control": "Protection of the adaptation", "ends": ("← more accurate", "more private →"), "unprotected": "none",
    "tick": "ε={value:g}", "percent": "{value:.1f} %",
    "numbers": ("Meta-learned start", "Random start", "Difference, paired by task"), "note": "[{low:.1f}, {high:.1f}] after {steps} steps", "difference": "{span} points",
    "steps": "New tasks, step by step", "along": "At the end, by protection", "x": "adaptation steps on the new task", "x_along": "protection", "guess": "guessing",
    "caption": "{tasks} tasks that meta-training never saw, in each of {seeds} seeds, each adapted on {halves} random support sets. Bands: 95 %. Blue: the strategy of the sample; "
               "green, dashed: random weights.",
    "caption_along": "Both adapt in the same way: {lowest} adapts under ε, with the same clipping, noise and steps. The random start's step size was chosen on validation tasks.",
    "head": "the head alone", "all": "every layer", "alt": "Accuracy over adaptation steps from a meta-learned and from a random start.", "alt_along": "Accuracy after the last step by protection.",
    "none": "The sample study {name!r} comes without its strategy, so this lesson has nothing to show; restore sample_data/studies from the repository.",
    "lesson": {
        "title": "Why meta-learning?",
        "question": "Five letters that training never saw, five examples of each, and a guarantee of ε = 3 for these examples: each step is clipped and gets noise. One adaptation starts from "
            "weights that were meta-learned on other letters, the other from random ones. Which one is more accurate in the end?",
        "options": ("The meta-learned start", "They can't be told apart: the noise drowns everything", "The random start"),
        "takeaway": "Noise hides what the private examples teach, so whoever needs less from them loses less: what can be learned from other tasks needn't be learned from private records.",
        "formula": r"\begin{array}{c}\theta_{k+1}=\theta_k-\alpha\left(\frac1n\sum_i\mathrm{clip}_c\left(\nabla L_i(\theta_k)\right)+\xi_k\right)"
            r"\\\xi_k\sim\mathcal N\left(0,\tfrac{\sigma^2c^2}{n^2}\right)\end{array}",
        "symbols": "The inner loop: n support records, clipping norm c, noise multiplier σ, step size α. Meta-learning chooses θ₀ and α.",
        "source": "Adapted here, now, with the strategy of the shipped letters study, on its held-out tasks.",
    },
})


@dataclass(frozen=True, kw_only=True, eq=False)
class Race:
    """Accuracies of both starts.

    Attributes:
        accuracy: By setting and start: float64 [seeds, tasks, steps + 1], a fraction, from 0 steps on.
        ways: Classes of a task.
        head: Whether the head alone adapts under ε.
    """

    accuracy: dict[Setting, dict[str, NDArray[np.float64]]]
    ways: int
    head: bool

    def ends(self, setting: Setting, start: str) -> Measurement:
        """Accuracy after the last step."""
        return _interval(self.accuracy[setting][start][..., -1])

    def difference(self, setting: Setting) -> Measurement:
        """Meta-learned less random start after the last step, paired by seed and task."""
        both = self.accuracy[setting]
        return _interval(both[LEARNED][..., -1] - both[SCRATCH][..., -1], low=-1.0)


def prepare(seed: int) -> Race:
    """Adapt the sample's strategy, and random weights in the same way, to the sample's held-out tasks: no meta-training happens here, and nothing is drawn anew.

    Raises:
        DataError: If the sample or its strategy is missing.
        CheckpointError: If the strategy is damaged.
    """
    from dataclasses import replace

    from mrp_core.engine import train
    from mrp_core.strategy import Strategy
    from mrp_core.threads import prepare as set_up

    study = samples.sample(SAMPLE)
    if study.strategy is None:
        raise DataError(TEXT["none"].format(name=SAMPLE))
    set_up()
    config = study.config
    epsilons = tuple(e for e in WANTED if e in config.privacy.epsilons) if config.privacy.mechanism != "none" else ()
    few = replace(config, outer=replace(config.outer, learner="from_scratch", seeds=min(SEEDS, config.outer.seeds)), privacy=replace(config.privacy, lambda_points=2, epsilons=epsilons or (ASKED,)))
    starts = {LEARNED: Strategy.load(study.strategy), SCRATCH: train(few)}
    settings = (UNPROTECTED, *(Setting("epsilon", e) for e in epsilons))
    found = {name: [_accuracies(strategy, settings, seed) for seed in few.seeds] for name, strategy in starts.items()}
    accuracy = {s: {name: np.stack([seed[i] for seed in found[name]]) for name in starts} for i, s in enumerate(settings)}
    return Race(accuracy=accuracy, ways=config.task.ways, head=config.privacy.dp_adapts == "head")


def winner(difference: Measurement) -> int:
    """0 if the meta-learned start is really ahead, 2 if the random one is, 1 if they aren't told apart."""
    return 1 if not words.real(difference) else 0 if difference.value > 0 else 2


def _control(prepared: Race) -> Control:
    """How the adaptation is protected."""
    settings = tuple(prepared.accuracy)
    return Control(label=TEXT["control"], values=settings, default=min(settings, key=lambda s: abs(s.value - ASKED) if s.kind == "epsilon" else math.inf), show=_short,
                   ends=TEXT["ends"])


def reveal(setting: Setting, prepared: Race) -> Shown:
    """Both starts, step by step and at the end."""
    both, d = prepared.accuracy[setting], prepared.difference(setting)
    steps = both[LEARNED].shape[-1] - 1
    ends = {name: prepared.ends(setting, name) for name in (LEARNED, SCRATCH)}
    seeds, tasks = both[LEARNED].shape[:2]
    said = {"setting": TEXT["settings"][setting.kind].format(value=setting.value), "steps": steps, "learned": ends[LEARNED].value * 100, "scratch": ends[SCRATCH].value * 100,
            "verdict": TEXT["verdicts"][winner(d)], "change": words.change(METRIC, d), "span": words.span(METRIC, d), "chance": 100 / prepared.ways, "tasks": tasks, "seeds": seeds, "halves": HALVES,
            "lowest": TEXT["head" if prepared.head else "all"]}
    numbers = [Number(label=label, value=TEXT["percent"].format(value=m.value * 100), note=TEXT["note"].format(low=m.low * 100, high=m.high * 100, steps=steps))
               for label, m in zip(TEXT["numbers"], ends.values(), strict=False)]
    return Shown(answer=winner(d), sentence=TEXT["sentence"].format(**said),
                 numbers=(*numbers, Number(label=TEXT["numbers"][2], value=words.change(METRIC, d), note=TEXT["difference"].format(span=words.span(METRIC, d)))),
                 pictures=(_steps(both, prepared.ways, said), _along(setting, prepared, said)))


def _accuracies(strategy: Strategy, settings: tuple[Setting, ...], seed: int) -> list[NDArray[np.float64]]:
    """Of each setting [tasks, steps + 1]: accuracy of what is released for records that no adaptation saw, before and after each step, averaged over support sets."""
    from mrp_core.evaluation import audit_tasks, study_tasks

    held = study_tasks(strategy.config, seed)
    tasks = audit_tasks(held, adaptations=HALVES, seed=seed, seen=strategy.seen[seed], like=strategy.parameters["cb0"])
    return [_by_step(strategy, setting, seed, held, tasks) for setting in settings]


def _by_step(strategy: Strategy, setting: Setting, seed: int, held: HeldOutTasks, tasks: AuditTasks) -> NDArray[np.float64]:
    from dataclasses import replace

    from mrp_core.channel import utility
    from mrp_core.evaluation import evaluate

    whole, privacy = strategy.adaptation(setting, seed), strategy.config.privacy
    out = [evaluate(strategy, [replace(whole, steps=k)], tasks, threads=1) for k in range(1, whole.steps + 1)]
    after = [utility(privacy, o.fresh[0], held.eval_y[:, None, :], seed).accuracy.mean(1) for o in out]
    return np.stack([utility(privacy, out[0].start[0], held.eval_y, seed).accuracy, *after], -1)


def _steps(both: dict[str, NDArray[np.float64]], ways: int, said: dict[str, Any]) -> Picture:
    xs = tuple(map(float, range(both[LEARNED].shape[-1])))
    lines = [_line(name, xs, [_interval(values[..., k]) for k in range(values.shape[-1])]) for name, values in both.items()]
    frame = lines_frame(lines, x_title=TEXT["x"], y_title=METRICS[METRIC].label, unit=" %", mark=xs[-1], levels=[(100 / ways, TEXT["guess"])], ticks=[(x, f"{x:g}") for x in xs])
    return Picture(key="steps", title=TEXT["steps"], figure=partial(lines_figure, frame), rows=frame.rows(), caption=TEXT["caption"].format(**said), alt=TEXT["alt"])


def _along(setting: Setting, prepared: Race, said: dict[str, Any]) -> Picture:
    settings = list(prepared.accuracy)
    xs = tuple(map(float, range(len(settings))))
    lines = [_line(name, xs, [prepared.ends(s, name) for s in settings]) for name in (LEARNED, SCRATCH)]
    frame = lines_frame(lines, x_title=TEXT["x_along"], y_title=METRICS[METRIC].label, unit=" %", mark=float(settings.index(setting)), levels=[(100 / prepared.ways, TEXT["guess"])],
                        ticks=[(x, TEXT["unprotected"] if s == UNPROTECTED else TEXT["tick"].format(value=s.value)) for x, s in zip(xs, settings, strict=True)])
    return Picture(key="along", title=TEXT["along"], figure=partial(lines_figure, frame), rows=frame.rows(), caption=TEXT["caption_along"].format(**said), alt=TEXT["alt_along"])


def _line(name: str, xs: tuple[float, ...], values: list[Measurement]) -> LessonLine:
    role: Role = "first" if name == LEARNED else "second"
    return LessonLine(name=TEXT["starts"][name], x=xs, y=tuple(100 * m.value for m in values), low=tuple(100 * m.low for m in values), high=tuple(100 * m.high for m in values), role=role)


def _interval(values: NDArray[np.float64], low: float = 0.0) -> Measurement:
    from mrp_core.intervals import interval

    return interval(values, low=low, high=1.0)


def _short(setting: Setting) -> str:
    return TEXT["short"][setting.kind].format(value=setting.value)


def lesson() -> Lesson:
    """The lesson, in the language of the moment."""
    return Lesson(
        key="meta", order=6,
        paper="Finn et al. 2017, Model-agnostic meta-learning; Abadi et al. 2016, Deep learning with differential privacy.",
        terms=("meta-learning", "adaptation", "inner-loop", "outer-loop", "support-query", "shots-ways", "head", "clipping-norm", "noise-multiplier"),
        control=_control, reveal=reveal, prepare=prepare, **TEXT["lesson"],
    )
