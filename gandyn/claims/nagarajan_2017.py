"""Claims of Nagarajan & Kolter 2017, on local stability: the toy, the regulariser, the rank condition."""

from __future__ import annotations

from typing import Any

from .. import games
from .base import Claim, Evidence, How, Mutant, Origin, Outside, incomparable, register
from .evidence import all_of, attracting, same_expressions, same_spectrum


def _moments(loss: str, eta: Any = 0) -> tuple[Any, Any, Any]:
    """The generator's and the discriminator's costs of the toy, by integrals over x and z uniform on [-1, 1]; a, w."""
    import sympy

    a, w, x = sympy.symbols("a w x", real=True)

    def link(t: Any) -> Any:
        return t - t**2 / 2 if loss == "square" else t

    value = sympy.integrate(sympy.expand(link(w * x**2) + link(-w * (a * x) ** 2)), (x, -1, 1)) / 2
    return value + eta * sympy.diff(value, w) ** 2, -value, (a, w)


def _toy(loss: str, collapsed: bool = False) -> Evidence:
    """-J at (1, 0) from integrals done here, beside the game's eigenvalues; attraction by the sign of the trace."""
    import sympy

    from ..analysis.local.linearize import linearize

    first, second, (a, w) = _moments(loss)
    at = {a: 0, w: sympy.Rational(5, 3)} if collapsed else {a: 1, w: 0}
    field = sympy.Matrix([sympy.diff(first, a), sympy.diff(second, w)])
    flow = -field.jacobian([a, w]).subs(at)
    game = games.nagarajan_kolter(loss)
    found = linearize(game, at=tuple(at.values())).exact
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


register(
    Claim(
        name="nagarajan_2017.toy_is_stable",
        statement="Learning a uniform distribution with G(z) = a z and D(x) = w x^2 and a strictly concave link "
        "(the square loss, h(t) = t - t^2/2), the flow attracts at the equilibrium a = 1, w = 0, although the value is "
        "not convex-concave: its eigenvalues are -1/5 +- sqrt(1/25 - 4/9).",
        latex=r"\lambda = -\tfrac{1}{5} \pm \sqrt{\tfrac{1}{25} - \tfrac{4}{9}}",
        source="Nagarajan & Kolter 2017, theorem 3.1 on the example of section 3",
        how=How.PROVED,
        origin=Origin.SHARPENED,
        conclusion=lambda loss="square", collapsed=False: _toy(loss, collapsed),
        outside=(
            Outside("a linear link, the Wasserstein GAN: h''(0) = 0", lambda: {"loss": "wasserstein"}),
            Outside("the fixed point where the generator has collapsed", lambda: {"collapsed": True}),
        ),
        mutants=(
            Mutant("games/nagarajan_kolter.py", "w**2 * (1 + a**4) / 10", "w**2 * (1 + a**4) / 5"),
            Mutant("games/nagarajan_kolter.py", "w * (1 - a**2) / 3", "w * (1 - a**2) / 2"),
        ),
    )
)


def _regularised(weight: Any, loss: str = "wasserstein") -> Evidence:
    """Trace -8 eta/9 and determinant 4/9, from the integrals; attraction of the library's game."""
    import sympy

    from ..analysis.local.linearize import linearize

    eta = sympy.nsimplify(weight)
    first, second, (a, w) = _moments(loss, eta)
    flow = -sympy.Matrix([sympy.diff(first, a), sympy.diff(second, w)]).jacobian([a, w]).subs({a: 1, w: 0})
    game = games.nagarajan_kolter(loss, eta=eta)
    found = linearize(game).exact
    if found is None:
        return incomparable("no exact equilibrium there")
    return all_of(
        same_expressions([flow.trace(), flow.det()], [-8 * eta / 9, sympy.Rational(4, 9)]),
        same_expressions(found.matrix, flow),
        attracting(game),
    )


def _weights() -> Any:
    from hypothesis import strategies as st

    from . import strategies

    return st.fixed_dictionaries({"weight": strategies.tenths(0.1, 4)})


register(
    Claim(
        name="nagarajan_2017.regulariser_damps",
        statement="The regulariser eta |grad_D V|^2 in the generator's cost makes the Wasserstein toy's equilibrium "
        "attracting for every eta > 0 and moves no equilibrium: the flow's trace is -8 eta/9, its determinant 4/9.",
        latex=r"\lambda^2 + \tfrac{8\eta}{9}\lambda + \tfrac{4}{9} = 0",
        source="Nagarajan & Kolter 2017, section 4, on the example of section 3",
        how=How.PROPERTY,
        origin=Origin.SHARPENED,
        conclusion=_regularised,
        hypotheses=_weights,
        outside=(
            Outside("eta = 0: it circles", lambda: {"weight": 0}, restore=lambda: {"weight": 1}),
            Outside("eta < 0", lambda: {"weight": -1}, restore=lambda: {"weight": 1}),
        ),
        mutants=(
            Mutant("games/nagarajan_kolter.py", "value + eta * sympy", "value - eta * sympy"),
            Mutant("games/nagarajan_kolter.py", "sympy.diff(value, w) ** 2", "sympy.diff(value, w)"),
        ),
        draws=15,
    )
)


def _linear_discriminator(shares: list[int], places: list[int]) -> Evidence:
    """-c/4 +- sqrt(c^2/16 - 1/4), c the data's second moment: the discriminator's own curvature."""
    import numpy as np
    import sympy

    from ..analysis.local.linearize import linearize

    data = [sympy.Rational(n, sum(shares)) for n in shares]
    support = [sympy.Rational(n, 2) for n in places]
    game = games.density_game_in_parameters(data, support)
    moment = float(sum(d * x**2 for d, x in zip(data, support, strict=True)))
    root = np.sqrt(complex(moment**2 / 16 - 0.25))
    expected = [-moment / 4 + root, -moment / 4 - root]
    return all_of(same_spectrum(linearize(game).eigenvalues, expected, 1e-9), attracting(game))


def _data() -> Any:
    from hypothesis import strategies as st

    place, share = st.integers(-4, 4), st.integers(1, 4)
    pairs = st.lists(st.tuples(share, place), min_size=2, max_size=4, unique_by=lambda pair: pair[1])
    return pairs.map(lambda found: {"shares": [s for s, _ in found], "places": [p for _, p in found]})


register(
    Claim(
        name="nagarajan_2017.curvature_of_the_discriminator",
        statement="A generator that shifts the data, against a linear discriminator with the logistic link, is locally "
        "stable exactly where the discriminator's second moment c on the data is positive: eigenvalues "
        "-c/4 +- sqrt(c^2/16 - 1/4), independently of any curvature of the generator.",
        latex=r"\lambda = -\tfrac{c}{4} \pm \sqrt{\tfrac{c^2}{16} - \tfrac{1}{4}},\quad c = \mathbb{E}\,x^2",
        source="Nagarajan & Kolter 2017, theorem 3.1, whose assumptions ask for a full-rank K_DD, here c",
        how=How.PROPERTY,
        origin=Origin.SHARPENED,
        conclusion=_linear_discriminator,
        hypotheses=_data,
        outside=(
            Outside(
                "data at the origin alone, the Dirac-GAN: c = 0",
                lambda: {"shares": [1, 0], "places": [0, 2]},
                restore=lambda: {"places": [1, 2]},
            ),
        ),
        mutants=(
            Mutant("games/density.py", "dk * (softplus(-phi * xk) + ", "dk * ("),
            Mutant("games/density.py", "softplus(phi * (xk + theta))", "softplus(phi * (xk - theta * theta))"),
        ),
        draws=20,
    )
)
