"""Claims of Balduzzi, Racaniere, Martens, Foerster, Tuyls & Graepel 2018, "The mechanics of n-player games"."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from .. import analysis, games, rules
from ..lazy import sympy
from ..types import Array, Game
from . import strategies
from .declare import Evidence, Paper, drawn, fails, formula, proved, where
from .evidence import all_of, bilinear_modes, critical_step, orbit, same_expressions, same_maps

balduzzi = Paper("balduzzi_2018")

HAMILTONIAN = st.fixed_dictionaries({"game": strategies.mixed("none", sizes=((1, 1), (2, 1), (1, 1, 1)))})


def _moves(game: Game) -> bool:
    return bool(game.jacobian_expr.norm() > 0)


@balduzzi.says("Balduzzi et al. 2018, section 2 (the theorem on Hamiltonian games)")
@formula(r"S = 0 \Rightarrow \dot H = -\langle J^\top v, v\rangle = 0, \quad \nabla H = J^\top v = A^\top v")
@drawn(20, HAMILTONIAN)
@where(_moves)
@fails("both players have own curvature", lambda: {"game": games.quadratic(1, 1, 1)}, game=games.bilinear)
@fails("a potential game", lambda: {"game": games.potential_quadratic(((2, 1), (1, 1)))}, game=games.bilinear)
def hamiltonian_conserved(game: Game) -> Evidence:
    """In a Hamiltonian game (S = 0), of any number of players, the gradient flow conserves H = |v|^2 / 2, and A^T v is
    the gradient of H.
    """
    found = analysis.decompose(game)
    v = sympy.Matrix(game.field_exprs)
    gradient = sympy.Matrix([(v.T * v)[0] / 2]).jacobian(sympy.Matrix(game.symbols)).T
    return all_of(
        Evidence(found.kind == "Hamiltonian", found.kind),
        same_expressions((gradient.T * v)[0], 0),
        same_expressions(found.antisymmetric.T * v, gradient),
    )


@balduzzi.sharpened("Balduzzi et al. 2018, section 3 (SGA in Hamiltonian games); the exact region derived here")
@proved(r"|\lambda|^2 = (1-\eta\lambda\sigma^2)^2 + \eta^2\sigma^2 < 1 \iff \eta(1+\lambda^2\sigma^2) < 2\lambda")
@fails("no adjustment: gradient descent-ascent", lambda: {"weight": 0})
def sga_converges(weight: object = "lam") -> Evidence:
    """On bilinear games with a nonsingular matrix symplectic gradient adjustment of weight lambda converges exactly
    when eta (1 + lambda^2 sigma_max^2) < 2 lambda.
    """
    lr, lam = sympy.symbols("lr lam", positive=True)
    half = sympy.Rational(1, 2) if weight == "lam" else weight
    return all_of(
        bilinear_modes(rules.SGA("lr", weight), lambda z, sigma: z - (1 - lr * lam * sigma**2 - sympy.I * lr * sigma)),
        critical_step(games.bilinear(3), rules.SGA("lr", half), sympy.Rational(4, 13)),
    )


@balduzzi.says("Balduzzi et al. 2018, section 3 (comparison with consensus optimisation)")
@formula(r"S = 0 \Rightarrow A^\top v = J^\top v")
@drawn(15, HAMILTONIAN)
@where(_moves)
@fails("both players have own curvature", lambda: {"game": games.quadratic(1, 1, 1)}, game=games.bilinear)
def consensus_in_hamiltonian_games(game: Game) -> Evidence:
    """In Hamiltonian games (S = 0), of any number of players, symplectic gradient adjustment is consensus optimisation
    with the same weight.
    """
    return same_maps(game, rules.SGA("lr", "lam", align=False), rules.Consensus("lr", "lam"))


def _squared_cosine(a: Array, b: Array) -> float:
    return float((a @ b) ** 2 / ((a @ a) * (b @ b)))


def _parts(game: Game, angle: float) -> tuple[Array, Array, Array]:
    """A point w of the unit circle, v, and the gradient J^T v there."""
    w = np.array([np.cos(angle), np.sin(angle)])
    j = game.jacobian(w)
    v = j @ w
    return w, v, j.T @ v


def _turning(game: Game, angle: float) -> bool:
    _, v, gradient = _parts(game, angle)
    adjustment = (game.jacobian(v) - game.jacobian(v).T).T @ v / 2
    size = (v @ v) * (gradient @ gradient)
    return bool(size > 1e-2 and abs((v @ gradient) * (adjustment @ gradient)) > 0.01 * size)


@balduzzi.says("Balduzzi et al. 2018, section 3.3 (the sign of lambda)")
@formula(
    r"\tfrac{d}{d\lambda}\cos^2(v + \lambda A^\top v,\nabla H)\big|_0 = \frac{2\langle v,\nabla "
    r"H\rangle\langle A^\top v,\nabla H\rangle}{|v|^2|\nabla H|^2}"
)
@drawn(30, game=strategies.mixed(), angle=st.floats(0.1, 6.2))
@where(_turning)
@fails(
    "the sign is always positive, and the point repels",
    lambda: {"game": games.mixed_quadratic(((-1, 0), (0, -2)), ((0, 1), (-1, 0))), "angle": 0.7, "align": False},
)
def alignment(game: Game, angle: float, align: bool = True) -> Evidence:
    """With the sign of lambda chosen by alignment a small adjustment turns the field towards the gradient of H = |v|^2
    / 2 where <v, grad H> > 0 (drawn to the equilibrium), and towards its negative where it is < 0.
    """
    w, v, gradient = _parts(game, angle)
    rule = rules.SGA(1, 1e-4, align=align, alignment=1e-9)
    adjusted = w - orbit(game, rule, w, 1)[-1]
    before, after = _squared_cosine(v, gradient), _squared_cosine(adjusted, gradient)
    same_side = (v @ gradient) * (adjusted @ gradient) > 0
    return Evidence(bool(after > before and same_side), f"squared cosine {before:.10g} before, {after:.10g} after")
