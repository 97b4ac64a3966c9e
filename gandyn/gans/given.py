"""What a GAN is given: modules, a device that is there, a seed, and data without NaN."""

from __future__ import annotations

import math
import warnings
from typing import Any

import torch

from ..arguments.values import real
from ..errors import GameError, ParameterError, made, shown
from ..types import Array

PASSES = (
    "View", "Reshape", "UnsafeView", "Squeeze", "Unsqueeze", "Alias", "Clone", "ToCopy", "Mean", "AvgPool",
    "AdaptiveAvgPool", "Clamp", "Hardtanh", "Slice", "Select", "Transpose", "Permute", "Expand",
)  # fmt: skip
PROBABILITIES = {"Sigmoid": "sigmoid", "Hardsigmoid": "hardsigmoid", "LogSigmoid": "log-sigmoid",
                 "Softmax": "softmax", "LogSoftmax": "log-softmax"}  # fmt: skip


def check_modules(**modules: object) -> None:
    """Raises GameError, by its name, for what is no module: a class, a state dict, a function."""
    for name, module in modules.items():
        if not isinstance(module, torch.nn.Module):
            raise GameError(f"{name}={shown(module)}", "a torch.nn.Module", made(module, "gd.gans.mlp_pair()"))


def weight(name: str, value: Any, most: float = math.inf) -> float:
    """A real number from 0 to `most`. Raises ParameterError for any other, by its name."""
    number = float(real(name, value))
    if not 0 <= number <= most:
        raise ParameterError(f"{name}={value!r}", f"a number from 0 to {most:g}", f"{name}=0.1")
    return number


def device_named(name: object) -> torch.device | None:
    """A device by its name; None: where the modules are. Raises ParameterError for one that is not there."""
    if name is None or isinstance(name, torch.device):
        return name
    try:
        if not isinstance(name, str):
            raise TypeError
        device = torch.device(name)
    except (RuntimeError, TypeError) as error:
        raise ParameterError(f"device = {name!r}", "cpu, cuda or cuda:N", 'device = "cpu"') from error
    there = device.type == "cpu"
    if device.type == "cuda":
        there = torch.cuda.is_available() and (device.index or 0) < torch.cuda.device_count()
    elif device.type == "mps":
        there = torch.backends.mps.is_available()
    if not there:
        raise ParameterError(f"device = {name!r} on a machine without it", "a device that is there", 'device = "cpu"')
    return device


def refuse_not_finite(points: Array, name: str) -> None:
    """Raises ParameterError for data that are empty, or hold NaN or infinities, with how many points do."""
    if isinstance(points, torch.Tensor):
        if not len(points):
            raise ParameterError(f"{name} without points", "one point or more", "check where they come from")
        if points.is_floating_point() and not bool(points.isfinite().all()):
            bad = int((~points.isfinite()).reshape(len(points), -1).any(-1).sum())
            given = f"{name}, of whose {len(points)} points {bad} have entries that are not finite"
            raise ParameterError(given, "finite numbers", "leave those points out: points[points.isfinite().all(-1)]")


def warn_of_probabilities(answer: torch.Tensor, name: str) -> None:
    """Warn of a discriminator whose answer is a probability, or its logarithm, where a logit is taken.

    Seen by its last operation but for shapes, means over places, clamps and precisions.
    """
    node = answer.grad_fn
    while node is not None and node.name().startswith(PASSES):
        node = node.next_functions[0][0]
    end = PROBABILITIES.get("" if node is None else node.name().partition("Backward")[0])
    if end is not None:
        warnings.warn(
            f"the discriminator of {name} ends in a {end}, and its output is taken as a logit: costs and slopes are not"
            f" those of the loss's name. Usual fix: leave the {end} out",
            stacklevel=4,
        )


def latent_size(generator: torch.nn.Module) -> int:
    """The size of the latents that a generator says, or its first linear layer takes. Raises ParameterError for one
    that does not say, with a function of latents for a generator of pictures.
    """
    if isinstance(getattr(generator, "latent", None), int):
        return int(generator.latent)  # type: ignore[arg-type]
    layers = [m for m in generator.modules() if isinstance(m, torch.nn.Linear)]
    if not layers:
        channels = next((m.in_channels for m in generator.modules() if hasattr(m, "in_channels")), None)
        of_planes = f"latent=lambda n, source: torch.randn(n, {channels}, 1, 1, generator=source)"
        given = f"{type(generator).__name__} without a linear layer, and no latent size"
        raise ParameterError(given, "latent=...", "latent=64" if channels is None else of_planes)
    return int(layers[0].in_features)
