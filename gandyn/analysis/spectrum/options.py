"""What a spectrum is told beside game, point and ends: where a map is taken, on which batches, how long to search."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np

from ...budget import Budget
from ...doors import check_fields
from ...errors import ParameterError, refuse_unknown
from ...lazy import torch
from ...types import Batch, Game, State

STATISTICS = {"batch": "those of the batch, differentiated through", "running": "running ones, held fixed"}


@dataclasses.dataclass(frozen=True)
class MapPoint:
    """Where, beside w, the derivative of a rule's map is taken."""

    state: State | None = None  # the rule's; by default the one that it starts from
    limit: bool = True  # take the state's step counters at infinity instead of as they are
    as_equilibrium: bool = False  # take v(w) off the field, so that w is a fixed point with the same J

    def __post_init__(self) -> None:
        check_fields(self)


@dataclasses.dataclass(frozen=True)
class Draws:
    """The batches on which a spectrum is taken."""

    batch: Batch = None  # a token to use
    # how many tokens to draw, or tokens; with several, all is repeated, the result has error bars, and its own values
    # are those of the first
    batches: int | Sequence[Batch] = 1
    # of the tokens drawn, where the game has a `size`: the Jacobian of a big batch is the mean of those of its parts
    batch_size: int | None = None
    statistics: str = "batch"  # of batch-norm layers, "batch" or "running"
    seed: int = 0  # of the batches, and of the starts of the search

    def __post_init__(self) -> None:
        check_fields(self)
        refuse_unknown("kind of batch statistics", self.statistics, STATISTICS)

    def tokens(self, game: Game) -> list[Batch]:
        """The tokens of the batches: those given, or ones drawn from the seed."""
        if self.batch is not None or game.deterministic:
            return [self.batch]
        if not isinstance(self.batches, (int, np.integer)) and len(self.batches):
            return list(self.batches)
        if not isinstance(self.batches, (int, np.integer)) or isinstance(self.batches, bool) or self.batches < 1:
            raise ParameterError(f"batches={self.batches!r}", "a whole number >= 1, or batch tokens", "batches=8")
        if self.batch_size is not None:
            if not hasattr(game, "size"):
                given = f"batch_size={self.batch_size} on {game.name}"
                raise ParameterError(given, "a game with batches of its own", "batch=...")
            game = copy.copy(game)
            vars(game)["size"] = self.batch_size
        rng = np.random.default_rng(self.seed)
        return [game.draw(rng) for _ in range(int(self.batches))]

    @contextlib.contextmanager
    def in_mode(self, game: Game) -> Iterator[None]:
        """The game left as it was afterwards, its batch-norm layers in training or in evaluation mode until then."""
        with game.undisturbed():
            for layer in _batch_norms(game):
                layer.train(self.statistics == "batch")
            yield

    def conditions(self, game: Game, token: Batch, count: int) -> str:
        """How many batches of how many points there were, and whose statistics counted, in words."""
        said = []
        if token is not None:
            batches = f"{count} batches" if count > 1 else "one fixed batch"
            said.append(f"{batches} of {game.batch_size(token)}")
        if _batch_norms(game):
            said.append(f"batch statistics: {STATISTICS[self.statistics]}")
        return "; ".join(said)


@dataclasses.dataclass(frozen=True)
class Search:
    """How long eigenvalues are looked for, and when they are believed."""

    tolerance: float | None = None  # of residuals, relative to the target's own size; 1e-6, or 1e-3 in single precision
    most: int = 600  # products for each start
    # bytes for the basis; beyond them the space is restarted (Krylov-Schur), keeping at least 100 vectors
    memory: float = 2**31
    confirm: bool = True  # hold the ends found to a larger space and a second start
    bounds: bool = False  # for J, also compute outer bounds from S and A
    # seconds, after which what is not believed is "unresolved", and the result says that the time was up
    budget: float | Budget | None = 600.0

    def __post_init__(self) -> None:
        check_fields(self)


def _batch_norms(game: Game) -> list[torch.nn.Module]:
    if not hasattr(game, "networks"):
        return []
    from torch.nn.modules.batchnorm import _BatchNorm

    return [m for network in game.networks for m in network.modules() if isinstance(m, _BatchNorm)]
