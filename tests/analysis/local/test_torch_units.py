"""What is said of a torch game at a point does not change with units of length and cost, or with position."""

import numpy as np
import pytest
import torch

import gandyn as gd


def _game(cost, scale, shift):
    def costs(x, y):
        a, b = (x[..., 0] - shift) / scale, (y[..., 0] - shift) / scale
        return cost * (a * b - torch.cos(a)), cost * (b**2 / 2 - a * b)

    return gd.games.from_torch(costs, [1, 1])


@pytest.mark.parametrize("cost", [1e-12, 1.0, 1e12])
@pytest.mark.parametrize(("scale", "shift"), [(1.0, 0.0), (1e-12, 0.0), (1e12, 0.0), (1.0, 1000.0), (1e-3, 5.0)])
@pytest.mark.parametrize("ruled", [False, True])
def test_rest_and_verdict_follow_units(cost, scale, shift, ruled):
    rule = gd.rules.GDA(0.1 * scale**2 / cost) if ruled else None
    game = _game(cost, scale, shift)
    at_rest = gd.linearize(game, rule, at=np.array([shift, shift]))
    off = gd.linearize(game, rule, at=np.array([shift + 0.3 * scale, shift]))
    assert at_rest.equilibrium
    assert at_rest.verdict == "attracting"
    assert not off.equilibrium
    assert off.verdict == "not an equilibrium"
