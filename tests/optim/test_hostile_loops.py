"""What people do in loops with a drop-in: each ends as with torch's own optimisers, or is refused by name."""

from __future__ import annotations

import copy

import pytest
import torch
from drop_in_cases import LATENT, REAL, R, losses, modules, simple, vector
from torch import nn
from torch.nn.functional import softplus
from torch.nn.utils import parametrizations, parametrize

import gandyn as gd

STEPS = 4


def by_hand(nets, make, between, objective):
    """The usual loop: each network in turn, gradients set to None before each backward pass."""
    optimizers = [make(net) for net in nets]
    for t in range(STEPS):
        between(t, nets)
        for i, optimizer in enumerate(optimizers):
            for net in nets:
                net.zero_grad(set_to_none=True)
            objective(*nets)[i].backward()
            optimizer.step()
    return vector(nets)


def stepped(nets, rule, between, objective):
    optimizer = gd.optim.for_modules(*nets, rule)
    for t in range(STEPS):
        between(t, nets)
        optimizer.step(objective)
    return vector(nets)


class Branch(nn.Module):
    """A layer that is used in some steps only."""

    def __init__(self):
        super().__init__()
        self.always, self.sometimes, self.used = nn.Linear(2, 2).double(), nn.Linear(2, 2).double(), True

    def forward(self, z):
        return self.always(z) + (self.sometimes(z) if self.used else 0)


def branched():
    torch.manual_seed(0)
    return Branch(), modules()[1]


def clipped_hooks():
    pair = modules()
    for p in pair[1].parameters():
        p.register_hook(lambda g: g.clamp(-0.01, 0.01))
    return pair


def sparse():
    class Conditional(nn.Module):
        def __init__(self):
            super().__init__()
            self.table, self.body = nn.Embedding(4, 2, sparse=True).double(), nn.Linear(2, 2).double()

        def forward(self, z):
            return self.body(self.table(torch.arange(len(z)) % 3) * z)

    torch.manual_seed(0)
    return Conditional(), modules()[1]


def use(t, nets):
    nets[0].used = t < 2


def clip(t, nets):
    for p in nets[1].parameters():
        p.data.clamp_(-0.1, 0.1)


def reload(t, nets):
    if t == 2:
        nets[0].load_state_dict({key: 0.1 * torch.ones_like(v) for key, v in nets[0].state_dict().items()})


def outside(g, d):
    """Both losses of one sample, which the loop made before."""
    on_fake, on_real = d(outside.fake), d(REAL)
    return softplus(-on_fake).mean(), (softplus(on_fake) + softplus(-on_real)).mean()


def make_outside(t, nets):
    outside.fake = nets[0](LATENT)


def nothing(t, nets):
    pass


def adam(net):
    return torch.optim.Adam(net.parameters(), 0.02)


def adamw(net):
    return torch.optim.AdamW(net.parameters(), 0.02, weight_decay=0.3)


def sgd(net):
    return torch.optim.SGD(net.parameters(), 0.1)


@pytest.mark.parametrize(
    ("networks", "between", "make", "rule"),
    [
        (branched, use, adam, R.Alternating(R.Adam(0.02))),
        (branched, use, adamw, R.Alternating(R.AdamW(0.02, weight_decay=0.3))),
        (clipped_hooks, nothing, adam, R.Alternating(R.Adam(0.02))),
        (modules, clip, adam, R.Alternating(R.Adam(0.02))),
        (modules, reload, adam, R.Alternating(R.Adam(0.02))),
        (sparse, nothing, sgd, R.AlternatingGD(0.1)),
    ],
    ids=["branch", "branch-decay", "hooks", "clip", "reload", "sparse"],
)
def test_habits_that_end_as_with_torchs_optimisers(networks, between, make, rule):
    found, expected = stepped(networks(), rule, between, simple), by_hand(networks(), make, between, simple)
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-10)


def test_a_sample_made_before_the_step_serves_while_its_generator_stands():
    """In turns the generator is differentiated before it moves; extragradient asks again after it has moved."""
    pair, twin = modules(), modules()
    optimizer = gd.optim.for_modules(*pair, R.AlternatingGD(0.1))
    over = [sgd(net) for net in twin]
    for _ in range(2):
        make_outside(0, pair)
        optimizer.step(outside)
        make_outside(0, twin)
        for i in (0, 1):
            over[i].zero_grad()
            outside(*twin)[i].backward(inputs=list(twin[i].parameters()), retain_graph=i == 0)
            over[i].step()
    torch.testing.assert_close(vector(pair), vector(twin), rtol=1e-9, atol=1e-11)
    with pytest.raises(gd.errors.GameError, match="a sample that was made before the step"):
        stepped(modules(), R.Extragradient(0.1), make_outside, outside)


