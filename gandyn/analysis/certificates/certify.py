"""Proofs by ball arithmetic that a fixed point attracts and is the only one in a box, for ranges of parameters."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from ...arguments import box_array, given_or_known
from ...budget import Budget, OutOfTimeError
from ...doors import door
from ...errors import ParameterError
from ...results import Result
from ...types import Array, Game, Rule
from ...worlds import exact
from .ball_matrices import ends
from .enclosures import ranges, system
from .facts import STEPS, Failure, Interval, Piece, Step, facts, shown
from .proof import Proof


@dataclasses.dataclass(frozen=True, repr=False)
class Certificate(Result):
    """A proof by ball arithmetic, or the place where it failed.

    Attributes:
        game, rule: the pair; rule is None for the flow.
        at: the point given, at the middle of the ranges.
        box: of the search, (d, 2).
        parameters: ranges by name.
        proven: every step holds for all of them.
        unique: no other fixed point lies in the box.
        attracting: the fixed point is asymptotically stable.
        basin_radius: every start closer than this to the fixed point, with the rule's initial state, converges to it,
            also where other fixed points lie in the box; 0 where none is proven.
        fixed_point: intervals that hold it, (d, 2).
        steps: proven facts with interval values.
        failure: None, or what failed and where.
        pieces: sub-ranges of the parameters with their own ellipsoids.
    """

    game: Game
    rule: Rule | None
    at: tuple[float, ...]
    box: Array
    parameters: dict[str, Interval]
    unique: bool
    attracting: bool
    basin_radius: float
    fixed_point: Array | None
    steps: tuple[Step, ...]
    failure: Failure | None
    pieces: tuple[Piece, ...]

    _data = "game rule at box parameters proven unique attracting basin_radius fixed_point steps failure"
    _plot = "certificate"

    @property
    def proven(self) -> bool:
        """Whether every step of the proof holds for all parameter values in the ranges."""
        return self.failure is None

    def summary(self) -> str:
        """The verdict in words, followed by the proven facts, or by what failed and where."""
        box = " x ".join(f"[{a:g}, {b:g}]" for a, b in self.box)
        where = shown(self.parameters)
        head = f"{self._subject()}, box {box}" + (f", for all {where}" if where else "")
        lines = [f"PROVEN: {head}"] if self.proven else [f"NOT PROVEN: {head}", f"  {self.failure}"]
        if self.basin_radius:
            lines.append(f"  proven basin radius {self.basin_radius:.6g}")
        return "\n".join([*lines, *(f"  {step}" for step in self.steps)])


@door
def certify(
    game: Game,
    rule: Rule | None = None,
    at: object = None,
    box: object = None,
    parameters: Mapping[str, object] | None = None,
    effort: int = 2000,
    budget: float | Budget | None = 300.0,
) -> Certificate:
    """Prove that a fixed point exists, attracts, and is the only one in a box, for all parameters in given ranges.

    Every number is a ball that provably holds the true value, so a proof covers rounding and whole ranges at once:

    1. existence: Krawczyk's operator maps a small box into its interior (Krawczyk 1969), for every parameter value;
    2. attraction: for two augmented coordinates with derivative [[a, b], [c, d]], Jury's conditions in factored form,
       (1-a)(1-d) - bc > 0, (1+a)(1+d) - bc > 0, 1 - (ad - bc) > 0 (flows: a + d > 0, ad - bc > 0 for Dv); for more, a
       norm |T^-1 u| in which the derivative contracts, by elimination on balls;
    3. uniqueness: every other part of the box is excluded, after bisection where needed;
    4. basin: V(z) = |T^-1 (z - z*)|^2 decreases on an ellipsoid, by bisection; the radius is that of a ball of starts
       whose first augmented state lies inside, and is at most the distance from the fixed point to the box's border.

    Ranges are cut into pieces where one proof does not reach. A wide range may take many; `failure` names the part that
    is left. For rules with memory, uniqueness is that of w and the rule's state, the latter within a bounded set that
    the rule does not leave from its initial state while w is in the box.

    Args:
        game: smooth, unconstrained, deterministic, defined by symbols.
        rule: smooth, or None for the gradient flow.
        at: near the fixed point, shape (d,); the game's first known equilibrium by default.
        box: one (low, high) pair per coordinate; within 1 of the point by default.
        parameters: (low, high), or a number, by name: free symbols of game and rule, and fields of the rule, whose
            values per player keep their ratio to the first (`certificate.rule` is the rule that was analysed).
        effort: boxes that one basin may take, about a millisecond each.
        budget: seconds. When they are spent, `failure` says "out of time". Existence, attraction and uniqueness stand
            if only the basin came too late; pieces of a step that was not finished are dropped.

    Returns:
        A `Certificate`: whether `.proven`, `.unique` and `.attracting`, the `.basin_radius`, or the `.failure` that
        stopped the proof.

    Raises:
        NotDifferentiableError, DomainError: for what is not smooth, or changes with the step count.
        ParameterError: for a parameter without a range, or a range without a parameter.
        MissingDependencyError: without python-flint (`pip install "gandyn[proof]"`).

    Example (run by tests/analysis/certificates/test_certify.py, where python-flint is installed)::

        game = gd.games.dirac_gan(penalty=gd.penalties.R1("gamma"))
        proof = gd.certify(game, gd.rules.GDA("lr"), box=[(-0.5, 0.5)] * 2,
                           parameters={"lr": (0.1, 0.2), "gamma": (0.5, 1)})
        proof.proven, proof.basin_radius  # True, 0.5
    """
    spans = ranges(parameters)
    limit = Budget.of(budget)
    values = {name: (float(low), float(high)) for name, (low, high) in spans.items()}
    point = _point(game, at, values)
    bounds = box_array(game, [(x - 1, x + 1) for x in point] if box is None else box)
    late = functools.partial(_late, limit=limit, values=values, bounds=bounds)
    try:
        subject = limit.run(lambda: system(game, rule, spans), "the map of the proof")
    except OutOfTimeError:
        missing = late("existence")
        return Certificate(game, rule, tuple(point), bounds, values, False, False, 0.0, None, (), missing, ())
    whole = tuple(spans[name] for name in subject.parameters)
    proof = Proof.over(subject, point, bounds, whole, effort)
    pieces, failure, unproven, reached = _carried_out(proof, whole, limit, late)
    names, pieces = subject.parameters, [piece.times(proof.system.units) for piece in pieces]
    steps = tuple(step for piece in pieces for step in facts(piece, names, unproven))
    attracting = reached > STEPS.index("attraction")
    return Certificate(
        subject.game,
        subject.rule,
        tuple(point),
        bounds,
        values,
        unique=reached > STEPS.index("uniqueness"),
        attracting=attracting,
        basin_radius=float(min((p.radius for p in pieces), default=0.0)) if attracting else 0.0,
        fixed_point=_hull([p.fixed[: game.dim] for p in pieces]),
        steps=steps,
        failure=failure,
        pieces=tuple(pieces),
    )


def _carried_out(
    proof: Proof, whole: tuple[tuple[Fraction, Fraction], ...], limit: Budget, late: Callable[[str], Failure]
) -> tuple[list[Piece], Failure | None, bool, int]:
    """The pieces of a proof, what stopped it, whether uniqueness was left untested somewhere, and the step reached."""
    pieces: list[Piece] = []
    failure: Failure | None
    unproven = False
    try:
        pieces, failure, unproven = limit.run(lambda: proof.local(whole), "the proof")
    except OutOfTimeError:
        failure = late("existence")
    reached = len(STEPS) if failure is None else STEPS.index(failure.step)
    if reached >= STEPS.index("uniqueness"):
        try:
            pieces, obstacle = limit.run(lambda: proof.basins(pieces), "the proof of a basin")
            failure = failure or obstacle
        except OutOfTimeError:
            failure = failure or late("basin")
    return pieces, failure, unproven, reached


def _late(step: str, limit: Budget, values: dict[str, Interval], bounds: Array) -> Failure:
    return Failure(
        step,
        limit.reason.removeprefix("undecided: "),
        False,
        values,
        tuple((float(a), float(b)) for a, b in bounds),
        {},
    )


def _point(game: Game, at: Any, values: Mapping[str, Interval]) -> list[float]:
    at = given_or_known(game, at)
    middle = {name: 0.5 * (low + high) for name, (low, high) in values.items()}
    entries = [exact(e) for e in (at.tolist() if hasattr(at, "dtype") else at) if np.ndim(e) == 0]
    entries = [e.subs({s: middle[str(s)] for s in e.free_symbols if str(s) in middle}) for e in entries]
    if len(entries) != game.dim or any(e.free_symbols for e in entries):
        needed = f"{game.dim} coordinates for {game.name}, of numbers and of parameters that have a range"
        raise ParameterError(f"at={at!r}", needed, "at=(0, 0)")
    return [float(e) for e in entries]


def _hull(groups: Sequence[Array]) -> Array | None:
    if not groups:
        return None
    intervals = np.array([[ends(b) for b in balls] for balls in groups])
    return np.stack([intervals[:, :, 0].min(0), intervals[:, :, 1].max(0)], axis=-1)
