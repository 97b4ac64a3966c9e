"""Games between networks: each player's parameters are views into one flat buffer, so a rule sees plain vectors."""

from __future__ import annotations

import abc
import contextlib
import functools
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ..errors import GameError, ParameterError, ShapeError
from ..types import Array, Batch, Game, Player, RestrictedGame
from ..worlds import TORCH
from .autograd import FieldGraph, slopes
from .krylov import KrylovReport, gmres

Network = Any  # a module or a FunctionalNetwork: called on a batch, with named_parameters()
LARGEST_KEPT = 31 * 2**20


class NetworkGame(Game):
    """A game whose players are `torch.nn.Module`s; its joint vector w (d,) is all their parameters, player by player.

    Plain fields run the modules themselves on parameters that are views into one buffer: w is copied in, gradients come
    out in a fresh vector, so no result is ever overwritten. Products with the Jacobian are backward passes through the
    graph of such a field. Where w or u requires gradients, or buffers change with each evaluation, the same costs run
    on `torch.func.functional_call`.

    A subclass gives `_network_costs` and `draw`. Batch tokens with a `seed` attribute seed dropout and noise: an
    evaluation leaves torch's own random state and all module buffers as they were. `advance()` takes over the buffers
    (BatchNorm statistics, spectral-norm vectors) of the last plain field evaluated since the previous call.

    Attributes:
        networks: the modules, in the order of the players.
        w0: the parameters as they were when the game was made; also called `initial`.
        stochastic: some layer draws random numbers in training mode.
        last_solve: iterations and residual of the last `solve`.
    """

    worlds = frozenset({TORCH})
    deterministic = False

    def __init__(self, name: str, networks: Mapping[str, Any]) -> None:
        self.name = name
        self.networks = tuple(networks.values())
        parameters = [[p for p in network.parameters() if p.requires_grad] for network in self.networks]
        _check_parameters(dict(zip(networks, parameters, strict=True)))
        self._parameters = tuple(map(tuple, parameters))
        self._names = tuple(
            tuple(name for name, p in network.named_parameters() if p.requires_grad) for network in self.networks
        )
        sizes = [sum(p.numel() for p in own) for own in parameters]
        self.players = tuple(Player(name, size) for name, size in zip(networks, sizes, strict=True))
        self._buffer = _join(self._parameters)
        self.w0 = self._buffer.clone()
        _keep_pages(self._buffer)
        self._blocks = self.split(self._buffer)
        self._persistent = [b for network in self.networks for b in network.buffers()]
        self._pending: list[Any] | None = None
        self._kept_graph: tuple[Any, int, Any, FieldGraph] | None = None
        self._coefficients: dict[Any, Any] = {}
        self.stochastic = False
        self.last_solve: KrylovReport | None = None

    @functools.cached_property
    def dim(self) -> int:
        """Length d of the joint vector."""
        return sum(player.size for player in self.players)

    @functools.cached_property
    def slices(self) -> tuple[slice, ...]:
        """Where each player's block lies."""
        return super().slices

    @functools.cached_property
    def tensor_shapes(self) -> tuple[tuple[tuple[int, ...], ...], ...]:
        """For each player, the shapes of its parameters in the order in which its block packs them."""
        return tuple(tuple(tuple(p.shape) for p in own) for own in self._parameters)

    @property
    def initial(self) -> Any:
        """The parameters as they were when the game was made, shape (d,)."""
        return self.w0

    @property
    def dtype(self) -> Any:
        """Of all parameters."""
        return self._buffer.dtype

    @property
    def device(self) -> Any:
        """Of all parameters."""
        return self._buffer.device

    # --- what a subclass gives ---------------------------------------------------------------------------------

    @abc.abstractmethod
    def _network_costs(self, networks: Sequence[Network], batch: Batch, only: int | None) -> tuple[Any, ...]:
        """(f_1, ..., f_n), scalars. With `only`, that player's cost; the others may be None and need no graph."""

    # --- parameters --------------------------------------------------------------------------------------------

    def check(self, w: Array) -> None:
        """Refuse ensembles, and vectors of another dtype or device, by name."""
        super().check(w)
        if w.ndim != 1:
            raise ShapeError(
                f"an ensemble of shape {tuple(w.shape)} for {self.name}, a game of networks",
                f"one vector of shape ({self.dim},)",
                "evaluate the members one by one",
            )
        if w.dtype != self._buffer.dtype or w.device != self._buffer.device:
            raise ParameterError(
                f"a vector of {w.dtype} on {w.device} for {self.name}",
                f"{self.dtype} on {self.device}",
                "start from game.w0, or convert by `.to(game.w0)`",
            )

    def load(self, w: Array) -> None:
        """Write w into the modules, so that they can be used as ordinary networks."""
        self.check(w)
        self._load(w)

    def _load(self, *pieces: Any) -> None:
        """Copy vectors, side by side, into the buffer."""
        import torch

        for network, own, block in zip(self.players, self._parameters, self._blocks, strict=True):
            if own[0].data_ptr() != block.data_ptr():
                raise GameError(
                    f"the parameters of {network.name} were moved after {self.name} was made",
                    "modules that stay where they are",
                    "move or convert modules first, then make the game; one game for each module",
                )
        with torch.no_grad():
            torch.cat(pieces, out=self._buffer)

    def per_coordinate(self, value: Any, w: Array) -> Any:
        """As for every game; vectors made of per-player parameters are kept, since a step asks for the same again."""
        key = (self.per_player(value), w.dtype, w.device)
        if key not in self._coefficients:
            self._coefficients = {**dict(list(self._coefficients.items())[-7:]), key: super().per_coordinate(value, w)}
        return self._coefficients[key]

    # --- evaluations on the modules: the hot path --------------------------------------------------------------

    def _field(self, w: Array, batch: Batch, only: int | None) -> Array:
        import torch

        if w.requires_grad and torch.is_grad_enabled():
            return self._field_of(w, batch, only, create_graph=True)
        self._load(w)
        return self._module_field(batch, only, padded=True)

    def field_and_graph(self, w: Array, batch: Batch = None) -> Array:
        """v(w), its graph kept for the products that follow; `field` where buffers change with each evaluation."""
        import torch

        if self._persistent or (w.requires_grad and torch.is_grad_enabled()):
            return self.field(w, batch)
        self.check(w)
        self.counts.player_gradients += len(self.players)
        self.counts.samples += self.batch_size(batch)
        return self._graph(w, batch).field().detach()

    def _module_field(self, batch: Batch, only: int | None, padded: bool) -> Any:
        """The field of the parameters that are loaded, in a fresh vector; of one player, its block, `padded` or not."""
        import torch

        with torch.enable_grad(), self._evaluation(batch, training=True):
            costs = self._network_costs(self.networks, batch, only)
            if only is not None:
                own = torch.autograd.grad(costs[only], self._parameters[only], materialize_grads=True)
                return _flat([*self._zeros(range(only), padded), *own, *self._zeros(self._after(only), padded)])
            if self.zero_sum:
                everything = (*itertools.chain(*self._parameters),)
                flat = _flat(torch.autograd.grad(costs[1], everything, materialize_grads=True))
                flat[self.slices[0]].neg_()
                return flat
            last = len(costs) - 1
            return _flat([
                gradient
                for i, (cost, own) in enumerate(zip(costs, self._parameters, strict=True))
                for gradient in torch.autograd.grad(cost, own, retain_graph=i < last, materialize_grads=True)
            ])  # fmt: skip

    def _after(self, index: int) -> range:
        return range(index + 1, len(self.players))

    def _zeros(self, players: range, padded: bool) -> list[Any]:
        return [self._buffer.new_zeros(self.players[i].size) for i in players] if padded else []

    def _costs(self, w: Array, batch: Batch) -> tuple[Array, ...]:
        import torch

        if w.requires_grad and torch.is_grad_enabled():
            return self._costs_of(self.split(w), batch)
        self._load(w)
        with torch.enable_grad(), self._evaluation(batch, training=False):
            return tuple(cost.detach() for cost in self._network_costs(self.networks, batch, None))

    def _evaluation(self, batch: Batch, training: bool) -> contextlib.AbstractContextManager[None]:
        """Leaves buffers and torch's random state as they were; `training` keeps the new buffers for `advance`."""
        if not self._persistent and not self.stochastic:
            return contextlib.nullcontext()
        return self._guarded(batch, training)

    @contextlib.contextmanager
    def _guarded(self, batch: Batch, training: bool) -> Iterator[None]:
        before = [b.clone() for b in self._persistent]
        try:
            with self._seeded(batch):
                yield
        finally:
            if training and before:
                self._pending = [b.clone() for b in self._persistent]
            for buffer, value in zip(self._persistent, before, strict=True):
                buffer.copy_(value)

    @contextlib.contextmanager
    def _seeded(self, batch: Batch) -> Iterator[None]:
        import torch

        if not self.stochastic:
            yield
            return
        devices = [self.device] if self.device.type == "cuda" else []
        with torch.random.fork_rng(devices):
            torch.manual_seed(batch.seed)
            yield

    def _trial(self, batch: Batch) -> None:
        """A first evaluation: whether it draws at random, and that every player's cost reaches its own parameters."""
        import torch

        with torch.random.fork_rng([self.device] if self.device.type == "cuda" else []):
            before = self._random_state()
            with torch.enable_grad(), self._evaluation(batch, training=False):
                costs = self._network_costs(self.networks, batch, None)
                reached = [_reaches(cost, own) for cost, own in zip(costs, self._parameters, strict=True)]
            self.stochastic = not torch.equal(self._random_state(), before)
        for player, reaches in zip(self.players, reached, strict=True):
            if not reaches:
                raise GameError(
                    f"the cost of player {player.name} does not depend on {player.name}'s own parameters",
                    "networks whose outputs depend on their parameters",
                    "look for `.detach()` and `no_grad` in their forward passes",
                )

    def _random_state(self) -> Any:
        import torch

        return torch.cuda.get_rng_state(self.device) if self.device.type == "cuda" else torch.get_rng_state()

    def advance(self) -> None:
        """Once per step: buffers become those that the step's last plain field left; memory of old points goes."""
        for buffer, value in zip(self._persistent, self._pending or self._persistent, strict=True):
            if value is not buffer:
                buffer.copy_(value)
        self._pending = self._kept_graph = None

    @contextlib.contextmanager
    def undisturbed(self) -> Iterator[None]:
        """Leaves parameters in modules, buffers, modes and torch's random state as they were, bit for bit."""
        import torch

        modules = [(module, module.training) for network in self.networks for module in network.modules()]
        buffers = [(b, b.clone()) for network in self.networks for b in network.buffers()]
        parameters, pending, solved = self._buffer.clone(), self._pending, self.last_solve
        try:
            with torch.random.fork_rng([self.device] if self.device.type == "cuda" else []):
                yield
        finally:
            for module, mode in modules:
                module.training = mode
            for buffer, value in buffers:
                buffer.copy_(value)
            with torch.no_grad():
                self._buffer.copy_(parameters)
            self._pending, self.last_solve, self._kept_graph = pending, solved, None

    # --- evaluations as functions of w: derivatives of the field ------------------------------------------------

    def _functions(self, blocks: Sequence[Any]) -> list[Network]:
        """The networks as functions of blocks of w; their buffers are copies."""
        functions: list[Network] = []
        for network, names, own, block in zip(self.networks, self._names, self._parameters, blocks, strict=True):
            pieces = block.split([p.numel() for p in own])
            values = {name: piece.view_as(p) for name, piece, p in zip(names, pieces, own, strict=True)}
            values |= {name: buffer.clone() for name, buffer in network.named_buffers()}
            functions.append(FunctionalNetwork(network, values))
        return functions

    def _costs_of(self, blocks: Sequence[Any], batch: Batch) -> tuple[Any, ...]:
        with self._seeded(batch):
            return self._network_costs(self._functions(blocks), batch, None)

    def _field_of(self, w: Any, batch: Batch, only: int | None, create_graph: bool) -> Any:
        import torch

        blocks = self.split(w)
        costs = self._costs_of(blocks, batch)
        return torch.cat([
            slopes(cost, [block], create_graph)[0] if only in (None, i) else torch.zeros_like(block)
            for i, (cost, block) in enumerate(zip(costs, blocks, strict=True))
        ])  # fmt: skip

    def _graph(self, w: Array, batch: Batch, u: Any = None) -> FieldGraph:
        """The graph of the field at w, the one from the last call where w and the batch are the same objects.

        It refers to the parameters in the buffer, so w is loaded again before each product. With derivatives in w or in
        u it stands on w itself, and is not kept.
        """
        import torch

        if torch.is_grad_enabled() and (w.requires_grad or (u is not None and u.requires_grad)):
            return self._graph_of(w, batch, attached=w.requires_grad)
        kept = self._kept_graph
        if kept is None or kept[0] is not w or kept[1] != w._version or kept[2] is not batch:
            self._kept_graph = kept = (w, w._version, batch, self._fresh_graph(w, batch))
        elif not self._persistent:
            self._load(w)
        return kept[3]

    def _fresh_graph(self, w: Array, batch: Batch) -> FieldGraph:
        import torch

        if self._persistent:
            return self._graph_of(w, batch, attached=False)
        self._load(w)
        with torch.enable_grad(), self._evaluation(batch, training=False):
            return FieldGraph(self._parameters, self._network_costs(self.networks, batch, None), zero_sum=self.zero_sum)

    def _graph_of(self, w: Array, batch: Batch, attached: bool) -> FieldGraph:
        import torch

        with torch.enable_grad():
            blocks = self.split(w if attached else w.detach().requires_grad_())
            costs = self._costs_of(blocks, batch)
            return FieldGraph([[b] for b in blocks], costs, zero_sum=self.zero_sum, attached=attached)

    def _jvp(self, w: Array, u: Array, batch: Batch) -> Array:
        return self._graph(w, batch, u).jvp(u)

    def _vjp(self, w: Array, u: Array, batch: Batch) -> Array:
        return self._graph(w, batch, u).vjp(u)

    def _coupling(self, w: Array, u: Array, batch: Batch, only: int | None) -> Array:
        return self._graph(w, batch, u).coupling(u, only)

    def _parts(self, w: Array, u: Array, batch: Batch) -> tuple[Array, Array]:
        return self._graph(w, batch, u).parts(u)

    def _cost_gradients(self, w: Array, batch: Batch) -> Array:
        import torch

        if w.requires_grad and torch.is_grad_enabled():
            return torch.stack(
                [slopes(cost, [w], create_graph=True)[0] for cost in self._costs_of(self.split(w), batch)]
            )
        self._load(w)
        everything = [*itertools.chain(*self._parameters)]
        with torch.enable_grad(), self._evaluation(batch, training=False):
            costs = self._network_costs(self.networks, batch, None)
            if self.zero_sum:
                flat = _flat(slopes(costs[1], everything))
                return torch.stack([-flat, flat])
            return torch.stack([_flat(slopes(cost, everything)) for cost in costs])

    def solve(self, operator: Callable[[Array], Array], rhs: Array, tolerance: float | None = None) -> Array:
        """x with operator(x) = rhs by GMRES to a tolerance of 1e3 rounding units by default; see `last_solve`."""
        import torch

        tolerance = 1e3 * torch.finfo(rhs.dtype).eps if tolerance is None else tolerance
        solution, self.last_solve = gmres(operator, rhs, tolerance)
        return solution

    def restrict(self, which: int | str, w: Array) -> RestrictedGame:
        """Player `which`'s own problem; its field computes no other player's gradient and builds no joint vector."""
        return NetworkView(self, self.player_index(which), w)


