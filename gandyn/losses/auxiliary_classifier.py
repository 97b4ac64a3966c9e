"""AC-GAN: the discriminator also names the class, and the generator wants nameable samples (Odena et al. 2017)."""

from __future__ import annotations

from typing import ClassVar

from .. import worlds
from ..errors import ParameterError
from ..types import Parameter
from ..worlds import Array, number
from .declaration import parameter, register, wrapped
from .loss import Classes, Loss, Mean, batch_mean


@register("auxiliary_classifier", examples=({}, {"loss": "hinge", "weight": 0.5}), aliases=("ac-gan", "acgan"))
class AuxiliaryClassifier(Loss):
    """Any loss for the source (real or fake), plus weight times the class's cross-entropy -log p_class.

    The discriminator adds it on data and on samples, the generator on its samples: both players *minimise* the class
    cost (eq. 2-3: L_C + L_S is maximised by D, L_C - L_S by G), so the game is not zero-sum even over minimax. The
    generator is thereby drawn to samples that are easy to classify, away from the boundaries between classes, whether
    or not data lie there.

    Args:
        loss: of the source, a loss or its name.
        weight: of the classes' cross-entropy.
    """

    separable: ClassVar[bool] = False
    needs: ClassVar[frozenset[str]] = frozenset({"classes"})
    loss: Loss = wrapped(separable=False, default="nonsaturating")
    weight: Parameter = parameter(default=1.0)

    def discriminator(
        self, real: Array, fake: Array, *, mean: Mean = batch_mean, distance: Array = None, classes: Classes = None
    ) -> Array:
        """The source cost, plus the class cost of data and of samples."""
        of_real, of_fake = self._class_costs(classes, mean)
        source = self.loss.discriminator(real, fake, mean=mean, distance=distance)
        return source + number(self.weight, source) * (of_real + of_fake)

    def generator_cost(
        self, real: Array, fake: Array, *, mean: Mean = batch_mean, distance: Array = None, classes: Classes = None
    ) -> Array:
        """The source cost, plus the class cost of samples."""
        _, of_fake = self._class_costs(classes, mean)
        source = self.loss.generator_cost(real, fake, mean=mean, distance=distance)
        return source + number(self.weight, source) * of_fake

    def gradients(
        self, player: str, real: Array, fake: Array, *, mean: Mean = batch_mean, distance: Array = None
    ) -> tuple[Array, Array]:
        """The slopes of the source cost alone; `class_gradient` gives those of the class cost."""
        return self.loss.gradients(player, real, fake, mean=mean, distance=distance)

    @staticmethod
    def class_cost(logits: Array, targets: Array) -> Array:
        """-sum_k target_k log softmax(logits)_k over the last axis, which is dropped."""
        return worlds.log_sum_exp(logits) * targets.sum(-1) - (targets * logits).sum(-1)

    @staticmethod
    def class_gradient(logits: Array, targets: Array) -> Array:
        """The gradient of `class_cost` against the class logits: softmax(logits) - targets, for targets of sum one."""
        return worlds.exp(logits - worlds.log_sum_exp(logits)[..., None]) - targets

    def _class_costs(self, classes: Classes, mean: Mean) -> tuple[Array, Array]:
        if classes is None:
            raise ParameterError(
                "AuxiliaryClassifier without class logits",
                "((class logits, targets) of real points, (class logits, targets) of samples), each (..., N, K)",
                "pass classes=..., or use the loss of the source alone",
            )
        (real_logits, real_targets), (fake_logits, fake_targets) = classes
        return mean(self.class_cost(real_logits, real_targets)), mean(self.class_cost(fake_logits, fake_targets))
