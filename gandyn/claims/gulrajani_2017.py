"""Claims of Gulrajani et al. 2017, the gradient penalty: slopes of the best critic, with it and without."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from .. import games, losses
from ..types import Array
from . import strategies
from .declare import Evidence, Paper, drawn, fails, formula
from .evidence import all_of, same_numbers

gulrajani = Paper("gulrajani_2017")


def _best_critic(points: Array, p: Array, q: Array, box: bool) -> Array:
    """Values at the points of a critic that maximises sum (p - q) s: 1-Lipschitz, or |s| <= 1; a linear program."""
    from scipy.optimize import linprog

    n = len(points)
    if box:
        return linprog(q - p, bounds=[(-1, 1)] * n, method="highs").x
    rows = np.eye(n)[1:] - np.eye(n)[:-1]
    limits = np.diff(points)
    return linprog(
        q - p, np.vstack([rows, -rows]), np.hstack([limits, limits]), bounds=[(0, 0), *[(None, None)] * (n - 1)]
    ).x


def _have_mass(counts: list[tuple[int, int, int]]) -> bool:
    return any(data for _, data, _ in counts) and any(samples for *_, samples in counts)


@gulrajani.says("Gulrajani et al. 2017, proposition 1 and corollary 1, on the line; the critic by linear programming")
@formula(r"|\nabla s^*| = 1 \;\text{almost everywhere under the coupling}, \qquad W_1 = \int |P - Q|\,dx")
@drawn(
    40,
    counts=st.lists(st.tuples(st.integers(1, 4), st.integers(0, 5), st.integers(0, 5)), min_size=2, max_size=8).filter(
        _have_mass
    ),
)
@fails("a critic that is bounded instead of Lipschitz", lambda: {"counts": [(1, 1, 0), (3, 0, 1)], "box": True})
def unit_slopes(counts: list[tuple[int, int, int]], box: bool = False) -> Evidence:
    """On the line, the best 1-Lipschitz critic between two distributions has slope +-1 wherever mass must cross (the
    sign is that of Q - P, their distribution functions), and its value is W1, the integral of |P - Q|.
    """
    from scipy.stats import wasserstein_distance

    gaps, data, samples = (np.array(column, dtype=float) for column in zip(*counts, strict=True))
    points, p, q = np.cumsum(gaps), data / data.sum(), samples / samples.sum()
    crossing = (np.cumsum(q) - np.cumsum(p))[:-1]
    inside = np.abs(crossing) > 1e-9
    slope = losses.registry["wasserstein"].build().optimal_slope(np.cumsum(p)[:-1], np.cumsum(q)[:-1])
    critic = _best_critic(points, p, q, box)
    found = (np.diff(critic) / np.diff(points))[inside]
    value = float((np.abs(crossing) * np.diff(points)).sum())
    return all_of(
        same_numbers(found, np.asarray(slope)[inside], 1e-7),
        same_numbers(np.abs(found), np.ones(inside.sum()), 1e-7),
        same_numbers([(p - q) @ critic, wasserstein_distance(points, points, p, q)], [value, value], 1e-8),
    )


@gulrajani.derived(
    "the penalty of Gulrajani et al. 2017, section 4 (equation 3), on a datum at 0 and a sample at theta",
    prior="Petzka, Fischer & Lukovnikov 2018 (on the regularization of Wasserstein GANs), on finite penalties",
)
@formula(r"|\nabla s^*| = 1 + W_1/\gamma")
@drawn(12, weight=st.sampled_from([0.3, 0.7, 2.0, 20.0]), theta=strategies.nonzero(3))
@fails("another loss", lambda: {"weight": 0.7, "theta": 1.0, "loss": "minimax"})
@fails("no distance: nothing fixes the sign of the slope", lambda: {"weight": 0.7, "theta": 0.0}, theta=1.0)
def penalised_critic(weight: float, theta: float, one_sided: bool = False, loss: str = "wasserstein") -> Evidence:
    """With a finite weight gamma the best critic under WGAN-GP overshoots slope one: between a datum and a sample at
    distance W1 its slope is 1 + W1/gamma (gamma = 2 lambda).
    """
    game = games.dirac_gan(loss, penalty=f"WGANGP({weight}, one_sided={one_sided})")
    length = 1 + abs(theta) / weight
    best = np.array([theta, np.sign(theta) * length])
    below, at, above = (float(game.field(best * [1, share])[1]) * np.sign(theta) for share in (0.999, 1, 1.001))
    return all_of(
        same_numbers([at], [0], 1e-12),
        Evidence(bool(below < 0 < above), f"a minimum at slope {length:.6g}, {length - 1:.2g} above 1"),
    )
