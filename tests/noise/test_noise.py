"""Noise on a game's field: what is drawn, when, and what the trace makes of it."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
import torch

import gandyn as gd
from gandyn.errors import GandynError, ParameterError
from gandyn.noise.counter_based import standard, words

GAME = gd.games.quadratic(0.7, 1.9, 0.45)


class Spy(gd.noise.NoisyGame):
    """Keeps every answer of the field."""

    def __init__(self, game, noise):
        super().__init__(game, noise)
        self.seen = []

    def _field(self, w, batch, only):
        v = super()._field(w, batch, only)
        self.seen.append(v - self.game._field(w, None, only))
        return v


@pytest.mark.parametrize(("fresh", "draws"), [(False, 1), (True, 2)])
def test_one_xi_a_batch(fresh, draws):
    spy = Spy(GAME, gd.noise.Additive(0.3))
    gd.rules.Extragradient(0.1, fresh=fresh).step(spy, np.zeros((5, 2)), gd.types.State(), np.random.default_rng(0))
    first, second = spy.seen
    assert np.allclose(first, second) == (draws == 1)
    assert len(np.unique(first)) == 10  # a vector of its own for each member


@pytest.mark.parametrize("law", ["gaussian", "uniform", "student"])
@pytest.mark.parametrize("given", [0.5, (0.2, 0.9), [[0.4, 0.1], [0.1, 0.3]], [[0.4, 0.4], [0.4, 0.4]]])
def test_draws_have_the_covariance(law, given):
    noise = gd.noise.Additive(given, law=law, degrees=9)
    xi = noise.sample(GAME, (60_000,), np.random.default_rng(1))
    expected = np.array(noise.on(GAME).tolist(), dtype=float)
    np.testing.assert_allclose(np.cov(xi.T), expected, atol=0.03)
    np.testing.assert_allclose(xi.mean(0), 0, atol=0.02)
    if law == "uniform":
        assert np.abs(xi).max() <= np.sqrt(3) * 2 * np.sqrt(expected.max())


def test_a_token_is_pure():
    """The same token gives the same noise at every point, in every world and for every player's block."""
    game = gd.noise.Additive((0.2, 0.9)).applied(GAME)
    batch, w = game.draw(np.random.default_rng(3)), np.array([[1.0, 2.0], [0.5, 0.0]])
    xi = game.field(w, batch) - GAME.field(w)
    np.testing.assert_allclose(game.field(0 * w, batch) - GAME.field(0 * w), xi)
    alone = game.field(w, batch, only=1) - GAME.field(w, only=1)
    np.testing.assert_allclose(alone[:, 0], 0)
    np.testing.assert_allclose(alone[:, 1], xi[:, 1])
    tensor = game.field(torch.tensor(w), batch)
    np.testing.assert_allclose(tensor.numpy(), game.field(w, batch))
    gradients = game.cost_gradients(w, batch) - GAME.cost_gradients(w)
    np.testing.assert_allclose(gradients[0, :, 0], xi[:, 0])
    np.testing.assert_allclose(gradients[1, :, 1], xi[:, 1])
    np.testing.assert_allclose(gradients[0, :, 1], 0)
    np.testing.assert_allclose(game.jvp(w, w, batch), GAME.jvp(w, w))
    np.testing.assert_allclose(game.jacobian(w, batch), GAME.jacobian(w))
    np.testing.assert_allclose(game.field(w), GAME.field(w))


def test_runs_with_noise_are_reproducible_and_leave_the_mean():
    run = gd.iterate(GAME, gd.rules.GDA(0.1), [1.0, 0.0], 30, noise=0.1, rng=4)
    again = gd.iterate(gd.noise.Additive(0.1).applied(GAME), gd.rules.GDA(0.1), [1.0, 0.0], 30, rng=4)
    assert (run.w == again.w).all()
    assert (gd.iterate(GAME, gd.rules.GDA(0.1), [1.0, 0.0], 30, noise=0.1, rng=5).w != run.w)[1:].all()
    assert run.kernel == "eager"
    np.testing.assert_allclose(
        gd.iterate(GAME, gd.rules.GDA(0.1), [1.0, 0.0], 30, noise=0.0).w,
        gd.iterate(GAME, gd.rules.GDA(0.1), [1.0, 0.0], 30).w,
    )


