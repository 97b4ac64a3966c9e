"""The bilinear game f(x, y) = x^T M y, whose scalar case v(a, b) = ab is the field's most drawn picture."""

from __future__ import annotations

from typing import Any

from . import registry
from .symbolic import SymbolicGame, from_sympy


@registry.register("bilinear", examples=({}, {"matrix": ((1, 2), (3, -1))}, {"matrix": ((1, 0.5, -2),)}))
def bilinear(matrix: Any = None) -> SymbolicGame:
    """f(x, y) = x^T M y: player x minimises, player y maximises. By default the scalar game v(a, b) = ab.

    Field v = (M y, -M^T x); Jacobian [[0, M], [-M^T, 0]]; flow eigenvalues +-i sigma_k(M). The flow conserves
    |x|^2 + |y|^2 and circles; simultaneous gradient steps spiral out by sqrt(1 + lr^2 sigma^2) each
    (Daskalakis et al. 2018, proposition 1; Goodfellow 2016, section 5.2.2).

    Args:
        matrix: M, shape (m, n), numbers or SymPy; None or a scalar for one coordinate each.

    Example:
        >>> import gandyn as gd
        >>> gd.games.bilinear().field_exprs
        (b, -a)
    """
    import sympy

    from ..worlds import exact

    rows = [[1]] if matrix is None else matrix
    if not hasattr(rows, "__len__") and not isinstance(rows, sympy.MatrixBase):
        rows = [[rows]]
    rows = rows.tolist() if hasattr(rows, "tolist") else [list(row) for row in rows]
    m = sympy.Matrix([[exact(entry) for entry in row] for row in rows])
    if m.shape == (1, 1):
        x, y = [sympy.Symbol("a", real=True)], [sympy.Symbol("b", real=True)]
    else:
        x = sympy.symbols(f"x1:{m.rows + 1}", real=True)
        y = sympy.symbols(f"y1:{m.cols + 1}", real=True)
    value = (sympy.Matrix([x]) * m * sympy.Matrix(y))[0]
    origin = (0,) * (m.rows + m.cols)
    return from_sympy(value, {"x": x, "y": y}, name="bilinear", equilibria=[origin])
