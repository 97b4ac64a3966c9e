"""LSGAN, the *least squares* GAN (Mao et al. 2017, eq. 2); the loss-sensitive LS-GAN is another thing."""

from __future__ import annotations

from ..types import Parameter
from ..worlds import Array, number
from .declaration import parameter, register
from .divergences import KL_TO_MIXTURE, PEARSON_TO_MIXTURE, Divergence, Measured
from .loss import Loss


@register(
    "least_squares", examples=({}, {"a": -1, "b": 1, "c": 0}, {"a": -0.5, "b": 1.5, "c": 0.7}), aliases=("lsgan",)
)
class LeastSquares(Loss):
    """Real (s - b)^2/2, fake (s - a)^2/2, generator (s - c)^2/2: a is the label of fakes, b of data, c what G aims at.

    The output is the raw score. The optimum is s* = (b p + a q)/(p + q), where minus the cost is
    (b - a)^2/2 (X/4 - 1/2) with X = int (p - q)^2/(p + q), the Pearson chi^2 between 2q and p + q. Adding the real
    term to the generator's cost, which its gradient at a fixed critic does not see, gives X/2 at the critic's optimum
    when b - c = 1 and b - a = 2 (eq. 8): that is the sense in which LSGAN minimises a Pearson divergence.

    What the generator descends against a critic held at s* is something else (`generator_divergence`):
    (c - a)(b - a) KL(p || (p + q)/2) - (b - a)^2 X/8. With (a, b, c) = (-1, 1, 0) its second-order term at q = p
    cancels: close to the data the pull is of higher order, and on the Dirac-GAN the generator's slope at 0 vanishes. No
    link function saturates: slopes grow linearly with the distance from the label.

    Args:
        a, b, c: the labels of fakes, of data, and what the generator aims at.
    """

    a: Parameter = parameter(default=0)
    b: Parameter = parameter(default=1)
    c: Parameter = parameter(default=1)

    def real(self, s: Array) -> Array:
        return (s - number(self.b, s)) ** 2 / 2

    def fake(self, s: Array) -> Array:
        return (s - number(self.a, s)) ** 2 / 2

    def generator(self, s: Array) -> Array:
        return (s - number(self.c, s)) ** 2 / 2

    def optimal_logit(self, p: Array, q: Array) -> Array:
        return (number(self.b, p) * p + number(self.a, p) * q) / (p + q)

    def divergence(self) -> Measured:
        """(b - a)^2/8 int (p - q)^2/(p + q) - (b - a)^2/4."""
        return Measured(PEARSON_TO_MIXTURE, (self.b - self.a) ** 2 / 8, -((self.b - self.a) ** 2) / 4)

    def generator_divergence(self) -> Measured:
        """(c - a)(b - a) KL(p || (p + q)/2) - (b - a)^2/8 int (p - q)^2/(p + q)."""
        gap = self.b - self.a
        weight = (self.c - self.a) * gap

        def integrand(p: Array, q: Array) -> Array:
            kl, pearson = KL_TO_MIXTURE.integrand(p, q), PEARSON_TO_MIXTURE.integrand(p, q)
            return number(weight, p) * kl - number(gap, p) ** 2 * pearson / 8

        return Measured(Divergence("(c - a)(b - a) KL(p || (p + q)/2) - (b - a)^2/8 int (p - q)^2/(p + q)", integrand))
