"""Bilinear, boxed, finite-sum and planted quadratic games against closed forms."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import sympy
import torch

import gandyn as gd
from gandyn.errors import ParameterError, ShapeError, WorldError
from gandyn.games.planted import rational_rotation
from gandyn.oracles.projections import Box, project_to_simplex


def test_the_boxed_game_stops_at_its_walls():
    game = gd.games.boxed_bilinear()
    assert game.constrained
    assert game.zero_sum
    traj = gd.iterate(game, gd.rules.GDA(0.1), [2.0, 0.5], 100)
    assert np.abs(traj.w[:, 1]).max() == 1.0
    assert np.abs(traj.w[:, 0]).max() > 1.0


def test_extragradient_reaches_the_boxed_saddle_from_the_published_start():
    game = gd.games.boxed_bilinear()
    last = gd.iterate(game, gd.rules.Extragradient(0.6), game.facts.starts[0], 200, record="last").w
    assert np.abs(last).max() < 1e-7


def test_boxes_without_the_origin_claim_no_equilibrium():
    assert gd.games.boxed_bilinear(y_box=(1, 2)).equilibria == ()


@pytest.mark.parametrize("box", [(1, -1), (0.5, 0.25)])
def test_empty_boxes_are_refused(box):
    with pytest.raises(ParameterError, match="low <= high"):
        gd.games.boxed_bilinear(y_box=box)


@pytest.mark.parametrize("matrix", [[1, 2], [[1, 2], [3]], ["ab", "cd"], [], [[]]])
def test_what_is_no_matrix_is_refused_on_one_line(matrix):
    for build in (gd.games.bilinear, gd.games.boxed_bilinear):
        with pytest.raises(gd.errors.ParameterError, match="rows of equal length"):
            build(matrix=matrix)


def test_a_text_is_the_name_of_the_coupling_not_its_letters():
    game = gd.games.bilinear("coupling")
    assert game.dim == 2
    assert [str(s) for s in game.parameters] == ["coupling"]
    with pytest.raises(gd.errors.ParameterError, match="coupling has no value"):
        gd.iterate(game, gd.rules.GDA(0.1), [1.0, 0.0], 1)


def test_no_box_at_all_is_bilinear():
    with pytest.raises(ParameterError, match="use bilinear"):
        gd.games.boxed_bilinear(y_box=None)


def test_symbols_in_a_box_stay_exact():
    a, b = sympy.symbols("a b", real=True)
    low, free = Box(((-1, None), None))(np.array([a, b], dtype=object))
    assert low == sympy.Max(-1, a)
    assert free == b


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_the_simplex_projection_is_the_nearest_point(size):
    """Against the bisection of t in sum max(x - t, 0) = 1, to the last digits."""
    x = np.random.default_rng(size).normal(size=(50, size)) * 2
    low, high = x.min(-1) - 1, x.max(-1)
    for _ in range(80):
        middle = (low + high) / 2
        above = np.maximum(x - middle[:, None], 0).sum(-1) > 1
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    assert np.allclose(project_to_simplex(x), np.maximum(x - low[:, None], 0), atol=1e-14, rtol=0)
    assert np.allclose(project_to_simplex(torch.from_numpy(x)).numpy(), project_to_simplex(x), atol=1e-15, rtol=0)


def test_larger_simplices_are_refused_on_symbols():
    with pytest.raises(WorldError, match="simplex"):
        project_to_simplex(np.array(sympy.symbols("x1:5", real=True), dtype=object))


# --- finite sums ------------------------------------------------------------------------------------------------------


@pytest.fixture
def stochastic():
    return gd.games.stochastic_bilinear(size=2, summands=5, minibatch=2, seed=3)


def test_the_field_on_batches_is_unbiased(stochastic):
    """The mean over all N^2 equally likely pairs of rows is the full field, exactly."""
    w = np.random.default_rng(0).normal(size=(4, stochastic.dim))
    batches = list(itertools.product(range(5), repeat=2))
    mean = np.mean([stochastic.field(w, np.array(batch)) for batch in batches], axis=0)
    assert np.allclose(mean, stochastic.field(w), atol=1e-13, rtol=0)
    spread = np.std([stochastic.field(w, np.array(batch)) for batch in batches], axis=0)
    assert spread.min() > 0.1


def test_draws_are_uniform_over_the_rows(stochastic):
    rng = np.random.default_rng(0)
    rows = np.concatenate([stochastic.draw(rng) for _ in range(4000)])
    assert stochastic.draw(rng).shape == (2,)
    counts = np.bincount(rows, minlength=5)
    assert ((counts - 1600) ** 2 / 1600).sum() < 18.5  # chi-squared, 4 degrees of freedom, 0.1 %
    assert stochastic.draw(None) is None


def test_the_whole_sum_is_the_game_without_a_batch(stochastic):
    w = np.random.default_rng(1).normal(size=(3, stochastic.dim))
    u = np.random.default_rng(2).normal(size=(3, stochastic.dim))
    full = stochastic.full
    assert np.allclose(stochastic.field(w), full.field(w), atol=1e-13, rtol=0)
    assert np.allclose(stochastic.jvp(w, u), full.jvp(w, u), atol=1e-13, rtol=0)
    assert np.allclose(stochastic.vjp(w, u), full.vjp(w, u), atol=1e-13, rtol=0)
    assert np.allclose(stochastic.cost_gradients(w), full.cost_gradients(w), atol=1e-13, rtol=0)
    assert np.allclose(stochastic.costs(w), full.costs(w), atol=1e-13, rtol=0)


def test_finite_sums_agree_in_every_world(stochastic):
    batch = np.array([4, 1])
    w = np.random.default_rng(3).integers(-9, 9, size=stochastic.dim) / 4
    exact = np.array([*map(sympy.Rational, w), None], dtype=object)[:-1]
    expected = stochastic.field(w, batch)
    assert np.allclose(stochastic.field(exact, batch).astype(float), expected, atol=1e-13, rtol=0)
    assert np.allclose(stochastic.field(torch.from_numpy(w), batch).numpy(), expected, atol=1e-13, rtol=0)
    point = np.array([*stochastic.equilibria[0], None], dtype=object)[:-1]
    assert not any(stochastic.field(point))
    gradients = stochastic.cost_gradients(exact, batch)
    assert gradients.shape == (2, stochastic.dim)
    assert np.allclose(gradients.astype(float), stochastic.cost_gradients(w, batch), atol=1e-13, rtol=0)


def test_samples_are_counted(stochastic):
    before = stochastic.counts.samples
    stochastic.field(np.zeros(4), np.array([0, 1]))
    stochastic.field(np.zeros(4))
    assert stochastic.counts.samples - before == 2 + 5


def test_extragradient_with_fresh_summands_grows_and_with_the_same_shrinks():
    """Mean squared growth from the summands' Jacobians: 1 + (E a^2 - 2 (E a)^2) h^2 against 1 - h^2 E a^2."""
    game, h = gd.games.stochastic_bilinear(size=1, summands=4), 1e-2
    jacobians = [game.jacobian(np.zeros(2), np.array([k])) for k in range(4)]

    def growth(pairs):
        steps = [np.eye(2) - h * jj @ (np.eye(2) - h * ji) for ji, jj in pairs]
        return np.mean([m.T @ m for m in steps], axis=0)[0, 0]

    fresh = growth(itertools.product(jacobians, repeat=2))
    same = growth([(j, j) for j in jacobians])
    assert (fresh - 1) / h**2 == pytest.approx(3, abs=1e-2)
    assert (same - 1) / h**2 == pytest.approx(-5, abs=1e-2)


