"""Samples with planted properties for tests of metrics."""

import torch
from torch import nn

import gandyn as gd

metrics = gd.gans.metrics


def normal(n, d=2, seed=0, mean=0.0, std=1.0):
    source = torch.Generator().manual_seed(seed)
    return mean + std * torch.randn(n, d, generator=source, dtype=torch.float64)


class Slope(nn.Module):
    def __init__(self, weights):
        super().__init__()
        self.weights = nn.Parameter(torch.tensor(weights, dtype=torch.float64))

    def forward(self, x):
        return x @ self.weights
