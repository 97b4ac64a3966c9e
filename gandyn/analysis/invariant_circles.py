"""Closed curves that an update map carries into themselves, and its periodic orbits: what a flow's cycles become."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..errors import DomainError, ParameterError
from ..results import Result, plain
from ..types import Array, Game, Rule
from .systems import System, system

STARTS, SETTLE = 48, 20000
BACKWARD_STARTS, BACKWARDS = 12, 1500
TURNS, SHORTEST, LONGEST_ORBIT = 6, 1 << 8, 1 << 16
GUESSES, PERIODIC_STARTS = 6, 100
MODES, MOST_MODES, TAIL = 16, 256, 1e-12
RESIDUAL, NEUTRAL = 1e-10, 1e-6
LONGEST = 200


@dataclasses.dataclass(frozen=True, repr=False)
class InvariantCircle(Result):
    """A closed curve K with F(K(theta)) = K(theta + rho): the map turns it by rho, theta being counted in turns.

    Attributes:
        game, rule: the pair.
        rotation_number: rho in (0, 1/2], turns a step.
        coefficients: K(theta) = sum_k c_k exp(2 pi i k theta), k = -M..M, shape (2M + 1, D), on the augmented state.
        points: K(j / n) on the game's coordinates, in order, shape (n, d).
        multipliers: growth a step of distances from the curve (exponentials of the normal Lyapunov exponents), largest
            first; the one along the curve, 1, is left out.
        residual: largest |F(K) - K(. + rho)|, at angles between those it was solved at.
    """

    game: Game
    rule: Rule
    rotation_number: float
    coefficients: Any
    points: Any
    multipliers: Any
    residual: float

    _plot = "limit_cycle"

    @property
    def period(self) -> float:
        """Steps a turn, 1 / rho; not a whole number in general."""
        return 1 / self.rotation_number

    @property
    def multipliers_per_turn(self) -> Any:
        """Growth of distances from the curve in one turn: what Floquet multipliers are to a flow's cycle."""
        return self.multipliers**self.period

    @property
    def stable(self) -> bool:
        """Whether nearby orbits approach it."""
        return bool(self.multipliers.max() < 1)

    @property
    def radius(self) -> tuple[float, float]:
        """Smallest and largest distance of the curve from its own centre of mass."""
        return _radius(self.points)

    def __call__(self, theta: Any) -> Any:
        """K(theta) on the augmented state, shape (..., D); theta in turns."""
        return _evaluate(self.coefficients, np.asarray(theta, dtype=float))

    def summary(self) -> str:
        """Kind, rotation number, multipliers."""
        shown = ", ".join(f"{m:.6g}" for m in self.multipliers)
        return (
            f"{_kind(self.multipliers)} invariant circle of {self.rule!r} on {self.game.name}: rotation number "
            f"{self.rotation_number:.12g} ({self.period:.6g} steps a turn), multipliers {shown}"
        )

    def to_dict(self) -> dict[str, Any]:
        """All fields as plain data."""
        return _data(self, rotation_number=self.rotation_number)


@dataclasses.dataclass(frozen=True, repr=False)
class PeriodicOrbit(Result):
    """q points that the map visits in turn.

    Attributes:
        game, rule: the pair.
        period: q, in steps.
        points: on the game's coordinates, in the order of visits, shape (q, d).
        multipliers: eigenvalues of the derivative of q steps, complex, largest modulus first.
        residual: |F^q(z) - z|.
    """

    game: Game
    rule: Rule
    period: int
    points: Any
    multipliers: Any
    residual: float

    _plot = "limit_cycle"

    @property
    def rotation_number(self) -> float:
        """1 / q turns a step."""
        return 1 / self.period

    @property
    def stable(self) -> bool:
        """Whether nearby orbits approach it."""
        return bool(np.abs(self.multipliers).max() < 1)

    @property
    def radius(self) -> tuple[float, float]:
        """Smallest and largest distance of its points from their mean."""
        return _radius(self.points)

    def summary(self) -> str:
        """Kind, period, multipliers."""
        shown = ", ".join(f"{m:.6g}" for m in self.multipliers)
        kind = _kind(np.abs(self.multipliers))
        return f"{kind} orbit of period {self.period} of {self.rule!r} on {self.game.name}, multipliers {shown}"

    def to_dict(self) -> dict[str, Any]:
        """All fields as plain data."""
        return _data(self, period=self.period)


