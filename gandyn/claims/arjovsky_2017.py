"""Claims of Arjovsky, Chintala & Bottou 2017, "Wasserstein GAN": two lines, a clipped critic, and theorems 1 and 2."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from .. import games, losses
from ..lazy import sympy
from ..losses.divergences import JENSEN_SHANNON, KL, TOTAL_VARIATION
from ..types import Array
from . import strategies
from .declare import Evidence, Paper, drawn, fails, formula
from .evidence import all_of, same_numbers

arjovsky = Paper("arjovsky_2017")


@arjovsky.says("Arjovsky et al. 2017, example 1 and figure 1")
@formula(r"W_1 = |\theta|, \qquad \mathrm{JS} = \log 2 \;(\theta \ne 0)")
@drawn(30, apart=strategies.nonzero(3))
@fails("theta = 0: the lines are one, and JS jumps to 0", lambda: {"apart": 0.0}, apart=1.0)
def parallel_lines(apart: float) -> Evidence:
    """Between two parallel lines at distance theta != 0 the Jensen-Shannon divergence is log 2, without any slope,
    while the earth mover's distance is |theta|, with slope sign(theta).

    W1 by optimal assignment of points, JS by a discriminator of logits +-K, beside what the game says.
    """
    from scipy.optimize import linear_sum_assignment

    z = (np.arange(12) + 0.5) / 12
    real, fake = np.stack([0 * z, z], -1), np.stack([0 * z + apart, z], -1)
    distance = np.linalg.norm(real[:, None] - fake[None], axis=-1)
    moved = distance[linear_sum_assignment(distance)].mean()
    minimax, logits = losses.registry["minimax"].build(), np.array([40.0])
    value = -float((minimax.real(logits) + minimax.fake(-logits))[0])  # a discriminator that tells the lines apart
    lines = games.parallel_lines()
    side = 1e-6
    slopes = [(m(apart + side) - m(apart)) / side for m in (lines.earth_mover, lines.jensen_shannon)]
    return all_of(
        same_numbers([lines.earth_mover(apart), lines.jensen_shannon(apart)], [moved, (value + np.log(4)) / 2], 1e-12),
        same_numbers([lines.jensen_shannon(apart)], [np.log(2)], 1e-15),
        same_numbers(slopes, [np.sign(apart), 0], 1e-8),
    )


@arjovsky.sharpened("Arjovsky et al. 2017, equation 2, theorem 3 (the envelope) and algorithm 1, on example 1")
@formula(
    r"\max_{|\varphi| \le K} f(\theta, \varphi) = K\,|\theta|, \qquad \nabla_\theta K W_1 = "
    r"K\,\mathrm{sign}(\theta)"
)
@drawn(30, apart=strategies.nonzero(3), bound=st.floats(0.01, 3), phi=st.floats(-9, 9))
@fails("theta = 0: the value has a corner", lambda: {"apart": 0.0, "bound": 1.0, "phi": 0.5}, apart=1.0)
def clipped_critic(apart: float, bound: float, phi: float) -> Evidence:
    """On the parallel lines the best linear critic with weights clipped to K has the value K W1 = K |theta|, and the
    generator's gradient against it is that of K W1: it never vanishes away from theta = 0.
    """
    lines = games.parallel_lines(lipschitz=bound)
    best = np.asarray(lines.project(np.array([apart, -10 * bound * np.sign(apart)])))
    value = float(lines.costs(best)[0])
    others = np.asarray(lines.project(np.array([apart, phi])))
    slope = float(lines.field(best)[0])
    step = 1e-6

    def worst(theta: float) -> float:
        return max(float(lines.costs(np.array([theta, p]))[0]) for p in (-bound, bound))

    quotient = (worst(apart + step) - worst(apart)) / step
    return all_of(
        same_numbers([value], [bound * abs(apart)], 1e-12),
        Evidence(bool(lines.costs(others)[0] <= value + 1e-12), "no other clipped critic does better"),
        same_numbers([slope, quotient], [bound * np.sign(apart)] * 2, 1e-7),
    )


PLACE = st.tuples(st.floats(-2, 2), st.floats(-2, 2))
SQUARE = [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)]


@arjovsky.says("Arjovsky et al. 2017, theorem 1 (points 1 and 2; point 3 is the claim parallel_lines)")
@formula(
    r"|W(P, P_\theta) - W(P, P_{\theta'})| \le \mathbb{E}\,\|g_\theta(z) - g_{\theta'}(z)\| \le \bar "
    r"L\,|\theta - \theta'|"
)
@drawn(
    20,
    real=strategies.four(PLACE),
    base=strategies.four(PLACE),
    moves=strategies.four(PLACE),
    theta=st.tuples(st.floats(-1, 1), st.floats(-1, 1)).filter(lambda t: abs(t[0] - t[1]) > 0.01),
)
@fails(
    "the generator jumps at theta = 0",
    lambda: {"real": SQUARE, "base": SQUARE, "moves": [(0.1, 0.0)] * 4, "theta": (-0.1, 0.1), "rough": True},
)
def wasserstein_is_continuous(
    real: object, base: object, moves: object, theta: sympy.Expr, rough: bool = False
) -> Evidence:
    """If the generator is Lipschitz in theta, so is W1(data, generator), with the mean Lipschitz constant: continuous
    everywhere and differentiable almost everywhere. JS is neither, as parallel lines show.

    |W(theta) - W(theta')| <= E |g_theta - g_theta'| <= E |dg/dtheta| |theta - theta'|, W by optimal pairing.
    """
    from ..gans.metrics.transport import wasserstein

    x, z, b = (np.array(v, dtype=float) for v in (real, base, moves))

    def made(t: float) -> Any:
        return z + np.tanh(t) * b + (rough and t > 0) * 2.0

    def distance(points: Array) -> float:
        return float(wasserstein(x, points).value)

    first, second = (made(t) for t in theta)
    apart = abs(distance(first) - distance(second))
    moved = float(np.linalg.norm(first - second, axis=-1).mean())
    bound = float(np.linalg.norm(b, axis=-1).mean()) * abs(theta[0] - theta[1])
    return all_of(
        Evidence(apart <= bound + 1e-6, f"W changes by {apart:.5g}, at most {bound:.5g}"),
        Evidence(apart <= moved + 1e-6, f"and at most by the mean move {moved:.5g}"),
    )


@arjovsky.sharpened("Arjovsky et al. 2017, theorem 2 (points 1 to 4), with constants; the last is Pinsker's inequality")
@formula(
    r"W_1 \le \mathrm{diam}\,\mathrm{TV},\ \tfrac12\mathrm{TV}^2 \le \mathrm{JS} \le \log "
    r"2\,\mathrm{TV},\quad \mathrm{TV}^2 \le \tfrac12\mathrm{KL}"
)
@drawn(
    40,
    p=strategies.four(st.floats(0.001, 1)),
    q=strategies.four(st.floats(0.001, 1)),
    places=st.lists(st.floats(-3, 3), min_size=4, max_size=4, unique=True),
)
@fails(
    "a constant smaller than Pinsker's 1/2",
    lambda: {"p": (0.5, 0.5, 1e-9, 1e-9), "q": (0.51, 0.49, 1e-9, 1e-9), "places": (0, 1, 2, 3), "pinsker": 0.4},
)
def order_of_topologies(p: object, q: object, places: object, pinsker: float = 0.5) -> Evidence:
    """On a compact set convergence in KL implies convergence in total variation, which is convergence in JS, and that
    implies convergence in W1; here by W1 <= diam TV, TV^2/2 <= JS <= log 2 TV, TV^2 <= KL/2.
    """
    from scipy.stats import wasserstein_distance

    a, b, x = (np.array(v, dtype=float) for v in (p, q, places))
    a, b = a / a.sum(), b / b.sum()
    variation, js, kl = (float(d.between(a, b)) for d in (TOTAL_VARIATION, JENSEN_SHANNON, KL))
    moved, diameter = float(wasserstein_distance(x, x, a, b)), float(np.ptp(x))
    slack = 1e-12
    return all_of(
        Evidence(moved <= diameter * variation + slack, f"W {moved:.4g} at most diam TV {diameter * variation:.4g}"),
        Evidence(variation**2 / 2 <= js + slack, f"TV^2/2 {variation**2 / 2:.4g} at most JS {js:.4g}"),
        Evidence(js <= np.log(2) * variation + slack, f"JS at most log 2 TV {np.log(2) * variation:.4g}"),
        Evidence(variation**2 <= pinsker * kl + slack, f"TV^2 {variation**2:.4g} at most KL/2 {kl / 2:.4g}"),
    )
