"""Games whose dynamics end in a cycle: the forsaken equilibrium, and the almost bilinear game (Hsieh et al. 2021)."""

from __future__ import annotations

from ..lazy import sympy
from ..oracles.known_facts import Facts
from ..oracles.symbolic import SymbolicGame, from_sympy
from ..types import Array, Parameter
from ..worlds import exact
from . import registry


@registry.register("forsaken")
def forsaken() -> SymbolicGame:
    """f(x, y) = x (y - 9/20) + phi(x) - phi(y), phi(z) = z^2/4 - z^4/2 + z^6/6: an equilibrium behind a cycle.

    The one critical point, near (0.0780, 0.4119), is weakly stable: the flow eigenvalues are -0.0447 +- 0.9080 i to
    four digits, from -J = -[[phi''(x), 1], [-1, phi''(y)]]. Around it lies a repelling cycle, between 0.12 and 0.30
    away, and around that an attracting one, between 0.92 and 1.92 away, so that nearly every start misses the
    equilibrium (Hsieh, Mertikopoulos & Cevher 2021, example 5.2). Player y is at a local minimum of what it maximises
    there: phi''(y) < 0, so it is stable without being a local Nash equilibrium.

    The equilibrium is given to 40 digits; it is a root of a polynomial of degree 25 and has no closed form.

    Example:
        >>> import gandyn as gd
        >>> [round(float(value), 6) for value in gd.games.forsaken().equilibria[0]]
        [0.078027, 0.411934]
    """
    x, y = sympy.symbols("x y", real=True)

    def phi(z: Array) -> Array:
        return z**2 / 4 - z**4 / 2 + z**6 / 6

    value = x * (y - sympy.Rational(9, 20)) + phi(x) - phi(y)
    gradient = [sympy.diff(value, s) for s in (x, y)]
    point = tuple(sympy.nsolve(gradient, (x, y), (0.078, 0.412), prec=40))
    p, q = (sympy.diff(phi(s), s, 2).subs(s, c) for s, c in zip((x, y), point, strict=True))
    root = sympy.sqrt(1 - ((p - q) / 2) ** 2)
    facts = Facts(
        source="Hsieh, Mertikopoulos & Cevher 2021, example 5.2",
        flow_eigenvalues=((-(p + q) / 2 + sympy.I * root, -(p + q) / 2 - sympy.I * root),),
        notes=("An attracting cycle encloses a repelling one, which encloses the stable equilibrium.",),
    )
    return from_sympy(value, [x, y], name="forsaken", equilibria=[point], facts=facts)


@registry.register("almost_bilinear", examples=({"eps": 0.1},))
def almost_bilinear(eps: Parameter = 0.01) -> SymbolicGame:
    """f(x, y) = x y + eps (y^2/2 - y^4/4): a small perturbation turns the circles of x y into one attracting cycle.

    The flow has dr^2/dt = 2 eps (y^2 - y^4); averaged over a circle this is eps (r^2 - 3 r^4 / 4), so the cycle's
    radius tends to 2/sqrt(3) as eps falls to 0. The origin repels: flow eigenvalues (eps +- sqrt(eps^2 - 4)) / 2
    (Hsieh, Mertikopoulos & Cevher 2021, example 5.1).

    Args:
        eps: strength, a number, an expression or the name of a free parameter.

    Raises:
        ParameterError: unless eps is a number, an expression or a name.

    Example:
        >>> import gandyn as gd
        >>> gd.games.almost_bilinear("eps").field_exprs
        (y, -eps*(-y**3 + y) - x)
    """
    e = exact(eps)
    x, y = sympy.symbols("x y", real=True)
    root = sympy.sqrt(e**2 - 4)
    facts = Facts(
        source="Hsieh, Mertikopoulos & Cevher 2021, example 5.1",
        flow_eigenvalues=(((e + root) / 2, (e - root) / 2),),
        notes=("The attracting cycle's radius tends to 2/sqrt(3) for small eps.",),
    )
    value = x * y + e * (y**2 / 2 - y**4 / 4)
    return from_sympy(value, [x, y], name="almost bilinear", equilibria=[(0, 0)], facts=facts)
