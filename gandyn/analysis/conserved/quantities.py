"""Conserved quantities of flows and update maps, found by linear algebra on an ansatz and verified as identities."""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ...budget import Budget, OutOfTimeError
from ...doors import door
from ...errors import DomainError, ParameterError
from ...lazy import sympy
from ...results import Result
from ...types import Array, Game, Rule
from ...types.signs import is_zero, simplified
from ...worlds import SYMBOLS, exact, object_vector
from .invariant_search import FlowSearch, MapSearch

MOST_TERMS = 220


@dataclasses.dataclass(frozen=True, repr=False)
class ConservedQuantity(Result):
    """A function H that a flow or an update map keeps constant.

    Attributes:
        game, rule: the pair; rule is None for a flow.
        symbols: the coordinates z, for a rule with memory those of the augmented state.
        expression: H(z), a SymPy expression.
        method: how H was found.
        residual: dH/dt along the flow, or H(z+) - H(z) for a map, simplified; always 0.
        constraints: expressions that vanish on the invariant set where H is conserved; empty where H is conserved
            everywhere.
    """

    game: Game
    rule: Rule | None
    symbols: tuple[sympy.Symbol, ...]
    expression: sympy.Expr
    method: str
    residual: sympy.Expr
    constraints: tuple[sympy.Expr, ...] = ()

    def __call__(self, z: Array) -> Array:
        """The values of H at points z (..., D), D the number of coordinates, as an array of shape (...)."""
        z = np.asarray(z, dtype=float)
        return np.asarray(self._function(*np.moveaxis(z, -1, 0))) + np.zeros(z.shape[:-1])

    @functools.cached_property
    def _function(self) -> Callable[..., Array]:
        return sympy.lambdify(self.symbols, self.expression, "numpy")  # type: ignore[no-any-return]

    def summary(self) -> str:
        """H, the identity that conserves it, and how it was found, as text."""
        change = "dH/dt = 0" if self.rule is None else "H(z+) = H(z)"
        where = f" where {', '.join(f'{e} = 0' for e in self.constraints)}" if self.constraints else ""
        return f"{self._dynamics()}: H = {self.expression}, {change} identically{where} ({self.method})"


@door
def conserved_quantities(
    game: Game,
    rule: Rule | None = None,
    *,
    field: Callable[[Array], Array] | None = None,
    basis: Sequence[sympy.Expr] = (),
    degree: int | None = None,
    constraints: Sequence[sympy.Expr] | None = None,
    budget: float | Budget | None = 60.0,
) -> list[ConservedQuantity]:
    """Functionally independent conserved quantities of the flow dw/dt = -v(w), or of a rule's update map.

    A combination H = sum_i c_i b_i of basis functions b_i is conserved by the flow when sum_i c_i (grad b_i . v)
    vanishes identically, and by a map F when sum_i c_i (b_i(F(z)) - b_i(z)) does. Both are linear in c and solved
    exactly. The basis holds all monomials up to a degree, log|w_i| for every coordinate whose plane w_i = 0 the flow
    does not cross, and the functions that the user adds. A common factor of the flow's components is divided out first,
    which keeps its orbits: those of the Dirac-GAN are the orbits of (phi, -theta). Flows in the plane are also searched
    for a stream function and for separated variables. For every quantity returned, its change simplifies to zero.

    Args:
        game: a game with symbols.
        rule: an update rule, or None for the flow.
        field: a function of w in place of the game's field, such as `game.replicator_field`; the flow is -field.
        basis: further basis functions, SymPy expressions in the coordinates.
        degree: the largest degree of the monomials; by default 4, less in many dimensions.
        constraints: expressions, linear in the coordinates, that vanish on an invariant set to which the search is
            restricted. By default none; with `field` and a game on simplices, the sums of probabilities minus 1.
        budget: seconds.

    Returns:
        A list of `ConservedQuantity`, the simplest first, functionally independent of each other. An empty list means
        that the search found none, not that there is none.

    Raises:
        DomainError: for a game without symbols, a rule whose map is not symbolic or changes from step to step.
        ParameterError: for constraints that the dynamics does not keep, or a basis in other symbols.
        OutOfTimeError: where the search does not end in time; the message has the quantities found until then.

    Example:
        >>> import gandyn as gd
        >>> [H.expression for H in gd.conserved_quantities(gd.games.bilinear())]
        [a**2 + b**2]
        >>> [H.expression for H in gd.conserved_quantities(gd.games.bilinear(), gd.rules.AlternatingGD("lr"))]
        [a**2 - a*b*lr + b**2]
    """
    if SYMBOLS not in game.worlds or not game.symbolic:
        raise DomainError(f"conserved quantities of {game.name}", "a game given by symbols", "gd.games.from_sympy")
    if rule is not None and field is not None:
        raise ParameterError("a rule and a field", "one of them", "rule=None with field=...")
    basis = tuple(map(exact, basis))
    search = _search(game, rule, field, None if constraints is None else [*map(exact, constraints)])
    for extra in basis:
        unknown = extra.free_symbols - {*search.symbols, *game.parameters}
        if unknown:
            raise ParameterError(
                f"a basis function of {', '.join(map(str, unknown))}",
                f"functions of {', '.join(map(str, search.symbols))}",
                "use the coordinates' own symbols: game.symbols, or gd.update_map(game, rule).symbols",
            )
    found: list[ConservedQuantity] = []
    limit = Budget.of(budget)
    try:
        limit.run(lambda: [*_verified(game, rule, search, basis, degree, found)])
    except OutOfTimeError:
        until_then = ", ".join(str(f.expression) for f in found) or "none"
        task = f"the search for conserved quantities of {game.name} (found until then: {until_then})"
        raise limit.error(task) from None
    return found


