"""Conditions hold for parameters of the assumed signs, which the sentence names; elsewhere eigenvalues decide."""

from __future__ import annotations

import numpy as np
import pytest

import gandyn as gd
from gandyn.errors import ParameterError

R = gd.rules
FREE = {
    "momentum of both": lambda lr, beta: R.HeavyBall(lr, beta, alternating=True),
    "momentum of player 2": lambda lr, beta: R.Alternating(R.HeavyBall(lr, (0, beta))),
}


def radius(lr, first, second):
    """Of alternating heavy ball on v = ab, from a matrix of (a, b, steps of a and b) written by hand."""
    a = np.array([1.0, 0, 0, 0])
    b = np.array([0, 1.0, 0, 0])
    step_a = first * np.array([0, 0, 1.0, 0]) - lr * b
    step_b = second * np.array([0, 0, 0, 1.0]) + lr * (a + step_a)
    return np.abs(np.linalg.eigvals(np.array([a + step_a, b + step_b, step_a, step_b]))).max()


@pytest.mark.parametrize("name", FREE)
def test_no_positive_momentum_attracts_and_negative_ones_are_decided_by_eigenvalues(name):
    region = gd.stability_region(gd.games.bilinear(), FREE[name]("lr", "beta"), parameters=("lr", "beta"))
    assert region.never
    assert "never attracts to (0, 0) for any positive lr, beta: " in region.summary()
    seen = set()
    for lr in (0.3, 0.9, 1.9):
        for beta in (-0.9, -0.5, -0.1, 0.1, 0.5):
            size = radius(lr, beta if name == "momentum of both" else 0, beta)
            assert region.contains(lr=lr, beta=beta) is bool(size < 1), (lr, beta, size)
            seen.add((bool(size < 1), beta < 0))
    assert {(True, True), (False, False)} <= seen


def test_what_is_said_of_two_parameters_names_their_signs_and_a_negative_step_is_refused():
    game, rule = gd.games.quadratic(1, 1, 1), R.Extragradient("lr", "gamma")
    region = gd.stability_region(game, rule, parameters=("lr", "gamma"))
    assert "for positive lr and gamma, exactly where" in region.summary()
    with pytest.raises(ParameterError, match="positive"):
        region.contains(lr=-0.1, gamma=0.1)
