"""Games given by torch functions: `from_torch`, the way in for a user's own costs."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import GameError, MissingDependencyError, ParameterError
from ..lazy import torch
from ..types import Array, Batch, Game, Player
from ..worlds import NUMPY, TORCH, world_of
from .field_graph import FieldGraph, gradient

TWO_PLAYERS = ("x", "y")
PROBE_SEED = 0
PROBE_SCALES = (0.1, 1.0, 10.0)


class TorchGame(Game):
    """A game whose costs are torch functions of its players' blocks; NumPy arrays are answered in NumPy (float64)."""

    worlds = frozenset({NUMPY, TORCH})

    def __init__(
        self,
        name: str,
        costs: Callable[..., Any],
        players: Mapping[str, int],
        equilibria: Sequence[Sequence[object]] = (),
        device: torch.device | str = "cpu",
    ) -> None:
        self.name, self.device = name, device
        self.players = tuple(Player(str(player), _size(player, size)) for player, size in players.items())
        self.equilibria = tuple(map(tuple, equilibria))
        self._user_costs = costs
        self._evaluate = _Vectorised(self)
        self._probe()

    # --- the user's function -----------------------------------------------------------------------------------

    def call(self, *blocks: Sequence[torch.Tensor]) -> tuple[Array, ...]:
        """The user's function on blocks of any leading shape, as a tuple with one cost for each player."""
        costs = self._user_costs(*blocks)
        if isinstance(costs, torch.Tensor):
            costs = (costs, -costs) if len(self.players) == 2 else (costs,)
        costs = tuple(costs)
        if len(costs) != len(self.players):
            raise GameError(
                f"{len(costs)} costs for {len(self.players)} players ({', '.join(p.name for p in self.players)})",
                "one cost for each player, or one tensor for a two-player zero-sum game",
                "return f_1, ..., f_n in the order of the players",
            )
        return costs

    def _probe(self) -> None:
        """Try the costs at random points: shapes, who depends on what, and whether they sum to zero."""
        points = self._random_points()
        try:
            self._evaluate.choose(points)
        except GameError:
            raise
        except Exception as error:
            message = (str(error).splitlines() or [""])[0]
            raise GameError(
                f"the costs of {self.name} raised {type(error).__name__} on float64 blocks: {message}",
                "a function of one block (..., size) for each player, in the dtype and on the device of its arguments",
                "build constants with dtype=torch.float64, or convert them by `.to(x)`",
            ) from error
        with torch.enable_grad():
            blocks = [block.detach().requires_grad_() for block in self.split(points)]
            costs = self._evaluate(*blocks)
            for player, cost, block in zip(self.players, costs, blocks, strict=True):
                if not (gradient(cost, block) != 0).any():
                    raise GameError(
                        f"the cost of player {player.name} does not depend on {player.name}'s own block",
                        "a cost that each player can change",
                        "check the order of the costs and of the arguments, and look for `.detach()`",
                    )
        if len(costs) == 2:
            total, scale = (costs[0] + costs[1]).detach(), costs[0].detach().abs()
            self.zero_sum = bool((total.abs() <= 1e-12 * scale).all())

    def _random_points(self) -> Array:
        rng = np.random.default_rng(PROBE_SEED)
        scales = np.repeat(PROBE_SCALES, 4)[:, None]
        return torch.as_tensor(scales * rng.standard_normal((len(scales), self.dim)), device=self.device)

    # --- the oracle --------------------------------------------------------------------------------------------

    def _enter(self, w: Array) -> Array:
        if world_of(w) == NUMPY:
            return torch.as_tensor(np.array(w, dtype=np.float64), device=self.device)
        return w

    def _leave(self, result: Array, w: Array) -> Array:
        return result.detach().cpu().numpy() if world_of(w) == NUMPY else result

    def _costs(self, w: Array, batch: Batch) -> tuple[Array, ...]:
        return tuple(self._leave(cost, w) for cost in self._evaluate(*self.split(self._enter(w))))

    def _field(self, w: Array, batch: Batch, only: int | None) -> Array:
        point = self._enter(w)
        attached = point.requires_grad and torch.is_grad_enabled()
        with torch.enable_grad():
            leaf = point if attached else point.detach().requires_grad_()
            return self._leave(self._field_of(leaf, only, attached), w)

    def _field_of(self, w: Array, only: int | None, create_graph: bool) -> Array:
        """v(w) for w in a graph, which is kept for further derivatives if `create_graph`."""
        blocks = self.split(w)
        costs = self._evaluate(*blocks)
        parts = []
        for i, (cost, block) in enumerate(zip(costs, blocks, strict=True)):
            if only is not None and only != i:
                parts.append(torch.zeros_like(block))
                continue
            parts.append(gradient(cost, block, create_graph))
        return torch.cat(parts, -1)

    def _graph(self, w: Array) -> FieldGraph:
        attached = bool(w.requires_grad and torch.is_grad_enabled())
        with torch.enable_grad():
            blocks = self.split(w if attached else w.detach().requires_grad_())
            return FieldGraph([[b] for b in blocks], self._evaluate(*blocks), w.ndim - 1, attached=attached)

    def _jvp(self, w: Array, u: Array, batch: Batch) -> Array:
        return self._leave(self._graph(self._enter(w)).jvp(self._enter(u)), w)

    def _vjp(self, w: Array, u: Array, batch: Batch) -> Array:
        return self._leave(self._graph(self._enter(w)).vjp(self._enter(u)), w)

    def _coupling(self, w: Array, u: Array, batch: Batch, only: int | None) -> Array:
        return self._leave(self._graph(self._enter(w)).coupling(self._enter(u), only), w)

    def _parts(self, w: Array, u: Array, batch: Batch) -> tuple[Array, Array]:
        symmetric, antisymmetric = self._graph(self._enter(w)).parts(self._enter(u))
        return self._leave(symmetric, w), self._leave(antisymmetric, w)

    def jacobian(self, w: Array, batch: Batch = None) -> Array:
        """J(w), dense, shape (..., d, d): row by row on one graph."""
        self.check(w)
        self.counts.vjps += self.dim
        point = self._enter(w)
        graph = self._graph(point)
        units = torch.eye(self.dim, dtype=point.dtype, device=point.device)
        rows = [graph.vjp(unit.expand_as(point)) for unit in units]
        return self._leave(torch.stack(rows, -2), w)

    def _cost_gradients(self, w: Array, batch: Batch) -> Array:
        point = self._enter(w)
        attached = point.requires_grad and torch.is_grad_enabled()
        with torch.enable_grad():
            leaf = point if attached else point.detach().requires_grad_()
            rows = [gradient(cost, leaf, attached) for cost in self._evaluate(*self.split(leaf))]
            return self._leave(torch.stack(rows), w)


