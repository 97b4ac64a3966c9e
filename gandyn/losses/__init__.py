"""GAN losses: one small file each, found by the registry. `gd.losses.NAME()` builds one."""

from __future__ import annotations

from ..registry import Registry

registry = Registry("loss")


def resolve(loss: Loss | str) -> Loss:
    """A loss given as an object, by name, or as a call in text: "hinge", "least_squares(-1, 1, 0)"."""
    if isinstance(loss, Loss):
        return loss
    built: Loss = registry.from_text(loss)
    return built


from .divergences import Divergence, Measured  # noqa: E402
from .loss import Loss, batch_mean  # noqa: E402
from .pairs import PairLoss  # noqa: E402

registry.load(__name__, list(__path__))

__all__ = ["Divergence", "Loss", "Measured", "PairLoss", "batch_mean", "registry", "resolve"]
__getattr__, __dir__ = registry.face(__all__)
