"""Which parameters networks had when their game was made: others would not train, and nobody would see it."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Mapping, Sequence

from ..errors import GameError
from ..lazy import torch

_hooks, _values = operator.attrgetter("_post_accumulate_grad_hooks"), operator.methodcaller("values")
is_meta = operator.attrgetter("is_meta")


class Inventory:
    """The parameters that networks had when their game was made."""

    def __init__(self, networks: Mapping[str, torch.nn.Module]) -> None:
        self._networks = networks
        self._known = [p for network in networks.values() for p in network.parameters()]
        self._places = [
            held for net in networks.values() for m in net.modules() for held in (m._parameters, m._modules)
        ]
        self._seen = self._look()

    def _look(self) -> list[int]:
        return [*map(id, itertools.chain.from_iterable(map(_values, self._places)))]

    def check(self) -> None:
        """Raises GameError by name for parameters added since, which would not train, and hooks that would not run."""
        if any(map(_hooks, self._known)):
            raise GameError(
                "parameters with a hook after accumulated gradients, which a rule does not accumulate",
                "hooks on the gradients themselves",
                "parameter.register_hook(lambda gradient: ...)",
            )
        if self._look() == self._seen:
            return
        known = set(map(id, self._known))
        for name, network in self._networks.items():
            new = [key for key, p in network.named_parameters() if p.requires_grad and id(p) not in known]
            if new:
                raise GameError(
                    f"{', '.join(new[:4])} of {name}, added or replaced after the game or the optimiser was made",
                    "the parameters that it was made with, which alone would train",
                    'optimizer.add_param_group({"params": layer.parameters()}) for a new layer; otherwise a new game'
                    " or optimiser, and load_state_dict without assign=True",
                )


def refuse_unready(name: str, network: torch.nn.Module) -> None:
    """Refuse lazy layers, and parameters or buffers that hold no values or can have no slopes."""
    from torch.nn.parameter import is_lazy

    kinds = (
        (is_lazy, "lazy layers, whose shapes are not known yet", "run the module once on a batch first"),
        (is_meta, "tensors on the device meta, which hold no values", "network.to_empty(device=...), and set them"),
        (torch.is_inference, "tensors made in torch.inference_mode(), which have no slopes", "make it outside of it"),
    )
    for tensor in itertools.chain(network.parameters(), network.buffers()):
        for is_so, given, fix in kinds:
            if is_so(tensor):
                raise GameError(f"{name} has {given}", "parameters and buffers that exist", fix)


def check_parameters(parameters: Mapping[str, Sequence[torch.Tensor]]) -> None:
    """Refuse what a game cannot train: no, complex or shared parameters, several dtypes or devices."""
    for name, own in parameters.items():
        if any(map(torch.is_complex, own)):
            raise GameError(
                f"{name} has complex parameters, of which rules would square and compare the wrong parts",
                "real parameters",
                "a real parameter with a last dimension of 2, and torch.view_as_complex in forward",
            )
        if not own:
            raise GameError(
                f"{name} has no parameters to train",
                "at least one trainable parameter for each player",
                "set requires_grad=True on what it trains",
            )
    owners: dict[int, str] = {}
    for name, own in parameters.items():
        for p in own:
            if id(p) in owners:
                raise GameError(
                    f"a parameter belongs to two players, {owners[id(p)]} and {name}, of which each would move it",
                    "disjoint networks",
                    "the shared module as a network of its own with a loss of its own, frozen, or a copy of it",
                )
            owners[id(p)] = name
    everything = list(itertools.chain(*parameters.values()))
    kinds = {(str(p.dtype), str(p.device)) for p in everything}
    if len(kinds) > 1:
        raise GameError(
            f"parameters of several kinds: {', '.join(' on '.join(kind) for kind in sorted(kinds))}",
            "one dtype and one device for all",
            "call `.to(device=..., dtype=...)` on every module first",
        )
