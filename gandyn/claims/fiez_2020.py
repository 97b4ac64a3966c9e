"""Claims of Fiez & Ratliff 2020, "Gradient descent-ascent provably converges to strict local minmax equilibria"."""

from __future__ import annotations

from typing import Any

from .. import games
from .base import Claim, Evidence, How, Mutant, Origin, Outside, register
from .evidence import all_of, attracting


def _example(tau: Any = None) -> Evidence:
    import sympy

    from ..analysis.parameters.stability import stability_region
    from ..analysis.parameters.time_scale import critical_time_scale

    if tau is not None:
        return attracting(games.tau_gda(4, tau=tau))
    free = sympy.Symbol("tau", positive=True)
    region = stability_region(games.tau_gda(4, v="v", tau=free), None, ("v", "tau"))
    critical = critical_time_scale(games.tau_gda(4))
    return all_of(
        Evidence(region.conditions == (sympy.Gt(free - 2, 0),), f"attracts exactly where {region.conditions}"),
        Evidence(critical == 2, f"tau* = {critical}"),
    )


register(
    Claim(
        name="fiez_2020.four_dimensions",
        statement=(
            "The flow of the four-dimensional quadratic example, with player y moving tau times as fast as player x, "
            "is attracted to its strict local minimax point exactly when tau > 2, for every scale v > 0."
        ),
        latex=r"\tau^* = 2:\quad \mathrm{tr} = v(\tau/2 - 1) > 0 \iff \tau > 2",
        source="Fiez & Ratliff 2020, section 5 (the quadratic example with tau* = 2)",
        how=How.PROVED,
        origin=Origin.PAPER,
        conclusion=_example,
        outside=(
            Outside("tau = 2: imaginary eigenvalues", lambda: {"tau": 2}),
            Outside("tau = 1: gradient descent-ascent", lambda: {"tau": 1}),
        ),
        mutants=(Mutant("games/timescale.py", "- y1**2 / 4)", "- y1**2 / 3)"),),
    )
)


def _finite(game: Any) -> Evidence:
    """tau* is finite, the flow attracts beyond it and not below; in one dimension each, tau* = max(0, -a / c)."""
    import numpy as np
    import sympy

    from ..analysis.parameters.time_scale import critical_time_scale

    critical = critical_time_scale(game)
    if critical is sympy.oo:
        return Evidence(False, "no range of large tau attracts")
    _, y = game.slices
    j = np.array(game.jacobian_expr.tolist(), dtype=float)

    def abscissa(tau: float) -> float:
        scaled = j.copy()
        scaled[y] *= tau
        return float(np.linalg.eigvals(-scaled).real.max())

    edge = float(critical)
    beyond = max(abscissa(edge * factor + 1e-3) for factor in (1.001, 2, 10, 1000))
    known = edge if game.dim > 2 else max(0.0, float(-j[0, 0] / j[1, 1]))
    return all_of(
        Evidence(beyond < 0, f"tau* = {edge:.8g}, spectral abscissa beyond it at most {beyond:.3g}"),
        Evidence(abs(known - edge) <= 1e-12 * (1 + edge), f"closed form {known:.8g}"),
        Evidence(edge == 0 or abscissa(0.999 * edge) > 0, "it repels just below"),
    )


def _quadratics() -> Any:
    from hypothesis import strategies as st

    from . import strategies

    return st.fixed_dictionaries({"game": strategies.zero_sum_quadratics(concave=True)})


def _schur_positive(game: Any) -> bool:
    j = game.jacobian_expr
    n = game.slices[0].stop
    schur = j[:n, :n] - j[:n, n:] * j[n:, n:].LUsolve(j[n:, :n])
    return bool(schur.is_positive_definite)


register(
    Claim(
        name="fiez_2020.finite_time_scale",
        statement=(
            "At a strict local minimax point (player 2 strictly concave, Schur complement positive definite) there is "
            "a finite tau* such that the flow with player 2 sped up by any tau > tau* is attracted."
        ),
        latex=r"-f_{yy} \succ 0,\ f_{xx} - f_{xy}f_{yy}^{-1}f_{yx} \succ 0 \iff \exists\,\tau^* < \infty",
        source="Fiez & Ratliff 2020, theorem 1 (the guard map)",
        how=How.PROPERTY,
        origin=Origin.PAPER,
        conclusion=_finite,
        hypotheses=_quadratics,
        where=_schur_positive,
        outside=(
            Outside(
                "player 2 stands at a minimum of what it maximises",
                lambda: {"game": games.quadratic(6, 2, -1)},
                restore=lambda: {"game": games.quadratic(6, 2, 1)},
            ),
            Outside(
                "the Schur complement is negative",
                lambda: {"game": games.quadratic(-3, 1, 1)},
                restore=lambda: {"game": games.quadratic(-3, 2, 1)},
            ),
        ),
        mutants=(
            Mutant(
                "analysis/parameters/time_scale.py",
                "tau if block.start <= k < block.stop else 1",
                "1 if block.start <= k < block.stop else tau",
            ),
        ),
        draws=15,
    )
)