def _radius(points: Array) -> tuple[float, float]:
    distances = np.linalg.norm(points - points.mean(0), axis=-1)
    return float(distances.min()), float(distances.max())


def _kind(sizes: Array) -> str:
    return "attracting" if sizes.max() < 1 else "repelling" if sizes.min() > 1 else "saddle"


def _data(found: Any, **own: Any) -> dict[str, Any]:
    shared = {"multipliers": found.multipliers, "stable": found.stable, "residual": found.residual}
    names = {"game": found.game.name, "rule": repr(found.rule)}
    result: dict[str, Any] = plain({**names, **own, **shared, "points": found.points})
    return result


# --- the search ------------------------------------------------------------------------------------------------------


def invariant_sets(
    game: Game, rule: Rule, bounds: Array, flow_cycles: Sequence[Any], seed: int, periods: int
) -> list[InvariantCircle | PeriodicOrbit]:
    """Circles and periodic orbits of a map near a box, smallest first. See `limit_cycles`.

    Args:
        game, rule: the pair. bounds: the box, shape (d, 2).
        flow_cycles: curves to start from besides those that orbits settle on, with `.points` and `.period`.
        seed: of the starts. periods: the longest period that Newton's method looks for from scattered starts.
    """
    if getattr(game, "constrained", False) or not rule.domain.smooth:
        raise DomainError(f"cycles of {rule!r} on {game.name}", "a smooth, unconstrained map", "use gd.basins")
    map_ = system(game, rule)
    rng = np.random.default_rng(seed)
    starts = rng.uniform(bounds[:, 0], bounds[:, 1], (STARTS, game.dim))
    reach = 10 * np.abs(bounds).max()
    found: list[InvariantCircle | PeriodicOrbit] = []
    with np.errstate(all="ignore"):
        for orbit in _orbits(map_, _settled(map_, starts, reach), map_, reach):
            _keep(found, _recurrent(map_, orbit) or _circle_from_orbit(map_, orbit))
        if map_.size == game.dim:
            ends = _settled_backwards(map_, starts[:BACKWARD_STARTS], reach)
            for orbit in _orbits(map_, ends, lambda z: _preimage(map_, z[None])[0], reach):
                _keep(found, _recurrent(map_, orbit) or _circle_from_orbit(map_, orbit))
        for cycle in flow_cycles:
            _keep(found, _circle_from_curve(map_, cycle.points))
        scattered = map_.start(rng.uniform(bounds[:, 0], bounds[:, 1], (PERIODIC_STARTS, game.dim)))
        for q in range(2, periods + 1):
            for periodic in _periodic_from(map_, scattered, q):
                _keep(found, periodic)
    inside = [c for c in found if ((c.points >= bounds[:, 0]) & (c.points <= bounds[:, 1])).all(-1).any()]
    return sorted(inside, key=lambda c: c.radius)


def _keep(found: list[Any], new: Any) -> None:
    if new is not None and not any(_same(new, old) for old in found):
        found.append(new)


def _same(a: Any, b: Any) -> bool:
    """Whether two of them are one: the same periodic orbit, or curves that coincide."""
    if isinstance(a, PeriodicOrbit) or isinstance(b, PeriodicOrbit):
        if type(a) is not type(b) or a.period != b.period:
            return False
        return bool(np.linalg.norm(b.points - a.points[0], axis=-1).min() < 1e-6 * (1 + np.abs(a.points).max()))
    gap = np.linalg.norm(b.points - a.points[0], axis=-1).min()
    spacing = np.linalg.norm(np.diff(b.points, axis=0), axis=-1).max()
    return bool(gap < spacing and abs(a.rotation_number - b.rotation_number) < 1e-7)


