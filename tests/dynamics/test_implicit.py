"""Implicit rules linearise by the implicit function theorem: against differences of the steps that Newton takes."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
import torch

import gandyn as gd
from catalogue import finite_differences

lr = sympy.Symbol("lr", positive=True)
DIRAC = gd.games.dirac_gan(penalty=gd.penalties.R1(0.3))
GAMES = {
    "dirac": gd.games.dirac_gan(),
    "R1": DIRAC,
    "nonsaturating": gd.games.dirac_gan(loss="nonsaturating"),
    "noise": gd.games.dirac_gan(noise=0.5),
    "forsaken": gd.games.forsaken(),
    "almost bilinear": gd.games.almost_bilinear(0.1),
    "ridge": gd.games.follow_the_ridge(3),
}
RULES = (gd.rules.ProximalPoint(0.2), gd.rules.ProximalPoint((0.3, 0.1)))


def moved(game, rule):
    return lambda w: rule.step(game, w, rule.init(game, w))[0]


PLACES = [(name, away) for name in GAMES for away in (0.0, 0.3) if (name, away) != ("noise", 0.3)]  # slow: a quadrature


@pytest.mark.parametrize(("name", "away"), PLACES)
@pytest.mark.parametrize("rule", RULES, ids=["one step size", "per player"])
def test_the_derivative_of_the_step(name, away, rule):
    """At an equilibrium and away from it, where the step arrives elsewhere than it starts."""
    game = GAMES[name]
    at = np.array([float(x) for x in game.equilibria[0]]) + away * np.array([1.0, -0.7])
    lin = gd.linearize(game, rule, at=game.equilibria[0] if away == 0 else at)
    slope = finite_differences(moved(game, rule), at)
    np.testing.assert_allclose(lin.matrix, slope, atol=2e-9)
    np.testing.assert_allclose(lin.residual, np.linalg.norm(moved(game, rule)(at) - at), atol=1e-11)
    assert (np.abs(slope - lin.matrix.T).max() > 1e-3) == (np.abs(slope - slope.T).max() > 1e-3)


@pytest.mark.parametrize("name", ["dirac", "R1", "nonsaturating", "almost bilinear"])
def test_the_derivative_is_exact_at_an_equilibrium(name):
    """(I + lr J)^-1 in the symbol lr."""
    game = GAMES[name]
    found = gd.linearize(game, gd.rules.ProximalPoint("lr")).exact.matrix
    jacobian = sympy.Matrix(game.jacobian(np.array([*game.equilibria[0], None], dtype=object)[:-1]))
    assert sympy.simplify(found * (sympy.eye(2) + lr * jacobian) - sympy.eye(2)) == sympy.zeros(2)
    assert found != sympy.eye(2)


def test_every_step_size_is_stable_on_the_dirac_gan():
    """|eigenvalue| = 1 / |1 + lr mu| with mu = +-i/2: stable for all lr, and faster the larger lr is."""
    region = gd.stability_region(gd.games.dirac_gan(), gd.rules.ProximalPoint("lr"), parameters=("lr",))
    assert region.critical("lr") == sympy.oo
    radius = gd.linearize(gd.games.dirac_gan(), gd.rules.ProximalPoint(0.6)).spectral_radius
    assert radius == pytest.approx(1 / np.sqrt(1 + 0.3**2), rel=1e-14)


def test_the_step_size_at_which_a_repelling_point_attracts():
    """f = -x^2/2 + xy + x^4: J = [[-1, 1], [-1, 0]], and |1 + lr mu|^2 = 1 - lr + lr^2 exceeds 1 beyond lr = 1."""
    x, y = sympy.symbols("x y", real=True)
    game = gd.games.from_sympy(-(x**2) / 2 + x * y + x**4, [x, y], equilibria=[(0, 0)])
    region = gd.stability_region(game, gd.rules.ProximalPoint("lr"), parameters=("lr",))
    assert not region.contains(lr=0.99)
    assert region.contains(lr=1.01)


def test_torch_games_are_differentiated_automatically():
    """The same game by autograd: the same matrices, at an equilibrium and elsewhere."""

    def cost(x, y):
        return (x * torch.sin(y) + 0.1 * x**4 - y**2 / 2).sum(-1)

    game = gd.games.from_torch(cost, [1, 1])
    for at in ([0.0, 0.0], [0.4, -0.3]):
        lin = gd.linearize(game, RULES[1], at=torch.tensor(at, dtype=torch.float64))
        np.testing.assert_allclose(lin.matrix, finite_differences(moved(game, RULES[1]), np.array(at)), atol=2e-9)


def test_a_singular_system_has_no_derivative():
    """f = -x^2 + xy + x^4, lr (1, anything): 1 - 2 lr + lr^2 = 0 at lr = 1."""
    x, y = sympy.symbols("x y", real=True)
    game = gd.games.from_sympy(-(x**2) + x * y + x**4, [x, y], equilibria=[(0, 0)])
    lin = gd.linearize(game, gd.rules.ProximalPoint(1))
    assert lin.verdict == "undecided"
    assert "singular" in lin.reason
    with pytest.raises(gd.errors.NotDifferentiableError, match="singular"):
        lin.matrix  # noqa: B018


def test_a_kink_has_no_derivative():
    x, y = sympy.symbols("x y", real=True)
    game = gd.games.from_sympy(x * y + x * sympy.Abs(x) / 2, [x, y], equilibria=[(0, 0)])
    assert gd.linearize(game, gd.rules.ProximalPoint(0.1)).verdict == "undecided"


def test_away_from_an_equilibrium_a_free_parameter_is_refused():
    with pytest.raises(gd.errors.ParameterError, match="away from an equilibrium, while lr has no value"):
        gd.linearize(DIRAC, gd.rules.ProximalPoint("lr"), at=(0.3, 0.1))
