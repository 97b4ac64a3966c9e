"""Claims of Berard, Gidel, Almahairi, Vincent & Lacoste-Julien 2020, "A closer look at the optimization of GANs"."""

from __future__ import annotations

import math
from typing import Any

from .. import games
from ..types import Game
from .base import Claim, Evidence, How, Mutant, Origin, Outside, register
from .evidence import all_of, attracting, same_numbers


def _curve(game: Game, angle: float, offset: float, motion: str) -> Evidence:
    """Along d from w_0, the path passes the equilibrium at offset |d| to the side: v = J ((alpha - 1) d + e)."""
    import numpy as np

    from ..analysis.spectrum.path_angle import path_angle

    d = 2 * np.array([math.cos(angle), math.sin(angle)])
    e = offset * np.array([-d[1], d[0]])
    found = path_angle(game, e - d, e)
    j = game.jacobian(np.zeros(2))
    v = ((found.positions - 1)[:, None] * d + e) @ j.T
    expected = v @ d / (np.linalg.norm(v, axis=-1) * np.linalg.norm(d))
    return all_of(
        same_numbers(found.angle, expected, 1e-9),
        Evidence(found.motion.name == motion, f"{found.motion.name}, switch {found.switch:.4g}, bump {found.bump:.4g}"),
    )


def _path(game: Any, low: float, high: float, motion: str) -> Any:
    from hypothesis import strategies as st

    draws = {"game": game, "angle": st.floats(0.1, 6.2), "offset": st.floats(low, high)}
    return st.fixed_dictionaries({**draws, "motion": st.just(motion)})


def _rotating() -> Any:
    from . import strategies

    return _path(strategies.tenths(0.2, 3).map(games.bilinear), 0.005, 0.03, "ROTATION")


def _drawn_in() -> Any:
    from hypothesis import strategies as st

    from . import strategies

    diagonal = st.tuples(strategies.tenths(0.5, 2), strategies.tenths(0.5, 2), strategies.tenths(-0.4, 0.4))
    game = diagonal.map(lambda s: games.potential_quadratic(((s[0], s[2]), (s[2], s[1]))))
    return _path(game, 0, 1e-6, "ATTRACTION")


register(
    Claim(
        name="berard_2020.path_angle_of_rotation",
        statement=(
            "On a bilinear game (imaginary eigenvalues alone) the path angle's cosine, along a path that passes the "
            "equilibrium closely, has a bump there and no change of sign."
        ),
        latex=r"c(\alpha) = \frac{\pm|e|}{\sqrt{(\alpha-1)^2|d|^2 + |e|^2}}",
        source="Berard et al. 2020, section 4.2 and its figure of the path angle on games with known eigenvalues",
        how=How.PROPERTY,
        origin=Origin.PAPER,
        conclusion=_curve,
        hypotheses=_rotating,
        outside=(
            Outside(
                "a potential game",
                lambda: {"game": games.quadratic(1, 0, 1), "angle": 0.5, "offset": 0.01, "motion": "ROTATION"},
                restore=lambda: {"game": games.bilinear()},
            ),
        ),
        mutants=(Mutant("analysis/spectrum/path_angle.py", "float(v @ direction)", "float(v @ direction.abs())"),),
        draws=20,
    )
)

register(
    Claim(
        name="berard_2020.path_angle_of_attraction",
        statement=(
            "On a potential game with positive definite S (real eigenvalues alone) the path angle's cosine changes its "
            "sign at the end of a path to the equilibrium, and has no bump."
        ),
        latex=r"c(\alpha) = \mathrm{sign}(\alpha-1)\,\frac{\langle Sd, d\rangle}{|Sd||d|}",
        source="Berard et al. 2020, section 4.2 and its figure of the path angle on games with known eigenvalues",
        how=How.PROPERTY,
        origin=Origin.PAPER,
        conclusion=_curve,
        hypotheses=_drawn_in,
        outside=(
            Outside(
                "a bilinear game",
                lambda: {"game": games.bilinear(), "angle": 0.5, "offset": 1e-7, "motion": "ATTRACTION"},
                restore=lambda: {"game": games.quadratic(1, 0, 1)},
            ),
        ),
        mutants=(Mutant("analysis/spectrum/path_angle.py", "float(v @ direction)", "float(v @ direction.abs())"),),
        draws=20,
    )
)


def _stable_saddle(a: Any, b: Any, c: Any) -> Evidence:
    """a x^2/2 + b x y - c y^2/2: the flow attracts iff a + c > 0 and a c + b^2 > 0; a local Nash point needs a > 0."""
    from ..analysis.nash.classification import classify

    game = games.quadratic(a, b, c)
    found = classify(game)
    return all_of(
        attracting(game),
        Evidence(found.own[0] == "negative definite" and found.own[1] == "positive definite", str(found.own)),
        Evidence(found.label == "stable but not Nash", found.label),
    )


def _saddles() -> Any:
    from hypothesis import strategies as st

    from . import strategies

    return st.fixed_dictionaries(
        {"a": strategies.tenths(-1, -0.1), "b": strategies.tenths(0.5, 3), "c": strategies.tenths(0.5, 2)}
    )


register(
    Claim(
        name="berard_2020.stable_without_nash",
        statement=(
            "A locally stable stationary point need not be a local Nash equilibrium: where -a < c and -a c < b^2, the "
            "flow of a x^2/2 + b x y - c y^2/2 is drawn to a point where player x stands on a maximum of its own cost."
        ),
        latex=r"a < 0,\quad a + c > 0,\quad ac + b^2 > 0",
        source="Berard et al. 2020, section 5 (GANs reach stable stationary points that are no local Nash equilibria)",
        how=How.PROPERTY,
        origin=Origin.SHARPENED,
        conclusion=_stable_saddle,
        hypotheses=_saddles,
        where=lambda a, b, c: bool(a + c > 0 and a * c + b**2 > 0),
        outside=(
            Outside("the coupling is too weak", lambda: {"a": -1, "b": 0.5, "c": 2}, restore=lambda: {"b": 3}),
            Outside(
                "player y's curvature does not outweigh player x's",
                lambda: {"a": -1, "b": 3, "c": 0.5},
                restore=lambda: {"c": 2},
            ),
        ),
        mutants=(
            Mutant(
                "analysis/nash/classification.py",
                "if Optimum.NONE in kinds:",
                "if all(kind is Optimum.NONE for kind in kinds):",
            ),
        ),
        draws=25,
    )
)
