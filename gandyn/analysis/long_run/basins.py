"""Basins of attraction: where each start ends, at an attractor, cycling, diverged, outside the box, or undecided."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable

import numpy as np

from ...arguments import box_array
from ...budget import Budget, OutOfTimeError
from ...doors import ensemble_door
from ...dynamics.kernels import Kernel
from ...dynamics.trace import update_map
from ...errors import GandynError, ParameterError
from ...results import Result
from ...symbolic.members import members_in
from ...types import Array, Game, Rule
from ..local.linearize import Verdict, linearize
from ..zeros.fixed_points import FixedPoints, fixed_points
from .basin_run import CYCLING, DIVERGED, LEFT, UNDECIDED, BasinRun, Ends, Started
from .ensembles import Gathered, basins_of_members

__all__ = ["CYCLING", "DIVERGED", "LABELS", "LEFT", "UNDECIDED", "Basins", "basins"]

MOST_AXES = 32  # of an array in NumPy
LABELS = {
    CYCLING: "cycling: it keeps moving and stays bounded, by the same amount in window after window of time",
    DIVERGED: "diverged: a coordinate overflowed",
    LEFT: "left the box, and was more than half its width outside at the last step",
    UNDECIDED: "undecided within the steps given",
}


@dataclasses.dataclass(frozen=True, repr=False)
class Basins(Result):
    """Where every start of a set ends.

    Attributes:
        game, rule: the pair.
        starts: shape (..., d).
        labels: shape (...), the attractor's index, or CYCLING, DIVERGED, LEFT, UNDECIDED (-1 to -4).
        attractors: points, shape (n, d).
        steps: the largest number of steps that a start was given.
        end: last points, shape (..., d); with `refine`, a start that was not run has its attractor, or the last point
            of the neighbour whose label it shares.
        periods: shape (...): p where a start ends on a periodic orbit of p steps, 0 elsewhere.
        complete: True if the attractors are proven to be all fixed points of the box that can attract, and every start
            reaches one or diverges. That each start ends as its label says is simulated, not proven.
        reason: how the attractors were found, and what is undecided.
    """

    game: Game
    rule: Rule
    starts: Array
    labels: Array
    attractors: Array
    steps: int
    end: Array
    periods: Array
    complete: bool
    reason: str

    _data = "game rule steps shares complete reason attractors labels=_legend"
    _plot = "basins"
    _legend = LABELS

    @property
    def shares(self) -> dict[str, float]:
        """The share of the starts with each label, in [0, 1]; attractors are named by their coordinates."""
        names = {i: f"attractor ({', '.join(f'{x:.6g}' for x in p)})" for i, p in enumerate(self.attractors)}
        names |= {k: text.split(":")[0].split(",")[0] for k, text in LABELS.items()}
        return {name: float(np.mean(self.labels == k)) for k, name in names.items() if (self.labels == k).any()}

    def summary(self) -> str:
        """Shares as percentages, periods, and whether the list of attractors is complete, as text."""
        shares = "; ".join(f"{name} {share:.2%}" for name, share in self.shares.items())
        counted = sorted(Counter(self.periods[self.periods > 0].tolist()).items())
        repeats = "".join(f"; period {p}: {n / np.size(self.labels):.2%}" for p, n in counted)
        what = f"{np.size(self.labels)} starts of {self._dynamics()}, {self.steps} steps"
        claim = "complete" if self.complete else "perhaps not all attractors"
        return f"{what}: {shares}{repeats}\n{claim}: {self.reason}"


@ensemble_door
def basins(
    game: Game,
    rule: Rule,
    grid: object,
    steps: int = 5000,
    attractors: object = None,
    tolerance: float = 1e-4,
    refine: bool = False,
    box: object = None,
    budget: float | Budget | None = 300.0,
) -> Basins:
    """Run a rule from every start, and label the start by how its orbit ends.

    The map runs as generated code. A start has arrived when it is within `tolerance` of an attractor and, where the
    rule has memory, stays there for 250 steps. Points where starts come to rest, and to which all of 16 starts around
    them return, are added to the attractors: so the corner solutions of constrained games are found. Other starts have
    left the box, or cycle, or are undecided. A start cycles if it moves on by the same amount in eight windows of 600
    steps; a slow spiral does not. Periodic orbits have their period in `.periods`.

    Of many starts (over 2 048), 512 run first. Where the map has no memory, orbits on which some of them cycle over the
    same range for 20 000 more steps end other starts too: a start that comes within 1e-3 half widths of such an orbit
    is labelled cycling.

    Args:
        game: a deterministic symbolic game.
        rule: the update rule, with numbers for all parameters.
            A parameter of either may be an array over the axes of the starts: each combination of values is run on its
            own, and all attractors are listed together.
        grid: one (low, high, n) per coordinate for a rectangular grid of shape (n_1, ..., n_d, d); or an array of
            starts of shape (..., d). In two dimensions a list of two increasing pairs is refused, as it may be meant as
            a box; `gd.iterate` and `gd.flow`, which take no box, read it as two starts.
        steps: the largest number of steps before a start is examined for cycling.
        attractors: points of shape (n, d); by default the fixed points in the box that attract under the rule.
        tolerance: distance at which a start counts as arrived, in units of the box's half width.
        refine: on a rectangular grid, compute every other point first, and take points between equal labels to have
            that label too.
        box: one (low, high) pair per coordinate, in which attractors are searched for and whose half widths are the
            units of length. By default that of the grid; for an array of starts their bounding box, in which a side
            without length is as long as the longest one (2 for a single start).
        budget: seconds; starts that have not ended by then are undecided.

    Returns:
        `Basins`: the `.attractors`, the index of its attractor or a label for every start in `.labels`, and `.shares`.

    Raises:
        ParameterError: for a grid or box that does not fit.
        DomainError: where the rule does not trace.

    Example:
        >>> import gandyn as gd
        >>> game, rule = gd.games.quadratic(1, 2, 1), gd.rules.Extragradient(0.2)
        >>> gd.basins(game, rule, [(-1, 1, 5), (-1, 1, 5)]).shares
        {'attractor (0, 0)': 1.0}
    """
    starts, own = _grid(game, grid)
    bounds = own if box is None else box_array(game, box)
    clock = Budget.of(budget)

    def alone(one: Game, its: Rule, points: Array) -> Gathered:
        kernel, initial = _kernel(one, its)
        if attractors is None:
            known, complete, reason = _attractors(one, its, bounds, clock)
        else:
            known, complete, reason = np.atleast_2d(np.asarray(attractors, dtype=float)), False, "attractors were given"
        run = BasinRun(kernel, initial, bounds, known, tolerance, steps, clock)
        return _gathered(run, points, refine, complete, reason)

    if not members_in(game, rule):
        return Basins(game, rule, steps=steps, **vars(alone(game, rule, starts)))
    if refine:
        raise ParameterError("refine=True beside arrays of parameters", "refine=False", "one value of each parameter")
    near = tolerance * (bounds[:, 1] - bounds[:, 0]) / 2
    return Basins(game, rule, steps=steps, **vars(basins_of_members(alone, game, rule, starts, near, clock)))


def _gathered(run: BasinRun, starts: Array, refine: bool, complete: bool, reason: str) -> Gathered:
    """How all starts end, with the points of rest that are added to the attractors; `complete`: these were all."""
    ends = _ended(run, starts, refine)
    more = run.rests(ends) if (ends.labels == UNDECIDED).any() and not run.budget.out else run.attractors[:0]
    if len(more):
        run = dataclasses.replace(run, attractors=np.concatenate([run.attractors, more]))
        open_ = ends.labels == UNDECIDED
        ends.labels[open_] = run.nearest(ends.points[open_])
        reason += f"; {len(more)} where starts come to rest, to which all of 16 starts around return"
    shape = starts.shape[:-1]
    labels = ends.labels.reshape(shape)
    undecided = int((labels == UNDECIDED).sum())
    reason += f"; {undecided} starts undecided" if undecided else ""
    reason = f"{run.budget.reason}; {reason}" if run.budget.out else reason
    everywhere = bool(((labels >= 0) | (labels == DIVERGED)).all())
    return Gathered(
        starts, labels, run.attractors, ends.points.reshape(starts.shape), ends.periods.reshape(shape),
        complete and everywhere and not len(more), reason,
    )  # fmt: skip


def _ended(run: BasinRun, starts: Array, refine: bool) -> Ends:
    d = starts.shape[-1]
    flat = starts.reshape(-1, d)
    run = run.with_orbits(flat)
    if refine and starts.ndim == d + 1 and all(n > 4 for n in starts.shape[:-1]):
        return _refined(run, starts)
    return run(flat)


def _grid(game: Game, grid: object) -> tuple[Array, Array]:
    if isinstance(grid, (tuple, list)) and len(grid) == game.dim and all(np.shape(axis) == (3,) for axis in grid):
        if not all(low < high and int(n) >= 1 for low, high, n in grid):
            raise ParameterError(f"grid={grid!r}", "(low, high, n) with low < high and n >= 1", "(-2, 2, 200)")
        if game.dim > MOST_AXES:
            needed = f"at most {MOST_AXES} coordinates"
            raise ParameterError(f"a rectangular grid of {game.dim} coordinates", needed, "an array of starts (..., d)")
        axes = [np.linspace(low, high, int(n)) for low, high, n in grid]
        mesh = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
        return mesh, np.array([(low, high) for low, high, _ in grid], dtype=float)
    if _like_a_box(game, grid):
        raise ParameterError(
            f"grid={grid!r}, which may be a box or two starts",
            "(low, high, n) for each coordinate, or starts as an array",
            f"[(low, high, 200), ...], or numpy.array({grid!r})",
        )
    try:
        starts = np.asarray(grid, dtype=float)
    except (TypeError, ValueError):  # what holds no numbers is refused as an array without coordinates
        starts = np.array(np.nan)
    if starts.ndim < 1 or starts.shape[-1] != game.dim or not np.isfinite(starts).all():
        raise ParameterError(
            f"a grid of shape {starts.shape}",
            f"{game.dim} triples (low, high, n), or finite starts of shape (..., {game.dim})",
            "[(-2, 2, 200)] * game.dim",
        )
    flat = starts.reshape(-1, game.dim)
    return starts, _around(flat)


def _like_a_box(game: Game, grid: object) -> bool:
    """Whether a list of pairs may be meant as (low, high) for each coordinate, as other functions take a box."""
    if not isinstance(grid, (tuple, list)) or not len(grid) == game.dim == 2:
        return False
    return all(isinstance(pair, (tuple, list)) and len(pair) == 2 and bool(pair[0] < pair[1]) for pair in grid)


def _around(starts: Array) -> Array:
    """The bounding box of starts; sides without length get the longest one's."""
    low, high = starts.min(0), starts.max(0)
    side = (high - low).max() or 2.0
    flat = high - low <= 1e-9 * side
    return np.stack([np.where(flat, low - side / 2, low), np.where(flat, high + side / 2, high)], axis=-1)


