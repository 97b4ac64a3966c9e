"""Games given by expressions, and `from_sympy`, the way in for a user's own costs."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import DomainError, GameError, ParameterError, ShapeError
from ..lazy import sympy, torch
from ..text import expressions, symbols
from ..types import Array, Batch, FeasibleSet, Game, Player
from ..types.gradient import gradient
from ..types.signs import simplified
from ..worlds import SYMBOLS, exact, world_of
from .known_facts import Facts

TWO_PLAYERS = ("x", "y")


class SymbolicGame(Game):
    """A game whose costs are SymPy expressions in its players' symbols.

    Attributes:
        symbols: the coordinates of w, player 1's first.
        parameters: free symbols of the costs that are not coordinates, with their values where they have one.
        exprs: the costs, with the values of the parameters put in.
        field_exprs: v(w), one expression a coordinate.
        jacobian_expr: J(w), a SymPy matrix.
        facts: source, known spectrum, conserved quantities.
    """

    def __init__(
        self,
        name: str,
        costs: Sequence[sympy.Expr],
        players: Mapping[str, Sequence[sympy.Symbol]],
        equilibria: Sequence[Sequence[float | sympy.Expr]] = (),
        projection: Callable[[Array], Array] | None = None,
        facts: Facts | None = None,
    ) -> None:
        self.name = name
        self.projection, self.constrained = projection, projection is not None
        self.facts = facts or Facts()
        blocks = {str(player): tuple(symbols) for player, symbols in players.items()}
        self.players = tuple(Player(player, len(symbols)) for player, symbols in blocks.items())
        self.symbols = tuple(s for symbols in blocks.values() for s in symbols)
        self.exprs = tuple(expressions(costs, {str(s): s for s in self.symbols}))
        self.equilibria = tuple(tuple(map(exact, point)) for point in equilibria)
        if len(self.exprs) != len(self.players):
            raise GameError(
                f"{len(self.exprs)} costs for {len(self.players)} players ({', '.join(blocks)})",
                "one cost for each player, or one expression for a two-player zero-sum game",
                "give f_1, ..., f_n in the order of the players",
            )
        _refuse_unreal(name, self.exprs)
        if len(set(self.symbols)) != len(self.symbols):
            raise GameError(f"{name}: a symbol belongs to two players", "disjoint blocks", "use different symbols")
        self.field_exprs = tuple(
            e for cost, own in zip(self.exprs, blocks.values(), strict=True) for e in gradient(cost, own)
        )
        for player, block in zip(self.players, self.slices, strict=True):
            if not any(self.field_exprs[block]):
                raise GameError(
                    f"the cost of player {player.name} does not depend on {player.name}'s own symbols "
                    f"({', '.join(map(str, self.symbols[block]))})",
                    "a cost that each player can change",
                    "check the order of the costs, or give the symbol to the other player",
                )
        self.zero_sum = len(self.exprs) == 2 and sympy.expand(self.exprs[0] + self.exprs[1]) == 0
        kinks = (sympy.Abs, sympy.sign, sympy.Heaviside, sympy.Max, sympy.Min, sympy.Piecewise)
        self.smooth = not any(e.has(*kinks) for e in self.exprs)

    @property
    def content(self) -> Any:
        """What generated code for this game is made from; None for a class that may answer otherwise."""
        if type(self) is not SymbolicGame or len(self._free) < len(self.parameters):
            return None
        return self.players, self.symbols, self.exprs, self.projection

    def with_values(self, values: Mapping[sympy.Symbol, float | sympy.Expr]) -> SymbolicGame:
        """The game with numbers, expressions, or arrays of one value per member in the place of some parameters."""
        swaps = {symbol: exact(value) for symbol, value in values.items()}
        blocks = {player.name: self.symbols[own] for player, own in zip(self.players, self.slices, strict=True)}
        points = [tuple(x.xreplace(swaps) for x in point) for point in self.equilibria]
        costs = [e.xreplace(swaps) for e in self.exprs]
        return SymbolicGame(self.name, costs, blocks, points, self.projection, self.facts)

    @functools.cached_property
    def quadratic(self) -> bool:  # type: ignore[override]
        """Whether every cost is a polynomial of degree two at most in the coordinates."""
        polynomials = all(e.is_polynomial(*self.symbols) for e in self.exprs)
        return polynomials and all(sympy.Poly(e, *self.symbols).total_degree() <= 2 for e in self.exprs)

    @functools.cached_property
    def own_quadratic(self) -> bool:  # type: ignore[override]
        """Whether each cost is a polynomial of degree two at most in its own player's block, the others held fixed."""

        def fits(cost: sympy.Expr, own: Sequence[sympy.Symbol]) -> bool:
            return bool(cost.is_polynomial(*own)) and sympy.Poly(cost, *own).total_degree() <= 2

        return all(fits(cost, self.symbols[block]) for cost, block in zip(self.exprs, self.slices, strict=True))

    def best_response(self, which: int | str, w: Array) -> Array:
        """x_i - H_ii^-1 df_i/dx_i: the minimiser where the cost is quadratic and convex in the player's own block.

        Raises:
            DomainError: where the game is constrained, a cost is not quadratic in its own player's block, or it is not
                strictly convex there: a player with a flat or falling direction has no single best answer, or none.
        """
        if self.constrained or not self.own_quadratic:
            return super().best_response(which, w)
        own = self.restrict(which, w)
        if not _positive_definite(own.jacobian(own.block)):
            raise DomainError(
                f"the best response of {own.players[0].name} in {self.name}, whose own cost is not strictly convex",
                "a positive definite own Hessian",
                "answer by inner steps (k=10, inner_lr=0.1); gd.duality_gap says where the gap is infinite",
            )
        return own.block - own.solve(lambda u: own.jvp(own.block, u), own.field(own.block))

    def project(self, w: Array) -> Array:
        """Onto the feasible set; the identity for a game without constraints."""
        return w if self.projection is None else self.projection(w)

    def feasible_set(self) -> FeasibleSet:
        """What the projection projects onto; all of R^d for a game without constraints.

        Raises:
            DomainError: for a projection that has no `feasible`.
        """
        known = getattr(self.projection, "feasible", None)
        if not isinstance(known, FeasibleSet):
            return super().feasible_set()
        if known.dim != self.dim:
            raise ShapeError(
                f"a projection of {known.dim} coordinates",
                f"one of the {self.dim} coordinates of {self.name}",
                "one interval or bound for each coordinate",
            )
        return known

    def check(self, w: Array) -> None:
        """Refuse other shapes, and numbers while a parameter of the game is free."""
        super().check(w)
        if self._free and world_of(w) != SYMBOLS:
            raise ParameterError(
                f"{self.name} evaluated on numbers while {', '.join(map(str, self._free))} has no value",
                "a value for every parameter",
                f"build the game with {self._free[0]}=...",
            )

    @functools.cached_property
    def _free(self) -> tuple[sympy.Symbol, ...]:
        """The parameters of the game that have no value: all but those that hold one per member of an ensemble."""
        from ..symbolic.members import PerMember

        return tuple(p for p in self.parameters if not isinstance(p, PerMember))

    @functools.cached_property
    def _directions(self) -> tuple[sympy.Symbol, ...]:
        return tuple(sympy.Dummy(f"u{k}", real=True) for k in range(self.dim))

    @functools.cache  # noqa: B019 - a game and its compiled functions live and die together
    def _function(self, what: str, only: int | None = None) -> Any:
        from ..symbolic.function import SymbolicFunction

        if what == "costs":
            return SymbolicFunction([self.symbols], self.exprs)
        if what == "field":
            kept = self.field_exprs
            if only is not None:
                own = range(*self.slices[only].indices(self.dim))
                kept = tuple(e if k in own else 0 for k, e in enumerate(kept))
            return SymbolicFunction([self.symbols], kept)
        if what == "jacobian":
            return SymbolicFunction([self.symbols], list(self.jacobian_expr))
        if what == "cost_gradients":
            return SymbolicFunction([self.symbols], [e for row in self.exprs for e in gradient(row, self.symbols)])
        matrix = self.jacobian_expr if what == "jvp" else self.jacobian_expr.T
        u = self._directions
        rows = [sympy.Add(*(matrix[i, k] * u[k] for k in range(self.dim))) for i in range(self.dim)]
        return SymbolicFunction([self.symbols, u], rows)

    def _costs(self, w: Array, batch: Batch) -> tuple[Array, ...]:
        values = self._function("costs")(w)
        return tuple(values[..., i] for i in range(len(self.players)))

    def _field(self, w: Array, batch: Batch, only: int | None) -> Array:
        return self._function("field", only)(w)

    def _jvp(self, w: Array, u: Array, batch: Batch) -> Array:
        return self._function("jvp")(w, u)

    def _vjp(self, w: Array, u: Array, batch: Batch) -> Array:
        return self._function("vjp")(w, u)

    def jacobian(self, w: Array, batch: Batch = None) -> Array:
        """J(w), shape (..., d, d), from the differentiated expressions."""
        w = self.point(w)
        return self._function("jacobian")(w).reshape((*w.shape[:-1], self.dim, self.dim))

    def _cost_gradients(self, w: Array, batch: Batch) -> Array:
        rows = self._function("cost_gradients")(w).reshape((*w.shape[:-1], len(self.players), self.dim))
        return rows.swapaxes(-2, 0) if rows.ndim == 2 else _move_axis(rows)

    def latex(self) -> str:
        """The costs as LaTeX, one line a player."""
        lines = (f"f_{{{i}}} &= {sympy.latex(cost)}" for i, cost in enumerate(self.exprs, 1))
        return "\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}"


