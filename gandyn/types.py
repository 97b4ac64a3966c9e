"""The contracts: a Game is a gradient oracle, a Rule is init and step on a State; everything else builds on these.

A joint vector w has shape (..., d); leading axes are an ensemble. Player i owns one block of the last axis and
minimises its own cost f_i(w). The field is v(w) = (df_1/dx_1, ..., df_n/dx_n), the game Jacobian J = Dv, the gradient
flow dw/dt = -v(w).
"""

from __future__ import annotations

import abc
import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np

from . import worlds
from .errors import DomainError, ParameterError, ShapeError, UnknownNameError, WorldError
from .worlds import NUMPY, SYMBOLS, TORCH

Array = Any
Batch = Any
Info = dict[str, Any]
ALL_WORLDS = frozenset({SYMBOLS, NUMPY, TORCH})
TWO_PLAYER_ALIASES = (("x", "generator", "theta"), ("y", "discriminator", "phi"))


class Player(NamedTuple):
    """One player: its name and the length of its block."""

    name: str
    size: int


@dataclasses.dataclass
class Counts:
    """What an oracle has been asked for. One `field` is one gradient for each player."""

    player_gradients: int = 0
    jvps: int = 0
    vjps: int = 0
    samples: int = 0
    seconds: float = 0.0
    players: int = 2

    @property
    def fields(self) -> float:
        """Full field evaluations: player gradients over the number of players."""
        return self.player_gradients / self.players

    def __sub__(self, earlier: Counts) -> Counts:
        return Counts(
            self.player_gradients - earlier.player_gradients,
            self.jvps - earlier.jvps,
            self.vjps - earlier.vjps,
            self.samples - earlier.samples,
            self.seconds - earlier.seconds,
            self.players,
        )

    def __mul__(self, times: int) -> Counts:
        return Counts(
            times * self.player_gradients,
            times * self.jvps,
            times * self.vjps,
            times * self.samples,
            self.seconds,
            self.players,
        )