def _kernel(game: Game, rule: Rule) -> tuple[Kernel, Callable[[Array], Started]]:
    traced = update_map(game, rule)
    if traced.parameters:
        names = ", ".join(map(str, traced.parameters))
        raise ParameterError(f"basins while {names} has no value", "numbers", "set the parameter")

    def augmented(w: Array) -> Started:
        state = rule.init(game, w)
        leaves = [np.broadcast_to(array, (len(w), array.shape[-1])) for _, array in state.leaves()]
        return np.concatenate([w, *leaves], axis=-1), [float(c) for _, c in state.counter_leaves()]

    return traced.kernel(), augmented


def _attractors(game: Game, rule: Rule, box: Array, clock: Budget) -> tuple[Array, bool, str]:
    """Fixed points in the box that attract under the rule, whether these are proven to be all, and by what."""
    margin = 1e-9 * (box[:, 1] - box[:, 0])
    wide = list(zip((box[:, 0] - margin).tolist(), (box[:, 1] + margin).tolist(), strict=True))
    try:
        found = clock.run(lambda: fixed_points(game, box=wide), "the search for fixed points")
        kept, certain = clock.run(lambda: _attracting(game, rule, found), "the verdicts on fixed points")
    except OutOfTimeError:
        return np.empty((0, game.dim)), False, "no time to search for fixed points"
    except GandynError as error:
        return np.empty((0, game.dim)), False, f"no search for fixed points ({error.given})"
    return np.array(kept).reshape(-1, game.dim), bool(found.complete and certain), f"fixed points: {found.reason}"


