"""Architectures: shapes, labels, spectral norms, and gradients of loss x penalty x network against differences."""

import itertools

import numpy as np
import pytest
import torch
from architecture_cases import CASES, GENERATORS, agree, architectures, game_of, points
from torch import nn

import gandyn as gd
from gandyn.errors import DomainError, ParameterError, ShapeError, UnknownNameError
from gandyn.gans.architectures.spectral import SpectralNorm, norms

# --- shapes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("entry", GENERATORS, ids=lambda e: e.name)
def test_generators_make_points_of_the_shape(entry):
    for options in entry.examples:
        network = entry.build(**options)
        labels = (torch.arange(4) % options["classes"],) if options.get("classes") else ()
        made = network(torch.zeros(4, options.get("latent", 2)), *labels)
        assert made.shape == (4, *options["shape"])
        assert bool(getattr(network, "conditional", False)) == bool(labels)
        noisy = entry.build(**options, output_noise=0.3)
        torch.manual_seed(0)
        apart = noisy(torch.zeros(4, options.get("latent", 2)), *labels) - made
        assert float(apart.detach().std(correction=0)) == pytest.approx(0.3, rel=0.6)


@pytest.mark.parametrize(("entry", "options"), CASES)
def test_discriminators_answer_one_logit_and_classes_where_asked(entry, options):
    network = entry.build(**options).double().eval()
    classes, condition = options.get("classes", 0), options.get("condition")
    given = (torch.arange(4) % 3,) if condition in ("concatenation", "projection") else ()
    answer = network(points(options["shape"]), *given)
    if condition in ("auxiliary", "k_plus_one"):
        assert answer[1].shape == (4, classes)
        answer = answer[0]
    assert answer.shape == (4, 1)
    if given:
        other = network(points(options["shape"]), (given[0] + 1) % 3)
        assert not torch.allclose(answer, other)
        with pytest.raises(ParameterError, match="without labels"):
            network(points(options["shape"]))


@pytest.mark.parametrize("size", [8, 16, 28, 32, 64])
@pytest.mark.parametrize("name", ["dcgan", "residual"])
def test_image_networks_fit_the_usual_sizes(name, size):
    generator, discriminator = architectures.pair(name, (3, size, size), generator={"latent": 5}, width=4)
    made = generator(torch.randn(2, 5, generator=torch.Generator().manual_seed(0)))
    assert made.shape == (2, 3, size, size)
    assert made.abs().max() <= 1
    assert discriminator(made).shape == (2, 1)


def test_sizes_of_the_papers_network():
    """64 pixels, width 128, latent 100: 1024 x 4 x 4 down to 3 x 64 x 64, counted by hand."""
    generator = architectures.registry["dcgan_generator"].build((3, 64, 64), latent=100, width=128)
    channels = [1024, 512, 256, 128, 3]
    convolutions = sum(a * b * 16 + b for a, b in itertools.pairwise(channels))
    expected = 101 * 1024 * 16 + convolutions + sum(2 * c for c in channels[:-1])
    assert sum(p.numel() for p in generator.parameters()) == expected
    weights = torch.cat([p.flatten() for p in generator.parameters() if p.ndim > 1])
    assert float(weights.detach().std()) == pytest.approx(0.02, rel=0.01)


def test_seeds_fix_weights_and_players_differ():
    first, again, other = (architectures.pair("dcgan", (1, 28, 28), width=4, seed=s) for s in (1, 1, 2))
    for a, b, c in zip(first, again, other, strict=True):
        assert all(torch.equal(p, q) for p, q in zip(a.parameters(), b.parameters(), strict=True))
        assert not all(torch.equal(p, q) for p, q in zip(a.parameters(), c.parameters(), strict=True))


def test_a_residual_block_is_the_sum_of_its_branches():
    from gandyn.gans.architectures.residual import Block

    block = Block(2, 3, "down", "none", False, torch.Generator().manual_seed(0))
    x = torch.randn(2, 2, 8, 8, generator=torch.Generator().manual_seed(1))
    first, second = (m for m in block.residual if isinstance(m, nn.Conv2d))
    straight = block.shortcut[-1]
    pool = nn.functional.avg_pool2d
    expected = pool(second(first(x.relu()).relu()), 2) + pool(straight(x), 2)
    torch.testing.assert_close(block(x), expected, rtol=1e-5, atol=1e-6)


