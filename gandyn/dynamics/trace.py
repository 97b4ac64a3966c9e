"""Run a rule once on symbols: the update map of rule x game as expressions, Jacobian, LaTeX and generated kernels."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import sympy

from ..budget import Budget
from ..doors import ensemble_door
from ..errors import DomainError
from ..noise.noisy_game import NoisyGame
from ..oracles.symbolic_draws import SymbolicDraws
from ..results import Result, aligned
from ..symbolic.kinks import slope_at
from ..text.paper_symbols import in_papers
from ..types import Array, Batch, Counts, Game, GameView, Rule, State, residual_of
from ..types.first_step import first_state, first_step
from ..types.forwarding import forwards
from ..types.gradient import gradient
from ..worlds import SYMBOLS, exact, object_vector
from . import names
from .asked_counts import Program, as_program, from_outside, limit_of_counts, refuse_asked_counts

SOLVED = 60.0  # seconds for a closed form of fixed points


@forwards("quadratic", "mean")  # its answers have other names, not other values
class Recorder(GameView):
    """A game on symbols that gives every point it is asked about, and every answer, a name of its own.

    The trace then stays a short straight-line program, however many steps a rule nests.
    """

    counts = Game.counts  # its own: what the traced step asks for

    def __init__(self, game: Game, coordinates: Sequence[sympy.Symbol] = (), data: Sequence[object] = ()) -> None:
        super().__init__(game)
        self.coordinates, self.data = frozenset(coordinates), frozenset(data)
        self._taken = names.taken_by(game, [*coordinates, *data])
        self.bindings: list[tuple[sympy.Symbol, sympy.Expr]] = []
        self._names: dict[sympy.Expr, sympy.Expr] = {}

    def bind(self, values: Array) -> Array:
        """Replace each expression that is not a symbol or a number by a name for it."""
        named = [self._name(exact(e)) for e in values.ravel()]
        return object_vector(named).reshape(values.shape)

    def _name(self, e: sympy.Expr) -> sympy.Expr:
        if e.is_Atom:
            return e
        if e not in self._names:
            name = names.fresh(f"_{len(self.bindings)}", self._taken)
            self._names[e] = sympy.Symbol(name, real=True)
            self.bindings.append((self._names[e], e))
        return self._names[e]

    def _costs(self, w: Array, batch: Batch) -> tuple[Array, ...]:
        return self.game._costs(self.bind(w), batch)

    def _field(self, w: Array, batch: Batch, only: int | None) -> Array:
        return self.bind(self.game._field(self.bind(w), batch, only))

    def _jvp(self, w: Array, u: Array, batch: Batch) -> Array:
        return self.bind(self.game._jvp(self.bind(w), self.bind(u), batch))

    def _vjp(self, w: Array, u: Array, batch: Batch) -> Array:
        return self.bind(self.game._vjp(self.bind(w), self.bind(u), batch))

    def jacobian(self, w: Array, batch: Batch = None) -> Array:
        """J(w), entries named."""
        return self.bind(self.game.jacobian(self.bind(w), batch))

    def _cost_gradients(self, w: Array, batch: Batch) -> Array:
        return self.bind(self.game._cost_gradients(self.bind(w), batch))

    def best_response(self, which: int | str, w: Array) -> Array:
        """As the game answers, entries named."""
        return self.bind(self.game.best_response(which, self.bind(w)))

    def solve(self, operator: Callable[[Array], Array], rhs: Array) -> Array:
        """Solve a linear system: in closed form where its matrix is constant, else by elimination with named values.

        One expression for the solution would grow exponentially with d; the program grows with its cube.
        """
        basis = np.array([sympy.Integer(int(i == j)) for i in range(len(rhs)) for j in range(len(rhs))], dtype=object)
        columns = [operator(unit) for unit in basis.reshape(len(rhs), len(rhs))]
        matrix = np.array([[exact(column[i]) for column in columns] for i in range(len(rhs))], dtype=object)
        moving = self.coordinates.union(self._names.values())
        free = set().union(*(e.free_symbols for e in matrix.ravel()))
        if not free & (moving | self.data):
            return super().solve(lambda u: matrix @ u, rhs)
        if free & self.data and not free & moving:
            raise DomainError("a constant linear system in data", "numbers, which are solved for exactly", "trace them")
        return self._eliminate(np.column_stack([matrix, rhs]))

    def _eliminate(self, rows: Array) -> Array:
        """The solution of the system with augmented rows; a pivot is a number if there is one, else an expression."""
        rows = self.bind(rows)
        n = len(rows)
        for k in range(n):
            candidates = [i for i in range(k, n) if rows[i, k] != 0]
            if not candidates:
                raise sympy.matrices.exceptions.NonInvertibleMatrixError(f"column {k} has no pivot")
            best = min(candidates, key=lambda i: not rows[i, k].is_number)
            rows[[k, best]] = rows[[best, k]]
            rows[k] = self.bind(rows[k] / rows[k, k])
            for i in range(n):
                if i != k and rows[i, k] != 0:
                    rows[i] = self.bind(rows[i] - rows[i, k] * rows[k])
        return rows[:, n]

    def project(self, w: Array) -> Array:
        """The game's projection onto its feasible set, written in symbols."""
        return self.bind(self.game.project(w)) if self.constrained else w


