"""Claims of Azizian, Mitliagkas, Lacoste-Julien & Gidel 2020, "A tight and unified analysis of extragradient"."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from .. import games, rules
from ..types import Array, Game, Rule
from . import strategies
from .declare import Evidence, Paper, drawn, fails, formula, where
from .evidence import jacobian, map_matrix, moduli, orbit, same_spectrum

azizian = Paper("azizian_2020")


def _images(values: Array, step: float, rule: Rule) -> Array:
    """What each eigenvalue of J becomes under a rule."""
    s = step * values
    if rule is rules.Extragradient:
        return 1 - s + s**2
    if rule is rules.ProximalPoint:
        return 1 / (1 + s)
    return np.concatenate([np.roots([1, 2 * e - 1, -e]) for e in s])


def _separated(game: Game, step: float, rule: Rule) -> bool:
    """1 + s away from zero for the proximal step, and no defective matrix in the way of float eigenvalues."""
    values, vectors = np.linalg.eig(jacobian(game))
    return bool(np.abs(1 + step * values).min() > 0.05 and np.linalg.cond(vectors) < 1e3)


@azizian.says("Azizian et al. 2020, section 4 (spectra of extragradient, optimistic and proximal steps)")
@formula(r"1 - \eta\lambda + \eta^2\lambda^2,\ \ z^2 - (1-2\eta\lambda)z - \eta\lambda = 0,\ \ (1+\eta\lambda)^{-1}")
@drawn(
    20,
    game=strategies.mixed(sizes=((1, 1), (2, 1), (1, 1, 1))),
    step=strategies.steps(0.3, 0.05),
    rule=st.sampled_from([rules.Extragradient, rules.OptimisticGD, rules.ProximalPoint]),
)
@where(_separated)
@fails(
    "steps in turn: another spectrum",
    lambda: {
        "game": games.quadratic(1, 2, 1),
        "step": 0.2,
        "rule": rules.Extragradient,
        "used": lambda step: rules.Alternating(rules.Extragradient(step)),
    },
)
def spectra(game: Game, step: float, rule: Any, used: Any = None) -> Evidence:
    """In any game each eigenvalue lambda of J at an equilibrium becomes 1 - eta lambda + eta^2 lambda^2 under
    extragradient, the roots of z^2 - (1 - 2 eta lambda) z - eta lambda under the optimistic rule, and 1/(1 + eta
    lambda) under the proximal point method.
    """
    values = np.linalg.eigvals(jacobian(game))
    matrix = map_matrix(game, (used or rule)(step))
    return same_spectrum(np.linalg.eigvals(matrix), _images(values, step, rule), 1e-6)


@azizian.says("Azizian et al. 2020, the theorem on extragradient's global rate")
@formula(r"\|w^+-w^*\|^2 \le \big(1 - \tfrac14(\tfrac{\mu}{L} + \tfrac{\gamma^2}{16L^2})\big)\|w-w^*\|^2")
@drawn(40, game=strategies.monotone(), start=strategies.starts())
@fails("mu < 0", lambda: {"game": games.quadratic(-2, 1, 1), "start": (1, 0)}, game=lambda: games.quadratic(2, 1, 1))
@fails("a step of 1.2/L", lambda: {"game": games.bilinear(), "share": 1.2})
def global_rate(game: Game, share: float = 0.25, start: object = (1.0, 0.5, -0.7, 0.3)) -> Evidence:
    """With eta = 1/(4L) extragradient contracts the squared distance by 1 - (mu/L + gamma^2/(16 L^2))/4 at least, on
    every mu-monotone L-Lipschitz field with |v(a) - v(b)| >= gamma |a - b|: linearly also on bilinear games, where mu =
    0. Tried on affine fields, and on log cosh terms added to them.
    """
    mu, lipschitz, least = moduli(game)
    bound = 1 - (mu / lipschitz + least**2 / (16 * lipschitz**2)) / 4
    w = np.resize(np.array(start), game.dim)
    after = orbit(game, rules.Extragradient(share / lipschitz), w, 1)[-1]
    found = float(after @ after / (w @ w))
    return Evidence(found <= bound + 1e-12, f"factor {found:.8g}, bound {bound:.8g}")
