"""Information of one label drawn from known probabilities."""

from __future__ import annotations

import math

from scipy.special import xlogy

from mrp_core.audit.information import sampled_label_information
from mrp_core.conditionals import label_conditional
from mrp_core.estimating import Estimate, Estimator, Sample
from mrp_core.reading import reading


class SampledLabel(Estimator):
    """H(mean p) - mean H(p) with the jackknife's correction; z itself isn't looked at, since its distribution is known.

    A shuffled label has the same distribution for every record, so that the null is exactly 0. The cap, ln C, bounds the truth too: a value near it
    isn't "at least".
    """

    def applies(self, sample: Sample) -> bool:
        """Whether the probabilities are known."""
        return sample.probabilities is not None

    def once(self, sample: Sample) -> Estimate:
        """See :class:`mrp_core.estimating.Estimator`."""
        p = label_conditional(sample)
        own = (xlogy(p, p) - xlogy(p, p.mean(0))).sum(-1)
        return reading(float(sampled_label_information(p)), own, kind=self.kind, cap=math.log(p.shape[1]), floor=0.0, at_least=False)


PLUGIN = SampledLabel(
    name="sampled_label", title="Sampled label", summary="One label drawn from known probabilities: the plug-in with a jackknife correction.", order=1,
    source="Quenouille 1956", kind="estimate", fails="With about three records per class, all nearly certain, the correction overshoots by some 0.01 nats.",
    missing="The probabilities of the label aren't known.",
)
