"""Claims of Azizian, Mitliagkas, Lacoste-Julien & Gidel 2020, "A tight and unified analysis of extragradient"."""

from __future__ import annotations

from typing import Any

from .. import games, rules
from ..types import Game
from .base import Claim, Evidence, How, Mutant, Origin, Outside, register
from .evidence import moduli, same_spectrum


def _images(values: Any, step: float, rule: Any) -> Any:
    """What each eigenvalue of J becomes under a rule."""
    import numpy as np

    s = step * values
    if rule is rules.Extragradient:
        return 1 - s + s**2
    if rule is rules.ProximalPoint:
        return 1 / (1 + s)
    return np.concatenate([np.roots([1, 2 * e - 1, -e]) for e in s])


def _spectrum(game: Game, step: float, rule: Any, used: Any = None) -> Evidence:
    import numpy as np

    from ..analysis.local.linearize import linearize

    values = np.linalg.eigvals(game.jacobian(np.zeros(game.dim)))
    matrix = np.asarray(linearize(game, (used or rule)(step)).matrix, dtype=float)
    return same_spectrum(np.linalg.eigvals(matrix), _images(values, step, rule), 1e-6)


def _draws() -> Any:
    from hypothesis import strategies as st

    from . import strategies

    drawn = strategies.mixed(sizes=((1, 1), (2, 1), (1, 1, 1)))
    rule = st.sampled_from([rules.Extragradient, rules.OptimisticGD, rules.ProximalPoint])
    return st.fixed_dictionaries({"game": drawn, "step": strategies.steps(0.3, 0.05), "rule": rule})


def _separated(game: Game, step: float, rule: Any) -> bool:
    """1 + s away from zero for the proximal step, and no defective matrix in the way of float eigenvalues."""
    import numpy as np

    values, vectors = np.linalg.eig(game.jacobian(np.zeros(game.dim)))
    return bool(np.abs(1 + step * values).min() > 0.05 and np.linalg.cond(vectors) < 1e3)


register(
    Claim(
        name="azizian_2020.spectra",
        statement=(
            "In any game each eigenvalue lambda of J at an equilibrium becomes 1 - eta lambda + eta^2 lambda^2 under "
            "extragradient, the roots of z^2 - (1 - 2 eta lambda) z - eta lambda under the optimistic rule, and "
            "1/(1 + eta lambda) under the proximal point method."
        ),
        latex=(
            r"1 - \eta\lambda + \eta^2\lambda^2,\ \ z^2 - (1-2\eta\lambda)z - \eta\lambda = 0,\ \ "
            r"(1+\eta\lambda)^{-1}"
        ),
        source="Azizian et al. 2020, section 4 (spectra of extragradient, optimistic and proximal steps)",
        how=How.PROPERTY,
        origin=Origin.PAPER,
        conclusion=_spectrum,
        hypotheses=_draws,
        where=_separated,
        outside=(
            Outside(
                "steps in turn: another spectrum",
                lambda: {
                    "game": games.quadratic(1, 2, 1),
                    "step": 0.2,
                    "rule": rules.Extragradient,
                    "used": lambda step: rules.Alternating(rules.Extragradient(step)),
                },
            ),
        ),
        mutants=(Mutant("rules/proximal.py", "return at - move", "return at - move / 2"),),
        draws=20,
    )
)


def _contraction(game: Game, share: float = 0.25, start: Any = (1.0, 0.5, -0.7, 0.3)) -> Evidence:
    """One step with eta = share / L against 1 - (mu/L + gamma^2/(16 L^2)) / 4, in squared distance."""
    import numpy as np

    from ..dynamics.iterate import iterate

    mu, lipschitz, least = moduli(game)
    bound = 1 - (mu / lipschitz + least**2 / (16 * lipschitz**2)) / 4
    w = np.resize(np.array(start), game.dim)
    after = np.asarray(iterate(game, rules.Extragradient(share / lipschitz), w, 1).w)[-1]
    found = float(after @ after / (w @ w))
    return Evidence(found <= bound + 1e-12, f"factor {found:.8g}, bound {bound:.8g}")


def _monotone() -> Any:
    from hypothesis import strategies as st

    from . import strategies

    monotone = strategies.strongly_monotone(nonlinear=None)
    drawn = st.one_of(
        strategies.bilinear(condition=1e3), monotone, strategies.mixed("positive", sizes=((1, 1), (3, 2)))
    )
    coordinates = st.tuples(*[st.floats(-2, 2).filter(lambda c: abs(c) > 1e-3)] * 8)
    return st.fixed_dictionaries({"game": drawn, "start": coordinates})


register(
    Claim(
        name="azizian_2020.global_rate",
        statement=(
            "With eta = 1/(4L) extragradient contracts the squared distance by 1 - (mu/L + gamma^2/(16 L^2))/4 at "
            "least, on every mu-monotone L-Lipschitz field with |v(a) - v(b)| >= gamma |a - b|: linearly also on "
            "bilinear games, where mu = 0. Tried on affine fields, and on log cosh terms added to them."
        ),
        latex=r"\|w^+-w^*\|^2 \le \big(1 - \tfrac14(\tfrac{\mu}{L} + \tfrac{\gamma^2}{16L^2})\big)\|w-w^*\|^2",
        source="Azizian et al. 2020, the theorem on extragradient's global rate",
        how=How.PROPERTY,
        origin=Origin.PAPER,
        conclusion=_contraction,
        hypotheses=_monotone,
        outside=(
            Outside(
                "mu < 0",
                lambda: {"game": games.quadratic(-2, 1, 1), "start": (1.0, 0.0)},
                restore=lambda: {"game": games.quadratic(2, 1, 1)},
            ),
            Outside("a step of 1.2/L", lambda: {"game": games.bilinear(), "share": 1.2}),
        ),
        mutants=(Mutant("rules/extragradient.py", "game.project(w - ahead * v)", "game.project(w + ahead * v)"),),
        draws=40,
    )
)
