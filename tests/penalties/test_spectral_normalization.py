"""Spectral normalisation and orthogonal weights: singular values, gradients, and power iteration."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
import torch
from critics import P, TorchCritic, value

import gandyn as gd
from gandyn.errors import DomainError
from gandyn.penalties.spectral_normalization import power_iteration


def test_weight_clipping_in_three_worlds():
    penalty = P.WeightClipping(sympy.Rational(1, 2))
    np.testing.assert_array_equal(penalty.project(np.array([-2.0, 0.1, 3.0])), [-0.5, 0.1, 0.5])
    assert penalty.project(torch.tensor([-2.0, 0.1, 3.0])).tolist() == pytest.approx([-0.5, 0.1, 0.5])
    x = sympy.Symbol("x", real=True)
    (entry,) = penalty.project(np.array([x, None], dtype=object)[:-1])
    assert [entry.subs(x, k) for k in (-2, 0, 2)] == [-sympy.Rational(1, 2), 0, sympy.Rational(1, 2)]


def matrices():
    rng = np.random.default_rng(3)
    return [rng.normal(size=shape) for shape in ((4, 3), (3, 4), (1, 5), (6, 2, 3, 3))]


@pytest.mark.parametrize("bound", [1.0, 0.7])
def test_spectral_normalisation_sets_the_largest_singular_value(bound):
    for w in matrices():
        penalty = P.SpectralNormalization(bound)
        made = penalty.transform(w)
        assert made.shape == w.shape
        assert np.linalg.svd(made.reshape(len(w), -1), compute_uv=False)[0] == pytest.approx(bound, rel=1e-12)
        np.testing.assert_allclose(penalty.transform(torch.tensor(w)).numpy(), made, rtol=1e-12)
        soft = P.SpectralNormalization(bound, soft=True)
        np.testing.assert_allclose(soft.transform(w), made, rtol=1e-12)
        np.testing.assert_array_equal(soft.transform(0.01 * w), 0.01 * w)


def test_the_gradient_through_spectral_normalisation_is_orthogonal_to_the_weight():
    critic = TorchCritic([P.SpectralNormalization()])
    for w, g in zip(critic.weights, torch.autograd.grad(critic.logit(critic.real).sum(), critic.weights), strict=True):
        assert value((w * g).sum()) == pytest.approx(0, abs=1e-12)
        assert value(g.norm()) > 1e-2
    # With 1-Lipschitz activations the logit is 1-Lipschitz.
    assert value(critic.squared_slope(critic.real).max()) <= 1


def test_power_iteration_finds_the_spectral_norm_from_below():
    w = matrices()[0]
    u = np.ones(4)
    estimates = []
    for _ in range(200):
        sigma, u = power_iteration(w, u)
        estimates.append(sigma)
    exact = np.linalg.norm(w, 2)
    assert estimates[-1] == pytest.approx(exact, rel=1e-12)
    assert (np.diff(estimates) >= -1e-14).all()
    assert estimates[0] < exact
    sigma, _ = power_iteration(torch.tensor(w), torch.tensor(u), steps=3)
    assert value(sigma) == pytest.approx(exact, rel=1e-12)
    scaled = P.SpectralNormalization(2.0).scaled(torch.tensor(w), sigma)
    assert np.linalg.norm(scaled.numpy(), 2) == pytest.approx(2.0, rel=1e-12)


def test_spectral_normalisation_on_symbols():
    a, b = sympy.symbols("a b", positive=True)
    row = np.array([[a, b]], dtype=object)
    made = P.SpectralNormalization(3).transform(row)
    assert [sympy.simplify(e - 3 * x / sympy.sqrt(a**2 + b**2)) for e, x in zip(made[0], (a, b), strict=True)] == [0, 0]
    with pytest.raises(DomainError, match="only the sign"):
        P.SpectralNormalization().transform(np.array([[2.0]]))
    with pytest.raises(gd.GandynError, match="one row or one column"):
        P.SpectralNormalization().transform(np.array([[a, b], [b, a]], dtype=object))


def test_orthogonal_matrices_cost_nothing():
    for shape in ((4, 3), (3, 4)):
        q, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(4, 4)))
        critic = TorchCritic()
        critic.weights = [torch.tensor(q[: shape[0], : shape[1]])]
        assert value(P.Orthogonal(1.0).cost(critic)) == pytest.approx(0, abs=1e-14)
