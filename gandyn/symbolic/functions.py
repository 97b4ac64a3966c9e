"""Named functions that SymPy would otherwise spell in a form that overflows: sigmoid, softplus, log_sigmoid."""

from __future__ import annotations

from typing import Any

import sympy
from sympy.core.function import ArgumentIndexError


class sigmoid(sympy.Function):  # type: ignore[misc]
    """1 / (1 + exp(-x))."""

    @classmethod
    def eval(cls, x: sympy.Expr) -> Any:
        """Exact values at 0 and the infinities."""
        if x.is_zero:
            return sympy.Rational(1, 2)
        if x is sympy.oo:
            return sympy.Integer(1)
        if x is -sympy.oo:
            return sympy.Integer(0)
        return None

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        """sigmoid(x) (1 - sigmoid(x)), written sigmoid(x) sigmoid(-x), which loses no digits at large x."""
        if argindex != 1:
            raise ArgumentIndexError(self, argindex)
        return sigmoid(self.args[0]) * sigmoid(-self.args[0])

    def _eval_rewrite_as_exp(self, x: sympy.Expr, **hints: object) -> sympy.Expr:
        return 1 / (1 + sympy.exp(-x))

    def _eval_evalf(self, prec: int) -> sympy.Expr:
        return self.rewrite(sympy.exp)._eval_evalf(prec)

    def _eval_is_extended_real(self) -> Any:
        return self.args[0].is_extended_real

    def _eval_is_positive(self) -> Any:
        return self.args[0].is_real

    def _latex(self, printer: Any, exp: Any = None) -> str:
        power = "" if exp is None else f"^{{{printer._print(exp)}}}"
        return rf"\sigma{power}\left({printer._print(self.args[0])}\right)"


class softplus(sympy.Function):  # type: ignore[misc]
    """log(1 + exp(x)), the primitive of sigmoid."""

    @classmethod
    def eval(cls, x: sympy.Expr) -> Any:
        """Exact value at 0."""
        if x.is_zero:
            return sympy.log(2)
        return None

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        """sigmoid(x)."""
        if argindex != 1:
            raise ArgumentIndexError(self, argindex)
        return sigmoid(self.args[0])

    def _eval_rewrite_as_exp(self, x: sympy.Expr, **hints: object) -> sympy.Expr:
        return sympy.log(1 + sympy.exp(x))

    def _eval_evalf(self, prec: int) -> sympy.Expr:
        return self.rewrite(sympy.exp)._eval_evalf(prec)

    def _eval_is_extended_real(self) -> Any:
        return self.args[0].is_extended_real

    def _eval_is_positive(self) -> Any:
        return self.args[0].is_real

    def _latex(self, printer: Any, exp: Any = None) -> str:
        power = "" if exp is None else f"^{{{printer._print(exp)}}}"
        return rf"\operatorname{{softplus}}{power}\left({printer._print(self.args[0])}\right)"


def log_sigmoid(x: Any) -> Any:
    """log sigmoid(x) = -softplus(-x)."""
    return -softplus(-x)
