"""g_phi: what meta-training yields. Initial weights, inner rates, conditioning; saved as safetensors with its configuration."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor

from mrp_core.accounting import noise_multiplier
from mrp_core.config import StudyConfig
from mrp_core.errors import CheckpointError, ConfigError
from mrp_core.kernel import Noise
from mrp_core.learning import MetaLearner
from mrp_core.networks import Parameters, Rows, Shape, condition_features, rows_of
from mrp_core.noising import noise_of, noise_parameters
from mrp_core.recipes import Recipe
from mrp_core.registry import plugin
from mrp_core.searching import Arm
from mrp_core.settings import Setting
from mrp_core.tensorfile import pack, unpack

FORMAT = "mrp-strategy-2"


@dataclass(frozen=True, kw_only=True)
class Adaptation:
    """How one setting adapts to a task.

    Attributes:
        row: Which parameter set of the strategy.
        weight: Privacy weight λ.
        noise: Noise multiplier; None where nothing is clipped either.
        steps, lowest: Inner steps and first adapting layer.
        rate_factor: Factor on the inner rates.
        trained: Steps of the meta-training; steps beyond keep the rates of the last of them.
        paces: Factor on the inner rates of each step beside it, [steps]; empty for none.
        noise_scales: Factor on the noise of each step, [steps], instead of what was learned; empty for none.
        temperature: Divides the released logits, after the adaptation.
    """

    row: int
    weight: float
    noise: float | None
    steps: int
    lowest: int
    rate_factor: float
    trained: int
    paces: tuple[float, ...] = ()
    noise_scales: tuple[float, ...] = ()
    temperature: float = 1.0

    def factors(self, steps: int) -> list[float]:
        """Factor on the inner rates of each of so many steps."""
        return [self.rate_factor * p for p in self.paces[:steps]] + [self.rate_factor] * (steps - len(self.paces))


def plan_of(config: StudyConfig, kind: str, value: float, row: int) -> Adaptation:
    """How a privacy weight (kind "lambda") or a noise multiplier (kind "epsilon") is served by the parameter set ``row``."""
    last = len(config.hidden)
    head = plugin("meta", config.outer.learner).head_only or config.inner.adapts == "head"
    if kind == "epsilon":
        lowest = last if head or config.privacy.dp_adapts == "head" else 0
        return Adaptation(row=row, weight=config.privacy.noise_weight, noise=value, steps=config.privacy.dp_steps, lowest=lowest, rate_factor=1.0, trained=config.privacy.dp_steps)
    return Adaptation(row=row, weight=value, noise=None, steps=config.inner.steps, lowest=last if head else 0, rate_factor=1.0, trained=config.inner.steps)


@dataclass(frozen=True, kw_only=True, eq=False)
class Strategy:
    """A meta-trained strategy for all settings and seeds of a study.

    Attributes:
        config: The study.
        shape: Sizes of the networks.
        parameters: Parameter sets, leading axis [P].
        arms: The trained configurations.
        levels: Per arm the levels at which a parameter set was chosen on validation tasks, ascending.
        choice: Per arm and level the parameter set.
        seen: Per seed the classes of the joint head that meta-training saw, for learners with a joint head.
        found: What a search on measured objectives came to, as the settings found=1, found=2, ...
    """

    config: StudyConfig
    shape: Shape
    parameters: Parameters
    arms: tuple[Arm, ...]
    levels: tuple[tuple[float, ...], ...]
    choice: tuple[tuple[int, ...], ...]
    seen: dict[int, tuple[int, ...]]
    found: tuple[Recipe, ...] = ()

    @property
    def learner(self) -> MetaLearner:
        """The meta-learner that made it."""
        return plugin("meta", self.config.outer.learner)

    def adaptation(self, setting: Setting, seed: int, longer: int = 1) -> Adaptation:
        """How a setting is served.

        Args:
            setting, seed: What is asked for.
            longer: Factor on the trained steps. An ε stays what it is: the noise is that of a run of so many steps, by the accountant.

        Raises:
            ConfigError: If the strategy wasn't trained for it, the search left it empty, or ``longer`` isn't positive.
        """
        if not longer >= 1:
            raise ConfigError(f"longer is {longer!r}, but must be a whole number from 1: a factor on the trained steps.")
        if setting.kind == "found":
            return self.serve(self.recipe(setting), seed)
        value = setting.value if setting.kind == "lambda" else 0.0
        kind = "epsilon" if setting.kind == "epsilon" else "lambda"
        if kind == "epsilon":
            value = noise_multiplier(setting.value, self.config.privacy.dp_steps, self.config.privacy.delta)
        plan = plan_of(self.config, kind, value, self._row(kind, seed, value, setting))
        if longer > 1:
            plan = replace(plan, steps=longer * plan.steps)
        if longer > 1 and kind == "epsilon":
            plan = replace(plan, noise=noise_multiplier(setting.value, plan.steps, self.config.privacy.delta))
        if setting.kind == "steps":
            return replace(plan, steps=int(setting.value))
        if setting.kind == "rate":
            return replace(plan, rate_factor=setting.value)
        return replace(plan, lowest=len(self.shape.layers) - 1) if setting.kind == "head" else plan

    def offers(self, setting: Setting) -> bool:
        """Whether a setting is one that the search has filled, or of another kind."""
        return setting.kind != "found" or setting.value in range(1, len(self.found) + 1)

    def recipe(self, setting: Setting) -> Recipe:
        """What a setting "found" stands for.

        Raises:
            ConfigError: If the search left it empty.
        """
        if not self.offers(setting):
            raise ConfigError(f"{setting.key} is empty: the search found {len(self.found)} settings; choose one of those, or another kind.")
        return self.found[int(setting.value) - 1]

    def serve(self, recipe: Recipe, seed: int) -> Adaptation:
        """How a recipe adapts with a seed's parameters.

        A step that spends the share w of K steps' budget has its noise scaled by 1 / sqrt(K w): Gaussian mechanisms compose by the sum of their squared
        inverse noise multipliers (Dong, Roth & Su 2022, corollary 3.3), so the guarantee stays that of equal steps.

        Raises:
            ConfigError: If the strategy wasn't trained for it.
        """
        noisy = math.isfinite(recipe.epsilon)
        kind, value = ("epsilon", noise_multiplier(recipe.epsilon, recipe.steps, self.config.privacy.delta)) if noisy else ("lambda", recipe.weight)
        row = self._row(kind, seed, value, Setting(kind, recipe.epsilon if noisy else value))
        return Adaptation(row=row, weight=self.config.privacy.noise_weight if noisy else value, noise=value if noisy else None, steps=recipe.steps, lowest=recipe.lowest, rate_factor=1.0,
                          trained=self.config.privacy.dp_steps if noisy else self.config.inner.steps, paces=recipe.rates,
                          noise_scales=tuple(1.0 / math.sqrt(recipe.steps * w) for w in recipe.shares), temperature=recipe.temperature)

    def _row(self, kind: str, seed: int, value: float, setting: Setting) -> int:
        for arm, levels, choice in zip(self.arms, self.levels, self.choice, strict=True):
            if arm.serves(kind, seed, value):
                return choice[min(range(len(levels)), key=lambda i: abs(levels[i] - value))]
        raise ConfigError(f"The strategy was not trained for {setting.key} with seed {seed}; choose a setting and a seed of its study.")

    def rows(self, plans: list[Adaptation], repeats: int, classes: Tensor | None = None) -> Rows:
        """Start rows for several adaptations, each ``repeats`` times in a row: [len(plans) x repeats].

        Args:
            plans: What to adapt.
            repeats: Rows of each.
            classes: int64 [len(plans) x repeats, ways] of the joint head, for learners that have one.
        """
        picked, features = self._picked(plans)
        picked |= {"features": features, "factor": features.new_tensor([p.factors(self.shape.steps) for p in plans])}
        if repeats > 1:
            picked = {k: v.repeat_interleave(repeats, 0) for k, v in picked.items()}
        factor = picked.pop("factor") * picked.pop("tuned_rate").unsqueeze(-1)
        rows = rows_of(picked, self.shape, picked["features"], self.config.inner.rate, learn_rates=self.config.inner.learn_rates, classes=classes)
        return replace(rows, rates=_held(rows.rates, plans, repeats) * factor.unsqueeze(-1))

    def noise(self, plans: list[Adaptation], repeats: int, draws: tuple[Tensor | None, ...]) -> Noise:
        """Clipping and noise of the rows of :meth:`rows`, for adaptations under noise of equally many steps; ``draws`` are one for each row.

        What was learned about the steps holds for as many as were trained: the factors of fewer or more would compose to another guarantee.
        """
        picked, features = self._picked(plans)
        made = noise_of(self.config.privacy, picked, features, features.new_tensor([p.noise or 0.0 for p in plans]), ())
        stretch = made.stretch if plans[0].steps == self.config.privacy.dp_steps else None
        if any(p.noise_scales for p in plans):
            known = features.new_ones(len(plans), plans[0].steps) if stretch is None else stretch
            stretch = torch.stack([features.new_tensor(p.noise_scales) if p.noise_scales else known[i] for i, p in enumerate(plans)])
        return replace(replace(made, stretch=stretch).repeat(repeats), draws=draws)

    def _picked(self, plans: list[Adaptation]) -> tuple[Parameters, Tensor]:
        """Parameters [len(plans), ...] and condition features [len(plans), 2]."""
        index = torch.tensor([p.row for p in plans])
        picked = {k: v[index.to(v.device)] for k, v in self.parameters.items()}
        column = picked["cb0"].new_tensor
        return picked, condition_features(column([p.weight for p in plans]), column([p.noise or 0.0 for p in plans]), self.config.privacy.lambda_max)

    def to_bytes(self) -> bytes:
        """safetensors bytes with the configuration and the choices in the header."""
        about = {"format": FORMAT, "config": self.config.to_dict(), "arms": [{"kind": a.kind, "seed": a.seed, "levels": a.levels} for a in self.arms],
                 "levels": self.levels, "choice": self.choice, "seen": {str(k): v for k, v in self.seen.items()},
                 "shape": {"features": self.shape.features, "hidden": self.shape.hidden, "outputs": self.shape.outputs, "ways": self.shape.ways, "steps": self.shape.steps}
                 | ({"grid": self.shape.grid} if self.shape.grid else {})}
        return pack(self.parameters, about | ({"found": [r.to_dict() for r in self.found]} if self.found else {}))

    def save(self, path: Path | str) -> None:
        """Write :meth:`to_bytes` to a file."""
        Path(path).write_bytes(self.to_bytes())

    @classmethod
    def load(cls, path: Path | str) -> Self:
        """Read a saved strategy.

        Raises:
            CheckpointError: If the file is missing, or as :meth:`from_bytes`.
        """
        try:
            data = Path(path).read_bytes()
        except OSError as error:
            raise CheckpointError(f"The strategy {Path(path).name!r} can't be read ({error.strerror}); train the study anew.") from error
        return cls.from_bytes(data, Path(path).name)

    @classmethod
    def from_bytes(cls, data: bytes, name: str = "strategy.safetensors") -> Self:
        """Inverse of :meth:`to_bytes`.

        Raises:
            CheckpointError: If the bytes are truncated, altered, or of another format.
        """
        try:
            about, tensors = unpack(data)
            if about["format"] != FORMAT:
                raise CheckpointError(f"The strategy {name!r} is of format {about['format']!r}, but this program reads {FORMAT!r}; train it anew.")
            sizes: dict[str, Any] = {**about["shape"], "hidden": tuple(about["shape"]["hidden"]), "grid": tuple(about["shape"].get("grid", ()))}
            shape = Shape(**sizes)
            made = cls(config=StudyConfig.from_dict(about["config"]), shape=shape, parameters=tensors,
                       arms=tuple(Arm(kind=a["kind"], seed=a["seed"], levels=tuple(a["levels"])) for a in about["arms"]),
                       levels=tuple(tuple(x) for x in about["levels"]), choice=tuple(tuple(x) for x in about["choice"]),
                       seen={int(k): tuple(v) for k, v in about["seen"].items()}, found=tuple(Recipe.from_dict(r) for r in about.get("found", ())))
            made._check()
            return made
        except (ValueError, KeyError, TypeError, AttributeError, ConfigError) as error:
            raise CheckpointError(f"The strategy {name!r} is damaged ({type(error).__name__}: {error}); train the study anew.") from error

    def _check(self) -> None:
        sets = len(next(iter(self.parameters.values())))
        fits = len(self.arms) == len(self.levels) == len(self.choice) > 0 and all(len(a) == len(b) > 0 for a, b in zip(self.levels, self.choice, strict=True))
        learned = noise_parameters(self.config.privacy, self.parameters["cb0"])
        fits = fits and all(v.shape == self.parameters[k].shape for k, v in learned.items())
        if not fits or not all(0 <= row < sets for rows in self.choice for row in rows) or self.parameters["w0"].shape[1:] != self.shape.layers[0]:
            raise ValueError("its parts don't fit together")


def _held(rates: Tensor, plans: list[Adaptation], repeats: int) -> Tensor:
    """Rates [B, steps, layers] in which steps beyond the trained ones have the last trained step's, for plans that go there."""
    if all(p.steps <= p.trained for p in plans):
        return rates
    last = torch.tensor([max(1, p.trained) - 1 for p in plans], device=rates.device).repeat_interleave(repeats)
    step = torch.minimum(torch.arange(rates.shape[1], device=rates.device), last[:, None])
    return rates.gather(1, step.unsqueeze(-1).expand_as(rates))


def noise_levels(config: StudyConfig) -> tuple[float, ...]:
    """Noise multipliers of the study's epsilons, ascending from 0 (no noise); empty without the mechanism."""
    if config.privacy.mechanism == "none":
        return ()
    p = config.privacy
    return (0.0, *sorted({noise_multiplier(e, p.dp_steps, p.delta) for e in p.epsilons if not math.isinf(e)}))
