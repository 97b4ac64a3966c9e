"""What the discriminator knows: does it tell training data from fresh data, and how far does a nudge move it?"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator
from typing import Any

import torch

from ...arguments import positive, whole
from ...types import Array
from ..registries import metrics as registry
from .score import Score, looked_at


def logits(discriminator: Callable[..., Any], points: Array, labels: Array = None) -> torch.Tensor:
    """s(x), (n,), of discriminators with or without labels and class logits."""
    given = (points,) if labels is None else (points, labels)
    answer = discriminator(*given)
    found: torch.Tensor = answer[0] if isinstance(answer, tuple) else answer
    return found.flatten()


@registry.register("generalisation_gap", examples=())
def generalisation_gap(
    discriminator: torch.nn.Module,
    training: Array,
    held_out: Array,
    labels: object = None,
    held_out_labels: object = None,
) -> Score:
    """E s(training data) - E s(held-out data): 0 for a discriminator that has not learned its data by heart.

    In evaluation mode. `parts` hold the probability that a training point has the higher logit (1/2 without a gap) and
    the share of each that the discriminator calls real, s > 0.

    Args:
        discriminator: a module. training: data that it was trained on. held_out: data that it was not.
        labels, held_out_labels: for conditional discriminators.
    """
    looked_at(training, "coordinates"), looked_at(held_out, "coordinates")
    with evaluating(discriminator), torch.no_grad():
        own = logits(discriminator, training, labels).double()
        other = logits(discriminator, held_out, held_out_labels).double()
    error = math.sqrt(float(own.var()) / len(own) + float(other.var()) / len(other))
    ranked = other.sort().values
    below = torch.searchsorted(ranked, own) + torch.searchsorted(ranked, own, right=True)  # ties count half
    parts = {
        "order": float(below.double().mean()) / (2 * len(other)),
        "called_real": float((own > 0).double().mean()),
        "held_out_called_real": float((other > 0).double().mean()),
    }
    return Score("generalisation_gap", float(own.mean() - other.mean()), error, 0, len(own), "logit", 0.0, 0, "", parts)


@registry.register("adversarial_sensitivity", examples=())
def adversarial_sensitivity(
    discriminator: torch.nn.Module, points: Array, radius: float, steps: int = 10, labels: object = None
) -> Score:
    """E max over |e| <= radius of |s(x + e) - s(x)|, by projected gradient steps: a lower bound of the true maximum.

    Both directions are tried and the larger change is taken. `parts` hold what the slope alone predicts,
    radius E|grad s|, and the share of points whose verdict, the sign of s, was turned.

    Args:
        discriminator: a module. points: where. radius: in units of the data, Euclidean over the whole point.
        steps: of length 2.5 radius / steps. labels: for conditional discriminators.

    Raises:
        ParameterError: for a radius or number of steps that is not positive.
    """
    looked_at(points, "coordinates", 1)
    positive("radius", radius, infinite=True)
    whole("steps", steps)
    x = torch.as_tensor(points).detach()
    with evaluating(discriminator):
        start = logits(discriminator, x, labels).detach()
        slope = slopes(discriminator, x, labels).flatten(1).norm(dim=1)
        ends = [_pushed(discriminator, x, sign * radius, steps, labels) for sign in (1.0, -1.0)]
    changes = torch.stack([(end - start).abs() for end in ends]).double()
    turned = torch.stack([(end > 0) != (start > 0) for end in ends]).any(0)
    best = changes.max(0).values
    parts = {
        "first_order": radius * float(slope.double().mean()),
        "turned": float(turned.double().mean()),
        "radius": float(radius),
    }
    error = float(best.std()) / math.sqrt(len(best)) if len(best) > 1 else None
    return Score("adversarial_sensitivity", float(best.mean()), error, 0, len(x), "logit", None, 0, "lower", parts)


def _pushed(discriminator: torch.nn.Module, x: torch.Tensor, radius: float, steps: int, labels: Array) -> torch.Tensor:
    """The logit after steps up the slope (down for a negative radius) within the ball; the best on the way."""
    shape, size = (-1, *(1,) * (x.ndim - 1)), abs(radius)
    moved, best = x.clone(), logits(discriminator, x, labels).detach()
    sign = 1.0 if radius > 0 else -1.0
    for _ in range(steps):
        slope = slopes(discriminator, moved, labels)
        length = slope.flatten(1).norm(dim=1).clamp(min=torch.finfo(x.dtype).tiny)
        moved = moved + sign * 2.5 * size / steps * slope / length.reshape(shape)
        apart = moved - x
        far = apart.flatten(1).norm(dim=1)
        moved = x + apart * (size / far.clamp(min=size)).reshape(shape)
        now = logits(discriminator, moved, labels).detach()
        best = torch.where(sign * (now - best) > 0, now, best)
    return best


def slopes(discriminator: torch.nn.Module, x: torch.Tensor, labels: Array) -> torch.Tensor:
    """ds/dx at every point, of the shape of the points."""
    with torch.enable_grad():
        leaf = x.detach().requires_grad_()
        return torch.autograd.grad(logits(discriminator, leaf, labels).sum(), leaf)[0]


@contextlib.contextmanager
def evaluating(network: torch.nn.Module) -> Iterator[None]:
    """The network in evaluation mode inside the `with` block, and in its former mode after it."""
    was_training = bool(getattr(network, "training", False))
    if was_training:
        network.eval()
    try:
        yield
    finally:
        if was_training:
            network.train()
