"""Semi-supervised GANs: labelled data teach the discriminator their classes (Salimans et al. 2016)."""

from __future__ import annotations

from typing import ClassVar

from .. import worlds
from ..worlds import Array, number
from .auxiliary_classifier import AuxiliaryClassifier
from .declaration import register
from .loss import Mean, batch_mean


@register("semi_supervised", examples=({}, {"loss": "hinge", "weight": 0.5}))
class SemiSupervised(AuxiliaryClassifier):
    """Any loss for the logit of K + 1 classes, plus weight times the cross-entropy of the *labelled* data's classes.

    The discriminator minimises the unsupervised cost over all data, which with the non-saturating loss is
    -E log D(x) - E log(1 - D(G(z))), and -E log p(y | x, y <= K) over data whose label is below K; label K stands for
    "not labelled". The generator minimises the source cost alone. (Salimans et al. train it by matching features
    instead.) Not zero-sum.

    Args:
        loss: of the source, a loss or its name.
        weight: of the classes' cross-entropy.
    """

    partial: ClassVar[bool] = True

    def discriminator(
        self, real: Array, fake: Array, *, mean: Mean = batch_mean, distance: Array = None, classes: Array = None
    ) -> Array:
        """The source cost, plus the class cost of labelled data; without any in the batch, the source cost."""
        of_real, _ = self._class_costs(classes, mean)
        share = mean(classes[0][1].sum(-1))
        source = self.loss.discriminator(real, fake, mean=mean, distance=distance)
        return source + number(self.weight, source) * of_real / worlds.maximum(share, 1e-12)

    def generator_cost(
        self, real: Array, fake: Array, *, mean: Mean = batch_mean, distance: Array = None, classes: object = None
    ) -> Array:
        """The source cost."""
        return self.loss.generator_cost(real, fake, mean=mean, distance=distance)
