"""Losses of pairs (real point, sample): what a separable cost per logit cannot say."""

from __future__ import annotations

import abc
import dataclasses
from typing import ClassVar

from ..errors import ParameterError
from ..worlds import Array
from . import gradients
from .loss import Classes, Loss, Mean, batch_mean


@dataclasses.dataclass(frozen=True)
class PairLoss(Loss):
    """Each player minimises the mean of `pair` over pairs: entry k of the real logits beside entry k of the fake."""

    separable: ClassVar[bool] = False

    @abc.abstractmethod
    def pair(self, player: str, real: Array, fake: Array, distance: Array) -> Array:
        """A player's cost of each pair; `distance` is None for losses that do not need it."""

    def discriminator(
        self, real: Array, fake: Array, *, mean: Mean = batch_mean, distance: Array = None, classes: Classes = None
    ) -> Array:
        """The mean over pairs."""
        return mean(self.pair("discriminator", real, fake, self._distance(distance)))

    def generator_cost(
        self, real: Array, fake: Array, *, mean: Mean = batch_mean, distance: Array = None, classes: Classes = None
    ) -> Array:
        """The mean over pairs."""
        return mean(self.pair("generator", real, fake, self._distance(distance)))

    def gradients(
        self, player: str, real: Array, fake: Array, *, mean: Mean = batch_mean, distance: Array = None
    ) -> tuple[Array, Array]:
        """The slopes of each pair's cost: the batch gradient times the batch size."""
        arrays = [real, fake] if self._distance(distance) is None else [real, fake, distance]
        return gradients.pair_slopes(self, self._player(player), arrays)

    def _distance(self, distance: Array) -> Array:
        if "distance" not in self.needs:
            return None
        if distance is None:
            raise ParameterError(
                f"{type(self).__name__} without distances",
                "the distance |x - G(z)| of each pair, shape (..., N)",
                "pass distance=...",
            )
        return distance
