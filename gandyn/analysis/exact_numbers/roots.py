"""Roots of polynomials in decimals: all of them, to a given number of digits or to double precision."""

from __future__ import annotations

import functools
import itertools

import mpmath
import numpy as np
import sympy
from sympy import Poly

from ...errors import DomainError

Z = sympy.Symbol("z")
DIGITS = 40
MOST_STEPS = 12


def is_rational(poly: sympy.Poly) -> bool:
    """Whether all coefficients of a polynomial are rational numbers."""
    return all(c.is_Rational for c in poly.all_coeffs())


@functools.lru_cache(maxsize=64)
def numeric_roots(poly: sympy.Poly, digits: int = DIGITS) -> tuple[sympy.Expr, ...]:
    """The roots of a polynomial without multiple roots, to `digits` decimal digits."""
    rounded = Poly([sympy.N(c, digits + 10) for c in poly.all_coeffs()], Z)
    found = (poly if is_rational(poly) else rounded).nroots(n=digits, maxsteps=400)
    return tuple(sympy.N(r, digits) for r in found)


def modulus(root: sympy.Expr) -> sympy.Expr:
    """|r| of a root in decimals; SymPy's `Abs` looks for forms of it that decimals do not have."""
    real, imaginary = root.as_real_imag()
    return sympy.sqrt(real**2 + imaginary**2) if imaginary else abs(real)


def real_roots(f: sympy.Poly) -> list[sympy.Expr]:
    """The real roots of a square-free real polynomial: exact where its coefficients are algebraic, else 30 digits.

    A disc around one root that meets the real axis holds a real root: otherwise the conjugate root were in it too.
    Raises DomainError where coefficients are not algebraic and the roots lie too close together to be told apart.
    """
    try:
        return list(f.real_roots())
    except NotImplementedError:
        discs = _discs(f)
    if discs is None:
        raise DomainError(
            f"the real roots of a polynomial of degree {f.degree()} that lie too close together",
            "rational coefficients, or roots apart",
            "numbers as fractions",
        )
    with mpmath.workdps(DIGITS):
        return [sympy.Float(r.real, 30) for r, radius in discs if abs(r.imag) <= radius]


def double_roots(f: sympy.Poly) -> list[complex]:
    """Roots of a square-free polynomial, each correct to a few units of double precision."""
    if f.degree() > 2 or not is_rational(f):
        discs = _discs(f)
        if discs is not None and all(radius <= abs(r) * 2.0**-60 for r, radius in discs):
            return [complex(r) for r, _ in discs]
        return [complex(r) for r in numeric_roots(f)]
    if f.degree() == 1:
        return [complex(-sympy.Rational(f.eval(0)) / f.LC())]
    a, b, c = (sympy.Rational(e) for e in f.all_coeffs())
    discriminant = b * b - 4 * a * c  # exact: no digit is lost where the roots lie close together
    if discriminant < 0:
        real, imaginary = float(-b / (2 * a)), float(-discriminant / (4 * a * a)) ** 0.5
        return [complex(real, imaginary), complex(real, -imaginary)]
    far = -(float(b) + (1 if b >= 0 else -1) * float(discriminant) ** 0.5) / 2  # of the larger modulus, times a
    return [complex(far / float(a)), complex(float(c) / far)]


@functools.lru_cache(maxsize=64)
def _discs(f: sympy.Basic) -> list[tuple[mpmath.mpc, mpmath.mpf]] | None:
    """(root, radius) in 40 digits: disjoint discs, each around one root; None where they are not found quickly.

    Roots in doubles, polished by Aberth's iteration; radii n |f(r_i) / (a prod (r_i - r_j))| (Smith 1970), with room
    for what rounding adds.
    """
    with mpmath.workdps(DIGITS):
        c = [mpmath.mpf(sympy.N(e, DIGITS)._to_mpmath(mpmath.mp.prec)) for e in f.all_coeffs()]
        try:
            start = np.roots([float(e / max(map(abs, c))) for e in c])
        except np.linalg.LinAlgError:
            return None
        if len(start) != len(c) - 1:
            return None
        roots = [mpmath.mpc(complex(r)) for r in start]
        try:
            for _ in range(MOST_STEPS):
                moves = [_aberth(c, roots, k) for k in range(len(roots))]
                roots = [r - move for r, move in zip(roots, moves, strict=True)]
                if all(abs(move) <= mpmath.mpf(10) ** -25 * abs(r) for r, move in zip(roots, moves, strict=True)):
                    break
            discs = [(r, _smith(c, roots, k)) for k, r in enumerate(roots)]
        except ZeroDivisionError:
            return None
        apart = all(abs(r - q) > d + e for (r, d), (q, e) in itertools.combinations(discs, 2))
        return discs if apart else None


def _aberth(c: list[mpmath.mpf], roots: list[mpmath.mpc], k: int) -> mpmath.mpc:
    value, slope = mpmath.polyval(c, roots[k], derivative=True)
    if not value:
        return value
    quotient = value / slope
    return quotient / (1 - quotient * sum(1 / (roots[k] - other) for j, other in enumerate(roots) if j != k))


def _smith(c: list[mpmath.mpf], roots: list[mpmath.mpc], k: int) -> mpmath.mpf:
    gaps = mpmath.fprod(roots[k] - other for j, other in enumerate(roots) if j != k)
    rounding = 8 * len(c) * mpmath.mpf(10) ** -DIGITS * mpmath.polyval([abs(e) for e in c], abs(roots[k]))
    return 2 * len(roots) * (abs(mpmath.polyval(c, roots[k])) + rounding) / abs(c[0] * gaps)
