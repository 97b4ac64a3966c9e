"""Networks on one flat buffer: each player's parameters are views into it, so a rule sees plain vectors.

Also what an evaluation must leave as it was: buffers of modules, and torch's own random state.
"""

from __future__ import annotations

import abc
import contextlib
import copy
import functools
import itertools
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ..errors import GameError, ParameterError, ShapeError
from ..lazy import torch
from ..types import Array, Batch, Game, Player
from ..worlds import TORCH
from .functional import Network
from .inventory import Inventory, check_parameters, refuse_unready
from .module_state import ModuleState, forget_weights
from .packing import joined, keep_pages
from .streams import cpu_stream_kept, seed_streams

TRAINS = operator.attrgetter("requires_grad")


class FlatNetworks(Game):
    """A game of modules as far as its state goes; `NetworkGame` adds the oracle.

    The parameters of all players lie side by side in one buffer, into which a joint vector w (d,) is loaded. Beside
    them an evaluation meets buffers of the modules, which move once per step, and torch's random state.

    Attributes:
        networks: the modules, in the order of the players.
        w0: the parameters as they were when the game was made; also called `initial`.
        stochastic: some layer draws random numbers in training mode.
        keeps_start: w0 is kept; without, it is a copy of the parameters as they are when it is asked for.
        keeps_order: parameters keep their order in memory, such as channels last, in the flat vector too.
        cumulative: running statistics follow every field of a step, and not its last one only.
    """

    worlds = frozenset({TORCH})
    deterministic = False
    cumulative = False
    keeps_order = False
    keeps_start = True

    def __init__(self, name: str, networks: Mapping[str, Any]) -> None:
        self.name = name
        self.networks = tuple(networks.values())
        for each, network in networks.items():
            refuse_unready(each, network)
        parameters = [self._played(network) for network in self.networks]
        check_parameters(dict(zip(networks, parameters, strict=True)))
        self._parameters = tuple(map(tuple, parameters))
        inside = {id(p) for own in parameters for p in own}
        self._outside = [p for network in self.networks for p in network.parameters() if id(p) not in inside]
        sizes = [sum(p.numel() for p in own) for own in parameters]
        self.players = tuple(Player(name, size) for name, size in zip(networks, sizes, strict=True))
        self._take_in()
        self._start = self._buffer.clone() if self.keeps_start else None
        keep_pages(self._buffer)
        self._module_state = ModuleState(self.networks, self.cumulative)
        self._composite = False
        self.reference: Any = None
        self._coefficients: dict[Any, Any] = {}
        self.stochastic = False

    def _take_in(self) -> None:
        """Lay the parameters of all players into one buffer, and note which they are and where they lie."""
        self._buffer = joined(self._parameters, self.keeps_order)
        self._places = self._lie()
        self._inventory = Inventory(dict(zip((p.name for p in self.players), self.networks, strict=True)))

    def __copy__(self) -> FlatNetworks:
        """A game of the same networks, in the same buffer."""
        copied: FlatNetworks = object.__new__(type(self))
        copied.__dict__.update(self.__dict__)
        return copied

    def __getstate__(self) -> dict[str, Any]:
        raise GameError(
            f"a pickle of {self.name}, whose networks lie in a buffer, and whose data and latents are functions",
            "the networks' own states, and a game that is made anew",
            "torch.save(network.state_dict(), file), or copy.deepcopy(game) within one process",
        )

    def __deepcopy__(self, memo: dict[int, Any]) -> FlatNetworks:
        """The game of copies of its networks, at the same point, with the same random streams, and a buffer of its own.

        Functions of the user's that draw are shared. Raises GameError for networks that torch cannot copy.
        """
        copied: FlatNetworks = object.__new__(type(self))
        memo[id(self)] = copied
        apart = {"_kept_graph": None, "_inventory": None, "_buffer": None}
        try:
            copied.__dict__.update({k: copy.deepcopy(v, memo) for k, v in (self.__dict__ | apart).items()})
        except RuntimeError as error:
            raise GameError(
                f"a copy of {self.name}, which torch cannot make ({str(error)[:80]}...)",
                "networks that copy.deepcopy can copy",
                "torch.nn.utils.parametrizations.weight_norm in place of the older form, or a game made anew",
            ) from error
        copied._take_in()
        return copied

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
    def w0(self) -> Array:
        """The parameters as they were when the game was made, shape (d,)."""
        return self._buffer.clone() if self._start is None else self._start

    @property
    def initial(self) -> Array:
        """The parameters as they were when the game was made, shape (d,)."""
        return self.w0

    @property
    def dtype(self) -> Any:
        """The floating-point type that all parameters share."""
        return self._buffer.dtype

    @property
    def device(self) -> Any:
        """The device on which all parameters lie."""
        return self._buffer.device

    def _played(self, network: Any) -> list[Array]:
        """The parameters of a network that are coordinates of w."""
        return [p for p in network.parameters() if p.requires_grad]

    def frozen(self) -> torch.Tensor | None:
        """Which coordinates belong to parameters without `requires_grad`, (d,); None where all train."""
        everything = [p for own in self._parameters for p in own]
        if all(map(TRAINS, everything)):
            return None
        return torch.cat([torch.full((p.numel(),), not p.requires_grad, device=self.device) for p in everything])

    # --- what a subclass gives ---------------------------------------------------------------------------------

    @abc.abstractmethod
    def _network_costs(self, networks: Sequence[Network], batch: Batch, only: int | None) -> tuple[Array, ...]:
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
        self._load(w.detach())

    @abc.abstractmethod
    def _module_field(self, batch: Batch, only: int | None, padded: bool) -> Array:
        """The field at the point that was loaded last; of one player alone, padded to the joint vector or not."""

    def _lie(self) -> list[int]:
        """Where the parameters of all players lie in memory: in the buffer, unless someone moved them."""
        return [*map(torch.Tensor.data_ptr, itertools.chain.from_iterable(self._parameters))]

    def _refuse_moved(self) -> None:
        now = self._lie()
        if now != self._places:
            owners = (player.name for player, own in zip(self.players, self._parameters, strict=True) for _ in own)
            moved = next(o for o, here, before in zip(owners, now, self._places, strict=True) if here != before)
            raise GameError(
                f"the parameters of {moved} were moved after {self.name} was made",
                "modules that stay where they are, and values that are written in place",
                "`p.data.clamp_(...)` in place of `p.data = p.data.clamp(...)`; move or convert modules first, then"
                " make the game; one game for each module",
            )

    def _load(self, *pieces: Any) -> None:
        """Copy vectors, side by side and without slopes, into the buffer."""
        self._refuse_moved()
        if self._outside and any(p.requires_grad for p in self._outside):
            raise GameError(
                f"parameters that were unfrozen after {self.name} was made, and are not in its vector",
                "the parameters that train, when the game is made",
                "make a new game of the same modules",
            )
        torch.cat(pieces, out=self._buffer)
        forget_weights()

    def per_coordinate(self, value: object, w: Array) -> Array:
        """As for every game; vectors made of per-player parameters are kept, since a step asks for the same again."""
        if type(value) is float:
            return value
        key = (self.per_player(value), w.dtype, w.device)
        if key not in self._coefficients:
            self._coefficients = {**dict(list(self._coefficients.items())[-7:]), key: super().per_coordinate(value, w)}
        return self._coefficients[key]

    # --- what an evaluation leaves as it was ---------------------------------------------------------------------

    def _evaluation(self, batch: Batch, training: bool) -> contextlib.AbstractContextManager[None]:
        """Leaves buffers and torch's random state as they were; `training` keeps the new buffers for `advance`."""
        if self._module_state.idle and not self.stochastic and not self._composite:
            return contextlib.nullcontext()
        return self._guarded(batch, training)

    @contextlib.contextmanager
    def _guarded(self, batch: Batch, training: bool) -> Iterator[None]:
        state = self._module_state
        kept = contextlib.nullcontext() if state.idle else state.guarded(keep=training)
        with kept, self._seeded(batch), self._formulas():
            yield

    def _formulas(self) -> contextlib.AbstractContextManager[object]:
        """Layers written out, where a cost takes a derivative that torch's own kernels do not have."""
        if not self._composite:
            return contextlib.nullcontext()
        from .composite import composite_formulas

        return composite_formulas()

    @contextlib.contextmanager
    def _seeded(self, batch: Batch) -> Iterator[None]:
        """Layers that draw see the numbers of the token, or of the reference batch that None stands for."""
        if not self.stochastic:
            yield
            return
        with torch.random.fork_rng([self.device]) if self.device.type == "cuda" else cpu_stream_kept():
            seed_streams((self.reference if batch is None else batch).seed, self.device)
            yield

    def _trial(self, batch: Batch) -> None:
        """A first evaluation: whether it draws at random, and that every player's cost reaches its own parameters."""
        with torch.random.fork_rng([self.device] if self.device.type == "cuda" else []):
            before = self._random_state()
            reached = self._differentiated(lambda: self._reached(batch))
            self.stochastic = not torch.equal(self._random_state(), before)
        for i, reaches in enumerate(reached):
            if not reaches:
                raise self._unreached(i)

    def _differentiated(self, evaluate: Callable[[], Any]) -> Any:
        """An evaluation; where torch has not all of its derivatives, on layers written out from now on. Raises
        NotDifferentiableError by the name of the operation, where that does not help.
        """
        try:
            return evaluate()
        except RuntimeError as error:
            from .product_check import missing_derivative, refusal

            if missing_derivative(error) is None:
                raise
            if self._composite:
                raise refusal(error, self.name) from error
            self._composite = True
        return self._differentiated(evaluate)

    def _reached(self, batch: Batch) -> list[bool]:
        with torch.enable_grad(), self._evaluation(batch, training=False):
            costs = self._network_costs(self.networks, batch, None)
            return [_reaches(cost, own) for cost, own in zip(costs, self._parameters, strict=True)]

    def _unreached(self, i: int) -> GameError:
        name = self.players[i].name
        return GameError(
            f"the cost of player {name} does not depend on {name}'s own parameters",
            "costs computed from the networks that play, whose outputs depend on their parameters",
            "use the networks that the costs are given; look for `.detach()` and `no_grad` in their forward passes,"
            " and checkpoint with use_reentrant=False",
        )

    def _random_state(self) -> Array:
        return torch.cuda.get_rng_state(self.device) if self.device.type == "cuda" else torch.get_rng_state()

    def advance(self) -> None:
        """Once per step: buffers become those that the step's last plain field left; spectral norms follow weights.

        Raises:
            GameError: where networks have parameters that came after the game was made.
        """
        self._inventory.check()
        self._module_state.advance()

    @contextlib.contextmanager
    def undisturbed(self) -> Iterator[None]:
        """Leaves parameters in modules, buffers, modes and torch's random state as they were, bit for bit."""
        modules = [(module, module.training) for network in self.networks for module in network.modules()]
        places = {id(b): (own._buffers, key, b, b.clone())
                  for network in self.networks for own in network.modules()
                  for key, b in own._buffers.items() if b is not None}  # fmt: skip
        parameters, pending = self._buffer.clone(), self._module_state.pending
        try:
            with torch.random.fork_rng([self.device] if self.device.type == "cuda" else []):
                yield
        finally:
            for module, mode in modules:
                module.training = mode
            with torch.no_grad():
                for held, key, buffer, value in places.values():
                    held[key] = buffer
                    buffer.copy_(value)
                self._buffer.copy_(parameters)
            self._module_state.pending = pending


def _reaches(cost: Array, parameters: Sequence[Array]) -> bool:
    if not cost.requires_grad:
        return False
    gradients = torch.autograd.grad(cost, parameters, retain_graph=True, allow_unused=True)
    return any(gradient is not None for gradient in gradients)
