"""Claims of Jin, Netrapalli & Jordan 2020, "What is local optimality in nonconvex-nonconcave minimax optimization?"."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from .. import analysis, games
from ..types import Game
from . import strategies
from .declare import Evidence, Paper, drawn, fails, formula, where
from .evidence import minimax_curvatures, sped_up_abscissa

jin = Paper("jin_2020")


def _regular(game: Game) -> bool:
    """f_yy and the Schur complement are invertible, by a margin that tau = 1e5 resolves."""
    schur, own = minimax_curvatures(game)
    return bool(np.abs(own).min() >= 0.05 and np.abs(schur).min() > 0.02)


@jin.says(
    'Jin et al. 2020, abstract: "all stable limit points of GDA are exactly local minimax points up to some degenerate '
    'points"; the theorem on gamma-GDA; Fiez & Ratliff 2020, theorem 1'
)
@formula(r"\limsup_{\tau\to\infty} \text{stable} \iff -f_{yy} \succ 0,\ f_{xx} - f_{xy}f_{yy}^{-1}f_{yx} \succ 0")
@drawn(40, game=st.booleans().flatmap(lambda bent: strategies.zero_sum_quadratics(concave=bent, sizes=(1, 2, 3))))
@where(_regular)
@fails(
    "equal time scales: the point attracts, and is no local minimax point",
    lambda: {"game": games.quadratic(3, 2, -1), "ratios": (1.0,)},
)
@fails(
    "equal time scales: a repelling local minimax point", lambda: {"game": games.quadratic(-3, 2, 1), "ratios": (1.0,)}
)
def limits_are_local_minimax(game: Game, ratios: tuple[float, ...] = (1e5, 1e6)) -> Evidence:
    """As the time scales separate (tau to infinity), the points with invertible f_yy and Schur complement that attract
    gradient descent-ascent are exactly the strict local minimax points.
    """
    found = analysis.classify(game)
    rightmost = [sped_up_abscissa(game, tau) for tau in ratios]
    agrees = all((value < 0) == bool(found.stackelberg) for value in rightmost)
    return Evidence(agrees, f"spectral abscissa {rightmost[0]:.6g} and {rightmost[-1]:.6g}; {found.minimax}")
