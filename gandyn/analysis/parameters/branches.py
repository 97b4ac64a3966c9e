"""What following fixed points in a parameter returns: branches, the named points on them, and long-run values."""

from __future__ import annotations

import dataclasses
import enum

from ...results import Result
from ...types import Array, Game, Rule


class Kind(enum.StrEnum):
    """What happens at a bifurcation point. The value is its own message."""

    FOLD = "fold"
    TRANSCRITICAL = "transcritical"
    PITCHFORK = "pitchfork"
    BRANCH = "branch point"
    FLIP = "flip"
    NEIMARK_SACKER = "Neimark-Sacker"
    HOPF = "Hopf"
    UNDECIDED = "undecided"


@dataclasses.dataclass(frozen=True, repr=False)
class BifurcationPoint(Result):
    """A point of a branch at which an eigenvalue meets the stability boundary.

    Attributes:
        kind: a `Kind`.
        parameter: its value there.
        point: the game's coordinates, shape (d,).
        eigenvalues: at the point, complex.
        critical: those on the boundary.
        criticality: "supercritical" (what is born is stable where the other eigenvalues are), "subcritical", or None.
        coefficient: the number that decides it, or None.
        reason: the argument, or why a name or the criticality is left open.
    """

    kind: Kind
    parameter: float
    point: Array
    eigenvalues: Array
    critical: Array
    criticality: str | None
    coefficient: float | None
    reason: str

    def summary(self) -> str:
        """The name of the bifurcation, its place and its criticality, as text."""
        where = ", ".join(f"{x:.6g}" for x in self.point)
        sort = f"{self.criticality} " if self.criticality else ""
        return f"{sort}{self.kind.value} at {self.parameter:.10g}, ({where}): {self.reason}"


@dataclasses.dataclass(frozen=True)
class Branch:
    """A curve of fixed points, in order along it."""

    parameter: Array  # shape (n,)
    points: Array  # the game's coordinates, shape (n, d)
    eigenvalues: Array  # shape (n, D)
    stable: Array  # which points attract, shape (n,)
    ends: tuple[str, str]  # why it stops at its first and its last point


@dataclasses.dataclass(frozen=True, repr=False)
class Bifurcation(Result):
    """Branches of fixed points over a parameter, the bifurcations on them, and where orbits end up.

    Attributes:
        game, rule: the pair; rule is None for the flow.
        parameter: the name.
        values: the grid over which long-run values are given.
        branches: tuple of `Branch`.
        points: tuple of `BifurcationPoint`, sorted by parameter.
        attractor: long-run values of w, shape (len(values), samples, d); NaN where an orbit diverged.
        notes: what was not decided, in words.
        complete: whether it is proven that the box holds no other points; every point in it is then in an enclosure.
        reason: the argument, or why not.
    """

    game: Game
    rule: Rule | None
    parameter: str
    values: Array
    branches: tuple[Branch, ...]
    points: tuple[BifurcationPoint, ...]
    attractor: Array
    notes: tuple[str, ...]
    complete: bool = False
    reason: str = "branches were followed, and none is proven to be missing"

    _data = "game rule parameter values branches points notes complete reason"
    _plot = "bifurcation"

    def summary(self) -> str:
        """A text with one line for each bifurcation point and each note."""
        head = f"{self._dynamics()} over {self.parameter} from {self.values[0]:g} to {self.values[-1]:g}: "
        head += f"{len(self.branches)} branch{'' if len(self.branches) == 1 else 'es'}, {len(self.points)} bifurcations"
        whole = f"  {'complete' if self.complete else 'perhaps not all'}: {self.reason}"
        rows = [*(p.summary() for p in self.points), *self.notes]
        return "\n".join([head, *(f"  {row}" for row in rows), whole])