def _settled(map_: System, starts: Array, reach: float) -> Array:
    """Where the starts are after many steps, without those that escaped or came to rest."""
    from ..dynamics.trace import update_map

    rule = map_.rule
    assert rule is not None
    z = map_.start(starts)
    kernel = update_map(map_.game, rule).kernel()
    counters = [float(c) for _, c in rule.init(map_.game, starts).counter_leaves()]
    run = kernel.run(z, SETTLE, counters, bound=reach)
    return _moving(map_, run.z[np.asarray(run.alive)])


def _moving(map_: System, z: Array) -> Array:
    moves = np.linalg.norm(map_(z) - z, axis=-1)
    return np.asarray(z[moves > 1e-6 * max(1.0, float(moves.max(initial=0.0)))])


def _settled_backwards(map_: System, z: Array, reach: float) -> Array:
    for _ in range(BACKWARDS):
        z = _preimage(map_, z)
        z = z[np.isfinite(z).all(-1) & (np.abs(np.nan_to_num(z)).max(-1) < reach)]
        if not len(z):
            return z
    return _moving(map_, z)


def _preimage(map_: System, y: Array, tolerance: float = 1e-7) -> Array:
    """x with F(x) = y near y, by Newton's method on all members at once; NaN where it does not converge.

    Orbits are only followed backwards to what attracts them there, which forgives a loose tolerance.
    """
    x = 2 * y - map_(y)
    for _ in range(6):
        image, slopes = map_.with_slopes(x)
        gap = image - y
        size = np.abs(gap).max(-1) / (1 + np.abs(y).max(-1))
        if not ((size > tolerance) & (size < 0.1)).any():  # the others have no preimage near by
            break
        x = x - _solve(slopes[..., :-1], gap)
    return np.where((np.abs(gap).max(-1) < 1e-3 * (1 + np.abs(y).max(-1)))[:, None], x, np.nan)


def _solve(matrices: Array, right: Array) -> Array:
    """Solutions of many small systems; NaN where one is singular or not finite."""
    if matrices.shape[-1] == 2:
        a, b, c, d = matrices[..., 0, 0], matrices[..., 0, 1], matrices[..., 1, 0], matrices[..., 1, 1]
        u, v = right[..., 0], right[..., 1]
        return np.asarray(np.stack([d * u - b * v, a * v - c * u], -1) / (a * d - b * c)[..., None])
    bad = ~np.isfinite(matrices).all((-2, -1))
    bad |= ~(np.abs(np.linalg.det(np.where(bad[:, None, None], 0.0, matrices))) > 1e-14)
    eye = np.eye(matrices.shape[-1])
    answer: Array = np.linalg.solve(np.where(bad[:, None, None], eye, matrices), right[..., None])[..., 0]
    return np.where(bad[:, None], np.nan, answer)


def _orbits(map_: System, points: Array, move: Callable[[Array], Array], reach: float) -> list[Array]:
    """Orbits of about `TURNS` turns of settled points, one for each clearly different curve, each (N, D)."""
    orbits: list[Array] = []
    tried = 0
    for z in points:
        if tried == GUESSES or any(_near(z, other) for other in orbits):
            continue
        tried += 1
        rows = [z]
        length = SHORTEST
        while len(rows) < length:
            rows.append(move(rows[-1]))
            if not np.isfinite(rows[-1]).all() or np.abs(rows[-1]).max() > reach:
                break
            if len(rows) == SHORTEST:
                rho = _turning(np.array(rows), map_.game.dim)
                length = int(np.clip(TURNS / max(rho, 1e-9), SHORTEST, LONGEST_ORBIT))
        if len(rows) >= length:
            orbits.append(np.array(rows if move is map_ else rows[::-1]))
    return orbits


def _turning(orbit: Array, d: int) -> float:
    """Rough turns a step: the direction of motion turns once when the curve does."""
    steps = np.diff(orbit[:, :d], axis=0)
    lengths = np.linalg.norm(steps, axis=-1)
    cosines = (steps[1:] * steps[:-1]).sum(-1) / np.maximum(lengths[1:] * lengths[:-1], 1e-300)
    return float(np.arccos(np.clip(cosines, -1, 1)).mean() / (2 * np.pi))


