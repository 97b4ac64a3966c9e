"""Claims of Sidheekh, Aimen, Madan & Krishnan 2021, "On duality gap as a measure for monitoring GAN training"."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from .. import analysis, games
from ..games.quadratic import quadratic
from ..types import Game
from .declare import Evidence, Paper, certified, drawn, fails, formula

sidheekh = Paper("sidheekh_2021")
BOX = [(-20.0, 20.0), (-20.0, 20.0)]
CANDIDATES = ((-12.5, -8.7), (-11.4, 8.0), (12.4, -6.4))


@sidheekh.sharpened("Sidheekh et al. 2021, section 4 (perturbed duality gap) and the toy of section 5 at (0, 0)")
@formula(r"v(w) = 0 \Rightarrow \widehat{\mathrm{DG}}_k(w) = 0 < \widehat{\mathrm{DG}}_k(w + \varepsilon)")
@drawn(
    6,
    game=st.builds(games.exponential, st.just(-1))
    | st.builds(
        lambda a, b, c: quadratic(-a / 10, b / 10, c / 10), st.integers(8, 20), st.integers(-10, 10), st.integers(5, 20)
    ),
    seed=st.integers(0, 99),
)
@fails("a Nash equilibrium", lambda: {"game": quadratic(1, 0.5, 1), "seed": 0}, game=lambda: quadratic(-1, 0.5, 1))
def perturbation(game: Game, seed: int) -> Evidence:
    """At a critical point that is no Nash equilibrium, because a player's own cost bends down there, the gap estimated
    by gradient steps is zero and the one restarted from perturbed weights is not.
    """
    origin = np.zeros(game.dim)
    steps: dict[str, Any] = {"k": 200, "inner_lr": 0.05}
    plain = float(analysis.duality_gap(game, origin, "gradient", **steps).value)
    seen = float(analysis.duality_gap(game, origin, "perturbed", scale=0.01, rng=seed, **steps).value)
    return Evidence(plain == 0 and seen > 1e-3, f"plain {plain:.6g}, perturbed {seen:.6g}")


@sidheekh.derived('beside Sidheekh et al. 2021, section 5: three candidates for the point "A" of the figure of the toy')
@certified(r"f = e^{-(x^2+y^2)/100}\big((\tfrac{3}{10}x^2 + y)^2 + (x + \tfrac12 y^2)^2\big)")
@drawn(3, candidate=st.integers(0, 2))
@fails("the coordinates as they can be read off the figure", lambda: {"candidate": 0, "rounded": True})
def point_a(candidate: int, game: Game | None = None, rounded: bool = False) -> Evidence:
    """At local Nash equilibria of the toy function (x maximising) the perturbed duality gap vanishes, while the gap
    over |x|, |y| <= 20, enclosed by interval arithmetic, is above 100: it sees local equilibria only.

    The field, the perturbed estimate, and the certified gap over the box at the candidates for the paper's "A".
    """
    game = games.exponential(-1) if game is None else game
    w = np.array(CANDIDATES[candidate])
    for _ in range(0 if rounded else 30):
        w = w - np.linalg.solve(game.jacobian(w), game.field(w))
    still = float(np.linalg.norm(game.field(w)))
    curvature = np.diag(game.jacobian(w)).min()
    seen = float(analysis.duality_gap(game, w, "perturbed", k=100, inner_lr=0.02, scale=0.01, rng=0).value)
    certain = float(analysis.duality_gap(game, w, "box", box=BOX, tolerance=1e-2).value)
    holds = still < 1e-9 and curvature > 0 and seen < 1e-2 and certain > 100
    return Evidence(holds, f"|v| {still:.3g}, curvature {curvature:.3g}, perturbed {seen:.3g}, certified {certain:.4g}")