def calling_backward(g, d):
    first, second = losses(g, d)
    second.backward()
    return first, second


def clamping(g, d):
    for p in d.parameters():
        p.data.clamp_(-0.1, 0.1)
    return losses(g, d)


def remembering(memory):
    def objective(g, d):
        first, second = losses(g, d)
        memory["mean"] = 0.9 * memory.get("mean", second) + 0.1 * second
        return first, memory["mean"]

    return objective


@pytest.mark.parametrize(
    ("objective", "error", "message"),
    [
        (calling_backward, "GameError", "call backward"),
        (remembering({}), "GameError", "keep what was computed before"),
        (clamping, "GameError", "change parameters"),
        (lambda: torch.zeros(()), "ParameterError", "take 0 arguments, for 2 networks"),
        (None, "ParameterError", "without losses"),
        (lambda g, d: tuple(c.item() for c in losses(g, d)), "ShapeError", "return float, float"),
        (lambda g, d: (losses(g, d)[0].expand(4), losses(g, d)[1]), "ShapeError", r"return \(4,\), \(\)"),
        (lambda g, d: dict(zip("gd", losses(g, d), strict=True)), "ShapeError", "return str, str"),
    ],
)
@pytest.mark.parametrize("rule", [R.Alternating(R.Adam(0.02)), R.Consensus(0.05, 0.1)], ids=["turns", "products"])
def test_losses_that_no_rule_can_follow(objective, error, message, rule):
    with pytest.raises(getattr(gd.errors, error), match=message):
        stepped(modules(), rule, nothing, objective)


def replaced(g, d):
    g[0] = nn.Linear(2, 5).double()


def appended(g, d):
    d.append(nn.Linear(1, 1).double())


def assigned(g, d):
    g.load_state_dict(copy.deepcopy(g.state_dict()), assign=True)


def reparametrised(g, d):
    parametrizations.weight_norm(d[0])


def plain_again(g, d):
    parametrize.remove_parametrizations(d[2], "weight")


def overwritten(g, d):
    d[2].bias.data = d[2].bias.data + 0.1


def hooked(g, d):
    next(g.parameters()).register_post_accumulate_grad_hook(lambda p: None)


@pytest.mark.parametrize("change", [replaced, appended, assigned, reparametrised, plain_again, overwritten, hooked])
def test_parameters_that_would_not_train(change):
    pair = modules()
    if change is plain_again:
        parametrizations.weight_norm(pair[1][2])
    optimizer = gd.optim.for_modules(*pair, R.Alternating(R.Adam(0.02)))
    for _ in range(3):
        optimizer.step(losses)
    change(*pair)
    with pytest.raises(gd.errors.GameError, match="after"):
        optimizer.step(losses)


@pytest.mark.parametrize("change", [replaced, appended, assigned, reparametrised, overwritten, hooked])
def test_parameters_of_a_game_that_would_not_train(change):
    """The same in a loop over a game's steps."""
    pair = modules()
    game = gd.gans.GANGame(*pair, data=REAL, batch_size=8)
    change(*pair)
    with pytest.raises(gd.errors.GameError, match=r"after|does not depend"):
        gd.iterate(game, R.GDA(0.1), game.w0, steps=2)


@pytest.mark.parametrize("setting", [{"weight_decay": 0.1}, {"betas": (0.0, 0.5)}, {"momentum": 0.9}], ids=str)
def test_settings_of_a_group_that_the_rule_would_not_see(setting):
    optimizer = gd.optim.for_modules(*modules(), R.Alternating(R.Adam(0.02)))
    optimizer.param_groups[0].update(setting)
    with pytest.raises(gd.errors.ParameterError, match=f"a parameter group with {next(iter(setting))}"):
        optimizer.step(losses)


def test_copies_and_states_of_other_networks():
    optimizer = gd.optim.for_modules(*modules(), R.Alternating(R.Adam(0.02)))
    optimizer.step(losses)
    with pytest.raises(gd.errors.ParameterError, match="a copy of an optimiser"):
        copy.deepcopy(optimizer)
    other = gd.optim.for_modules(nn.Linear(2, 2).double(), modules()[1], R.Alternating(R.Adam(0.02)))
    other.load_state_dict(optimizer.state_dict())
    with pytest.raises(gd.errors.ParameterError, match="networks of the same layers"):
        other.step(losses)


def test_a_scaler_may_be_replaced():
    optimizer = gd.optim.for_modules(*modules(), R.AlternatingGD(0.02))
    scalers = [torch.amp.GradScaler("cpu", init_scale=s) for s in (4.0, 16.0)]
    for scaler in scalers:
        optimizer.step(losses, scaler=scaler)
    assert optimizer.game.scale == 16
