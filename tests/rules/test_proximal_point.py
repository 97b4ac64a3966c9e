"""The proximal point step on a nonlinear game: its equation, its derivative, and steps without a solution."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
import torch
from nonlinear_game import GAME, START

import gandyn as gd

LR = 0.1


def test_the_proximal_step_solves_its_equation():
    rule = gd.rules.ProximalPoint((0.1, 0.05))
    ensemble = START + np.random.default_rng(0).normal(size=(50, 3)) * 0.3
    moved, _, info = rule.step(GAME, ensemble, rule.init(GAME, ensemble))
    lr = np.array([0.1, 0.1, 0.05])
    np.testing.assert_allclose(moved + lr * GAME.field(moved), ensemble, rtol=0, atol=1e-11)
    np.testing.assert_allclose(rule.residual(GAME, moved, ensemble), 0, atol=1e-11)
    assert info["iterations"] > 1


def test_a_proximal_step_without_a_solution_says_so():
    """w + lr w^2 = -1 has no real root for lr > 1/4: f = x^3/3 is not monotone."""
    x, y = sympy.symbols("x y", real=True)
    a_game, w = gd.games.from_sympy([x**3 / 3, y**2 / 2], [x, y]), np.array([[-1.0, 1.0], [1.0, 1.0]])
    moved, _, _ = gd.rules.ProximalPoint(0.24).step(a_game, w, gd.types.State())
    np.testing.assert_allclose(moved[0, 0], (-1 + np.sqrt(1 - 0.96)) / 0.48, rtol=1e-11)
    with pytest.raises(gd.errors.ConvergenceError, match=r"ProximalPoint.* at 1 points"):
        gd.rules.ProximalPoint(0.26).step(a_game, w, gd.types.State())


def test_a_newton_step_that_never_helps_is_halved_thirty_times(monkeypatch):
    asked, one = [], np.ones(2)
    monkeypatch.setattr(gd.rules.ProximalPoint, "residual", lambda *_: asked.append(0) or np.full(2, np.nan))
    gd.rules.ProximalPoint(0.1)._descend(gd.games.bilinear(), one, one, one, None)
    assert len(asked) == 30


def test_the_proximal_step_has_the_derivative_of_the_implicit_function_theorem():
    """(I + lr J(w+))^{-1}, by differences of the whole Newton solve, and by autograd through it."""
    rule = gd.rules.ProximalPoint(LR)

    def move(w):
        return rule.step(GAME, w, rule.init(GAME, w))[0]

    h = 1e-5
    slope = np.stack([(move(START + h * e) - move(START - h * e)) / (2 * h) for e in np.eye(3)], axis=-1)
    expected = np.linalg.inv(np.eye(3) + LR * GAME.jacobian(move(START)))
    np.testing.assert_allclose(slope, expected, atol=1e-8)
    by_autograd = torch.autograd.functional.jacobian(move, torch.tensor(START))
    np.testing.assert_allclose(by_autograd.numpy(), expected, atol=1e-10)
