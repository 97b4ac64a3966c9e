"""A nonlinear general-sum game of three coordinates, and its zero-sum form, for tests of rules."""

from __future__ import annotations

import numpy as np
import sympy
import torch

import gandyn as gd


def costs(x, y, sin=torch.sin, exp=torch.exp):
    """Two players with two and one coordinates, nothing symmetric about them."""
    x1, x2, y1 = x[0], x[1], y[0]
    first = x1 * x1 / 2 + x2**3 / 3 + x1 * y1 * x2 + sin(x2 * y1) + exp(x1 / 3) * y1
    second = y1**3 / 3 - x1 * y1 + x2 * y1 * y1 + sin(x1 - 2 * y1) + x2 * x2 * y1
    return first, second


def game(zero_sum=False):
    x, y = sympy.symbols("x1 x2", real=True), sympy.symbols("y1:2", real=True)
    first, second = costs(x, y, sympy.sin, sympy.exp)
    return gd.games.from_sympy([first, -first if zero_sum else second], [x, y])


GAME, ZERO_SUM = game(), game(zero_sum=True)
START = np.array([0.6, -0.8, 0.5])
