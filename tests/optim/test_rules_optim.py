"""The rules as optimisers: of two modules in a loop of one's own, and of one network through torch's interface."""

from __future__ import annotations

import copy
import io

import numpy as np
import pytest
import torch

import gandyn as gd

R = gd.rules


def modules(seed=0):
    torch.manual_seed(seed)
    generator = torch.nn.Sequential(torch.nn.Linear(2, 5), torch.nn.Tanh(), torch.nn.Linear(5, 2)).double()
    discriminator = torch.nn.Sequential(torch.nn.Linear(2, 4), torch.nn.Tanh(), torch.nn.Linear(4, 1)).double()
    return generator, discriminator


SOURCE = torch.Generator().manual_seed(0)
REAL, LATENT = torch.randn(2, 16, 2, dtype=torch.float64, generator=SOURCE) + torch.tensor([1.0, 0.0])[:, None, None]


def losses(generator, discriminator):
    """The non-saturating GAN: general-sum."""
    on_fake, on_real = discriminator(generator(LATENT)), discriminator(REAL)
    softplus = torch.nn.functional.softplus
    return softplus(-on_fake).mean(), (softplus(on_fake) + softplus(-on_real)).mean()


def noisy(generator, discriminator):
    """Latents drawn inside."""
    fake = discriminator(generator(torch.randn(16, 2, dtype=torch.float64)))
    return -fake.mean(), fake.mean() - discriminator(REAL).mean() + (fake**2).mean()


def parameters(pair):
    return torch.cat([p.detach().reshape(-1) for module in pair for p in module.parameters()])


def train(pair, rule, steps=3, objective=losses, **options):
    optimizer = gd.optim.for_modules(*pair, rule, **options)
    for _ in range(steps):
        optimizer.step(objective)
    return parameters(pair)


def gradients(pair, at):
    """Each player's own gradient at a point, by plain autograd on a copy of the modules."""
    pair = copy.deepcopy(pair)
    own = [list(module.parameters()) for module in pair]
    torch.nn.utils.vector_to_parameters(at, [*own[0], *own[1]])
    values = losses(*pair)
    parts = [torch.autograd.grad(v, p, retain_graph=True) for v, p in zip(values, own, strict=True)]
    return torch.cat([g.reshape(-1) for part in parts for g in part])


def test_simultaneous_and_extragradient_steps_by_hand():
    """Against a loop over deep copies and vector_to_parameters."""
    pair = modules()
    w, lr = parameters(pair), torch.tensor(27 * [0.1] + 17 * [0.2], dtype=torch.float64)
    expected = w - lr * gradients(pair, w)
    torch.testing.assert_close(train(modules(), R.GDA((0.1, 0.2)), 1), expected, rtol=1e-12, atol=1e-14)
    expected = w - lr * gradients(pair, w - lr * gradients(pair, w))
    torch.testing.assert_close(train(modules(), R.Extragradient((0.1, 0.2)), 1), expected, rtol=1e-12, atol=1e-14)


def test_alternating_adam_is_two_torch_optimisers_in_turn():
    pair, reference = modules(), modules()
    moved = train(pair, R.Alternating(R.Adam((0.01, 0.02), betas=(0.5, 0.9))), 5)
    steps = [torch.optim.Adam(m.parameters(), lr, (0.5, 0.9)) for m, lr in zip(reference, (0.01, 0.02), strict=True)]
    for _ in range(5):
        for i, optimizer in enumerate(steps):
            optimizer.zero_grad()
            losses(*reference)[i].backward()
            optimizer.step()
    torch.testing.assert_close(moved, parameters(reference), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    "rule",
    [R.Consensus(0.05, 0.5), R.SGA(0.05, 0.5), R.LOLA(0.05), R.Unrolled(0.05, 2), R.RungeKutta(0.05, 4, (0, 0.1)),
     R.CompetitiveGD(0.05), R.CompetitiveGD(0.05, solver="krylov"), R.Lookahead(R.OptimisticGD(0.05), 2, 0.5)],
    ids=lambda rule: rule.name,
)  # fmt: skip
def test_rules_of_second_order_train_modules(rule):
    moved = train(modules(), rule, 2)
    assert torch.isfinite(moved).all()
    assert (moved - parameters(modules())).norm() > 1e-3


