"""Intervals hold every value: against sampled points in exact or high precision, function by function."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from gandyn.errors import DomainError
from gandyn.symbolic.expectation import Expectation
from gandyn.symbolic.functions import sigmoid, softplus
from gandyn.symbolic.intervals import WHERE_DEFINED, IntervalFunction, enclosed

X, Y = sympy.symbols("x y", real=True)
ONE = {
    "polynomial": 3 * X**5 - X**4 / 10 + X,
    "quotient": (1 + X) / (2 + X**2),
    "exp": sympy.exp(X), "log": sympy.log(X**2 + sympy.Rational(1, 10)), "sqrt": sympy.sqrt(1 + X**2),
    "sin": sympy.sin(3 * X), "cos": sympy.cos(X), "tan": sympy.tan(X / 3), "tanh": sympy.tanh(X),
    "sinh": sympy.sinh(X), "cosh": sympy.cosh(X), "atan": sympy.atan(X), "erf": sympy.erf(X),
    "sigmoid": sigmoid(5 * X), "softplus": softplus(3 * X), "power": (2 + X**2) ** sympy.Rational(7, 3),
    "abs": sympy.Abs(X) + X, "max": sympy.Max(X, X**2), "min": sympy.Min(X, -X), "sign": sympy.sign(X),
    "piecewise": sympy.Piecewise((X**2, X < 1), (2 * X - 1, True)), "numbers": sympy.pi * X + sympy.sqrt(2) / 3,
}  # fmt: skip


@pytest.mark.parametrize("name", ONE)
@given(middle=st.floats(-4, 4), radius=st.floats(1e-9, 2), seed=st.integers(0, 99))
def test_the_range_holds_every_value_to_forty_digits(name, middle, radius, seed):
    ends = np.sort([middle - radius, middle + radius])
    low, high = functions[name](ends[:1, None], ends[1:, None])
    inside = np.clip(np.random.default_rng(seed).uniform(*ends, 3), *ends)
    for point in [*ends, *inside]:
        value = exactly(ONE[name], point)
        assert mpmath.mpf(float(low[0, 0])) <= value <= mpmath.mpf(float(high[0, 0]))


functions = {name: IntervalFunction([X], [e]) for name, e in ONE.items()}


def exactly(e, point):
    """The value at a float, to 40 digits."""
    e = e.subs(X, sympy.Rational(float(point)))
    e = e.rewrite(sympy.exp) if e.has(sigmoid, softplus) else e
    with mpmath.workdps(45):
        return mpmath.mpf(sympy.N(e, 40)._mpf_ if e.is_number and not e.is_Rational else sympy.Float(e, 45)._mpf_)


@pytest.mark.parametrize("name", sorted(set(ONE) - {"polynomial", "quotient", "max", "min", "abs", "piecewise"}))
def test_ranges_are_sharp_where_the_variable_occurs_once(name):
    """The range over a box is what a fine grid shows, to the grid's own error."""
    low, high = functions[name](np.array([[-0.7]]), np.array([[2.1]]))
    grid = np.linspace(-0.7, 2.1, 4001)
    values = np.array([float(v) for v in np.broadcast_to(sympy.lambdify(X, ONE[name], [NUMPY, "scipy"])(grid), 4001)])
    step = np.abs(np.diff(values)).max() if name != "sign" else 0
    assert values.min() - step - 1e-12 <= low[0, 0] <= values.min()
    assert values.max() <= high[0, 0] <= values.max() + step + 1e-12


NUMPY = {"sigmoid": lambda z: 1 / (1 + np.exp(-z)), "softplus": lambda z: np.log1p(np.exp(z))}


def test_points_are_enclosed_to_a_few_units_in_the_last_place():
    rng = np.random.default_rng(0)
    x = rng.uniform(-3, 3, (200, 2))
    run = IntervalFunction([X, Y], [X * Y - X**3, sympy.exp(X) * sympy.cos(Y)])
    low, high = run(x, x)
    expected = np.stack([x[:, 0] * x[:, 1] - x[:, 0] ** 3, np.exp(x[:, 0]) * np.cos(x[:, 1])], -1)
    assert ((low <= expected) & (expected <= high)).all()
    assert (high - low <= 40 * np.finfo(float).eps * (np.abs(x[:, :1]) ** 3 + 25)).all()


def test_what_is_not_known_is_unbounded_and_not_a_guess():
    tangent = IntervalFunction([X], [sympy.tan(X), 1 / X, sympy.log(X)])
    low, high = tangent(np.array([[-2.0]]), np.array([[2.0]]))
    assert (low == -np.inf).all()
    assert (high == np.inf).all()


def test_numbers_that_floats_round_are_enclosed():
    assert enclosed(sympy.Rational(1, 2)) == (0.5, 0.5)
    for number in (sympy.Rational(1, 10), sympy.sqrt(2), sympy.pi, sympy.Float("0.1", 40)):
        low, high = enclosed(number)
        assert low < high
        assert sympy.Rational(low) < sympy.N(number, 40) < sympy.Rational(high)
    assert enclosed(sympy.Float(0.1)) == (0.1, 0.1)


def test_an_expectation_is_enclosed_as_its_quadrature():
    n = sympy.Symbol("n", real=True)
    mean = Expectation(softplus(X + n), n, "normal")
    low, high = IntervalFunction([X], [mean])(np.array([[0.3]]), np.array([[0.3]]))
    value = sympy.N(mean.subs(X, sympy.Rational(0.3)), 20)
    assert low[0, 0] <= value <= high[0, 0]
    assert high[0, 0] - low[0, 0] < 1e-13


def test_functions_without_an_interval_form_are_refused():
    with pytest.raises(DomainError, match="gamma"):
        IntervalFunction([X], [sympy.gamma(X)])


def test_a_quotient_whose_divisor_only_touches_zero_keeps_its_sign():
    """1 / [0, 1/2] = [2, oo] and 1 / [-4, 0] = [-oo, -1/4]."""
    one = np.array([1.0]), np.array([1.0])
    low, high = WHERE_DEFINED["div"](one, (np.array([0.0]), np.array([0.5])))
    assert 2 - 1e-12 < low[0] <= 2
    assert high[0] == np.inf
    low, high = WHERE_DEFINED["div"](one, (np.array([-4.0]), np.array([0.0])))
    assert low[0] == -np.inf
    assert -0.25 <= high[0] < -0.25 + 1e-12
