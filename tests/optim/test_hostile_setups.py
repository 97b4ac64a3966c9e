"""Set-ups of modules and loops around a drop-in: each trains as with torch's own optimisers, or is refused by name."""

from __future__ import annotations

import io

import pytest
import torch
from drop_in_cases import R, losses, modules, simple, vector
from torch import nn
from torch.func import functional_call
from torch.nn.utils import parametrizations, prune
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.checkpoint import checkpoint

import gandyn as gd

STEPS, RULE = 3, R.Alternating(R.Adam(0.02))


class Inside(nn.Module):
    """A network in a dict of modules, called through `through`."""

    def __init__(self, body, through):
        super().__init__()
        self.parts, self.through = nn.ModuleDict({"body": body}), through

    def forward(self, z):
        return self.through(self.parts["body"], z)


def inside(through):
    return lambda g, d: (Inside(g, through), Inside(d, through))


def over_discriminator(change):
    def changed(g, d):
        torch.manual_seed(1)
        change(d[0])
        return g, d

    return changed


def halved(layer):
    layer.weight.register_hook(lambda slope: 0.5 * slope)


SETUPS = {
    "weight norm": over_discriminator(parametrizations.weight_norm),
    "orthogonal": over_discriminator(parametrizations.orthogonal),
    "pruned": over_discriminator(lambda layer: prune.l1_unstructured(layer, "weight", amount=0.5)),
    "hook": over_discriminator(halved),
    "dict": inside(lambda body, z: body(z)),
    "checkpoint": inside(lambda body, z: checkpoint(body, z, use_reentrant=False)),
    "functional": inside(lambda body, z: functional_call(body, dict(body.named_parameters()), (z,))),
    "evaluation": lambda g, d: (g.eval(), d),
}


@pytest.mark.parametrize("name", SETUPS)
@pytest.mark.parametrize("quiet", [False, True], ids=["", "no_grad"])
def test_set_ups_that_end_as_with_torchs_optimisers(name, quiet):
    """Also where the step is made within `torch.no_grad()`, and as an average of torch's follows it."""
    pair, twin = SETUPS[name](*modules()), SETUPS[name](*modules())
    averages = [AveragedModel(nets[0], multi_avg_fn=get_ema_multi_avg_fn(0.9)) for nets in (pair, twin)]
    optimizer = gd.optim.for_modules(*pair, RULE)
    optimizers = [torch.optim.Adam(net.parameters(), 0.02) for net in twin]
    for _ in range(STEPS):
        with torch.set_grad_enabled(not quiet):
            optimizer.step(simple)
        averages[0].update_parameters(pair[0])
        for i, by_hand in enumerate(optimizers):
            for net in twin:
                net.zero_grad()
            losses(*twin)[i].backward()
            by_hand.step()
        averages[1].update_parameters(twin[0])
    torch.testing.assert_close(vector(pair), vector(twin), rtol=1e-8, atol=1e-10)
    torch.testing.assert_close(vector(averages[:1]), vector(averages[1:]), rtol=1e-8, atol=1e-10)


def tied(g, d):
    d[0].weight = g[0].weight


def lazy(g, d):
    g[0] = nn.LazyLinear(5)


def complex_weights(g, d):
    g[0].bias = nn.Parameter(torch.zeros(5, dtype=torch.complex128))


def without_parameters(g, d):
    del d[2], d[0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (tied, "belongs to two players"),
        (lazy, "has lazy layers"),
        (complex_weights, "has complex parameters"),
        (without_parameters, "has no parameters to train"),
    ],
)
def test_networks_that_no_rule_can_train(change, message):
    pair = modules()
    change(*pair)
    with pytest.raises(gd.errors.GameError, match=message):
        gd.optim.for_modules(*pair, RULE)


def test_lazy_layers_are_not_watched():
    pair = modules()
    lazy(*pair)
    with pytest.raises(gd.errors.GameError, match="lazy layers"):
        gd.watch(*pair, simple, every=1).step()


