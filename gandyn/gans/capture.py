"""A rule's step on a GAN as one CUDA graph, replayed: the launches of its small kernels are paid for once."""

from __future__ import annotations

import dataclasses
from typing import Any

import torch

from ..errors import DomainError
from ..types import Array, Counts, Rng, Rule, State
from .gan_game import GANGame, Token

WARM_UP = 3  # steps on a stream of their own first, as CUDA graphs ask: libraries make their workspaces there


class CapturedStep:
    """w, state -> the next ones, over and over, by replaying one graph: `rule.step` and then `game.advance`.

    All that a step reads lies in tensors that never move: parameters, the rule's arrays, its counters (as scalars of
    the device) and the batches that it draws. Batches are drawn before each replay, in the order and with the random
    numbers of a plain step, and copied in. The first steps are run plainly; on a CPU all of them are, on the same
    tensors, and give the numbers of a plain loop.

    Args:
        game: a `GANGame`. rule: whose `domain` is capturable. w, state: where to start; copied.

    Attributes:
        w: the parameters, (d,), overwritten by each step. field: the last step's, where the rule says.

    Raises:
        DomainError: for rules that branch on data, and for layers or penalties that draw random numbers of their own.
    """

    def __init__(self, game: GANGame, rule: Rule, w: Array, state: State) -> None:
        if not isinstance(game, GANGame) or not rule.domain.capturable or game.stochastic or game.own_costs:
            reason = "" if rule.domain.capturable else ", which branches on numbers"
            reason = reason or (" with layers that draw random numbers" if getattr(game, "stochastic", False) else "")
            raise DomainError(
                f"a captured step of {rule.name} on {game!r}{reason}",
                "one GANGame of two networks without dropout, and a rule that is capturable",
                "capture = false",
            )
        self.game, self.rule = game, rule
        self.w, self.field = w.detach().clone(), None
        scalars = (torch.tensor(float(c), dtype=torch.float64, device=w.device) for _, c in state.counter_leaves())
        self._state = state.replace_leaves((a.detach().clone() for _, a in state.leaves()), scalars)
        self._view = _Fed(game)
        self._graph: Any = None
        self._asked = Counts()
        self.steps = 0

    def step(self, rng: Rng) -> None:
        """One step."""
        self._view.feed(rng)
        if self.w.device.type != "cuda":
            self._run()
        elif self.steps < WARM_UP:
            self._aside()
        else:
            if self._graph is None:
                self._capture()
            self._graph.replay()
            self._count()
        self.steps += 1

    @property
    def state(self) -> State:
        """The rule's state, in tensors of its own, with whole numbers as counters."""
        arrays = (array.clone() for _, array in self._state.leaves())
        return self._state.replace_leaves(arrays, (int(count) for _, count in self._state.counter_leaves()))

    def _run(self) -> None:
        """A step from the fixed tensors into the fixed tensors."""
        w, state, info = self.rule.step(self._view, self.w, self._state)
        self._view.advance()
        fixed = [self.w, *(a for _, a in self._state.leaves()), *(c for _, c in self._state.counter_leaves())]
        found = [w, *(a for _, a in state.leaves()), *(c for _, c in state.counter_leaves())]
        held = {tensor.untyped_storage().data_ptr() for tensor in fixed}
        apart = [t.clone() if t.untyped_storage().data_ptr() in held else t for t in found]  # all read before any write
        for tensor, value in zip(fixed, apart, strict=True):
            tensor.copy_(value)
        self.field = info.get("field")

    def _aside(self) -> None:
        """On a stream of its own, before the capture."""
        stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            self._run()
        torch.cuda.current_stream().wait_stream(stream)

    def _capture(self) -> None:
        """Record the step; nothing is computed, so what the oracle counted is taken back and added by each replay."""
        self._graph = torch.cuda.CUDAGraph()
        before = dataclasses.replace(self.game.counts)
        with torch.cuda.graph(self._graph):
            self._run()
        self._asked = self.game.counts - before
        self._count(-1)

    def _count(self, times: int = 1) -> None:
        counts = self.game.counts
        for name in ("player_gradients", "jvps", "vjps", "samples"):
            setattr(counts, name, getattr(counts, name) + times * getattr(self._asked, name))


class _Fed(GANGame):
    """A view of a game that shares everything with it, and whose `draw` returns batch tokens in fixed tensors."""

    def __init__(self, game: GANGame) -> None:
        vars(self).update(vars(game))
        self._game, self._next = game, 0
        self._tokens: list[Token] = []

    @property
    def counts(self) -> Counts:
        """The oracle counts, those of the game whose step was captured."""
        return self._game.counts

    def feed(self, rng: Rng) -> None:
        """Fill the tokens of a step with fresh draws: as many as the last one asked for."""
        self._rng_now, self._next = rng, 0
        for token in self._tokens:
            _fill(token, self._game.draw(rng))

    def draw(self, rng: Rng = None) -> Token:
        """The next of the step's tokens; in the first step, a new one."""
        if self._next == len(self._tokens):
            self._tokens.append(_fixed(self._game.draw(self._rng_now)))
        self._next += 1
        return self._tokens[self._next - 1]


class _NoSeed:
    """Stands for a token's seed in a step that is captured: it may be handed on, but nothing can be drawn with it."""

    def __add__(self, other: object) -> _NoSeed:
        return self

    __sub__ = __mod__ = __add__

    def __int__(self) -> int:
        raise DomainError(
            "a captured step with a penalty that draws random numbers",
            "a step whose randomness is all in its batches",
            "capture = false",
        )


def _fixed(token: Token) -> Token:
    parts = {name: value.clone() for name, value in vars(token).items() if torch.is_tensor(value)}
    return dataclasses.replace(token, seed=_NoSeed(), **parts)  # type: ignore[arg-type]


def _fill(token: Token, drawn: Token) -> None:
    for name, value in vars(token).items():
        if torch.is_tensor(value):
            value.copy_(getattr(drawn, name))
