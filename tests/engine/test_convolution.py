"""Convolution networks: forward, adaptation, meta-gradients, clipping and noise against torch's own layers one row at a time, and a study from training to audit."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from torch import Tensor

from mrp_core import blocks, registry
from mrp_core.blocks import blocks_of, layer_sizes, rows_together
from mrp_core.config import ComputeOptions, StudyConfig
from mrp_core.cost import products
from mrp_core.engine import audit, live, train
from mrp_core.errors import CheckpointError, ConfigError
from mrp_core.kernel import Noise, adapt, backward, clip_factors, outputs, record_norms
from mrp_core.losses import cross_entropy
from mrp_core.networks import Parameters, initial
from mrp_core.passing import features, released
from mrp_core.registry import plugin
from mrp_core.settings import UNPROTECTED, Setting, settings_of
from mrp_core.strategy import Strategy
from mrp_core.training import Trainer
from tests.engine.reference import Case, Net, case, inner_loss, leak, outer_task
from tests.engine.toy import Toy, toy_study

CLOSE = {"rtol": 1e-8, "atol": 1e-8}
PICTURE, SIGNAL = {"grid": (2, 6, 5), "hidden": (3, 4, 2), "configs": 2, "tasks": 2, "shots": 2, "steps": 2}, {"grid": (3, 9), "hidden": (4, 3), "configs": 2, "tasks": 2, "shots": 2, "steps": 2}
CASES = {
    "pictures": PICTURE,
    "signals": SIGNAL,
    "upper layers": {**PICTURE, "lowest": 1},
    "head only": {**PICTURE, "lowest": 3},
    "a rate for each weight": {**PICTURE, "element_rates": True},
    "learned marginal": {**SIGNAL, "privacy": "kl_marginal"},
    "pictures under noise": {**PICTURE, "noisy": True, "tasks": 1},
    "signals under noise": {**SIGNAL, "noisy": True, "tasks": 1},
    "head under noise": {**PICTURE, "noisy": True, "lowest": 3},
    "a rate for each weight under noise": {**SIGNAL, "noisy": True, "tasks": 1, "element_rates": True},
}
STUDY = {"outer__filters": (4, 3), "privacy__epsilons": (3.0,), "privacy__lambda_points": 2, "audit__tasks": 2, "audit__baselines": False}
SAMPLES = Path(__file__).parents[2] / "sample_data" / "studies"


def singles(leaves: Parameters, c: int) -> Parameters:
    return {k: v[c].detach().clone().requires_grad_() for k, v in leaves.items()}


def nets(made: Case) -> list[Net]:
    tasks = len(made.weight) // len(made.parameters["cb0"])
    return [made.net(singles(made.leaves(), b // tasks), b) for b in range(len(made.weight))]


@pytest.mark.parametrize("settings", [PICTURE, SIGNAL, {**PICTURE, "grid": (1, 2, 7), "hidden": (2, 2, 2, 2)}], ids=["pictures", "signals", "flat pictures"])
def test_each_row_equals_torchs_own_layers(settings: dict[str, object]) -> None:
    """Down to grids of one place, which are no longer halved."""
    made = case(**settings)
    rows = made.problem(made.leaves()).rows
    found = outputs(rows, made.query_x)
    for b, net in enumerate(nets(made)):
        torch.testing.assert_close(found[b], net(made.query_x[b]), rtol=1e-11, atol=1e-11)
    for layer in range(len(made.shape.layers)):
        below = features(rows, made.query_x, layer)
        assert below.shape[2] == (made.shape.blocks[layer - 1].units if layer else made.shape.features)
        torch.testing.assert_close(outputs(rows.above(layer), below), found, rtol=1e-12, atol=1e-12)


def test_sizes_come_from_grid_and_filters() -> None:
    assert layer_sizes(784, (1, 28, 28), (32, 32, 32, 32), 3) == ((32, 9), (32, 288), (32, 288), (32, 288), (3, 32))
    assert [b.pooled for b in blocks_of((6, 50), (8, 8, 8))] == [(1, 25), (1, 12), (1, 6)]
    assert layer_sizes(300, (6, 50), (8, 9), 2) == ((8, 18), (9, 24), (2, 9 * 12))
    assert layer_sizes(5, (), (7, 6), 3) == ((7, 5), (6, 7), (3, 6)) and blocks_of((), (7, 6)) == ()


@pytest.mark.parametrize("name", CASES)
def test_adapted_weights_equal_the_reference(name: str) -> None:
    made = case(**CASES[name])
    ends = [made.problem(made.leaves()).adapt(second_order=second) for second in (True, False)]
    with torch.no_grad():
        ends.append(made.problem(made.parameters).adapt(second_order=True))
    for b, net in enumerate(nets(made)):
        wanted = made.adapt(net, b, False)
        for end in ends:
            for i in range(len(made.shape.layers)):
                torch.testing.assert_close(end.weights[i][b], wanted.weights[i], **CLOSE)
                torch.testing.assert_close(end.biases[i][b], wanted.biases[i], **CLOSE)
    assert not torch.equal(ends[0].weights[-1], made.problem(made.leaves()).rows.weights[-1])


@pytest.mark.parametrize("learner", ["maml", "fomaml"])
@pytest.mark.parametrize("name", CASES)
def test_meta_gradients_equal_the_reference(name: str, learner: str) -> None:
    """Second order through steps, conditioning, rates, release, clipping and noise; first order with constant inner gradients."""
    made = case(**CASES[name])
    leaves, tasks = made.leaves(), CASES[name]["tasks"]
    loss = plugin("meta", learner).outer(made.problem(leaves))
    found = torch.autograd.grad(loss.total.sum(), list(leaves.values()), allow_unused=True)
    for c in range(len(leaves["cb0"])):
        own = singles(leaves, c)
        totals = [reference_outer(made, made.net(own, b), b, learner == "maml") for b in range(c * tasks, (c + 1) * tasks)]
        wanted = torch.autograd.grad(torch.stack(totals).sum(), list(own.values()), allow_unused=True)
        for key, got, want in zip(leaves, found, wanted, strict=True):
            if want is None:
                assert got is None or not got[c].any(), key
            else:
                torch.testing.assert_close(got[c], want, **CLOSE, msg=lambda text, key=key: f"{key}: {text}")
    assert all(g is None or g.abs().sum() > 0 for k, g in zip(leaves, found, strict=True) if k[0] in "wb")


def reference_outer(made: Case, net: Net, b: int, second_order: bool) -> Tensor:
    end = made.adapt(net, b, second_order)
    logits = end(made.query_x[b])
    return outer_task(logits, made.query_y[b]) + made.weight[b] * leak(made.privacy, logits, end.marginal)


def own_norms(made: Case, net: Net, b: int, lowest: int) -> Tensor:
    """Norm of each support record's own gradient, by autograd."""
    norms = []
    for i in range(made.support_x.shape[1]):
        loss = inner_loss(net, made.support_x[b, i:i + 1], made.support_y[b, i:i + 1], 0.0, "output_mi")
        found = torch.autograd.grad(loss, [*net.weights[lowest:], *net.biases[lowest:]], retain_graph=True)
        norms.append(torch.sqrt(torch.stack([g.square().sum() for g in found]).sum()))
    return torch.stack(norms)


