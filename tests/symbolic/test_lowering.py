"""Straight-line programs: functions with jumps keep their values; what overflow reaches is decided from both sides."""

from __future__ import annotations

import numpy as np
import pytest
import sympy

import gandyn as gd
from gandyn.dynamics.program import program
from gandyn.symbolic import backends
from gandyn.symbolic.lowering import lower

x, y = sympy.symbols("x y", real=True)


@pytest.mark.parametrize("backend", ["numpy", "c"])
def test_a_step_function_is_zero_or_one(backend):
    """f = max(x, 0)^2 / 2 + y^2 / 2 without and with its kink: w+ = w - v, v = (x H(x), -y)."""
    game = gd.games.from_sympy([x**2 * sympy.Heaviside(x) / 2, y**2 / 2], [x, y])
    starts = np.array([[2.0, 1.0], [-3.0, 1.0]])
    ends = gd.iterate(game, gd.rules.GDA(0.25), starts, 1, record="last", kernel=backend).w
    np.testing.assert_allclose(ends, [[1.5, 0.75], [-3.0, 0.75]], atol=1e-15)


def test_integer_powers_are_exact_products():
    code = lower((x,), (x**7, x**-3))
    assert {line.op for line in code.instructions} <= {"mul", "div"}


def test_overflow_ends_a_run_for_good_only_where_nothing_brings_it_back():
    """In a box on both sides every coordinate is clipped to a number; with none, or on one side, overflow stays."""
    step = gd.rules.GDA(0.1)
    assert program(gd.update_map(gd.games.bilinear(), step)).absorbing
    assert not program(gd.update_map(gd.games.boxed_bilinear(x_box=(-1, 1)), step)).absorbing
    assert program(gd.update_map(gd.games.bilinear(), gd.rules.AMSGrad(0.1))).absorbing  # by its running maximum


@pytest.mark.parametrize("backend", [backends.NUMPY, backends.TORCH, backends.C, backends.NUMBA, backends.JAVASCRIPT])
def test_an_operation_takes_as_many_operands_in_every_language(backend):
    written = {op: backend.operations[op].format("a", "b") for op in ("pow", "max", "min")}
    assert all(text.endswith("(a, b)") for text in written.values()), written
