"""Exponents and basins where each member of an ensemble has its own parameters."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from ...budget import Budget
from ...dynamics.iterate import checked_start, over_ensemble
from ...errors import DomainError, ParameterError
from ...results import Result, Status
from ...symbolic.members import ensemble_shape, members_in, spread
from ...types import Array, Game, Rule
from ..local.ensemble import MembersMap
from ..parameters.freed import valued
from .basin_run import UNDECIDED

BATCHES, STUDENT = 20, 2.093  # 19 degrees of freedom, 95 %


@dataclasses.dataclass(frozen=True, repr=False)
class LyapunovEnsemble(Result):
    """Lyapunov exponents of each member of an ensemble, whose parameters differ, along its own orbit.

    Attributes:
        game, rule: the pair, with arrays of parameters.
        exponents: shape (..., D), natural logarithms per step, largest first; nan where the orbit diverged.
        band: half width of a 95 % interval for each, from the scatter of 20 consecutive parts of the orbit.
        end: last points, shape (..., d).
        status: a `Status` of each member, shape (...).
        steps: number of steps that were counted.
    """

    game: Game
    rule: Rule
    exponents: Array
    band: Array
    end: Array
    status: Array
    steps: int

    _data = "game rule exponents band end status steps"

    @property
    def largest(self) -> Array:
        """The largest exponent of each member, shape (...)."""
        return self.exponents[..., 0]

    def summary(self) -> str:
        """The range of the largest exponents, and how many orbits diverged, as text."""
        kept = self.largest[np.isfinite(self.largest)]
        shown = f"from {kept.min():.6g} to {kept.max():.6g}" if kept.size else "none"
        lost = int(np.sum(self.status == Status.DIVERGED))
        ending = f"{lost} of {self.status.size} members diverged, {self.steps} steps"
        return f"{self._dynamics()}: largest exponents {shown} a step; {ending}"


def exponents_of_members(
    game: Game, rule: Rule | None, start: object, steps: int, settle: int, seed: int, budget: float
) -> LyapunovEnsemble:
    """The Lyapunov exponents of each member of a map with arrays of parameters: see `lyapunov_exponents`.

    Raises DomainError for a flow, ParameterError for too few steps, and stops after `budget` seconds.
    """
    if rule is None:
        raise DomainError("exponents of an ensemble of gradient flows", "a rule", "one value of each parameter")
    if steps < BATCHES or settle < 0:
        raise ParameterError(f"steps={steps}, settle={settle}", f"steps >= {BATCHES}, settle >= 0", "steps=5000")
    w = np.asarray(over_ensemble(checked_start(game, start), game, rule), dtype=float)
    shape, clock = w.shape[:-1], Budget.of(budget)
    step = MembersMap(game, rule, shape)
    z = step.start(w)
    size = z.shape[-1]
    drawn = np.random.default_rng(seed).normal(size=(size, size))
    frame = np.broadcast_to(np.linalg.qr(drawn)[0], (*shape, size, size))
    sums, counts, alive = np.zeros((BATCHES, *shape, size)), np.zeros(BATCHES), np.ones(shape, dtype=bool)
    n = -settle
    with np.errstate(all="ignore"):
        while n < steps and alive.any() and not clock.out:
            image, matrix = step(z)
            moved = matrix @ frame
            alive = alive & np.isfinite(image).all(-1) & np.isfinite(moved).all((-2, -1))
            z = np.where(alive[..., None], image, z)
            frame, r = np.linalg.qr(np.where(alive[..., None, None], moved, np.eye(size)))
            if n >= 0:
                batch = n * BATCHES // steps
                sums[batch] += np.log(np.abs(np.diagonal(r, axis1=-2, axis2=-1)))
                counts[batch] += 1
            n += 1
        used = counts > 0
        means = sums[used] / counts[used].reshape(-1, *[1] * (w.ndim))
        exponents = (sums.sum(0) / counts.sum()) if used.any() else np.full((*shape, size), np.nan)
        band = STUDENT * means.std(0, ddof=1) / np.sqrt(BATCHES) if used.all() else np.full((*shape, size), np.inf)
    order = np.argsort(-exponents, axis=-1, kind="stable")
    exponents, band = (np.take_along_axis(a, order, -1) for a in (exponents, band))
    exponents[~alive], band[~alive] = np.nan, np.nan
    status = np.full(shape, Status.OUT_OF_TIME if n < steps and alive.any() else Status.OK, dtype=object)
    status[~alive] = Status.DIVERGED
    return LyapunovEnsemble(game, rule, exponents, band, z[..., : game.dim], status, int(counts.sum()))


@dataclasses.dataclass
class Gathered:
    """Where every start ends: the fields of `Basins` of these names."""

    starts: Array
    labels: Array
    attractors: Array
    end: Array
    periods: Array
    complete: bool
    reason: str


def basins_of_members(
    alone: Callable[[Game, Rule, Array], Gathered], game: Game, rule: Rule, starts: Array, near: Array, clock: Budget
) -> Gathered:
    """Where starts end whose members have different parameters, one combination of parameters after another.

    `alone` is the answer for one game and rule from starts (n, d). Attractors of different combinations that differ by
    at most `near` in each coordinate count as one.
    """
    symbols = members_in(game, rule)
    shape = ensemble_shape(starts.shape[:-1], symbols)
    d = game.dim
    points = np.ascontiguousarray(np.broadcast_to(starts, (*shape, d))).reshape(-1, d)
    values = np.stack([spread(s.values, shape).ravel() for s in symbols], -1)
    combinations, which = np.unique(values, axis=0, return_inverse=True)
    labels, end = np.full(len(points), UNDECIDED), points.copy()
    periods, known = np.zeros(len(points), dtype=int), np.empty((0, d))
    complete, reasons = True, dict[str, None]()
    for k, numbers in enumerate(combinations):
        members = np.flatnonzero(which.ravel() == k)
        if clock.out:
            complete, reasons[clock.reason] = False, None
            break
        one, its = valued(game, rule, dict(zip(symbols, numbers.tolist(), strict=True)))
        assert its is not None
        found = alone(one, its, points[members])
        known, places = _merged(known, found.attractors, near)
        own = found.labels >= 0
        labels[members] = np.where(own, places[np.where(own, found.labels, 0)] if len(places) else 0, found.labels)
        end[members], periods[members] = found.end, found.periods
        complete, reasons[found.reason] = complete and found.complete, None
    reason = f"{len(combinations)} combinations of parameters; {'; '.join(list(reasons)[:3])}"
    return Gathered(
        points.reshape(*shape, d), labels.reshape(shape), known, end.reshape(*shape, d), periods.reshape(shape),
        complete, reason,
    )  # fmt: skip


def _merged(known: Array, found: Array, near: Array) -> tuple[Array, Array]:
    """The attractors known so far with the new ones added, and for each new one its index among them."""
    places = np.empty(len(found), dtype=int)
    for k, point in enumerate(found):
        close = np.flatnonzero((np.abs(known - point) <= near).all(-1))
        places[k] = close[0] if len(close) else len(known)
        known = known if len(close) else np.concatenate([known, point[None]])
    return known, places
