"""Baseline: ordinary pre-training, then fine-tuning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mrp_core.objective import OuterLoss, Problem


@dataclass(frozen=True)
class JointThenFinetune:
    """One network with one head over all classes of the family is trained on support and query records together; a new task takes the head rows of its classes, or zeros for classes never seen."""

    name: str = "joint_then_finetune"
    title: str = "Joint training, then fine-tuning"
    summary: str = "Ordinary pre-training on all tasks at once, without an inner loop; a new task is fine-tuned."
    order: int = 6
    head_only: bool = False
    joint: bool = True
    trains: bool = True
    tunes_rate: bool = True
    baseline: bool = True
    element_rates: bool = False

    def outer(self, problem: Problem) -> OuterLoss:
        """Loss of the shared weights on support and query records, no adaptation."""
        return problem.outer_unadapted()


PLUGIN = JointThenFinetune()
