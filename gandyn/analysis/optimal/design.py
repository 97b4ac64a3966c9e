"""The parameters of a rule that are best over a whole class of games."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from fractions import Fraction

import numpy as np
from scipy.optimize import minimize

from ...budget import Budget
from ...classes import Curve, GameClass, Spectrum, StronglyMonotone
from ...doors import door
from ...errors import DomainError, GandynError, ParameterError
from ...games.quadratic import quadratic
from ...lazy import sympy
from ...results import Result
from ...types import Array, Rule
from ..parameters.freed import freed, symbols_of, with_value
from .closed_forms import Known, known
from .companion import HOLOMORPHIC, Companion, companion
from .enclosure import peaks
from .floor import unreachable
from .given import class_of
from .minimax import REACH, Range, samples, search, unit_of, worst
from .parameter_boxes import proven_limit
from .rate import CLOSE, DISTANCE, RADIUS, Rate, rate

FREE = (-2.0, 2.0)  # where a parameter of either sign is looked for, such as momentum
EDGE = 3.0
FAR = 1e9
SEARCHING = 0.6  # share of the time that is left which a search may take: the rest is for proofs
BOXES = 5.0  # seconds for a limit of several parameters
EVALUATIONS = 45  # of the proven rate, for each parameter


@dataclasses.dataclass(frozen=True, repr=False)
class Design(Result):
    """The parameters of a rule with the smallest worst-case factor per step over a class of games.

    Attributes:
        rule: the rule with its free parameters as symbols.
        over: the class of games.
        values: the best values by name; 0 or infinity where the smallest rate is only approached.
        rate: the factor per step with these values, as `gd.rate` measures it, or its infimum.
        kind: "exact": no other values within `bounds` are better by more than 1e-9; "upper": the rate is proven for
            these values, and a search found no better ones; "lower": see `Rate.kind`.
        attained: whether some values attain the rate.
        reason: the argument.
        approach: how the infimum is approached, in words; empty where it is attained.
        worst: the `Rate` of the rule with these values; None where the rate is only approached.
        measure: what the rate measures: see `Rate.measure`.
        limit: for several parameters, a proven lower bound on the rate of all values in their ranges; None without one.
    """

    rule: Rule
    over: GameClass
    values: dict[str, float]
    rate: float
    kind: str
    attained: bool
    reason: str
    approach: str = ""
    worst: Rate | None = None
    measure: str = RADIUS
    limit: float | None = None

    _data = "rule over=_class values rate kind attained reason approach measure limit worst"
    _plot = "design"

    @property
    def _class(self) -> str:
        return repr(self.over)

    @property
    def best(self) -> Rule:
        """The rule with the best values.

        Raises:
            DomainError: where the smallest rate is only approached.
        """
        if not self.attained:
            raise DomainError(f"the best {self.rule!r}, which is only approached", "bounds=", self.approach)
        return _with(self.rule, self.values)

    def summary(self) -> str:
        """Rule, class, values, rate and the argument for it, as text."""
        chosen = ", ".join(f"{name} = {value:.9g}" for name, value in self.values.items())
        verb = "smallest" if self.attained else "infimum of the"
        lines = [f"{self.rule!r} on {self.over}: {chosen}"]
        lines.append(f"{verb} {self.measure} {self.rate:.9g} per step ({self.kind})")
        lines += [f"not attained: {self.approach}"] if not self.attained else []
        return "\n".join([*lines, self.reason])


@door
def design(
    rule: Rule,
    over: object,
    parameters: object = ("lr",),
    bounds: Mapping[str, tuple[float, float]] | None = None,
    budget: float | Budget | None = 60.0,
) -> Design:
    """The values of a rule's free parameters with the smallest worst-case rate over a class of games.

    A closed form is used where one is known; `reason` gives its argument. Otherwise the worst spectral radius is
    minimised by a grid, sequential linear programs and exchange, and the rate of the values found is proven by
    `gd.rate`. For one parameter a proof is also tried that no other value is better: at every value one of a few games
    must be as slow. Where it does not succeed in time, the kind is "upper".

    Args:
        rule: a rule whose free parameters are texts or symbols: `Extragradient("lr")`, `HeavyBall("lr", "momentum")`,
            or one per player as a tuple. All of them are designed.
        over: a class of `gd.classes`.
        parameters: names of parameters to free in a rule that is given with numbers.
        bounds: (low, high) for parameters by name. By default all that the rule accepts: positive step sizes, and -2 to
            2 for parameters that may be negative.
        budget: seconds.

    Returns:
        A `Design`: the best `.values`, their `.rate` and its `.kind`, and the `.best` rule.

    Raises:
        ParameterError: for names that the rule does not have, and bounds that are not pairs low < high.
        DomainError: where `gd.rate` raises it.

    Example:
        >>> import gandyn as gd
        >>> found = gd.design(gd.rules.Extragradient("lr"), gd.classes.Bilinear(0.5, 2))
        >>> round(found.values["lr"], 7), round(found.rate, 7), found.kind
        (0.4850713, 0.9719242, 'exact')
    """
    over, limit = class_of(over), Budget.of(budget)
    rule, ranges = _freed(rule, parameters, bounds)
    fields = _fields(rule)
    form = known(rule, over, frozenset(fields.values())) if not bounds and len(fields) == len(ranges) else None
    if form is not None:
        return _closed(rule, over, form, {field: name for name, field in fields.items()}, limit)
    if isinstance(over, StronglyMonotone):
        return _monotone(rule, over, ranges, limit)
    return _searched(rule, over, ranges, limit)


def _freed(rule: Rule, parameters: object, bounds: object) -> tuple[Rule, list[Range]]:
    """The rule with its free parameters as symbols, and the range of each."""
    given = (parameters,) if isinstance(parameters, (str, sympy.Symbol)) else parameters
    if not (
        isinstance(given, (list, tuple)) and given and all(isinstance(p, (str, sympy.Symbol)) and str(p) for p in given)
    ):
        raise ParameterError(f"parameters={parameters!r}"[:80], "names, at least one", 'parameters=("lr",)')
    given = tuple(map(str, given))
    free = sorted(map(str, symbols_of(rule)))
    names = free if free and given == ("lr",) else list(dict.fromkeys([*given, *free]))
    if not names:
        raise ParameterError(f"parameters={parameters!r}", "names, at least one", 'parameters=("lr",)')
    original = rule
    for name in names:
        rule = freed(quadratic(), rule, name, positive=True)[0] or rule
    if not (bounds is None or isinstance(bounds, Mapping)):
        raise ParameterError(f"bounds={bounds!r}"[:80], "a pair (low, high) for names", 'bounds={"lr": (0.1, 1)}')
    limits = {str(name): pair for name, pair in (bounds or {}).items()}
    unknown = [name for name in limits if name not in names]
    if unknown:
        raise ParameterError(
            f"bounds of {unknown[0]!r}", f"of {', '.join(names)}", f"bounds={{{names[0]!r}: (0.1, 1)}}"
        )
    return rule, [_range(rule, original, name, limits.get(name)) for name in sorted(names)]


def _range(rule: Rule, original: Rule, name: str, given: tuple[float, float] | None) -> Range:
    if given is not None:
        try:
            low, high = (float(x) for x in given)
        except (TypeError, ValueError):
            low, high = 1.0, 0.0
        if not (low < high and math.isfinite(low) and math.isfinite(high)):
            raise ParameterError(f"bounds={{{name!r}: {given!r}}}", "a pair low < high", "bounds={'lr': (0.1, 1)}")
        return Range(name, low, high)
    allowed = [value for value in (-0.5, 0.5, 1.5, 50.0) if _takes(rule, {name: value})]
    high = math.inf if 50.0 in allowed else 1.0
    return Range(name, *FREE) if -0.5 in allowed else Range(name, 0.0, high)


def _fields(rule: Rule) -> dict[str, str]:
    """The fields of the rule that hold nothing but a free symbol, by the symbol's name."""
    held = {f.name: getattr(rule, f.name) for f in dataclasses.fields(rule)}  # type: ignore[arg-type]
    return {str(value): field for field, value in held.items() if getattr(value, "is_Symbol", False)}