def test_finite_sum_arguments_are_checked():
    with pytest.raises(ParameterError, match=">= 1"):
        gd.games.stochastic_bilinear(size=0)
    with pytest.raises(ParameterError, match="minibatch"):
        gd.games.stochastic_bilinear(minibatch=0)


# --- planted answers --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [0, 5])
@pytest.mark.parametrize("spectrum", [(1 + 2j, 0.5 - 1j, 3j), (2, -0.5, 1 + 1j, 4, 1), (1, 1)])
def test_planted_spectra_come_out(spectrum, seed):
    game = gd.games.planted_quadratic(spectrum, coupling=0.75, seed=seed)
    expected = [v for e in spectrum for v in ({e, np.conj(e)} if np.imag(e) else {e})]
    measured = np.linalg.eigvals(game.jacobian(np.zeros(game.dim)))
    assert game.zero_sum
    assert np.allclose(np.poly(measured), np.poly(expected), atol=1e-11, rtol=1e-11)


def test_rotations_are_exact():
    r = rational_rotation(3, 4)
    assert r.T * r == sympy.eye(3)
    assert r.det() == 1
    assert r != sympy.eye(3)


def test_odd_numbers_of_real_eigenvalues_are_refused():
    with pytest.raises(ParameterError, match="even number"):
        gd.games.planted_quadratic([1, 2, 3])
    with pytest.raises(ParameterError, match="even number"):
        gd.games.planted_quadratic([])


