"""Functions that a world may fuse: the same numbers from NumPy, torch with and without graph, and exact symbols."""

import numpy as np
import pytest
import torch
from sympy import N, Rational

from gandyn import worlds
from gandyn.rules import moments

RNG = np.random.default_rng(0)
A, B = RNG.normal(size=(2, 5, 7))
SQUARE = RNG.uniform(0.1, 2.0, size=(5, 7))


def exactly(array):
    return np.array([Rational(x) for x in array.ravel().tolist()] + [None], dtype=object)[:-1].reshape(array.shape)


ROUTES = [  # ways into a world, and back to numbers
    pytest.param(lambda x: x, np.asarray, id="numpy"),
    pytest.param(torch.tensor, lambda x: x.numpy(), id="torch"),
    pytest.param(lambda x: torch.tensor(x).requires_grad_(), lambda x: x.detach().numpy(), id="torch with graph"),
    pytest.param(exactly, lambda x: np.vectorize(lambda e: float(N(e, 30)))(x), id="symbols"),
]


@pytest.mark.parametrize(("enter", "leave"), ROUTES)
@pytest.mark.parametrize("weight", [0.0, 0.3, 0.9, 0.999])
def test_a_blend_is_its_formula(enter, leave, weight):
    old, new = enter(A), enter(B)
    found = leave(moments.blend(old, new, worlds.number(weight, old)))
    np.testing.assert_allclose(found, weight * A + (1 - weight) * B, rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize(("enter", "leave"), ROUTES)
def test_over_root_is_its_formula_and_leaves_its_arguments_alone(enter, leave):
    mean, square = enter(A), enter(SQUARE)
    weights = [worlds.number(value, mean) for value in (0.19, 0.003, 1e-3)]
    found = leave(moments.over_root(mean, square, *weights))
    np.testing.assert_allclose(found, (A / 0.19) / (np.sqrt(SQUARE / 0.003) + 1e-3), rtol=1e-14)
    np.testing.assert_array_equal(leave(mean), A)
    np.testing.assert_array_equal(leave(square), SQUARE)


@pytest.mark.parametrize(("enter", "leave"), ROUTES)
@pytest.mark.parametrize("step", [0.05, "vector"])
def test_a_step_over_a_root_is_its_formula_and_leaves_its_arguments_alone(enter, leave, step):
    start = B + 2.0
    w, mean, square = enter(start), enter(A), enter(SQUARE)
    weights = [worlds.number(value, mean) for value in (0.19, 0.003, 1e-3)]
    size = np.linspace(0.05, 0.2, A.size).reshape(A.shape) if step == "vector" else step
    given = enter(size) if step == "vector" else worlds.number(size, mean)
    found = leave(moments.descend_over_root(w, given, mean, square, *weights))
    np.testing.assert_allclose(found, start - size * (A / 0.19) / (np.sqrt(SQUARE / 0.003) + 1e-3), rtol=1e-13)
    for array, before in ((w, start), (mean, A), (square, SQUARE)):
        np.testing.assert_array_equal(leave(array), before)


def test_over_root_has_its_derivatives():
    """By autograd against the slopes of m / (c (sqrt(s / k) + e))."""
    mean, square = (torch.tensor(x).requires_grad_() for x in (A, SQUARE))
    slopes = torch.autograd.grad(moments.over_root(mean, square, 0.2, 0.5, 0.1).sum(), (mean, square))
    root = np.sqrt(SQUARE / 0.5)
    np.testing.assert_allclose(slopes[0], 1 / (0.2 * (root + 0.1)), rtol=1e-13)
    np.testing.assert_allclose(slopes[1], -A / (0.2 * (root + 0.1) ** 2) / (2 * 0.5 * root), rtol=1e-13)
