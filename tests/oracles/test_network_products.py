"""Products with a network's Jacobian: adjoint, dense, by differences, repeated, and themselves differentiated."""

import numpy as np
import pytest
import torch
from small_gans import CASES, LR, gan, token

import gandyn as gd
from gandyn.oracles.field_graph import FieldGraph


@pytest.fixture(params=CASES.values(), ids=CASES)
def game(request):
    return request.param()


def test_products_are_adjoint_dense_and_differences(game):
    batch, w = token(game), game.w0
    rng = torch.Generator().manual_seed(1)
    u, t = (torch.randn(game.dim, generator=rng, dtype=w.dtype) for _ in range(2))
    forward, backward = game.jvp(w, u, batch), game.vjp(w, t, batch)
    assert float(t @ forward) == pytest.approx(float(u @ backward), rel=1e-11)
    dense = game.jacobian(w, batch)
    torch.testing.assert_close(dense @ u, forward, rtol=1e-11, atol=1e-13)
    torch.testing.assert_close(dense.T @ t, backward, rtol=1e-11, atol=1e-13)
    h = 1e-3
    one, two, four = (
        (game.field(w + s * h * u, batch) - game.field(w - s * h * u, batch)) / (2 * s * h) for s in (1, 2, 4)
    )
    difference = (16 * (4 * one - two) / 3 - (4 * two - four) / 3) / 15
    assert (difference - forward).abs().max() < 1e-8 * max(1.0, float(forward.abs().max()))


def test_coupling_and_parts_are_the_dense_ones(game):
    batch, w = token(game), game.w0
    u = torch.randn(game.dim, generator=torch.Generator().manual_seed(1), dtype=w.dtype)
    dense, first = game.jacobian(w, batch), game.slices[0].stop
    across = dense.clone()
    across[:first, :first] = across[first:, first:] = 0
    for found, matrix in zip(
        (game.coupling(w, u, batch), *game.parts(w, u, batch)),
        (across, (dense + dense.T) / 2, (dense - dense.T) / 2),
        strict=True,
    ):
        torch.testing.assert_close(found, matrix @ u, rtol=1e-11, atol=1e-13)
    for i, block in enumerate(game.slices):
        alone = game.coupling(w, u, batch, only=i)
        torch.testing.assert_close(alone[block], (across @ u)[block], rtol=1e-11, atol=1e-13)
        alone[block] = 0
        assert not alone.any()


def test_products_at_an_old_point_survive_other_evaluations(game):
    """The kept graph refers to the modules' parameters, which evaluations elsewhere overwrite in the meantime."""
    batch, w, u = token(game), game.w0, torch.linspace(-1, 1, game.dim, dtype=game.dtype)
    names = ("jvp", "vjp", "coupling")
    v = game.field_and_graph(w, batch)
    torch.testing.assert_close(v, game.field(w, batch), rtol=1e-12, atol=1e-15)
    expected = [getattr(game, name)(w, u, batch) for name in names]
    for name, value in zip(names, expected, strict=True):
        game.field(torch.full_like(w, 0.3), token(game, 1))
        torch.testing.assert_close(getattr(game, name)(w, u, batch), value, rtol=1e-13, atol=1e-15)
    moved = w.clone()
    game.jvp(moved, u, batch)
    moved += 0.1
    torch.testing.assert_close(game.jvp(moved, u, batch), game.jvp(w + 0.1, u, batch), rtol=1e-13, atol=1e-15)


