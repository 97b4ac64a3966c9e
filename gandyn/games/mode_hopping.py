"""A toy of mode hopping: one point chases two modes, and unrolling the discriminator stops it (Metz et al. 2017)."""

from __future__ import annotations

from ..errors import ParameterError
from ..lazy import sympy
from ..oracles.known_facts import Facts
from ..oracles.symbolic import SymbolicGame, from_sympy
from ..types import Parameter
from ..worlds import exact, is_symbolic
from . import registry


@registry.register("unrolled_toy", examples=({},))
def unrolled_toy(width: Parameter = 1, rho: Parameter = 0.1) -> SymbolicGame:
    """V(theta, phi) = sum_j phi_j (m_j - k_j(theta)) - rho |phi|^2 / 2, k_j(x) = exp(-(x - c_j)^2 / (2 width^2)).

    Data sit at the two modes c = -1, 1 with equal weights, the generator is one point theta, the discriminator s(x) =
    sum_j phi_j k_j(x) is high on real data, and m_j = (1 + e^{-2/width^2}) / 2 is its feature's mean over data. The
    generator minimises V, the discriminator maximises it. Against a slow discriminator theta hops from mode to mode.
    The best response phi = (m - k(theta)) / rho gives the fully unrolled cost |m - k(theta)|^2 / (2 rho), which has a
    minimum at 0 for width 1: unrolling settles there. This is the mechanism of Metz et al. 2017, section 2.1, not an
    example of theirs.

    Equilibrium (0, p, p), p = (m - k(0)) / rho; with q = -2 p k''(0) and the slope kappa = k'(0), flow eigenvalues -rho
    and -(q + rho)/2 +- sqrt((q - rho)^2/4 - 2 kappa^2).

    Args:
        width: of the discriminator's features.
        rho: strength of the discriminator's weight decay.

    Raises:
        ParameterError: unless both are positive.
    """
    for name, value in (("width", width), ("rho", rho)):
        if not isinstance(value, str) and not is_symbolic(value) and not value > 0:
            raise ParameterError(f"{name}={value!r}", "a positive number, or an expression", f"{name}=1")
    h, r = exact(width), exact(rho)
    theta = sympy.Symbol("theta", real=True)
    phi = sympy.symbols("phi1:3", real=True)
    kernels = [sympy.exp(-((theta - c) ** 2) / (2 * h**2)) for c in (-1, 1)]
    mean = (1 + sympy.exp(-2 / h**2)) / 2
    value = sum(p * (mean - k) for p, k in zip(phi, kernels, strict=True)) - r * (phi[0] ** 2 + phi[1] ** 2) / 2
    level, slope, curve = (sympy.diff(kernels[0], theta, n).subs(theta, 0) for n in range(3))
    p = (mean - level) / r
    q = -2 * p * curve
    root = sympy.sqrt((q - r) ** 2 / 4 - 2 * slope**2)
    facts = Facts(
        source="after Metz et al. 2017, section 2.1",
        flow_eigenvalues=((-r, -(q + r) / 2 + root, -(q + r) / 2 - root),),
        starts=((0.5, 0.0, 0.0),),
    )
    players = {"generator": [theta], "discriminator": phi}
    return from_sympy(value, players, name="unrolled toy", equilibria=[(0, p, p)], facts=facts)
