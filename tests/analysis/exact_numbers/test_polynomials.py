"""Roots against the boundary of stability, counted the same in every unit of time."""

import numpy as np
import pytest
import sympy

from gandyn.analysis.exact_numbers.polynomials import place
from gandyn.analysis.exact_numbers.radicals import largest_modulus
from gandyn.analysis.exact_numbers.routh import boundary_roots

z = sympy.Symbol("z")


@pytest.mark.parametrize("digits", [-60, -24, 0, 24])
def test_irrational_roots_of_a_flow_are_placed_the_same_in_every_unit_of_time(digits):
    """Roots of size 1e-24 lie below 1e-20, which 40 digits leave of a root of size 1."""
    unit = sympy.Integer(10) ** digits

    def counts(f):
        placement = place([(sympy.Poly(f, z), 1)], flow=True)
        return placement.inside, placement.boundary, placement.outside

    assert counts(z**2 + sympy.sqrt(2) * unit * z + 3 * unit**2) == (2, 0, 0)
    assert counts(z**2 + 3 * sympy.pi * unit**2) == (0, 2, 0)
    assert counts(z - sympy.pi * unit) == (0, 0, 1)
    assert counts((z - sympy.E * unit) * (z + sympy.pi * unit)) == (1, 0, 1)


def test_powers_of_e_beside_a_parameter_count_as_powers_of_one_number():
    from gandyn.analysis.exact_numbers.polynomials import factors

    tau, e = sympy.Symbol("tau", positive=True), sympy.E
    found = factors(sympy.Matrix([[0, tau * e], [tau * e ** sympy.Rational(-3, 5), 0]]))
    assert [(f.degree(), m) for f, m in found] == [(1, 1), (1, 1)]  # z^2 - tau^2 e^(2/5) is two factors
    roots = {sympy.simplify(-f.eval(0) / f.LC()) for f, _ in found}
    assert roots == {tau * sympy.exp(sympy.Rational(1, 5)), -tau * sympy.exp(sympy.Rational(1, 5))}


@pytest.mark.parametrize("unit", [1, 10**12])
def test_real_roots_with_irrational_coefficients_are_found_to_thirty_digits(unit):
    """(x - pi)(x + e)(x^2 + sqrt(2)), in two units."""
    from gandyn.analysis.exact_numbers.roots import real_roots

    x = z / unit
    f = sympy.Poly(sympy.expand((x - sympy.pi) * (x + sympy.E) * (x**2 + sympy.sqrt(2))), z)
    found = sorted(real_roots(f))
    assert len(found) == 2
    for got, right in zip(found, (-sympy.E * unit, sympy.pi * unit), strict=True):
        assert abs(got - right) < 1e-27 * unit


@pytest.mark.parametrize("digits", [-60, -24, 0])
def test_real_roots_near_each_other_are_found_to_their_digits_in_every_unit(digits):
    """pi and pi + 1e-6, and -e: of a root of size 1e-24, a step below 1e-25 is no sign that it is known."""
    from gandyn.analysis.exact_numbers.roots import real_roots

    unit = sympy.Integer(10) ** digits
    roots = [-sympy.E * unit, sympy.pi * unit, (sympy.pi + sympy.Rational(1, 10**6)) * unit]
    found = sorted(real_roots(sympy.Poly(sympy.expand(sympy.prod([z - r for r in roots])), z)))
    for got, right in zip(found, roots, strict=True):
        assert abs(got - sympy.N(right, 40)) < sympy.Float(f"1e{digits - 26}")


def test_equal_real_roots_with_irrational_coefficients_are_refused():
    from gandyn.analysis.exact_numbers.roots import real_roots
    from gandyn.errors import DomainError

    with pytest.raises(DomainError, match="too close together"):
        real_roots(sympy.Poly(sympy.expand((z - sympy.pi) ** 2 * (z + sympy.E)), z))


def test_a_polynomial_with_roots_and_logarithms_among_its_coefficients_is_found():
    """Of clipped steps on the density game; SymPy's own simplification of it did not end in five minutes."""
    from gandyn.analysis.exact_numbers.polynomials import characteristic

    a, shares = sympy.sqrt(3) / (360 * sympy.log(2)), sympy.Rational(1, 20)
    matrix = sympy.Matrix([
        [1, 0, 3 * a, -3 * a, 0], [0, 1, a, a, -2 * a], [-shares, -shares, 1 - shares / 4, 0, 0],
        [shares, -shares, 0, 1 - shares / 2, 0], [0, 2 * shares, 0, 0, 1 - shares / 4],
    ])  # fmt: skip
    found = [complex(c) for c in characteristic(matrix).all_coeffs()]
    assert np.allclose(found, np.poly(np.array(matrix, dtype=float)), rtol=0, atol=1e-13)


@pytest.mark.parametrize("exponent", [0, -9, 9, -25])
def test_the_largest_modulus_does_not_depend_on_units(exponent):
    """z^3 + z + 1: a real root -0.68 and a pair of modulus 1.21, also where all are within 1e-20 of each other."""
    unit = sympy.Integer(10) ** exponent
    f = sympy.Poly(z**3 + unit**2 * z + unit**3, z)
    right = max(abs(np.roots([1.0, 0.0, 1.0, 1.0])))
    assert float(largest_modulus([(f, 1)]) / unit) == pytest.approx(right, rel=1e-12)


def test_complex_roots_of_a_tiny_size_bound_no_interval():
    p, s = sympy.Symbol("p", positive=True), sympy.Rational(1, 10**26)
    assert boundary_roots([p**2 - 2 * s * p + 2 * s**2], p) == []
    assert boundary_roots([p**2 - s**2], p) == [s]
