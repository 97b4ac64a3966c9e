"""Interval arithmetic on whole arrays of boxes at once: every value over a box lies in what comes out, rounded too.

Arithmetic is rounded outward by one unit in the last place, elementary functions by four. `balls` proves more about one
box at a time, and needs python-flint; this needs NumPy alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np
import sympy

from ..errors import DomainError
from ..types import Array
from .expectation import Expectation
from .lowering import Operand, StraightLine, lower

Interval = tuple[Array, Array]
LIBRARY = 4  # units in the last place that elementary functions may be wrong by
COMPOSED = 16  # the same for functions made of two or three of them
FAR = 1e6  # beyond it the argument of a sine has lost too many digits to locate its period


class IntervalFunction:
    """Expressions as functions of boxes.

    Numbers keep their exact meaning: 1/10 and sqrt(2) enter as intervals around them, never as rounded floats.
    Expectations without a closed form are enclosed as the quadrature that evaluates them.

    Args:
        inputs: SymPy symbols, in the order of the boxes' coordinates.
        outputs: expressions in them.
        where_defined: enclose only values that exist: log and roots over the part of their argument where they are
            real, quotients where the divisor is not 0. Otherwise, the range over a box that holds places where an
            output does not exist has at most one bound.

    Raises:
        DomainError: for a function of which no interval form is known.

    Example:
        >>> x = sympy.Symbol("x", real=True)
        >>> low, high = IntervalFunction([x], [x**2 - x / 10])(np.array([[-1.0]]), np.array([[2.0]]))
        >>> low.round(12).tolist(), high.round(12).tolist()
        ([[-0.2]], [[4.1]])
    """

    def __init__(
        self, inputs: Sequence[sympy.Expr], outputs: Sequence[sympy.Expr], where_defined: bool = False
    ) -> None:
        self.operations: dict[str, Callable[..., Interval]] = OPERATIONS | (WHERE_DEFINED if where_defined else {})
        numbers: dict[sympy.Expr, Interval] = {}
        expressions = [_with_names(_with_sums(sympy.sympify(e, strict=True)), numbers) for e in outputs]
        self.code: StraightLine = lower([*inputs, *numbers.values()], expressions)
        self.numbers = [enclosed(n) for n in numbers]
        unknown = sorted({line.op for line in self.code.instructions} - OPERATIONS.keys())
        if unknown:
            raise DomainError(
                f"{', '.join(unknown)} on intervals", "functions whose range is known", "rewrite the expression"
            )

    def __call__(self, low: Array, high: Array) -> Interval:
        """Boxes with corners (N, inputs) to ranges with ends (N, outputs)."""
        return self._run(low, high, self.operations)[:2]

    def survey(self, low: Array, high: Array) -> tuple[Array, Array, Array, Array]:
        """Ranges where the outputs exist, whether they are continuous on a box, and whether they exist nowhere in it.

        A box on which the argument of a sign changes sign, or on which a condition is neither true nor false
        throughout, may hold a jump. |x|, max and min are continuous. A logarithm or root of negative numbers has no
        value.
        """
        return self._run(low, high, OPERATIONS | WHERE_DEFINED)

    def _run(
        self, low: Array, high: Array, operations: dict[str, Callable[..., Interval]]
    ) -> tuple[Array, Array, Array, Array]:
        ends = [(low[:, k], high[:, k]) for k in range(low.shape[1])] + self.numbers
        values: dict[str, Interval] = dict(zip(self.code.inputs, ends, strict=True))
        continuous, nowhere = np.ones(len(low), dtype=bool), np.zeros(len(low), dtype=bool)
        branches = any(line.op == "where" for line in self.code.instructions)  # a value not needed may be missing

        def get(operand: Operand) -> Interval:
            return values[operand] if isinstance(operand, str) else (np.float64(operand), np.float64(operand))

        with np.errstate(all="ignore"):
            for line in self.code.instructions:
                args = [get(arg) for arg in line.args]
                if line.op == "mul" and line.args[0] == line.args[1]:
                    values[line.name] = square(args[0])
                else:
                    values[line.name] = operations[line.op](*args)
                if line.op in {"sign", "where"}:
                    a, b = args[0]
                    continuous &= (a == b) if line.op == "where" else (a > 0) | (b < 0)
                elif line.op in {"log", "sqrt", "pow"} and not branches:
                    nowhere |= (args[0][1] < 0) & (True if line.op != "pow" else _broken(args[1]))
        result = np.empty((2, len(low), len(self.code.outputs)))
        for k, output in enumerate(self.code.outputs):
            result[0, :, k], result[1, :, k] = get(output)
        return result[0], result[1], continuous, nowhere


def _with_sums(e: sympy.Expr) -> sympy.Expr:
    """Expectations as the sums that evaluate them."""
    while e.has(Expectation):
        e = e.xreplace({part: part.quadrature() for part in e.atoms(Expectation)})
    return e


def _with_names(e: sympy.Expr, numbers: dict[sympy.Expr, sympy.Symbol]) -> sympy.Expr:
    """Every number that a float would round replaced by a symbol, kept in `numbers`."""
    if e.is_number and not e.has(sympy.oo, -sympy.oo, sympy.zoo, sympy.nan):
        low, high = enclosed(e)
        if low == high:
            return e
        if e not in numbers:
            numbers[e] = sympy.Dummy(f"c{len(numbers)}", real=True, positive=e.is_positive or None)
        return numbers[e]
    return e.func(*(_with_names(part, numbers) for part in e.args)) if e.args else e


def enclosed(number: sympy.Expr) -> tuple[float, float]:
    """Two floats that a real number lies between: equal where it is a float itself."""
    if number.is_Rational:
        value, certain = Fraction(int(number.p), int(number.q)), True
    else:
        digits = number if number.is_Float else number.evalf(40)
        sign, mantissa, exponent, _ = digits._mpf_
        value = Fraction(-int(mantissa) if sign else int(mantissa)) * Fraction(2) ** int(exponent)
        certain = bool(number.is_Float)
    nearest = float(value)
    if certain and Fraction(nearest) == value:
        return nearest, nearest
    return float(np.nextafter(nearest, -np.inf)), float(np.nextafter(nearest, np.inf))


def outward(low: Array, high: Array, units: int = 1) -> Interval:
    """Rounded outward by units in the last place; where nothing is known, everything."""
    for _ in range(units):
        low, high = np.nextafter(low, -np.inf), np.nextafter(high, np.inf)
    unknown = np.isnan(low) | np.isnan(high)
    if not unknown.any():
        return low, high
    return np.where(unknown, -np.inf, low), np.where(unknown, np.inf, high)


def _add(x: Interval, y: Interval) -> Interval:
    return outward(x[0] + y[0], x[1] + y[1])


def _subtract(x: Interval, y: Interval) -> Interval:
    return outward(x[0] - y[1], x[1] - y[0])


def multiply(x: Interval, y: Interval) -> Interval:
    """The range of a product of independent factors; 0 times an unbounded interval is 0, as its limit may be."""
    a, b, c, d = (p * q for p in x for q in y)
    low, high = np.minimum(np.minimum(a, b), np.minimum(c, d)), np.maximum(np.maximum(a, b), np.maximum(c, d))
    if np.isnan(low).any():  # 0 times infinity
        a, b, c, d = (np.where((p == 0) | (q == 0), 0.0, p * q) for p in x for q in y)
        low, high = np.minimum(np.minimum(a, b), np.minimum(c, d)), np.maximum(np.maximum(a, b), np.maximum(c, d))
    return outward(low, high)


def square(x: Interval) -> Interval:
    """The range of x^2: never below 0."""
    a, b = x[0] ** 2, x[1] ** 2
    low, high = outward(np.where((x[0] <= 0) & (x[1] >= 0), 0.0, np.minimum(a, b)), np.maximum(a, b))
    return np.maximum(low, 0.0), high


def _divide(x: Interval, y: Interval) -> Interval:
    over = (y[0] <= 0) & (y[1] >= 0)
    low, high = multiply(x, outward(1 / np.where(over, 1.0, y[1]), 1 / np.where(over, 1.0, y[0])))
    return np.where(over, -np.inf, low), np.where(over, np.inf, high)


def _power(x: Interval, y: Interval) -> Interval:
    """x^y = exp(y log x) for positive x; everything else is unknown."""
    positive = x[0] > 0
    base = np.where(positive, x[0], 1.0), np.where(positive, x[1], 1.0)
    low, high = OPERATIONS["exp"](multiply(y, OPERATIONS["log"](base)))
    return np.where(positive, np.maximum(low, 0.0), -np.inf), np.where(positive, high, np.inf)


def _broken(y: Interval) -> Array:
    """Whether an exponent is one number that is no integer: powers of negative numbers are not real then."""
    return (y[0] == y[1]) & (y[0] != np.round(y[0]))


def _increasing(
    function: Callable[[Array], Array], least: float = -np.inf, most: float = np.inf, units: int = LIBRARY
) -> Callable[[Interval], Interval]:
    def apply(x: Interval) -> Interval:
        low, high = outward(function(x[0]), function(x[1]), units)
        return np.maximum(low, least), np.minimum(high, most)

    return apply


def _absolute(x: Interval) -> Interval:
    return np.maximum(np.maximum(x[0], -x[1]), 0.0), np.maximum(-x[0], x[1])


def _cosh(x: Interval) -> Interval:
    a = _absolute(x)
    low, high = outward(np.cosh(a[0]), np.cosh(a[1]), LIBRARY)
    return np.maximum(low, 1.0), high


def _cos(x: Interval) -> Interval:
    """The ends' values, and +-1 where the interval holds a multiple of pi, with a margin for the rounding of pi."""
    a, b = np.cos(x[0]), np.cos(x[1])
    low, high = outward(np.minimum(a, b), np.maximum(a, b), LIBRARY)
    top, bottom = _holds_multiple(x, 0.0), _holds_multiple(x, np.pi)
    far = ~((np.abs(x[0]) < FAR) & (np.abs(x[1]) < FAR))
    return np.where(bottom | far, -1.0, np.maximum(low, -1.0)), np.where(top | far, 1.0, np.minimum(high, 1.0))


