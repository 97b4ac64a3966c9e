"""The duality gap along trajectories, beside their distance to the equilibrium."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
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
    """The gaps along one trajectory; the three arrays have shape (T,)."""

    t: Array  # times, or numbers of steps
    gap: Array
    distance: Array  # Euclidean, to the equilibrium
    kind: str  # of the gaps: "exact", "lower" or "estimate", see `DualityGap`


@dataclasses.dataclass(frozen=True, repr=False)
class GapAlong(Result):
    """Gaps along trajectories of one game.

    Attributes:
        game: the game.
        equilibrium: the point from which distances are measured, shape (d,).
        method: the method of `gd.duality_gap` that measured the gaps.
        curves: a `GapCurve` for each trajectory, by label.
        note: the notes of all measurements, see `DualityGap`; may be empty.
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
    trajectories: Trajectory | Sequence[Trajectory] | Mapping[str, Trajectory],
    method: str = "exact",
    equilibrium: object = None,
    points: int = POINTS,
    budget: float | Budget | None = 300.0,
    **options: Any,
) -> GapAlong:
    """Measure the duality gap along trajectories, at points evenly spaced among those recorded.

    Args:
        trajectories: one result of `gd.iterate` or `gd.flow` with one start, a sequence of such results, or a mapping
            from labels to them; all of one game.
        method, options: passed to `gd.duality_gap`.
        equilibrium: a point, shape (d,); by default the game's first known equilibrium.
        points: at how many points of each trajectory the gap is measured.
        budget: seconds. Beyond them the call raises, without a partial answer.

    Returns:
        A `GapAlong`, whose `.curves` hold for each trajectory the gap and the distance to the equilibrium.

    Raises:
        OutOfTimeError: when the budget is spent.
        ParameterError: where no equilibrium is given or known, for trajectories of several starts, of one recorded
            point, or of different games.
        PointError: for an equilibrium of the wrong shape.

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
    for label, run in runs.items():
        if run.game is not game and _content(run.game) != _content(game):
            given = f"trajectories of different games, {game.name} and {run.game.name} ({label})"
            raise ParameterError(given, "trajectories of one game", "one call for each game")
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


def _content(game: Game) -> tuple[object, ...]:
    return game.name, game.symbols, game.exprs


def _labelled(trajectories: object) -> dict[str, Trajectory]:
    """The trajectories by label: by the rule's name where no label is given, numbered where a name comes twice."""
    if isinstance(trajectories, Mapping):
        return {str(label): trajectory(f"trajectories[{label!r}]", run) for label, run in trajectories.items()}
    runs: dict[str, Trajectory] = {}
    for given in trajectories if isinstance(trajectories, (list, tuple)) else [trajectories]:
        run = trajectory("trajectories", given)
        name = "gradient flow" if run.rule is None else run.rule.name
        runs[name if name not in runs else f"{name} #{len(runs) + 1}"] = run
    return runs
