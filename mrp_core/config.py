"""A study's configuration: frozen, to and from TOML, identified by the hash of its content."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import tomli_w

from mrp_core.errors import ConfigError
from mrp_core.knobs import knob, knobs_of, validate
from mrp_core.registry import plugin

VERSION = 1
SIMULATED = "# The records of this study are simulated.\n"


@dataclass(frozen=True, kw_only=True)
class TaskConfig:
    """Which tasks the strategy is trained on and judged by."""

    family: str = knob("letters", label="Task family", help="The kind of data; every family holds out tasks that training never sees.", registry="tasks")
    mode: str = knob("few_shot", label="What makes a task", help="few_shot: classes; site: same label, other site; site_target: other site and other target column.",
                     choices=("few_shot", "pairs", "site", "site_target"))
    ways: int = knob(5, label="Ways", help="Classes per task.", low=2, high=20, unit="classes")
    shots: int = knob(5, label="Shots", help="Support records per class: these are the members.", low=1, high=50, unit="records")
    queries: int = knob(15, label="Query records", help="Records per class on which the outer loss is taken.", low=1, high=100, unit="records", advanced=True)
    sensitive: str = knob("", label="Sensitive attribute", help="Which attribute an observer may want to infer; empty for the family's first.", advanced=True)
    hardness: float = knob(45.0, label="Smallest angle", help="Gaussian family only: the smallest angle between task direction and sensitive direction; small is hard.",
                           low=0.0, high=90.0, unit="degrees", advanced=True)
    table: str = knob("", label="Your table", help="Your own table only: its id, as the list of your tables shows it.")

    def __post_init__(self) -> None:
        validate(self)
        family = plugin("tasks", self.family)
        if self.mode not in family.modes:
            raise ConfigError(f"mode is {self.mode!r}, but the family {self.family!r} offers: {', '.join(family.modes)}.")


@dataclass(frozen=True, kw_only=True)
class PrivacyConfig:
    """What is released, what is penalised, and the noise."""

    channel: str = knob("sampled_label", label="Released output", help="What one query returns; utility and leakage are measured on this.",
                        choices=("sampled_label", "top_label", "noisy_scores", "scores"))
    channel_noise: float = knob(1.0, label="Score noise τ", help="noisy_scores only: standard deviation added to each logit.", low=0.01, high=20.0, scale="log", advanced=True)
    channel_digits: int = knob(1, label="Digits of a score", help="scores only: digits that a released probability is rounded to.", low=1, high=6, advanced=True)
    attacker_queries: int = knob(0, label="Queries per record", help="How often an attacker may ask about a record; 0 is without limit, the worst case.", low=0, high=1000, advanced=True)
    loss: str = knob("output_mi", label="Privacy loss", help="The leakage that λ multiplies.", registry="privacy")
    lambda_max: float = knob(0.8, label="Largest λ", help="Right end of the λ slider.", low=0.01, high=100.0, scale="log")
    lambda_points: int = knob(41, label="λ values audited", help="How finely the frontier is drawn.", low=2, high=101)
    mechanism: str = knob("dp_adaptation", label="Noise in adaptation", help="dp_adaptation clips each record's gradient and adds Gaussian noise; it is the second slider, ε.",
                          choices=("none", "dp_adaptation"))
    epsilons: tuple[float, ...] = knob((1.0, 2.0, 3.0, 5.0, 7.0, 12.0, 17.5, 48.0), label="ε values audited", help="Guarantees of one adaptation, smallest is most private.", low=0.05, high=1000.0)
    delta: float = knob(1e-3, label="δ", help="Probability that the ε guarantee may fail; keep it well below 1 / support records.", low=1e-9, high=0.1, scale="log", advanced=True)
    clip: float = knob(1.0, label="Clipping norm", help="Largest gradient norm that one record may contribute.", low=0.01, high=100.0, scale="log", advanced=True)
    dp_adapts: str = knob("head", label="Layers adapted under noise", help="Fewer noisy parameters keep more accuracy.", choices=("head", "all"), advanced=True)
    dp_steps: int = knob(3, label="Noisy steps", help="Inner steps of the noisy adaptation; each step spends budget.", low=1, high=20, unit="steps", advanced=True)

    learn_clip: bool = knob(False, label="Learn the clipping norm", help="The norm starts at the clipping norm and is meta-trained as a function of ε, within a factor of 20; the guarantee doesn't depend on it.", advanced=True)
    learn_noise_split: bool = knob(False, label="Learn each step's noise", help="How the noisy steps share the ε budget is meta-trained, instead of equal noise at each; the guarantee is the same.", advanced=True)
    noise_weight: float = knob(0.0, label="λ under noise", help="Weight of the privacy loss in the outer loop of the noisy adaptation: the loss then shapes what the noise leaves. 0: the noise alone.", low=0.0, high=1000.0, advanced=True)
    task_noise: float = knob(0.0, label="Noise for meta-training tasks", help="Noise multiplier on each outer step's sum of clipped task gradients, which protects the meta-training tasks (wards, clients) themselves; 0 is off.",
                             low=0.0, high=1000.0, advanced=True)
    task_clip: float = knob(1.0, label="Clipping norm of a task", help="Largest norm of the meta-gradient that one training task may contribute to a step.", low=1e-3, high=100.0, scale="log", advanced=True)
    task_delta: float = knob(1e-3, label="δ for meta-training tasks", help="Probability that the guarantee for a training task may fail; keep it well below 1 / training tasks.", low=1e-9, high=0.1, scale="log", advanced=True)

    def __post_init__(self) -> None:
        validate(self)
        if not plugin("privacy", self.loss).weighted and self.noise_weight > 0:
            raise ConfigError(f"noise_weight is {self.noise_weight:g}, but the loss {self.loss!r} has no weight; set noise_weight to 0, or choose another loss.")
        if not plugin("privacy", self.loss).weighted and self.mechanism == "none":
            raise ConfigError(f"loss is {self.loss!r}, which protects by noise alone, but mechanism is 'none'; set mechanism to 'dp_adaptation', or choose another loss.")


@dataclass(frozen=True, kw_only=True)
class InnerConfig:
    """The inner loop: how a task's support set changes the weights."""

    steps: int = knob(5, label="Inner steps", help="Gradient steps on the support set.", low=0, high=20, unit="steps")
    rate: float = knob(0.1, label="Inner learning rate", help="Size of an inner step; where it is learned, its start.", low=1e-4, high=10.0, scale="log")
    learn_rates: bool = knob(True, label="Learn a rate per layer and step", help="As in MAML++ (Antoniou et al. 2019), here as a function of λ and ε; otherwise one fixed rate.")
    adapts: str = knob("all", label="What adapts", help="All layers, or the head only.", choices=("all", "head"))

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True, kw_only=True)
class OuterConfig:
    """The outer loop: how the strategy is meta-trained."""

    learner: str = knob("maml", label="Meta-learner", help="How the strategy learns from many tasks; two baselines are among them.", registry="meta")
    search: str = knob("conditioned", label="Search", help="How the frontier's settings are trained: one conditioned strategy, or one training per λ.", registry="search")
    aggregator: str = knob("upgrad", label="Joining of gradients", help="Search multi_gradient only. upgrad: one preference per λ; mgda: the shortest joint direction, where λ acts in the inner loop alone.",
                           choices=("upgrad", "mgda"), advanced=True)
    iterations: int = knob(600, label="Meta-iterations", help="Outer steps.", low=1, high=50_000, scale="log")
    meta_batch: int = knob(8, label="Meta-batch", help="Tasks per outer step.", low=1, high=256, unit="tasks")
    rate: float = knob(3e-3, label="Outer learning rate", help="Step size of the outer optimiser; it falls to zero along a cosine four times, each time over twice as many iterations.", low=1e-6, high=1.0, scale="log")
    optimiser: str = knob("adam", label="Outer optimiser", help="Federated: the server's. adam: FedAdam (Reddi et al. 2021). sgd: plain, unclipped steps; with Reptile and an outer rate equal to the inner one this is federated averaging.",
                          choices=("adam", "sgd"), advanced=True)
    cross_entropy_share: float = knob(0.1, label="Cross-entropy share", help="Outer task loss: this share of cross-entropy, the rest the expected error that the released output is judged by.",
                                      low=0.0, high=1.0, advanced=True)
    seeds: int = knob(3, label="Seeds", help="Independent repetitions; intervals need at least two, verdicts better five.", low=1, high=30)
    first_seed: int = knob(0, label="First seed", help="The seeds are this one and those that follow.", low=0, high=2**31 - 1000, advanced=True)
    hidden: tuple[int, ...] = knob((64, 64), label="Hidden layers", help="Units of each hidden layer of a dense network; a convolution network has filters instead.", low=1, high=2048, advanced=True)
    network: str = knob("auto", label="Network", help="auto: convolution for pictures and signals, dense layers for other records. A convolution network doesn't use the hidden layers, but the filters.",
                        choices=("auto", "dense", "convolution"), advanced=True)
    filters: tuple[int, ...] = knob((16, 16, 32, 32), label="Filters", help="Convolution networks only: filters of each block; a block also halves the picture or signal while it can.",
                                    low=1, high=512, advanced=True)
    search_share: float = knob(0.3, label="Share for exploring", help="Searches on measured objectives only: this share of the meta-iterations is spent on measuring candidates.",
                               low=0.05, high=0.9, advanced=True)
    search_points: int = knob(12, label="Settings found", help="Searches on measured objectives only: at most so many of the settings they find are audited.", low=1, high=20, advanced=True)

    def __post_init__(self) -> None:
        validate(self)
        plugin("meta", self.learner)
        plugin("search", self.search)


