"""The state of a meta-training, as safetensors bytes: what an exact resume needs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from mrp_core.errors import CheckpointError
from mrp_core.networks import Parameters
from mrp_core.tensorfile import pack, unpack


@dataclass(kw_only=True)
class TrainingState:
    """All that a resumed training needs.

    Attributes:
        step: Iterations done.
        parameters, first, second: Parameters and Adam's moments, leading axis [C].
        alive: Which arms still train, bool [C]; an arm that turned NaN is frozen at its last finite weights.
        snapshots: (step, parameters) at each validation.
        measured: Outcomes of a search on measured objectives so far, as JSON can hold them.
    """

    step: int
    parameters: Parameters
    first: Parameters
    second: Parameters
    alive: Tensor
    snapshots: list[tuple[int, Parameters]] = field(default_factory=list)
    measured: list[dict[str, Any]] = field(default_factory=list)

    def to_bytes(self, config_id: str) -> bytes:
        """safetensors bytes."""
        tensors = {f"{group}/{k}": v for group in ("parameters", "first", "second") for k, v in getattr(self, group).items()}
        tensors |= {f"snapshot/{s}/{k}": v for s, ps in self.snapshots for k, v in ps.items()}
        tensors["alive"] = self.alive
        return pack(tensors, {"step": self.step, "config": config_id, "snapshots": [s for s, _ in self.snapshots], "measured": self.measured})

    @classmethod
    def from_bytes(cls, data: bytes, config_id: str, device: torch.device) -> TrainingState:
        """Inverse of :meth:`to_bytes`.

        Raises:
            CheckpointError: If the bytes are damaged or belong to another study.
        """
        try:
            about, found = unpack(data)
            tensors = {k: v.to(device) for k, v in found.items()}
            owner, step, taken, alive = about["config"], int(about["step"]), about["snapshots"], tensors["alive"]
        except (ValueError, KeyError, TypeError) as error:
            raise CheckpointError(f"The checkpoint is damaged ({type(error).__name__}); the study starts again from an older one, or anew.") from error
        if owner != config_id:
            raise CheckpointError(f"The checkpoint belongs to the study {owner}, not to {config_id}; it is not used.")
        group = lambda prefix: {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}  # noqa: E731
        return cls(step=step, parameters=group("parameters/"), first=group("first/"), second=group("second/"), alive=alive,
                   snapshots=[(s, group(f"snapshot/{s}/")) for s in taken], measured=list(about.get("measured", [])))