def _holds_multiple(x: Interval, offset: float, period: float = 2 * np.pi) -> Array:
    """Whether the interval holds offset + an integer times the period, or comes close to it."""
    return np.floor((x[1] - offset) / period + 1e-9) >= np.ceil((x[0] - offset) / period - 1e-9)


def _sin(x: Interval) -> Interval:
    return _cos(outward(x[0] - np.pi / 2, x[1] - np.pi / 2, 2))


def _tan(x: Interval) -> Interval:
    unknown = _holds_multiple(x, np.pi / 2, np.pi) | ~((np.abs(x[0]) < FAR) & (np.abs(x[1]) < FAR))
    low, high = outward(np.tan(x[0]), np.tan(x[1]), LIBRARY)
    return np.where(unknown, -np.inf, low), np.where(unknown, np.inf, high)


def _sigmoid(z: Array) -> Array:
    """1 / (1 + e^-z), below 0 as e^z / (1 + e^z), which keeps its digits."""
    e = np.exp(-np.abs(z))
    return np.where(z < 0, e, 1.0) / (1.0 + e)


def _softplus(z: Array) -> Array:
    return np.maximum(z, 0.0) + np.log1p(np.exp(-np.abs(z)))


def _erf(x: Interval) -> Interval:
    from scipy.special import erf

    return _increasing(erf, -1.0, 1.0)(x)


