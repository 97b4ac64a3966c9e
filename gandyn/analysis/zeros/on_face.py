"""All zeros of w - P(w - v(w)), face by face of the feasible set, each marked as proven or not."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from ...budget import OutOfTimeError
from ...errors import DomainError
from ...lazy import sympy
from ...symbolic.intervals import IntervalFunction, enclosed
from ...symbolic.kinks import beside
from ...types import Array, Face
from ...types.signs import sign
from ...worlds import exact
from .closed_forms import affine_zero, radicals, rational_zero, reach, simplest_point
from .equations import Equations
from .exclusion import Enclosed, Search, search, undecided
from .kinks import at_kinks
from .solutions import Findings, Problem, Solution


def solve(problem: Problem, found: Findings) -> None:
    """Search every face of the feasible set, the interior first, and add solutions and obstacles to `found`."""
    for face in problem.faces():
        if problem.budget.out:
            found.obstacles.append(problem.budget.reason)
            break
        OnFace(problem, face, found).solve()


@dataclasses.dataclass(frozen=True)
class OnFace:
    """The search for solutions on one face, which adds what it finds to `found`."""

    problem: Problem
    face: Face
    found: Findings

    @functools.cached_property
    def unknowns(self) -> list[int]:
        """Indices of the free coordinates, without the last of each simplex's support, which the others determine."""
        last = {[k for k in s if self.face.sides[k] == 0][-1] for s in self.face.set.simplices}
        return [k for k in self.face.free if k not in last]

    @functools.cached_property
    def place(self) -> tuple[sympy.Expr, ...]:
        """Every coordinate of the game in terms of the unknowns on the face."""
        symbols, free = self.problem.symbols, self.unknowns
        place = {k: s if k in free else b for k, (s, b) in enumerate(zip(symbols, self.face.anchor, strict=True))}
        for simplex in self.face.set.simplices:
            support = [k for k in simplex if self.face.sides[k] == 0]
            place[support[-1]] = 1 - sympy.Add(*(symbols[k] for k in support[:-1]))
        return tuple(place[k] for k in range(len(symbols)))

    @functools.cached_property
    def equations(self) -> Equations:
        """v along the face, under the condition that multipliers and distances to bounds are not negative."""
        symbols = self.problem.symbols
        if self.face.set.unconstrained:
            return Equations(symbols, self.problem.field)
        at = {s: e for s, e in zip(symbols, self.place, strict=True) if s != e}
        v = [e.subs(at) for e in self._field]
        rows = tuple(sympy.sympify(e, strict=True) for e in self.face.reduced(v))
        pressing = [e for e in self.face.multipliers(v).values()]
        inside = [e for k, e in enumerate(self.place) if self.face.sides[k] == 0 and k not in self.unknowns]
        unknowns = tuple(symbols[k] for k in self.unknowns)
        return Equations(unknowns, rows, tuple(sympy.sympify(e, strict=True) for e in [*pressing, *inside]))

    @functools.cached_property
    def _field(self) -> tuple[sympy.Expr, ...]:
        """v, at a kink on an active bound the slope from inside the feasible set: the only one that counts there."""
        symbols, rows = self.problem.symbols, list(self.problem.field)
        for k in self.face.active:
            bound = {symbols[k]: self.face.anchor[k]}
            rows[k] = beside(rows[k], symbols[k], -self.face.sides[k], bound)
        return tuple(rows)

    def solve(self) -> None:
        """Solve exactly where v is affine along the face, else by intervals in a box or within bounds of all zeros."""
        equations = self.equations
        if not equations.symbols:
            self._keep((), None, None)
            return
        if equations.affine:
            point, only = affine_zero(equations)
            if only:
                self.found.arguments.add("v is affine" if self.face.set.unconstrained else "v is affine on the faces")
                if point is not None:
                    self._keep(point, None, None)
                return
            assert point is not None
            if self.problem.bounds is None and not self._bounded:
                self._known_points(None)
                self._keep(point, None, None)
                self.found.obstacles.append("v is affine and singular: its zeros fill a line or more")
                return
        box = self._box()
        if box is None:
            self._known_points(None)
            self.found.obstacles.append("no box was given: known equilibria and closed forms only")
            return
        try:
            self._search(equations, *box)
        except DomainError as error:
            self._known_points(None)
            self.found.obstacles.append(f"found by search: {error.given}")

    @property
    def _bounded(self) -> bool:
        limits = self.problem.limits(self.face) or []
        return all(a.is_finite and b.is_finite for k, (a, b) in enumerate(limits) if k in self.unknowns)

    def _box(self) -> tuple[list[sympy.Expr], list[sympy.Expr]] | None:
        """Where to search: the face in the box, or all that zeros of polynomials can reach."""
        if not self._bounded:
            far = self.problem.budget.run(lambda: reach(self.equations), "an elimination")
            if far is None:
                return None
            self.found.arguments.add("resultants bound all zeros")
            return [a for a, _ in far], [b for _, b in far]
        limits = self.problem.limits(self.face) or []
        return [limits[k][0] for k in self.unknowns], [limits[k][1] for k in self.unknowns]

    def _search(
        self, equations: Equations, low: list[Fraction | sympy.Expr], high: list[Fraction | sympy.Expr]
    ) -> None:
        known = self._on_this_face()
        starts = np.array([[float(p[k]) for k in self.unknowns] for p in known]).reshape(-1, len(self.unknowns))
        result = search(equations, low, high, self.problem.budget, starts)
        self.found.arguments.add("interval Newton")
        rational = [rational_zero(equations, zero.low, zero.high) for zero in result.zeros]
        forms = [*([p[k] for k in self.unknowns] for p in known), *self._radicals(rational)]
        for zero, form in zip(result.zeros, rational, strict=True):
            form = form or next((tuple(p) for p in forms if _holds(zero, p) and self._vanishes(p)), None)
            self._keep(form, zero, None)
        self._known_points(result)
        left = [hull for hull in result.open if not self._at_kinks(*hull)]
        for hull in left:
            self._undecided(result, *hull)
        if result.reason and (left or not result.open):
            settled = len(left) < len(result.open) and not self.problem.budget.out
            self.found.obstacles.append(undecided(left) if settled else result.reason)

    def _radicals(self, rational: Sequence[object]) -> list[tuple[sympy.Expr, ...]]:
        """Closed forms, given for each zero that was found its rational coordinates or None."""
        open_ = sum(form is None for form in rational)
        if not open_ or open_ == len(rational) == 3 or self.problem.budget.out:
            return []  # nothing to ask for, or roots of a cubic that radicals express by complex numbers only
        try:
            return self.problem.budget.run(lambda: radicals(self.equations), "a closed form")
        except OutOfTimeError:
            return []

    def _vanishes(self, point: Sequence[sympy.Expr]) -> bool:
        """Whether the equations hold exactly at exact values of the unknowns."""
        at = dict(zip(self.equations.symbols, point, strict=True))
        try:
            return self.problem.budget.run(
                lambda: all(sign(e.subs(at)) == 0 for e in self.equations.exact), "a check of a known point"
            )
        except (OutOfTimeError, TypeError):
            return False

    def _on_this_face(self) -> list[tuple[sympy.Expr, ...]]:
        feasible = self.face.set
        return [
            p for p in self.problem.known if feasible.contains(p) and feasible.face(p).sides == self.face.sides
        ]  # fmt: skip

    def _known_points(self, result: Search | None) -> None:
        """Known points that the search did not prove to be isolated, where they are zeros exactly."""
        for p in self._on_this_face():
            if not any(s.exact and _same(s.point, p) for s in self.found.solutions):
                unknowns = tuple(p[k] for k in self.unknowns)
                if (result is None or not any(_holds(z, unknowns) for z in result.zeros)) and self._vanishes(unknowns):
                    self._keep(unknowns, None, None)

    def _at_kinks(self, low: Array, high: Array) -> bool:
        """Whether an open part is decided by kinks of own costs, and its solutions are kept."""
        if self.face.set.simplices or self.problem.budget.out:
            return False
        at = {s: e for s, e in zip(self.problem.symbols, self.place, strict=True) if s != e}
        costs = [self.problem.costs[k].subs(at) for k in self.unknowns]
        found = at_kinks(self.equations, costs, low, high, self.problem.budget)
        for zero, form in found.zeros if found else ():
            self._keep(form, zero, None, tuple(self.unknowns[k] for k in found.unknowns) if found else ())
        return found is not None

    def _undecided(self, result: Search, low: Array, high: Array) -> None:
        """List one point of an open part: an exact zero, or one at which Newton's method came to rest, as unproven."""
        listed = (s.floats[self.unknowns] for s in self.found.solutions if s.face == self.face)
        if any(((p >= low) & (p <= high)).all() for p in listed):
            return
        form = simplest_point(low, high)
        if self._vanishes(form):
            self._keep(form, None, None)
            return
        margin = 1e-9 * (np.abs(high) + np.abs(low)) + (high - low)
        points = [p for p in result.resting if not any(_holds(z, p) for z in result.zeros)]
        inside = [p for p in points if ((p >= low - margin) & (p <= high + margin)).all()]
        if inside:
            self._keep(None, None, inside[0])

    def _keep(
        self,
        form: tuple[sympy.Expr, ...] | None,
        zero: Enclosed | None,
        unproven: Array | None,
        kinks: tuple[int, ...] = (),
    ) -> None:
        """Add a zero of v along the face, unless it lies outside the face or a multiplier is negative."""
        point: tuple[sympy.Expr, ...] | None = None
        if form is not None:
            middle = dict(zip(self.equations.symbols, form, strict=True))
            point = tuple(e.subs(middle) for e in self.place)
            ends = np.array([enclosed(x) for x in point])
        elif zero is not None:
            middle = dict(zip(self.equations.symbols, map(_number, zero.middle), strict=True))
            ends = self._filled(zero.ends)
        else:
            assert unproven is not None
            middle = dict(zip(self.equations.symbols, map(exact, unproven), strict=True))
            ends = self._filled(np.stack([unproven, unproven], axis=-1))
        inside, pressed = self._sides(point, ends), self._multipliers(point, ends)
        if inside is False or any(b < 0 for _, b in pressed.values()):
            return
        certain = inside is True and all(a >= 0 for a, _ in pressed.values())
        jumps = self._on_a_jump(ends)
        certain &= not jumps
        if not certain:
            place = ", ".join(f"{x:.10g}" for x in ends.mean(-1))
            why = "a cost jumps" if jumps else "a bound is touched or a multiplier vanishes"
            self.found.obstacles.append(f"undecided near ({place}): {why}")
            others = [s.enclosure if s.enclosure is not None else s.floats[:, None] for s in self.found.solutions]
            if any(((ends[:, 0] <= b.max(-1)) & (b.min(-1) <= ends[:, 1])).all() for b in others):
                return
        at = point or tuple(e.subs(middle) for e in self.place)
        proof = ends if certain and unproven is None else None
        self.found.solutions.append(Solution(at, point is not None, proof, self.face, pressed, kinks))

    def _on_a_jump(self, ends: Array) -> bool:
        """Whether a cost may jump within an enclosure: its derivative holds a delta there that no value stands for."""
        arguments = {delta.args[0] for e in self.problem.field for delta in e.atoms(sympy.DiracDelta)}
        low, high = IntervalFunction(self.problem.symbols, [*arguments])(ends[None, :, 0], ends[None, :, 1])
        return bool(((low <= 0) & (high >= 0)).any())

    def _filled(self, known: Array) -> Array:
        """An enclosure of the unknowns as one of all coordinates, shape (d, 2)."""
        low, high = IntervalFunction(self.equations.symbols, self.place)(known[None, :, 0], known[None, :, 1])
        ends = np.stack([low[0], high[0]], axis=-1)
        ends[self.unknowns] = known
        return ends

    def _sides(self, point: tuple[sympy.Expr, ...] | None, ends: Array) -> bool | None:
        """Whether the point lies inside the face and in the box; None where that is open.

        On the edge of the box, up to rounding, counts as in it; on the edge of the face belongs to another face.
        """
        if self.problem.bounds is not None:
            box = np.asarray(self.problem.bounds, dtype=float)
            if ((ends[:, 1] < box[:, 0]) | (ends[:, 0] > box[:, 1])).any():
                return False
            if point is not None and not all(
                sign(x - exact(a)) >= 0 and sign(exact(b) - x) >= 0
                for x, (a, b) in zip(point, self.problem.bounds, strict=True)
            ):
                return False
        answer: bool | None = True
        for k in self.face.free:
            for bound, direction in ((self.face.set.low[k], 1), (self.face.set.high[k], -1)):
                if not bound.is_finite:
                    continue
                if point is not None:
                    side = sign(direction * (point[k] - bound))
                else:
                    a, b = enclosed(bound)
                    gap = (ends[k, 0] - b, ends[k, 1] - a) if direction > 0 else (a - ends[k, 1], b - ends[k, 0])
                    side = 1 if gap[0] > 0 else -1 if gap[1] < 0 else 0
                    if side == 0:
                        answer = None
                        continue
                if side <= 0:
                    return False
        return answer

    def _multipliers(self, point: tuple[sympy.Expr, ...] | None, ends: Array) -> dict[int, tuple[float, float]]:
        """The multiplier of every active bound: exactly zero where the point is exact and it vanishes."""
        rows = list(self._field)
        at = dict(zip(self.problem.symbols, point or (), strict=False))
        for k in self.face.active if point is not None else ():
            rows[k] = beside(rows[k], self.problem.symbols[k], -self.face.sides[k], at)
        pressed, found = self.face.multipliers(rows), {}
        for k, e in pressed.items():
            if point is not None:
                value = e.subs(at)
                defined = value.is_comparable
                found[k] = (-np.inf, np.inf) if not defined else (0.0, 0.0) if sign(value) == 0 else enclosed(value)
            else:
                low, high = IntervalFunction(self.problem.symbols, [e])(ends[None, :, 0], ends[None, :, 1])
                found[k] = (float(low[0, 0]), float(high[0, 0]))
        return found


def _number(x: Fraction) -> sympy.Expr:
    return sympy.Rational(x.numerator, x.denominator)


def _holds(zero: Enclosed, point: Sequence[sympy.Expr]) -> bool:
    """Whether coordinates lie where the zero is proven to be the only one."""
    ends = [enclosed(exact(x)) for x in point]
    return zero.holds_alone([Fraction(a) for a, _ in ends], [Fraction(b) for _, b in ends])


def _same(p: Sequence[sympy.Expr], q: Sequence[sympy.Expr]) -> bool:
    return all(sign(a - b) == 0 for a, b in zip(p, q, strict=True))
