"""The parts of a study's configuration: every knob with its range, its words, and what raising it does to accuracy and to leakage.

The directions are those of the sample studies, of the benchmarks and of theory; where they depend on the data they say so.
"""

from __future__ import annotations

from dataclasses import dataclass

from mrp_core.errors import ConfigError
from mrp_core.knobs import knob, validate
from mrp_core.registry import plugin


@dataclass(frozen=True, kw_only=True)
class TaskConfig:
    """Which tasks the strategy is trained on and judged by."""

    family: str = knob("letters", label="Task family", help="The kind of data; every family holds out tasks that training never sees.", registry="tasks",
                       accuracy="depends on the data; the Data page shows each family", leakage="depends on the data; compare the sample studies")
    mode: str = knob("few_shot", label="What makes a task", help="few_shot: classes; site: same label, other site; site_target: other site and other target column.",
                     choices=("few_shot", "pairs", "site", "site_target"),
                     accuracy="depends on the data", leakage="depends on the data")
    ways: int = knob(5, label="Ways", help="Classes per task.", low=2, high=20, unit="classes",
                     accuracy="falls: more classes to tell apart, and guessing is right less often", leakage="one answer can tell more, up to the log of the ways; membership depends on the data")
    shots: int = knob(5, label="Shots", help="Support records per class: these are the members.", low=1, high=50, unit="records",
                      accuracy="rises: each task has more to learn from", leakage="membership falls, as each record counts for less; I(X;Ŷ) rises a little with accuracy")
    queries: int = knob(15, label="Query records", help="Records per class on which the outer loss is taken.", low=1, high=100, unit="records", advanced=True,
                        accuracy="steadier training steps; the gain depends on the data", leakage="no direction is known")
    sensitive: str = knob("", label="Sensitive attribute", help="Which attribute an observer may want to infer; empty for the family's first.", advanced=True,
                          accuracy="no effect, unless the privacy loss is about the attribute",
                          leakage="decides whose leakage I(A;Ŷ) is; changes nothing else, unless the privacy loss is about the attribute")
    hardness: float = knob(45.0, label="Smallest angle", help="Gaussian family only: the smallest angle between task direction and sensitive direction; small is hard.",
                           low=0.0, high=90.0, unit="degrees", advanced=True,
                           accuracy="little changes on the whole", leakage="I(A;Ŷ) falls: the task's direction tells less of the attribute")
    table: str = knob("", label="Your table", help="Your own table only: its id, as the list of your tables shows it.",
                      accuracy="depends on the data", leakage="depends on the data")

    def __post_init__(self) -> None:
        validate(self)
        family = plugin("tasks", self.family)
        if self.mode not in family.modes:
            raise ConfigError(f"mode is {self.mode!r}, but the family {self.family!r} offers: {', '.join(family.modes)}.")