@dataclass(frozen=True, kw_only=True)
class AuditConfig:
    """How each setting is measured on held-out tasks."""

    tasks: int = knob(12, label="Held-out tasks", help="Tasks on which utility and leakage are measured.", low=1, high=200)
    adaptations: int = knob(64, label="Shadow adaptations", help="Random half-subsets that each task is adapted on; an even number, each with its complement.", low=4, high=1024)
    records: int = knob(20, label="Evaluation records", help="Fresh records per class for utility and I(X;Ŷ).", low=2, high=500, unit="records")
    longer: int = knob(1, label="Longest fine-tuning", help="Also measure 2, 4, 8 ... times the trained inner steps, up to so many times; 1 measures none.", low=1, high=16, unit="times", advanced=True)
    baselines: bool = knob(True, label="Free baselines", help="Also measure temperature and rate-distortion release, fewer steps, smaller rates and head only.", advanced=True)

    def __post_init__(self) -> None:
        validate(self)
        if self.adaptations % 2:
            raise ConfigError(f"adaptations is {self.adaptations}, but must be even: each half-subset comes with its complement.")


@dataclass(frozen=True, kw_only=True)
class ComputeOptions:
    """Where and how fast; no part of a study's identity."""

    device: str = knob("cpu", label="Device", help="cpu, or cuda for the first graphics card.", choices=("cpu", "cuda"))
    precision: str = knob("float32", label="Precision", help="float64 is for checks.", choices=("float32", "float64"))
    chunk_rows: int = knob(64, label="Rows per chunk", help="Adaptations computed together; about what fits the processor's cache.", low=1, high=65_536, scale="log", advanced=True)

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True, kw_only=True)
class StudyConfig:
    """Everything that decides a study's result. Two equal configurations have the same :attr:`id`."""

    title: str = "Untitled study"
    task: TaskConfig = field(default_factory=TaskConfig)
    privacy: PrivacyConfig = field(default_factory=PrivacyConfig)
    inner: InnerConfig = field(default_factory=InnerConfig)
    outer: OuterConfig = field(default_factory=OuterConfig)
    audit: AuditConfig = field(default_factory=AuditConfig)

    def __post_init__(self) -> None:
        family = plugin("tasks", self.task.family)
        if "attribute" in plugin("privacy", self.privacy.loss).needs and not (family.sensitive or hasattr(family, "offered")):  # what a table offers is known where it lies
            raise ConfigError(f"loss is {self.privacy.loss!r}, but the family {self.task.family!r} has no sensitive attribute; choose a family that has one, or another loss.")
        if self.outer.network == "convolution" and not plugin("tasks", self.task.family).grid:
            raise ConfigError(f"network is 'convolution', but records of the family {self.task.family!r} are no pictures or signals; set network to 'auto' or 'dense'.")
        if self.privacy.task_noise > 0 and self.task.mode != "site":
            raise ConfigError(f"task_noise is {self.privacy.task_noise:g}, but tasks of the mode {self.task.mode!r} share classes or records, so a guarantee for one task would protect "
                              "neither; take a family whose tasks are sites (mode site), or set task_noise to 0.")
        if self.privacy.task_noise > 0 and plugin("search", self.outer.search).separate:
            raise ConfigError(f"task_noise is {self.privacy.task_noise:g}, but the search {self.outer.search!r} takes two gradients of each task, which the guarantee doesn't count; "
                              "choose another search, or set task_noise to 0.")

    @property
    def id(self) -> str:
        """First 16 hex digits of the SHA-256 of the version and of every knob that isn't at its default; the title doesn't count.

        A knob that is added later leaves the studies that don't turn it as they are. A default that changes needs a new version.
        """
        plain = StudyConfig().to_dict()
        content = {f"{part}.{k}": v for part, values in self.to_dict().items() if isinstance(values, dict) for k, v in values.items() if v != plain[part][k]}
        return hashlib.sha256(json.dumps({"version": VERSION, **content}, sort_keys=True).encode()).hexdigest()[:16]

    @property
    def simulated(self) -> bool:
        """Whether the records are made up: said wherever the study is shown, and in all that is exported of it."""
        return bool(plugin("tasks", self.task.family).simulated)

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds that are run."""
        return tuple(range(self.outer.first_seed, self.outer.first_seed + self.outer.seeds))

    @property
    def grid(self) -> tuple[int, ...]:
        """Channels and sizes of a record where the network is one of convolutions; empty where it is dense."""
        return () if self.outer.network == "dense" else plugin("tasks", self.task.family).grid

    @property
    def hidden(self) -> tuple[int, ...]:
        """Units of each hidden layer, or filters of each block, of the network that is trained. The head is the layer after them: its index is their number."""
        return self.outer.filters if self.grid else self.outer.hidden

    @property
    def lambdas(self) -> tuple[float, ...]:
        """The privacy weights audited: evenly spaced from 0 to ``lambda_max``; 0 alone for a privacy loss without a weight."""
        if not plugin("privacy", self.privacy.loss).weighted:
            return (0.0,)
        return tuple(round(self.privacy.lambda_max * i / (self.privacy.lambda_points - 1), 10) for i in range(self.privacy.lambda_points))

    def to_dict(self) -> dict[str, Any]:
        """Plain nested dict, with the format's version."""
        content = dataclasses.asdict(self)
        for part in content.values():
            if isinstance(part, dict):
                part.update({k: list(v) for k, v in part.items() if isinstance(v, tuple)})
        return {"version": VERSION, **content}

    def to_toml(self) -> str:
        """The configuration as TOML text that :meth:`from_toml` reads back; a comment says so where the records are simulated."""
        return (SIMULATED if self.simulated else "") + tomli_w.dumps(self.to_dict())

    @classmethod
    def from_toml(cls, text: str) -> Self:
        """Read TOML text.

        Raises:
            ConfigError: If it isn't TOML, is of another version, or a knob is unknown or out of range.
        """
        try:
            content = tomllib.loads(text)
        except (ValueError, RecursionError) as error:  # numbers of thousands of digits and endless nesting among them
            raise ConfigError(f"The study file is not valid TOML: {error}. Correct that place, or export the study anew.") from error
        return cls.from_dict(content)

    @classmethod
    def from_file(cls, path: Path | str) -> Self:
        """Read a TOML file.

        Raises:
            ConfigError: If the file can't be read, or as :meth:`from_toml`.
        """
        try:
            text = Path(path).read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            raise ConfigError(f"The study file {str(path)!r} can't be read: {error}. Give the path of a TOML file.") from error
        return cls.from_toml(text)

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> Self:
        """Build from a nested dict as :meth:`to_dict` makes it; missing knobs take their defaults.

        Raises:
            ConfigError: As :meth:`from_toml`.
        """
        content = dict(content)
        version = content.pop("version", VERSION)
        if version != VERSION:
            raise ConfigError(f"The study is of configuration version {version!r}, but this program reads version {VERSION}; "
                              "open it with the program that wrote it, or export it anew.")
        title = content.pop("title", "Untitled study")
        if not isinstance(title, str) or not title.strip() or len(title) > 200:
            raise ConfigError(f"title is {title!r}, but must be a text of 1 to 200 characters.")
        parts = {f.name: f for f in dataclasses.fields(cls) if f.name != "title"}
        unknown = sorted(set(content) - set(parts))
        if unknown:
            raise ConfigError(f"The study has an unknown part {unknown[0]!r}; the parts are: {', '.join(parts)}.")
        return cls(title=title.strip(), **{name: _part(name, f.default_factory, content[name]) for name, f in parts.items() if name in content})


def _part(name: str, part: Any, values: Any) -> Any:
    if not isinstance(values, dict):
        raise ConfigError(f"The part {name!r} is {values!r}, but must be a table of knobs.")
    known = knobs_of(part)
    for key in values:
        if key not in known:
            raise ConfigError(f"{name}.{key} is not a knob; the knobs of {name} are: {', '.join(known)}.")
    return part(**{key: _typed(known[key][0].default, value) for key, value in values.items()})


def _typed(default: Any, value: Any) -> Any:
    """TOML has lists, not tuples, and a person may write 1 for 1.0."""
    if isinstance(default, tuple) and isinstance(value, list):
        return tuple(_typed(default[0], item) for item in value)
    if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool) and abs(value) <= 2**53:
        return float(value)
    return value
