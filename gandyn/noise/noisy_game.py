"""A game whose every field evaluation carries an added random vector, fixed by the batch token."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any, Protocol

import numpy as np

from .. import worlds
from ..errors import ParameterError
from ..lazy import sympy, torch
from ..oracles.symbolic_draws import SymbolicDraws
from ..types import Array, Batch, Game, GameView
from ..worlds import SYMBOLS, TORCH

HUGE = 1e100  # coordinates beyond it are on their way out, and squares of them overflow


class Law(Protocol):
    """What `Additive` is: a covariance on a game's joint vectors, and draws of it."""

    @property
    def described(self) -> str:
        """The noise in words, for summaries."""
        ...

    @property
    def fourth_moment(self) -> sympy.Matrix:
        """E[u^4] of a coordinate of variance 1."""
        ...

    def on(self, game: Game) -> Any:
        """The covariance, an exact SymPy matrix (d, d)."""
        ...

    def moves(self, game: Game) -> bool:
        """Whether it depends on w."""
        ...

    def factor(self, game: Game) -> sympy.Matrix:
        """F with F F^T the covariance."""
        ...

    def units(self, key: int, shape: tuple[int, ...], size: int) -> np.ndarray:
        """Independent vectors with covariance 1, (*shape, size)."""
        ...


@dataclasses.dataclass
class NoisyBatch:
    """A token: the game's own token, and what fixes the vector xi that is added to the field of this evaluation.

    In numbers it is a vector of covariance 1 for each member of an ensemble, made at the first evaluation from `key`;
    xi is F(w) times it, F F^T being the covariance where the field is evaluated. On symbols it is xi, or that vector.
    """

    inner: Batch
    symbols: Array | None = None
    in_units: bool = False
    key: int = 0
    made: np.ndarray | None = None


class NoisyGame(GameView):
    """`game` with v(w) + xi in place of v(w). Costs, Jacobian products and equilibria are those of `game`.

    Evaluations with one token share one xi, scaled by the covariance where they are; without a token there is no noise.
    Jacobian products and the gradients of other players' costs, df_i/dx_j, carry none.

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

    @property
    def content(self) -> Any:
        """A key: games with equal keys give equal answers. None where the game without noise has no such key."""
        inner = getattr(self.game, "content", None)
        return None if inner is None else (inner, self.noise)

    def mean(self) -> Game | None:
        """The game without the noise, or what its own batches average to."""
        return self.game.mean()

    def draw(self, rng: Any) -> Batch:
        """A token with a fresh xi; None, and so no noise, where there is no generator."""
        if rng is None:
            return None
        inner = self.game.draw(rng)
        if not isinstance(rng, SymbolicDraws):
            return NoisyBatch(inner, key=int(rng.integers(2**63)))
        if rng.in_units or self._moves:
            return NoisyBatch(inner, rng.units(self.dim, self.noise), in_units=True)
        return NoisyBatch(inner, rng.shift(self.noise.on(self.game)))

    @functools.cached_property
    def _moves(self) -> bool:
        return self.noise.moves(self.game)

    @functools.cached_property
    def _constant_factor(self) -> np.ndarray:
        return numeric(self.noise.factor(self.game), "noise drawn")

    @functools.cached_property
    def _factor(self) -> Any:
        """F(w), (..., d * d), as a function of w in its world."""
        from ..symbolic.function import SymbolicFunction

        return SymbolicFunction([self.game.symbols or ()], list(self.noise.factor(self.game)))

    def batch_size(self, batch: Batch) -> int:
        """How many samples the game's own part of the batch has."""
        return self.game.batch_size(_inner(batch))

    def _xi(self, w: Array, batch: NoisyBatch) -> Array:
        if worlds.world_of(w) == SYMBOLS:
            return self._factor(w).reshape(self.dim, -1) @ batch.symbols if batch.in_units else batch.symbols
        shape = tuple(w.shape[:-1])
        if batch.made is None or batch.made.shape != tuple(w.shape):
            batch.made = self.noise.units(batch.key, shape, self.dim)
        if not self._moves:
            return _like(batch.made @ self._constant_factor.T, w)
        factor = self._factor(w).reshape(*shape, self.dim, self.dim)
        xi = (factor * _like(batch.made, w)[..., None, :]).sum(-1)
        if bool(((xi != xi) & (abs(w) < HUGE)).any()):
            raise ParameterError(
                f"{self.noise.described}, which is negative where the field of {self.game.name} was evaluated",
                "a covariance that is positive semidefinite everywhere",
                'noise="0.1*(1 + x**2)"',
            )
        return xi

    def _costs(self, w: Array, batch: Batch) -> tuple[Array, ...]:
        return self.game._costs(w, _inner(batch))

    def _field(self, w: Array, batch: Batch, only: int | None) -> Array:
        v = self.game._field(w, _inner(batch), only)
        if not isinstance(batch, NoisyBatch):
            return v
        xi = self._xi(w, batch)
        return v + (xi if only is None else self._of_player(only, xi))

    def _of_player(self, k: int, xi: Array) -> Array:
        """The vector with zeros in the blocks of all other players."""
        parts = self.split(xi)
        return worlds.concatenate([p if i == k else worlds.zeros_like(p) for i, p in enumerate(parts)])

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
        xi = self._xi(w, batch)
        return found + worlds.stack([self._of_player(k, xi) for k in range(len(self.players))], axis=0)


def _inner(batch: Batch) -> Batch:
    return batch.inner if isinstance(batch, NoisyBatch) else batch


def _like(values: np.ndarray, w: Array) -> Array:
    """NumPy values as an array of the world of w: on its device and in its precision where w is a tensor."""
    if worlds.world_of(w) != TORCH:
        return values
    return torch.as_tensor(values, dtype=w.dtype, device=w.device)


def numeric(matrix: sympy.Matrix, task: str) -> np.ndarray:
    """A SymPy matrix as floats. Raises ParameterError while a parameter has no value."""
    if matrix.free_symbols:
        names = ", ".join(sorted(map(str, matrix.free_symbols)))
        raise ParameterError(f"{task} while {names} has no value", "numbers", "set the parameter, or read `.exact`")
    rows = matrix.tolist()
    return np.array([[float(e) for e in row] for row in rows], dtype=float).reshape(matrix.shape)
