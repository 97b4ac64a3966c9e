"""The contraction factor of a rule on the worst game of a class, with a certificate."""

from __future__ import annotations

import dataclasses
import math
from fractions import Fraction

import numpy as np

from ...budget import Budget, OutOfTimeError
from ...classes import Bilinear, GameClass, Spectrum, StronglyMonotone
from ...doors import door
from ...errors import DomainError, ParameterError, refuse_unknown
from ...lazy import sympy
from ...results import Result, decimal
from ...types import Implicit, Rule
from ..certificates.dual_certificate import Certificate, rounded_down, rounded_up
from ..certificates.performance_points import PointsGame
from ..certificates.worst_case import worst_case
from ..parameters.freed import symbols_of
from .companion import HOLOMORPHIC, PLAYERS, Companion, companion
from .enclosure import Enclosure, attained, enclose, largest
from .filled import FilledEnclosure, enclose_filled
from .given import class_of
from .quadratic_rate import QuadraticRate, prove

RADIUS = "spectral radius"
DISTANCE = "contraction of the distance"
FORM = "quadratic Lyapunov function"
METHODS = ("auto", "spectral", "performance", "lyapunov", "linear")
CLOSE = 1e-9
ZERO_SUM = (
    "the worst zero-sum game of this spectrum; the rule distinguishes players, and other games with the same spectrum "
    "may be worse"
)
TIMED = "the step changes with time: this is its limit after many steps"
INSIDE = "the rule uses J^T, so that the worst game may lie inside the set: sampled there, and not proven in time"


@dataclasses.dataclass(frozen=True, repr=False)
class Rate(Result):
    """The factor per step by which a rule contracts on the worst game of a class.

    Attributes:
        rule: the rule.
        over: the class of games.
        value: the factor. For the kinds "exact" and "upper" it is rounded up, so that it is a bound; inf where no bound
            was proven.
        measure: what contracts. "spectral radius": that of the augmented map, linearised at the equilibrium; errors
            fall like value^t times at most a power of t. "contraction of the distance": |w+ - w*| <= value |w - w*|.
            "quadratic Lyapunov function": |w_t - w*|^2 <= V_t and V_{t+1} <= value^2 V_t.
        kind: "exact": `lower` and `value` are proven and differ by at most 1e-9; "upper": `value` is a proven bound;
            "lower": `value` is attained by a game of the class, and other games may be worse.
        lower: a factor that some game of the class is proven to attain, rounded down.
        member: the eigenvalue z of that game, whose field is v(w) = z w; i sigma for `Bilinear`.
        reason: what is missing where the kind is not "exact"; may be empty.
        certificate: the proof, which `certificate.holds()` repeats in exact arithmetic; None for "lower".
    """

    rule: Rule
    over: GameClass
    value: float
    measure: str
    kind: str
    lower: float = 0.0
    member: complex | None = None
    reason: str = ""
    certificate: Enclosure | FilledEnclosure | QuadraticRate | Certificate | None = None

    _data = "rule over=_class value measure kind lower member reason certificate"
    _plot = "rate"

    @property
    def _class(self) -> str:
        return repr(self.over)

    @property
    def interval(self) -> tuple[float, float]:
        """(lower, upper), between which the worst factor of the class lies; inf where there is no upper bound."""
        return self.lower, self.value if self.kind != "lower" else math.inf

    @property
    def per_gradient(self) -> float:
        """The factor per gradient, value^(1/c), where a step evaluates c fields and Jacobian products."""
        cost = self.rule.cost
        return float(self.value ** (1 / (cost.fields + cost.jvps + cost.vjps)))

    def summary(self) -> str:
        """Rule, class, factor and measure, how the factor is known, and the worst game, as text."""
        argument = {
            "exact": "exact: enclosed and attained, both in exact arithmetic",
            "upper": "upper: proven in exact arithmetic",
            "lower": "lower: attained by a game of the class",
        }[self.kind]
        if self.kind == "upper" and not math.isfinite(self.value):
            argument = "no bound was proven"
        lines = [f"{self.rule!r} on {self.over}: {self.measure} {self.value:.9g} per step ({argument})"]
        if self.reason:
            lines.append(self.reason)
        if self.member is not None:
            lines.append(f"the game v(w) = z w with z = {decimal(self.member)} attains {self.lower:.9g}")
        if self.measure == RADIUS and isinstance(self.over, Spectrum):
            lines.append("it says nothing about Jacobians that are not normal: their transients can be large")
        return "\n".join(lines)