class NetworkView(RestrictedGame):
    """One network's problem with the others fixed: the blocks go straight into the game's buffer."""

    game: NetworkGame

    def field(self, w: Array, batch: Batch = None, only: int | str | None = None) -> Array:
        """The player's own gradient df_i/dx_i, shape (size,)."""
        import torch

        if (w.requires_grad or self.fixed.requires_grad) and torch.is_grad_enabled():
            return super().field(w, batch, only)
        self.check(w)
        self.counts.player_gradients += 1
        self.counts.samples += self.game.batch_size(batch)
        self.game._load(*self._beside(w))
        return self.game._module_field(batch, self.index, padded=False)

    def jvp(self, w: Array, u: Array, batch: Batch = None) -> Array:
        """The player's own Hessian times u; at the point of restriction, on the game's graph there."""
        self.check(w)
        return self.game.jvp(self._joint(w), self._pad(u), batch)[..., self._block]

    def vjp(self, w: Array, u: Array, batch: Batch = None) -> Array:
        """The same: a Hessian is symmetric."""
        self.check(w)
        return self.game.vjp(self._joint(w), self._pad(u), batch)[..., self._block]

    def _joint(self, x: Array) -> Array:
        """The joint vector: the same object where x is the block of the point of restriction itself."""
        block = self.block
        same = (
            x.data_ptr() == block.data_ptr() and x.stride() == block.stride() and x.requires_grad == block.requires_grad
        )
        return self.fixed if same else self.embed(x)

    def embed(self, x: Array) -> Array:
        """The joint vector with the player's block replaced by x."""
        import torch

        return torch.cat(self._beside(x))

    def _beside(self, x: Array) -> tuple[Array, ...]:
        start, stop, d = self._block.start, self._block.stop, self.fixed.shape[0]
        return (*([self.fixed[:start]] if start else []), x, *([self.fixed[stop:]] if stop < d else []))


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