class Game(abc.ABC):
    """A differentiable game as a gradient oracle.

    A subclass sets `name` and `players` and gives `_costs` and `_field`; `_jvp`, `_vjp` and `_cost_gradients` where
    rules of second order are to run. The public methods check shapes and worlds and count the calls.

    Attributes:
        zero_sum: two players with f_2 = -f_1.
        deterministic: `draw` returns None.
        constrained: `project` is not the identity.
        smooth: the field is differentiable everywhere.
        quadratic: every cost is a polynomial of degree two, so that the field is affine.
        worlds: where the game can be evaluated.
        equilibria: known fixed points, exact numbers in tuples of length d.
    """

    name: str = "game"
    players: tuple[Player, ...]
    zero_sum: bool = False
    deterministic: bool = True
    constrained: bool = False
    smooth: bool = True
    quadratic: bool = False
    worlds: frozenset[str] = ALL_WORLDS
    equilibria: tuple[tuple[Any, ...], ...] = ()

    # --- shape -------------------------------------------------------------------------------------------------

    @property
    def dim(self) -> int:
        """Length d of the joint vector."""
        return sum(player.size for player in self.players)

    @property
    def slices(self) -> tuple[slice, ...]:
        """Where each player's block lies on the last axis."""
        ends = np.cumsum([player.size for player in self.players])
        return tuple(slice(int(end) - p.size, int(end)) for p, end in zip(self.players, ends, strict=True))

    @property
    def tensor_shapes(self) -> tuple[tuple[tuple[int, ...], ...], ...]:
        """For each player, the shapes of the tensors that its block packs, in order; one 1-D tensor by default."""
        return tuple(((player.size,),) for player in self.players)

    def split(self, w: Array) -> tuple[Array, ...]:
        """The players' blocks of w, as views."""
        return tuple(w[..., block] for block in self.slices)

    def player_index(self, which: int | str) -> int:
        """Position of a player given by index or name; two players are also x and y, or generator and discriminator."""
        names = [player.name for player in self.players]
        if isinstance(which, str):
            if which in names:
                return names.index(which)
            if len(names) == 2:
                for i, aliases in enumerate(TWO_PLAYER_ALIASES):
                    if which in aliases:
                        return i
            raise UnknownNameError.among(f"player of {self.name}", which, names)
        if not -len(names) <= which < len(names):
            raise UnknownNameError.among(f"player of {self.name}", which, [*map(str, range(len(names))), *names])
        return int(which) % len(names)

    def per_player(self, value: Any) -> tuple[Any, ...]:
        """A parameter given once, or per player as a tuple or a dict by name, as one value for each player."""
        n = len(self.players)
        if isinstance(value, Mapping):
            by_index = {self.player_index(name): v for name, v in value.items()}
            missing = [p.name for i, p in enumerate(self.players) if i not in by_index]
            if missing:
                raise ParameterError(
                    f"a value for {', '.join(map(str, value))} but none for {', '.join(missing)}",
                    f"one value for each player of {self.name}: {', '.join(p.name for p in self.players)}",
                    "add the missing names, or pass one number",
                )
            return tuple(by_index[i] for i in range(n))
        if isinstance(value, (tuple, list)):
            if len(value) != n:
                raise ParameterError(
                    f"{len(value)} values {tuple(value)}",
                    f"1 or {n}, for the players {', '.join(p.name for p in self.players)} of {self.name}",
                    "pass one number, or one per player",
                )
            return tuple(value)
        return (value,) * n

    def per_coordinate(self, value: Any, w: Array) -> Any:
        """A parameter, given once or per player, as what multiplies a joint vector in the world of `w`."""
        values = self.per_player(value)
        if all(v is values[0] or v == values[0] for v in values[1:]):
            return worlds.number(values[0], w)
        return worlds.concatenate([worlds.full(v, p.size, w) for v, p in zip(values, self.players, strict=True)])

    def dot_per_player(self, u: Array, v: Array) -> Array:
        """Inner products block by block, each spread over its player's coordinates: shape of u."""
        return worlds.concatenate([
            worlds.dot(a, b) * worlds.ones_like(a) for a, b in zip(self.split(u), self.split(v), strict=True)
        ])  # fmt: skip

    def check(self, w: Array) -> None:
        """Refuse arrays of another length or another world, by name."""
        shape = tuple(getattr(w, "shape", ()))
        if not shape or shape[-1] != self.dim:
            sizes = ", ".join(f"{p.name}: {p.size}" for p in self.players)
            raise ShapeError(
                f"an array of shape {shape}",
                f"(..., {self.dim}) for {self.name} ({sizes})",
                "put the players' blocks side by side on the last axis, player 1 first",
            )
        world = worlds.world_of(w)
        if world not in self.worlds:
            raise WorldError(
                f"{self.name} evaluated on {world}",
                f"one of {', '.join(sorted(self.worlds))}",
                "use numbers, or a game defined by symbols",
            )

    # --- the oracle --------------------------------------------------------------------------------------------

    @property
    def counts(self) -> Counts:
        """What this oracle has been asked for so far."""
        found = self.__dict__.get("_counts")
        if found is None:
            found = self.__dict__["_counts"] = Counts(players=len(self.players))
        return found

    def costs(self, w: Array, batch: Batch = None) -> tuple[Array, ...]:
        """(f_1(w), ..., f_n(w)), each of shape (...)."""
        self.check(w)
        return self._costs(w, batch)

    def field(self, w: Array, batch: Batch = None, only: int | str | None = None) -> Array:
        """v(w), shape (..., d). With `only`, that player's block, and zeros elsewhere."""
        self.check(w)
        index = None if only is None else self.player_index(only)
        self.counts.player_gradients += len(self.players) if index is None else 1
        self.counts.samples += self.batch_size(batch)
        return self._field(w, batch, index)

    def field_and_graph(self, w: Array, batch: Batch = None) -> Array:
        """v(w), for a rule that goes on to ask for products at the same point and batch.

        The same numbers as `field` to rounding, and counted as one; a network keeps what it computed for the products.
        """
        return self.field(w, batch)

    def jvp(self, w: Array, u: Array, batch: Batch = None) -> Array:
        """J(w) u, shape (..., d)."""
        self.check(w)
        self.check(u)
        self.counts.jvps += 1
        return self._jvp(w, u, batch)

    def vjp(self, w: Array, u: Array, batch: Batch = None) -> Array:
        """J(w)^T u, shape (..., d)."""
        self.check(w)
        self.check(u)
        self.counts.vjps += 1
        return self._vjp(w, u, batch)

    def coupling(self, w: Array, u: Array, batch: Batch = None, only: int | str | None = None) -> Array:
        """J_o(w) u: how each player's gradient changes when the others move by u. J_o is J without its diagonal blocks.

        With `only`, that player's block, and zeros elsewhere. One jvp for each player asked for.
        """
        self.check(w)
        self.check(u)
        index = None if only is None else self.player_index(only)
        self.counts.jvps += len(self.players) if index is None else 1
        return self._coupling(w, u, batch, index)

    def parts(self, w: Array, u: Array, batch: Batch = None) -> tuple[Array, Array]:
        """(S u, A u) with S = (J + J^T)/2 and A = (J - J^T)/2 at w, each of shape (..., d). One jvp and one vjp."""
        self.check(w)
        self.check(u)
        self.counts.jvps += 1
        self.counts.vjps += 1
        return self._parts(w, u, batch)

    def jacobian(self, w: Array, batch: Batch = None) -> Array:
        """J(w), dense, shape (..., d, d): column k is J e_k."""
        self.check(w)
        columns = []
        for k in range(self.dim):
            unit = worlds.zeros_like(w)
            unit[..., k] = unit[..., k] + 1
            columns.append(self.jvp(w, unit, batch))
        return worlds.stack(columns, axis=-1)

    def cost_gradients(self, w: Array, batch: Batch = None) -> Array:
        """All of df_i/dw, shape (n, ..., d). Its player-diagonal blocks are the field."""
        self.check(w)
        self.counts.player_gradients += len(self.players)
        self.counts.samples += self.batch_size(batch)
        return self._cost_gradients(w, batch)

    def restrict(self, which: int | str, w: Array) -> RestrictedGame:
        """Player `which`'s own problem, with the other blocks of w held fixed."""
        return RestrictedGame(self, self.player_index(which), w)

    def best_response(self, which: int | str, w: Array) -> Array:
        """A minimiser of player `which`'s cost with the other blocks of w held fixed, (..., size), in closed form.

        Raises:
            DomainError: for games that have none.
        """
        raise DomainError(
            f"the best response of {self.players[self.player_index(which)].name} in {self.name}",
            "costs quadratic in each player's own block, or a matrix game",
            "answer by inner steps: k=10, inner_lr=0.1",
        )

    def project(self, w: Array) -> Array:
        """Onto the feasible set; the identity by default."""
        return w

    def solve(self, operator: Callable[[Array], Array], rhs: Array) -> Array:
        """x with operator(x) = rhs, for a linear operator on joint vectors."""
        return worlds.solve_dense(operator, rhs)

    def draw(self, rng: Any) -> Batch:
        """A batch token that fixes all randomness of an evaluation; None where there is none."""
        return None

    def draw_held_out(self, rng: Any) -> Batch:
        """A batch token of data that is not trained on, where the game has some; otherwise as `draw`."""
        return self.draw(rng)

    def undisturbed(self) -> contextlib.AbstractContextManager[None]:
        """A context that leaves the game as it found it: parameters in modules, buffers, random streams."""
        return contextlib.nullcontext()

    def batch_size(self, batch: Batch) -> int:
        """Samples in a batch token, for the counts."""
        return 0

    def advance(self) -> None:
        """Once per step: what changes outside w."""

    # --- what a subclass gives ---------------------------------------------------------------------------------

    @abc.abstractmethod
    def _costs(self, w: Array, batch: Batch) -> tuple[Array, ...]: ...

    @abc.abstractmethod
    def _field(self, w: Array, batch: Batch, only: int | None) -> Array: ...

    def _jvp(self, w: Array, u: Array, batch: Batch) -> Array:
        raise DomainError(f"{self.name} has no Jacobian-vector product", "a twice differentiable game", "give `_jvp`")

    def _vjp(self, w: Array, u: Array, batch: Batch) -> Array:
        raise DomainError(f"{self.name} has no vector-Jacobian product", "a twice differentiable game", "give `_vjp`")

    def _coupling(self, w: Array, u: Array, batch: Batch, only: int | None) -> Array:
        blocks, moved = self.split(u), []
        for i, (block, place) in enumerate(zip(blocks, self.slices, strict=True)):
            if only not in (None, i):
                moved.append(worlds.zeros_like(block))
                continue
            others = [worlds.zeros_like(b) if j == i else b for j, b in enumerate(blocks)]
            moved.append(self._jvp(w, worlds.concatenate(others), batch)[..., place])
        return worlds.concatenate(moved)

    def _parts(self, w: Array, u: Array, batch: Batch) -> tuple[Array, Array]:
        forward, backward = self._jvp(w, u, batch), self._vjp(w, u, batch)
        return (forward + backward) / 2, (forward - backward) / 2

    def _cost_gradients(self, w: Array, batch: Batch) -> Array:
        raise DomainError(f"{self.name} gives no gradients across players", "them", "give `_cost_gradients`")

    def __repr__(self) -> str:
        return f"<{self.name}: {', '.join(f'{p.name} {p.size}' for p in self.players)}>"


