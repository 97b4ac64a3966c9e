"""Weight clipping: the discriminator's parameters are kept in a box after every step (Arjovsky et al. 2017, alg. 1)."""

from __future__ import annotations

from typing import ClassVar

from .. import worlds
from ..lazy import sympy
from ..types import Parameter
from ..worlds import Array, exact, number
from .declaration import register, weight
from .penalty import Penalty


@register("WeightClipping", examples=({"bound": 1.0}, {"bound": 0.01}), aliases=("weight_clipping",))
class WeightClipping(Penalty):
    """Projection of every parameter of the discriminator onto [-bound, bound]: a constrained game, not a cost.

    The projection is part of the rule's step (`game.project`), so that every point a rule evaluates is feasible. On
    the Dirac-GAN |phi| <= bound; near the equilibrium nothing changes, so clipping does not make it attracting.

    Args:
        bound: half width of the box, 0.01 in the paper.
    """

    constrained: ClassVar[bool] = True
    bound: Parameter = weight()

    @property
    def bounds(self) -> tuple[sympy.Expr, sympy.Expr]:
        """(-bound, bound)."""
        return -exact(self.bound), exact(self.bound)

    def project(self, parameters: Array) -> Array:
        """Every parameter clipped to [-bound, bound]."""
        bound = number(self.bound, parameters)
        return worlds.clip(parameters, -bound, bound)
