"""Claims of Li, Tai & E 2017, "Stochastic modified equations and adaptive stochastic gradient algorithms"."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from .. import analysis, games, rules
from ..lazy import sympy
from .declare import Evidence, Paper, drawn, fails, formula, proved
from .evidence import all_of, between, same_expressions

li = Paper("li_2017")


@li.sharpened("Li, Tai & E 2017, theorem 1, for potentials; for games here")
@proved(r"dw = -(v + \tfrac{\eta}{2} J v)\,dt + (\eta C)^{1/2}\,dW")
@fails("players in turn", lambda: {"rule": rules.AlternatingGD("lr")})
def second_order_equation(rule: object = None) -> Evidence:
    """The modified equation of weak order 2 of gradient steps with noise of covariance C has the drift -(v + eta J v /
    2) and the rate eta C; for a potential J v is half the gradient of |grad f|^2.
    """
    a, b, c, s, lr = sympy.symbols("a b c s lr", positive=True)
    game = games.quadratic(a, b, c)
    flow = analysis.stochastic_flow(game, rules.GDA("lr") if rule is None else rule, s, 2)
    v, j = sympy.Matrix(game.field_exprs), sympy.Matrix(game.jacobian_expr)
    return all_of(
        same_expressions(sympy.Matrix(flow.drift), -(v + lr / 2 * j * v)),
        same_expressions(sympy.Matrix(flow.diffusion), lr * s * sympy.eye(2)),
    )


@li.derived("beside Li, Tai & E 2017, theorem 1: what the two orders leave of the stationary covariance")
@formula(r"\Sigma_{\mathrm{flow}} - \Sigma = O(\eta^2) \text{ relative } O(\eta)")
@drawn(6, a=st.floats(0.3, 0.8), b=st.floats(0.5, 1.5), order=st.sampled_from((1, 2)))
@fails("with the correction of the rate one order more", lambda: {"a": 0.4, "b": 1.0, "order": 2, "corrected": True})
def covariance_gains_no_order(a: float, b: float, order: int, corrected: bool = False) -> Evidence:
    """Equations of weak order 1 and 2 both give the stationary covariance of gradient steps with a relative error of
    the order of the step: it is of that order itself, and its next term comes from the rate.
    """
    game, apart = games.quadratic(a, b, a), []
    for step in (2e-3, 1e-3):
        exact = analysis.stationary(game, rules.GDA(step), 1).covariance
        flow = analysis.stochastic_flow(game, rules.GDA(step), 1, order)
        apart.append(np.abs(flow.covariance((0, 0), corrected) - exact).max() / exact.max())
    return between(apart[0] / apart[1], 1.9, 2.1)
