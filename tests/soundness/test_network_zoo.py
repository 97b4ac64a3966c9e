"""Products with J of every layer in the zoo, under every penalty, in both modes: derivatives of `game.field`."""

import itertools

import network_zoo as zoo
import numpy as np
import pytest
import torch

import gandyn as gd
from gandyn.oracles import composite

MODES = {"train": True, "eval": False}
ALL = list(itertools.product(zoo.LAYERS, zoo.PENALTIES, MODES))
FEW = [
    (layer, penalty, mode)
    for (layer, penalty), mode in zip(
        zip(zoo.LAYERS, itertools.cycle(["R1", "WGAN-GP", "none", "DRAGAN", "R2", "0-GP", "R1"])),
        itertools.cycle(["train", "train", "eval"]),
    )
]  # a case for each layer; the rest is slow
STEPS = (1e-4, 1e-5, 1e-6, 1e-7)


def differences(game, w, batch, u, product):
    """For each player's block, the least relative difference between J u and central differences, over step sizes."""
    best = np.full(len(game.players), np.inf)
    for h in STEPS:
        near, far = (game.field(w + s * h * u, batch) - game.field(w - s * h * u, batch) for s in (1, 2))
        slope = (8 * near - far) / (12 * h)
        size = max(float(slope.norm()), 1e-3)
        errors = [float((slope - product)[rows].norm()) / size for rows in game.slices]
        best = np.minimum(best, errors)
        if best.max() < 1e-8:
            break
    return best


