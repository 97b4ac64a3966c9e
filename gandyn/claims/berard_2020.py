"""Claims of Berard, Gidel, Almahairi, Vincent & Lacoste-Julien 2020, "A closer look at the optimization of GANs"."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import strategies as st

from .. import analysis, games
from ..types import Game
from . import strategies
from .declare import Evidence, Paper, drawn, fails, formula, where
from .evidence import all_of, attracting, same_numbers

berard = Paper("berard_2020")


def _curve(game: Game, angle: float, offset: float, motion: str) -> Evidence:
    """Along d from w_0, the path passes the equilibrium at offset |d| to the side: v = J ((alpha - 1) d + e)."""
    d = 2 * np.array([math.cos(angle), math.sin(angle)])
    e = offset * np.array([-d[1], d[0]])
    found = analysis.path_angle(game, e - d, e)
    j = game.jacobian(np.zeros(2))
    v = ((found.positions - 1)[:, None] * d + e) @ j.T
    expected = v @ d / (np.linalg.norm(v, axis=-1) * np.linalg.norm(d))
    return all_of(
        same_numbers(found.angle, expected, 1e-9),
        Evidence(found.motion.name == motion, f"{found.motion.name}, switch {found.switch:.4g}, bump {found.bump:.4g}"),
    )


POTENTIAL = st.tuples(strategies.tenths(0.5, 2), strategies.tenths(0.5, 2), strategies.tenths(-0.4, 0.4)).map(
    lambda s: games.potential_quadratic(((s[0], s[2]), (s[2], s[1])))
)


def _path(game: st.SearchStrategy[Game], low: float, high: float, motion: str) -> st.SearchStrategy[object]:
    angle, offset = st.floats(0.1, 6.2), st.floats(low, high)
    return st.fixed_dictionaries({"game": game, "angle": angle, "offset": offset, "motion": st.just(motion)})


@berard.says("Berard et al. 2020, section 4.2 and its figure of the path angle on games with known eigenvalues")
@formula(r"c(\alpha) = \frac{\pm|e|}{\sqrt{(\alpha-1)^2|d|^2 + |e|^2}}")
@drawn(20, _path(strategies.tenths(0.2, 3).map(games.bilinear), 0.005, 0.03, "ROTATION"))
@fails(
    "a potential game",
    lambda: {"game": games.quadratic(1, 0, 1), "angle": 0.5, "offset": 0.01, "motion": "ROTATION"},
    game=games.bilinear,
)
def path_angle_of_rotation(game: Game, angle: float, offset: float, motion: str) -> Evidence:
    """On a bilinear game (imaginary eigenvalues alone) the path angle's cosine, along a path that passes the
    equilibrium closely, has a bump there and no change of sign.
    """
    return _curve(game, angle, offset, motion)


@berard.says("Berard et al. 2020, section 4.2 and its figure of the path angle on games with known eigenvalues")
@formula(r"c(\alpha) = \mathrm{sign}(\alpha-1)\,\frac{\langle Sd, d\rangle}{|Sd||d|}")
@drawn(20, _path(POTENTIAL, 0, 1e-6, "ATTRACTION"))
@fails(
    "a bilinear game",
    lambda: {"game": games.bilinear(), "angle": 0.5, "offset": 1e-7, "motion": "ATTRACTION"},
    game=lambda: games.quadratic(1, 0, 1),
)
def path_angle_of_attraction(game: Game, angle: float, offset: float, motion: str) -> Evidence:
    """On a potential game with positive definite S (real eigenvalues alone) the path angle's cosine changes its sign at
    the end of a path to the equilibrium, and has no bump.
    """
    return _curve(game, angle, offset, motion)


@berard.sharpened("Berard et al. 2020, section 5 (GANs reach stable points that are no local Nash equilibria)")
@formula(r"a < 0,\quad a + c > 0,\quad ac + b^2 > 0")
@drawn(25, a=strategies.tenths(-1, -0.1), b=strategies.tenths(0.5, 3), c=strategies.tenths(0.5, 2))
@where(lambda a, b, c: bool(a + c > 0 and a * c + b**2 > 0))
@fails("the coupling is too weak", lambda: {"a": -1, "b": 0.5, "c": 2}, b=3)
@fails("player y's curvature does not outweigh player x's", lambda: {"a": -1, "b": 3, "c": 0.5}, c=2)
def stable_without_nash(a: object, b: object, c: object) -> Evidence:
    """A locally stable stationary point need not be a local Nash equilibrium: where -a < c and -a c < b^2, the flow of
    a x^2/2 + b x y - c y^2/2 is drawn to a point where player x stands on a maximum of its own cost.
    """
    game = games.quadratic(a, b, c)
    found = analysis.classify(game)
    return all_of(
        attracting(game),
        Evidence(found.own[0] == "negative definite" and found.own[1] == "positive definite", str(found.own)),
        Evidence(found.label == "stable but not Nash", found.label),
    )
