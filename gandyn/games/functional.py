"""A module as a function of its parameters: what derivatives in the joint vector and weight transforms run on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Network = Any  # a module or a FunctionalNetwork: called on a batch, with named_parameters()


class FunctionalNetwork:
    """A module as a function of given parameters and buffers; those not given are the module's own."""

    def __init__(self, network: Any, values: Mapping[str, Any]) -> None:
        self.network, self.values = network, dict(values)

    def named_parameters(self) -> Iterator[tuple[str, Any]]:
        """As a module's: names and the tensors that now stand for them."""
        for name, parameter in self.network.named_parameters():
            yield name, self.values.get(name, parameter)

    def __call__(self, *inputs: Any) -> Any:
        """The module's forward pass at these values."""
        from torch.func import functional_call

        return functional_call(self.network, self.values, inputs)
