"""The noise that a finite sum has by itself: the field of a drawn minibatch in place of the mean field."""

from __future__ import annotations

import dataclasses

import numpy as np

from ..doors import door
from ..errors import DomainError
from ..games.finite_sum import FiniteSumGame
from ..types import Array, Game
from .additive import Additive
from .measured import Measured
from .noisy_game import NoisyGame


@dataclasses.dataclass(frozen=True)
class Sampled:
    """Minibatches of a finite sum: rows drawn afresh for every token, in the order that the game says.

    By default that is uniformly *with replacement*. Loaders that shuffle and go through the data are another law:
    `gd.noise.shuffled`.

    Attributes:
        game: the finite sum.
    """

    game: FiniteSumGame

    @property
    def described(self) -> str:
        """In words, for titles and summaries."""
        order = "" if self.game.order == "independent" else f", {self.game.order}, at the ends of epochs"
        return f"minibatches of {self.game.minibatch} of {len(self.game.rows)} summands{order}"

    def applied(self, game: Game) -> Game:
        """The game: it draws its batches itself."""
        return game

    def fields(self, at: object) -> np.ndarray:
        """The summands' fields at a point, (N, d)."""
        return np.stack([self.game.field(self._point(at), np.array([k])) for k in range(len(self.game.rows))])

    def jacobians(self, at: object) -> np.ndarray:
        """The summands' Jacobians at a point, (N, d, d)."""
        return np.stack([self.game.jacobian(self._point(at), np.array([k])) for k in range(len(self.game.rows))])

    def covariance(self, at: object = None) -> np.ndarray:
        """Covariance (d, d) of a drawn batch's field: that of the N summands, over the size of the batch.

        Args:
            at: the point; the first known equilibrium by default.

        Raises:
            DomainError: for rows in order whose batches do not divide an epoch.
        """
        fields = self.fields(self.game.equilibria[0] if at is None else at)
        n, b, order = len(fields), self.game.minibatch, self.game.order
        if order != "independent" and n % b:
            given = f"one covariance for batches of {b} of {n} rows in order, some of which reach into the next epoch"
            raise DomainError(given, "batches that divide an epoch", "another minibatch, or rows drawn independently")
        if order == "fixed":  # the batches are always the same ones
            fields, b = fields.reshape(n // b, b, -1).mean(1), 1
        left = (n - b) / max(1, n - 1) if order in ("shuffled", "flip-flop") else 1.0  # without replacement
        centred = fields - fields.mean(0)
        found: np.ndarray = left * centred.T @ centred / len(centred) / b
        return found

    def _point(self, at: Array) -> np.ndarray:
        return np.asarray([float(x) for x in at])


@door
def shuffled(game: Game, order: str = "shuffled") -> FiniteSumGame:
    """A finite-sum game whose rows are drawn in order, without replacement, as data loaders do.

    Args:
        game: the finite sum.
        order: "shuffled", in a new order for each epoch; "flip-flop", each order forwards and then backwards (Rajput,
            Lee & Papailiopoulos 2021); "fixed", in the order of the table.

    Raises:
        DomainError: for a game that is no finite sum. ParameterError: for another order.

    Example:
        >>> import gandyn as gd
        >>> game = gd.noise.shuffled(gd.games.stochastic_bilinear(size=1, summands=4, seed=2))
        >>> gd.stationary(game, gd.rules.Extragradient(0.1)).exists
        True
    """
    if not isinstance(game, FiniteSumGame):
        raise DomainError(f"the rows of {game.name} in order", "a finite sum", "gd.games.stochastic_bilinear()")
    return FiniteSumGame(
        game.name, game.summand, game.rows, game.parameters, game.minibatch, game.equilibria, game.facts, order
    )


@door
def of(game: Game) -> Additive | Sampled | Measured:
    """The noise that a game has by itself: what `gd.stationary(game, rule)` uses where no other is given.

    Args:
        game: a finite sum; a game of networks, whose noise is measured from batches (`Measured`); or a game that noise
            was applied to.

    Raises:
        DomainError: for a game without noise, or whose draws have no known law.

    Example:
        >>> import gandyn as gd
        >>> gd.noise.of(gd.games.stochastic_bilinear(size=1, summands=4)).covariance().shape
        (2, 2)
    """
    if isinstance(game, NoisyGame):
        assert isinstance(game.noise, Additive)
        return game.noise
    if isinstance(game, FiniteSumGame):
        return Sampled(game)
    if getattr(game, "w0", None) is not None and not game.deterministic:
        return Measured(game)
    why = "which draws nothing" if game.deterministic else "whose draws have no known law"
    raise DomainError(f"the noise of {game.name}, {why}", "a finite sum", "noise=0.1, the variance of each coordinate")
