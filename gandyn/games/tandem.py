"""The tandem game, where opponent shaping spoils what plain gradient descent solves (Letcher et al. 2019)."""

from __future__ import annotations

from ..lazy import sympy
from ..oracles.known_facts import Facts
from ..oracles.symbolic import SymbolicGame, from_sympy
from . import registry


@registry.register("tandem")
def tandem() -> SymbolicGame:
    """f_1 = (x + y)^2 - 2 x, f_2 = (x + y)^2 - 2 y: two cyclists who gain by pushing and lose by pushing too hard.

    The fixed points of gradient descent are the line x + y = 1, attracting across it (flow eigenvalue -4) and neutral
    along it (0): the flow conserves x - y. Each player's cost at the symmetric one is 0. LOLA, which expects the other
    to yield, converges to other points of higher cost (Letcher et al. 2019, section 4.1).

    Example:
        >>> import gandyn as gd
        >>> gd.games.tandem().field_exprs
        (2*x + 2*y - 2, 2*x + 2*y - 2)
    """
    x, y = sympy.symbols("x y", real=True)
    half = sympy.Rational(1, 2)
    facts = Facts(
        source="Letcher et al. 2019 (stable opponent shaping), section 4.1",
        flow_eigenvalues=((0, -4), (0, -4)),
        conserved=(x - y,),
        notes=("Every point with x + y = 1 is fixed.",),
    )
    costs = [(x + y) ** 2 - 2 * x, (x + y) ** 2 - 2 * y]
    return from_sympy(costs, [x, y], name="tandem", equilibria=[(half, half), (1, 0)], facts=facts)
