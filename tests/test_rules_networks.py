"""The catalogue on a network game: the same rule objects, on flat parameters, against dense formulas."""

from __future__ import annotations

import functools

import numpy as np
import pytest
import torch

import gandyn as gd

R = gd.rules
CASES = [(entry.name, k) for entry in R.registry for k in range(len(entry.build.examples()))]


@functools.cache
def ring(loss="nonsaturating"):
    torch.manual_seed(0)
    pair = (module.double() for module in gd.gans.mlp_pair(hidden=(4,)))
    return gd.gans.GANGame(*pair, loss, data=gd.gans.ring(), batch_size=16)


def move(rule, game, w, seed=0):
    rng = np.random.default_rng(seed)
    return rule.step(game, w, rule.init(game, w, rng), rng)


@pytest.mark.parametrize(("name", "k"), CASES)
def test_every_rule_trains_a_small_gan_or_says_why_not(name, k):
    """Three steps that move and stay finite; zero-sum rules on the minimax loss, deterministic ones refuse by name."""
    rule = list(R.registry[name].build.examples())[k]
    game = ring("minimax" if rule.domain.zero_sum else "nonsaturating")
    if rule.domain.deterministic:
        with pytest.raises(gd.errors.DomainError, match=f"{name} on GAN of ring of 8, a stochastic game"):
            rule.check(game)
        return
    found = gd.iterate(game, rule, game.w0, 3, record="last")
    assert torch.isfinite(found.w).all()
    assert (found.w - game.w0).norm() > 1e-4


def formulas(rule, game, w, batch):
    """w+ with the dense Jacobian, for rules that solve or multiply."""
    j, v, lr = game.jacobian(w, batch), game.field(w, batch), rule.lr
    eye = torch.eye(game.dim, dtype=w.dtype)
    own = torch.block_diag(*(torch.ones(p.size, p.size, dtype=w.dtype) for p in game.players))
    off = j * (1 - own)
    x, y = game.slices
    match rule.name:
        case "Consensus":
            return w - lr * (v + rule.gamma * j.T @ v)
        case "SGA":
            return w - lr * (v + rule.lam * (j.T - j) @ v / 2)
        case "CompetitiveGD":
            return w - lr * torch.linalg.solve(eye + lr * off, v)
        case "LinearizedCGD":
            return w - lr * v + lr**2 * off @ v
        case "LocalSymplecticSurgery":
            shift = rule.regularization * (1 - torch.exp(-v @ v))
            return w - lr * (v + j.T @ torch.linalg.solve(j.T @ j + shift * eye, j.T @ v)) / 2
        case "FollowTheRidge":
            correction = torch.linalg.solve(j[y, y], j[y, x] @ (lr * v[x]))
            return torch.cat([w[x] - lr * v[x], w[y] - lr * v[y] + correction])
    raise AssertionError(rule.name)


@pytest.mark.parametrize(
    ("rule", "loss"),
    [
        (R.Consensus(0.1, 0.5), "nonsaturating"),
        (R.SGA(0.1, 0.5, align=False), "nonsaturating"),
        (R.CompetitiveGD(0.3), "nonsaturating"),
        (R.CompetitiveGD(0.3, solver="krylov", tolerance=1e-12), "nonsaturating"),
        (R.CompetitiveGD(0.3, solver="krylov", tolerance=1e-12), "minimax"),
        (R.LinearizedCGD(0.3), "nonsaturating"),
        (R.LocalSymplecticSurgery(0.1), "nonsaturating"),
        (R.FollowTheRidge(0.1), "minimax"),
        (R.LocalSymplecticSurgery(0.1, solver="krylov", tolerance=1e-12), "nonsaturating"),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_products_and_solves_on_networks_are_the_dense_ones(rule, loss):
    game = ring(loss)
    moved, _, _ = move(rule, game, game.w0)
    expected = formulas(rule, game, game.w0, game.draw(np.random.default_rng(0)))
    assert (expected - game.w0).norm() > 1e-3
    torch.testing.assert_close(moved, expected, rtol=1e-8, atol=1e-9)


def test_the_proximal_step_on_a_network():
    game, rule = ring(), R.ProximalPoint(0.3)
    moved, _, info = move(rule, game, game.w0)
    residual = rule.residual(game, moved, game.w0, game.draw(np.random.default_rng(0)))
    assert residual.norm() < 1e-10
    assert info["iterations"] > 1


def test_centralised_steps_keep_the_row_means_of_every_weight_matrix():
    game = ring()
    moved, _, _ = move(R.GradientCentralization(R.GDA(0.1)), game, game.w0)
    start, changed = 0, False
    for shape in (shape for player in game.tensor_shapes for shape in player):
        size = int(np.prod(shape))
        before, after = (w[start : start + size].reshape(shape) for w in (game.w0, moved))
        if len(shape) == 2:
            torch.testing.assert_close(after.mean(1), before.mean(1), rtol=0, atol=1e-14)
            changed |= bool((after - before).norm() > 1e-4)
        start += size
    assert changed
    assert start == game.dim
