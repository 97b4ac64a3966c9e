"""The path angle: the angle between the field and a straight path, which shows attraction and rotation at its end."""

from __future__ import annotations

import dataclasses
import enum

import numpy as np

from ...budget import Budget, in_time
from ...doors import door
from ...errors import DomainError, ParameterError
from ...results import Result
from ...types import Array, Batch, Game
from .operators import as_point

FAR = 0.08  # beyond this distance from the end point a position is beside it, in units of the path
COARSEST = 0.14  # the largest distance between positions, below 2 FAR: one at least lies within FAR of the end point


class Motion(enum.StrEnum):
    """What the path angle indicates about the field around the end of a path. The value is its own message."""

    ATTRACTION = "attraction: the angle's cosine changes sign at the end point, the field draws in along the path"
    REPULSION = "repulsion: the angle's cosine changes sign at the end point the other way, the field pushes away"
    ROTATION = "rotation: the angle's cosine has a bump at the end point and no change of sign"
    BOTH = "attraction and rotation: a change of sign with a bump beside it"
    NEITHER = "neither: no change of sign at the end point, and no bump"


@dataclasses.dataclass(frozen=True, repr=False)
class PathAngle(Result):
    """The field v along the path w_alpha = w0 + alpha (w1 - w0).

    Attributes:
        game: the game.
        positions: alpha, (points,).
        angle: cosine between v(w_alpha) and w1 - w0, (points,); 0 where v is zero.
        norm: |v(w_alpha)|, (points,).
        length: |w1 - w0|.
        switch: half the change of the cosine across alpha = 1, in [-1, 1]; 1 is pure attraction.
        bump: by how much the cosine within 0.08 of alpha = 1 leaves the interval between its means on both sides, in
            [0, 2]. A bump narrower than the distance between positions is not seen.
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
        """The kind of motion that `switch` and `bump` indicate; they count from 0.1 on."""
        if self.switch <= -0.1:
            return Motion.REPULSION
        if self.switch >= 0.1:
            return Motion.BOTH if self.bump >= 0.1 else Motion.ATTRACTION
        return Motion.ROTATION if self.bump >= 0.1 else Motion.NEITHER

    def summary(self) -> str:
        """The path's length, the field's norm at both ends, switch, bump and the kind of motion, as text."""
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
    """The angle between the field v and a straight path: cos(v(w), w1 - w0) and |v(w)| at points w from w0 to w1.

    Meant for the start w0 and the end w1 of a training run (Berard et al. 2020, section 4.2). Near an equilibrium w*,
    v = J (w - w*). If the path ends at w* and J is symmetric and positive, the cosine jumps from -1 to 1 across
    alpha = 1: attraction. If J is antisymmetric, v is at right angles to such a path and the cosine is 0; where the
    path passes w* at a small distance, the cosine has a bump instead: rotation. The motion is read off one path and is
    an indication, not a proof.

    Args:
        game: the game.
        w0, w1: start and end, (d,) each.
        points: number of positions alpha on the path.
        span: first and last alpha; w0 is at 0 and w1 at 1.
        batch: a batch token, used at every position; by default one drawn from `seed`.
        seed: of the batch.
        budget: seconds. Beyond them the call raises, without a partial answer.

    Returns:
        A `PathAngle`: `.angle` and `.norm` of the field along the path, and the kind of `.motion` that they show.

    Raises:
        OutOfTimeError: when the budget is spent.
        ParameterError: for equal ends, a span that does not contain [0.9, 1.05], fewer than 10 points, or positions
            more than 0.14 apart.
        DomainError: where the field is not finite on the path.

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
    if (span[1] - span[0]) / (points - 1) > COARSEST:
        needed = f"positions at most {COARSEST} apart, to see what happens at the end of the path"
        raise ParameterError(f"points={points} on span={span}", needed, f"points={int(10 * (span[1] - span[0])) + 2}")
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
            largest = float(v.abs().max())
            if not np.isfinite(largest):
                given = f"the field of {game.name}, which is not finite at alpha = {alpha:.4g}"
                raise DomainError(given, "a field along the whole path", "another end, or a shorter span")
            unit = v / largest if largest > 0 else v  # so that squares neither overflow nor vanish
            size = float(unit.norm())
            norms.append(largest * size)
            cosines.append(float(unit @ direction) / (size * length) if size > 0 else 0.0)
    angle = np.array(cosines)
    return PathAngle(game, positions, angle, np.array(norms), length, *_switch_and_bump(positions, angle))


def _switch_and_bump(positions: Array, angle: Array) -> tuple[float, float]:
    """Half the change of the mean cosine across 1, and how far the cosine near 1 leaves what lies between the means."""
    left, right = positions <= 1 - FAR, positions >= min(1 + FAR, positions[-1] - 1e-9)
    near_left = left & (positions >= 1 - 2 * FAR)
    before = float(angle[near_left if near_left.any() else left].mean())
    after = float(angle[right].mean())
    middle = angle[np.abs(positions - 1) <= FAR]
    low, high = min(before, after), max(before, after)
    bump = float(max((middle - high).max(initial=0.0), (low - middle).max(initial=0.0)))
    return (after - before) / 2, bump
