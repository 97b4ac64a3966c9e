"""The f-GAN family: variational bounds on D_f(P || Q) = int q f(p/q) (Nowozin et al. 2016, eq. 4 and 6).

The critic T = g_f(s) maximises E_P T - E_Q f*(T), with an output activation g_f onto the domain of the conjugate
f*(t) = sup_{u >= 0} (u t - f(u)). The bound is tight at T* = f'(p/q). Everything is zero-sum and in nats.
"""

from __future__ import annotations

import abc
import dataclasses
import math
from typing import ClassVar

from .. import worlds
from ..lazy import sympy
from ..worlds import SYMBOLS, Array, is_symbolic, world_of
from .declaration import register
from .divergences import (
    JENSEN_SHANNON,
    KL,
    PEARSON,
    REVERSE_KL,
    SQUARED_HELLINGER,
    TOTAL_VARIATION,
    Divergence,
    Measured,
)
from .loss import Loss


@dataclasses.dataclass(frozen=True)
class FGAN(Loss):
    """Real -g_f(s), fake f*(g_f(s)), generator -f*(g_f(s)). A member gives f, g_f, f* and s* = g_f^{-1}(f'(p/q)).

    `conjugate_of_activation` is f* after g_f, written so that it neither overflows nor loses digits.
    """

    zero_sum: ClassVar[bool] = True
    measured: ClassVar[Divergence]

    @abc.abstractmethod
    def f(self, u: Array) -> Array:
        """The convex generator of the divergence; it is 0 at u = 1."""

    @abc.abstractmethod
    def activation(self, s: Array) -> Array:
        """g_f, from logits onto the domain of f*."""

    @abc.abstractmethod
    def conjugate(self, t: Array) -> Array:
        """f*, on its domain."""

    @abc.abstractmethod
    def conjugate_of_activation(self, s: Array) -> Array:
        """f*(g_f(s))."""

    def real(self, s: Array) -> Array:
        return -self.activation(s)

    def fake(self, s: Array) -> Array:
        return self.conjugate_of_activation(s)

    def generator(self, s: Array) -> Array:
        return -self.conjugate_of_activation(s)

    def divergence(self) -> Measured:
        """D_f(P || Q)."""
        return Measured(self.measured)


@register("f_gan_kl")
class KullbackLeibler(FGAN):
    """f(u) = u log u, g(s) = s, f*(t) = exp(t - 1), s* = 1 + log(p/q).

    The generator's slope is -exp(s - 1): it vanishes on recognised fakes and explodes on convincing ones.
    """

    measured: ClassVar[Divergence] = KL

    def f(self, u: Array) -> Array:
        return u * worlds.log(u)

    def activation(self, s: Array) -> Array:
        return s

    def conjugate(self, t: Array) -> Array:
        return worlds.exp(t - 1)

    def conjugate_of_activation(self, s: Array) -> Array:
        return worlds.exp(s - 1)

    def optimal_logit(self, p: Array, q: Array) -> Array:
        return 1 + worlds.log(p / q)


@register("f_gan_reverse_kl")
class ReverseKullbackLeibler(FGAN):
    """f(u) = -log u, g(s) = -exp(-s), f*(t) = -1 - log(-t) for t < 0, s* = log(p/q).

    f*(g(s)) = s - 1: the generator's slope is -1 everywhere; the discriminator's on data is -exp(-s).
    """

    measured: ClassVar[Divergence] = REVERSE_KL

    def f(self, u: Array) -> Array:
        return -worlds.log(u)

    def activation(self, s: Array) -> Array:
        return -worlds.exp(-s)

    def conjugate(self, t: Array) -> Array:
        return -1 - worlds.log(-t)

    def conjugate_of_activation(self, s: Array) -> Array:
        return s - 1

    def optimal_logit(self, p: Array, q: Array) -> Array:
        return worlds.log(p / q)


