"""Certified duality gaps over a box: for each player the least cost between two proven bounds, by branch and bound."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from ...arguments import box_array, positive
from ...errors import DomainError, ParameterError
from ...lazy import sympy
from ...types import Array, Game
from .enclosure import Enclosure, enclosure
from .endless import falls_without_limit
from .measured_gap import DualityGap
from .minimum import Minimum

FIRST_PASS = 1e-2  # of the costs' own size: enough to see how large the gap is
FLOOR = 1e-6  # of the costs' own size: below it the tolerance is no longer relative to the gap
ROUNDING = 1e-14  # of the costs' own size: what evaluating them in floating point leaves open
PROBE = 2000  # parts after which a proof is tried that a cost without a known lower bound has none
NOTHING = 1e-300  # what outward rounding makes of 0


@dataclasses.dataclass(frozen=True)
class Effort:
    """Limits of a search: interval width taken as a value, parts of the box, and a deadline of `time.monotonic()`."""

    tolerance: float
    most: int
    deadline: float = math.inf

    def width(self, gap: Array, size: Array) -> Array:
        """The width at which an interval around a gap counts as a value, for costs of that size."""
        return np.maximum(self.tolerance * np.maximum(gap, FLOOR * size), ROUNDING * size)


@dataclasses.dataclass(frozen=True)
class Answers:
    """What a search found at one point; each list has one entry for each player."""

    # low, high: proven bounds of the player's share
    low: list[float]
    high: list[float]
    points: list[Array]  # best answers found, as joint vectors (d,)
    endless: list[str]  # where the player gains without limit, in words; empty where that is not proven
    size: float  # of the costs, against which rounding is measured


def over_box(game: Game, w: Array, bounds: Array, effort: Effort) -> DualityGap:
    """The duality gap at points w (..., d) of a symbolic game when each player answers within `bounds`, (d, 2).

    Raises DomainError for a game without expressions, or with a function that has no interval form; ParameterError for
    a point outside the box, or one at which a cost has no value.
    """
    points = np.asarray(w.detach().cpu() if hasattr(w, "detach") else w, dtype=float)
    flat = points.reshape(-1, game.dim)
    _inside(game, flat, bounds)
    costs = _enclosures(game)
    searches: dict[tuple[int, bytes], Minimum] = {}
    found = [_at(game, costs, z, bounds, effort, searches) for z in flat]
    shape = points.shape[:-1]
    lows, highs = (np.array([getattr(f, name) for f in found], dtype=float) for name in ("low", "high"))
    # (points, players, ...) to (players, ..., ...), each sum rounded outward; what is infinite stays so
    low, high = lows.sum(-1), highs.sum(-1)
    low = np.where(np.isinf(low), low, np.nextafter(low, -np.inf)).clip(0.0).reshape(shape)
    high = np.nextafter(high, np.inf).reshape(shape)
    size = np.array([f.size for f in found]).reshape(shape)
    width = np.where(np.isinf(low), 0.0, high - np.where(np.isinf(low), 0.0, low))
    decided = width <= np.maximum(effort.width(low, size), NOTHING)
    n = len(game.players)
    answers = None if np.isinf(low).any() else np.array([f.points for f in found], dtype=float)
    return DualityGap(
        game,
        w,
        _like(low, w),
        "exact" if decided.all() else "lower",
        "box",
        _like(np.moveaxis(lows, 1, 0).reshape(n, *shape), w),
        None if answers is None else _like(np.moveaxis(answers, 1, 0).reshape(n, *shape, game.dim), w),
        (_like(low, w), _like(high, w)),
        note=_note(bounds, searches, effort, decided, found),
        box=bounds,
        parts=sum(search.boxes for search in searches.values()),
    )


def _like(values: Array, w: Array) -> Array:
    if hasattr(w, "new_tensor"):
        return w.new_tensor(values)
    return values if np.ndim(values) else float(values)


def _at(
    game: Game,
    costs: list[Enclosure],
    z: Array,
    bounds: Array,
    effort: Effort,
    searches: dict[tuple[int, bytes], Minimum],
) -> Answers:
    """The shares and answers at one point z, (d,). Points with equal blocks of the other players share a search."""
    mine, here = [], []
    for i, (cost, own) in enumerate(zip(costs, game.slices, strict=True)):
        value, _ = cost.point(z, z[None, own])
        here.append((float(value[0][0]), float(value[1][0])))
        if not np.isfinite(here[-1]).all():
            raise ParameterError(
                f"the cost of {game.players[i].name}, which has no finite value at the point {z.tolist()}",
                "a point inside the domain of every cost",
                "move the point",
            )
        others = np.delete(z, np.arange(own.start, own.stop))
        key = (i, others.tobytes())
        if key not in searches:
            searches[key] = Minimum(cost, z, bounds[own], effort.most, effort.deadline)
        mine.append(searches[key])
    size = max(abs(end) for pair in here for end in pair) + max(abs(search.high) for search in mine)
    for search in mine:
        search.refine(FIRST_PASS * size, PROBE)
        if not _endless(search, z):
            search.refine(FIRST_PASS * size)
    gap = sum(max(a - search.high, 0.0) for (a, _), search in zip(here, mine, strict=True))
    for search in (s for s in mine if not s.endless):
        search.refine(float(effort.width(gap, size)) / (2 * len(mine)))
    endless = [_endless(search, z) for search in mine]
    lows = [max(float(np.nextafter(a - s.high, -np.inf)), 0.0) for (a, _), s in zip(here, mine, strict=True)]
    lows = [np.inf if end else low for low, end in zip(lows, endless, strict=True)]
    highs = [max(float(np.nextafter(b - s.low, np.inf)), 0.0) for (_, b), s in zip(here, mine, strict=True)]
    answers = []
    for search, own in zip(mine, game.slices, strict=True):
        answer = z.copy()
        answer[own] = search.point
        answers.append(answer)
    return Answers(lows, highs, answers, endless, size)


def _endless(search: Minimum, z: Array) -> str:
    """Where a player gains without limit, in words; empty where a bound was found or the proof fails."""
    if np.isfinite(search.low):
        return ""
    if not search.endless:
        stuck = search.unbounded_parts
        places = [search.point, *stuck[:: max(1, len(stuck) // 2)][:2]]
        search.endless = falls_without_limit(search.cost, z, search.bounds, places)
    return search.endless


def _note(
    bounds: Array, searches: dict[tuple[int, bytes], Minimum], effort: Effort, decided: Array, found: list[Answers]
) -> str:
    most = max(search.boxes for search in searches.values())
    spent = f"over {_shown(bounds)}; at most {most} parts searched for an answer (none begun after {effort.most})"
    ends = sorted({f"a player gains without limit, {end}" for f in found for end in f.endless if end})
    if decided.all():
        told = f"{spent}; the interval is narrower than {effort.tolerance:g} of the value or the rounding of costs"
        return "; ".join([spent, *ends]) if ends else told
    if any(s.late for s in searches.values()):
        why = "out of time"
    elif any(np.isneginf(s.low) and not s.endless for s in searches.values()):
        why = "a cost has no known lower bound near a pole or the edge of its domain"
    else:
        why = "the number of parts ran out" if any(s.exhausted for s in searches.values()) else "rounding errors decide"
    many = "" if decided.size == 1 else f" at {int((~decided).sum())} of {decided.size} points"
    told = f"undecided{many}: {why} before the interval was narrower than {effort.tolerance:g} of the value"
    return "; ".join([spent, *ends, told])


def _shown(bounds: Array) -> str:
    if (bounds == bounds[0]).all() and bounds[0, 0] == -bounds[0, 1]:
        return f"|x_k| <= {bounds[0, 1]:g}"
    return " x ".join(f"[{low:g}, {high:g}]" for low, high in bounds)


def _enclosures(game: Game) -> list[Enclosure]:
    if not game.exprs:
        raise DomainError(
            f"bounds on the duality gap of {game.name}, which has no expressions",
            "costs that can be enclosed",
            'method="gradient"',
        )
    for player, cost in zip(game.players, game.exprs, strict=True):
        if cost.has(sympy.DiracDelta):
            raise DomainError(f"DiracDelta in the cost of {player.name}", "costs with values", "Heaviside, for a jump")
    blocks = zip(game.exprs, game.slices, strict=True)
    return [enclosure(cost, game.symbols, own.start, own.stop) for cost, own in blocks]


def box_of(game: Game, box: object, radius: object) -> Array:
    """The box in which answers are searched for, shape (d, 2), without what is not feasible.

    `box` is one (low, high) pair per coordinate, or None; `radius` is a number r for the box |x_k| <= r, or None.
    Without either, the game's own box is used. Raises ParameterError where there is no finite box, or for ends that do
    not form one; DomainError for feasible sets that are not boxes.
    """
    own = getattr(game.projection, "bounds", None)
    if game.constrained and own is None:
        raise DomainError(
            f"a box around the answers of {game.name}, whose feasible set is no box",
            "a game in a box",
            'method="exact"',
        )
    allowed = np.full((game.dim, 2), (-np.inf, np.inf))
    if own is not None:
        allowed = np.array([[float(low), float(high)] for low, high in own])
    if box is not None and radius is not None:
        raise ParameterError("both box=... and radius=...", "one of them", "radius=10")
    if radius is not None:
        bounds = np.array([(-1.0, 1.0)] * game.dim) * positive("radius", radius)
    elif box is not None:
        bounds = box_array(game, box, proper=False)
    else:
        bounds = allowed
    low, high = np.maximum(bounds[:, 0], allowed[:, 0]), np.minimum(bounds[:, 1], allowed[:, 1])
    if not np.isfinite([low, high]).all() or (low > high).any():
        raise ParameterError(
            f"the box {_shown(np.stack([low, high], -1))} for {game.name}",
            "finite intervals in which each player may answer",
            "radius=10, or box=[(-10, 10)] * game.dim",
        )
    return np.stack([low, high], axis=-1)


def _inside(game: Game, points: Array, bounds: Array) -> None:
    """Refuse a point outside the box, naming the player and the coordinate."""
    outside = ~((points >= bounds[:, 0]) & (points <= bounds[:, 1]))
    if not outside.any():
        return
    row, k = (int(v) for v in np.argwhere(outside)[0])
    player = next(p.name for p, own in zip(game.players, game.slices, strict=True) if own.start <= k < own.stop)
    raise ParameterError(
        f"coordinate {k} of {player} is {points[row, k]:g}, outside [{bounds[k, 0]:g}, {bounds[k, 1]:g}]",
        "a point inside the box in which the players answer",
        f"radius={float(np.nan_to_num(np.abs(points).max())) or 1.0:g}, or move the point",
    )
