"""Claims of Jin, Netrapalli & Jordan 2020, "What is local optimality in nonconvex-nonconcave minimax optimization?"."""

from __future__ import annotations

from typing import Any

from .. import games
from ..types import Game
from .base import Claim, Evidence, How, Mutant, Origin, Outside, register

FAST = (1e5, 1e6)


def _limits(game: Game, ratios: tuple[float, ...] = FAST) -> Evidence:
    """The flow with player 2 sped up tau times attracts for every large tau exactly at strict local minimax points."""
    import numpy as np

    from ..analysis.nash.classification import classify

    j: Any = np.array(game.jacobian_expr.tolist(), dtype=float)
    y = game.slices[1]

    def abscissa(tau: float) -> float:
        scaled: Any = j.copy()
        scaled[y] *= tau
        return float(np.linalg.eigvals(-scaled).real.max())

    found = classify(game)
    rightmost = [abscissa(tau) for tau in ratios]
    agrees = all((value < 0) == bool(found.stackelberg) for value in rightmost)
    return Evidence(agrees, f"spectral abscissa {rightmost[0]:.6g} and {rightmost[-1]:.6g}; {found.minimax}")


def _games() -> Any:
    from hypothesis import strategies as st

    from . import strategies

    drawn = st.one_of(strategies.zero_sum_quadratics(), strategies.zero_sum_quadratics(concave=True))
    return st.fixed_dictionaries({"game": drawn})


def _regular(game: Any) -> bool:
    """f_yy and the Schur complement are invertible, by a margin that tau = 1e5 resolves."""
    import numpy as np

    x, y = game.slices
    j = np.array(game.jacobian_expr.tolist(), dtype=float)
    own = np.linalg.eigvalsh(j[y, y])
    if np.abs(own).min() < 0.05:
        return False
    schur = np.linalg.eigvalsh(j[x, x] - j[x, y] @ np.linalg.solve(j[y, y], j[y, x]))
    return bool(np.abs(schur).min() > 0.02)


register(
    Claim(
        name="jin_2020.limits_are_local_minimax",
        statement=(
            "As the time scales separate (tau to infinity), the points with invertible f_yy and Schur complement that "
            "attract gradient descent-ascent are exactly the strict local minimax points."
        ),
        latex=r"\limsup_{\tau\to\infty} \text{stable} \iff -f_{yy} \succ 0,\ f_{xx} - f_{xy}f_{yy}^{-1}f_{yx} \succ 0",
        source="Jin et al. 2020, the theorem on limit points of gamma-GDA; Fiez & Ratliff 2020, theorem 1",
        how=How.PROPERTY,
        origin=Origin.PAPER,
        conclusion=_limits,
        hypotheses=_games,
        where=_regular,
        outside=(
            Outside(
                "equal time scales: the point attracts, and is no local minimax point",
                lambda: {"game": games.quadratic(3, 2, -1), "ratios": (1.0,)},
            ),
            Outside(
                "equal time scales: a local minimax point that repels",
                lambda: {"game": games.quadratic(-3, 2, 1), "ratios": (1.0,)},
            ),
        ),
        mutants=(Mutant("games/quadratic.py", "- (vy.T * mc * vy)[0] / 2", "+ (vy.T * mc * vy)[0] / 2"),),
        draws=40,
    )
)