@dataclass(frozen=True, kw_only=True)
class PrivacyConfig:
    """What is released, what is penalised, and the noise."""

    channel: str = knob("sampled_label", label="Released output", help="What one query returns; utility and leakage are measured on this.",
                        choices=("sampled_label", "top_label", "noisy_scores", "scores"),
                        accuracy="top_label and scores: that of the most likely label. sampled_label and noisy_scores: lower where the model is unsure",
                        leakage="top_label tells an attacker least; scores more, digit by digit; sampled_label and noisy_scores all that the model knows, unless queries are limited")
    channel_noise: float = knob(1.0, label="Score noise τ", help="noisy_scores only: standard deviation added to each logit.", low=0.01, high=20.0, scale="log", advanced=True,
                                accuracy="falls", leakage="I(X;Ŷ) falls, being of one answer; who may ask without limit averages the noise away")
    channel_digits: int = knob(1, label="Digits of a score", help="scores only: digits that a released probability is rounded to.", low=1, high=6, advanced=True,
                               accuracy="no effect", leakage="rises: finer scores tell more of the record and of membership")
    attacker_queries: int = knob(0, label="Queries per record", help="How often an attacker may ask about a record; 0 is without limit, the worst case.", low=0, high=1000, advanced=True,
                                 accuracy="no effect", leakage="membership rises from 1 query on, towards the worst case, which is 0 (without limit); I(X;Ŷ) stays, being of one answer")
    loss: str = knob("output_mi", label="Privacy loss", help="The leakage that λ multiplies.", registry="privacy",
                     accuracy="every loss costs some; none alone beats what is free on letters, medical wards and digits; see the table of losses in the benchmarks",
                     leakage="output_mi and its bounds lower I(X;Ŷ), and membership may rise; membership_mi lowers membership")
    lambda_max: float = knob(0.8, label="Largest λ", help="Right end of the λ slider.", low=0.01, high=100.0, scale="log",
                             accuracy="lower at the new right end of the slider; about the same at λ = 0",
                             leakage="what the privacy loss measures is lower at the new right end; other leakage may rise")
    lambda_points: int = knob(41, label="λ values audited", help="How finely the frontier is drawn.", low=2, high=101,
                              accuracy="no effect: a finer frontier; but a search with one training per λ leaves fewer iterations for each", leakage="as for accuracy")
    mechanism: str = knob("dp_adaptation", label="Noise in adaptation", help="dp_adaptation clips each record's gradient and adds Gaussian noise; it is the second slider, ε.",
                          choices=("none", "dp_adaptation"),
                          accuracy="dp_adaptation adds settings with ε, which are less accurate the smaller ε is",
                          leakage="with ε membership falls and has a guarantee; settings on the λ slider stay as they are")
    epsilons: tuple[float, ...] = knob((1.0, 2.0, 3.0, 5.0, 7.0, 12.0, 17.5, 48.0), label="ε values audited", help="Guarantees of one adaptation, smallest is most private.", low=0.05, high=1000.0,
                                       accuracy="rises", leakage="membership rises, and the guarantee is weaker")
    delta: float = knob(1e-3, label="δ", help="Probability that the ε guarantee may fail; keep it well below 1 / support records.", low=1e-9, high=0.1, scale="log", advanced=True,
                        accuracy="rises: the same ε needs less noise", leakage="rises: less noise, and the guarantee may fail more often")
    clip: float = knob(1.0, label="Clipping norm", help="Largest gradient norm that one record may contribute.", low=0.01, high=100.0, scale="log", advanced=True,
                       accuracy="depends on the data: too small a norm shortens all gradients, too large a one adds as much more noise",
                       leakage="the guarantee stays; what attacks find depends on the data")
    dp_adapts: str = knob("head", label="Layers adapted under noise", help="Fewer noisy parameters keep more accuracy.", choices=("head", "all"), advanced=True,
                          accuracy="head: higher on digits and letters, about the same on simulated data", leakage="the guarantee is the same")
    dp_steps: int = knob(3, label="Noisy steps", help="Inner steps of the noisy adaptation; each step spends budget.", low=1, high=20, unit="steps", advanced=True,
                         accuracy="depends on the data: more steps to learn in, each with more noise", leakage="the guarantee stays: the noise grows with the steps")
    learn_clip: bool = knob(False, label="Learn the clipping norm", help="The norm starts at the clipping norm and is meta-trained as a function of ε, within a factor of 20; the guarantee doesn't depend on it.", advanced=True,
                            accuracy="depends on the data", leakage="the guarantee stays; what attacks find depends on the data")
    learn_noise_split: bool = knob(False, label="Learn each step's noise", help="How the noisy steps share the ε budget is meta-trained, instead of equal noise at each; the guarantee is the same.", advanced=True,
                                   accuracy="depends on the data", leakage="the guarantee stays; what attacks find depends on the data")
    noise_weight: float = knob(0.0, label="λ under noise", help="Weight of the privacy loss in the outer loop of the noisy adaptation: the loss then shapes what the noise leaves. 0: the noise alone.", low=0.0, high=1000.0, advanced=True,
                               accuracy="falls, for settings with ε", leakage="what the privacy loss measures falls, for settings with ε; see the table of losses in the benchmarks")
    task_noise: float = knob(0.0, label="Noise for meta-training tasks", help="Noise multiplier on each outer step's sum of clipped task gradients, which protects the meta-training tasks (wards, clients) themselves; 0 is off.",
                             low=0.0, high=1000.0, advanced=True,
                             accuracy="falls: every training step sees a noisy sum",
                             leakage="whether a task was trained on is told less, with a guarantee; the support records of a new task are not protected by this")
    task_clip: float = knob(1.0, label="Clipping norm of a task", help="Largest norm of the meta-gradient that one training task may contribute to a step.", low=1e-3, high=100.0, scale="log", advanced=True,
                            accuracy="depends on the data: too small a norm shortens all tasks' gradients, too large a one adds as much more noise", leakage="the guarantee stays")
    task_delta: float = knob(1e-3, label="δ for meta-training tasks", help="Probability that the guarantee for a training task may fail; keep it well below 1 / training tasks.", low=1e-9, high=0.1, scale="log", advanced=True,
                             accuracy="no effect: the noise is set by itself", leakage="nothing changes but what is stated: a smaller ε, which may fail more often")

    def __post_init__(self) -> None:
        validate(self)
        if not plugin("privacy", self.loss).weighted and self.noise_weight > 0:
            raise ConfigError(f"noise_weight is {self.noise_weight:g}, but the loss {self.loss!r} has no weight; set noise_weight to 0, or choose another loss.")
        if not plugin("privacy", self.loss).weighted and self.mechanism == "none":
            raise ConfigError(f"loss is {self.loss!r}, which protects by noise alone, but mechanism is 'none'; set mechanism to 'dp_adaptation', or choose another loss.")


