"""Basins of attraction: which start ends where; cycling, diverged, left and undecided are labels of their own."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..doors import door
from ..dynamics.kernels import Kernel
from ..dynamics.trace import update_map
from ..errors import DomainError, ParameterError
from ..results import Result, plain
from ..types import Array, Game, Rule
from .fixed_points import fixed_points
from .linearize import Verdict, linearize

CYCLING, DIVERGED, LEFT, UNDECIDED = -1, -2, -3, -4
LABELS = {
    CYCLING: "cycling: it keeps moving and stays bounded, over the same range in two windows of time",
    DIVERGED: "diverged: a coordinate overflowed",
    LEFT: "left the box, and had not come back at the last step",
    UNDECIDED: "undecided within the steps given",
}
ROUND = 250
# The test for cycling: ranges over two windows of steps agree to SAME_RANGE and do not nest by more than STEADY.
WINDOW, EVERY, BLOCK = 600, 3, 16384
SAME_RANGE, STEADY = 0.01, 1e-3
# Many starts: a few run first; orbits on which they are still cycling after LONGER steps label those that come NEAR.
PILOTS, ORBITS, LONGER, NEAR = 512, 8, 20000, 1e-3


@dataclasses.dataclass(frozen=True, repr=False)
class Basins(Result):
    """Where every start of a set ends.

    Attributes:
        game, rule: the pair.
        starts: shape (..., d). labels: shape (...), the attractor's index, or CYCLING, DIVERGED, LEFT, UNDECIDED
            (-1 to -4).
        attractors: points, shape (n, d).
        steps: the most that a start was given. end: last points, shape (..., d).
    """

    game: Game
    rule: Rule
    starts: Any
    labels: Any
    attractors: Any
    steps: int
    end: Any

    _plot = "basins"

    @property
    def shares(self) -> dict[str, float]:
        """Share of the starts by label, attractors by their coordinates."""
        names = {i: f"attractor ({', '.join(f'{x:.6g}' for x in p)})" for i, p in enumerate(self.attractors)}
        names |= {k: text.split(":")[0].split(",")[0] for k, text in LABELS.items()}
        return {name: float(np.mean(self.labels == k)) for k, name in names.items() if (self.labels == k).any()}

    def summary(self) -> str:
        """Shares as percentages."""
        shares = "; ".join(f"{name} {share:.2%}" for name, share in self.shares.items())
        return f"{np.size(self.labels)} starts of {self.rule!r} on {self.game.name}, {self.steps} steps: {shares}"

    def to_dict(self) -> dict[str, Any]:
        """Attractors, label texts, shares."""
        data = {"game": self.game.name, "rule": repr(self.rule), "steps": self.steps, "shares": self.shares}
        result: dict[str, Any] = plain(data | {"attractors": self.attractors, "labels": LABELS})
        return result


@door
def basins(
    game: Game,
    rule: Rule,
    grid: Any,
    steps: int = 5000,
    attractors: Any = None,
    tolerance: float = 1e-4,
    refine: bool = False,
) -> Basins:
    """Label every start by what becomes of it under a rule.

    The map runs as generated code in rounds; a start leaves the run as soon as it is within `tolerance` of an
    attractor. What is left at the end has left the box, or cycles (it moves over the same range in two consecutive
    windows, having come near no attractor), or is undecided.

    Of many starts (over 2 048), 512 run first. Where the map has no memory, orbits on which some of them cycle, for
    20 000 steps more and over the same range, are attractors too: a start leaves the run within 1e-3 half widths of
    one, and is labelled cycling. A million starts so cost little more than their way to the attractors.

    Args:
        game: a deterministic symbolic game. rule: the update rule, with numbers for all parameters.
        grid: one (low, high, n) per coordinate for a rectangular grid of shape (n_1, ..., n_d, d); or an array of
            starts of shape (..., d).
        steps: the most that a start is given.
        attractors: points of shape (n, d); by default the fixed points in the grid's box that attract under the rule.
        tolerance: distance at which a start counts as arrived, in units of the box's half width.
        refine: on a rectangular grid, compute every other point first, and points between equal labels not at all.

    Raises:
        ParameterError: for a grid that does not fit. DomainError: where the rule does not trace.

    Example:
        >>> import gandyn as gd
        >>> game, rule = gd.games.quadratic(1, 2, 1), gd.rules.Extragradient(0.2)
        >>> gd.basins(game, rule, [(-1, 1, 5), (-1, 1, 5)]).shares
        {'attractor (0, 0)': 1.0}
    """
    starts, box = _grid(game, grid)
    kernel, initial = _kernel(game, rule)
    points = _attractors(game, rule, box) if attractors is None else np.atleast_2d(np.asarray(attractors, dtype=float))
    run = _Run(kernel, initial, box, points, tolerance, steps)
    run = run.with_orbits(starts.reshape(-1, game.dim))
    if refine and starts.ndim == game.dim + 1 and all(n > 4 for n in starts.shape[:-1]):
        labels, end = _refined(run, starts)
    else:
        labels, end = run(starts.reshape(-1, game.dim))
    shape = starts.shape[:-1]
    return Basins(game, rule, starts, labels.reshape(shape), points, steps, end.reshape(starts.shape))


def _grid(game: Game, grid: Any) -> tuple[Array, Array]:
    if isinstance(grid, (tuple, list)) and len(grid) == game.dim and all(np.shape(axis) == (3,) for axis in grid):
        if not all(low < high and int(n) >= 1 for low, high, n in grid):
            raise ParameterError(f"grid={grid!r}", "(low, high, n) with low < high and n >= 1", "(-2, 2, 200)")
        axes = [np.linspace(low, high, int(n)) for low, high, n in grid]
        mesh = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
        return mesh, np.array([(low, high) for low, high, _ in grid], dtype=float)
    starts = np.asarray(grid, dtype=float)
    if starts.ndim < 1 or starts.shape[-1] != game.dim or not np.isfinite(starts).all():
        raise ParameterError(
            f"a grid of shape {starts.shape}",
            f"{game.dim} triples (low, high, n), or finite starts of shape (..., {game.dim})",
            "[(-2, 2, 200)] * game.dim",
        )
    flat = starts.reshape(-1, game.dim)
    return starts, np.stack([flat.min(0), flat.max(0)], axis=-1)


def _kernel(game: Game, rule: Rule) -> tuple[Kernel, Any]:
    traced = update_map(game, rule)
    if traced.parameters:
        names = ", ".join(map(str, traced.parameters))
        raise ParameterError(f"basins while {names} has no value", "numbers", "set the parameter")

    def augmented(w: Array) -> tuple[Array, list[float]]:
        state = rule.init(game, w)
        leaves = [np.broadcast_to(array, (len(w), array.shape[-1])) for _, array in state.leaves()]
        return np.concatenate([w, *leaves], axis=-1), [float(c) for _, c in state.counter_leaves()]

    return traced.kernel(), augmented


def _attractors(game: Game, rule: Rule, box: Array) -> Array:
    wide = [(low - 1e-9, high + 1e-9) if low < high else (low - 1, high + 1) for low, high in box]
    found = fixed_points(game, box=wide)
    kept = []
    for p in found:
        try:
            verdict = linearize(game, rule, at=p.point if p.exact is None else p.exact).verdict
        except DomainError:
            continue
        if verdict in (Verdict.ATTRACTING, Verdict.MARGINAL, Verdict.UNDECIDED):
            kept.append(p.point)
    return np.array(kept).reshape(-1, game.dim)


@dataclasses.dataclass(frozen=True)
class _Run:
    kernel: Kernel
    initial: Any
    box: Array
    attractors: Array
    tolerance: float
    steps: int
    orbits: Any = None

    def with_orbits(self, w: Array) -> _Run:
        """The same run with a tree of the points of orbits on which pilots among the starts cycle, if some do."""
        if len(w) <= 4 * PILOTS or self.kernel.program.size > w.shape[-1] or self.kernel.program.counters:
            return self
        pilots = w[:: len(w) // PILOTS]
        labels, end = self(pilots)
        cycling = end[labels == CYCLING]
        if not len(cycling):
            return self
        from scipy.spatial import KDTree

        chosen = cycling[:: max(1, len(cycling) // ORBITS)][:ORBITS]
        rows = self.kernel.run(chosen, LONGER, [], stride=1).rows[1:]
        early, late = rows[: LONGER // 2], rows[LONGER // 2 :]
        shift = np.maximum(np.abs(early.min(0) - late.min(0)), np.abs(early.max(0) - late.max(0)))
        steady = (shift < SAME_RANGE * (late.max(0) - late.min(0))).all(-1)
        if not steady.any():
            return self
        return dataclasses.replace(self, orbits=KDTree((late[:, steady] / self._scale()).reshape(-1, w.shape[-1])))

    def __call__(self, w: Array) -> tuple[Array, Array]:
        """(labels, last points) of starts (N, d)."""
        d = w.shape[-1]
        labels = np.full(len(w), UNDECIDED)
        end = np.array(w)
        z, counters = self.initial(w)
        open_members = np.arange(len(w))
        done = 0
        while done < self.steps and len(open_members):
            count = min(ROUND, self.steps - done)
            outcome = self.kernel.run(z, count, counters)
            z, counters, done = outcome.z, outcome.counters, done + count
            settled = self._nearest(z[:, :d])
            alive = np.asarray(outcome.alive)
            if self.orbits is not None:
                on_way = np.flatnonzero(alive & (settled == UNDECIDED))
                gap, _ = self.orbits.query(z[on_way] / self._scale(), distance_upper_bound=NEAR, workers=-1)
                settled[on_way[gap < NEAR]] = CYCLING
            settled[~alive] = DIVERGED
            finished = settled != UNDECIDED
            labels[open_members], end[open_members] = settled, z[:, :d]
            z, open_members = z[~finished], open_members[~finished]
        if len(open_members):
            labels[open_members] = self._windows(z, counters)
        return labels, end

    def _scale(self) -> Array:
        width: Array = (self.box[:, 1] - self.box[:, 0]) / 2
        return np.maximum(width, 1e-12)

    def _nearest(self, w: Array) -> Array:
        labels = np.full(len(w), UNDECIDED)
        for i, p in enumerate(self.attractors):
            labels[(np.abs(w - p) / self._scale() < self.tolerance).all(-1)] = i
        return labels

    def _windows(self, z: Array, counters: Sequence[float]) -> Array:
        """Left, cycling or undecided, from the ranges covered in two windows."""
        scale = self._scale()
        labels = np.full(len(z), UNDECIDED)
        for first in range(0, len(z), BLOCK):
            part = z[first : first + BLOCK]
            rows = self.kernel.run(part, 2 * WINDOW, counters, stride=EVERY).rows[1:]
            early, late = rows[: len(rows) // 2], rows[len(rows) // 2 :]
            low, high, low2, high2 = early.min(0), early.max(0), late.min(0), late.max(0)
            extent = ((high2 - low2) / scale).max(-1)
            drift = (np.maximum(np.abs(low2 - low), np.abs(high2 - high)) / scale).max(-1)
            slack = STEADY * (high - low)
            shrinks = ((low2 > low + slack) & (high2 < high - slack)).all(-1)
            grows = ((low2 < low - slack) & (high2 > high + slack)).all(-1)
            found = np.full(len(part), UNDECIDED)
            found[(extent > 1e-3) & (drift < SAME_RANGE * extent) & ~shrinks & ~grows] = CYCLING
            outside = ((rows[-1] < self.box[:, 0] - scale) | (rows[-1] > self.box[:, 1] + scale)).any(-1)
            found[outside] = LEFT
            labels[first : first + BLOCK] = found
        return labels


def _refined(run: _Run, starts: Array) -> tuple[Array, Array]:
    """Every other point first; then points whose surrounding coarse labels differ; the rest by their neighbours."""
    shape, d = starts.shape[:-1], starts.shape[-1]
    coarse = tuple(slice(None, None, 2) for _ in shape)
    labels, end = np.full(shape, UNDECIDED), np.array(starts)
    part = starts[coarse]
    found, last = run(part.reshape(-1, d))
    labels[coarse], end[coarse] = found.reshape(part.shape[:-1]), last.reshape(part.shape)
    spread = labels[coarse]
    for axis, n in enumerate(shape):
        spread = np.take(spread, np.arange(n) // 2, axis=axis)  # the coarse point before each point
    low, high = spread.copy(), spread.copy()
    for axis, n in enumerate(shape):
        ahead = np.take(low, np.minimum(np.arange(n) + 2, n - 1), axis=axis)
        behind = np.take(low, np.maximum(np.arange(n) - 2, 0), axis=axis)
        low = np.minimum(low, np.minimum(ahead, behind))
        ahead = np.take(high, np.minimum(np.arange(n) + 2, n - 1), axis=axis)
        behind = np.take(high, np.maximum(np.arange(n) - 2, 0), axis=axis)
        high = np.maximum(high, np.maximum(ahead, behind))
    boundary = low != high
    known = np.zeros(shape, dtype=bool)
    known[coarse] = True
    todo = boundary & ~known
    found, last = run(starts[todo])
    labels[todo], end[todo] = found, last
    rest = ~boundary & ~known
    labels[rest] = spread[rest]
    return labels, end