class _Vectorised:
    """A game's costs over ensembles: as the user wrote them where they keep leading axes, else point by point.

    Costs of shape (..., 1) lose the last axis. Which form serves is found by comparing with single points at
    construction: "direct", "vmap", or "loop" where the function branches on its data.
    """

    def __init__(self, game: TorchGame) -> None:
        self.game, self.form = game, "direct"

    def choose(self, points: Array) -> None:
        """Settle the form on an ensemble of points."""
        with torch.no_grad():
            singles = [self._shaped(self.game.call(*self.game.split(point)), ()) for point in points]
            expected = [torch.stack(costs) for costs in zip(*singles, strict=True)]
            for self.form in ("direct", "vmap", "loop"):
                if self._agrees(points, expected):
                    return

    def _agrees(self, points: Array, expected: list[Array]) -> bool:
        try:
            costs = self(*self.game.split(points))
        except (GameError, RuntimeError, IndexError, ValueError, TypeError):
            return False
        return all(
            torch.allclose(a, b, rtol=1e-9, atol=1e-12, equal_nan=True) for a, b in zip(costs, expected, strict=True)
        )

    def __call__(self, *blocks: Any) -> tuple[Array, ...]:
        lead = blocks[0].shape[:-1]
        if self.form == "direct" or not lead:
            return self._shaped(self.game.call(*blocks), lead)

        def one(*single: Sequence[torch.Tensor]) -> tuple[torch.Tensor, ...]:
            return self._shaped(self.game.call(*single), ())

        flat = [block.reshape(math.prod(lead), block.shape[-1]) for block in blocks]
        if self.form == "vmap":
            costs = torch.vmap(one)(*flat)
        else:
            members = [one(*single) for single in zip(*flat, strict=True)]
            costs = tuple(torch.stack(values) for values in zip(*members, strict=True))
        return tuple(cost.reshape(lead) for cost in costs)

    def _shaped(self, costs: tuple[Array, ...], lead: Sequence[int]) -> tuple[Array, ...]:
        lead, shaped = tuple(lead), []
        for player, cost in zip(self.game.players, costs, strict=True):
            if tuple(cost.shape) == (*lead, 1):
                cost = cost.squeeze(-1)
            if tuple(cost.shape) != lead:
                raise GameError(
                    f"the cost of player {player.name} has shape {tuple(cost.shape)}",
                    f"one number for each point, shape {lead} for blocks {(*lead, 'size')}",
                    "sum over the last axis: `(x * y).sum(-1)`",
                )
            shaped.append(cost)
        return tuple(shaped)


