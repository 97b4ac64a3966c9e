"""Game: give `_costs` and `_field`, and everything else in the library works.

Give `_jvp`, `_vjp` and `_cost_gradients` too where rules of second order are to run. What a game knows besides, as
expressions, equilibria or a feasible set, it sets as attributes; they are all declared here with the value that stands
for "not known", so that nobody has to ask whether a game has them.

A joint vector w has shape (..., d); leading axes are an ensemble. Player i owns one block of the last axis and
minimises its own cost f_i(w). The field is v(w) = (df_1/dx_1, ..., df_n/dx_n), the game Jacobian J = Dv, the gradient
flow dw/dt = -v(w).
"""

from __future__ import annotations

import abc
import contextlib
import functools
from collections.abc import Callable
from typing import Any

from .. import worlds
from ..errors import DomainError
from ..lazy import sympy
from .feasible import FeasibleSet
from .forwarding import forwards
from .gradient import gradient
from .players import Array, Batch, Counts, Parameter, Rng
from .space import JointSpace


class Game(JointSpace, abc.ABC):
    """A differentiable game as a gradient oracle.

    A subclass sets `name` and `players` and gives `_costs` and `_field`; the public methods check shapes and worlds and
    count the calls. `symbolic` says whether the attributes below that are expressions are set.

    Attributes:
        name: what messages and pictures call it.
        players: their names and the sizes of their blocks, in order.
        zero_sum: two players with f_2 = -f_1.
        deterministic: `draw` returns None.
        constrained: `project` is not the identity.
        smooth: the field is differentiable everywhere.
        quadratic: every cost is a polynomial of degree two, so that the field is affine.
        worlds: where the game can be evaluated.
        equilibria: known fixed points, exact numbers in tuples of length d.
        symbols: of the coordinates of w, d of them, for a game given by expressions; else ().
        exprs: the costs f_1, ..., f_n as expressions in `symbols`, where they are known; else ().
        field_exprs: v(w) as d expressions; else ().
        own_quadratic: every cost is a polynomial of degree two at most in its own player's block.
        projection: what `project` applies, where it is an object of its own; None for a game without constraints.
    """

    zero_sum: bool = False
    deterministic: bool = True
    constrained: bool = False
    smooth: bool = True
    quadratic: bool = False
    equilibria: tuple[tuple[Any, ...], ...] = ()
    symbols: tuple[Any, ...] = ()
    exprs: tuple[Any, ...] = ()
    field_exprs: tuple[Any, ...] = ()
    own_quadratic: bool = False
    projection: Callable[[Array], Array] | None = None

    # --- expressions ---------------------------------------------------------------------------------------------

    @property
    def symbolic(self) -> bool:
        """Whether the field is given by expressions in `symbols`."""
        return bool(self.field_exprs)

    @functools.cached_property
    def parameters(self) -> tuple[sympy.Symbol, ...]:
        """Free parameters: the symbols of the costs (of the field, if there are no costs) that are not coordinates."""
        free = set().union(*(e.free_symbols for e in self.exprs or self.field_exprs)) - set(self.symbols)
        return tuple(sorted(free, key=str))

    @functools.cached_property
    def jacobian_expr(self) -> Any:
        """J(w) = Dv(w) as a SymPy matrix of a symbolic game; None of another."""
        if not self.symbolic:
            return None
        slopes = [slope for e in self.field_exprs for slope in gradient(e, self.symbols)]
        return sympy.ImmutableMatrix(self.dim, self.dim, slopes)

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
        return self._costs(self.point(w), batch)

    def field(self, w: Array, batch: Batch = None, only: int | str | None = None) -> Array:
        """v(w), shape (..., d). With `only`, that player's block, and zeros elsewhere."""
        w = self.point(w)
        index = None if only is None else self.player_index(only)
        self.counts.player_gradients += len(self.players) if index is None else 1
        self.counts.samples += self.batch_size(batch)
        return self._field(w, batch, index)

    def field_and_graph(self, w: Array, batch: Batch = None) -> Array:
        """v(w), counted as `field`, for a rule that goes on to ask for products at the same point and batch.

        A network keeps what it computed for the products; the numbers are those of `field` to rounding.
        """
        return self.field(w, batch)

    def jvp(self, w: Array, u: Array, batch: Batch = None) -> Array:
        """J(w) u, shape (..., d)."""
        w, u = self.point(w), self.point(u)
        self.counts.jvps += 1
        return self._jvp(w, u, batch)

    def vjp(self, w: Array, u: Array, batch: Batch = None) -> Array:
        """J(w)^T u, shape (..., d)."""
        w, u = self.point(w), self.point(u)
        self.counts.vjps += 1
        return self._vjp(w, u, batch)

    def coupling(self, w: Array, u: Array, batch: Batch = None, only: int | str | None = None) -> Array:
        """J_o(w) u: how each player's gradient changes when the others move by u. J_o is J without its diagonal blocks.

        With `only`, that player's block, and zeros elsewhere. One jvp for each player asked for.
        """
        w, u = self.point(w), self.point(u)
        index = None if only is None else self.player_index(only)
        self.counts.jvps += len(self.players) if index is None else 1
        return self._coupling(w, u, batch, index)

    def parts(self, w: Array, u: Array, batch: Batch = None) -> tuple[Array, Array]:
        """(S u, A u) with S = (J + J^T)/2 and A = (J - J^T)/2 at w, each of shape (..., d). One jvp and one vjp."""
        w, u = self.point(w), self.point(u)
        self.counts.jvps += 1
        self.counts.vjps += 1
        return self._parts(w, u, batch)

    def jacobian(self, w: Array, batch: Batch = None) -> Array:
        """J(w), dense, shape (..., d, d): column k is J e_k."""
        w = self.point(w)
        columns = []
        for k in range(self.dim):
            unit = worlds.zeros_like(w)
            unit[..., k] = unit[..., k] + 1
            columns.append(self.jvp(w, unit, batch))
        return worlds.stack(columns, axis=-1)

    def cost_gradients(self, w: Array, batch: Batch = None) -> Array:
        """All of df_i/dw, shape (n, ..., d). Its player-diagonal blocks are the field."""
        w = self.point(w)
        self.counts.player_gradients += len(self.players)
        self.counts.samples += self.batch_size(batch)
        return self._cost_gradients(w, batch)

    def restrict(self, which: int | str, w: Array) -> RestrictedGame:
        """Player `which`'s own problem, with the other blocks of w held fixed."""
        return RestrictedGame(self, self.player_index(which), w)

    def resolvent(self, lr: object, w: Array) -> Array:
        """The point x with x + lr v(x) = w, where it is known in closed form.

        Raises:
            DomainError: for games that do not know it.
        """
        raise DomainError(f"the resolvent of {self.name}", "a game with a closed form of it", "give `resolvent`")

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
        """The nearest point of the feasible set, shape (..., d); w itself where there is no constraint."""
        return w

    def feasible_set(self) -> FeasibleSet:
        """What `project` projects onto, with its faces, multipliers and tangent spaces; all of R^d by default.

        Raises:
            DomainError: for a projection that does not say what it projects onto.
        """
        if self.constrained:
            raise DomainError(
                f"the projection of {self.name} is not one whose faces are known",
                "a box, simplices, or a product of them",
                "projection=gandyn.oracles.projections.Box(...), Simplices(...) or Product((...))",
            )
        return FeasibleSet.space(self.dim)

    def natural_residual(self, w: Array, batch: Batch = None) -> Array:
        """w - P(w - v(w)), shape (..., d): zero exactly at the solutions; v(w) itself for an unconstrained game."""
        v = self.field(w, batch)
        return w - self.project(w - v) if self.constrained else v

    def mean(self) -> Game | None:
        """The deterministic game of the mean costs: the game itself, or what its batches average to; None if unknown.

        Its field is the mean of `field` over `draw`. Equilibria, spectra and kinds of a stochastic game are its mean's.
        """
        return self if self.deterministic else None

    def solve(self, operator: Callable[[Array], Array], rhs: Array) -> Array:
        """x with operator(x) = rhs, for a linear operator on joint vectors."""
        return worlds.solve_dense(operator, rhs)

    def draw(self, rng: Rng) -> Batch:
        """A batch token that fixes all randomness of an evaluation; None where there is none."""
        return None

    def draw_held_out(self, rng: Rng) -> Batch:
        """A batch token of data that is not trained on, where the game has some; otherwise as `draw`."""
        return self.draw(rng)

    def undisturbed(self) -> contextlib.AbstractContextManager[None]:
        """A context that leaves the game as it found it: parameters in modules, buffers, random streams."""
        return contextlib.nullcontext()

    def batch_size(self, batch: Batch) -> int:
        """Samples in a batch token, for the counts."""
        return 0

    def advance(self) -> None:
        """Called once per step of a run: update what changes outside w, such as buffers of networks."""

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
        raise DomainError(
            f"{self.name} gives no gradients across players", "df_i/dw of every player i", "give `_cost_gradients`"
        )

    def __repr__(self) -> str:
        return f"<{self.name}: {', '.join(f'{p.name} {p.size}' for p in self.players)}>"


