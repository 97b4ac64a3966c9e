"""Every penalty through a torch critic, against formulas written by hand, point by point."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import sympy
import torch
from critics import N, P, TorchCritic, value

from gandyn.errors import ParameterError, UnknownNameError
from gandyn.penalties import registry, resolve
from gandyn.penalties.penalty import length

CASES = [(entry.name, k) for entry in registry for k in range(len(entry.examples))]


def build(case):
    entry = registry[case[0]]
    return entry.build(**entry.examples[case[1]])


def label(case):
    return f"{case[0]}.{case[1]}"


def slope_by_hand(critic, x):
    """|grad s| at one point: s = w . tanh(A x + b), grad = A^T (w (1 - tanh^2))."""
    a, w = critic.weights
    hidden = torch.tanh(a @ x + critic.bias)
    return (a.T @ (w[0] * (1 - hidden**2))).norm()


def logit_by_hand(critic, x):
    a, w = critic.weights
    return w[0] @ torch.tanh(a @ x + critic.bias)


def between(critic):
    (u,) = critic.drawn
    return [r + t * (f - r) for r, f, t in zip(critic.real, critic.fake, u[:, 0], strict=True)]


def average(values):
    return sum(values) / len(values)


def by_hand(case, critic):
    """The discriminator's cost, with loops over points and the numbers that the critic drew."""
    slope = lambda x: slope_by_hand(critic, x)  # noqa: E731
    name, k = case
    if name in {"R1", "R2"}:
        return average([0.15 * slope(x) ** 2 for x in (critic.real if name == "R1" else critic.fake)])
    if name == "ZeroCentered":
        return average([0.15 * slope(x) ** 2 for x in between(critic)])
    if name == "WGANGP":
        if k == 1:
            return average([10 * torch.clamp(slope(x) - 1, min=0) ** 2 for x in between(critic)])
        weight, target = [(0.35, 1.0), None, (0.5, 0.5)][k]
        return average([weight * (slope(x) - target) ** 2 for x in between(critic)])
    if name == "DRAGAN":
        lam, target = [(10.0, 1.0), (0.2, 0.0)][k]
        noise, u = critic.drawn
        spread = 0.5 * np.std(critic.real.numpy())
        points = [x + u[i, 0] * (x + spread * noise[i] - x) for i, x in enumerate(critic.real)]
        return average([lam * (slope(x) - target) ** 2 for x in points])
    if name == "Consistency" and k == 0:
        (n,) = critic.drawn
        pairs = zip(critic.real, critic.real + 0.1 * n, strict=True)
        return average([10.0 * (logit_by_hand(critic, x) - logit_by_hand(critic, y)) ** 2 for x, y in pairs])
    if name == "Consistency":
        first, second, third, fourth = (np.sqrt(0.1) * n for n in critic.drawn)
        pairs = [
            *zip(critic.real + first, critic.real + second, strict=True),
            *zip(critic.fake + third, critic.fake + fourth, strict=True),
        ]
        return 2 * average([2.0 * (logit_by_hand(critic, x) - logit_by_hand(critic, y)) ** 2 for x, y in pairs])
    if name == "WeightDecay":
        return 0.15 * sum(v**2 for w in critic.weights for v in w.flatten())
    if name == "Orthogonal":
        total = 0
        for w in critic.weights:
            tall = w.shape[0] > w.shape[1]
            gram = (w.T @ w if tall else w @ w.T) - torch.eye(min(w.shape), dtype=w.dtype)
            total += ((gram - torch.diag(torch.diag(gram)) if k == 1 else gram) ** 2).sum()
        return 0.1 * total
    return torch.tensor(0.0)


@pytest.mark.parametrize("case", CASES, ids=label)
def test_costs_and_gradients_against_loops(case):
    penalty = build(case)
    critic = TorchCritic()
    cost = torch.as_tensor(penalty.cost(critic), dtype=torch.float64)
    expected = torch.as_tensor(by_hand(case, critic), dtype=torch.float64)
    assert value(cost) == pytest.approx(value(expected), rel=1e-12, abs=1e-13)
    if expected.requires_grad:
        mine = torch.autograd.grad(cost, critic.weights)
        theirs = torch.autograd.grad(expected, critic.weights)
        for a, b in zip(mine, theirs, strict=True):
            torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-12)


def test_which_penalties_have_a_cost():
    costs = {case[0] for case in CASES if value(torch.as_tensor(build(case).cost(TorchCritic()))) != 0}
    others = {"InstanceNoise", "ModeRegularizer", "SpectralNormalization", "WeightClipping"}
    assert costs == {entry.name for entry in registry} - others


@pytest.mark.parametrize("case", CASES, ids=label)
def test_randomness_is_declared(case):
    penalty, critic = build(case), TorchCritic()
    penalty.perturb(critic.real, critic)
    penalty.cost(critic)
    penalty.generator_cost(critic)
    assert bool(critic.drawn) == penalty.stochastic


@pytest.mark.parametrize("case", CASES, ids=label)
def test_constraints_are_declared(case):
    penalty = build(case)
    w = torch.linspace(-3, 3, 7, dtype=torch.float64)
    assert bool((penalty.project(w) != w).any()) == penalty.constrained


def test_interpolation_takes_one_number_for_each_pair():
    critic = TorchCritic()
    points = P.ZeroCentered(1.0).points(critic)
    (u,) = critic.drawn
    assert u.shape == (N, 1)
    np.testing.assert_allclose(points, (1 - u) * critic.real + u * critic.fake, atol=1e-14)


