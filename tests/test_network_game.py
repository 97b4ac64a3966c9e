"""Networks as games: flat vectors against hand-written loops, differences and dense algebra; purity and seeds."""

import copy

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import softplus

import gandyn as gd
from gandyn.errors import DomainError, GameError, ParameterError, ShapeError, WorldError

LR = 0.05


def networks(dtype=torch.float64, hidden=(6, 5)):
    """Smooth networks, so that finite differences have the full order."""
    rng = torch.Generator().manual_seed(3)
    pair = gd.gans.mlp_pair(latent=2, hidden=hidden)
    for network in pair:
        for k, layer in enumerate(network):
            if isinstance(layer, nn.ReLU | nn.LeakyReLU):
                network[k] = nn.Tanh()
            else:
                nn.init.normal_(layer.bias, 0, 0.3, generator=rng)
    return tuple(network.to(dtype) for network in pair)


def gan(loss="nonsaturating", penalties=(), pair=None, **options):
    options = {"data": gd.gans.ring(std=0.3), "batch_size": 8, "latent": 2, **options}
    return gd.gans.GANGame(*(pair or networks()), loss, penalties, **options)


def token(game, seed=0):
    return game.draw(np.random.default_rng(seed))


CASES = {
    "nonsaturating": lambda: gan(),
    "minimax": lambda: gan("minimax"),
    "nonsaturating with R1": lambda: gan(penalties=gd.penalties.R1(0.7)),
    "wasserstein with R1": lambda: gan("wasserstein", [gd.penalties.R1(0.7)]),
    "two passes": lambda: gan(pair=tuple(map(nn.Sequential, networks()))),
}


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


# --- the same rule by hand: separate modules, torch.optim ------------------------------------------------------------


class ByHand:
    """The usual loop on modules of its own, in the order in which a rule draws batches."""

    def __init__(self, optimizer):
        self.modules = networks()
        self.own = [list(module.parameters()) for module in self.modules]
        self.optimizers = [optimizer(parameters) for parameters in self.own]

    def fill(self, batch, players=(0, 1)):
        generator, discriminator = self.modules
        fake = generator(batch.latent)
        costs = (
            softplus(-discriminator(fake)).mean(),
            softplus(-discriminator(batch.real)).mean() + softplus(discriminator(fake)).mean(),
        )
        for i in players:
            for p, g in zip(self.own[i], torch.autograd.grad(costs[i], self.own[i], retain_graph=True), strict=True):
                p.grad = g

    def everything(self):
        return [p for own in self.own for p in own]

    def step(self, players=(0, 1)):
        for i in players:
            self.optimizers[i].step()

    def simultaneous(self, draw):
        self.fill(draw())
        self.step()

    def alternating(self, draw):
        for i in (0, 1):
            self.fill(draw(), [i])
            self.step([i])

    def extragradient(self, draw):
        batch, start = draw(), [p.detach().clone() for p in self.everything()]
        self.fill(batch)
        self.step()
        self.fill(batch)
        with torch.no_grad():
            for p, value in zip(self.everything(), start, strict=True):
                p.copy_(value)
        self.step()

    def optimistic(self, draw):
        if not hasattr(self, "previous"):
            self.fill(draw())
            self.previous = [p.grad for p in self.everything()]
        self.fill(draw())
        now = [p.grad for p in self.everything()]
        for p, new, old in zip(self.everything(), now, self.previous, strict=True):
            p.grad = 2 * new - old
        self.previous = now
        self.step()

    def vector(self):
        return torch.cat([p.detach().reshape(-1) for p in self.everything()])


def sgd(parameters):
    return torch.optim.SGD(parameters, lr=LR)


def adam(parameters):
    return torch.optim.Adam(parameters, lr=0.01, betas=(0.5, 0.9), eps=1e-8)


LOOPS = {
    "simultaneous": (gd.rules.SimultaneousGD(LR), sgd),
    "alternating": (gd.rules.AlternatingGD(LR), sgd),
    "extragradient": (gd.rules.Extragradient(LR), sgd),
    "optimistic": (gd.rules.OptimisticGD(LR), sgd),
    "simultaneous Adam": (gd.rules.Adam(0.01, betas=(0.5, 0.9)), adam),
    "alternating Adam": (gd.rules.Alternating(gd.rules.Adam(0.01, betas=(0.5, 0.9))), adam),
}