class RestrictedGame(Game):
    """One player's problem with the others fixed: what `Game.restrict` returns. Its vectors are that player's block."""

    def __init__(self, game: Game, index: int, w: Array) -> None:
        self.game, self.index, self.fixed = game, index, w
        self.name = f"{game.name} seen by {game.players[index].name}"
        self.players = (game.players[index],)
        self.worlds, self.deterministic, self.smooth = game.worlds, game.deterministic, game.smooth
        self.constrained = game.constrained
        self._block = game.slices[index]

    @property
    def block(self) -> Array:
        """The player's own block at the point of restriction."""
        return self.fixed[..., self._block]

    @property
    def tensor_shapes(self) -> tuple[tuple[tuple[int, ...], ...], ...]:
        """The player's own tensors."""
        return (self.game.tensor_shapes[self.index],)

    @property
    def quadratic(self) -> bool:  # type: ignore[override]
        """Whether the whole game is."""
        return self.game.quadratic

    def embed(self, x: Array) -> Array:
        """The joint vector with the player's block replaced by x."""
        start, stop = self._block.start, self._block.stop
        return worlds.concatenate([self.fixed[..., :start], x, self.fixed[..., stop:]])

    def _pad(self, u: Array) -> Array:
        start, stop = self._block.start, self._block.stop
        zeros = worlds.zeros_like(self.fixed)
        return worlds.concatenate([zeros[..., :start], u, zeros[..., stop:]])

    def per_player(self, value: Any) -> tuple[Any, ...]:
        """The player's own share of a parameter given per player of the whole game."""
        return (self.game.per_player(value)[self.index],)

    @property
    def counts(self) -> Counts:
        """The whole game's counts."""
        return self.game.counts

    def field(self, w: Array, batch: Batch = None, only: int | str | None = None) -> Array:
        """The player's own gradient df_i/dx_i, shape (..., size)."""
        self.check(w)
        return self.game.field(self.embed(w), batch, only=self.index)[..., self._block]

    def _field(self, w: Array, batch: Batch, only: int | None) -> Array:
        return self.field(w, batch)

    def _costs(self, w: Array, batch: Batch) -> tuple[Array, ...]:
        return (self.game.costs(self.embed(w), batch)[self.index],)

    def jvp(self, w: Array, u: Array, batch: Batch = None) -> Array:
        """The player's own Hessian times u."""
        self.check(w)
        return self.game.jvp(self.embed(w), self._pad(u), batch)[..., self._block]

    def vjp(self, w: Array, u: Array, batch: Batch = None) -> Array:
        """The player's own Hessian, transposed, times u."""
        self.check(w)
        return self.game.vjp(self.embed(w), self._pad(u), batch)[..., self._block]

    def coupling(self, w: Array, u: Array, batch: Batch = None, only: int | str | None = None) -> Array:
        """Zero: nobody else moves."""
        return worlds.zeros_like(u)

    def parts(self, w: Array, u: Array, batch: Batch = None) -> tuple[Array, Array]:
        """The player's own Hessian times u, and zero: it is symmetric."""
        return self.jvp(w, u, batch), worlds.zeros_like(u)

    def cost_gradients(self, w: Array, batch: Batch = None) -> Array:
        """The player's own gradient, shape (1, ..., size)."""
        return self.field(w, batch)[None]

    def project(self, w: Array) -> Array:
        """Onto the player's own feasible set."""
        if not self.constrained:
            return w
        return self.game.project(self.embed(w))[..., self._block]

    def solve(self, operator: Callable[[Array], Array], rhs: Array) -> Array:
        """Solve a linear system on the player's block."""
        return self.game.solve(operator, rhs)

    def draw(self, rng: Any) -> Batch:
        """A batch token of the whole game."""
        return self.game.draw(rng)

    def draw_held_out(self, rng: Any) -> Batch:
        """A held-out batch token of the whole game."""
        return self.game.draw_held_out(rng)

    def advance(self) -> None:
        """What changes outside w, in the whole game."""
        self.game.advance()


