"""Claims of Nagarajan & Kolter 2017, on local stability: the toy, the regulariser, the rank condition."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from .. import analysis, games
from ..lazy import sympy
from ..types import Parameter
from . import strategies
from .declare import Evidence, Paper, drawn, fails, formula, incomparable, proved
from .evidence import all_of, attracting, same_expressions, same_spectrum

nagarajan = Paper("nagarajan_2017")


def _moments(loss: str, eta: Parameter = 0) -> tuple[sympy.Expr, sympy.Expr, sympy.Expr]:
    """The generator's and the discriminator's costs of the toy, by integrals over x and z uniform on [-1, 1]; a, w."""
    a, w, x = sympy.symbols("a w x", real=True)

    def link(t: sympy.Expr) -> sympy.Expr:
        return t - t**2 / 2 if loss == "square" else t

    value = sympy.integrate(sympy.expand(link(w * x**2) + link(-w * (a * x) ** 2)), (x, -1, 1)) / 2
    return value + eta * sympy.diff(value, w) ** 2, -value, (a, w)


@nagarajan.sharpened("Nagarajan & Kolter 2017, theorem 3.1 on the example of section 3")
@proved(r"\lambda = -\tfrac{1}{5} \pm \sqrt{\tfrac{1}{25} - \tfrac{4}{9}}")
@fails("a linear link, the Wasserstein GAN: h''(0) = 0", lambda: {"loss": "wasserstein"})
@fails("the fixed point where the generator has collapsed", lambda: {"collapsed": True})
def toy_is_stable(loss: str = "square", collapsed: bool = False) -> Evidence:
    """Learning a uniform distribution with G(z) = a z and D(x) = w x^2 and a strictly concave link (the square loss,
    h(t) = t - t^2/2), the flow attracts at the equilibrium a = 1, w = 0, although the value is not convex-concave: its
    eigenvalues are -1/5 +- sqrt(1/25 - 4/9).

    -J at (1, 0) from integrals done here, beside the game's eigenvalues; attraction by the sign of the trace.
    """
    first, second, (a, w) = _moments(loss)
    at = {a: 0, w: sympy.Rational(5, 3)} if collapsed else {a: 1, w: 0}
    field = sympy.Matrix([sympy.diff(first, a), sympy.diff(second, w)])
    flow = -field.jacobian([a, w]).subs(at)
    game = games.nagarajan_kolter(loss)
    found = analysis.linearize(game, at=tuple(at.values())).exact
    if found is None:
        return incomparable("no exact equilibrium there")
    root = sympy.sqrt(sympy.Rational(1, 25) - sympy.Rational(4, 9))
    here = attracting(game, at=tuple(at.values()))
    return all_of(
        same_expressions(list(game.field_exprs), [e.subs(dict(zip((a, w), game.symbols, strict=True))) for e in field]),
        same_expressions(found.matrix, flow),
        here,
        same_spectrum([complex(e) for e in flow.eigenvals()], [complex(root) - 0.2, -complex(root) - 0.2], 1e-12),
    )


@nagarajan.sharpened("Nagarajan & Kolter 2017, section 4, on the example of section 3")
@formula(r"\lambda^2 + \tfrac{8\eta}{9}\lambda + \tfrac{4}{9} = 0")
@drawn(15, weight=strategies.tenths(0.1, 4))
@fails("eta = 0: it circles", lambda: {"weight": 0}, weight=1)
@fails("eta < 0", lambda: {"weight": -1}, weight=1)
def regulariser_damps(weight: object, loss: str = "wasserstein") -> Evidence:
    """The regulariser eta |grad_D V|^2 in the generator's cost makes the Wasserstein toy's equilibrium attracting for
    every eta > 0 and moves no equilibrium: the flow's trace is -8 eta/9, its determinant 4/9.
    """
    eta = sympy.nsimplify(weight)
    first, second, (a, w) = _moments(loss, eta)
    flow = -sympy.Matrix([sympy.diff(first, a), sympy.diff(second, w)]).jacobian([a, w]).subs({a: 1, w: 0})
    game = games.nagarajan_kolter(loss, eta=eta)
    found = analysis.linearize(game).exact
    if found is None:
        return incomparable("no exact equilibrium there")
    return all_of(
        same_expressions([flow.trace(), flow.det()], [-8 * eta / 9, sympy.Rational(4, 9)]),
        same_expressions(found.matrix, flow),
        attracting(game),
    )


@nagarajan.sharpened("Nagarajan & Kolter 2017, theorem 3.1, whose assumptions ask for a full-rank K_DD, here c")
@formula(r"\lambda = -\tfrac{c}{4} \pm \sqrt{\tfrac{c^2}{16} - \tfrac{1}{4}},\quad c = \mathbb{E}\,x^2")
@drawn(
    20,
    st.lists(
        st.tuples(st.integers(1, 4), st.integers(-4, 4)), min_size=2, max_size=4, unique_by=lambda pair: pair[1]
    ).map(lambda found: {"shares": [s for s, _ in found], "places": [p for _, p in found]}),
)
@fails("data at the origin alone, the Dirac-GAN: c = 0", lambda: {"shares": [1, 0], "places": [0, 2]}, places=[1, 2])
def curvature_of_the_discriminator(shares: list[int], places: list[int]) -> Evidence:
    """A generator that shifts the data, against a linear discriminator with the logistic link, is locally stable
    exactly where the discriminator's second moment c on the data is positive: eigenvalues -c/4 +- sqrt(c^2/16 - 1/4),
    independently of any curvature of the generator.
    """
    data = [sympy.Rational(n, sum(shares)) for n in shares]
    support = [sympy.Rational(n, 2) for n in places]
    game = games.density_game_in_parameters(data, support)
    moment = float(sum(d * x**2 for d, x in zip(data, support, strict=True)))
    root = np.sqrt(complex(moment**2 / 16 - 0.25))
    expected = [-moment / 4 + root, -moment / 4 - root]
    return all_of(same_spectrum(analysis.linearize(game).eigenvalues, expected, 1e-9), attracting(game))