@pytest.mark.parametrize("name", LOOPS)
def test_a_rule_is_the_hand_written_loop(name):
    rule, optimizer = LOOPS[name]
    game, hand, rng = gan(), ByHand(optimizer), np.random.default_rng(7)
    run = gd.iterate(game, rule, game.w0, 5, rng=np.random.default_rng(7))
    for w in run.w[1:]:
        getattr(hand, name.split()[0])(lambda: game.draw(rng))
        torch.testing.assert_close(w, hand.vector(), rtol=1e-12, atol=1e-13)
    assert (hand.vector() - game.w0).abs().max() > 0.01


# --- randomness, buffers, parameters ---------------------------------------------------------------------------------


class Sum(nn.Module):
    def __init__(self):
        super().__init__()
        self.unused = nn.Parameter(torch.ones(3, dtype=torch.float64))

    def forward(self, x):
        return x.sum(-1)


class Detach(nn.Module):
    def forward(self, x):
        return x.detach()


def noisy_pair():
    torch.manual_seed(0)
    generator = nn.Sequential(nn.Linear(2, 6), nn.BatchNorm1d(6), nn.Tanh(), nn.Linear(6, 2))
    discriminator = nn.Sequential(nn.Linear(2, 9), nn.Dropout(0.5), nn.Tanh(), nn.Linear(9, 1))
    return generator.double(), discriminator.double()


def test_a_token_fixes_everything_and_fresh_tokens_differ():
    game = gan(pair=noisy_pair())
    assert game.stochastic
    assert not gan().stochastic
    w, batch, other = game.w0, token(game), token(game, 1)
    state = torch.get_rng_state()
    v = game.field(w, batch)
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(123)
    assert torch.equal(game.field(w, batch), v)
    assert torch.equal(game.field(w, token(game)), v)
    torch.testing.assert_close(game.field(w.clone().requires_grad_(), batch).detach(), v, rtol=1e-12, atol=1e-14)
    assert not torch.allclose(game.field(w, other), v)
    assert not torch.equal(batch.real, other.real)
    assert not torch.equal(batch.latent, other.latent)
    reseeded = gd.gans.Token(batch.real, batch.latent, batch.seed + 1)
    assert not torch.allclose(game.field(w, reseeded), v)


def test_evaluations_leave_buffers_and_advance_moves_them_once():
    """BatchNorm's running mean after `advance` is 0.9 old + 0.1 batch mean, of the step's last field alone."""
    game = gan(pair=noisy_pair())
    norm, batch, w = game.generator[1], token(game), game.w0
    before = {name: b.clone() for name, b in game.generator.named_buffers()}
    for evaluate in (game.field, game.costs, lambda w, b: game.jvp(w, w, b), lambda w, b: game.sample(w, 5)):
        evaluate(w, batch)
        assert all(torch.equal(b, before[name]) for name, b in game.generator.named_buffers())
    game.field(w, token(game, 5))
    game.field(w, batch)
    game.costs(w, token(game, 6))
    game.advance()
    mean = game.generator[0](batch.latent).mean(0)
    torch.testing.assert_close(norm.running_mean, 0.1 * mean, rtol=1e-12, atol=1e-14)
    assert int(norm.num_batches_tracked) == 1
    game.advance()
    assert int(norm.num_batches_tracked) == 1


def test_parameters_are_views_of_one_buffer():
    game = gan()
    parameters = [p for network in (game.generator, game.discriminator) for p in network.parameters()]
    assert len({p.untyped_storage().data_ptr() for p in parameters}) == 1
    w = torch.arange(game.dim, dtype=torch.float64)
    game.load(w)
    assert torch.equal(torch.cat([p.detach().reshape(-1) for p in parameters]), w)
    assert torch.equal(game.initial, game.w0)
    assert not torch.equal(game.w0, w)
    assert game.generator.in_features if hasattr(game.generator, "in_features") else game.generator[0].in_features == 2


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


@pytest.mark.parametrize("entry", list(gd.losses.registry), ids=lambda entry: entry.name)
def test_every_loss_trains_networks_or_says_why_not(entry):
    loss = entry.build(**entry.examples[0])
    if "classes" in loss.needs:
        with pytest.raises(DomainError, match=type(loss).__name__):
            gan(loss)
        return
    game = gan(loss, pair=networks(hidden=(4,)))
    batch, w = token(game), game.w0
    gradients = game.cost_gradients(w, batch)
    own = torch.cat([gradients[i, block] for i, block in enumerate(game.slices)])
    torch.testing.assert_close(game.field(w, batch), own, rtol=1e-11, atol=1e-14)
    split = sum(game.field(w, batch, only=i) for i in range(2))
    torch.testing.assert_close(split, own, rtol=1e-11, atol=1e-14)


