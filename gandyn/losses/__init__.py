"""GAN losses: one small file each, found by the registry. `gd.losses.NAME()` builds one."""

from __future__ import annotations

from ..errors import ParameterError, made, nearest, shown
from ..other_words import bare
from ..registry import Registry

registry = Registry("loss")


def resolve(loss: Loss | str) -> Loss:
    """A loss given as an object, by name, or as a call in text: "hinge", "least_squares(-1, 1, 0)"."""
    if isinstance(loss, Loss):
        return loss
    if not isinstance(loss, str):
        needed = "a loss of gd.losses, or its name, such as 'nonsaturating'"
        name = nearest(type(loss).__name__, [entry.name for entry in registry], surely=True)
        raise ParameterError(f"loss={shown(loss)}", needed, made(loss, f"loss={name or 'nonsaturating'!r}"))
    if bare(loss) in ("wgangp", "wganlp"):
        raise ParameterError(
            f"loss={loss!r}, a loss and a penalty", "each by itself", 'loss="wasserstein", penalties="WGANGP(20)"'
        )
    built: Loss = registry.from_text(loss)
    return built


from .divergences import Divergence, Measured  # noqa: E402
from .loss import Loss, batch_mean  # noqa: E402
from .pairs import PairLoss  # noqa: E402

registry.load(__name__, list(__path__))

__all__ = ["Divergence", "Loss", "Measured", "PairLoss", "batch_mean", "registry", "resolve"]
__getattr__, __dir__ = registry.face(__all__)
