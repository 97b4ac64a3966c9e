"""Growth and turns measured from amplitudes of rules with memory, whose errors swing or fade in several ways."""

import numpy as np
import pytest

import gandyn as gd
from gandyn.analysis.spectrum.maps import moves_modes
from gandyn.analysis.spectrum.toy_against_network import _measure, promised, recurrence, toy_map

RULES = [
    gd.rules.GDA(0.2),
    gd.rules.Extragradient(0.2),
    gd.rules.HeavyBall(0.5, 0.5),
    gd.rules.HeavyBall(0.1, -0.3),
    gd.rules.HeavyBall(0.05, 0.9),
    gd.rules.OptimisticGD(0.2),
    gd.rules.AlternatingGD(0.3),
    gd.rules.Consensus(0.1, 0.5),
    gd.rules.SGDM(0.1, 0.8),
]


def amplitudes(rule, z, steps, noise=0.0):
    """Of the toy itself, from the state in which the rule starts."""
    matrix = np.asarray(toy_map(rule, z))
    if moves_modes(rule, anywhere=False):
        state = np.zeros(len(matrix), complex)
        state[0] = 1.0
        if rule.name == "OptimisticGD":
            state[1] = z
        found = []
        for _ in range(steps + 1):
            found.append(state[0])
            state = matrix @ state
    else:  # the plane of (x, y), whose error is x + i y up to orientation
        state, found = np.zeros(len(matrix)), []
        state[0] = 1.0
        for _ in range(steps + 1):
            found.append(complex(state[0], -state[1]))
            state = matrix @ state
    rng = np.random.default_rng(0)
    found = np.array(found)
    return found * (1 + noise * rng.normal(size=len(found)))


@pytest.mark.parametrize("rule", RULES, ids=repr)
@pytest.mark.parametrize("z", [1 + 0j, 0.3 + 0.7j, 0.5 + 0j, 0.05 + 1.5j], ids=str)
def test_what_is_measured_on_the_toy_is_what_it_promises(rule, z):
    growth, turn = _measure(amplitudes(rule, z, 40), *recurrence(rule, z))
    assert growth == pytest.approx(promised(rule, z)[0], abs=2e-3)
    assert turn == pytest.approx(promised(rule, z)[1], abs=2e-3)


def test_a_heavy_ball_on_a_real_mode_has_the_root_of_its_momentum():
    """lr = momentum = 1/2, z = 1: a complex pair of modulus sqrt(1/2); ends of a swing say anything."""
    known = amplitudes(gd.rules.HeavyBall(0.5, 0.5), 1 + 0j, 40)
    assert _measure(known, *recurrence(gd.rules.HeavyBall(0.5, 0.5), 1 + 0j))[0] == pytest.approx(0.5**0.5, abs=1e-9)
    assert not abs(_measure(known[:12])[0] - 0.5**0.5) < 0.01  # not even a number, or a wrong one


def test_noise_of_a_thousandth_moves_it_little():
    for rule in RULES:
        growth, _ = _measure(amplitudes(rule, 0.3 + 0.7j, 40, 1e-3), *recurrence(rule, 0.3 + 0.7j))
        assert growth == pytest.approx(promised(rule, 0.3 + 0.7j)[0], abs=1e-2)


@pytest.mark.slow
def test_a_heavy_ball_keeps_the_promise_on_a_network():
    pair = [network.double() for network in gd.gans.mlp_pair(hidden=(8, 8), seed=1)]
    game = gd.gans.GANGame(*pair, data=gd.gans.ring(), batch_size=32, latent=2)
    w = gd.iterate(game, gd.rules.Alternating(gd.rules.Adam(2e-3, betas=(0, 0.99))), game.w0, 300, record="last").w
    for rule in (gd.rules.HeavyBall(0.01, 0.5), gd.rules.HeavyBall(0.02, 0.8)):
        found = gd.toy_against_network(game, rule, w, ("SR", "LI"), steps=24, factors=(1.0,), confirm=False)
        for mode in found.modes:
            assert mode.measured_growth == pytest.approx(mode.growth, abs=5e-3)
            assert mode.measured_turn == pytest.approx(mode.turn, abs=5e-3)
