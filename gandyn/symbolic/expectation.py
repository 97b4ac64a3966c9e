"""The expectation of an expression over one random symbol: exact on polynomials, a fixed quadrature elsewhere.

Differentiation passes under the expectation, and putting numbers in may leave a polynomial: derivatives at a point
where the integrand loses its randomness are exact.
"""

from __future__ import annotations

import functools

import numpy as np
import sympy
from sympy.printing.latex import LatexPrinter
from sympy.printing.str import StrPrinter

NORMAL, UNIFORM = "normal", "uniform"
NODES = 32


class Expectation(sympy.Expr):  # type: ignore[misc]
    """E g(n) for a standard normal n, or one uniform on [0, 1].

    `Expectation(g, n, law)` is a number or an expression where g is a polynomial in n, by the moments
    E n^k = (k-1)!! (k even; normal) and 1/(k+1) (uniform), and stays unevaluated elsewhere. Generated code takes 32
    Gauss-Hermite or Gauss-Legendre nodes: for softplus(a + c n) the error is below 1e-13 at |c| <= 1, 3e-9 at c = 2 and
    6e-5 at c = 4; integrands with a kink converge slowly.

    Example:
        >>> n, c = sympy.Symbol("n", real=True), sympy.Symbol("c", real=True)
        >>> Expectation((1 + c * n) ** 2, n, NORMAL)
        c**2 + 1
        >>> sympy.diff(Expectation(sympy.exp(c * n), n, NORMAL), c, 2).subs(c, 0)
        1
    """

    def __new__(cls, integrand: sympy.Expr, symbol: sympy.Symbol, law: object) -> sympy.Expr:
        """The expectation, evaluated where the integrand is a polynomial in the random symbol."""
        integrand, law = sympy.sympify(integrand, strict=True), str(law)
        if symbol not in integrand.free_symbols:
            return integrand
        if integrand.is_polynomial(symbol):
            terms = sympy.Poly(integrand, symbol).terms()
            return sympy.Add(*(coefficient * moment(power, law) for (power,), coefficient in terms))
        return super().__new__(cls, integrand, symbol, sympy.Symbol(law))

    @property
    def free_symbols(self) -> set[sympy.Symbol]:
        """The free symbols of the integrand, without the random symbol."""
        integrand, symbol, _ = self.args
        free: set[sympy.Symbol] = integrand.free_symbols - {symbol}
        return free

    def _eval_derivative(self, variable: sympy.Symbol) -> sympy.Expr:
        integrand, symbol, law = self.args
        return Expectation(sympy.diff(integrand, variable), symbol, law)

    def _eval_is_extended_real(self) -> bool | None:
        real: bool | None = self.args[0].is_extended_real
        return real

    def _eval_is_commutative(self) -> bool:
        return True

    def quadrature(self) -> sympy.Expr:
        """The expectation as a weighted sum over the nodes."""
        integrand, symbol, law = self.args
        nodes, weights = rule(str(law))
        return sympy.Add(*(w * integrand.xreplace({symbol: x}) for x, w in zip(nodes, weights, strict=True)))

    def _eval_evalf(self, prec: int) -> sympy.Expr:
        return self.quadrature()._eval_evalf(prec)

    def _sympystr(self, printer: StrPrinter) -> str:
        integrand, symbol, _ = self.args
        return f"E_{printer._print(symbol)}[{printer._print(integrand)}]"

    def _latex(self, printer: LatexPrinter, exp: sympy.Expr | None = None) -> str:
        integrand, symbol, _ = self.args
        power = "" if exp is None else f"^{{{printer._print(exp)}}}"
        return rf"\mathbb{{E}}_{{{printer._print(symbol)}}}\left[{printer._print(integrand)}\right]{power}"


def moment(power: int, law: str) -> sympy.Expr:
    """E n^power, exact."""
    if law == UNIFORM:
        return sympy.Rational(1, power + 1)
    return sympy.Integer(0) if power % 2 else sympy.factorial2(power - 1)


@functools.cache
def rule(law: str) -> tuple[list[sympy.Expr], list[sympy.Expr]]:
    """The 32 nodes of Gauss's quadrature for a law and their weights, which sum to 1, as SymPy floats."""
    if law == UNIFORM:
        x, w = np.polynomial.legendre.leggauss(NODES)
        x = (x + 1) / 2
    else:
        x, w = np.polynomial.hermite_e.hermegauss(NODES)
    return [sympy.Float(float(v)) for v in x], [sympy.Float(float(v)) for v in w / w.sum()]
