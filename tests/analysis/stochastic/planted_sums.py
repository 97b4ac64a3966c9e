"""Finite sums with planted thresholds: summands a (x^2 - y^2) / 2 + b x y + p x + q y, one row (a, b, p, q) each."""

from __future__ import annotations

import sympy

import gandyn as gd
from gandyn.games.finite_sum import FiniteSumGame


def planted(rows, minibatch=1):
    """The sum over rows (a, b, p, q); its saddle is where the mean field vanishes."""
    x, y, a, b, p, q = sympy.symbols("x y a b p q", real=True)
    f = a * x**2 / 2 + b * x * y - a * y**2 / 2 + p * x + q * y
    rows = [tuple(sympy.Rational(str(v)) for v in row) for row in rows]
    mean = [sum(column) / sympy.Integer(len(rows)) for column in zip(*rows, strict=True)]
    matrix = sympy.Matrix([[mean[0], mean[1]], [-mean[1], mean[0]]])
    saddle = matrix.LUsolve(sympy.Matrix([-mean[2], mean[3]]))
    summand = gd.games.SymbolicGame("summand", [f, -f], {"x": [x], "y": [y]})
    return FiniteSumGame("planted sum", summand, rows, [a, b, p, q], minibatch, [tuple(saddle)])


def rotations(*couplings, minibatch=1):
    """Summands b x y alone."""
    return planted([(0, b, 0, 0) for b in couplings], minibatch)
