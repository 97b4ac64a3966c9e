"""Whether a cost with kinks has a minimum at a point: proved piece by piece from one-sided slopes, or left open."""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Sequence

import sympy

from ...types import Face
from ...types.signs import sign
from .one_sided import MOST_PIECES, Piece, Vector, along_ray, dot, generators, pieces

SOLVED = 1e-9


class Open(Exception):
    """Raised where the argument does not decide, with the reason in words."""


@dataclasses.dataclass(frozen=True)
class Beside:
    """What a cost does beside a point.

    Attributes:
        stationary: whether no feasible direction is downhill to first order; None where that is undecided.
        kind: 1 for a strict local minimum, -1 for no minimum, 0 where that is undecided.
        reason: the argument.
    """

    stationary: bool | None
    kind: int
    reason: str


class KinkedCost:
    """A cost near a point of a feasible set, as a function of displacements along the set's plane.

    Every point near u0 lies on one of finitely many smooth pieces f_s, within the constraints g_j >= 0 that bound the
    piece. Points with f <= f(u0) that come arbitrarily near would do so along a direction of the cone
    {d : Dg_j d >= 0, Df_s d <= 0} of one of the pieces. Where all these cones are {0}, u0 is a strict local minimum;
    where Df_s vanishes on one of them and its g_j are affine, it is one too if D^2 f_s is positive definite on the span
    of the cone.

    Args:
        cost: an expression in `own`.
        own: its symbols.
        place: the point u0, exact numbers.
        face: the face of the feasible set that holds it.
    """

    def __init__(self, cost: sympy.Expr, own: Sequence[sympy.Symbol], place: Sequence[sympy.Expr], face: Face) -> None:
        fixed = [side != 0 and k not in face.active for k, side in enumerate(face.sides)]
        columns = Face(face.set, tuple(-int(f) for f in fixed)).columns
        self.steps = tuple(sympy.Symbol(f"d{k}", real=True) for k in range(len(columns)))
        self.origin = _origin(self.steps)
        self.size = max(abs(float(x)) for x in place)
        moved = {
            s: x + sum(d * column[k] for d, column in zip(self.steps, columns, strict=True))
            for k, (s, x) in enumerate(zip(own, place, strict=True))
        }
        self.cost = sympy.sympify(cost, strict=True).xreplace(moved)
        self.bounds: list[Vector] = [
            tuple(sympy.Integer(-face.sides[k] * column[k]) for column in columns) for k in face.active
        ]

    @functools.cached_property
    def beside(self) -> Beside:
        """The verdict, from first and second derivatives of the pieces and from single rays."""
        if not self.steps:
            return Beside(True, 1, "no feasible direction")
        if not self.cost.free_symbols <= set(self.steps):
            return Beside(None, 0, "the own cost has free parameters")
        try:
            return _worst([self._part(group) for group in self._groups()])
        except Open as why:
            return Beside(None, 0, str(why))

    def _groups(self) -> list[tuple[sympy.Symbol, ...]]:
        """The steps that no term of the cost and no bound ties to each other: a sum is least where its parts are."""
        groups = [{s} for s in self.steps]
        terms = [term.free_symbols for term in sympy.Add.make_args(self.cost)]
        rows = [{s for s, x in zip(self.steps, row, strict=True) if x} for row in self.bounds]
        for tied in [*terms, *rows]:
            joined = [group for group in groups if group & tied]
            groups = [group for group in groups if not group & tied] + ([set().union(*joined)] if joined else [])
        return [tuple(s for s in self.steps if s in group) for group in groups]

    def _part(self, steps: tuple[sympy.Symbol, ...]) -> Beside:
        """The verdict in some of the steps, the others at 0."""
        cost = self.cost.xreplace({s: sympy.Integer(0) for s in self.steps if s not in steps})
        chosen = [k for k, s in enumerate(self.steps) if s in steps]
        bounds = [tuple(row[k] for k in chosen) for row in self.bounds if any(row[k] for k in chosen)]
        found = list(itertools.islice(pieces(cost, self.origin), MOST_PIECES + 1))
        if len(found) > MOST_PIECES:
            raise Open(f"more than {MOST_PIECES} smooth pieces of the own cost meet here")
        slopes = [self._slope(piece.cost, steps) for piece in found]
        small = SOLVED * max(*(abs(float(x)) for slope in slopes for x in slope), self._bent(found, steps))
        here = cost.xreplace(self.origin)
        near = _Near(cost, steps, small)
        verdicts = [Beside(True, 1, "the own cost goes uphill on every piece that meets here")]
        for piece, slope in zip(found, slopes, strict=True):
            cone = [*(self._slope(side, steps) for side in piece.sides), *bounds]
            rise = self._rise(piece, here)
            if rise < 0 and generators(cone, len(steps)) != ([], []):
                raise Open("the own cost jumps at the point")
            if rise == 0:
                verdicts.append(near.lowest(piece, cone, slope))
        return _worst(verdicts)

    def _bent(self, found: Sequence[Piece], steps: Sequence[sympy.Symbol]) -> float:
        """By how much slopes change over the size of the point's coordinates."""
        entries = [sympy.hessian(piece.cost, steps).xreplace(self.origin) for piece in found] if self.size else []
        return max((abs(float(x)) * self.size for matrix in entries for x in matrix if _is_number(x)), default=0.0)

    def _rise(self, piece: Piece, here: sympy.Expr) -> int:
        """The sign of the piece's value at the point less the cost there."""
        rise = piece.cost.xreplace(self.origin) - here
        if not _is_number(rise):
            raise Open("a piece of the own cost has no value here")
        return sign(rise)

    def _slope(self, e: sympy.Expr, steps: Sequence[sympy.Symbol]) -> Vector:
        slope = tuple(sympy.diff(e, s).xreplace(self.origin) for s in steps)
        if not all(map(_is_number, slope)):
            raise Open("the own cost has no finite slope on one of its pieces")
        return slope


