"""Parameters that do not train during a step are constants of it, for every rule, their moments included."""

import copy

import pytest
import torch
from drop_in_cases import R, modules, simple
from torch import nn

import gandyn as gd

RULES = [
    R.Consensus(0.05, 0.5), R.SGA(0.05, 0.5), R.CompetitiveGD(0.05), R.LOLA(0.05), R.Unrolled(0.05, 2),
    R.DualityGapDescent(0.05, 2, 0.05), R.Lookahead(R.ExtraAdam(0.05), 2, 0.5),
]  # fmt: skip


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_every_rule_leaves_frozen_layers_and_trains_them_again(rule):
    """Products do not go through them, so that differences of the field are taken along the others alone."""
    pair = modules(norm=True)
    pair[1][0].requires_grad_(False)
    optimizer = gd.optim.for_modules(*pair, rule)
    frozen, others = pair[1][0].weight.detach().clone(), pair[1][-1].weight.detach().clone()
    for _ in range(2):
        optimizer.step(simple)
    assert torch.equal(pair[1][0].weight, frozen)
    assert not torch.equal(pair[1][-1].weight, others)
    pair[1][0].requires_grad_(True)
    for _ in range(2):
        optimizer.step(simple)
    assert not torch.equal(pair[1][0].weight, frozen)


def test_consensus_with_a_frozen_layer_is_consensus_on_the_others():
    """The same step as on a module whose first layer is no parameter at all."""
    pair = modules()
    twin = copy.deepcopy(pair)
    pair[1][0].requires_grad_(False)
    twin[1][0].register_buffer("kept", twin[1][0].weight.detach())
    for name in ("weight", "bias"):
        value = getattr(twin[1][0], name).detach()
        delattr(twin[1][0], name)
        twin[1][0].register_buffer(name, value)
    for both in (pair, twin):
        gd.optim.for_modules(*both, R.Consensus(0.05, 0.5)).step(simple)
    torch.testing.assert_close(pair[1][-1].weight, twin[1][-1].weight, rtol=1e-12, atol=1e-14)
    torch.testing.assert_close(pair[0][0].weight, twin[0][0].weight, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("rule", [R.SGDM(0.05, 0.9), R.Alternating(R.SGDM(0.05, 0.9))], ids=lambda rule: rule.name)
def test_moments_wait_while_their_parameters_are_frozen(rule):
    """m+ = 0.9 m + 0.1 v with three steps left out."""
    pair = modules()
    optimizer = gd.optim.for_modules(*pair, rule)
    optimizer.step(simple)
    moments = [a.clone() for _, a in optimizer.rule_state.leaves()]
    for network in pair:
        network[0].requires_grad_(False)
    for _ in range(3):
        optimizer.step(simple)
    moved = [a != b for a, (_, b) in zip(moments, optimizer.rule_state.leaves(), strict=True)]
    trained = sum(p.numel() for net in pair for p in net.parameters() if p.requires_grad)
    assert sum(int(m.sum()) for m in moved) == trained


def test_a_layer_joins_one_of_two_networks_of_one_size():
    """Rule state is carried over by the player that it belongs to, not by its length."""
    torch.manual_seed(0)
    pair = [nn.Sequential(nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 2)).double() for _ in range(2)]
    z = torch.randn(6, 2, dtype=torch.float64)

    def losses(a, b):
        return (a(z) * b(z)).sum() + a(z).square().sum(), (b(z) - a(z)).square().sum()

    optimizer = gd.optim.for_modules(*pair, R.Alternating(R.Adam(0.01)))
    optimizer.step(losses)
    kept = {path: array.clone() for path, array in optimizer.rule_state.leaves()}
    layer = nn.Linear(2, 2).double()
    pair[0].append(layer)
    optimizer.add_param_group({"params": layer.parameters()})
    for path, array in optimizer.rule_state.leaves():
        assert torch.equal(array[: len(kept[path])], kept[path])
        assert len(array) == len(kept[path]) + (6 if path.startswith("0.") else 0)
    optimizer.step(losses)


@pytest.mark.parametrize("lr", [-0.05, float("nan"), float("inf")])
def test_step_sizes_that_are_none_are_refused(lr):
    optimizer = gd.optim.for_modules(*modules(), R.GDA(0.05))
    optimizer.param_groups[0]["lr"] = lr
    with pytest.raises(gd.errors.ParameterError, match=r"a group with .lr"):
        optimizer.step(simple)
