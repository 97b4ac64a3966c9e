"""Moving averages and steps over the root of one: what Adam and its kin do, in few passes over a torch vector."""

from __future__ import annotations

import sys

from ..memory import is_given_away
from ..types import Parameter
from ..worlds import TORCH, Array, sqrt, world_of


def blend(old: Array, new: Array, weight: Parameter) -> Array:
    """weight * old + (1 - weight) * new for a number `weight`: a moving average, in torch in one pass."""
    if world_of(old) == TORCH:
        return old.lerp_(new, 1 - weight) if is_given_away(old) else sys.modules["torch"].lerp(old, new, 1 - weight)
    return weight * old + (1 - weight) * new


def blend_square(old: Array, new: Array, weight: Parameter) -> Array:
    """weight * old + (1 - weight) * new^2, in torch in two passes. Once infinite it stays so: no inf - inf."""
    if world_of(old) == TORCH:
        if sys.modules["torch"].is_tensor(weight):
            return weight * old + (1 - weight) * new * new
        scaled = old.mul_(weight) if is_given_away(old) else weight * old
        return scaled.addcmul_(new, new, value=1 - weight)
    return weight * old + (1 - weight) * (new * new)


def over_root(mean: Array, square: Array, mean_weight: Parameter, square_weight: Parameter, eps: Parameter) -> Array:
    """(mean / mean_weight) / (sqrt(square / square_weight) + eps), elementwise, for numbers as weights and eps.

    In torch the weights go into the root and one vector holds everything between, unless derivatives are wanted.
    """
    if world_of(mean) == TORCH:
        torch = sys.modules["torch"]
        if not (torch.is_grad_enabled() and (mean.requires_grad or square.requires_grad)):
            root = (square * (mean_weight * mean_weight / square_weight)).sqrt_().add_(mean_weight * eps)
            return torch.div(mean, root, out=root)
    return (mean / mean_weight) / (sqrt(square / square_weight) + eps)


def descend_over_root(
    w: Array,
    step: Parameter,
    mean: Array,
    square: Array,
    mean_weight: Parameter,
    square_weight: Parameter,
    eps: Parameter,
) -> Array:
    """w - step * over_root(mean, square, ...), for a step that is a number or a vector.

    In torch three passes over one new vector, four where the step or a weight is a tensor.
    """
    if world_of(w) == TORCH:
        torch = sys.modules["torch"]
        tensors = [a for a in (w, step, mean, square) if torch.is_tensor(a)]
        if not (torch.is_grad_enabled() and any(a.requires_grad for a in tensors)):
            weight = square_weight**0.5
            root, factor = square.sqrt().add_(eps * weight), step * weight / mean_weight
            if torch.is_tensor(factor):
                return torch.sub(w, torch.div(mean, root, out=root).mul_(factor), out=root)
            return torch.addcdiv(w, mean, root, value=-factor, out=root)
    return w - step * over_root(mean, square, mean_weight, square_weight, eps)
