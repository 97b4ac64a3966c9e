"""Proofs by ball arithmetic that a fixed point is alone in a box and attracts, for whole ranges of parameters."""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from ..errors import ParameterError
from ..results import Result, plain
from ..symbolic.balls import hull
from ..types import Array, Game, Rule
from ..worlds import is_symbolic
from .enclosures import Range, System, box, ends, ranges, system
from .fixed_points import _check_box
from .krawczyk import Obstacle, enclose, unique
from .proven_basin import Decrease, Ellipsoid, largest
from .shapes import Sampler, transforms

STEPS = ("existence", "attraction", "uniqueness", "basin")
FINEST = Fraction(1, 64)
MOST_PIECES = 256
REFINING = 8
GOOD_SHARE = 0.8
Interval = tuple[float, float]


@dataclasses.dataclass(frozen=True)
class Step:
    """One proven fact: what it says, for which parameters, with the interval values behind it."""

    name: str
    fact: str
    parameters: dict[str, Interval]
    values: dict[str, Any]

    def __str__(self) -> str:
        where = _shown(self.parameters)
        values = "; ".join(f"{k} in [{v[0]:.6g}, {v[1]:.6g}]" for k, v in self.values.items())
        return f"{self.name}: {self.fact}" + (f", for {where}" if where else "") + (f" ({values})" if values else "")


@dataclasses.dataclass(frozen=True)
class Failure:
    """What stopped a proof, and where.

    Attributes:
        step: existence, attraction, uniqueness or basin. reason: in words.
        refuted: the claim is proven to be false there; else the arithmetic could not decide.
        parameters: the sub-ranges that are left without a proof, as one hull; empty without parameters.
        box: the sub-box of augmented coordinates at which one of them failed. values: intervals there.
    """

    step: str
    reason: str
    refuted: bool
    parameters: dict[str, Interval]
    box: tuple[Interval, ...]
    values: dict[str, Any]

    def __str__(self) -> str:
        where = _shown(self.parameters)
        place = " x ".join(f"[{a:.6g}, {b:.6g}]" for a, b in self.box)
        values = "; ".join(f"{k} in [{v[0]:.6g}, {v[1]:.6g}]" for k, v in self.values.items())
        certainty = "disproved" if self.refuted else "undecided"
        text = f"{self.step} {certainty}" + (f" within {where}" if where else "") + f": {self.reason}"
        return text + (f", in {place}" if place else "") + (f" ({values})" if values else "")


@dataclasses.dataclass(frozen=True)
class Piece:
    """A sub-range of the parameters, and what is proven for it."""

    ranges: tuple[Range, ...]
    fixed: Array
    values: dict[str, Any]
    boxes: int = 0
    guess: float = 0.0
    ellipsoid: Ellipsoid | None = None


@dataclasses.dataclass(frozen=True, repr=False)
class Certificate(Result):
    """A proof by ball arithmetic, or the place where it failed.

    Attributes:
        game, rule: the pair; rule is None for the flow. box: of the search, (d, 2).
        parameters: ranges by name. proven: every step holds for all of them.
        unique: no other fixed point lies in the box. attracting: the fixed point is asymptotically stable.
        basin_radius: every start closer than this to the fixed point, with the rule's initial state, converges to it;
            0 where none is proven. fixed_point: intervals that hold it, (d, 2).
        steps: proven facts with interval values. failure: None, or what failed and where.
        pieces: sub-ranges of the parameters with their own ellipsoids.
    """

    game: Game
    rule: Rule | None
    box: Any
    parameters: dict[str, Interval]
    unique: bool
    attracting: bool
    basin_radius: float
    fixed_point: Any
    steps: tuple[Step, ...]
    failure: Failure | None
    pieces: tuple[Piece, ...]

    _plot = "certificate"

    @property
    def proven(self) -> bool:
        """Whether every step holds for all parameters."""
        return self.failure is None

    def summary(self) -> str:
        """The verdict, then the facts or the failure."""
        what = f"{'gradient flow' if self.rule is None else repr(self.rule)} on {self.game.name}"
        place = " x ".join(f"[{a:g}, {b:g}]" for a, b in self.box)
        where = _shown(self.parameters)
        head = f"{what}, box {place}" + (f", for all {where}" if where else "")
        if self.proven:
            lines = [f"PROVEN: {head}", f"  proven basin radius {self.basin_radius:.6g}"]
        else:
            lines = [f"NOT PROVEN: {head}", f"  {self.failure}"]
        return "\n".join([*lines, *(f"  {step}" for step in self.steps)])

    def to_dict(self) -> dict[str, Any]:
        """Verdict, radius, facts and failure as plain data."""
        data = {
            "game": self.game.name,
            "rule": None if self.rule is None else repr(self.rule),
            "box": self.box,
            "parameters": self.parameters,
            "proven": self.proven,
            "unique": self.unique,
            "attracting": self.attracting,
            "basin_radius": self.basin_radius,
            "fixed_point": self.fixed_point,
            "steps": [dataclasses.asdict(step) for step in self.steps],
            "failure": None if self.failure is None else dataclasses.asdict(self.failure),
        }
        result: dict[str, Any] = plain(data)
        return result

    def __repr__(self) -> str:
        return f"<Certificate {self.summary()}>"


