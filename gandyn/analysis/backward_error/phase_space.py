"""Position and velocity as coordinates of one game, so that analyses of flows serve second-order equations."""

from __future__ import annotations

import functools
from typing import Any

from ...errors import DomainError
from ...lazy import sympy
from ...symbolic.function import SymbolicFunction
from ...types import Array, Batch, Game, Player
from .expansion import STEP


class PhaseSpace(Game):
    """A second-order equation d2w/dt2 = a(w, dw/dt) as a vector field on (w, dw/dt): field (-dw/dt, -a).

    It has a field and a Jacobian but no costs: nobody minimises anything. Its players are "position" and "velocity".
    """

    def __init__(self, equation: Any, lr: sympy.Expr) -> None:
        d = equation.game.dim
        self.name = f"{type(equation.rule).__name__} on {equation.game.name}, in phase space"
        self.players = (Player("position", d), Player("velocity", d))
        self.symbols = (*equation.game.symbols, *equation.velocity)
        acceleration = [sympy.sympify(e, strict=True).xreplace({STEP: lr}) for e in equation.expression]
        self.field_exprs = tuple(-e for e in (*equation.velocity, *acceleration))
        rest = (sympy.Integer(0),) * d
        self.equilibria = tuple((*point, *rest) for point in equation.game.equilibria)

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
