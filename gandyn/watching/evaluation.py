"""One evaluation of someone's losses, overheard: what the generator made, and what was said of it and of data.

Nothing is known of the losses but that they call the networks. What depends on the generator's output, by whatever
operations (`.detach()`, noise, concatenation, augmentation), is followed through torch's calls.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Sequence

import torch

from ..oracles.composite import calls_through
from ..types import Array

MOST = 512  # points of each kind that are kept
LEAST_ODDS = 1e-5
Read = tuple[Array, Array, Array]  # points (n, ...), the outputs at them (n,), the cost's slopes by the outputs (n,)


@dataclasses.dataclass
class Call:
    """One call of a network: its index, its first input and output, and whether the input came from the generator."""

    network: int
    points: Array
    output: torch.Tensor
    made: bool


@dataclasses.dataclass(frozen=True)
class Judgement:
    """The outputs of one discriminator on data and on samples, in its own units.

    Attributes:
        on_real, on_fake: its outputs at data and at samples, (n,) and (m,), with the sign under which its loss asks for
            higher outputs on data.
        log_odds: both outputs as logits of "is data", where the slopes of its loss are those of log-probabilities;
            None otherwise.
        slope: the largest |d output / d point| over the points of this batch, a lower bound of its Lipschitz constant;
            None where no slope could be taken.
        real, fake: the points, (n, ...), (m, ...).
    """

    on_real: torch.Tensor
    on_fake: torch.Tensor
    log_odds: tuple[Array, Array] | None
    slope: float | None
    real: Array
    fake: Array


class Overheard:
    """Records the calls of networks during one evaluation of losses, and which tensors came from the generator.

    Args:
        networks: in the order of the players.
        generator: index of the network that makes samples.
    """

    def __init__(self, networks: Sequence[torch.nn.Module], generator: int) -> None:
        self.networks, self.generator = networks, generator
        self.calls: list[Call] = []
        self.samples: Array = None
        self._made: dict[int, torch.Tensor] = {}
        self._within = 0

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Record the calls that are made within this context."""
        handles = []
        for i, network in enumerate(self.networks):
            handles.append(network.register_forward_pre_hook(self._before, with_kwargs=True))
            handles.append(network.register_forward_hook(lambda m, a, k, out, i=i: self._after(i, a, k, out),
                                                         with_kwargs=True))  # fmt: skip
        try:
            with calls_through(self._follow):
                yield
        finally:
            for handle in handles:
                handle.remove()

    def _follow(self, func: Callable[..., object], args: tuple[object, ...], kwargs: dict[str, object]) -> object:
        result = func(*args, **kwargs)
        if self._made and any(id(t) in self._made for t in _tensors((args, kwargs))):
            self._mark(result)
        return result

    def _mark(self, result: object) -> None:
        for t in _tensors(result):
            self._made[id(t)] = t  # held, so that the id stays its own

    def _before(
        self, module: torch.nn.Module, args: tuple[object, ...], kwargs: dict[str, object]
    ) -> tuple[tuple[object, ...], dict[str, object]] | None:
        """Replace an input that carries no gradient by a leaf of autograd, so that slopes can be taken at it."""
        first = next(iter(_tensors((args, kwargs))), None)
        if first is None or first.requires_grad or not first.is_floating_point() or id(first) in self._made:
            return None
        leaf = first.detach().requires_grad_()
        return tuple(leaf if a is first else a for a in args), {k: leaf if a is first else a for k, a in kwargs.items()}

    def _after(self, index: int, args: object, kwargs: object, output: torch.Tensor) -> None:
        points, answer = next(iter(_tensors((args, kwargs))), None), next(iter(_tensors(output)), None)
        if points is None or answer is None:
            return
        made = any(id(t) in self._made for t in _tensors((args, kwargs)))
        self.calls.append(Call(index, points, answer, made))
        if index == self.generator:
            self._mark(output)
            self.samples = answer if self.samples is None else self.samples

    @property
    def discriminators(self) -> list[int]:
        """The networks that were shown what the generator made."""
        return sorted({c.network for c in self.calls if c.made and c.network != self.generator})

    def judgement(self, index: int, cost: torch.Tensor) -> Judgement | None:
        """The outputs of a discriminator on which its cost depends, by data and samples; None without both kinds."""
        calls = [c for c in self.calls if c.network == index and c.output.is_floating_point()]
        slopes = torch.autograd.grad(cost, [c.output for c in calls], retain_graph=True, allow_unused=True)
        real: list[tuple[Call, Array]] = []
        fake: list[tuple[Call, Array]] = []
        for call, slope in zip(calls, slopes, strict=True):
            if slope is None or not len(call.output):
                continue
            (fake if call.made else real).append((call, _each(slope)))
        found = self._parted(real, fake)
        return None if found is None else _judged(*found)

    def _parted(self, real: Array, fake: Array) -> tuple[Read, Read, list[Call]] | None:
        """(what was read at data, at samples, the calls); a call on data and samples together is taken apart."""
        if real and fake:
            chosen = [max(kind, key=lambda pair: float(pair[1].abs().sum())) for kind in (real, fake)]
            parts = [_part(call, slope, slice(None)) for call, slope in chosen]
            return parts[0], parts[1], [call for call, _ in chosen]
        for call, slope in fake:
            n, total = len(self.samples), len(call.output)
            for mine, rest in ((slice(0, n), slice(n, None)), (slice(total - n, None), slice(0, total - n))):
                if n < total and torch.equal(call.points[mine].detach(), self.samples.detach()):
                    return _part(call, slope, rest), _part(call, slope, mine), [call]
        return None


