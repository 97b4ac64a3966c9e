"""Costs with kinks beside a point: the smooth pieces that meet there, their directions of descent, and single rays."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Iterator, Mapping, Sequence

import sympy

from ...types.signs import is_zero, sign

KINKS = (sympy.Abs, sympy.Max, sympy.Min, sympy.sign, sympy.Heaviside, sympy.core.relational.Relational)
WITH_ZERO = (sympy.sign, sympy.Heaviside, sympy.Eq, sympy.Ne)
MOST_PIECES, MOST_RAYS = 64, 400
HIGHEST_ORDER = 12
Vector = tuple[sympy.Expr, ...]
Values = Mapping[sympy.Expr, sympy.Expr]


@dataclasses.dataclass(frozen=True)
class Piece:
    """One of the smooth functions of which a cost consists near a point.

    Attributes:
        cost: the function. sides: the cost is this function only where all of these are at least 0.
    """

    cost: sympy.Expr
    sides: tuple[sympy.Expr, ...]


def pieces(cost: sympy.Expr, at: Values, sides: tuple[sympy.Expr, ...] = ()) -> Iterator[Piece]:
    """The pieces of a cost that meet at a point: every point near it is on one of them, within the piece's sides.

    Abs, Max, Min, sign, Heaviside and the conditions of Piecewise are settled from the inside outwards, both ways
    where their argument vanishes at the point.

    Example:
        >>> x = sympy.Symbol("x", real=True)
        >>> [(p.cost, p.sides) for p in pieces(sympy.Abs(x) - x**2, {x: sympy.Integer(0)})]
        [(-x**2 + x, (x,)), (-x**2 - x, (-x,))]
    """
    argument = _innermost(cost)
    if argument is None:
        yield Piece(cost, sides)
        return
    side = _sign(argument.xreplace(dict(at)))
    if side or not argument.free_symbols:
        yield from pieces(_settled(cost, argument, side), at, sides)
        return
    yield from pieces(_settled(cost, argument, 1), at, (*sides, argument))
    yield from pieces(_settled(cost, argument, -1), at, (*sides, -argument))
    if any(atom.func in WITH_ZERO for atom in _atoms(cost) if _argument(atom) == argument):
        yield from pieces(_settled(cost, argument, 0), at, (*sides, argument, -argument))


def along_ray(cost: sympy.Expr, way: Values, at: Values) -> int | None:
    """What a cost does along a ray, at x + t d for small t > 0: it rises (1), falls (-1) or stays (0).

    The kinks on the ray are settled first; the first derivative in t that does not vanish decides. None where none does
    up to the twelfth order, or one does not exist.

    Args:
        cost: an expression in the keys of `way`.
        way: the direction d.
        at: the point x.

    Example:
        >>> x = sympy.Symbol("x", real=True)
        >>> [along_ray(sympy.Abs(x) + 2 * x - x**2, {x: sympy.Integer(d)}, {x: sympy.Integer(0)}) for d in (-1, 1)]
        [-1, 1]
    """
    t = sympy.Symbol("t", positive=True)
    e = cost.xreplace({s: at[s] + t * d for s, d in way.items()})
    while (argument := _innermost(e)) is not None:
        side = _first_sign(argument, t)
        if side is None:
            return None
        e = _settled(e, argument, side)
    return _first_sign(sympy.diff(e, t), t)


def _first_sign(e: sympy.Expr, t: sympy.Symbol) -> int | None:
    """The sign of a smooth e(t) for small t > 0; None where it is open."""
    for _ in range(HIGHEST_ORDER):
        if e.has(sympy.Derivative, sympy.DiracDelta, sympy.Subs):
            return None
        value = e.subs(t, 0)
        if not value.is_finite:
            return None
        if found := _sign(value):
            return found
        if t not in e.free_symbols:
            return 0
        e = sympy.diff(e, t)
    return 0 if is_zero(e) else None


def _sign(x: sympy.Expr) -> int:
    return int(sign(x))


def _atoms(e: sympy.Expr) -> list[sympy.Basic]:
    """The kinks of an expression that have none inside, in an order that does not depend on the process."""
    found = [atom for atom in e.atoms(*KINKS) if not any(a.has(*KINKS) for a in atom.args)]
    return sorted(found, key=sympy.default_sort_key)


def _argument(atom: sympy.Basic) -> sympy.Expr:
    """What changes its sign where the atom has its kink: of Max and Min the first argument less the second."""
    if isinstance(atom, (sympy.Abs, sympy.sign, sympy.Heaviside)):
        return atom.args[0]
    first, second = sorted(atom.args, key=sympy.default_sort_key)[:2] if _extreme(atom) else atom.args
    return first - second


def _extreme(atom: sympy.Basic) -> bool:
    return isinstance(atom, (sympy.Max, sympy.Min))


def _innermost(e: sympy.Expr) -> sympy.Expr | None:
    return next((_argument(atom) for atom in _atoms(e)), None)


def _settled(e: sympy.Expr, argument: sympy.Expr, side: int) -> sympy.Expr:
    """The expression where an argument of its innermost kinks is positive (1), negative (-1) or 0."""
    return e.xreplace({atom: _value(atom, side) for atom in _atoms(e) if _argument(atom) == argument})


def _value(atom: sympy.Basic, side: int) -> sympy.Basic:
    if isinstance(atom, sympy.Abs):
        return side * atom.args[0]
    if _extreme(atom):
        first, second, *rest = sorted(atom.args, key=sympy.default_sort_key)
        return atom.func(first if (side >= 0) == isinstance(atom, sympy.Max) else second, *rest)
    if isinstance(atom, sympy.Heaviside):
        return (sympy.Integer(0), atom.args[1], sympy.Integer(1))[side + 1]
    return atom.func(side) if isinstance(atom, sympy.sign) else atom.func(side, 0)


def generators(rows: Sequence[Vector], dim: int) -> tuple[list[Vector], list[Vector]] | None:
    """Lines and rays that generate the cone {d : <a, d> >= 0 for all rows a} in R^dim; None where they are too many.

    Lines span the null space of the rows. In its orthogonal complement the cone is pointed, and each extreme ray is the
    null space of dim - 1 rows.

    Example:
        >>> generators([(1, 0), (-1, 1)], 2)
        ([], [(0, 1), (1, 1)])
    """
    lines = _null(rows, dim)
    rows = list(dict.fromkeys([*rows, *lines, *(tuple(-x for x in line) for line in lines)]))
    if math.comb(len(rows), dim - 1) > MOST_RAYS:
        return None
    rays: dict[Vector, None] = {}
    for chosen in itertools.combinations(rows, dim - 1):
        null = _null(chosen, dim)
        if len(null) == 1:
            for ray in (null[0], tuple(-x for x in null[0])):
                if all(_sign(dot(row, ray)) >= 0 for row in rows):
                    rays[ray] = None
    return lines, list(rays)


def dot(a: Sequence[sympy.Expr], b: Sequence[sympy.Expr]) -> sympy.Expr:
    """The sum of the products of the entries of two vectors of the same length."""
    return sympy.sympify(sum(x * y for x, y in zip(a, b, strict=True)), strict=True)


def _null(rows: Sequence[Vector], dim: int) -> list[Vector]:
    """A basis of the vectors on which all rows vanish, each entry divided by the largest one's size."""
    matrix = sympy.Matrix(len(rows), dim, [x for row in rows for x in row])
    found = []
    for vector in matrix.nullspace(iszerofunc=is_zero):
        largest = max((abs(x) for x in vector), key=float)
        found.append(tuple(x / largest for x in vector))
    return found
