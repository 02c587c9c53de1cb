"""Privacy audits of any model from plain arrays: membership attacks, ROC, and information through the released channel. Needs numpy and scipy only.

The everyday case is one trained model, its logits on records that it was or wasn't trained on, and the logits of shadow models trained likewise on other
subsets of them. Here each model is simulated: an answer to a record that the model was trained on has two more on the label's logit.

>>> import numpy as np
>>> from mrp_core.audit import evidence_of_target, run_attacks
>>> rng = np.random.default_rng(0)
>>> shadows, records, classes = 24, 400, 3
>>> labels = rng.integers(0, classes, records)
>>> trained_on = rng.random((1 + shadows, records)) < 0.5
>>> label = labels[:, None] == np.arange(classes)
>>> difficulty = rng.normal(0, 2, (records, 1))
>>> logits = rng.normal(size=(1 + shadows, records, classes)) + label * (difficulty + 2 * trained_on[..., None])
>>> held = evidence_of_target(logits[0], logits[1:], trained_on[1:], labels, member=trained_on[0])

All attacks that this evidence allows; the one to be believed was fixed by a rule before looking, and isn't the best of them:

>>> table = run_attacks(held)
>>> table.headline, table.rule
('lira_online', 'LiRA online with pooled variance, since there are 24 shadow models, at least 16.')
>>> result = table.results[table.headline]
>>> 0.75 < float(result.auc) < 0.95, float(result.at(0.01)) > 0.1
(True, True)
>>> float(result.auc) > float(table.results["loss_threshold"].auc) + 0.1
True
>>> table.left_out["attack_p"]
"Attack P (population) needs the target's outputs on records that no model was trained on (population_labels), which the evidence doesn't have."

Scores are there for each target and record, without membership too; whatever isn't what it should be is said:

>>> table.scores["rmia_online"].shape
(1, 400)
>>> p = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
>>> evidence_of_target(p[0], p[1:], trained_on[1:], labels)
Traceback (most recent call last):
mrp_core.errors.DataError: target_logits (400, 3) are probabilities (each row lies in [0, 1] and sums to 1), but must be logits; pass np.log(p).

Where every model can be the target once, :func:`evidence` takes all of them; or the statistic alone is enough, as below.
The in/out matrix ``keep`` says which record each of R models was trained (or adapted) on; models come in complementary pairs. Here one record in each
task is easy to spot, because its statistic moves by eight standard deviations when it is in:

>>> from mrp_core.audit import attack_result, averaged_roc, lira_online
>>> rng = np.random.default_rng(0)
>>> tasks, models, records = 3, 32, 40
>>> half = rng.random((tasks, models // 2, records)).argsort(-1) < records // 2
>>> keep = np.concatenate([half, ~half], axis=1)
>>> twin = (np.arange(models) + models // 2) % models
>>> difficulty = rng.normal(0, 2, (tasks, 1, records))
>>> moves = np.where(np.arange(records) == 0, 8.0, 1.0)
>>> phi = difficulty + moves * keep + rng.normal(size=keep.shape)

Every model is the target once; it and its twin are never among its own shadows. Trials of a task are all its (model, record) pairs:

>>> scores = lira_online(phi, keep, twin)
>>> attack = attack_result(scores, keep)
>>> attack.auc.shape, bool((attack.auc > 0.7).all())
((3,), True)
>>> attack.note(0.001)
'not resolved, needs at least 1000 non-members'
>>> bool(np.isnan(attack.at(0.001)).all()), bool((attack.at(0.01) > 0.02).all())
(True, True)

The spotted record alone is told apart always:

>>> attack_result(scores[..., :1], keep[..., :1]).auc.tolist()
[1.0, 1.0, 1.0]

Seeds and tasks are averaged with a clustered band:

>>> mean, low, high = averaged_roc(attack.tpr[None])
>>> bool((low <= mean)[-10:].all() and (mean <= high)[-10:].all())
True

What one released answer tells about the queried record, in nats (two classes, always sure and right):

>>> from mrp_core.audit import channel_information, one_hot
>>> labels = np.array([0, 1] * 10)
>>> sure = channel_information(one_hot(labels, 2), labels)
>>> round(float(sure.total), 4), round(float(sure.task), 4), round(float(sure.excess), 4)
(0.6931, 0.6931, 0.0)
"""

from mrp_core.audit.attribute import attribute_inference
from mrp_core.audit.epsilon import Thresholds, two_proportion_bound
from mrp_core.audit.evidence import evidence, evidence_of_target
from mrp_core.audit.information import (
    ChannelInformation,
    channel_information,
    deterministic_information,
    noisy_scores_information,
    sampled_label_information,
)
from mrp_core.audit.membership import lira, lira_online, loss_threshold
from mrp_core.audit.one_run import Guesses, one_run_bound
from mrp_core.audit.roc import FPR_GRID, AttackResult, attack_result, averaged_roc, membership_information, roc_curve, tpr_at
from mrp_core.audit.suite import AttackTable, headline_attack, run_attacks
from mrp_core.audit.trials import independent_trials, record_pairs
from mrp_core.audit.utility import accuracy_f1, confusion, one_hot

__all__ = [
    "FPR_GRID",
    "AttackResult",
    "AttackTable",
    "ChannelInformation",
    "Guesses",
    "Thresholds",
    "accuracy_f1",
    "attack_result",
    "attribute_inference",
    "averaged_roc",
    "channel_information",
    "confusion",
    "deterministic_information",
    "evidence",
    "evidence_of_target",
    "headline_attack",
    "independent_trials",
    "lira",
    "lira_online",
    "loss_threshold",
    "membership_information",
    "noisy_scores_information",
    "one_hot",
    "one_run_bound",
    "record_pairs",
    "roc_curve",
    "run_attacks",
    "sampled_label_information",
    "tpr_at",
    "two_proportion_bound",
]
