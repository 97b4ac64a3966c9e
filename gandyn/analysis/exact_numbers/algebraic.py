"""The numbers of a normal form: the field Q(lambda) of a critical eigenvalue, exact, or decimals where that fails.

On the unit circle the conjugate of lambda is 1/lambda, on the imaginary axis -lambda: complex conjugation is itself a
map of the field Q[z]/(f), so that real parts and vanishing are decided exactly, without choosing a root of f.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import mpmath
import sympy
from sympy import QQ
from sympy.polys.polyclasses import ANP

from ...symbolic.coefficients import DECIMALS, Rational
from .radicals import closed_roots
from .roots import DIGITS, numeric_roots

NEGLIGIBLE = -30
Element: TypeAlias = ANP | mpmath.mpc  # an element of Q(lambda), or a decimal


class Algebraic:
    """Q(lambda) for a root lambda, on the stability boundary, of an irreducible rational polynomial f."""

    exact = True

    @property
    def one(self) -> ANP:
        """The number 1 as an element of the field."""
        return self.number(QQ(1))

    def __init__(self, f: sympy.Poly, flow: bool) -> None:
        self.f, self.degree = f, f.degree()
        self._modulus = [QQ.from_sympy(sympy.Rational(c) / f.LC()) for c in f.all_coeffs()]
        if self.degree == 1:
            self._mirrored = self.eigenvalue = self.number(-self._modulus[1])
        else:
            self.eigenvalue = self._element([QQ(1), QQ(0)])
            self._mirrored = -self.eigenvalue if flow else self.number(QQ(1)) / self.eigenvalue
        self.root = on_boundary(f, flow)

    def _element(self, coefficients: Sequence[object]) -> ANP:
        return ANP(list(coefficients), self._modulus, QQ)

    def number(self, coefficient: Rational) -> Element:
        """A rational number as an element of the field."""
        return self._element([coefficient] if coefficient else [])

    def conjugate(self, x: Element) -> Element:
        """The complex conjugate of x."""
        result = self.number(QQ(0))
        for c in x.to_list():
            result = result * self._mirrored + self.number(c)
        return result

    def is_zero(self, x: Element) -> bool:
        """Whether x is exactly zero."""
        return not x.to_list()

    def size(self, x: Element) -> float:
        """The size by which pivots are compared: 0 for zero, else 1, since exact elimination may use any pivot."""
        return float(not self.is_zero(x))

    def real(self, x: Element) -> sympy.Expr:
        """The real part as a SymPy number: rational, in radicals, or to 40 digits."""
        half = (x + self.conjugate(x)) * self.number(QQ(1, 2))
        coefficients = [QQ.to_sympy(c) for c in half.to_list()]
        if len(coefficients) < 2:
            return coefficients[0] if coefficients else sympy.Integer(0)
        value = sympy.re(sympy.N(horner(coefficients, self.root), DIGITS))
        roots = closed_roots(self.f)
        if roots is None:
            return value
        near = min(roots, key=lambda r: abs(complex(sympy.N(r, 20)) - complex(self.root)))
        closed = sympy.radsimp(sympy.sqrtdenest(sympy.expand(sympy.re(sympy.expand(horner(coefficients, near))))))
        return closed if abs(sympy.N(closed - value, 20)) < 1e-15 else value


class Decimals:
    """Complex numbers to 50 digits, for eigenvalues and coefficients that are not algebraic."""

    exact = False
    one = mpmath.mpf(1)

    def __init__(self, root: sympy.Expr) -> None:
        self.root = root
        with mpmath.workdps(DECIMALS):
            self.eigenvalue = mpmath.mpc(
                *(e._to_mpmath(mpmath.mp.prec) for e in sympy.N(root, DECIMALS).as_real_imag())
            )

    def number(self, coefficient: mpmath.mpf) -> Element:
        """A number as a decimal of 50 digits."""
        return mpmath.mpc(coefficient)

    def conjugate(self, x: Element) -> Element:
        """The complex conjugate of x."""
        return mpmath.conj(x)

    def is_zero(self, x: Element) -> bool:
        """Whether x is zero to 30 digits."""
        return bool(abs(x) < mpmath.mpf(10) ** NEGLIGIBLE)

    def size(self, x: Element) -> float:
        """The modulus of x, by which pivots are compared."""
        return 0.0 if self.is_zero(x) else float(abs(x))

    def real(self, x: Element) -> sympy.Expr:
        """The real part of x as a SymPy number."""
        return sympy.Integer(0) if self.is_zero(x.real) else sympy.Float(x.real, 30)


def on_boundary(f: sympy.Poly, flow: bool) -> sympy.Expr:
    """The root of f nearest to the boundary, with a non-negative imaginary part."""
    roots = [r for r in numeric_roots(f) if sympy.im(r) >= 0]
    return min(roots, key=lambda r: abs(sympy.re(r)) if flow else abs(abs(r) - 1))


def horner(coefficients: Sequence[object], x: sympy.Expr) -> sympy.Expr:
    """The value at x of a polynomial given by its coefficients, highest power first."""
    result: Element = sympy.Integer(0)
    for c in coefficients:
        result = result * x + c
    return result


def solve(numbers: Algebraic | Decimals, rows: list[list[Element]]) -> list[Element]:
    """The solution of a linear system, by elimination. Raises ZeroDivisionError for a singular matrix."""
    reduced, pivots = _echelon(numbers, rows)
    if pivots != list(range(len(rows))):
        raise ZeroDivisionError("a singular system")
    return [row[-1] for row in reduced]


def kernel(numbers: Algebraic | Decimals, matrix: list[list[Element]]) -> list[list[Element]]:
    """A basis of the kernel of a matrix, from its reduced echelon form."""
    rows, pivots = _echelon(numbers, matrix)
    zero, n = numbers.eigenvalue - numbers.eigenvalue, len(matrix[0])
    basis = []
    for free in (c for c in range(n) if c not in pivots):
        vector = [zero] * n
        vector[free] = numbers.one
        for k, column in enumerate(pivots):
            vector[column] = zero - rows[k][free]
        basis.append(vector)
    return basis


def _echelon(numbers: Algebraic | Decimals, matrix: list[list[Element]]) -> tuple[list[list[Element]], list[int]]:
    """The reduced echelon form of a matrix, and the columns of its pivots."""
    rows = [list(row) for row in matrix]
    pivots: list[int] = []
    for column in range(len(matrix[0])):
        k = len(pivots)
        best = max(range(k, len(rows)), key=lambda i: numbers.size(rows[i][column]), default=None)
        if best is None or numbers.is_zero(rows[best][column]):
            continue
        rows[k], rows[best] = rows[best], rows[k]
        rows[k] = [x / rows[k][column] for x in rows[k]]
        for i in range(len(rows)):
            if i != k and not numbers.is_zero(rows[i][column]):
                rows[i] = [x - rows[i][column] * y for x, y in zip(rows[i], rows[k], strict=True)]
        pivots.append(column)
    return rows, pivots
