"""Hypothesis strategies of games and rules: planted spectra, strong monotonicity, admissible steps. Exact numbers.

A theorem about a class is tried on its corners too: conditioning, departure from normality, dimension and nonlinearity
are arguments, and by default they are drawn. A search says which of them it saw (`Falsification.coverage`).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import assume
from hypothesis import strategies as st

from .. import games
from ..lazy import sympy
from ..types import Array, Game, Parameter, Rule

TENTH = 10
TILTS = ("3/4", "4/3", "12/5", "40/9")  # tilts t with a rational sqrt(1 + t^2)


def tenths(low: float, high: float) -> st.SearchStrategy[sympy.Rational]:
    """Exact multiples of 1/10 in [low, high]: simple numbers that shrink towards 0."""
    return st.integers(round(low * TENTH), round(high * TENTH)).map(lambda n: sympy.Rational(n, TENTH))


def nonzero(largest: float, least: float = 0.01) -> st.SearchStrategy[float]:
    """Numbers of either sign whose size is above `least` and at most `largest`."""
    return st.floats(-largest, largest).filter(lambda number: abs(number) > least)


def four(each: st.SearchStrategy[sympy.Rational]) -> st.SearchStrategy[Array]:
    """Lists of four draws of a strategy."""
    return st.lists(each, min_size=4, max_size=4)


def starts(least: float = 0.001) -> st.SearchStrategy[tuple[float, ...]]:
    """Eight coordinates in [-2, 2] away from 0: `np.resize` makes a start of any dimension from them."""
    return st.tuples(*[nonzero(2, least)] * 8)


def matrices(rows: int, columns: int, low: float = -2, high: float = 2) -> st.SearchStrategy[Array]:
    """Exact matrices, as nested tuples."""
    row = st.tuples(*[tenths(low, high)] * columns)
    return st.tuples(*[row] * rows)


def spread(condition: float) -> st.SearchStrategy[Any]:
    """Exact factors from 1 to `condition`: near 1, and by orders of magnitude. Shrinks towards 1."""
    near = st.integers(10, round(min(condition, 4) * 10)).map(lambda n: sympy.Rational(n, 10))
    decades = [10**k * m for k in range(12) for m in (1, 3) if 4 < 10**k * m <= condition]
    return near | st.sampled_from([sympy.Integer(n) for n in decades]) if decades else near


@st.composite
def bilinear(draw: st.DrawFn, largest: int = 3, square: bool = True, condition: float | None = None) -> Game:
    """x^T M y with a nonsingular square M up to `largest` rows (any shape and rank with square=False).

    Args:
        largest: rows at most. square: whether M is square and nonsingular.
        condition: largest over smallest singular value of a square M, drawn up to this; None for small exact entries.
    """
    m = draw(st.integers(1, largest))
    n = m if square else draw(st.integers(1, largest))
    if condition is not None and square:
        sizes = sympy.diag(*[draw(spread(condition)) for _ in range(m)]) / 10
        matrix = (_rotation(draw, m) * sizes * _rotation(draw, m)).tolist()
    else:
        matrix = draw(matrices(m, n).filter(lambda a: any(map(any, a)) and (not square or sympy.Matrix(a).det() != 0)))
    game: Game = games.bilinear(matrix)
    return game


def _rotation(draw: st.DrawFn, size: int) -> sympy.Matrix:
    """An exact rational rotation; the identity is simplest."""
    return _turned(size, draw(st.none() | st.integers(0, 99)))


@functools.cache
def _turned(size: int, seed: int | None) -> sympy.Matrix:
    return games.planted.rational_rotation(size, seed).as_immutable()


@st.composite
def strongly_monotone(
    draw: st.DrawFn,
    mu: float = 0.5,
    size: int | None = None,
    condition: float = 1e4,
    normal: bool | None = None,
    nonlinear: bool | None = False,
) -> Game:
    """x^T A x / 2 + x^T B y - y^T C y / 2 with A, C >= mu I, equilibrium 0; by default up to eight coordinates.

    A and C have the eigenvalues mu times `spread(condition)`, B the singular values 0 or mu times such a factor; exact
    rotations mix the coordinates. As A and C differ, J is not normal; half of the draws have B in the bases of A and C,
    where the coupling |a_i - c_i| / 2 makes J defective.

    Args:
        mu: strong monotonicity, of the symmetric part of J. size: coordinates of each player; 1 to 4 where None.
        condition: the largest factor of a curvature or coupling, so that |J| / mu goes beyond it.
        normal: True for A = C = a I, whose J is normal; False or None for any.
        nonlinear: True adds k (log cosh x_i - log cosh y_j), which keeps mu and the equilibrium; None for either.
    """
    low, n = sympy.Rational(str(mu)), draw(st.integers(1, 4)) if size is None else size
    factors = spread(condition)
    a = [low * draw(factors)] * n if normal else [low * draw(factors) for _ in range(n)]
    c = a if normal else [low * draw(factors) for _ in range(n)]
    turn, other = _rotation(draw, n), _rotation(draw, n)
    if draw(st.booleans()):
        b = turn * sympy.diag(*[_coupling(draw, low, factors, i, k) for i, k in zip(a, c, strict=True)]) * other.T
    else:
        b = sympy.diag(*[_coupling(draw, low, factors, 0, 0) for _ in range(n)]) * _rotation(draw, n)
    own = [(t * sympy.diag(*values) * t.T).tolist() for t, values in ((turn, a), (other, c))]
    game: Game = games.quadratic(own[0], b.tolist(), own[1])
    curved = draw(st.booleans()) if nonlinear is None else nonlinear
    return _with_log_cosh(draw, game, low) if curved else game


def _coupling(
    draw: st.DrawFn,
    low: sympy.Expr,
    factors: st.SearchStrategy[sympy.Rational],
    a: int | sympy.Expr,
    c: int | sympy.Expr,
) -> float | sympy.Expr:
    """0, mu, mu times a factor, or what makes [[a, b], [-b, c]] defective."""
    kind = draw(st.integers(0, 3))
    return (0, low, abs(a - c) / 2)[kind] if kind < 3 else low * draw(factors)


def _with_log_cosh(draw: st.DrawFn, game: Game, low: object) -> Game:
    """The game with a convex-concave term that is not quadratic, and the same equilibrium 0."""
    x, y = (game.symbols[block] for block in game.slices)
    k = low * draw(spread(100))
    own, other = draw(st.sampled_from(x)), draw(st.sampled_from(y))
    term = k * (sympy.log(sympy.cosh(own)) - sympy.log(sympy.cosh(other)))
    made: Game = games.from_sympy(game.exprs[0] + term, {"x": x, "y": y}, equilibria=[(0,) * game.dim])
    return made


@st.composite
def planted(
    draw: st.DrawFn, pairs: int | None = None, rightmost: float = -0.1, condition: float = 100, normal: bool = False
) -> Game:
    """Zero-sum quadratic games whose flow eigenvalues are chosen: complex pairs with real part at most `rightmost`.

    Args:
        pairs: of eigenvalues; 1 to 3 where None, so that there are two to six coordinates.
        rightmost: the largest real part. condition: by which factor pairs may differ in size.
        normal: True for normal Jacobians only. Otherwise the players' own curvatures differ by an exact tilt, and one
            player's cost may bend down at the equilibrium (it is then no Nash equilibrium, and attracts all the same).
    """
    spectrum = []
    for _ in range(draw(st.integers(1, 3)) if pairs is None else pairs):
        real, imaginary = draw(tenths(-rightmost, 2)), draw(tenths(0.1, 3))
        spectrum.append(draw(spread(condition)) * (real + sympy.I * imaginary))
    tilt = 0 if normal else draw(st.sampled_from([sympy.Integer(0), *map(sympy.Rational, TILTS)]))
    game: Game = games.planted_quadratic(spectrum, seed=draw(st.none() | st.integers(0, 99)), tilt=tilt)
    return game


@st.composite
def mixed(
    draw: st.DrawFn, potential: str = "any", hamiltonian: bool = True, sizes: Sequence[tuple[int, ...]] = ((1, 1),)
) -> Game:
    """Quadratic games with Jacobian S + A: S "any" symmetric, "positive" semidefinite of any rank, or "none"."""
    shape = draw(st.sampled_from(list(sizes)))
    d = sum(shape)
    players = [i for i, size in enumerate(shape) for _ in range(size)]
    raw = sympy.Matrix(draw(matrices(d, d)))
    a = sympy.Matrix(d, d, lambda i, j: raw[i, j] - raw[j, i] if hamiltonian and players[i] != players[j] else 0)
    root = sympy.Matrix(draw(matrices(d, d, -1, 1))) if potential != "none" else sympy.zeros(d, d)
    s = root * root.T if potential == "positive" else root + root.T
    blocks = [[i for i, player in enumerate(players) if player == k] for k in range(len(shape))]
    assume(all(not (s + a)[block, :].is_zero_matrix for block in blocks))  # a player whose cost is constant is refused
    game: Game = games.mixed_quadratic(s, a, shape)
    return game


def monotone() -> st.SearchStrategy[Game]:
    """Monotone games: bilinear ones, strongly monotone ones (affine or not), and S + A with a semidefinite S."""
    semidefinite = mixed("positive", sizes=((1, 1), (3, 2)))
    return st.one_of(bilinear(condition=1e3), strongly_monotone(nonlinear=None), semidefinite)


@st.composite
def zero_sum_quadratics(draw: st.DrawFn, concave: bool = False, sizes: Sequence[int] = (1, 1, 2)) -> Game:
    """x^T A x / 2 + x^T B y - y^T C y / 2 with any symmetric A, of a size drawn; C >= 1/2 if `concave`, else any."""
    n = draw(st.sampled_from(sizes))
    a, b, c = (sympy.Matrix(draw(matrices(n, n))) for _ in range(3))
    unit = sympy.eye(n)
    a, c = a + a.T, c + c.T + unit / 3
    if concave:  # with a coupling that often outweighs a negative A
        a, b, c = a - unit, b + 3 * unit, c * c + unit / 2
    assume(not a.row_join(b).is_zero_matrix)  # a player whose cost is constant is refused
    game: Game = games.quadratic(a.tolist(), b.tolist(), c.tolist())
    return game


@st.composite
def dirac_gans(
    draw: st.DrawFn, losses: Sequence[str] = ("minimax", "nonsaturating", "wasserstein"), penalty: bool = False
) -> Game:
    """The Dirac-GAN with a loss of the list, with R1 of weight 1/10 to 2 where a penalty is asked for."""
    from ..penalties import R1

    weight = draw(tenths(0.1, 2)) if penalty else None
    penalties = None if weight is None else R1(weight)
    game: Game = games.dirac_gan(draw(st.sampled_from(list(losses))), penalty=penalties)
    return game


def steps(below: float = 1.0, above: float = 0.01) -> st.SearchStrategy[float]:
    """Step sizes in [above, below)."""
    return st.floats(above, below, exclude_max=True)


@st.composite
def admissible(draw: st.DrawFn, build: Callable[[Parameter], Rule], game: Game, share: float = 0.98) -> Rule:
    """The rule with a step below its exact critical step on the game, at most `share` of it."""
    from ..analysis.parameters.stability import stability_region

    critical = float(stability_region(game, build("lr"), ("lr",)).critical("lr"))
    return build(draw(st.floats(0.02, share)) * min(critical, 10.0))
