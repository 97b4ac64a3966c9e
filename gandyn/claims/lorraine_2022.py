"""Claims of Lorraine, Acuna, Vicol & Duvenaud 2022, "Complex momentum for optimization in games"."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from hypothesis import strategies as st

from .. import analysis, games, rules
from ..types import Array, Game
from . import strategies
from .declare import Evidence, Paper, drawn, fails, formula, where
from .evidence import all_of, attracting, same_spectrum, singular_values

lorraine = Paper("lorraine_2022")
ALMOST_POSITIVE = 0.9 * complex(math.cos(math.pi / 8), math.sin(math.pi / 8))
SMALL = 1e-3


def _modes(game: Game, step: float, beta: complex) -> Array:
    """Roots of (z - 1)(z - beta)(z - conj beta) +- i s z (z - Re beta) for each singular value."""
    still = np.poly([1, beta, beta.conjugate()])
    moving = np.array([0, 1, -beta.real, 0])
    s = step * singular_values(game)
    return np.concatenate([np.roots(still + 1j * sign * value * moving) for value in s for sign in (1, -1)])


@lorraine.says("Lorraine et al. 2022, the theorem on bilinear zero-sum games and its figures with arg(beta) = pi/8")
@formula(r"(z-1)(z-\beta)(z-\bar\beta) \pm i s z (z - \mathrm{Re}\,\beta) = 0 \Rightarrow |z| < 1")
@drawn(20, game=strategies.bilinear(), share=st.floats(0.1, 1))
@where(lambda game, share: bool(singular_values(game)[-1] > 0.1 * singular_values(game)[0]))
@fails("the momentum is real", lambda: {"game": games.bilinear(), "share": 0.5, "momentum": 0.9})
@fails("the step is longer", lambda: {"game": games.bilinear(), "share": 1.1}, share=0.9)
def almost_positive(game: Game, share: float, momentum: complex = ALMOST_POSITIVE) -> Evidence:
    """On bilinear games with a nonsingular matrix simultaneous steps with the momentum 0.9 e^(i pi/8) converge for eta
    sigma_max <= 0.07, where no real momentum does for any step.
    """
    step = share * 0.07 / float(singular_values(game)[0])
    rule = rules.HeavyBall(step, momentum)
    return all_of(
        attracting(game, rule),
        same_spectrum(analysis.linearize(game, rule).eigenvalues, _modes(game, step, complex(momentum)), 1e-7),
    )


def _margin(beta: complex) -> float:
    d = 1 - beta.real
    return 0.5 + 1 / d - 2 * d / (d**2 + beta.imag**2)


@lorraine.sharpened("Lorraine et al. 2022, the theorem on bilinear zero-sum games (complex beta); which derived here")
@formula(r"\tfrac12 + \frac1{1-r} > \frac{2(1-r)}{(1-r)^2 + q^2}, \qquad \beta = r + iq")
@drawn(40, size=st.floats(0, 0.9), angle=st.floats(0, math.pi))
@where(lambda size, angle: abs(_margin(complex(size * math.cos(angle), size * math.sin(angle)))) > 0.02)
@fails(
    "'every momentum that is not real' instead: i/10 is too small",
    lambda: {"size": 0.1, "angle": math.pi / 2, "condition": lambda beta: abs(beta.imag)},
)
def which_momenta(size: float, angle: float, condition: Any = None) -> Evidence:
    """Of the momenta |beta| <= 0.9 exactly those let small simultaneous steps converge on bilinear games for which 1/2
    + 1/(1-r) > 2(1-r)/((1-r)^2 + q^2), beta = r + iq: no real one, and complex ones of either sign of r.
    """
    beta = complex(size * math.cos(angle), size * math.sin(angle))

    matrix = analysis.linearize(games.bilinear(), rules.HeavyBall(SMALL, beta)).matrix
    modulus = float(np.abs(np.linalg.eigvals(matrix)).max())
    expected = (condition or _margin)(beta) > 0
    return Evidence(bool((modulus < 1) == expected), f"spectral radius {modulus:.12g}, margin {_margin(beta):.4g}")