# --- rules -----------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class State:
    """What the next step of a rule needs, and nothing else.

    Attributes:
        arrays: named arrays shaped like the rule's w; with w they form the augmented state z.
        counters: named step counts; not part of the Jacobian.
        inner: the states of wrapped rules.
    """

    arrays: Mapping[str, Array] = dataclasses.field(default_factory=dict)
    counters: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    inner: tuple[State, ...] = ()

    def __getitem__(self, name: str) -> Any:
        return self.arrays[name] if name in self.arrays else self.counters[name]

    def leaves(self, prefix: str = "") -> Iterator[tuple[str, Array]]:
        """(path, array) of every array, own ones first, then the wrapped rules'."""
        for name, array in self.arrays.items():
            yield prefix + name, array
        for i, inner in enumerate(self.inner):
            yield from inner.leaves(f"{prefix}{i}.")

    def counter_leaves(self, prefix: str = "") -> Iterator[tuple[str, Any]]:
        """(path, count) of every counter, in the order of `leaves`."""
        for name, count in self.counters.items():
            yield prefix + name, count
        for i, inner in enumerate(self.inner):
            yield from inner.counter_leaves(f"{prefix}{i}.")

    def replace_leaves(self, arrays: Iterator[Array], counters: Iterator[Any]) -> State:
        """The same structure with other leaves, taken in the order of `leaves` and `counter_leaves`."""
        return State(
            {name: next(arrays) for name in self.arrays},
            {name: next(counters) for name in self.counters},
            tuple(inner.replace_leaves(arrays, counters) for inner in self.inner),
        )


