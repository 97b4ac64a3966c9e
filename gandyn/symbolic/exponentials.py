"""The field Q(e^(1/q)) as arithmetic of power series: exact numbers of games with Gaussians and exponentials."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeVar

import sympy
from sympy import QQ

from .coefficients import Field, FinerError, NoExpansionError, rational_function
from .quotients import FIELD
from .square_roots import SquareRoots, radicand_of

if TYPE_CHECKING:
    from flint import fmpz_poly

    from .quotients import Quotient

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
        self.q, self.field = q, FIELD if q else QQ

    def number(self, value: sympy.Expr) -> Quotient:
        """A SymPy number as a coefficient. Raises FinerError for a finer power of e, else NoExpansionError."""
        found: Quotient = rational_function(value, self.field, self._transcendental)
        return found

    def _transcendental(self, value: sympy.Expr) -> Quotient:
        if value is sympy.E or isinstance(value, sympy.exp):
            return self._power_of_e(sympy.Integer(1) if value is sympy.E else value.args[0])
        if not self.q and radicand_of(value):
            raise FinerError(f"{value}", SquareRoots(radicand_of(value)))
        spelled = value.rewrite(sympy.exp)
        if spelled == value or spelled.has(sympy.log):
            raise NoExpansionError(f"{value} is not a rational function of powers of e")
        return self.number(spelled)

    def _power_of_e(self, exponent: sympy.Expr) -> Quotient:
        if not exponent.is_Rational:
            raise NoExpansionError(f"e^({exponent})")
        if not self.q or self.q % exponent.q:
            finer = math.lcm(self.q or 1, int(exponent.q))
            raise FinerError(f"e^(1/{finer})", Exponentials(finer))
        return self.field.t ** int(exponent * self.q)

    def symbolic(self, value: Quotient) -> sympy.Expr:
        """A coefficient as a SymPy number."""
        if not self.q:
            return QQ.to_sympy(value)
        terms, below = (list(self._terms(side)) for side in (value.numer, value.denom))
        if len(below) > 1:
            return self._sum(terms, 0, 1) / self._sum(below, 0, 1)
        return self._sum(terms, *below[0])

    @staticmethod
    def _terms(polynomial: fmpz_poly) -> Iterator[tuple[int, int]]:
        """(power, coefficient) of what does not vanish."""
        return ((k, int(c)) for k, c in enumerate(polynomial.coeffs()) if c)

    def _sum(self, terms: list[tuple[int, int]], shift: int, scale: int) -> sympy.Expr:
        return sympy.Add(*(sympy.Rational(c, scale) * sympy.exp(sympy.Rational(k - shift, self.q)) for k, c in terms))


def finest(attempt: Callable[[Field], Answer]) -> Answer:
    """attempt(numbers) in the rationals, Q(e^(1/q)) or with square roots. Raises NoExpansionError for other numbers."""
    numbers: Field = Exponentials(0)
    while True:
        try:
            return attempt(numbers)
        except FinerError as error:
            numbers = error.numbers
