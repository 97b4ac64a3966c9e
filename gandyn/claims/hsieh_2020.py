"""Claims of Hsieh et al. 2020, "Explore aggressively, update conservatively" (double stepsize extragradient)."""

from __future__ import annotations

from .. import analysis, games, rules
from ..lazy import sympy
from ..types import Array
from .declare import Evidence, Paper, fails, proved
from .evidence import all_of, same_expressions

hsieh = Paper("hsieh_2020")


def _floor(rule: object) -> tuple[Array, Array]:
    """(variance of a coordinate on b x y with unit noise, its limit as lr falls to 0)."""
    b, lr = sympy.symbols("b lr", positive=True)
    found = analysis.stationary(games.bilinear([[b]]), rule, 1).exact[0, 0]
    return found, sympy.limit(found, lr, 0)


@hsieh.sharpened("Hsieh et al. 2020, section 3 (extragradient need not converge with noise); the floor derived here")
@proved(r"\mathrm{Var} = \frac{\sigma^2}{b^2}\,\frac{1 + \eta^2 b^2}{1 - \eta^2 b^2} \to \frac{\sigma^2}{b^2}")
@fails("an exploration step of its own", lambda: {"rule": rules.DSEG("lr", "gamma")})
def extragradient_keeps_a_floor(rule: object = None) -> Evidence:
    """On a bilinear game with noise of variance sigma^2 in each coordinate and evaluation, extragradient with
    equal steps settles to a cloud whose variance tends to sigma^2 / b^2, and not to 0, as the step does.
    """
    b, lr = sympy.symbols("b lr", positive=True)
    found, limit = _floor(rules.Extragradient("lr", fresh=True) if rule is None else rule)
    square = (lr * b) ** 2
    return all_of(
        same_expressions(limit, 1 / b**2),
        same_expressions(sympy.cancel(found), sympy.cancel((1 + square) / (b**2 * (1 - square)))),
    )


@hsieh.sharpened("Hsieh et al. 2020, theorem 1 (vanishing update steps); constant steps and the constant derived here")
@proved(r"\mathrm{Var} = \sigma^2\,\frac{\eta(1+\gamma^2 b^2)}{b^2(2\gamma - \eta(1+\gamma^2 b^2))} \to 0")
@fails("an exploration step in proportion to the update", lambda: {"ratio": 2})
def exploration_removes_it(ratio: object = None) -> Evidence:
    """With the exploration step gamma held fixed, the floor of double stepsize extragradient on a bilinear game falls
    to 0 with the update step.
    """
    b, lr, gamma = sympy.symbols("b lr gamma", positive=True)
    found, limit = _floor(rules.DSEG("lr", gamma if ratio is None else ratio * lr))
    growth = lr * (1 + gamma**2 * b**2)
    return all_of(
        same_expressions(limit, 0),
        same_expressions(sympy.cancel(found), sympy.cancel(growth / (b**2 * (2 * gamma - growth)))),
    )