def hold_to_differences(game, tolerance=1e-6):
    batch, w = game.draw(np.random.default_rng(0)), game.w0.clone()
    game._held_to_differences = True  # which the game would do by itself before its first product
    rng = torch.Generator().manual_seed(5)
    u, t = (torch.randn(game.dim, generator=rng, dtype=torch.float64) for _ in range(2))
    product, adjoint = game.jvp(w, u, batch), game.vjp(w, t, batch)
    assert float(product.norm()) > 1e-3
    assert differences(game, w, batch, u, product).max() < tolerance
    scale = float(t.norm() * product.norm())
    assert abs(float(t @ product) - float(adjoint @ u)) < 1e-10 * scale
    symmetric, antisymmetric = game.parts(w, u, batch)
    torch.testing.assert_close(symmetric + antisymmetric, product, rtol=1e-8, atol=1e-10)
    torch.testing.assert_close(symmetric - antisymmetric, game.vjp(w, u, batch), rtol=1e-8, atol=1e-10)
    own = torch.cat([game.restrict(i, w).jvp(w[rows], u[rows], batch) for i, rows in enumerate(game.slices)])
    torch.testing.assert_close(product - game.coupling(w, u, batch), own, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize(("layer", "penalty", "mode"), FEW)
def test_products_are_derivatives_of_the_field(layer, penalty, mode):
    hold_to_differences(zoo.make(layer, penalty, MODES[mode]))


@pytest.mark.slow
@pytest.mark.parametrize(("layer", "penalty", "mode"), ALL)
def test_products_are_derivatives_of_the_field_everywhere(layer, penalty, mode):
    hold_to_differences(zoo.make(layer, penalty, MODES[mode]))


@pytest.mark.slow
@pytest.mark.parametrize("penalty", zoo.PENALTIES)
@pytest.mark.parametrize("layer", ["BatchNorm1d", "weight norm, new", "LSTM", "attention", "spectral norm, old"])
def test_zero_sum_games_and_differentiable_steps(layer, penalty):
    """Of a zero-sum loss; and the field itself under autograd, as differentiated steps use it."""
    game = zoo.make(layer, penalty, loss="wasserstein")
    hold_to_differences(game)
    batch, w = game.draw(np.random.default_rng(0)), game.w0.clone()
    u = torch.linspace(-1, 1, game.dim, dtype=torch.float64)
    leaf = w.clone().requires_grad_()
    (pulled,) = torch.autograd.grad(game.field(leaf, batch) @ u, leaf)
    torch.testing.assert_close(pulled, game.vjp(w, u, batch), rtol=1e-9, atol=1e-11)


def test_the_dcgan_whose_products_were_wrong():
    """BatchNorm in the discriminator under R1: 50 to 150 % off by torch's own third derivatives."""
    build = gd.gans.architectures
    discriminator = build.dcgan_discriminator((1, 16, 16), width=2, norm="batch")
    generator = build.dcgan_generator((1, 16, 16), latent=4, width=2)
    points = torch.randn(32, 1, 16, 16, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    game = gd.gans.GANGame(generator.double(), discriminator.double(), "nonsaturating", "R1(1.0)", points, 8, 4)
    hold_to_differences(game)


def test_formulas_written_out_have_the_kernels_values():
    """Same values, same random numbers, same buffers; torch's hardsigmoid has its 1/6 in single precision."""
    for layer in zoo.LAYERS:
        game = zoo.make(layer, "none")
        batch = game.draw(np.random.default_rng(0))
        plain, kept = game.field(game.w0, batch), game._module_state.pending
        game._composite = True
        torch.testing.assert_close(game.field(game.w0, batch), plain, rtol=2e-8, atol=1e-9, msg=layer)
        for a, b in zip(kept or (), game._module_state.pending or (), strict=True):
            torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-12, msg=layer)


def test_consensus_and_sga_steps_use_these_products():
    """w+ = w - lr (v + gamma J^T v) and v - lambda A v by hand, with J from differences."""
    game = zoo.make("BatchNorm1d", "R1")
    w, batch = game.w0.clone(), game.draw(np.random.default_rng(0))
    d, h = game.dim, 1e-4
    columns = []
    for k in range(d):
        e = torch.zeros(d, dtype=torch.float64)
        e[k] = h
        near, far = (game.field(w + s * e, batch) - game.field(w - s * e, batch) for s in (1, 2))
        columns.append((8 * near - far) / (12 * h))
    jacobian, v = torch.stack(columns, 1), game.field(w, batch)
    torch.testing.assert_close(game.jacobian(w, batch), jacobian, rtol=1e-6, atol=1e-7)
    consensus = gd.rules.Consensus(0.1, 0.5).step(game, w, gd.types.State(), np.random.default_rng(0))[0]
    torch.testing.assert_close(consensus, w - 0.1 * (v + 0.5 * jacobian.T @ v), rtol=1e-6, atol=1e-8)


def test_a_batch_of_one_norm_and_half_precision():
    """The formulas take what the kernels take: an eps, a momentum, half precisions, one point in evaluation mode."""
    x = torch.randn(6, 4, 3, generator=torch.Generator().manual_seed(0))
    for dtype in (torch.float32, torch.bfloat16):
        found = composite.batch_norm(x.to(dtype), None, None, training=True, eps=0.1)
        expected = torch.nn.functional.batch_norm(x.to(dtype), None, None, training=True, eps=0.1)
        assert found.dtype == dtype
        torch.testing.assert_close(found, expected, rtol=2e-2 if dtype == torch.bfloat16 else 1e-5, atol=1e-5)
    layer = torch.nn.BatchNorm1d(4, momentum=None).eval()
    with composite.composite_formulas():
        torch.testing.assert_close(layer(x[:1]), x[:1] / (1 + layer.eps) ** 0.5, rtol=1e-6, atol=1e-7)
    rows, weights = torch.tensor([0, 2, 1, 1, 0]), torch.randn(3, 4)
    for options in ({"mode": "sum"}, {"mode": "mean"}, {"mode": "mean", "padding_idx": 1}):
        offsets = torch.tensor([0, 2])
        torch.testing.assert_close(
            composite.embedding_bag(rows, weights, offsets, **options),
            torch.nn.functional.embedding_bag(rows, weights, offsets, **options),
        )
    for p in (0.5, 1.0, 2.0, 3.0, float("inf")):
        torch.testing.assert_close(
            composite.cdist(weights, weights, p), torch.cdist(weights, weights, p), atol=1e-3, rtol=1e-4
        )
        torch.testing.assert_close(composite.pdist(weights, p), torch.pdist(weights, p))
