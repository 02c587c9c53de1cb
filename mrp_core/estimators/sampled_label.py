"""Information of one label drawn from known probabilities."""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy.special import xlogy

from mrp_core.audit.information import sampled_label_information
from mrp_core.conditionals import label_conditional
from mrp_core.estimating import Estimate, EstimateKind, Sample
from mrp_core.pairs import checked, not_applicable, reading, shuffled, with_null


@dataclass(frozen=True)
class SampledLabel:
    """H(mean p) - mean H(p) with the jackknife's correction; z itself isn't looked at, since its distribution is known.

    A shuffled label has the same distribution for every record, so that the null is exactly 0. The cap, ln C, bounds the truth too: a value near it
    isn't "at least".
    """

    name: str = "sampled_label"
    title: str = "Sampled label"
    summary: str = "One label drawn from known probabilities: the plug-in with a jackknife correction."
    order: int = 1
    source: str = "Quenouille 1956"
    kind: EstimateKind = "estimate"
    fails: str = "With about three records per class, all nearly certain, the correction overshoots by some 0.01 nats."

    def applies(self, sample: Sample) -> bool:
        """Whether the probabilities are known."""
        return sample.probabilities is not None

    def estimate(self, sample: Sample, *, null: bool = False) -> Estimate:
        """I(X; label); see :class:`mrp_core.estimating.Estimator`.

        Raises:
            DataError: If the arrays don't fit, or a row of probabilities isn't a distribution.
        """
        if not self.applies(sample):
            return not_applicable(self.kind, "The probabilities of the label aren't known.")
        checked(sample, least=2)
        made = self._once(sample)
        return with_null(made, self._once(shuffled(sample))) if null else made

    def _once(self, sample: Sample) -> Estimate:
        p = label_conditional(sample)
        own = (xlogy(p, p) - xlogy(p, p.mean(0))).sum(-1)
        return reading(float(sampled_label_information(p)), own, kind=self.kind, cap=math.log(p.shape[1]), floor=0.0, at_least=False)


PLUGIN = SampledLabel()
