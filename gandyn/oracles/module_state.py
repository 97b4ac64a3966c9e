"""What evaluations of networks find in modules beside parameters: buffers, and the vectors of spectral norms."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

from ..lazy import torch
from ..types import Array

FIRST_ITERATIONS = 15


class ModuleState:
    """The buffers of some modules: what an evaluation leaves as they were, and what moves once a step.

    Vectors of power iterations (torch's spectral norms, old and new, and this package's own) are not moved by
    evaluations at all: within a step they are constants, and the field a function of w. `refresh` moves them.
    Buffers are found by the place where a module keeps them, since modules may replace a buffer by another tensor.

    `networks`: the modules; `cumulative`: running statistics of normalisations follow every training evaluation of a
    step, as in a loop that calls the modules itself; otherwise, like all other buffers, the last one. The field is the
    same, as these statistics are not read in training mode.
    """

    def __init__(self, networks: Sequence[torch.nn.Module], cumulative: bool = False) -> None:
        from torch.nn.modules.batchnorm import _NormBase

        self.powers = _power_iterations(networks)
        self.estimates = _own_estimates(networks)
        fixed = {id(b) for norm, _ in self.estimates for b in norm.buffers()}
        fixed |= {id(b) for power, layer in self.powers for b in _vectors(power, layer)}
        self.places: list[tuple[dict[str, Any], str]] = []
        self._statistics: list[int] = []
        for module in {id(m): m for network in networks for m in network.modules()}.values():
            for key, buffer in module._buffers.items():
                if buffer is None or id(buffer) in fixed:
                    continue
                if cumulative and isinstance(module, _NormBase):
                    self._statistics.append(len(self.places))
                self.places.append((module._buffers, key))
        self.pending: list[torch.Tensor] | None = None
        self._settle()

    def _settle(self) -> None:
        """Torch's old form of spectral norm starts from random vectors; the new one, as here, from iterated ones."""
        with torch.no_grad():
            for power, layer in self.powers:
                for _ in range(0 if hasattr(power, "_u") else FIRST_ITERATIONS):
                    _iterate(power, layer)

    @property
    def idle(self) -> bool:
        """Whether evaluations change nothing, so that nothing has to be guarded."""
        return not self.places and not self.powers

    @contextlib.contextmanager
    def guarded(self, keep: bool) -> Iterator[None]:
        """Leaves every buffer as it was; `keep` notes the new values for `advance`."""
        before = [(buffers[key], buffers[key].clone()) for buffers, key in self.places]
        if keep and self.pending is not None:
            for k in self._statistics:
                before[k][0].copy_(self.pending[k])
        try:
            with self.fixed_norms():
                yield
        finally:
            if keep and before:
                self.pending = [buffers[key].detach().clone() for buffers, key in self.places]
            for (buffers, key), (tensor, value) in zip(self.places, before, strict=True):
                buffers[key] = tensor
                tensor.copy_(value)

    @contextlib.contextmanager
    def fixed_norms(self) -> Iterator[None]:
        """Torch's spectral norms make no power iterations."""
        steps = [power.n_power_iterations for power, _ in self.powers]
        try:
            for power, _ in self.powers:
                power.n_power_iterations = 0
            yield
        finally:
            for (power, _), n in zip(self.powers, steps, strict=True):
                power.n_power_iterations = n

    def advance(self) -> None:
        """Once per step: buffers become those noted, and spectral norms make their power iterations."""
        for (buffers, key), value in zip(self.places, self.pending or (), strict=self.pending is not None):
            buffers[key].copy_(value)
        self.pending = None
        self.refresh()

    def refresh(self) -> None:
        """One power iteration at the weights that the modules hold; in torch's layers as many as they are set to."""
        with torch.no_grad():
            for norm, weight in self.estimates:
                norm.refresh(weight)
            for power, layer in self.powers:
                _iterate(power, layer)


def _power_iterations(networks: Sequence[torch.nn.Module]) -> list[tuple[Any, Any]]:
    """Torch's spectral norms, each with its layer (old form) or its list of parametrisations (new form)."""
    from torch.nn.utils.parametrizations import _SpectralNorm
    from torch.nn.utils.parametrize import ParametrizationList
    from torch.nn.utils.spectral_norm import SpectralNorm

    found: list[tuple[Any, Any]] = []
    for network in networks:
        for module in network.modules():
            if isinstance(module, ParametrizationList):
                found += [(own, module) for own in module if isinstance(own, _SpectralNorm) and hasattr(own, "_u")]
            found += [(hook, module) for hook in module._forward_pre_hooks.values() if isinstance(hook, SpectralNorm)]
    return found


def _own_estimates(networks: Sequence[torch.nn.Module]) -> list[tuple[Any, Any]]:
    """Parametrisations with a `refresh(weight)` of their own, such as `gans.architectures.spectral.SpectralNorm`."""
    from torch.nn.utils.parametrize import ParametrizationList

    lists = (m for network in networks for m in network.modules() if isinstance(m, ParametrizationList))
    return [(own, each.original) for each in lists for own in each if hasattr(own, "refresh")]


def _vectors(power: Any, layer: torch.nn.Module) -> list[Array]:
    if hasattr(power, "_u"):
        return [power._u, power._v]
    return [getattr(layer, f"{power.name}_u"), getattr(layer, f"{power.name}_v")]


def _iterate(power: Any, layer: Any) -> None:
    """A layer's own power iterations, in training mode."""
    if not hasattr(power, "_u"):
        if layer.training:
            power.compute_weight(layer, do_power_iteration=True)
    elif power.training:
        weight = layer.original
        for own in layer:
            if own is power:
                break
            weight = own(weight)
        power._power_method(power._reshape_weight_to_matrix(weight), power.n_power_iterations)


def forget_weights() -> None:
    """Drop copies of weights that autocast, or a surrounding `parametrize.cached()`, made before they moved."""
    if torch.is_autocast_cache_enabled():
        torch.clear_autocast_cache()
    if torch.nn.utils.parametrize._cache_enabled:
        torch.nn.utils.parametrize._cache.clear()


@contextlib.contextmanager
def standing_in(modules: Sequence[Any], values: dict[int, Any]) -> Iterator[None]:
    """Within this context modules use other tensors for their parameters and buffers.

    Whoever calls the modules, by whatever name and method, meets the stand-ins; one parameter in two places is one. A
    `parametrize.cached()` around it keeps nothing meanwhile, and afterwards what it had.

    `modules`: where to look, with all that they contain; `values`: by `id` of a tensor, what stands for it.
    """
    from torch.nn import RNNBase
    from torch.nn.utils import parametrize

    cached = parametrize._cache_enabled, parametrize._cache
    places, lists = [], []
    for module in {id(m): m for network in modules for m in network.modules()}.values():
        for held in (module._parameters, module._buffers):
            places += [(held, key, tensor) for key, tensor in held.items() if id(tensor) in values]
        if isinstance(module, RNNBase):  # keeps its parameters a second time, for cuDNN
            lists.append((module, module._flat_weights))
    try:
        parametrize._cache_enabled, parametrize._cache = 0, {}
        for held, key, tensor in places:
            held[key] = values[id(tensor)]
        for module, _ in lists:
            module._flat_weights = [getattr(module, name, None) for name in module._flat_weights_names]
        yield
    finally:
        parametrize._cache_enabled, parametrize._cache = cached
        for held, key, tensor in places:
            held[key] = tensor
        for module, weights in lists:
            module._flat_weights = weights