@dataclass(frozen=True, kw_only=True)
class InnerConfig:
    """The inner loop: how a task's support set changes the weights."""

    steps: int = knob(5, label="Inner steps", help="Gradient steps on the support set.", low=0, high=20, unit="steps",
                      accuracy="rises at first, then little changes", leakage="I(X;Ŷ) rises with accuracy; membership depends on the data: higher on letters, no higher on simulated data")
    rate: float = knob(0.1, label="Inner learning rate", help="Size of an inner step; where it is learned, its start.", low=1e-4, high=10.0, scale="log",
                       accuracy="depends on the data; far too large a rate diverges", leakage="depends on the data: on letters a smaller one lowers I(X;Ŷ), and membership rises")
    learn_rates: bool = knob(True, label="Learn a rate per layer and step", help="As in MAML++ (Antoniou et al. 2019), here as a function of λ and ε; otherwise one fixed rate.",
                             accuracy="depends on the data", leakage="depends on the data")
    adapts: str = knob("all", label="What adapts", help="All layers, or the head only.", choices=("all", "head"),
                       accuracy="head: a little lower, or the same", leakage="head: membership is lower on letters, the same on simulated data; I(X;Ŷ) is not")

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True, kw_only=True)
class OuterConfig:
    """The outer loop: how the strategy is meta-trained."""

    learner: str = knob("maml", label="Meta-learner", help="How the strategy learns from many tasks; two baselines are among them.", registry="meta",
                        accuracy="depends on the data: from_scratch is far behind under noise; see the benchmark of noisy adaptation",
                        leakage="depends on the data; a meta-learned start needs fewer steps and stands more noise")
    search: str = knob("conditioned", label="Search", help="How the frontier's settings are trained: one conditioned strategy, or one training per λ.", registry="search",
                       accuracy="depends on the data; see the benchmark of searches", leakage="depends on the data; see the benchmark of searches")
    aggregator: str = knob("upgrad", label="Joining of gradients", help="Search multi_gradient only. upgrad: one preference per λ; mgda: the shortest joint direction, where λ acts in the inner loop alone.",
                           choices=("upgrad", "mgda"), advanced=True,
                           accuracy="depends on the data; the two were not compared", leakage="depends on the data; the two were not compared")
    iterations: int = knob(600, label="Meta-iterations", help="Outer steps.", low=1, high=50_000, scale="log",
                           accuracy="rises until the training tasks are used up; then it stays, since the best step on validation tasks is kept",
                           leakage="depends on the data: no clear direction on simulated data")
    meta_batch: int = knob(8, label="Meta-batch", help="Tasks per outer step.", low=1, high=256, unit="tasks",
                           accuracy="steadier training steps; the gain depends on the data", leakage="no direction is known")
    rate: float = knob(3e-3, label="Outer learning rate", help="Step size of the outer optimiser; it falls to zero along a cosine four times, each time over twice as many iterations.", low=1e-6, high=1.0, scale="log",
                       accuracy="depends on the data: too small a rate learns too little, too large a one diverges", leakage="no direction is known")
    optimiser: str = knob("adam", label="Outer optimiser", help="Federated: the server's. adam: FedAdam (Reddi et al. 2021). sgd: plain, unclipped steps; with Reptile and an outer rate equal to the inner one this is federated averaging.",
                          choices=("adam", "sgd"), advanced=True,
                          accuracy="depends on the data", leakage="no direction is known")
    cross_entropy_share: float = knob(0.1, label="Cross-entropy share", help="Outer task loss: this share of cross-entropy, the rest the expected error that the released output is judged by.",
                                      low=0.0, high=1.0, advanced=True,
                                      accuracy="falls a little on simulated data: less weight for what is judged", leakage="depends on the data: on simulated data I(X;Ŷ) falls, and membership rises")
    seeds: int = knob(3, label="Seeds", help="Independent repetitions; intervals need at least two, verdicts better five.", low=1, high=30,
                      accuracy="no effect; narrower intervals", leakage="no effect; narrower intervals")
    first_seed: int = knob(0, label="First seed", help="The seeds are this one and those that follow.", low=0, high=2**31 - 1000, advanced=True,
                           accuracy="no effect but chance", leakage="no effect but chance")
    hidden: tuple[int, ...] = knob((64, 64), label="Hidden layers", help="Units of each hidden layer of a dense network; a convolution network has filters instead.", low=1, high=2048, advanced=True,
                                   accuracy="rises at first, then little changes", leakage="membership rises: a larger network has room for single records")
    network: str = knob("auto", label="Network", help="auto: convolution for pictures and signals, dense layers for other records. A convolution network doesn't use the hidden layers, but the filters.",
                        choices=("auto", "dense", "convolution"), advanced=True,
                        accuracy="convolution is meant for pictures and signals; depends on the data", leakage="depends on the data")
    filters: tuple[int, ...] = knob((16, 16, 32, 32), label="Filters", help="Convolution networks only: filters of each block; a block also halves the picture or signal while it can.",
                                    low=1, high=512, advanced=True,
                                    accuracy="depends on the data", leakage="depends on the data")
    search_share: float = knob(0.3, label="Share for exploring", help="Searches on measured objectives only: this share of the meta-iterations is spent on measuring candidates.",
                               low=0.05, high=0.9, advanced=True,
                               accuracy="depends on the data: more candidates are looked at, and less training is left", leakage="depends on the data")
    search_points: int = knob(12, label="Settings found", help="Searches on measured objectives only: at most so many of the settings they find are audited.", low=1, high=20, advanced=True,
                              accuracy="no effect on those found; a finer frontier", leakage="no effect on those found; a finer frontier")

    def __post_init__(self) -> None:
        validate(self)
        plugin("meta", self.learner)
        plugin("search", self.search)


