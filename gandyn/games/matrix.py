"""Matrix games on simplices, zero-sum: by probabilities with projection, or by logits through a softmax."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from .. import worlds
from ..errors import ParameterError
from ..lazy import sympy
from ..oracles.known_facts import Facts
from ..oracles.projections import Simplices
from ..oracles.symbolic import SymbolicGame
from ..types import Array
from ..worlds import NUMPY, TORCH
from . import registry
from .quadratic import _matrix

PENNIES = ((1, -1), (-1, 1))
ROCK_PAPER_SCISSORS = ((0, 1, -1), (-1, 0, 1), (1, -1, 0))
ENUMERATION_LIMIT = 6


class MatrixGame(SymbolicGame):
    """What `matrix_game` returns: a symbolic game that also knows its matrix, its value and the replicator field.

    Attributes:
        matrix: A, exact, player 1's cost for row i against column j.
        value: min_x max_y x^T A y, exact.
        parametrization: "direct" or "softmax".
    """

    matrix: sympy.Matrix
    value: sympy.Expr
    parametrization: str

    def best_response(self, which: int | str, w: Array) -> Array:
        """The pure strategies that cost least against the others' probabilities, mixed evenly where several do.

        Raises:
            DomainError: for logits, where the least cost is approached and never reached.
        """
        if self.parametrization != "direct":
            return super().best_response(which, w)
        i = self.player_index(which)
        pure = self.field(w, only=i)[..., self.slices[i]]  # the cost is linear: its gradient is what each choice costs
        least = pure[..., :1]
        for k in range(1, pure.shape[-1]):
            least = worlds.minimum(least, pure[..., k : k + 1])
        best = worlds.where(worlds.positive(pure - least), worlds.zeros_like(pure), worlds.ones_like(pure))
        return best / worlds.dot(best, worlds.ones_like(best))

    def replicator_field(self, w: Array) -> Array:
        """Minus the replicator dynamics at probabilities w = (x, y), shape (..., m + n); dw/dt = -field.

        Rows grow by dx_i/dt = -x_i ((A y)_i - x^T A y), columns by dy_j/dt = y_j ((A^T x)_j - x^T A y). It is the
        softmax game's logits under natural gradients, conserves sum_i x*_i log x_i + sum_j y*_j log y_j at an
        interior equilibrium, and therefore returns close to every start (Mertikopoulos, Papadimitriou & Piliouras
        2018).
        """
        m = self.matrix.rows
        x, y = w[..., :m], w[..., m:]
        a = [[worlds.number(entry, w) for entry in row] for row in self.matrix.tolist()]
        columns = range(self.matrix.cols)
        rows = worlds.stack([sum(a[i][j] * y[..., j] for j in columns) for i in range(m)])
        gains = worlds.stack([sum(a[i][j] * x[..., i] for i in range(m)) for j in columns])
        mean = worlds.dot(x, rows)
        return worlds.concatenate([x * (rows - mean), -y * (gains - mean)])


@registry.register(
    "matrix_game", examples=({"A": ((3, -1), (-2, 1))}, {"A": ((1, 0.5, 2), (0, 2, -1)), "parametrization": "softmax"})
)
def matrix_game(A: object, parametrization: str = "direct") -> MatrixGame:
    """f = x^T A y: player 1 mixes the rows and minimises, player 2 mixes the columns and maximises.

    "direct": w = (x, y) are the probabilities, and `project` is the exact Euclidean projection onto the two simplices;
    field (A y, -A^T x). "softmax": w are logits, x = softmax(u), y = softmax(v), without constraints; each player's sum
    of logits is conserved by the flow. Equilibria are exact: the linear program's optimal strategies, recovered in
    rational arithmetic from the square submatrix on their supports (Shapley & Snow 1950) and verified against every
    pure strategy. In logits they exist where both are fully mixed; they are given with logarithms of probabilities, and
    are then one of a family, since a constant added to a player's logits changes nothing.

    On symbols the direct game is offered up to three rows and columns, where the projection has a short formula.

    Args:
        A: shape (m, n), numbers.
        parametrization: "direct" or "softmax".

    Raises:
        ParameterError: for another parametrization, or fewer than two rows or columns.

    Example:
        >>> import gandyn as gd
        >>> game = gd.games.matrix_game([[3, -1], [-2, 1]])
        >>> game.equilibria, game.value
        (((3/7, 4/7, 2/7, 5/7),), 1/7)
    """
    if parametrization not in ("direct", "softmax"):
        raise ParameterError(f"parametrization={parametrization!r}", '"direct" or "softmax"', 'use "direct"')
    a = _matrix(A)
    m, n = a.shape
    if min(m, n) < 2:
        raise ParameterError(f"a matrix of shape {(m, n)}", "at least two rows and two columns", "give each a choice")
    x, y, value = equilibrium(a)
    names = ("x", "y") if parametrization == "direct" else ("u", "v")
    u, v = (sympy.symbols(f"{name}1:{size + 1}", real=True) for name, size in zip(names, (m, n), strict=True))
    projection: Simplices | None = None
    points = [(*x, *y)]
    if parametrization == "direct":
        projection = Simplices((m, n))
        cost = (sympy.Matrix([u]) * a * sympy.Matrix(v))[0]
    else:
        cost = (sympy.Matrix([_softmax(u)]) * a * sympy.Matrix(_softmax(v)))[0]
        mixed = all(p > 0 for p in (*x, *y))
        points = [tuple(sympy.log(p) for p in (*x, *y))] if mixed else []
    sums = () if projection else (sum(u), sum(v))
    facts = Facts("von Neumann 1928; Shapley & Snow 1950", conserved=sums)
    game = MatrixGame("matrix game", [cost, -cost], {"x": u, "y": v}, points, projection, facts)
    game.matrix, game.value, game.parametrization = a, value, parametrization
    if projection is not None and not projection.symbolic:
        game.worlds = frozenset({NUMPY, TORCH})
    return game


def _softmax(logits: Sequence[sympy.Expr]) -> list[sympy.Expr]:
    """Written 1 / sum_j exp(u_j - u_i): exact at logarithms, and finite with its slope for logits within 350."""
    return [1 / sympy.Add(*(sympy.exp(other - u) for other in logits)) for u in logits]


def equilibrium(a: sympy.Matrix) -> tuple[tuple[sympy.Expr, ...], tuple[sympy.Expr, ...], sympy.Expr]:
    """Exact optimal strategies (x, y) and the value of a zero-sum matrix game, rows minimising. Raises ParameterError
    if the linear program's supports give no verified answer and the game is too large to search.
    """
    found = _solve_on(a, *_supports(a))
    if found is not None:
        return found
    limit = min(a.shape)
    if limit <= ENUMERATION_LIMIT:
        for size in range(1, limit + 1):
            for rows in itertools.combinations(range(a.rows), size):
                for columns in itertools.combinations(range(a.cols), size):
                    found = _solve_on(a, rows, columns)
                    if found is not None:
                        return found
    raise ParameterError(
        f"a degenerate matrix game of shape {a.shape}",
        f"a unique equilibrium, or at most {ENUMERATION_LIMIT} rows or columns",
        "perturb the matrix",
    )


def _supports(a: sympy.Matrix) -> tuple[list[int], list[int]]:
    """Rows and columns that the linear program's optimal strategies use."""
    from scipy.optimize import linprog

    numbers = np.array(a.tolist(), dtype=float)
    rows, columns = numbers.shape
    # Variables (x, t): minimise t subject to A^T x <= t; the multipliers of the inequalities are -y.
    result = linprog(
        np.r_[np.zeros(rows), 1.0],
        A_ub=np.c_[numbers.T, -np.ones(columns)],
        b_ub=np.zeros(columns),
        A_eq=np.r_[np.ones(rows), 0.0][None],
        b_eq=[1.0],
        bounds=[(0, None)] * rows + [(None, None)],
        method="highs-ds",
    )
    y = -result.ineqlin.marginals
    return np.flatnonzero(result.x[:rows] > 1e-9).tolist(), np.flatnonzero(y > 1e-9).tolist()


