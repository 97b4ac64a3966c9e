"""Where fixed points appear, meet and change stability as a parameter varies: branches, named points, attractors."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ...arguments import box_array
from ...budget import Budget
from ...doors import door
from ...errors import ParameterError
from ...lazy import sympy
from ...types import Array, Game, Rule
from .branches import Bifurcation, BifurcationPoint, Branch, Kind
from .continuation import Curve, Family, follow, locate
from .critical_points import Critical, critical_points
from .criticality import branch_kind, coefficient, pair_coefficient, sharpened
from .orbit_diagram import attractor
from .system import about, refuse_moving_limit, system

ON_BOUNDARY, APART, STRICTLY = 1e-6, 1e-8, 1e-10
REACH = 50.0
MOST_BRANCHES = 24
ENSEMBLE, SAMPLES = 12, 40


@door
def bifurcation(
    game: Game,
    rule: Rule | None,
    parameter: str,
    values: object,
    box: object = None,
    at: object = None,
    starts: object = None,
    seed: int = 0,
    budget: float | Budget | None = 60.0,
) -> Bifurcation:
    """Follow fixed points as one parameter of a rule or game varies, and name what happens to them.

    Branches are followed by pseudo-arclength: (z, p) together, so that a fold is passed and not fallen off. Along a
    branch every |eigenvalue| - 1 (map) or real part (flow) is continuous; a change of sign is located by bracketing in
    arclength and named by where the eigenvalue is: at 1 (0 for a flow) a fold, or, where two branches cross, a
    transcritical or pitchfork; at -1 a flip; a pair, Neimark-Sacker (map) or Hopf (flow). At a crossing the second
    branch is followed as well. Criticality is the sign of the first normal-form coefficient (Kuznetsov, Elements of
    Applied Bifurcation Theory, 5.4 for flows, 4.5 and 5.4 for maps).

    In up to three coordinates without memory, every fold, flip and Hopf point in the box is moreover sought by interval
    arithmetic, as a zero of the fixed-point equation together with a test function (`critical_points.py`): points that
    lie within one step of each other are told apart, and `.complete` says that there are no others. Where branches
    cross, that system is degenerate, and the list says near which point it is open.

    Beside this, an ensemble of starts is run at every one of the `values`, and its long-run points are kept.

    Args:
        game: a symbolic game.
        rule: an update rule, or None for the gradient flow.
        parameter: the name of a field of the rule, or of a free symbol of the rule or game. A game's own name stands
            for a positive number; where the range contains others, give it a SymPy symbol.
        values: increasing numbers: the ends are the range, all of them the grid of the long-run picture.
        box: one (low, high) pair per coordinate to look for fixed points and to put starts in; by default a unit around
            the known equilibria and the points `at`.
        at: fixed points to begin with, shape (d,) or (n, d), besides those known and found; at the first value.
        starts: of the long-run picture, shape (n, d).
        seed: of scattered starts.
        budget: seconds, or a `Budget`, after which the answer is what was found so far; None for no limit.

    Returns:
        A `Bifurcation`: the `.branches` of fixed points over the values, the `.points` at which they change, and
        whether `.complete`.

    Raises:
        ParameterError: for an unknown parameter, or values that are not increasing.
        DomainError: without symbols; for averages, anchors and decaying steps, whose limit keeps every point.

    Example:
        >>> import gandyn as gd
        >>> game = gd.games.quadratic(1, 0, 1)
        >>> found = gd.bifurcation(game, gd.rules.GDA("lr"), "lr", [0.5, 1.0, 3.0])
        >>> [(p.kind.value, round(p.parameter, 9)) for p in found.points]
        [('undecided', 2.0)]
    """
    grid = np.asarray(values, dtype=float)
    if grid.ndim != 1 or len(grid) < 2 or not np.isfinite(grid).all() or not (np.diff(grid) > 0).all():
        raise ParameterError(f"values={values!r}", "at least two increasing numbers", "np.linspace(0.1, 2, 100)")
    time = Budget.of(budget)
    made = system(game, rule, parameter)
    refuse_moving_limit(made)
    bounds, known = _region(game, made.parameter, box, grid, at)
    if made.size == game.dim:
        made = about(made, [*bounds.mean(-1), (grid[0] + grid[-1]) / 2])
    rng = np.random.default_rng(seed)
    samples = rng.uniform(bounds[:, 0], bounds[:, 1], (SAMPLES, game.dim))
    family = Family.over(made, bounds, grid[0], grid[-1], samples)
    explorer = _Explorer(family, grid, bounds, time)
    for p in np.linspace(grid[0], grid[-1], 5):
        explorer.seed(p, _candidates(known, at if p == grid[0] else None, p, made.parameter), rng)
    explorer.run()
    proven = critical_points(made, bounds, float(grid[0]), float(grid[-1]), time)
    explorer.add(proven.points)
    order = sorted(explorer.points, key=lambda q: q.parameter)
    if starts is None:
        starts = rng.uniform(bounds[:, 0], bounds[:, 1], (ENSEMBLE, game.dim))
    long_run = attractor(made, grid, np.atleast_2d(np.asarray(starts, dtype=float)), float(np.abs(bounds).max()))
    branches = tuple(explorer.branch(curve) for curve in explorer.curves)
    complete, reason = _complete(proven, explorer, bounds)
    return Bifurcation(
        game, made.rule, str(parameter), grid, branches, tuple(order), long_run, tuple(dict.fromkeys(explorer.notes)),
        complete, reason,
    )  # fmt: skip


def followed_points(
    game: Game, rule: Rule | None, parameter: object, bounds: Array, low: float, high: float, time: Budget
) -> list[BifurcationPoint]:
    """The bifurcation points on branches that pass near starts at five values of a parameter; perhaps not all.

    Starts are fixed points in `bounds`, shape (d, 2); the free parameter runs from low to high.
    """
    made, rng = system(game, rule, parameter), np.random.default_rng(0)
    made = about(made, [*bounds.mean(-1), (low + high) / 2]) if made.size == game.dim else made
    samples = rng.uniform(bounds[:, 0], bounds[:, 1], (SAMPLES, game.dim))
    explorer = _Explorer(Family.over(made, bounds, low, high, samples), np.linspace(low, high, 41), bounds, time)
    for p in np.linspace(low, high, 5):
        explorer.seed(p, [], rng)
    explorer.run()
    return explorer.points


def _complete(proven: Critical, explorer: _Explorer, bounds: Array) -> tuple[bool, str]:
    """Whether every point in the box is proven and no other can be there."""
    inside = [q for q in explorer.points if ((q.point >= bounds[:, 0]) & (q.point <= bounds[:, 1])).all()]
    obstacles = list(proven.obstacles)
    unproven = len(inside) - explorer.proven
    if not obstacles and unproven > 0:
        obstacles.append(f"{unproven} of the points that were followed to lie in no enclosure")
    if explorer.time.out:
        obstacles.append(explorer.time.reason)
    if obstacles:
        return False, f"{explorer.proven} points proven; " + "; ".join(dict.fromkeys(obstacles))
    count = f"{explorer.proven} point{'' if explorer.proven == 1 else 's'}"
    return True, f"interval Newton: {count} at which an eigenvalue meets the boundary, and none elsewhere in the box"


def _region(
    game: Game, symbol: sympy.Symbol, box: object, grid: Array, at: object
) -> tuple[Array, list[tuple[sympy.Expr, sympy.Expr]]]:
    known = [point for point in game.equilibria if not _free(point) - {symbol}]
    if box is not None:
        return box_array(game, box), known
    rows = [_numbers(point, symbol, p) for point in known for p in (grid[0], grid[-1])]
    rows += [] if at is None else list(np.atleast_2d(np.asarray(at, dtype=float)))
    centre = np.array(rows) if rows else np.zeros((1, game.dim))
    return np.stack([centre.min(0) - 1, centre.max(0) + 1], axis=-1), known


def _free(point: Iterable[object]) -> set[sympy.Symbol]:
    return set().union(*(getattr(x, "free_symbols", set()) for x in point))


def _numbers(point: Iterable[sympy.Expr], symbol: sympy.Symbol, p: float) -> Array:
    return np.array([float(x.subs(symbol, p) if hasattr(x, "subs") else x) for x in point])


def _candidates(known: list[tuple[sympy.Expr, ...]], at: object, p: float, symbol: sympy.Symbol) -> list[Array]:
    given = [] if at is None else list(np.atleast_2d(np.asarray(at, dtype=float)))
    return [*(_numbers(point, symbol, p) for point in known), *given]


class _Explorer:
    """The curves of fixed points found so far, and the bifurcation points on them."""

    def __init__(self, family: Family, grid: Array, bounds: Array, time: Budget) -> None:
        self.family, self.grid, self.bounds, self.time, self.proven = family, grid, bounds, time, 0
        self.pending: list[Array] = []
        self.curves: list[Curve] = []
        self.points: list[BifurcationPoint] = []
        self.notes: list[str] = []

    def seed(self, p: float, candidates: list[Array], rng: np.random.Generator, scattered: int = 60) -> None:
        """Fixed points at one value of the parameter, by Newton's method."""
        made, d = self.family.system, self.family.system.game.dim
        w = [*candidates, *rng.uniform(self.bounds[:, 0], self.bounds[:, 1], (scattered, d))]
        z = made.start(np.array(w), p)
        eye = np.eye(made.size) if made.discrete else np.zeros((made.size, made.size))
        with np.errstate(all="ignore"):
            for _ in range(40):
                gap = made(z, p) - (z if made.discrete else 0.0)
                matrix = made.jacobian(z, p) - eye
                good = np.isfinite(gap).all(-1) & np.isfinite(matrix).all((-2, -1))
                z, gap, matrix = z[good], gap[good], matrix[good]
                if not len(z):
                    return
                step = (np.linalg.pinv(matrix) @ gap[..., None])[..., 0]
                scaled = np.abs(step / self.family.scale[:-1]).max(-1, keepdims=True)
                z = z - step / np.maximum(1.0, scaled)
            gap = made(z, p) - (z if made.discrete else 0.0)
        width = self.bounds[:, 1] - self.bounds[:, 0]
        inside = ((z[:, :d] > self.bounds[:, 0] - width) & (z[:, :d] < self.bounds[:, 1] + width)).all(-1)
        z = z[inside & (np.abs(gap / self.family.rows).max(-1) < 1e-9)]
        places = np.round((z - self.family.origin[:-1]) / self.family.scale[:-1], 5)
        for point in z[np.unique(places, axis=0, return_index=True)[1]]:
            self.pending.append(self.family.join(point, p))

    def run(self) -> None:
        """Follow every seed that lies on no known curve, and the curves that branch off."""
        low, high = float(self.grid[0]), float(self.grid[-1])
        step = min(0.02, float(np.max(np.diff(self.grid))) / (high - low))
        while self.pending and len(self.curves) < MOST_BRANCHES and not self.time.out:
            x = self.pending.pop(0)
            if any(lies_on(x, curve) for curve in self.curves):
                continue
            curve = follow(self.family, x, low, high, max(step, 0.002), REACH)
            self.curves.append(curve)
            self._inspect(curve)
        if self.pending and self.time.out:
            self.notes.append(f"{self.time.reason}: {len(self.pending)} starts were not followed")
        elif self.pending:
            self.notes.append(f"more than {MOST_BRANCHES} branches: the others were not followed")

    def branch(self, curve: Curve) -> Branch:
        """A curve converted to the units of the parameter and of the game."""
        pairs = [self.family.split(x) for x in curve.points]
        values = np.array([self.family.eigenvalues(x) for x in curve.points])
        beyond = np.abs(values) - 1 if self.family.system.discrete else values.real / self.family.rate
        inside = beyond.max(-1) < -STRICTLY
        d = self.family.system.game.dim
        return Branch(
            np.array([p for _, p in pairs]), np.array([z[:d] for z, _ in pairs]), values, inside, curve.ends
        )  # fmt: skip

    def _inspect(self, curve: Curve) -> None:
        """Changes of sign of the eigenvalues' distances, and turns of the curve, between consecutive points."""
        distances = np.array([self.family.distances(x) for x in curve.points])
        stuck = (np.abs(distances) < 1e-9).sum(0) > max(3, len(distances) // 3)
        if stuck.any():
            self.notes.append(
                f"{int(stuck.sum())} eigenvalue(s) stay on the boundary along a branch: nothing is named for them"
            )
        for i in range(len(curve.points) - 1):
            a, b, t = curve.points[i], curve.points[i + 1], curve.tangents[i]
            for k in np.flatnonzero((distances[i] * distances[i + 1] < 0) & ~stuck):
                at = locate(self.family, a, b, t, lambda x, k=int(k): self.family.distances(x)[k])
                self._record(curve, i, at)
            for k in np.flatnonzero((distances[i] == 0) & ~stuck):
                if i > 0 and distances[i - 1, k] * distances[i + 1, k] < 0:
                    self._record(curve, i, a)
            if t[-1] * curve.tangents[i + 1][-1] < 0:
                at = locate(self.family, a, b, t, lambda x, t=t: self.family.tangent(x, t)[-1])
                self._record(curve, i, at)

    def _record(self, curve: Curve, i: int, x: Array | None) -> None:
        if x is None:
            near = [self.family.join(self.family.system.start(q.point, q.parameter), q.parameter) for q in self.points]
            if any(np.linalg.norm(q - curve.points[i]) < 0.05 for q in near):
                return  # the crossing of two branches, found on the other one
            p = self.family.split(curve.points[i])[1]
            self.notes.append(f"a change of stability near {p:.6g} was seen and could not be located")
            return
        z, p = self.family.split(x)
        w = z[: self.family.system.game.dim]
        if any(self._near(other, w, p) for other in self.points):
            return
        x, point, departures = self._name(x, curve.tangents[i])
        self.points.append(point)
        for direction in departures:
            for sign in (1.0, -1.0):
                new = self.family.correct(x + sign * 1e-2 * direction, direction)
                if new is not None:
                    self.pending.append(new)

    def _near(self, other: BifurcationPoint, w: Array, p: float) -> bool:
        """Whether a point is the same as another one up to the accuracy of following."""
        scale = self.family.scale
        near = np.abs(other.point - w) < 1e-4 * scale[: len(w)]
        return bool(near.all()) and abs(other.parameter - p) < 1e-6 * scale[-1]

    def add(self, proven: Array) -> None:
        """Name points (z, p) that are proven; each takes the place of one that was followed to, if there is one."""
        followed, d = list(self.points), self.family.system.game.dim
        for x in proven:
            z, p = x[:-1], float(x[-1])
            near = [q for q in followed if self._near(q, z[:d], p)]
            if near:
                gaps = [abs(q.parameter - p) / self.family.scale[-1] for q in near]
                followed = [q for q in followed if q is not near[int(np.argmin(gaps))]]
                self.proven += 1
                continue
            at = self.family.join(z, p)
            tangent = np.linalg.svd(self.family.derivative(at))[2][-1]
            self.points.append(self._name(at, tangent)[1])
            self.proven += 1
            self.pending.append(at)
        self.run()

    def _name(self, x: Array, tangent: Array) -> tuple[Array, BifurcationPoint, list[Array]]:
        """Where it is more precisely, the point at x, and directions in which other branches leave."""
        x = sharpened(self.family, x)
        z, p = self.family.split(x)
        values = self.family.eigenvalues(x)
        discrete = self.family.system.discrete
        size = max(1.0 if discrete else self.family.rate, float(np.abs(values).max()))
        distance = np.abs(np.abs(values) - 1) if discrete else np.abs(values.real)
        critical = values[distance < ON_BOUNDARY * size]
        sharper = values[distance < STRICTLY * size]
        if len(sharper) == 1 and not (distance[distance >= STRICTLY * size] < APART * size).any():
            critical = sharper  # the others are slow, in units of a much faster player, and not zero
        kind, criticality, number, reason = Kind.UNDECIDED, None, None, ""
        departures: list[Array] = []
        one = 1.0 if discrete else 0.0
        if len(critical) == 1 and abs(critical[0] - one) < 1e-3 * size:
            name, criticality, number, reason, departures = branch_kind(self.family, x, tangent)
            kind = Kind(name)
        elif len(critical) == 1 and discrete and abs(critical[0] + 1) < 1e-3:
            kind = Kind.FLIP
            criticality, number, reason = coefficient(self.family, x)
        elif len(critical) == 2 and abs(critical[0] - critical[1].conj()) < 1e-6 * size < abs(critical[0].imag):
            kind = Kind.NEIMARK_SACKER if discrete else Kind.HOPF
            criticality, number, reason = pair_coefficient(self.family, x)
        else:
            reason = f"{len(critical)} eigenvalues lie on the boundary at once, to {ON_BOUNDARY:g} of the largest"
        w = z[: self.family.system.game.dim]
        order = np.argsort(-(np.abs(values) if discrete else values.real))
        found = BifurcationPoint(kind, p, w, values[order], critical, criticality, number, reason)
        return x, found, departures


def lies_on(x: Array, curve: Curve) -> bool:
    """Whether x lies on a computed curve, up to the sag of its chords."""
    a, b = curve.points[:-1], curve.points[1:]
    if not len(a):
        return bool(np.abs(curve.points[0] - x).max() < 1e-6)
    along = b - a
    share = np.clip(((x - a) * along).sum(-1) / np.maximum((along**2).sum(-1), 1e-300), 0, 1)
    gap = np.linalg.norm(a + share[:, None] * along - x, axis=-1)
    return bool((gap < 0.05 * np.linalg.norm(along, axis=-1) + 1e-7).any())
