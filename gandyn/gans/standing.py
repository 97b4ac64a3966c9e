"""Running statistics of BatchNorm that belong to a point, and not to the steps that led elsewhere."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import numpy as np
import torch
from torch.nn.modules.batchnorm import _BatchNorm

from ..arguments import whole
from ..types import Array
from .gan_game import GANGame


@contextlib.contextmanager
def standing_statistics(game: GANGame, w: Array, batches: int = 50, seed: int = 0) -> Iterator[None]:
    """A context in which the generator's BatchNorm layers hold the statistics of the point w.

    In evaluation mode a BatchNorm layer uses running statistics, which follow the last steps of the training. They do
    not fit another point, such as the average of the weights. Here each mean and variance is the plain mean over
    `batches` fresh batches of latents at w, in training mode; these are called standing statistics
    (`accumulate_standing_stats` in utils.py of ajbrock/BigGAN-PyTorch). At the end everything is as it was, so what the
    statistics are for (samples, metrics, a file) belongs inside.

    Args:
        game: a GAN.
        w: the point, shape (d,).
        batches: how many batches of the game's size.
        seed: seed of the latents.

    Raises:
        ParameterError: for `batches` below 1.
        ShapeError: for a vector of another length.

    Example:
        >>> import torch, gandyn as gd
        >>> generator = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.BatchNorm1d(2))
        >>> game = gd.gans.GANGame(generator, gd.gans.mlp_pair(hidden=(4,))[1], data=gd.gans.ring())
        >>> with gd.gans.standing_statistics(game, game.w0):
        ...     inside = generator[1].running_var.clone()
        >>> bool((inside == 1).all()), bool((generator[1].running_var == 1).all())
        (False, True)
    """
    whole("batches", batches)
    layers = [m for m in game.generator.modules() if isinstance(m, _BatchNorm) and m.track_running_stats]
    momenta = [layer.momentum for layer in layers]
    rng = np.random.default_rng(seed)
    with game.undisturbed():
        game.load(w)
        try:
            for layer in layers:
                layer.reset_running_stats()
                layer.momentum = None  # the plain mean over all batches
            game.generator.train()
            with torch.no_grad():
                for _ in range(batches if layers else 0):
                    batch = game.draw(rng)
                    game.generator(batch.latent, *((batch.labels,) if game._conditional[0] else ()))
            yield
        finally:
            for layer, momentum in zip(layers, momenta, strict=True):
                layer.momentum = momentum