@register("f_gan_pearson")
class Pearson(FGAN):
    """f(u) = (u - 1)^2, g(s) = s, f*(t) = t^2/4 + t, s* = 2(p/q - 1).

    With the supremum over u >= 0, f* is -1 below t = -2; the parabola, which is the paper's, lies above it there, so
    the bound still holds, and s* >= -2 always.
    """

    measured: ClassVar[Divergence] = PEARSON

    def f(self, u: Array) -> Array:
        return (u - 1) ** 2

    def activation(self, s: Array) -> Array:
        return s

    def conjugate(self, t: Array) -> Array:
        return t**2 / 4 + t

    def conjugate_of_activation(self, s: Array) -> Array:
        return s**2 / 4 + s

    def optimal_logit(self, p: Array, q: Array) -> Array:
        return 2 * (p / q - 1)


@register("f_gan_hellinger")
class SquaredHellinger(FGAN):
    """f(u) = (sqrt u - 1)^2, g(s) = 1 - exp(-s), f*(t) = t/(1 - t) for t < 1, s* = log(p/q)/2.

    f*(g(s)) = exp(s) - 1: the generator's slope vanishes on recognised fakes.
    """

    measured: ClassVar[Divergence] = SQUARED_HELLINGER

    def f(self, u: Array) -> Array:
        return (worlds.sqrt(u) - 1) ** 2

    def activation(self, s: Array) -> Array:
        return 1 - worlds.exp(-s)

    def conjugate(self, t: Array) -> Array:
        return t / (1 - t)

    def conjugate_of_activation(self, s: Array) -> Array:
        return worlds.exp(s) - 1

    def optimal_logit(self, p: Array, q: Array) -> Array:
        return worlds.log(p / q) / 2


@register("f_gan_js")
class JensenShannon(FGAN):
    """f(u) = (u log u - (u + 1) log((u + 1)/2))/2, g(s) = (log 2 - softplus(-s))/2, s* = log(p/q).

    f*(t) = -log(2 - exp(2t))/2 for t < log(2)/2. The generator often printed beside JS, without the factor 1/2, gives
    2 JS, which is what `minimax` measures (less log 4); here it is JS itself. Saturates exactly as minimax does.
    """

    measured: ClassVar[Divergence] = JENSEN_SHANNON

    def f(self, u: Array) -> Array:
        return (u * worlds.log(u) - (u + 1) * worlds.log((u + 1) / 2)) / 2

    def activation(self, s: Array) -> Array:
        return (_log_two(s) - worlds.softplus(-s)) / 2

    def conjugate(self, t: Array) -> Array:
        return -worlds.log(2 - worlds.exp(2 * t)) / 2

    def conjugate_of_activation(self, s: Array) -> Array:
        return (worlds.softplus(s) - _log_two(s)) / 2

    def optimal_logit(self, p: Array, q: Array) -> Array:
        return worlds.log(p / q)


@register("f_gan_tv")
class TotalVariation(FGAN):
    """f(u) = |u - 1|/2, g(s) = tanh(s)/2, f*(t) = t for |t| <= 1/2; T* = sign(p - q)/2 is reached at s* = +-infinity.

    Both players' slopes, 1/(2 cosh^2 s), vanish exponentially away from s = 0.
    """

    measured: ClassVar[Divergence] = TOTAL_VARIATION

    def f(self, u: Array) -> Array:
        return worlds.absolute(u - 1) / 2

    def activation(self, s: Array) -> Array:
        return worlds.tanh(s) / 2

    def conjugate(self, t: Array) -> Array:
        return t

    def conjugate_of_activation(self, s: Array) -> Array:
        return worlds.tanh(s) / 2

    def optimal_logit(self, p: Array, q: Array) -> Array:
        """Infinite, with the sign of p - q (and nan, any logit being optimal, where p = q)."""
        return worlds.sign(p - q) * worlds.number(math.inf, p)


def _log_two(s: Array) -> Array:
    if is_symbolic(s) or world_of(s) == SYMBOLS:
        return sympy.log(2)
    return math.log(2)
