"""Where an expression has a value, and where derivatives: at its poles, edges of its domain, kinks and jumps."""

from __future__ import annotations

import dataclasses

import sympy

from ...symbolic.expectation import Expectation
from ...symbolic.functions import sigmoid, softplus

ENTIRE = (
    *(sympy.exp, sympy.sin, sympy.cos, sympy.sinh, sympy.cosh, sympy.tanh, sympy.atan, sympy.erf),
    *(sigmoid, softplus, sympy.Add, sympy.Mul),
)


@dataclasses.dataclass(frozen=True)
class Regularity:
    """The subexpressions whose signs decide where an expression has a value, and where it has derivatives."""

    roots: tuple[sympy.Expr, ...]  # the expression has a value only where they are >= 0
    logarithms: tuple[sympy.Expr, ...]  # only where they are > 0
    poles: tuple[sympy.Expr, ...]  # only where they are not 0
    kinks: tuple[sympy.Expr, ...]  # it has derivatives only where they are not 0
    # whether these are all conditions; False where the expression holds a function of which nothing is known
    known: bool

    @property
    def arguments(self) -> tuple[sympy.Expr, ...]:
        """The subexpressions of all four kinds in one tuple, in the order of the attributes."""
        return (*self.roots, *self.logarithms, *self.poles, *self.kinks)

    @property
    def singular(self) -> bool:
        """Whether values can grow without limit near a finite point."""
        return bool(self.logarithms or self.poles)


def regularity(e: sympy.Expr) -> Regularity:
    """The `Regularity` of a SymPy expression in real symbols."""
    while e.has(Expectation):
        e = e.xreplace({part: part.quadrature() for part in e.atoms(Expectation)})
    found: dict[str, dict[sympy.Expr, None]] = {name: {} for name in ("roots", "logarithms", "poles", "kinks")}
    known = all([_collect(part, found) for part in sympy.preorder_traversal(e)])
    roots, logarithms, poles, kinks = (tuple(column) for column in found.values())
    return Regularity(roots, logarithms, poles, kinks, known)


def _collect(e: sympy.Expr, found: dict[str, dict[sympy.Expr, None]]) -> bool:
    """Add what one node asks of its arguments; whether the node is understood."""
    if not e.args or e.is_number or isinstance(e, ENTIRE):
        return True
    if e.is_Pow:
        _collect_power(e.args[0], e.args[1], found)
    elif isinstance(e, sympy.log):
        found["logarithms"][e.args[0]] = None
    elif isinstance(e, sympy.tan):
        found["poles"][sympy.cos(e.args[0])] = None
    elif isinstance(e, (sympy.Abs, sympy.sign, sympy.Heaviside)):
        found["kinks"][e.args[0]] = None
    elif isinstance(e, (sympy.Max, sympy.Min)):
        pairs = [(a, b) for k, a in enumerate(e.args) for b in e.args[:k]]
        found["kinks"].update(dict.fromkeys(a - b for a, b in pairs))
    elif isinstance(e, sympy.core.relational.Relational):
        found["kinks"][e.lhs - e.rhs] = None
    else:
        return isinstance(e, (sympy.Piecewise, sympy.functions.elementary.piecewise.ExprCondPair))
    return True


def _collect_power(base: sympy.Expr, power: sympy.Expr, found: dict[str, dict[sympy.Expr, None]]) -> None:
    if power.is_integer:
        if not power.is_nonnegative:
            found["poles"][base] = None
    elif not base.is_number:
        found["roots" if power.is_positive else "logarithms"][base] = None
        if power.is_positive:
            found["kinks"][base] = None  # the slope may be infinite at the edge