def _solve_on(
    a: sympy.Matrix, rows: Sequence[int], columns: Sequence[int]
) -> tuple[tuple[sympy.Expr, ...], tuple[sympy.Expr, ...], sympy.Expr] | None:
    """Strategies that equalise on a square support, when they are optimal in the whole game."""
    if len(rows) != len(columns):
        return None
    k = len(rows)
    ones = sympy.ones(k, 1)
    # [[B, -1], [1^T, 0]] (y, t) = (0, 1) makes every row of the support cost t, and its transpose likewise for x.
    bordered = sympy.Matrix.vstack(
        sympy.Matrix.hstack(a.extract(list(rows), list(columns)), -ones), sympy.Matrix.hstack(ones.T, sympy.zeros(1, 1))
    )
    if bordered.det() == 0:
        return None
    right = sympy.Matrix([0] * k + [1])
    mirrored = bordered.T.copy()
    mirrored[:k, k], mirrored[k, :k] = -ones, ones.T
    y_part, x_part = bordered.LUsolve(right), mirrored.LUsolve(right)
    x, y, value = [sympy.Integer(0)] * a.rows, [sympy.Integer(0)] * a.cols, y_part[k]
    for i, row in enumerate(rows):
        x[row] = x_part[i]
    for j, column in enumerate(columns):
        y[column] = y_part[j]
    against_x, against_y = sympy.Matrix([x]) * a, a * sympy.Matrix(y)
    optimal = min(*x, *y) >= 0 and max(against_x) <= value and min(against_y) >= value
    return (tuple(x), tuple(y), value) if optimal else None


