"""The worst case of a rule over all monotone Lipschitz fields: a proven bound, beside a member that comes close."""

from __future__ import annotations

import dataclasses
import decimal
import functools
import importlib.util
import math
import time
from fractions import Fraction

from ...arguments import whole
from ...doors import door
from ...errors import DomainError, MissingDependencyError, ParameterError
from ...results import Result
from ...types import Implicit, Rule
from ...worlds import is_symbolic
from .dual_certificate import Certificate, certify, linear_member, rounded_down, rounded_up
from .performance_points import run

ARGUMENTS = {
    "exact": "exact: the dual certificate's bound, checked in exact arithmetic, is attained by a linear field",
    "upper": "upper, proven by a dual certificate checked in exact arithmetic",
    "undecided": "undecided",
}


@dataclasses.dataclass(frozen=True, repr=False)
class WorstCase(Result):
    """A number rho^2 with |w_T - w*|^2 <= rho^2 |w_0 - w*|^2 for every field of a class, w* its zero.

    Attributes:
        rule: the rule.
        mu, lipschitz: the class: <v(a) - v(b), a - b> >= mu |a - b|^2, |v(a) - v(b)| <= L |a - b|.
        steps: T.
        value: rho^2, rounded up, so that it is a bound: inf where none was proven.
        kind: "upper": proven by `certificate`; "exact" where a member of the class attains it; "undecided".
        reason: why it is undecided; empty otherwise.
        lower: |w_T - w*|^2 / |w_0 - w*|^2, rounded down, for the worst of the *linear* fields v = z w of the class (w
            complex, Re z >= mu, |z| <= L): no bound of the class lies below it.
        member: that z, a complex number.
        certificate: multipliers and points in fractions; `certificate.holds()` repeats the proof.
    """

    rule: Rule
    mu: float
    lipschitz: float
    steps: int
    value: float
    kind: str = "upper"
    reason: str = ""
    lower: float = 0.0
    member: complex | None = None
    certificate: Certificate | None = None

    @property
    def interval(self) -> tuple[float, float]:
        """The interval (lower, value) that holds the smallest valid rho^2 of the class."""
        return self.lower, self.value

    @property
    def per_step(self) -> float:
        """The factor rho^(1/T) by which the distance to the solution shrinks per step."""
        if not 0 < self.value < math.inf:
            return max(self.value, 0.0)
        root = float(self.value ** (0.5 / self.steps))
        return root if root ** (2 * self.steps) == self.value else root * (1 + 4e-16)  # a power rounds either way

    @property
    def contracts(self) -> bool | None:
        """Whether T steps bring every field of the class nearer to its zero: None where the interval holds 1."""
        return True if self.value < 1 else False if self.lower >= 1 else None

    def summary(self) -> str:
        """The class of games, the bound, its argument, and what a member of the class does."""
        kind = f"{self.mu:g}-strongly monotone, {self.lipschitz:g}-Lipschitz fields"
        argument = ARGUMENTS[self.kind] + (f": {self.reason}" if self.reason else "")
        head = f"{self.rule!r} on all {kind}: "
        if math.isfinite(self.value):
            bound = f"|w_{self.steps} - w*|^2 <= {_shown(self.value, 10)} |w_0 - w*|^2"
            head += f"{bound} (factor {_shown(self.per_step, 6)} a step; {argument})"
        else:
            head += argument
        if self.member is None:
            return head
        z = f"{self.member.real:.6g} + {self.member.imag:.6g}i"
        low = _shown(self.lower, 10, decimal.ROUND_FLOOR)
        return f"{head}\nthe linear field v = z w, z = {z}, gives {low}: no bound lies below it"


def _shown(value: float, digits: int, rounding: str = decimal.ROUND_CEILING) -> str:
    """A number as text with `digits` significant digits, rounded in the safe direction."""
    return f"{decimal.Context(prec=digits, rounding=rounding).create_decimal(decimal.Decimal(value)).normalize():f}"