def test_projection_is_its_formula():
    network = architectures.registry["mlp_discriminator"].build((2,), hidden=(5, 4), classes=3).double()
    x, y = points((2,)), torch.tensor([0, 2, 1, 2])
    features = network.trunk(x)
    expected = network.logit(features)[:, 0] + (features * network.vectors.weight[y]).sum(1)
    torch.testing.assert_close(network(x, y)[:, 0], expected)


def test_dropout_and_noise_follow_the_token():
    pair = architectures.pair("mlp", (2,), hidden=(8,), generator={"output_noise": 0.1}, discriminator={"dropout": 0.5})
    game = gd.gans.GANGame(*pair, data="ring", batch_size=8)
    assert game.stochastic
    batch = game.draw(np.random.default_rng(0))
    assert torch.equal(game.field(game.w0, batch), game.field(game.w0, batch))
    reseeded = gd.gans.Token(batch.real, batch.latent, batch.seed + 1)
    assert not torch.equal(game.field(game.w0, batch), game.field(game.w0, reseeded))
    one, two = (game.sample(game.w0, 5, np.random.default_rng(3)) for _ in range(2))
    assert torch.equal(one, two)


# --- labels -----------------------------------------------------------------------------------------------------------


def test_samples_carry_the_labels_of_the_data():
    game = _conditional()
    batch = game.draw(np.random.default_rng(0))
    assert batch.labels.shape == (4,)
    fake = game.generator(batch.latent, batch.labels)
    given = [game.discriminator(x, batch.labels)[:, 0] for x in (batch.real, fake)]
    softplus = nn.functional.softplus
    expected = softplus(-given[1]).mean(), softplus(-given[0]).mean() + softplus(given[1]).mean()
    torch.testing.assert_close(torch.stack(game.costs(game.w0, batch)), torch.stack(expected).detach())
    labels = torch.tensor([2, 0, 1])
    assert game.sample(game.w0, 3, np.random.default_rng(0), labels).shape == (3, 2)
    assert game.sample(game.w0, 3).shape == (3, 2)


def _conditional(loss="nonsaturating", condition="projection", penalties=()):
    entry = architectures.registry["mlp_discriminator"]
    return game_of(entry, {"shape": (2,), "hidden": (5,), "classes": 3, "condition": condition}, loss, penalties)


def test_auxiliary_classifier_on_networks_is_its_formula():
    game = _conditional("auxiliary_classifier", "auxiliary")
    batch = game.draw(np.random.default_rng(0))
    fake = game.generator(batch.latent, batch.labels)
    (on_real, real_names), (on_fake, fake_names) = (game.discriminator(x) for x in (batch.real, fake))
    softplus, entropy = nn.functional.softplus, nn.functional.cross_entropy
    classes = [entropy(names, batch.labels) for names in (real_names, fake_names)]
    expected = (
        softplus(-on_fake).mean() + classes[1],
        softplus(-on_real).mean() + softplus(on_fake).mean() + classes[0] + classes[1],
    )
    torch.testing.assert_close(torch.stack(game.costs(game.w0, batch)), torch.stack(expected).detach())
    agree(game)
    agree(_conditional("auxiliary_classifier(hinge, 0.5)", "auxiliary", "R1(0.3)"))


def test_labels_that_are_missing_or_useless_are_refused():
    generator, discriminator = architectures.pair("mlp", (2,), hidden=(4,), classes=3)
    with pytest.raises(ParameterError, match="labels"):
        gd.gans.GANGame(generator, discriminator, data=torch.randn(10, 2))
    plain = architectures.pair("mlp", (2,), hidden=(4,))
    with pytest.raises(DomainError, match="AuxiliaryClassifier on networks without class outputs"):
        gd.gans.GANGame(*plain, "auxiliary_classifier", data="ring")
    drawn = gd.gans.GANGame(generator, discriminator, data=lambda n, source: (torch.zeros(n, 2), torch.arange(n) % 3))
    assert drawn.draw().labels[:4].tolist() == [0, 1, 2, 0]


