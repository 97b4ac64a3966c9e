"""The GAN game played with densities on a finite support, where gradient play converges, or with their parameters."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import ParameterError, ShapeError
from ..lazy import sympy
from ..oracles.known_facts import Facts
from ..oracles.projections import Simplices
from ..oracles.symbolic import SymbolicGame, from_sympy
from ..worlds import NUMPY, TORCH, exact
from . import registry


def _probabilities(data: Sequence[object]) -> tuple[sympy.Expr, ...]:
    values = tuple(map(exact, data))
    if len(values) < 2 or not all(p >= 0 for p in values) or sum(values) != 1:
        raise ParameterError(
            f"data probabilities {tuple(data)}", "at least two, none negative, with sum 1", "data=(0.25, 0.5, 0.25)"
        )
    return values


@registry.register("density_game", examples=({}, {"data": (0, 1, 0)}))
def density_game(data: Sequence[object] = (0.25, 0.5, 0.25)) -> SymbolicGame:
    """f(p, s) = -sum_k [d_k softplus(-s_k) + p_k softplus(s_k)]: densities p on N points, a free logit s_k at each.

    This is the minimax GAN value with D_k = sigmoid(s_k), s high on real data. It is linear in the generator's
    density p, which projection keeps on the simplex, and strictly concave in each logit whose point has any mass.
    Gradient play converges to p = d, s = 0, D = 1/2 (where Goodfellow et al. 2014, proposition 2, optimise D at each
    step) by that curvature: where d_k > 0 for all k the Jacobian there couples each pair (p_k, s_k) as
    [[0, -1/2], [1/2, d_k/2]], a damped rotation. Where d_k = 0 (data at one point) there is none, and the simplex ends
    the rotation instead: once s_k lies below the others, p_k reaches 0 and stays. An equilibrium then only asks for
    s_k <= 0. `density_game_in_parameters` is the same game for a generator that moves points.

    Args:
        data: d, the data's probabilities.

    Raises:
        ParameterError: unless they are a probability vector of length 2 or more.
    """
    from ..symbolic.functions import softplus

    d = _probabilities(data)
    n = len(d)
    p, s = (sympy.symbols(f"{name}1:{n + 1}", real=True) for name in "ps")
    value = -sum(dk * softplus(-sk) + pk * softplus(sk) for dk, pk, sk in zip(d, p, s, strict=True))
    projection = Simplices((n,), free=n)
    spectrum = []
    if all(dk > 0 for dk in d):
        for dk in d:
            root = sympy.sqrt((dk / 4) ** 2 - sympy.Rational(1, 4))
            spectrum += [-dk / 4 + root, -dk / 4 - root]
    facts = Facts(
        source="Goodfellow et al. 2014, proposition 2",
        flow_eigenvalues=(tuple(spectrum),) if spectrum else (),
        notes=("The eigenvalues are those of the unconstrained field.",),
    )
    game = from_sympy(
        value,
        {"generator": p, "discriminator": s},
        name="density game",
        equilibria=[(*d, *[0] * n)],
        projection=projection,
        facts=facts,
    )
    if not projection.symbolic:
        game.worlds = frozenset({NUMPY, TORCH})
    return game


@registry.register("density_game_in_parameters", examples=({},))
def density_game_in_parameters(
    data: Sequence[object] = (0, 1, 0), support: Sequence[object] = (-1, 0, 1)
) -> SymbolicGame:
    """The game of `density_game` for a generator that moves the data's points by theta and a linear logit s(x) = phi x.

    f(theta, phi) = -sum_k d_k [softplus(-phi x_k) + softplus(phi (x_k + theta))], data d on the support x. The
    density is convex in nothing now: moving a point is not mixing densities. With the data at one point x = 0 this is
    the minimax Dirac-GAN, whose flow circles for ever around the equilibrium (0, 0), while the game of densities with
    the same data and loss converges. Data that spread over the support damp the circle: flow eigenvalues at 0 are
    -c/4 +- sqrt(c^2/16 - 1/4) with c = sum_k d_k x_k^2.

    For data at 0, theta' = phi sigmoid(phi theta) and phi' = -theta sigmoid(phi theta): theta^2 + phi^2 is conserved.

    Args:
        data: d, the data's probabilities.
        support: x, their places.

    Raises:
        ShapeError: if the lengths differ.
        ParameterError: unless d is a probability vector.
    """
    from ..symbolic.functions import softplus

    d, x = _probabilities(data), tuple(map(exact, support))
    if len(d) != len(x):
        raise ShapeError(f"{len(d)} probabilities on {len(x)} points", "one for each point", "match their lengths")
    theta, phi = sympy.symbols("theta phi", real=True)
    pairs = [(dk, xk) for dk, xk in zip(d, x, strict=True) if dk != 0]
    value = -sum(dk * (softplus(-phi * xk) + softplus(phi * (xk + theta))) for dk, xk in pairs)
    c = sum(dk * xk**2 for dk, xk in pairs)
    root = sympy.sqrt(c**2 / 16 - sympy.Rational(1, 4))
    facts = Facts(
        source="Goodfellow 2016, section 5.1.1; Mescheder et al. 2018, lemma 2.3",
        flow_eigenvalues=((-c / 4 + root, -c / 4 - root),),
        conserved=(theta**2 + phi**2,) if c == 0 else (),
    )
    players = {"generator": [theta], "discriminator": [phi]}
    return from_sympy(value, players, name="density game in parameters", equilibria=[(0, 0)], facts=facts)
