"""Copies that stand in for the parameters and buffers of networks during a look, which changes nothing of theirs."""

from __future__ import annotations

import contextlib
import random
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import torch

from ..errors import DomainError
from ..oracles.inventory import refuse_unready
from ..oracles.module_state import standing_in
from .clock import cuda_in_use
from .surroundings import restore_dict

Key = tuple[tuple[int, torch.Size, torch.dtype, torch.device], ...]  # the parameters at hand, one after the other


class StandIns:
    """For each parameter of some networks a copy that stands in for it, with the parameter's value of the moment.

    Losses call the user's own modules, by whatever name and method, but read and change the copies. The parameters
    themselves, their `.grad` and `requires_grad`, buffers, plain attributes, hooks, modes, and the random streams of
    torch, NumPy and Python are afterwards the same objects with the same bits.

    Args:
        networks: modules by name.

    Raises:
        DomainError: for scripted modules, and for lazy layers that have no parameters yet.
    """

    def __init__(self, networks: Mapping[str, torch.nn.Module]) -> None:
        self.networks = networks
        self.modules = all_modules(networks.values())
        for module in self.modules:
            if isinstance(module, torch.jit.ScriptModule):
                raise DomainError("a scripted module", "modules in Python", "watch the module that was scripted")
        self.parameters = list(
            {id(p): p for m in self.modules for p in m._parameters.values() if p is not None}.values()
        )
        for name, network in networks.items():
            refuse_unready(name, network)
        self.key: Key = tuple((id(p), p.shape, p.dtype, p.device) for p in self.parameters)
        self.copies = [torch.nn.Parameter(p.detach().clone(), p.requires_grad) for p in self.parameters]

    def current(self) -> bool:
        """Whether the networks still have the parameters of which these are copies."""
        now = {id(p): p for m in all_modules(self.networks.values()) for p in m._parameters.values() if p is not None}
        return self.key == tuple((id(p), p.shape, p.dtype, p.device) for p in now.values())

    @contextlib.contextmanager
    def worn(self, others: Sequence[torch.nn.Module] = ()) -> Iterator[None]:
        """Within this context copies stand in for the networks' tensors, and for the buffers of `others`."""
        modules = all_modules([*self.networks.values(), *others])
        with torch.no_grad():
            for p, twin in zip(self.parameters, self.copies, strict=True):
                twin.copy_(p)
        values: dict[int, torch.Tensor] = {id(p): twin for p, twin in zip(self.parameters, self.copies, strict=True)}
        for twin, p in zip(self.copies, self.parameters, strict=True):
            twin.grad = None
            twin.requires_grad_(p.requires_grad)
        for module in modules:
            values.update((id(b), b.clone()) for b in module._buffers.values() if b is not None)
        every = [p for m in modules for p in m._parameters.values() if p is not None]
        with (
            _random_streams(), _attributes(modules), _gradients_aside([*every, *self.parameters]), _eager(),
            _uncached(), standing_in(modules, values),
        ):  # fmt: skip
            yield


def all_modules(networks: Iterable[torch.nn.Module]) -> list[torch.nn.Module]:
    """Every module once, in the order in which networks have them."""
    return list({id(m): m for network in networks for m in network.modules()}.values())


@contextlib.contextmanager
def _gradients_aside(parameters: Sequence[torch.Tensor]) -> Iterator[None]:
    """The user's own `.grad` out of reach, and it and `requires_grad` as they were afterwards."""
    before = {id(p): (p, p.grad, p.requires_grad) for p in parameters}
    for p, _, _ in before.values():
        p.grad = None
    try:
        yield
    finally:
        for p, gradient, trains in before.values():
            p.requires_grad_(trains)
            p.grad = gradient


@contextlib.contextmanager
def _attributes(modules: Sequence[object]) -> Iterator[None]:
    """Modes, hooks, counters and lists that modules keep, put back; plain tensors among them are copies meanwhile."""
    held = [(m.__dict__, dict(m.__dict__)) for m in modules]
    inside = [(v, dict(v)) for _, own in held for k, v in own.items() if isinstance(v, dict) and k not in REPLACED]
    lists = [(v, list(v)) for _, own in held for v in own.values() if type(v) is list]
    for own, before in held:
        own.update({k: v.detach().clone() for k, v in before.items() if isinstance(v, torch.Tensor)})
    try:
        yield
    finally:
        for own, before in held:
            restore_dict(own, before)
        for mapping, before in inside:
            restore_dict(mapping, before)
        for values, items in lists:
            values[:] = items


REPLACED = ("_parameters", "_buffers")  # `standing_in` puts these back, item by item


@contextlib.contextmanager
def _random_streams() -> Iterator[None]:
    """The streams of Python, NumPy and torch, on all devices in use, as they were afterwards."""
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002 -- the streams that users' code draws from
    cuda = torch.cuda.get_rng_state_all() if cuda_in_use() else None
    cpu = torch.get_rng_state()
    try:
        yield
    finally:
        torch.set_rng_state(cpu)
        if cuda is not None:
            torch.cuda.set_rng_state_all(cuda)
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002


def _eager() -> contextlib.AbstractContextManager[object]:
    """Compiled modules run as they are written: their compiled code is that of other parameters."""
    if "torch._dynamo" not in sys.modules:
        return contextlib.nullcontext()
    stance: contextlib.AbstractContextManager[object] = torch.compiler.set_stance("force_eager")
    return stance


@contextlib.contextmanager
def _uncached() -> Iterator[None]:
    """Autocast keeps no copies of weights meanwhile, and those that it has for the loop stay as they are."""
    before = torch.is_autocast_cache_enabled()
    torch.set_autocast_cache_enabled(False)
    try:
        yield
    finally:
        torch.set_autocast_cache_enabled(before)


def unwrapped(networks: Mapping[str, torch.nn.Module]) -> dict[str, torch.nn.Module]:
    """The networks, with those in `DistributedDataParallel` taken out of it: a look waits for no other process."""
    parallel = torch.nn.parallel.DistributedDataParallel
    return {name: net.module if isinstance(net, parallel) else net for name, net in networks.items()}