def test_the_mode_regulariser_reconstructs_through_the_generators_encoder():
    """By the formula with the modules themselves; the encoder plays with the generator, in every kind of evaluation."""
    penalty = gd.penalties.ModeRegularizer(0.1, 0.3)
    pair = networks(hidden=(4,))
    pair[0].encoder = torch.nn.Linear(2, gan(pair=networks(hidden=(4,))).reference.latent.shape[1]).double()
    game = gan(penalties=penalty, pair=pair)
    plain = gan(pair=networks(hidden=(4,)))
    assert game.players[0].size == plain.players[0].size + sum(p.numel() for p in pair[0].encoder.parameters())
    batch, w = token(game), game.w0
    v, gradients = game.field(w, batch), game.cost_gradients(w, batch)
    own = torch.cat([gradients[i, block] for i, block in enumerate(game.slices)])
    torch.testing.assert_close(v, own, rtol=1e-10, atol=1e-13)
    torch.testing.assert_close(sum(game.field(w, batch, only=i) for i in range(2)), own, rtol=1e-10, atol=1e-13)
    unit = torch.randn(game.dim, generator=torch.Generator().manual_seed(0), dtype=w.dtype)
    h = 1e-5
    slope = (game.field(w + h * unit, batch) - game.field(w - h * unit, batch)) / (2 * h)
    torch.testing.assert_close(game.jvp(w, unit, batch), slope, rtol=1e-6, atol=1e-7)
    game.load(w)
    near, fake = pair[0](pair[0].encoder(batch.real)), pair[0](batch.latent)
    error = (batch.real - near).square().sum(1).mean()
    surprise, fooled = (-torch.log(torch.sigmoid(pair[1](points))).mean() for points in (near, fake))
    costs = game.costs(w, batch)
    torch.testing.assert_close(costs[0], fooled + 0.1 * error + 0.3 * surprise, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("entry", list(gd.penalties.registry), ids=lambda entry: entry.name)
def test_every_penalty_regularises_networks_or_says_why_not(entry):
    """Plain and differentiable evaluations, whole and player by player, agree; projections are feasible."""
    for example in entry.examples:
        penalty = entry.build(**example)
        if entry.name == "ModeRegularizer":
            with pytest.raises(DomainError, match="encoder"):
                gan(penalties=penalty)
            continue
        game = gan("wasserstein", penalty, pair=networks(hidden=(4,)))
        batch, w = token(game), game.project(3 * game.w0)
        torch.testing.assert_close(game.project(w), w, rtol=0, atol=0)
        v = game.field(w, batch)
        torch.testing.assert_close(game.field(w, token(game)), v, rtol=0, atol=0)
        gradients = game.cost_gradients(w, batch)
        own = torch.cat([gradients[i, block] for i, block in enumerate(game.slices)])
        torch.testing.assert_close(v, own, rtol=1e-10, atol=1e-13)
        torch.testing.assert_close(sum(game.field(w, batch, only=i) for i in range(2)), own, rtol=1e-10, atol=1e-13)
        plain = gan("wasserstein", pair=networks(hidden=(4,)))
        assert game.constrained or not torch.allclose(v, plain.field(w, batch))


def test_wgan_gp_is_its_formula():
    """(gamma/2) mean (|slope| - 1)^2 at interpolates, from the token's own uniforms, point by point."""
    pair = networks()
    game = gan("wasserstein", "WGANGP(0.7)", pair=copy.deepcopy(pair))
    batch = token(game)
    start = (batch.seed + 4 * 0x9E3779B97F4A7C15) % 2**63
    u = torch.rand((8, 1), generator=torch.Generator().manual_seed(start), dtype=torch.float64)
    points = batch.real + u * (pair[0](batch.latent).detach() - batch.real)
    slopes = [torch.autograd.functional.jacobian(lambda x: pair[1](x).sum(), x).norm() for x in points]
    expected = 0.35 * (torch.stack(slopes) - 1).square().mean()
    plain = gan("wasserstein", pair=pair)
    excess = game.costs(game.w0, batch)[1] - plain.costs(plain.w0, batch)[1]
    assert excess.item() == pytest.approx(expected.item(), rel=1e-12)


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
