"""Claims of Wang, Zhang & Ba 2019, "On solving minimax optimization locally: a follow-the-ridge approach"."""

from __future__ import annotations

import functools
from typing import Any

from .. import games, rules
from ..types import Game
from .base import Claim, Evidence, How, Mutant, Origin, Outside, register
from .evidence import same_spectrum

STEPS = 300  # the figure has 1000: whatever arrives has arrived by then


def _curvatures(game: Any) -> Any:
    """Eigenvalues of the Schur complement f_xx - f_xy f_yy^-1 f_yx and of -f_yy."""
    import numpy as np

    x, y = game.slices
    j = np.array(game.jacobian_expr.tolist(), dtype=float)
    schur = j[x, x] - j[x, y] @ np.linalg.solve(j[y, y], j[y, x])
    return np.linalg.eigvalsh(schur), np.linalg.eigvalsh(j[y, y])


def _spectrum(game: Game, step: float, rule: Any = rules.FollowTheRidge) -> Evidence:
    import numpy as np

    from ..analysis.local.linearize import linearize

    matrix = np.asarray(linearize(game, rule(step)).matrix, dtype=float)
    found = np.linalg.eigvals(matrix)
    return same_spectrum(found, 1 - step * np.concatenate(_curvatures(game)), 1e-6)


def _quadratics(**more: Any) -> Any:
    from hypothesis import strategies as st

    from . import strategies

    return st.fixed_dictionaries({"game": strategies.zero_sum_quadratics(), **more})


def _steps() -> Any:
    from . import strategies

    return _quadratics(step=strategies.steps(0.3, 0.01))


def _clear(game: Any, **_: Any) -> bool:
    """No curvature close to zero, so that float eigenvalues decide."""
    import numpy as np

    y = game.slices[1]
    j = np.array(game.jacobian_expr.tolist(), dtype=float)
    if np.abs(np.linalg.eigvalsh(j[y, y])).min() < 0.05:
        return False
    values = np.abs(np.concatenate(_curvatures(game)))
    return bool(values.min() > 1e-3 and values.max() < 50)


register(
    Claim(
        name="wang_2019.real_spectrum",
        statement=(
            "At a critical point of a zero-sum game with invertible f_yy the follow-the-ridge step has the eigenvalues "
            "1 - eta mu, mu those of the Schur complement and of -f_yy: all real, so that nothing rotates."
        ),
        latex=r"\{1 - \eta\mu : \mu \in \mathrm{spec}(f_{xx}-f_{xy}f_{yy}^{-1}f_{yx}) \cup \mathrm{spec}(-f_{yy})\}",
        source="Wang et al. 2019, theorem 1 and its proof",
        how=How.PROPERTY,
        origin=Origin.PAPER,
        conclusion=_spectrum,
        hypotheses=_steps,
        where=_clear,
        outside=(
            Outside(
                "without the correction: gradient descent-ascent",
                lambda: {"game": games.quadratic(1, 2, 1), "step": 0.1, "rule": rules.SimultaneousGD},
            ),
        ),
        mutants=(Mutant("rules/follow_the_ridge.py", "w - lr * v + ridge", "w - lr * v - ridge"),),
        draws=25,
    )
)


def _exactly_minimax(game: Game, rule: Any = rules.FollowTheRidge) -> Evidence:
    """With a step below 1 / the largest curvature the point attracts exactly if it is a strict local minimax point."""
    import numpy as np

    from ..analysis.local.linearize import linearize
    from ..analysis.nash.classification import classify

    step = 0.5 / float(np.abs(np.concatenate(_curvatures(game))).max())
    matrix = np.asarray(linearize(game, rule(step)).matrix, dtype=float)
    modulus = float(np.abs(np.linalg.eigvals(matrix)).max())
    found = classify(game)
    return Evidence((modulus < 1) == bool(found.stackelberg), f"spectral radius {modulus:.8g}; {found.minimax}")


register(
    Claim(
        name="wang_2019.only_local_minimax",
        statement=(
            "For small steps the critical points (with invertible f_yy and Schur complement) that attract "
            "follow-the-ridge are exactly the strict local minimax points."
        ),
        latex=r"\rho < 1 \iff -f_{yy} \succ 0 \ \text{ and } \ f_{xx} - f_{xy}f_{yy}^{-1}f_{yx} \succ 0",
        source="Wang et al. 2019, theorem 1",
        how=How.PROPERTY,
        origin=Origin.PAPER,
        conclusion=_exactly_minimax,
        hypotheses=_quadratics,
        where=_clear,
        outside=(
            Outside(
                "gradient descent-ascent goes to a point that is none",
                lambda: {"game": games.follow_the_ridge(2), "rule": rules.SimultaneousGD},
            ),
            Outside(
                "gradient descent-ascent leaves one",
                lambda: {"game": games.follow_the_ridge(1), "rule": rules.SimultaneousGD},
            ),
        ),
        mutants=(Mutant("rules/follow_the_ridge.py", "w - lr * v + ridge", "w - lr * v - ridge"),),
        draws=80,
    )
)


@functools.cache
def _ends(function: int, rule: Any) -> float:
    """Distance from the origin after STEPS steps of 0.05 from the published start."""
    import numpy as np

    from ..dynamics.iterate import iterate

    game: Any = games.follow_the_ridge(function)
    run = iterate(game, rule(0.05), game.facts.starts[0], STEPS, record="last")
    end = np.asarray(run.w, dtype=float)
    return float(np.linalg.norm(end)) if np.isfinite(end).all() else float("inf")


def _figure(ridge: Any = rules.FollowTheRidge) -> Evidence:
    if _ends(1, ridge) >= 1e-6:
        return Evidence(False, f"function 1 ends {_ends(1, ridge):.2g} from the origin")
    found = [_ends(k, ridge) for k in (1, 2, 3)]
    plain = [_ends(k, rules.SimultaneousGD) for k in (1, 2, 3)]
    text = f"ridge ends {', '.join(f'{d:.2g}' for d in found)} from 0, GDA {', '.join(f'{d:.2g}' for d in plain)}"
    arrived = [d < 1e-6 for d in found] == [True, False, True]
    return Evidence(arrived and [d < 1e-6 for d in plain] == [False, True, False], text)


register(
    Claim(
        name="wang_2019.three_functions",
        statement=(
            "From the published starts, within 300 steps of 0.05, follow-the-ridge reaches the local minimax points of "
            "functions 1 and 3 and leaves the origin of function 2, which is none; gradient descent-ascent does the "
            "opposite on all three."
        ),
        latex=(
            r"-3x^2 - y^2 + 4xy, \quad 3x^2 + y^2 + 4xy, \quad "
            r"(4x^2 - (y-3x+\tfrac{x^3}{20})^2 - \tfrac{y^4}{10})e^{-r^2/100}"
        ),
        source="Wang et al. 2019, section 6 and its figure of three two-dimensional functions",
        how=How.REPRODUCED,
        origin=Origin.PAPER,
        conclusion=_figure,
        outside=(Outside("extragradient in the place of follow-the-ridge", lambda: {"ridge": rules.Extragradient}),),
        mutants=(Mutant("rules/follow_the_ridge.py", "w - lr * v + ridge", "w - lr * v - ridge"),),
    )
)
