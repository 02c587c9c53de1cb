"""Tooltips: what a knob does to accuracy and to leakage, and how a measured number reads; both lead to the glossary."""

from __future__ import annotations

from mrp_core.knobs import Knob
from mrp_core.measurement import METRICS, Metric
from mrp_core.wording import Texts, say
from pages.ui import glossary

TEXT = Texts({
    "knob": "{help}\n\n{act}:\n- **Accuracy** · {accuracy}.\n- **Leakage** · {leakage}.\n\n",
    "acts": {"number": "Raising it", "list": "Raising its values", "switch": "Switching it on", "choice": "Choosing another"},
    "metric": "{help} ({kind}{better})", "better": {"higher": ", higher is better", "lower": ", lower is more private"},
    "more": "[More: {term}]({address})",
})
TERMS: dict[str, str] = {
    "task.family": "task", "task.mode": "task", "task.ways": "shots-ways", "task.shots": "shots-ways", "task.queries": "support-query", "task.sensitive": "attribute-inference",
    "privacy.channel": "channel", "privacy.channel_noise": "channel", "privacy.channel_digits": "channel", "privacy.attacker_queries": "channel", "privacy.loss": "lambda",
    "privacy.lambda_max": "lambda", "privacy.lambda_points": "frontier", "privacy.mechanism": "differential-privacy", "privacy.epsilons": "epsilon", "privacy.delta": "delta",
    "privacy.clip": "clipping-norm", "privacy.dp_adapts": "head", "privacy.dp_steps": "calibration", "privacy.learn_clip": "clipping-norm", "privacy.learn_noise_split": "noise-multiplier",
    "privacy.noise_weight": "lambda", "privacy.task_noise": "noise-multiplier", "privacy.task_clip": "clipping-norm", "privacy.task_delta": "delta",
    "inner.steps": "inner-loop", "inner.rate": "inner-loop", "inner.learn_rates": "inner-loop", "inner.adapts": "head",
    "outer.learner": "meta-learning", "outer.search": "frontier", "outer.iterations": "outer-loop", "outer.meta_batch": "outer-loop", "outer.rate": "outer-loop", "outer.seeds": "seed",
    "outer.first_seed": "seed", "outer.search_points": "non-dominated", "audit.tasks": "task", "audit.adaptations": "shadow", "audit.longer": "adaptation", "audit.baselines": "rate-distortion",
}
"""Knob, as part.name -> the glossary's term for it, where there is one."""
MEASURED: dict[str, str] = {
    "accuracy": "accuracy", "accuracy_0": "inner-loop", "accuracy_argmax": "accuracy", "f1": "f1", "mi": "output-mi", "mi_task": "mutual-information", "mi_excess": "mi-excess",
    "attribute_mi": "attribute-inference", "lira_auc": "lira", "lira_t_auc": "lira", "lira_advantage": "advantage", "lira_tpr_1pct": "tpr-at-fpr", "lira_tpr_01pct": "tpr-at-fpr",
    "membership_bits": "membership-bits", "threshold_auc": "loss-threshold", "epsilon": "epsilon",
}
"""Metric -> the glossary's term for it."""


def knob(part: str, name: str, spec: Knob, default: object) -> str:
    """A knob's tooltip as markdown: what it is, what raising it does to accuracy and to leakage, and the way to its term.

    Args:
        part: Part of the configuration, "task" and so on.
        name: The knob's field.
        spec: Its declaration.
        default: Its default, whose type says how one turns it.
    """
    act = "choice" if spec.choices or spec.registry or isinstance(default, str) else "switch" if isinstance(default, bool) else "list" if isinstance(default, tuple) else "number"
    text = TEXT["knob"].format(help=spec.help, act=TEXT["acts"][act], accuracy=spec.accuracy, leakage=spec.leakage)
    return f"{text}{more(TERMS[f'{part}.{name}'])}" if f"{part}.{name}" in TERMS else text


def metric(name: str, *added: str) -> str:
    """A measured number's tooltip as markdown: what it is, of which kind, which direction is better, and the way to its term; ``added`` are sentences between."""
    spec: Metric = METRICS[name]
    better = TEXT["better"][spec.better] if spec.axis != "other" else ""
    text = TEXT["metric"].format(help=spec.help, kind=say(spec.kind), better=better)
    return " ".join((text, *(a for a in added if a), more(MEASURED[name])))


def more(term: str) -> str:
    """A link to a term of the glossary."""
    return TEXT["more"].format(term=glossary.TERMS[term].name, address=glossary.address(term))
