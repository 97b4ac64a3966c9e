"""One look at a GAN in training: costs, gradients, logits and where the samples lie, without disturbing anything."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from ...errors import DomainError
from ...types import Array, Game
from .log import Row

PROBE = 256


@contextlib.contextmanager
def undisturbed(game: Game) -> Iterator[None]:
    """As `game.undisturbed`; the counts are left as they were too, since looking is no part of training."""
    counts = copy.copy(game.counts)
    try:
        with game.undisturbed():
            yield
    finally:
        game.__dict__["_counts"] = counts


def data_state(game: Any) -> dict[str, Any] | None:
    """The place in an epoch of data that are read in order, to be saved and restored; None for data drawn at random."""
    state: dict[str, Any] | None = game.data.state_dict() if hasattr(game.data, "state_dict") else None
    return state


class Observer:
    """Fixed latents and fixed data, looked at again and again."""

    def __init__(self, game: Any, seed: int) -> None:
        self.game = game
        with undisturbed(game):
            size, game.size = game.size, PROBE
            try:
                self.token = game.draw(np.random.default_rng((seed, 1)))
            finally:
                game.size = size
        real = self.token.real.flatten(1).double()
        self._mean = real.mean(0)
        apart = real - self._mean
        self.scale = float(apart.square().sum(1).mean().sqrt()) or 1.0
        self._axes = torch.linalg.svd(apart, full_matrices=False)[2][:2]
        try:
            odds = game.loss.optimal_logit(0.75, 0.25)
        except DomainError:  # a loss whose best logit is not known has no probabilities to read off it either
            odds = float("nan")
        self._log_odds = abs(float(odds) - float(np.log(3))) < 1e-9 and not game.own_costs

    def row(self, w: Array, v: Array) -> Row:
        """What the log keeps of a point, and of the field that the last step saw there.

        Costs and logits are those of the fixed probe. `order` is the share of pairs (data, sample) of which the
        discriminator puts the data higher, 1/2 for one that cannot tell; `doubt` the mean probability that it gives to
        the wrong answer, for losses whose best logit is the log-odds; `spread` the samples' root mean square distance
        from the data's mean in units of the data's own, and `own_spread` that from their own mean; `center` their mean
        on the data's first two principal axes.
        """
        game = self.game
        with undisturbed(game):
            costs = game.costs(w, self.token)
            v = game.field(w, self.token) if v is None else v
            norms = [float(block.norm()) for block in game.split(v)]
            real, fake, points = self._logits(w)
            row = {
                "losses": _named(game, [float(cost) for cost in costs]),
                "gradient_norms": _named(game, norms),
                "order": float((real[:, None] > fake[None, :]).double().mean()),
                "logits": {"real": float(real.mean()), "fake": float(fake.mean())},
                **self._place(points),
            }
        if self._log_odds:
            row["doubt"] = float((torch.sigmoid(-real).mean() + torch.sigmoid(fake).mean()) / 2)
        return row

    def _logits(self, w: Array) -> tuple[Array, Array, Array]:
        """Logits of the probe's data and samples in training mode, as the players see them, and the samples."""
        game, token = self.game, self.token
        generator, discriminator = game.networks[:2]
        game.load(w)
        with torch.no_grad(), game._evaluation(token, training=False):
            fake = generator(token.latent, token.labels) if game._conditional[0] else generator(token.latent)
            critic = game._critic(discriminator, token, fake)
            return critic.logit(critic.real), critic.logit(critic.fake), fake.detach()

    def _place(self, points: Array) -> dict[str, Any]:
        apart = points.flatten(1).double() - self._mean
        mean = apart.mean(0)
        return {
            "spread": float(apart.square().sum(1).mean().sqrt()) / self.scale,
            "own_spread": float((apart - mean).square().sum(1).mean().sqrt()) / self.scale,
            "center": [float(x) for x in self._axes @ mean / self.scale],
        }


def _named(game: Game, values: list[float]) -> dict[str, float]:
    return {player.name: value for player, value in zip(game.players, values, strict=True)}