@door
def rate(rule: Rule, over: object, method: str = "auto", budget: float | Budget | None = 60.0) -> Rate:
    """The contraction factor per step of a rule on the worst game of a class.

    Over `gd.classes.Bilinear` and `Spectrum` the rule is traced on v(w) = z w, where the characteristic polynomial of
    its augmented map has polynomials in z as coefficients. The largest modulus of its roots over the set is enclosed in
    exact arithmetic: that no root leaves a disc along a curve is proven by polynomials without real roots (Hurwitz,
    Descartes). For a filled set its border suffices, by the maximum principle, where the map depends on z alone and not
    on its conjugate.

    Over `StronglyMonotone`, a rule without memory is bounded by `gd.worst_case` for one step; one with memory by a
    quadratic Lyapunov function with the inequalities of the class as multipliers (Lessard, Recht & Packard 2016;
    Taylor, Van Scoy & Lessard 2018), found by semidefinite programming and verified in fractions.

    Args:
        rule: an update rule with numbers as parameters.
        over: a class of games of `gd.classes`.
        method: "auto"; or "spectral" (Bilinear, Spectrum), "performance" (no memory), "lyapunov", or "linear", which
            takes the worst linear game of `StronglyMonotone` alone and gives a lower bound.
        budget: seconds.

    Returns:
        A `Rate`: the factor `.value`, what it `.measure`s, its `.kind`, and the `.member` of the class that attains it.

    Raises:
        ParameterError: for a parameter without a value, or an `over` that is no class.
        UnknownNameError: for an unknown method.
        DomainError: for a rule without a linear part on linear games, or, over `StronglyMonotone`, one that is not
            linear in the field.

    Example:
        >>> import gandyn as gd
        >>> found = gd.rate(gd.rules.Extragradient(0.4), gd.classes.Bilinear(0.5, 2))
        >>> round(found.value, 9), found.kind
        (0.980612054, 'exact')
    """
    free = sorted(map(str, symbols_of(rule)))
    if free:
        raise ParameterError(f"rate of {rule!r} while {free[0]} has no value", "numbers", "set it, or gd.design")
    over = class_of(over)
    refuse_unknown("method of gd.rate", method, METHODS)
    limit = Budget.of(budget)
    if isinstance(over, StronglyMonotone):
        return _monotone(rule, over, method, limit)
    if method not in ("auto", "spectral"):
        raise DomainError(f"method={method!r} over {over}", "fields that need not be linear", 'method="auto"')
    matrix = companion(rule, "rate")
    found = spectral(matrix, over, limit)
    return dataclasses.replace(found, reason="; ".join(filter(None, [found.reason, TIMED]))) if matrix.timed else found


def spectral(matrix: Companion, over: Bilinear | Spectrum | GameClass, limit: Budget) -> Rate:
    """The largest spectral radius of a rule's augmented map over a class of linear games, as a `Rate`."""
    assert isinstance(over, (Bilinear, Spectrum))
    curves, reason = over.curves(), ""
    if isinstance(over, Spectrum) and matrix.kind == PLAYERS:
        reason = ZERO_SUM
    if isinstance(over, Spectrum) and over.filled:
        if matrix.kind != HOLOMORPHIC:
            curves, reason = (*curves, *over.inner_curves()), reason or INSIDE
        elif _pole(matrix, over):
            return Rate(matrix.rule, over, math.inf, RADIUS, "exact", math.inf, None, "the step has a pole in the set")
    proof: Enclosure | None = None
    try:
        proof = None if reason else enclose(matrix, curves, limit)
    except OutOfTimeError:
        reason = limit.reason
    if proof is not None:
        return Rate(matrix.rule, over, *_ends(proof), "", proof)
    found = attained(matrix, *largest(matrix, curves))
    if (
        isinstance(over, Spectrum)
        and over.filled
        and found
        and not over.holds(complex(*map(float, found[1] or (0, 0))))
    ):
        found = attained(matrix, *largest(matrix, over.curves()))  # drawn together, a polygon may leave itself
    if found is None:
        return Rate(matrix.rule, over, math.inf, RADIUS, "exact", math.inf, None, "the step has a pole in the set")
    low, z = found
    if reason == INSIDE and z is not None:
        whole = enclose_filled(FilledEnclosure(matrix, over.curves(), over.middle, low, low, z), limit)  # type: ignore[union-attr]
        if whole is not None:
            return _between(whole, over)
    return Rate(matrix.rule, over, rounded_down(low), RADIUS, "lower", rounded_down(low), _number(z), reason)


