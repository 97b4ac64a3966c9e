"""The iterated prisoner's dilemma against simulated sums and autograd, robust regression against its planted saddle."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
import torch

import gandyn as gd
from catalogue import finite_differences
from gandyn.errors import ParameterError, WorldError

REWARD = {(1, 1): (-1, -1), (1, 0): (-3, 0), (0, 1): (0, -3), (0, 0): (-2, -2)}


def played_out(w, gamma, moves):
    """The expected discounted costs, by following the distribution over (own, other) actions move by move."""
    p = 1 / (1 + np.exp(-np.asarray(w)))
    order = [(1, 1), (1, 0), (0, 1), (0, 0)]
    total = np.zeros(2)
    chances = {None: 1.0}
    for t in range(moves):
        following = dict.fromkeys(order, 0.0)
        for state, chance in chances.items():
            x = p[0] if state is None else p[1 + order.index(state)]
            y = p[5] if state is None else p[6 + order.index(state[::-1])]
            for actions in order:
                following[actions] += chance * (x if actions[0] else 1 - x) * (y if actions[1] else 1 - y)
        chances = following
        total -= gamma**t * sum(chance * np.array(REWARD[s]) for s, chance in chances.items())
    return total


@pytest.mark.parametrize("gamma", [0.0, 0.6, 0.96])
def test_the_dilemma_s_value_is_the_discounted_sum(gamma):
    w = np.random.default_rng(0).normal(size=10)
    costs = np.array(gd.games.prisoners_dilemma(gamma).costs(w))
    assert np.allclose(costs, played_out(w, gamma, 900), atol=1e-12)
    mean = np.array(gd.games.prisoners_dilemma(gamma, normalized=True).costs(w))
    assert np.allclose(mean, (1 - gamma) * costs, atol=1e-13)


def test_famous_strategies_cost_what_they_should():
    game, high = gd.games.prisoners_dilemma(), 60.0
    defect, cooperate = [-high] * 5, [high] * 5
    tit_for_tat = [high, high, -high, high, -high]
    for first, second, expected in (
        (defect, defect, (50, 50)),
        (cooperate, cooperate, (25, 25)),
        (tit_for_tat, tit_for_tat, (25, 25)),
        (cooperate, defect, (75, 0)),
        (tit_for_tat, defect, (3 + 2 * 24, 2 * 24)),
    ):
        assert np.allclose(game.costs(np.array(first + second)), expected, atol=1e-10)
    assert np.abs(game.field(np.array(defect + defect))).max() < 1e-20


def test_the_dilemma_s_derivatives_are_autograd_s():
    game = gd.games.prisoners_dilemma()
    w = torch.from_numpy(np.random.default_rng(1).normal(size=10))
    gradients = torch.autograd.functional.jacobian(lambda z: torch.stack(game.costs(z)), w).numpy()
    assert np.allclose(game.cost_gradients(w.numpy()), gradients, atol=1e-11)
    expected = np.concatenate([gradients[0, :5], gradients[1, 5:]])
    assert np.allclose(game.field(w.numpy()), expected, atol=1e-11)
    assert np.allclose(game.field(w.numpy(), only="y"), np.r_[np.zeros(5), expected[5:]], atol=1e-11)
    jacobian = torch.autograd.functional.jacobian(game.field, w).numpy()
    assert np.allclose(game.jacobian(w.numpy()), jacobian, atol=1e-10)
    u = np.random.default_rng(2).normal(size=10)
    assert np.allclose(game.vjp(w.numpy(), u), jacobian.T @ u, atol=1e-10)
    assert np.allclose(game.vjp(w, torch.from_numpy(u)).numpy(), jacobian.T @ u, atol=1e-10)


def test_the_dilemma_runs_on_ensembles():
    game = gd.games.prisoners_dilemma(0.5)
    w, u = np.random.default_rng(3).normal(size=(2, 3, 4, 10))
    for method in (game.field, lambda z: np.stack(game.costs(z), -1)):
        assert np.allclose(method(w)[1, 2], method(w[1, 2]), atol=1e-13)
    for method in (game.jvp, game.vjp):
        assert np.allclose(method(w, u)[2, 1], method(w[2, 1], u[2, 1]), atol=1e-13)
    assert game.cost_gradients(w).shape == (2, 3, 4, 10)
    differences = finite_differences(game.field, w[0, 0])
    assert np.allclose(game.jacobian(w[0, 0]), differences, atol=1e-8)


def test_plain_gradient_play_ends_in_defection():
    game = gd.games.prisoners_dilemma()
    starts = np.random.default_rng(4).normal(size=(50, 10)) * 0.1
    last = gd.iterate(game, gd.rules.GDA(1.0), starts, 500, record="last").w
    assert (np.array(game.costs(last)).mean(0) > 45).mean() > 0.9


def test_the_dilemma_is_refused_on_symbols_and_says_so():
    game = gd.games.prisoners_dilemma()
    with pytest.raises(WorldError, match="one of numpy, torch"):
        game.field(np.array(sympy.symbols("w1:11"), dtype=object))
    with pytest.raises(ParameterError, match="gamma < 1"):
        gd.games.prisoners_dilemma(1.0)


# --- robust regression ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("rows", "columns", "lam"), [(4, 2, 2), (9, 4, 1.5), (300, 100, 3)])
def test_the_regression_s_saddle_and_spectrum_are_planted(rows, columns, lam):
    game = gd.games.robust_regression(rows, columns, lam, seed=7)
    point = np.array([float(v) for v in game.equilibria[0]])
    assert np.abs(game.field(point)).max() < 1e-11
    singular = np.linalg.svd(game.design, compute_uv=False)
    assert singular.min() > 1e-3
    jacobian = np.block([
        [game.design.T @ game.design, -game.design.T], [game.design, (lam - 1) * np.eye(rows)]
    ])  # fmt: skip
    u = np.random.default_rng(0).normal(size=game.dim)
    assert np.allclose(game.jvp(point, u), jacobian @ u, atol=1e-10)
    assert np.allclose(game.vjp(point, u), jacobian.T @ u, atol=1e-10)
    roots = np.concatenate([np.roots([1, -(s**2 + lam - 1), lam * s**2]) for s in singular])
    expected = np.concatenate([roots, np.full(rows - columns, lam - 1)])
    found = np.linalg.eigvals(jacobian)
    for power in (1, 2, 3):
        assert (found**power).sum().real == pytest.approx((expected**power).sum().real, rel=1e-9)
    least_squares = np.linalg.lstsq(game.design, game.targets, rcond=None)[0]
    assert np.allclose(point[:columns], least_squares, atol=1e-8)


def test_the_regression_is_its_formula_in_every_world():
    game = gd.games.robust_regression(4, 2)
    w = np.random.default_rng(0).integers(-8, 9, size=(3, 6)) / 4
    x, y = w[:, :2], w[:, 2:]
    value = ((x @ game.design.T - y) ** 2).sum(-1) / 2 - 2 * ((y - game.targets) ** 2).sum(-1) / 2
    assert np.allclose(game.costs(w)[0], value, atol=1e-13)
    gradients = finite_differences(lambda z: np.stack(game.costs(z), -1), w)
    assert np.allclose(game.cost_gradients(w), np.moveaxis(gradients, 1, 0), atol=1e-9)
    exact = np.array([*map(sympy.Rational, w[0]), None], dtype=object)[:-1]
    assert np.allclose(game.field(exact).astype(float), game.field(w[0]), atol=1e-14)
    assert np.allclose(game.field(torch.from_numpy(w)).numpy(), game.field(w), atol=1e-14)
    assert not any(game.field(np.array([*game.equilibria[0], None], dtype=object)[:-1]))
    assert np.allclose(game.field(w, only=0) + game.field(w, only=1), game.field(w), atol=1e-15)


@pytest.mark.parametrize(
    ("arguments", "match"), [((2, 2), "columns < rows"), ((4, 2, 1), "unbounded"), ((4, 2, "lam"), "a number")]
)
def test_regressions_without_a_saddle_are_refused(arguments, match):
    with pytest.raises(ParameterError, match=match):
        gd.games.robust_regression(*arguments)
