"""Where torch's own higher derivatives are wrong today, in a few lines; a failure here says that it is mended."""

import pytest
import torch
from torch.nn import functional

MENDED = "torch {} now differentiates {} right: remove its formula from gandyn/oracles/composite.py, and this case"


def vector(n, seed):
    return torch.randn(n, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def off(function, w, order):
    """Relative difference between the order-th directional derivative by autograd and by differences of the one before.

    Derivatives up to order - 1 are right (differences of the values say so), the next one is not.
    """
    u = vector(w.numel(), 7).view(w.shape)

    def derivative(at, order):
        leaf = at.detach().requires_grad_()
        value = function(leaf)
        for k in range(order):
            (slope,) = torch.autograd.grad(value, leaf, create_graph=k + 1 < order)
            value = (slope * u).sum()
        return float(value.detach())

    h = 1e-3

    def difference(order):
        near, far = (derivative(w + s * h * u, order - 1) - derivative(w - s * h * u, order - 1) for s in (1, 2))
        return (8 * near - far) / (12 * h)

    return abs(derivative(w, order) - difference(order)) / abs(difference(order))


def spread(x):
    """A cost of outputs that no normalisation leaves constant."""
    return (x**3 * torch.linspace(-1, 2, x.numel(), dtype=x.dtype).view(x.shape)).sum()


KERNELS = {
    "weight_norm": (lambda w: spread(torch._weight_norm(w, vector(2, 1).view(2, 1), 0)), vector(6, 0).view(2, 3), 2),
    "batch_norm": (lambda w: spread(functional.batch_norm(w, None, None, training=True)), vector(8, 0).view(4, 2), 3),
    "layer_norm": (lambda w: spread(functional.layer_norm(w, (4,))), vector(8, 0).view(2, 4), 3),
    "instance_norm": (lambda w: spread(functional.instance_norm(w)), vector(12, 0).view(2, 2, 3), 3),
}


@pytest.mark.parametrize("name", KERNELS)
def test_the_next_derivative_is_wrong_and_the_one_before_is_right(name):
    function, w, order = KERNELS[name]
    for before in range(1, order):
        assert off(function, w, before) < 1e-6
    assert off(function, w, order) > 1e-2, MENDED.format(torch.__version__, name)


WITHOUT = {
    "scaled_dot_product_attention": lambda w: (
        functional.scaled_dot_product_attention(w[None, None], w[None, None], w[None, None]).square().sum()
    ),
    "hardsigmoid": lambda w: functional.hardsigmoid(w).square().sum(),
    "cdist": lambda w: torch.cdist(w, 2 * w + 1).square().sum(),
    "pdist": lambda w: torch.pdist(w).square().sum(),
    "embedding_bag": lambda w: functional.embedding_bag(torch.tensor([[0, 1]]), w).square().sum(),
}


@pytest.mark.parametrize("name", WITHOUT)
def test_the_second_derivative_is_missing(name):
    leaf = vector(8, 0).view(2, 4).requires_grad_()
    with pytest.raises(RuntimeError, match="is not implemented"):
        torch.autograd.functional.hessian(WITHOUT[name], leaf)  # when it works, its formula can go from composite.py
