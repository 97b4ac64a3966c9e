"""Claims of Grnarova et al. 2021, "Generative minimization networks: training GANs without competition"."""

from __future__ import annotations

from typing import Any

from .. import games, rules
from ..games.quadratic import quadratic
from ..types import Game
from .base import Claim, Evidence, How, Mutant, Origin, Outside, register
from .evidence import bilinear_modes, same_expressions


def _is_consensus(game: Game, k: int) -> Evidence:
    """The two update maps, with free step sizes."""
    import sympy

    from ..dynamics.trace import update_map

    lr, inner = sympy.symbols("lr inner", positive=True)
    gap = update_map(game, rules.DualityGapDescent(lr, k, inner))
    return same_expressions(gap.expression, update_map(game, rules.Consensus(lr, k * inner)).expression)


def _general_bilinear() -> Game:
    """x^T M y with two coordinates a player and four free entries."""
    import sympy

    game: Game = games.bilinear(sympy.Matrix(2, 2, sympy.symbols("m1:5", real=True)).tolist())
    return game


def _steps() -> Any:
    from hypothesis import strategies as st

    return st.fixed_dictionaries({"game": st.builds(_general_bilinear), "k": st.integers(1, 4)})


register(
    Claim(
        name="grnarova_2021.consensus",
        statement=(
            "On bilinear games, descent on the duality gap with k inner steps e held fixed is consensus "
            "optimisation with weight "
            "gamma = k e, as an identity of update maps."
        ),
        latex=r"\nabla f(\cdot, y_k) - \nabla f(x_k, \cdot) = v + k e\, J^\top v",
        source="Grnarova et al. 2021, section 4 (the practical algorithm); the identity derived here, for k up to 4",
        how=How.PROVED,
        origin=Origin.DERIVED,
        conclusion=_is_consensus,
        hypotheses=_steps,
        outside=(
            Outside(
                "the players have curvature of their own",
                lambda: {"game": quadratic(1, 1, 1), "k": 1},
                restore=lambda: {"game": games.bilinear()},
            ),
        ),
        mutants=(
            Mutant("rules/duality_gap.py", "for _ in range(self.k):", "for _ in range(1):"),
            Mutant("rules/consensus.py", "w) * game.vjp(w, v, batch)", "w) * game.jvp(w, v, batch)"),
        ),
        draws=8,
    )
)


def _no_rotation(k: int, through: bool = True) -> Evidence:
    import sympy

    lr, inner = sympy.symbols("lr inner", positive=True)
    rule = rules.DualityGapDescent(lr, k, inner, through=through)
    return bilinear_modes(rule, lambda z, sigma: z - (1 - 2 * lr * k * inner * sigma**2))


def _inner_steps() -> Any:
    from hypothesis import strategies as st

    return st.fixed_dictionaries({"k": st.integers(1, 3)})


register(
    Claim(
        name="grnarova_2021.no_competition",
        statement="On bilinear games descent on the k-step duality gap, differentiated through the inner steps, "
        "does not rotate: all its eigenvalues are real. With the end of the inner steps held fixed it does.",
        latex=r"\lambda = 1 - 2 \eta k e \sigma^2 \quad\text{beside}\quad 1 - \eta k e \sigma^2 \pm i \eta \sigma",
        source="beside Grnarova et al. 2021, sections 1 and 4 (minimisation in place of competition); for k up to 3",
        how=How.PROVED,
        origin=Origin.DERIVED,
        conclusion=_no_rotation,
        hypotheses=_inner_steps,
        outside=(Outside("the inner iterates are held fixed", lambda: {"k": 2, "through": False}),),
        mutants=(Mutant("rules/duality_gap.py", "adjoint = adjoint - game.vjp", "adjoint = adjoint + game.vjp"),),
        draws=3,
    )
)


def _quadratic_gap(a: Any, b: Any, c: Any) -> Evidence:
    """DG = (a + b^2/c) x^2 / 2 + (c + b^2/a) y^2 / 2 for f = a x^2/2 + b x y - c y^2/2."""
    import sympy

    from ..analysis.gap.measure import duality_gap

    a, b, c = (sympy.sympify(e, strict=True) for e in (a, b, c))
    x, y = sympy.symbols("x y", real=True)
    value = duality_gap(games.from_sympy(a * x**2 / 2 + b * x * y - c * y**2 / 2, [x, y])).value
    if value in (sympy.oo, float("inf")) or sympy.sympify(value, strict=True).has(sympy.Piecewise):
        return Evidence(False, f"the gap is {value}")
    return same_expressions([value], [(a + b**2 / c) * x**2 / 2 + (c + b**2 / a) * y**2 / 2])


def _curvatures() -> Any:
    from hypothesis import strategies as st

    from .strategies import tenths

    toy = st.just({"a": 6, "b": 4, "c": 2})
    return toy | st.fixed_dictionaries({"a": tenths(0.1, 6), "b": tenths(-4, 4), "c": tenths(0.1, 6)})


register(
    Claim(
        name="grnarova_2021.exact_gap",
        statement=(
            "The duality gap of f = a x^2/2 + b x y - c y^2/2 with a, c > 0 is a convex quadratic with its "
            "minimum at the "
            "saddle point; for f = 3 x^2 - y^2 + 4 x y it is 7 x^2 + 7/3 y^2."
        ),
        latex=r"\mathrm{DG} = \tfrac12\big(a + \tfrac{b^2}{c}\big)x^2 + \tfrac12\big(c + \tfrac{b^2}{a}\big)y^2",
        source="Grnarova et al. 2021, section 4 and the figure of the landscapes; closed form derived here",
        how=How.PROPERTY,
        origin=Origin.SHARPENED,
        conclusion=_quadratic_gap,
        hypotheses=_curvatures,
        outside=(
            Outside(
                "nothing bends player 2's cost: the gap is infinite",
                lambda: {"a": 6, "b": 4, "c": 0},
                restore=lambda: {"c": 2},
            ),
        ),
        mutants=(
            Mutant(
                "analysis/gap/exact.py",
                "share = sympy.factor(sympy.simplify((g.T * step)[0] / 2))",
                "share = sympy.factor(sympy.simplify((g.T * step)[0]))",
            ),
        ),
        draws=6,
    )
)
