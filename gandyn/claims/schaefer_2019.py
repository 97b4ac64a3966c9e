"""Claims of Schaefer & Anandkumar 2019, "Competitive gradient descent"."""

from __future__ import annotations

from typing import Any

from .. import games, rules
from ..types import Game
from .base import Claim, Evidence, How, Mutant, Origin, Outside, register
from .evidence import all_of, same_expressions


def _any_step(own: Any = 0) -> Evidence:
    """(1 + i s) z - 1 for each singular value; no step is critical."""
    import sympy

    from ..analysis.exact_numbers.polynomials import Z
    from ..analysis.local.linearize import linearize
    from ..analysis.parameters.stability import stability_region

    lr, sigma = sympy.symbols("lr sigma", positive=True)
    game = games.quadratic(own, sigma, own)
    rule = rules.CompetitiveGD("lr")
    found = linearize(game, rule).exact
    assert found is not None
    s = lr * sigma
    critical = stability_region(games.quadratic(own, 3, own), rule, ("lr",)).critical("lr")
    return all_of(
        Evidence(critical is sympy.oo, f"critical step {critical}"),
        same_expressions(sympy.cancel(found.charpoly * (1 + s**2)), (1 + s**2) * Z**2 - 2 * Z + 1),
    )


register(
    Claim(
        name="schaefer_2019.any_step",
        statement=(
            "On bilinear games with a nonsingular matrix competitive gradient descent converges with every step size: "
            "each singular direction shrinks by 1/sqrt(1 + s^2), s = eta sigma."
        ),
        latex=r"\lambda = \frac{1}{1 + i s}, \qquad |\lambda| = \frac{1}{\sqrt{1+s^2}} < 1",
        source="Schaefer & Anandkumar 2019, section 2 (the bilinear model problem); the exact modulus derived here",
        how=How.PROVED,
        origin=Origin.SHARPENED,
        conclusion=_any_step,
        outside=(Outside("the players have curvature of their own, which limits the step", lambda: {"own": 4}),),
        mutants=(Mutant("rules/competitive.py", "return u + lr * game.coupling(", "return u - lr * game.coupling("),),
    )
)


def _local_nash(game: Game, step: Any, start: Any, rule: Any = rules.CompetitiveGD) -> Evidence:
    """u minimises <v_i, u_i> + u_i^T J_ij u_j + |u_i|^2 / (2 eta) for both players: its two gradients vanish."""
    import numpy as np

    from ..dynamics.iterate import iterate
    from .evidence import same_numbers

    w = np.resize(np.array(start, dtype=float), game.dim)
    move = np.asarray(iterate(game, rule(step), w, 1).w)[-1] - w
    v, jacobian = game.field(w), game.jacobian(w)
    x, y = game.slices
    gradients = [
        v[own] + jacobian[own, other] @ move[other] + move[own] / step for own, other in ((x, y), (y, x))
    ]  # fmt: skip
    found = np.concatenate(gradients)
    return same_numbers(found / (1 + np.abs(v).max() / step), 0 * found, 1e-12)


def _points() -> Any:
    from hypothesis import strategies as st

    from . import strategies

    planar = st.sampled_from([games.forsaken(), games.follow_the_ridge(3), games.tandem(), games.almost_bilinear(0.5)])
    coordinates = st.tuples(*[st.floats(-2, 2)] * 8)
    drawn = st.one_of(planar, strategies.strongly_monotone(nonlinear=None))
    return st.fixed_dictionaries({"game": drawn, "step": strategies.steps(1.0, 0.05), "start": coordinates})


register(
    Claim(
        name="schaefer_2019.local_nash",
        statement=(
            "A step of competitive gradient descent is the Nash equilibrium of the local game: both costs to first "
            "order, with the mixed second derivative, and |u_i|^2 / (2 eta) for each player; in any two-player game."
        ),
        latex=r"u_i = \arg\min_{u_i} \langle v_i, u_i\rangle + u_i^\top J_{ij} u_j + \tfrac1{2\eta}|u_i|^2",
        source="Schaefer & Anandkumar 2019, equations 3 and 4",
        how=How.PROPERTY,
        origin=Origin.PAPER,
        conclusion=_local_nash,
        hypotheses=_points,
        outside=(
            Outside(
                "one more order is dropped: the linearised rule",
                lambda: {
                    "game": games.forsaken(),
                    "step": 0.5,
                    "start": (1.0, 0.5),
                    "rule": rules.LinearizedCGD,
                },
            ),
        ),
        mutants=(
            Mutant("rules/competitive.py", "return u + lr * game.coupling(", "return u + lr / 2 * game.coupling("),
        ),
        draws=30,
    )
)


