"""A point may be called `at` by every function that takes one."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import gandyn as gd
from gandyn.errors import CallError


def test_at_is_w():
    game, point = gd.games.quadratic(1, 2, 1), [0.3, -0.2]
    assert gd.decompose(game, at=point).kind == gd.decompose(game, point).kind
    assert gd.duality_gap(game, at=point).value == gd.duality_gap(game, point).value
    assert np.allclose(gd.decompose(game, at=point).S, gd.decompose(game, w=point).S)
    with pytest.raises(CallError):
        gd.decompose(game, w=point, at=point)
    with pytest.raises(CallError):
        gd.decompose(game, point, at=point)


def test_every_function_of_one_point_takes_it_by_that_name():
    for name in gd.__all__:
        function = getattr(gd, name)
        if inspect.isfunction(function) and "w" in inspect.signature(function).parameters:
            assert hasattr(function, "__wrapped__"), f"{name} has no door, and so no at="


def test_tensors_without_numbers_to_read_are_refused():
    torch = pytest.importorskip("torch")
    for given in (torch.zeros(2, device="meta"), torch.zeros(2).to_sparse()):
        with pytest.raises(gd.errors.GandynError, match="dense floating-point"):
            gd.iterate(gd.games.bilinear(), gd.rules.GDA(0.1), given, 3)
