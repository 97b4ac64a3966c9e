"""The options of `gd.spectrum` in groups: where a map's derivative is taken, on which batches, how long to search."""

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
    """Where the derivative of a rule's update map is taken, beside the point w."""

    state: State | None = None  # state of the rule; by default the one from which it starts
    limit: bool = True  # whether step counters are taken at infinity, instead of as they are in the state
    as_equilibrium: bool = False  # whether v(w) is subtracted from the field: w is then a fixed point with the same J

    def __post_init__(self) -> None:
        check_fields(self)


@dataclasses.dataclass(frozen=True)
class Draws:
    """The batches on which a spectrum is taken."""

    batch: Batch = None  # one batch token, in place of drawn ones
    # how many tokens to draw, or a list of tokens. With several, the eigenvalues are computed for each: the result has
    # error bars, and its own values are those of the first token
    batches: int | Sequence[Batch] = 1
    # samples in each drawn batch, for games that have a `size`
    batch_size: int | None = None
    statistics: str = "batch"  # of batch-norm layers: "batch" or "running"
    seed: int = 0  # of the batches and of the search's random starts

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
    """How long eigenvalues are searched for, and when they are accepted."""

    tolerance: float | None = None  # of residuals, relative to the value's size; 1e-6, or 1e-3 in single precision
    most: int = 600  # products with the matrix for each start
    # bytes for the basis; beyond them the space is restarted (Krylov-Schur), keeping at least 100 vectors
    memory: float = 2**31
    confirm: bool = True  # whether a larger space and a second start must show the same ends
    bounds: bool = False  # whether outer bounds are computed from S and A, for J only
    # seconds; values not accepted by then are "unresolved", and the result says that the time ran out
    budget: float | Budget | None = 600.0

    def __post_init__(self) -> None:
        check_fields(self)


def _batch_norms(game: Game) -> list[torch.nn.Module]:
    if not hasattr(game, "networks"):
        return []
    from torch.nn.modules.batchnorm import _BatchNorm

    return [m for network in game.networks for m in network.modules() if isinstance(m, _BatchNorm)]
