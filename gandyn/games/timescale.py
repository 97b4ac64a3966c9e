"""Quadratic games that gradient descent-ascent leaves unless player y is faster than player x by a known factor."""

from __future__ import annotations

from ..errors import ParameterError
from ..lazy import sympy
from ..oracles.known_facts import Facts
from ..oracles.symbolic import SymbolicGame, from_sympy
from ..types import Parameter
from ..worlds import exact
from . import registry


@registry.register("tau_gda", examples=({"dimension": 2, "tau": 3}, {"dimension": 4}))
def tau_gda(dimension: int = 4, v: Parameter = 4, tau: Parameter = 1) -> SymbolicGame:
    """f(x, y) = v (-x_1^2/2 - x_1 y_1 - y_1^2/4) + v (x_2^2/4 + x_2 y_2/2 - y_2^2/2), y moving tau times as fast as x.

    Player 2's cost is -tau f, so that the Jacobian is [[-v, 0, -v, 0], [0, v/2, 0, v/2], [tau v, 0, tau v/2, 0],
    [0, -tau v/2, 0, tau v]] in the order x_1, x_2, y_1, y_2 (Fiez & Ratliff 2020, section 5). It splits into two scalar
    games. The first has trace v (tau/2 - 1) and determinant tau v^2/2, so the origin, a strict local minimax, attracts
    the flow if and only if tau > tau* = 2; the second is attracting for every tau. `dimension=2` is the first alone.
    The paper's other planar example is the Dirac-GAN with R1.

    Args:
        dimension: 4, or 2 for the first scalar game.
        v: scale, a number, an expression or a name; tau* does not depend on it.
        tau: time-scale ratio, likewise. With 1 the game is zero-sum; a rule's own lr=(h, tau h) does the same.

    Raises:
        ParameterError: for another dimension.
    """
    if dimension not in (2, 4):
        raise ParameterError(f"dimension={dimension!r}", "2 or 4", "dimension=4")
    v, tau = exact(v), exact(tau)
    (x1, x2), (y1, y2) = sympy.symbols("x1:3", real=True), sympy.symbols("y1:3", real=True)
    first = v * (-(x1**2) / 2 - x1 * y1 - y1**2 / 4)
    second = v * (x2**2 / 4 + x2 * y2 / 2 - y2**2 / 2)
    value, x, y = (first, [x1], [y1]) if dimension == 2 else (first + second, [x1, x2], [y1, y2])
    pairs = [(v * (tau / 2 - 1), tau * v**2 / 2), (v * (tau + sympy.Rational(1, 2)), 3 * tau * v**2 / 4)]
    eigenvalues = [
        (-trace + sign * sympy.sqrt(trace**2 - 4 * determinant)) / 2
        for trace, determinant in pairs[: dimension // 2]
        for sign in (1, -1)
    ]
    facts = Facts(
        source="Fiez & Ratliff 2020, section 5",
        flow_eigenvalues=(tuple(eigenvalues),),
        notes=("The flow is attracted to the origin if and only if tau > 2.",),
    )
    return from_sympy(
        [value, -tau * value],
        {"x": x, "y": y},
        name=f"tau-GDA in {dimension} dimensions",
        equilibria=[(0,) * dimension],
        facts=facts,
    )
