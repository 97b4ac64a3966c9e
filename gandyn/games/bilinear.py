"""The bilinear game x^T M y, whose scalar case v(a, b) = ab is the field's most drawn picture, free and in a box."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..errors import ParameterError
from ..lazy import sympy
from ..oracles.known_facts import Facts
from ..oracles.projections import Box
from ..oracles.symbolic import SymbolicGame, from_sympy
from ..worlds import exact
from . import registry


@registry.register("bilinear", examples=({}, {"matrix": ((1, 2), (3, -1))}, {"matrix": ((1, 0.5, -2),)}))
def bilinear(matrix: object = None) -> SymbolicGame:
    """f(x, y) = x^T M y: player x minimises, player y maximises. By default the scalar game v(a, b) = ab.

    Field v = (M y, -M^T x); Jacobian [[0, M], [-M^T, 0]]; flow eigenvalues +-i sigma_k(M). The flow conserves
    |x|^2 + |y|^2 and circles; simultaneous gradient steps spiral out by sqrt(1 + lr^2 sigma^2) each
    (Daskalakis et al. 2018, proposition 1; Goodfellow 2016, section 5.2.2).

    Args:
        matrix: M, shape (m, n), numbers or SymPy; None or a scalar for one coordinate each. Text names a free
            positive parameter.

    Raises:
        ParameterError: for a matrix without rows, or with rows of different lengths.

    Example:
        >>> import gandyn as gd
        >>> gd.games.bilinear().field_exprs
        (b, -a)
    """
    x, y, value = _bilinear_form(matrix)
    facts = Facts(
        source="Goodfellow 2016, section 5.2.2; Daskalakis et al. 2018, proposition 1",
        conserved=(sum(s**2 for s in (*x, *y)),),
        starts=((1.0, 0.0),) if len(x) == len(y) == 1 else (),
        notes=("The flow circles, simultaneous gradient steps spiral out.",),
    )
    return from_sympy(value, {"x": x, "y": y}, name="bilinear", equilibria=[(0,) * (len(x) + len(y))], facts=facts)


@registry.register("boxed_bilinear", examples=({}, {"matrix": ((1, 2),), "x_box": (-0.5, 1), "y_box": (-1, 1)}))
def boxed_bilinear(matrix: object = None, x_box: object = None, y_box: object = (-1, 1)) -> SymbolicGame:
    """f(x, y) = x^T M y with each coordinate of a player kept in that player's interval by projection.

    By default theta phi with phi in [-1, 1] and theta free: the Wasserstein Dirac-GAN with a clipped critic, which
    Gidel et al. 2019 (a variational inequality perspective, section 5) start at (2, 1/2). The equilibrium is the origin
    wherever the boxes contain it. The duality gap over the boxes is finite: max_y x^T M y - min_x x^T M y.

    Args:
        matrix: M, shape (m, n), as in `bilinear`.
        x_box: (low, high) for every coordinate of x; None for no bound, also within the pair.
        y_box: the same for y.

    Raises:
        ParameterError: for an empty interval, or when both players are free (that is `bilinear`).

    Example:
        >>> import numpy as np, gandyn as gd
        >>> gd.games.boxed_bilinear().project(np.array([2.0, 5.0])).tolist()
        [2.0, 1.0]
    """
    if x_box is None and y_box is None:
        raise ParameterError("boxed_bilinear with no box", "an interval for at least one player", "use bilinear")
    x, y, value = _bilinear_form(matrix)
    box = Box((*[x_box] * len(x), *[y_box] * len(y)))
    origin = (0,) * (len(x) + len(y))
    facts = Facts(
        source="Gidel et al. 2019 (variational inequality perspective), section 5",
        starts=((2.0, 0.5),) if len(x) == len(y) == 1 else (),
    )
    return from_sympy(
        value,
        {"x": x, "y": y},
        name="boxed bilinear",
        equilibria=[origin] if box.contains(origin) else [],
        projection=box,
        facts=facts,
    )


def _bilinear_form(matrix: Any) -> tuple[Sequence[sympy.Symbol], Sequence[sympy.Symbol], sympy.Expr]:
    """The symbols of x and y, and x^T M y."""
    rows = [[1]] if matrix is None else matrix
    if isinstance(rows, str) or not hasattr(rows, "__len__"):
        rows = [[rows]]
    rows = rows.tolist() if hasattr(rows, "tolist") else rows
    if (
        not rows
        or not all(isinstance(row, Sequence) and not isinstance(row, str) for row in rows)
        or (len({len(row) for row in rows}) != 1 or not len(rows[0]))
    ):
        raise ParameterError(
            f"matrix={matrix!r}", "rows of equal length, of numbers, expressions or names", "matrix=((1, 2), (3, -1))"
        )
    m = sympy.Matrix([[exact(entry) for entry in row] for row in rows])
    if m.shape == (1, 1):
        x, y = [sympy.Symbol("a", real=True)], [sympy.Symbol("b", real=True)]
    else:
        x = sympy.symbols(f"x1:{m.rows + 1}", real=True)
        y = sympy.symbols(f"y1:{m.cols + 1}", real=True)
    value = (sympy.Matrix([x]) * m * sympy.Matrix(y))[0]
    return x, y, value
