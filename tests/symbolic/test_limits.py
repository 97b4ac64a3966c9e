"""Limits by intervals of limit points: sums keep their ends apart, and what is not proven has none."""

from __future__ import annotations

import sympy

from gandyn.symbolic.limits import limit

x, y = sympy.symbols("x y", real=True)
# Anything that is not negative, as (x, y) goes to the origin.
SHARE = sympy.Piecewise((x**2 / y, y - x**2 > 0), (1, True))
ORIGIN = {x: 0, y: 0}


def test_a_sum_of_two_undecided_parts_is_undecided():
    """Ends added crosswise would make one number of [0, 1] + [-1, 0]."""
    up, down = sympy.Min(SHARE, 1), sympy.Max(-SHARE, -1)
    assert limit(up, ORIGIN) is None
    assert limit(up + 2 * down, ORIGIN) is None
    assert limit(up + sympy.Max(-SHARE.xreplace({x: y, y: x}), -1), ORIGIN) is None


def test_what_is_squeezed_has_its_limit():
    assert limit(sympy.Min(SHARE, sympy.Abs(x)), ORIGIN) == 0
    assert limit(2 + 3 * sympy.Min(SHARE, sympy.Abs(x)), ORIGIN) == 2
