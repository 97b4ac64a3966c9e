"""The steps of a certificate, on pieces of the parameter ranges that are cut where one proof does not reach."""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from ...symbolic.balls import Ball, hull
from ...types import Array
from ...worlds import object_vector
from .ball_matrices import box, ends
from .enclosures import Iterated, Range, System
from .facts import STEPS, Failure, Interval, Piece, named
from .krawczyk import Unproven, enclose, unique
from .proven_basin import Decrease, largest
from .shapes import Sampler, transforms

FINEST = Fraction(1, 64)
MOST_PIECES = 256
REFINING = 8
GOOD_SHARE = 0.8
LONGEST_TURN = 40
TURN_SHRINK = (1.0, 0.85, 0.6)


@dataclasses.dataclass
class Proof:
    """The steps of one certificate: existence, attraction, uniqueness and basin, for all parameters in the ranges.

    The point, shape (d,), and the bounds of the box, (d, 2), are in the system's units.
    """

    system: System
    point: list[float]
    bounds: Array
    effort: int
    used: int = 0

    @classmethod
    def over(cls, system: System, point: Sequence[float], box_: Array, spans: tuple[Range, ...], effort: int) -> Proof:
        """The proof in units of the box, given with the point in those of the game."""
        made = system.in_units(np.diff(box_)[:, 0] / 2, box(*box_.T), _balls(spans))
        return cls(made, list(np.asarray(point) * made.reach), box_ * made.reach[:, None], effort)

    def local(self, spans: tuple[Range, ...]) -> tuple[list[Piece], Failure | None, bool]:
        """Existence, attraction and uniqueness on pieces of the parameter ranges.

        Pieces on which only uniqueness failed are among those returned, with `unique` false: their point attracts.
        """
        whole, stack, count = spans, [spans], 0
        proven: list[Piece] = []
        failed: list[tuple[tuple[Range, ...], str, Unproven]] = []
        while stack:
            spans = stack.pop()
            count += 1
            piece, step, obstacle = self._piece(spans)
            refuted = obstacle is not None and obstacle.refuted
            cut = None if obstacle is None or refuted or count + len(stack) >= MOST_PIECES else split(spans, whole)
            if cut is None:
                proven += [] if piece is None else [piece]
                failed += [] if obstacle is None else [(spans, step, obstacle)]
            else:
                stack += cut
        if not failed:
            return proven, None, False
        return proven, self._failure(failed), True

    def _failure(self, failed: Sequence[tuple[tuple[Range, ...], str, Unproven]]) -> Failure:
        first = min(STEPS.index(step) for _, step, _ in failed)
        here = [(spans, obstacle) for spans, step, obstacle in failed if STEPS.index(step) == first]
        _, example = max(here, key=lambda item: item[1].refuted)
        lows = [min(s[k][0] for s, _, _ in failed) for k in range(len(self.system.parameters))]
        highs = [max(s[k][1] for s, _, _ in failed) for k in range(len(self.system.parameters))]
        where = named(list(zip(lows, highs, strict=True)), self.system.parameters)
        place = tuple(
            (a * unit, b * unit) for (a, b), unit in zip(example.box, self.system.units.tolist(), strict=False)
        )
        return Failure(STEPS[first], example.reason, example.refuted, where, place, example.values)

    def _piece(self, spans: tuple[Range, ...]) -> tuple[Piece | None, str, Unproven | None]:
        """(the piece where its point is proven to attract, the step that failed, why)."""
        fixed = self.enclose(spans)
        if isinstance(fixed, Unproven):
            return None, "existence", fixed
        p = _balls(spans)
        obstacle, how, values = self._attraction(fixed, spans)
        if obstacle is not None:
            return None, "attraction", obstacle
        existence = {name: ends(b) for name, b in zip(self.system.names, fixed, strict=True)}
        unbounded = Unproven("no bounded set of the rule's state was found", _ends(self.bounds))
        low, high = self._augmented(fixed, p)
        obstacle, boxes = unique(self.system, low, high, fixed, p) if low is not None else (unbounded, 0)
        values = {"existence": existence, "how": how, "attraction": values}
        return Piece(spans, fixed, values, boxes, unique=obstacle is None), "uniqueness", obstacle

    def enclose(self, spans: tuple[Range, ...]) -> Array | Unproven:
        """Balls around the fixed point for all parameters in the piece, inside the box."""
        guess = self.system.newton(self.point, [float(low + high) / 2 for low, high in spans])
        if guess is None:
            return Unproven("Newton's method finds no fixed point near the given one", _ends(self.bounds))
        width = float((self.bounds[:, 1] - self.bounds[:, 0]).max())
        fixed = enclose(self.system, guess, _balls(spans), widest=width)
        if fixed is None:
            around = tuple((float(x), float(x)) for x in guess)
            return Unproven("no box around the fixed point is mapped into itself by Krawczyk's operator", around)
        inside = all(a <= ends(b)[0] and ends(b)[1] <= c for b, (a, c) in zip(fixed, self.bounds, strict=False))
        if not inside:
            outside = any(ends(b)[1] < a or ends(b)[0] > c for b, (a, c) in zip(fixed, self.bounds, strict=False))
            reason = "the fixed point near the given one lies outside the box"
            return Unproven(reason, tuple(ends(b) for b in fixed), refuted=outside)
        if self.rational_fixed_point is not None and all(
            b.contains(e) for b, e in zip(fixed, self.rational_fixed_point, strict=True)
        ):
            return self.rational_fixed_point
        return fixed

    @functools.cached_property
    def rational_fixed_point(self) -> Array | None:
        """The fixed point, if it is rational and the same for all parameters."""
        return self.system.fixed_point_at(self.point)

    def parameter_cases(self, spans: tuple[Range, ...]) -> list[list[Ball]]:
        """Parameter values at which a convex bound decides for a whole part of the ranges.

        These are the corners of the part where that is enough, and one case that holds the whole part otherwise.
        """
        if self.rational_fixed_point is None or not self.system.affine:
            return [_balls(spans)]
        corners = itertools.product(*(((a, a), (b, b)) if a < b else ((a, a),) for a, b in spans))
        return [_balls(corner) for corner in corners]

    def _attraction(self, fixed: Array, spans: tuple[Range, ...]) -> tuple[Unproven | None, str, dict[str, Ball]]:
        p = _balls(spans)
        slope = self.system.function.enclose(fixed, p)[1]
        if len(fixed) <= 2:
            how, conditions = _conditions(slope, self.system.flow)
            values = {name: ends(value) for name, value in conditions.items()}
            if all(value > 0 for value in conditions.values()):
                return None, how, values
            refuted = any(value < 0 for value in conditions.values())
            reason = f"{how} do not hold" if refuted else f"{how} could not be decided"
            if not refuted and any(value <= 0 for value in conditions.values()):
                reason = f"{how} hold with equality at best: the linear part does not decide, and only it is certified"
            return Unproven(reason, tuple(map(ends, fixed)), values, refuted), how, values
        middle = self.system.function.jacobian([float(b.mid()) for b in fixed], [float(b.mid()) for b in p])
        for transform in reversed(transforms(middle, self.system.flow, self.system.units)):
            decrease = Decrease.of(self.system, fixed, self.parameter_cases(spans), transform)
            if decrease is not None and decrease.at_fixed_point():
                return None, "the derivative contracts in a quadratic norm", {}
        sizes = np.linalg.eigvals(middle)
        size = float(sizes.real.min()) if self.system.flow else float(np.abs(sizes).max())
        values = {"smallest real part" if self.system.flow else "spectral radius at the middle": (size, size)}
        reason = "no quadratic norm was found in which the derivative contracts"
        return Unproven(reason, tuple(map(ends, fixed)), values), "", values

    def _augmented(self, fixed: Array, p: Sequence[object]) -> tuple[Array, Array]:
        """The box with bounds for the rule's state: from its initial values on, it stays in them while w is inside."""
        d, w = self.system.game.dim, box(*self.bounds.T)
        states = [a.union(b) for a, b in zip(self.system.start.enclose(w, p)[0][d:], fixed[d:], strict=True)]
        for grow in range(400 if states else 1):
            moved = self.system.function.enclose(object_vector([*w, *states]), p)[0][d:]
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
            worst = min(range(len(done)), key=lambda k: done[k].radius)
            piece = done[worst]
            cut = split(piece.ranges, whole, FINEST / 16)
            if cut is None or piece.radius >= GOOD_SHARE * piece.guess > 0:
                break
            halves = [self._narrowed(piece, spans) for spans in cut]
            if any(half is None for half in halves):
                break
            done[worst : worst + 1] = [self._basin(half) for half in halves if half is not None]
        lost = [piece for piece in done if piece.radius <= 0]
        if not lost:
            return done, None
        reason = "no ellipsoid was found on which a quadratic function is proven to decrease"
        where = [(piece.ranges, "basin", Unproven(reason, tuple(map(ends, piece.fixed)))) for piece in lost]
        return done, self._failure(where)

    def _narrowed(self, piece: Piece, spans: tuple[Range, ...]) -> Piece | None:
        fixed = self.enclose(spans)
        return None if isinstance(fixed, Unproven) else dataclasses.replace(piece, ranges=spans, fixed=fixed)

    def _basin(self, piece: Piece) -> Piece:
        self.used += self.effort // 10  # what the search for a shape costs, in boxes
        cases = self.cases(piece.ranges)
        sides = zip(piece.fixed, self.bounds, self.system.units, strict=False)
        most = min(unit * min(ends(b)[0] - low, high - ends(b)[1]) for b, (low, high), unit in sides)
        if not cases or most <= 0:
            return piece
        sampler = Sampler(self.system, [z for z, _ in cases], [values for _, values in cases], most)
        slope, units = self.system.function.jacobian(*cases[0]), self.system.units
        shapes, wide = transforms(slope, self.system.flow, units), sampler.widest()
        candidates = sampler.best([*wide, *shapes], polish=not wide)
        best = dataclasses.replace(piece, guess=min(most, sampler.radius(candidates[0])) if candidates else 0.0)
        for transform in candidates[:2]:
            decrease = Decrease.of(self.system, piece.fixed, self.parameter_cases(piece.ranges), transform)
            if decrease is None:
                continue
            ellipsoid, _, used = largest(decrease, *sampler.guess(transform), most, self.effort)
            self.used += used
            if ellipsoid is not None and ellipsoid.radius > best.radius:
                best = dataclasses.replace(best, ellipsoid=ellipsoid)
            if best.radius >= 0.5 * best.guess:
                break
        steps = self._turning(cases)
        if steps and best.radius < GOOD_SHARE * most:
            best = self._over_turn(best, cases, most, steps)
        return best

    def _turning(self, cases: Sequence[tuple[Array, list[float]]]) -> int:
        """Steps of half a turn around the fixed point of a planar map; 0 where it does not spiral slowly."""
        if self.system.flow or len(self.system.names) != 2:
            return 0
        angle = float(np.abs(np.angle(np.linalg.eigvals(self.system.function.jacobian(*cases[0])))).max())
        steps = round(np.pi / max(angle, 1e-9))
        return steps if 3 <= steps <= LONGEST_TURN else 0

    def _over_turn(self, piece: Piece, cases: Sequence[tuple[Array, list[float]]], most: float, steps: int) -> Piece:
        """The piece with a larger ellipsoid, where a function that falls over half a turn reaches further.

        V(F^k(z)) < V(z) on the ellipsoid brings every k-th iterate to the fixed point, and by continuity all between.
        """
        whole = dataclasses.replace(self.system, function=Iterated(self.system.function, steps))
        sampler = Sampler(whole, [z for z, _ in cases], [values for _, values in cases], most)
        candidates = sampler.best(transforms(whole.function.jacobian(*cases[0]), False, whole.units))
        if not candidates or sampler.radius(candidates[0]) < 1.2 * piece.radius:
            return piece
        decrease = Decrease.of(whole, piece.fixed, [_balls(piece.ranges)], candidates[0])
        if decrease is None:
            return piece
        ellipsoid, _, used = largest(decrease, *sampler.guess(candidates[0]), most, self.effort, TURN_SHRINK)
        self.used += used * steps
        if ellipsoid is None or ellipsoid.radius <= piece.radius:
            return piece
        guess = max(piece.guess, sampler.radius(candidates[0]))
        return dataclasses.replace(piece, ellipsoid=dataclasses.replace(ellipsoid, steps=steps), guess=guess)

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


def _balls(spans: Sequence[Range]) -> list[Ball]:
    return [hull(low, high) for low, high in spans]


def _ends(bounds: Array) -> tuple[Interval, ...]:
    return tuple((float(low), float(high)) for low, high in bounds)


def split(
    spans: tuple[Range, ...], whole: tuple[Range, ...], finest: Fraction = FINEST
) -> list[tuple[Range, ...]] | None:
    """The two halves of a part of the parameter ranges, cut across its relatively widest range.

    Widths are compared with the `whole` ranges, of which a part has at least the share `finest`. None where every range
    is as narrow as it may become.
    """
    shares = [(b - a) / (d - c) if d > c else Fraction(0) for (a, b), (c, d) in zip(spans, whole, strict=True)]
    if not shares or max(shares) <= finest:
        return None
    k = shares.index(max(shares))
    low, high = spans[k]
    middle = (low + high) / 2
    return [(*spans[:k], half, *spans[k + 1 :]) for half in ((low, middle), (middle, high))]


def _conditions(slope: Array, flow: bool) -> tuple[str, dict[str, Ball]]:
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
