"""Balls hold what they must: values, derivatives and numbers, against exact and floating-point evaluation."""

import numpy as np
import pytest
import sympy

import gandyn as gd
from gandyn.errors import DomainError

flint = pytest.importorskip("flint", reason="needs the extra gandyn[proof]")

from gandyn.analysis.certificates.ball_matrices import (  # noqa: E402
    cholesky,
    ends,
    inverse,
    norm_bound,
    points,
    positive_definite,
)
from gandyn.dynamics.trace import update_map  # noqa: E402
from gandyn.symbolic.balls import BallFunction, ball_of, hull  # noqa: E402
from gandyn.symbolic.functions import sigmoid, softplus  # noqa: E402

X, Y, P = sympy.symbols("x y p", real=True)


@pytest.mark.parametrize(
    "number",
    [
        sympy.Rational(1, 10),
        sympy.sqrt(2) / 3,
        sympy.pi - sympy.E,
        sympy.exp(sympy.Rational(1, 3)) * sympy.log(7),
        sympy.Float(0.1),
        sympy.Rational(2, 3) ** sympy.Rational(1, 3),
        sympy.tanh(1) ** -3,
    ],
    ids=str,
)
def test_a_number_keeps_its_exact_meaning(number):
    ball = ball_of(number)
    precise = flint.arb(str(sympy.N(number, 60)))
    assert ball.contains(precise.mid())
    assert ball.rad() < 1e-14


EXPRESSIONS = [
    X**2 * Y - P / 10 + sympy.sqrt(2) * X,
    sigmoid(X * Y) * softplus(-3 * X) + sympy.tanh(Y / 3),
    sympy.exp(X) / (3 + sympy.cos(Y)) + sympy.atan(X * P) + sympy.erf(X),
    sympy.log(4 + X) * sympy.sinh(Y)
    - (X - Y) ** 3
    + sympy.sqrt(5 + Y)
    + (5 + X) ** sympy.Rational(1, 3)
    + sympy.cosh(X),
]


def plain(e):
    e = e.replace(sigmoid, lambda x: 1 / (1 + sympy.exp(-x)))
    return e.replace(softplus, lambda x: sympy.log(1 + sympy.exp(x)))


@pytest.mark.parametrize("e", EXPRESSIONS, ids=str)
def test_enclosures_hold_every_sampled_value_and_slope_and_shrink_with_the_box(e):
    function = BallFunction([X, Y], [P], [e])
    exact_slopes = sympy.lambdify((X, Y, P), [sympy.diff(plain(e), s) for s in (X, Y)], "mpmath")
    rng = np.random.default_rng(0)
    for width in (1.0, 1e-3):
        low = rng.uniform(-1, 1, 3) - width / 2
        value, slope = function.enclose(
            [hull(low[0], low[0] + width), hull(low[1], low[1] + width)], [hull(low[2], low[2] + width)]
        )
        for _ in range(30):
            x, y, p = low + rng.uniform(0, width, 3)
            exact = flint.arb(str(plain(e).subs({X: x, Y: y, P: p}).evalf(30)))
            assert value[0].overlaps(exact)
            for ball, expected in zip(slope[0], exact_slopes(x, y, p), strict=True):
                assert ball.overlaps(flint.arb(str(expected)) + flint.arb(0, 1e-12))
            assert function.values([x, y], [p])[0] == pytest.approx(float(exact), rel=1e-12, abs=1e-12)
        assert ends(value[0])[1] - ends(value[0])[0] < 100 * width


@pytest.mark.parametrize(
    "rule",
    [gd.rules.Extragradient("lr"), gd.rules.OptimisticGD("lr"), gd.rules.Lookahead(gd.rules.GDA("lr"), 3, 0.5)],
    ids=str,
)
def test_the_chain_rule_along_a_traced_program_is_the_jacobian_of_its_expression(rule):
    traced = update_map(gd.games.dirac_gan(penalty="R1(0.7)"), rule)
    function = BallFunction(traced.symbols, traced.parameters, traced.outputs, traced.bindings)
    rng = np.random.default_rng(1)
    z = rng.uniform(-1, 1, len(traced.symbols))
    values = dict(zip(traced.symbols, z, strict=True)) | {traced.parameters[0]: 0.3}
    expected = np.array(traced.jacobian.subs(values).evalf(20).tolist(), dtype=float)
    np.testing.assert_allclose(function.jacobian(z, [0.3]), expected, rtol=1e-12, atol=1e-13)
    _, slope = function.enclose([hull(v, v) for v in z], [hull(0.3, 0.3)])
    middle = np.array([[float(b.mid()) for b in row] for row in slope])
    np.testing.assert_allclose(middle, expected, rtol=1e-12, atol=1e-13)
    batch = np.stack([z, 2 * z])
    np.testing.assert_allclose(function.jacobian(batch, [0.3])[0], expected, rtol=1e-12, atol=1e-13)


def test_squares_of_wide_balls_do_not_turn_negative():
    value, _ = BallFunction([X], [], [X**4]).enclose([hull(-1.0, 1.0)], [])
    low, high = ends(value[0])
    assert low == pytest.approx(0, abs=1e-7)
    assert high == pytest.approx(1, abs=1e-7)


def test_kinks_are_refused_with_the_kink():
    with pytest.raises(DomainError, match=r"Abs\(x\)"):
        BallFunction([X], [], [abs(X) + 1])


def test_linear_algebra_on_balls_decides_what_is_certain_and_nothing_else():
    rng = np.random.default_rng(2)
    a = rng.normal(size=(3, 3))
    gram = a @ a.T + 0.1 * np.eye(3)
    assert positive_definite(points(gram))
    assert not positive_definite(points(gram - (np.linalg.eigvalsh(gram)[0] + 1e-9) * np.eye(3)))
    assert not positive_definite(points(gram) + np.full((3, 3), flint.arb(0, 10.0)))
    product = points(a) @ inverse(points(a))
    assert all(product[i, j].contains(int(i == j)) for i in range(3) for j in range(3))
    assert inverse(points(np.ones((2, 2)))) is None
    lower = cholesky(points(gram))
    assert all((lower @ lower.T)[i, j].contains(gram[i, j]) for i in range(3) for j in range(3))
    bound, norm = norm_bound(points(a)), np.linalg.norm(a, 2)
    assert norm <= bound < norm * (1 + 1e-6)
