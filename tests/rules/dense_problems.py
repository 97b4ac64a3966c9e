"""Quadratic games as dense matrices, the oracle of `test_rules_dense`, and the table of formulas written on them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import sympy

import gandyn as gd

SIZES = (2, 3)


class Dense:
    """f_i = w^T H_i w / 2 + c_i^T w for two players, with everything that a rule may ask for as a matrix."""

    def __init__(self, seed: int, zero_sum: bool) -> None:
        rng = np.random.default_rng(seed)
        d = sum(SIZES)
        drawn = np.round(rng.normal(size=(2, d, d)), 2)
        hessians = drawn + drawn.transpose(0, 2, 1)
        shifts = np.round(rng.normal(size=(2, d)), 2)
        if zero_sum:
            hessians[1], shifts[1] = -hessians[0], -shifts[0]
        self.H, self.c, self.d, self.n = hessians, shifts, d, 2
        self.blocks = (slice(0, SIZES[0]), slice(SIZES[0], d))
        self.masks = np.zeros((2, d))
        for mask, block in zip(self.masks, self.blocks, strict=True):
            mask[block] = 1
        self.J = sum(np.diag(m) @ h for m, h in zip(self.masks, hessians, strict=True))
        self.shift = sum(m * c for m, c in zip(self.masks, shifts, strict=True))
        own = sum(np.outer(m, m) for m in self.masks)
        self.Jo, self.Jd = self.J * (1 - own), self.J * own

    def v(self, w):
        return self.J @ w + self.shift

    def gradients(self, w):
        return [h @ w + c for h, c in zip(self.H, self.c, strict=True)]

    def per(self, value):
        """A parameter over the coordinates."""
        values = value if isinstance(value, tuple) else (value, value)
        return sum(m * x for m, x in zip(self.masks, values, strict=True))

    def norms(self, u):
        """Each player's norm, over its coordinates."""
        return sum(m * np.linalg.norm(m * u) for m in self.masks)

    def game(self):
        x = sympy.symbols("x1:3", real=True)
        y = sympy.symbols("y1:4", real=True)
        w = sympy.Matrix([*x, *y])
        rational = np.vectorize(lambda e: sympy.Rational(str(round(float(e), 2))), otypes=[object])
        costs = [
            (w.T * sympy.Matrix(rational(h)) * w)[0] / 2 + (sympy.Matrix(rational(c)).T * w)[0]
            for h, c in zip(self.H, self.c, strict=True)
        ]
        return gd.games.from_sympy([sympy.expand(cost) for cost in costs], [x, y], name="dense")


PROBLEMS = {False: Dense(5, False), True: Dense(6, True)}
GAMES = {kind: problem.game() for kind, problem in PROBLEMS.items()}


# --- the formulas -----------------------------------------------------------------------------------------------------

FORMULAS: dict[str, Callable] = {}


def formula(*names):
    """Register w_0 -> [w_1, w_2, ...] under a rule's name."""

    def decorate(function):
        FORMULAS.update(dict.fromkeys(names, function))
        return function

    return decorate


def stateless(move):
    """A formula from one step's function of (problem, rule, w)."""

    def run(p, rule, w, steps):
        rows = []
        for _ in range(steps):
            w = move(p, rule, w)
            rows.append(w)
        return rows

    return run