def _positive_definite(hessian: Array) -> bool:
    """Whether every one of some symmetric matrices (..., k, k) is; of symbols of unknown sign, whether it may be."""
    if hasattr(hessian, "detach"):
        return bool((torch.linalg.eigvalsh(hessian.detach()) > 0).all())
    if hessian.dtype != object:
        return bool((np.linalg.eigvalsh(hessian) > 0).all())
    matrix = sympy.Matrix(hessian)
    minors = (simplified(matrix[:k, :k].det()) for k in range(1, matrix.rows + 1))
    return not any(minor.is_nonpositive for minor in minors)


def _move_axis(rows: Array) -> Array:
    """(..., n, d) to (n, ..., d)."""
    order = (rows.ndim - 2, *range(rows.ndim - 2), rows.ndim - 1)
    return rows.permute(order) if hasattr(rows, "permute") else rows.transpose(order)


def from_sympy(
    costs: list[sympy.Expr] | sympy.Expr,
    players: Sequence[object] | Mapping[str, object],
    parameters: Mapping[object, object] | Sequence[object] | None = None,
    name: str = "symbolic game",
    equilibria: Sequence[Sequence[float | sympy.Expr]] = (),
    projection: Callable[[Array], Array] | None = None,
    facts: Facts | None = None,
) -> SymbolicGame:
    """A game from SymPy costs, or from costs as text.

    Text is read by the library's own grammar (`gandyn.text`), which executes nothing: + - * / **, brackets, sqrt, exp,
    log, sin, cos, tanh, Abs, Max, Min, sigmoid, softplus, Piecewise and a few more. Decimals are exact. A name in it is
    a player's symbol, or else a real parameter.

    Args:
        costs: (f_1, ..., f_n), what each player minimises; or one expression f for the zero-sum game (f, -f).
        players: one symbol or sequence of symbols per player, or a dict from name to them. Names may stand for symbols:
            "x", or "x1, x2". Where a cost has an absolute value or a sign, symbols that were made without `real=True`
            give their place to real ones of the same name.
        parameters: values for the remaining symbols, by symbol or name; what is not given stays free. Or a sequence of
            symbols or names, all of which stay free.
        name: what messages and pictures call it.
        equilibria: known fixed points, if any.
        projection: onto the feasible set, for a constrained game: a function of w in every world of the game, such
            as `gandyn.oracles.projections.Box`.
        facts: source, known spectrum and conserved quantities.

    Raises:
        GameError: if a cost ignores its own player's symbols, is not finite, or their numbers do not match.
        ParameterError: for a parameter that the costs do not have, and text that is no formula.

    Example:
        >>> import sympy, gandyn as gd
        >>> a, b = sympy.symbols("a b", real=True)
        >>> gd.games.from_sympy(a * b, [a, b]).field_exprs
        (b, -a)
        >>> gd.games.from_sympy("a*b + c*a**2/2", ["a", "b"], {"c": 3}).exprs
        (3*a**2/2 + a*b, -3*a**2/2 - a*b)
    """
    several = isinstance(costs, (Sequence, sympy.Matrix, np.ndarray)) and not isinstance(costs, str)
    costs = list(costs) if several else [costs]
    blocks = _blocks(players, _by_name(costs))
    if parameters is not None and (isinstance(parameters, str) or not isinstance(parameters, (Mapping, Sequence))):
        raise ParameterError(f"parameters={parameters!r}", "a dict of values, or a list of names", '{"c": 3} or ["c"]')
    own = [s for block in blocks.values() for s in block]
    costs = expressions(costs, _by_name([*(p for p in parameters or () if not isinstance(p, str)), *own]))
    _refuse_unreal(name, costs)
    if any(cost.has(sympy.Abs, sympy.sign) for cost in costs):  # of complex numbers, these have no derivative
        real = {s: sympy.Symbol(s.name, real=True) for s in own if s.is_real is None}
        costs = [cost.xreplace(real) for cost in costs]
        blocks = {player: tuple(real.get(s, s) for s in block) for player, block in blocks.items()}
    if len(costs) == 1 and len(blocks) == 2:
        costs.append(-costs[0])
    costs = _substitute_parameters(costs, blocks, parameters or {}, name)
    return SymbolicGame(name, costs, blocks, equilibria, projection, facts)


