"""Whether an exact expression is zero: told by digits where it is not, proved where it is, and never for hours."""

import pytest
import sympy

from gandyn.types import signs

X = sympy.Symbol("x", real=True)
R = sympy.Rational


@pytest.mark.parametrize(
    ("e", "zero"),
    [
        (sympy.Integer(0), True),
        (R(1, 10**60), False),
        (sympy.sqrt(2) * sympy.sqrt(3) - sympy.sqrt(6), True),
        (sympy.sqrt(5 + 2 * sympy.sqrt(6)) - sympy.sqrt(2) - sympy.sqrt(3), True),
        (3 * (sympy.sqrt(5 + 2 * sympy.sqrt(6)) - sympy.sqrt(2) - sympy.sqrt(3)), True),
        (sympy.sqrt(2) - R(14142135623730950488016887242097, 10**31), False),
        (sympy.sin(1) ** 2 + sympy.cos(1) ** 2 - 1, True),
        (sympy.sin(X) ** 2 + sympy.cos(X) ** 2 - 1, True),
        (sympy.sin(X) ** 2 + sympy.cos(X) ** 2 - 1 - R(1, 10**30), False),
        ((X + 1) ** 2 - X**2 - 2 * X, False),
        ((X + 1) ** 2 - X**2 - 2 * X - 1, True),
        (sympy.exp(-(10**6)), False),
    ],
)
def test_zero_is_told_from_small(e, zero):
    assert signs.is_zero(e) is zero
    assert signs.is_zero(e, undecided=True) is zero


def test_towers_of_powers_end_in_time(monkeypatch):
    """The trigonometric simplification of such an expression takes all memory."""
    root = sympy.root(sympy.sqrt(7) + 2, 97)
    tower = sympy.sin(root) ** 2 + sympy.cos(root) ** 2 - 1 + (root**2 - root * root.func(*root.args))
    monkeypatch.setattr(signs, "SECONDS", 1e-9)
    assert signs.is_zero(tower + sympy.sqrt(2) - sympy.sqrt(2), undecided=True)
    assert not signs.is_zero(tower)
