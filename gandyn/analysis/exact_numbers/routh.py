"""Stability conditions on polynomials with free coefficients: Routh-Hurwitz for flows, Jury for maps, their roots."""

from __future__ import annotations

from collections.abc import Sequence

from ...lazy import sympy
from ...types.signs import is_zero
from .roots import real_roots


def hurwitz(f: sympy.Poly) -> list[sympy.Expr]:
    """Expressions that are all positive exactly when every root of f has a negative real part.

    They are every second coefficient of f, divided by the leading one, and every second Hurwitz determinant: these
    suffice by Lienard and Chipart's criterion. `f` has real coefficients, which may hold free symbols.
    """
    coefficients = [sympy.together(c / f.LC()) for c in f.all_coeffs()]
    n = len(coefficients) - 1

    def coefficient(k: int) -> sympy.Expr:
        return coefficients[k] if 0 <= k <= n else sympy.Integer(0)

    conditions = [coefficients[n - k] for k in range(0, n, 2)]
    for size in range(n - 1, 0, -2):
        matrix = sympy.Matrix(size, size, lambda i, j: coefficient(2 * (j + 1) - (i + 1)))
        conditions.append(matrix.det(method="berkowitz"))
    return conditions


def jury(f: sympy.Poly) -> list[sympy.Expr]:
    """Expressions that are all positive exactly when every root of f lies inside the unit circle.

    The substitution z = (1 + s) / (1 - s) takes the open unit disc of z to the left half-plane of s, where `hurwitz`
    decides. It leaves out z = -1, so that (-1)^n f(-1) > 0 is one of the conditions.
    """
    n = f.degree()
    coefficients = [sympy.together(c / f.LC()) for c in f.all_coeffs()]
    if n == 1:
        return [1 + coefficients[1], 1 - coefficients[1]]
    s = sympy.Symbol("s")
    if n == 2:
        _, a, b = coefficients
        return [1 + a + b, 1 - a + b, 1 - b]
    transformed = sympy.Poly(
        sympy.expand(sum(c * (1 + s) ** (n - k) * (1 - s) ** k for k, c in enumerate(coefficients))), s
    )
    leading = sum(c * (-1) ** k for k, c in enumerate(coefficients))  # (-1)^n f(-1): the coefficient of s^n
    if is_zero(leading):
        return [sympy.Integer(-1)]
    return [leading, *hurwitz(transformed)]


def boundary_roots(expressions: Sequence[sympy.Expr], p: sympy.Expr) -> list[sympy.Expr]:
    """All positive values of p at which the numerator of one of the expressions vanishes, in rising order.

    They are in radicals up to degree 2 and for biquadratics, otherwise as `real_roots` gives them.
    """
    roots: dict[sympy.Expr, None] = {}
    for e in expressions:
        numerator = sympy.numer(sympy.together(e))
        for factor, _ in sympy.factor_list(numerator)[1]:
            if not factor.has(p):
                continue
            poly = sympy.Poly(factor, p)
            if poly.degree() <= 2 or (all(k % 2 == 0 for (k,) in poly.monoms()) and poly.degree() <= 4):
                found = [sympy.sqrtdenest(r) for r in sympy.solve(factor, p)]
            else:
                found = real_roots(poly)
            for r in found:
                value = sympy.N(r, 30)
                if abs(sympy.im(value)) <= 1e-25 * abs(value) and sympy.re(value) > 0:
                    roots.setdefault(r)
    return sorted(roots, key=lambda r: sympy.N(r, 30))


def between(low: sympy.Expr, high: sympy.Expr | None) -> sympy.Expr:
    """A rational number between `low` and `high`, or above `low` where `high` is None."""
    if high is None:
        return sympy.floor(low) + 1
    return sympy.nsimplify((sympy.N(low, 40) + sympy.N(high, 40)) / 2, rational=True)
