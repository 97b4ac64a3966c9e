"""A term of a cost whose slopes are taken at once, so that its graph is gone before the next term needs memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch.autograd.function import once_differentiable

from ..losses import Loss
from ..types import Array


def adds_up(loss: Loss) -> bool:
    """Whether the discriminator's cost is a mean over data plus a mean over samples, by the loss's links alone."""
    kept = (getattr(type(loss), name) is getattr(Loss, name) for name in ("discriminator", "generator_cost"))
    return loss.separable and not loss.needs and all(kept)


class _KnownSlopes(torch.autograd.Function):
    """A number whose slopes at some parameters are known."""

    @staticmethod
    def forward(ctx: Any, value: torch.Tensor, slopes: list[torch.Tensor], *parameters: torch.Tensor) -> torch.Tensor:
        ctx.slopes = slopes
        return value.clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        return (None, None, *torch._foreach_mul(ctx.slopes, slope))


def differentiated(term: Array, parameters: Sequence[Array]) -> Array:
    """The same number with the same slopes at `parameters`, and none elsewhere; what it was computed from is freed.

    Its slopes can be taken once, and have no slopes themselves. A sum of terms has the same slopes as without, bit for
    bit: the terms' slopes are added as they are.

    Args:
        term: a scalar. parameters: all that it depends on and that anyone will ask about.
    """
    wanted = [p for p in parameters if p.requires_grad]
    if not (wanted and term.requires_grad):
        return term
    found = torch.autograd.grad(term, wanted, allow_unused=True)
    reached = [(p, slope) for p, slope in zip(wanted, found, strict=True) if slope is not None]
    known: Array = _KnownSlopes.apply(term.detach(), [slope for _, slope in reached], *(p for p, _ in reached))  # type: ignore[no-untyped-call]
    return known
