"""Semi-supervised GANs: the discriminator classifies K classes and one more, "generated" (Salimans et al. 2016)."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

import torch
from torch import nn

from .. import worlds
from ..losses.auxiliary_classifier import AuxiliaryClassifier
from ..losses.loss import Mean, batch_mean
from ..worlds import Array, number


class KPlusOne(nn.Module):
    """A classifier of K classes as a discriminator: the logit is log sum_k exp l_k, so that D = Z / (Z + 1).

    That is the probability of not being of class K + 1, whose logit is held at 0 (section 5: only K outputs are
    needed). Answers (logits (n, 1), class logits (n, K)).

    Args:
        classifier: points to class logits (n, K).

    Example:
        >>> KPlusOne(nn.Linear(2, 3))(torch.zeros(4, 2))[1].shape
        torch.Size([4, 3])
    """

    def __init__(self, classifier: nn.Module) -> None:
        super().__init__()
        self.classifier = classifier
        self.per_sample = bool(getattr(classifier, "per_sample", False))

    def forward(self, points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Both kinds of logits."""
        logits = self.classifier(points)
        return logits.logsumexp(1, keepdim=True), logits


@dataclasses.dataclass(frozen=True)
class SemiSupervised(AuxiliaryClassifier):
    """Any loss for the logit of `KPlusOne`, plus weight times the cross-entropy of the *labelled* data's classes.

    The discriminator minimises the unsupervised cost over all data, which with the non-saturating loss is
    -E log D(x) - E log(1 - D(G(z))), and -E log p(y | x, y <= K) over data whose label is below K; label K stands for
    "not labelled". The generator minimises the source cost alone. (Salimans et al. train it by matching features
    instead.) Not zero-sum.
    """

    partial: ClassVar[bool] = True

    def discriminator(
        self, real: Array, fake: Array, *, mean: Mean = batch_mean, distance: Array = None, classes: Any = None
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
