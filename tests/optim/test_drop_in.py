"""`for_modules` in other people's loops: wrapped, frozen, enlarged, scheduled, saved and closed-over modules."""

from __future__ import annotations

import copy
import io
import itertools
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import softplus

import gandyn as gd

R = gd.rules
SOURCE = torch.Generator().manual_seed(0)
REAL, LATENT = torch.randn(2, 16, 2, dtype=torch.float64, generator=SOURCE) + torch.tensor([1.0, 0.0])[:, None, None]


def modules(norm=False, dtype=torch.float64, seed=0):
    torch.manual_seed(seed)
    inside = [nn.BatchNorm1d(5)] if norm else []
    generator = nn.Sequential(nn.Linear(2, 5), *inside, nn.Tanh(), nn.Linear(5, 2)).to(dtype)
    return generator, nn.Sequential(nn.Linear(2, 5), *copy.deepcopy(inside), nn.Tanh(), nn.Linear(5, 1)).to(dtype)


def losses(generator, discriminator, real=REAL, latent=LATENT):
    on_fake, on_real = discriminator(generator(latent)), discriminator(real)
    return softplus(-on_fake).mean(), (softplus(on_fake) + softplus(-on_real)).mean()


def simple(generator, discriminator):
    return losses(generator, discriminator)


def vector(pair):
    return torch.cat([p.detach().reshape(-1) for module in pair for p in module.parameters()]).clone()


def after(pair, rule, objective=simple, steps=2, **options):
    optimizer = gd.optim.for_modules(*pair, rule, **options)
    for _ in range(steps):
        optimizer.step(objective)
    return vector(pair)


class WithMethods(nn.Module):
    """A discriminator that losses call by methods of its own, with its layers in a list."""

    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(2, 5), nn.BatchNorm1d(5), nn.Linear(5, 1)])

    def features(self, x):
        return torch.tanh(self.layers[1](self.layers[0](x)))

    def score(self, x):
        return self.layers[2](self.features(x))

    def forward(self, x):
        return self.score(x)


@pytest.mark.parametrize("rule", [R.Consensus(0.05, 0.5), R.SGA(0.05, 0.5), R.Unrolled(0.05, 2)], ids=lambda r: r.name)
def test_losses_may_close_over_the_modules_or_call_their_methods(rule):
    """On networks with buffers, second-order rules see the same game however the losses reach the modules."""
    pair = modules(norm=True)
    expected = after(pair, rule)
    closed = modules(norm=True)
    torch.testing.assert_close(after(closed, rule, lambda g, d: losses(*closed)), expected, rtol=1e-10, atol=1e-12)
    assert (expected - after(modules(norm=True), R.GDA(0.05))).norm() > 1e-4
    generator = modules(norm=True)[0]
    torch.manual_seed(1)
    discriminator = WithMethods().double()
    twin = copy.deepcopy((generator, discriminator))

    def by_methods(g, d):
        matched = (d.features(g(LATENT)).mean(0) - d.layers[1](d.layers[0](REAL)).tanh().mean(0)).square().sum()
        on_fake, on_real = d.score(g(LATENT)), d.layers[2](d.features(REAL))
        return softplus(-on_fake).mean() + 0 * matched, (softplus(on_fake) + softplus(-on_real)).mean()

    torch.testing.assert_close(
        after((generator, discriminator), rule, by_methods), after(twin, rule), rtol=1e-9, atol=1e-11
    )


def test_losses_of_other_modules_are_refused():
    """No slope reaches the given modules: made from copies, or with the discriminator's output detached."""
    others = modules(seed=5)
    with pytest.raises(gd.errors.GameError, match="does not depend on generator's own parameters"):
        after(modules(), R.GDA(0.1), lambda g, d: losses(*others))
    with pytest.raises(gd.errors.GameError, match="does not depend on discriminator's own"):
        after(modules(), R.GDA(0.1), lambda g, d: (losses(g, d)[0], losses(g, d)[1].detach()))


@pytest.mark.parametrize("norm", [False, True])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_a_detached_sample_is_right_for_first_order_and_refused_for_products(norm, dtype):
    """`discriminator(fake.detach())`, as most public code has it, hides how slopes depend on the generator."""
    real, latent = REAL.to(dtype), LATENT.to(dtype)

    def detached(g, d):
        fake = g(latent)
        return softplus(-d(fake)).mean(), (softplus(d(fake.detach())) + softplus(-d(real))).mean()

    plain = after(modules(norm, dtype), R.GDA(0.05), lambda g, d: losses(g, d, real, latent))
    torch.testing.assert_close(after(modules(norm, dtype), R.GDA(0.05), detached), plain)
    with pytest.raises(gd.errors.NotDifferentiableError, match=r"without `\.detach\(\)`"):
        after(modules(norm, dtype), R.Consensus(0.05, 0.5), detached)


