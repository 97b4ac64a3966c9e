"""The three functions of follow-the-ridge: gradient descent-ascent leaves the right point, or takes the wrong one."""

from __future__ import annotations

from ..errors import ParameterError
from ..lazy import sympy
from ..oracles.known_facts import Facts
from ..oracles.symbolic import SymbolicGame, from_sympy
from . import registry

STARTS = {1: (5.0, 7.0), 2: (6.0, 5.0), 3: (7.0, 5.0)}
NOTES = {
    1: "The origin is a local minimax, which gradient descent-ascent leaves.",
    2: "The origin is no local minimax, yet gradient descent-ascent goes there.",
    3: "The origin is a local minimax, which gradient descent-ascent leaves for a cycle.",
}
EIGENVALUES = {1: (2, 2), 2: (-2, -2), 3: (4, 4)}


@registry.register("follow_the_ridge", examples=({"function": 1}, {"function": 2}, {"function": 3}))
def follow_the_ridge(function: int = 1) -> SymbolicGame:
    """Two quadratics and a quartic under a Gaussian envelope, whose origin is or is not a local minimax.

    f is -3 x^2 - y^2 + 4 x y (1), 3 x^2 + y^2 + 4 x y (2), or with the ridge y = 3 x - x^3/20
    (4 x^2 - (y - 3 x + x^3/20)^2 - y^4/10) e^{-(x^2 + y^2)/100} (3).

    Player x leads and minimises f, player y maximises it (Wang, Zhang & Ba 2019, section 6). With the Schur
    complement f_xx - f_xy^2 / f_yy, the origin is a strict local minimax of function 1 (f_yy = -2, Schur 2) and of
    function 3 (f_yy = -2, Schur 8), where the flow eigenvalues are the double 2 and 4: it is repelled. Function 2 has
    f_yy = 2, so that y stands at a minimum of what it maximises, and the double flow eigenvalue -2: it is attracted.
    All three double eigenvalues are defective.

    Args:
        function: 1, 2 or 3. Published starts (5, 7), (6, 5), (7, 5), step 0.05.

    Raises:
        ParameterError: for another number.

    Example:
        >>> import gandyn as gd
        >>> gd.games.follow_the_ridge(1).field_exprs
        (-6*x + 4*y, -4*x + 2*y)
    """
    x, y = sympy.symbols("x y", real=True)
    if function == 1:
        value = -3 * x**2 - y**2 + 4 * x * y
    elif function == 2:
        value = 3 * x**2 + y**2 + 4 * x * y
    elif function == 3:
        ridge = y - 3 * x + x**3 / 20
        value = (4 * x**2 - ridge**2 - y**4 / 10) * sympy.exp(-(x**2 + y**2) / 100)
    else:
        raise ParameterError(f"function={function!r}", "1, 2 or 3", "function=1")
    facts = Facts(
        source="Wang, Zhang & Ba 2019 (follow-the-ridge), section 6",
        flow_eigenvalues=(EIGENVALUES[function],),
        starts=(STARTS[function],),
        notes=(NOTES[function],),
    )
    return from_sympy(value, [x, y], name=f"follow-the-ridge {function}", equilibria=[(0, 0)], facts=facts)
