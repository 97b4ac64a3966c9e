"""Wherever a spectrum or a linearisation of a network is reported, a product was held to differences of the field."""

import warnings

import network_zoo as zoo
import numpy as np
import pytest
import torch
from torch import nn

import gandyn as gd
from gandyn.oracles.product_check import check_products


class Detached(nn.Module):
    """A layer whose derivative is not that of its values: the root of its output is held constant."""

    def forward(self, x):
        return x * torch.tanh(x).detach()


class Straight(torch.autograd.Function):
    """Rounding that passes gradients straight through."""

    @staticmethod
    def forward(context, x):
        return torch.sin(x)

    @staticmethod
    def backward(context, gradient):
        return gradient


class StraightThrough(nn.Module):
    def forward(self, x):
        return Straight.apply(x)


class OwnSpectralNorm(nn.Module):
    """As in much public code: its vector follows the weight in every pass."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(5, 5))
        self.register_buffer("u", torch.randn(5))

    def forward(self, x):
        with torch.no_grad():
            v = nn.functional.normalize(self.weight.T @ self.u, dim=0)
            self.u = nn.functional.normalize(self.weight @ v, dim=0)
        return x @ (self.weight / (self.u @ self.weight @ v)).T


class Renormalised(nn.Module):
    """An embedding that shortens its own rows as they are looked up."""

    def __init__(self):
        super().__init__()
        self.rows = nn.Embedding(3, 5, max_norm=0.5)

    def forward(self, x):
        return x * self.rows(torch.arange(len(x)) % 3)


def with_layer(layer, dtype=torch.float64, penalty=None):
    torch.manual_seed(0)
    generator = nn.Sequential(nn.Linear(2, 5), nn.Tanh(), nn.Linear(5, 2)).to(dtype)
    discriminator = nn.Sequential(nn.Linear(2, 5), layer, nn.Tanh(), nn.Linear(5, 1)).to(dtype)
    return gd.gans.GANGame(generator, discriminator, "nonsaturating", penalty, gd.gans.ring(), batch_size=8, latent=2)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("layer", [Detached, StraightThrough, OwnSpectralNorm, Renormalised])
def test_layers_that_misstate_their_derivative_are_refused(layer, dtype):
    game = with_layer(layer(), dtype)
    for ask in (
        lambda: game.jvp(game.w0, game.w0, game.reference),
        lambda: gd.spectrum(game, game.w0),
        lambda: gd.rules.Consensus(0.1, 0.5).step(game, game.w0, gd.types.State(), np.random.default_rng(0)),
    ):
        with pytest.raises(gd.errors.NotDifferentiableError, match="not derivatives of its field"):
            ask()
    assert torch.isfinite(game.field(game.w0)).all()


def test_what_torch_cannot_differentiate_is_refused_by_name():
    def margin(x, p):
        return nn.functional.multi_margin_loss(x * p, torch.arange(8) % 5, reduction="none").unsqueeze(1).expand(-1, 5)

    game = with_layer(zoo.Function(margin, 5))
    assert torch.isfinite(game.field(game.w0)).all()
    with pytest.raises(gd.errors.NotDifferentiableError, match="multi_margin_loss_backward"):
        game.vjp(game.w0, game.w0)
    with pytest.raises(gd.errors.NotDifferentiableError, match="multi_margin_loss_backward"):
        with_layer(zoo.Function(margin, 5), penalty="R1(1.0)")


class Counts(nn.Module):
    """A forward pass that is another one every time."""

    calls = 0

    def forward(self, x):
        self.calls += 1
        return x * (1 + 0.1 * self.calls)


def test_a_field_that_is_no_function_of_w_is_warned_of():
    game = with_layer(Counts())
    with pytest.warns(UserWarning, match="differs from call to call"):
        game.jvp(game.w0, game.w0, game.reference)
    found = gd.spectrum(game, game.w0, confirm=False)
    assert found.product_error != found.product_error
    assert not found.converged


def test_lazy_layers_reentrant_checkpoints_and_constant_critics_are_named():
    with pytest.raises(gd.errors.GameError, match="lazy layers"):
        with_layer(nn.LazyLinear(5))
    checkpoint = zoo.Function(lambda x, p: torch.utils.checkpoint.checkpoint(torch.sin, x * p, use_reentrant=True), 5)
    with pytest.raises(gd.errors.NotDifferentiableError, match="use_reentrant"):
        with_layer(checkpoint)
    with pytest.raises(gd.errors.GameError, match="cost of player generator does not depend"):
        with_layer(zoo.Function(lambda x, p: x.detach() + p, 5), penalty="R1(1.0)")


def test_scripted_layers_keep_their_kernels_and_are_refused_where_those_are_wrong():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        layer = torch.jit.script(nn.BatchNorm1d(5).double())
    game = with_layer(layer, penalty="R1(1.0)")
    with pytest.raises(gd.errors.NotDifferentiableError, match="not derivatives of its field"):
        game.vjp(game.w0, game.w0)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_a_spectrum_says_how_far_its_products_are_from_differences(dtype):
    game = zoo.make("BatchNorm1d", "R1", dtype=dtype)
    found = gd.spectrum(game, game.w0, which="LM", confirm=False)
    assert found.converged
    assert found.product_error < 1e-6
    assert found.check.precision == "double"
    assert found.to_dict()["product_error"] == found.product_error
    assert "against differences of the field" in found.summary()
    counted = game.counts.fields
    assert check_products(game, game.w0, game.reference).error < 1e-6
    assert game.counts.fields == counted


def test_a_spectrum_of_a_map_is_held_to_the_step():
    game = zoo.make("LayerNorm", "R1")
    rule = gd.rules.Consensus(0.01, 0.1)
    found = gd.spectrum(game, game.w0, rule=rule, confirm=False)
    assert 0 < found.product_error < 1e-6
    wrong = gd.spectrum(gd.games.from_torch(lambda x, y: (torch.sin(x) * y.detach() + x * y).sum(-1), {"x": 1, "y": 1}),
                        [0.3, 0.4], confirm=False)  # fmt: skip
    assert wrong.product_error > 0.01
    assert not wrong.converged
    assert "Not confirmed" in wrong.summary()


def test_a_linearisation_says_so_too():
    game = zoo.make("weight norm, new", "R1")
    for rule in (None, gd.rules.GDA(0.1), gd.rules.Extragradient(0.1)):
        found = gd.linearize(game, rule, game.w0)
        assert found.product_error < 1e-6
        assert found.to_dict()["product_error"] == found.product_error
    bad = gd.games.from_torch(lambda x, y: (x * y + x * y.detach() ** 3).sum(-1), {"x": 1, "y": 1})
    found = gd.linearize(bad, gd.rules.GDA(0.1), [0.5, 0.5])
    assert found.product_error > 0.01
    assert found.verdict.name == "UNDECIDED"
    assert gd.linearize(gd.games.bilinear(), gd.rules.GDA(0.1)).product_error is None


def test_kinks_at_the_point_itself_are_no_reason_to_refuse():
    """ReLU units that are exactly zero on exactly zero data: a difference there is neither side's derivative."""
    torch.manual_seed(0)
    generator = nn.Sequential(nn.Linear(2, 5, bias=False), nn.ReLU(), nn.Linear(5, 4, bias=False))
    discriminator = nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 1))
    nn.init.zeros_(discriminator[0].bias)
    game = gd.gans.GANGame(generator, discriminator, "nonsaturating", "R1(1.0)", torch.zeros(64, 4), 8, 2)
    assert gd.spectrum(game, game.w0, confirm=False).product_error < 1e-6


def test_dropout_and_noise_have_a_reference_batch():
    """`batch=None` stands for one batch with its random numbers: the same field every time, and that of the token."""
    game = with_layer(nn.Dropout(0.5))
    assert game.stochastic
    assert torch.equal(game.field(game.w0), game.field(game.w0))
    assert torch.equal(game.field(game.w0), game.field(game.w0, game.reference))
    assert game.costs(game.w0) == game.costs(game.w0, game.reference)
    noisy = gd.gans.GANGame(*gd.gans.architectures.pair("mlp", (2,), hidden=(5,), generator={"output_noise": 0.1}),
                            data="ring", batch_size=8)  # fmt: skip
    assert torch.equal(noisy.field(noisy.w0), noisy.field(noisy.w0))
    assert torch.isfinite(noisy.jvp(noisy.w0, noisy.w0)).all()
    assert zoo.make("BatchNorm1d").name == "GAN of data"
