"""Claims of Letcher, Foerster, Balduzzi, Rocktaeschel & Whiteson 2019, "Stable opponent shaping"."""

from __future__ import annotations

from typing import Any

from .. import games, rules
from ..types import Game
from .base import Claim, Evidence, How, Mutant, Origin, Outside, register
from .evidence import all_of, same_expressions, same_numbers


def _moved(rule: Any = rules.LOLA) -> Evidence:
    """The fixed points of LOLA in the tandem game are x + y = (1 - 2 e)/(1 - 4 e), not x + y = 1."""
    import sympy

    from ..dynamics.trace import update_map

    e = sympy.Symbol("e", positive=True)
    game = games.tandem()
    x, y = game.symbols
    move = sympy.Matrix(update_map(game, rule("lr", "e")).expression) - sympy.Matrix([x, y])
    line = (1 - 2 * e) / (1 - 4 * e)
    cost = sympy.factor(game.exprs[0].subs({x: line / 2, y: line / 2}))
    return all_of(
        same_expressions(move.subs(y, line - x).applyfunc(sympy.simplify), sympy.zeros(2, 1)),
        same_expressions(cost, line * (line - 1)),
        Evidence(move.subs(y, 1 - x).applyfunc(sympy.simplify) != sympy.zeros(2, 1), "x + y = 1 is left"),
    )


register(
    Claim(
        name="letcher_2019.lola_moves_fixed_points",
        statement=(
            "In the tandem game LOLA, whose players expect steps e < 1/4 of each other, does not rest where gradient "
            "descent does, at x + y = 1, but at x + y = (1 - 2e)/(1 - 4e) > 1, where both pay more."
        ),
        latex=r"x + y = \frac{1-2e}{1-4e} > 1,\qquad f_i = s(s-1) > 0 \text{ at } x = y = s/2",
        source="Letcher et al. 2019, section 4.1 (the tandem game); the line derived here",
        how=How.PROVED,
        origin=Origin.SHARPENED,
        conclusion=_moved,
        outside=(
            Outside("without the shaping term: lookahead keeps x + y = 1", lambda: {"rule": rules.OpponentLookahead}),
        ),
        mutants=(
            Mutant(
                "rules/shaping.py", "self._answer(game, w, v, batch) - chi", "self._answer(game, w, v, batch) + chi"
            ),
        ),
    )
)


def _linear_part(game: Game, step: Any, rule: Any = rules.StableOpponentShaping) -> Evidence:
    """I - lr (I - lr J_o) J at a zero of the field, J_o without the diagonal blocks."""
    import numpy as np

    from ..analysis.local.linearize import linearize

    matrix = np.asarray(linearize(game, rule(step)).matrix, dtype=float)
    j = game.jacobian(np.zeros(game.dim))
    own = np.zeros_like(j)
    for block in game.slices:
        own[block, block] = j[block, block]
    unit = np.eye(game.dim)
    return same_numbers(matrix, unit - step * (unit - step * (j - own)) @ j, 1e-12)


def _any_game() -> Any:
    from hypothesis import strategies as st

    from . import strategies

    drawn = strategies.mixed(sizes=((1, 1), (2, 1), (1, 1, 1)))
    return st.fixed_dictionaries({"game": drawn, "step": strategies.tenths(0.1, 0.9)})


register(
    Claim(
        name="letcher_2019.sos_keeps_fixed_points",
        statement=(
            "Stable opponent shaping keeps every zero of the field, and has the linear part of lookahead there: the "
            "shaping fades like |v|^2."
        ),
        latex=r"D = I - \eta(I - \eta J_o)J,\qquad p = O(|v|^2)",
        source="Letcher et al. 2019, section 4 (SOS preserves fixed points; its local dynamics)",
        how=How.PROPERTY,
        origin=Origin.SHARPENED,
        conclusion=_linear_part,
        hypotheses=_any_game,
        outside=(
            Outside(
                "shaping in full: LOLA",
                lambda: {"game": games.bilinear(), "step": 0.5, "rule": rules.LOLA},
            ),
        ),
        mutants=(Mutant("rules/shaping.py", "return v - game.coupling(", "return v + game.coupling("),),
        draws=20,
    )
)


def _attracts(game: Game, rule: Any = rules.OpponentLookahead) -> Evidence:
    """At a step of 1/10 of 1 / |J|, and at a quarter of it."""
    import numpy as np

    from ..analysis.local.linearize import linearize

    step = 0.1 / float(np.linalg.norm(game.jacobian(np.zeros(game.dim)), 2))
    moduli = [float(np.abs(np.linalg.eigvals(linearize(game, rule(h)).matrix)).max()) for h in (step, step / 4)]
    return Evidence(max(moduli) < 1, f"spectral radii {moduli[0]:.10g} and {moduli[1]:.10g}")


def _stable_game() -> Any:
    from hypothesis import strategies as st

    from . import strategies

    return st.fixed_dictionaries({"game": st.one_of(strategies.bilinear(1), strategies.mixed("positive"))})


def _invertible(game: Game) -> bool:
    import numpy as np

    sizes = np.linalg.svd(game.jacobian(np.zeros(game.dim)), compute_uv=False)
    return bool(sizes[-1] > 0.01 * sizes[0])


register(
    Claim(
        name="letcher_2019.lookahead_converges",
        statement=(
            "Where S is positive semidefinite and J invertible (a stable fixed point, bilinear games included), the "
            "lookahead rule converges locally for all small enough steps."
        ),
        latex=r"S \succeq 0,\ \det J \ne 0 \Rightarrow \rho(I - \eta(I-\eta J_o)J) < 1 \text{ for small } \eta",
        source="Letcher et al. 2019, the theorem on local convergence of lookahead to stable fixed points",
        how=How.PROPERTY,
        origin=Origin.PAPER,
        conclusion=_attracts,
        hypotheses=_stable_game,
        where=_invertible,
        outside=(
            Outside(
                "S is indefinite: a fixed point that repels",
                lambda: {"game": games.quadratic(-1, 0, 1)},
                restore=lambda: {"game": games.quadratic(1, 0, 1)},
            ),
            Outside(
                "gradient steps, which look at nobody, on a bilinear game",
                lambda: {"game": games.bilinear(), "rule": rules.SimultaneousGD},
            ),
        ),
        mutants=(Mutant("rules/shaping.py", "return v - game.coupling(", "return v + game.coupling("),),
        draws=15,
    )
)
