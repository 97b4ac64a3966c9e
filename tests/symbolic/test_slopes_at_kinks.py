"""Slopes at kinks: equal from all sides, or refused; a branch that is infinite alone may be finite in its place."""

import pytest
import sympy

from gandyn.errors import NotDifferentiableError
from gandyn.symbolic.kinks import slope_at

x = sympy.Symbol("x", real=True)
ORIGIN = {x: sympy.Integer(0)}


def either(right, left):
    return sympy.Piecewise((right, x > 0), (left, True))


@pytest.mark.parametrize(
    ("factor", "right", "left", "slope"),
    [
        (1, x**2, 0 * x, 0),
        (1, sympy.sin(x), x, 1),
        (x**3, 1 / x, 1 + x, 0),  # x^2 and x^3: the branch 1/x is infinite, what it stands in is not
        (x**3, 1 / x**2, x, None),
        (1, 1 + x, x, None),
        (x, 1 / x, x, None),  # jumps from 0 to 1, with the slope 0 on both sides
        (x**2, 1 / x**2, 0 * x, None),
        (1, sympy.exp(x), 1 + 2 * x, None),
    ],
)
def test_sides_agree_or_the_slope_is_refused(factor, right, left, slope):
    sides = [(sympy.expand(factor * right), "+"), (sympy.expand(factor * left), "-")]
    values = [sympy.limit(e, x, 0, way) for e, way in sides]
    slopes = [sympy.limit((e - value) / x, x, 0, way) for (e, way), value in zip(sides, values, strict=True)]
    if slope is None:
        assert values[0] != values[1] or slopes[0] != slopes[1]
        with pytest.raises(NotDifferentiableError):
            slope_at(factor * either(right, left), x, ORIGIN)
    else:
        assert values[0] == values[1]
        assert slope_at(factor * either(right, left), x, ORIGIN) == slope == slopes[0] == slopes[1]


def test_what_sympy_cannot_compare_is_refused():
    with pytest.raises(NotDifferentiableError):
        slope_at(x**2 * either(sympy.Min(1, 1 / sympy.Abs(x)), 1), x, ORIGIN)


Y = sympy.Symbol("y", real=True)


@pytest.mark.parametrize(
    ("e", "what"),
    [  # as the definition of a one-sided limit gives them, whatever deltas a derivative holds
        (3 * sympy.Heaviside(3 * x) - 6 * sympy.Heaviside(-3 * x), "values of a term are -6, 3"),
        (sympy.sign(x) + Y, "values of a term are -1, 1"),
        (
            sympy.diff(sympy.Max(x - Y, 2 * (Y - x)), x),
            "values of a term are -2, 1",
        ),  # two steps, one way
        (x * sympy.Abs(x) / 2 + x * sympy.Abs(x), None),
        ((x * sympy.sign(x) + sympy.Abs(x)) / 2, "slopes of a term are -1, 1"),
        (sympy.Abs(x) + sympy.Max(x, -2 * x), "slopes of a term are -3, 2"),
        (sympy.Abs(x) * sympy.sign(x), None),
    ],
)
def test_what_is_said_of_a_kink_is_what_stands_beside_it(e, what):
    origin = {x: sympy.Integer(0), Y: sympy.Integer(0)}
    ahead, behind = (float(sympy.N(e.subs({x: h, Y: 0}))) for h in (1e-7, -1e-7))
    if what is None:
        assert float(slope_at(e, x, origin)) == pytest.approx((ahead - behind) / 2e-7, abs=1e-6)
        return
    with pytest.raises(NotDifferentiableError) as refusal:
        slope_at(e, x, origin)
    assert f"the one-sided {what}" in str(refusal.value)
    middle = float(sympy.N(e.subs({x: 0, Y: 0})))
    beside = sorted((behind, ahead)) if "values" in what else sorted(((ahead - middle) * 1e7, (middle - behind) * 1e7))
    assert [float(n) for n in what.partition(" are ")[2].split(", ")] == pytest.approx(beside, abs=1e-6)
