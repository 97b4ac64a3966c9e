"""A polynomial under a Gaussian envelope, with nine critical points: which of them does a gap call equilibria?"""

from __future__ import annotations

from ..errors import ParameterError
from ..lazy import sympy
from ..oracles.known_facts import Facts
from ..oracles.symbolic import SymbolicGame, from_sympy
from . import registry


@registry.register("exponential", examples=({}, {"sign": -1}))
def exponential(sign: int = 1) -> SymbolicGame:
    """f(x, y) = +-e^{-(x^2 + y^2)/100} ((3 x^2/10 + y)^2 + (x + y^2/2)^2); x minimises, y maximises.

    With the plus it is the game of Sidheekh et al. 2021 (perturbed duality gap, section 5), with the minus that of
    Mazumdar, Jordan & Sastry 2019 (section 5). Both squares vanish at the origin and at x = -(200/9)^{1/3},
    y = -3 x^2 / 10, the global minima of |f| and the two critical points known exactly. At the origin f is x^2 + y^2 to
    second order: flow eigenvalues -+2. A dense scan of |x|, |y| < 22 finds nine critical points in all. With the plus
    and x minimising, none of them is a local Nash equilibrium; with the minus three are, near (-12.477, -8.678),
    (-11.427, 8.004) and (12.395, -6.373). The function with the plus has local Nash points only if x is to maximise
    it. None of the nine is a global Nash equilibrium: along every line f tends to 0 far away.

    Args:
        sign: 1 or -1.

    Raises:
        ParameterError: for another sign.
    """
    if sign not in (1, -1):
        raise ParameterError(f"sign={sign!r}", "1 or -1", "sign=1")
    x, y = sympy.symbols("x y", real=True)
    polynomial = (3 * x**2 / 10 + y) ** 2 + (x + y**2 / 2) ** 2
    value = sign * sympy.exp(-(x**2 + y**2) / 100) * polynomial
    root = sympy.Rational(200, 9) ** sympy.Rational(1, 3)
    facts = Facts(
        source="Sidheekh et al. 2021, section 5" if sign == 1 else "Mazumdar, Jordan & Sastry 2019, section 5",
        flow_eigenvalues=((-2, 2),),
        notes=("No critical point is a local Nash equilibrium." if sign == 1 else "Three are local Nash equilibria.",),
    )
    points = [(0, 0), (-root, -3 * root**2 / 10)]
    return from_sympy(value, [x, y], name="exponential", equilibria=points, facts=facts)
