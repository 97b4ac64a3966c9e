"""Games of networks: costs by definition, fields by differences, blocks, counts, linear systems; mistakes refused."""

import copy

import numpy as np
import pytest
import torch
from small_gans import CASES, gan, networks, token
from torch import nn
from torch.nn.functional import softplus

import gandyn as gd
from gandyn.errors import GameError, ParameterError, ShapeError, WorldError


@pytest.fixture(params=CASES.values(), ids=CASES)
def game(request):
    return request.param()


def test_costs_are_what_the_definition_says():
    """Computed again from the modules, with the slope of R1 taken by autograd point by point."""
    pair = networks()
    game = gan("minimax", gd.penalties.R1(0.7), pair=copy.deepcopy(pair))
    batch, (generator, discriminator) = token(game), pair
    slopes = []
    for x in batch.real:
        x = x.clone().requires_grad_()
        slopes.append(torch.autograd.grad(discriminator(x).sum(), x)[0].square().sum())
    value = softplus(-discriminator(batch.real)).mean() + softplus(discriminator(generator(batch.latent))).mean()
    expected = (value + 0.35 * torch.stack(slopes).mean()).item()
    assert [float(c) for c in game.costs(game.w0, batch)] == pytest.approx([-value.item(), expected], rel=1e-13)
    assert not game.zero_sum
    assert gan("minimax").zero_sum


def test_the_field_is_the_slope_of_the_costs(game):
    """df_i/dw_k by central differences with extrapolation, for every coordinate of both players' costs."""
    batch, w = token(game), game.w0
    gradients, h = game.cost_gradients(w, batch), 2e-3
    for k in range(0, game.dim, 7):
        unit = torch.zeros_like(w)
        unit[k] = 1
        slopes = [
            [
                (a - b) / (2 * s * h)
                for a, b in zip(*(game.costs(w + t * s * h * unit, batch) for t in (1, -1)), strict=True)
            ]
            for s in (1, 2, 4)
        ]
        for i in range(2):
            one, two, four = (slope[i] for slope in slopes)
            extrapolated = (16 * (4 * one - two) / 3 - (4 * two - four) / 3) / 15
            assert abs(extrapolated - gradients[i, k]) < 1e-8
    own = torch.cat([gradients[i, block] for i, block in enumerate(game.slices)])
    torch.testing.assert_close(game.field(w, batch), own, rtol=1e-12, atol=1e-15)


def test_only_and_restrict_are_blocks_of_the_field(game):
    batch, w = token(game), game.w0
    v = game.field(w, batch)
    for i, block in enumerate(game.slices):
        own = torch.zeros_like(v)
        own[block] = v[block]
        torch.testing.assert_close(game.field(w, batch, only=i), own, rtol=1e-12, atol=1e-15)
        view = game.restrict(i, w)
        torch.testing.assert_close(view.field(view.block, batch), v[block], rtol=1e-12, atol=1e-15)
        moved = view.embed(view.block + 1)
        torch.testing.assert_close(moved - w, own.new_zeros(game.dim).index_fill(0, torch.arange(game.dim)[block], 1))
        torch.testing.assert_close(
            view.field(view.block + 0.1, batch), game.field(view.embed(view.block + 0.1), batch)[block]
        )


def test_results_are_never_overwritten():
    game = gan()
    batch, other, w = token(game), token(game, 1), game.w0
    view = game.restrict(1, w)
    results = [
        game.field(w, batch), game.field(w, batch, only=0), view.field(view.block, batch), view.embed(view.block),
        game.jvp(w, w, batch), game.vjp(w, w, batch), game.cost_gradients(w, batch), game.w0, *game.costs(w, batch),
    ]  # fmt: skip
    kept = [result.clone() for result in results]
    elsewhere = torch.full_like(w, 0.3)
    game.field(elsewhere, other)
    game.restrict(0, elsewhere).field(elsewhere[game.slices[0]], other)
    game.jvp(elsewhere, elsewhere, other)
    game.load(elsewhere)
    assert all(torch.equal(result, copy) for result, copy in zip(results, kept, strict=True))
    assert torch.equal(game.field(w, batch), results[0])