def _size(player: str, size: object) -> int:
    if isinstance(size, bool) or not isinstance(size, (int, np.integer)) or size < 1:
        raise ParameterError(f"player {player} of size {size!r}", "a whole number >= 1", 'players={"x": 2, "y": 3}')
    return int(size)


def from_torch(
    costs: Callable[..., Any] | Sequence[Callable[..., Any]],
    players: Mapping[str, int] | Sequence[int],
    name: str = "torch game",
    equilibria: Sequence[Sequence[object]] = (),
    device: torch.device | str = "cpu",
) -> TorchGame:
    """A game from torch costs; autograd gives its field, Jacobian and their products.

    Args:
        costs: a function of the players' blocks, each of shape (..., size), returning a tuple (f_1, ..., f_n) of
            shape (...), what each player minimises; or one tensor f for the zero-sum game (f, -f); or one function
            for each player. A function that handles only one point at a time is mapped over ensembles.
        players: dict from name to size, or a sequence of sizes (two players are then named x and y).
        name: what messages and pictures call it.
        equilibria: known fixed points, if any.
        device: where NumPy arrays are evaluated; torch tensors stay where they are.

    Raises:
        GameError: if a cost does not depend on its own player's block (tried at random points), if costs and players
            do not match in number, or if a cost is not one number for each point.
        ParameterError: for sizes that are not whole numbers. MissingDependencyError: without torch.

    Example:
        >>> import gandyn as gd
        >>> game = gd.games.from_torch(lambda x, y: (x * y).sum(-1), {"x": 1, "y": 1})
        >>> gd.iterate(game, gd.rules.GDA(0.1), [1.0, 0.0], 1).w[-1].tolist()
        [1.0, 0.1]
    """
    try:
        torch.Tensor  # noqa: B018
    except ModuleNotFoundError as error:
        raise MissingDependencyError.of(error) from error
    if not isinstance(players, Mapping):
        names = TWO_PLAYERS if len(players) == 2 else tuple(f"x{i}" for i in range(1, len(players) + 1))
        players = dict(zip(names, players, strict=True))
    if not callable(costs):
        functions = tuple(costs)
        if len(functions) == 1 and len(players) == 2:
            return TorchGame(name, functions[0], players, equilibria, device)
        return TorchGame(name, lambda *blocks: tuple(f(*blocks) for f in functions), players, equilibria, device)
    return TorchGame(name, costs, players, equilibria, device)