def _refuse_unreal(name: str, costs: Sequence[sympy.Basic]) -> None:
    """Refuse costs that are infinite, complex, or no numbers at all, such as comparisons."""
    for cost in costs:
        if not isinstance(cost, sympy.Expr) or cost.has(sympy.zoo, sympy.nan, sympy.oo, -sympy.oo, sympy.I):
            raise GameError(
                f"{name}: a cost that is {cost}", "finite real costs", "check for a division by zero, a nan or an I"
            )


def _by_name(expressions: Sequence[sympy.Expr]) -> dict[str, sympy.Expr]:
    """The symbols of some expressions by their names; numbers and texts among them have none."""
    return {s.name: s for e in expressions for s in getattr(e, "free_symbols", ())}


def _blocks(players: object, known: Mapping[str, sympy.Symbol]) -> dict[str, tuple[sympy.Symbol, ...]]:
    """The players' symbols by player, each a SymPy symbol: of names the known ones, else new real ones."""

    def named(text: str) -> tuple[sympy.Symbol, ...]:
        return tuple(known.get(s.name, s) for s in symbols(text, real=True))

    def block(given: object) -> tuple[sympy.Symbol, ...]:
        if isinstance(given, str):
            return named(given)
        if isinstance(given, sympy.Symbol):
            return (given,)
        if not isinstance(given, (Sequence, np.ndarray, sympy.Matrix)) or len(given) == 0:
            raise GameError(f"the player {given!r}", "a symbol, a name, or a sequence of them", '"x" or [x1, x2]')
        return tuple(s for entry in given for s in block(entry))

    players = named(players) if isinstance(players, str) else players
    if not isinstance(players, Mapping):
        if not isinstance(players, (Sequence, np.ndarray)) or len(players) == 0:
            raise GameError(f"players={players!r}", "one symbol or sequence of symbols for each player", "[a, b]")
        names = TWO_PLAYERS if len(players) == 2 else tuple(f"x{i}" for i in range(1, len(players) + 1))
        players = dict(zip(names, players, strict=True))
    return {str(player): block(given) for player, given in players.items()}


def _substitute_parameters(
    costs: list[sympy.Expr],
    blocks: Mapping[str, Sequence[sympy.Symbol]],
    parameters: Mapping[object, object] | Sequence[object],
    name: str,
) -> list[sympy.Expr]:
    coordinates = {s for symbols in blocks.values() for s in symbols}
    free = {str(s): s for cost in costs for s in cost.free_symbols if s not in coordinates}
    unknown = [str(p) for p in parameters if str(p) not in free]
    if unknown:
        raise ParameterError(
            f"parameters {', '.join(unknown)}, which {name} does not contain",
            f"parameters among: {', '.join(sorted(free)) or 'none'}",
            "check the spelling, or leave them out",
        )
    given = parameters if isinstance(parameters, Mapping) else {}
    values = {free[str(p)]: exact(value) for p, value in given.items()}
    return [cost.subs(values) for cost in costs]
