"""Escape times: after how many steps each member of an ensemble leaves a ball or a box."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from ...arguments import given_or_known, positive
from ...budget import Budget, in_time
from ...doors import door
from ...errors import ParameterError, ShapeError
from ...results import Result, Trajectory
from ...types import Array, Game, Rule
from ..measured.regression import length

NUMBERS = 2_000_000


@dataclasses.dataclass(frozen=True, repr=False)
class EscapeTimes(Result):
    """For each member of an ensemble, the number of steps until it first left a region.

    Attributes:
        game, rule: the game and the rule that was run on it.
        region: the ball or box, in words.
        steps: the first step outside the region, shape (...) for starts (..., d); for members that never left, the
            last step that was run.
        escaped: whether the member left, shape (...). Where it did not, its time is censored: only a lower bound.
    """

    game: Game
    rule: Rule
    region: str
    steps: Array
    escaped: Array

    _data = "game rule region steps label=_labels median"
    _plot = "escape_times"

    @property
    def survival(self) -> tuple[Array, Array]:
        """(times, shares): the steps at which members left, (n,), and the share still inside after each, (n,).

        All members run for the same number of steps, so that censored ones do not bias the shares.
        """
        times = np.unique(self.steps[self.escaped])
        inside = [1 - float(np.sum(self.steps[self.escaped] <= t)) / self.steps.size for t in times]
        return times, np.array(inside)

    @property
    def median(self) -> float:
        """The first step by which half of the members have left; infinity where fewer than half did."""
        times = np.sort(np.where(self.escaped, self.steps, np.inf), axis=None)
        return float(times[(len(times) - 1) // 2])

    @property
    def _labels(self) -> Array:
        return np.where(self.escaped, "escaped", "censored")

    def summary(self) -> str:
        """How many members left, when, and how many are censored, as text."""
        n, left = self.steps.size, int(np.sum(self.escaped))
        lines = [f"{self._dynamics()}: {left} of {n} left {self.region}"]
        if left:
            times = self.steps[self.escaped]
            lines.append(f"first at step {times.min()}, half of all by {self.median:g}, last at {times.max()}")
        if left < n:
            lines.append(f"censored: {n - left} still inside after {int(self.steps[~self.escaped].max())} steps")
        return "\n".join(lines)


@door
@in_time
def escape_time(
    game: Game,
    rule: Rule,
    start: object,
    steps: int,
    radius: float | None = None,
    box: object = None,
    centre: object = None,
    rng: int = 0,
    budget: float | Budget | None = 300.0,
) -> EscapeTimes:
    """The number of steps after which each member of an ensemble leaves a ball or a box.

    A member that starts outside leaves at step 0, and one that overflows leaves at the step at which it does.

    Args:
        game, rule: the game, and the rule to run on it.
        start: points (..., d).
        steps: the largest number of steps.
        radius: radius of the ball; give either `radius` or `box`.
        box: one (low, high) pair per coordinate.
        centre: centre of the ball, shape (d,); by default the game's first known equilibrium.
        rng: seed of stochastic games.
        budget: seconds. Beyond them the call raises, without a partial answer.

    Returns:
        `EscapeTimes`: the `.steps` of every start, `.escaped`, the `.median` and the `.survival` curve.

    Raises:
        OutOfTimeError: when the budget is spent.
        ParameterError: unless exactly one region is given.
        ShapeError: for what does not fit the game.

    Example:
        >>> import gandyn as gd
        >>> found = gd.escape_time(gd.games.bilinear(), gd.rules.GDA(0.5), [[0.1, 0.0], [0.0, 0.9]], 15, radius=1.0)
        >>> found.steps.tolist(), found.escaped.tolist()
        ([15, 1], [False, True])
    """
    from ...dynamics.iterate import iterate

    if (radius is None) == (box is None):
        raise ParameterError("both or neither of radius and box", "one region", "radius=1.0")
    w = np.atleast_2d(np.asarray(start, dtype=float))
    game.check(w)
    outside, region = _region(game, radius, box, centre)
    w, shape = w.reshape(-1, game.dim), w.shape[:-1]
    found = np.full(len(w), -1)
    batch = max(1, NUMBERS // ((steps + 1) * game.dim))
    for k in range(0, len(w), batch):
        run = iterate(game, rule, w[k : k + batch], steps, rng=rng)
        out = outside(np.asarray(run.w)) | _stopped(run, steps)
        found[k : k + batch] = np.where(out.any(0), out.argmax(0), -1)
    escaped = (found >= 0).reshape(shape)
    return EscapeTimes(game, rule, region, np.where(found >= 0, found, steps).reshape(shape), escaped)


def _stopped(run: Trajectory, steps: int) -> Array:
    """Members that overflowed count as outside from the step at which they did."""
    last = np.where(run.diverged, np.asarray(run.steps) + 1, steps + 1)
    return np.arange(steps + 1)[:, None] >= last


def _region(game: Game, radius: float | None, box: object, centre: object) -> tuple[Callable[[Array], Array], str]:
    """Whether points (..., d) lie outside the box or the ball, as a function, and the region in words."""
    if box is not None:
        edges = np.asarray(box, dtype=float)
        if edges.shape != (game.dim, 2) or not (edges[:, 0] < edges[:, 1]).all():
            raise ShapeError(f"a box of shape {edges.shape}", f"({game.dim}, 2), low < high", "box=[(-1, 1)] * d")
        return (lambda w: ((w < edges[:, 0]) | (w > edges[:, 1])).any(-1)), f"the box {edges.tolist()}"
    size = positive("radius", radius, infinite=True)
    middle = np.array([float(x) for x in given_or_known(game, centre, "centre=[0.0, 0.0]")])
    if middle.shape != (game.dim,):
        raise ShapeError(f"a centre of shape {middle.shape}", f"({game.dim},)", "one number a coordinate")
    shown = ", ".join(f"{x:g}" for x in middle)
    return (lambda w: length(w - middle) > size), f"the ball of radius {size:g} about ({shown})"
