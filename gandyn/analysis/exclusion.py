"""All zeros of a field in a box, or a proof that none was missed: boxes are excluded, proven to hold one, or cut.

Arithmetic is on whole arrays of intervals, rounded outward; the inclusion test is Krawczyk's (1969).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from ..symbolic.lowering import StraightLine
from ..types import Array

Interval = tuple[Array, Array]
MOST_BOXES, ROUNDS, NARROWEST = 20000, 80, 1e-7
CUT = 0.4873  # not the middle: zeros like to lie there, and on a cut no sub-box can hold them inside
LIBRARY = 4  # units in the last place that elementary functions may be wrong by
RADII = (0.2, 0.1, 0.03, 0.01, 1e-3, 1e-4, 1e-5, 1e-6)


class Unbounded(Exception):
    """A function of which no interval form is known here."""


@dataclasses.dataclass(frozen=True)
class Search:
    """What became of the box.

    Attributes:
        found: a point near each zero that was proven on the way, known ones possibly among them, shape (n, d).
        proven: how many of the known points are proven to be isolated zeros.
        complete: whether no other zero can exist in the box.
        reason: why, or why not.
    """

    found: Array
    proven: int
    complete: bool
    reason: str


def search(field: StraightLine, jacobian: StraightLine, bounds: Array, known: Array) -> Search:
    """Decide about every part of a box.

    Args:
        field: v, d outputs. jacobian: Dv, d * d outputs, row by row. bounds: shape (d, 2).
        known: zeros found already, shape (n, d).
    """
    d = len(bounds)
    try:
        run = _Krawczyk(_intervals(field), _intervals(jacobian), d)
        proven = [box for box in (run.around(p, bounds[:, 1] - bounds[:, 0]) for p in known) if box is not None]
        count = len(proven)
        found: list[Array] = []
        low, high = bounds[None, :, 0], bounds[None, :, 1]
        small = NARROWEST * (bounds[:, 1] - bounds[:, 0])
        for _ in range(ROUNDS):
            low, high = _outside(low, high, proven)
            if not len(low) or len(low) > MOST_BOXES or (high - low < small).all(-1).any():
                break
            low, high, inside = run(low, high)
            for a, b in zip(low[inside], high[inside], strict=True):
                if not any((q >= a).all() and (q <= b).all() for q in found):
                    found.append((a + b) / 2)
                    proven.append((a, b))
            low, high = _halves(low[~inside], high[~inside])
    except Unbounded as error:
        return Search(np.empty((0, d)), 0, False, f"found by search: no interval form of {error}")
    if len(low):
        place = ", ".join(f"{x:.4g}" for x in (low[0] + high[0]) / 2)
        reason = f"{len(low)} sub-boxes, one at ({place}), are neither excluded nor proven: a degenerate zero, or many"
        return Search(np.array(found).reshape(-1, d), count, False, reason)
    return Search(np.array(found).reshape(-1, d), count, True, "every part of the box is decided")


def _outside(low: Array, high: Array, proven: list[Interval]) -> tuple[Array, Array]:
    """The boxes that do not lie in a box whose only zero is known."""
    for a, b in proven:
        keep = ~((low >= a) & (high <= b)).all(-1)
        low, high = low[keep], high[keep]
    return low, high


def _halves(low: Array, high: Array) -> tuple[Array, Array]:
    """Every box cut across its widest side."""
    if not len(low):
        return low, high
    widest, rows = np.argmax(high - low, axis=-1), np.arange(len(low))
    at = low[rows, widest] + CUT * (high[rows, widest] - low[rows, widest])
    left, right = high.copy(), low.copy()
    left[rows, widest] = right[rows, widest] = at
    return np.concatenate([low, right]), np.concatenate([left, high])


@dataclasses.dataclass(frozen=True)
class _Krawczyk:
    field: Callable[[Array, Array], Interval]
    jacobian: Callable[[Array, Array], Interval]
    d: int

    def __call__(self, low: Array, high: Array) -> tuple[Array, Array, Array]:
        """Boxes that may hold a zero, cut down, and which of them hold exactly one for certain."""
        f_low, f_high = self.field(low, high)
        may = ((f_low <= 0) & (f_high >= 0)).all(-1)
        low, high = low[may], high[may]
        a, b = self.image(low, high)
        inside = ((a > low) & (b < high)).all(-1)
        new_low, new_high = np.maximum(low, a), np.minimum(high, b)
        kept = (new_low <= new_high).all(-1)
        return new_low[kept], new_high[kept], inside[kept]

    def image(self, low: Array, high: Array) -> Interval:
        """K(X) = m - Y v(m) + (I - Y J(X)) (X - m): it holds every zero in X; K inside X proves that there is one."""
        m = low + (high - low) / 2
        reach = np.nextafter(np.maximum(high - m, m - low), np.inf)
        f_low, f_high = self.field(m, m)
        j_low, j_high = (part.reshape(-1, self.d, self.d) for part in self.jacobian(low, high))
        middle, radius = _ball(j_low, j_high)
        usable = np.isfinite(middle).all((-2, -1)) & np.isfinite(radius).all((-2, -1))
        usable &= np.abs(np.linalg.det(np.where(usable[:, None, None], middle, 0.0))) > 1e-200
        eye = np.eye(self.d)
        y = np.linalg.inv(np.where(usable[:, None, None], middle, eye))
        slack = 8 * (self.d + 2) * np.finfo(float).eps
        size = np.abs(y)
        defect = np.abs(eye - y @ middle) + size @ radius + slack * (eye + size @ (np.abs(middle) + radius))
        f_middle, f_radius = _ball(f_low, f_high)
        centre = m - (y @ f_middle[..., None])[..., 0]
        spread = (size @ (f_radius + slack * np.abs(f_middle))[..., None] + defect @ reach[..., None])[..., 0]
        spread = (spread + slack * (np.abs(m) + np.abs(centre))) * (1 + slack)
        spread = np.where(usable[:, None] & np.isfinite(spread) & np.isfinite(centre), spread, np.inf)
        centre = np.where(np.isfinite(centre), centre, m)
        return centre - spread, centre + spread

    def around(self, point: Array, width: Array) -> Interval | None:
        """A box around a zero in which it is proven to be the only one, as wide as the proof allows."""
        for radius in RADII:
            low, high = (point - radius * width)[None], (point + radius * width)[None]
            a, b = self.image(low, high)
            if ((a > low) & (b < high)).all():
                return low[0], high[0]
        return None


def _ball(low: Array, high: Array) -> Interval:
    """(middle, radius), the radius rounded up."""
    with np.errstate(invalid="ignore"):
        middle = low + (high - low) / 2
        return middle, np.nextafter(np.maximum(high - middle, middle - low), np.inf)


# --- intervals -------------------------------------------------------------------------------------------------------


def _intervals(code: StraightLine) -> Callable[[Array, Array], Interval]:
    """The straight-line code on arrays of intervals: (N, inputs) twice to (N, outputs) twice."""
    for line in code.instructions:
        if line.op not in OPERATIONS:
            raise Unbounded(line.op)

    def evaluate(low: Array, high: Array) -> Interval:
        values: dict[Any, Interval] = {name: (low[:, k], high[:, k]) for k, name in enumerate(code.inputs)}

        def get(operand: Any) -> Interval:
            return values[operand] if isinstance(operand, str) else (np.float64(operand), np.float64(operand))

        with np.errstate(all="ignore"):
            for line in code.instructions:
                if line.op == "mul" and line.args[0] == line.args[1]:
                    values[line.name] = _square(get(line.args[0]))
                else:
                    values[line.name] = OPERATIONS[line.op](*map(get, line.args))
        ends = [get(output) for output in code.outputs]
        shape = (len(low), len(ends))
        result = np.empty(shape), np.empty(shape)
        for k, (a, b) in enumerate(ends):
            result[0][:, k], result[1][:, k] = a, b
        return result

    return evaluate


def _out(low: Array, high: Array, ulps: int = 1) -> Interval:
    """Rounded outward; where nothing is known, everything."""
    for _ in range(ulps):
        low, high = np.nextafter(low, -np.inf), np.nextafter(high, np.inf)
    unknown = np.isnan(low) | np.isnan(high)
    return np.where(unknown, -np.inf, low), np.where(unknown, np.inf, high)


def _add(x: Interval, y: Interval) -> Interval:
    return _out(x[0] + y[0], x[1] + y[1])


def _sub(x: Interval, y: Interval) -> Interval:
    return _out(x[0] - y[1], x[1] - y[0])


def _mul(x: Interval, y: Interval) -> Interval:
    ends = [a * b for a in x for b in y]
    low, high = np.minimum.reduce(np.broadcast_arrays(*ends)), np.maximum.reduce(np.broadcast_arrays(*ends))
    return _out(low, high)


def _square(x: Interval) -> Interval:
    a, b = x[0] ** 2, x[1] ** 2
    holds_zero = (x[0] <= 0) & (x[1] >= 0)
    low, high = _out(np.where(holds_zero, 0.0, np.minimum(a, b)), np.maximum(a, b))
    return np.maximum(low, 0.0), high


def _div(x: Interval, y: Interval) -> Interval:
    over = (y[0] <= 0) & (y[1] >= 0)
    safe = np.where(over, 1.0, y[0]), np.where(over, 1.0, y[1])
    low, high = _mul(x, _out(1 / safe[1], 1 / safe[0]))
    return np.where(over, -np.inf, low), np.where(over, np.inf, high)


def _abs(x: Interval) -> Interval:
    low = np.maximum(np.maximum(x[0], -x[1]), 0.0)
    return low, np.maximum(-x[0], x[1])


def _rising(function: Callable[[Array], Array]) -> Callable[[Interval], Interval]:
    return lambda x: _out(function(x[0]), function(x[1]), LIBRARY)


def _cosh(x: Interval) -> Interval:
    a = _abs(x)
    low, high = _out(np.cosh(a[0]), np.cosh(a[1]), LIBRARY)
    return np.maximum(low, 1.0), high


def _cos(x: Interval) -> Interval:
    """cos on an interval: its ends, and +-1 where it holds a multiple of pi (with a margin for the rounding of pi)."""
    a, b = np.cos(x[0]), np.cos(x[1])
    turns = np.floor(x[1] / (2 * np.pi) + 1e-9) - np.ceil(x[0] / (2 * np.pi) - 1e-9)
    halves = np.floor((x[1] - np.pi) / (2 * np.pi) + 1e-9) - np.ceil((x[0] - np.pi) / (2 * np.pi) - 1e-9)
    low, high = _out(np.minimum(a, b), np.maximum(a, b), LIBRARY)
    low, high = np.where(halves >= 0, -1.0, low), np.where(turns >= 0, 1.0, high)
    wide = ~(np.abs(x[0]) < 1e6) | ~(np.abs(x[1]) < 1e6)
    return np.where(wide, -1.0, low), np.where(wide, 1.0, high)


def _sin(x: Interval) -> Interval:
    return _cos(_out(x[0] - np.pi / 2, x[1] - np.pi / 2, 2))


def _sigmoid(x: Array) -> Array:
    return np.asarray(0.5 * (1 + np.tanh(0.5 * x)))


def _sigmoid_interval(x: Interval) -> Interval:
    """Relative accuracy is lost far below 0, so the error is bounded absolutely."""
    slack = 8 * np.finfo(float).eps
    return np.maximum(_sigmoid(x[0]) - slack, 0.0), np.minimum(_sigmoid(x[1]) + slack, 1.0)


def _softplus(x: Array) -> Array:
    return np.asarray(np.maximum(x, 0.0) + np.log1p(np.exp(-np.abs(x))))


OPERATIONS: dict[str, Callable[..., Interval]] = {
    "add": _add, "sub": _sub, "mul": _mul, "div": _div, "abs": _abs,
    "neg": lambda x: (-x[1], -x[0]),
    "max": lambda x, y: (np.maximum(x[0], y[0]), np.maximum(x[1], y[1])),
    "min": lambda x, y: (np.minimum(x[0], y[0]), np.minimum(x[1], y[1])),
    "sqrt": _rising(lambda x: np.sqrt(np.maximum(x, 0.0))), "exp": _rising(np.exp), "tanh": _rising(np.tanh),
    "sinh": _rising(np.sinh), "atan": _rising(np.arctan), "log": _rising(np.log), "cosh": _cosh,
    "sin": _sin, "cos": _cos, "sigmoid": _sigmoid_interval, "softplus": _rising(_softplus),
}  # fmt: skip
