"""Networks as strangers write them: first-order steps end as torch's optimisers, consensus as dense double backward."""

from __future__ import annotations

import copy

import pytest
import torch
from drop_in_cases import REAL, R, losses, modules, simple, vector
from torch import nn
from torch.nn.functional import softplus
from torch.nn.utils import parametrizations, parametrize

import gandyn as gd

STEPS = 3


class Through(nn.Module):
    """Some modules, and how they are gone through."""

    def __init__(self, through, **parts):
        super().__init__()
        self.through = through
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, z):
        return self.through(self, z)


def tied():
    """One tensor in two layers."""
    net = Through(lambda s, z: s.c(s.b(s.a(z).tanh()).tanh()), a=nn.Linear(2, 2), b=nn.Linear(2, 2), c=nn.Linear(2, 2))
    net.b.weight = net.a.weight
    return net


def embedded(sparse=False):
    """An embedding tied to the output layer."""

    def through(s, z):
        h = s.table(torch.arange(len(z)) % 4) * z
        return s.last(h) + s.out(h).softmax(-1) @ s.table.weight

    parts = {"table": nn.Embedding(6, 2, sparse=sparse), "out": nn.Linear(2, 6, bias=False), "last": nn.Linear(2, 2)}
    net = Through(through, **parts)
    net.out.weight = net.table.weight
    return net


def recurrent():
    return Through(lambda s, z: s.last(s.body(z[..., None])[0][:, -1]), body=nn.LSTM(1, 3, 2, batch_first=True),
                   last=nn.Linear(3, 2))  # fmt: skip


def listed():
    """Parameters in a list, a number and an empty one among them."""
    kept = nn.ParameterList([torch.randn(2, 2), torch.tensor(0.5), torch.zeros(0, 3)])
    return Through(lambda s, z: torch.tanh(z @ s.kept[0]) * s.kept[1] + s.kept[2].sum(), kept=kept)


def remembering():
    """A hidden state that goes on from pass to pass."""

    def through(s, z):
        s.hidden = s.cell(z, None if s.hidden is None else s.hidden.detach())
        return s.last(s.hidden)

    return Through(through, cell=nn.GRUCell(2, 3), last=nn.Linear(3, 2), hidden=None)


KINDS = {f.__name__: f for f in (tied, embedded, recurrent, listed)}


def made(kind, *options):
    torch.manual_seed(3)
    return kind(*options).double(), modules()[1]


def by_torch(nets, make, steps=STEPS):
    optimizers = [make(net.parameters()) for net in nets]
    for _ in range(steps):
        for i, optimizer in enumerate(optimizers):
            for net in nets:
                net.zero_grad()
            losses(*nets)[i].backward()
            optimizer.step()
    return vector(nets)


def by_drop_in(nets, rule, steps=STEPS):
    optimizer = gd.optim.for_modules(*nets, rule)
    for _ in range(steps):
        optimizer.step(simple)
    return vector(nets)


@pytest.mark.parametrize("kind", [*KINDS.values(), remembering], ids=lambda f: f.__name__)
def test_first_order_steps_are_torchs(kind):
    found = by_drop_in(made(kind), R.Alternating(R.Adam(0.02)))
    torch.testing.assert_close(found, by_torch(made(kind), lambda p: torch.optim.Adam(p, 0.02)), rtol=1e-9, atol=1e-11)


def test_a_tied_table_with_sparse_gradients_trains_as_a_dense_one():
    sparse = by_drop_in(made(embedded, True), R.AlternatingGD(0.1))
    torch.testing.assert_close(sparse, by_torch(made(embedded), lambda p: torch.optim.SGD(p, 0.1)), rtol=1e-9, atol=0)


def consensus_by_hand(nets, lr, gamma):
    """w - lr (v + gamma J^T v) with a dense J, row by row of a double backward pass."""
    own = [[*net.parameters()] for net in nets]
    everything = [p for each in own for p in each]
    slopes = [g for cost, each in zip(losses(*nets), own, strict=True)
              for g in torch.autograd.grad(cost, each, create_graph=True)]  # fmt: skip
    v = torch.cat([g.reshape(-1) for g in slopes])

    def row(entry):
        found = torch.autograd.grad(entry, everything, retain_graph=True, allow_unused=True)
        return torch.cat([(torch.zeros_like(p) if g is None else g).reshape(-1)
                          for g, p in zip(found, everything, strict=True)])  # fmt: skip

    jacobian = torch.stack([row(entry) for entry in v])
    return vector(nets) - lr * (v + gamma * jacobian.T @ v).detach()