def test_any_number_of_networks():
    """Two discriminators: simultaneous steps are three SGDs at once, alternating Adam three in turn."""

    def trio():
        torch.manual_seed(0)
        return (
            modules()[0],
            nn.Linear(2, 1).double(),
            nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1)).double(),
        )

    def three(g, d1, d2):
        fake = g(LATENT)
        return (
            softplus(-d1(fake)).mean() + softplus(-d2(fake)).mean(),
            *((softplus(d(fake)) + softplus(-d(REAL))).mean() for d in (d1, d2)),
        )

    for rule, make, together in (
        (R.GDA((0.1, 0.2, 0.3)), torch.optim.SGD, True),
        (R.Alternating(R.Adam((0.1, 0.2, 0.3))), torch.optim.Adam, False),
    ):
        nets, twins = trio(), trio()
        optimizer = gd.optim.for_modules(dict(zip(("generator", "d1", "d2"), nets, strict=True)), rule)
        by_hand = [make(net.parameters(), lr) for net, lr in zip(twins, (0.1, 0.2, 0.3), strict=True)]
        for _ in range(3):
            found = optimizer.step(three)
            assert len(found) == 3
            for turn in [range(3)] if together else [[0], [1], [2]]:
                values = three(*twins)
                for i in turn:
                    slopes = torch.autograd.grad(values[i], list(twins[i].parameters()), retain_graph=True)
                    for p, g in zip(twins[i].parameters(), slopes, strict=True):
                        p.grad = g
                for i in turn:
                    by_hand[i].step()
        torch.testing.assert_close(vector(nets), vector(twins), rtol=1e-9, atol=1e-11)
    moved = vector(trio())
    nets = trio()
    gd.optim.for_modules(dict(zip("abc", nets, strict=True)), rule=R.Consensus(0.05, 0.1)).step(three)
    assert (vector(nets) - moved).norm() > 1e-3
    with pytest.raises(gd.errors.ShapeError, match="a loss for each of a, b, c"):
        gd.optim.for_modules(dict(zip("abc", trio(), strict=True)), R.GDA(0.1)).step(lambda *nets: three(*nets)[:2])
    with pytest.raises(gd.errors.ParameterError, match="two networks"):
        gd.optim.for_modules(dict(zip("abc", trio(), strict=True)), R.GDA(0.1), zero_sum=True)
    with pytest.raises(gd.errors.ParameterError, match="a dict of modules and a rule"):
        gd.optim.for_modules(*modules())


def test_buffers_advance_as_in_the_usual_loop():
    """Every evaluation moves running statistics: one in a simultaneous step, two in one of extragradient."""
    for rule, calls in ((R.GDA(0.0001), 1), (R.Extragradient(0.0001), 2), (R.Alternating(R.Adam(1e-6)), 2)):
        pair, twin = modules(norm=True), modules(norm=True)
        gd.optim.for_modules(*pair, rule).step(simple)
        for _ in range(calls):
            losses(*twin)
        for module, other in zip(pair, twin, strict=True):
            assert module[1].num_batches_tracked == other[1].num_batches_tracked
            torch.testing.assert_close(module[1].running_mean, other[1].running_mean, rtol=1e-2, atol=1e-4)


def test_state_dict_of_one_network_holds_that_network():
    """Its entries are still the parameters' own memory, and loading works as ever."""
    pair = (nn.Linear(2, 2), nn.Sequential(nn.Linear(2, 300), nn.ReLU(), nn.Linear(300, 1)))
    sizes = []
    for _ in range(2):
        file = io.BytesIO()
        torch.save(pair[0].state_dict(), file)
        sizes.append(file.tell())
        gd.optim.for_modules(*pair, R.GDA(0.1))
    assert abs(sizes[1] - sizes[0]) < 200
    pair[0].state_dict()["weight"].fill_(3.0)
    assert (pair[0].weight == 3).all()
    assert pair[0].state_dict(keep_vars=True)["weight"] is pair[0].weight
    file.seek(0)
    pair[0].load_state_dict(torch.load(file))
    assert not (pair[0].weight == 3).any()
    copy.deepcopy(pair[0])


def test_frozen_and_unfrozen_parameters():
    """What has requires_grad=False stays put, even under momentum, and moves again once it is unfrozen."""
    pair = modules()
    pair[0][0].requires_grad_(False)
    optimizer = gd.optim.for_modules(*pair, R.Adam(0.05))
    before = [p.detach().clone() for p in pair[0].parameters()]
    optimizer.step(simple)
    assert torch.equal(pair[0][0].weight, before[0])
    assert not torch.equal(pair[0][2].weight, before[2])
    pair[0][0].requires_grad_(True)
    optimizer.step(simple)
    assert not torch.equal(pair[0][0].weight, before[0])
    held = pair[0][0].weight.detach().clone()
    pair[0][0].requires_grad_(False)
    optimizer.step(simple)
    assert torch.equal(pair[0][0].weight, held)


