"""Ball arithmetic: expressions and their derivatives on intervals that provably hold every value (Arb, python-flint).

Numbers keep their exact meaning: 1/10 and sqrt(2) enter as balls around them, never as rounded floats.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Sequence
from fractions import Fraction
from types import ModuleType
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import sympy

from ..errors import DomainError, MissingDependencyError
from ..types import Array
from . import backends
from .expectation import Expectation
from .function import compile_python
from .lowering import UNARY, lower

if TYPE_CHECKING:
    import flint

Ball: TypeAlias = "flint.arb"
KINKS = (
    *(sympy.Abs, sympy.sign, sympy.Max, sympy.Min, sympy.Piecewise),
    *(sympy.Heaviside, sympy.DiracDelta, sympy.core.relational.Relational),
)
MONOTONE = ("exp", "log", "sqrt", "tanh", "sinh", "atan", "erf", "sigmoid", "softplus")

BALLS = backends.Backend(
    "balls",
    {op: backends.INFIX[op] for op in ("add", "sub", "div", "neg")}
    | {"mul": "multiply({}, {})", "pow": "power({}, {})"}
    | {name: f"{name}({{}})" for name in (*MONOTONE, "sin", "cos", "tan", "cosh")},
    number=lambda value: f"ball({value!r})",
)


def require_flint(what: str) -> ModuleType:
    """The module `flint`, which `what` needs. Raises MissingDependencyError where python-flint is not installed."""
    try:
        return importlib.import_module("flint")
    except ImportError as error:
        raise MissingDependencyError(
            f"{what} without python-flint", "python-flint", 'pip install "gandyn[proof]"'
        ) from error


@functools.cache
def namespace() -> dict[str, Callable[..., Ball]]:
    """The functions that generated ball code calls, by name. Raises MissingDependencyError without python-flint.

    An increasing function is evaluated at both ends of a ball, which gives its exact range on wide balls too.
    """
    arb = require_flint("ball arithmetic").arb

    def increasing(function: Callable[[Ball], Ball]) -> Callable[[Ball], Ball]:
        def apply(x: Ball) -> Ball:
            return function(x) if x.is_exact() else function(x.lower()).union(function(x.upper()))

        return apply

    def method(name: str) -> Callable[[Ball], Ball]:
        return lambda x: getattr(x, name)()

    def multiply(x: Ball, y: Ball) -> Ball:
        if x is not y or x.is_exact():
            return x * y
        low, high = x.abs_lower(), x.abs_upper()
        return (low * low).union(high * high)

    result = {name: method(name) for name in ("sin", "cos", "tan", "cosh")}
    result |= {name: increasing(method(name)) for name in MONOTONE[:7]}
    result["sigmoid"] = increasing(lambda x: 1 / (1 + (-x).exp()))
    result["softplus"] = increasing(lambda x: x.exp().log1p())
    return result | {"ball": arb, "multiply": multiply, "power": lambda x, y: x**y}


def hull(low: float | Fraction | sympy.Expr, high: float | Fraction | sympy.Expr) -> Ball:
    """A ball that encloses the interval [low, high]; ends are floats, fractions or SymPy rationals."""
    return _point(low).union(_point(high))


def _point(value: float | Fraction | sympy.Expr) -> Ball:
    flint = require_flint("ball arithmetic")
    if isinstance(value, (float, np.floating)):
        return flint.arb(float(value))
    fraction = Fraction(int(value.p), int(value.q)) if isinstance(value, sympy.Rational) else Fraction(value)
    return flint.arb(flint.fmpq(fraction.numerator, fraction.denominator))


def ball_of(number: sympy.Expr) -> Ball:
    """A ball around a real SymPy number. Raises DomainError for functions that have no enclosure here."""
    flint, names = require_flint("ball arithmetic"), namespace()
    if number.is_Rational:
        return _point(number)
    if number.is_Float:
        return _point(_value_of(number))
    if number is sympy.pi:
        return flint.arb.pi()
    if number is sympy.E:
        return flint.arb.const_e()
    if number.is_Add or number.is_Mul:
        parts = [ball_of(e) for e in number.args]
        return functools.reduce(lambda x, y: x + y if number.is_Add else x * y, parts)
    if number.is_Pow:
        base, power = number.args
        if power == sympy.Rational(1, 2):
            return names["sqrt"](ball_of(base))
        return ball_of(base) ** (int(power) if power.is_Integer else ball_of(power))
    if number.func in UNARY and UNARY[number.func] in names:
        return names[UNARY[number.func]](ball_of(number.args[0]))
    raise DomainError(f"no enclosure of {number}", "numbers made of elementary functions", "write it with these")


def _value_of(number: sympy.Expr) -> Fraction:
    """The binary fraction that a SymPy Float is."""
    sign, mantissa, exponent, _ = number._mpf_
    return Fraction(-int(mantissa) if sign else int(mantissa)) * Fraction(2) ** int(exponent)


class BallFunction:
    """A vector function of coordinates and parameters, given by a program, with its Jacobian in the coordinates.

    It evaluates on balls, where the result holds every value over the arguments, and on floats. The Jacobian follows
    the program by the chain rule, so it stays short where one expression for it would not.

    Args:
        coordinates, parameters: SymPy symbols.
        outputs: expressions in them and in the names of `bindings`, (name, expression) pairs in order.
        what: named by errors.

    Raises:
        DomainError: for kinks, expectations without a closed form, and functions without an enclosure.
    """

    def __init__(
        self,
        coordinates: Sequence[sympy.Symbol],
        parameters: Sequence[sympy.Symbol],
        outputs: Sequence[sympy.Expr],
        bindings: Sequence[tuple[sympy.Symbol, sympy.Expr]] = (),
        what: str = "the function",
    ) -> None:
        self.coordinates, self.parameters = tuple(coordinates), tuple(parameters)
        self._numbers: dict[sympy.Expr, Ball] = {}
        for e in [*(e for _, e in bindings), *outputs]:
            _refuse(sympy.sympify(e, strict=True), what)
        bindings = [(name, self._without_numbers(sympy.sympify(e, strict=True))) for name, e in bindings]
        self.outputs = [self._without_numbers(sympy.sympify(e, strict=True)) for e in outputs]
        self._bindings = bindings
        sources = {s: k for k, s in enumerate([*self.coordinates, *(name for name, _ in bindings)])}
        partials: list[sympy.Expr] = []
        self._terms: list[list[tuple[int, int]]] = []
        for e in [*(e for _, e in bindings), *self.outputs]:
            used = sorted(e.free_symbols & sources.keys(), key=lambda s: sources[s])
            self._terms.append([(sources[s], len(partials) + k) for k, s in enumerate(used)])
            partials += [self._without_numbers(sympy.diff(e, s)) for s in used]
        for e in partials:
            _refuse(e, what)
        self._inputs = (*self.coordinates, *self.parameters, *self._numbers.values())
        self._code = lower(self._inputs, [*self.outputs, *partials], bindings)
        unknown = {line.op for line in self._code.instructions} - BALLS.operations.keys()
        if unknown:
            raise DomainError(
                f"{what} uses {', '.join(sorted(unknown))}, which has no enclosure",
                "smooth functions",
                "write it without them",
            )

    def _without_numbers(self, e: sympy.Expr) -> sympy.Expr:
        """The expression with every number that a float would round replaced by a symbol."""
        if not e.free_symbols:
            if e.is_Rational and Fraction(float(e)) == Fraction(int(e.p), int(e.q)):
                return e
            if e not in self._numbers:
                self._numbers[e] = sympy.Dummy(f"c{len(self._numbers)}", real=True, positive=e.is_positive or None)
            return self._numbers[e]
        if not e.args:
            return e
        return e.func(*map(self._without_numbers, e.args))

    @functools.cached_property
    def _on_balls(self) -> tuple[Callable[..., Sequence[Ball]], list[Ball]]:
        return compile_python(self._code, BALLS, dict(namespace())), [ball_of(n) for n in self._numbers]

    @functools.cached_property
    def _on_floats(self) -> tuple[Callable[..., list[Array]], Callable[..., list[Array]], list[float]]:
        values = lower(self._inputs, self.outputs, self._bindings)
        short, full = (
            compile_python(code, backends.NUMPY, backends.numpy_namespace()) for code in (values, self._code)
        )
        return short, full, [float(n.evalf(20)) for n in self._numbers]

    def enclose(self, z: Array, p: Sequence[Ball]) -> tuple[Array, Array]:
        """(values, Jacobian) on balls, object arrays of shapes (m,) and (m, n)."""
        run, numbers = self._on_balls
        values = run(*z, *p, *numbers)
        zero = namespace()["ball"](0)
        return np.array(values[: len(self.outputs)], dtype=object), self._chain(values, zero)

    def values(self, z: Array, p: Sequence[float]) -> Array:
        """Values on floats, z of shape (..., n); shape (..., m)."""
        run, _, numbers = self._on_floats
        with np.errstate(all="ignore"):
            columns = run(*np.moveaxis(np.asarray(z, dtype=float), -1, 0), *p, *numbers)
        return np.stack([np.broadcast_to(c, np.shape(z)[:-1]) for c in columns], axis=-1).astype(float)

    def jacobian(self, z: object, p: Sequence[float]) -> Array:
        """Jacobians on floats, z of shape (..., n); shape (..., m, n)."""
        _, run, numbers = self._on_floats
        z = np.asarray(z, dtype=float)
        with np.errstate(all="ignore"):
            values = run(*np.moveaxis(z, -1, 0), *p, *numbers)
            dense = self._chain(values, 0.0)
        filled = [np.broadcast_to(entry, z.shape[:-1]) for entry in dense.ravel()]
        return np.stack(filled, axis=-1).reshape(*z.shape[:-1], *dense.shape).astype(float)

    def _chain(self, values: Sequence[object], zero: object) -> Array:
        """The Jacobian from the partial derivatives of every line of the program."""
        n, first = len(self.coordinates), len(self.outputs)
        rows: list[list[sympy.Expr]] = []
        for terms in self._terms:
            row: list[sympy.Expr] = [None] * n
            for source, k in terms:
                slope = values[first + k]
                if source < n:
                    row[source] = slope if row[source] is None else row[source] + slope
                    continue
                for j, entry in enumerate(rows[source - n]):
                    if entry is not None:
                        row[j] = slope * entry if row[j] is None else row[j] + slope * entry
            rows.append(row)
        dense = [[zero if entry is None else entry for entry in row] for row in rows[len(rows) - first :]]
        table = np.empty((first, n), dtype=object)
        for i, row in enumerate(dense):
            for j, entry in enumerate(row):
                table[i, j] = entry
        return table


def _refuse(e: sympy.Expr, what: str) -> None:
    kinks = e.atoms(*KINKS)
    if kinks:
        raise DomainError(
            f"{what} has a kink: {min(kinks, key=sympy.default_sort_key)}",
            "a map that is smooth everywhere",
            "use gd.basins, which follows the map itself",
        )
    if e.has(Expectation):
        raise DomainError(
            f"{what} holds an expectation without a closed form", "expressions that can be enclosed", "noise=0"
        )
