"""Learning a uniform distribution with a linear generator and a quadratic discriminator (Nagarajan & Kolter 2017)."""

from __future__ import annotations

from ..errors import ParameterError
from ..lazy import sympy
from ..oracles.known_facts import Facts
from ..oracles.symbolic import SymbolicGame, from_sympy
from ..types import Parameter
from ..worlds import exact
from . import registry


@registry.register("nagarajan_kolter", examples=({}, {"loss": "wasserstein"}, {"loss": "wasserstein", "eta": 0.5}))
def nagarajan_kolter(loss: str = "square", eta: Parameter = 0) -> SymbolicGame:
    """V(a, w) = E h(D(x)) + E h(-D(a z)), D(x) = w x^2, x and z uniform on [-1, 1]; the generator a minimises V.

    The link is h(t) = t - t^2/2 for the square loss and h(t) = t for the Wasserstein GAN, and the moments 1/3 and 1/5
    of x^2 and x^4 give V = w (1 - a^2)/3 - w^2 (1 + a^4)/10, without the second term for Wasserstein. D is high on
    real data. Equilibria: a = +-1, w = 0. There, with h''(0) = -1, the flow eigenvalues are -1/5 +- sqrt(1/25 - 4/9):
    stable (theorem 3.1); for Wasserstein +-2i/3, where w^2 - log|a| + a^2/2 is conserved: it circles. The square loss
    has a further fixed point a = 0, w = 5/3, where the generator has collapsed. `eta` adds their regulariser eta
    (dV/dw)^2 to the generator's cost, which damps the Wasserstein game with trace -8 eta/9 (section 4).

    Args:
        loss: "square" or "wasserstein".
        eta: weight of the regulariser, a number, an expression or a name; at most 0 means none.

    Raises:
        ParameterError: for another loss.

    Example:
        >>> import gandyn as gd
        >>> gd.games.nagarajan_kolter("wasserstein").field_exprs
        (-2*a*w/3, a**2/3 - 1/3)
    """
    if loss not in ("square", "wasserstein"):
        raise ParameterError(f"loss={loss!r}", '"square" or "wasserstein"', 'loss="square"')
    square, eta = loss == "square", exact(eta)
    a, w = sympy.symbols("a w", real=True)
    value = w * (1 - a**2) / 3 - (w**2 * (1 + a**4) / 10 if square else 0)
    # dV/dw vanishes at every equilibrium, so the regulariser moves none of them.
    generator = value + eta * sympy.diff(value, w) ** 2
    hessian = sympy.hessian(value, (a, w)).subs({a: 1, w: 0})
    curvature, coupling, own = hessian[1, 1], hessian[0, 1], 2 * eta * hessian[0, 1] ** 2
    # -J = [[-own, -(1 + 2 eta curvature) coupling], [coupling, curvature]] at (1, 0).
    trace, determinant = curvature - own, -own * curvature + (1 + 2 * eta * curvature) * coupling**2
    root = sympy.sqrt(trace**2 - 4 * determinant)
    spectrum = ((trace + root) / 2, (trace - root) / 2)
    conserved = () if square or eta != 0 else (w**2 - sympy.log(sympy.Abs(a)) + a**2 / 2,)
    facts = Facts(
        source="Nagarajan & Kolter 2017, sections 3 and 4", flow_eigenvalues=(spectrum, spectrum), conserved=conserved
    )
    points: list[tuple[int, int]] = [(1, 0), (-1, 0)]
    if square:
        points.append((0, sympy.Rational(5, 3)))
    players = {"generator": [a], "discriminator": [w]}
    name = f"Nagarajan-Kolter, {loss}"
    return from_sympy([generator, -value], players, name=name, equilibria=points, facts=facts)
