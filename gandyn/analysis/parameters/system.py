"""A game under a rule, or its flow, as one numeric function z -> F(z; p) with exact derivatives.

Circles, bifurcations and exponents all run on it: one program of values and slopes, differentiated along the trace.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Sequence

import numpy as np

from ...dynamics.trace import update_map
from ...errors import DomainError, ParameterError
from ...lazy import sympy
from ...symbolic.slopes import with_slopes
from ...types import Array, Game, Rule
from ...worlds import SYMBOLS, object_vector
from ..local.dynamics import refuse_marginal_limit
from .freed import freed, with_value

Field = Callable[[Array], Array]


@dataclasses.dataclass(frozen=True, eq=False)
class System:
    """A map z -> F(z; p) of the augmented state (rule given) or a flow dz/dt = F(z; p)."""

    # game, rule: what it is made of; rule is None for a flow
    game: Game
    rule: Rule | None
    symbols: tuple[sympy.Symbol, ...]  # coordinates of z, the game's first
    parameter: sympy.Symbol | None  # the free symbol p, or None
    # bindings, outputs: F as a program of expressions in symbols and p
    bindings: tuple[tuple[sympy.Symbol, sympy.Expr], ...]
    outputs: tuple[sympy.Expr, ...]

    @property
    def size(self) -> int:
        """The length D of the augmented state z."""
        return len(self.symbols)

    @property
    def discrete(self) -> bool:
        """Whether the system is a map (True) or a flow (False)."""
        return self.rule is not None

    def __call__(self, z: Array, p: float | Array = 0.0) -> Array:
        """F(z; p), shape (..., D); p is a number, or an array of shape (...)."""
        return _stack(self._value(*self._columns(z, p)), np.shape(z)[:-1])

    def jacobian(self, z: Array, p: float | Array = 0.0) -> Array:
        """The derivative dF/dz at z (..., D), shape (..., D, D)."""
        return self.with_slopes(z, p)[1][..., : self.size]

    def slope(self, z: Array, p: object = 0.0) -> Array:
        """The derivative dF/dp with respect to the parameter at z (..., D), shape (..., D)."""
        return self.with_slopes(z, p)[1][..., -1]

    def with_slopes(self, z: Array, p: object = 0.0) -> tuple[Array, Array]:
        """F(z; p) and its derivatives in (z, p), shapes (..., D) and (..., D, D + 1), in one evaluation."""
        shape, d = np.shape(z)[:-1], self.size
        rows = _stack(self._slopes(*self._columns(z, p)), shape)
        return rows[..., :d], rows[..., d:].reshape(*shape, d, d + 1)

    def start(self, w: Array, p: float | None = None) -> Array:
        """z = (w, the state in which the rule starts at w), shape (..., D)."""
        w = np.asarray(w, dtype=float)
        if self.rule is None or self.size == self.game.dim:
            return w
        rule = self.rule if self.parameter is None or p is None else with_value(self.rule, self.parameter, p)
        leaves = [np.asarray(leaf, dtype=float) for _, leaf in rule.init(self.game, w).leaves()]
        return np.concatenate([w, *(np.broadcast_to(a, (*w.shape[:-1], a.shape[-1])) for a in leaves)], axis=-1)

    def _columns(self, z: Array, p: Array) -> list[Array]:
        z = np.asarray(z, dtype=float)
        return [*(z[..., k] for k in range(self.size)), np.asarray(p, dtype=float)]

    @functools.cached_property
    def _inputs(self) -> tuple[sympy.Expr, ...]:
        return (*self.symbols, sympy.Dummy("p") if self.parameter is None else self.parameter)

    @functools.cached_property
    def _value(self) -> Callable[..., Sequence[Array]]:
        return _quiet(self._inputs, self.outputs, self.bindings)

    @functools.cached_property
    def _slopes(self) -> Callable[..., Sequence[Array]]:
        """F, then rows (dF_i/dz, dF_i/dp), by the chain rule along the program, every partial derivative named."""
        inputs = self._inputs
        rows, program = with_slopes(inputs, self.outputs, self.bindings)
        return _quiet(inputs, [*self.outputs, *rows], program)


@dataclasses.dataclass(frozen=True, eq=False)
class Rescaled(System):
    """The update map in u = (z - origin) / units, where small steps and gaps do not depend on units and place."""

    # origin, units: of the augmented state, shape (D,)
    origin: Array
    units: Array

    @classmethod
    def to(cls, made: System, bounds: Array) -> Rescaled:
        """A map in units of a box, shape (d, 2), and of what its memory holds after a step from points in the box."""
        w = np.random.default_rng(0).uniform(bounds[:, 0], bounds[:, 1], (64, len(bounds)))
        z = made.start(w)
        made = about(made, [*bounds.mean(-1), *[0.0] * (made.size - len(bounds) + 1)])
        with np.errstate(all="ignore"):
            reached = np.concatenate([z, made(z)])
        reached = reached[np.isfinite(reached).all(-1)]
        ends = np.concatenate([bounds, np.stack([reached.min(0), reached.max(0)], -1)[len(bounds) :]])
        half = np.diff(ends)[:, 0] / 2
        units = np.where(half > 0, half, half[: len(bounds)].max())
        program = made.symbols, made.parameter, made.bindings, made.outputs
        return cls(made.game, made.rule, *program, ends.mean(-1), units)

    def __call__(self, z: Array, p: object = 0.0) -> Array:
        """The map on u, shape (..., D)."""
        return np.asarray((super().__call__(self.world(z), p) - self.origin) / self.units)

    def with_slopes(self, z: Array, p: object = 0.0) -> tuple[Array, Array]:
        """The map on u and its derivatives in (u, p)."""
        value, slopes = super().with_slopes(self.world(z), p)
        return (value - self.origin) / self.units, slopes * np.append(self.units, 1.0) / self.units[:, None]

    def start(self, w: Array, p: float | None = None) -> Array:
        """Where the map starts at w, in u."""
        return np.asarray((super().start(w, p) - self.origin) / self.units)

    def world(self, u: Array) -> Array:
        """z at u, or its first coordinates at the first coordinates of u."""
        k = np.shape(u)[-1]
        return np.asarray(self.origin[:k] + self.units[:k] * u)


def compiled(
    inputs: Sequence[sympy.Expr], outputs: Sequence[sympy.Expr], bindings: Sequence[tuple[sympy.Expr, ...]] = ()
) -> Callable[..., Sequence[Array]]:
    """Expressions compiled to one function of NumPy columns; it warns where numbers overflow.

    Intermediate results, pairs (name, expression), come in the order of evaluation.
    """
    from ...symbolic.backends import NUMPY, numpy_namespace
    from ...symbolic.function import compile_python
    from ...symbolic.lowering import lower

    run: Callable[..., Sequence[Array]] = compile_python(lower(inputs, outputs, bindings), NUMPY, numpy_namespace())
    return run


def _quiet(
    inputs: Sequence[sympy.Expr], outputs: Sequence[sympy.Expr], bindings: Sequence[tuple[sympy.Expr, ...]]
) -> Callable[..., Sequence[Array]]:
    """The function without warnings: an overflow is data, as every caller asks whether results are finite."""
    run = compiled(inputs, outputs, bindings)

    def quiet(*columns: object) -> Sequence[Array]:
        with np.errstate(all="ignore"):
            return run(*columns)

    return quiet


def _stack(values: Sequence[Array], shape: tuple[int, ...]) -> Array:
    result = np.empty((*shape, len(values)))
    for k, value in enumerate(values):
        result[..., k] = value
    return result


def system(
    game: Game,
    rule: Rule | None = None,
    parameter: object = None,
    field: Field | None = None,
    others: Sequence[sympy.Symbol] = (),
) -> System:
    """The map of a rule on a game, or the gradient flow (rule=None), with at most one parameter free.

    `parameter` names a field of the rule or a free symbol of the game. For a flow, `field` may be another right-hand
    side dw/dt that runs on symbols. `others` are symbols that may stay without a value, for a caller that makes
    coordinates of them. Raises DomainError for games without symbols; ParameterError for an unknown parameter, or one
    left without a value.
    """
    symbol = None
    if parameter is not None:
        rule, symbol = freed(game, rule, str(parameter), real=True)
    if rule is not None:
        traced = update_map(game, rule)
        settle = traced._at_infinity if traced.counters else lambda e: e
        bindings = tuple((name, settle(e)) for name, e in traced.bindings)
        made = System(game, rule, traced.symbols, symbol, bindings, tuple(map(settle, traced.outputs)))
    else:
        symbols = game.symbols
        if not symbols or (SYMBOLS not in game.worlds and field is None) or not game.deterministic:
            raise DomainError(
                f"the flow of {game.name}", "a deterministic game given by symbols", "gd.games.from_sympy"
            )
        if field is None:
            outputs = tuple(-e for e in game.field_exprs)
        else:
            point = object_vector(symbols)
            outputs = tuple(sympy.sympify(e, strict=True) for e in field(point))
        made = System(game, None, symbols, symbol, (), outputs)
    known = {*made._inputs, *others, *(name for name, _ in made.bindings)}
    used = set().union(*(e.free_symbols for _, e in made.bindings), *(e.free_symbols for e in made.outputs))
    if used - known:
        names = ", ".join(sorted(map(str, used - known)))
        raise ParameterError(f"{game.name} while {names} has no value", "a number for every other parameter", "set it")
    return made


def refuse_moving_limit(made: System) -> None:
    """Refuse the limit of a map that changes with the step count if it has the eigenvalue 1 everywhere.

    Averages, anchors and step sizes that decay keep points where they are in the limit: all are its fixed points, and
    none need be an equilibrium. Raises DomainError.
    """
    if made.rule is None or not update_map(made.game, made.rule).counters:
        return
    z = np.random.default_rng(0).uniform(0.5, 1.5, (4, made.size + 1))
    slopes = made.jacobian(z[:, :-1], z[:, -1])
    slopes = slopes[np.isfinite(slopes).all((-1, -2))]
    if len(slopes) and (np.abs(np.linalg.eigvals(slopes) - 1).min(-1) < 1e-9).all():
        refuse_marginal_limit(made.game, made.rule, slopes[0])


def about(made: System, centre: Sequence[float]) -> System:
    """The given system with its rational polynomials written, exactly, in powers of z - centre.

    Far from the origin an expanded polynomial loses its digits to cancellation; written so it does not. Intermediate
    results are written about their own values at the centre.

    `centre`: of z and the parameter, shape (D + 1,).
    """
    if not any(centre):
        return made
    places = dict(zip(made._inputs, map(_rational, centre), strict=True))
    bindings = []
    for name, e in made.bindings:
        places[name] = _rational(_value_at(e, places))
        bindings.append((name, _written_about(e, places)))
    outputs = tuple(_written_about(e, places) for e in made.outputs)
    return dataclasses.replace(made, bindings=tuple(bindings), outputs=outputs)


def _rational(x: float) -> sympy.Expr:
    return sympy.Rational(float(x))


def _value_at(e: sympy.Expr, places: dict[sympy.Expr, sympy.Expr]) -> float:
    """A value in floats; 0 where there is none."""
    value = complex(sympy.N(e.xreplace(places)))
    return value.real if np.isfinite(value) else 0.0


def _written_about(e: sympy.Expr, places: dict[sympy.Expr, sympy.Expr]) -> sympy.Expr:
    symbols = sorted(e.free_symbols, key=str)
    if not symbols or not e.is_polynomial(*symbols) or sympy.total_degree(e, *symbols) < 2:
        return e
    polynomial = sympy.Poly(e, *symbols)
    if not (polynomial.domain.is_QQ or polynomial.domain.is_ZZ):
        return e
    centre = [places[s] for s in symbols]
    away = [s - c for s, c in zip(symbols, centre, strict=True)]
    rational = polynomial.set_domain("QQ")
    shifted = rational.shift(centre[0]) if len(centre) == 1 else rational.shift_list(centre)
    return sympy.Add(
        *(c * sympy.Mul(*(a**k for a, k in zip(away, powers, strict=True))) for powers, c in shifted.terms())
    )
