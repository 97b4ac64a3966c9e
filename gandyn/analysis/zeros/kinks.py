"""Solutions at kinks of a player's own cost, where no derivative vanishes: 0 lies between the one-sided slopes.

There v_k = 0 is the generalised equation 0 in [v_k(c-), v_k(c+)] (Clarke 1983, section 2.2; Robinson 1980). Where v_k
is negative left of c and positive right of it, x_k = c minimises the own cost along x_k whatever the others do nearby,
no other x_k there is a solution, and the other equations decide on the plane x_k = c.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from ...budget import Budget
from ...lazy import sympy
from ...symbolic.intervals import IntervalFunction, enclosed, outward
from ...symbolic.kinks import branch, jumps
from ...types import Array
from ...types.signs import is_zero, sign
from .closed_forms import rational_zero
from .equations import Equations
from .exclusion import Enclosed, search


@dataclasses.dataclass(frozen=True)
class Kink:
    """The place at which a row of the field jumps as its own unknown x_k passes."""

    symbol: sympy.Symbol  # x_k
    place: sympy.Expr  # the value of x_k
    directions: dict[sympy.Expr, int]  # for each argument that vanishes there, whether it grows (1) or falls (-1)

    def side(self, e: sympy.Expr, side: int) -> sympy.Expr:
        """The expression as it is to the right (side = 1) or to the left (side = -1) of the place."""
        return branch(e, {argument: direction * side for argument, direction in self.directions.items()})

    def minimises(self, cost: sympy.Expr, row: sympy.Expr, symbols: Sequence[sympy.Symbol], ends: Array) -> bool:
        """Whether a continuous cost, of which `row` is the derivative beside the place, has its least value there."""
        slope = sympy.diff(cost, self.symbol)
        jump = self.side(cost, 1) - self.side(cost, -1)
        if not is_zero(jump.subs(self.symbol, self.place)):
            return False
        if not all(is_zero(self.side(row, s) - self.side(slope, s)) for s in (-1, 1)):
            return False
        sides = IntervalFunction(symbols, [self.side(row, -1), self.side(row, 1)])
        low, high = sides(*outward(ends[None, 0], ends[None, 1]))
        return bool(high[0, 0] < 0 < low[0, 1])


@dataclasses.dataclass(frozen=True)
class AtKinks:
    """All solutions in a part of the box, which lie at kinks."""

    unknowns: tuple[int, ...]  # indices of the unknowns that are at a kink
    zeros: tuple[
        tuple[Enclosed, tuple[sympy.Expr, ...] | None], ...
    ]  # enclosure and exact coordinates of each, or None


def at_kinks(
    equations: Equations, costs: Sequence[sympy.Expr], low: Array, high: Array, budget: Budget
) -> AtKinks | None:
    """The solutions in a small box, corners `low` and `high` (d,), where all lie at kinks; None if undecided.

    `costs[k]` is the cost of the player that owns the k-th unknown, and the k-th equation is its derivative where that
    exists.
    """
    ends, symbols, rows = np.stack([low, high]), equations.symbols, equations.exact
    kinks: dict[int, Kink] = {}
    for k, (cost, row) in enumerate(zip(costs, rows, strict=True)):
        kink = _kink(row, k, symbols, ends)
        if kink is None or (kink.directions and not kink.minimises(cost, row, symbols, ends)):
            return None
        kinks |= {k: kink} if kink.directions else {}
    if not kinks:
        return None
    at = {kink.symbol: kink.place for kink in kinks.values()}
    rest = [k for k in range(len(symbols)) if k not in kinks]
    if not rest:
        return AtKinks(tuple(kinks), ((_whole(kinks, None, rest, ends), tuple(at[s] for s in symbols)),))
    reduced = Equations(
        tuple(symbols[k] for k in rest),
        tuple(rows[k].subs(at) for k in rest),
        tuple(e.subs(at) for e in equations.conditions),
    )
    found = search(reduced, low[rest], high[rest], budget)
    if not found.complete:
        return None
    zeros: list[tuple[Enclosed, tuple[sympy.Expr, ...] | None]] = []
    for zero in found.zeros:
        form = rational_zero(reduced, zero.low, zero.high)
        exact = at | dict(zip(reduced.symbols, form, strict=True)) if form else None
        zeros.append((_whole(kinks, zero, rest, ends), (exact and tuple(exact[s] for s in symbols)) or None))
    return AtKinks(tuple(kinks), tuple(zeros))


def _kink(row: sympy.Expr, k: int, symbols: Sequence[sympy.Symbol], ends: Array) -> Kink | None:
    """The one place in the box where a row jumps as its own unknown passes; without directions if it jumps nowhere.

    None where it jumps at several places, or with other unknowns.
    """
    place, directions = None, {}
    for argument in jumps(row):
        low, high = IntervalFunction(symbols, [argument])(*outward(ends[None, 0], ends[None, 1]))
        if low[0, 0] > 0 or high[0, 0] < 0:
            continue
        if argument.free_symbols != {symbols[k]} or not argument.is_polynomial(symbols[k]):
            return None
        roots = [r for r in _roots(sympy.Poly(argument, symbols[k])) if ends[0, k] <= r <= ends[1, k]]
        if len(roots) != 1 or (place is not None and not is_zero(roots[0] - place)):
            return None
        place = roots[0]
        directions[argument] = sign(sympy.diff(argument, symbols[k]).subs(symbols[k], place))
    return Kink(symbols[k], place, directions) if all(directions.values()) else None


def _roots(p: sympy.Poly) -> set[sympy.Expr]:
    """Real roots where they are known exactly: of first degree, or with rational coefficients."""
    if p.degree() == 1:
        return {-p.nth(0) / p.nth(1)}
    return set(p.real_roots()) if p.domain.is_ZZ or p.domain.is_QQ else set()


def _whole(kinks: dict[int, Kink], zero: Enclosed | None, rest: Sequence[int], ends: Array) -> Enclosed:
    """The enclosure of all unknowns from that of the rest."""
    columns: list[list[Fraction]] = [[Fraction(0)] * ends.shape[1] for _ in range(4)]
    for k, kink in kinks.items():
        place = [Fraction(e) for e in enclosed(kink.place)]
        for column, value in zip(columns, (*place, *map(Fraction, ends[:, k])), strict=True):
            column[k] = value
    for j, k in enumerate(rest if zero is not None else ()):
        assert zero is not None
        for column, side in zip(columns, (zero.low, zero.high, zero.left, zero.right), strict=True):
            column[k] = side[j]
    return Enclosed(*map(tuple, columns))
