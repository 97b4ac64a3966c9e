"""Claims of Mertikopoulos, Papadimitriou & Piliouras 2018 ("Cycles") and Mertikopoulos et al. 2019 ("Extra mile")."""

from __future__ import annotations

from typing import Any

from .. import games, rules
from ..types import Game
from .base import Claim, Evidence, How, Mutant, Origin, Outside, register
from .evidence import moduli, same_numbers


def _divergence_rate(costs: Any, x: float, y: float) -> Evidence:
    """d/dt of KL(x*||x) + KL(y*||y) = -sum of star_i dw_i/dt / w_i, at the equilibrium that the game itself knows."""
    import numpy as np

    game: Any = games.matrix_game(costs)
    star = np.array(game.equilibria[0], dtype=float)
    w = np.array([x, 1 - x, y, 1 - y])
    rate = float((star * game.replicator_field(w) / w).sum())
    return same_numbers(rate, 0, 1e-13)


def _interior() -> Any:
    """[[m + p, m - r], [m - s, m + q]]: fully mixed for positive p, q, r, s."""
    from hypothesis import strategies as st

    from . import strategies

    entries = st.tuples(strategies.tenths(-1, 1), *[strategies.tenths(0.1, 2)] * 4)
    costs = entries.map(lambda e: ((e[0] + e[1], e[0] - e[2]), (e[0] - e[3], e[0] + e[4])))
    return st.fixed_dictionaries({"costs": costs, "x": st.floats(0.05, 0.95), "y": st.floats(0.05, 0.95)})


register(
    Claim(
        name="mertikopoulos_2018.divergence_conserved",
        statement=(
            "In a zero-sum matrix game with an interior equilibrium (x*, y*) the replicator dynamics conserve "
            "KL(x*||x) + KL(y*||y): orbits neither approach the equilibrium nor leave it."
        ),
        latex=r"\tfrac{d}{dt}\big[\mathrm{KL}(x^*\|x_t) + \mathrm{KL}(y^*\|y_t)\big] = 0",
        source="Mertikopoulos, Papadimitriou & Piliouras 2018, the lemma below the theorem on Poincare recurrence",
        how=How.PROPERTY,
        origin=Origin.PAPER,
        conclusion=_divergence_rate,
        hypotheses=_interior,
        outside=(
            Outside(
                "a dominant strategy: the equilibrium is pure",
                lambda: {"costs": ((1, 2), (3, 5)), "x": 0.3, "y": 0.6},
                restore=lambda: {"costs": ((1, -1), (-1, 1))},
            ),
        ),
        mutants=(Mutant("games/matrix.py", "-y * (gains - mean)", "y * (gains - mean)"),),
        draws=25,
    )
)


def _returns(step: Any = None) -> Evidence:
    """Matching pennies from (0.7, 0.3), (0.5, 0.5): the small orbit's period is near 2 pi, the divergence conserved."""
    from ..analysis.long_run.recurrence import multiplicative_weights, recurrence

    game = games.matching_pennies()
    start, time = [0.7, 0.3, 0.5, 0.5], 60.0
    if step is None:
        found = recurrence(game, start, time, radius=0.01)
    else:
        found = recurrence(game, start, 600, radius=0.01, step=multiplicative_weights(game, step))
    spread = float(found.spread or 0.0)
    closest = float(found.closest.max()) if len(found.closest) else 1.0
    return Evidence(
        len(found.returns) >= 8 and spread < 1e-8 and closest < 1e-3,
        f"{len(found.returns)} returns, within {closest:.2g}; the divergence changes by {spread:.2g}",
    )


register(
    Claim(
        name="mertikopoulos_2018.recurrence",
        statement=(
            "In a zero-sum game with an interior equilibrium the replicator dynamics are Poincare recurrent; in "
            "matching pennies, where orbits are closed, they return to their start again and again."
        ),
        latex=r"\liminf_{t\to\infty} \|w_t - w_0\| = 0",
        source="Mertikopoulos, Papadimitriou & Piliouras 2018, the theorem on Poincare recurrence",
        how=How.REPRODUCED,
        origin=Origin.PAPER,
        conclusion=_returns,
        outside=(Outside("discrete time: multiplicative weights spiral out", lambda: {"step": 0.1}),),
        mutants=(Mutant("games/matrix.py", "-y * (gains - mean)", "-y * (gains - mean) * 0.9"),),
    )
)


def _fejer(game: Game, share: float, start: Any, rule: Any = rules.Extragradient) -> Evidence:
    """|w+ - w*|^2 <= |w - w*|^2 - (1 - eta^2 L^2) |w' - w|^2 with w' the look-ahead point, L the norm of J."""
    import numpy as np

    from ..dynamics.iterate import iterate

    step = share / moduli(game)[1]
    w = np.resize(np.array(start), game.dim)
    after = np.asarray(iterate(game, rule(step), w, 1).w)[-1]
    moved = step * game.field(w)
    bound = float(w @ w - (1 - share**2) * (moved @ moved))
    left = float(after @ after)
    return Evidence(bool(left <= bound + 1e-12 * float(w @ w)), f"|w+|^2 {left:.8g}, bound {bound:.8g}")


def _monotone() -> Any:
    from hypothesis import strategies as st

    from . import strategies

    monotone = strategies.strongly_monotone(nonlinear=None)
    drawn = st.one_of(
        strategies.bilinear(condition=1e3), monotone, strategies.mixed("positive", sizes=((1, 1), (3, 2)))
    )
    coordinates = st.tuples(*[st.floats(-2, 2).filter(lambda c: abs(c) > 1e-3)] * 8)
    return st.fixed_dictionaries({"game": drawn, "share": st.floats(0.05, 0.99), "start": coordinates})


register(
    Claim(
        name="mertikopoulos_2018.extra_gradient_mile",
        statement=(
            "In monotone games (null-coherent ones such as bilinear games included) each extragradient step of size "
            "eta < 1/L comes nearer to every solution: in the Euclidean geometry the squared distance falls by at "
            "least (1 - eta^2 L^2) |w' - w|^2."
        ),
        latex=r"\|w^+ - w^*\|^2 \le \|w - w^*\|^2 - (1 - \eta^2L^2)\,\|w' - w\|^2",
        source="Mertikopoulos et al. 2019 (going the extra (gradient) mile), the theorem on optimistic mirror descent",
        how=How.PROPERTY,
        origin=Origin.PAPER,
        conclusion=_fejer,
        hypotheses=_monotone,
        outside=(
            Outside(
                "without the extra step: mirror descent leaves bilinear games",
                lambda: {
                    "game": games.bilinear(),
                    "share": 0.5,
                    "start": (1.0, 0.5, 0, 0),
                    "rule": rules.SimultaneousGD,
                },
            ),
            Outside(
                "the field is not monotone",
                lambda: {"game": games.quadratic(-1, 1, 0), "share": 0.5, "start": (1.0, 0.0)},
                restore=lambda: {"game": games.bilinear()},
            ),
        ),
        mutants=(Mutant("rules/extragradient.py", "game.project(w - ahead * v)", "game.project(w + ahead * v)"),),
        draws=30,
    )
)