@pytest.mark.slow
@pytest.mark.parametrize("condition", ["projection", "concatenation", "auxiliary"])
def test_conditional_games_learn_which_mode_is_meant(condition):
    ring = gd.gans.ring()
    pair = architectures.pair("mlp", (2,), classes=8, hidden=(64, 64), discriminator={"condition": condition})
    loss = "auxiliary_classifier" if condition == "auxiliary" else "nonsaturating"
    game = gd.gans.GANGame(*pair, loss, "R1(0.01)", data=ring)
    rule = gd.rules.Alternating(gd.rules.Adam(1e-3, betas=(0.0, 0.99)))
    run = gd.iterate(game, rule, game.w0, 600, record="last", rng=np.random.default_rng(0))
    labels = torch.arange(800) % 8
    samples = game.sample(run.w, 800, np.random.default_rng(1), labels)
    meant = torch.cdist(samples, ring.centers).argmin(1) == labels
    assert float(meant.double().mean()) > 0.95
    assert ring.modes(samples, radius=0.5).covered == 8


# --- spectral normalisation -------------------------------------------------------------------------------------------


def test_spectral_norms_are_one_frozen_within_a_step_and_follow_it():
    game = game_of(architectures.registry["mlp_discriminator"], {"shape": (2,), "hidden": (6, 5), "spectral": True})
    found = list(norms(game.discriminator))
    assert len(found) == 3
    for norm, weight in found:
        exact = float(torch.linalg.matrix_norm(weight.detach(), 2))
        assert float(norm.estimate(weight).detach()) == pytest.approx(exact, rel=1e-9)
        assert float(torch.linalg.matrix_norm(norm(weight).detach(), 2)) == pytest.approx(1, rel=1e-9)
    batch = game.draw(np.random.default_rng(0))
    w = game.w0 + 0.3 * torch.sin(torch.arange(game.dim, dtype=torch.float64))
    vectors = [norm.u.clone() for norm, _ in found]
    field = game.field(w, batch)
    assert all(torch.equal(norm.u, u) for (norm, _), u in zip(found, vectors, strict=True))
    assert torch.equal(game.field(w, batch), field)
    agree_there = game.vjp(w, field, batch)
    assert torch.isfinite(agree_there).all()
    for _ in range(200):
        game.advance()
    for norm, weight in found:
        exact = float(torch.linalg.matrix_norm(weight.detach(), 2))
        assert float(norm.estimate(weight).detach()) == pytest.approx(exact, rel=1e-6)
    assert not all(torch.allclose(norm.u, u) for (norm, _), u in zip(found, vectors, strict=True))


def test_at_convergence_the_layer_is_the_penalty():
    """With u, v at the singular vectors, the layer and `penalties.SpectralNormalization` are one function."""
    options = {"shape": (2,), "hidden": (6, 5)}
    entry = architectures.registry["mlp_discriminator"]
    layered = game_of(entry, {**options, "spectral": True})
    penalised = game_of(entry, options, penalties="SpectralNormalization")
    # Parameters come in another order: weights are parametrised after biases.
    theirs = dict(layered.discriminator.named_parameters())
    names = [name.replace(".parametrizations.weight.original", ".weight") for name in theirs]
    penalised.discriminator.load_state_dict(dict(zip(names, theirs.values(), strict=True)), strict=True)
    w = torch.cat([p.detach().flatten() for net in penalised.networks for p in net.parameters()])
    for norm, weight in norms(layered.discriminator):
        norm.refresh(weight, 500)
    batch = layered.draw(np.random.default_rng(0))
    for a, b in zip(layered.costs(layered.w0, batch), penalised.costs(w, batch), strict=True):
        assert float(a) == pytest.approx(float(b), rel=1e-9)
    field, other = (g.field(v, batch)[g.slices[1]] for g, v in ((layered, layered.w0), (penalised, w)))
    sizes = {k: p.numel() for k, p in penalised.discriminator.named_parameters()}
    theirs = dict(zip(sizes, other.split(list(sizes.values())), strict=True))
    ours = dict(zip(names, field.split([sizes[k] for k in names]), strict=True))
    for name, piece in ours.items():
        torch.testing.assert_close(piece, theirs[name], rtol=1e-6, atol=1e-9)


