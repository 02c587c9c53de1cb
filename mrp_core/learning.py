"""The interface that each file in ``mrp_core/meta`` fills."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from mrp_core.objective import OuterLoss, Problem


class MetaLearner(Protocol):
    """The interface of a meta-learner's ``PLUGIN``.

    Attributes:
        name, title, summary, order: As for every plug-in.
        head_only: Whether only the head adapts, whatever the study says.
        joint: Whether one head over all classes of the family is trained, from which a task takes its rows.
        trains: Whether there is any meta-training.
        tunes_rate: Whether the inner rate is not learned, but picked on validation tasks from a declared list.
        baseline: Whether this is a yardstick rather than a meta-learner.
        element_rates: Whether each weight and bias has a learned inner rate of its own, on top of those per layer and step.
    """

    name: str
    title: str
    summary: str
    order: int
    head_only: bool
    joint: bool
    trains: bool
    tunes_rate: bool
    baseline: bool
    element_rates: bool

    def outer(self, problem: Problem) -> OuterLoss:
        """A loss whose gradient with respect to the strategy's parameters is the meta-gradient."""
        ...
