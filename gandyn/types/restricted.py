"""One player's problem with the others fixed: a Game of one player, on that player's block."""

from __future__ import annotations

from typing import Any

from .. import worlds
from .feasible import FeasibleSet
from .game import Game
from .players import Array, Batch
from .view import forwards


@forwards(
    *("worlds", "deterministic", "smooth", "constrained", "quadratic"),
    *("counts", "solve", "draw", "draw_held_out", "batch_size", "advance", "undisturbed"),
)
class RestrictedGame(Game):
    """One player's problem with the others fixed: what `Game.restrict` returns. Its vectors are that player's block.

    Of the whole game it keeps the flags that hold for each player, the counts, the batches and the solver.
    """

    def __init__(self, game: Game, index: int, w: Array) -> None:
        self.game, self.index, self.fixed = game, index, w
        self.name = f"{game.name} seen by {game.players[index].name}"
        self.players = (game.players[index],)
        self._block = game.slices[index]

    @property
    def block(self) -> Array:
        """The player's own block at the point of restriction."""
        return self.fixed[..., self._block]

    @property
    def tensor_shapes(self) -> tuple[tuple[tuple[int, ...], ...], ...]:
        """The player's own tensors."""
        return (self.game.tensor_shapes[self.index],)

    def embed(self, x: Array) -> Array:
        """The joint vector with the player's block replaced by x."""
        start, stop = self._block.start, self._block.stop
        return worlds.concatenate([self.fixed[..., :start], x, self.fixed[..., stop:]])

    def _pad(self, u: Array) -> Array:
        start, stop = self._block.start, self._block.stop
        zeros = worlds.zeros_like(self.fixed)
        return worlds.concatenate([zeros[..., :start], u, zeros[..., stop:]])

    def per_player(self, value: Any) -> tuple[Any, ...]:
        """The player's own share of a parameter given per player of the whole game."""
        return (self.game.per_player(value)[self.index],)

    def field(self, w: Array, batch: Batch = None, only: int | str | None = None) -> Array:
        """The player's own gradient df_i/dx_i, shape (..., size)."""
        w = self.point(w)
        return self.game.field(self.embed(w), batch, only=self.index)[..., self._block]

    def _field(self, w: Array, batch: Batch, only: int | None) -> Array:
        return self.field(w, batch)

    def _costs(self, w: Array, batch: Batch) -> tuple[Array, ...]:
        return (self.game.costs(self.embed(w), batch)[self.index],)

    def jvp(self, w: Array, u: Array, batch: Batch = None) -> Array:
        """The player's own Hessian times u."""
        w = self.point(w)
        return self.game.jvp(self.embed(w), self._pad(u), batch)[..., self._block]

    def vjp(self, w: Array, u: Array, batch: Batch = None) -> Array:
        """The player's own Hessian, transposed, times u."""
        w = self.point(w)
        return self.game.vjp(self.embed(w), self._pad(u), batch)[..., self._block]

    def coupling(self, w: Array, u: Array, batch: Batch = None, only: int | str | None = None) -> Array:
        """Zero: nobody else moves."""
        return worlds.zeros_like(u)

    def parts(self, w: Array, u: Array, batch: Batch = None) -> tuple[Array, Array]:
        """The player's own Hessian times u, and zero: it is symmetric."""
        return self.jvp(w, u, batch), worlds.zeros_like(u)

    def cost_gradients(self, w: Array, batch: Batch = None) -> Array:
        """The player's own gradient, shape (1, ..., size)."""
        return self.field(w, batch)[None]

    def project(self, w: Array) -> Array:
        """Onto the player's own feasible set."""
        if not self.constrained:
            return w
        return self.game.project(self.embed(w))[..., self._block]

    def feasible_set(self) -> FeasibleSet:
        """The player's own feasible set."""
        return self.game.feasible_set().restrict(self._block)
