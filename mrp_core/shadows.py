"""Shadow models: many equal networks, each trained on its own half of one data set, as one stacked batch without autograd."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mrp_core.config import ComputeOptions
from mrp_core.errors import DataError, TrainingError
from mrp_core.knobs import knob, validate
from mrp_core.seeding import generator_seed
from mrp_core.threads import workers

_BLOCK = 256  # steps for which minibatches are drawn at once; fixed, since the draws depend on it
_TOGETHER = 1 << 20  # parameters of the models that are trained together; fewer leave the time to calls, more leave the cache
_ASKED = 1 << 22  # activations held at once when all records are put to the trained models


@dataclass(frozen=True, kw_only=True)
class ShadowTraining:
    """How every shadow model is made: a ReLU network with a softmax, trained on minibatches of its half with cross-entropy."""

    hidden: tuple[int, ...] = knob((64,), label="Hidden layers", help="Units of each hidden layer of a shadow model.", low=1, high=4096)
    steps: int = knob(1000, label="Training steps", help="Minibatch steps of a shadow model.", low=1, high=1_000_000, scale="log")
    batch: int = knob(32, label="Minibatch", help="Records per step.", low=1, high=65_536, unit="records", scale="log")
    optimiser: str = knob("adam", label="Optimiser", help="Adam, or plain gradient steps with momentum.", choices=("adam", "sgd"))
    rate: float = knob(3e-3, label="Learning rate", help="Size of a step.", low=1e-6, high=10.0, scale="log")
    momentum: float = knob(0.9, label="Momentum", help="sgd only.", low=0.0, high=0.999)

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True, kw_only=True, eq=False)
class Shadows:
    """Trained shadow models, as an audit reads them.

    Attributes:
        logits: float64 [R, N, C], outputs on all records.
        keep: bool [R, N], which records each model was trained on.
        twin: int64 [R], the model that was trained on exactly the other records.
    """

    logits: NDArray[np.float64]
    keep: NDArray[np.bool_]
    twin: NDArray[np.int64]


def shadow_models(x: NDArray[np.float64], y: NDArray[np.int64], *, models: int, training: ShadowTraining | None = None, seed: int = 0,
                  compute: ComputeOptions | None = None) -> Shadows:
    """Draw complementary halves and train a model on each; see :func:`halves` and :func:`train_shadows`."""
    keep, twin = halves(len(x), models, seed)
    seeds = [generator_seed(seed, r) for r in range(models)]
    return Shadows(logits=train_shadows(x, y, keep, training, seeds=seeds, compute=compute), keep=keep, twin=twin)


def halves(records: int, models: int, seed: int = 0) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Random half-subsets in complementary pairs: model r + R/2 keeps exactly what model r doesn't.

    So each record is in for half of the models, and the first pairs don't depend on how many follow.

    Returns:
        keep bool [R, N] and twin int64 [R].

    Raises:
        DataError: If there are fewer than 2 records, or the number of models isn't even and positive.
    """
    if records < 2 or models < 2 or models % 2:
        raise DataError(f"{models} models on halves of {records} records were asked for; the number of models must be even, and 2 records are needed.")
    half = np.zeros((models // 2, records), dtype=bool)
    for pair, row in enumerate(half):
        row[np.random.default_rng([seed, pair, 13]).permutation(records)[:(records + pair % 2) // 2]] = True
    return np.concatenate([half, ~half]), (np.arange(models) + models // 2) % models


def train_shadows(x: NDArray[np.float64], y: NDArray[np.int64], keep: NDArray[np.bool_], training: ShadowTraining | None = None, *,
                  seeds: Sequence[int] | None = None, compute: ComputeOptions | None = None) -> NDArray[np.float64]:
    """Train a model on each subset and return its logits on all records, float64 [R, N, C].

    The weights of a layer are one tensor [R, out, in], so a step of all models is a few batched products; the gradient is written out. Initial weights and
    minibatches are drawn from each model's own seed: a model alone equals the same model in the batch up to rounding. Minibatches run through
    random permutations of the model's records.

    Args:
        x: float [N, features], records.
        y: int [N], labels; C is the largest plus one.
        keep: bool [R, N], the records of each model.
        training: How the models are made.
        seeds: Seed of each model; 0 .. R - 1 if not given.
        compute: Device and precision.

    Raises:
        DataError: If shapes don't fit, values aren't finite, labels aren't whole numbers from 0, or a model has no record.
        TrainingError: If a model diverges.
    """
    training, compute = training or ShadowTraining(), compute or ComputeOptions()
    x, y, keep = _checked(x, y, keep)
    seeds = range(len(keep)) if seeds is None else seeds
    if len(seeds) != len(keep):
        raise DataError(f"seeds has {len(seeds)} entries, but keep has {len(keep)} models; give one seed for each.")
    units = (x.shape[1], *training.hidden, int(y.max()) + 1)
    size = sum(o * (i + 1) for i, o in itertools.pairwise(units))
    together = max(1, min(_TOGETHER // size, -(-len(keep) // workers()))) if compute.device == "cpu" else len(keep)
    device, dtype = torch.device(compute.device), getattr(torch, compute.precision)
    data = torch.from_numpy(x).to(device, dtype), torch.from_numpy(y).to(device)
    out = np.empty((len(keep), len(x), units[-1]))

    def fill(first: int) -> None:
        part = slice(first, first + together)
        out[part] = _trained(data[0], data[1], keep[part], list(seeds[part]), units, training)

    with ThreadPoolExecutor(workers()) as pool:
        list(pool.map(fill, range(0, len(keep), together)))
    diverged = int((~np.isfinite(out).all((1, 2))).sum())
    if diverged:
        raise TrainingError(f"{diverged} of {len(keep)} shadow models have diverged; lower the learning rate (now {training.rate:g}).")
    return out


def _checked(x: NDArray[np.float64], y: NDArray[np.int64], keep: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.bool_]]:
    x, y, keep = np.asarray(x), np.asarray(y), np.asarray(keep)
    if x.ndim != 2 or x.size == 0 or x.dtype.kind not in "fiu" or not np.isfinite(x).all():
        raise DataError(f"x is {x.dtype} {x.shape}, but must be finite numbers [records, features], neither empty.")
    if y.shape != x.shape[:1] or y.dtype.kind not in "iu" or y.min() < 0:
        raise DataError(f"y is {y.dtype} {y.shape}, but must be a whole number from 0 for each of the {len(x)} records of x.")
    if keep.dtype != np.bool_ or keep.ndim != 2 or len(keep) == 0 or keep.shape[1] != len(x):
        raise DataError(f"keep is {keep.dtype} {keep.shape}, but must be a boolean array [models, {len(x)}] with at least one model.")
    if not keep.any(1).all():
        raise DataError(f"Model {int(keep.any(1).argmin())} keeps no record; each row of keep needs at least one.")
    return x.astype(np.float64), y.astype(np.int64), keep


@torch.no_grad()
def _trained(x: Tensor, y: Tensor, keep: NDArray[np.bool_], seeds: list[int], units: tuple[int, ...], training: ShadowTraining) -> NDArray[np.float64]:
    """Logits [R, N, C] of models that are trained together."""
    generators = [torch.Generator().manual_seed(s) for s in seeds]
    flat = _initial(units, generators).to(x.device, x.dtype)
    flat.grad = torch.zeros_like(flat)
    weights, biases = _views(flat, units, len(seeds))
    slopes = _views(flat.grad, units, len(seeds))
    if training.optimiser == "adam":
        optimiser: torch.optim.Optimizer = torch.optim.Adam([flat], lr=training.rate, fused=True)
    else:
        optimiser = torch.optim.SGD([flat], lr=training.rate, momentum=training.momentum, fused=True)
    minus = torch.full((len(seeds), training.batch, 1), -1.0, dtype=x.dtype, device=x.device)
    for drawn in _minibatches(keep, generators, training):
        index = drawn.to(x.device)
        inputs = [x.index_select(0, index.view(-1)).view(*index.shape, -1)]
        labels = y.index_select(0, index.view(-1)).view(*index.shape, 1)
        delta = _forward(weights, biases, inputs).softmax(-1).scatter_add_(-1, labels, minus).mul_(1.0 / training.batch)
        for i in range(len(weights) - 1, -1, -1):
            torch.bmm(delta.mT, inputs[i], out=slopes[0][i])
            torch.sum(delta, 1, out=slopes[1][i])
            if i:
                delta = torch.ops.aten.threshold_backward(torch.bmm(delta, weights[i]), inputs[i], 0.0)
        optimiser.step()
    step = max(1, _ASKED // (len(seeds) * max(units)))
    asked = [_forward(weights, biases, [part.expand(len(seeds), *part.shape)]) for part in x.split(step)]
    return torch.cat(asked, 1).double().cpu().numpy()


def _forward(weights: list[Tensor], biases: list[Tensor], inputs: list[Tensor]) -> Tensor:
    """Logits [R, B, C]; the input of each layer is appended to ``inputs``."""
    for weight, bias in zip(weights[:-1], biases[:-1], strict=True):
        inputs.append(torch.baddbmm(bias.unsqueeze(1), inputs[-1], weight.mT).relu_())
    return torch.baddbmm(biases[-1].unsqueeze(1), inputs[-1], weights[-1].mT)


def _views(flat: Tensor, units: tuple[int, ...], models: int) -> tuple[list[Tensor], list[Tensor]]:
    """Per layer the weights [R, out, in] and biases [R, out] inside one flat tensor."""
    shapes = [s for i, o in itertools.pairwise(units) for s in ((models, o, i), (models, o))]
    parts = flat.split([math.prod(s) for s in shapes])
    views = [p.view(s) for p, s in zip(parts, shapes, strict=True)]
    return views[::2], views[1::2]


def _initial(units: tuple[int, ...], generators: list[torch.Generator]) -> Tensor:
    """Flat float64 start values: hidden layers as He et al. (2015), biases 0, the head at half of that variance."""
    models = len(generators)
    size = sum(o * (i + 1) for i, o in itertools.pairwise(units))
    flat = torch.zeros(models * size, dtype=torch.float64)
    weights, _ = _views(flat, units, models)
    for r, generator in enumerate(generators):
        for i, weight in enumerate(weights):
            gain = 1.0 if i == len(weights) - 1 else 2.0
            weight[r] = torch.randn(weight.shape[1:], generator=generator, dtype=torch.float64) * math.sqrt(gain / weight.shape[2])
    return flat


def _minibatches(keep: NDArray[np.bool_], generators: list[torch.Generator], training: ShadowTraining) -> Iterator[Tensor]:
    """Indices of records, int64 [R, batch] for each step."""
    records = [torch.from_numpy(np.flatnonzero(row)) for row in keep]
    for first in range(0, training.steps, _BLOCK):
        wanted = _BLOCK * training.batch
        block = torch.empty(len(records), wanted, dtype=torch.int64)
        for row, mine, generator in zip(block, records, generators, strict=True):
            passes = [mine[torch.randperm(len(mine), generator=generator)] for _ in range(-(-wanted // len(mine)))]
            row.copy_(torch.cat(passes)[:wanted])
        steps = block.view(len(records), _BLOCK, training.batch).transpose(0, 1).contiguous()
        yield from steps[:training.steps - first]