def _part(call: Call, slope: torch.Tensor, rows: slice) -> Read:
    return call.points.detach()[rows], _each(call.output.detach(), mean=True)[rows], slope[rows]


def _judged(real: Read, fake: Read, calls: list[Call]) -> Judgement:
    turn = 1.0 if float(real[2].sum()) - float(fake[2].sum()) <= 0 else -1.0
    on_real, on_fake = turn * real[1], turn * fake[1]
    odds = _log_odds(real, fake, turn)
    return Judgement(on_real[:MOST], on_fake[:MOST], odds, _largest_slope(calls), real[0][:MOST], fake[0][:MOST])


def _log_odds(real: Read, fake: Read, turn: float) -> tuple[Array, Array] | None:
    """Outputs as logits, where the cost's slopes are those of log-probabilities: sigma(s) on samples, of -s on data."""
    for read, slope_of in ((_as_logit, _logit_slope), (_as_probability, _probability_slope)):
        logits = [read(turn * part[1] if read is _as_logit else part[1]) for part in (real, fake)]
        if turn < 0 and read is _as_probability:
            logits = [None if x is None else -x for x in logits]
        if any(x is None for x in logits):
            continue
        found = torch.cat([part[2].abs().double() * len(part[2]) for part in (real, fake)])
        if _proportional(found, torch.cat([slope_of(-logits[0]), slope_of(logits[1])])):
            return logits[0][:MOST], logits[1][:MOST]
    return None


def _as_logit(outputs: torch.Tensor) -> torch.Tensor:
    return outputs


def _as_probability(outputs: torch.Tensor) -> Array:
    if float(outputs.min()) < 0 or float(outputs.max()) > 1:
        return None
    inside = outputs.double().clamp(1e-12, 1 - 1e-12)
    return torch.log(inside) - torch.log1p(-inside)


def _logit_slope(wrong: torch.Tensor) -> torch.Tensor:
    """d/ds of -log(1 - sigma(s)): sigma(s), the probability given to the wrong answer."""
    return torch.sigmoid(wrong.double())


def _probability_slope(wrong: torch.Tensor) -> Array:
    """d/dp of -log(1 - p): 1 / (1 - p), with p = sigma(s)."""
    return 1 + torch.exp(wrong.double())


def _proportional(found: torch.Tensor, expected: torch.Tensor) -> bool:
    """Whether slopes follow a formula, on outputs that differ enough to tell it from a constant."""
    clear = expected > LEAST_ODDS
    if int(clear.sum()) < 4:
        return False
    want = expected[clear]
    ratio, spread = found[clear] / want, float(want.std() / want.mean())
    return spread > 3e-3 and float(ratio.mean()) > 0 and float(ratio.std() / ratio.mean()) <= 1e-5 + 0.1 * spread


def _largest_slope(calls: Sequence[Call]) -> float | None:
    found = []
    for call in calls:
        if call.points.requires_grad:
            slopes = torch.autograd.grad(call.output.sum(), call.points, retain_graph=True, allow_unused=True)[0]
            if slopes is not None:
                found.append(float(slopes.flatten(1).norm(dim=1).max()))
    return max(found) if found else None


def _each(values: torch.Tensor, mean: bool = False) -> torch.Tensor:
    """One number for each point: the mean over patches, or the sum of their slopes."""
    flat = values.reshape(len(values), -1) if values.ndim else values.reshape(1, 1)
    return flat.mean(1) if mean else flat.sum(1)


def _tensors(value: object, depth: int = 0) -> Iterator[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, tuple | list) and depth < 4:
        for part in value:
            yield from _tensors(part, depth + 1)
    elif isinstance(value, dict) and depth < 4:
        for part in value.values():
            yield from _tensors(part, depth + 1)