def test_dragan_noise_is_one_sided():
    critic = TorchCritic()
    offset = P.DRAGAN().points(critic) - critic.real
    assert (offset >= 0).all()
    assert (offset <= 0.5 * critic.real.std(correction=0)).all()
    assert critic.drawn[0].shape == (N, 2)
    assert critic.drawn[1].shape == (N, 1)


def test_instance_noise_moves_points_in_loss_and_penalties():
    noise = P.InstanceNoise(0.25)
    clean, noisy = TorchCritic(), TorchCritic([noise])
    for before, after, n in zip((clean.real, clean.fake), (noisy.real, noisy.fake), noisy.drawn, strict=True):
        torch.testing.assert_close(after, before + 0.5 * n)
    assert value(P.R1(1.0).cost(noisy)) != value(P.R1(1.0).cost(clean))


def test_mode_regularizer():
    critic = TorchCritic()
    near = critic.reconstruct(critic.real)
    distance = average([((x - y) ** 2).sum() for x, y in zip(critic.real, near, strict=True)])
    surprise = average([-torch.log(torch.sigmoid(logit_by_hand(critic, y))) for y in near])
    assert value(build(("ModeRegularizer", 0)).generator_cost(critic)) == pytest.approx(
        0.2 * value(distance), rel=1e-12
    )
    expected = value(0.1 * distance + 0.3 * surprise)
    assert value(build(("ModeRegularizer", 1)).generator_cost(critic)) == pytest.approx(expected, rel=1e-12)


def test_consistency_margin_and_its_limit():
    """A margin frees small changes; for small variance v the term is lam v E |grad s|^2."""
    assert value(P.Consistency(1.0, 1e-4, margin=10.0).cost(TorchCritic())) == 0
    critic, slopes = TorchCritic(), []
    for _ in range(2000):
        slopes.append(value(P.Consistency(1.0, 1e-8).cost(critic).detach()) / 1e-8)
    expected = value(critic.squared_slope(critic.real).mean())
    assert np.mean(slopes) == pytest.approx(expected, abs=5 * np.std(slopes) / np.sqrt(2000))
    assert np.std(slopes) / np.sqrt(2000) < 0.05 * expected


def test_flat_critics_do_not_make_nan():
    """At slope 0 autograd's square root gives inf * 0; the target's pull there is taken to be 0."""
    critic = TorchCritic(slope=0.0)
    for penalty in (P.WGANGP(1.0), P.DRAGAN()):
        cost = penalty.cost(critic)
        assert value(cost) == pytest.approx(0.5 if isinstance(penalty, P.WGANGP) else 10.0)
        assert all(torch.isfinite(g).all() for g in torch.autograd.grad(cost, critic.weights))


def test_length_in_three_worlds():
    squares = np.array([0.0, 2.25, 9.0])
    np.testing.assert_allclose(length(squares), [0, 1.5, 3])
    np.testing.assert_allclose(length(torch.tensor(squares)), [0, 1.5, 3])
    x = sympy.Symbol("x", real=True)
    assert length(x**2) == sympy.Abs(x)


GRADIENT = [c for c in CASES if isinstance(build(c), P.GradientPenalty)]


@pytest.mark.parametrize("case", GRADIENT, ids=label)
def test_values_in_three_worlds(case):
    penalty = build(case)
    squares = np.array([0.01, 0.36, 1.0, 2.89, 12.25])
    numbers = penalty.value(squares)
    np.testing.assert_allclose(penalty.value(torch.tensor(squares)), numbers, rtol=1e-14)
    exact = [penalty.value(sympy.Rational(str(q))) for q in squares]
    assert all(e.is_Rational for e in exact), "every slope here has a rational square root"
    np.testing.assert_allclose([float(e) for e in exact], numbers, rtol=1e-13, atol=1e-16)


# --- constraints ------------------------------------------------------------------------------------------------------


# --- by text, and mistakes --------------------------------------------------------------------------------------------


def test_penalties_by_text():
    assert resolve("R1(0.3)") == (P.R1(0.3),)
    assert resolve(["WGANGP(0.7, target=0.5)", P.R2(1)]) == (P.WGANGP(0.7, target=0.5), P.R2(1))
    assert resolve("DRAGAN") == resolve("dragan()") == (P.DRAGAN(),)
    assert resolve(None) == ()
    assert P.R1("gamma").gamma == sympy.Symbol("gamma", positive=True)
    assert resolve("R1(gamma)") == (P.R1("gamma"),)


def test_mistakes_are_named():
    with pytest.raises(UnknownNameError, match="WGANGP"):
        resolve("WGAN-GPP")
    with pytest.raises(ParameterError, match=r"R1\(gamma: Parameter\)"):
        resolve("R1")
    with pytest.raises(ParameterError, match="R1"):
        resolve("R1(1, 2)")
    with pytest.raises(ParameterError, match=">= 0"):
        P.InstanceNoise(sympy.Integer(-1))
    with pytest.raises(ParameterError, match="no numeric value"):
        P.R1("gamma").cost(TorchCritic())
    with pytest.raises(AttributeError, match="R1"):
        _ = P.R3


NEGATIVE = (-1, -0.1, "-1/3", -sympy.sqrt(2), 1j, sympy.I)


@pytest.mark.parametrize("entry", registry, ids=lambda entry: entry.name)
def test_no_penalty_takes_a_negative_number(entry):
    """Every number that a penalty takes is a weight, a variance, a bound or a slope: below 0 it has no meaning."""
    example = max(entry.examples, key=len)
    for field in dataclasses.fields(entry.build):
        for wrong in NEGATIVE if field.type == "Parameter" else ():
            with pytest.raises(ParameterError, match=f"{field.name} >= 0"):
                entry.build(**{**example, field.name: wrong})
