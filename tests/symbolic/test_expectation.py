"""Expectations over random symbols: exact moments and quadrature of both laws, against integrals done by hand."""

from __future__ import annotations

import pytest
import sympy

from gandyn.symbolic.expectation import NORMAL, UNIFORM, Expectation, moment, rule

n, c = sympy.symbols("n c", real=True)


def test_moments_are_exact():
    assert [moment(k, NORMAL) for k in range(7)] == [1, 0, 1, 0, 3, 0, 15]
    assert [moment(k, UNIFORM) for k in range(4)] == [sympy.Rational(1, k + 1) for k in range(4)]
    assert Expectation((c + n) ** 2, n, UNIFORM) - c**2 - c - sympy.Rational(1, 3) == 0


@pytest.mark.parametrize(
    ("law", "value"),
    [(UNIFORM, (sympy.exp(2) - 1) / 2), (NORMAL, sympy.exp(2))],
)
def test_quadrature_is_the_integral_of_an_exponential(law, value):
    """E e^{2n}: (e^2 - 1) / 2 for n uniform on [0, 1], e^2 for a normal one."""
    assert float(Expectation(sympy.exp(2 * n), n, law).evalf()) == pytest.approx(float(value), rel=1e-12)
    assert sum(rule(law)[1]) == pytest.approx(1, abs=1e-14)