@dataclasses.dataclass(frozen=True, repr=False)
class UpdateMap(Result):
    """z+ = F(z) for the augmented state z = (w, state arrays), as a straight-line program of expressions.

    Attributes:
        symbols: the coordinates of z; the first d are the game's.
        counters: symbols of the rule's step counts, which enter as parameters and grow by one a step.
        bindings: (name, expression) pairs of the program, in order.
        outputs: z+ in terms of symbols, counters and names.
        counter_outputs: the next counts.
        template: the structure of the rule's state, its leaves being symbols.
        counts: oracle calls of one step.
        draws: the random vectors and rows of data that one step draws, as symbols; None where it draws nothing.
    """

    game: Game
    rule: Rule
    symbols: tuple[sympy.Symbol, ...]
    counters: tuple[sympy.Symbol, ...]
    bindings: tuple[tuple[sympy.Symbol, sympy.Expr], ...]
    outputs: tuple[sympy.Expr, ...]
    counter_outputs: tuple[sympy.Expr, ...]
    template: State
    counts: Counts = dataclasses.field(default_factory=Counts)
    draws: Any = None

    _data = "game rule map=_entries"

    @property
    def parameters(self) -> tuple[sympy.Symbol, ...]:
        """Free symbols of the map that are neither coordinates nor counters: parameters without a value."""
        used = set().union(*(e.free_symbols for _, e in self.bindings), *(e.free_symbols for e in self.outputs))
        known = {*self.symbols, *self.counters, *(name for name, _ in self.bindings)}
        known |= set() if self.draws is None else self.draws.symbols
        return tuple(sorted(used - known, key=str))

    @functools.cached_property
    def expression(self) -> sympy.Expr:
        """z+ as a column of expressions in z, expanded where it is a polynomial."""
        values: dict[sympy.Expr, sympy.Expr] = {}
        for name, e in self.bindings:
            values[name] = e.xreplace(values)
        resolved = (e.xreplace(values) for e in self.outputs)
        return sympy.ImmutableMatrix([sympy.expand(e) if e.is_polynomial(*self.symbols) else e for e in resolved])

    @functools.cached_property
    def jacobian(self) -> sympy.Expr:
        """DF(z), a matrix of expressions; counters at infinity (Adam's bias corrections gone)."""
        slopes = [self._at_infinity(slope) for e in self.expression for slope in gradient(e, self.symbols)]
        return sympy.ImmutableMatrix(len(self.outputs), len(self.symbols), slopes)

    def jacobian_at(self, point: Sequence[sympy.Expr]) -> tuple[sympy.Matrix, sympy.Matrix]:
        """(F(z), DF(z)) at one exact point, by the chain rule along the program; z has the length of `symbols`.

        Raises:
            NotDifferentiableError: at a kink, or where a slope is infinite (Adam at an equilibrium).
        """
        values: dict[sympy.Expr, sympy.Expr] = dict(zip(self.symbols, map(exact, point), strict=True))
        identity = sympy.eye(len(self.symbols))
        slopes: dict[sympy.Expr, sympy.Matrix] = {s: identity[k, :] for k, s in enumerate(self.symbols)}

        def push(e: sympy.Expr) -> tuple[sympy.Expr, sympy.Matrix]:
            settled = self._at_infinity(e)
            row = sympy.zeros(1, len(self.symbols))
            for s in e.free_symbols & slopes.keys():
                partial = slope_at(settled, s, values)
                if partial != 0:
                    row += partial * slopes[s]
            return settled.xreplace(values), row

        for name, e in self.bindings:
            values[name], slopes[name] = push(e)
        results = [push(e) for e in self.outputs]
        return sympy.Matrix([value for value, _ in results]), sympy.Matrix.vstack(*(row for _, row in results))

    def _at_infinity(self, e: sympy.Expr) -> sympy.Expr:
        for t in self.counters:
            e = limit_of_counts(e, t, f"{self.rule!r} on {self.game.name}") if e.has(t) else e
        return e

    @functools.cached_property
    def fixed_points(self) -> tuple[dict[sympy.Expr, sympy.Expr], ...]:
        """Solutions of F(z) = z as SymPy finds them, each a dict from symbol to value.

        Raises:
            DomainError: where SymPy knows no closed form.
            OutOfTimeError: where it finds none within a minute.
        """
        equations = [e - s for e, s in zip(self.expression, self.symbols, strict=True)]
        what = f"a closed form for the fixed points of {self.rule!r} on {self.game.name}"
        try:
            found = Budget(SOLVED).run(lambda: sympy.solve(equations, self.symbols, dict=True), what)
        except NotImplementedError as error:
            raise DomainError(
                f"no {what[2:]}", "a box to search", "gd.fixed_points(game, box=[(-2, 2), ...])"
            ) from error
        return tuple(found)

    def kernel(self, backend: str = "auto") -> Any:
        """Generated code that applies the map: "c", "numpy", "torch", "numba", "javascript", or the fastest here."""
        from .kernels import build

        return build(self, backend)

    def latex(self) -> str:
        """The map in LaTeX, one aligned line for each coordinate."""
        pairs = zip(self.symbols, self.expression, strict=True)
        own, beside = self.symbols[: self.game.dim], {*self.symbols, *self.parameters}
        return aligned(f"{in_papers(s, beside, own)}^{{+}} &= {in_papers(e, beside, own)}" for s, e in pairs)

    @property
    def _entries(self) -> dict[str, sympy.Expr]:
        return dict(zip(map(str, self.symbols), self.expression, strict=True))

    def summary(self) -> str:
        """The map as text, one line for each coordinate."""
        lines = (f"{s}+ = {e}" for s, e in zip(self.symbols, self.expression, strict=True))
        return "\n".join([self._dynamics(), *lines])