def _near(z: Array, orbit: Array) -> bool:
    """Whether z lies on the curve that an orbit fills."""
    return bool(np.linalg.norm(orbit - z, axis=-1).min() < 0.01 * (np.ptp(orbit, axis=0).max() + 1e-12))


# --- periodic orbits -------------------------------------------------------------------------------------------------


def _recurrent(map_: System, orbit: Array) -> PeriodicOrbit | None:
    """The periodic orbit that an orbit has settled on, if it has."""
    tail = orbit[-LONGEST - 1 :]
    size = np.ptp(tail, axis=0).max() + 1e-300
    distances = np.abs(tail[:-1] - tail[-1]).max(-1)[::-1]
    returned = np.flatnonzero(distances < 1e-7 * size)
    return _periodic(map_, tail[-1], int(returned[0]) + 1) if len(returned) else None


def _periodic_from(map_: System, z: Array, q: int) -> list[PeriodicOrbit]:
    """Orbits of exact period q that Newton's method on F^q(z) = z reaches from many starts at once."""
    for _ in range(40):
        image, derivative = _power(map_, z, q)
        step = _solve(derivative - np.eye(map_.size), image - z)
        length = np.abs(step).max(-1, keepdims=True)
        z = z - step * np.minimum(1.0, 0.5 * (1 + np.abs(z).max(-1, keepdims=True)) / np.maximum(length, 1e-300))
        z = z[np.isfinite(z).all(-1)]
        if not len(z):
            return []
    image, _ = _power(map_, z, q)
    z = z[np.abs(image - z).max(-1) < 1e-9 * (1 + np.abs(z).max(-1))]
    shorter = [np.abs(_power(map_, z, k)[0] - z).max(-1) < 1e-6 for k in range(1, q) if q % k == 0]
    z = z[~np.any(shorter, axis=0)]
    _, first = np.unique(np.round(z, 6), axis=0, return_index=True)
    found: list[PeriodicOrbit] = []
    for point in z[first]:
        _keep(found, _periodic(map_, point, q))
    return found


def _power(map_: System, z: Array, q: int) -> tuple[Array, Array]:
    """(F^q(z), its derivative)."""
    derivative = np.broadcast_to(np.eye(map_.size), (*z.shape, map_.size))
    for _ in range(q):
        derivative = map_.jacobian(z) @ derivative
        z = map_(z)
    return z, derivative


def _periodic(map_: System, z: Array, q: int) -> PeriodicOrbit | None:
    """Polish one orbit; None unless q is its least period and it is isolated."""
    eye = np.eye(map_.size)
    for _ in range(20):
        image, derivative = _power(map_, z, q)
        step = np.linalg.lstsq(derivative - eye, image - z, rcond=None)[0]
        z = z - step
        if np.abs(step).max() < 1e-15 * (1 + np.abs(z).max()):
            break
    image, derivative = _power(map_, z, q)
    residual, scale = float(np.linalg.norm(image - z)), 1 + np.abs(z).max()
    if not residual < 1e-10 * scale:
        return None
    points = [z]
    for _ in range(q - 1):
        points.append(map_(points[-1]))
    orbit = np.array(points)
    if any(np.abs(orbit[k] - z).max() < 1e-6 * scale for k in range(1, q) if q % k == 0):
        return None
    values = np.linalg.eigvals(derivative).astype(complex)
    if np.abs(values - 1).min() < NEUTRAL:
        return None
    rule = map_.rule
    assert rule is not None
    values = values[np.argsort(-np.abs(values))]
    return PeriodicOrbit(map_.game, rule, q, orbit[:, : map_.game.dim], values, residual)


# --- circles ---------------------------------------------------------------------------------------------------------


def _weights(n: int) -> Array:
    """exp(-1/(t (1 - t))) at n interior points, normalised: averages along smooth quasi-periodic orbits with these
    weights converge faster than any power of n (Das, Saiki, Sander & Yorke 2017).
    """
    t = np.arange(1, n + 1) / (n + 1)
    weights = np.exp(-1 / (t * (1 - t)))
    return np.asarray(weights / weights.sum())


