"""Guarantees as sentences: what an ε promises and to whom, the noise behind it, what choosing among settings costs, and what protects the meta-training tasks."""

from __future__ import annotations

import math

from mrp_core.config import PrivacyConfig, StudyConfig
from mrp_core.settings import Setting
from mrp_core.wording import Texts

TEXT = Texts({
    "clients": {"client": "client", "ward": "ward"},
    "guarantee": "Guaranteed: (ε, δ) = ({epsilon:g}, {delta:g}), an upper bound that holds against every attack; noise multiplier σ = {sigma:.3g}. It protects each support record "
                 "that a new task is adapted on; the records of meta-training are assumed to be others. {rule}",
    "found": "Guaranteed: (ε, δ) = ({epsilon:g}, {delta:g}), an upper bound that holds against every attack: what the search found here adapts under this ε. It protects each support "
             "record that a new task is adapted on; the records of meta-training are assumed to be others. {rule}",
    "rule": "δ is below 1 / {n}, one over the support records, as it should be.",
    "broken": "δ = {delta:g} is not below 1 / {n}, one over the support records of an adaptation: to publish one record picked at random would meet such a guarantee. Take a smaller δ.",
    "broken_tasks": "δ for meta-training tasks is {delta:g}, which is not below 1 / {n}, one over the training tasks. Take a smaller δ.",
    "live": "Noise multiplier over {steps} steps at δ = {delta:g}: {sizes}. In brackets the quick Rényi bound; what a study publishes is the tighter {accountant} figure, the ε itself.",
    "size": "σ = {sigma:.3g} for ε = {epsilon:g} [{quick:.3g}]",
    "choosing": "The cost of choosing: ε = {epsilon:g} is this setting's own. Who adapts to the same private records once for each of {n} such settings, their number drawn at random with that "
                "mean, and releases only the best by the records of others, spends **ε = {cost:.3g}** instead (Papernot & Steinke 2022, by {accountant}); who tries a fixed {n} spends {all:.3g}. "
                "A setting chosen on other tasks, as here on held-out ones, costs nothing more.",
    "tasks": "Each meta-training task, a {task} with all its records, is protected by (ε, δ) = ({epsilon:.3g}, {delta:g}) over all seeds and arms of the study "
             "(by {accountant}; noise multiplier σ = {sigma:g}, {share:.0%} of the tasks a step).{level} Their number, their names and the scaling of the features are "
             "taken as public, and so are the validation and held-out tasks. The noise follows from the seed, so this holds against whoever doesn't know it.",
    "level": " This is client-level differential privacy (McMahan et al. 2018).",
    "no_tasks": "Noise for meta-training tasks is on, but the bound is infinite: it is too little noise.",
})


def guarantee(setting: Setting, config: StudyConfig, *, found: float = math.inf) -> str:
    """What an ε promises, in words; empty for a setting without one. ``found`` is the ε of what a search found, where the setting is that."""
    epsilon = {"epsilon": setting.value, "found": found}.get(setting.kind, math.inf)
    if math.isinf(epsilon):
        return ""
    p = config.privacy
    rule = delta_warning(config) or TEXT["rule"].format(n=records(config))
    if setting.kind == "found":
        return str(TEXT["found"].format(epsilon=epsilon, delta=p.delta, rule=rule))
    return str(TEXT["guarantee"].format(epsilon=epsilon, delta=p.delta, sigma=_sigma(p, epsilon), rule=rule))


def records(config: StudyConfig) -> int:
    """Support records of one adaptation."""
    return config.task.ways * config.task.shots


def delta_warning(config: StudyConfig) -> str:
    """A sentence where δ is no smaller than one over the records that it protects (the rule of thumb of Dwork & Roth 2014, section 2.3); empty where all is well."""
    p, n = config.privacy, records(config)
    return TEXT["broken"].format(delta=p.delta, n=n) if p.mechanism != "none" and p.delta >= 1 / n else ""


def live(config: StudyConfig) -> str:
    """Noise multipliers of the smallest and the largest ε with the quick bound, for a person who turns them; empty without noise."""
    from mrp_core.accounting import epsilon, epsilon_rdp

    p = config.privacy
    if p.mechanism == "none":
        return ""
    ends = sorted({min(p.epsilons), max(p.epsilons)})
    sigmas = {e: _sigma(p, e) for e in ends}
    sizes = ", ".join(TEXT["size"].format(sigma=sigma, epsilon=e, quick=epsilon_rdp(sigma, p.dp_steps, p.delta).epsilon) for e, sigma in sigmas.items())
    names = {epsilon(sigma, p.dp_steps, p.delta).accountant for sigma in sigmas.values()}
    return TEXT["live"].format(steps=p.dp_steps, delta=p.delta, sizes=sizes, accountant=" or ".join(sorted(names)))


def choosing(setting: Setting, config: StudyConfig, candidates: int) -> str:
    """What it costs to choose among settings of this ε on the private records themselves; empty for a setting without ε, or where there is no choice."""
    if setting.kind != "epsilon" or math.isinf(setting.value) or candidates < 2:
        return ""
    from mrp_core.accounting import gaussian_epsilon
    from mrp_core.guarantees import selection_guarantee

    p = config.privacy
    sigma = _sigma(p, setting.value)
    cost = selection_guarantee(sigma, p.dp_steps, p.delta, candidates)
    return TEXT["choosing"].format(epsilon=setting.value, n=candidates, cost=cost.epsilon, accountant=cost.accountant, all=gaussian_epsilon(math.sqrt(candidates * p.dp_steps) / sigma, p.delta))


def client(config: StudyConfig) -> str:
    """What a task of a study's sites is called."""
    return "ward" if config.task.family == "medical" else "client"


def tasks(config: StudyConfig) -> str:
    """What protects the meta-training tasks; empty where nothing does."""
    p = config.privacy
    if p.task_noise == 0:
        return ""
    from mrp_core.guarantees import task_guarantee

    found = task_guarantee(config)
    if math.isinf(found.epsilon):
        return TEXT["no_tasks"]
    task = client(config)
    text = TEXT["tasks"].format(task=TEXT["clients"][task], level=TEXT["level"] if task == "client" else "", epsilon=found.epsilon, delta=found.delta, accountant=found.accountant,
                                sigma=p.task_noise, share=found.sampling)
    known = round(config.outer.meta_batch / found.sampling)
    return text if found.delta < 1 / known or found.sampling == 1 else f"{text} {TEXT['broken_tasks'].format(delta=found.delta, n=known)}"


def _sigma(p: PrivacyConfig, epsilon: float) -> float:
    from mrp_core.accounting import gaussian_noise_multiplier

    return gaussian_noise_multiplier(epsilon, p.dp_steps, p.delta)
