"""Characteristic polynomials over the rationals with one number more: a power of e, or a square root."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import sympy
from sympy import QQ, Poly
from sympy.polys.matrices import DomainMatrix

from ...symbolic.coefficients import NoExpansionError
from ...symbolic.exponentials import Exponentials, finest
from ...symbolic.square_roots import SquareRoots
from .roots import Z

if TYPE_CHECKING:
    from sympy.polys.polyclasses import ANP

    from ...symbolic.quotients import Quotient

T = sympy.Dummy("t")
Factors = list[tuple[Poly, int]]


def over_extension(matrix: sympy.Matrix, irreducible: bool) -> Factors | None:
    """Factors of det(z I - matrix) where the entries need a power of e or a square root beside the rationals.

    Args:
        matrix: of numbers. irreducible: whether all factors are to be irreducible over the field of the entries.
            Otherwise those with rational coefficients are, and the others are square-free, which is quicker.

    Returns:
        (factor, multiplicity) pairs; None for rational entries, entries of another kind, and free parameters.
    """
    if matrix.free_symbols or all(e.is_Rational for e in matrix):
        return None
    try:
        numbers, rows = finest(lambda numbers: (numbers, [[numbers.number(e) for e in row] for row in matrix.tolist()]))
    except NoExpansionError:
        return None
    if isinstance(numbers, SquareRoots):
        return _over_roots(numbers, rows, irreducible)
    return _over_powers_of_e(numbers, rows, irreducible) if isinstance(numbers, Exponentials) and numbers.q else None


def _over_powers_of_e(numbers: Exponentials, rows: list[list[Quotient]], irreducible: bool) -> Factors:
    """With t = e^g, transcendental, a polynomial in z and t over the rationals; the coarsest g serves best."""
    common = functools.reduce(lambda a, b: a * (b // a.gcd(b)), (e.denom for row in rows for e in row))
    field, n = numbers.field, len(rows)
    cleared = [[field.polynomial(e.numer * (common // e.denom)) for e in row] for row in rows]
    coefficients = DomainMatrix(cleared, (n, n), field).charpoly()  # of the matrix times its denominator
    powers = [(part.numer * common ** (n - k)).coeffs() for k, part in enumerate(coefficients)]
    whole = {(n - k, i): QQ(int(c)) for k, part in enumerate(powers) for i, c in enumerate(part) if c}
    coarse = math.gcd(*(i for _, i in whole)) or 1
    step = sympy.Rational(coarse, numbers.q)
    poly = Poly.from_dict({(k, i // coarse): c for (k, i), c in whole.items()}, Z, T, domain=QQ)
    if irreducible:
        split = poly.factor_list()[1]
    else:
        split = [pair for f, m in poly.sqf_list()[1] for pair in _rational_first(f, _in_powers_of_t(f), m)]
    return [(_in_z(f, step), m) for f, m in split if f.degree(Z) > 0]


def _over_roots(numbers: SquareRoots, rows: list[list[ANP]], irreducible: bool) -> Factors:
    """With theta that generates the field, whose numbers are rational combinations of its powers."""
    coefficients = DomainMatrix(rows, (len(rows), len(rows)), numbers.field).charpoly()
    poly = Poly.from_list(coefficients, Z, domain=numbers.field)
    if irreducible:
        split = poly.factor_list()[1]
    else:
        split = [pair for f, m in poly.sqf_list()[1] for pair in _rational_first(f, _components(f), m)]
    readable = {QQ: QQ.to_sympy, numbers.field: numbers.symbolic}
    return [(Poly(list(map(readable[f.domain], f.rep.to_list())), Z), m) for f, m in split if f.degree() > 0]


def _components(f: Poly) -> list[Poly]:
    """The rational polynomials c_k(z) of f = sum_k c_k(z) theta^k."""
    powers = [c.to_list()[::-1] for c in f.rep.to_list()]
    return [Poly.from_list(side, Z, domain=QQ) for side in itertools.zip_longest(*powers, fillvalue=QQ(0))]


def _in_powers_of_t(f: Poly) -> list[Poly]:
    """The rational polynomials c_i(z) of f = sum_i c_i(z) t^i."""
    found: dict[int, dict[int, object]] = {}
    for (k, i), c in f.terms():
        found.setdefault(i, {})[k] = c
    return [Poly.from_dict(terms, Z, domain=QQ) for terms in found.values()]


def _rational_first(f: Poly, components: Sequence[Poly], multiplicity: int) -> Factors:
    """A square-free factor, the irreducible factors of its rational part split off.

    `components` are the polynomials c_k(z) of f = sum_k c_k(z) theta^k: a rational polynomial divides f where it
    divides each of them.
    """
    common = functools.reduce(lambda a, b: a.gcd(b), components)
    if common.degree() <= 0:
        return [(f, multiplicity)]
    rest = f.quo(Poly(common.as_expr(), *f.gens, domain=f.domain))
    return [*((g, multiplicity) for g, _ in common.factor_list()[1]), (rest, multiplicity)]


def _in_z(f: Poly, step: sympy.Expr) -> Poly:
    """The polynomial in z whose t is e^step, or that has no t."""
    coefficients = [sympy.Integer(0)] * (f.degree(Z) + 1)
    for (k, *power), c in f.terms():
        coefficients[f.degree(Z) - k] += c * sympy.exp(step * sum(power))
    return Poly(coefficients, Z, domain="EX")