def rotation_number(orbit: Array) -> float:
    """Mean turn a step of an orbit (N, D) around its centre, by a weighted Birkhoff average, in [0, 1).

    The angle is taken in the orbit's principal plane. A step's turn is a continuous function of the angle, which
    decides between a turn and a turn less one.

    Example:
        >>> import numpy as np
        >>> angles = 2 * np.pi * 0.3 * np.arange(4000)
        >>> round(rotation_number(np.stack([np.cos(angles), np.sin(angles)], -1)), 12)
        0.3
    """
    centred = orbit - (orbit.max(0) + orbit.min(0)) / 2
    if orbit.shape[1] > 2:
        centred = centred @ np.linalg.svd(centred, full_matrices=False)[2][:2].T
    angle = np.arctan2(centred[:, 1], centred[:, 0]) / (2 * np.pi)
    turn = np.diff(angle)
    order = np.argsort(angle[:-1])
    lifted = np.empty_like(turn)
    lifted[order] = np.unwrap(turn[order], period=1.0)
    return float(_weights(len(turn)) @ lifted % 1)


def _circle_from_orbit(map_: System, orbit: Array) -> InvariantCircle | None:
    """A circle from an orbit near it: rotation number and Fourier coefficients as weighted averages, then Newton."""
    rho = rotation_number(orbit)
    if not 1e-9 < rho < 1 - 1e-9:
        return None
    phases = np.exp(-2j * np.pi * np.outer(np.arange(-MODES, MODES + 1), np.arange(len(orbit)) * rho))
    return _refine(map_, (phases * _weights(len(orbit))) @ orbit, rho)


def _circle_from_curve(map_: System, points: Array) -> InvariantCircle | None:
    """A circle near a closed curve in the game's coordinates, followed in proportion to time: a flow's cycle."""
    z = map_.start(points)
    for _ in range(0 if map_.size == map_.game.dim else 3):
        z = map_(z)
    coefficients = _modes(z, MODES)
    theta = np.arange(2 * MODES + 1) / (2 * MODES + 1)
    along = _evaluate(_derivative(coefficients), theta)
    curve = _evaluate(coefficients, theta)
    rho = float(((map_(curve) - curve) * along).sum() / (along**2).sum())
    if rho < 0:
        coefficients, rho = coefficients[::-1], -rho
    return _refine(map_, coefficients, rho) if rho > 1e-9 else None


def _modes(values: Array, m: int) -> Array:
    """Fourier coefficients -m..m of samples (n, D) at equal angles."""
    hat = np.fft.fft(values, axis=0) / len(values)
    return hat[np.arange(-m, m + 1)]


def _evaluate(coefficients: Array, theta: Array) -> Array:
    m = len(coefficients) // 2
    waves = np.exp(2j * np.pi * theta[..., None] * np.arange(-m, m + 1))
    return np.asarray((waves @ coefficients).real)


def _derivative(coefficients: Array) -> Array:
    m = len(coefficients) // 2
    return 2j * np.pi * np.arange(-m, m + 1)[:, None] * coefficients


def _refine(map_: System, coefficients: Array, rho: float) -> InvariantCircle | None:
    """Newton on (K, rho) with twice as many modes until the last ones are negligible."""
    while True:
        solved = _newton(map_, coefficients, rho)
        if solved is None:
            return None
        coefficients, rho = solved
        m = len(coefficients) // 2
        size = np.abs(coefficients).max()
        if np.abs(coefficients[[0, 1, -2, -1]]).max() < TAIL * size:
            return _describe(map_, coefficients, rho)
        if 2 * m > MOST_MODES:
            return None
        coefficients = np.pad(coefficients, ((m, m), (0, 0)))


