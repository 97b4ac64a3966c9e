"""The value of one parameter with the smallest spectral radius or abscissa: sampled, polished, exact where possible."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ...lazy import sympy
from ...types.signs import simplified
from ..exact_numbers.routh import boundary_roots
from ..local.exact_linearization import ExactLinearization

SAMPLES = 512
REACH = 100.0  # how far to look along an interval without end, before the limit is taken
CLOSED, LARGEST = 4, 16  # degrees in z and in the parameter up to which turning points are looked for exactly


def fastest(
    linearization: ExactLinearization, p: sympy.Expr, end: sympy.Expr
) -> tuple[float | sympy.Expr, float | sympy.Expr]:
    """The parameter value at which a linearised map or flow contracts fastest.

    The parameter p, the only free one, is searched in (0, end). Returns its value, and the spectral radius of the map,
    or the spectral abscissa of the flow, there.
    """
    top = float(end) if end is not sympy.oo else REACH
    measure = sympy.lambdify(p, linearization.matrix, "numpy")

    def size(value: float) -> float:
        values = np.linalg.eigvals(np.array(measure(value), dtype=complex))
        return float(values.real.max() if linearization.flow else np.abs(values).max())

    rough = _minimise(size, top)
    limit = _limit(linearization, p) if end is sympy.oo else None
    if limit is not None and float(limit) < size(rough) - 1e-12:
        return sympy.oo, limit
    if linearization.decimal or not _small(linearization, p):
        return rough, size(rough)
    for candidate in _turning_points(linearization, p):
        if abs(float(candidate) - rough) < 1e-4 * top:
            exact_value = _size_at(linearization, p, candidate)
            if exact_value is not None and float(exact_value) <= size(rough) + 1e-9:
                return candidate, exact_value
    return rough, size(rough)


def _small(linearization: ExactLinearization, p: sympy.Expr) -> bool:
    """Whether resultants come in time: low degrees and, since SymPy does not cancel others, rational coefficients."""

    def small(f: sympy.Poly) -> bool:
        coefficients = (c for c in f.all_coeffs() if c != 0)
        parts = [sympy.Poly(part, p) for c in coefficients for part in sympy.fraction(sympy.together(c))]
        return all(part.domain in (sympy.ZZ, sympy.QQ) and part.degree() <= LARGEST for part in parts)

    return all(f.degree() <= CLOSED and small(f) for f, _ in linearization.factors)


def _limit(linearization: ExactLinearization, p: sympy.Expr) -> sympy.Expr | None:
    """Spectral radius or abscissa as p goes to infinity, if the characteristic polynomial has a limit."""
    factors = linearization.factors
    f = sympy.Poly(sympy.Mul(*(f.as_expr() ** m for f, m in factors)), factors[0][0].gen)
    coefficients = [sympy.limit(sympy.cancel(c / f.LC()), p, sympy.oo) for c in f.all_coeffs()]
    if not all(c.is_finite for c in coefficients):
        return None
    roots = sympy.Poly(coefficients, f.gen).all_roots()
    sizes = [sympy.re(r) for r in roots] if linearization.flow else [abs(r) for r in roots]
    return max(sizes, key=sympy.N)


def _size_at(linearization: ExactLinearization, p: sympy.Expr, value: object) -> sympy.Expr:
    matrix = linearization.matrix.subs(p, value).applyfunc(lambda e: sympy.nsimplify(sympy.radsimp(simplified(e))))
    here = ExactLinearization(matrix, linearization.flow, ())
    return here.spectral_abscissa if linearization.flow else here.spectral_radius


def _turning_points(linearization: ExactLinearization, p: sympy.Expr) -> list[sympy.Expr]:
    """Values of p where eigenvalues meet, where real ones are opposite, or where a modulus is stationary."""
    gen = linearization.factors[0][0].gen
    parts = [f.as_expr() for f, _ in linearization.factors]
    found = [sympy.discriminant(f, gen) for f in parts if sympy.degree(f, gen) > 1]
    found += [sympy.resultant(f, g, gen) for i, f in enumerate(parts) for g in parts[:i]]
    found += [sympy.resultant(f, g.subs(gen, -gen), gen) for f in parts for g in parts]
    for f in parts:
        found += _stationary_moduli(f, gen, p)
    return boundary_roots([e for e in found if e.has(p)], p)


def _stationary_moduli(f: sympy.Expr, gen: sympy.Expr, p: sympy.Expr) -> list[sympy.Expr]:
    """Polynomials in p that vanish where the product of two roots of f, as a function of p, has slope zero."""
    y, k = sympy.Symbol("y"), sympy.degree(f, gen)
    if k > 4:
        return []
    products = sympy.resultant(f.subs(gen, y), sympy.expand(y**k * f.subs(gen, gen / y)), y)
    factors = [h for h, _ in sympy.factor_list(products)[1] if h.has(gen) and sympy.degree(h, gen) <= 3]
    return [
        sympy.resultant(h, sympy.diff(h, p), gen) if sympy.diff(h, p).has(gen) else sympy.diff(h, p) for h in factors
    ]


def _minimise(size: Callable[[float], float], top: float) -> float:
    """Global scan of (0, top), then a bounded search around the best sample."""
    from scipy.optimize import minimize_scalar

    grid = np.linspace(0, top, SAMPLES + 2)
    k = 1 + int(np.argmin([size(x) for x in grid[1:-1]]))
    return float(minimize_scalar(size, bounds=(grid[k - 1], grid[k + 1]), method="bounded", options={"xatol": 1e-13}).x)
