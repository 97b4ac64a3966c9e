"""The field's named toys against their published facts, by routes that do not use the games' own derivatives."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
from scipy.integrate import solve_ivp

import gandyn as gd
from gandyn.errors import ParameterError


def hessian(game, point, h=1e-4):
    """Second differences of f_1 at a planar point."""

    def f(x, y):
        return game.costs(point + h * np.array([x, y]))[0]

    across = (f(1, 1) - f(1, -1) - f(-1, 1) + f(-1, -1)) / 4
    return np.array([[f(1, 0) - 2 * f(0, 0) + f(-1, 0), across], [across, f(0, 1) - 2 * f(0, 0) + f(0, -1)]]) / h**2


def settle(game, start, time, direction=-1):
    """The last fifth of a flow, finely sampled; with direction 1 it runs backwards."""
    times = np.linspace(0.8 * time, time, 4000)
    options = {"method": "DOP853", "rtol": 1e-7, "atol": 1e-10}
    return solve_ivp(lambda t, w: direction * game.field(w), (0, time), start, t_eval=times, **options).y.T


@pytest.mark.parametrize(("function", "minimax", "attracts"), [(1, True, False), (2, False, True), (3, True, False)])
def test_the_ridge_functions_separate_minimax_from_stable(function, minimax, attracts):
    game = gd.games.follow_the_ridge(function)
    h = hessian(game, np.zeros(2))
    assert (h[1, 1] < 0 and h[0, 0] - h[0, 1] ** 2 / h[1, 1] > 0) == minimax
    last = gd.iterate(game, gd.rules.GDA(0.05), [1e-3, 0.0], 400, record="last").w
    assert (np.abs(last).max() < 1e-10) == attracts


def test_the_third_ridge_function_is_its_formula():
    x, y = 0.7, -1.3
    expected = (4 * x**2 - (y - 3 * x + 0.05 * x**3) ** 2 - 0.1 * y**4) * np.exp(-0.01 * (x**2 + y**2))
    assert gd.games.follow_the_ridge(3).costs(np.array([x, y]))[0] == pytest.approx(expected, rel=1e-14)


def test_there_are_three_ridge_functions():
    with pytest.raises(ParameterError, match="1, 2 or 3"):
        gd.games.follow_the_ridge(4)


NASH_OF_MINUS = [(-12.477, -8.678), (-11.427, 8.004), (12.395, -6.373)]


def test_the_exponential_game_is_its_formula():
    x, y = 0.7, -1.3
    expected = np.exp(-0.01 * (x**2 + y**2)) * ((0.3 * x**2 + y) ** 2 + (x + 0.5 * y**2) ** 2)
    assert gd.games.exponential().costs(np.array([x, y]))[0] == pytest.approx(expected, rel=1e-14)


def test_local_nash_points_of_the_exponential_game_need_the_minus():
    """Newton from a grid of starts finds nine critical points: three are local Nash for -f, none for f."""
    game = gd.games.exponential()
    w = np.stack(np.meshgrid(np.linspace(-18, 18, 61), np.linspace(-18, 18, 61)), -1).reshape(-1, 2)
    for _ in range(60):
        newton = np.linalg.solve(game.jacobian(w) + 1e-14 * np.eye(2), game.field(w)[..., None])[..., 0]
        w = w - np.clip(newton, -1, 1)
    w = w[(np.abs(w).max(-1) < 22) & (np.abs(game.field(w)).max(-1) < 1e-11)]
    found = np.unique(np.round(w, 4) + 0.0, axis=0)
    assert len(found) == 9
    h = np.array([hessian(game, point, 1e-3) for point in found])
    assert not ((h[:, 0, 0] > 0) & (h[:, 1, 1] < 0)).any()
    nash = found[(h[:, 0, 0] < 0) & (h[:, 1, 1] > 0)]
    assert np.allclose(nash, NASH_OF_MINUS, atol=1e-3)
    minus = gd.games.exponential(sign=-1)
    assert np.allclose(minus.field(found), -game.field(found), atol=1e-15)


def test_the_exponential_game_has_two_signs():
    with pytest.raises(ParameterError, match="1 or -1"):
        gd.games.exponential(sign=2)


def test_the_forsaken_game_is_its_formula():
    x, y = 0.7, -1.3
    phi = [z**2 / 4 - z**4 / 2 + z**6 / 6 for z in (x, y)]
    assert gd.games.forsaken().costs(np.array([x, y]))[0] == pytest.approx(x * (y - 0.45) + phi[0] - phi[1], rel=1e-14)


def test_the_forsaken_equilibrium_lies_behind_two_cycles():
    """Inside: attracted; outside the repelling cycle: to the attracting one; backwards: to the repelling one."""
    game = gd.games.forsaken()
    point = np.array([float(x) for x in game.equilibria[0]])
    numbers = np.array([complex(value) for value in game.facts.flow_eigenvalues[0]])
    assert np.allclose(numbers, [-0.0447 + 0.9080j, -0.0447 - 0.9080j], atol=6e-5)

    def range_of(w):
        distance = np.linalg.norm(w - point, axis=-1)
        return distance.min(), distance.max()

    right = np.array([1.0, 0.0])
    assert range_of(settle(game, point + 0.05 * right, 300))[1] < 1e-5
    for start in (point + 0.35 * right, [2.0, 1.0]):
        assert range_of(settle(game, start, 60)) == pytest.approx((0.922, 1.917), abs=2e-3)
    back = settle(game, point + 0.1 * right, 100, direction=1)
    assert range_of(back) == pytest.approx((0.121, 0.299), abs=1e-3)


def test_the_almost_bilinear_cycle_has_radius_two_over_root_three():
    """To first order in eps the radius moves around it by O(eps), its mean by O(eps^2)."""
    for start in (1.0, 1.3):
        radius = np.linalg.norm(settle(gd.games.almost_bilinear(0.05), [start, 0.0], 150), axis=-1)
        assert radius.mean() == pytest.approx(2 / np.sqrt(3), abs=3e-3)
        assert 0.005 < np.ptp(radius) < 0.05


@pytest.mark.parametrize("dimension", [2, 4])
@pytest.mark.parametrize(("tau", "stable"), [(1, False), (1.99, False), (2.01, True), (8, True)])
def test_the_critical_time_scale_is_two(dimension, tau, stable):
    for v in (4, 0.3):
        game = gd.games.tau_gda(dimension, v=v, tau=tau)
        jacobian = game.jacobian(np.zeros(dimension))
        assert (np.linalg.eigvals(-jacobian).real.max() < 0) == stable
    if dimension == 4:
        v = 0.3
        expected = [[-v, 0, -v, 0], [0, v / 2, 0, v / 2], [tau * v, 0, tau * v / 2, 0], [0, -tau * v / 2, 0, tau * v]]
        assert np.allclose(jacobian, expected, atol=1e-15)


def test_time_scales_as_learning_rates_are_the_same():
    w, tau = np.array([0.3, -0.2, 0.5, 0.7]), 3.0
    fast = gd.rules.GDA(0.01).step(gd.games.tau_gda(tau=tau), w, gd.types.State())[0]
    rates = gd.rules.GDA((0.01, 0.01 * tau)).step(gd.games.tau_gda(), w, gd.types.State())[0]
    assert np.allclose(fast, rates, atol=1e-15)
    assert gd.games.tau_gda().zero_sum
    assert not gd.games.tau_gda(tau=tau).zero_sum


def test_tau_gda_has_two_dimensions():
    with pytest.raises(ParameterError, match="2 or 4"):
        gd.games.tau_gda(dimension=3)


def test_every_point_of_the_tandem_line_is_fixed():
    x = np.linspace(-2, 3, 11)
    game = gd.games.tandem()
    assert np.abs(game.field(np.stack([x, 1 - x], -1))).max() < 1e-15
    last = gd.iterate(game, gd.rules.GDA(0.1), [2.0, 1.0], 200, record="last").w
    assert last == pytest.approx([1.0, 0.0], abs=1e-12)
    assert np.allclose(np.array(game.costs(np.array([0.5, 0.5]))), 0, atol=1e-15)


@pytest.mark.parametrize("loss", ["square", "wasserstein"])
def test_the_uniform_gan_is_the_mean_over_uniform_points(loss):
    """Against Gauss-Legendre quadrature of the two expectations, exact for these polynomials."""
    nodes, weights = np.polynomial.legendre.leggauss(8)
    a, w = 0.7, -1.2
    h = (lambda t: t - t**2 / 2) if loss == "square" else (lambda t: t)
    expected = (weights * (h(w * nodes**2) + h(-w * (a * nodes) ** 2))).sum() / 2
    value, minus = gd.games.nagarajan_kolter(loss).costs(np.array([a, w]))
    assert value == pytest.approx(expected, rel=1e-13)
    assert minus == pytest.approx(-expected, rel=1e-13)


def test_the_uniform_gan_converges_with_curvature_and_circles_without():
    start = [0.8, 0.1]
    square = settle(gd.games.nagarajan_kolter(), start, 150)
    circle = settle(gd.games.nagarajan_kolter("wasserstein"), start, 150)
    damped = settle(gd.games.nagarajan_kolter("wasserstein", eta=0.5), start, 150)
    assert np.abs(square[-1] - [1, 0]).max() < 1e-10
    assert np.abs(damped[-1] - [1, 0]).max() < 1e-10
    assert np.linalg.norm(circle - [1, 0], axis=-1).min() > 0.1


def test_the_regulariser_is_the_squared_slope_of_the_value():
    w, h = np.array([0.6, 0.3]), 1e-5
    plain, regular = gd.games.nagarajan_kolter(), gd.games.nagarajan_kolter(eta=0.7)
    up = np.array([0, h])
    slope = (plain.costs(w + up)[0] - plain.costs(w - up)[0]) / (2 * h)
    assert regular.costs(w)[0] - plain.costs(w)[0] == pytest.approx(0.7 * slope**2, rel=1e-8)
    assert regular.costs(w)[1] == plain.costs(w)[1]
    with pytest.raises(ParameterError, match="wasserstein"):
        gd.games.nagarajan_kolter("hinge")


def test_the_single_point_hops_between_modes_and_unrolling_settles_it():
    game = gd.games.unrolled_toy()
    theta = gd.iterate(game, gd.rules.GDA(0.2), game.facts.starts[0], 2000).w[-500:, 0]
    assert theta.max() > 0.5
    assert theta.min() < -0.5
    grid = np.linspace(-2, 2, 401)
    kernels = np.exp(-((grid[:, None] - [-1, 1]) ** 2) / 2)
    mean = (1 + np.exp(-2)) / 2
    best = np.concatenate([grid[:, None], (mean - kernels) / 0.1], -1)
    unrolled = game.costs(best)[0]
    assert np.allclose(unrolled, ((mean - kernels) ** 2).sum(-1) / 0.2, atol=1e-13)
    assert abs(grid[unrolled.argmin()]) < 1e-12


def test_the_unrolled_toy_wants_positive_widths():
    with pytest.raises(ParameterError, match="rho"):
        gd.games.unrolled_toy(rho=0)


def test_parameters_may_stay_free():
    assert gd.games.almost_bilinear("eps").parameters == (sympy.Symbol("eps", positive=True),)
    assert {str(s) for s in gd.games.tau_gda(v="v", tau="tau").parameters} == {"v", "tau"}
    eigenvalues = gd.games.almost_bilinear("eps").facts.flow_eigenvalues[0]
    assert sympy.simplify(eigenvalues[0] + eigenvalues[1]) == sympy.Symbol("eps", positive=True)
