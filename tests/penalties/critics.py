"""Critics in torch that the tests of penalties differentiate."""

from __future__ import annotations

import torch

import gandyn as gd

P = gd.penalties


N = 6


def value(number):
    """As a float, of a tensor in a graph too."""
    return torch.as_tensor(number, dtype=torch.float64).detach().item()


class TorchCritic:
    """The protocol of `penalties.base.Critic` on a small network; keeps what it drew."""

    def __init__(self, penalties=(), seed=0, slope=1.0):
        source = torch.Generator().manual_seed(seed)
        make = lambda *shape: torch.randn(*shape, generator=source, dtype=torch.float64)  # noqa: E731
        self.weights = [(slope * make(5, 2)).requires_grad_(), (slope * make(1, 5)).requires_grad_()]
        self.bias = make(5)
        self.drawn, self._source = [], source
        self.real, self.fake = make(N, 2), 1.5 * make(N, 2) + 0.5
        self._penalties = penalties
        for penalty in penalties:
            self.real = penalty.perturb(self.real, self)
            self.fake = penalty.perturb(self.fake, self)

    def logit(self, points):
        first, second = self.weights
        for penalty in self._penalties:
            first, second = penalty.transform(first), penalty.transform(second)
        return (torch.tanh(points @ first.T + self.bias) @ second.T)[:, 0]

    def squared_slope(self, points):
        points = points.detach().requires_grad_()
        (slope,) = torch.autograd.grad(self.logit(points).sum(), points, create_graph=True)
        return (slope**2).sum(1)

    def squared_distance(self, points, others):
        return ((points - others) ** 2).flatten(1).sum(1)

    def deviation(self, points):
        return points.std(correction=0)

    def mean(self, values):
        return values.mean()

    def uniform(self, like, per_point=False):
        shape = (len(like), *(1 for _ in like.shape[1:])) if per_point else like.shape
        self.drawn.append(torch.rand(shape, generator=self._source, dtype=like.dtype))
        return self.drawn[-1]

    def normal(self, like):
        self.drawn.append(torch.randn(like.shape, generator=self._source, dtype=like.dtype))
        return self.drawn[-1]

    def reconstruct(self, points):
        return 0.5 * points + 0.1
