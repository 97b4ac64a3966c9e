"""Derivatives at a point of expressions with kinks: the value where both sides agree, an error where they do not.

`Pass` is one way of passing a point where kinks meet, which a series takes.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import sympy

from ..errors import NotDifferentiableError
from ..types.signs import is_zero, simplified
from .coefficients import Series

SIDES: dict[type, tuple[int, int]] = {sympy.sign: (-1, 1), sympy.Heaviside: (0, 1), sympy.DiracDelta: (0, 1)}
MOST_JUMPS = 6
INFINITE = (sympy.nan, sympy.zoo, sympy.oo)


def slope_at(e: sympy.Expr, s: sympy.Expr, values: Mapping[sympy.Expr, sympy.Expr]) -> sympy.Expr:
    """de/ds at the point `values`, a map from symbols to exact numbers.

    sign, Heaviside and DiracDelta of an argument that vanishes there (what |x|, max and a sign differentiate to) are
    tried from both sides, and so are the branches of a Piecewise that meet there.

    Raises:
        NotDifferentiableError: if the sides give different slopes, or the slope is infinite or undefined.
    """
    derivative = sympy.diff(e, s)
    _continuous(e, values)
    jumps = [j for j in derivative.atoms(*SIDES) if _vanishes(j.args[0], values)]
    meetings = _meetings(derivative, values)
    if len(jumps) + len(meetings) > MOST_JUMPS:
        raise _error("too many kinks meet")
    choices = [SIDES[j.func] for j in jumps] + [tuple(branch for branch, _ in p.args) for p in meetings]
    if not choices:
        return _finite(_put(derivative, values))
    slopes = set()
    for sides in itertools.product(*choices):
        chosen = dict(zip([*jumps, *meetings], (sympy.sympify(side, strict=True) for side in sides), strict=True))
        slopes.add(simplified(_put(derivative.xreplace(chosen), values)))
    if len(slopes) > 1 and not all(is_zero(a - b) for a, b in itertools.pairwise(slopes)):
        raise _error(f"the one-sided slopes are {', '.join(map(str, sorted(slopes, key=str)))}")
    return _finite(slopes.pop())


def _meetings(e: sympy.Expr, values: Mapping[sympy.Expr, sympy.Expr]) -> list[sympy.Piecewise]:
    """The Piecewise of which branches meet at the point."""
    return [
        p
        for p in e.atoms(sympy.Piecewise)
        if any(_vanishes(r.lhs - r.rhs, values) for _, c in p.args for r in c.atoms(sympy.core.relational.Relational))
    ]


def _continuous(e: sympy.Expr, values: Mapping[sympy.Expr, sympy.Expr]) -> None:
    """Refuse an expression that has other values on branches that meet at the point: its slopes say nothing.

    A branch without a finite value there is left to the slopes, which are not finite then either.

    Raises:
        NotDifferentiableError: with the values.
    """
    meetings = _meetings(e, values)
    if not meetings:
        return
    if len(meetings) > MOST_JUMPS:
        raise _error("too many kinks meet")
    found = []
    for sides in itertools.product(*(tuple(branch for branch, _ in p.args) for p in meetings)):
        chosen = e.xreplace(dict(zip(meetings, sides, strict=True)))
        here = _put(chosen, values)
        if here.has(*INFINITE):
            here = _put(simplified(chosen), values)
        if not here.has(*INFINITE):
            found.append(here)
    if not all(is_zero(a - b) for a, b in itertools.pairwise(found)):
        raise _error(f"the one-sided values are {', '.join(map(str, found))}")


def jumps(e: sympy.Expr) -> dict[sympy.Expr, list[sympy.Expr]]:
    """The signs, steps and conditions in an expression, by what vanishes where they jump."""
    found: dict[sympy.Expr, list[sympy.Expr]] = {}
    for atom in e.atoms(sympy.sign, sympy.Heaviside, sympy.core.relational.Relational):
        step = isinstance(atom, (sympy.sign, sympy.Heaviside))
        found.setdefault(atom.args[0] if step else atom.lhs - atom.rhs, []).append(atom)
    return found


def branch(e: sympy.Expr, signs: Mapping[sympy.Expr, int]) -> sympy.Expr:
    """The expression where the arguments of these jumps have these signs, 1 or -1."""
    chosen = {}
    for argument, atoms in jumps(e).items():
        if argument in signs:
            value = sympy.Integer(signs[argument])
            for atom in atoms:
                step = (1 + value) / 2 if isinstance(atom, sympy.Heaviside) else value
                chosen[atom] = step if atom.func in SIDES else atom.func(value, 0)
    return e.xreplace(chosen)


def beside(e: sympy.Expr, s: sympy.Expr, side: int, values: Mapping[sympy.Expr, sympy.Expr]) -> sympy.Expr:
    """The branch of an expression next to where `values` hold, at a larger s (1) or a smaller one (-1).

    A jump whose argument stays 0 as s moves, or moves in a direction that the values leave open, is kept.
    """
    signs = {}
    for argument in jumps(e):
        if _vanishes(argument, values):
            slope = simplified(sympy.diff(argument, s).xreplace(dict(values)))
            if not slope.free_symbols and not is_zero(slope, undecided=True):
                signs[argument] = side if slope > 0 else -side
    return branch(e, signs)


def _put(e: sympy.Expr, values: Mapping[sympy.Expr, sympy.Expr]) -> sympy.Expr:
    """The expression's value, nan also where SymPy cannot compare infinite ones."""
    try:
        return e.xreplace(dict(values))
    except ValueError:
        return sympy.nan


def _finite(slope: sympy.Expr) -> sympy.Expr:
    if slope.has(*INFINITE):
        raise _error("the slope is infinite or undefined")
    return slope


def _vanishes(argument: sympy.Expr, values: Mapping[sympy.Expr, sympy.Expr]) -> bool:
    return is_zero(sympy.sympify(argument, strict=True).xreplace(dict(values)), undecided=True)


def _error(why: str) -> NotDifferentiableError:
    return NotDifferentiableError(
        f"no derivative at this point: {why}",
        "a point where the map is smooth",
        "a nearby point, or a state off the kink",
    )


class Pass:
    """One way of passing a point: a side of each kink that meets there.

    Attributes:
        known: the series on this way.
    """

    def __init__(self, fixed: dict[sympy.Symbol, int]) -> None:
        self.known: dict[sympy.Expr, Series] = {}
        self._fixed, self._met = fixed, dict[object, int]()

    def side(self, kink: sympy.Expr, sides: int) -> int:
        """The side that is fixed; the first of a kink not met before."""
        if kink in self._fixed:
            return self._fixed[kink]
        self._met[kink] = max(sides, self._met.get(kink, 0))
        return 0

    def others(self) -> list[dict[sympy.Symbol, int]]:
        """The ways that part from this one at the kinks it was the first to meet."""
        found, sides = [], dict(self._fixed)
        for kink, count in self._met.items():
            found += [{**sides, kink: side} for side in range(1, count)]
            sides[kink] = 0
        return found
