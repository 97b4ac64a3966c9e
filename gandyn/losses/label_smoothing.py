"""Smoothed and flipped labels, as modifiers of any separable loss: the discriminator is taught wrong on purpose."""

from __future__ import annotations

import abc
import dataclasses

from ..lazy import sympy
from ..types import Parameter
from ..worlds import Array, number
from .declaration import register, share, wrapped
from .divergences import Divergence, Measured
from .loss import Loss


@dataclasses.dataclass(frozen=True)
class MixedLabels(Loss):
    """Shares r of the real and f of the fake labels are swapped, in expectation.

    real' = (1 - r) real + r fake and fake' = (1 - f) fake + f real; the generator's cost stays. At the optimum the
    discriminator separates the mixtures p' = (1 - r) p + f q and q' = r p + (1 - f) q, and measures the loss's own
    divergence between them.
    """

    loss: Loss = wrapped(default="minimax")

    @abc.abstractmethod
    def shares(self, s: Array) -> tuple[Array, Array]:
        """(r, f), as factors in the world of `s`."""

    def real(self, s: Array) -> Array:
        """(1 - r) real + r fake."""
        r, _ = self.shares(s)
        return (1 - r) * self.loss.real(s) + r * self.loss.fake(s)

    def fake(self, s: Array) -> Array:
        """(1 - f) fake + f real."""
        _, f = self.shares(s)
        return (1 - f) * self.loss.fake(s) + f * self.loss.real(s)

    def generator(self, s: Array) -> Array:
        """The generator's link of the wrapped loss: labels change the discriminator's cost alone."""
        return self.loss.generator(s)

    def mixtures(self, p: Array, q: Array) -> tuple[Array, Array]:
        """The measures (p', q') that the discriminator separates; together they have mass two."""
        r, f = self.shares(p)
        return (1 - r) * p + f * q, r * p + (1 - f) * q

    def optimal_logit(self, p: Array, q: Array) -> Array:
        """The loss's own at (p', q')."""
        return self.loss.optimal_logit(*self.mixtures(p, q))

    def divergence(self) -> Measured:
        """The divergence of the wrapped loss between the smoothed densities p' and q'."""
        own = self.loss.divergence()
        name = f"{own.divergence.name}, between (1 - r) p + f q and r p + (1 - f) q"
        mixed = Divergence(name, lambda p, q: own.divergence.integrand(*self.mixtures(p, q)))
        return dataclasses.replace(own, divergence=mixed)

    def generator_divergence(self) -> Measured:
        """Refused: not known in closed form."""
        return Loss.divergence(self)


@register(
    "label_smoothing",
    examples=({}, {"loss": "nonsaturating", "real_target": 0.9, "fake_target": 0.2}, {"loss": "hinge"}),
)
class LabelSmoothing(MixedLabels):
    """The discriminator is taught `real_target` on data instead of 1, and `fake_target` on samples instead of 0.

    One-sided where fake_target = 0. For the logistic losses this is cross-entropy against the soft labels, and
    D* = (real_target p + fake_target q)/(p + q) (Salimans et al. 2016, section 3.4): one-sided smoothing only scales
    D*, two-sided keeps it up where p is small, so that samples there are rewarded for staying. For least squares it
    moves the labels (up to a constant). With it no link function of the discriminator saturates: its cost grows on both
    sides of its target.

    Args:
        loss: a loss or its name.
        real_target, fake_target: what the discriminator is taught, from 0 to 1.

    Example:
        >>> import numpy as np, gandyn as gd
        >>> p, q = np.array([1.0]), np.array([0.5])
        >>> gd.losses.label_smoothing(real_target=0.75).optimal_logit(p, q).tolist()  # D* = 1/2
        [0.0]
    """

    real_target: Parameter = share(default=0.9)
    fake_target: Parameter = share(default=0.0)

    def shares(self, s: Array) -> tuple[float | sympy.Expr, float | sympy.Expr]:
        """(1 - real_target, fake_target)."""
        return 1 - number(self.real_target, s), number(self.fake_target, s)


@register("flipped_labels", examples=({}, {"loss": "least_squares", "probability": 0.25}, {"generator_too": True}))
class FlippedLabels(MixedLabels):
    """Each label the discriminator sees is flipped with a probability; these are the expected costs.

    That is label smoothing of both sides by the same amount. With `generator_too` the generator is trained on flipped
    labels as well, minimising the cost of calling its samples real: that turns minimax into the non-saturating loss.

    Args:
        loss: a loss or its name.
        probability: of a flip.
        generator_too: whether the generator sees flipped labels as well.
    """

    probability: Parameter = share(default=0.1)
    generator_too: bool = False

    def shares(self, s: Array) -> tuple[float, float]:
        """(probability, probability)."""
        return number(self.probability, s), number(self.probability, s)

    def generator(self, s: Array) -> Array:
        """The loss's own, or its cost of a real point."""
        return self.loss.real(s) if self.generator_too else self.loss.generator(s)
