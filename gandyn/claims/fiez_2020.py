"""Claims of Fiez & Ratliff 2020, "Gradient descent-ascent provably converges to strict local minmax equilibria"."""

from __future__ import annotations

from .. import analysis, games
from ..lazy import sympy
from ..types import Game, Parameter
from . import strategies
from .declare import Evidence, Paper, drawn, fails, formula, proved, where
from .evidence import all_of, attracting, jacobian, sped_up_abscissa

fiez = Paper("fiez_2020")


@fiez.says("Fiez & Ratliff 2020, section 5 (the quadratic example with tau* = 2)")
@proved(r"\tau^* = 2:\quad \mathrm{tr} = v(\tau/2 - 1) > 0 \iff \tau > 2")
@fails("tau = 2: imaginary eigenvalues", lambda: {"tau": 2})
@fails("tau = 1: gradient descent-ascent", lambda: {"tau": 1})
def four_dimensions(tau: Parameter = None) -> Evidence:
    """The flow of the four-dimensional quadratic example, with player y moving tau times as fast as player x, is
    attracted to its strict local minimax point exactly when tau > 2, for every scale v > 0.
    """
    if tau is not None:
        return attracting(games.tau_gda(4, tau=tau))
    free = sympy.Symbol("tau", positive=True)
    region = analysis.stability_region(games.tau_gda(4, v="v", tau=free), None, ("v", "tau"))
    critical = analysis.critical_time_scale(games.tau_gda(4))
    return all_of(
        Evidence(region.conditions == (sympy.Gt(free - 2, 0),), f"attracts exactly where {region.conditions}"),
        Evidence(critical == 2, f"tau* = {critical}"),
    )


def _schur_positive(game: Game) -> bool:
    j = game.jacobian_expr
    n = game.slices[0].stop
    schur = j[:n, :n] - j[:n, n:] * j[n:, n:].LUsolve(j[n:, :n])
    return bool(schur.is_positive_definite)


@fiez.says("Fiez & Ratliff 2020, theorem 1 (the guard map)")
@formula(r"-f_{yy} \succ 0,\ f_{xx} - f_{xy}f_{yy}^{-1}f_{yx} \succ 0 \iff \exists\,\tau^* < \infty")
@drawn(15, game=strategies.zero_sum_quadratics(concave=True))
@where(_schur_positive)
@fails(
    "player 2 stands at a minimum of what it maximises",
    lambda: {"game": games.quadratic(6, 2, -1)},
    game=lambda: games.quadratic(6, 2, 1),
)
@fails(
    "the Schur complement is < 0", lambda: {"game": games.quadratic(-3, 1, 1)}, game=lambda: games.quadratic(-3, 2, 1)
)
def finite_time_scale(game: Game) -> Evidence:
    """At a strict local minimax point (player 2 strictly concave, Schur complement positive definite) there is a finite
    tau* such that the flow with player 2 sped up by any tau > tau* is attracted.
    """
    critical = analysis.critical_time_scale(game)
    if critical is sympy.oo:
        return Evidence(False, "no range of large tau attracts")
    j = jacobian(game)
    edge = float(critical)
    beyond = max(sped_up_abscissa(game, edge * factor + 1e-3) for factor in (1.001, 2, 10, 1000))
    known = edge if game.dim > 2 else max(0.0, float(-j[0, 0] / j[1, 1]))
    return all_of(
        Evidence(beyond < 0, f"tau* = {edge:.8g}, spectral abscissa beyond it at most {beyond:.3g}"),
        Evidence(abs(known - edge) <= 1e-12 * (1 + edge), f"closed form {known:.8g}"),
        Evidence(edge == 0 or sped_up_abscissa(game, 0.999 * edge) > 0, "it repels just below"),
    )