@pytest.mark.parametrize("lowest", [0, 1, 2])
@pytest.mark.parametrize("settings", [PICTURE, SIGNAL], ids=["pictures", "signals"])
def test_clip_factors_and_norms_are_those_of_each_records_own_gradient(settings: dict[str, object], lowest: int) -> None:
    made = case(**settings)
    whole = made.problem(made.leaves()).rows
    rows, x = whole.above(lowest), features(whole, made.support_x, lowest)

    def head(logits: Tensor) -> Tensor:
        leaf = logits.detach().requires_grad_()
        return torch.autograd.grad(cross_entropy(released(rows, leaf), made.support_y).sum(), leaf)[0]

    ds, inputs = backward(rows, x, head, through=False)
    norms = torch.stack([own_norms(made, net, b, lowest) for b, net in enumerate(nets(made))])
    clip = norms.median()
    factors = clip_factors(rows, inputs, ds, clip.item())
    torch.testing.assert_close(factors, (clip / norms).clamp_max(1.0), **CLOSE)
    assert factors.min() < 1.0 <= factors.max()
    torch.testing.assert_close(record_norms(whole, made.support_x, made.support_y, lowest), norms, **CLOSE)
    with torch.no_grad():
        torch.testing.assert_close(record_norms(whole, made.support_x, made.support_y, lowest), norms, **CLOSE)


