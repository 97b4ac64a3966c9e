"""Completeness of fixed points: every zero of fields with known zeros, and what stays open is said to."""

import numpy as np
import pytest
import sympy

import gandyn as gd
from gandyn.analysis.zeros.equations import Equations
from gandyn.analysis.zeros.exclusion import search
from gandyn.budget import Budget
from gandyn.symbolic.intervals import IntervalFunction

x, y = sympy.symbols("x y", real=True)


def _potential(f, g=y**2 / 2):
    return gd.games.from_sympy([f, g], [x, y])


def test_all_zeros_of_a_trigonometric_field_are_found_and_proven():
    found = gd.fixed_points(_potential(-sympy.cos(3 * x) / 3 + x / 10), box=[(-4, 4), (-1, 1)])  # sin 3x = -1/10
    base = np.arcsin(-0.1)
    every = [(base + 2 * np.pi * k) / 3 for k in range(-9, 9)] + [
        (np.pi - base + 2 * np.pi * k) / 3 for k in range(-9, 9)
    ]
    expected = sorted(v for v in every if abs(v) < 4)
    np.testing.assert_allclose([p.point[0] for p in found], expected, atol=1e-12)
    assert found.complete, found.reason
    assert f"{len(expected)} isolated" in found.reason


def test_search_finds_zeros_by_itself_and_encloses_them():
    game = _potential(x**5 / 5 - sympy.Rational(5, 8) * x**4 + x**3 / 2 + x**2 / 8 - x / 8)
    roots = np.roots([1, -2.5, 1.5, 0.25, -0.125])
    real = np.sort(roots[np.abs(roots.imag) < 1e-9].real)
    outcome = search(Equations(game.symbols, game.field_exprs), [-2, -1], [3, 1], Budget(60))
    assert outcome.complete
    ends = np.array(sorted(tuple(z.ends[0]) for z in outcome.zeros))
    assert (ends[:, 0] - 1e-13 <= real).all()
    assert (real <= ends[:, 1] + 1e-13).all()
    assert (np.diff(ends) < 1e-14).all()
    assert len(gd.fixed_points(game, box=[(-2, 3), (-1, 1)])) == len(real)


@pytest.mark.parametrize("loss", ["minimax", "nonsaturating"])
def test_gans_with_sigmoids_are_bounded_too(loss):
    found = gd.fixed_points(gd.games.dirac_gan(loss=loss), box=[(-3, 3), (-3, 3)])
    assert (len(found), found.complete) == (1, True)


def test_degenerate_zeros_and_lines_of_them_stay_open():
    for game in (_potential(x**4 / 4), gd.games.from_sympy([(x - y) ** 2 / 2, (x - y) ** 2 / 2], [x, y])):
        found = gd.fixed_points(game, box=[(-1, 1), (-1, 1)])
        assert not found.complete
        assert "undecided near (0, 0)" in found.reason


def test_an_empty_box_is_proven_empty():
    found = gd.fixed_points(gd.games.forsaken(), box=[(0.5, 1.0), (0.5, 1.0)])
    assert (list(found), found.complete) == ([], True)


def test_without_a_box_affine_fields_and_polynomials_in_two_unknowns_are_complete():
    assert gd.fixed_points(gd.games.bilinear()).complete
    assert gd.fixed_points(gd.games.forsaken()).complete  # within what the resultants allow
    z, w = sympy.symbols("z w", real=True)
    entangled = gd.games.from_sympy(
        [x**3 / 3 + x * y * z * w - x, y**2 / 2 + x * y, z**2 / 2, w**2 / 2 - x * w],
        [x, y, z, w],
        equilibria=[(1, -1, 0, 1)],
    )
    assert not gd.fixed_points(entangled).complete


def test_jumps_are_not_proven_and_kinks_are():
    """sign(x) + 1/2 has no zero, and its slope is 0 on both sides of the jump: no proof by slopes is one."""
    outcome = search(Equations((x,), (sympy.sign(x) + sympy.Rational(1, 2),)), [-1], [1], Budget(60))
    assert not outcome.complete
    assert not outcome.zeros
    assert "undecided near (0)" in outcome.reason
    kinked = gd.fixed_points(_potential(sympy.Abs(x) * x / 2 - x / 10), box=[(-1, 1), (-1, 1)])
    assert kinked.complete
    assert [p.point[0] for p in kinked] == pytest.approx([-0.1, 0.1], abs=1e-15)  # |x| = 1/10


def test_numbers_keep_their_exact_meaning():
    """The slope 1/10 is no float: a zero of x/10 - sqrt(2)/10 is proven to exist between two of them."""
    game = _potential(x**2 / 20 - sympy.sqrt(2) * x / 10)
    field = IntervalFunction(game.symbols, game.field_exprs)
    point = np.array([[float(sympy.sqrt(2)), 0.0]])
    low, high = field(point, point)
    assert low[0, 0] < 0 < high[0, 0]
    assert gd.fixed_points(game, box=[(-2, 2), (-1, 1)]).complete