def test_consensus_on_modules_by_double_backward():
    pair = modules()
    own = [list(m.parameters()) for m in pair]
    values = losses(*pair)
    field = [g for v, p in zip(values, own, strict=True) for g in torch.autograd.grad(v, p, create_graph=True)]
    penalty = torch.autograd.grad(sum((g**2).sum() for g in field) / 2, [*own[0], *own[1]])
    v, consensus = (torch.cat([g.detach().reshape(-1) for g in part]) for part in (field, penalty))
    expected = parameters(pair) - 0.05 * (v + 0.7 * consensus)
    torch.testing.assert_close(train(modules(), R.Consensus(0.05, 0.7), 1), expected, rtol=1e-11, atol=1e-13)


def test_the_losses_come_back_and_noise_repeats_within_a_token():
    """Same-sample extragradient sees the same latents twice, fresh-sample does not; torch's own stream is untouched."""
    pair = modules()
    optimizer, expected = gd.optim.for_modules(*pair, R.GDA(0.1)), losses(*pair)
    returned = optimizer.step(losses)
    assert [r.item() for r in returned] == pytest.approx([e.item() for e in expected], rel=1e-14)
    before = torch.get_rng_state()
    seen = []

    def watch(generator, discriminator):
        seen.append(torch.randn(1).item())
        return losses(generator, discriminator)

    for fresh in (False, True):
        gd.optim.for_modules(*modules(), R.Extragradient(0.1, fresh=fresh)).step(watch)
    assert seen[0] == seen[1]
    assert seen[2] != seen[3]
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("rule", [R.Alternating(R.Adam(0.02)), R.OptimisticGD(0.05), R.PastExtraAdam(0.02)])
def test_a_saved_optimiser_goes_on_to_the_same_numbers(rule):
    """Rule state, counters and random stream, through torch.save without pickled classes."""
    pair = modules()
    optimizer = gd.optim.for_modules(*pair, rule)
    for _ in range(3):
        optimizer.step(noisy)
    file = io.BytesIO()
    torch.save([optimizer.state_dict(), *(m.state_dict() for m in pair)], file)
    for _ in range(3):
        optimizer.step(noisy)
    file.seek(0)
    state, *weights = torch.load(file, weights_only=True)
    other = modules(seed=7)
    for module, weight in zip(other, weights, strict=True):
        module.load_state_dict(weight)
    resumed = gd.optim.for_modules(*other, rule)
    resumed.load_state_dict(state)
    for _ in range(3):
        resumed.step(noisy)
    assert torch.equal(parameters(pair), parameters(other))
    with pytest.raises(gd.errors.ParameterError, match="the same rule"):
        gd.optim.for_modules(*modules(), R.GDA(0.3)).load_state_dict(state)


def test_torch_schedulers_change_each_players_step():
    """LambdaLR with a function per group against the rule with those step sizes."""
    pair = modules()
    optimizer = gd.optim.for_modules(*pair, R.AlternatingGD((0.1, 0.2)))
    assert [g["lr"] for g in optimizer.param_groups] == [0.1, 0.2]
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, [lambda t: 0.5**t, lambda t: 1.0])
    for _ in range(3):
        optimizer.step(losses)
        scheduler.step()
    other = modules()
    for t in range(3):
        train(other, R.AlternatingGD((0.1 * 0.5**t, 0.2)), 1)
    torch.testing.assert_close(parameters(pair), parameters(other), rtol=1e-12, atol=1e-14)


def test_what_the_rule_refuses_and_bad_losses():
    with pytest.raises(gd.errors.DomainError, match="FollowTheRidge"):
        gd.optim.for_modules(*modules(), R.FollowTheRidge(0.1))
    zero_sum = gd.optim.for_modules(*modules(), R.FollowTheRidge(0.01), zero_sum=True)
    assert zero_sum.game.zero_sum
    with pytest.raises(gd.errors.ShapeError, match="a scalar tensor each"):
        gd.optim.for_modules(*modules(), R.GDA(0.1)).step(lambda g, d: (d(g(LATENT)).mean(),))


# --- one network ------------------------------------------------------------------------------------------------------


def network(seed=0):
    torch.manual_seed(seed)
    return torch.nn.Sequential(torch.nn.Conv1d(2, 3, 2), torch.nn.Flatten(), torch.nn.Linear(9, 2)).double()


INPUT = torch.randn(8, 2, 4, dtype=torch.float64, generator=SOURCE)


