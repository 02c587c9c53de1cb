"""Clients as tasks: Reptile under plain steps is federated averaging, and nothing but a client's own update comes from its records."""

from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import torch

from mrp_core import registry
from mrp_core.annealing import annealed
from mrp_core.checkpoint import TrainingState
from mrp_core.config import ComputeOptions, StudyConfig
from mrp_core.errors import ConfigError
from mrp_core.registry import plugins
from mrp_core.stepping import outer_step
from mrp_core.taskdata import TaskSet
from mrp_core.training import Chunk, Trainer, levels_at
from tests.engine.reference import adapted, inner_loss, net_of
from tests.engine.test_shielding import Sites
from tests.engine.toy import toy_study

EXACT = ComputeOptions(precision="float64")
FEDAVG = {"outer__learner": "reptile", "outer__optimiser": "sgd", "outer__rate": 0.3, "inner__rate": 0.3, "inner__learn_rates": False}


@pytest.fixture(scope="module", autouse=True)
def sites(toy: None) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(registry.plugins("tasks"), "sites", Sites())
        yield


def study(**changes: Any) -> StudyConfig:
    return toy_study(task__family="sites", task__mode="site", **{"privacy__mechanism": "none", **changes})


def trainer(config: StudyConfig, taskset: TaskSet | None = None) -> Trainer:
    return Trainer(config, EXACT, {s: taskset or Sites().build(config.task, s) for s in config.seeds})


def server_average(made: Trainer, state: TrainingState, step: int) -> dict[str, torch.Tensor]:
    """The mean of the weights that the step's clients arrive at, each by its own loop of gradient steps on its own records (McMahan et al. 2017, algorithm 1)."""
    config, block = made.config, made._draws(0)
    single = {k: v[0].clone().requires_grad_() for k, v in state.parameters.items()}
    ends = []
    for i in range(block.begins[step], block.begins[step + 1]):
        weight = float(levels_at(made.arms[0].levels, block.positions[0][i]))
        net = net_of(single, made.shape, weight, 0.0, base_rate=config.inner.rate, lambda_max=config.privacy.lambda_max)
        net.rates = torch.full_like(net.rates, config.inner.rate)
        episodes = block.episodes[0]
        end = adapted(net, episodes.support_x[i], episodes.support_y[i], lambda n, x, y, w=weight: inner_loss(n, x, y, w, config.privacy.loss), steps=config.inner.steps, lowest=0, second_order=False)
        ends.append({**{f"w{k}": w for k, w in enumerate(end.weights)}, **{f"b{k}": b for k, b in enumerate(end.biases)}})
    return {k: torch.stack([e[k].detach() for e in ends]).mean(0) for k in ends[0]}


@pytest.mark.parametrize("share", [1.0, 0.5], ids=["server rate 1", "server rate 1/2"])
def test_reptile_under_plain_steps_is_federated_averaging(share: float) -> None:
    """Three rounds against a loop over clients; the server's rate is outer rate / inner rate, here on its way down the cosine."""
    made = trainer(study(**{**FEDAVG, "outer__rate": 0.3 * share, "outer__iterations": 40, "privacy__lambda_max": 0.4}))
    state = made.fresh()
    with ThreadPoolExecutor(1) as pool:
        for step in range(3):
            before, mean = {k: v[0].clone() for k, v in state.parameters.items()}, server_average(made, state, step)
            made.iterate(state, pool)
            rate = share * annealed(step, made.total)
            for key, value in mean.items():
                torch.testing.assert_close(state.parameters[key][0], before[key] + rate * (value - before[key]), rtol=0, atol=1e-12)
                assert not torch.allclose(value, before[key], atol=1e-4), "clients that don't move would test nothing"
            if step == 0 and share == 1.0:
                torch.testing.assert_close({k: state.parameters[k][0] for k in mean}, mean, rtol=0, atol=1e-12)


def test_adam_is_another_server_from_the_same_updates() -> None:
    """FedAdam's first step has the size of its rate in every coordinate and the sign of the averaged move, whatever the size of that move."""
    made = trainer(study(**{**FEDAVG, "outer__optimiser": "adam", "outer__rate": 0.01}))
    state = made.fresh()
    before, mean = {k: v[0].clone() for k, v in state.parameters.items()}, server_average(made, state, 0)
    with ThreadPoolExecutor(1) as pool:
        made.iterate(state, pool)
    for key, value in mean.items():
        wide = (value - before[key]).abs() > 1e-4
        torch.testing.assert_close((state.parameters[key][0] - before[key])[wide], 0.01 * (value - before[key]).sign()[wide], rtol=1e-3, atol=0)


def test_plain_steps_are_not_clipped_and_a_nan_still_freezes_its_arm() -> None:
    zeros = lambda: {"a": torch.zeros(2, 3)}  # noqa: E731
    state = TrainingState(step=0, parameters=zeros(), first=zeros(), second=zeros(), alive=torch.ones(2, dtype=torch.bool))
    outer_step(state, {"a": torch.tensor([[100.0, 0.0, -300.0], [1.0, torch.nan, 1.0]])}, optimiser="sgd", rate=0.1)
    torch.testing.assert_close(state.parameters["a"], torch.tensor([[-10.0, 0.0, 30.0], [0.0, 0.0, 0.0]]))
    assert state.alive.tolist() == [True, False] and not state.first["a"].any()


@pytest.mark.parametrize("learner", [name for name, plugin in plugins("meta").items() if plugin.trains])
def test_a_client_s_update_needs_no_record_of_any_other_client(learner: str) -> None:
    """For every learner: each update is computed where all other clients' records are missing, the server sees the updates alone, and the step is the same."""
    made = trainer(study(outer__learner=learner, outer__meta_batch=3))
    whole, split, block = Sites().build(made.config.task, 0), Sites().build(made.config.task, 0).train, made._draws(0)
    owner = {row.astype(np.float64).tobytes(): t for t, buckets in enumerate(split.tasks) for b in buckets for row in split.x[split.buckets[b]]}
    state, updates = made.fresh(), []
    for i in range(3):
        client = owner[block.episodes[0].support_x[i, 0].numpy().tobytes()]
        x = np.full_like(split.x, np.nan)
        own = np.concatenate([split.buckets[b] for b in split.tasks[client]])
        x[own] = split.x[own]
        alone = trainer(made.config, dataclasses.replace(whole, train=dataclasses.replace(split, x=x)))
        updates.append(alone._gradient(Chunk(0, 1, i, i + 1), state, alone._draws(0))[0][0])
    served = made.fresh()
    outer_step(served, {k: sum((u[k] for u in updates), torch.zeros_like(v)) / 3 for k, v in served.parameters.items() if k in updates[0]}, optimiser="adam", rate=made.config.outer.rate)
    with ThreadPoolExecutor(1) as pool:
        made.iterate(state, pool)
    for key in updates[0]:
        torch.testing.assert_close(served.parameters[key], state.parameters[key], rtol=1e-9, atol=1e-9)
    assert not torch.equal(served.parameters["w0"], made.fresh().parameters["w0"])


def test_studies_from_before_the_knob_keep_their_id() -> None:
    assert study().id == study(outer__optimiser="adam").id != study(outer__optimiser="sgd").id
    with pytest.raises(ConfigError, match=r"^optimiser is 'momentum'"):
        study(outer__optimiser="momentum")
