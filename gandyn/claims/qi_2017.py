"""Claims of Qi 2017, "Loss-sensitive GANs on Lipschitz densities": LS-GAN and GLS-GAN as one family with WGAN."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from .. import losses
from ..lazy import sympy
from . import strategies
from .declare import Evidence, Paper, drawn, fails, formula, proved, where
from .evidence import all_of, same_expressions, same_numbers

qi = Paper("qi_2017")
LOGITS = strategies.four(strategies.nonzero(5, 0.001))


@qi.says("Qi 2017, the section on generalised LS-GAN")
@proved(r"\nu = 1:\; C(a) = a")
@fails("nu = 1/2", lambda: {"slope": 0.5})
@fails("nu = 0: LS-GAN", lambda: {"slope": 0})
def slope_one_is_wasserstein(slope: object = 1) -> Evidence:
    """GLS-GAN with C(a) = max(a, nu a) and nu = 1 is the Wasserstein GAN: the critic's costs differ by margin *
    distance, a constant of the critic, and the generators' are the same.

    The critic's cost less that of WGAN is margin * distance, which no logit moves; the generators agree.
    """
    real, fake = sympy.symbols("real fake", real=True)
    distance, margin = sympy.symbols("distance margin", positive=True)
    chosen = losses.registry["gls-gan"].build(slope=slope, margin=margin)
    wasserstein = losses.registry["wasserstein"].build()
    critic = chosen.discriminator(real, fake, distance=distance)
    return all_of(
        same_expressions(critic - wasserstein.discriminator(real, fake), margin * distance),
        same_expressions(chosen.generator_cost(real, fake, distance=distance), wasserstein.generator(fake)),
        same_expressions(chosen.gradients("discriminator", real, fake, distance=distance), [-1, 1]),
    )


def _off_the_margin(nu: float, margin: float, real: list[float], fake: list[float], distance: float) -> bool:
    return all(abs(margin * distance - r + f) > 1e-9 for r, f in zip(real, fake, strict=True))


@qi.says("Qi 2017, the definitions of LS-GAN and GLS-GAN")
@formula(r"C(a) = \max(a, \nu a)")
@drawn(40, real=LOGITS, fake=LOGITS, nu=st.floats(-1, 1), margin=st.floats(0, 3), distance=st.floats(0.01, 2))
@where(_off_the_margin)
@fails(
    "a pair exactly at the margin: the slope there is a convention",
    lambda: {"nu": 0.0, "margin": 1.0, "real": [2.0], "fake": [1.0], "distance": 1.0},
    margin=0.5,
)
def family_of_costs(nu: float, margin: float, real: list[float], fake: list[float], distance: float) -> Evidence:
    """With C(a) = max(a, nu a), nu <= 1, and a = margin * distance + L(x) - L(G(z)), L = -s low on real data: nu = 0 is
    LS-GAN, whose critic learns nothing from pairs that keep the margin, and nu = -1 is |a|.
    """
    r, f, d = np.array(real), np.array(fake), np.full(len(real), distance)
    excess = margin * d - r + f
    general = losses.registry["gls-gan"].build(slope=nu, margin=margin).pair("discriminator", r, f, d)
    hinge = losses.registry["ls-gan"].build(margin=margin)
    absolute = losses.registry["gls-gan"].build(slope=-1, margin=margin).pair("discriminator", r, f, d)
    on_real, on_fake = hinge.gradients("discriminator", r, f, distance=d)
    broken = (excess > 0).astype(float)
    return all_of(
        same_numbers(general, np.maximum(excess, nu * excess), 1e-14),
        same_numbers(hinge.pair("discriminator", r, f, d), np.maximum(excess, 0), 1e-14),
        same_numbers(absolute, np.abs(excess), 1e-14),
        same_numbers([on_real, on_fake], [-broken, broken], 1e-14),
        Evidence(bool((np.asarray(hinge.pair("generator", r, f, d)) == -f).all()), "the generator minimises L = -s"),
    )
