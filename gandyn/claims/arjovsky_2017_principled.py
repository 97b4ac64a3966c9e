"""Claims of Arjovsky & Bottou 2017, "Towards principled methods for training GANs": perfect discriminators."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from .. import losses
from ..types import Array
from . import strategies
from .declare import Evidence, Paper, drawn, fails, formula, where
from .evidence import all_of, same_numbers

arjovsky = Paper("arjovsky_2017_principled")

PLACE = st.tuples(st.integers(-20, 20), st.integers(-20, 20)).map(lambda p: (p[0] / 10, p[1] / 10))
POINTS = st.lists(PLACE, min_size=1, max_size=4, unique=True)


def _bump(t: Array) -> Array:
    """A smooth step: 0 for t <= 0, 1 for t >= 1."""
    with np.errstate(all="ignore"):
        up, down = (np.where(x > 0, np.exp(-1 / np.where(x > 0, x, 1.0)), 0.0) for x in (t, 1 - t))
    return up / (up + down)


@arjovsky.says("Arjovsky & Bottou 2017, theorem 2.1 (disjoint compact supports), on finite sets in the plane")
@formula(r"\mathcal{M} \cap \mathcal{P} = \emptyset \Rightarrow D^* = 1_{\mathcal{M}}, \ \nabla D^* = 0")
@drawn(25, data=POINTS, fake=POINTS)
@where(lambda data, fake: not set(data) & set(fake))
@fails("the supports meet", lambda: {"data": [(0.0, 0.0), (1.0, 0.0)], "fake": [(1.0, 0.0)]}, fake=[(1.5, 0.0)])
def perfect_discriminator(data: object, fake: object) -> Evidence:
    """Two distributions whose compact supports are disjoint have a smooth discriminator with accuracy 1 that is
    constant around every point of both: its gradient there is zero.

    D*(x) = step(1 - dist(x, data)/w), w half the gap: accuracy 1, and difference quotients 0 on both supports.
    """
    real, made = (np.array(points, dtype=float) for points in (data, fake))
    gap = float(np.linalg.norm(real[:, None] - made[None], axis=-1).min())
    if gap == 0:
        return Evidence(False, "a point of both supports: no discriminator tells them apart there")

    def best(x: Array) -> Array:
        distance = np.linalg.norm(x[:, None] - real[None], axis=-1).min(1)
        return _bump(1.5 - 2 * distance / gap)

    step = 1e-3 * gap
    shifts = step * np.concatenate([np.eye(2), -np.eye(2)])
    slopes = [np.abs(best(points + shift) - best(points)).max() for shift in shifts for points in (real, made)]
    minimax = losses.registry["minimax"].build()
    value = float(minimax.discriminator(*(np.array([side * 40.0]) for side in (1, -1))))
    return all_of(
        same_numbers(best(real), np.ones(len(real)), 1e-15),
        same_numbers(best(made), np.zeros(len(made)), 1e-15),
        Evidence(max(slopes) == 0, f"gap {gap:.3g}: constant around all {len(real) + len(made)} points"),
        Evidence(abs(value) < 1e-15, f"the minimax cost is {value:.1g} there"),
    )


@arjovsky.says("Arjovsky & Bottou 2017, theorem 2.4")
@formula(
    r"\|D - D^*\| < \epsilon \Rightarrow \|\nabla_\theta \mathbb{E}\log(1 - D(g_\theta))\| < "
    r"M\frac{\epsilon}{1-\epsilon}"
)
@drawn(
    40,
    values=strategies.four(st.floats(1e-6, 0.2)),
    slopes=strategies.four(st.tuples(st.floats(-0.15, 0.15), st.floats(-0.15, 0.15))),
    moves=strategies.four(st.tuples(st.floats(-3, 3), st.floats(-3, 3)).filter(lambda m: abs(m[0]) + abs(m[1]) > 0.1)),
)
@fails(
    "the non-saturating cost",
    lambda: {"values": [0.0001] * 4, "slopes": [(0.1, 0.0)] * 4, "moves": [(1.0, 0.0)] * 4, "loss": "nonsaturating"},
)
def vanishing_gradient(values: object, slopes: object, moves: object, loss: str = "minimax") -> Evidence:
    """When the discriminator is within eps of a perfect one on the samples (in value plus gradient) and E |J g|^2 <=
    M^2, the gradient of the minimax generator is smaller than M eps/(1 - eps): the better the discriminator, the less
    the generator learns. The non-saturating cost is free of this.

    |E d cost/dD (D) grad D . dx/dtheta| beside M eps/(1 - eps); eps = sup D + sup |grad D| on the samples.
    """
    d, s, b = (np.array(v, dtype=float) for v in (values, slopes, moves))
    eps = float(d.max() + np.linalg.norm(s, axis=-1).max())
    size = float(np.sqrt((b**2).sum(-1).mean()))
    outer = np.asarray(losses.registry[loss].build().d_probability("generator", d), dtype=float)
    gradient = abs(float((outer * (s * b).sum(-1)).mean()))
    bound = size * eps / (1 - eps)
    return Evidence(gradient < bound, f"|gradient| {gradient:.4g}, M eps/(1 - eps) = {bound:.4g}, eps = {eps:.3g}")
