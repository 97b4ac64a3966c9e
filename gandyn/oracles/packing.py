"""Tensors as pieces of a flat vector, each in the order in which its parameter lies in memory (channels last, say)."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from ..lazy import torch
from ..types import Array

LARGEST_KEPT = 31 * 2**20


def memory_order(p: Any) -> tuple[int, ...] | None:
    """The dimensions of a tensor from the slowest to the fastest; None where that is their own order, or not dense."""
    if p.is_contiguous():
        return None
    order = tuple(sorted(range(p.ndim), key=lambda i: (-p.stride(i), i)))
    return order if p.permute(order).is_contiguous() else None


def flat(tensor: Array, like: Array) -> Array:
    """A tensor as a piece of a vector, in the memory order of the parameter `like`, (numel,)."""
    order = memory_order(like)
    return (tensor if order is None else tensor.permute(order)).reshape(-1)


def shaped(piece: Array, like: Array) -> Array:
    """A piece of a vector as a tensor of the shape and memory order of the parameter `like`: what `flat` undoes."""
    order = memory_order(like)
    if order is None:
        return piece.reshape(like.shape)
    back = sorted(range(like.ndim), key=order.__getitem__)
    return piece.reshape([like.shape[i] for i in order]).permute(back)


def flattened(tensors: Sequence[Any], like: Sequence[Any]) -> Array:
    """Tensors side by side in a fresh vector, each in the memory order of its parameter."""
    return torch.cat([flat(tensor, p) for tensor, p in zip(tensors, like, strict=True)])


def keep_pages(buffer: Array) -> None:
    """Let the C library keep freed vectors for the next ones: a pure rule makes several every step.

    glibc hands blocks above a threshold straight back to the system, and fetching them again costs 5 to 15 % of a step
    in page faults. The threshold rises to the largest such block ever freed, up to 32 MiB, so one is freed here; its
    pages are never touched.
    """
    if buffer.device.type == "cpu":
        buffer.new_empty(LARGEST_KEPT // buffer.element_size())


def joined(parameters: Sequence[Sequence[Array]], keep_order: bool) -> Array:
    """One buffer that holds all parameters, which become views into it."""
    everything = list(itertools.chain(*parameters))
    if not keep_order:
        for p in everything:
            p.data = p.data.contiguous()
    buffer = flattened([p.detach() for p in everything], everything)
    for p, piece in zip(everything, torch.split(buffer, [p.numel() for p in everything]), strict=True):
        p.data = _apart(shaped(piece, p))
    return buffer


def _apart(view: torch.Tensor) -> torch.Tensor:
    """The same memory through a storage of its own: what is saved of a parameter is the parameter, not the buffer."""
    return torch.utils.dlpack.from_dlpack(view) if view.device.type in ("cpu", "cuda") and view.numel() else view