def test_one_record_moves_a_step_by_at_most_the_clipping_norm() -> None:
    """What the guarantee rests on, for a record however extreme; without clipping it moves the sum further."""
    made = case(**{**PICTURE, "configs": 1, "tasks": 1})
    rows = made.problem(made.parameters).rows

    def total(x: Tensor, y: Tensor, clip: float) -> Tensor:
        """Sum of the records' gradients, clipped, read off a step without noise."""
        end = adapt(rows, x, y, cross_entropy, steps=1, noise=Noise(clip=clip, multiplier=torch.zeros(1, dtype=x.dtype), draws=(None,) * 4))
        moved = zip((*rows.weights, *rows.biases), (*end.weights, *end.biases), [*range(4)] * 2, strict=True)
        return torch.cat([((a - b) * x.shape[1] / rows.rates[0, 0, i]).flatten() for a, b, i in moved])

    def share(record: int, clip: float) -> float:
        """How far the record moves that sum, as a picture of 30 times the contrast."""
        x, rest = made.support_x.clone(), [i for i in range(made.support_x.shape[1]) if i != record]
        x[:, record] *= 30.0
        return (total(x, made.support_y, clip) - total(x[:, rest], made.support_y[:, rest], clip)).norm().item()

    records = range(made.support_x.shape[1])
    for clip in (0.01, 0.1):
        assert max(share(i, clip) for i in records) == pytest.approx(clip, rel=1e-6)
    assert max(share(i, 1e9) for i in records) > 1.0


def test_the_noise_has_the_declared_scale_in_every_layer() -> None:
    made = case(**{**PICTURE, "configs": 1, "tasks": 1, "noisy": True})
    assert made.noise is not None and [d.shape[2:] for d in made.noise.draws if d is not None] == [(3, 19), (4, 28), (2, 37), (3, 3)]
    rows, multiplier = made.problem(made.parameters).rows, made.noise.multiplier
    loud, quiet = (adapt(rows, made.support_x, made.support_y, cross_entropy, steps=1, noise=dataclasses.replace(made.noise, multiplier=m)) for m in (multiplier, 0.0 * multiplier))
    for i, draw in enumerate(made.noise.draws):
        assert draw is not None
        size = rows.rates[0, 0, i] * multiplier * 0.4 / made.support_x.shape[1]
        torch.testing.assert_close(quiet.weights[i] - loud.weights[i], size * draw[:, 0, :, :-1], **CLOSE)
        torch.testing.assert_close(quiet.biases[i] - loud.biases[i], size * draw[:, 0, :, -1], **CLOSE)


def test_a_records_output_does_not_depend_on_the_records_beside_it() -> None:
    made = case(**PICTURE)
    rows = made.problem(made.parameters).rows
    torch.testing.assert_close(outputs(rows, made.query_x)[:, :1], outputs(rows, made.query_x[:, :1]), rtol=1e-12, atol=1e-12)