@forwards(
    *("worlds", "deterministic", "smooth", "constrained", "quadratic"),
    *("counts", "solve", "draw", "draw_held_out", "batch_size", "advance", "undisturbed"),
)
class RestrictedGame(Game):
    """One player's problem with the others fixed: what `Game.restrict` returns. Its vectors are that player's block.
    Of the whole game it keeps the flags that hold for each player, the counts, the batches and the solver.
    """

    def __init__(self, game: Game, index: int, w: Array) -> None:
        self.game, self.index, self.fixed, self.spare = game, index, w, False  # spare: `embed` may write over w
        self.name = f"{game.name} seen by {game.players[index].name}"
        self.players = (game.players[index],)
        self._block = game.slices[index]

    @property
    def block(self) -> Array:
        """The player's own block at the point of restriction."""
        return self.fixed[..., self._block]

    @property
    def tensor_shapes(self) -> tuple[tuple[tuple[int, ...], ...], ...]:
        """The shapes of the tensors that the player's block is made of."""
        return (self.game.tensor_shapes[self.index],)

    def embed(self, x: Array) -> Array:
        """The joint vector with the player's block replaced by x."""
        return self._between(self.fixed, x)

    def _between(self, others: Array, x: Array) -> Array:
        return worlds.concatenate([others[..., : self._block.start], x, others[..., self._block.stop :]])

    def _pad(self, u: Array) -> Array:
        return self._between(worlds.zeros_like(self.fixed), u)

    def per_player(self, value: object) -> tuple[Parameter, ...]:
        """The player's own share of a parameter given per player of the whole game."""
        return (self.game.per_player(value)[self.index],)

    def field(self, w: Array, batch: Batch = None, only: int | str | None = None) -> Array:
        """The player's own gradient df_i/dx_i, shape (..., size)."""
        return self.game.field(self.embed(self.point(w)), batch, only=self.index)[..., self._block]

    def _field(self, w: Array, batch: Batch, only: int | None) -> Array:
        return self.field(w, batch)

    def _costs(self, w: Array, batch: Batch) -> tuple[Array, ...]:
        return (self.game.costs(self.embed(w), batch)[self.index],)

    def jvp(self, w: Array, u: Array, batch: Batch = None) -> Array:
        """The player's own Hessian times u."""
        return self.game.jvp(self.embed(self.point(w)), self._pad(u), batch)[..., self._block]

    def vjp(self, w: Array, u: Array, batch: Batch = None) -> Array:
        """The player's own Hessian, transposed, times u."""
        return self.game.vjp(self.embed(self.point(w)), self._pad(u), batch)[..., self._block]

    def coupling(self, w: Array, u: Array, batch: Batch = None, only: int | str | None = None) -> Array:
        """Zero: the other players are held fixed."""
        return worlds.zeros_like(u)

    def parts(self, w: Array, u: Array, batch: Batch = None) -> tuple[Array, Array]:
        """The player's own Hessian times u, and zero: it is symmetric."""
        return self.jvp(w, u, batch), worlds.zeros_like(u)

    def cost_gradients(self, w: Array, batch: Batch = None) -> Array:
        """The player's own gradient, shape (1, ..., size)."""
        return self.field(w, batch)[None]

    def project(self, w: Array) -> Array:
        """Onto the player's own feasible set."""
        return self.game.project(self.embed(w))[..., self._block] if self.constrained else w

    def feasible_set(self) -> FeasibleSet:
        """The player's own feasible set."""
        return self.game.feasible_set().restrict(self._block)
