"""The path angle: how the field lies along a straight line between two points, and whether it draws in or turns."""

from __future__ import annotations

import dataclasses
import enum

import numpy as np

from ...budget import Budget, in_time
from ...doors import door
from ...errors import ParameterError
from ...results import Result
from ...types import Array, Batch, Game
from .operators import as_point

FAR = 0.08  # what counts as away from the end point, in units of the path


class Motion(enum.StrEnum):
    """What the field does around the end of a path. The value is its own message."""

    ATTRACTION = "attraction: the angle's cosine changes sign at the end point, the field draws in along the path"
    REPULSION = "repulsion: the angle's cosine changes sign at the end point the other way, the field pushes away"
    ROTATION = "rotation: the angle's cosine has a bump at the end point and no change of sign"
    BOTH = "attraction and rotation: a change of sign with a bump beside it"
    NEITHER = "neither: no change of sign at the end point, and no bump"


@dataclasses.dataclass(frozen=True, repr=False)
class PathAngle(Result):
    """The field along a path.

    Attributes:
        game: the game.
        positions: alpha, (points,).
        angle: cosine between v(w_alpha) and w1 - w0, (points,).
        norm: |v(w_alpha)|, (points,).
        length: |w1 - w0|.
        switch: half the change of the cosine across alpha = 1, in [-1, 1]; 1 is pure attraction.
        bump: how far the cosine beside alpha = 1 leaves what it is on both sides, in [0, 2].
    """

    game: Game
    positions: Array
    angle: Array
    norm: Array
    length: float
    switch: float
    bump: float

    _data = "game motion=motion.name positions angle norm length switch bump"
    _plot = "path_angle"

    @property
    def motion(self) -> Motion:
        """The kind of motion that switch and bump indicate; a value below 0.1 does not count."""
        if self.switch <= -0.1:
            return Motion.REPULSION
        if self.switch >= 0.1:
            return Motion.BOTH if self.bump >= 0.1 else Motion.ATTRACTION
        return Motion.ROTATION if self.bump >= 0.1 else Motion.NEITHER

    def summary(self) -> str:
        """The path's length, the norms of the field at both ends, and what the angle indicates, as text."""
        start, end = (int(np.abs(self.positions - a).argmin()) for a in (0, 1))
        return (
            f"path of length {self.length:.4g} on {self.game.name}: |v| {self.norm[start]:.4g} at its start, "
            f"{self.norm[end]:.4g} at its end\nswitch {self.switch:.3f}, bump {self.bump:.3f}\n{self.motion}"
        )


@door
@in_time
def path_angle(
    game: Game, w0: Array, w1: Array, points: int = 100, span: tuple[float, float] = (-0.1, 1.1), batch: Batch = None,
    seed: int = 0, budget: float | Budget | None = 300.0,
) -> PathAngle:  # fmt: skip
    """The angle between the field and a path: cos(v(w), w1 - w0) and |v(w)| at points w of the line from w0 to w1.

    For a good end w1 of training and its start w0 (Berard et al. 2020, section 4.2). Near an equilibrium v = J (w -
    w*). If the path ends right there and J is symmetric, the cosine jumps from -1 to 1 across alpha = 1: attraction.
    If J only turns, v stands across the path, the cosine is 0, and where the path passes w* at a distance it has a
    bump instead. Real networks show both, and the norm falls at alpha = 1.

    Args:
        game: the game.
        w0, w1: start and end, (d,) each.
        points: how many positions.
        span: first and last alpha.
        batch: a token; by default one drawn from `seed`, the same everywhere.
        seed: of the batch.
        budget: seconds, after which it ends undecided, without half an answer.

    Returns:
        A `PathAngle`: `.angle` and `.norm` of the field along the path, and the kind of `.motion` that they show.

    Raises:
        OutOfTimeError: when the budget is spent.
        ParameterError: for equal ends, a span that does not pass 1 by at least 0.05 on both sides, fewer than 10
            points.

    Example:
        >>> import gandyn as gd
        >>> game = gd.games.quadratic(1, 0, 1)
        >>> found = gd.path_angle(game, [1.0, 2.0], [0.0, 0.0])
        >>> found.motion.name, round(found.switch, 6)
        ('ATTRACTION', 1.0)
    """
    if points < 10 or not (span[0] <= 0.9 and span[1] >= 1.05):
        raise ParameterError(
            f"points={points}, span={span}", "at least 10 points, on both sides of 1", "points=100, span=(-0.1, 1.1)"
        )
    start, end = as_point(game, w0), as_point(game, w1)
    direction = end - start
    length = float(direction.norm())
    if not length > 0:
        raise ParameterError("a path from a point to itself", "two points", "w0=game.initial, w1=run.w")
    positions = np.linspace(*span, points)
    cosines, norms = [], []
    with game.undisturbed():
        token = game.draw(np.random.default_rng(seed)) if batch is None else batch
        for alpha in positions:
            v = game.field(start + float(alpha) * direction, token).detach()
            norms.append(float(v.norm()))
            cosines.append(float(v @ direction) / (norms[-1] * length) if norms[-1] > 0 else 0.0)
    angle = np.array(cosines)
    return PathAngle(game, positions, angle, np.array(norms), length, *_switch_and_bump(positions, angle))


def _switch_and_bump(positions: Array, angle: Array) -> tuple[float, float]:
    """Levels on both sides of 1, half their difference, and the largest excursion from between them in the middle."""
    left, right = positions <= 1 - FAR, positions >= min(1 + FAR, positions[-1] - 1e-9)
    near_left = left & (positions >= 1 - 2 * FAR)
    before = float(angle[near_left if near_left.any() else left].mean())
    after = float(angle[right].mean())
    middle = angle[np.abs(positions - 1) <= FAR]
    low, high = min(before, after), max(before, after)
    bump = float(max((middle - high).max(initial=0.0), (low - middle).max(initial=0.0)))
    return (after - before) / 2, bump
