"""Claims of Metz, Poole, Pfau & Sohl-Dickstein 2017, "Unrolled generative adversarial networks"."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st

from .. import games, rules
from ..games.quadratic import quadratic
from .declare import Evidence, Paper, drawn, fails, formula, reproduced
from .evidence import all_of, orbit, same_numbers

metz = Paper("metz_2017")
DEPTHS = (0, 1, 2, 4, 8)


@metz.sharpened("Metz et al. 2017, section 2.2 (equations 5 to 8 and the limits below them); the rest derived here")
@formula(r"\tfrac{d}{dx} f(x, y_k(x)) = \big(a + \tfrac{b^2}{c}\big)x + b\,(1 - e c)^{2k}\big(y - \tfrac{b}{c}x\big)")
@drawn(
    30,
    a=st.floats(0.2, 3),
    b=st.floats(0.1, 2),
    c=st.floats(0.2, 3),
    share=st.floats(0.05, 1.9),
    point=st.tuples(st.floats(0.1, 2), st.floats(0.1, 2).map(lambda value: -value)),
)
@fails("inner steps beyond 2/c", lambda: {"a": 1.0, "b": 1.0, "c": 1.0, "share": 2.1, "point": (1.0, -1.0)}, share=1.5)
def between_gradient_and_best_response(a: float, b: float, c: float, share: float, point: Sequence[float]) -> Evidence:
    """On strongly convex-concave quadratic games unrolling leads from the simultaneous gradient (k = 0) to the slope of
    max_y f (k to infinity), for inner steps e < 2/c: the rest is b (1 - e c)^(2k) (y - b x / c).
    """
    game, (x, y) = quadratic(a, b, c), point
    best, w = (a + b * b / c) * x, np.array(point, dtype=float)
    apart = []
    for k in DEPTHS:
        moved = rules.Unrolled(1.0, k, share / c).step(game, w, rules.Unrolled(1.0, k).init(game, w))[0]
        apart.append(float(w[0] - moved[0]) - best)
    expected = [b * (1 - share) ** (2 * k) * (y - b * x / c) for k in DEPTHS]
    return all_of(
        same_numbers(apart, expected, 1e-9),
        Evidence(abs(apart[-1]) < abs(apart[0]), f"{apart[0]:.3g} to {apart[-1]:.3g}"),
    )


@metz.sharpened("Metz et al. 2017, section 3.1 and figure 1, in a toy of the same kind")
@reproduced(r"\theta_{t+1} = \theta_t - \eta\,\tfrac{d}{d\theta} f(\theta, \varphi_k(\theta, \varphi_t))")
@fails("nothing is unrolled", lambda: {"k": 0})
def no_more_hopping(k: int = 10) -> Evidence:
    """A generator of one point that hops between two modes for ever comes to rest when it sees enough discriminator
    steps ahead.
    """
    game = games.unrolled_toy()
    rule = rules.Unrolled(0.2, k, 0.2)
    theta = orbit(game, rule, game.facts.starts[0], 800, kernel="eager")[-200:, 0]
    return Evidence(float(np.ptp(theta)) < 1e-3, f"from {theta.min():.4f} to {theta.max():.4f} in the last 200 steps")
