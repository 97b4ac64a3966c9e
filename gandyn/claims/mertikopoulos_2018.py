"""Claims of Mertikopoulos, Papadimitriou & Piliouras 2018 ("Cycles") and Mertikopoulos et al. 2019 ("Extra mile")."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from hypothesis import strategies as st

from .. import analysis, games, rules
from ..types import Game, Rule
from . import strategies
from .declare import Evidence, Paper, drawn, fails, formula, reproduced
from .evidence import moduli, orbit, same_numbers

mertikopoulos = Paper("mertikopoulos_2018")


@mertikopoulos.says("Mertikopoulos, Papadimitriou & Piliouras 2018, the lemma below the theorem on Poincare recurrence")
@formula(r"\tfrac{d}{dt}\big[\mathrm{KL}(x^*\|x_t) + \mathrm{KL}(y^*\|y_t)\big] = 0")
@drawn(
    25,
    costs=st.tuples(strategies.tenths(-1, 1), *[strategies.tenths(0.1, 2)] * 4).map(
        lambda e: ((e[0] + e[1], e[0] - e[2]), (e[0] - e[3], e[0] + e[4]))
    ),
    x=st.floats(0.05, 0.95),
    y=st.floats(0.05, 0.95),
)
@fails(
    "a dominant strategy: the equilibrium is pure",
    lambda: {"costs": ((1, 2), (3, 5)), "x": 0.3, "y": 0.6},
    costs=((1, -1), (-1, 1)),
)
def divergence_conserved(costs: object, x: float, y: float) -> Evidence:
    """In a zero-sum matrix game with an interior equilibrium (x*, y*) the replicator dynamics conserve KL(x*||x) +
    KL(y*||y): orbits neither approach the equilibrium nor leave it.

    d/dt of KL(x*||x) + KL(y*||y) = -sum of star_i dw_i/dt / w_i, at the equilibrium that the game itself knows.
    """
    game = games.matrix_game(costs)
    star = np.array(game.equilibria[0], dtype=float)
    w = np.array([x, 1 - x, y, 1 - y])
    rate = float((star * game.replicator_field(w) / w).sum())
    return same_numbers(rate, 0, 1e-13)


@mertikopoulos.says("Mertikopoulos, Papadimitriou & Piliouras 2018, the theorem on Poincare recurrence")
@reproduced(r"\liminf_{t\to\infty} \|w_t - w_0\| = 0")
@fails("discrete time: multiplicative weights spiral out", lambda: {"step": 0.1})
def recurrence(step: object = None) -> Evidence:
    """In a zero-sum game with an interior equilibrium the replicator dynamics are Poincare recurrent; in matching
    pennies, where orbits are closed, they return to their start again and again.

    Matching pennies from (0.7, 0.3), (0.5, 0.5): the small orbit's period is near 2 pi, the divergence conserved.
    """
    game = games.matching_pennies()
    start, time = [0.7, 0.3, 0.5, 0.5], 60.0
    if step is None:
        found = analysis.recurrence(game, start, time, radius=0.01)
    else:
        found = analysis.recurrence(game, start, 600, radius=0.01, step=analysis.multiplicative_weights(game, step))
    spread = float(found.spread or 0.0)
    closest = float(found.closest.max()) if len(found.closest) else 1.0
    return Evidence(
        len(found.returns) >= 8 and spread < 1e-8 and closest < 1e-3,
        f"{len(found.returns)} returns, within {closest:.2g}; the divergence changes by {spread:.2g}",
    )


@mertikopoulos.says("Mertikopoulos et al. 2019 (going the extra (gradient) mile), theorem on optimistic mirror descent")
@formula(r"\|w^+ - w^*\|^2 \le \|w - w^*\|^2 - (1 - \eta^2L^2)\,\|w' - w\|^2")
@drawn(30, game=strategies.monotone(), share=st.floats(0.05, 0.99), start=strategies.starts())
@fails(
    "without the extra step: mirror descent leaves bilinear games",
    lambda: {"game": games.bilinear(), "share": 0.5, "start": (1.0, 0.5, 0, 0), "rule": rules.SimultaneousGD},
)
@fails(
    "the field is not monotone",
    lambda: {"game": games.quadratic(-1, 1, 0), "share": 0.5, "start": (1.0, 0.0)},
    game=games.bilinear,
)
def extra_gradient_mile(
    game: Game, share: float, start: object, rule: Callable[..., Rule] = rules.Extragradient
) -> Evidence:
    """In monotone games (null-coherent ones such as bilinear games included) each extragradient step of size eta < 1/L
    comes nearer to every solution: in the Euclidean geometry the squared distance falls by at least (1 - eta^2 L^2) |w'
    - w|^2.
    """
    step = share / moduli(game)[1]
    w = np.resize(np.array(start), game.dim)
    after = orbit(game, rule(step), w, 1)[-1]
    moved = step * game.field(w)
    bound = float(w @ w - (1 - share**2) * (moved @ moved))
    left = float(after @ after)
    return Evidence(bool(left <= bound + 1e-12 * float(w @ w)), f"|w+|^2 {left:.8g}, bound {bound:.8g}")
