"""Mixed strategies: MIX+GAN, stored networks, exploitability; and Takagi-Sugeno layers, on the Dirac-GAN exactly."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import sympy
import torch
from small_gans import gan, networks
from system_cases import mixed

import gandyn as gd
from gandyn.errors import DomainError
from gandyn.gans.architectures.takagi_sugeno import TakagiSugeno
from gandyn.gans.stored_play import GANOracle, play


def test_a_memory_of_strategies_is_of_zero_sum_games():
    with pytest.raises(DomainError, match="zero-sum"):
        gd.gans.nash_memory(gan("nonsaturating"), rounds=1, steps=1)


# --- MIX+GAN ---------------------------------------------------------------------------------------------------------


def test_costs_of_mixtures_are_expectations_over_pairs_by_loops():
    game = mixed()
    makers, judges = game.networks
    w = game.w0.clone()
    game.load(w)
    with torch.no_grad():
        makers.logits.copy_(torch.tensor([0.4, -0.3], dtype=torch.double))
        judges.logits.copy_(torch.tensor([-0.2, 0.9], dtype=torch.double))
    w = torch.cat([p.detach().flatten() for network in game.networks for p in network.parameters()])
    token = game.draw(np.random.default_rng(0))
    p = np.exp([0.4, -0.3]) / np.exp([0.4, -0.3]).sum()
    q = np.exp([-0.2, 0.9]) / np.exp([-0.2, 0.9]).sum()
    costs = [0.3 * -np.log(weights).mean() for weights in (p, q)]
    softplus = torch.nn.functional.softplus
    with torch.no_grad():
        for j, judge in enumerate(judges.parts):
            costs[1] += q[j] * float(softplus(-judge(token.real)).mean())
            for i, maker in enumerate(makers.parts):
                on_fake = judge(maker(token.latent[:, :-1]))
                costs[0] += p[i] * q[j] * float(softplus(-on_fake).mean())
                costs[1] += p[i] * q[j] * float(softplus(on_fake).mean())
    assert [float(c) for c in game.costs(w, token)] == pytest.approx(costs, rel=1e-12)


def test_samples_of_a_mixture_are_of_one_generator_each_in_the_shares_of_the_weights():
    makers = mixed().generator
    with torch.no_grad():
        makers.logits.copy_(torch.tensor([1.0, -0.5]))
        latent = torch.randn(4000, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
        made = makers(latent)
        each = [part(latent[:, :2]) for part in makers.parts]
    first = (made == each[0]).all(1)
    assert bool((first | (made == each[1]).all(1)).all())
    assert float(first.double().mean()) == pytest.approx(float(makers.weights[0].detach()), abs=0.02)
    assert not torch.allclose(each[0], each[1])


# --- stored networks -------------------------------------------------------------------------------------------------


def test_the_memory_of_the_dirac_gan_ends_at_an_equilibrium_and_pure_answers_cycle():
    memory, pure = gd.gans.dirac_memory(8), gd.gans.dirac_memory(8, pure=True)
    assert memory.exploitability == [2, 2, *[0] * 6]
    assert memory.means[2:] == [(0, 0)] * 6
    assert pure.exploitability == [2] * 8
    assert pure.means[:4] == pure.means[4:]
    assert len(set(pure.means)) == 4
    skew = gd.gans.dirac_memory(6, bound=2, start=("1/2", 1))
    assert skew.exploitability[-1] == 0
    assert skew.exploitability[0] == 2 * (Fraction(1, 2) + 1)  # each wins bound * |the other|
    with pytest.raises(DomainError, match="within"):
        gd.gans.dirac_memory(bound=1, start=(2, 0))


def test_on_the_minimax_dirac_gan_the_two_ends_against_zero_are_an_equilibrium():
    """The payoff L(theta phi) + L(0) is concave in theta: no answer to (half c, half -c) and 0 wins anything."""
    theta, phi, c = sympy.symbols("theta phi c", positive=True)
    game = gd.games.dirac_gan()
    payoff = (-game.exprs[1]).subs(dict(zip(game.symbols, (theta, phi), strict=True)))
    against_zero = payoff.subs(phi, 0)
    assert sympy.simplify(sympy.diff(against_zero, theta)) == 0
    mixture = (payoff.subs(theta, c) + payoff.subs(theta, -c)) / 2
    assert sympy.simplify(sympy.diff(mixture, phi).subs(phi, 0)) == 0
    second = sympy.diff(mixture, phi, 2).subs({c: 1})
    assert all(float(second.subs(phi, x)) < 0 for x in (0.1, 1.0, 3.0))  # concave: 0 is the best answer


class Pennies:
    """Matching pennies, whose answers are computed; strategies are 0 and 1."""

    def payoff(self, first, second):
        return Fraction(1 if first == second else -1)

    def respond(self, player, stored, weights):
        mean = sum(w * (1 if s == 0 else -1) for s, w in zip(stored, weights, strict=True))
        best = 0 if mean >= 0 else 1
        return 1 - best if player == 0 else best


def test_a_memory_finds_the_equilibrium_of_a_finite_game_and_its_exploitability_is_that_of_the_whole():
    memory = play(Pennies(), (0, 0), 5, "pennies")
    assert memory.value == 0
    assert memory.exploitability[-1] == 0
    for side, weights in zip(memory.strategies, memory.weights, strict=True):
        assert sum(w for s, w in zip(side, weights, strict=True) if s == 0) == Fraction(1, 2)


def test_payoffs_of_stored_networks_are_the_games_costs_and_answers_gain():
    game = gan("minimax", batch_size=64)
    oracle = GANOracle(game, 60, 0.02, 3, seed=0)
    first, second = game.split(game.w0.clone())
    costs = [-float(game.costs(game.w0, token)[1]) for token in oracle.tokens]
    before = oracle.payoff(first, second)
    assert before == pytest.approx(np.mean(costs), rel=1e-12)
    assert oracle.payoff(first, oracle.respond(1, [first], [1])) > before
    assert oracle.payoff(oracle.respond(0, [second], [1]), second) < before
    memory = gd.gans.nash_memory(game, rounds=2, steps=5)
    assert min(memory.exploitability) >= -1e-8
    assert sum(memory.weights[0]) == sum(memory.weights[1]) == 1
    again = gd.gans.nash_memory(game, rounds=2, steps=5)
    assert again.exploitability == memory.exploitability
    with pytest.raises(DomainError, match="zero-sum"):
        gd.gans.nash_memory(gan())


# --- Takagi-Sugeno ---------------------------------------------------------------------------------------------------


def test_a_takagi_sugeno_layer_is_its_rules_by_loops():
    layer = TakagiSugeno(3, 2, rules=4, generator=torch.Generator().manual_seed(0)).double()
    with torch.no_grad():
        layer.log_width.normal_(generator=torch.Generator().manual_seed(1))
        layer.bias.normal_(generator=torch.Generator().manual_seed(2))
        x = torch.tensor([0.3, -0.7, 1.1], dtype=torch.float64)
        degrees = np.array([
            np.exp(-sum(((float(x[i]) - float(layer.centers[r, i])) / np.exp(float(layer.log_width[r, i]))) ** 2
                        for i in range(3)) / 6)
            for r in range(4)
        ])  # fmt: skip
        degrees /= degrees.sum()
        expected = sum(d * (layer.weight[r] @ x + layer.bias[r]).numpy() for r, d in enumerate(degrees))
        np.testing.assert_allclose(layer(x[None])[0].numpy(), expected, rtol=1e-12)
        one = TakagiSugeno(3, 2, rules=1).double()
        torch.testing.assert_close(one(x[None])[0], one.weight[0] @ x + one.bias[0])


def test_fuzzy_rules_in_the_discriminator_of_the_dirac_gan_slow_its_turning_and_damp_nothing():
    """Logit -sum_r h_r(x) phi_r x: at 0 the flow has eigenvalues +-i f'(0) |h(0)|, and zeros, for any memberships."""
    theta, first, second, a = sympy.symbols("theta phi1 phi2 a", real=True)
    degree = 1 / (1 + sympy.exp(-theta + a))  # two Gaussian rules of one width: h_1, and h_2 = 1 - h_1
    slope = degree * first + (1 - degree) * second
    cost = sympy.log(1 + sympy.exp(-slope * theta))
    game = gd.games.from_sympy([-cost, cost], {"generator": [theta], "discriminator": [first, second]})
    jacobian = game.jacobian_expr.subs({theta: 0, first: 0, second: 0})
    h = degree.subs(theta, 0)
    found = sorted(jacobian.subs(a, sympy.Rational(1, 2)).eigenvals(), key=lambda z: sympy.im(z.evalf()))
    size = float(sympy.sqrt(h**2 + (1 - h) ** 2).subs(a, sympy.Rational(1, 2)))
    assert [complex(z) for z in found] == pytest.approx([-0.5j * size, 0, 0.5j * size], abs=1e-12)
    assert np.sqrt(0.5) <= size <= 1


def test_networks_of_the_memory_are_not_moved():
    pair = networks()
    game = gd.gans.GANGame(*pair, "minimax", data=gd.gans.ring(std=0.3), batch_size=8)
    before = [p.clone() for network in pair for p in network.parameters()]
    gd.gans.nash_memory(game, rounds=1, steps=2)
    assert all(torch.equal(a, b) for a, b in zip(before, (p for n in pair for p in n.parameters()), strict=True))