def _newton(map_: System, coefficients: Array, rho: float) -> tuple[Array, float] | None:
    """Solve F(K(theta_j)) = K(theta_j + rho) at 2M + 1 angles, corrections orthogonal to K' on average."""
    m, d = len(coefficients) // 2, map_.size
    n = 2 * m + 1
    theta, k = np.arange(n) / n, np.arange(-m, m + 1)
    forward = np.exp(-2j * np.pi * np.outer(k, theta)) / n
    curve = _evaluate(coefficients, theta)
    size = np.ptp(curve, axis=0).max()
    for _ in range(25):
        waves = np.exp(2j * np.pi * np.outer(theta + rho, k))
        shift = (waves @ forward).real
        slope = ((waves * (2j * np.pi * k)) @ forward).real @ curve
        gap = map_(curve) - shift @ curve
        if not np.isfinite(gap).all():
            return None
        system_ = np.zeros((n * d + 1, n * d + 1))
        blocks = system_[:-1, :-1].reshape(n, d, n, d)
        blocks[np.arange(n), :, np.arange(n), :] = map_.jacobian(curve)
        for c in range(d):
            blocks[:, c, :, c] -= shift
        system_[:-1, -1] = -slope.ravel()
        system_[-1, :-1] = _evaluate(_derivative(forward @ curve), theta).ravel() / n
        try:
            step = np.linalg.solve(system_, -np.append(gap.ravel(), 0.0))
        except np.linalg.LinAlgError:
            return None
        curve, rho = curve + step[:-1].reshape(n, d), rho + float(step[-1])
        if not np.isfinite(step).all() or not 0 < rho < 1 or np.ptp(curve, axis=0).max() > 20 * size:
            return None
        if np.abs(step).max() < 1e-13 * (1 + size):
            break
    hat = forward @ curve
    gap = map_(curve) - _evaluate(hat, theta + rho)
    converged = np.abs(gap).max() < 1e-10 * (1 + size) and np.ptp(curve, axis=0).max() > 1e-3 * size
    return (hat, rho) if converged else None


def _describe(map_: System, coefficients: Array, rho: float) -> InvariantCircle | None:
    if rho > 0.5:
        coefficients, rho = coefficients[::-1], 1 - rho
    n = max(400, 4 * len(coefficients))
    between = (np.arange(n) + 0.5) / n
    residual = float(np.abs(map_(_evaluate(coefficients, between)) - _evaluate(coefficients, between + rho)).max())
    points = _evaluate(coefficients, np.arange(n) / n)
    if residual > RESIDUAL * (1 + np.abs(points).max()):
        return None
    exponents = _normal_exponents(map_, coefficients, rho)
    if np.abs(exponents).min() < NEUTRAL * rho:
        return None  # one of a continuum
    rule = map_.rule
    assert rule is not None
    shown = points[:, : map_.game.dim]
    return InvariantCircle(map_.game, rule, rho, coefficients, shown, np.exp(exponents), residual)


def _normal_exponents(map_: System, coefficients: Array, rho: float) -> Array:
    """Lyapunov exponents across the curve, largest first.

    In the plane the one along the curve is 0, so the other is the mean of log |det DF|, an integral of a smooth
    periodic function. In more dimensions, QR along the rotation.
    """
    if map_.size == 2:
        n = 8 * len(coefficients)
        determinants = np.linalg.det(map_.jacobian(_evaluate(coefficients, np.arange(n) / n)))
        return np.array([np.log(np.abs(determinants)).mean()])
    steps, settle = 4096, 512
    jacobians = map_.jacobian(_evaluate(coefficients, np.arange(steps + settle) * rho))
    frame = np.linalg.qr(np.random.default_rng(0).normal(size=(map_.size, map_.size)))[0]
    logs = np.empty((steps + settle, map_.size))
    with np.errstate(divide="ignore"):
        for n, matrix in enumerate(jacobians):
            frame, r = np.linalg.qr(matrix @ frame)
            logs[n] = np.log(np.abs(np.diag(r)))
    exponents = np.sort(_weights(steps) @ logs[settle:])[::-1]
    return np.delete(exponents, int(np.argmin(np.abs(exponents))))


def check_box(game: Game, box: Sequence[tuple[float, float]]) -> Array:
    """A box as an array (d, 2).

    Raises:
        ParameterError: unless it has one (low, high) pair per coordinate.
    """
    bounds = np.asarray(box, dtype=float)
    if bounds.shape != (game.dim, 2) or not (bounds[:, 0] < bounds[:, 1]).all():
        raise ParameterError(f"box={box!r}", f"{game.dim} pairs (low, high)", "box=[(-2, 2)] * game.dim")
    return bounds