@registry.register("matching_pennies", examples=({"parametrization": "softmax"},))
def matching_pennies(parametrization: str = "direct") -> MatrixGame:
    """Matching pennies, A = [[1, -1], [-1, 1]]: player 1 pays 1 when both sides agree; value 0 at (1/2, 1/2).

    Args:
        parametrization: "direct" or "softmax", as `matrix_game`. In logits the flow eigenvalues are +-i/2, 0 and 0:
            with p, q the first probabilities, f = 4 (p - 1/2)(q - 1/2) and dp = (du_1 - du_2)/4.

    Raises:
        ParameterError: for another parametrization.
    """
    game: MatrixGame = matrix_game(PENNIES, parametrization)
    return _named(game, "matching pennies", (1, 0), 2)


@registry.register("rock_paper_scissors", examples=({}, {"parametrization": "softmax"}))
def rock_paper_scissors(parametrization: str = "direct") -> MatrixGame:
    """Rock, paper, scissors: A antisymmetric, entry 1 where the row loses; value 0 at (1/3, 1/3, 1/3) for both.

    Args:
        parametrization: "direct" or "softmax", as `matrix_game`.

    Raises:
        ParameterError: for another parametrization.
    """
    game: MatrixGame = matrix_game(ROCK_PAPER_SCISSORS, parametrization)
    return _named(game, "rock, paper, scissors", (1, 1, 0), 3)


def _named(game: MatrixGame, name: str, singular: Sequence[int], size: int) -> MatrixGame:
    """The game with its name and, in logits, its spectrum at the uniform point: +-i singular values of A / size^2."""
    game.name = name
    game.equilibria = game.equilibria if game.parametrization == "direct" else ((0,) * (2 * size),)
    scale = {2: sympy.Rational(2, 4), 3: sympy.sqrt(3) / 9}[size]
    if game.parametrization == "softmax":
        spectrum = tuple(sign * sympy.I * scale * s for s in singular for sign in (1, -1))
        game.facts = Facts(game.facts.source, (spectrum,), game.facts.conserved)
    return game


@registry.register("random_matrix_game", examples=({"shape": (3, 2)},))
def random_matrix_game(shape: tuple[int, int] = (3, 3), seed: int = 0, parametrization: str = "direct") -> MatrixGame:
    """`matrix_game` with independent entries, uniform on -1, -0.9, ..., 1, which are exact.

    Args:
        shape: (m, n).
        seed: of the entries.
        parametrization: "direct" or "softmax".

    Raises:
        ParameterError: for another parametrization, or fewer than two rows or columns.
    """
    tenths = np.random.default_rng(seed).integers(-10, 11, size=tuple(shape))
    game: MatrixGame = matrix_game(sympy.Matrix(tenths.tolist()) / 10, parametrization)
    game.name = "random matrix game"
    return game