@ensemble_door
def update_map(game: Game, rule: Rule) -> UpdateMap:
    """Trace `rule` on `game`: one call of `rule.step` on symbols gives the exact update map.

    Args:
        game: a game with expressions.
        rule: of the step; its parameters may be symbols.

    Returns:
        An `UpdateMap`: `.expression` and `.jacobian` in `.symbols`, `.fixed_points`, `.kernel()`, and `.latex()`.

    Raises:
        DomainError: if the game lies outside the rule's domain, draws batches, or has no symbolic form.

    A game with additive noise (`gd.noise.Additive(...).applied(game)`) is traced with a vector of symbols xi for each
    draw of the step; they are no parameters, and stand in `.draws`.

    Example:
        >>> import gandyn as gd
        >>> gd.update_map(gd.games.bilinear(), gd.rules.GDA("lr")).expression
        Matrix([
        [a - b*lr],
        [a*lr + b]])
    """
    found = traced(game, rule)
    names.refuse_shared(found.parameters, found.symbols, f"{rule!r} on {game.name}")
    return found


def traced(
    game: Game, rule: Rule, data: Sequence[object] = (), columns: Sequence[object] = (), in_units: bool = False
) -> UpdateMap:
    """The update map of a rule with symbols in the place of some of its numbers.

    Args:
        data: symbols for numbers that all members share. columns: for numbers of which each member has its own.
        in_units: whether noise is a factor times vectors of covariance 1, which are then the symbols of the draws.

    Raises:
        DomainError: as `update_map`, and for a constant linear system whose matrix has data in it.
    """
    rule.check(game)
    if SYMBOLS not in game.worlds:
        raise DomainError(
            f"update_map of {game.name}, which is not defined by symbols",
            "a symbolic game",
            "define it with gd.games.from_sympy, or use gd.linearize, which differentiates torch games automatically",
        )
    if not (game.deterministic or isinstance(game, NoisyGame)):
        raise DomainError(f"update_map of {game.name}, which draws batches", "a deterministic game", "use gd.iterate")
    return trace_step(game, rule, None if game.deterministic else SymbolicDraws(in_units), data, columns)


