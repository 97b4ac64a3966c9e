"""Limits of schemes with vanishing steps are those of the flow: Benaim 1999, Hsieh, Mertikopoulos & Cevher 2021."""

from __future__ import annotations

from typing import Any

from .. import games, rules
from ..rules.schedule import PowerDecay, Scheduled
from .base import Claim, Evidence, How, Mutant, Origin, Outside, register

SPAN = 3.0


def _follows(rule: Any, game: Any, start: Any, power: float = 0.8) -> Evidence:
    """The largest distance, over 3 units of time, between the steps from t on and the flow from there: it falls."""
    import numpy as np

    from ..dynamics.flow import flow
    from ..dynamics.iterate import iterate

    schedule = PowerDecay(power, 40.0)
    path = np.asarray(iterate(game, Scheduled(rule(0.2), schedule), start, 20_000).w)
    times = np.concatenate([[0.0], np.cumsum(0.2 * np.array([schedule(t) for t in range(20_000)]))])
    apart = []
    for first in (20, 400, 8000):
        inside = np.flatnonzero((times >= times[first]) & (times <= times[first] + SPAN))
        inside = inside[:: max(1, len(inside) // 50)]
        clock = times[inside] - times[first]
        truth = np.asarray(flow(game, path[first], clock, rtol=1e-8).w)
        apart.append(float(np.linalg.norm(path[inside] - truth, axis=-1).max()))
    falls = apart[2] < 0.5 * apart[1] < 0.5 * apart[0]
    shown = ", ".join(f"{a:.3g}" for a in apart)
    return Evidence(bool(falls), f"steps from 20, 400, 8000 on stray from the flow by {shown} in {SPAN} units of time")


def _schemes() -> Any:
    from hypothesis import strategies as st

    methods = [rules.SimultaneousGD, rules.AlternatingGD, rules.Extragradient, rules.OptimisticGD]
    played = [games.forsaken(), games.almost_bilinear(0.3), games.quadratic(0.2, 1, 0.2)]
    place = st.tuples(st.floats(0.2, 0.6), st.floats(-0.6, -0.2))
    return st.fixed_dictionaries({"rule": st.sampled_from(methods), "game": st.sampled_from(played), "start": place})


register(
    Claim(
        name="hsieh_2021.steps_follow_the_flow",
        statement=(
            "With steps that vanish slowly (t^-0.8) bounded iterates of gradient, alternating, extragradient and "
            "optimistic steps are an asymptotic pseudo-trajectory of one and the same flow: over any fixed span of "
            "time they stray from it less and less. Their limit sets are therefore internally chain-transitive sets "
            "of that flow: points or cycles, whatever the scheme."
        ),
        latex=r"\lim_{t\to\infty}\ \sup_{0 \le h \le T} \|X(t + h) - \Phi_h(X(t))\| = 0",
        source="Hsieh et al. 2021, the theorem on generalised Robbins-Monro schemes, without noise; Benaim 1999",
        how=How.PROPERTY,
        origin=Origin.PAPER,
        conclusion=_follows,
        hypotheses=_schemes,
        outside=(
            Outside(
                "steps that do not vanish",
                lambda: {
                    "rule": rules.SimultaneousGD,
                    "game": games.almost_bilinear(0.3),
                    "start": (0.5, -0.5),
                    "power": 0.0,
                },
            ),
        ),
        mutants=(
            Mutant("rules/extragradient.py", '2 * v - state["previous_field"]', '2 * v + state["previous_field"]'),
        ),
        draws=8,
    )
)


def _same_limit(rule: Any, start: Any, game: Any = None) -> Evidence:
    """With vanishing steps the almost bilinear game's cycle, radius 2/sqrt 3 for small eps, is the limit of all."""
    import numpy as np

    from ..dynamics.iterate import iterate

    played = games.almost_bilinear(0.3) if game is None else game
    path = np.asarray(iterate(played, Scheduled(rule(0.3), PowerDecay(0.6, 50.0)), start, 30_000).w)
    radii = np.linalg.norm(path[-12_000:], axis=-1)
    return Evidence(
        bool(radii.min() > 1.0 and radii.max() < 1.4), f"in the end between {radii.min():.4g} and {radii.max():.4g}"
    )


def _starts() -> Any:
    from hypothesis import strategies as st

    methods = [rules.SimultaneousGD, rules.AlternatingGD, rules.Extragradient, rules.OptimisticGD]
    place = st.tuples(st.floats(0.3, 1.5), st.floats(-0.5, 0.5))
    return st.fixed_dictionaries({"rule": st.sampled_from(methods), "start": place})


register(
    Claim(
        name="hsieh_2021.cycles_are_limits",
        statement=(
            "On the almost bilinear game all four schemes with vanishing steps end on the flow's attracting cycle "
            "instead of the unique critical point: a chain-transitive set without any equilibrium in it."
        ),
        latex=r"\mathrm{dist}(w_t, \{|w| \approx 2/\sqrt3\}) \to 0",
        source="Hsieh et al. 2021, example 5.1, for schemes with vanishing steps",
        how=How.PROPERTY,
        origin=Origin.PAPER,
        conclusion=_same_limit,
        hypotheses=_starts,
        outside=(
            Outside(
                "a game without a cycle: own curvature",
                lambda: {"rule": rules.Extragradient, "start": (0.5, 0.1), "game": games.quadratic(0.2, 1, 0.2)},
            ),
        ),
        mutants=(Mutant("games/forsaken.py", "y**2 / 2 - y**4 / 4", "y**2 / 2 - y**4 / 40"),),
        draws=8,
    )
)
