"""Claims of Lorraine, Acuna, Vicol & Duvenaud 2022, "Complex momentum for optimization in games"."""

from __future__ import annotations

import math
from typing import Any

from .. import games, rules
from ..types import Game
from .base import Claim, Evidence, How, Mutant, Origin, Outside, register
from .evidence import all_of, attracting, same_spectrum, singular_values

ALMOST_POSITIVE = 0.9 * complex(math.cos(math.pi / 8), math.sin(math.pi / 8))
SMALL = 1e-3


def _modes(game: Game, step: float, beta: complex) -> Any:
    """Roots of (z - 1)(z - beta)(z - conj beta) +- i s z (z - Re beta) for each singular value."""
    import numpy as np

    still = np.poly([1, beta, beta.conjugate()])
    moving = np.array([0, 1, -beta.real, 0])
    s = step * singular_values(game)
    return np.concatenate([np.roots(still + 1j * sign * value * moving) for value in s for sign in (1, -1)])


def _converges(game: Game, share: float, momentum: complex = ALMOST_POSITIVE) -> Evidence:
    from ..analysis.local.linearize import linearize

    step = share * 0.07 / float(singular_values(game)[0])
    rule = rules.HeavyBall(step, momentum)
    return all_of(
        attracting(game, rule),
        same_spectrum(linearize(game, rule).eigenvalues, _modes(game, step, complex(momentum)), 1e-7),
    )


def _draws() -> Any:
    from hypothesis import strategies as st

    from . import strategies

    return st.fixed_dictionaries({"game": strategies.bilinear(), "share": st.floats(0.1, 1)})


register(
    Claim(
        name="lorraine_2022.almost_positive",
        statement=(
            "On bilinear games with a nonsingular matrix simultaneous steps with the momentum 0.9 e^(i pi/8) converge "
            "for eta sigma_max <= 0.07, where no real momentum does for any step."
        ),
        latex=r"(z-1)(z-\beta)(z-\bar\beta) \pm i s z (z - \mathrm{Re}\,\beta) = 0 \Rightarrow |z| < 1",
        source="Lorraine et al. 2022, the theorem on bilinear zero-sum games and its figures with arg(beta) = pi/8",
        how=How.PROPERTY,
        origin=Origin.PAPER,
        conclusion=_converges,
        hypotheses=_draws,
        where=lambda game, share: bool(singular_values(game)[-1] > 0.1 * singular_values(game)[0]),
        outside=(
            Outside("the momentum is real", lambda: {"game": games.bilinear(), "share": 0.5, "momentum": 0.9}),
            Outside(
                "the step is longer", lambda: {"game": games.bilinear(), "share": 1.1}, restore=lambda: {"share": 0.9}
            ),
        ),
        mutants=(Mutant("rules/heavy_ball.py", "m := m - imaginary * n", "m := m + imaginary * n"),),
        draws=20,
    )
)


def _criterion(size: float, angle: float, condition: Any = None) -> Evidence:
    """Small steps converge exactly when 1/2 + 1/(1-r) exceeds 2 (1-r) / ((1-r)^2 + q^2), beta = r + i q."""
    beta = complex(size * math.cos(angle), size * math.sin(angle))
    import numpy as np

    from ..analysis.local.linearize import linearize

    matrix = linearize(games.bilinear(), rules.HeavyBall(SMALL, beta)).matrix
    modulus = float(np.abs(np.linalg.eigvals(matrix)).max())
    expected = (condition or _margin)(beta) > 0
    return Evidence(bool((modulus < 1) == expected), f"spectral radius {modulus:.12g}, margin {_margin(beta):.4g}")


def _margin(beta: complex) -> float:
    d = 1 - beta.real
    return 0.5 + 1 / d - 2 * d / (d**2 + beta.imag**2)


def _disc() -> Any:
    from hypothesis import strategies as st

    return st.fixed_dictionaries({"size": st.floats(0, 0.9), "angle": st.floats(0, math.pi)})


register(
    Claim(
        name="lorraine_2022.which_momenta",
        statement=(
            "Of the momenta |beta| <= 0.9 exactly those let small simultaneous steps converge on bilinear games for "
            "which 1/2 + 1/(1-r) > 2(1-r)/((1-r)^2 + q^2), beta = r + iq: no real one, and complex ones of either "
            "sign of r."
        ),
        latex=r"\tfrac12 + \frac1{1-r} > \frac{2(1-r)}{(1-r)^2 + q^2}, \qquad \beta = r + iq",
        source="Lorraine et al. 2022, the theorem on bilinear zero-sum games (some complex beta); which, derived here",
        how=How.PROPERTY,
        origin=Origin.SHARPENED,
        conclusion=_criterion,
        hypotheses=_disc,
        where=lambda size, angle: abs(_margin(complex(size * math.cos(angle), size * math.sin(angle)))) > 0.02,
        outside=(
            Outside(
                "'every momentum that is not real' instead: i/10 is too small",
                lambda: {"size": 0.1, "angle": math.pi / 2, "condition": lambda beta: abs(beta.imag)},
            ),
        ),
        mutants=(Mutant("rules/heavy_ball.py", "real * n + imaginary * state", "real * n - imaginary * state"),),
        draws=40,
    )
)