@pytest.mark.parametrize("name", KINDS)
def test_a_consensus_step_is_that_of_the_dense_jacobian(name):
    expected = consensus_by_hand(made(KINDS[name]), 0.2, 0.5)
    plain = consensus_by_hand(made(KINDS[name]), 0.2, 0.0)
    found = by_drop_in(made(KINDS[name]), R.Consensus(0.2, 0.5), steps=1)
    assert (expected - plain).norm() > 1e-3
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-11)


# --- hooks on gradients, and rules that differentiate them again --------------------------------------------------


def test_hooks_that_look_are_served_and_hooks_that_change_are_refused_when_they_do():
    """A clamp that begins to bite at the second step is not missed, though products were right at the first."""
    pair, largest, seen = modules(), [1e3], []
    pair[1][0].weight.register_hook(lambda slope: seen.append(float(slope.detach().norm())))
    pair[1][2].register_full_backward_hook(lambda module, given, taken: None)
    expected = consensus_by_hand(modules(), 0.2, 0.5)
    optimizer = gd.optim.for_modules(*pair, R.Consensus(0.2, 0.5))
    optimizer.step(simple)
    torch.testing.assert_close(vector(pair), expected, rtol=1e-9, atol=1e-11)
    assert seen
    hook = pair[1][0].weight.register_hook(lambda slope: slope.clamp(-largest[0], largest[0]))
    optimizer.step(simple)
    largest[0] = 1e-3
    for change in (None, lambda slope: slope.clamp_(-largest[0], largest[0])):
        if change is not None:
            hook.remove()
            hook = pair[1][0].weight.register_hook(change)
        with pytest.raises(gd.errors.DomainError, match="a hook that changes gradients, and Consensus"):
            optimizer.step(simple)
    hook.remove()
    handle = pair[1][2].register_full_backward_pre_hook(lambda module, taken: tuple(0.5 * g for g in taken))
    with pytest.raises(gd.errors.DomainError, match="a hook that changes gradients"):
        optimizer.step(simple)
    handle.remove()
    count = len(seen)
    optimizer.step(simple)
    assert len(seen) > count  # the user's own hook is in its place again


# --- what was silent or raw ---------------------------------------------------------------------------------------


def complex_everywhere():
    return tuple(nn.Linear(2, n, dtype=torch.complex128) for n in (2, 1))


def lazy_statistics():
    g, d = modules()
    return nn.Sequential(g, nn.LazyBatchNorm1d(affine=False)), d


def on_meta():
    with torch.device("meta"):
        return modules()


def inferred():
    with torch.inference_mode():
        return modules()


@pytest.mark.parametrize(
    ("networks", "message"),
    [
        (complex_everywhere, "has complex parameters"),
        (lazy_statistics, "has lazy layers"),
        (on_meta, "on the device meta"),
        (inferred, r"made in torch\.inference_mode"),
    ],
)
def test_networks_that_cannot_train_are_named_by_the_drop_in_a_game_and_a_watch(networks, message):
    for make in (
        lambda: gd.optim.for_modules(*networks(), R.GDA(0.1)),
        lambda: gd.watch(*networks(), simple).step(),
        lambda: gd.gans.GANGame(*networks(), data=REAL, batch_size=4),
    ):
        with pytest.raises(gd.errors.GameError, match=message):
            make()


def shorter(groups):
    groups[1]["params"] = groups[1]["params"][:-1]


def popped(groups):
    groups[0]["params"].pop()


def removed(groups):
    del groups[1]


def turned_round(groups):
    groups.reverse()


def replaced(groups):
    groups[0]["params"][0] = nn.Parameter(torch.zeros(5, 2).double())


@pytest.mark.parametrize("change", [shorter, popped, removed, turned_round, replaced])
def test_groups_that_a_step_would_not_follow(change):
    optimizer = gd.optim.for_modules(*modules(), R.Alternating(R.Adam(0.02)))
    optimizer.step(simple)
    change(optimizer.param_groups)
    with pytest.raises(gd.errors.ParameterError, match="whose parameters were changed"):
        optimizer.step(simple)


def test_gradients_that_a_loop_computes_later_are_refused_too():
    """A penalty by backward() every few steps, begun after the first step; looking and clearing is no mistake."""
    pair = modules()
    sum(losses(*pair)).backward()  # of an earlier training
    optimizer = gd.optim.for_modules(*pair, R.Alternating(R.Adam(0.02)))
    for _ in range(4):
        optimizer.step(simple)
        optimizer.zero_grad(set_to_none=False)
        optimizer.step(simple)
    losses(*pair)[1].backward()
    optimizer.zero_grad()
    optimizer.step(simple)
    losses(*pair)[1].backward()
    with pytest.raises(gd.errors.GameError, match=r"gradients in `\.grad`.*zero_grad"):
        optimizer.step(simple)