def _with(rule: Rule, values: Mapping[str, float]) -> Rule:
    for symbol in symbols_of(rule):
        if str(symbol) in values:
            rule = with_value(rule, symbol, float(values[str(symbol)]))
    return rule


def _takes(rule: Rule, values: Mapping[str, float]) -> bool:
    """Whether the rule accepts these values of its parameters."""
    try:
        _with(rule, values)
    except GandynError:
        return False
    return True


def _closed(rule: Rule, over: GameClass, form: Known, names: dict[str, str], limit: Budget) -> Design:
    values = {names[field]: value for field, value in form.values.items()}
    measure = DISTANCE if isinstance(over, StronglyMonotone) else RADIUS
    kind = "exact" if form.exact else "upper"
    worst = None if form.approach else rate(_with(rule, values), over, budget=limit)
    head = (rule, over, values, form.rate, kind, not form.approach)
    return Design(*head, form.source, form.approach, worst, measure)


def _with_parameters(rule: Rule, ranges: Sequence[Range]) -> tuple[Companion, list[Range]]:
    """The linear part of a rule, and the ranges in its order. Raises DomainError for a range without a part in it."""
    matrix = companion(rule, "design")
    held = list(map(str, matrix.parameters))
    idle = [r.name for r in ranges if r.name not in held]
    if idle:
        given = f"the design of {rule!r} over {idle[0]}, on which its linear part (of late steps) does not depend"
        raise DomainError(given, "a parameter that matters there", "another parameter, or the rule inside")
    return matrix, sorted(ranges, key=lambda r: held.index(r.name))