def certify(
    game: Game,
    rule: Rule | None = None,
    at: Any = None,
    box: Any = None,
    parameters: Mapping[str, Any] | None = None,
    effort: int = 2000,
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
        game: smooth, unconstrained, deterministic, defined by symbols. rule: smooth, or None for the gradient flow.
        at: near the fixed point, shape (d,); the game's first known equilibrium by default.
        box: one (low, high) pair per coordinate; within 1 of the point by default.
        parameters: (low, high), or a number, by name: fields of the rule, and free symbols of game and rule.
        effort: boxes that one basin may take, about a millisecond each.

    Raises:
        NotDifferentiableError, DomainError: for what is not smooth, or changes with the step count.
        ParameterError: for a parameter without a range, or a range without a parameter.
        MissingDependencyError: without python-flint (`pip install "gandyn[proof]"`).

    Example (run by tests/test_certify.py, where python-flint is installed)::

        game = gd.games.dirac_gan(penalty=gd.penalties.R1("gamma"))
        proof = gd.certify(game, gd.rules.GDA("lr"), box=[(-0.5, 0.5)] * 2,
                           parameters={"lr": (0.1, 0.2), "gamma": (0.5, 1)})
        proof.proven, proof.basin_radius  # True, 0.5
    """
    spans = ranges(parameters)
    subject = system(game, rule, tuple(spans))
    values = {name: (float(low), float(high)) for name, (low, high) in spans.items()}
    point = _point(game, at, values)
    bounds = _bounds(game, point, box)
    proof = Proof(subject, point, bounds, effort)
    pieces, failure, unproven = proof.local(tuple(spans[name] for name in subject.parameters))
    reached = len(STEPS) if failure is None else STEPS.index(failure.step)
    if failure is None:
        pieces, failure = proof.basins(pieces)
    names = subject.parameters
    steps = tuple(step for piece in pieces for step in _facts(piece, names, unproven))
    done = failure is None
    return Certificate(
        subject.game,
        subject.rule,
        bounds,
        values,
        unique=reached > STEPS.index("uniqueness"),
        attracting=reached > STEPS.index("attraction"),
        basin_radius=min(p.ellipsoid.radius for p in pieces if p.ellipsoid) if done else 0.0,
        fixed_point=_hull([p.fixed[: game.dim] for p in pieces]),
        steps=steps,
        failure=failure,
        pieces=tuple(pieces),
    )


def _point(game: Game, at: Any, values: Mapping[str, Interval]) -> list[float]:
    if at is None:
        if not game.equilibria:
            raise ParameterError(
                f"no point at which to certify {game.name}", "a point", "at=gd.fixed_points(game)[0].point"
            )
        at = game.equilibria[0]
    if len(at) != game.dim:
        raise ParameterError(f"at={at!r}", f"{game.dim} coordinates for {game.name}", "at=(0, 0)")
    middle = {name: 0.5 * (low + high) for name, (low, high) in values.items()}
    return [
        float(e.subs({s: middle[str(s)] for s in e.free_symbols if str(s) in middle})) if is_symbolic(e) else float(e)
        for e in at
    ]


def _bounds(game: Game, point: Sequence[float], given: Any) -> Array:
    return _check_box(game, [(x - 1, x + 1) for x in point] if given is None else given)


def _shown(parameters: Mapping[str, Interval]) -> str:
    return ", ".join(f"{name} in [{low:.6g}, {high:.6g}]" for name, (low, high) in parameters.items())


def _named(spans: Sequence[Range], names: Sequence[str]) -> dict[str, Interval]:
    return {name: (float(low), float(high)) for name, (low, high) in zip(names, spans, strict=True)}


def _hull(groups: Sequence[Array]) -> Any:
    if not groups:
        return None
    intervals = np.array([[ends(b) for b in balls] for balls in groups])
    return np.stack([intervals[:, :, 0].min(0), intervals[:, :, 1].max(0)], axis=-1)


def _facts(piece: Piece, names: Sequence[str], unproven: bool) -> list[Step]:
    where = _named(piece.ranges, names)
    steps = [
        Step("existence", "exactly one fixed point lies in these intervals", where, piece.values["existence"]),
        Step("attraction", piece.values["how"], where, piece.values["attraction"]),
    ]
    if unproven:
        return steps
    steps.append(Step("uniqueness", f"no other fixed point in the box ({piece.boxes} sub-boxes)", where, {}))
    if piece.ellipsoid is not None:
        fact = f"every start within {piece.ellipsoid.radius:.6g} of the fixed point converges to it"
        steps.append(Step("basin", fact, where, {}))
    return steps


@dataclasses.dataclass
class Proof:
    """The steps of one certificate."""

    system: System
    point: list[float]
    bounds: Array
    effort: int
    used: int = 0

    def local(self, spans: tuple[Range, ...]) -> tuple[list[Piece], Failure | None, bool]:
        """Existence, attraction and uniqueness on pieces of the parameter ranges."""
        whole, stack, count = spans, [spans], 0
        proven: list[Piece] = []
        failed: list[tuple[tuple[Range, ...], str, Obstacle]] = []
        while stack:
            spans = stack.pop()
            count += 1
            found = self._piece(spans)
            if isinstance(found, Piece):
                proven.append(found)
                continue
            step, obstacle = found
            cut = None if obstacle.refuted or count + len(stack) >= MOST_PIECES else split(spans, whole)
            if cut is None:
                failed.append((spans, step, obstacle))
            else:
                stack += cut
        if not failed:
            return proven, None, False
        return proven, self._failure(failed), True

    def _failure(self, failed: Sequence[tuple[tuple[Range, ...], str, Obstacle]]) -> Failure:
        first = min(STEPS.index(step) for _, step, _ in failed)
        here = [(spans, obstacle) for spans, step, obstacle in failed if STEPS.index(step) == first]
        _, example = max(here, key=lambda item: item[1].refuted)
        lows = [min(s[k][0] for s, _, _ in failed) for k in range(len(self.system.parameters))]
        highs = [max(s[k][1] for s, _, _ in failed) for k in range(len(self.system.parameters))]
        where = _named(list(zip(lows, highs, strict=True)), self.system.parameters)
        return Failure(STEPS[first], example.reason, example.refuted, where, example.box, example.values)

    def _piece(self, spans: tuple[Range, ...]) -> Piece | tuple[str, Obstacle]:
        fixed = self.enclose(spans)
        if isinstance(fixed, Obstacle):
            return "existence", fixed
        p = _balls(spans)
        obstacle, how, values = self._attraction(fixed, spans)
        if obstacle is not None:
            return "attraction", obstacle
        low, high = self._augmented(fixed, p)
        if low is None:
            return "uniqueness", Obstacle("no bounded set of the rule's state was found", _ends(self.bounds))
        obstacle, boxes = unique(self.system, low, high, fixed, p)
        if obstacle is not None:
            return "uniqueness", obstacle
        existence = {name: ends(b) for name, b in zip(self.system.names, fixed, strict=True)}
        return Piece(spans, fixed, {"existence": existence, "how": how, "attraction": values}, boxes)

    def enclose(self, spans: tuple[Range, ...]) -> Array | Obstacle:
        """Balls around the fixed point for all parameters in the piece, inside the box."""
        guess = self.system.newton(self.point, [float(low + high) / 2 for low, high in spans])
        if guess is None:
            return Obstacle("Newton's method finds no fixed point near the given one", _ends(self.bounds))
        width = float((self.bounds[:, 1] - self.bounds[:, 0]).max())
        fixed = enclose(self.system, guess, _balls(spans), widest=width)
        if fixed is None:
            around = tuple((float(x), float(x)) for x in guess)
            return Obstacle("no box around the fixed point is mapped into itself by Krawczyk's operator", around)
        inside = all(a <= ends(b)[0] and ends(b)[1] <= c for b, (a, c) in zip(fixed, self.bounds, strict=False))
        if not inside:
            outside = any(ends(b)[1] < a or ends(b)[0] > c for b, (a, c) in zip(fixed, self.bounds, strict=False))
            reason = "the fixed point near the given one lies outside the box"
            return Obstacle(reason, tuple(ends(b) for b in fixed), refuted=outside)
        if self.still is not None and all(b.contains(e) for b, e in zip(fixed, self.still, strict=True)):
            return self.still
        return fixed

    @functools.cached_property
    def still(self) -> Array | None:
        """The fixed point, if it is rational and the same for all parameters."""
        return self.system.still(self.point)

    def deciding(self, spans: tuple[Range, ...]) -> list[list[Any]]:
        """Parameter values at which a convex bound decides for the whole piece: its corners, or all of it in one."""
        if self.still is None or not self.system.affine:
            return [_balls(spans)]
        corners = itertools.product(*(((a, a), (b, b)) if a < b else ((a, a),) for a, b in spans))
        return [_balls(corner) for corner in corners]

    def _attraction(self, fixed: Array, spans: tuple[Range, ...]) -> tuple[Obstacle | None, str, dict[str, Any]]:
        p = _balls(spans)
        slope = self.system.function.enclose(fixed, p)[1]
        if len(fixed) <= 2:
            how, conditions = _conditions(slope, self.system.flow)
            values = {name: ends(value) for name, value in conditions.items()}
            if all(value > 0 for value in conditions.values()):
                return None, how, values
            refuted = any(value <= 0 for value in conditions.values())
            reason = f"{how} do not hold" if refuted else f"{how} could not be decided"
            return Obstacle(reason, tuple(map(ends, fixed)), values, refuted), how, values
        middle = self.system.function.jacobian([float(b.mid()) for b in fixed], [float(b.mid()) for b in p])
        for transform in reversed(transforms(middle, self.system.flow)):
            decrease = Decrease.of(self.system, fixed, self.deciding(spans), transform)
            if decrease is not None and decrease.at_fixed_point():
                return None, "the derivative contracts in a quadratic norm", {}
        sizes = np.linalg.eigvals(middle)
        size = float(sizes.real.min()) if self.system.flow else float(np.abs(sizes).max())
        values = {"smallest real part" if self.system.flow else "spectral radius at the middle": (size, size)}
        reason = "no quadratic norm was found in which the derivative contracts"
        return Obstacle(reason, tuple(map(ends, fixed)), values), "", values

    def _augmented(self, fixed: Array, p: Sequence[Any]) -> tuple[Any, Any]:
        """The box with bounds for the rule's state: from its initial values on, it stays in them while w is inside."""
        d, w = self.system.game.dim, box(*self.bounds.T)
        states = [a.union(b) for a, b in zip(self.system.start.enclose(w, p)[0][d:], fixed[d:], strict=True)]
        for grow in range(400 if states else 1):
            moved = self.system.function.enclose(np.array([*w, *states, None], dtype=object)[:-1], p)[0][d:]
            if not all(m.is_finite() for m in moved):
                return None, None
            if all(s.contains(m) for s, m in zip(states, moved, strict=True)):
                limits = np.array([*self.bounds, *(ends(s) for s in states)])
                return limits[:, 0], limits[:, 1]
            states = [
                s.union(s.mid() + (m - s.mid()) * (1.05 if grow else 1)) for s, m in zip(states, moved, strict=True)
            ]
        return None, None

    def basins(self, pieces: list[Piece]) -> tuple[list[Piece], Failure | None]:
        """An ellipsoid for each piece; pieces with a small radius are cut while that may help."""
        spans = [piece.ranges for piece in pieces]
        whole = tuple((min(r[0] for r in column), max(r[1] for r in column)) for column in zip(*spans, strict=True))
        done = [self._basin(piece) for piece in pieces]
        while len(done) < MOST_PIECES and self.used < REFINING * self.effort:
            worst = min(range(len(done)), key=lambda k: _radius(done[k]))
            piece = done[worst]
            cut = split(piece.ranges, whole, FINEST / 16)
            if cut is None or _radius(piece) >= GOOD_SHARE * piece.guess > 0:
                break
            halves = [self._narrowed(piece, spans) for spans in cut]
            if any(half is None for half in halves):
                break
            done[worst : worst + 1] = [self._basin(half) for half in halves if half is not None]
        lost = [piece for piece in done if _radius(piece) <= 0]
        if not lost:
            return done, None
        reason = "no ellipsoid was found on which a quadratic function is proven to decrease"
        where = [(piece.ranges, "basin", Obstacle(reason, tuple(map(ends, piece.fixed)))) for piece in lost]
        return done, self._failure(where)

    def _narrowed(self, piece: Piece, spans: tuple[Range, ...]) -> Piece | None:
        fixed = self.enclose(spans)
        return None if isinstance(fixed, Obstacle) else dataclasses.replace(piece, ranges=spans, fixed=fixed)

    def _basin(self, piece: Piece) -> Piece:
        cases = self.cases(piece.ranges)
        most = min(
            min(ends(b)[0] - low, high - ends(b)[1]) for b, (low, high) in zip(piece.fixed, self.bounds, strict=False)
        )
        if not cases or most <= 0:
            return piece
        sampler = Sampler(self.system, [z for z, _ in cases], [values for _, values in cases], most)
        candidates = sampler.best(transforms(self.system.function.jacobian(*cases[0]), self.system.flow))
        best = dataclasses.replace(piece, guess=min(most, sampler.radius(candidates[0])) if candidates else 0.0)
        for transform in candidates[:3]:
            decrease = Decrease.of(self.system, piece.fixed, self.deciding(piece.ranges), transform)
            if decrease is None:
                continue
            ellipsoid, _, used = largest(decrease, sampler.level(transform), most, self.effort)
            self.used += used
            if ellipsoid is not None and ellipsoid.radius > _radius(best):
                best = dataclasses.replace(best, ellipsoid=ellipsoid)
            if _radius(best) >= GOOD_SHARE * best.guess:
                break
        return best

    def cases(self, spans: tuple[Range, ...]) -> list[tuple[Array, list[float]]]:
        """Fixed points in floats at the middle of a piece and at its ends."""
        middle = [float(low + high) / 2 for low, high in spans]
        corners = [middle]
        if any(low < high for low, high in spans):
            corners += [[float(low) for low, _ in spans], [float(high) for _, high in spans]]
            if len(spans) > 1:
                alternating = [[float(s[(k + first) % 2]) for k, s in enumerate(spans)] for first in (0, 1)]
                corners += alternating
        found = [(self.system.newton(self.point, values), values) for values in corners]
        return [(z, values) for z, values in found if z is not None]


def _radius(piece: Piece) -> float:
    return 0.0 if piece.ellipsoid is None else piece.ellipsoid.radius


def _balls(spans: Sequence[Range]) -> list[Any]:
    return [hull(low, high) for low, high in spans]


def _ends(bounds: Array) -> tuple[Interval, ...]:
    return tuple((float(low), float(high)) for low, high in bounds)


def split(
    spans: tuple[Range, ...], whole: tuple[Range, ...], finest: Fraction = FINEST
) -> list[tuple[Range, ...]] | None:
    """Two halves across the relatively widest range; None where all are as narrow as they may get."""
    shares = [(b - a) / (d - c) if d > c else Fraction(0) for (a, b), (c, d) in zip(spans, whole, strict=True)]
    if not shares or max(shares) <= finest:
        return None
    k = shares.index(max(shares))
    low, high = spans[k]
    middle = (low + high) / 2
    return [(*spans[:k], half, *spans[k + 1 :]) for half in ((low, middle), (middle, high))]


def _conditions(slope: Array, flow: bool) -> tuple[str, dict[str, Any]]:
    """Conditions for stability in one or two dimensions, factored so that wide intervals keep them sharp."""
    if len(slope) == 1:
        a = slope[0, 0]
        return ("the slope conditions", {"a": a}) if flow else ("the slope conditions", {"1-a": 1 - a, "1+a": 1 + a})
    (a, b), (c, d) = slope
    if flow:
        return "Routh and Hurwitz's conditions", {"a+d": a + d, "ad-bc": a * d - b * c}
    return "Jury's conditions", {
        "(1-a)(1-d)-bc": (1 - a) * (1 - d) - b * c,
        "(1+a)(1+d)-bc": (1 + a) * (1 + d) - b * c,
        "1-(ad-bc)": 1 - (a * d - b * c),
    }
