"""A flow in coordinates x = (w - centre) / widths, so that numerical methods do not depend on units or position."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ...lazy import sympy
from ...types import Array, Game
from ..parameters.system import compiled

Columns = Callable[..., Sequence[Array]]


class ScaledField:
    """dx/dt of x = (w - centre) / width along dw/dt = -v(w), or backwards in time, with its derivatives.

    Where the game has expressions the change of coordinates is made in them, exactly, and polynomials are expanded
    anew: far from the origin their terms would cancel to rounding errors.

    The sign is 1 forwards in time, -1 backwards.
    """

    def __init__(self, game: Game, centre: Array, width: Array, sign: float = 1.0) -> None:
        self.game, self.centre, self.width, self.sign = game, centre, width, sign
        self._value: Columns | None = None
        if game.symbolic:
            self._compile(game)

    def _compile(self, game: Game) -> None:
        places = [sympy.Rational(float(c)) for c in self.centre]
        widths = [sympy.Rational(float(h)) for h in self.width]
        new = [sympy.Dummy(f"x{k}", real=True) for k in range(game.dim)]
        moved = {s: c + h * u for s, c, h, u in zip(game.symbols, places, widths, new, strict=True)}
        sign = sympy.Integer(round(-self.sign))
        field = [sign * e.xreplace(moved) / h for e, h in zip(game.field_exprs, widths, strict=True)]
        field = [sympy.expand(e) if e.is_polynomial(*new) else e for e in field]
        matrix = [e.diff(u) for e in field for u in new]
        growth = sympy.Add(*matrix[:: game.dim + 1])
        self._value, self._matrix = compiled(new, [*field, growth]), compiled(new, matrix)

    def field(self, x: Array) -> tuple[Array, Array]:
        """dx/dt at points x (N, d), shape (N, d), and its divergence, shape (N,)."""
        if self._value is not None:
            result = np.empty((len(x), x.shape[1] + 1))
            with np.errstate(all="ignore"):  # far outside the box an exponential overflows; what is not finite is seen
                for k, value in enumerate(self._value(*x.T)):
                    result[:, k] = value
            return result[:, :-1], result[:, -1]
        matrix = self.slopes(x)
        value = -self.sign * np.asarray(self.game.field(self.centre + self.width * x)) / self.width
        return value, np.trace(matrix, axis1=-2, axis2=-1)

    def slopes(self, x: Array) -> Array:
        """The derivative of dx/dt with respect to x at points x (N, d), shape (N, d, d)."""
        d = x.shape[1]
        if self._value is not None:
            result = np.empty((len(x), d * d))
            with np.errstate(all="ignore"):
                for k, value in enumerate(self._matrix(*x.T)):
                    result[:, k] = value
            return result.reshape(-1, d, d)
        matrix = np.asarray(self.game.jacobian(self.centre + self.width * x))
        return np.asarray(-self.sign * matrix * (self.width / self.width[:, None]))
