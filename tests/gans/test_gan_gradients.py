"""Gradients and products of every architecture, loss and penalty against differences."""

import itertools

import numpy as np
import pytest
import torch
from architecture_cases import CASES, GENERATORS, _settle, agree, architectures, game_of, points

import gandyn as gd
from gandyn.gans.architectures.heads import CLASSIFYING


@pytest.mark.parametrize(("entry", "options"), CASES)
def test_gradients_of_every_architecture(entry, options):
    loss = "auxiliary_classifier" if options.get("condition") in CLASSIFYING else "nonsaturating"
    game = game_of(entry, options, loss, "R1(0.4)")
    field = agree(game)
    batch = game.draw(np.random.default_rng(1))
    own = torch.cat([game.cost_gradients(game.w0, batch)[i, block] for i, block in enumerate(game.slices)])
    torch.testing.assert_close(field, own, rtol=1e-9, atol=1e-11)
    torch.testing.assert_close(sum(game.field(game.w0, batch, only=i) for i in range(2)), own, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("entry", GENERATORS, ids=lambda e: e.name)
def test_gradients_of_every_generator(entry):
    for options in entry.examples:
        classes, shape = options.get("classes", 0), options["shape"]
        generator = entry.build(**options).double()
        discriminator = architectures.registry["mlp_discriminator"].build(shape, hidden=(5,), classes=classes).double()
        _settle([generator, discriminator])
        data = gd.gans.Points("noise", points(shape, 12), torch.arange(12) % 3, dtype=torch.float64)
        agree(gd.gans.GANGame(generator, discriminator, "wasserstein", data=data, batch_size=4))


def combinations(entry, options):
    """Every loss x every penalty that go together with a discriminator."""
    for loss, penalty in itertools.product(gd.losses.registry, gd.penalties.registry):
        built = loss.build(**loss.examples[0])
        if "classes" in built.needs and options.get("condition") not in CLASSIFYING:
            continue
        if penalty.name == "ModeRegularizer":  # needs an encoder, which no architecture here has
            continue
        yield loss, penalty, entry, options


def agree_together(loss, penalty, entry, options):
    game = game_of(entry, options, loss.build(**loss.examples[0]), penalty.build(**penalty.examples[0]))
    try:
        agree(game, 2e-5, directions=1)
    except AssertionError as error:
        raise AssertionError(f"{loss.name} x {penalty.name} x {entry.name} {options}: {error}") from error


@pytest.mark.slow
@pytest.mark.parametrize(("entry", "options"), CASES)
def test_gradients_of_every_loss_penalty_and_architecture(entry, options):
    everything = list(combinations(entry, options))
    assert len(everything) > 100
    for combination in everything:
        agree_together(*combination)


def test_gradients_of_a_sample_of_the_product():
    everything = [combination for case in CASES for combination in combinations(*case.values)]
    chosen = np.random.default_rng(0).choice(len(everything), 25, replace=False)
    for index in chosen:
        agree_together(*everything[index])
