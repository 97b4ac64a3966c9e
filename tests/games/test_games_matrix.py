"""Matrix games: exact equilibria against the linear program and every pure strategy, flows against invariants."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
import torch
from scipy.integrate import solve_ivp
from scipy.optimize import linprog

import gandyn as gd
from catalogue import finite_differences
from gandyn.errors import ParameterError, WorldError
from gandyn.games.matrix import equilibrium


def lp_value(a):
    """min t subject to A^T x <= t over the simplex."""
    m, n = a.shape
    return linprog(
        np.r_[np.zeros(m), 1], np.c_[a.T, -np.ones(n)], np.zeros(n), np.r_[np.ones(m), 0][None], [1],
        bounds=[(0, 1)] * m + [(None, None)],
    ).fun  # fmt: skip


@pytest.mark.parametrize("shape", [(2, 2), (3, 3), (2, 5), (4, 3), (6, 6)])
@pytest.mark.parametrize("seed", range(6))
def test_random_equilibria_are_exact(shape, seed):
    game = gd.games.random_matrix_game(shape, seed)
    a = game.matrix
    point = sympy.Matrix(game.equilibria[0])
    x, y = point[: shape[0], :], point[shape[0] :, :]
    assert sum(x) == sum(y) == 1
    assert min(point) >= 0
    assert max(x.T * a) == min(a * y) == game.value
    assert float(game.value) == pytest.approx(lp_value(np.array(a.tolist(), float)), abs=1e-9)


def test_degenerate_games_are_solved_too():
    """Ties, saddles in pure strategies and equal rows leave supports of different sizes to the linear program."""
    for matrix, value in [
        (((0, 0), (0, 0)), 0),
        (((1, 2), (1, 2)), 2),
        (((2, 1, 2), (1, 2, 1)), sympy.Rational(3, 2)),
        (((1, 1, 1), (0, 2, 1), (2, 0, 1)), 1),
    ]:
        a = sympy.Matrix(matrix)
        x, y, found = equilibrium(a)
        assert found == value
        assert max(sympy.Matrix([x]) * a) == min(a * sympy.Matrix(y)) == value


def test_player_one_mixes_rows_and_minimises():
    game = gd.games.matrix_game([[3, -1, 2], [-2, 1, 0]])
    w = np.array([0.25, 0.75, 0.5, 0.5, 0.0])
    assert game.costs(w)[0] == pytest.approx(w[:2] @ [[3, -1, 2], [-2, 1, 0]] @ w[2:])
    assert np.allclose(game.field(w), [1, -0.5, 0.75, -0.5, -0.5])


def test_softmax_is_the_direct_game_of_probabilities():
    a = np.array([[3, -1, 2], [-2, 1, 0]])
    game = gd.games.matrix_game(a, parametrization="softmax")
    w = np.random.default_rng(0).normal(size=(5, 5))
    x, y = torch.from_numpy(w[:, :2]).softmax(-1).numpy(), torch.from_numpy(w[:, 2:]).softmax(-1).numpy()
    assert np.allclose(game.costs(w)[0], np.einsum("si,ij,sj->s", x, a, y), atol=1e-14)
    assert not game.constrained
    huge = np.array([150.0, -150, 150, 0, -150])
    assert game.costs(huge)[0] == pytest.approx(3)
    assert np.isfinite(game.field(huge)).all()


def test_interior_equilibria_in_logits_are_logarithms():
    game = gd.games.matrix_game([[3, -1], [-2, 1]], parametrization="softmax")
    assert [sympy.exp(value) for value in game.equilibria[0]] == list(gd.games.matrix_game(game.matrix).equilibria[0])
    dominated = gd.games.matrix_game([[1, 0], [3, 2]], parametrization="softmax")
    assert dominated.equilibria == ()


@pytest.mark.parametrize("name", ["matching_pennies", "rock_paper_scissors"])
def test_the_named_games_are_fair(name):
    game = getattr(gd.games, name)()
    size = game.matrix.rows
    assert game.value == 0
    assert game.equilibria == ((sympy.Rational(1, size),) * (2 * size),)


@pytest.mark.parametrize("name", ["matching_pennies", "rock_paper_scissors"])
def test_replicator_dynamics_conserve_the_divergence_and_return(name):
    game = getattr(gd.games, name)()
    size = game.matrix.rows
    start = np.concatenate([np.arange(1, size + 1) / sum(range(1, size + 1)), np.ones(size) / size])
    solution = solve_ivp(
        lambda t, w: -game.replicator_field(w), (0, 60), start, method="DOP853", rtol=1e-9, atol=1e-11
    ).y.T
    kept = np.log(solution).sum(-1)
    assert np.allclose(kept, kept[0], atol=1e-6)
    assert np.allclose(solution[:, :size].sum(-1), 1, atol=1e-8)
    distance = np.linalg.norm(solution - start, axis=-1)
    away = distance.argmax()
    assert distance[away] > 0.2
    assert distance[away:].min() < 0.1


def test_the_replicator_field_is_the_natural_gradient_of_the_logits():
    """x(u) moved along du/dt = -A y follows the replicator equation, by differencing the softmax."""
    game = gd.games.matrix_game([[1, 0.5, 2], [0, 2, -1]])
    a = np.array(game.matrix.tolist(), float)
    u = np.random.default_rng(0).normal(size=5)

    def probabilities(u):
        return np.concatenate([np.exp(b) / np.exp(b).sum(-1, keepdims=True) for b in (u[..., :2], u[..., 2:])], -1)

    w = probabilities(u)
    velocity = np.concatenate([-a @ w[2:], a.T @ w[:2]])
    expected = finite_differences(probabilities, u) @ velocity
    assert np.allclose(-game.replicator_field(w), expected, atol=1e-9)
    assert np.allclose(game.replicator_field(torch.from_numpy(w)).numpy(), game.replicator_field(w), atol=1e-15)


def test_projected_extragradient_finds_the_equilibrium():
    game = gd.games.random_matrix_game((3, 3), seed=2)
    last = gd.iterate(game, gd.rules.Extragradient(0.3), np.ones(6) / 3, 3000, record="last").w
    assert np.allclose(last, [float(v) for v in game.equilibria[0]], atol=1e-6)


def test_large_direct_games_are_refused_on_symbols_and_say_so():
    game = gd.games.random_matrix_game((4, 2))
    assert game.worlds == {"numpy", "torch"}
    with pytest.raises(WorldError, match="one of numpy, torch"):
        game.field(np.array(game.symbols, dtype=object))
    assert "symbols" in gd.games.random_matrix_game((4, 2), parametrization="softmax").worlds
    assert "symbols" in gd.games.random_matrix_game((3, 2)).worlds


def test_matrix_game_arguments_are_checked():
    with pytest.raises(ParameterError, match="softmax"):
        gd.games.matrix_game([[1, 2], [3, 4]], parametrization="sigmoid")
    with pytest.raises(ParameterError, match="two rows"):
        gd.games.matrix_game([[1, 2]])