def _reaches(cost: Any, parameters: Sequence[Any]) -> bool:
    import torch

    if not cost.requires_grad:
        return False
    gradients = torch.autograd.grad(cost, parameters, retain_graph=True, allow_unused=True)
    return any(gradient is not None for gradient in gradients)


def _flat(gradients: Sequence[Any]) -> Any:
    import torch

    return torch.cat([gradient.reshape(-1) for gradient in gradients])


def _check_parameters(parameters: Mapping[str, Sequence[Any]]) -> None:
    for name, own in parameters.items():
        if not own:
            raise GameError(f"{name} has no parameters to train", "at least one for each player", "check requires_grad")
    everything = list(itertools.chain(*parameters.values()))
    if len({id(p) for p in everything}) != len(everything):
        raise GameError("a parameter belongs to two players", "disjoint networks", "copy the shared module")
    kinds = {(str(p.dtype), str(p.device)) for p in everything}
    if len(kinds) > 1:
        raise GameError(
            f"parameters of several kinds: {', '.join(' on '.join(kind) for kind in sorted(kinds))}",
            "one dtype and one device for all",
            "call `.to(device=..., dtype=...)` on every module first",
        )


def _keep_pages(buffer: Any) -> None:
    """Let the C library keep freed vectors for the next ones: a pure rule makes several every step.

    glibc hands blocks above a threshold straight back to the system, and fetching them again costs 5 to 15 % of a step
    in page faults. The threshold rises to the largest such block ever freed, up to 32 MiB, so one is freed here; its
    pages are never touched.
    """
    if buffer.device.type == "cpu":
        buffer.new_empty(LARGEST_KEPT // buffer.element_size())


def _join(parameters: Sequence[Sequence[Any]]) -> Any:
    """One buffer that holds all parameters, which become views into it."""
    import torch

    everything = list(itertools.chain(*parameters))
    buffer = torch.cat([p.detach().reshape(-1) for p in everything])
    for p, piece in zip(everything, torch.split(buffer, [p.numel() for p in everything]), strict=True):
        p.data = piece.view_as(p)
    return buffer