@dataclasses.dataclass(frozen=True)
class Domain:
    """Where a rule is defined, and what it lends itself to.

    The first four restrict the games that it accepts. `smooth`: the update map is differentiable. `capturable`: one
    step has no host-side branch on data, so CUDA graphs can capture it. `linear_in_field`: the step is a linear
    combination of points and fields, so performance estimation applies.
    """

    two_player: bool = False
    zero_sum: bool = False
    deterministic: bool = False
    unconstrained: bool = False
    smooth: bool = True
    capturable: bool = True
    linear_in_field: bool = False


@dataclasses.dataclass(frozen=True)
class Cost:
    """Oracle calls of one step with two players: full fields, Jacobian products and transposed products.

    nan where an inner solver decides.
    """

    fields: float = 1
    jvps: float = 0
    vjps: float = 0


class Rule(abc.ABC):
    """An update rule: `init` makes its state, `step` moves the players once. Subclasses are frozen dataclasses.

    A rule declares `domain`, and its theory: `flow_order` p (it follows the gradient flow over a fixed time with error
    O(lr^p); None where it follows another flow), `cost`, and `bilinear_modulus`. `per_player_parameters` are checked
    against the game's players; `step_sizes` are what schedules and time scales multiply.
    """

    domain: ClassVar[Domain] = Domain()
    flow_order: ClassVar[int | None] = 1
    aliases: ClassVar[tuple[str, ...]] = ()
    per_player_parameters: ClassVar[tuple[str, ...]] = ("lr",)
    step_sizes: ClassVar[tuple[str, ...]] = ("lr",)

    @property
    def name(self) -> str:
        """The rule's name in the registry."""
        return type(self).__name__

    @property
    def cost(self) -> Cost:
        """Declared oracle calls per step."""
        return Cost()

    def cost_on(self, game: Game) -> Cost:
        """Declared oracle calls per step on this game: `cost`, unless the calls depend on the kind of game."""
        return self.cost

    def bilinear_modulus(self, s: float) -> float | None:
        """Spectral radius of the update map on f = x y with equal steps lr, at s = lr * singular value."""
        return None

    @classmethod
    def examples(cls) -> Sequence[Rule]:
        """Instances that the contract tests run."""
        return [cls(0.1)]  # type: ignore[call-arg]

    def check(self, game: Game) -> None:
        """Refuse a game outside the domain, by name, and parameters that do not fit its players."""
        wants = self.domain
        n = len(game.players)
        failures = [
            (wants.two_player and n != 2, f"{n} players", "exactly two players"),
            (wants.zero_sum and not game.zero_sum, "a general-sum game", "a zero-sum game, f_2 = -f_1"),
            (wants.deterministic and not game.deterministic, "a stochastic game", "a deterministic game"),
            (wants.unconstrained and game.constrained, "a constrained game", "an unconstrained game"),
        ]
        for failed, given, needed in failures:
            if failed:
                raise DomainError(
                    f"{self.name} on {game.name}, {given}", needed, "`gandyn list rules` shows each rule's domain"
                )
        for parameter in self.per_player_parameters:
            if hasattr(self, parameter):
                game.per_player(getattr(self, parameter))

    def init(self, game: Game, w: Array, rng: Any = None) -> State:
        """The state before the first step. `rng` seeds the first batch of rules that start from a field."""
        self.check(game)
        return State()

    @abc.abstractmethod
    def step(self, game: Game, w: Array, state: State, rng: Any = None) -> tuple[Array, State, Info]:
        """One update. Shapes: w and every state array (..., d)."""
