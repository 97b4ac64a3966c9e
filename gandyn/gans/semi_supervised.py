"""Semi-supervised GANs: the discriminator classifies K classes and one more, "generated" (Salimans et al. 2016)."""

from __future__ import annotations

import torch
from torch import nn

from ..losses.semi_supervised import SemiSupervised

__all__ = ["KPlusOne", "SemiSupervised"]


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
        """(logits (n, 1), class logits (n, K)) of the points."""
        logits = self.classifier(points)
        return logits.logsumexp(1, keepdim=True), logits
