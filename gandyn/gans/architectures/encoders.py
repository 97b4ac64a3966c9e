"""Encoders, from points to latents, and a look at what a network computes on the way to its answer."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator

import torch
from torch import nn

from ...errors import ParameterError
from .mlp import LEAK, MLP


class Encoder(nn.Sequential):
    """A leaky multilayer perceptron from a point to `outputs` numbers: for a Gaussian, means and log-stds."""

    def __init__(
        self, shape: tuple[int, ...], outputs: int, hidden: tuple[int, ...] = (128, 128), seed: int = 0
    ) -> None:
        rng = torch.Generator().manual_seed(seed)
        super().__init__(nn.Flatten(), MLP(math.prod(shape), outputs, tuple(hidden), leak=LEAK, generator=rng))


class WithEncoder(nn.Module):
    """A generator with an encoder beside it, which `GANGame` finds and lets play with the generator."""

    def __init__(self, generator: nn.Module, encoder: nn.Module) -> None:
        super().__init__()
        self.generator, self.encoder = generator, encoder
        self.latent = getattr(generator, "latent", None)
        self.conditional = bool(getattr(generator, "conditional", False))

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        """G(z)."""
        made: torch.Tensor = self.generator(*inputs)
        return made


@contextlib.contextmanager
def overheard(module: nn.Module) -> Iterator[list[torch.Tensor]]:
    """What a module answers within this context, call by call."""
    heard: list[torch.Tensor] = []
    handle = module.register_forward_hook(lambda own, given, answer: heard.append(answer))
    try:
        yield heard
    finally:
        handle.remove()


def layer_named(network: nn.Module, name: str | None) -> nn.Module:
    """A network's module by name, by default what the last linear layer reads. Raises ParameterError without one."""
    if name is not None:
        found: dict[str, nn.Module] = dict(network.named_modules())
        if name not in found:
            raise ParameterError(f"the layer {name!r}", f"one of {', '.join(n for n in found if n)}", "check its name")
        return found[name]
    trunk = getattr(network, "trunk", None)
    if isinstance(trunk, nn.Module):
        return trunk
    if isinstance(network, nn.Sequential) and len(network) > 1:
        before: nn.Module = network[-2]
        return before
    raise ParameterError(f"a {type(network).__name__}, whose layers have no order", "the name of one", 'layer="0"')


def body_of(discriminator: nn.Module) -> tuple[nn.Module, int]:
    """A discriminator without its last linear layer, and that layer's inputs. Raises ParameterError without one."""
    head = getattr(discriminator, "logit", None)
    if isinstance(getattr(discriminator, "trunk", None), nn.Module) and isinstance(head, nn.Linear):
        return discriminator.trunk, head.in_features  # type: ignore[return-value]
    if isinstance(discriminator, nn.Sequential) and isinstance(discriminator[-1], nn.Linear):
        return nn.Sequential(*list(discriminator)[:-1]), discriminator[-1].in_features
    raise ParameterError(f"a {type(discriminator).__name__} without a last linear layer", "one", "an mlp or dcgan")
