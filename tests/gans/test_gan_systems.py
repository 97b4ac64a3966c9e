"""GANs of more networks, or of other costs: each field against differences of its costs, each formula by loops."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from small_gans import networks
from system_cases import GAMES, GIVEN, smooth_encoder, system, two_stages, vae
from torch import nn

import gandyn as gd
from gandyn.errors import DomainError, ParameterError
from gandyn.gans.architectures.encoders import layer_named

RULES = [gd.rules.GDA(0.05), gd.rules.Extragradient(0.05), gd.rules.Alternating(gd.rules.Adam(1e-2))]


@pytest.mark.parametrize("name", GAMES)
def test_the_field_is_the_gradient_of_each_players_cost_by_differences(name):
    game = GAMES[name]()
    rng = np.random.default_rng(0)
    token, w = game.draw(rng), game.w0 + 0.1 * torch.tensor(rng.normal(size=game.dim))
    v, step = game.field(w, token), 1e-5
    for i, block in enumerate(game.slices):
        torch.testing.assert_close(game.field(w, token, only=i)[block], v[block], rtol=1e-12, atol=1e-12)
        for k in rng.choice(range(block.start, block.stop), 4, replace=False):
            unit = torch.zeros_like(w)
            unit[k] = step
            slope = (game.costs(w + unit, token)[i] - game.costs(w - unit, token)[i]) / (2 * step)
            assert float(v[k]) == pytest.approx(float(slope), abs=1e-8)


@pytest.mark.parametrize("name", GAMES)
def test_products_are_those_of_the_whole_game(name):
    """Of all players together, against differences of the field."""
    game = GAMES[name]()
    rng = np.random.default_rng(1)
    token, u = game.draw(rng), torch.tensor(rng.normal(size=game.dim))
    apart = (game.field(game.w0 + 1e-6 * u, token) - game.field(game.w0 - 1e-6 * u, token)) / 2e-6
    torch.testing.assert_close(game.jvp(game.w0, u, token), apart, rtol=1e-6, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
@pytest.mark.parametrize("name", GAMES)
def test_each_trains_by_any_rule_resumes_exactly_and_is_the_same_among_seeds(name, rule, tmp_path):
    options = {"metrics": None, "log_every": 3, "folder": tmp_path}
    gd.gans.train(GAMES[name](), rule, 2, **options)
    resumed = gd.gans.train(GAMES[name](), rule, 4, **options)
    whole = gd.gans.train(GAMES[name](), rule, 4, metrics=None)
    assert torch.equal(resumed.w, whole.w)
    if GAMES[name]().draws_from_state:
        with pytest.raises(DomainError, match="batches depend on what its networks keep"):
            gd.gans.train(GAMES[name](), rule, 4, metrics=None, seeds=[0, 5])
        return
    among = gd.gans.train(GAMES[name](), rule, 4, metrics=None, seeds=[0, 5])
    torch.testing.assert_close(among.w[0], whole.w, rtol=1e-9, atol=1e-9)


def softplus(x):
    return float(np.logaddexp(0, x))


def test_the_three_costs_of_a_vae_gan_by_loops():
    """The encoder's noise is set to zero by an encoder of vanishing variance, so that nothing has to be drawn again."""
    game = vae()
    last = game.encoder[1][-1]
    with torch.no_grad():
        last.weight[2:], last.bias[2:] = 0.0, -40.0
    game = gd.gans.systems.vae_gan(*networks(), data=GIVEN["data"], batch_size=6, latent=2, encoder=game.encoder,
                                   gamma=0.3)  # fmt: skip
    token = game.draw(np.random.default_rng(2))
    generator, judge, encoder = game.networks
    features = nn.Sequential(*list(judge)[:-1])
    similarity = divergence = adversarial = judged = 0.0
    with torch.no_grad():
        for x, z in zip(token.real, token.latent, strict=True):
            code = encoder(x[None])[0, :2]
            near, fake = generator(code[None]), generator(z[None])
            similarity += float((features(x[None]) - features(near)).square().sum()) / 2 / 6
            divergence += (float(code.square().sum()) + 2 * (80 - 1)) / 2 / 6
            adversarial += (softplus(-float(judge(near))) + softplus(-float(judge(fake)))) / 6
            judged += (
                softplus(-float(judge(x[None]))) + softplus(float(judge(near))) + softplus(float(judge(fake)))
            ) / 6
    expected = [0.3 * similarity + 0.7 * adversarial, judged, divergence + similarity]
    assert [float(c) for c in game.costs(game.w0, token)] == pytest.approx(expected, rel=1e-12)
    assert not game.zero_sum
    with pytest.raises(ParameterError, match="gamma=2"):
        gd.gans.systems.vae_gan(*networks(), gamma=2, **GIVEN)
    with pytest.raises(DomainError, match="separable"):
        gd.gans.systems.vae_gan(*networks(), "relativistic", **GIVEN)


