"""Derivatives of every registered game by independent routes: expressions, autograd of lowered code, differences."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sympy import N, Rational

from catalogue import GAMES, finite_differences, game, label, points, seeded
from gandyn.worlds import NUMPY, SYMBOLS, TORCH

SMOOTH = 1e-8  # agreement with Richardson-extrapolated differences, relative to the size of what is differentiated
every_game = pytest.mark.parametrize("case", GAMES, ids=label)


def prepared(case, n=6):
    """(game, smooth feasible points, batch token)."""
    g = game(case)
    return g, points(g, n, "jacobians"), g.draw(np.random.default_rng(0))


def close(a, b, rtol, scale=0.0):
    """Agreement relative to the largest entry at each point, with an absolute floor of rtol times `scale`."""
    a, b = np.asarray(a), np.asarray(b)
    size = np.maximum(np.abs(a), np.abs(b)).reshape(len(a), -1).max(-1)
    error = np.abs(a - b).reshape(len(a), -1).max(-1)
    assert (error <= rtol * np.maximum(size, 1 + scale)).all(), f"off by {(error / (1 + size)).max():.1e}"


def smooth_here(function, w, h=1e-3):
    """Points without a kink within reach of the differences: one-sided slopes agree to first order."""
    keep = np.ones(len(w), bool)
    for k in range(w.shape[-1]):
        unit = np.eye(w.shape[-1])[k]
        right, left = (function(w + h * unit) - function(w)) / h, (function(w) - function(w - h * unit)) / h
        wider = (function(w + 2 * h * unit) - function(w)) / (2 * h)
        jump, curvature = np.abs(right - left), np.abs(wider - right)
        keep &= (jump <= 10 * curvature + 1e-6 * (1 + np.abs(right))).reshape(len(w), -1).all(-1)
    return keep


@every_game
def test_the_field_is_the_gradient_of_each_players_own_cost(case):
    """v_i = df_i/dx_i: by differences of the costs; all of df_i/dw against `cost_gradients`."""
    g, w, batch = prepared(case)

    def costs(z):
        return np.stack(g.costs(z, batch), axis=-1)

    w = w if g.smooth else w[smooth_here(costs, w)]
    assert len(w) >= 2
    slopes = finite_differences(costs, w)  # (..., players, d)
    scale = np.abs(costs(w)).max()
    gradients = np.moveaxis(g.cost_gradients(w, batch), 0, -2)
    close(gradients, slopes, SMOOTH, scale)
    own = np.concatenate([slopes[..., i, block] for i, block in enumerate(g.slices)], axis=-1)
    close(g.field(w, batch), own, SMOOTH, scale)
    for i, block in enumerate(g.slices):
        np.testing.assert_array_equal(gradients[..., i, block], g.field(w, batch)[..., block])


@every_game
def test_the_jacobian_by_expressions_autograd_and_differences(case):
    g, w, batch = prepared(case)
    w = w if g.smooth else w[smooth_here(lambda z: g.field(z, batch), w)]
    assert len(w) >= 2
    dense = g.jacobian(w, batch)
    close(dense, finite_differences(lambda z: g.field(z, batch), w), SMOOTH, np.abs(g.field(w, batch)).max())
    if SYMBOLS in g.worlds:
        exact = [g.jacobian(np.array([Rational(x) for x in z], dtype=object), batch) for z in w.tolist()]
        close(dense, np.array([[[N(e, 30) for e in row] for row in m] for m in exact], dtype=float), 1e-12)
    if TORCH in g.worlds:
        at = torch.tensor(w, dtype=torch.float64)
        rows = [torch.autograd.functional.jacobian(lambda z: g.field(z, batch), z, vectorize=False) for z in at]
        close(dense, torch.stack(rows).numpy(), 1e-10)
        own = torch.stack([_own_gradients(g, z, batch) for z in at])
        close(g.field(w, batch), own.numpy(), 1e-10)


def _own_gradients(g, z, batch):
    """v from autograd on the costs."""
    z = z.clone().requires_grad_()
    rows = [torch.autograd.grad(c, z, retain_graph=True, materialize_grads=True)[0] for c in g.costs(z, batch)]
    return torch.cat([row[block] for row, block in zip(rows, g.slices, strict=True)])


@every_game
def test_products_are_adjoint_and_match_the_dense_jacobian(case):
    """<u, J v> = <J^T u, v> to rounding, and both products are the dense ones, in NumPy and in torch."""
    g, w, batch = prepared(case)
    rng = seeded("directions", g.name, g.dim)
    u, v = rng.normal(size=(2, *w.shape))
    dense = g.jacobian(w, batch)
    scale = np.abs(dense).max() * g.dim
    assert np.abs(g.jvp(w, v, batch) - (dense @ v[..., None])[..., 0]).max() <= 1e-12 * (1 + scale) * 4
    assert np.abs(g.vjp(w, u, batch) - (u[..., None, :] @ dense)[..., 0, :]).max() <= 1e-12 * (1 + scale) * 4
    left, right = (u * g.jvp(w, v, batch)).sum(-1), (g.vjp(w, u, batch) * v).sum(-1)
    assert np.abs(left - right).max() <= 1e-12 * (1 + scale) * 4
    if TORCH in g.worlds and NUMPY in g.worlds:
        tw, tu, tv = (torch.tensor(a, dtype=torch.float64) for a in (w, u, v))
        close(g.jvp(tw, tv, batch).numpy(), g.jvp(w, v, batch), 1e-12, scale)
        close(g.vjp(tw, tu, batch).numpy(), g.vjp(w, u, batch), 1e-12, scale)


@every_game
def test_coupling_and_parts_are_those_of_the_dense_jacobian(case):
    """J_o u without the diagonal blocks, S u and A u, in every world; of one player, its block and zeros elsewhere."""
    g, w, batch = prepared(case)
    u = seeded("parts", g.name, g.dim).normal(size=w.shape)
    dense = g.jacobian(w, batch)
    own = np.zeros((g.dim, g.dim))
    for block in g.slices:
        own[block, block] = 1
    scale = np.abs(dense).max() * g.dim
    turned = np.swapaxes(dense, -1, -2)
    expected = [(m @ u[..., None])[..., 0] for m in (dense * (1 - own), (dense + turned) / 2, (dense - turned) / 2)]
    routes = [lambda z: z]
    if TORCH in g.worlds:
        routes.append(lambda z: torch.tensor(z, dtype=torch.float64))
    for enter in routes:
        coupled = g.coupling(enter(w), enter(u), batch)
        for found, value in zip((coupled, *g.parts(enter(w), enter(u), batch)), expected, strict=True):
            close(found, value, 1e-12, 4 * scale)
        for i, block in enumerate(g.slices):
            alone = np.asarray(g.coupling(enter(w), enter(u), batch, only=i)).copy()
            close(alone[..., block], expected[0][..., block], 1e-12, 4 * scale)
            alone[..., block] = 0
            assert not alone.any()
    if SYMBOLS in g.worlds:
        at, along = (np.array([Rational(x) for x in z], dtype=object) for z in (w[0].tolist(), u[0].tolist()))
        for found, value in zip((g.coupling(at, along, batch), *g.parts(at, along, batch)), expected, strict=True):
            close(np.array([[N(e, 30) for e in found]], dtype=float), value[:1], 1e-12, 4 * scale)
    view = g.restrict(0, w)
    symmetric, antisymmetric = view.parts(view.block, u[..., g.slices[0]], batch)
    close(symmetric, view.jvp(view.block, u[..., g.slices[0]], batch), 1e-12, scale)
    assert not np.any(antisymmetric)
    assert not np.any(view.coupling(view.block, u[..., g.slices[0]], batch))


@every_game
def test_one_players_block_and_view(case):
    """`only=` gives one block and zeros elsewhere, for one player's price; `restrict` is that player's own problem."""
    g, w, batch = prepared(case)
    v = g.field(w, batch)
    for i, (player, block) in enumerate(zip(g.players, g.slices, strict=True)):
        alone = g.field(w, batch, only=i)
        np.testing.assert_array_equal(alone, g.field(w, batch, only=player.name))
        np.testing.assert_allclose(alone[..., block], v[..., block], rtol=1e-14)
        alone[..., block] = 0
        assert not alone.any()
        view = g.restrict(player.name, w)
        assert view.dim == player.size
        x = view.block
        np.testing.assert_array_equal(view.embed(x), w)
        np.testing.assert_allclose(view.field(x, batch), v[..., block], rtol=1e-14)
        np.testing.assert_array_equal(view.costs(x, batch)[0], g.costs(w, batch)[i])
        own = g.jacobian(w, batch)[..., block, block]
        e = seeded("view", i).normal(size=x.shape)
        expected = (own @ e[..., None])[..., 0]
        np.testing.assert_allclose(view.jvp(x, e, batch), expected, atol=1e-11 * (1 + np.abs(own).max()))
        np.testing.assert_allclose(view.vjp(x, e, batch), expected, atol=1e-11 * (1 + np.abs(own).max()))  # symmetric


@every_game
def test_the_oracle_counts_what_it_is_asked(case):
    g, w, batch = prepared(case, n=2)
    n = len(g.players)

    def spent(call):
        before = g.counts - type(g.counts)(players=n)
        call()
        used = g.counts - before
        return used.player_gradients, used.jvps, used.vjps

    assert spent(lambda: g.field(w, batch)) == (n, 0, 0)
    assert spent(lambda: g.field(w, batch, only=0)) == (1, 0, 0)
    assert spent(lambda: g.jvp(w, w, batch)) == (0, 1, 0)
    assert spent(lambda: g.vjp(w, w, batch)) == (0, 0, 1)
    assert spent(lambda: g.coupling(w, w, batch)) == (0, n, 0)
    assert spent(lambda: g.coupling(w, w, batch, only=0)) == (0, 1, 0)
    assert spent(lambda: g.parts(w, w, batch)) == (0, 1, 1)
    assert spent(lambda: g.cost_gradients(w, batch)) == (n, 0, 0)
    assert spent(lambda: g.costs(w, batch)) == (0, 0, 0)
    assert spent(lambda: g.restrict(0, w).field(g.restrict(0, w).block, batch)) == (1, 0, 0)
