"""MemoryGAN, pyramids, few labels, dropout at sampling: each formula by loops, and what moves when."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from system_cases import Pictures, level, remembering
from torch import nn

import gandyn as gd
from gandyn.errors import DomainError, ParameterError
from gandyn.gans import architectures
from gandyn.gans.architectures.heads import SamplingDropout
from gandyn.gans.architectures.laplacian import pyramid_samples
from gandyn.gans.datasets.laplacian import LaplacianLevel, coarser, finer

# --- MemoryGAN -------------------------------------------------------------------------------------------------------


def test_the_logit_of_a_memory_is_the_odds_of_its_real_slots_by_loops():
    game = remembering()
    memory, token = game.discriminator, game.draw(np.random.default_rng(3))
    mass = torch.tensor([0.5, 1.0, 2.0, 0.1, 3.0, 1.0, 0.2, 0.7], dtype=torch.float64)
    memory.mass.copy_(mass)
    with torch.no_grad():
        logits = memory(token.real).flatten()
        queries = memory.embedding(token.real)
    assert queries.norm(dim=1).tolist() == pytest.approx([1.0] * 6)
    for query, logit in zip(queries, logits, strict=True):
        weights = [(float(mass[i]) + 1e-8) * np.exp(2 * (float(memory.keys[i] @ query) - 1)) for i in range(8)]
        share = sum(weights[:4]) / sum(weights)
        assert float(torch.sigmoid(logit)) == pytest.approx(share, rel=1e-12)


def test_both_costs_of_a_memory_gan_have_the_tie_of_samples_to_their_keys():
    game, untied = remembering(), remembering(weight=0.0)
    token = game.draw(np.random.default_rng(3))
    with torch.no_grad():
        near = game.discriminator.embedding(game.generator(token.latent, token.labels))
    tie = 0.3 * float((near - token.labels).square().sum(1).mean())
    added = [float(a - b) for a, b in zip(game.costs(game.w0, token), untied.costs(untied.w0, token), strict=True)]
    assert added == pytest.approx([tie, tie], rel=1e-10)
    assert {tuple(k.tolist()) for k in token.labels} <= {tuple(k.tolist()) for k in game.discriminator.keys[:4]}


def test_a_memory_moves_between_steps_and_not_within_them():
    game = remembering(keys=4, decay=0.25)
    memory, token = game.discriminator, game.draw(np.random.default_rng(3))
    keys, mass = memory.keys.clone(), memory.mass.clone()
    v = game.field(game.w0, token)
    game.costs(game.w0, token), game.jvp(game.w0, v, token)
    assert torch.equal(memory.keys, keys)
    assert torch.equal(game.field(game.w0, token), v)
    with torch.no_grad():
        queries = memory.embedding(token.real)
        share = torch.softmax(torch.log(mass[:2] + 1e-8) + 2 * (queries @ keys[:2].T - 1), 1)
    game.advance()
    moved = 0.25 * mass[:2] + share.sum(0)
    kept = int(moved.argmax())  # the other slot, of least mass, is given to a query
    key = 0.25 * mass[kept] * keys[kept] + sum(share[n, kept] * queries[n] for n in range(6))
    torch.testing.assert_close(memory.keys[kept], key / key.norm(), rtol=1e-12, atol=1e-12)
    assert float(memory.mass[kept]) == pytest.approx(float(moved[kept]), rel=1e-12)
    assert float((queries - memory.keys[1 - kept]).norm(dim=1).min()) == pytest.approx(0, abs=1e-12)
    assert memory.keys.norm(dim=1).tolist() == pytest.approx([1.0] * 4)


def test_a_memory_refuses_what_it_cannot_remember():
    for wrong in ({"keys": 7}, {"decay": 1.0}, {"weight": -1.0}, {"size": 5}):
        with pytest.raises(gd.errors.GandynError):
            remembering(**wrong)


# --- pyramids --------------------------------------------------------------------------------------------------------


def test_a_level_and_its_coarser_picture_are_the_picture():
    data, source = LaplacianLevel(Pictures(), 0), torch.Generator()
    high, low = data.sample_labelled(5, source.manual_seed(1))
    pictures = Pictures().sample(5, source.manual_seed(1))
    torch.testing.assert_close(high + low, pictures)
    torch.testing.assert_close(coarser(pictures)[0, 0, 0, 1], pictures[0, 0, :2, 2:].mean())
    torch.testing.assert_close(low, finer(coarser(pictures)))
    with pytest.raises(DomainError, match="divisible by 8"):
        LaplacianLevel(Pictures(), 2)


def test_the_discriminator_of_a_level_sees_the_sum_and_the_generator_a_uniform_plane():
    game = level()
    token = game.draw(np.random.default_rng(0))
    judge, maker = game.discriminator, game.generator
    nothing = torch.zeros_like(token.real)
    torch.testing.assert_close(judge(token.real, token.labels), judge(token.real + token.labels, nothing))
    plane = 2 * torch.distributions.Normal(0.0, 1.0).cdf(token.latent) - 1  # uniform, by another function
    given = torch.cat([token.labels, plane.reshape(4, 1, 4, 4)], 1)
    torch.testing.assert_close(maker(token.latent, token.labels), maker.layers(given))


def test_samples_go_through_all_levels():
    small = nn.Sequential(nn.Linear(2, 4), nn.Unflatten(1, (1, 2, 2))).double()
    judge = nn.Sequential(nn.Flatten(), nn.Linear(4, 1)).double()
    top = gd.gans.GANGame(small, judge, data=coarser(Pictures().sample(9)), batch_size=4)
    runs = [gd.gans.train(game, gd.rules.GDA(0.01), 1, metrics=None) for game in (top, level())]
    coarse, fine = pyramid_samples(runs, 3)
    assert coarse.shape == (3, 1, 2, 2)
    assert fine.shape == (3, 1, 4, 4)
    high = fine - finer(coarse)
    assert float(high.abs().max()) > 0
    with pytest.raises(DomainError, match="next level"):
        pyramid_samples(runs[::-1], 3)


# --- few labels, dropout that stays ----------------------------------------------------------------------------------


def test_k_plus_one_heads_are_the_classifier_wrapped():
    head = architectures.mlp_discriminator((2,), hidden=(5,), classes=3, condition="k_plus_one").double()
    points = torch.randn(4, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    logit, names = head(points)
    torch.testing.assert_close(logit.flatten(), names.exp().sum(1).log())
    assert head.class_outputs == 3


def test_few_labels_stay_and_the_others_stand_for_none():
    labels = torch.arange(40) % 4
    few = gd.gans.Points("all", torch.randn(40, 2), labels).few_labelled(3, seed=1)
    assert torch.bincount(few.labels).tolist() == [3, 3, 3, 3, 28]
    assert torch.equal(few.labels[few.labels < 4], labels[few.labels < 4])
    with pytest.raises(ParameterError, match="11 labels"):
        gd.gans.Points("all", torch.randn(40, 2), labels).few_labelled(11)


def test_dropout_at_sampling_is_drawn_and_fixed_by_the_seed():
    maker = architectures.mlp_generator((2,), hidden=(30,), dropout=0.5)
    assert any(isinstance(m, SamplingDropout) for m in maker.modules())
    game = gd.gans.GANGame(maker, gd.gans.mlp_pair(hidden=(4,))[1], data=gd.gans.ring(), batch_size=8)
    assert game.stochastic
    first, again = (game.sample(game.w0, 50, np.random.default_rng(0)) for _ in range(2))
    assert torch.equal(first, again)
    maker.eval()
    latent = torch.ones(400, 2)
    made = maker(latent).detach()
    assert float(made.std(0).min()) > 0  # of one latent, different samples
    assert game.field(game.w0, game.reference).equal(game.field(game.w0, game.reference))


def test_ten_labels_of_each_class_stay_unless_told_otherwise():
    points = gd.gans.Points("two", torch.randn(40, 2), torch.arange(40) % 2)
    kept = gd.gans.datasets.few_labels(points)
    assert torch.bincount(kept.labels).tolist() == [10, 10, 20]