def test_hooks_of_states_are_called():
    optimizer, calls = gd.optim.for_modules(*modules(), R.Adam(0.02)), []
    optimizer.register_state_dict_pre_hook(lambda o: calls.append("before"))
    optimizer.register_state_dict_post_hook(lambda o, state: {**state, "epoch": 7})
    optimizer.register_load_state_dict_pre_hook(lambda o, state: calls.append(state["epoch"]))
    optimizer.register_load_state_dict_post_hook(lambda o: calls.append("after"))
    optimizer.step(simple)
    optimizer.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    assert calls == ["before", 7, "after"]


def test_losses_that_are_complex_and_tables_that_renew_themselves():
    optimizer = gd.optim.for_modules(*modules(), R.GDA(0.1))
    with pytest.raises(gd.errors.ShapeError, match=r"\(\) of torch.complex128.*real numbers"):
        optimizer.step(lambda g, d: tuple(c + 0j for c in losses(g, d)))
    table = Through(lambda s, z: s.last(s.table(torch.arange(len(z)) % 4) * z), last=nn.Linear(2, 2),
                    table=nn.Embedding(6, 2, max_norm=0.1))  # fmt: skip
    with pytest.raises(gd.errors.GameError, match="without max_norm"):
        by_drop_in((table.double(), modules()[1]), R.GDA(0.1))


def test_dropout_and_latents_are_of_the_optimisers_own_stream():
    """Within losses a token's seed decides what is drawn, and the loop's stream is where it was."""
    seeds = []

    class Recorded(nn.Module):
        def forward(self, z):
            seeds.append(torch.initial_seed())
            return z

    def noisy(g, d):
        fake = g(torch.randn(16, 2, dtype=torch.float64))
        return softplus(-d(fake)).mean(), (softplus(d(fake)) + softplus(-d(REAL))).mean()

    def pair():
        g, d = modules()
        return nn.Sequential(Recorded(), g, nn.Dropout(0.3)), d

    nets, twin = pair(), pair()
    optimizer = gd.optim.for_modules(*nets, R.Alternating(R.Adam(0.02)), seed=5)
    torch.manual_seed(11)
    optimizer.step(noisy)
    assert torch.equal(torch.randn(3), torch.manual_seed(11) and torch.randn(3))
    assert len(seeds) == 2
    assert seeds[0] != seeds[1]
    for i, seed in enumerate(list(seeds)):
        torch.manual_seed(seed)
        over = torch.optim.Adam(twin[i].parameters(), 0.02)
        noisy(*twin)[i].backward(inputs=[*twin[i].parameters()])
        over.step()
    torch.testing.assert_close(vector(nets), vector(twin), rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("rule", [R.Alternating(R.Adam(0.02)), R.Extragradient(0.1), R.Consensus(0.1, 0.1)],
                         ids=lambda rule: rule.name)  # fmt: skip
def test_weights_that_a_loop_caches_are_those_of_each_evaluation(rule):
    """Within `parametrize.cached()` around the steps, as without; what is cached afterwards is of the new weights."""

    def pair():
        nets = modules()
        for net in nets:
            parametrizations.weight_norm(net[0])
        return nets

    found, expected = pair(), by_drop_in(twin := pair(), rule)
    optimizer = gd.optim.for_modules(*found, rule)
    with parametrize.cached():
        for _ in range(STEPS):
            optimizer.step(simple)
            assert torch.equal(found[0][0].weight, found[0][0].parametrizations.weight())
        watch = gd.watch(*found, simple, every=1, share=0.0)
        watch.step()
    torch.testing.assert_close(vector(found), expected, rtol=1e-9, atol=1e-11)
    alone = gd.watch(*twin, simple, every=1, share=0.0)
    alone.step()
    assert watch.rows[0]["gradient_norms"] == pytest.approx(alone.rows[0]["gradient_norms"], rel=1e-9)


@pytest.mark.parametrize("make", [gd.optim.AdamGC, gd.optim.SGDMGC, gd.optim.OptimisticAdam])
def test_single_optimisers_of_numbers_and_empty_tensors(make):
    """A number of shape () moves as the only entry of a vector does, and nothing happens to nothing."""
    number, entry, nothing = (nn.Parameter(t) for t in (torch.tensor(0.5), torch.tensor([0.5]), torch.zeros(0, 3)))
    optimizer = make([number, entry, nothing], lr=0.1)
    for _ in range(STEPS):
        optimizer.zero_grad()
        (number**2 + entry.sum() ** 2 + nothing.sum()).backward()
        optimizer.step()
    assert number.item() == entry.item() != 0.5