@pytest.mark.parametrize("rule", [R.SimultaneousGD(0.05), R.Consensus(0.05, 0.1)], ids=lambda r: r.name)
def test_losses_that_switch_requires_grad(rule):
    """As loops do to spare the discriminator's slopes; for products it hides them, which is refused or harmless."""

    def switching(g, d):
        for p in d.parameters():
            p.requires_grad_(False)
        first = losses(g, d)[0]
        for p in d.parameters():
            p.requires_grad_(True)
        return first, losses(g, d)[1]

    if isinstance(rule, R.SimultaneousGD):
        torch.testing.assert_close(after(modules(), rule, switching), after(modules(), rule))
        return
    with pytest.raises(gd.errors.NotDifferentiableError):
        after(modules(), rule, switching)


def test_added_layers_join_their_network():
    """`add_param_group` for a layer attached after two steps; moments of the others go on."""
    pair = modules()
    rule = R.Alternating(R.Adam((0.01, 0.02)))
    optimizer = gd.optim.for_modules(*pair, rule)
    for _ in range(2):
        optimizer.step(simple)
    kept = {path: array.clone() for path, array in optimizer.rule_state.leaves()}
    layer = nn.Linear(2, 2).double()
    pair[0].append(layer)
    start = layer.weight.detach().clone()
    optimizer.add_param_group({"params": layer.parameters()})
    assert len(optimizer.param_groups) == 2
    assert any(p is layer.weight for p in optimizer.param_groups[0]["params"])
    joined = dict(optimizer.rule_state.leaves())
    assert any(joined[path].shape != array.shape for path, array in kept.items())
    for path, array in kept.items():
        assert float(joined[path].abs().sum()) == pytest.approx(float(array.abs().sum()), rel=1e-12)
    optimizer.step(simple)
    assert not torch.equal(layer.weight, start)
    with pytest.raises(gd.errors.ParameterError, match="in none of the networks"):
        optimizer.add_param_group({"params": nn.Linear(2, 2).parameters()})
    with pytest.raises(gd.errors.ParameterError, match="a step size of their own"):
        optimizer.add_param_group({"params": layer.parameters(), "lr": 1.0})


@pytest.mark.parametrize("rule", [R.Adam(0.01), R.Alternating(R.Adam((0.01, 0.02))), R.Extragradient(0.1)], ids=str)
def test_a_schedule_may_reach_zero(rule):
    """At 0 a player stands still; the others go on."""
    pair = modules()
    optimizer = gd.optim.for_modules(*pair, rule)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, [lambda t: float(t < 2), lambda t: 1.0])
    for t in range(4):
        before = [vector([m]) for m in pair]
        optimizer.step(simple)
        scheduler.step()
        assert torch.equal(before[0], vector([pair[0]])) == (t >= 2)
        assert not torch.equal(before[1], vector([pair[1]]))


def test_autocast_sees_the_weights_of_each_evaluation():
    """Extra-Adam's second evaluation is at other weights: half-precision copies of the first would be stale."""

    def inside(g, d):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return losses(g, d, REAL.float(), LATENT.float())

    expected = after(modules(dtype=torch.float32), R.ExtraAdam(0.05), inside, steps=1)
    pair = modules(dtype=torch.float32)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = after(pair, R.ExtraAdam(0.05), lambda g, d: losses(g, d, REAL.float(), LATENT.float()), steps=1)
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-7)


def test_fresh_data_for_each_of_a_rules_batches():
    """By number, or from an iterator: 1 + 5 batches in a step of repeats=(1, 5), each seen once."""
    rule = R.Alternating(R.Adam(0.01), repeats=(1, 5))
    seen = []

    def numbered(g, d, k):
        seen.append(k)
        return losses(g, d, REAL + 0.1 * k)

    gd.optim.for_modules(*modules(), rule).step(numbered)
    assert seen == [0, 1, 2, 3, 4, 5]
    seen.clear()
    gd.optim.for_modules(*modules(), R.Extragradient(0.1)).step(numbered)
    assert seen == [0, 0]
    source = itertools.count()
    optimizer = gd.optim.for_modules(*modules(), rule)
    for _ in range(2):
        optimizer.step(numbered, data=source)
    assert seen == [0, 0, *range(12)]
    with pytest.raises(gd.errors.ParameterError, match="data that end after 3 items"):
        optimizer.step(numbered, data=[1, 2, 3])


