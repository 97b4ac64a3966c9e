"""Claims of Grnarova et al. 2019, "A domain agnostic measure for monitoring and evaluating GANs"."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from .. import analysis, games
from ..games.quadratic import quadratic
from ..losses.divergences import JENSEN_SHANNON
from ..types import Array, Game
from . import strategies
from .declare import Evidence, Paper, drawn, fails, formula

grnarova = Paper("grnarova_2019")
NUMBER = strategies.nonzero(2, 0.001)


@grnarova.says("Grnarova et al. 2019, section 3.1 (definition of the duality gap and the lines below it)")
@formula(r"\mathrm{DG}(x, y) = \max_{y'} f(x, y') - \min_{x'} f(x', y) \ge 0")
@drawn(30, game=strategies.strongly_monotone(size=1), point=st.tuples(NUMBER, NUMBER))
@fails(
    "an estimate by inner steps beyond 2 / L, which can be negative",
    lambda: {"game": quadratic(1, 0.5, 1), "point": (1.0, 1.0), "method": "gradient", "k": 6, "inner_lr": 2.5},
    inner_lr=0.5,
)
def nonnegative(game: Game, point: Array, method: str = "exact", **how: object) -> Evidence:
    """The duality gap is never negative, and zero exactly at equilibria (strongly convex-concave quadratic games)."""
    there = float(analysis.duality_gap(game, np.zeros(game.dim), method, **how).value)
    here = float(analysis.duality_gap(game, np.resize(point, game.dim), method, **how).value)
    return Evidence(there == 0 and here > 0, f"{there:.6g} at the equilibrium, {here:.6g} at {point}")


def _densities(data: Any) -> Any:
    fake, logits = (st.tuples(*[each] * len(data)) for each in (st.floats(0.05, 1), st.floats(-3, 3)))
    return st.fixed_dictionaries({"data": st.just(data), "fake": fake, "logits": logits})


@grnarova.sharpened("Grnarova et al. 2019, theorem 1 (the gap bounds the divergence); factor 2 by our convention of JS")
@formula(r"\mathrm{DG}(p, D) \ge 2\,\mathrm{JS}(d, p)")
@drawn(15, st.sampled_from([(1, 1), (3, 1), (1, 1, 2), (2, 1, 4, 1), (5, 1, 1, 1)]).flatmap(_densities))
@fails(
    "the generator cannot move: its answer is worth less than the data's density",
    lambda: {"data": (1, 1), "fake": (3, 1), "logits": (-0.4, 0.7), "able": False},
)
def above_divergence(data: object, fake: object, logits: object, able: bool = True) -> Evidence:
    """For the minimax GAN with unrestricted players the duality gap is at least twice the Jensen-Shannon divergence of
    data and generator, whatever the discriminator; with equality at D = 1/2.

    Gap of a generator's density against a discriminator's logits, beside 2 JS; equality at logits 0.

    The best discriminator has logits log d/p. The generator's best answer puts its mass where the logit is largest, or,
    if it is not able to move, stays where it is.
    """
    d, p, s = (np.array(v, dtype=float) for v in (data, fake, logits))
    d, p = d / d.sum(), p / p.sum()
    game = games.density_game([*map(float, d)])

    def value(density: Any, chosen: Any) -> float:
        return float(game.costs(np.concatenate([density, chosen]))[0])

    def gap(chosen: Array) -> float:
        answer = np.eye(len(d))[int(np.argmax(chosen))] if able else p
        return value(p, np.log(d / p)) - value(answer, chosen)

    bound, here, flat = 2 * float(JENSEN_SHANNON.between(d, p)), gap(s), gap(0 * s)
    holds = here >= bound - 1e-12 and abs(flat - bound) <= 1e-12
    return Evidence(holds, f"gap {here:.9g}, {flat:.9g} at logits 0, 2 JS {bound:.9g}")
