"""Claims of Gidel, Berard, Vignoud, Vincent & Lacoste-Julien 2019, "A variational inequality perspective on GANs"."""

from __future__ import annotations

from typing import Any

from .. import games, rules
from ..types import Game, Rule
from .base import Claim, Evidence, How, Mutant, Origin, Outside, register
from .evidence import all_of, bilinear_modes, critical_step, same_numbers

ROUNDS = 200


def _extragradient(ahead: int = 1) -> Evidence:
    import sympy

    lr = sympy.Symbol("lr", positive=True)
    rule = rules.Extragradient("lr", None if ahead == 1 else lr / ahead)
    return all_of(
        bilinear_modes(rule, lambda z, sigma: z - (1 - sympy.I * lr * sigma - lr**2 * sigma**2)),
        critical_step(games.bilinear(3), rule, sympy.Rational(1, 3)),
    )


register(
    Claim(
        name="gidel_2019_vi.extragradient",
        statement=(
            "On bilinear games with a nonsingular matrix extragradient with two equal steps converges exactly when "
            "eta sigma_max < 1; each singular direction shrinks by sqrt(1 - s^2 + s^4), s = eta sigma."
        ),
        latex=r"\lambda = 1 - i s - s^2, \qquad |\lambda|^2 = 1 - s^2 + s^4 < 1 \iff s < 1",
        source="Gidel et al. 2019, section 3 (extrapolation on the bilinear game); the exact modulus derived here",
        how=How.PROVED,
        origin=Origin.SHARPENED,
        conclusion=_extragradient,
        outside=(
            Outside(
                "the look-ahead is half the step: |lambda|^2 = 1 + s^4/4, it never converges",
                lambda: {"ahead": 2},
            ),
        ),
        mutants=(Mutant("rules/extragradient.py", "game.project(w - ahead * v)", "game.project(w + ahead * v)"),),
    )
)


def _averages(game: Game, inner: Rule) -> Evidence:
    """t times the average of w_1, ..., w_t is (I - M)^-1 M (I - M^t) w_0, which stays bounded while M's orbits do."""
    import numpy as np

    from ..analysis.local.linearize import linearize
    from ..dynamics.iterate import iterate

    start = np.linspace(1.0, 2.0, game.dim)
    run = iterate(game, rules.Averaging(inner), start, ROUNDS)
    matrix = np.asarray(linearize(game, inner).matrix, dtype=float)
    unit = np.eye(game.dim)
    ahead = np.linalg.solve(unit - matrix, matrix)
    powers = [np.linalg.matrix_power(matrix, t) for t in (ROUNDS // 2, ROUNDS)]
    expected = np.array([ahead @ (unit - power) @ start for power in powers])
    scaled = np.array([t * run.w[t] for t in (ROUNDS // 2, ROUNDS)])
    values, vectors = np.linalg.eig(matrix)
    bound = np.linalg.norm(ahead, 2) * (1 + np.linalg.cond(vectors)) * np.linalg.norm(start)
    largest = max(t * float(np.linalg.norm(run.w[t])) for t in range(1, ROUNDS + 1))
    return all_of(
        same_numbers(scaled, expected, 1e-9),
        Evidence(
            bool(np.abs(values).max() < 1 + 1e-9 and largest <= bound),
            f"t |average| at most {largest:.4g} in {ROUNDS} rounds, bound {bound:.4g}",
        ),
    )


def _alternating() -> Any:
    from hypothesis import strategies as st

    from . import strategies

    return st.fixed_dictionaries(
        {
            "game": strategies.bilinear(),
            "inner": strategies.steps(0.45, 0.05).map(rules.AlternatingGD),
        }
    )


def _bounded(game: Game, inner: Any) -> bool:
    from .evidence import singular_values

    return bool(inner.lr * singular_values(game)[0] < 1.9 and inner.lr * singular_values(game)[-1] > 0.02)


register(
    Claim(
        name="gidel_2019_vi.averaging",
        statement=(
            "On bilinear games with a nonsingular matrix alternating gradient steps with eta sigma_max < 2 circle, and "
            "the uniform average of their iterates converges to the equilibrium like 1/t."
        ),
        latex=r"\Big\|\tfrac1t\sum_{k\le t} w_k\Big\| = \tfrac1t\,\|(I-M)^{-1}M(I-M^t)w_0\| \le \tfrac{C}{t}",
        source="Gidel et al. 2019, section 3 (averaging on the bilinear game)",
        how=How.PROPERTY,
        origin=Origin.PAPER,
        conclusion=_averages,
        hypotheses=_alternating,
        where=_bounded,
        outside=(
            Outside(
                "the steps are simultaneous: they leave, and their averages with them",
                lambda: {"game": games.bilinear(), "inner": rules.SimultaneousGD(0.2)},
                restore=lambda: {"inner": rules.AlternatingGD(0.2)},
            ),
        ),
        mutants=(Mutant("rules/averaging.py", "w + (iterate - w) / t", "w + (iterate - w) / (t + 1)"),),
        draws=20,
    )
)


def _popov(game: Game, step: Any, start: Any = None) -> Evidence:
    """Past extragradient's moves are -eta v at the optimistic rule's iterates."""
    import numpy as np

    from ..dynamics.iterate import iterate

    w = np.linspace(0.5, 1.0, game.dim) if start is None else np.array(start)
    past = np.asarray(iterate(game, rules.PastExtragradient(step), w, 30).w)
    optimistic = np.asarray(iterate(game, rules.OptimisticGD(step), w, 30).w)
    scale = max(1.0, float(np.abs(past).max()))
    return same_numbers(np.diff(past, axis=0) / scale, -step * game.field(optimistic[1:]) / scale, 1e-12)


def _unconstrained() -> Any:
    from hypothesis import strategies as st

    from . import strategies

    games_ = st.one_of(strategies.bilinear(), strategies.strongly_monotone(), st.builds(games.forsaken))
    return st.fixed_dictionaries({"game": games_, "step": strategies.steps(0.2)})


register(
    Claim(
        name="gidel_2019_vi.extrapolation_from_the_past",
        statement=(
            "Without constraints the look-ahead points of extrapolation from the past are the iterates of the "
            "optimistic rule, on every game and for every step."
        ),
        latex=r"w'_{t+1} = w'_t - 2\eta v(w'_t) + \eta v(w'_{t-1}), \qquad w_t = w_{t-1} - \eta v(w'_t)",
        source="Gidel et al. 2019, section 3.3 (extrapolation from the past) and its remark on optimism",
        how=How.PROPERTY,
        origin=Origin.PAPER,
        conclusion=_popov,
        hypotheses=_unconstrained,
        outside=(
            Outside(
                "player y is kept in [-1, 1] by projection",
                lambda: {"game": games.boxed_bilinear(), "step": 0.5, "start": (2.0, 0.5)},
                restore=lambda: {"game": games.bilinear()},
            ),
        ),
        mutants=(Mutant("rules/extragradient.py", 'w - lr * state["field_ahead"]', 'w + lr * state["field_ahead"]'),),
        draws=20,
    )
)
