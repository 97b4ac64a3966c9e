"""Whether the networks, latents and data of a GAN fit each other: one pass of a batch, and the shapes that do not."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch

from ..errors import GameError, GandynError, ParameterError, ShapeError
from ..types import Array


def fitting(
    generator: torch.nn.Module, discriminator: torch.nn.Module, batch: Any, n: int, conditional: Sequence[bool]
) -> Array:
    """What the discriminator answers of the data of a batch, when all of it has been seen to fit.

    Args:
        generator, discriminator: the modules. batch: with `latent`, `real` and `labels`. n: points it is to have.
        conditional: which of the modules are given labels.

    Raises:
        ShapeError: for latents that the generator cannot take, samples of another size than data, a discriminator that
            cannot take them, and answers that are not one logit for each point.
        GameError: for a module that fails otherwise, or answers with no tensor.
    """
    for points, what in ((batch.latent, "latents"), (batch.real, "data")):
        if len(points) != n:
            raise ShapeError(
                f"{what} of shape {tuple(points.shape)} for a batch of {n}", f"({n}, ...), as many as are asked for",
                "use the first argument: lambda n, source: torch.randn(n, 2, generator=source)",
            )  # fmt: skip
    given = [(batch.labels,) if labelled else () for labelled in conditional]
    fake = _answer(generator, "generator", "latents", batch.latent, given[0], _latent_fix(generator, batch.latent))
    _check_sizes(generator, discriminator, fake, batch.real)
    answers = []
    for points, what in ((batch.real, "data"), (fake, "samples")):
        fix = _discriminator_fix(discriminator, points, fake, batch.real)
        answer = _answer(discriminator, "discriminator", what, points, given[1], fix)
        _check_logits(answer, points, n)
        answers.append(answer)
    return answers[0]


def check_labels(labels: Any, n: int, classes: int) -> None:
    """Refuse what is not one class for each point.

    Raises:
        ShapeError: for labels of another shape, or out of range. ParameterError: for other than whole numbers.
    """
    if labels.is_floating_point() or labels.is_complex():
        raise ParameterError(f"labels of {labels.dtype}", "whole numbers, the classes", "labels.long()")
    low, high = (int(labels.min()), int(labels.max())) if labels.numel() else (0, 0)
    if tuple(labels.shape) != (n,) or low < 0 or high >= classes:
        given = f"labels of shape {tuple(labels.shape)}, from {low} to {high}, for {n} points"
        needed = f"({n},), from 0 to {classes - 1}, by the discriminator's class logits"
        raise ShapeError(given, needed, "one label for each point, and as many class logits as classes")


def _answer(module: Any, name: str, what: str, points: Array, labels: tuple[Any, ...], fix: str) -> Any:
    """A module's answer; where it fails, the shapes first and the module's own words after them."""
    try:
        answer = module(points, *labels)
    except (GandynError, torch.OutOfMemoryError):
        raise
    except Exception as error:
        shape, words = tuple(points.shape), " ".join(str(error).split())[:200]
        given = f"a {name} that cannot take {what} of shape {shape} ({type(error).__name__}: {words})"
        if fix:
            raise ShapeError(given, f"{what} that it takes: its {_first(module)}", fix) from error
        call = f"{name}(torch.randn{shape})"
        raise GameError(given, "a module of one tensor, and of labels if it is conditional", f"try {call}") from error
    first = answer[0] if isinstance(answer, tuple) and answer else answer
    if not isinstance(first, torch.Tensor):
        given = f"a {name} that answers with {type(answer).__name__}"
        raise GameError(given, "a module that returns a tensor", "return the output at the end of forward()")
    return answer


def _check_sizes(generator: torch.nn.Module, discriminator: torch.nn.Module, fake: Any, real: Array) -> None:
    """Refuse samples of another size than data."""
    if isinstance(fake, torch.Tensor) and len(fake) == len(real) and fake[0].numel() == real[0].numel():
        return
    shapes = tuple(fake.shape) if isinstance(fake, torch.Tensor) else type(fake).__name__
    given = (
        f"a generator that makes {shapes} for data of {tuple(real.shape)}; the discriminator's {_first(discriminator)}"
    )
    size = real[0].numel()
    if isinstance(fake, torch.Tensor) and size > 1 and fake.numel() == len(real):
        raise ShapeError(given, "samples of the shape of data", "swap the networks: the generator comes first")
    last = f"end the generator in a layer with {size} outputs"
    if tuple(real.shape[1:]) != (size,):
        last += f" and torch.nn.Unflatten(1, {tuple(real.shape[1:])})"
    if _takes(discriminator) not in (None, size):
        last += f", and begin the discriminator in one with {size} inputs" if real.ndim == 2 else ""
    raise ShapeError(given, "samples of the shape of data", last)


def _check_logits(answer: Any, points: Array, n: int) -> None:
    logits = answer[0] if isinstance(answer, tuple) else answer
    if tuple(logits.shape) in ((n,), (n, 1)):
        return
    raise ShapeError(
        f"a discriminator that answers {tuple(points.shape)} with {tuple(logits.shape)}",
        f"one logit for each point: ({n},) or ({n}, 1)",
        "end it in a layer with one output",
    )


# --- what to do about it ---------------------------------------------------------------------------------------------


def _layer(module: torch.nn.Module) -> Any:
    """The first layer with a weight, as modules list them."""
    return next((m for m in module.modules() if isinstance(getattr(m, "weight", None), torch.Tensor)), None)


def _first(module: torch.nn.Module) -> str:
    layer = _layer(module)
    if layer is None:
        return f"class is {type(module).__name__}"
    return f"first layer is {' '.join(str(layer).split())[:100]}"


def _takes(module: torch.nn.Module) -> int | None:
    """How many numbers the first layer takes, if that is a linear one."""
    layer = _layer(module)
    return layer.in_features if isinstance(layer, torch.nn.Linear) else None


def _channels(module: torch.nn.Module) -> int | None:
    return getattr(_layer(module), "in_channels", None)


def _latent_fix(generator: torch.nn.Module, latent: Array) -> str:
    takes, channels = _takes(generator), _channels(generator)
    if takes is not None and latent.shape[-1] != takes:
        return f"latent={takes}"
    if channels is not None and (latent.ndim != 4 or latent.shape[1] != channels):
        return f"latent=lambda n, source: torch.randn(n, {channels}, 1, 1, generator=source)"
    return ""


def _discriminator_fix(discriminator: torch.nn.Module, points: Array, fake: Array, real: Array) -> str:
    """What to change where the discriminator cannot take data or samples, which are of one size."""
    takes, channels, size = _takes(discriminator), _channels(discriminator), math.prod(points.shape[1:])
    if takes is not None and points.shape[-1] != takes:
        return "begin it with torch.nn.Flatten()" if takes == size else f"begin it in a layer with {size} inputs"
    if channels is not None and (points.ndim < 3 or points.shape[1] != channels):
        if points.ndim < 3:
            to = "(c, h, w)" if size % channels else f"({channels}, h, w)"
            return f"begin it with torch.nn.Unflatten(1, {to})"
        return f"begin it in a layer with {points.shape[1]} channels"
    return ""
