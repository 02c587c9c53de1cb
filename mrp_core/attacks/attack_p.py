"""Attack P: the rank of the loss in the target's own population."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mrp_core.attacking import Attack, Evidence
from mrp_core.audit.shadows import part
from mrp_core.audit.signals import class_ranks, finite, label_margin, tie_free


class AttackP(Attack):
    """Share of the target's population of the same class that has a higher loss; the threshold is then one false-positive rate for all classes.

    Equal ranks are put in the order of the statistic (its deviation from the mean of the population), which the published score leaves tied.

    Source: Ye et al. 2022, "Enhanced membership inference attacks", the model-dependent attack.
    """

    def score(self, evidence: Evidence) -> NDArray[np.float64]:
        """Scores [..., T, N]."""
        own, theirs = evidence.labels, part(evidence, self.title, "population_labels")
        t, n = len(evidence.targets), own.shape[-1]
        outputs = ((evidence.logits, own), (part(evidence, self.title, "population"), theirs))
        phi, others = (label_margin(z[..., evidence.targets, :, :], y[..., None, :]) for z, y in outputs)
        both = finite(np.concatenate([phi, others], -1)).reshape(-1, phi.shape[-1] + others.shape[-1])
        labels, other_labels = (np.repeat(y.reshape(-1, y.shape[-1]), t, axis=0) for y in (own, theirs))
        below, size = class_ranks(both[:, :n], labels, both[:, n:], other_labels)
        centre, spread = both[:, n:].mean(-1, keepdims=True), both[:, n:].std(-1, keepdims=True)
        return tie_free(below, size, (both[:, :n] - centre) / np.where(spread > 0, spread, 1.0)).reshape(phi.shape)


PLUGIN = AttackP(
    name="attack_p", title="Attack P (population)", summary="Ranks a record's loss among the target's losses on fresh records of the same class.", order=5,
    source="Ye et al. 2022", needs=frozenset({"population"}),
)