def _verified(
    game: Game,
    rule: Rule | None,
    search: FlowSearch | MapSearch,
    basis: Sequence[sympy.Expr],
    degree: int | None,
    found: list[ConservedQuantity],
) -> Iterator[ConservedQuantity]:
    """The candidates that are conserved and independent of those before them; they are added to `found`."""
    for expression, method in search.candidates(basis, degree):
        residual = search.residual(expression)
        if residual == 0 and search.independent(expression, [f.expression for f in found]):
            found.append(
                ConservedQuantity(game, rule, search.symbols, expression, method, residual, search.constraints)
            )
            yield found[-1]


def _search(
    game: Game, rule: Rule | None, field: Callable[[Array], Array] | None, constraints: Sequence[object] | None
) -> FlowSearch | MapSearch:
    symbols = game.symbols
    if rule is not None:
        from ...dynamics.trace import update_map

        traced = update_map(game, rule)
        if traced.counters:
            raise DomainError(
                f"conserved quantities of {rule!r}, whose map changes from step to step", "a fixed map", "another rule"
            )
        return MapSearch(traced.symbols, tuple(traced.expression), () if constraints is None else tuple(constraints))
    if field is None:
        if game.constrained:
            given = f"conserved quantities of the flow of {game.name}, which is constrained and leaves its feasible set"
            raise DomainError(given, "an unconstrained game", "a field that stays inside (field=...), or rule=")
        v = game.field_exprs
    else:
        given = field(object_vector(symbols))
        v = tuple(given) if hasattr(given, "__len__") else ()
        if len(v) != len(symbols):
            raise ParameterError(f"a field that gives {given!r}", f"{len(symbols)} expressions", "lambda w: [...]")
        if constraints is None:
            sizes = getattr(game.projection, "sizes", ())
            starts = np.cumsum([0, *sizes])
            constraints = [sum(symbols[a:b]) - 1 for a, b in itertools.pairwise(starts.tolist())]
    return FlowSearch(symbols, tuple(v), () if constraints is None else tuple(constraints))


def strict_extremum(game: Game, rule: Rule | None, local: Any, degree: int | None = None) -> ConservedQuantity | None:
    """A conserved quantity with a definite Hessian at a fixed point, which makes the point stable (Lyapunov).

    `local` is the dynamics about the point, `degree` the largest degree of the monomials searched. Single quantities
    are tried first, then each with squares of the others added. None where none was found.
    """
    if local is None or len(local.symbols) > 8 or SYMBOLS not in game.worlds:
        return None
    point = dict(zip(local.symbols, local.point, strict=True))
    try:
        if degree is None and local.affine:  # mostly a quadratic form, found before the others are looked for
            for q in _verified(game, rule, _search(game, rule, None, None), (), 2, []):
                if _flat(q.expression, point) and _definite(q.expression, point):
                    return q
        found = conserved_quantities(game, rule, degree=degree)
    except DomainError:
        return None
    if not found:
        return None
    shifted = [(q.expression - q.expression.xreplace(point)) for q in found]
    flat = [e for e in shifted if _flat(e, point)]
    squares = [e**2 for e in shifted if e not in flat]
    for e in _combinations(flat, squares):
        if _definite(e, point):
            whole = next((q.expression for q, s in zip(found, shifted, strict=True) if s == e), sympy.expand(e))
            return dataclasses.replace(found[0], expression=whole)
    return None


def _flat(e: sympy.Expr, point: Mapping[sympy.Symbol, sympy.Expr]) -> bool:
    """Whether the gradient vanishes at the point."""
    return all(is_zero(sympy.diff(e, s).xreplace(point)) for s in point)


def _definite(e: sympy.Expr, point: Mapping[sympy.Symbol, sympy.Expr]) -> bool:
    """Whether the Hessian at the point exists and is definite."""
    hessian = sympy.hessian(e, [*point]).xreplace(point)
    if any(entry.has(sympy.nan, sympy.zoo, sympy.oo) for entry in hessian):
        return False
    hessian = hessian.applyfunc(simplified)
    return bool(hessian.is_positive_definite or (-hessian).is_positive_definite)


def _combinations(flat: Sequence[sympy.Expr], squares: Sequence[sympy.Expr]) -> Iterable[sympy.Expr]:
    rest = sum(squares)
    for e in flat:
        yield e
        if squares:
            yield e + rest
            yield rest - e
    for a, b in itertools.combinations(flat, 2):
        yield a + b + rest
        yield a - b + rest
    if squares:
        yield rest
