"""Drift coefficients: theorems of Rosca et al. 2021 re-derived, and held to independent numerical steps."""

import numpy as np
import pytest
import sympy

import gandyn as gd

X, Y = sympy.symbols("x y", real=True)
GENERAL = gd.games.from_sympy([X**2 + 2 * X * Y - Y**3 * X + X**3 / 2, Y**2 / 2 - X * Y + X**2 * Y**2 / 3], [X, Y])


def _steps(game, w, lr, repeats, order):
    """One round of gradient steps, written out; order None is simultaneous."""
    if order is None:
        return w - np.array(lr) * game.field(w)
    w = w.copy()
    for player in order:
        for _ in range(repeats[player]):
            w[player] -= lr[player] * game.field(w)[player]
    return w


def _drifted(found, game, w, lr):
    """The flow with drift, over one step: fine Runge-Kutta on the coefficients alone."""
    own = dict(zip(found.symbols, lr, strict=True))
    rates = np.array([float(e.subs(own)) for e in found.rates])
    products = np.array([[float(e.subs(own)) for e in row] for row in found.products])
    right = lambda z: -rates * game.field(z) + (products * game.jacobian(z)) @ game.field(z)  # noqa: E731
    for _ in range(20):
        h = 1 / 20
        k1 = right(w)
        k2 = right(w + h / 2 * k1)
        k3 = right(w + h / 2 * k2)
        w = w + h / 6 * (k1 + 2 * k2 + 2 * k3 + right(w + h * k3))
    return w


@pytest.mark.parametrize(
    ("rule", "repeats", "order"),
    [
        (gd.rules.GDA((0.1, 0.05)), (1, 1), None),
        (gd.rules.AlternatingGD((0.1, 0.05)), (1, 1), (0, 1)),
        (gd.rules.AlternatingGD((0.1, 0.05), order=(1, 0)), (1, 1), (1, 0)),
        (gd.rules.AlternatingGD((0.1, 0.05), repeats=(2, 5)), (2, 5), (0, 1)),
        (gd.rules.AlternatingGD((0.1, 0.05), order=(1, 0), repeats=(3, 1)), (3, 1), (1, 0)),
    ],
    ids=repr,
)
def test_the_coefficients_explain_the_steps_to_third_order(rule, repeats, order):
    found = gd.drift(GENERAL, rule)
    start, errors = np.array([0.7, 0.4]), []
    for h in (4e-3, 2e-3):
        lr = (h, h / 2)
        errors.append(np.abs(_steps(GENERAL, start, lr, repeats, order) - _drifted(found, GENERAL, start, lr)))
    slopes = np.log2(errors[0] / errors[1])
    assert (slopes > 2.8).all(), slopes  # each player's own equation; a wrong coefficient stops at 2


def test_self_terms_shrink_with_repeats_and_the_last_player_s_interaction_changes_sign():
    x, y = sympy.symbols("lr_x lr_y", positive=True)
    m, k = 3, 4
    found = gd.drift(GENERAL, gd.rules.AlternatingGD(0.1, repeats=(m, k)))
    assert found.rates == (m * x, k * y)
    assert found.products == ((-m * x**2 / 2, -m * k * x * y / 2), (m * k * x * y / 2, -k * y**2 / 2))
    assert found.relative("x", "x") == sympy.Rational(-1, 2 * m)
    assert found.relative("y", "x") == sympy.Rational(1, 2)
    together = gd.drift(GENERAL, gd.rules.GDA((0.1, 0.2)))
    assert all(together.relative(i, j) == -sympy.Rational(1, 2) for i in "xy" for j in "xy")
    np.testing.assert_allclose(together.values(), [[-0.005, -0.01], [-0.01, -0.02]], rtol=1e-14)


def test_looking_ahead_turns_every_sign():
    for rule in (gd.rules.Extragradient(0.1), gd.rules.OptimisticGD(0.1), gd.rules.ProximalPoint(0.1)):
        found = gd.drift(gd.games.bilinear(), rule)
        assert all(found.relative(i, j) == sympy.Rational(1, 2) for i in "xy" for j in "xy"), rule
    ahead = gd.drift(gd.games.bilinear(), gd.rules.RungeKutta(0.1, 2))
    assert not any(e for row in ahead.products for e in row)


@pytest.mark.parametrize("epsilon", [0.2, 0.09])
def test_the_published_example(epsilon):
    """dx/dt = -e x + y, dy/dt = -x - e y with h = 0.2 (Rosca et al. 2021, figure 2)."""
    h = 0.2
    game = gd.games.quadratic(epsilon, -1, epsilon)
    start = {0.2: [0.08, -0.05], 0.09: [0.07, -0.09]}[epsilon]
    verdicts = {}
    for rule in (gd.rules.GDA(h), gd.rules.AlternatingGD(h)):
        run = gd.iterate(game, rule, start, 400)
        products = np.array(gd.drift(game, rule).values()) / h
        jacobian = game.jacobian(np.zeros(2))
        predicted = np.linalg.eigvals(-jacobian + (products * jacobian) @ jacobian).real.max() < 0
        shrinks = bool(np.linalg.norm(run.w[-1]) < np.linalg.norm(start))
        assert shrinks == predicted
        verdicts[rule.name] = shrinks
    assert verdicts == {"SimultaneousGD": epsilon == 0.2, "AlternatingGD": True}


def test_what_is_no_gradient_play_is_refused():
    with pytest.raises(gd.GandynError, match="own gradients"):
        gd.drift(GENERAL, gd.rules.Consensus(0.1, 0.5))
    with pytest.raises(gd.GandynError, match="beyond products"):
        gd.drift(GENERAL, gd.rules.LOLA(0.1))
    with pytest.raises(gd.GandynError, match="step count"):
        gd.drift(GENERAL, gd.rules.Halpern(gd.rules.GDA(0.1)))


def test_what_it_says():
    text = gd.drift(gd.games.bilinear(), gd.rules.GDA(0.1)).summary()
    assert "x (lr_x f_x) descends (lr_x**2/4) |v_x|^2 + (lr_x*lr_y/2) <d_y f_x, v_y>" in text
    assert gd.drift(gd.games.bilinear(), gd.rules.GDA(0.1)).to_dict()["products"]["x"]["y"] == "-lr_x*lr_y/2"
