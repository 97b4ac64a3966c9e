"""Claims of Kodali et al. 2017, "On convergence and stability of GANs" (DRAGAN): regret, averages, and the penalty."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from .. import analysis, games, rules
from ..lazy import sympy
from ..penalties import registry as penalties
from ..types import Array, Game
from . import strategies
from .declare import Evidence, Paper, drawn, fails, formula, proved
from .evidence import all_of, orbit, same_expressions, same_numbers

kodali = Paper("kodali_2017")


@kodali.says("Kodali et al. 2017, section 2 (no-regret dynamics; the classical argument of Freund & Schapire)")
@formula(r"\mathrm{DG}(\bar x, \bar y) \le \tfrac{1}{T}(R_x + R_y) \le \frac{D^2}{2hT} + \frac{hG^2}{2}")
@drawn(
    20,
    matrix=st.one_of(strategies.matrices(1, 1), strategies.matrices(2, 2), strategies.matrices(1, 2)).filter(
        lambda rows: any(map(any, rows))
    ),
    step=st.floats(0.02, 0.5),
    count=st.sampled_from([50, 400]),
)
@fails("the last point", lambda: {"matrix": ((1,),), "step": 0.1, "count": 400, "last": True})
def no_regret_averages(matrix: Array, step: float, count: int, last: bool = False) -> Evidence:
    """When both players of a convex-concave game (here bilinear in boxes) take projected gradient steps, the duality
    gap of the averaged points is at most the sum of the average regrets, itself at most D^2/(2 h T) + h G^2/2: averages
    approach an equilibrium even where the points circle.
    """
    game: Game = games.boxed_bilinear(matrix, (-1, 1), (-1, 1))
    m = np.array(matrix, dtype=float)
    start = np.linspace(0.5, 1, game.dim)
    run = orbit(game, rules.GDA(step), start, count)[:-1]
    if np.abs(run).max() > 1:
        return Evidence(False, "the steps leave the boxes")
    x, y = run[:, : m.shape[0]], run[:, m.shape[0] :]
    value = np.einsum("ti,ij,tj->t", x, m, y).mean()
    regrets = value + np.abs(m @ y.mean(0)).sum(), np.abs(x.mean(0) @ m).sum() - value
    point = run[-1] if last else run.mean(0)
    gap = float(np.abs(point[: len(m)] @ m).sum() + np.abs(m @ point[len(m) :]).sum())
    steepest = ((m @ np.sign(m).T).diagonal() ** 2).sum() + (np.abs(m).sum(0) ** 2).sum()
    bound = 4 * game.dim / (2 * step * count) + step * steepest / 2
    return all_of(
        same_numbers([float(analysis.duality_gap(game, point).value)], [gap], 1e-10),
        Evidence(bool(gap <= sum(regrets) + 1e-10), f"gap {gap:.4g}, mean regrets {regrets[0]:.4g}, {regrets[1]:.4g}"),
        Evidence(bool(sum(regrets) <= bound), f"regret bound {bound:.4g}"),
    )


@kodali.derived("Kodali et al. 2017, section 3 (the penalty), on the Dirac-GAN of Mescheder et al. 2018")
@proved(r"\lambda\,(|\varphi| - 1)^2")
@fails("target 0, where it is R1 with gamma = 2 lam", lambda: {"target": 0})
def dirac(target: object = 1) -> Evidence:
    """With the data at one point DRAGAN of weight lam is WGAN-GP of weight gamma = 2 lam, lam (|phi| - 1)^2 on the
    Dirac-GAN: the corner at phi = 0 leaves (0, 0) no equilibrium.
    """
    lam = sympy.Symbol("lam", positive=True)
    wasserstein = games.dirac_gan("wasserstein", penalty=penalties["DRAGAN"].build(lam, target))
    beside = games.dirac_gan("wasserstein", penalty=penalties["WGANGP"].build(2 * lam, target))
    theta, phi = wasserstein.symbols
    size = sympy.Symbol("size", positive=True)
    given = sympy.nsimplify(target)
    parts = []
    for side in (1, -1):
        own = wasserstein.exprs[1].subs(phi, side * size)
        twin = beside.exprs[1].subs(phi, side * size)
        expected = -theta * side * size + lam * (size - given) ** 2
        parts += [same_expressions(own, expected), same_expressions(own, twin)]
    return all_of(*parts, Evidence(not wasserstein.equilibria, f"equilibria {wasserstein.equilibria}"))
