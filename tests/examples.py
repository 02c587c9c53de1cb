"""A small examination, all made up, for tests of what shows, stores or exports one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mrp_core.examination import Examination, ExaminationOptions
from mrp_core.findings import AttackRow, AttributeRisk, EpsilonRange, Histogram, PartRisk, RecordRisk, TaskRisk
from mrp_core.measurement import Measurement
from mrp_core.results import Curve
from mrp_core.settings import Setting


def measured(value: float, half: float = 0.05, *, n: int = 4, note: str = "") -> Measurement:
    """A value with a symmetric interval."""
    return Measurement(value=value, low=round(value - half, 10), high=round(value + half, 10), n=n, note=note)


NOT_RESOLVED = Measurement(value=float("nan"), low=float("nan"), high=float("nan"), note="not resolved, needs at least 1000 non-members a task")
MEANS = {"auc": measured(0.8), "advantage": measured(0.5), "tpr_1pct": measured(0.2), "tpr_01pct": NOT_RESOLVED, "bits": measured(0.1)}
EXAMPLE = Examination(
    study="0123456789abcdef", setting=Setting("epsilon", 3.0), options=ExaminationOptions(adaptations=16, noisy_copies=4), seeds=(0, 1), tasks=2, records=20,
    rule="LiRA online with pooled variance, since there are 14 shadow models.",
    attacks=(AttackRow(name="lira_online", title="LiRA online", source="Carlini et al. 2022", headline=True, means=MEANS),
             AttackRow(name="loss_threshold", title="Loss threshold", source="Yeom et al. 2018", means={"auc": measured(0.7)}),
             AttackRow(name="label_only_noise", title="Robustness", source="Choquette-Choo et al. 2021", left_out="It needs noisy copies of each record.")),
    rocs=(Curve(setting=Setting("epsilon", 3.0), name="roc:lira_online", x=(0.01, 1.0), y=(0.2, 1.0), low=(0.1, 1.0), high=(0.3, 1.0), note="mean"),),
    histogram=Histogram(edges=(-1.0, 0.0, 1.0), members=(1, 3), others=(6, 2)), exposure=Histogram(edges=(0.0, 0.5, 0.75, 1.0), members=(10, 20, 70), others=(50, 48, 2)),
    exposed=(RecordRisk(seed=0, task="ABC", index=3, label="A", group="old", auc=measured(0.9), rank_auc=1.0, values=(0.5, -2.0, 1.0, 3.0)),
             RecordRisk(seed=1, task="ABC", index=5, label="B", group="", auc=measured(0.52), rank_auc=0.9, values=(0.0, 0.0, 0.0, 1.0))),
    parts=(PartRisk(by="class", name="A", records=20, auc=measured(0.9), tpr=measured(0.3)), PartRisk(by="class", name="B", records=20, auc=measured(0.7), tpr=measured(0.1)),
           PartRisk(by="sex", name="f", records=19, auc=measured(0.8), tpr=measured(0.2)), PartRisk(by="sex", name="m", records=21, auc=measured(0.82), tpr=measured(0.2))),
    settling=((16, measured(0.8)), (4, measured(0.7)), (8, measured(0.77))),
    epsilon=EpsilonRange(upper=3.0, lower=0.5, ceiling=1.8, delta=0.001, trials=384, level=0.95, how="Epsilon is at least 0.50."),
    attributes=(AttributeRisk(name="sex", auc=measured(0.6), information=measured(0.01, 0.005), null_auc=measured(0.5), null_information=measured(0.0, 0.001), notes=("One is unknown.",)),),
    task_membership=(TaskRisk(by="task", tasks=6, auc=measured(0.7), untrained=measured(0.5), tpr=measured(0.3), calibrated=False, notes=("Not calibrated.",)),
                     TaskRisk(by="records", tasks=6, auc=measured(0.7), untrained=measured(0.68), tpr=measured(0.3), calibrated=False, notes=("Not calibrated.",))),
    origin={"seconds": 12.5, "version": "0.1.0", "date": "2026-01-02"})


def example(**changes: Any) -> Examination:
    """:data:`EXAMPLE` with changes."""
    return replace(EXAMPLE, **changes)