def trace_step(
    game: Game, rule: Rule, draws: Any = None, data: Sequence[object] = (), columns: Sequence[object] = ()
) -> UpdateMap:
    """One step on symbols; the game is not checked. `draws`, a `SymbolicDraws`, stands in for the random generator."""
    symbols = game.symbols or sympy.symbols(f"w1:{game.dim + 1}", real=True)
    w = object_vector(symbols)
    initial = first_state(rule, game, w)
    taken = names.taken_by(game, symbols)
    leaves = [names.of_state(path, array, symbols, taken) for path, array in initial.leaves()]
    counters = names.of_counters([path for path, _ in initial.counter_leaves()], taken)
    template = initial.replace_leaves(iter(leaves), iter(counters))
    inputs = [*symbols, *counters, *(s for leaf in leaves for s in leaf), *columns]

    def program(before: State, recorder: Recorder) -> Program:
        w_next, state, _ = first_step(rule, recorder, w, before, draws)
        return as_program(recorder.bindings, w_next, state)

    recorder = Recorder(game, inputs, data)
    bindings, outputs = program(template, recorder)
    if counters and draws is None and from_outside(rule):
        at_counts = functools.partial(program, recorder=Recorder(game, inputs, data))
        refuse_asked_counts(game, rule, (bindings, outputs), template, counters, at_counts)
    size = len(outputs) - len(counters)
    return UpdateMap(
        game,
        rule,
        (*symbols, *(s for leaf in leaves for s in leaf)),
        tuple(counters),
        tuple(bindings),
        tuple(outputs[:size]),
        tuple(outputs[size:]),
        template,
        recorder.counts,
        draws,
    )


def trace_residual(game: Game, rule: Rule, draws: Any = None) -> UpdateMap:
    """The residual of an implicit rule as a program of (w+, w): zero exactly where w+ is the step from w."""
    symbols = game.symbols or sympy.symbols(f"w1:{game.dim + 1}", real=True)
    taken = names.taken_by(game, symbols)
    after = tuple(sympy.Symbol(names.fresh(f"{s}_next", taken), real=True) for s in symbols)
    w, w_next = (object_vector(its) for its in (symbols, after))
    recorder = Recorder(game, [*after, *symbols])
    outputs = residual_of(rule, recorder, w_next, w, None if draws is None else recorder.draw(draws))
    program = tuple(recorder.bindings)
    return UpdateMap(game, rule, (*after, *symbols), (), program, tuple(map(exact, outputs)), (), State())
