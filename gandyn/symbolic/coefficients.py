"""Coefficients of power series, exact or in 50 decimals, and what says that there are none."""

from __future__ import annotations

from typing import Any

import mpmath
import sympy
from sympy import QQ

from ..errors import GandynError

DECIMALS = 50
Monomial = tuple[int, ...]
Series = dict[Monomial, Any]


class NoExpansionError(GandynError):
    """Here the series has no coefficients of the asked kind: a kink, a pole, or an irrational number."""


class KinkError(NoExpansionError):
    """Two smooth branches meet here, and their series differ."""


class PoleError(NoExpansionError):
    """A value or a slope is infinite, or 0/0."""


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
