"""Divergences between two densities, in nats: what a loss measures once its discriminator is optimal.

Each is the integral of an elementwise integrand of the two densities, in any world: SymPy expressions, NumPy arrays,
torch tensors, positive where a logarithm or a quotient is taken.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from .. import worlds
from ..types import Parameter
from ..worlds import Array


@dataclasses.dataclass(frozen=True)
class Divergence:
    """The integral over x of integrand(p(x), q(x)); p is the density of the data, q that of the samples.

    Example:
        >>> import numpy as np
        >>> round(float(KL.between(np.array([0.5, 0.5]), np.array([0.25, 0.75]))), 6)
        0.143841
    """

    name: str
    integrand: Callable[[Array, Array], Array]

    def between(self, p: Array, q: Array, dx: Array = 1) -> Array:
        """The divergence of densities on a grid with cells of size `dx` (or of probabilities), over the last axis."""
        return (self.integrand(p, q) * dx).sum(-1)


@dataclasses.dataclass(frozen=True)
class Measured:
    """What the optimum of a loss is worth: scale * divergence + offset."""

    divergence: Divergence
    scale: Parameter = 1
    offset: Parameter = 0

    def value(self, p: Array, q: Array, dx: Array = 1) -> Array:
        """scale * divergence(p, q) + offset, for densities on a grid."""
        return self.scale * self.divergence.between(p, q, dx) + self.offset


def _kl(p: Array, q: Array) -> Array:
    return p * worlds.log(p / q)


def _js(p: Array, q: Array) -> Array:
    middle = (p + q) / 2
    return (_kl(p, middle) + _kl(q, middle)) / 2


def _squared_hellinger(p: Array, q: Array) -> Array:
    return (worlds.sqrt(p) - worlds.sqrt(q)) ** 2


KL = Divergence("KL(p || q)", _kl)
REVERSE_KL = Divergence("KL(q || p)", lambda p, q: _kl(q, p))
JENSEN_SHANNON = Divergence("JS(p, q) = KL(p || m)/2 + KL(q || m)/2, m = (p + q)/2", _js)
PEARSON = Divergence("Pearson chi^2 = int (p - q)^2 / q", lambda p, q: (p - q) ** 2 / q)
SQUARED_HELLINGER = Divergence("squared Hellinger = int (sqrt p - sqrt q)^2", _squared_hellinger)
TOTAL_VARIATION = Divergence("total variation = int |p - q| / 2", lambda p, q: worlds.absolute(p - q) / 2)
PEARSON_TO_MIXTURE = Divergence(
    "Pearson chi^2(2q || p + q) = int (p - q)^2 / (p + q)", lambda p, q: (p - q) ** 2 / (p + q)
)
KL_TO_MIXTURE = Divergence("KL(p || (p + q)/2)", lambda p, q: _kl(p, (p + q) / 2))
REVERSE_KL_LESS_2JS = Divergence("KL(q || p) - 2 JS(p, q)", lambda p, q: _kl(q, p) - 2 * _js(p, q))
