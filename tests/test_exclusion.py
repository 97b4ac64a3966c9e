"""Completeness of fixed points: every zero of fields with known zeros, and what stays open is said to."""

import numpy as np
import pytest
import sympy

import gandyn as gd
from gandyn.analysis.exclusion import OPERATIONS, search

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


def test_a_zero_that_newton_missed_is_found_by_exclusion():
    game = _potential(x**5 / 5 - sympy.Rational(5, 8) * x**4 + x**3 / 2 + x**2 / 8 - x / 8)
    field, jacobian = (game._function(what).code for what in ("field", "jacobian"))
    roots = np.roots([1, -2.5, 1.5, 0.25, -0.125])
    real = np.sort(roots[np.abs(roots.imag) < 1e-9].real)
    outcome = search(field, jacobian, np.array([[-2.0, 3.0], [-1.0, 1.0]]), np.empty((0, 2)))
    assert outcome.complete
    np.testing.assert_allclose(np.sort(outcome.found[:, 0]), real, atol=0.2)
    assert len(gd.fixed_points(game, box=[(-2, 3), (-1, 1)])) == len(real)


@pytest.mark.parametrize("loss", ["minimax", "nonsaturating"])
def test_gans_with_sigmoids_are_bounded_too(loss):
    found = gd.fixed_points(gd.games.dirac_gan(loss=loss), box=[(-3, 3), (-3, 3)])
    assert (len(found), found.complete) == (1, True)


def test_degenerate_zeros_and_lines_of_them_stay_open():
    for game in (_potential(x**4 / 4), gd.games.from_sympy([(x - y) ** 2 / 2, (x - y) ** 2 / 2], [x, y])):
        found = gd.fixed_points(game, box=[(-1, 1), (-1, 1)])
        assert not found.complete
        assert "neither excluded nor proven" in found.reason


def test_an_empty_box_is_proven_empty():
    found = gd.fixed_points(gd.games.forsaken(), box=[(0.5, 1.0), (0.5, 1.0)])
    assert (list(found), found.complete) == ([], True)


def test_without_a_box_only_affine_fields_are_complete():
    assert gd.fixed_points(gd.games.bilinear()).complete
    assert not gd.fixed_points(gd.games.forsaken()).complete


@pytest.mark.parametrize("name", sorted(set(OPERATIONS) - {"add", "sub", "mul", "div", "max", "min", "sqrt", "log"}))
def test_unary_operations_hold_every_value(name):
    real = {
        "neg": np.negative, "abs": np.abs, "exp": np.exp, "tanh": np.tanh, "sinh": np.sinh, "cosh": np.cosh,
        "atan": np.arctan, "sin": np.sin, "cos": np.cos, "sigmoid": lambda t: 1 / (1 + np.exp(-t)),
        "softplus": lambda t: np.log1p(np.exp(t)),
    }[name]  # fmt: skip
    rng = np.random.default_rng(0)
    low = rng.uniform(-6, 6, 400)
    high = low + rng.exponential(size=400) * rng.choice([1e-9, 0.1, 3.0], 400)
    a, b = OPERATIONS[name]((low, high))
    for share in rng.uniform(size=(50, 400)):
        value = real(low + share * (high - low))
        assert ((a <= value) & (value <= b)).all()
    exact = high - low < 1e-8
    assert ((b - a)[exact] < 1e-5).all()


@pytest.mark.parametrize("name", ["add", "sub", "mul", "div", "max", "min"])
def test_binary_operations_hold_every_value(name):
    real = {
        "add": np.add,
        "sub": np.subtract,
        "mul": np.multiply,
        "div": np.divide,
        "max": np.maximum,
        "min": np.minimum,
    }[name]
    rng = np.random.default_rng(1)
    (p, q), (r, s) = (np.sort(rng.normal(size=(2, 300)), axis=0) for _ in range(2))
    a, b = OPERATIONS[name]((p, q), (r, s))
    for u, v in rng.uniform(size=(50, 2, 300)):
        value = real(p + u * (q - p), r + v * (s - r))
        assert ((a <= value) & (value <= b)).all()
