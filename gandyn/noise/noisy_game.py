"""A game whose every field evaluation carries an added random vector, fixed by the batch token."""

from __future__ import annotations

import dataclasses
from typing import Any, Protocol

import numpy as np

from .. import worlds
from ..oracles.symbolic_draws import SymbolicDraws
from ..types import Array, Batch, Game, GameView
from ..worlds import SYMBOLS, TORCH


class Law(Protocol):
    """What `Additive` is: a covariance on a game's joint vectors, and draws of it."""

    @property
    def described(self) -> str:
        """The noise in words, for summaries."""
        ...

    def on(self, game: Game) -> Any:
        """The covariance, an exact SymPy matrix (d, d)."""
        ...

    def sample(self, game: Game, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        """Independent vectors, (*shape, d)."""
        ...


@dataclasses.dataclass
class NoisyBatch:
    """A token: the game's own token, and the vector xi that is added to the field of this evaluation.

    In numbers xi has the shape of w, one independent vector for each member of an ensemble; it is made at the first
    evaluation and again, the same, at every other one with this token.
    """

    inner: Batch
    symbols: Array | None = None
    seed: int = 0
    made: np.ndarray | None = None


class NoisyGame(GameView):
    """`game` with v(w) + xi in place of v(w). Costs, Jacobian products and equilibria are those of `game`.

    Evaluations with one token share one xi; without a token there is no noise. The gradients of other players' costs,
    df_i/dx_j, carry none.

    Args:
        game: the game.
        noise: the law of xi.
    """

    deterministic = False

    def __init__(self, game: Game, noise: Law) -> None:
        super().__init__(game)
        self.noise = noise
        self.name = f"{game.name} with {noise.described}"
        self.quadratic, self.equilibria, self.symbols = game.quadratic, game.equilibria, game.symbols

    def mean(self) -> Game | None:
        """The game without the noise, or what its own batches average to."""
        return self.game.mean()

    def draw(self, rng: Any) -> Batch:
        """A token with a fresh xi; None, and so no noise, where there is no generator."""
        if rng is None:
            return None
        inner = self.game.draw(rng)
        if isinstance(rng, SymbolicDraws):
            return NoisyBatch(inner, rng.shift(self.noise.on(self.game)))
        return NoisyBatch(inner, seed=int(rng.integers(2**63)))

    def batch_size(self, batch: Batch) -> int:
        """Of the game's own token."""
        return self.game.batch_size(_inner(batch))

    def _xi(self, w: Array, batch: NoisyBatch) -> Array:
        if worlds.world_of(w) == SYMBOLS:
            return batch.symbols
        if batch.made is None or batch.made.shape != tuple(w.shape):
            batch.made = self.noise.sample(self.game, tuple(w.shape[:-1]), np.random.default_rng(batch.seed))
        if worlds.world_of(w) == TORCH:
            import torch

            return torch.as_tensor(batch.made, dtype=w.dtype, device=w.device)
        return batch.made

    def _costs(self, w: Array, batch: Batch) -> tuple[Array, ...]:
        return self.game._costs(w, _inner(batch))

    def _field(self, w: Array, batch: Batch, only: int | None) -> Array:
        v = self.game._field(w, _inner(batch), only)
        if not isinstance(batch, NoisyBatch):
            return v
        xi = self._xi(w, batch)
        if only is not None:
            parts = self.split(xi)
            xi = worlds.concatenate([p if i == only else worlds.zeros_like(p) for i, p in enumerate(parts)])
        return v + xi

    def _jvp(self, w: Array, u: Array, batch: Batch) -> Array:
        return self.game._jvp(w, u, _inner(batch))

    def _vjp(self, w: Array, u: Array, batch: Batch) -> Array:
        return self.game._vjp(w, u, _inner(batch))

    def jacobian(self, w: Array, batch: Batch = None) -> Array:
        """J(w): the noise does not depend on w."""
        return self.game.jacobian(w, _inner(batch))

    def _cost_gradients(self, w: Array, batch: Batch) -> Array:
        found = self.game._cost_gradients(w, _inner(batch))
        if not isinstance(batch, NoisyBatch):
            return found
        parts = self.split(self._xi(w, batch))
        own = [
            worlds.concatenate([p if i == k else worlds.zeros_like(p) for i, p in enumerate(parts)])
            for k in range(len(parts))
        ]
        return found + worlds.stack(own, axis=0)


def _inner(batch: Batch) -> Batch:
    return batch.inner if isinstance(batch, NoisyBatch) else batch
