"""Whether a point is an equilibrium, up to the rounding of its coordinates, in whatever units."""

from __future__ import annotations

import numpy as np

from ...arguments import SEARCH
from ...errors import DomainError
from ...lazy import sympy
from ...types import Array, Game
from ...types.signs import is_zero

NEAR = 1e-8  # relative to the coordinates
ROUNDING = 1e-13  # for points that are 0 but for rounding


def refuse_moving(game: Game, w: Array) -> None:
    """Refuse a point that is no equilibrium: an exact point where the field exceeds what rounding explains.

    The distance is the length of Newton's step, so that neither the units of the costs nor of the coordinates matter.
    Raises DomainError naming the point.
    """
    v, at = ([sympy.sympify(e, strict=True) for e in row] for row in (game.field(w), w))
    if all(map(is_zero, v)):
        return
    free = sorted(set().union(*(e.free_symbols for e in (*v, *at))), key=str)
    values = {s: sympy.Rational(k, 7) for k, s in enumerate(free, 1)}
    jacobian = np.array([[_number(e, values) for e in row] for row in game.jacobian(w)])
    field = np.array([_number(e, values) for e in v])
    scale = np.abs(jacobian).max()
    if np.isfinite(scale) and scale > 0:
        step = np.linalg.lstsq(jacobian / scale, field / scale, rcond=1e-12)[0]
        left = np.abs(jacobian @ step - field).max() <= NEAR * np.abs(field).max()
        here = max((abs(_number(e, values)) for e in at), default=0.0)
        if left and np.abs(step).max() <= max(NEAR * here, ROUNDING):
            return
    raise DomainError(
        f"({', '.join(map(str, w))}), which is no fixed point of {game.name}: the field there is "
        f"({', '.join(f'{x:.3g}' for x in field)})",
        "a fixed point",
        SEARCH,
    )


def _number(e: sympy.Expr, values: object) -> float:
    return float(e.xreplace(values).evalf(30))
