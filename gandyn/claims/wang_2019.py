"""Claims of Wang, Zhang & Ba 2019, "On solving minimax optimization locally: a follow-the-ridge approach"."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import analysis, games, rules
from ..dynamics.iterate import iterate
from ..types import Game, Rule
from . import strategies
from .declare import Evidence, Paper, drawn, fails, formula, reproduced, where
from .evidence import map_matrix, minimax_curvatures, radius, same_spectrum

wang = Paper("wang_2019")
STEPS = 300  # the figure has 1000: whatever arrives has arrived by then


def _clear(game: Game, **_: object) -> bool:
    """No curvature close to zero, so that float eigenvalues decide."""
    schur, own = map(np.abs, minimax_curvatures(game))
    return bool(own.min() >= 0.05 and schur.min() > 1e-3 and max(own.max(), schur.max()) < 50)


@wang.says("Wang et al. 2019, theorem 1 and its proof")
@formula(r"\{1 - \eta\mu : \mu \in \mathrm{spec}(f_{xx}-f_{xy}f_{yy}^{-1}f_{yx}) \cup \mathrm{spec}(-f_{yy})\}")
@drawn(25, game=strategies.zero_sum_quadratics(), step=strategies.steps(0.3, 0.01))
@where(_clear)
@fails(
    "without the correction: gradient descent-ascent",
    lambda: {"game": games.quadratic(1, 2, 1), "step": 0.1, "rule": rules.SimultaneousGD},
)
def real_spectrum(game: Game, step: float, rule: Callable[..., Rule] = rules.FollowTheRidge) -> Evidence:
    """At a critical point of a zero-sum game with invertible f_yy the follow-the-ridge step has the eigenvalues 1 - eta
    mu, mu those of the Schur complement and of -f_yy: all real, so that nothing rotates.
    """
    found = np.linalg.eigvals(map_matrix(game, rule(step)))
    return same_spectrum(found, 1 - step * np.concatenate(minimax_curvatures(game)), 1e-6)


@wang.says("Wang et al. 2019, theorem 1")
@formula(r"\rho < 1 \iff -f_{yy} \succ 0 \ \text{ and } \ f_{xx} - f_{xy}f_{yy}^{-1}f_{yx} \succ 0")
@drawn(80, game=strategies.zero_sum_quadratics())
@where(_clear)
@fails(
    "gradient descent-ascent goes to a point that is none",
    lambda: {"game": games.follow_the_ridge(2), "rule": rules.SimultaneousGD},
)
@fails("gradient descent-ascent leaves one", lambda: {"game": games.follow_the_ridge(1), "rule": rules.SimultaneousGD})
def only_local_minimax(game: Game, rule: Callable[..., Rule] = rules.FollowTheRidge) -> Evidence:
    """For small steps the critical points (with invertible f_yy and Schur complement) that attract follow-the-ridge are
    exactly the strict local minimax points.
    """
    step = 0.5 / float(np.abs(np.concatenate(minimax_curvatures(game))).max())
    modulus = radius(game, rule(step))
    found = analysis.classify(game)
    return Evidence((modulus < 1) == bool(found.stackelberg), f"spectral radius {modulus:.8g}; {found.minimax}")


@functools.cache
def _ends(function: int, rule: Any) -> float:
    """Distance from the origin after STEPS steps of 0.05 from the published start."""
    game: Any = games.follow_the_ridge(function)
    run = iterate(game, rule(0.05), game.facts.starts[0], STEPS, record="last")
    end = np.asarray(run.w, dtype=float)
    return float(np.linalg.norm(end)) if np.isfinite(end).all() else float("inf")


@wang.says("Wang et al. 2019, section 6 and its figure of three two-dimensional functions")
@reproduced(
    r"-3x^2 - y^2 + 4xy, \quad 3x^2 + y^2 + 4xy, \quad (4x^2 - (y-3x+\tfrac{x^3}{20})^2 - "
    r"\tfrac{y^4}{10})e^{-r^2/100}"
)
@fails("extragradient in the place of follow-the-ridge", lambda: {"ridge": rules.Extragradient})
def three_functions(ridge: object = rules.FollowTheRidge) -> Evidence:
    """From the published starts, within 300 steps of 0.05, follow-the-ridge reaches the local minimax points of
    functions 1 and 3 and leaves the origin of function 2, which is none; gradient descent-ascent does the opposite on
    all three.
    """
    if _ends(1, ridge) >= 1e-6:
        return Evidence(False, f"function 1 ends {_ends(1, ridge):.2g} from the origin")
    found = [_ends(k, ridge) for k in (1, 2, 3)]
    plain = [_ends(k, rules.SimultaneousGD) for k in (1, 2, 3)]
    text = f"ridge ends {', '.join(f'{d:.2g}' for d in found)} from 0, GDA {', '.join(f'{d:.2g}' for d in plain)}"
    arrived = [d < 1e-6 for d in found] == [True, False, True]
    return Evidence(arrived and [d < 1e-6 for d in plain] == [False, True, False], text)
