"""Claims of Hsieh, Mertikopoulos & Cevher 2021, "The limits of min-max optimization algorithms"."""

from __future__ import annotations

import math
from typing import Any

from .. import games, rules
from .base import Claim, Evidence, How, Mutant, Origin, Outside, register
from .evidence import all_of, same_expressions, same_numbers, spectral

BOX = ((-0.05, 0.2), (0.3, 0.55))


def _weakly_stable(game: Any = None) -> Evidence:
    """-J = -[[phi''(x), 1], [-1, phi''(y)]], phi'' = 1/2 - 6 z^2 + 5 z^4; and a proof in balls."""
    from ..analysis.certificates.certify import certify
    from ..analysis.nash.classification import classify

    subject = games.forsaken() if game is None else game
    x, y = (float(e) for e in subject.equilibria[0])
    p, q = (0.5 - 6 * z**2 + 5 * z**4 for z in (x, y))
    proof = certify(subject, box=BOX if game is None else None)
    return all_of(
        Evidence(proof.proven, f"attracts, alone in the box: {proof.proven}, basin {proof.basin_radius:.3g}"),
        same_numbers(spectral(subject), -(p + q) / 2, 1e-12),
        Evidence(classify(subject).label == "stable but not Nash", classify(subject).label),
    )


register(
    Claim(
        name="hsieh_2021.forsaken_point",
        statement=(
            "The critical point of the forsaken game near (0.078, 0.412) attracts the gradient flow, weakly (at "
            "the rate 0.0447), and is no local Nash equilibrium."
        ),
        latex=r"\mathrm{Re}\,\lambda = -\tfrac12(\varphi''(x)+\varphi''(y)) < 0, \qquad \varphi''(y) < 0",
        source="Hsieh et al. 2021, example 5.2 (the forsaken game)",
        how=How.CERTIFIED,
        origin=Origin.PAPER,
        conclusion=_weakly_stable,
        outside=(Outside("the almost bilinear game, whose critical point repels", lambda: {"game": _almost(0.2)}),),
        mutants=(Mutant("games/forsaken.py", "z**6 / 6", "z**6 / 5"),),
    )
)


def _almost(eps: Any) -> Any:
    return games.almost_bilinear(eps)


def _forsakes(rule: Any, step: float, distance: float, angle: float) -> Evidence:
    """400 units of time from a start beyond the repelling cycle: the last tenth stays 0.9 to 2 away."""
    import numpy as np

    from ..dynamics.iterate import iterate

    game = games.forsaken()
    centre = np.array([float(e) for e in game.equilibria[0]])
    start = centre + distance * np.array([math.cos(angle), math.sin(angle)])
    steps = round(400 / step)
    run = iterate(game, rule(step), start, steps)
    apart = np.linalg.norm(np.asarray(run.w)[-steps // 10 :] - centre, axis=-1)
    return Evidence(
        bool(apart.min() > 0.85 and apart.max() < 2.0), f"in the end between {apart.min():.4g} and {apart.max():.4g}"
    )


def _starts() -> Any:
    from hypothesis import strategies as st

    methods = [rules.SimultaneousGD, rules.AlternatingGD, rules.Extragradient, rules.OptimisticGD]
    return st.fixed_dictionaries(
        {
            "rule": st.sampled_from(methods),
            "step": st.sampled_from((0.02, 0.05)),
            "distance": st.floats(0.35, 1.2),
            "angle": st.floats(0, 2 * math.pi),
        }
    )


register(
    Claim(
        name="hsieh_2021.spurious_cycle",
        statement=(
            "In the forsaken game gradient descent-ascent, alternating, extragradient and optimistic steps that start "
            "0.35 to 1.2 away from the stable critical point miss it: a repelling cycle shields it, and they end on "
            "the attracting one around that, 0.9 to 2 away."
        ),
        latex=r"\mathrm{dist}(w_t, w^*) \in [0.85, 2] \text{ for large } t",
        source="Hsieh et al. 2021, example 5.2 and its figure; their theorem says so of Robbins-Monro schemes",
        how=How.PROPERTY,
        origin=Origin.SHARPENED,
        conclusion=_forsakes,
        hypotheses=_starts,
        outside=(
            Outside(
                "a start inside the repelling cycle",
                lambda: {"rule": rules.Extragradient, "step": 0.05, "distance": 0.08, "angle": 0.5},
                restore=lambda: {"distance": 0.5},
            ),
        ),
        mutants=(Mutant("games/forsaken.py", "z**4 / 2 + z**6 / 6", "z**4 / 20 + z**6 / 6"),),
        draws=20,
    )
)


def _radius(game: Any = None) -> Evidence:
    """The mean of dr^2/dt over a circle, exactly to first order in eps; and two orbits, from inside and outside."""
    import numpy as np
    import sympy

    from ..dynamics.flow import flow

    eps, angle = sympy.Symbol("eps", positive=True), sympy.Symbol("angle", real=True)
    r = sympy.Symbol("r", positive=True)
    subject = games.almost_bilinear(eps) if game is None else game(eps)
    place = dict(zip(subject.symbols, (r * sympy.cos(angle), r * sympy.sin(angle)), strict=True))
    growth = sum(-2 * s * v for s, v in zip(subject.symbols, subject.field_exprs, strict=True)).subs(place)
    mean = sympy.integrate(sympy.expand(growth), (angle, 0, 2 * sympy.pi)) / (2 * sympy.pi)
    averaged = same_expressions(mean, eps * (r**2 - 3 * r**4 / 4))
    if not averaged:
        return averaged
    times = np.linspace(0, 250, 2501)
    ends = np.asarray(flow(games.almost_bilinear(0.05), [[0.5, 0.0], [2.0, 0.0]], times, rtol=1e-7).w)[-630:]
    radii = np.linalg.norm(ends, axis=-1).mean(0)
    return all_of(
        averaged,
        same_numbers(radii, [2 / math.sqrt(3)] * 2, 1e-3),
    )


register(
    Claim(
        name="hsieh_2021.almost_bilinear_radius",
        statement=(
            "A perturbation eps (y^2/2 - y^4/4) turns the circles of x y into one attracting cycle, whose radius tends "
            "to 2/sqrt(3) as eps falls to 0."
        ),
        latex=r"\Big\langle \tfrac{d r^2}{dt} \Big\rangle = \epsilon\big(r^2 - \tfrac34 r^4\big) = 0 \iff r = 2/\sqrt3",
        source="Hsieh et al. 2021, example 5.1 (the almost bilinear game); averaged here",
        how=How.PROVED,
        origin=Origin.SHARPENED,
        conclusion=_radius,
        outside=(Outside("a perturbation of y that is quadratic: no cycle", lambda: {"game": _damped}),),
        mutants=(Mutant("games/forsaken.py", "y**2 / 2 - y**4 / 4", "y**2 / 2 - y**4 / 3"),),
    )
)


def _damped(eps: Any) -> Any:
    return games.quadratic(0, 1, eps)
