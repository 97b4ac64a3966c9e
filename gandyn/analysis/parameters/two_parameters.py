"""What following the stability boundary in two parameters returns: curves, and the special points on them."""

from __future__ import annotations

import dataclasses

from ...lazy import sympy
from ...results import Result
from ...types import Array, Game, Rule
from .branches import Kind


@dataclasses.dataclass(frozen=True)
class BoundaryCurve:
    """An arc in the plane of two parameters on which an eigenvalue, or a pair, lies on the stability boundary."""

    # a `Kind`; FOLD stands for the eigenvalue 1 (0 for a flow). Where the equilibrium is there for all values of the
    # parameters that is a transcritical or pitchfork point
    kind: Kind
    # a polynomial in the two parameters that vanishes on the arc; None where the equilibrium moves and the arc was
    # followed
    condition: sympy.Expr | None
    points: Array  # in order along it, shape (n, 2)
    edge: bool  # whether the other eigenvalues lie on the stable side there, so that the arc bounds the stable set
    # of the normal form at `places` along the arc (see `gd.bifurcation`); NaN where it is undecided
    coefficients: Array
    places: Array  # shape (m, 2)
    # "supercritical", "subcritical", "both" where it changes along the arc, or None for undecided
    criticality: str | None
    # the game's coordinates at `points`, shape (n, d), where the equilibrium moves; None otherwise
    equilibria: Array | None = None


@dataclasses.dataclass(frozen=True)
class SpecialPoint:
    """A point of the plane at which two conditions hold at once (codimension two)."""

    name: str  # "1:1" to "1:4" for strong resonances of a map, "fold-flip", "cusp", "Bogdanov-Takens" and so on
    # the two parameters: exact expressions, or numbers where the equilibrium moves
    values: tuple[sympy.Expr | float, sympy.Expr | float]
    eigenvalues: Array  # those on the boundary, complex


@dataclasses.dataclass(frozen=True, repr=False)
class BifurcationCurves(Result):
    """The stability boundary of an equilibrium in the plane of two parameters, arc by arc, and its special points.

    Attributes:
        game, rule: the pair, with the two parameters free; rule is None for the flow.
        at: the equilibrium, shape (d,), in the parameters; empty where it is not known in closed form.
        parameters: their symbols.
        ranges: (low, high) of each.
        matrix: the linear part of the dynamics in the parameters, shape (D, D); None where the equilibrium moves.
        curves: tuple of `BoundaryCurve`.
        points: tuple of `SpecialPoint`.
        complete: whether all special points in the rectangle are listed.
        reason: the argument, or why not.
    """

    game: Game
    rule: Rule | None
    at: tuple[sympy.Expr, ...]
    parameters: tuple[sympy.Symbol, sympy.Symbol]
    ranges: tuple[tuple[float, float], tuple[float, float]]
    matrix: sympy.Matrix | None
    curves: tuple[BoundaryCurve, ...]
    points: tuple[SpecialPoint, ...]
    complete: bool
    reason: str

    _data = "game rule at parameters ranges curves points complete reason"
    _plot = "bifurcation_curves"

    def summary(self) -> str:
        """A text with one line for each arc and each special point."""
        p, q = self.parameters
        inside = " x ".join(f"[{low:g}, {high:g}]" for low, high in self.ranges)
        rows = [f"{self._subject()} over ({p}, {q}) in {inside}"]
        for curve in self.curves:
            ends = " to ".join(f"({x:.6g}, {y:.6g})" for x, y in curve.points[[0, -1]])
            sort = f"{curve.criticality} " if curve.criticality else ""
            edge = "bounds the stable set" if curve.edge else "another eigenvalue is unstable there"
            known = "" if curve.condition is None else f", {curve.condition} = 0"
            rows.append(f"  {sort}{curve.kind.value} from {ends}{known}: {edge}")
        for point in self.points:
            x, y = map(float, point.values)
            rows.append(f"  {point.name} at ({', '.join(map(str, point.values))}) = ({x:.6g}, {y:.6g})")
        return "\n".join([*rows, f"  {'complete' if self.complete else 'perhaps not all'}: {self.reason}"])