def test_the_two_stages_by_loops():
    game = two_stages()
    token = game.draw(np.random.default_rng(2))
    generator, diffusion, manifold = game.networks
    costs = np.zeros(3)
    with torch.no_grad():
        for x, z in zip(token.real, token.latent, strict=True):
            near, fake = generator(generator.encoder(x[None])), generator(z[None])
            on = lambda judge, point: float(judge(point))  # noqa: E731
            error = float((x - near[0]).square().sum())
            costs[0] += 0.4 * softplus(-on(manifold, near)) + 0.7 * error + softplus(-on(diffusion, fake))
            costs[1] += softplus(-on(diffusion, near)) + softplus(on(diffusion, fake))
            costs[2] += softplus(-on(manifold, x[None])) + softplus(on(manifold, near))
    assert [float(c) for c in game.costs(game.w0, token)] == pytest.approx(costs / 6, rel=1e-12)


def test_a_layer_is_found_by_its_name_or_is_the_last_hidden_one():
    judge = networks()[1]
    assert layer_named(judge, None) is judge[-2]
    assert layer_named(judge, "1") is judge[1]
    with pytest.raises(ParameterError, match="one of 0, 1"):
        layer_named(judge, "nothing")


def test_runs_of_another_setting_are_not_gone_on_with(tmp_path):
    rule, options = gd.rules.GDA(0.01), {"metrics": None, "folder": tmp_path}
    gd.gans.train(two_stages(), rule, 1, **options)
    other = system("manifold_diffusion", encoder=smooth_encoder(2), weight=0.5, distance=0.7)
    with pytest.raises(gd.errors.GandynError, match="settings"):
        gd.gans.train(other, rule, 2, **options)


def test_terms_are_read_beside_penalties():
    given = gd.gans.GANGame(*networks(), penalties=["R1(0.1)", "Pixel(2, norm=2)"], **GIVEN)
    token = given.draw(np.random.default_rng(0))
    plain = gd.gans.GANGame(*networks(), penalties="R1(0.1)", **GIVEN)
    added = [float(a - b) for a, b in zip(given.costs(given.w0, token), plain.costs(plain.w0, token), strict=True)]
    with torch.no_grad():
        apart = token.real - given.generator(token.latent)
    assert added == pytest.approx([2 * float(apart.square().mean()), 0.0], abs=1e-12)
    for wrong in ("Pixel(1, norm=3)", "Perceptual(1, of=nothing)", "Pixel(-1)"):
        with pytest.raises(ParameterError):
            gd.gans.GANGame(*networks(), penalties=wrong, **GIVEN)


def test_a_config_says_which_system_with_its_options():
    config = gd.gans.Config.find("ring-manifold-diffusion").replace(batch=8, steps=1)
    game, _ = config.replace(options={"weight": 0.5, "encoder_hidden": [7]}).build()
    assert game.settings == {"weight": 0.5, "distance": 1.0}
    assert game.generator.encoder[1][0].out_features == 7
    for wrong in ({"wieght": 0.5}, {"seed": 3}, {"weight": -1}):
        with pytest.raises(gd.errors.GandynError, match=r"option of manifold_diffusion|options\.weight"):
            config.replace(options=wrong).build()
    with pytest.raises(gd.errors.UnknownNameError, match="system"):
        config.replace(system="vea_gan").build()


def test_what_is_of_two_networks_alone_is_refused_or_left_out():
    game = vae()
    with pytest.raises(DomainError, match="captured"):
        gd.gans.train(game, gd.rules.GDA(0.01), 1, metrics=None, capture=True)
    assert "doubt" not in gd.gans.train(game, gd.rules.GDA(0.01), 1, metrics=None).rows[0]
    other = system("vae_gan", encoder=smooth_encoder(4), gamma=0.4)
    with pytest.raises(gd.errors.GameError, match="settings"):
        gd.gans.Ensemble([game, other])
