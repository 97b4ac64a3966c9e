"""Position and velocity as coordinates of one game, so that analyses of flows serve second-order equations."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from ...errors import DomainError
from ...lazy import sympy
from ...symbolic.function import SymbolicFunction
from ...types import Array, Batch, Game, Player


class PhaseSpace(Game):
    """A second-order equation d2w/dt2 = a(w, dw/dt) as a game on (w, dw/dt), (..., 2d), with the field (-dw/dt, -a).

    The gradient flow of this game is the equation. It has a field and a Jacobian but no costs, and two players,
    "position" and "velocity".

    Args:
        game: the game of which w is the joint vector, (d,).
        velocity: symbols of dw/dt, (d,).
        acceleration: a, (d,), expressions in the game's symbols and the velocity.
        name: what messages call the equation.
    """

    def __init__(
        self, game: Game, velocity: Sequence[sympy.Symbol], acceleration: Sequence[sympy.Expr], name: str
    ) -> None:
        self.name = name
        self.players = (Player("position", game.dim), Player("velocity", game.dim))
        self.symbols = (*game.symbols, *velocity)
        self.field_exprs = tuple(-e for e in (*velocity, *acceleration))
        rest = (sympy.Integer(0),) * game.dim
        self.equilibria = tuple((*point, *rest) for point in game.equilibria)

    @functools.cached_property
    def _compiled(self) -> tuple[SymbolicFunction, SymbolicFunction]:
        jacobian = SymbolicFunction([self.symbols], list(self.jacobian_expr))
        return SymbolicFunction([self.symbols], self.field_exprs), jacobian

    def _field(self, w: Array, batch: Batch, only: int | None) -> Array:
        return self._compiled[0](w)

    def jacobian(self, w: Array, batch: Batch = None) -> Array:
        """The derivative of the field with respect to position and velocity, shape (..., 2d, 2d)."""
        self.check(w)
        return self._compiled[1](w).reshape((*w.shape[:-1], self.dim, self.dim))

    def _costs(self, w: Array, batch: Batch) -> tuple[Array, ...]:
        raise DomainError(f"costs of {self.name}", "a game", "costs of the game itself, at the positions")