def _sign(x: Interval) -> Interval:
    return np.sign(x[0]), np.sign(x[1])


def _less(x: Interval, y: Interval) -> Interval:
    """x < y as (certainly, possibly)."""
    return x[1] < y[0], x[0] < y[1]


def _at_most(x: Interval, y: Interval) -> Interval:
    return x[1] <= y[0], x[0] <= y[1]


def _equal(x: Interval, y: Interval) -> Interval:
    return (x[0] == x[1]) & (y[0] == y[1]) & (x[0] == y[0]), (x[0] <= y[1]) & (y[0] <= x[1])


def _where(condition: Interval, x: Interval, y: Interval) -> Interval:
    """x where the condition is certain, y where it is impossible, and both elsewhere."""
    certain, possible = condition
    low = np.where(certain, x[0], np.where(possible, np.minimum(x[0], y[0]), y[0]))
    return low, np.where(certain, x[1], np.where(possible, np.maximum(x[1], y[1]), y[1]))


OPERATIONS: dict[str, Callable[..., Interval]] = {
    "add": _add, "sub": _subtract, "mul": multiply, "div": _divide, "pow": _power, "abs": _absolute,
    "neg": lambda x: (-x[1], -x[0]),
    "max": lambda x, y: (np.maximum(x[0], y[0]), np.maximum(x[1], y[1])),
    "min": lambda x, y: (np.minimum(x[0], y[0]), np.minimum(x[1], y[1])),
    "sqrt": _increasing(lambda z: np.sqrt(np.maximum(z, 0.0)), 0.0), "exp": _increasing(np.exp, 0.0),
    "log": _increasing(np.log), "tanh": _increasing(np.tanh, -1.0, 1.0), "sinh": _increasing(np.sinh),
    "atan": _increasing(np.arctan), "erf": _erf, "cosh": _cosh, "sin": _sin, "cos": _cos, "tan": _tan,
    "softplus": _increasing(_softplus, 0.0, units=COMPOSED), "sigmoid": _increasing(_sigmoid, 0.0, 1.0, COMPOSED),
    "sign": _sign, "where": _where,
    "lt": _less, "le": _at_most, "gt": lambda x, y: _less(y, x), "ge": lambda x, y: _at_most(y, x),
    "eq": _equal, "ne": lambda x, y: tuple(~part for part in _equal(x, y)[::-1]),
}  # fmt: skip