def _monotone(rule: Rule, over: StronglyMonotone, ranges: Sequence[Range], limit: Budget) -> Design:
    """Minimise the proven rate by Nelder and Mead's simplex, from the values that are best for linear fields."""
    matrix, ranges = _with_parameters(rule, ranges)
    start, _ = search(matrix, over.curves(), ranges, limit)
    found: dict[tuple[float, ...], Rate] = {}

    def value(x: Array) -> float:
        point = tuple(r.clipped(float(v)) for r, v in zip(ranges, x, strict=True))
        if point not in found and not (limit.out and found):
            named = {r.name: v for r, v in zip(ranges, point, strict=True)}
            found[point] = rate(_with(rule, named), over, budget=max(limit.left, 0.1))
        kept = found.get(point)
        return kept.value if kept is not None and math.isfinite(kept.value) else 2.0

    sizes = 0.1 * np.maximum(np.abs(start), 0.1 / float(over.lipschitz))
    corners = np.vstack([start, start - np.diag(sizes)])
    options = {"initial_simplex": corners, "xatol": 1e-7, "fatol": 1e-10, "maxfev": EVALUATIONS * len(ranges)}
    minimize(value, start, method="Nelder-Mead", options=options)
    best = min(found, key=lambda point: found[point].value)
    reason = "a simplex search on the proven rate, from the values that are best for linear fields: that none is better"
    worst = found[best]
    values = {r.name: v for r, v in zip(ranges, best, strict=True)}
    head = (rule, over, values, worst.value, "upper", True)
    return Design(*head, f"{reason} is not proven", "", worst, worst.measure)


