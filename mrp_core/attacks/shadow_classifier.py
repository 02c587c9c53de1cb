"""The shadow-model classifier: learns on shadow models what the answers to members look like."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mrp_core.attacking import Attack, Evidence
from mrp_core.audit.shadows import require_shadows
from mrp_core.audit.signals import finite, label_margin, log_probabilities

_Array = NDArray[np.float64]
_FOLDS = 4


@dataclass(frozen=True, kw_only=True)
class ShadowClassifier(Attack):
    """Log odds of membership by logistic regression on shadow models' answers: sorted log-probabilities, the label's log odds, and their squares.

    Targets are scored in folds of twin pairs, each by a classifier that saw neither them nor their twins. It learns from a fixed random subset of answers.

    Source: Shokri et al. 2017, "Membership inference attacks against machine learning models".
    """

    examples: int = 4000

    def score(self, evidence: Evidence) -> _Array:
        """Scores [..., T, N]; 0 throughout where the shadows of a fold are all in or all out."""
        require_shadows(evidence, self.title, self.shadows)
        n = evidence.labels.shape[-1]
        logits, keep = evidence.logits.reshape(-1, *evidence.logits.shape[-3:]), evidence.keep.reshape(-1, *evidence.keep.shape[-2:])
        labels = evidence.labels.reshape(-1, n)
        out = np.zeros((len(logits), len(evidence.targets), n))
        for z, k, y, scores in zip(logits, keep, labels, out, strict=True):
            for scored, shadows in _folds(evidence):
                chosen = np.random.default_rng(0).permutation(len(shadows) * n)[:self.examples]
                model, record = shadows[chosen // n], chosen % n
                member = k[model, record]
                if member.any() and not member.all():
                    x = np.concatenate([z[model, record], z[evidence.targets[scored]].reshape(-1, z.shape[-1])])
                    found = _log_odds(_features(x, np.concatenate([y[record], np.tile(y, len(scored))])), member)
                    scores[scored] = found.reshape(len(scored), n)
        return out.reshape(*evidence.keep.shape[:-2], *out.shape[-2:])


def _folds(evidence: Evidence) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Targets (their places) scored together, and the models that are shadows of all of them."""
    pair = np.minimum(evidence.targets, evidence.twin[evidence.targets])
    pairs = np.unique(pair)
    for fold in np.array_split(pairs, min(_FOLDS, len(pairs))):
        yield np.flatnonzero(np.isin(pair, fold)), np.setdiff1d(np.arange(len(evidence.twin)), np.concatenate([fold, evidence.twin[fold]]))


def _features(logits: _Array, labels: NDArray[np.int64]) -> _Array:
    """Standardised features [M, 2 (C + 1)] of answers [M, C]; logarithms tame long tails and keep the order."""
    raw = np.concatenate([np.sort(log_probabilities(logits)[0], -1), label_margin(logits, labels)[:, None]], -1)
    tamed = np.arcsinh(np.concatenate([finite(column) for column in np.split(raw, raw.shape[-1], -1)], -1))
    tamed = _standardised(tamed)
    return np.concatenate([tamed, _standardised(np.square(tamed))], -1)


def _standardised(x: _Array) -> _Array:
    spread = x.std(0)
    return (x - x.mean(0)) / np.where(spread > 1e-12, spread, np.inf)


def _log_odds(x: _Array, member: NDArray[np.bool_]) -> _Array:
    """Log odds for the rows of x beyond those whose membership is given."""
    from sklearn.linear_model import LogisticRegression

    fitted = LogisticRegression(C=1.0, max_iter=1000).fit(x[:len(member)], member)
    return fitted.decision_function(x[len(member):])


PLUGIN = ShadowClassifier(
    name="shadow_classifier", title="Shadow-model classifier", summary="A classifier that learned on shadow models what answers to members look like.",
    order=7, source="Shokri et al. 2017", needs=frozenset({"shadows"}), shadows=1, decides=True,
)