def test_products_asked_again_are_the_same(game):
    """From the second J u on a general-sum game goes through the transposed product's graph, wherever it has been."""
    batch, w = token(game), game.w0
    dense = game.jacobian(w.clone(), batch)
    rng = torch.Generator().manual_seed(4)
    for _ in range(3):
        u = torch.randn(game.dim, generator=rng, dtype=w.dtype)
        game.field(torch.full_like(w, 0.3), token(game, 1))
        torch.testing.assert_close(game.jvp(w, u, batch), dense @ u, rtol=1e-11, atol=1e-13)
        symmetric, antisymmetric = game.parts(w, u, batch)
        torch.testing.assert_close(symmetric, (dense + dense.T) @ u / 2, rtol=1e-11, atol=1e-13)
        torch.testing.assert_close(antisymmetric, (dense - dense.T) @ u / 2, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("second", ["jvp", "parts"])
def test_repeated_products_keep_leading_axes_and_blocks_without_a_graph(second):
    """On an ensemble, with three players, one of whom has a linear cost: J by hand."""
    x, y, z = (torch.randn(5, k, generator=torch.Generator().manual_seed(k), dtype=torch.float64) for k in (2, 1, 1))
    blocks = [block.requires_grad_() for block in (x, y, z)]
    costs = (x.square().prod(-1) + y[:, 0] * x[:, 0], y[:, 0] ** 3 * z[:, 0], 2 * z[:, 0])
    graph = FieldGraph([[block] for block in blocks], costs, lead=1)
    with torch.no_grad():
        (a, b), y, z = x.unbind(-1), y[:, 0], z[:, 0]
        one, zero = torch.ones_like(y), torch.zeros_like(y)
        rows = [2 * b * b, 4 * a * b, one, zero], [4 * a * b, 2 * a * a, zero, zero], [zero, zero, 6 * y * z, 3 * y * y]
        dense = torch.stack([torch.stack(row, -1) for row in (*rows, [zero] * 4)], -2)
    u = torch.linspace(-1, 2, 20, dtype=torch.float64).view(5, 4)

    def times(matrix):
        return (matrix @ u.unsqueeze(-1)).squeeze(-1)

    torch.testing.assert_close(graph.jvp(u), times(dense), rtol=1e-13, atol=1e-14)
    if second == "jvp":
        torch.testing.assert_close(graph.jvp(u), times(dense), rtol=1e-13, atol=1e-14)
        return
    for found, sign in zip(graph.parts(u), (1, -1), strict=True):
        torch.testing.assert_close(found, times(dense + sign * dense.mT) / 2, rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("name", ["jvp", "vjp", "coupling", "parts"])
def test_products_can_be_differentiated(game, name):
    """In u they are linear, so that autograd gives the adjoint; in w, the slope is that of differences."""
    batch, w = token(game), game.w0
    rng = torch.Generator().manual_seed(2)
    u, t = (torch.randn(game.dim, generator=rng, dtype=w.dtype) for _ in range(2))

    def product(w, u):
        found = getattr(game, name)(w, u, batch)
        return found[0] + 2 * found[1] if name == "parts" else found

    along = u.clone().requires_grad_()
    (pulled,) = torch.autograd.grad(product(w, along) @ t, along)
    assert float(pulled @ u) == pytest.approx(float(product(w, u) @ t), rel=1e-11)
    at, h = w.clone().requires_grad_(), 1e-3
    value = product(at, u)
    torch.testing.assert_close(value.detach(), product(w, u), rtol=1e-11, atol=1e-13)
    (slope,) = torch.autograd.grad(value @ t, at)
    one, two, four = (
        float((product(w + s * h * t, u) - product(w - s * h * t, u)) @ t) / (2 * s * h) for s in (1, 2, 4)
    )
    assert float(slope @ t) == pytest.approx((16 * (4 * one - two) / 3 - (4 * two - four) / 3) / 15, rel=1e-6)


def test_the_field_can_be_differentiated(game):
    """Where w requires gradients, the same numbers come with a graph: autograd of the field is the vjp."""
    batch, w = token(game), game.w0.clone().requires_grad_()
    v = game.field(w, batch)
    torch.testing.assert_close(v.detach(), game.field(w.detach(), batch), rtol=1e-12, atol=1e-15)
    u = torch.linspace(-1, 1, game.dim, dtype=w.dtype)
    (slope,) = torch.autograd.grad(v @ u, w)
    torch.testing.assert_close(slope, game.vjp(w.detach(), u, batch), rtol=1e-11, atol=1e-14)


def test_a_rules_step_can_be_differentiated():
    """d(extragradient step)/dw along u is (I - h J(w')(I - h J(w))) u."""
    game = gan(batch_size=4)
    batch, w = token(game), game.w0.clone().requires_grad_()
    u = torch.linspace(-1, 1, game.dim, dtype=w.dtype)
    step = gd.rules.Extragradient(LR).step(game, w, gd.types.State(), np.random.default_rng(0))[0]
    pulled = torch.autograd.grad(step @ u, w)[0]
    w = w.detach()
    inner = LR * game.vjp(w - LR * game.field(w, batch), u, batch)
    expected = u - inner + LR * game.vjp(w, inner, batch)
    torch.testing.assert_close(pulled, expected, rtol=1e-11, atol=1e-14)


def test_composed_attention_has_torchs_defaults():
    from gandyn.oracles.composite import attention

    rng = torch.Generator().manual_seed(0)
    q, k, v = (torch.randn(2, 3, 5, 4, generator=rng, dtype=torch.float64) for _ in range(3))
    torch.testing.assert_close(attention(q, k, v), torch.nn.functional.scaled_dot_product_attention(q, k, v))
