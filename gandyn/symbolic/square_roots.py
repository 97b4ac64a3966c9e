"""Fields of square roots as arithmetic of power series: exact numbers of rules that divide by a gradient's size."""

from __future__ import annotations

import functools
import itertools
import math
from typing import TYPE_CHECKING

import sympy
from sympy import QQ

from .coefficients import FinerError, NoExpansionError, rational_function

if TYPE_CHECKING:
    from sympy.polys.domains.algebraicfield import AlgebraicField
    from sympy.polys.polyclasses import ANP

MOST_ROOTS = 3  # the field has 2^k dimensions


class SquareRoots:
    """Coefficients are rational combinations of square roots of whole numbers and of their products.

    Args:
        *radicands: the whole numbers, none of them a square times a product of others.

    Example:
        >>> numbers = SquareRoots(10)
        >>> numbers.symbolic(numbers.number(1 / (1 + sympy.sqrt(40))))
        -1/39 + 2*sqrt(10)/39
    """

    def __init__(self, *radicands: int) -> None:
        self.radicands = radicands
        self.field, self._roots = _field(radicands)

    def number(self, value: sympy.Expr) -> ANP:
        """A SymPy number as a coefficient. Raises FinerError for a root of another number, else NoExpansionError."""
        return rational_function(value, self.field, self._power_of_root)

    def _power_of_root(self, value: sympy.Expr) -> ANP:
        """A power of sqrt(n) = s / p sqrt(p), where n p = s^2 for a product p of some of the radicands."""
        n = radicand_of(value)
        if not n:
            raise NoExpansionError(f"{value} is not a sum of square roots")
        for chosen in itertools.product((0, 1), repeat=len(self.radicands)):
            p = math.prod(itertools.compress(self.radicands, chosen))
            s, whole = sympy.integer_nthroot(n * p, 2)
            if whole:
                root = math.prod(itertools.compress(self._roots, chosen), start=self.field(QQ(s, p)))
                return root ** int(2 * value.exp)
        if len(self.radicands) == MOST_ROOTS:
            raise NoExpansionError(f"{value} beside {MOST_ROOTS} other square roots")
        raise FinerError(f"{value}", SquareRoots(*self.radicands, n))

    def symbolic(self, value: ANP) -> sympy.Expr:
        """A coefficient as a SymPy number."""
        return sympy.expand(self.field.to_sympy(value))


def radicand_of(value: sympy.Expr) -> int:
    """n where the number is an odd power of sqrt(n), n a whole number above 1; 0 for another number."""
    root = value.is_Pow and value.base.is_Integer and value.base > 1 and value.exp.is_Rational and value.exp.q == 2
    return int(value.base) if root else 0


@functools.lru_cache(maxsize=16)
def _field(radicands: tuple[int, ...]) -> tuple[AlgebraicField, list[ANP]]:
    roots = list(map(sympy.sqrt, radicands))
    field = QQ.algebraic_field(*roots)
    return field, list(map(field.from_sympy, roots))
