"""Claims of Heusel et al. 2017, "GANs trained by a two time-scale update rule converge to a local Nash equilibrium"."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from .. import analysis, games, rules
from ..lazy import sympy
from ..types import Parameter
from .declare import Evidence, Paper, Verdict, drawn, fails, formula, where
from .evidence import all_of, attracting, critical, same_expressions
from .strategies import tenths

heusel = Paper("heusel_2017")


def _rule(step: object, tau: Parameter) -> Any:
    return rules.TimeScale(rules.GDA(step), tau)


def _complex_pair(a: sympy.Expr, b: sympy.Expr, c: sympy.Expr, factor: sympy.Expr) -> bool:
    """The determinant condition binds while the map's eigenvalues at the bound are complex."""
    tau = -a / c * factor
    step = (a + c * tau) / (tau * (a * c + b**2))
    return bool(abs(2 - step * (a + c * tau)) < 2)


def _stackelberg_game(found: Any) -> dict[str, Any]:
    """a < 0 < c with b^2 > |a| c, a + c < 0 (equal rates repel), and tau a little to much above -a/c."""
    c, excess, more, factor = found
    return {"a": -c - excess, "b": c + excess + more, "c": c, "factor": 1 + factor}


@heusel.sharpened(
    "Heusel et al. 2017, theorem 1, for constant steps; the threshold as in Fiez & Ratliff 2020",
    said='the title ("converge to a local Nash equilibrium") and the abstract: "we prove that the TTUR converges '
    'under mild assumptions to a stationary local Nash equilibrium"',
    correction="The limit of the two-time-scale steps is an attracting stationary point, not always a local Nash "
    "equilibrium as the paper's title says: here it is a strict local minimax point at which player 1 sits "
    "on a maximum of its own cost (classify says so exactly). The theorem needs local convexity assumed "
    "beside it.",
    verdict=Verdict.CORRECTED,
)
@formula(r"\tau > |a|/c, \qquad h < \frac{a + c\tau}{\tau\,(ac + b^2)}")
@drawn(15, st.tuples(tenths(0.2, 1), tenths(0.1, 1), tenths(0, 1), tenths(0.1, 0.6)).map(_stackelberg_game))
@where(_complex_pair)
@fails(
    "tau below the threshold",
    lambda: {"a": -1, "b": 2, "c": sympy.Rational(1, 2), "factor": sympy.Rational(9, 10)},
    factor=lambda: sympy.Rational(6, 5),
)
@fails(
    "equal rates converge too: player 2's curvature outweighs player 1's",
    lambda: {"a": -1, "b": 2, "c": 2, "factor": sympy.Rational(6, 5)},
    c=lambda: sympy.Rational(1, 2),
)
def time_scales_decide(a: sympy.Expr, b: sympy.Expr, c: sympy.Expr, factor: sympy.Expr) -> Evidence:
    """Where player 1's own curvature a is negative and a + c < 0, with c the other's curvature and coupling b^2 > |a|
    c, equal rates converge for no step, while a second player that is tau > |a|/c times as fast makes the steps
    converge locally (below an exact bound) to a stationary local Nash equilibrium.
    """
    game = games.quadratic(a, b, c)
    tau = -a / c * factor
    slow, fast = (critical(game, _rule("lr", t)) for t in (1, tau))
    by_determinant = (a + c * tau) / (tau * (a * c + b**2))
    label = analysis.classify(game).nash
    return all_of(
        Evidence(bool(slow == 0), "equal rates converge for no step"),
        same_expressions(fast, by_determinant),
        Evidence(bool(fast > 0), f"tau {tau}: converges for steps below {fast}"),
        Evidence(label.startswith("not"), label),
    )


@heusel.derived("derived beside Heusel et al. 2017, theorem 1")
@formula(r"a + c\tau > 0, \qquad \tau(ac + b^2) > 0")
@drawn(12, a=tenths(0.1, 2), b=tenths(-2, 2), c=tenths(0.1, 2), tau=tenths(0.1, 10))
@fails("no Nash equilibrium, below the threshold", lambda: {"a": -1, "b": 2, "c": sympy.Rational(1, 2), "tau": 1}, a=1)
@fails("a saddle without coupling", lambda: {"a": -1, "b": 0, "c": 1, "tau": 5}, a=1)
def strict_nash_attracts_at_every_ratio(a: object, b: object, c: object, tau: Parameter) -> Evidence:
    """A strict local Nash equilibrium of a zero-sum game with one coordinate each attracts small steps for every ratio
    tau of the learning rates: separation of time scales is not needed there.
    """
    game = games.quadratic(a, b, c)
    longest = critical(game, _rule("lr", tau))
    if longest == 0:
        return Evidence(False, "no step converges")
    step = longest * sympy.Rational(9, 10)
    return all_of(attracting(game, _rule(step, tau)), Evidence(bool(longest > 0), f"steps below {longest}"))
