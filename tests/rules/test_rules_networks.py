"""The catalogue on a network game: the same rule objects, on flat parameters, against dense formulas."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
import torch

import gandyn as gd

R = gd.rules
CASES = [(entry.name, k) for entry in R.registry for k in range(len(entry.build.examples()))]


def ring(loss="nonsaturating", hidden=(4,)):
    pair = (module.double() for module in gd.gans.mlp_pair(hidden=hidden))
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


def test_symplectic_steps_with_alignment_are_the_dense_ones():
    """Either sign of the adjustment occurs, and the step is the formula's."""
    signs = set()
    for loss, seed in itertools.product(("minimax", "nonsaturating"), range(6)):
        game = ring(loss)
        w = game.w0 + (0.2 + 0.1 * seed) * torch.randn(
            game.dim, generator=torch.Generator().manual_seed(seed), dtype=game.dtype
        )
        batch = game.draw(np.random.default_rng(0))
        j, v = game.jacobian(w, batch), game.field(w, batch)
        gradient, adjustment = j.T @ v, (j.T - j) @ v / 2
        sign = torch.sign((v @ gradient) * (adjustment @ gradient) / game.dim + 1e-6)
        moved, _, _ = move(R.SGA(0.1, 0.5, alignment=1e-6), game, w)
        torch.testing.assert_close(moved, w - 0.1 * (v + 0.5 * sign * adjustment), rtol=1e-9, atol=1e-10)
        signs.add(float(sign))
    assert signs == {-1.0, 1.0}


@pytest.mark.parametrize("loss", ["minimax", "nonsaturating"])
def test_competitive_steps_are_solved_to_their_tolerance_from_the_last_move(loss):
    """The residual of (I + lr J_o) u = -lr v by a product of its own; the answer is the next first guess."""
    game, lr = ring(loss), 0.3
    residuals = []
    for tolerance in (1e-2, 1e-5, 1e-9):
        rule = R.CompetitiveGD(lr, solver="krylov", tolerance=tolerance)
        moved, state, info = move(rule, game, game.w0)
        u, v, batch = moved - game.w0, info["field"], game.draw(np.random.default_rng(0))
        residual = (u + lr * game.coupling(game.w0, u, batch) + lr * v).norm() / (lr * v).norm()
        assert 0 < info["iterations"] < game.dim
        assert info["residual"] <= tolerance
        assert residual <= 2 * tolerance
        residuals.append(float(residual))
        again, _, info = rule.step(game, game.w0, state, np.random.default_rng(0))
        assert info["iterations"] <= 1
        torch.testing.assert_close(again, moved, rtol=0, atol=10 * tolerance * float(u.norm()))
    assert residuals[0] > 10 * residuals[2]
    _, _, cut = move(R.CompetitiveGD(3.0, solver="krylov", tolerance=1e-12, limit=1), game, game.w0)
    assert cut["iterations"] == 1
    assert cut["residual"] > 1e-12


@pytest.mark.parametrize(("name", "k"), CASES)
def test_no_step_on_networks_builds_a_dense_jacobian(name, k, monkeypatch):
    """Neither by name nor product by product: a step asks for fewer products than there are parameters."""
    rule = list(R.registry[name].build.examples())[k]
    if rule.domain.deterministic:
        return
    if name == "ProximalPoint":  # Newton's steps cross no kink of the networks in a short step
        rule = dataclasses.replace(rule, lr=1e-3)
    game = ring("minimax" if rule.domain.zero_sum else "nonsaturating", (16, 12))

    def refuse(*arguments):
        raise AssertionError("a dense Jacobian of networks")

    monkeypatch.setattr(type(game), "jacobian", refuse)
    monkeypatch.setattr(gd.types.RestrictedGame, "jacobian", refuse)
    monkeypatch.setattr(gd.worlds, "solve_dense", refuse)
    monkeypatch.setattr(R.linear_systems, "dense", refuse, raising=False)
    move(rule, game, game.w0)
    assert game.counts.jvps + game.counts.vjps < game.dim


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
