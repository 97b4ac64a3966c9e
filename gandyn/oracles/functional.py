"""A module as a function of some of its parameters: what a penalty's transforms of weights run on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..lazy import torch
from ..types import Array
from .module_state import standing_in

Network = Any  # a module or a FunctionalNetwork: called on a batch, with named_parameters()


class FunctionalNetwork:
    """A module as a function of given parameters and buffers; those not given are the module's own."""

    def __init__(self, network: torch.nn.Module, values: Mapping[str, Array]) -> None:
        self.network, self.values = network, dict(values)

    def named_parameters(self) -> Iterator[tuple[str, torch.Tensor]]:
        """As a module's: names and the tensors that now stand for them."""
        for name, parameter in self.network.named_parameters():
            yield name, self.values.get(name, parameter)

    def __call__(self, *inputs: object) -> Array:
        """The module's forward pass at these values."""
        own = {**dict(self.network.named_parameters()), **dict(self.network.named_buffers())}
        with standing_in([self.network], {id(own[name]): value for name, value in self.values.items()}):
            return self.network(*inputs)
