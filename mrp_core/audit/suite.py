"""Every attack that the evidence allows, judged, and one of them named as the headline by a rule fixed beforehand. Needs numpy only."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from mrp_core.attacking import Evidence
from mrp_core.audit.roc import AttackResult, attack_result, membership_information
from mrp_core.audit.shadows import typical_shadows
from mrp_core.errors import DataError
from mrp_core.registry import plugin, plugins

MANY_SHADOWS = 16


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class AttackTable:
    """What each attack found.

    Attributes:
        headline: The attack by which the evidence is judged, chosen before looking; "" if it wasn't asked for.
        rule: One sentence: why that one.
        scores: Per attack float64 [..., T, N], higher for members.
        results: Per attack what its scores are worth; trials of one leading index are all its (target, record) pairs.
        member: bool [..., T, N], who is a member.
        left_out: Per attack that couldn't run one sentence why.
    """

    headline: str
    rule: str
    scores: Mapping[str, NDArray[np.float64]]
    results: Mapping[str, AttackResult]
    member: NDArray[np.bool_]
    left_out: Mapping[str, str]


def run_attacks(evidence: Evidence, names: Iterable[str] | None = None) -> AttackTable:
    """Score and judge the targets with every attack that the evidence allows, or with those named.

    The decision of an attack without a threshold of its own is taken at the median score of its trials, which nobody's membership enters.

    Args:
        evidence: What the attacker holds, from :func:`mrp_core.audit.evidence` or :func:`mrp_core.audit.evidence_of_target`.
        names: Names of attacks; None: all, and those that the evidence doesn't allow are left out with the reason.

    Raises:
        DataError: If a named attack isn't possible, or membership of the targets isn't known.
        ConfigError: If a name is unknown.
    """
    member = evidence.keep[..., evidence.targets, :]
    if not (member.any((-2, -1)) & ~member.all((-2, -1))).all():
        raise DataError(f"The targets' rows of keep {member.shape} must have members and non-members to judge attacks by; pass the targets' membership.")
    headline, rule = headline_attack(evidence)
    chosen = plugins("attacks") if names is None else {name: plugin("attacks", name) for name in names}
    scores: dict[str, NDArray[np.float64]] = {}
    results: dict[str, AttackResult] = {}
    left_out: dict[str, str] = {}
    for name, attack in chosen.items():
        try:
            scores[name] = attack.score(evidence)
        except DataError as error:
            if names is not None:
                raise
            left_out[name] = str(error)
            continue
        results[name] = _judged(scores[name], member, attack.decides)
    return AttackTable(headline=headline if headline in scores else "", rule=rule, scores=scores, results=results, member=member, left_out=left_out)


def headline_attack(evidence: Evidence) -> tuple[str, str]:
    """The attack that speaks for the evidence, and why; it depends on the shadows that there are, never on what attacks find.

    Taking the largest of many attacks on the same trials would find something where there is nothing.
    """
    inside, outside = typical_shadows(evidence)
    if outside == 0:
        return "loss_threshold", "Loss threshold, since there are no shadow models without the record."
    if inside == 0:
        return "rmia_offline", f"RMIA offline, since none of the {outside} shadow models was trained on the record."
    if inside + outside >= MANY_SHADOWS:
        return "lira_online", f"LiRA online with pooled variance, since there are {inside + outside} shadow models, at least {MANY_SHADOWS}."
    return "lira_online_t", f"LiRA online with a Student-t, since there are {inside + outside} shadow models, fewer than {MANY_SHADOWS}."


def _judged(scores: NDArray[np.float64], member: NDArray[np.bool_], decides: bool) -> AttackResult:
    """The result, with the decision at 0 where that means something and at the trials' median elsewhere."""
    result = attack_result(scores, member)
    if decides:
        return result
    above = scores > np.median(scores, axis=(-2, -1), keepdims=True)
    tpr = (above & member).sum((-2, -1)) / member.sum((-2, -1))
    fpr = (above & ~member).sum((-2, -1)) / (~member).sum((-2, -1))
    return dataclasses.replace(result, information=membership_information(tpr, fpr), decision_tpr=tpr, decision_fpr=fpr)
