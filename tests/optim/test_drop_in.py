"""`for_modules` in other people's loops: wrapped, frozen, enlarged, scheduled, saved and closed-over modules."""

from __future__ import annotations

import copy
import io

import numpy as np
import pytest
import torch
from drop_in_cases import LATENT, REAL, R, after, losses, modules, simple
from torch import nn
from torch.nn.functional import softplus

import gandyn as gd


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


@pytest.mark.parametrize("whole", [lambda net: net, lambda net: [*net.parameters()], lambda net: {"ema": net.weight}])
def test_what_is_saved_of_one_network_holds_that_network(whole):
    """A pickled module, a list of parameters, one of them: storages of their own, though the memory is shared."""
    pair = (nn.Linear(2, 2), nn.Linear(300, 300))
    optimizer = gd.optim.for_modules(*pair, R.GDA(0.1))
    file = io.BytesIO()
    torch.save(whole(pair[0]), file)
    assert file.tell() < 4000
    assert pair[0].weight.data_ptr() == optimizer.game._buffer.data_ptr()


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


ENDS = {
    "sigmoid": lambda x: torch.sigmoid(x),
    "sigmoid, in another precision": lambda x: torch.sigmoid(x.float()).double().clone(),
    "sigmoid, mean over places": lambda x: torch.sigmoid(x.expand(-1, 3)).mean(1),
    "sigmoid, clamped": lambda x: torch.sigmoid(x).clamp(1e-3, 1 - 1e-3),
    "hardsigmoid": nn.functional.hardsigmoid,
    "log-sigmoid": nn.functional.logsigmoid,
    "softmax": lambda x: torch.softmax(torch.cat([x, -x], 1), 1)[:, :1],
}


class Ending(nn.Module):
    def __init__(self, end):
        super().__init__()
        self.inner, self.end = nn.Linear(2, 1), end

    def forward(self, x):
        return self.end(self.inner(x))


@pytest.mark.parametrize("end", ENDS)
def test_whatever_makes_a_probability_of_the_logit_is_noticed(end):
    networks = nn.Linear(2, 2).double(), Ending(ENDS[end]).double()
    with pytest.warns(UserWarning, match=f"ends in a {end.partition(',')[0]}"):
        gd.gans.GANGame(*networks, data=torch.randn(16, 2).double(), batch_size=8, latent=2)


class OwnClassifier:
    """What its contract names and no more."""

    def __init__(self, answer):
        self.answer = answer

    def probabilities(self, points):
        return self.answer


def test_a_classifier_is_its_probabilities():
    """exp of the mutual information by hand; arrays and tensors alike; what is no probability is refused."""
    from gandyn.gans.metrics import class_coverage, classifier_score

    p = np.random.default_rng(0).dirichlet([1, 2, 3], size=40)
    expected = np.exp((p * np.log(p / p.mean(0))).sum(1).mean())
    for answer in (p, torch.as_tensor(p, dtype=torch.float64).requires_grad_()):
        score = classifier_score(np.zeros((40, 2)), OwnClassifier(answer), splits=1)
        assert score.value == pytest.approx(expected, rel=1e-12)
    assert class_coverage(np.zeros((40, 2)), OwnClassifier(np.eye(3)[np.arange(40) % 2])).value == 2
    for wrong in (2 * p, -p, p[:, 0], p[:9], np.where(p == p.max(), np.nan, p)):
        with pytest.raises(gd.errors.ParameterError, match="OwnClassifier, wh"):
            classifier_score(np.zeros((40, 2)), OwnClassifier(wrong))
    for other in (None, lambda x: x, nn.Linear(2, 3)):
        with pytest.raises(gd.errors.ParameterError, match="as a classifier"):
            classifier_score(np.zeros((40, 2)), other)


def test_a_classifier_needs_no_stated_accuracy():
    class Looks:
        name = "two halves"

        def embed(self, points):
            return points

        def probabilities(self, points):
            return torch.softmax(points, 1)

    assert gd.gans.metrics.classifier_score(REAL, Looks(), splits=2).parts == {}