@dataclass(frozen=True, kw_only=True)
class AuditConfig:
    """How each setting is measured on held-out tasks."""

    tasks: int = knob(12, label="Held-out tasks", help="Tasks on which utility and leakage are measured.", low=1, high=200,
                      accuracy="no effect; narrower intervals", leakage="no effect; narrower intervals, and smaller false-positive rates are resolved")
    adaptations: int = knob(64, label="Shadow adaptations", help="Random half-subsets that each task is adapted on; an even number, each with its complement.", low=4, high=1024,
                            accuracy="no effect; narrower intervals", leakage="the model leaks as before, and the attack finds more of it, until it settles")
    records: int = knob(20, label="Evaluation records", help="Fresh records per class for utility and I(X;Ŷ).", low=2, high=500, unit="records",
                        accuracy="no effect; narrower intervals", leakage="no effect; narrower intervals of I(X;Ŷ)")
    longer: int = knob(1, label="Longest fine-tuning", help="Also measure 2, 4, 8 ... times the trained inner steps, up to so many times; 1 measures none.", low=1, high=16, unit="times", advanced=True,
                       accuracy="no effect on other settings; adds ones with more steps", leakage="no effect on other settings; adds ones with more steps")
    baselines: bool = knob(True, label="Free baselines", help="Also measure temperature and rate-distortion release, fewer steps, smaller rates and head only.", advanced=True,
                           accuracy="no effect on other settings; adds ones that need no training", leakage="no effect on other settings; adds ones that need no training")

    def __post_init__(self) -> None:
        validate(self)
        if self.adaptations % 2:
            raise ConfigError(f"adaptations is {self.adaptations}, but must be even: each half-subset comes with its complement.")


@dataclass(frozen=True, kw_only=True)
class ComputeOptions:
    """Where and how fast; no part of a study's identity."""

    device: str = knob("cpu", label="Device", help="cpu, or cuda for the first graphics card.", choices=("cpu", "cuda"),
                       accuracy="no effect beyond rounding", leakage="no effect beyond rounding")
    precision: str = knob("float32", label="Precision", help="float64 is for checks.", choices=("float32", "float64"),
                          accuracy="no effect beyond rounding", leakage="no effect beyond rounding")
    chunk_rows: int = knob(64, label="Rows per chunk", help="Adaptations computed together; about what fits the processor's cache.", low=1, high=65_536, scale="log", advanced=True,
                           accuracy="no effect beyond rounding", leakage="no effect beyond rounding")

    def __post_init__(self) -> None:
        validate(self)
