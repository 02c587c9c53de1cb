"""Tensors with a description as safetensors bytes: the same content gives the same bytes, and an altered byte is noticed."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

KEY = "about"


def pack(tensors: dict[str, Tensor], about: dict[str, Any]) -> bytes:
    """The bytes. All of the description is one entry of the header: safetensors writes several in random order.

    Args:
        tensors: Any shapes, on any device.
        about: What JSON can hold; the key "sha256" is taken.
    """
    plain = {k: v.detach().cpu().contiguous() for k, v in tensors.items()}
    return save(plain, metadata={KEY: json.dumps({**about, "sha256": _digest(about, plain)})})


def unpack(data: bytes) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Description and tensors.

    Raises:
        ValueError: If the bytes are truncated or altered, or were not made by :func:`pack`.
    """
    try:
        tensors = load(data)
        about = json.loads(json.loads(data[8:8 + int.from_bytes(data[:8], "little")])["__metadata__"][KEY])
        told = about.pop("sha256")
    except (SafetensorError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{type(error).__name__}: {error}") from error
    if told != _digest(about, tensors):
        raise ValueError("its content doesn't match its checksum")
    return about, tensors


def _digest(about: dict[str, Any], tensors: dict[str, Tensor]) -> str:
    """SHA-256 over the description and all weights; safetensors itself doesn't notice an altered weight."""
    content = hashlib.sha256(json.dumps(about).encode())
    for name, tensor in sorted(tensors.items()):
        content.update(name.encode() + tensor.numpy().tobytes())
    return content.hexdigest()