def _between(proof: FilledEnclosure, over: GameClass) -> Rate:
    high, low = rounded_up(proof.high), rounded_down(proof.low)
    kind = "exact" if high - low <= CLOSE else "upper"
    return Rate(proof.companion.rule, over, high, RADIUS, kind, low, _number(proof.member), "", proof)


def _ends(proof: Enclosure) -> tuple[float, str, str, float, complex | None]:
    return rounded_up(proof.high), RADIUS, "exact", rounded_down(proof.low), _number(proof.member)


def _number(z: tuple[Fraction, Fraction] | None) -> complex | None:
    return None if z is None else complex(float(z[0]), float(z[1]))


def _pole(matrix: Companion, over: Spectrum) -> bool:
    """Whether A(z) has a pole inside a filled set: its values on the border then do not bound those inside."""
    _, common = matrix.polynomial
    if not common.has(matrix.x):
        return False
    roots = np.roots([complex(c) for c in sympy.Poly(common, matrix.x).all_coeffs()])
    return any(over.holds(complex(z)) for z in roots)


def _monotone(rule: Rule, over: StronglyMonotone, method: str, limit: Budget) -> Rate:
    if method == "spectral":
        raise DomainError(f'method="spectral" over {over}', "a class of linear fields", 'method="linear"')
    if not (rule.domain.linear_in_field or isinstance(rule, Implicit)):
        raise DomainError(f"rate of {rule!r} over {over}", "a rule that is linear in the field", "OptimisticGD(0.1)")
    if companion(rule, "rate").kind == PLAYERS:
        given = f"rate of {rule!r}, which treats players differently, over {over}"
        raise DomainError(given, "one step for all players: a field has none", "gd.classes.Bilinear")
    memory = bool([*rule.init(PointsGame(over.lipschitz), PointsGame(over.lipschitz).start).leaves()])
    if method == "performance" and memory:
        raise DomainError(f'method="performance" of {rule!r}, which has memory', "one step", 'method="lyapunov"')
    if method == "linear":
        return _linear(rule, over, DISTANCE if not memory else RADIUS)
    if not memory and method != "lyapunov":
        found = worst_case(rule, float(over.mu), float(over.lipschitz), 1, max(limit.left, 0.01))
        low = math.sqrt(max(found.lower, 0.0)) * (1 - 4e-16)
        kind = "exact" if found.per_step - low <= CLOSE else "upper"
        return Rate(rule, over, found.per_step, DISTANCE, kind, low, found.member, found.reason, found.certificate)
    least = _linear(rule, over, FORM)
    proof, reason = prove(rule, over, least.lower, limit)
    value = math.inf if proof is None else rounded_up(proof.rate)
    return dataclasses.replace(least, value=value, kind="upper", reason=reason, certificate=proof)


def _linear(rule: Rule, over: StronglyMonotone, measure: str) -> Rate:
    """The worst linear field v(w) = z w of the class: a lower bound of every rate."""
    matrix = companion(rule, "rate")
    found = attained(matrix, *largest(matrix, over.curves()))
    if found is None:
        return Rate(rule, over, math.inf, measure, "lower", math.inf, None, "the step has a pole in the class")
    low = rounded_down(found[0])
    return Rate(rule, over, low, measure, "lower", low, _number(found[1]), "the worst linear field")