def test_the_trace_has_a_vector_of_symbols_for_each_draw():
    noisy = gd.noise.Additive("s2").applied(gd.games.bilinear())
    same, fresh = (gd.update_map(noisy, gd.rules.Extragradient("lr", fresh=f)) for f in (False, True))
    assert (len(same.draws.shifts), len(fresh.draws.shifts)) == (1, 2)
    a, b, lr = *same.symbols, sympy.Symbol("lr", positive=True)
    first, second = (shift.symbols for shift in fresh.draws.shifts)
    assert sympy.expand(fresh.expression[0] - (a - lr * (b + lr * (a - first[1]) + second[0]))) == 0
    (xi,) = (shift.symbols for shift in same.draws.shifts)
    assert sympy.expand(same.expression[0] - (a - lr * (b + lr * (a - xi[1]) + xi[0]))) == 0
    assert same.parameters == (lr,)
    assert gd.update_map(gd.games.bilinear(), gd.rules.GDA("lr")).draws is None


def test_a_player_in_turn_has_a_draw_of_its_own():
    noisy = gd.noise.Additive([[1, 0.5], [0.5, 1]]).applied(gd.games.bilinear())
    traced = gd.update_map(noisy, gd.rules.AlternatingGD(0.1))
    assert len(traced.draws.shifts) == 2
    assert len(traced.expression.free_symbols - set(traced.symbols)) == 2


def test_the_noise_of_a_finite_sum():
    game = gd.games.stochastic_bilinear(size=1, summands=4, minibatch=3)
    own = gd.noise.of(game)
    at = np.array([1.0, -1.0])
    draws = np.stack([game.field(at, game.draw(np.random.default_rng(k))) for k in range(4000)])
    np.testing.assert_allclose(own.covariance(at), np.cov(draws.T), rtol=0.15, atol=0.1)
    np.testing.assert_allclose(own.fields(at).mean(0), 0, atol=1e-12)
    np.testing.assert_allclose(own.jacobians(at).mean(0), game.mean().jacobian(at))
    assert gd.noise.of(gd.noise.Additive(2).applied(GAME)) == gd.noise.Additive(2)
    with pytest.raises(GandynError, match="draws nothing"):
        gd.noise.of(GAME)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (-1, "variance of -1"),
        ((0.1, -0.2), "variance of"),
        (float("inf"), "finite"),
        (float("nan"), "finite"),
        ([[1, 2], [2, 1]], "eigenvalue -1, not positive semidefinite"),
        ([[1, 0.5], [0.4, 1]], "not symmetric"),
        ([[1, 0], [0]], "square"),
        ([], "empty"),
        (True, "entry True"),
        (None, "entry None"),
        (1j, "entry"),
    ],
)
def test_what_is_no_covariance(given, words):
    with pytest.raises(ParameterError) as refused:
        gd.noise.Additive(given)
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


def test_infinite_variance_is_refused_by_its_law():
    with pytest.raises(ParameterError, match="infinite"):
        gd.noise.Additive(1, law="student", degrees=2)
    with pytest.raises(ParameterError, match="gaussian"):
        gd.noise.Additive(1, law="cauchy")


@pytest.mark.parametrize(
    ("rounds", "key", "counter", "expected"),
    [  # the known answers published with the generator
        (13, (0, 0), (0, 0), (0xF167B032C3B480BD, 0xE91F9FEE4B7A6FB5)),
        (20, (0, 0), (0, 0), (0xC2B6E3A8C2C69865, 0x6F81ED42F350084D)),
        (
            13,
            (0xA4093822299F31D0, 0x082EFA98EC4E6C89),
            (0x243F6A8885A308D3, 0x13198A2E03707344),
            (0xC3AAC71561042993, 0x3FE7AE8801AFF316),
        ),
    ],
)
def test_the_generator_is_threefry(rounds, key, counter, expected):
    assert tuple(map(int, words(key, counter, rounds))) == expected


def test_members_draw_for_themselves():
    """A member's numbers do not depend on how many others there are, nor on the size of the vector."""
    many, few = standard("gaussian", 7, (5, 4), 3), standard("gaussian", 7, (10,), 2)
    np.testing.assert_array_equal(many.reshape(20, 3)[:10, :2], few)
    assert len(np.unique(many)) == 60
    bounded = standard("uniform", 7, (50_000,), 1)
    assert np.abs(bounded).max() < np.sqrt(3)
    np.testing.assert_allclose([bounded.var(), (bounded**4).mean()], [1, 9 / 5], rtol=0.02)


def test_students_noise_has_five_degrees_of_freedom_unless_told_otherwise():
    assert gd.noise.Additive(1.0, law="student").degrees == 5.0