def test_a_discriminator_that_ends_in_a_sigmoid_is_noticed():
    generator, discriminator = modules()
    discriminator.append(nn.Sigmoid())
    with pytest.warns(UserWarning, match="ends in a sigmoid"):
        gd.gans.GANGame(generator, discriminator, "nonsaturating", data=REAL, batch_size=8, latent=2)


def test_a_game_says_that_something_was_unfrozen():
    generator, discriminator = modules()
    generator[0].requires_grad_(False)
    game = gd.gans.GANGame(generator, discriminator, "nonsaturating", data=REAL, batch_size=8, latent=2)
    v = game.field(game.w0)
    generator[2].requires_grad_(False)
    assert not game.field(game.w0)[game.slices[0]].any()
    generator[2].requires_grad_(True)
    assert torch.equal(game.field(game.w0), v)
    generator[0].requires_grad_(True)
    with pytest.raises(gd.errors.GameError, match="unfrozen after"):
        game.field(game.w0)


def test_spectral_norms_of_torch_follow_the_weights():
    """In the drop-in their estimate converges to the largest singular value, once a step; within a step it is held."""
    generator, _ = modules()
    torch.manual_seed(2)
    discriminator = nn.Sequential(
        nn.utils.parametrizations.spectral_norm(nn.Linear(2, 5)), nn.Tanh(), nn.Linear(5, 1)
    ).double()
    optimizer = gd.optim.for_modules(generator, discriminator, R.GDA(0.01))
    u = discriminator[0].parametrizations.weight[0]._u
    for _ in range(20):
        before = u.clone()
        optimizer.step(simple)
        assert not torch.equal(u, before)
    discriminator.eval()
    assert float(torch.linalg.matrix_norm(discriminator[0].weight.detach(), 2)) == pytest.approx(1, abs=1e-3)


def test_a_classifier_needs_no_stated_accuracy():
    class Looks:
        name = "two halves"

        def embed(self, points):
            return points

        def probabilities(self, points):
            return torch.softmax(points, 1)

    assert gd.gans.metrics.classifier_score(REAL, Looks(), splits=2).parts == {}


PROCESSES = """
import sys, torch, torch.distributed as dist
import gandyn as gd
from torch.nn.functional import softplus
torch.set_num_threads(1)
dist.init_process_group("gloo")
rank = dist.get_rank()
R = gd.rules
for rule in (R.Alternating(R.Adam(0.01)), R.Extragradient(0.05), R.Consensus(0.05, 0.1)):
    def pair():
        torch.manual_seed(0)
        body = lambda out: torch.nn.Sequential(torch.nn.Linear(2, 5), torch.nn.Tanh(), torch.nn.Linear(5, out)).double()
        return body(2), body(1)
    real, latent = torch.randn(2, 16, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    def losses(part):
        def of(g, d):
            on_fake, on_real = d(g(latent[part])), d(real[part])
            return softplus(-on_fake).mean(), (softplus(on_fake) + softplus(-on_real)).mean()
        return of
    def vector(nets):
        return torch.cat([p.detach().reshape(-1) for n in nets for p in n.parameters()])
    alone, shared = pair(), pair()
    wrapped = [torch.nn.parallel.DistributedDataParallel(net) for net in shared]
    one, two = gd.optim.for_modules(*alone, rule), gd.optim.for_modules(*wrapped, rule)
    for _ in range(5):
        one.step(losses(slice(None)))
        two.step(losses(slice(rank, None, 2)))
    torch.testing.assert_close(vector(shared), vector(alone), rtol=1e-9, atol=1e-11)
    others = [torch.empty_like(vector(shared)) for _ in range(2)]
    dist.all_gather(others, vector(shared))
    assert torch.equal(*others)
dist.destroy_process_group()
"""


@pytest.mark.slow
def test_modules_in_distributed_data_parallel_stay_equal(tmp_path):
    """Two processes with half of the data each are one process with all of it."""
    script = tmp_path / "two.py"
    script.write_text(PROCESSES)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", str(script)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]


def test_saved_and_loaded_by_three():
    """A saved optimiser of three networks goes on to the same numbers."""
    nets = [nn.Linear(2, 2), nn.Linear(2, 1), nn.Linear(2, 1)]
    data = torch.randn(8, 2, generator=torch.Generator().manual_seed(0))

    def three(g, a, b):
        return -a(g(data)).mean() - b(g(data)).mean(), *(softplus(d(g(data))).mean() - d(data).mean() for d in (a, b))

    def make(nets):
        return gd.optim.for_modules(dict(zip("gab", nets, strict=True)), R.Adam(0.01))

    optimizer = make(nets)
    optimizer.step(three)
    twins = copy.deepcopy(nets)
    other = make(twins)
    other.load_state_dict(optimizer.state_dict())
    for _ in range(2):
        optimizer.step(three)
        other.step(three)
    assert np.array_equal(vector(nets), vector(twins))
