"""Networks for GANs, by name: `gd.gans.architectures.registry["dcgan_generator"].build(shape, latent=64)`.

Every architecture registers `NAME_generator` and `NAME_discriminator`, functions of the data's `shape` with common
keywords, so that a configuration can name them without knowing them:

    NAME_generator(shape, latent=..., classes=0, output_noise=0.0, seed=0, **own)
    NAME_discriminator(shape, classes=0, condition=None, dropout=0.0, spectral=False, seed=0, **own)

and `pair(NAME, shape, ...)` builds both. What is built are plain modules. A generator has `latent`, the size of its
normal latents. Modules with `conditional = True` are called with labels (n,) beside their input; discriminators with
`class_outputs = K` answer (logits, class logits (n, K)); those with `per_sample = True` treat every point by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ...errors import refuse_unknown
from ..registries import architectures as registry
from .mlp import MLP, mlp_pair

if TYPE_CHECKING:
    from torch import nn


def pair(
    name: str,
    shape: tuple[int, ...] = (2,),
    seed: int = 0,
    generator: Mapping[str, object] | None = None,
    discriminator: Mapping[str, object] | None = None,
    **common: object,
) -> tuple[nn.Module, nn.Module]:
    """(generator, discriminator) of one architecture for data of one shape.

    Args:
        name: "mlp", "dcgan", "residual".
        shape: of one point.
        seed: of the initial weights; the two networks draw from it one after the other.
        generator, discriminator: options of one network alone.
        common: options of both, such as `width` or `classes`.

    Example:
        >>> import torch, gandyn as gd
        >>> generator, discriminator = gd.gans.architectures.pair("dcgan", (1, 28, 28), width=16)
        >>> discriminator(generator(torch.zeros(3, generator.latent))).shape
        torch.Size([3, 1])
    """
    names = sorted(n for n in {e.name.rsplit("_", 1)[0] for e in registry} if f"{n}_generator" in registry.entries)
    refuse_unknown(registry.kind, name, names)
    first, second = 2 * seed, 2 * seed + 1
    built = registry[f"{name}_generator"].build(shape, **{"seed": first, **common, **(generator or {})})
    return built, registry[f"{name}_discriminator"].build(shape, **{"seed": second, **common, **(discriminator or {})})


registry.load(__name__, list(__path__))

__all__ = ["MLP", "mlp_pair", "pair", "registry"]
__getattr__, __dir__ = registry.face(__all__)
