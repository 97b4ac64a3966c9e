"""Which rule to use, and with which parameters: designs of several rules over one class, at equal cost."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence

import numpy as np

from ...budget import Budget
from ...classes import Bilinear, GameClass, Spectrum
from ...doors import door
from ...errors import GandynError, ParameterError
from ...results import Result, table
from ...rules.alternating import AlternatingGD
from ...rules.consensus import Consensus
from ...rules.extragradient import Extragradient, OptimisticGD
from ...rules.gradient import SimultaneousGD
from ...rules.heavy_ball import HeavyBall
from ...rules.lookahead import Lookahead
from ...types import Game, Rule
from ..local.linearize import linearize
from ..spectrum.network_spectrum import Spectrum as Measured
from ..stochastic.stationary import stationary
from .companion import companion
from .design import Design, design
from .given import class_of
from .limits import speed_limit

NORMAL = 1e-9
ROUNDING = 1e-9  # a rate as near to 1 does not contract


def candidates() -> tuple[Rule, ...]:
    """The rules that `recommend` compares by default, with free parameters: a step size, and perhaps one more."""
    return (
        SimultaneousGD("lr"),
        HeavyBall("lr", "momentum"),
        HeavyBall("lr", "momentum", alternating=True),
        AlternatingGD("lr"),
        Extragradient("lr"),
        OptimisticGD("lr"),
        Consensus("lr", "gamma"),
        Lookahead(SimultaneousGD("lr"), 5, "alpha"),
    )


@dataclasses.dataclass(frozen=True)
class Choice:
    """One rule in the table of a recommendation."""

    design: Design  # its best parameters over the class
    cost: float  # fields and Jacobian products that one step evaluates
    per_gradient: float  # the factor per field or product, rate^(1/cost)
    # the angle in radians by which the slowest mode turns per step; None where no values attain the rate
    rotation: float | None = None
    # the trace of the covariance of w under noise of variance 1 on every field, to first order; None without a game
    noise_floor: float | None = None


@dataclasses.dataclass(frozen=True, repr=False)
class Recommendation(Result):
    """Rules with their best parameters over one class of games, compared at equal cost.

    Attributes:
        over: the class.
        choices: a `Choice` for each rule, the smallest worst-case factor per gradient first.
        limit: the smallest factor per gradient of rules that use fields alone (`gd.speed_limit`); None where it is not
            known.
        reason: where the class comes from, and what it leaves out.
        refused: (rule, reason) for rules that have no rate over the class.
    """

    over: GameClass
    choices: tuple[Choice, ...]
    limit: float | None
    reason: str = ""
    refused: tuple[tuple[Rule, str], ...] = ()

    _plot = "recommendation"

    @property
    def best(self) -> Rule | None:
        """The fastest rule that contracts and whose best values are attained, with these values; None without one."""
        kept = (c.design for c in self.choices if c.design.attained and c.design.rate < 1)
        return next((found.best for found in kept), None)

    def _contents(self) -> dict[str, object]:
        rows = [
            {
                "rule": c.design.rule,
                "values": c.design.values,
                "rate": c.design.rate,
                "kind": c.design.kind,
                "attained": c.design.attained,
                "per gradient": c.per_gradient,
                "cost": c.cost,
                "rotation": c.rotation,
                "noise floor": c.noise_floor,
                "argument": c.design.reason,
            }
            for c in self.choices
        ]
        return {"over": repr(self.over), "best": self.best, "limit": self.limit, "reason": self.reason, "rules": rows}

    def _headline(self) -> str:
        return f"{'none contracts' if self.best is None else repr(self.best)} on {self.over}"

    def summary(self) -> str:
        """A table of rules with values and factors per step and per gradient, and the rules that do not contract."""
        head = f"on {self.over}, fastest per gradient first:"
        rows = [("rule", "per step", "per gradient", "rotation", "noise floor", "kind")]
        idle = [_name(c.design.rule) for c in self.choices if c.design.rate >= 1 - ROUNDING]
        for c in self.choices:
            if c.design.rate >= 1 - ROUNDING:
                continue
            values = ", ".join(f"{k}={v:.4g}" for k, v in c.design.values.items())
            kind = c.design.kind if c.design.attained else f"{c.design.kind}, not attained"
            turn, floor = ("" if x is None else f"{x:.3g}" for x in (c.rotation, c.noise_floor))
            name = f"{_name(c.design.rule)} {values}"
            rows.append((name, f"{c.design.rate:.6f}", f"{c.per_gradient:.6f}", turn, floor, kind))
        lines = [head, *table(rows)]
        if idle:
            lines.append(f"no values found with which these contract: {', '.join(idle)}")
        if self.limit is not None:
            lines.append(f"no rule that uses fields alone passes {self.limit:.6f} per gradient")
        lines.append(f"recommended: {self.best!r}" if self.best is not None else "none of them contracts")
        lines += [self.reason] if self.reason else []
        return "\n".join([*lines, *(f"left out: {_name(rule)}, {why}" for rule, why in self.refused)])


def _name(rule: Rule) -> str:
    return f"alternating {rule.name}" if getattr(rule, "alternating", False) else rule.name


@door
def recommend(
    game_or_spectrum: object,
    rules: Sequence[Rule] | Mapping[str, Rule] | None = None,
    budget: float | Budget | None = 120.0,
) -> Recommendation:
    """The rule, with its parameters, that is fastest at equal cost on a game, a measured spectrum or a class.

    For a game, the class is the set of eigenvalues of its Jacobian J at its first known equilibrium. For a result of
    `gd.spectrum` it is the convex hull of the Ritz values of J and their conjugates, an estimate. The free parameters
    of each rule are designed over the class (`gd.design`). Eigenvalues describe a game near its equilibrium only, and
    say nothing of transients where J is far from normal: `reason` names the distance.

    Args:
        game_or_spectrum: a symbolic game with a known equilibrium, a result of `gd.spectrum` of J, or a class.
        rules: rules with free parameters; by default eight common ones.
        budget: seconds for all rules together.

    Returns:
        A `Recommendation`: the `.best` rule, and all `.choices` as a table.

    Raises:
        ParameterError: for other arguments, no rules, or a game without a known equilibrium.
        DomainError: for the spectrum of another matrix than J.

    Example:
        >>> import gandyn as gd
        >>> rules = [gd.rules.GDA("lr"), gd.rules.HeavyBall("lr", momentum="beta")]
        >>> found = gd.recommend(gd.classes.Spectrum(segment=(0.5, 2)), rules)
        >>> found.best.name, round(found.choices[0].per_gradient, 6)
        ('HeavyBall', 0.333333)
    """
    limit = Budget.of(budget)
    over, reason = _class_and_reason(game_or_spectrum)
    game = game_or_spectrum if isinstance(game_or_spectrum, Game) else None
    choices, refused = [], []
    given = candidates() if rules is None else tuple(rules.values() if isinstance(rules, Mapping) else rules)
    if not given:
        raise ParameterError("recommend among no rules", "at least one", 'rules=[gd.rules.GDA("lr")]')
    for rule in given:
        try:
            choices.append(_choice(design(rule, over, budget=max(limit.left, 0.01)), game))
        except GandynError as error:
            refused.append((rule, str(error).partition("\n")[0]))
    choices.sort(key=lambda c: (round(c.per_gradient, 9), c.cost))
    fastest = speed_limit(over).value if isinstance(over, (Bilinear, Spectrum)) else None
    return Recommendation(over, tuple(choices), fastest, reason, tuple(refused))


def _choice(found: Design, game: Game | None) -> Choice:
    declared = found.rule.cost
    cost = declared.fields + declared.jvps + declared.vjps
    rate = found.rate
    per_gradient = float(rate ** (1 / cost))
    member = None if found.worst is None else found.worst.member
    if not found.attained or member is None:
        return Choice(found, cost, per_gradient)
    values = np.linalg.eigvals(companion(found.best, "recommend").matrices(np.array([member]))[0])
    rotation = abs(float(np.angle(values[int(np.argmax(np.abs(values)))])))
    floor = None
    if game is not None and rate < 1:
        try:
            law = stationary(game, found.best, noise=1.0)
            floor = float(np.trace(law.covariance)) if law.exists else math.inf  # its scale with the noise, no bias
        except GandynError:
            floor = None
    return Choice(found, cost, per_gradient, rotation, floor)


def _class_and_reason(given: object) -> tuple[GameClass, str]:
    if isinstance(given, Measured):
        return class_of(given), "the convex hull of the Ritz values of J and their conjugates, as measured"
    if isinstance(given, Game):
        if not given.equilibria:
            raise ParameterError(
                f"recommend of {given.name}, without a known equilibrium", "one", "gd.spectrum at a point"
            )
        matrix = -np.asarray(linearize(given).matrix, dtype=float)
        values = np.linalg.eigvals(matrix)
        off = float(np.linalg.norm(matrix) ** 2 - (np.abs(values) ** 2).sum())
        size = math.sqrt(max(off, 0.0)) / max(float(np.linalg.norm(matrix)), 1e-300)
        reason = f"the eigenvalues of {given.name} at its equilibrium"
        if size > NORMAL**0.5:
            reason += f"; J is not normal (departure {size:.3g} of its norm), so that errors may grow at first"
        return Spectrum(points=[complex(z) if z.imag else float(z.real) for z in values]), reason
    return class_of(given), ""