def descend(net, optimizer, steps=4):
    for _ in range(steps):
        optimizer.zero_grad()
        (net(INPUT) ** 2).sum().backward()
        optimizer.step()
    return [p.detach().clone() for p in net.parameters()]


def centred(g, least=2):
    return g - g.mean(tuple(range(1, g.ndim)), keepdim=True) if g.ndim >= least else g


@pytest.mark.parametrize(("convolutions_only", "least"), [(False, 2), (True, 3)])
def test_centralised_optimisers_are_torchs_on_centralised_gradients(convolutions_only, least):
    """Hooks that centralise p.grad, then torch's own Adam and SGD."""
    decay = 0.1

    def reference(make):
        net = network()
        optimizer = make(net.parameters())
        for _ in range(4):
            optimizer.zero_grad()
            (net(INPUT) ** 2).sum().backward()
            for p in net.parameters():
                p.grad = centred(p.grad + decay * p.detach(), least)
            optimizer.step()
        return [p.detach() for p in net.parameters()]

    options = {"weight_decay": decay, "convolutions_only": convolutions_only}
    net = network()
    found = descend(net, gd.optim.AdamGC(net.parameters(), 0.01, (0.5, 0.9), **options))
    torch.testing.assert_close(
        found, reference(lambda p: torch.optim.Adam(p, 0.01, (0.5, 0.9))), rtol=1e-10, atol=1e-12
    )
    net = network()
    found = descend(net, gd.optim.SGDMGC(net.parameters(), 0.01, 0.6, **options))
    expected = reference(lambda p: torch.optim.SGD(p, 0.01 * 0.4, momentum=0.6))
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-12)


def test_optimistic_adam_without_memory_is_the_recursion():
    """With betas (0, 0) the direction is g / (|g| + eps)."""
    p = torch.tensor([1.0, -2.0], dtype=torch.float64, requires_grad=True)
    optimizer, w, last = gd.optim.OptimisticAdam([p], 0.1, (0.0, 0.0), 0.5), p.detach().numpy().copy(), 0
    for _ in range(4):
        optimizer.zero_grad()
        (p**2).sum().backward()
        optimizer.step()
        direction = 2 * w / (np.abs(2 * w) + 0.5)
        w, last = w - 0.1 * (2 * direction - last), direction
        np.testing.assert_allclose(p.detach().numpy(), w, rtol=1e-12)


def test_single_optimisers_save_load_schedule_and_take_closures():
    net, other = network(), network(seed=3)
    optimizer = gd.optim.AdamGC(net.parameters(), 0.01)
    descend(net, optimizer, 3)
    other.load_state_dict(net.state_dict())
    resumed = gd.optim.AdamGC(other.parameters(), 0.5)
    resumed.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    scheduler = torch.optim.lr_scheduler.ExponentialLR(resumed, 0.5)
    for a, b in zip(descend(net, optimizer, 1), descend(other, resumed, 1), strict=True):
        assert torch.equal(a, b)
    scheduler.step()
    assert resumed.param_groups[0]["lr"] == 0.005

    def closure():
        resumed.zero_grad()
        loss = (other(INPUT) ** 2).sum()
        loss.backward()
        return loss

    before = closure().item()
    assert resumed.step(closure).item() == before
    assert closure().item() < before


@pytest.mark.parametrize("kind", [gd.optim.AdamGC, gd.optim.SGDMGC, gd.optim.OptimisticAdam])
def test_single_optimisers_stand_still_at_zero_and_refuse_what_they_would_not_see(kind):
    layer = torch.nn.Linear(2, 2)
    optimizer = kind(layer.parameters(), lr=0.1)
    before = [p.detach().clone() for p in layer.parameters()]
    optimizer.param_groups[0]["lr"] = torch.tensor(0.0)
    layer(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    assert all(map(torch.equal, before, layer.parameters()))
    optimizer.param_groups[0]["amsgrad"] = True
    with pytest.raises(gd.errors.ParameterError, match="amsgrad"):
        optimizer.step()
    table = torch.nn.Embedding(3, 2, sparse=True)
    table(torch.tensor([1])).sum().backward()
    with pytest.raises(gd.errors.ParameterError, match="sparse gradients"):
        kind(table.parameters(), lr=0.1).step()
    number = torch.nn.Parameter(torch.ones(1, dtype=torch.complex64))
    number.abs().sum().backward()
    with pytest.raises(gd.errors.ParameterError, match="complex parameters"):
        kind([number], lr=0.1).step()
