"""The duality gap along trajectories, beside their distance to the equilibrium."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from ...arguments import given_or_known
from ...budget import Budget, in_time
from ...doors import door
from ...doors.players import trajectory
from ...errors import ParameterError, PointError
from ...results import Result, Trajectory
from ...types import Array, Game
from .measure import duality_gap

POINTS = 60


@dataclasses.dataclass(frozen=True)
class GapCurve:
    """One trajectory: its times t, gaps and distances to the equilibrium, each (T,); `kind` says what the gaps are."""

    t: Array
    gap: Array
    distance: Array
    kind: str


@dataclasses.dataclass(frozen=True, repr=False)
class GapAlong(Result):
    """Gaps along trajectories of one game.

    Attributes:
        game: the game.
        equilibrium: the point that distances are to.
        method: of `gd.duality_gap`.
        curves: label -> `GapCurve`.
        note: what readers should know of these gaps.
    """

    game: Game
    equilibrium: Array
    method: str
    curves: dict[str, GapCurve]
    note: str

    _plot = "gap_along"

    def summary(self) -> str:
        """The first and the last gap and distance of each trajectory, as text."""
        head = f"duality gap of {self.game.name} ({self.method}) along {len(self.curves)} trajectories"
        lines = [
            f"{label}: gap {c.gap[0]:.4g} -> {c.gap[-1]:.4g} ({c.kind}), distance {c.distance[0]:.4g} -> "
            f"{c.distance[-1]:.4g}"
            for label, c in self.curves.items()
        ]
        return "\n".join([head, *lines, *([self.note] if self.note else [])])


@door
@in_time
def gap_along(
    trajectories: Any,
    method: str = "exact",
    equilibrium: Any = None,
    points: int = POINTS,
    budget: float | Budget | None = 300.0,
    **options: Any,
) -> GapAlong:
    """Measure the gap at points of trajectories, evenly spaced among those recorded.

    Args:
        trajectories: one result of `gd.iterate` or `gd.flow` with one start, a sequence of them, or a dict from label.
        method, options: of `gd.duality_gap`.
        equilibrium: by default the game's first known one.
        points: how many points of each trajectory.
        budget: seconds, after which it ends undecided, without half an answer.

    Returns:
        A `GapAlong`: one of `.curves` for each trajectory, of the gap and of the distance to the equilibrium.

    Raises:
        OutOfTimeError: when the budget is spent.
        ParameterError: without an equilibrium, or for ensembles and single recorded points.

    Example:
        >>> import gandyn as gd
        >>> run = gd.iterate(gd.games.quadratic(1, 2, 1), gd.rules.Extragradient(0.1), [1.0, 1.0], 50)
        >>> float(gap_along(run).curves["Extragradient"].gap[0])
        5.0
    """
    runs = _labelled(trajectories)
    if not runs:
        raise ParameterError("no trajectories", "at least one", "gd.iterate(game, rule, start, 100)")
    game = next(iter(runs.values())).game
    known = given_or_known(game, equilibrium, "equilibrium=[0, 0]")
    if np.shape(known) != (game.dim,):
        raise PointError(f"equilibrium of shape {np.shape(known)}", f"({game.dim},), a point of {game.name}", "[0, 0]")
    rest = np.array([float(x) for x in known])
    curves, notes = {}, []
    for label, run in runs.items():
        w = np.asarray(run.w.detach().cpu() if hasattr(run.w, "detach") else run.w, dtype=float)
        if w.ndim != 2:
            raise ParameterError(
                f"the trajectory {label!r} of shape {w.shape}", f"(T, {game.dim}): one start, every step", "one start"
            )
        rows = np.unique(np.linspace(0, len(w) - 1, min(points, len(w))).round().astype(int))
        gap = duality_gap(game, w[rows], method, **options)
        curves[label] = GapCurve(
            np.asarray(run.t)[rows],
            np.asarray(gap.value, dtype=float),
            np.linalg.norm(w[rows] - rest, axis=-1),
            gap.kind,
        )
        notes.append(gap.note)
    return GapAlong(game, rest, method, curves, "; ".join(sorted({note for note in notes if note})))


def _labelled(trajectories: Any) -> dict[str, Trajectory]:
    """By label; by rule's name where none is given, counted where a name comes twice."""
    if isinstance(trajectories, Mapping):
        return {str(label): trajectory(f"trajectories[{label!r}]", run) for label, run in trajectories.items()}
    runs: dict[str, Trajectory] = {}
    single = not isinstance(trajectories, (list, tuple))
    for run in [trajectories] if single else trajectories:
        name = "gradient flow" if trajectory("trajectories", run).rule is None else run.rule.name
        runs[name if name not in runs else f"{name} #{len(runs) + 1}"] = run
    return runs
