"""Derivatives at a point of expressions with kinks: the value where both sides agree, an error where they do not.

`Pass` is one way of passing a point where kinks meet, which a series takes.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping

import sympy

from ..errors import NotDifferentiableError
from ..types.signs import is_zero, simplified
from .coefficients import Series

SIDES = (sympy.sign, sympy.Heaviside, sympy.DiracDelta)  # what jumps where its argument vanishes
MOST_JUMPS = 6
INFINITE = (sympy.nan, sympy.zoo, sympy.oo)


def slope_at(e: sympy.Expr, s: sympy.Expr, values: Mapping[sympy.Expr, sympy.Expr]) -> sympy.Expr:
    """de/ds at the point `values`, a map from symbols to exact numbers.

    Where the arguments of signs and steps vanish, of e or of what |x| and max differentiate to, each side is tried; so
    are the branches of a Piecewise that meet there.

    Raises:
        NotDifferentiableError: if the sides give different values or slopes, or the slope is infinite or undefined.
    """
    _continuous(e, values)
    derivative = sympy.diff(e, s)
    steps = {j for d in (e, derivative) for j in d.atoms(*SIDES) if _vanishes(j.args[0], values)}
    if not steps and not _meetings(derivative, values):
        return _finite(_put(derivative, values))
    sides = _sides(sorted({j.args[0] for j in steps}, key=sympy.default_sort_key))
    heights: set[sympy.Expr] = set()
    slopes: set[sympy.Expr] = set()
    for signs in sides:
        beside = _on_side(e, signs)
        heights.add(simplified(_put(beside, values)) if steps & e.atoms(*SIDES) else sympy.Integer(0))
        for slope in _branches(_on_side(sympy.diff(beside, s), signs) if signs else derivative, values):
            slopes.add(simplified(_put(slope, values)))
    for what, found in (("values", heights), ("slopes", slopes)):
        if len(found) > 1 and not all(is_zero(a - b) for a, b in itertools.pairwise(found)):
            raise _error(one_sided(what, found))
    return _finite(slopes.pop())


def one_sided(what: str, found: Iterable[sympy.Expr]) -> str:
    """The values, or slopes, beside a kink in words, in order of size where they are numbers."""
    shown = sorted(found, key=lambda e: (float(e) if e.is_Rational else 0.0, str(e)))
    return f"the one-sided {what} of a term are {', '.join(map(str, shown))}"


def _sides(arguments: list[sympy.Expr]) -> list[dict[sympy.Expr, int]]:
    """The signs that these arguments have together, in all ways; those in a fixed ratio change sign together."""
    groups: list[dict[sympy.Expr, int]] = []
    for argument in arguments:
        for group in groups:
            ratio = sympy.cancel(argument / next(iter(group)))
            if ratio.is_number and ratio.is_real:
                group[argument] = 1 if ratio > 0 else -1
                break
        else:
            groups.append({argument: 1})
    if len(groups) > MOST_JUMPS:
        raise _error("too many kinks meet")
    ways = itertools.product((1, -1), repeat=len(groups))
    return [{a: way * k for group, way in zip(groups, signs, strict=True) for a, k in group.items()} for signs in ways]


def _on_side(e: sympy.Expr, signs: Mapping[sympy.Expr, int]) -> sympy.Expr:
    """The expression where these arguments have these signs: beside a jump there is no delta."""
    values: dict[type, Callable[[int], int]] = {
        sympy.sign: lambda k: k, sympy.Heaviside: lambda k: (1 + k) // 2, sympy.DiracDelta: lambda k: 0
    }  # fmt: skip
    met = (j for j in e.atoms(*SIDES) if j.args[0] in signs)
    return e.xreplace({j: sympy.Integer(values[j.func](signs[j.args[0]])) for j in met})


def _branches(e: sympy.Expr, values: Mapping[sympy.Expr, sympy.Expr]) -> Iterator[sympy.Expr]:
    """The expression on every branch of each Piecewise that meet at the point."""
    meetings = _meetings(e, values)
    if len(meetings) > MOST_JUMPS:
        raise _error("too many kinks meet")
    for chosen in itertools.product(*(tuple(branch for branch, _ in p.args) for p in meetings)):
        yield e.xreplace(dict(zip(meetings, chosen, strict=True)))


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
    found = []
    for chosen in _branches(e, values) if _meetings(e, values) else ():
        here = _put(chosen, values)
        if here.has(*INFINITE):
            here = _put(simplified(chosen), values)
        if not here.has(*INFINITE):
            found.append(here)
    if not all(is_zero(a - b) for a, b in itertools.pairwise(found)):
        raise _error(one_sided("values", found))


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
        known: the series on this way. on: whether it stays on a kink.
    """

    def __init__(self, fixed: dict[sympy.Symbol, int]) -> None:
        self.known: dict[sympy.Expr, Series] = {}
        self.on = False
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
