"""The noise of networks: against the closed form of a linear generator and a linear critic."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import gandyn as gd
from gandyn.errors import DomainError, ParameterError
from gandyn.noise.measured import _moments, _ratios

SIZE = 16


def linear_gan():
    """Generator a z + c on standard normal z, critic p x + q, data N(0, 4): f = mean D(fake) - mean D(real)."""
    torch.manual_seed(0)
    pair = torch.nn.Linear(1, 1).double(), torch.nn.Linear(1, 1).double()

    def data(n, source):
        return 2 * torch.randn(n, 1, generator=source, dtype=torch.float64)

    return gd.gans.GANGame(*pair, "wasserstein", data=data, batch_size=SIZE, latent=1)


@pytest.mark.slow
def test_the_covariance_of_a_linear_gan():
    """Of (a, c, p, q): p mean z, p, mean(a z + c) - mean(x) and 0, up to sign, over batches of 16."""
    game = linear_gan()
    a, c, p, q = 0.8, 0.3, 1.5, -0.2
    noise, at = gd.noise.of(game), [a, c, p, q]
    noise = type(noise)(game, batches=1500)
    found, error = noise.covariance(at), noise.error(at)
    expected = np.zeros((4, 4))
    expected[0, 0], expected[2, 2] = p**2 / SIZE, (a**2 + 4) / SIZE
    sign = np.sign(found[0, 2])
    expected[0, 2] = expected[2, 0] = sign * p * a / SIZE
    assert (np.abs(found - expected) <= 4.5 * error + 1e-15).all()
    assert error[0, 0] == pytest.approx(expected[0, 0] * np.sqrt(2 / 1500), rel=0.15)
    np.testing.assert_allclose(noise.variances(at), np.diag(found))
    factor, rest = noise.low_rank(2, at)
    np.testing.assert_allclose(factor @ factor.T + np.diag(rest), found, atol=1e-12)
    scale, spread = noise.scale(at)["generator"]
    assert abs(scale - p**2 / p**2) < 4 * spread + 1e-9  # tr C b / |v|^2 = p^2 / p^2
    assert spread < 0.1


def test_the_noise_scale_of_three_fields():
    """Mean (2, 1) and variances 1 and 3: tr C / (|mean|^2 - tr C / 3) = 4 / (5 - 4/3)."""

    def scale(*fields):
        return _ratios(*_moments(np.array(fields, dtype=float)))

    assert scale([1, 0], [3, 0], [2, 3])[0] == pytest.approx(12 / 11)
    assert scale([1, 0], [-1, 0], [0, 0])[0] == np.inf
    assert np.isnan(scale([0, 0], [0, 0], [0, 0])[0])
    assert scale([2, 1], [2, 1], [2, 1])[0] == 0
    fields = np.random.default_rng(0).normal(1.0, 2.0, (7, 3))
    for k, found in enumerate(scale(*fields)[1:]):  # without one of them, as if it had not been drawn
        assert found == pytest.approx(scale(*np.delete(fields, k, axis=0))[0], rel=1e-12)


@pytest.mark.slow
def test_the_scales_of_a_linear_gan_are_known():
    """Fields p mean z, p and mean(fake) - mean(data), 0: tr C b / |v|^2 is 1 and (a^2 + 4) / c^2; for 8 units each."""
    game, a, c, p = linear_gan(), 0.8, 0.3, 1.5
    found = gd.noise.Measured(game, 3000).players([a, c, p, -0.2])
    assert found["generator"]["trace"] == pytest.approx(p**2, rel=0.1)
    assert found["generator"]["square"] == pytest.approx(p**2, rel=0.02)
    expected = (a**2 + 4) / c**2
    assert abs(found["discriminator"]["scale"] - expected) < 4 * found["discriminator"]["error"]
    assert 0.5 < found["discriminator"]["error"] < 12
    game.size = 52  # the critical batch: half of the mean square of the field on a batch is that of the mean field
    numbers = gd.noise.Measured(game, 3000, seed=1).players([a, c, p, -0.2])["discriminator"]
    share = numbers["square"] / (numbers["square"] + numbers["trace"] / 52)
    assert share == pytest.approx(0.5, abs=0.05)


def test_the_noise_is_logged_during_training():
    """Rows have what `Measured` finds at the row's parameters; training itself is the same with and without."""
    game, rule = linear_gan(), gd.rules.GDA(0.05)
    run = gd.gans.train(game, rule, 4, seed=3, log_every=2, metrics_every=2, metrics=gd.gans.noise_metrics(8))
    plain = gd.gans.train(linear_gan(), rule, 4, seed=3, metrics=None)
    assert torch.equal(run.w, plain.w)
    key = int(np.random.default_rng((3, 2, 4)).integers(2**62))
    found = gd.noise.Measured(game, 8, key).players(run.w)["discriminator"]
    assert run.metrics["discriminator_noise"] == found["trace"]
    assert run.metrics["discriminator_square"] == found["square"]
    seen = found["square"] + found["trace"] / SIZE
    assert run.metrics["discriminator_signal"] == pytest.approx(found["square"] / seen, rel=1e-12)


def test_measuring_disturbs_nothing():
    game = linear_gan()
    before = game.w0.clone(), game._rng.bit_generator.state
    first, again = gd.noise.of(game).covariance(), gd.noise.of(game).covariance()
    np.testing.assert_array_equal(first, again)
    assert torch.equal(game.w0, before[0])
    assert game._rng.bit_generator.state == before[1]


def test_refusals():
    game = linear_gan()
    with pytest.raises(ParameterError, match=">= 3"):
        gd.noise.Measured(game, batches=2)
    with pytest.raises(ParameterError, match="rank"):
        gd.noise.of(game).low_rank(64)
    with pytest.raises(DomainError, match="draws nothing"):
        gd.noise.of(gd.games.bilinear())
