"""Losses that couple the points of a batch: loss-sensitive, relativistic and auxiliary-class ones."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
import torch
from loss_cases import CASES, FAKE, LINKS, LOGITS, REAL, build, every

import gandyn as gd
from gandyn.errors import DomainError, ParameterError
from gandyn.losses.gradients import evaluate

BATCH = [case for case in CASES if not build(case).separable]
CLASSED = [case for case in BATCH if "classes" in build(case).needs]


def log1pexp(s):
    return np.where(s > 0, s, 0) + np.log1p(np.exp(-np.abs(s)))


DISTANCE = np.array([0.3, 1.4, 0.8, 2.5])


def pair_costs(case):
    """(discriminator, generator) by hand, with explicit loops over the batch."""
    log_sigmoid = lambda x: -log1pexp(-x)  # noqa: E731
    pairs = list(zip(REAL, FAKE, DISTANCE, strict=True))
    name, k = case
    if name == "relativistic":
        link = [lambda x: -log_sigmoid(x), lambda x: 0.5 * (x - 1) ** 2][k]
        return np.mean([link(r - f) for r, f, _ in pairs]), np.mean([link(f - r) for r, f, _ in pairs])
    if name == "relativistic_average":
        up = [lambda x: -log_sigmoid(x), lambda x: 0.5 * (x - 1) ** 2][k]
        down = [lambda x: -log_sigmoid(-x), lambda x: 0.5 * (x + 1) ** 2][k]
        above, below = REAL - FAKE.mean(), FAKE - REAL.mean()
        return up(above).mean() + down(below).mean(), up(below).mean() + down(above).mean()
    slope, margin = {
        ("generalized_loss_sensitive", 0): (0.01, 1.0),
        ("generalized_loss_sensitive", 1): (-1.0, 0.5),
        ("generalized_loss_sensitive", 2): (1.0, 1.0),
        ("loss_sensitive", 0): (0.0, 1.0),
        ("loss_sensitive", 1): (0.0, 0.3),
    }[case]
    excess = [margin * d + (-r) - (-f) for r, f, d in pairs]
    return np.mean([max(a, slope * a) for a in excess]), -FAKE.mean()


PAIRED = [c for c in BATCH if c not in CLASSED]


def arguments(loss, make):
    return {"distance": make(DISTANCE)} if "distance" in loss.needs else {}


def exact_vector(values):
    return np.array([sympy.Rational(str(v)) for v in values], dtype=object)


@every(PAIRED)
def test_pair_losses_in_three_worlds(case):
    loss = build(case)
    for player, want in zip(("discriminator", "generator_cost"), pair_costs(case), strict=True):
        for make in (np.array, torch.tensor, exact_vector):
            got = getattr(loss, player)(make(REAL), make(FAKE), **arguments(loss, make))
            assert float(got) == pytest.approx(want, abs=1e-12)


@every(PAIRED)
@pytest.mark.parametrize("player", ["discriminator", "generator"])
def test_pair_gradients_are_those_of_the_batch_cost(case, player):
    loss = build(case)
    cost = loss.discriminator if player == "discriminator" else loss.generator_cost
    real, fake = torch.tensor(REAL, requires_grad=True), torch.tensor(FAKE, requires_grad=True)
    value = cost(real, fake, **arguments(loss, torch.tensor))
    auto = torch.autograd.grad(value, (real, fake), allow_unused=True)
    given = loss.gradients(player, REAL, FAKE, **arguments(loss, np.array))
    tensors = loss.gradients(player, real, fake, **arguments(loss, torch.tensor))
    for mine, tensor, theirs in zip(given, tensors, auto, strict=True):
        expected = np.zeros(4) if theirs is None else theirs.numpy() * 4
        np.testing.assert_allclose(np.broadcast_to(mine, 4), expected, atol=1e-13)
        np.testing.assert_allclose(np.broadcast_to(tensor.detach().numpy(), 4), expected, atol=1e-13)


def test_loss_sensitive_special_cases():
    """slope 1 is Wasserstein up to the mean margin, slope -1 is |a|, slope 0 stops at the margin."""
    gls = gd.losses.generalized_loss_sensitive
    wgan = gd.losses.wasserstein().discriminator(REAL, FAKE)
    one = gls(slope=1, margin=2.0).discriminator(REAL, FAKE, distance=DISTANCE)
    assert one == pytest.approx(wgan + 2 * DISTANCE.mean(), abs=1e-14)
    excess = DISTANCE - REAL + FAKE
    minus = gls(slope=-1, margin=1.0).discriminator(REAL, FAKE, distance=DISTANCE)
    assert minus == pytest.approx(np.abs(excess).mean(), abs=1e-14)
    zero = gd.losses.loss_sensitive(margin=1.0)
    kept = zero.gradients("discriminator", REAL + 10, FAKE, distance=DISTANCE)
    assert not np.any(kept)
    both = [loss.discriminator(REAL, FAKE, distance=DISTANCE) for loss in (gls(slope=0), zero)]
    assert both[0] == both[1] > 0


def test_relativistic_special_cases():
    """Paired with the linear loss is WGAN; on single points the logistic average form is twice the paired one."""
    paired = gd.losses.relativistic("wasserstein")
    assert paired.discriminator(REAL, FAKE) == pytest.approx(gd.losses.wasserstein().discriminator(REAL, FAKE))
    r, f = sympy.symbols("r f", real=True)
    single = gd.losses.relativistic_average().discriminator(r, f)
    assert sympy.expand(single - 2 * gd.losses.relativistic().discriminator(r, f)) == 0


@every(CLASSED)
def test_auxiliary_classifier(case):
    loss = build(case)
    rng = np.random.default_rng(5)
    logits = rng.normal(size=(2, 4, 3)).round(3)
    labels = np.array([[0, 2, 1, 1], [2, 2, 0, 1]])
    targets = np.eye(3)[labels]
    cross_entropy = torch.nn.functional.cross_entropy
    entropy = [cross_entropy(torch.tensor(z), torch.tensor(y)) for z, y in zip(logits, labels, strict=True)]
    source = loss.loss
    of_fake = (
        0.0 if loss.partial else loss.weight * float(entropy[1])
    )  # only labelled data count, where labels may lack
    want_d = source.discriminator(REAL, FAKE) + loss.weight * float(entropy[0]) + of_fake
    want_g = source.generator_cost(REAL, FAKE) + of_fake
    exact = np.vectorize(lambda v: sympy.Rational(str(v)), otypes=[object])
    for make in (np.array, torch.tensor, exact):
        classes = tuple((make(z), make(y)) for z, y in zip(logits, targets, strict=True))
        assert float(loss.discriminator(make(REAL), make(FAKE), classes=classes)) == pytest.approx(want_d, abs=1e-12)
        assert float(loss.generator_cost(make(REAL), make(FAKE), classes=classes)) == pytest.approx(want_g, abs=1e-12)
    z = torch.tensor(logits, requires_grad=True)
    (auto,) = torch.autograd.grad(loss.class_cost(z, torch.tensor(targets)).sum(), z)
    np.testing.assert_allclose(loss.class_gradient(logits, targets), auto.numpy(), atol=1e-14)
    extreme = np.array([[-800.0, 800.0]])
    assert loss.class_cost(extreme, np.array([[1.0, 0.0]]))[0] == 1600.0
    with pytest.raises(ParameterError, match="class logits"):
        loss.discriminator(REAL, FAKE)


@every(BATCH)
def test_batch_losses_have_no_cost_per_logit(case):
    loss = build(case)
    for link in LINKS:
        with pytest.raises(DomainError, match="acts on batches"):
            getattr(loss, link)(LOGITS)
    with pytest.raises(DomainError):
        loss.optimal_logit(np.array([0.5]), np.array([0.5]))


def test_a_symbol_beside_a_number_is_an_expression():
    s, t = sympy.symbols("s t", real=True)
    assert evaluate([s, t], s * t + t, [sympy.Symbol("u"), 2.0]) == 2 * sympy.Symbol("u") + 2
