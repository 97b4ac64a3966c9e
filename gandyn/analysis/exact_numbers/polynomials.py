"""Where the roots of a characteristic polynomial lie, decided exactly: inside, on, or outside a stability boundary."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import mpmath
import numpy as np
import sympy
from sympy import Poly
from sympy.polys.matrices import DomainMatrix

from ...errors import ParameterError
from ...symbolic.coefficients import Field, NoExpansionError
from ...symbolic.exponentials import finest
from ...types.signs import is_zero
from .extensions import over_extension
from .roots import DIGITS, Z, _discs, is_rational, numeric_roots


@dataclasses.dataclass(frozen=True)
class Placement:
    """How many roots lie where, with multiplicity."""

    inside: int  # inside the unit circle (maps), or left of the imaginary axis (flows)
    boundary: int  # on it
    outside: int  # beyond it
    certain: bool  # the boundary was decided by exact algebra, not by digits
    # irreducible factors with roots on the boundary, and their multiplicities
    boundary_factors: tuple[tuple[Poly, int], ...] = ()


def factors(matrix: sympy.Matrix) -> list[tuple[Poly, int]]:
    """Irreducible factors of det(z I - matrix) over the rationals (or the entries' own field), with multiplicity."""
    found = over_extension(matrix, irreducible=True)
    if found is not None:
        return found
    matrix, root = _in_one_power_of_e(matrix)
    split = [(f, m) for f, m in characteristic(matrix).factor_list()[1] if f.degree(Z) > 0]
    return [(Poly([c.xreplace(root) for c in f.all_coeffs()], Z), m) if root else (f, m) for f, m in split]


def _in_one_power_of_e(matrix: sympy.Matrix) -> tuple[sympy.Matrix, dict[sympy.Expr, sympy.Expr]]:
    """The matrix where each e^(k/q) is t^k, and what t is; SymPy takes e and e^(1/5) for independent, and is slow."""
    powers = matrix.atoms(sympy.exp) | ({sympy.E} if matrix.has(sympy.E) else set())
    exponents = {e: sympy.Integer(1) if e is sympy.E else e.args[0] for e in powers}
    if not exponents or not all(exponent.is_Rational for exponent in exponents.values()):
        return matrix, {}
    t, q = sympy.Dummy("t", positive=True), sympy.ilcm(1, *(exponent.q for exponent in exponents.values()))
    swaps = {e: t ** (exponent * q) for e, exponent in exponents.items()}
    return matrix.xreplace(swaps), {t: sympy.exp(sympy.Rational(1, q))}


def characteristic(matrix: sympy.Matrix) -> Poly:
    """The polynomial det(z I - matrix) in z.

    Logarithms are symbols meanwhile: SymPy would ask the sign of each coefficient that holds one, to ever more digits.
    Raises ParameterError for a matrix with a parameter that is called z too.
    """
    if any(str(s) == str(Z) for s in matrix.free_symbols):
        raise ParameterError("a parameter named z, which is the eigenvalue's letter", "another name", "rename it")
    logs = {a: sympy.Dummy("l", real=True, positive=a.is_positive) for a in matrix.atoms(sympy.log) if a.is_real}
    if logs:
        back = {dummy: a for a, dummy in logs.items()}
        return Poly([c.xreplace(back) for c in characteristic(matrix.xreplace(logs)).all_coeffs()], Z)
    try:
        return matrix.charpoly(Z).as_poly(Z)
    except TypeError:  # SymPy puts factors of diagonal blocks in order, and nested radicals beside a symbol have none
        rows = DomainMatrix.from_Matrix(matrix)
        return Poly([rows.domain.to_sympy(c) for c in rows.charpoly_berk()], Z)


def parts(matrix: sympy.Matrix, known: Callable[[], list[tuple[Poly, int]]]) -> list[tuple[Poly, int]]:
    """Coprime square-free factors, the rational ones irreducible: those that are `known`, or the quickest to find."""
    found = over_extension(matrix, irreducible=False)
    return known() if found is None else found


def place(matrix_factors: Sequence[tuple[Poly, int]], flow: bool) -> Placement:
    """Count roots against the unit circle, or for a flow against the imaginary axis.

    A rational irreducible factor has a root on the unit circle only if it equals its own reversal up to sign, and one
    on the imaginary axis only if it is even or odd; then t = z + 1/z, or t = z^2, leaves real roots to count by Sturm's
    theorem. What remains is off the boundary, so enough digits decide it. Irrational factors of a flow are looked at in
    units of their roots: digits mean the same in every unit of time.
    """
    inside = boundary = outside = 0
    certain, found = True, []
    for factor, multiplicity in matrix_factors:
        exact = is_rational(factor)
        f = _in_units_of_its_roots(factor) if flow and not exact else factor
        within = None if exact else _count_off_boundary(f, flow)
        if within is None:
            on = (_on_axis if flow else _on_circle)(f) if exact else _on_by_digits(f, flow)
            certain &= exact
            within = _count_inside(f, flow, on)
        else:
            on = 0
        inside += multiplicity * within
        boundary += multiplicity * on
        outside += multiplicity * (f.degree() - within - on)
        if on:
            found.append((factor, multiplicity))
    return Placement(inside, boundary, outside, certain, tuple(found))


def _in_units_of_its_roots(f: sympy.Poly) -> sympy.Poly:
    """f(s z) / s^n, s a power of ten near the largest root: within a factor 20 n of it (Fujiwara's bound)."""
    first, *rest = (abs(sympy.N(e, DIGITS)) for e in f.all_coeffs())
    sizes = [sympy.log(e / first, 10).n() / k for k, e in enumerate(rest, 1) if e]
    if not sizes:
        return f
    unit = sympy.Integer(10) ** int(sympy.floor(max(sizes)))
    return Poly([e / unit**k for k, e in enumerate(f.all_coeffs())], *f.gens)


def _distance(root: sympy.Expr, flow: bool) -> sympy.Expr:
    return sympy.re(root) if flow else abs(root) - 1


def _count_inside(f: sympy.Poly, flow: bool, on: int) -> int:
    if on and is_rational(f):
        return int((f.degree() - on) // 2)  # f is its own mirror image at the boundary
    quick = _count_off_boundary(f, flow) if not on and is_rational(f) else None
    if quick is not None:
        return quick
    for digits in (DIGITS, 4 * DIGITS, 16 * DIGITS):
        distances = sorted((_distance(r, flow) for r in numeric_roots(f, digits)), key=abs)[on:]
        if all(abs(d) > sympy.Float(10) ** (-digits // 2) for d in distances):
            break
    return sum(bool(d < 0) for d in distances)


def _count_off_boundary(f: sympy.Poly, flow: bool) -> int | None:
    """The number of roots inside, proven; None where some lie on the boundary, or too close to tell quickly."""
    quick = _count_in_doubles(f, flow)
    return _count_in_discs(f, flow) if quick is None else quick


def _count_in_doubles(f: sympy.Poly, flow: bool) -> int | None:
    """The number from roots in doubles, where Smith's discs, rounding included, all stay clear of the boundary.

    Every connected union of k discs of radii n |f(r_i) / (a prod (r_i - r_j))| holds k roots (Smith 1970).
    """
    try:
        c = np.array([float(e) for e in f.all_coeffs()])
        roots = np.roots(c)
    except (OverflowError, np.linalg.LinAlgError):
        return None
    if len(roots) != f.degree() or not np.isfinite(roots).all():
        return None
    n = len(roots)
    rounding = 8 * n * np.finfo(float).eps * np.polyval(np.abs(c), np.abs(roots))
    gaps = roots[:, None] - roots
    np.fill_diagonal(gaps, 1)
    with np.errstate(all="ignore"):
        radii = n * (np.abs(np.polyval(c, roots)) + rounding) / np.abs(c[0] * gaps.prod(1))
        distances = roots.real if flow else np.abs(roots) - 1
        clear = np.abs(distances) > 2 * radii + 1e-13
    return int((distances < 0).sum()) if clear.all() else None


def _count_in_discs(f: sympy.Poly, flow: bool) -> int | None:
    """Roots of f on the stable side, counted in discs that hold them to 40 digits; None where a disc meets the line."""
    discs = _discs(f)
    if discs is None:
        return None
    with mpmath.workdps(DIGITS):
        distances = [(r.real if flow else abs(r) - 1, radius) for r, radius in discs]
        if all(abs(d) > 2 * radius + mpmath.mpf(10) ** (2 - DIGITS) for d, radius in distances):
            return sum(bool(d < 0) for d, _ in distances)
    return None


def _on_by_digits(f: sympy.Poly, flow: bool) -> int:
    return sum(bool(abs(_distance(r, flow)) < sympy.Float(10) ** (-DIGITS // 2)) for r in numeric_roots(f))


def _on_circle(f: sympy.Poly) -> int:
    if f.degree() == 1:
        return int(abs(sympy.Rational(f.eval(0)) / f.LC()) == 1)
    coefficients = f.all_coeffs()
    if coefficients != coefficients[::-1]:  # an irreducible antipalindrome is z - 1, of degree one
        return 0
    half = f.degree() // 2
    powers = [sympy.Integer(2), Z]  # z^k + z^-k in terms of t = z + 1/z
    for _ in range(half - 1):
        powers.append(sympy.expand(Z * powers[-1] - powers[-2]))
    reduced = coefficients[half] + sum(c * powers[half - k] for k, c in enumerate(coefficients[:half]))
    return 2 * int(Poly(reduced, Z).count_roots(-2, 2))


def _on_axis(f: sympy.Poly) -> int:
    if f.degree() == 1:
        return int(f.eval(0) == 0)
    coefficients = f.all_coeffs()
    if any(coefficients[1::2]):
        return 0
    return 2 * int(Poly(coefficients[::2], Z).count_roots(None, 0))


def semisimple(matrix: sympy.Matrix, all_factors: Sequence[tuple[Poly, int]], factor: sympy.Poly) -> bool:
    """Whether the eigenvalues that are roots of `factor` have full eigenspaces: no Jordan block above size one.

    `all_factors` are the irreducible factors of the characteristic polynomial with their multiplicities.
    """
    nullity = _nullity(matrix, factor)
    if nullity is not None:
        return bool(nullity == factor.degree() * next(m for f, m in all_factors if f == factor))
    product = sympy.eye(matrix.rows)
    for f, multiplicity in all_factors:
        product = product * _evaluate(f, matrix) ** (1 if f == factor else multiplicity)
    return all(map(is_zero, product))


def _nullity(matrix: sympy.Matrix, f: sympy.Poly) -> int | None:
    """dim ker f(matrix), by elimination over the rationals or a field of powers of e; None over another field."""
    if matrix.free_symbols:
        return None

    def count(numbers: Field) -> int:
        entries = [[numbers.number(e) for e in row] for row in matrix.tolist()]
        base = DomainMatrix(entries, matrix.shape, numbers.field)
        one = DomainMatrix.eye(matrix.rows, numbers.field)
        value = DomainMatrix.zeros(matrix.shape, numbers.field)
        for c in f.all_coeffs():
            value = value * base + one * numbers.number(sympy.sympify(c, strict=True))
        return int(matrix.rows - value.rank())

    try:
        return int(finest(count))
    except NoExpansionError:
        return None


def _evaluate(poly: sympy.Poly, matrix: sympy.Matrix) -> sympy.Matrix:
    result = sympy.zeros(matrix.rows)
    for c in poly.all_coeffs():
        result = result * matrix + c * sympy.eye(matrix.rows)
    return result
