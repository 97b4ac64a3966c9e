"""Claims of Grnarova et al. 2021, "Generative minimization networks: training GANs without competition"."""

from __future__ import annotations

from hypothesis import strategies as st

from .. import analysis, games, rules
from ..games.quadratic import quadratic
from ..lazy import sympy
from ..types import Game
from .declare import Evidence, Paper, drawn, fails, formula, proved
from .evidence import bilinear_modes, same_expressions, same_maps
from .strategies import tenths

grnarova = Paper("grnarova_2021")


def _general_bilinear() -> Game:
    """x^T M y with two coordinates a player and four free entries."""
    game: Game = games.bilinear(sympy.Matrix(2, 2, sympy.symbols("m1:5", real=True)).tolist())
    return game


@grnarova.derived("Grnarova et al. 2021, section 4 (the practical algorithm); the identity derived here, for k up to 4")
@proved(r"\nabla f(\cdot, y_k) - \nabla f(x_k, \cdot) = v + k e\, J^\top v")
@drawn(8, game=st.builds(_general_bilinear), k=st.integers(1, 4))
@fails("both players have own curvature", lambda: {"game": quadratic(1, 1, 1), "k": 1}, game=games.bilinear)
def consensus(game: Game, k: int) -> Evidence:
    """On bilinear games, descent on the duality gap with k inner steps e held fixed is consensus optimisation with
    weight gamma = k e, as an identity of update maps.
    """
    lr, inner = sympy.symbols("lr inner", positive=True)
    return same_maps(game, rules.DualityGapDescent(lr, k, inner), rules.Consensus(lr, k * inner))


@grnarova.derived("beside Grnarova et al. 2021, sections 1 and 4 (minimisation in place of competition); for k up to 3")
@proved(r"\lambda = 1 - 2 \eta k e \sigma^2 \quad\text{beside}\quad 1 - \eta k e \sigma^2 \pm i \eta \sigma")
@drawn(3, k=st.integers(1, 3))
@fails("the inner iterates are held fixed", lambda: {"k": 2, "through": False})
def no_competition(k: int, through: bool = True) -> Evidence:
    """On bilinear games descent on the k-step duality gap, differentiated through the inner steps, does not rotate: all
    its eigenvalues are real. With the end of the inner steps held fixed it does.
    """
    lr, inner = sympy.symbols("lr inner", positive=True)
    rule = rules.DualityGapDescent(lr, k, inner, through=through)
    return bilinear_modes(rule, lambda z, sigma: z - (1 - 2 * lr * k * inner * sigma**2))


@grnarova.sharpened("Grnarova et al. 2021, section 4 and the figure of the landscapes; closed form derived here")
@formula(r"\mathrm{DG} = \tfrac12\big(a + \tfrac{b^2}{c}\big)x^2 + \tfrac12\big(c + \tfrac{b^2}{a}\big)y^2")
@drawn(
    6,
    st.just({"a": 6, "b": 4, "c": 2})
    | st.fixed_dictionaries({"a": tenths(0.1, 6), "b": tenths(-4, 4), "c": tenths(0.1, 6)}),
)
@fails("nothing bends player 2's cost: the gap is infinite", lambda: {"a": 6, "b": 4, "c": 0}, c=2)
def exact_gap(a: sympy.Expr, b: sympy.Expr, c: sympy.Expr) -> Evidence:
    """The duality gap of f = a x^2/2 + b x y - c y^2/2 with a, c > 0 is a convex quadratic with its minimum at the
    saddle point; for f = 3 x^2 - y^2 + 4 x y it is 7 x^2 + 7/3 y^2.
    """
    a, b, c = (sympy.sympify(e, strict=True) for e in (a, b, c))
    x, y = sympy.symbols("x y", real=True)
    value = analysis.duality_gap(games.from_sympy(a * x**2 / 2 + b * x * y - c * y**2 / 2, [x, y])).value
    if value in (sympy.oo, float("inf")) or sympy.sympify(value, strict=True).has(sympy.Piecewise):
        return Evidence(False, f"the gap is {value}")
    return same_expressions([value], [(a + b**2 / c) * x**2 / 2 + (c + b**2 / a) * y**2 / 2])