@dataclasses.dataclass(frozen=True)
class _Near:
    """A cost near 0 in some steps; slopes of the size `small` are those of rounded coordinates."""

    cost: sympy.Expr
    steps: tuple[sympy.Symbol, ...]
    small: float

    def lowest(self, piece: Piece, cone: Sequence[Vector], slope: Vector) -> Beside:
        """What a piece does along the feasible directions that do not lead uphill to first order."""
        level = tuple(x if abs(float(x)) > self.small else sympy.Integer(0) for x in slope)
        found = generators([*cone, _turned(level)], len(self.steps))
        if found is None:
            raise Open("too many pieces and bounds of the own block meet here")
        lines, rays = found
        ways = [*lines, *map(_turned, lines), *rays]
        down = any(float(dot(level, way)) < -self.small for way in ways)
        tried = [way for way in [*ways, tuple(map(sum, zip(*rays, strict=True)))] if any(way)]
        if any(self._known(slope, way) and self._ray(way) == -1 for way in tried):
            return Beside(not down, -1, "the own cost falls along a direction from a kink")
        if down:
            return Beside(None, 0, "a piece of the own cost leads downhill, along no direction that was followed")
        if not ways or self._bowl(piece, slope, ways):
            return Beside(True, 1, "the own cost goes uphill on every piece that meets here")
        return Beside(True, 0, "to first order the own cost is flat along a direction, and higher orders are open")

    def _known(self, slope: Vector, way: Vector) -> bool:
        """Whether the slope along a direction is no matter of rounding: exactly 0, or not small."""
        value = dot(slope, way)
        return sign(value) == 0 or abs(float(value)) > self.small

    def _bowl(self, piece: Piece, slope: Vector, ways: Sequence[Vector]) -> bool:
        """Whether the piece goes uphill along all of a cone on which it is flat to first order."""
        if len(self.steps) == 1:
            return all(self._known(slope, way) and self._ray(way) == 1 for way in ways)
        if any(sympy.hessian(side, self.steps) != sympy.zeros(len(self.steps)) for side in piece.sides):
            return False
        hessian = sympy.hessian(piece.cost, self.steps).xreplace(_origin(self.steps))
        basis = sympy.Matrix.hstack(*sympy.Matrix.hstack(*map(sympy.Matrix, ways)).columnspace())
        along = basis.T * hessian * basis
        minors = (along[:k, :k].det() for k in range(1, along.rows + 1))
        return all(map(_is_number, along)) and all(sign(minor) > 0 for minor in minors)

    def _ray(self, way: Vector) -> int | None:
        """1, -1 or 0: what the cost does for small t > 0 along a direction; None where that is open."""
        return along_ray(
            self.cost, dict(zip(self.steps, way, strict=True)), dict.fromkeys(self.steps, sympy.Integer(0))
        )


def _origin(steps: Sequence[sympy.Symbol]) -> dict[sympy.Symbol, sympy.Integer]:
    return dict.fromkeys(steps, sympy.Integer(0))


def _worst(parts: Sequence[Beside]) -> Beside:
    """No minimum if one of them is none, else open if one of them is open."""
    worst = min(parts, key=lambda part: {-1: 0, 0: 1, 1: 2}[part.kind])
    known = False if any(part.stationary is False for part in parts) else None
    return dataclasses.replace(worst, stationary=True if all(part.stationary for part in parts) else known)


def _turned(way: Vector) -> Vector:
    return tuple(-x for x in way)


def _is_number(x: sympy.Expr) -> bool:
    """Whether it is a finite real number."""
    return bool(x.is_comparable and x.is_finite)