def _attracting(game: Game, rule: Rule, found: FixedPoints) -> tuple[list[Array], bool]:
    """The points that attract or may, and whether every verdict was certain."""
    kept, certain = [], True
    for p in found:
        if p.kinks:  # steps jump over it: who passes near has not arrived, and who comes to rest there is seen to
            certain = False
            continue
        try:
            verdict = linearize(game, rule, at=p.point if p.exact is None else p.exact).verdict
        except GandynError:
            certain = False
            continue
        if verdict in (Verdict.ATTRACTING, Verdict.MARGINAL, Verdict.UNDECIDED):
            kept.append(p.point)
            certain &= verdict is Verdict.ATTRACTING
    return kept, certain


def _refined(run: BasinRun, starts: Array) -> Ends:
    """Every other point first; then points whose surrounding coarse labels differ; the rest by their neighbours."""
    shape, d = starts.shape[:-1], starts.shape[-1]
    coarse = tuple(slice(None, None, 2) for _ in shape)
    part = starts[coarse]
    first = run(part.reshape(-1, d))
    before = np.ravel_multi_index(np.meshgrid(*(np.arange(n) // 2 for n in shape), indexing="ij"), part.shape[:-1])
    ends = Ends(first.labels[before], first.points[before], first.periods[before])  # of the coarse point before each
    low, high = ends.labels.copy(), ends.labels.copy()
    for axis, n in enumerate(shape):
        for side, pick in ((low, np.minimum), (high, np.maximum)):
            ahead = np.take(side, np.minimum(np.arange(n) + 2, n - 1), axis=axis)
            behind = np.take(side, np.maximum(np.arange(n) - 2, 0), axis=axis)
            pick(side, pick(ahead, behind), out=side)
    known = np.zeros(shape, dtype=bool)
    known[coarse] = True
    rerun = ((low != high) | (ends.labels == UNDECIDED)) & ~known
    again = run(starts[rerun])
    ends.labels[rerun], ends.points[rerun], ends.periods[rerun] = again.labels, again.points, again.periods
    filled = ~rerun & ~known & (ends.labels >= 0)
    ends.points[filled] = run.attractors[ends.labels[filled]]
    return Ends(ends.labels.ravel(), ends.points.reshape(-1, d), ends.periods.ravel())
