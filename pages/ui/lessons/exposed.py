"""Who is exposed? An attack's average hides that some records are nearly always told, and which groups they come from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from mrp_core import studyfile
from mrp_core.charts.examination import exposure_frame, shapes_figure
from mrp_core.charts.examination_dots import dots_figure, part_dots
from mrp_core.charts.frontier import setting_label
from mrp_core.errors import DataError
from mrp_core.examination import Examination
from mrp_core.findings import Histogram, PartRisk
from mrp_core.settings import UNPROTECTED
from mrp_core.wording import Texts
from pages.ui import samples, words
from pages.ui.lesson import Control, Lesson, Number, Picture, Shown

SAMPLE, TOLD, FEW, MANY = "medical", 0.95, 0.05, 0.25
TEXT = Texts({
    "sentence": "{setting}: on average the attack places a pair rightly {auc:.0f} times of 100, and **{share:.0f} %** of the records are recognised at least {told:.0f} times of 100; "
                "by chance alone it would be {null:.1f} %.{parts}",
    "apart": " By {by}, \"{top}\" is recognised more often ({top_auc}) than \"{low}\" ({low_auc}).", "overlap": " By {by}, the intervals do not single a group out.",
    "control": "Setting", "share": "{share:.0f} %", "auc_note": "[{low:.3f}, {high:.3f}]; 0.5 is guessing",
    "numbers": ("AUC over all records", "Recognised nearly always"), "note": "at least {told:.0f} of 100; chance alone: {null:.1f} %",
    "records": "Each record's own risk", "parts": "By group",
    "caption": "Bars: records by how often the attack tells their membership. Dashed: the same with membership shuffled, which is what chance alone spreads.",
    "caption_parts": "AUC of the same attack on a part of the records, with 95 % intervals; {kinds}.", "alt": "Histogram of the records' own AUC against chance.", "alt_parts": "AUC by {kinds}.",
    "none": "The sample study {name!r} comes without examinations, so this lesson has nothing to show; restore sample_data/studies from the repository.",
    "lesson": {
        "title": "Who is exposed?",
        "question": "Without protection, LiRA tells members from others in the medical sample about nine times of ten, on average over all patients. "
            "How many patients does it recognise **nearly always**, at least 95 times of 100?",
        "options": ("Hardly any, under 5 %: the attack does about as well on everyone", "Some, 5 to 25 %", "Many, more than 25 %"),
        "takeaway": "An average protects nobody: privacy fails record by record, and those who are unlike the others are found first, so look at the most exposed and at groups before you release.",
        "formula": r"\mathrm{AUC}_i=\Pr\left[s_i^{\text{in}}>s_i^{\text{out}}\right]",
        "symbols": "s is the attack's score of one record i, from a model with it and from one without it, over many of both. The mean over i says little about its largest value.",
        "source": "From the shipped examinations of the medical sample study: 128 models of each task, each patient in half of them.",
    },
})


@dataclass(frozen=True, kw_only=True)
class Shares:
    """Of the records, and of the same with membership shuffled, the share that is told at least as often as a level says."""

    records: float
    chance: float


def prepare(seed: int) -> dict[str, Examination]:
    """The sample's examinations by setting, the unprotected one first; nothing is drawn.

    Raises:
        DataError: If there is none.
    """
    samples.sample(SAMPLE)
    found = {key: samples.examination(SAMPLE, key) for key in studyfile.examinations(SAMPLE)}
    if not found:
        raise DataError(TEXT["none"].format(name=SAMPLE))
    order = {"lambda": 0, "epsilon": 1}
    return dict(sorted(found.items(), key=lambda item: (order.get(item[1].setting.kind, 2), item[1].setting.value)))


def told(histogram: Histogram, level: float = TOLD) -> Shares:
    """Shares in bins that begin at ``level`` or above (to a millionth)."""
    first = next((i for i, edge in enumerate(histogram.edges) if edge >= level - 1e-6), len(histogram.edges))
    return Shares(records=sum(histogram.members[first:]) / max(1, sum(histogram.members)), chance=sum(histogram.others[first:]) / max(1, sum(histogram.others)))


def apart(parts: list[PartRisk]) -> tuple[PartRisk, PartRisk] | None:
    """The part told best and the one told worst, if some two parts' intervals don't overlap."""
    known = [p for p in parts if p.auc.resolved]
    if len(known) < 2 or max(p.auc.low for p in known) <= min(p.auc.high for p in known):
        return None
    return max(known, key=lambda p: p.auc.value), min(known, key=lambda p: p.auc.value)


def _control(prepared: dict[str, Examination]) -> Control:
    """Which setting."""
    default = UNPROTECTED.key if UNPROTECTED.key in prepared else next(iter(prepared))
    return Control(label=TEXT["control"], values=tuple(prepared), default=default, show=lambda key: setting_label(prepared[key].setting), choice=True)


def reveal(key: str, prepared: dict[str, Examination]) -> Shown:
    """Records by their own risk, and groups."""
    e = prepared[key]
    share, auc = told(e.exposure), e.headline.means["auc"]
    parts = tuple(p for p in e.parts if p.by != "task")
    kinds = list(dict.fromkeys(p.by for p in parts))
    said = {"setting": setting_label(e.setting), "auc": auc.value * 100, "share": share.records * 100, "told": TOLD * 100, "null": share.chance * 100, "kinds": ", ".join(kinds),
            "parts": "".join(_groups(kind, [p for p in parts if p.by == kind]) for kind in kinds)}
    chart, dots = exposure_frame(e.exposure), part_dots(parts)
    return Shown(answer=0 if share.records < FEW else 1 if share.records < MANY else 2, sentence=TEXT["sentence"].format(**said),
                 numbers=(Number(label=TEXT["numbers"][0], value=words.amount("lira_auc", auc, span=False), note=TEXT["auc_note"].format(low=auc.low, high=auc.high)),
                          Number(label=TEXT["numbers"][1], value=TEXT["share"].format(**said), note=TEXT["note"].format(**said))),
                 pictures=(Picture(key="own", title=TEXT["records"], figure=partial(shapes_figure, chart), rows=chart.rows(), caption=TEXT["caption"], alt=TEXT["alt"]),
                           Picture(key="groups", title=TEXT["parts"], figure=partial(dots_figure, dots), rows=dots.rows(), caption=TEXT["caption_parts"].format(**said),
                                   alt=TEXT["alt_parts"].format(**said))))


def _groups(by: str, parts: list[PartRisk]) -> str:
    pair = apart(parts)
    if pair is None:
        return TEXT["overlap"].format(by=by) if len(parts) > 1 else ""
    top, low = pair
    return TEXT["apart"].format(by=by, top=top.name, top_auc=words.amount("lira_auc", top.auc), low=low.name, low_auc=words.amount("lira_auc", low.auc))


def lesson() -> Lesson:
    """The lesson, in the language of the moment."""
    return Lesson(
        key="exposed", order=7,
        paper="Carlini et al. 2022, The privacy onion effect; Kulynych et al. 2022, Disparate vulnerability to membership inference attacks.",
        terms=("member", "auc", "lira", "tpr-at-fpr", "attribute-inference"),
        control=_control, reveal=reveal, prepare=prepare, **TEXT["lesson"],
    )