@door
def worst_case(rule: Rule, mu: float = 0.0, lipschitz: float = 1.0, steps: int = 1, budget: float = 60.0) -> WorstCase:
    """Performance estimation: a proven bound on T steps over all operators of a class, by a semidefinite programme.

    The rule runs on points whose inner products are the unknowns (Drori & Teboulle 2014; Taylor et al. 2017; for
    operators Ryu et al. 2020). Of the class, its inequalities between pairs of points are used. Every field fulfils
    them, so that the value is an upper bound; they do not characterise the class, so that it may not be the smallest:
    `lower` shows by how much at most. It is tight for gradient steps, 1 - 2 lr mu + lr^2 L^2, and for proximal ones.

    A solver's multipliers are taken as a guess. Rounded to fractions, they define a bound exactly, by elimination in
    fractions, provided that the matrix left over is positive semidefinite: `value` is that bound, rounded up.
    Coefficients are read as on paper, 0.1 as 1/10; irrational ones as the floats that the rule computes with.

    Rules with memory start from the state of `rule.init`. Bounds are cached.

    Args:
        rule: linear in the field (`rule.domain.linear_in_field`), or the proximal point rule; numbers as parameters.
        mu: monotonicity, >= 0.
        lipschitz: L >= mu, > 0.
        steps: T >= 1. Up to about 30 field evaluations in all.
        budget: seconds for the semidefinite programmes; without an answer by then, `kind` is "undecided".

    Returns:
        A `WorstCase`: `.value`, its `.interval`, the `.certificate` that proves it, and a `.member` of the class that
        comes near.

    Raises:
        DomainError: for other rules, and where coefficients or the bound are beyond the range of floats.
        ParameterError: for a class that is empty.
        MissingDependencyError: without clarabel (`pip install "gandyn[proof]"`).

    Example (run by tests/analysis/certificates/test_worst_case.py, where clarabel is installed)::

        found = gd.worst_case(gd.rules.Extragradient(0.3), mu=0.1, steps=5)
        found.interval                # (0.74429..., 0.74513...)
        found.certificate.holds()     # True
    """
    _check(rule, mu, lipschitz, steps)
    try:
        hash(rule)
    except TypeError:  # its parameters hold a dict: one for each player, which `run` refuses
        return _bound(rule, mu, lipschitz, steps, budget)
    try:
        return _decided(rule, mu, lipschitz, steps, budget)
    except _UndecidedError as error:
        return error.found


class _UndecidedError(Exception):
    """Carries an answer that is not cached: the next call may have the time that this one lacked."""

    def __init__(self, found: WorstCase) -> None:
        self.found = found


@functools.lru_cache(maxsize=256)
def _decided(rule: Rule, mu: float, lipschitz: float, steps: int, budget: float) -> WorstCase:
    found = _bound(rule, mu, lipschitz, steps, budget)
    if found.kind == "undecided":
        raise _UndecidedError(found)
    return found


def _bound(rule: Rule, mu: float, lipschitz: float, steps: int, budget: float) -> WorstCase:
    deadline = time.monotonic() + budget
    points = run(rule, mu, lipschitz, steps)
    value, kind = math.inf, "undecided"
    try:
        low, z = linear_member(points)
        certificate, reason = certify(points, float(low), deadline)
        if certificate is not None:
            value, kind = rounded_up(certificate.bound), "exact" if certificate.bound == low else "upper"
    except OverflowError:
        raise DomainError(
            f"worst_case of {rule!r}, whose coefficients or bound are no floats", "steps of about 1/L", "a smaller lr"
        ) from None
    member = complex(float(z[0]), float(z[1])) * float(lipschitz)
    head = (rule, float(mu), float(lipschitz), steps)
    return WorstCase(*head, value, kind, reason, rounded_down(low), member, certificate)


def _check(rule: Rule, mu: float | Fraction, lipschitz: float | Fraction, steps: int) -> None:
    if not (rule.domain.linear_in_field or isinstance(rule, Implicit)):
        raise DomainError(
            f"worst_case of {rule!r}, which is not linear in the field",
            "steps made of points and fields with fixed coefficients",
            "GDA, Extragradient, OptimisticGD, HeavyBall, ProximalPoint, ...",
        )
    if not (0 <= mu <= lipschitz and 0 < lipschitz < math.inf):
        raise ParameterError(f"mu={mu}, lipschitz={lipschitz}", "0 <= mu <= lipschitz, lipschitz > 0", "mu=0.1")
    whole("steps", steps)
    free = [v for v in vars(rule).values() if is_symbolic(v) and v.free_symbols]
    if free:
        raise ParameterError(f"worst_case while {free[0]} has no value", "numbers", "set the parameter")
    if importlib.util.find_spec("clarabel") is None:
        raise MissingDependencyError("worst_case without clarabel", "clarabel", 'pip install "gandyn[proof]"')
