"""The critic of one member of an ensemble, under `torch.vmap`: what it draws is what a run of its own would draw."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import torch

from ..oracles.composite import calls_through
from ..oracles.module_state import standing_in
from ..types import Array
from .critic import SEED_STRIDE, NetworkCritic

LIKE = {"randn_like": torch.randn, "rand_like": torch.rand}
PLANES = {"dropout1d": 2, "dropout2d": 2, "dropout3d": 2}


class MemberSeeds:
    """The seeds of all members' tokens, and under `vmap` the number of the member at hand.

    Random numbers are drawn for all members, each from a generator with the member's own seed, and the member's own are
    looked up by its number.

    Args:
        seeds: of the tokens. index: under `vmap`, the member's number as a tensor.
    """

    def __init__(self, seeds: Sequence[int], index: Array) -> None:
        self.seeds, self._index = seeds, index
        self._layers = self.generators(0)

    def generators(self, offset: int) -> list[torch.Generator]:
        """Fresh generators, seeded with the tokens' seeds and an offset."""
        device = self._index.device
        return [torch.Generator(device).manual_seed((seed + offset) % 2**63) for seed in self.seeds]

    def draw(
        self, make: Callable[[torch.Generator], torch.Tensor], generators: Sequence[torch.Generator]
    ) -> torch.Tensor:
        """What `make` draws, for the member at hand."""
        drawn = torch.stack([make(generator) for generator in generators])
        return drawn.index_select(0, self._index.view(1)).squeeze(0)

    def seed_layers(self, offset: int) -> None:
        """Start the random numbers of layers anew, as `torch.manual_seed` does for one run."""
        self._layers = self.generators(offset)

    def layers(self) -> Any:
        """A context in which dropout, `randn_like` and `rand_like` draw for each member what its own run would.

        One-hot labels, whose own code looks at numbers that `vmap` does not show, are made by comparison.
        """
        return calls_through(self._call)

    def _call(self, function: Any, args: Any, kwargs: Any) -> Any:
        name = getattr(function, "__name__", "")
        if name in LIKE and not kwargs:
            like, make = args[0], LIKE[name]
            made = {"dtype": like.dtype, "device": like.device}
            return self.draw(lambda source: make(like.shape, generator=source, **made), self._layers)
        if name == "dropout" or name in PLANES:
            return self._dropped(PLANES.get(name), *args, **kwargs)
        if name == "one_hot":
            return _one_hot(*args, **kwargs)
        return function(*args, **kwargs)

    def _dropped(
        self, planes: int | None, input: Any, p: float = 0.5, training: bool = True, inplace: bool = False
    ) -> Any:
        """Dropout as torch computes it on a CPU: zeros and 1 / (1 - p), for entries or for whole planes."""
        if not training or p == 0:
            return input
        shape = input.shape if planes is None else (*input.shape[:planes], *(1,) * (input.ndim - planes))
        like = {"dtype": input.dtype, "device": input.device}
        kept = self.draw(lambda source: torch.empty(shape, **like).bernoulli_(1 - p, generator=source), self._layers)
        return input * (kept / (1 - p) if p < 1 else kept)


def _one_hot(tensor: Array, num_classes: int) -> Array:
    return (tensor[..., None] == torch.arange(num_classes, device=tensor.device)).long()


class MemberCritic(NetworkCritic):
    """As `NetworkCritic`, with slopes by `torch.func`, since `torch.autograd.grad` does not run under `vmap`."""

    _seed: Any

    def _leaf(self, points: Array) -> Array:
        return points

    def _seed_all_layers(self, offset: int) -> None:
        self._seed.seed_layers(offset)

    def squared_slope(self, points: Array) -> Array:
        """|ds/dx|^2 for each point, shape (n,)."""
        if id(points) not in self._slopes:
            module: Any = getattr(self._discriminator, "network", self._discriminator)
            buffers = list(module.buffers())
            if buffers:  # what moves them is the pass for the logits; `torch.func` moves nothing outside
                self.logit(points)

            def total(x: Array) -> Array:
                passes, self._passes = self._passes, self._passes - bool(buffers and points is not self.real)
                with standing_in([module], {id(b): b.clone() for b in buffers}):
                    answer = self._evaluate_as(points, x)
                self._passes = passes if buffers else self._passes
                return answer[0].sum(), [a for a in answer if a is not None]

            slope, answer = torch.func.grad(total, has_aux=True)(points)
            self._logits.setdefault(id(points), (points, answer[0], answer[1] if answer[1:] else None))
            self._slopes[id(points)] = (points, slope.flatten(1).square().sum(1))
        return self._slopes[id(points)][1]

    def _generator(self, like: Array) -> Any:
        if self._source is None:
            self._source = self._seed.generators((self._stream + 1) * SEED_STRIDE)
        return self._source

    def _drawn(self, make: Callable[..., torch.Tensor], shape: object, like: Array) -> Array:
        made = {"dtype": like.dtype, "device": like.device}
        return self._seed.draw(lambda source: make(shape, generator=source, **made), self._generator(like))


@dataclasses.dataclass(frozen=True, eq=False)
class MemberToken:
    """One member's batch under `vmap`; as `Token`, with the seeds of all members in place of its own."""

    critic: ClassVar[type[NetworkCritic]] = MemberCritic
    real: Array
    latent: Array
    seed: MemberSeeds
    labels: Array = None
