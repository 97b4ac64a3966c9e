"""Quadratic games: two-player zero-sum, and n-player general-sum from blocks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..errors import ParameterError, ShapeError
from ..lazy import sympy
from ..oracles.symbolic import SymbolicGame, from_sympy
from ..worlds import exact
from . import registry


def _matrix(entries: object) -> sympy.Matrix:
    if isinstance(entries, sympy.Matrix):
        return entries
    if hasattr(entries, "tolist"):
        entries = entries.tolist()
    if not isinstance(entries, Sequence) or isinstance(entries, str):
        entries = [[entries]]
    rows = [row for row in entries if isinstance(row, Sequence) and not isinstance(row, str) and len(row)]
    if not rows or len(rows) < len(entries) or len({len(row) for row in rows}) != 1:
        given = f"the matrix {entries!r}"[:60]
        raise ShapeError(given, "rows of one length, of numbers, expressions or names", "((1, 2), (3, 4))")
    matrix = sympy.Matrix([[exact(entry) for entry in row] for row in rows])
    if matrix.has(sympy.nan, sympy.zoo, sympy.oo, -sympy.oo):
        raise ParameterError(
            "a matrix with entries that are not finite", "finite numbers", "replace its infinities and NaNs"
        )
    return matrix


@registry.register(
    "quadratic",
    examples=({"a": 1, "b": 2, "c": 1}, {"a": ((2, 0.5), (0.5, 1)), "b": ((1, -1), (0, 2)), "c": ((1, 0), (0, 3))}),
)
def quadratic(a: object = 1, b: object = 1, c: object = 1) -> SymbolicGame:
    """f(x, y) = x^T A x / 2 + x^T B y - y^T C y / 2: player x minimises, player y maximises.

    Field v = (A x + B y, C y - B^T x) for symmetric A and C (the symmetric part counts). Strongly convex-concave, with
    the origin attracting under the flow, when A and C are positive definite.

    Args:
        a: A, shape (m, m), or a scalar.
        b: B, shape (m, n), or a scalar.
        c: C, shape (n, n), or a scalar.

    Raises:
        ShapeError: if the shapes do not fit.

    Example:
        >>> import gandyn as gd
        >>> gd.games.quadratic(a=1, b=2, c=3).jacobian_expr
        Matrix([
        [ 1, 2],
        [-2, 3]])
    """
    ma, mb, mc = map(_matrix, (a, b, c))
    m, n = mb.shape
    if ma.shape != (m, m) or mc.shape != (n, n):
        raise ShapeError(
            f"a of shape {ma.shape}, b of shape {mb.shape}, c of shape {mc.shape}",
            f"a ({m}, {m}) and c ({n}, {n}) beside this b",
            "b couples the players: its rows belong to x and its columns to y",
        )
    if (m, n) == (1, 1):
        x, y = [sympy.Symbol("x", real=True)], [sympy.Symbol("y", real=True)]
    else:
        x, y = sympy.symbols(f"x1:{m + 1}", real=True), sympy.symbols(f"y1:{n + 1}", real=True)
    vx, vy = sympy.Matrix(x), sympy.Matrix(y)
    value = (vx.T * ma * vx)[0] / 2 + (vx.T * mb * vy)[0] - (vy.T * mc * vy)[0] / 2
    return from_sympy(value, {"x": x, "y": y}, name="quadratic", equilibria=[(0,) * (m + n)])


@registry.register(
    "general_quadratic",
    examples=(
        {"blocks": (((1,), (2,), (-1,)), ((0.5,), (2,), (1,)), ((1,), (-1,), (1,)))},
        {"blocks": ((((2, 0), (0, 1)), ((1,), (-1,))), (((-1, 1),), ((1.5,),)))},
    ),
)
def general_quadratic(blocks: Sequence[Sequence[Any]], linear: Sequence[Any] | None = None) -> SymbolicGame:
    """n players with costs f_i(w) = x_i^T M_ii x_i / 2 + sum_{j != i} x_i^T M_ij x_j + c_i^T x_i.

    The game Jacobian is the block matrix M itself when its diagonal blocks are symmetric (otherwise their symmetric
    parts count). M symmetric is a potential game, M antisymmetric a Hamiltonian one (Balduzzi et al. 2018, section 2).

    Args:
        blocks: n rows of n matrices, M_ij of shape (d_i, d_j); a number or a flat list stands for one row.
        linear: c_i for each player, zero by default.

    Raises:
        ShapeError: if the blocks do not fit together.
    """
    n = len(blocks)
    m = [[_block(entry) for entry in row] for row in blocks]
    sizes = [m[i][i].rows for i in range(n)]
    for i, row in enumerate(m):
        if len(row) != n or any(entry.shape != (sizes[i], sizes[j]) for j, entry in enumerate(row)):
            raise ShapeError(
                f"row {i} of blocks with shapes {[entry.shape for entry in row]}",
                f"{n} blocks of shapes {[(sizes[i], size) for size in sizes]}",
                "block (i, j) has one row per coordinate of player i and one column per coordinate of player j",
            )
    names = ("x", "y") if n == 2 else tuple(f"x{i + 1}" for i in range(n))
    vectors = [
        [sympy.Symbol(name if size == 1 else f"{name}_{k + 1}", real=True) for k in range(size)]
        for name, size in zip(names, sizes, strict=True)
    ]
    columns = [sympy.Matrix(v) for v in vectors]
    shifts = [sympy.zeros(size, 1) for size in sizes]
    if linear is not None:
        shifts = [sympy.Matrix([exact(e) for e in (c if hasattr(c, "__len__") else [c])]) for c in linear]
    costs = []
    for i in range(n):
        cost = (columns[i].T * m[i][i] * columns[i])[0] / 2 + (shifts[i].T * columns[i])[0]
        cost += sum((columns[i].T * m[i][j] * columns[j])[0] for j in range(n) if j != i)
        costs.append(cost)
    equilibria = [] if linear is not None else [(0,) * sum(sizes)]
    players = dict(zip(names, vectors, strict=True))
    return from_sympy(costs, players, name="general quadratic", equilibria=equilibria)


def _block(entries: object) -> sympy.Matrix:
    if hasattr(entries, "tolist"):
        entries = entries.tolist()
    if isinstance(entries, (list, tuple)) and entries and not isinstance(entries[0], (list, tuple)):
        entries = [entries]
    return _matrix(entries)
