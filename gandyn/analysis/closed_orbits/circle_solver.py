"""The invariance equation F(K(theta)) = K(theta + rho) of a closed curve: a first guess from an orbit, then Newton."""

from __future__ import annotations

import numpy as np

from ...types import Array
from ..parameters.system import System
from .closed_orbit import InvariantCircle, evaluate

MODES, MOST_MODES, TAIL = 16, 256, 1e-12
RESIDUAL, NEUTRAL = 1e-10, 1e-6


def fading_weights(n: int) -> Array:
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
    return float(fading_weights(len(turn)) @ lifted % 1)


def circle_from_orbit(map_: System, orbit: Array) -> InvariantCircle | None:
    """A circle from an orbit near it: rotation number and Fourier coefficients as weighted averages, then Newton."""
    rho = rotation_number(orbit)
    if not 1e-9 < rho < 1 - 1e-9:
        return None
    phases = np.exp(-2j * np.pi * np.outer(np.arange(-MODES, MODES + 1), np.arange(len(orbit)) * rho))
    return refined(map_, (phases * fading_weights(len(orbit))) @ orbit, rho)


def circle_from_curve(map_: System, points: Array) -> InvariantCircle | None:
    """A circle near a closed curve in the game's coordinates, followed in proportion to time: a flow's cycle."""
    z = map_.start(points)
    for _ in range(0 if map_.size == map_.game.dim else 3):
        z = map_(z)
    coefficients = _modes(z, MODES)
    theta = np.arange(2 * MODES + 1) / (2 * MODES + 1)
    along = evaluate(_derivative(coefficients), theta)
    curve = evaluate(coefficients, theta)
    rho = float(((map_(curve) - curve) * along).sum() / (along**2).sum())
    if rho < 0:
        coefficients, rho = coefficients[::-1], -rho
    return refined(map_, coefficients, rho) if rho > 1e-9 else None


def _modes(values: Array, m: int) -> Array:
    """Fourier coefficients -m..m of samples (n, D) at equal angles."""
    hat = np.fft.fft(values, axis=0) / len(values)
    return hat[np.arange(-m, m + 1)]


def _derivative(coefficients: Array) -> Array:
    m = len(coefficients) // 2
    return 2j * np.pi * np.arange(-m, m + 1)[:, None] * coefficients


def refined(map_: System, coefficients: Array, rho: float, held: bool = False) -> InvariantCircle | None:
    """Newton's method on the invariance equation F(K(theta)) = K(theta + rho) of a closed curve K.

    The number of Fourier modes of K is doubled until the last ones are negligible.

    The rotation number rho, in turns per step, is kept where `held`, and solved for together with K otherwise.
    """
    while True:
        solved = _newton(map_, coefficients, rho, held)
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


def _newton(map_: System, coefficients: Array, rho: float, held: bool) -> tuple[Array, float] | None:
    """Solve F(K(theta_j)) = K(theta_j + rho) at 2M + 1 angles, corrections orthogonal to K' on average.

    Where rho is a fraction and every point periodic, K is free along the curve: the shortest correction is taken, and
    rho is held.
    """
    m, d = len(coefficients) // 2, map_.size
    n = 2 * m + 1
    theta, k = np.arange(n) / n, np.arange(-m, m + 1)
    forward = np.exp(-2j * np.pi * np.outer(k, theta)) / n
    curve = evaluate(coefficients, theta)
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
        system_[-1, :-1] = evaluate(_derivative(forward @ curve), theta).ravel() / n
        try:
            step = _correction(system_, -np.append(gap.ravel(), 0.0), held)
        except np.linalg.LinAlgError:
            return None
        curve, rho = curve + step[:-1].reshape(n, d), rho + float(step[-1])
        if not np.isfinite(step).all() or not 0 < rho < 1 or np.ptp(curve, axis=0).max() > 20 * size:
            return None
        if np.abs(step).max() < 1e-13 * (1 + size):
            break
    hat = forward @ curve
    gap = map_(curve) - evaluate(hat, theta + rho)
    converged = np.abs(gap).max() < 1e-10 * (1 + size) and np.ptp(curve, axis=0).max() > 1e-3 * size
    return (hat, rho) if converged else None


def _correction(matrix: Array, right: Array, held: bool) -> Array:
    if not held:
        return np.asarray(np.linalg.solve(matrix, right))
    return np.append(np.linalg.lstsq(matrix[:, :-1], right, rcond=1e-9)[0], 0.0)


def _once_around(coefficients: Array, rho: float) -> tuple[Array, float]:
    """K(m theta), turning by rho / m, solves the same equation: what is run through m times is run through once."""
    k = np.arange(len(coefficients)) - len(coefficients) // 2
    sizes = np.abs(coefficients).max(-1)
    for m in range(6, 1, -1):
        if sizes[k % m != 0].max() < 1e-9 * sizes.max():
            return coefficients[k % m == 0], m * rho % 1
    return coefficients, rho


def _describe(map_: System, coefficients: Array, rho: float) -> InvariantCircle | None:
    coefficients, rho = _once_around(coefficients, rho)
    if rho > 0.5:
        coefficients, rho = coefficients[::-1], 1 - rho
    n = max(400, 4 * len(coefficients))
    between = (np.arange(n) + 0.5) / n
    residual = float(np.abs(map_(evaluate(coefficients, between)) - evaluate(coefficients, between + rho)).max())
    points = evaluate(coefficients, np.arange(n) / n)
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
        determinants = np.linalg.det(map_.jacobian(evaluate(coefficients, np.arange(n) / n)))
        return np.array([np.log(np.abs(determinants)).mean()])
    steps, settle = 4096, 512
    jacobians = map_.jacobian(evaluate(coefficients, np.arange(steps + settle) * rho))
    frame = np.linalg.qr(np.random.default_rng(0).normal(size=(map_.size, map_.size)))[0]
    logs = np.empty((steps + settle, map_.size))
    with np.errstate(divide="ignore"):
        for n, matrix in enumerate(jacobians):
            frame, r = np.linalg.qr(matrix @ frame)
            logs[n] = np.log(np.abs(np.diag(r)))
    exponents = np.sort(fading_weights(steps) @ logs[settle:])[::-1]
    return np.delete(exponents, int(np.argmin(np.abs(exponents))))
