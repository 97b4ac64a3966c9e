"""Claims of Hsieh, Mertikopoulos & Cevher 2021, "The limits of min-max optimization algorithms"."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from hypothesis import strategies as st

from .. import analysis, games, rules
from ..lazy import sympy
from ..rules.schedule import PowerDecay, Scheduled
from ..types import Game
from .declare import Evidence, Paper, certified, drawn, fails, formula, proved
from .evidence import all_of, between, orbit, same_expressions, same_numbers, spectral

hsieh = Paper("hsieh_2021")
METHODS = (rules.SimultaneousGD, rules.AlternatingGD, rules.Extragradient, rules.OptimisticGD)
BOX = ((-0.05, 0.2), (0.3, 0.55))


@hsieh.says("Hsieh et al. 2021, example 5.2 (the forsaken game)")
@certified(r"\mathrm{Re}\,\lambda = -\tfrac12(\varphi''(x)+\varphi''(y)) < 0, \qquad \varphi''(y) < 0")
@fails("the almost bilinear game, whose critical point repels", lambda: {"game": games.almost_bilinear(0.2)})
def forsaken_point(game: Any = None) -> Evidence:
    """The critical point of the forsaken game near (0.078, 0.412) attracts the gradient flow, weakly (at the rate
    0.0447), and is no local Nash equilibrium.

    -J = -[[phi''(x), 1], [-1, phi''(y)]], phi'' = 1/2 - 6 z^2 + 5 z^4; and a proof in balls.
    """
    subject = games.forsaken() if game is None else game
    x, y = (float(e) for e in subject.equilibria[0])
    p, q = (0.5 - 6 * z**2 + 5 * z**4 for z in (x, y))
    proof = analysis.certify(subject, box=BOX if game is None else None)
    return all_of(
        Evidence(proof.proven, f"attracts, alone in the box: {proof.proven}, basin {proof.basin_radius:.3g}"),
        same_numbers(spectral(subject), -(p + q) / 2, 1e-12),
        Evidence(analysis.classify(subject).label == "stable but not Nash", analysis.classify(subject).label),
    )


@hsieh.sharpened("Hsieh et al. 2021, example 5.2 and its figure; their theorem says so of Robbins-Monro schemes")
@formula(r"\mathrm{dist}(w_t, w^*) \in [0.85, 2] \text{ for large } t")
@drawn(5, step=st.sampled_from((0.02, 0.05)), distance=st.floats(0.35, 1.2), angle=st.floats(0, 2 * math.pi))
@fails("a start inside the repelling cycle", lambda: {"step": 0.05, "distance": 0.08, "angle": 0.5}, distance=0.5)
def spurious_cycle(step: float, distance: float, angle: float) -> Evidence:
    """In the forsaken game gradient descent-ascent, alternating, extragradient and optimistic steps that start 0.35 to
    1.2 away from the stable critical point miss it: a repelling cycle shields it, and they end on the attracting one
    around that, 0.9 to 2 away.
    """
    game = games.forsaken()
    centre = np.array([float(e) for e in game.equilibria[0]])
    start = centre + distance * np.array([math.cos(angle), math.sin(angle)])
    steps = round(400 / step)
    ends = np.array([orbit(game, rule(step), start, steps)[-steps // 10 :] for rule in METHODS])
    return between(np.linalg.norm(ends - centre, axis=-1), 0.85, 2.0)


@hsieh.sharpened("Hsieh et al. 2021, example 5.1 (the almost bilinear game); averaged here")
@proved(r"\Big\langle \tfrac{d r^2}{dt} \Big\rangle = \epsilon\big(r^2 - \tfrac34 r^4\big) = 0 \iff r = 2/\sqrt3")
@fails("a perturbation of y that is quadratic: no cycle", lambda: {"game": lambda eps: games.quadratic(0, 1, eps)})
def almost_bilinear_radius(game: Any = None) -> Evidence:
    """A perturbation eps (y^2/2 - y^4/4) turns the circles of x y into one attracting cycle, whose radius tends to
    2/sqrt(3) as eps falls to 0.

    The mean of dr^2/dt over a circle, exactly to first order in eps; and two orbits, from inside and outside.
    """
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
    return all_of(averaged, same_numbers(radii, [2 / math.sqrt(3)] * 2, 1e-3))


SPAN = 3.0
PLAYED = (games.forsaken, lambda: games.almost_bilinear(0.3), lambda: games.quadratic(0.2, 1, 0.2))


def _follows(rule: Any, game: Any, start: Any, power: float) -> Evidence:
    """The largest distance, over 3 units of time, between the steps from t on and the flow from there: it falls."""
    from ..dynamics.flow import flow

    schedule = PowerDecay(power, 40.0)
    path = orbit(game, Scheduled(rule(0.2), schedule), start, 20_000)
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
    return Evidence(bool(falls), f"{rule.__name__} strays from the flow by {shown} in {SPAN} units of time")


@hsieh.says(
    "Hsieh et al. 2021, abstract: \"the algorithms' limit points are contained in the internally chain-transitive "
    '(ICT) sets of a common, mean-field system"; here without noise; Benaim 1999'
)
@formula(r"\lim_{t\to\infty}\ \sup_{0 \le h \le T} \|X(t + h) - \Phi_h(X(t))\| = 0")
@drawn(
    6,
    game=st.sampled_from(PLAYED).map(lambda make: make()),
    start=st.tuples(st.floats(0.2, 0.6), st.floats(-0.6, -0.2)),
)
@fails("steps that do not vanish", lambda: {"game": games.almost_bilinear(0.3), "start": (0.5, -0.5), "power": 0.0})
def steps_follow_the_flow(game: Game, start: object, power: float = 0.8) -> Evidence:
    """With steps that vanish slowly (t^-0.8) bounded iterates of gradient, alternating, extragradient and optimistic
    steps are an asymptotic pseudo-trajectory of one and the same flow: over any fixed span of time they stray from it
    less and less. Their limit sets are therefore internally chain-transitive sets of that flow: points or cycles,
    whatever the scheme.
    """
    return all_of(*(_follows(rule, game, start, power) for rule in METHODS))


@hsieh.says("Hsieh et al. 2021, example 5.1, for schemes with vanishing steps")
@formula(r"\mathrm{dist}(w_t, \{|w| \approx 2/\sqrt3\}) \to 0")
@drawn(4, start=st.tuples(st.floats(0.3, 1.5), st.floats(-0.5, 0.5)))
@fails("a game without a cycle: own curvature", lambda: {"start": (0.5, 0.1), "game": games.quadratic(0.2, 1, 0.2)})
def cycles_are_limits(start: Any, game: Any = None) -> Evidence:
    """On the almost bilinear game all four schemes with vanishing steps end on the flow's attracting cycle instead of
    the unique critical point: a chain-transitive set without any equilibrium in it.
    """
    played = games.almost_bilinear(0.3) if game is None else game
    paths = [orbit(played, Scheduled(rule(0.3), PowerDecay(0.6, 50.0)), start, 30_000)[-12_000:] for rule in METHODS]
    return between(np.linalg.norm(paths, axis=-1), 1.0, 1.4)
