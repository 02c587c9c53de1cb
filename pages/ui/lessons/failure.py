"""What does an attack's failure prove? The same leaky model under weak attacks and strong ones, with few shadow models and with many."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import Any

from mrp_core.charts.examination import settling_figure, settling_frame
from mrp_core.charts.lesson_bars import Bar, bars_figure, bars_frame
from mrp_core.errors import DataError
from mrp_core.examination import Examination
from mrp_core.measurement import Measurement
from mrp_core.settings import UNPROTECTED
from mrp_core.wording import Texts
from pages.ui import samples
from pages.ui.lesson import Control, Lesson, Number, Picture, Shown

SAMPLE, TRIED, HEADLINE, METRIC, SOME, MANY = "letters", "loss_threshold", "lira_online", "tpr_1pct", 2.0, 4.0
LADDER = ("label_only_gap", "entropy", "loss_threshold", "attack_p", "rmia_offline", "lira_online")
"""From what needs least to what needs most; fixed here, not by what they found."""
TEXT = Texts({
    "sentence": "Of 1,000 members, at one false accusation in 100, **{name}** finds **{value:.0f}** [{low:.0f}, {high:.0f}]; guessing finds 10. LiRA, with {n} shadow models, finds {best:.0f} "
                "**in the very same model**, {times:.1f} times as many as the loss threshold.",
    "attacks": {"label_only_gap": "right or wrong only", "entropy": "entropy", "loss_threshold": "loss threshold", "attack_p": "attack P", "rmia_offline": "RMIA, offline",
                "lira_online": "LiRA, online"},
    "control": "Attack", "ends": ("← knows little", "knows much →"),
    "numbers": ("This attack finds", "LiRA finds", "ε is at least"), "found": "{value:.0f} of 1,000", "note": "[{low:.0f}, {high:.0f}]; guessing is 10",
    "bound": "shown in {trials:,} trials; no upper bound", "ladder": "Members found, by attack", "x": "found at 1 % false accusations", "settle": "LiRA with few shadow models and with many",
    "caption": "Orange: the attack chosen. Pale: attacks not tried yet. Dotted: guessing. All on the same models. Who sees only right or wrong can't accuse as few as one in 100.",
    "caption_settle": "The same attack with more shadow models. An auditor who stops at {least} sees an AUC of {first:.2f}, one who goes on to {most} sees {last:.2f}.",
    "alt": "Bars of the members that each attack finds; {name} finds {value:.0f} of 1,000.", "alt_settle": "AUC of LiRA over the number of shadow models.",
    "none": "The examination has no attack to compare, so this lesson has nothing to show; restore sample_data/studies from the repository.",
    "lesson": {
        "title": "What does a failed attack prove?",
        "question": "An auditor tries the loss-threshold attack on the unprotected letters model. At one false accusation in 100 it finds only a few members more than guessing does. "
            "\"So little leaks\", says the report. How many members does LiRA find in the very same model?",
        "options": ("About as many, fewer than twice", "Two to four times as many", "More than four times as many"),
        "takeaway": "A failed attack proves nothing about the next one: every attack is a bound from below, and only a guarantee such as ε is one from above.",
        "formula": r"\varepsilon_\text{shown by an attack}\ \le\ \varepsilon\ \le\ \varepsilon_\text{accounted}",
        "symbols": "The left side grows with better attacks, the right side needs a proof. An attack that fails leaves the left side at 0, and the right side wherever it was.",
        "source": "From the shipped examination of the unprotected letters study; intervals over seeds and tasks.",
    },
})


@dataclass(frozen=True, kw_only=True)
class Tried:
    """The attacks of an examination that are compared, by name, and what else it found."""

    rates: dict[str, Measurement]
    examination: Examination


def prepare(seed: int) -> Tried:
    """Read the sample's examination; nothing is drawn.

    Raises:
        DataError: If it is missing, or lacks the attacks.
    """
    e = samples.examination(SAMPLE, UNPROTECTED.key)
    made = {a.name: a.means[METRIC] for a in e.attacks if METRIC in a.means and a.means[METRIC].resolved}
    rates = {name: made[name] for name in LADDER if name in made}
    if not {TRIED, HEADLINE} <= rates.keys():
        raise DataError(TEXT["none"])
    return Tried(rates=rates, examination=e)


def found_times(rates: dict[str, Measurement]) -> float:
    """How many times as many members LiRA finds as the attack that was tried; infinite if that found none."""
    least = rates[TRIED].value
    return rates[HEADLINE].value / least if least > 0 else math.inf


def _control(prepared: Tried) -> Control:
    """Which attack."""
    return Control(label=TEXT["control"], values=tuple(prepared.rates), default=TRIED, show=lambda name: TEXT["attacks"][name], ends=TEXT["ends"])


def reveal(name: str, prepared: Tried) -> Shown:
    """What the attack finds, and what the others do."""
    rates, e = prepared.rates, prepared.examination
    m, times = rates[name], found_times(rates)
    said = {"name": TEXT["attacks"][name], "value": m.value * 1000, "low": m.low * 1000, "high": m.high * 1000, "best": rates[HEADLINE].value * 1000, "times": times,
            "n": e.options.adaptations - 2}
    names = list(rates)
    bars = bars_frame([Bar(name=TEXT["attacks"][n], value=r.value * 100, low=r.low * 100, high=r.high * 100, chosen=n == name, faint=names.index(n) > names.index(name)) for n, r in rates.items()],
                      x_title=TEXT["x"], level=1.0, unit=" %")
    return Shown(answer=0 if times < SOME else 1 if times < MANY else 2, sentence=TEXT["sentence"].format(**said), numbers=_numbers(prepared, said),
                 pictures=(Picture(key="ladder_of_attacks", title=TEXT["ladder"], figure=partial(bars_figure, bars), rows=bars.rows(), caption=TEXT["caption"], alt=TEXT["alt"].format(**said)),
                           *_settling(e)))


def _numbers(prepared: Tried, said: dict[str, Any]) -> tuple[Number, ...]:
    bound, lira = prepared.examination.epsilon, prepared.rates[HEADLINE]
    best = {"value": lira.value * 1000, "low": lira.low * 1000, "high": lira.high * 1000}
    return (Number(label=TEXT["numbers"][0], value=TEXT["found"].format(**said), note=TEXT["note"].format(**said)),
            Number(label=TEXT["numbers"][1], value=TEXT["found"].format(**best), note=TEXT["note"].format(**best)),
            Number(label=TEXT["numbers"][2], value=f"{bound.lower:.2f}", note=TEXT["bound"].format(trials=bound.trials)))


def _settling(e: Examination) -> tuple[Picture, ...]:
    settled = settling_frame(e.settling)
    if len(settled.counts) < 2:
        return ()
    text = TEXT["caption_settle"].format(least=settled.counts[0], first=settled.value[0], most=settled.counts[-1], last=settled.value[-1])
    return (Picture(key="settled", title=TEXT["settle"], figure=partial(settling_figure, settled, height=310), rows=settled.rows(), caption=text, alt=TEXT["alt_settle"]),)


def lesson() -> Lesson:
    """The lesson, in the language of the moment."""
    return Lesson(
        key="failure", order=8,
        paper="Carlini et al. 2022, Membership inference attacks from first principles; Zarifzadeh et al. 2024, Low-cost high-power membership inference attacks.",
        terms=("loss-threshold", "lira", "rmia", "shadow", "tpr-at-fpr", "epsilon-lower-bound", "roc"),
        control=_control, reveal=reveal, prepare=prepare, **TEXT["lesson"],
    )
