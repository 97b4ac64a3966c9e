"""Tensors as pieces of a flat vector, each in the order in which its parameter lies in memory (channels last, say)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..types import Array


def memory_order(p: Any) -> tuple[int, ...] | None:
    """The dimensions of a tensor from the slowest to the fastest; None where that is their own order, or not dense."""
    if p.is_contiguous():
        return None
    order = tuple(sorted(range(p.ndim), key=lambda i: (-p.stride(i), i)))
    return order if p.permute(order).is_contiguous() else None


def flat(tensor: Array, like: Array) -> Any:
    """A tensor as a piece of a vector, in the memory order of the parameter `like`, (numel,)."""
    order = memory_order(like)
    return (tensor if order is None else tensor.permute(order)).reshape(-1)


def shaped(piece: Any, like: Array) -> Any:
    """A piece of a vector as a tensor of the shape and memory order of the parameter `like`: what `flat` undoes."""
    order = memory_order(like)
    if order is None:
        return piece.reshape(like.shape)
    back = sorted(range(like.ndim), key=order.__getitem__)
    return piece.reshape([like.shape[i] for i in order]).permute(back)


def flattened(tensors: Sequence[object], like: Sequence[object]) -> Any:
    """Tensors side by side in one vector, each in the memory order of its parameter."""
    import torch

    return torch.cat([flat(tensor, p) for tensor, p in zip(tensors, like, strict=True)])