@pytest.fixture(scope="module")
def pictures(toy: None) -> Iterator[None]:
    """The toy with records that are pictures."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(registry.plugins("tasks"), "toy", Toy(grid=(1, 6, 6), spread=3.0))
        yield


@pytest.fixture(scope="module")
def trained(pictures: None) -> Strategy:
    """One block, which knows where in its picture something is: small pictures of random patterns have little else to go by."""
    return train(toy_study(**{**STUDY, "outer__filters": (8,)}, outer__iterations=30), ComputeOptions())


def test_a_study_trains_and_is_measured(trained: Strategy) -> None:
    assert trained.shape.grid == (1, 6, 6) and trained.shape.hidden == (8,) and trained.parameters["w0"].shape[1:] == (8, 9)
    settings = settings_of(trained.config)
    points = [p for made, _ in audit(trained, settings) for p in made]
    assert {p.setting for p in points} == set(settings)
    best = next(p for p in points if p.setting == UNPROTECTED)
    assert sum(best.values["accuracy"]) / len(best.values["accuracy"]) > 0.6  # of three classes
    assert len(live(trained, seed=0, task=0, draw=0).accuracy) == 4


def test_what_is_computed_together_changes_nothing(trained: Strategy, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = [UNPROTECTED, Setting("epsilon", 3.0)]
    exact = dataclasses.replace(trained, parameters={k: v.double() for k, v in trained.parameters.items()})
    whole = [p.values for made, _ in audit(exact, settings) for p in made]
    monkeypatch.setattr(blocks, "VALUES", 2000)
    assert rows_together(trained.shape.blocks, 9, 64) == 1 and rows_together((), 9, 64) == 64
    pieces = [p.values for made, _ in audit(exact, settings) for p in made]
    for a, b in zip(whole, pieces, strict=True):
        assert all(a[k] == pytest.approx(b[k], abs=1e-9, nan_ok=True) for k in a)


@pytest.mark.parametrize("changes", [{"outer__learner": "meta_sgd"}, {"outer__learner": "reptile"}, {"outer__learner": "joint_then_finetune"}, {"inner__adapts": "head"},
                                     {"privacy__dp_adapts": "all"}, {"privacy__loss": "gradient_sensitivity"}, {"outer__search": "multi_gradient"}],
                         ids=lambda changes: next(iter(changes.values())))
def test_an_iteration_changes_every_filter_whatever_learns(pictures: None, changes: dict[str, object]) -> None:
    config = toy_study(**{**STUDY, **changes})
    trainer = Trainer(config, ComputeOptions(), {s: registry.plugins("tasks")["toy"].build(config.task, s) for s in config.seeds})
    state = trainer.fresh()
    before = {k: v.clone() for k, v in state.parameters.items()}
    with ThreadPoolExecutor(1) as pool:
        for _ in range(2):  # the head is nearly zero at first
            trainer.iterate(state, pool)
    assert state.alive.all() and all(not torch.equal(state.parameters[k], before[k]) for k in ("w0", "w1", "w2", "b0"))


def test_a_saved_strategy_keeps_its_shape(trained: Strategy) -> None:
    again = Strategy.from_bytes(trained.to_bytes())
    assert again.shape == trained.shape and again.config.id == trained.config.id
    assert all(torch.equal(v, again.parameters[k]) for k, v in trained.parameters.items())
    torn = dataclasses.replace(trained, shape=dataclasses.replace(trained.shape, grid=()))
    with pytest.raises(CheckpointError, match="don't fit together"):
        Strategy.from_bytes(torn.to_bytes())


@pytest.mark.parametrize(("name", "identity"), [("letters", "47c681c66dece0f3"), ("medical", "9557354660838042")])
def test_older_strategies_are_dense_and_keep_their_identity(name: str, identity: str) -> None:
    assert StudyConfig.from_file(SAMPLES / f"{name}.toml").id == identity
    strategy = Strategy.load(SAMPLES / f"{name}.safetensors")
    assert strategy.shape.grid == () and strategy.shape.blocks == () and strategy.config.id == identity


def test_the_network_follows_the_records_or_the_knob(pictures: None) -> None:
    auto, dense = toy_study(**STUDY), toy_study(**STUDY, outer__network="dense")
    assert (auto.grid, auto.hidden) == ((1, 6, 6), (4, 3)) and (dense.grid, dense.hidden) == ((), (8, 7))
    assert toy_study(**STUDY, outer__network="convolution").grid == (1, 6, 6)
    assert StudyConfig().grid == () and StudyConfig().hidden == (64, 64)
    with pytest.raises(ConfigError, match="'letters' are no pictures or signals; set network to 'auto' or 'dense'"):
        StudyConfig(outer=dataclasses.replace(StudyConfig().outer, network="convolution"))


def test_the_cost_counts_a_filters_weights_at_each_position(pictures: None) -> None:
    assert products(toy_study(**STUDY)) == 36 * 4 * 9 + 9 * 3 * 36 + 3 * 3
    assert products(toy_study(**STUDY, outer__network="dense")) == 36 * 8 + 8 * 7 + 7 * 3


def test_fresh_filters_keep_the_size_of_what_passes(pictures: None) -> None:
    """He et al. (2015): the variance of a filter's weights is 2 over what it sees."""
    config = toy_study(outer__filters=(64, 64))
    shape = Trainer(config, ComputeOptions(), {0: registry.plugins("tasks")["toy"].build(config.task, 0)}).shape
    assert initial(shape, [0])["w1"].std().item() == pytest.approx(math.sqrt(2 / (64 * 9)), rel=0.02)