def _log_where_positive(x: Interval) -> Interval:
    return OPERATIONS["log"]((np.maximum(x[0], 0.0), np.maximum(x[1], 0.0)))


def _divide_where_nonzero(x: Interval, y: Interval) -> Interval:
    """A divisor that only touches 0 keeps its sign: 1 / [0, b] = [1 / b, inf]."""
    low, high = _divide(x, y)
    above, below = (y[0] == 0) & (y[1] > 0), (y[1] == 0) & (y[0] < 0)
    near = outward(1 / np.where(above, y[1], 1.0), 1 / np.where(below, y[0], 1.0))
    ends = np.where(above, near[0], -np.inf), np.where(above, np.inf, near[1])
    one_sided = multiply(x, ends)
    return np.where(above | below, one_sided[0], low), np.where(above | below, one_sided[1], high)


def _power_where_real(x: Interval, y: Interval) -> Interval:
    """x^y of x >= 0, unless y may be an integer, where a negative x has a power too."""
    whole = np.floor(y[1]) >= np.ceil(y[0])
    low, high = OPERATIONS["exp"](multiply(y, _log_where_positive(x)))
    known = ~whole | (x[0] >= 0)
    return np.where(known, np.maximum(low, 0.0), -np.inf), np.where(known, high, np.inf)


WHERE_DEFINED: dict[str, Callable[..., Interval]] = {
    "log": _log_where_positive,
    "div": _divide_where_nonzero,
    "pow": _power_where_real,
}
