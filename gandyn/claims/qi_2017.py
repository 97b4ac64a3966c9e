"""Claims of Qi 2017, "Loss-sensitive GANs on Lipschitz densities": LS-GAN and GLS-GAN as one family with WGAN."""

from __future__ import annotations

from typing import Any

from .. import losses
from .base import Claim, Evidence, How, Mutant, Origin, Outside, register
from .evidence import all_of, same_expressions, same_numbers


def _is_wasserstein(slope: Any) -> Evidence:
    """The critic's cost less that of WGAN is margin * distance, which no logit moves; the generators agree."""
    import sympy

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


register(
    Claim(
        name="qi_2017.slope_one_is_wasserstein",
        statement="GLS-GAN with C(a) = max(a, nu a) and nu = 1 is the Wasserstein GAN: the critic's costs differ by "
        "margin * distance, a constant of the critic, and the generators' are the same.",
        latex=r"\nu = 1:\; C(a) = a",
        source="Qi 2017, the section on generalised LS-GAN",
        how=How.PROVED,
        origin=Origin.PAPER,
        conclusion=lambda slope=1: _is_wasserstein(slope),
        outside=(
            Outside("nu = 1/2", lambda: {"slope": 0.5}),
            Outside("nu = 0: LS-GAN", lambda: {"slope": 0}),
        ),
        mutants=(
            Mutant("losses/loss_sensitive.py", "slope * excess + (1 - slope)", "slope * excess + (2 - slope)"),
            Mutant("losses/loss_sensitive.py", "* distance - real + fake", "* distance + real - fake"),
        ),
    )
)


def _family(nu: float, margin: float, real: list[float], fake: list[float], distance: float) -> Evidence:
    """max(a, nu a) by hand; LS-GAN at nu = 0 and |a| at nu = -1; no gradient from pairs that keep the margin."""
    import numpy as np

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


def _pairs() -> Any:
    from hypothesis import strategies as st

    logits = st.lists(st.floats(-5, 5).filter(lambda x: abs(x) > 1e-3), min_size=4, max_size=4)
    numbers = {"nu": st.floats(-1, 1), "margin": st.floats(0, 3), "distance": st.floats(0.01, 2)}
    return st.fixed_dictionaries({"real": logits, "fake": logits, **numbers})


register(
    Claim(
        name="qi_2017.family_of_costs",
        statement="With C(a) = max(a, nu a), nu <= 1, and a = margin * distance + L(x) - L(G(z)), L = -s low on real "
        "data: "
        "nu = 0 is LS-GAN, whose critic learns nothing from pairs that keep the margin, and nu = -1 is |a|.",
        latex=r"C(a) = \max(a, \nu a)",
        source="Qi 2017, the definitions of LS-GAN and GLS-GAN",
        how=How.PROPERTY,
        origin=Origin.PAPER,
        conclusion=_family,
        hypotheses=_pairs,
        where=lambda nu, margin, real, fake, distance: all(
            abs(margin * distance - r + f) > 1e-9 for r, f in zip(real, fake, strict=True)
        ),
        outside=(
            Outside(
                "a pair exactly at the margin: the slope there is a convention",
                lambda: {"nu": 0.0, "margin": 1.0, "real": [2.0], "fake": [1.0], "distance": 1.0},
                restore=lambda: {"margin": 0.5},
            ),
        ),
        mutants=(
            Mutant("losses/loss_sensitive.py", "worlds.maximum(excess, 0)", "worlds.maximum(-excess, 0)"),
            Mutant("losses/loss_sensitive.py", "* distance - real + fake", "* distance + real - fake"),
        ),
        draws=40,
    )
)
