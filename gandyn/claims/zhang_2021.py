"""Claims of Zhang, Wang, Lessard & Grosse 2021, "Near-optimal local convergence of alternating descent-ascent"."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from .. import games, rules
from ..lazy import sympy
from ..types import Parameter
from . import strategies
from .declare import Evidence, Paper, drawn, fails, formula
from .evidence import all_of, same_numbers, spectral

zhang = Paper("zhang_2021")


@zhang.sharpened("Zhang et al. 2021, the theorem on local rates (kappa against kappa^2); exact best rates derived here")
@formula(
    r"\rho_{\mathrm{alt}} = r^2 \approx 1 - \tfrac{2}{\kappa}, \quad \rho_{\mathrm{sim}} = \tfrac{2r}{1+r^2} "
    r"\approx 1 - \tfrac{1}{2\kappa^2}"
)
@drawn(15, r=st.integers(12, 39).map(lambda n: sympy.Rational(n, 40)), lr=strategies.tenths(0.1, 1))
@fails(
    "the players move at once, with the same step",
    lambda: {"r": sympy.Rational(1, 2), "lr": sympy.Rational(1, 2), "in_turn": rules.SimultaneousGD},
)
def alternating_accelerates(r: Any, lr: Parameter, in_turn: Any = rules.AlternatingGD) -> Evidence:
    """On strongly convex-concave quadratics mu x^2/2 + b x y - mu y^2/2, each tuned, alternating steps contract by 1 -
    eta mu = r^2 where simultaneous ones contract by 2r/(1 + r^2), b/mu = 2r/(1 - r^2): about 1 - 2/kappa against 1 -
    1/(2 kappa^2).

    mu = (1 - r^2)/lr, coupling b = 2 r/lr: eta^2 b^2 = 4 (1 - eta mu) at eta = lr, a double root of modulus r^2.
    """
    mu, coupling = (1 - r**2) / lr, 2 * r / lr
    game = games.quadratic(mu, coupling, mu)
    square = mu**2 + coupling**2
    best = mu / square
    alternating = [spectral(game, in_turn(lr * factor)) for factor in (0.98, 1, 1.02)]
    simultaneous = [spectral(game, rules.SimultaneousGD(best * factor)) for factor in (0.98, 1, 1.02)]
    ordered = min(alternating) == alternating[1] and min(simultaneous) == simultaneous[1]
    return all_of(
        same_numbers(alternating[1], float(r**2), 1e-12),
        same_numbers(simultaneous[1], float(2 * r / (1 + r**2)), 1e-12),
        Evidence(ordered, f"kappa {coupling / mu}: {alternating[1]:.6g} in turn, {simultaneous[1]:.6g} at once"),
    )