class Sum(nn.Module):
    def __init__(self):
        super().__init__()
        self.unused = nn.Parameter(torch.ones(3, dtype=torch.float64))

    def forward(self, x):
        return x.sum(-1)


class Detach(nn.Module):
    def forward(self, x):
        return x.detach()


def test_single_precision_agrees_with_double():
    double, single = gan(), gan(pair=networks(torch.float32))
    batch = token(double)
    rounded = gd.gans.Token(batch.real.float(), batch.latent.float(), batch.seed)
    v = single.field(single.w0, rounded)
    assert v.dtype == torch.float32
    torch.testing.assert_close(v.double(), double.field(double.w0, batch), rtol=1e-4, atol=1e-6)


def test_counts():
    game = gan()
    batch, w = token(game), game.w0
    game.field(w, batch)
    game.restrict(0, w).field(w[game.slices[0]], batch)
    game.vjp(w, w, batch)
    assert (game.counts.fields, game.counts.vjps, game.counts.samples) == (1.5, 1, 16)


def test_linear_systems_are_solved_and_reported():
    game = gan()
    batch, w = token(game), game.w0
    rhs = game.field(w, batch)
    solution = game.solve(lambda u: u + 0.3 * game.jvp(w, u, batch), rhs)
    dense = torch.eye(game.dim, dtype=w.dtype) + 0.3 * game.jacobian(w, batch)
    torch.testing.assert_close(solution, torch.linalg.solve(dense, rhs), rtol=1e-9, atol=1e-12)
    assert game.last_solve.converged
    assert game.last_solve.residual < 1e-11
    assert game.last_solve.iterations < game.dim


def test_mistakes_are_refused_by_name():
    game = gan()
    with pytest.raises(ShapeError, match="ensemble"):
        game.field(torch.stack([game.w0, game.w0]))
    with pytest.raises(WorldError, match="torch"):
        game.field(game.w0.numpy())
    with pytest.raises(ParameterError, match="float64"):
        game.field(game.w0.float())
    generator, discriminator = networks()
    with pytest.raises(GameError, match="two players"):
        gan(pair=(generator, nn.Sequential(generator, nn.Linear(2, 1).double())))
    with pytest.raises(GameError, match="several kinds"):
        gan(pair=(generator, discriminator.float()))
    with pytest.raises(GameError, match="discriminator has no parameters"):
        gan(pair=(generator, discriminator.double().requires_grad_(False)))
    with pytest.raises(ParameterError, match="data=None"):
        gan(data=None)
    moved = gan()
    moved.generator.float()
    with pytest.raises(GameError, match="generator were moved"):
        moved.field(moved.w0)
    with pytest.raises(ShapeError, match="one logit for each point"):
        gan(pair=(generator, nn.Linear(2, 3).double()))
    with pytest.raises(GameError, match="generator does not depend"):
        gan(pair=(nn.Sequential(networks()[0], Detach()), networks()[1]))
    with pytest.raises(GameError, match="discriminator does not depend"):
        gan(pair=(networks()[0], Sum()))


def test_a_round_writes_over_no_vector_but_its_own():
    """The caller's point and state stay as they were, and a differentiated round has its graph."""
    game = gan()
    for rule in (gd.rules.AlternatingGD(0.1, repeats=(1, 2)), gd.rules.Alternating(gd.rules.Adam(0.1))):
        w, rng = game.w0.clone(), np.random.default_rng(0)
        state = rule.init(game, w, rng)
        before = [w.clone(), *(array.clone() for _, array in state.leaves())]
        moved, _, info = rule.step(game, w, state, np.random.default_rng(1))
        assert all(map(torch.equal, before, [w, *(array for _, array in state.leaves())]))
        again = rule.step(game, w, state, np.random.default_rng(1))
        assert torch.equal(moved, again[0])
        assert torch.equal(info["field"], again[2]["field"])
    rule = gd.rules.AlternatingGD(0.1)
    leaf = w.clone().requires_grad_()
    traced = rule.step(game, leaf, rule.init(game, w), np.random.default_rng(1))[0]
    assert torch.allclose(traced.detach(), rule.step(game, w, rule.init(game, w), np.random.default_rng(1))[0])
    assert torch.autograd.grad(traced.sum(), leaf)[0].isfinite().all()
