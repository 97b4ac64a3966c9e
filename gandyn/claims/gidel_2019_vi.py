"""Claims of Gidel, Berard, Vignoud, Vincent & Lacoste-Julien 2019, "A variational inequality perspective on GANs"."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from .. import games, rules
from ..lazy import sympy
from ..types import Game, Parameter, Rule
from . import strategies
from .declare import Evidence, Paper, drawn, fails, formula, proved, where
from .evidence import all_of, bilinear_modes, critical_step, map_matrix, orbit, same_numbers, singular_values

gidel = Paper("gidel_2019_vi")

ROUNDS = 200


@gidel.sharpened("Gidel et al. 2019, section 3 (extrapolation on the bilinear game); the exact modulus derived here")
@proved(r"\lambda = 1 - i s - s^2, \qquad |\lambda|^2 = 1 - s^2 + s^4 < 1 \iff s < 1")
@fails("the look-ahead is half the step: |lambda|^2 = 1 + s^4/4, it never converges", lambda: {"ahead": 2})
def extragradient(ahead: int = 1) -> Evidence:
    """On bilinear games with a nonsingular matrix extragradient with two equal steps converges exactly when eta
    sigma_max < 1; each singular direction shrinks by sqrt(1 - s^2 + s^4), s = eta sigma.
    """
    lr = sympy.Symbol("lr", positive=True)
    rule = rules.Extragradient("lr", None if ahead == 1 else lr / ahead)
    return all_of(
        bilinear_modes(rule, lambda z, sigma: z - (1 - sympy.I * lr * sigma - lr**2 * sigma**2)),
        critical_step(games.bilinear(3), rule, sympy.Rational(1, 3)),
    )


def _bounded(game: Game, inner: Any) -> bool:
    return bool(inner.lr * singular_values(game)[0] < 1.9 and inner.lr * singular_values(game)[-1] > 0.02)


@gidel.says("Gidel et al. 2019, section 3 (averaging on the bilinear game)")
@formula(r"\Big\|\tfrac1t\sum_{k\le t} w_k\Big\| = \tfrac1t\,\|(I-M)^{-1}M(I-M^t)w_0\| \le \tfrac{C}{t}")
@drawn(20, game=strategies.bilinear(), inner=strategies.steps(0.45, 0.05).map(rules.AlternatingGD))
@where(_bounded)
@fails(
    "the steps are simultaneous: they leave, and their averages with them",
    lambda: {"game": games.bilinear(), "inner": rules.SimultaneousGD(0.2)},
    inner=rules.AlternatingGD(0.2),
)
def averaging(game: Game, inner: Rule) -> Evidence:
    """On bilinear games with a nonsingular matrix alternating gradient steps with eta sigma_max < 2 circle, and the
    uniform average of their iterates converges to the equilibrium like 1/t.

    t times the average of w_1, ..., w_t is (I - M)^-1 M (I - M^t) w_0, which stays bounded while M's orbits do.
    """
    start = np.linspace(1.0, 2.0, game.dim)
    averages = orbit(game, rules.Averaging(inner), start, ROUNDS)
    matrix = map_matrix(game, inner)
    unit = np.eye(game.dim)
    ahead = np.linalg.solve(unit - matrix, matrix)
    powers = [np.linalg.matrix_power(matrix, t) for t in (ROUNDS // 2, ROUNDS)]
    expected = np.array([ahead @ (unit - power) @ start for power in powers])
    scaled = np.array([t * averages[t] for t in (ROUNDS // 2, ROUNDS)])
    values, vectors = np.linalg.eig(matrix)
    bound = np.linalg.norm(ahead, 2) * (1 + np.linalg.cond(vectors)) * np.linalg.norm(start)
    largest = max(t * float(np.linalg.norm(averages[t])) for t in range(1, ROUNDS + 1))
    return all_of(
        same_numbers(scaled, expected, 1e-9),
        Evidence(
            bool(np.abs(values).max() < 1 + 1e-9 and largest <= bound),
            f"t |average| at most {largest:.4g} in {ROUNDS} rounds, bound {bound:.4g}",
        ),
    )


@gidel.says("Gidel et al. 2019, section 3.3 (extrapolation from the past) and its remark on optimism")
@formula(r"w'_{t+1} = w'_t - 2\eta v(w'_t) + \eta v(w'_{t-1}), \qquad w_t = w_{t-1} - \eta v(w'_t)")
@drawn(
    20,
    game=st.one_of(strategies.bilinear(), strategies.strongly_monotone(), st.builds(games.forsaken)),
    step=strategies.steps(0.2),
)
@fails(
    "player y is kept in [-1, 1] by projection",
    lambda: {"game": games.boxed_bilinear(), "step": 0.5, "start": (2.0, 0.5)},
    game=games.bilinear,
)
def extrapolation_from_the_past(game: Game, step: Parameter, start: object = None) -> Evidence:
    """Without constraints the look-ahead points of extrapolation from the past are the iterates of the optimistic rule,
    on every game and for every step.

    Past extragradient's moves are -eta v at the optimistic rule's iterates.
    """
    w = np.linspace(0.5, 1.0, game.dim) if start is None else np.array(start)
    past = orbit(game, rules.PastExtragradient(step), w, 30)
    optimistic = orbit(game, rules.OptimisticGD(step), w, 30)
    scale = max(1.0, float(np.abs(past).max()))
    return same_numbers(np.diff(past, axis=0) / scale, -step * game.field(optimistic[1:]) / scale, 1e-12)