def _searched(rule: Rule, over: GameClass, ranges: Sequence[Range], limit: Budget) -> Design:
    matrix, ranges = _with_parameters(rule, ranges)
    curves = _curves(over, matrix)
    point, value = search(matrix, curves, ranges, Budget.of(max(SEARCHING * limit.left, 0.01)))
    values = {r.name: float(x) for r, x in zip(ranges, point, strict=True)}
    unit = unit_of(samples(curves, 9))
    ends = {r.name: _end(r, float(x), unit) for r, x in zip(ranges, point, strict=True)}
    if any(end is not None for end in ends.values()):
        inner = [_inner(r, unit) for r in ranges]
        near, level = search(matrix, curves, inner, Budget.of(max(SEARCHING * limit.left, 0.01)))
        if level > value + CLOSE or not _takes(rule, dict(zip(ends, map(float, near), strict=True))):
            return _approached(matrix, over, curves, ranges, values, ends, value, limit)
        point, values = near, {r.name: float(x) for r, x in zip(ranges, near, strict=True)}
    worst = rate(_with(rule, values), over, budget=limit)
    kind, reason, least = worst.kind, worst.reason, None
    if worst.kind == "exact":
        kind, reason = "upper", SEARCHED
        if _floor(matrix, curves, point, ranges, worst.value, limit):
            kind, reason = "exact", FLOOR
    if len(ranges) > 1 and kind == "upper":
        few = sorted({curve.point(Fraction(k, 8)) for curve in curves for k in range(9)})
        least = proven_limit(matrix, few, ranges, point, worst.value, Budget.of(min(max(limit.left, 0.01), BOXES)))
    if least is not None:
        reason = (
            f"{reason}, but no values in the ranges pass {least:.6g}: on boxes that cover them some game is as slow"
        )
    stopped = [r.name for r in ranges if (r.low, r.high) == FREE and abs(values[r.name]) > FREE[1] - 1e-6]
    if stopped:
        reason += f"; {stopped[0]} stands at the end of the range that was searched, -2 to 2: bounds= sets another"
    return Design(rule, over, values, worst.value, kind, True, reason, "", worst, limit=least)


SEARCHED = (
    "the best of a grid, refined by linear programs: its own rate is proven; not proven is that no other is better"
)
FLOOR = "at every other value one of a few games of the class is as slow to 1e-9, proven by polynomials without roots"


def _curves(over: GameClass, matrix: Companion) -> tuple[Curve, ...]:
    curves = over.curves()
    if isinstance(over, Spectrum) and over.filled and matrix.kind != HOLOMORPHIC:
        return *curves, *over.inner_curves(4)
    return curves


def _inner(r: Range, unit: float) -> Range:
    """A bounded range to search where an end is open: from a hundredth to a hundred units."""
    return Range(r.name, max(r.low, 1e-2 * unit), 1e2 * unit) if math.isinf(r.high) else r


def _end(r: Range, value: float, unit: float) -> float | None:
    """The end of an open range that the best value of a grid runs into: 0 or infinity."""
    if not math.isinf(r.high):
        return 0.0 if r.low == 0 and value < 1e-3 * r.high * EDGE else None
    if value > REACH[1] * unit / EDGE:
        return math.inf
    return 0.0 if value < REACH[0] * unit * EDGE and r.low == 0 else None


def _approached(
    matrix: Companion,
    over: GameClass,
    curves: tuple[Curve, ...],
    ranges: Sequence[Range],
    values: dict[str, float],
    ends: Mapping[str, float | None],
    found: float,
    limit: Budget,
) -> Design:
    """The answer where the search ran to the end of an open range: the value far out, and the direction."""
    far = [v if ends[n] is None else v * FAR if ends[n] else v / FAR for n, v in values.items()]
    value = min(float(worst(matrix, samples(curves, 65), [np.array(v) for v in far])), found)
    shown = {n: v if ends[n] is None else float(ends[n]) for n, v in values.items()}  # type: ignore[arg-type]
    approach = ", ".join(f"{n} -> {'infinity' if e else '0'}" for n, e in ends.items() if e is not None)
    kind, reason = "upper", "the search ran to the end of an open range"
    if len(ranges) == 1 and _floor(matrix, curves, np.array(far), ranges, value, limit):
        kind, reason = "exact", FLOOR
    return Design(matrix.rule, over, shown, value, kind, False, reason, approach)


def _floor(
    matrix: Companion, curves: tuple[Curve, ...], point: Array, ranges: Sequence[Range], value: float, limit: Budget
) -> bool:
    """For one parameter: no value of it brings all games of the class below the rate by more than 1e-9."""
    if len(ranges) != 1:
        return False
    games = []
    for curve in curves:
        games += [curve.point(u) for u in {*map(Fraction, peaks(matrix, curve, list(point))), Fraction(0), Fraction(1)}]
    slow = sorted(set(games), key=lambda z: -float(matrix.radius(np.array([complex(*map(float, z))]), list(point))[0]))
    least = Fraction(value) - Fraction(CLOSE) / 2
    return least <= 0 or unreachable(matrix, slow[:4], ranges[0], least, limit)
