"""Named functions that SymPy would otherwise spell in a form that overflows: sigmoid, softplus, log_sigmoid."""

from __future__ import annotations

import sympy
from sympy.core.function import ArgumentIndexError
from sympy.printing.latex import LatexPrinter


class _Positive(sympy.Function):  # type: ignore[misc]
    """A function of one real argument with positive values, known by its form in exponentials and its name in LaTeX."""

    name_in_latex: str

    def _eval_evalf(self, prec: int) -> sympy.Expr:
        return self.rewrite(sympy.exp)._eval_evalf(prec)

    def _eval_is_extended_real(self) -> bool | None:
        real: bool | None = self.args[0].is_extended_real
        return real

    def _eval_is_positive(self) -> bool | None:
        real: bool | None = self.args[0].is_real
        return real

    def _latex(self, printer: LatexPrinter, exp: sympy.Expr | None = None) -> str:
        power = "" if exp is None else f"^{{{printer._print(exp)}}}"
        return rf"{self.name_in_latex}{power}\left({printer._print(self.args[0])}\right)"


class sigmoid(_Positive):
    """1 / (1 + exp(-x))."""

    name_in_latex = r"\sigma"

    @classmethod
    def eval(cls, x: sympy.Expr) -> sympy.Expr | None:
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


class softplus(_Positive):
    """log(1 + exp(x)), the primitive of sigmoid."""

    name_in_latex = r"\operatorname{softplus}"

    @classmethod
    def eval(cls, x: sympy.Expr) -> sympy.Expr | None:
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


def log_sigmoid(x: sympy.Expr) -> sympy.Expr:
    """log sigmoid(x) = -softplus(-x)."""
    return -softplus(-x)
