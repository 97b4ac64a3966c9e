"""What the DCGAN paper looks at: kernels, walks between latents, and arithmetic with latents (Radford et al. 2016)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from ..arguments import whole
from ..doors import door, several, shown
from ..errors import DomainError, ParameterError
from ..types import Array
from .given import check_modules
from .training.sample_grid import SampleGrid


def made_of(game: Any, w: Array, latent: Array, labels: Array = None) -> Array:
    """The generator's points for given latents (n, latent), in evaluation mode, without a graph: (n, ...)."""
    game.load(w)
    game.generator.eval()
    try:
        with torch.no_grad():
            given = () if labels is None else (labels,)
            return game.generator(latent.to(game.w0), *given)
    finally:
        game.generator.train()


@door
def kernels(network: torch.nn.Module, layer: int = 0, most: int = 64) -> SampleGrid:
    """The kernels of a convolution as small pictures, each divided by its largest entry, (n, channels, h, w).

    Of a layer whose maps are neither gray nor coloured, each kernel's slice for its first map is shown.

    Args:
        network: with convolutions.
        layer: which of the convolutions, counted from 0.
        most: kernels that are shown.

    Raises:
        DomainError: for a network without so many convolutions.
    """
    check_modules(network=network)
    found = [m for m in network.modules() if isinstance(m, torch.nn.Conv2d | torch.nn.ConvTranspose2d)]
    if not 0 <= layer < len(found):
        given = f"layer {layer} of {type(network).__name__} with {len(found)} convolutions"
        raise DomainError(given, "one of its convolutions, from 0", "layer=0")
    weight = found[layer].weight.detach()
    weight = weight.transpose(0, 1) if isinstance(found[layer], torch.nn.ConvTranspose2d) else weight
    weight = weight if weight.shape[1] in (1, 3) else weight[:, :1]
    shown = weight[: several("most", most)].double().cpu()
    size = shown.abs().amax((1, 2, 3), keepdim=True).clamp_min(1e-300)
    return _grid(shown / size, f"kernels of convolution {layer}")


@door
def interpolation(
    game: Any, w: Array, ends: Sequence[Array], steps: int = 8, spherical: bool = True, labels: Array = None
) -> SampleGrid:
    """Samples on a walk from one latent to another, (steps, ...).

    With t from 0 to 1 and angle a between the latents, z(t) = (sin((1 - t) a) z_0 + sin(t a) z_1) / sin a, which keeps
    the lengths that normal latents have; or (1 - t) z_0 + t z_1, which passes where hardly any latent lies.

    Args:
        game: a `GANGame`.
        w: (d,).
        ends: two latents (latent,).
        steps: points of the walk, both ends included.
        spherical: along the great circle.
        labels: (steps,), for a conditional generator.

    Raises:
        ParameterError: for fewer than two steps, and ends that are not two vectors of one size.
    """
    first, last = _latents(game, "ends", ends, 2)
    whole("steps", steps, 2)
    t = torch.linspace(0, 1, steps, dtype=first.dtype)[:, None]
    cosine = (first @ last / (first.norm() * last.norm())).clamp(-1, 1)
    angle = torch.arccos(cosine)
    if spherical and 1e-6 < float(angle) < np.pi - 1e-6:
        walk = (torch.sin((1 - t) * angle) * first + torch.sin(t * angle) * last) / torch.sin(angle)
    else:
        walk = (1 - t) * first + t * last
    return _grid(made_of(game, w, walk, labels), f"from one latent to another, {game.name}")


def _latents(game: Any, name: str, given: Any, n: int | None = None) -> torch.Tensor:
    """Latents (n, latent) of the game's size, in double precision."""
    size = int(game.reference.latent.shape[1])
    try:
        found = torch.stack([torch.as_tensor(one, dtype=torch.float64) for one in given])
    except (TypeError, ValueError, RuntimeError) as error:
        raise ParameterError(f"{name}={shown(given)}", f"latents (n, {size})", "torch.randn(2, latent)") from error
    if found.shape[1:] != (size,) or n not in (None, len(found)):
        raise ParameterError(f"{name} of shape {tuple(found.shape)}", f"({n or 'n'}, {size})", "torch.randn(2, latent)")
    return found


@door
def arithmetic(
    game: Any, w: Array, plus: Sequence[Array], minus: Sequence[Array] = (), around: float = 0.0, seed: int = 0
) -> SampleGrid:
    """Samples for a sum of mean latents, sum_k mean(plus_k) - sum_k mean(minus_k): one, and eight with noise on it.

    Each group is latents (n, latent) of samples that have something in common; their mean stands for it (section
    6.3.2).

    Args:
        game: a `GANGame`.
        w: (d,).
        plus, minus: groups of latents.
        around: the eight get uniform noise within +-around, 0.25 in the paper; none are made for 0.
        seed: of the noise.

    Raises:
        ParameterError: without a group to add.
    """
    if not isinstance(plus, list | tuple) or not len(plus):
        raise ParameterError("no group of latents to add", "one or more", "plus=[latents]")
    means = [sign * _latents(game, "a group", group).mean(0)
             for sign, groups in ((1, plus), (-1, minus)) for group in groups]  # fmt: skip
    total = torch.stack(means).sum(0)[None]
    if around:
        rng = torch.Generator().manual_seed(seed)
        noise = around * (2 * torch.rand(8, total.shape[1], generator=rng, dtype=total.dtype) - 1)
        total = torch.cat([total, total + noise])
    return _grid(made_of(game, w, total), f"sum of latents, {game.name}")


@door
def latents_of(game: Any, w: Array, kind: int, n: int = 3, features: str = "digits64", seed: int = 0) -> Array:
    """Latents whose samples a classifier puts into a class, the surest of 512 drawn ones, (n, latent).

    Args:
        game: a `GANGame` of normal latents.
        w: (d,).
        kind: the class.
        n: how many.
        features: a classifier's name.
        seed: of the latents.

    Raises:
        ParameterError: for an n that is no count. UnknownNameError: for features that are not registered.
    """
    from .features import resolve

    source = torch.Generator(game.device).manual_seed(seed)
    latent = game._draw_latent(512, source)
    sure = resolve(features).probabilities(made_of(game, w, latent))[:, kind]
    return latent[sure.argsort(descending=True)[: several("n", n)]]


def _grid(points: Any, name: str) -> SampleGrid:
    array = np.asarray(points.detach().float().cpu())
    return SampleGrid(array, array, None, name)
