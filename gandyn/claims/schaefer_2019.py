"""Claims of Schaefer & Anandkumar 2019, "Competitive gradient descent"."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from hypothesis import strategies as st

from .. import games, rules
from ..lazy import sympy
from ..types import Game, Parameter, Rule
from . import strategies
from .declare import Evidence, Paper, drawn, fails, formula, instance, proved, where
from .evidence import all_of, characteristic, critical, orbit, same_expressions, same_maps, same_numbers, update_map

schaefer = Paper("schaefer_2019")
PLANAR = (games.forsaken, lambda: games.follow_the_ridge(3), games.tandem, lambda: games.almost_bilinear(0.5))


@schaefer.sharpened("Schaefer & Anandkumar 2019, section 2 (the bilinear problem); the exact modulus derived here")
@proved(r"\lambda = \frac{1}{1 + i s}, \qquad |\lambda| = \frac{1}{\sqrt{1+s^2}} < 1")
@fails("the players have curvature of their own, which limits the step", lambda: {"own": 4})
def any_step(own: object = 0) -> Evidence:
    """On bilinear games with a nonsingular matrix competitive gradient descent converges with every step size: each
    singular direction shrinks by 1/sqrt(1 + s^2), s = eta sigma.
    """
    lr, sigma = sympy.symbols("lr sigma", positive=True)
    rule, s = rules.CompetitiveGD("lr"), lr * sigma
    found, z = characteristic(games.quadratic(own, sigma, own), rule)
    step = critical(games.quadratic(own, 3, own), rule)
    return all_of(
        Evidence(step is sympy.oo, f"critical step {step}"),
        same_expressions(sympy.cancel(found * (1 + s**2)), (1 + s**2) * z**2 - 2 * z + 1),
    )


def _solvable(game: Game, step: object, start: object) -> bool:
    """I + eta J_o is invertible at the start, by a margin: otherwise the local game has no or many equilibria."""
    j = game.jacobian(np.resize(np.array(start, dtype=float), game.dim))
    for block in game.slices:
        j[block, block] = 0
    return bool(np.linalg.svd(np.eye(game.dim) + step * j, compute_uv=False)[-1] > 1e-3)


@schaefer.says("Schaefer & Anandkumar 2019, equations 3 and 4")
@formula(r"u_i = \arg\min_{u_i} \langle v_i, u_i\rangle + u_i^\top J_{ij} u_j + \tfrac1{2\eta}|u_i|^2")
@drawn(
    30,
    game=st.one_of(st.sampled_from(PLANAR).map(lambda make: make()), strategies.strongly_monotone(nonlinear=None)),
    step=strategies.steps(1.0, 0.05),
    start=st.tuples(*[st.floats(-2, 2)] * 8),
)
@where(_solvable)
@fails(
    "one more order is dropped: the linearised rule",
    lambda: {"game": games.forsaken(), "step": 0.5, "start": (1.0, 0.5), "rule": rules.LinearizedCGD},
)
def local_nash(game: Game, step: Parameter, start: object, rule: Callable[..., Rule] = rules.CompetitiveGD) -> Evidence:
    """A step of competitive gradient descent is the Nash equilibrium of the local game: both costs to first order, with
    the mixed second derivative, and |u_i|^2 / (2 eta) for each player; in any two-player game where I + eta J_o is
    invertible.
    """
    w = np.resize(np.array(start, dtype=float), game.dim)
    move = orbit(game, rule(step), w, 1)[-1] - w
    v, jacobian = game.field(w), game.jacobian(w)
    x, y = game.slices
    gradients = [v[own] + jacobian[own, other] @ move[other] + move[own] / step for own, other in ((x, y), (y, x))]
    found = np.concatenate(gradients)
    return same_numbers(found / (1 + np.abs(v).max() / step), 0 * found, 1e-12)


@schaefer.sharpened(
    "Schaefer & Anandkumar 2019, figure 2: the authors' bilinear_strong.jl draws conOpt! with the label SGA "
    "(github.com/f-t-s/CGD)"
)
@proved(r"A^\top v = J^\top v \iff S v = 0")
@fails("alpha (x^2 - y^2): J is symmetric, not antisymmetric", lambda: {"curved": True})
def consensus_is_sga(curved: bool = False) -> Evidence:
    """On f = alpha x y a step of SGA and a step of consensus optimisation with one weight are the same."""
    alpha = sympy.Symbol("alpha", positive=True)
    game = games.quadratic(2 * alpha, 0, 2 * alpha) if curved else games.bilinear(alpha)
    return same_maps(game, rules.SGA("lr", "lam", align=False), rules.Consensus("lr", "lam"))


@schaefer.says(
    "Schaefer & Anandkumar 2019, figure 3: the authors' quadratic_equi.jl draws one curve with the label "
    "GDA, SGA, LCGD, CGD (github.com/f-t-s/CGD)"
)
@proved(r"J_o = A = 0")
@fails("a coupling x y is added", lambda: {"coupling": 1})
def one_curve(coupling: int = 0) -> Evidence:
    """On f = alpha (x^2 - y^2), where nothing is coupled, SGA, linearised and full competitive gradient descent are
    gradient descent-ascent.
    """
    alpha = sympy.Symbol("alpha", positive=True)
    game = games.quadratic(2 * alpha, coupling, 2 * alpha)
    others = rules.SGA("lr", "lam", align=False), rules.LinearizedCGD("lr"), rules.CompetitiveGD("lr")
    return same_maps(game, rules.GDA("lr"), *others)


@schaefer.sharpened("Schaefer & Anandkumar 2019, table 1 (LCGD beside SGA)")
@instance(r"(I+\eta J_o)^{-1}\eta v = \eta v - \eta^2 J_o v + \eta^3 J_o^2 v - \cdots, \qquad J_o = A")
@fails("the coupling term is left out: gradient descent-ascent", lambda: {"rule": rules.SimultaneousGD})
def linearised_is_sga(rule: Callable[..., Rule] | None = None) -> Evidence:
    """In zero-sum games competitive gradient descent to second order in its step is SGA with a weight equal to the
    step; what is left out begins with -eta^3 J_o^2 v.
    """
    lr = sympy.Symbol("lr", positive=True)
    a, b, c = sympy.symbols("a b c", real=True)
    game = games.quadratic(a, b, c)
    v, j = sympy.Matrix(game.field_exprs), game.jacobian_expr
    coupling = j - sympy.diag(a, c)
    full = sympy.Matrix(update_map(game, rules.CompetitiveGD(lr)).expression)
    short = sympy.Matrix(update_map(game, rule(lr) if rule else rules.LinearizedCGD(lr)).expression)
    series = (full - short).applyfunc(lambda e: sympy.series(sympy.cancel(e), lr, 0, 4).removeO())
    adjusted = sympy.Matrix(update_map(game, rules.SGA(lr, lr, align=False)).expression)
    return all_of(same_expressions(series, -(lr**3) * coupling**2 * v), same_expressions(short, adjusted))
