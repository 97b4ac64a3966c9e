"""All partial derivatives from one walk are those that SymPy finds one after another."""

from __future__ import annotations

import pytest
import sympy

from gandyn.types.gradient import gradient

x, y, z, p = sympy.symbols("x y z p", real=True)


@pytest.mark.parametrize(
    "expression",
    [
        x * (2 * x + y / 3) + y * (x - p * y),
        3 * x * y * z - (x + y) * (y + z) * (x + z),
        x * sympy.exp(-p * (x - y) ** 2) + sympy.log(1 + x**2) * z,
        sympy.Abs(x) * y + sympy.Max(x, y * z) * (x + 1),
        sympy.Integral(p * x, (p, 0, y)) * x + z,
        2 * (x + y),
        p,
        sympy.Integer(3),
    ],
    ids=str,
)
def test_the_expressions_are_sympys(expression):
    assert gradient(expression, [x, y, z]) == [sympy.diff(expression, s) for s in (x, y, z)]
