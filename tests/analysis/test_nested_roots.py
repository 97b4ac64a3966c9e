"""Nested roots and towers of exponentials, whose short forms take SymPy hours: every answer comes in time."""

import itertools

import numpy as np
import pytest
import sympy

import gandyn as gd
from gandyn.dynamics import trace
from gandyn.types import signs

x, y = sympy.symbols("x y", real=True)
root, R = sympy.sqrt, sympy.Rational
NESTED = gd.games.from_sympy([x * y + root(1 + root(2 + root(3 + x**2))), -x * y + root(1 + root(2 + y**4))], [x, y])
TOWER = gd.games.from_sympy(
    [x * y + sympy.exp(sympy.exp(x) - 1 - x) * x**2, -x * y + (1 + y**2) ** R(7, 5)], [x, y]
)  # fmt: skip
IRRATIONAL = gd.games.from_sympy(
    [
        x**2 * root(5 + 2 * root(6)) / 2 + x * y * sympy.root(7, 5) + x * sympy.exp(R(1, 7)),
        y**2 * sympy.exp(root(2)) / 2 - x * y * sympy.root(2 + sympy.cbrt(3), 7),
    ],
    [x, y],
)


def test_a_short_form_that_does_not_come_is_the_long_one(monkeypatch):
    e = root(5 + 2 * root(6)) - root(2)
    monkeypatch.setattr(signs, "SECONDS", 1e-9)
    assert signs.simplified(e) is e


def test_thresholds_with_conditions_that_are_numbers():
    """A condition without the parameter was no polynomial to factor: a raw error of SymPy's."""
    found = gd.stability_region(NESTED, gd.rules.GDA("lr"), ("lr",), at=(0, 0), budget=4)
    slope = float(NESTED.jacobian_expr[0, 0].subs({x: 0, y: 0}))
    assert float(found.critical("lr")) == pytest.approx(slope, rel=1e-8)  # J = [[c, 1], [-1, 0]]: |1 - lr i|^2 grows


@pytest.mark.slow
def test_tests_for_critical_points_are_not_cancelled():
    """The determinant of nested roots used to be cancelled for ever, whatever the budget."""
    found = gd.bifurcation(NESTED, gd.rules.GDA("lr"), "lr", np.linspace(0.01, 1, 5), budget=20)
    (point,) = found.points
    assert point.parameter == pytest.approx(0.0436349629574712, rel=1e-6)
    assert found.complete or "out of time" in found.reason or "did not end" in found.reason  # as fast as machines are


def test_closed_forms_of_fixed_points_are_refused_in_words(monkeypatch):
    monkeypatch.setattr(trace, "SOLVED", 0.3)
    with pytest.raises(gd.GandynError, match="closed form for the fixed points"):
        _ = gd.update_map(TOWER, gd.rules.GDA(R(1, 10))).fixed_points


def test_an_exact_gap_of_irrational_numbers():
    """Whether a Hessian falls is asked of its characteristic polynomial, not of its eigenvalues in radicals."""
    w = (R(1, 3), root(2))
    share = [float(e.subs({x: w[0], y: w[1]})) for e in IRRATIONAL.field_exprs]
    curvature = [float(IRRATIONAL.jacobian_expr[k, k]) for k in range(2)]
    gap = gd.duality_gap(IRRATIONAL, w, method="exact")
    assert float(gap.value) == pytest.approx(sum(g**2 / c / 2 for g, c in zip(share, curvature, strict=True)))


def test_an_exact_gap_is_infinite_where_five_coordinates_fall():
    """The eigenvalues of five coordinates have no closed form; one of them is negative."""
    z = sympy.symbols("z1:6", real=True)
    off = sum(a * b for a, b in itertools.pairwise(z))
    cost = sum((k + 1) * s**2 for k, s in enumerate(z)) / 2 + root(5) * off + z[0] * y
    game = gd.games.from_sympy([cost, y**2 / 2], [z, [y]])
    assert gd.duality_gap(game, [R(1, 3)] * 5 + [R(1, 2)], method="exact").value == sympy.oo


@pytest.mark.slow
def test_orbits_that_leave_through_an_exponential_warn_of_nothing():
    ridge = sympy.exp(x * y) + x**2 * sympy.exp(-(y**2)) + x**2
    game = gd.games.from_sympy([ridge, -sympy.exp(x * y) + y**2 * sympy.exp(sympy.sin(x))], [x, y])
    assert gd.limit_cycles(game, [(-2, 2)] * 2, budget=5) is not None