def _one_step(curved: bool = False) -> Evidence:
    """The traced steps of SGA and consensus with one weight, on alpha x y or on alpha (x^2 - y^2)."""
    import sympy

    from ..dynamics.trace import update_map

    alpha = sympy.Symbol("alpha", positive=True)
    game = games.quadratic(2 * alpha, 0, 2 * alpha) if curved else games.bilinear(alpha)
    paths = [
        update_map(game, rule).expression
        for rule in (rules.SGA("lr", "lam", align=False), rules.Consensus("lr", "lam"))
    ]
    return same_expressions(*paths)


register(
    Claim(
        name="schaefer_2019.consensus_is_sga",
        statement="On f = alpha x y a step of SGA and a step of consensus optimisation with one weight are the same.",
        latex=r"A^\top v = J^\top v \iff S v = 0",
        source=(
            "Schaefer & Anandkumar 2019, figure 2: the authors' bilinear_strong.jl draws conOpt! with the label SGA "
            "(github.com/f-t-s/CGD)"
        ),
        how=How.PROVED,
        origin=Origin.SHARPENED,
        conclusion=_one_step,
        outside=(Outside("alpha (x^2 - y^2): J is symmetric, not antisymmetric", lambda: {"curved": True}),),
        mutants=(
            Mutant("rules/symplectic.py", "change = v - weight * antisymmetric", "change = v + weight * antisymmetric"),
        ),
    )
)


def _uncoupled(coupling: int = 0) -> Evidence:
    """The traced steps of SGA, linearised and full competitive gradient descent beside gradient descent-ascent."""
    import sympy

    from ..dynamics.trace import update_map

    alpha = sympy.Symbol("alpha", positive=True)
    game = games.quadratic(2 * alpha, coupling, 2 * alpha)
    plain = update_map(game, rules.GDA("lr")).expression
    others = rules.SGA("lr", "lam", align=False), rules.LinearizedCGD("lr"), rules.CompetitiveGD("lr")
    return all_of(*(same_expressions(update_map(game, rule).expression, plain) for rule in others))


register(
    Claim(
        name="schaefer_2019.one_curve",
        statement=(
            "On f = alpha (x^2 - y^2), where nothing is coupled, SGA, linearised and full competitive gradient descent "
            "are gradient descent-ascent."
        ),
        latex=r"J_o = A = 0",
        source=(
            "Schaefer & Anandkumar 2019, figure 3: the authors' quadratic_equi.jl draws one curve with the label "
            "GDA, SGA, LCGD, CGD (github.com/f-t-s/CGD)"
        ),
        how=How.PROVED,
        origin=Origin.PAPER,
        conclusion=_uncoupled,
        outside=(Outside("a coupling x y is added", lambda: {"coupling": 1}),),
        mutants=(Mutant("rules/competitive.py", "return u + lr * game.coupling(", "return u + lr * game.jvp("),),
    )
)


def _expansion(rule: Any = None) -> Evidence:
    """CGD - linearised CGD = -lr^3 J_o^2 v + O(lr^4) on a zero-sum game in general position."""
    import sympy

    from ..dynamics.trace import update_map

    lr = sympy.Symbol("lr", positive=True)
    a, b, c = sympy.symbols("a b c", real=True)
    game = games.quadratic(a, b, c)
    v, j = sympy.Matrix(game.field_exprs), game.jacobian_expr
    coupling = j - sympy.diag(a, c)
    full = sympy.Matrix(update_map(game, rules.CompetitiveGD(lr)).expression)
    short = sympy.Matrix(update_map(game, rule(lr) if rule else rules.LinearizedCGD(lr)).expression)
    series = (full - short).applyfunc(lambda e: sympy.series(sympy.cancel(e), lr, 0, 4).removeO())
    adjusted = sympy.Matrix(update_map(game, rules.SGA(lr, lr, align=False)).expression)
    return all_of(
        same_expressions(series, -(lr**3) * coupling**2 * v),
        same_expressions(short, adjusted),
    )


register(
    Claim(
        name="schaefer_2019.linearised_is_sga",
        statement=(
            "In zero-sum games competitive gradient descent to second order in its step is SGA with a weight equal to "
            "the step; what is left out begins with -eta^3 J_o^2 v."
        ),
        latex=r"(I+\eta J_o)^{-1}\eta v = \eta v - \eta^2 J_o v + \eta^3 J_o^2 v - \cdots, \qquad J_o = A",
        source="Schaefer & Anandkumar 2019, table 1 (LCGD beside SGA)",
        how=How.INSTANCE,
        origin=Origin.SHARPENED,
        conclusion=_expansion,
        outside=(
            Outside("the coupling term is left out: gradient descent-ascent", lambda: {"rule": rules.SimultaneousGD}),
        ),
        mutants=(
            Mutant(
                "rules/competitive.py", "(v - game.coupling(w, lr * v, batch))", "(v + game.coupling(w, lr * v, batch))"
            ),
        ),
    )
)
