"""Path angles against closed forms: attraction, repulsion, rotation, and both."""

import json

import numpy as np
import pytest
import sympy
import torch

import gandyn as gd
from gandyn.analysis.spectrum.path_angle import Motion
from gandyn.errors import DomainError, ParameterError


def test_a_potential_draws_in_with_a_change_of_sign():
    """v = K (w - w1): along the path the cosine is -c before the end and c after it, c = d.Kd / |d||Kd|."""
    game = gd.games.quadratic(1, 0, -3)  # both players minimise: f = x^2/2 + 3 y^2/2 for player 1, minus it for 2
    assert game.jacobian(np.zeros(2)).tolist() == [[1, 0], [0, -3]]
    game = gd.games.quadratic(1, 0, 3)
    d, k = np.array([-1.0, -2.0]), np.diag([1.0, 3.0])
    found = gd.path_angle(game, [1.0, 2.0], [0.0, 0.0], points=60)
    c = d @ k @ d / np.linalg.norm(d) / np.linalg.norm(k @ d)
    np.testing.assert_allclose(found.angle, c * np.sign(found.positions - 1), rtol=1e-12)
    np.testing.assert_allclose(found.norm, abs(found.positions - 1) * np.linalg.norm(k @ d), rtol=1e-10)
    assert found.switch == pytest.approx(c)
    assert found.bump == pytest.approx(0, abs=1e-12)
    assert found.motion is Motion.ATTRACTION
    away = gd.path_angle(gd.games.quadratic(-1, 0, -3), [1.0, 2.0], [0.0, 0.0])
    assert away.switch == pytest.approx(-c)
    assert away.motion is Motion.REPULSION


@pytest.mark.parametrize("offset", [0.02, -0.02])
def test_a_bilinear_game_turns_with_a_bump(offset):
    """v = A (w - w*), A = [[0, 1], [-1, 0]]: the cosine is d.Ae / (|d| |(alpha - 1) d + e|) for w1 = w* + e."""
    start, end = np.array([1.0, 0.5]), np.array([offset, -offset])
    found = gd.path_angle(gd.games.bilinear(), start, end, points=121)
    d, a = end - start, np.array([[0.0, 1.0], [-1.0, 0.0]])
    closed = [d @ a @ end / np.linalg.norm(d) / np.linalg.norm((t - 1) * d + end) for t in found.positions]
    np.testing.assert_allclose(found.angle, closed, rtol=1e-9)
    assert np.sign(found.angle).tolist() == [np.sign(closed[0])] * 121
    assert abs(found.switch) < 0.1
    assert found.bump > 0.5
    assert found.motion is Motion.ROTATION
    assert abs(found.positions[abs(found.angle).argmax()] - 1) < 0.03


def test_a_path_straight_into_the_equilibrium_of_a_rotation_shows_nothing():
    found = gd.path_angle(gd.games.bilinear(), [1.0, 0.5], [0.0, 0.0])
    np.testing.assert_allclose(found.angle, 0, atol=1e-12)
    assert found.motion is Motion.NEITHER


def test_attraction_with_rotation_shows_both():
    game = gd.games.quadratic(1, 1, 1)
    found = gd.path_angle(game, [1.0, 0.5], [0.02, -0.02], points=121)
    assert found.switch == pytest.approx(2**-0.5, abs=0.05)  # J = I + A turns and draws in alike
    assert found.motion is Motion.BOTH


def test_on_networks_it_is_the_field_on_one_batch():
    pair = [network.double() for network in gd.gans.mlp_pair(hidden=(5,))]
    game = gd.gans.GANGame(*pair, data=gd.gans.ring(), batch_size=16, latent=2)
    end = game.w0 + torch.linspace(-0.1, 0.2, game.dim, dtype=torch.float64)
    token = game.draw(np.random.default_rng(7))
    found = gd.path_angle(game, game.w0, end, points=13, seed=7)
    d = end - game.w0
    for alpha, angle, norm in zip(found.positions, found.angle, found.norm, strict=True):
        v = game.field(game.w0 + float(alpha) * d, token)
        assert norm == pytest.approx(float(v.norm()), rel=1e-12)
        assert angle == pytest.approx(float(v @ d / v.norm() / d.norm()), abs=1e-12)
    assert json.loads(json.dumps(found.to_dict()))["motion"] == found.motion.name
    drawing = found.plot()
    np.testing.assert_array_equal(drawing.data["angle"], found.angle)
    assert "path of length" in found.summary()


def test_the_summary_gives_the_field_at_both_ends_and_not_where_the_path_goes_on():
    """v = (x + 2 y, -2 x + y) has the length sqrt(5) |w|; the path of 13 points goes on to 1.1."""
    found = gd.path_angle(gd.games.quadratic(1, 2, 1), [1.0, 0.0], [0.0, 2.0], points=13)
    assert "|v| 2.236 at its start, 4.472 at its end" in found.summary()


def test_mistakes_are_named():
    game = gd.games.bilinear()
    with pytest.raises(ParameterError, match="itself"):
        gd.path_angle(game, [1.0, 0.0], [1.0, 0.0])
    for options in ({"points": 5}, {"span": (0.0, 1.0)}, {"span": (0.95, 1.2)}):
        with pytest.raises(ParameterError, match="both sides of 1"):
            gd.path_angle(game, [1.0, 0.0], [0.0, 0.0], **options)


def test_what_cannot_be_seen_or_computed_is_refused():
    """Positions 0.2 apart may step over the bump at the end; sqrt(x) has none beyond x = 0."""
    with pytest.raises(ParameterError, match=r"at most 0\.14 apart"):
        gd.path_angle(gd.games.bilinear(), [1.0, 0.5], [0.01, 0.01], span=(-10, 10))
    x, y = sympy.symbols("x y", real=True)
    with pytest.raises(DomainError, match="not finite at alpha"):
        gd.path_angle(gd.games.from_sympy(sympy.sqrt(x) + x * y, [x, y]), [2.0, 1.0], [0.0, 0.0], points=121)


@pytest.mark.parametrize("scale", [1e-170, 1e-9, 1e9, 1e170])
def test_units_of_cost_do_not_matter(scale):
    found = gd.path_angle(gd.games.quadratic(scale, 0, scale), [1.0, 2.0], [0.0, 0.0])
    assert found.motion is Motion.ATTRACTION
    assert found.norm[0] == pytest.approx(1.1 * 5**0.5 * scale, rel=1e-12)