def test_a_step_moves_statistics_and_vectors_once_and_nothing_else_does():
    """Residual networks with BatchNorm and spectral norms under a rule that evaluates two fields a step."""
    generator, discriminator = architectures.pair("residual", (1, 8, 8), width=4, generator={"latent": 3})
    game = gd.gans.GANGame(generator, discriminator, "hinge", data=0.5 * torch.ones(16, 1, 8, 8), batch_size=4)
    norm, _ = norms(discriminator)[0]
    batches = [m for m in generator.modules() if isinstance(m, nn.BatchNorm2d)]
    vector, rule = norm.u.clone(), gd.rules.Extragradient(0.01)
    w, state, rng = game.w0, gd.types.State(), np.random.default_rng(0)
    for step in range(1, 3):
        w, state, _ = rule.step(game, w, state, rng)
        assert torch.equal(norm.u, vector)
        game.sample(w, 4)
        game.costs(w)
        game.advance()
        assert not torch.equal(norm.u, vector)
        vector = norm.u.clone()
        assert {int(m.num_batches_tracked) for m in batches} == {step}
    assert torch.isfinite(w).all()


# --- gradients --------------------------------------------------------------------------------------------------------


# --- average, refusals ------------------------------------------------------------------------------------------------


def test_the_average_is_its_sum_and_resumes():
    source = torch.Generator().manual_seed(0)
    steps = [torch.randn(3, generator=source, dtype=torch.float64) for _ in range(6)]
    ema = gd.gans.EMA(steps[0], decay=0.6, warmup=False)
    for w in steps[1:]:
        ema.update(w)
    weights = [0.6**5, *(0.4 * 0.6**k for k in (4, 3, 2, 1, 0))]
    torch.testing.assert_close(ema.w, sum(a * w for a, w in zip(weights, steps, strict=True)), rtol=1e-13, atol=1e-15)
    resumed = gd.gans.EMA(steps[0], decay=0.6)
    resumed.load_state_dict(ema.state_dict())
    assert torch.equal(resumed.w, ema.w)
    assert resumed.updates == 5
    fresh = gd.gans.EMA(torch.zeros(1), decay=0.999)
    fresh.update(torch.ones(1))
    assert float(fresh.w) == pytest.approx(1 - 2 / 11)
    assert float(steps[0].sum()) != float(ema.w.sum())
    with pytest.raises(ParameterError, match="decay"):
        gd.gans.EMA(steps[0], decay=1.0)


def test_names_and_sizes_are_refused():
    with pytest.raises(UnknownNameError, match="did you mean 'dcgan'"):
        architectures.pair("dcgans")
    for shape in ((1, 25, 25), (1, 28, 32), (2,), (1, 4, 4)):
        with pytest.raises(ShapeError, match="convolutional"):
            architectures.pair("dcgan", shape)
    with pytest.raises(ParameterError, match="norm="):
        architectures.registry["dcgan_generator"].build((1, 28, 28), norm="layer")
    for options in ({"classes": 3, "condition": "film"}, {"condition": "projection"}):
        with pytest.raises(ParameterError, match="condition="):
            architectures.registry["dcgan_discriminator"].build((1, 28, 28), **options)
    with pytest.raises(ParameterError, match="noise"):
        architectures.registry["mlp_generator"].build((2,), output_noise=-1.0)
    assert isinstance(norms(architectures.pair("residual", (3, 32, 32), width=4)[1])[0][0], SpectralNorm)


def test_a_discriminator_with_batch_statistics_does_not_judge_samples_one_by_one():
    build = gd.gans.architectures.dcgan_discriminator
    assert [build((1, 16, 16), width=2, norm=norm).per_sample for norm in ("none", "batch")] == [True, False]


def test_the_residual_discriminator_is_of_32_pixels_unless_told_otherwise():
    network = gd.gans.architectures.residual_discriminator(width=4)
    assert network(torch.zeros(2, 3, 32, 32)).shape in {(2,), (2, 1)}
    for shape in ((3, 32, 33), (3, 33, 32)):
        with pytest.raises(gd.errors.GandynError):
            gd.gans.architectures.residual_discriminator(shape, width=4)