def test_a_look_within_no_grad_is_a_look():
    watches = [gd.watch(*modules(), simple, every=1) for _ in range(2)]
    for quiet, watch in enumerate(watches):
        with torch.set_grad_enabled(not quiet):
            watch.step()
    assert watches[0].rows[0]["losses"] == watches[1].rows[0]["losses"]


def inferring(pair, optimizer):
    with torch.inference_mode():
        optimizer.step(simple)


def clipping(pair, optimizer):
    sum(losses(*pair)).backward()
    nn.utils.clip_grad_norm_(pair[0].parameters(), 0.01)
    optimizer.step(simple)


def clipping_on_top(pair, optimizer):
    sum(losses(*pair)).backward()
    optimizer = gd.optim.for_modules(*pair, RULE)
    clipping(pair, optimizer)


def converting(pair, optimizer):
    pair[0].float()
    optimizer.step(simple)


def saving(pair, optimizer):
    torch.save(optimizer, io.BytesIO())


def loading_torchs(pair, optimizer):
    optimizer.load_state_dict(torch.optim.Adam(pair[0].parameters()).state_dict())


def loading_anothers(pair, optimizer):
    optimizer.load_state_dict(gd.optim.for_modules(*modules(), R.ExtraAdam(0.1)).state_dict())


def reentrant(pair, optimizer):
    pair = inside(lambda body, z: checkpoint(body, z.clone().requires_grad_(), use_reentrant=True))(*pair)
    gd.optim.for_modules(*pair, RULE).step(simple)


def test_gradients_left_over_by_an_earlier_training_are_no_mistake():
    pairs = modules(), modules()
    sum(losses(*pairs[0])).backward()
    for pair in pairs:
        gd.optim.for_modules(*pair, RULE).step(simple)
    for one, other in zip(pairs[0], pairs[1], strict=True):
        assert all(map(torch.equal, one.parameters(), other.parameters()))


@pytest.mark.parametrize(
    ("habit", "message"),
    [
        (inferring, "inference mode"),
        (clipping, "gradients in `.grad`"),
        (clipping_on_top, "gradients in `.grad`"),
        (converting, "were moved"),
        (saving, "a copy of an optimiser"),
        (loading_torchs, "the state of another optimiser"),
        (loading_anothers, "the state of ExtraAdam"),
        (reentrant, "use_reentrant=False"),
    ],
)
def test_habits_that_are_refused_by_name(habit, message):
    pair = modules()
    with pytest.raises(gd.errors.GandynError, match=message):
        habit(pair, gd.optim.for_modules(*pair, RULE))


def test_a_state_comes_back_from_a_file_of_weights_alone():
    pair, file = modules(), io.BytesIO()
    optimizer = gd.optim.for_modules(*pair, RULE)
    optimizer.step(simple)
    torch.save(optimizer.state_dict(), file)
    file.seek(0)
    twin = modules()
    for net, other in zip(pair, twin, strict=True):
        other.load_state_dict(net.state_dict())
    again = gd.optim.for_modules(*twin, RULE)
    again.load_state_dict(torch.load(file, weights_only=True))
    for each in (optimizer, again):
        each.step(simple)
    assert torch.equal(vector(pair), vector(twin))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("rule", [RULE, R.Extragradient(0.05), R.Consensus(0.05, 0.1)], ids=lambda rule: rule.name)
def test_compiled_modules_train_as_they_would_without(rule):
    """Torch's compiler has no second derivative, and graphs for one backward pass: then layers run as they are."""
    pair, twin = modules(), modules()
    compiled = [torch.compile(net, backend="aot_eager") for net in pair]
    for nets in (compiled, twin):
        optimizer = gd.optim.for_modules(*nets, rule)
        for _ in range(STEPS):
            optimizer.step(simple)
    torch.testing.assert_close(vector(pair), vector(twin), rtol=1e-8, atol=1e-10)
