"""Claims of Lessard, Recht & Packard 2016, "Analysis and design of optimization algorithms via ... constraints"."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from .. import games, rules
from ..lazy import sympy
from ..types import Game, Parameter
from .declare import Evidence, Paper, drawn, fails, formula
from .evidence import all_of, orbit, same_numbers

lessard = Paper("lessard_2016")
HIGH = 25


def _bent(kinked: bool) -> Game:
    """Each player alone minimises a convex function with derivatives of slopes 25 and, if kinked, 1 in the middle."""
    x, y = sympy.symbols("x y", real=True)

    def cost(u: sympy.Symbol) -> sympy.Expr:
        if not kinked:
            return HIGH * u**2 / 2
        middle, right = u**2 / 2 + 24 * u - 12, HIGH * u**2 / 2 - 24 * u + 36
        return sympy.Piecewise((HIGH * u**2 / 2, u < 1), (middle, u < 2), (right, True))

    return games.from_sympy([cost(x), cost(y)], {"x": [x], "y": [y]}, equilibria=[(0, 0)])


@lessard.sharpened(
    "Lessard, Recht & Packard 2016, the section on the heavy ball method (its parameters for quadratics need not "
    "converge on other functions with the same m and L); the orbit recomputed here"
)
@formula(r"m = 1,\ L = 25,\ \eta = \tfrac19,\ \beta = \tfrac49: \quad w_{t+3} \to w_t \ne w^*")
@drawn(6, start=st.floats(3.1, 3.4))
@fails("a quadratic function", lambda: {"start": 3.3, "kinked": False})
@fails("less momentum", lambda: {"start": 3.3, "momentum": 0.1})
def polyaks_parameters_cycle(start: float, momentum: Parameter = 4 / 9, kinked: bool = True) -> Evidence:
    """Heavy ball with the step and the momentum that are best on quadratics, from w_0 = w_-1 near 3.3, runs into a
    cycle of period 3 on a convex function with slopes of its derivative in [1, 25], and not into its minimum.
    """
    run = orbit(_bent(kinked), rules.HeavyBall(1 / 9, momentum), [start, start], 900)[:, 0]
    return all_of(
        same_numbers(run[-3:], run[-6:-3], 1e-9),
        Evidence(bool(np.ptp(run[-3:]) > 0.1), f"the orbit ends at {run[-3:].round(6).tolist()}"),
    )
