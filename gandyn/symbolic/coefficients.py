"""Coefficients of power series, exact or in 50 decimals, and the errors of points where there are none."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

import mpmath
import sympy
from sympy import QQ

from ..errors import GandynError

if TYPE_CHECKING:
    from sympy.polys.domains.domain import Domain

DECIMALS = 50
Monomial = tuple[int, ...]
Series = dict[Monomial, Any]


class NoExpansionError(GandynError):
    """The series has no coefficients of the kind asked for: there is a kink, a pole, or an irrational number."""


class KinkError(NoExpansionError):
    """Two smooth branches meet here, and their series differ."""


class PoleError(NoExpansionError):
    """A value or a slope is infinite, or 0/0."""


class Field(Protocol):
    """A field of numbers in which the arithmetic of series is exact."""

    field: Domain

    def number(self, value: sympy.Expr) -> Any:
        """A SymPy number as a coefficient."""

    def symbolic(self, value: Any) -> sympy.Expr:
        """A coefficient as a SymPy number."""


class FinerError(NoExpansionError):
    """A number that is not in this field but in a larger one: a finer power of e, or another square root.

    Attributes:
        numbers: a field that contains the number.
    """

    def __init__(self, what: str, numbers: Field) -> None:
        super().__init__(what)
        self.numbers = numbers


def rational_function(value: sympy.Expr, field: Domain, other: Callable[[sympy.Expr], Any]) -> Any:
    """A SymPy number as an element of a field.

    Sums, products and integer powers are computed part by part; any other irrational number is handed to `other`.
    """
    if value.is_Rational:
        return field(QQ.from_sympy(value))
    if value.is_Add:
        return sum((rational_function(e, field, other) for e in value.args), field.zero)
    if value.is_Mul:
        return math.prod((rational_function(e, field, other) for e in value.args), start=field.one)
    if value.is_Pow and value.exp.is_Integer and value.base is not sympy.E:
        return rational_function(value.base, field, other) ** int(value.exp)
    return other(value)


class Rational:
    """Coefficients are rational numbers, exact; anything else is refused."""

    @staticmethod
    def number(value: sympy.Expr) -> Any:
        """A SymPy number as a coefficient."""
        if not value.is_Rational:
            raise NoExpansionError(f"{value} is not rational")
        return QQ.from_sympy(value)

    @staticmethod
    def symbolic(value: object) -> sympy.Expr:
        """A coefficient as a SymPy number."""
        return QQ.to_sympy(value)


class Decimal:
    """Coefficients are decimals of 50 digits."""

    @staticmethod
    def number(value: object) -> Any:
        """A SymPy number as a coefficient."""
        with mpmath.workdps(DECIMALS):
            found = sympy.N(value, DECIMALS)
            if not found.is_Float and not found.is_Rational:
                raise NoExpansionError(f"{value} is not a real number")
            return mpmath.mpf(found._to_mpmath(mpmath.mp.prec))

    @staticmethod
    def symbolic(value: object) -> sympy.Expr:
        """A coefficient as a SymPy number."""
        return sympy.Float(value, DECIMALS)