def test_the_planted_split_comes_out():
    rng = np.random.default_rng(0)
    s = rng.integers(-3, 4, size=(5, 5))
    s, a = s + s.T, rng.integers(-3, 4, size=(5, 5))
    a = a - a.T
    sizes = (2, 1, 2)
    a[:2, :2] = a[3:, 3:] = 0
    game = gd.games.mixed_quadratic(s, a, sizes)
    j = game.jacobian(rng.normal(size=5))
    assert [p.size for p in game.players] == [2, 1, 2]
    assert np.array_equal((j + j.T) / 2, s)
    assert np.array_equal((j - j.T) / 2, a)


def test_potential_games_follow_one_function_and_hamiltonian_games_circle():
    s = [[2, 1, 0], [1, 1, -1], [0, -1, 3]]
    w = np.random.default_rng(0).normal(size=3)
    assert np.allclose(gd.games.potential_quadratic(s).field(w), np.array(s) @ w)
    a = np.array([[0, 1, -2], [-1, 0, 1], [2, -1, 0]])
    assert np.allclose(gd.games.hamiltonian_quadratic(a).field(w), a @ w)


@pytest.mark.parametrize(
    ("s", "a", "sizes", "error", "match"),
    [
        (((1, 2), (0, 1)), ((0, 0), (0, 0)), None, ParameterError, "not symmetric"),
        (((1, 0), (0, 1)), ((0, 1), (1, 0)), None, ParameterError, "not antisymmetric"),
        (((1, 0), (0, 1)), ((0, 1), (-1, 0)), (2,), ParameterError, "own block"),
        (((1, 0), (0, 1)), ((0, 1), (-1, 0)), (1, 2), ShapeError, "add up"),
    ],
)
def test_splits_that_are_none_are_refused(s, a, sizes, error, match):
    with pytest.raises(error, match=match):
        gd.games.mixed_quadratic(s, a, sizes)


def test_only_a_general_quadratic_game_without_linear_terms_declares_its_equilibrium():
    blocks = [[1, 2], [-2, 1]]
    assert [tuple(p) for p in gd.games.general_quadratic(blocks).equilibria] == [(0, 0)]
    assert len(gd.games.general_quadratic(blocks, linear=[1, 0]).equilibria) == 0


def test_a_seeds_rotation_stays_the_same():
    """(I - K)(I + K)^-1 of a small skew K: a game that a paper names by its seed is the same game in later versions."""
    assert rational_rotation(3, 0) * 3 == sympy.Matrix([[-1, -2, -2], [2, 1, -2], [2, -2, 1]])
