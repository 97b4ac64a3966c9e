"""The field Q(e^(1/q)) as arithmetic of power series: exact numbers of games with Gaussians and exponentials."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import sympy
from sympy import QQ

from .coefficients import Field, FinerError, NoExpansionError, rational_function
from .square_roots import SquareRoots, radicand_of

if TYPE_CHECKING:
    from sympy.polys.fields import FracElement

T = sympy.Symbol("t", positive=True)
Answer = TypeVar("Answer")


class Exponentials:
    """Coefficients are rational functions of t = e^(1/q), which is transcendental (Hermite 1873): zero is exact.

    Args:
        q: the common denominator of all exponents; 0 for the rationals themselves.

    Example:
        >>> numbers = Exponentials(2)
        >>> half = numbers.number(sympy.exp(sympy.Rational(-1, 2)))
        >>> numbers.symbolic(half * half), bool(half * half - numbers.number(sympy.exp(-1)))
        (exp(-1), False)
    """

    def __init__(self, q: int = 1) -> None:
        self.q, self.field = q, QQ.frac_field(T) if q else QQ
        self._t: FracElement = self.field.from_sympy(T) if q else None

    def number(self, value: sympy.Expr) -> FracElement:
        """A SymPy number as a coefficient.

        Raises:
            FinerError: for a finer power of e. NoExpansionError: for a number of another kind.
        """
        return rational_function(value, self.field, self._transcendental)

    def _transcendental(self, value: sympy.Expr) -> FracElement:
        if value is sympy.E or isinstance(value, sympy.exp):
            return self._power_of_e(sympy.Integer(1) if value is sympy.E else value.args[0])
        if not self.q and radicand_of(value):
            raise FinerError(f"{value}", SquareRoots(radicand_of(value)))
        spelled = value.rewrite(sympy.exp)
        if spelled == value or spelled.has(sympy.log):
            raise NoExpansionError(f"{value} is not a rational function of powers of e")
        return self.number(spelled)

    def _power_of_e(self, exponent: sympy.Expr) -> FracElement:
        if not exponent.is_Rational:
            raise NoExpansionError(f"e^({exponent})")
        if not self.q or self.q % exponent.q:
            finer = math.lcm(self.q or 1, int(exponent.q))
            raise FinerError(f"e^(1/{finer})", Exponentials(finer))
        return self._t ** int(exponent * self.q)

    def symbolic(self, value: FracElement) -> sympy.Expr:
        """A coefficient as a SymPy number."""
        if not self.q:
            return QQ.to_sympy(value)
        numerator, denominator = value.numer, value.denom
        if len(denominator) > 1:
            return self._sum(numerator, 0, 1) / self._sum(denominator, 0, 1)
        ((shift,), scale) = next(iter(denominator.terms()))
        return self._sum(numerator, shift, scale)

    def _sum(self, polynomial: sympy.Poly, shift: int, scale: object) -> sympy.Expr:
        return sympy.Add(
            *(QQ.to_sympy(c / scale) * sympy.exp(sympy.Rational(k - shift, self.q)) for (k,), c in polynomial.terms())
        )


def finest(attempt: Callable[[Field], Answer]) -> Answer:
    """attempt(numbers) in the first field that suffices: the rationals, Q(e^(1/q)), or one of square roots.

    Raises:
        NoExpansionError: where numbers of another kind occur.
    """
    numbers: Field = Exponentials(0)
    while True:
        try:
            return attempt(numbers)
        except FinerError as error:
            numbers = error.numbers
