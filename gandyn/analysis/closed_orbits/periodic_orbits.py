"""Periodic orbits of a map, by Newton's method on F^q(z) = z."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...types import Array
from ..parameters.system import System
from .closed_orbit import PeriodicOrbit

NEUTRAL = 1e-6
LONGEST = 200


def recurrent(map_: System, orbit: Array) -> PeriodicOrbit | None:
    """The periodic orbit to which an orbit has converged, or None where it has not converged to one."""
    tail = orbit[-LONGEST - 1 :]
    size = np.ptp(tail, axis=0).max() + 1e-300
    distances = np.abs(tail[:-1] - tail[-1]).max(-1)[::-1]
    returned = np.flatnonzero(distances < 1e-7 * size)
    return _periodic(map_, tail[-1], int(returned[0]) + 1) if len(returned) else None


def periodic_from(map_: System, z: Array, q: int) -> list[PeriodicOrbit]:
    """Periodic orbits of exact period q, by Newton's method on F^q(z) = z from many starts at once."""
    for _ in range(40):
        image, derivative = _power(map_, z, q)
        step = solve_many(derivative - np.eye(map_.size), image - z)
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
        keep(found, _periodic(map_, point, q))
    return found


def _power(map_: System, z: Array, q: int) -> tuple[Array, Array]:
    """The point F^q(z) and the derivative of F^q there."""
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
        if not np.isfinite(derivative).all():
            return None
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


def keep(found: list[PeriodicOrbit], new: Any) -> None:
    """Add a circle or periodic orbit to a list unless the list has it already; None is ignored."""
    if new is not None and not any(same(new, old) for old in found):
        found.append(new)


def same(a: PeriodicOrbit, b: PeriodicOrbit) -> bool:
    """Whether two of them are one: the same periodic orbit, or curves that coincide."""
    if isinstance(a, PeriodicOrbit) or isinstance(b, PeriodicOrbit):
        if type(a) is not type(b) or a.period != b.period:
            return False
        return bool(np.linalg.norm(b.points - a.points[0], axis=-1).min() < 1e-6 * (1 + np.abs(a.points).max()))
    gap = np.linalg.norm(b.points - a.points[0], axis=-1).min()
    spacing = np.linalg.norm(np.diff(b.points, axis=0), axis=-1).max()
    return bool(gap < spacing and abs(a.rotation_number - b.rotation_number) < 1e-7)


def solve_many(matrices: Array, right: Array) -> Array:
    """Solutions of many small systems; NaN where one is singular or not finite."""
    if matrices.shape[-1] == 2:
        a, b, c, d = matrices[..., 0, 0], matrices[..., 0, 1], matrices[..., 1, 0], matrices[..., 1, 1]
        u, v = right[..., 0], right[..., 1]
        return np.asarray(np.stack([d * u - b * v, a * v - c * u], -1) / (a * d - b * c)[..., None])
    bad = ~np.isfinite(matrices).all((-2, -1))
    sizes = np.linalg.norm(matrices, axis=-1).prod(-1)  # of determinants: what Hadamard's inequality allows
    bad |= ~(np.abs(np.linalg.det(np.where(bad[:, None, None], 0.0, matrices))) > 1e-14 * sizes)
    eye = np.eye(matrices.shape[-1])
    answer: Array = np.linalg.solve(np.where(bad[:, None, None], eye, matrices), right[..., None])[..., 0]
    return np.where(bad[:, None], np.nan, answer)
