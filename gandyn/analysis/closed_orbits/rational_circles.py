"""Invariant circles that turn by a fraction p/q: every point is periodic, so no orbit fills the curve, but many do."""

from __future__ import annotations

import numpy as np

from ...types import Array
from ..parameters.system import System
from .circle_solver import refined
from .closed_orbit import InvariantCircle

REACHES = (0.3, 0.1, 0.03)  # how far, in sizes of the curve, its neighbour among the points may be
PERIODIC, MOST_MODES, LONGEST = 1e-6, 16, 64


def circle_from_periodic(map_: System, z: Array, points: Array) -> InvariantCircle | None:
    """The circle through z, made of points of one period, among which many of `points` lie.

    Where F^q is the identity on the curve, theta(z) = (1/q) sum_j (a(F^j z) - j p/q), a being the angle about the
    curve's centre, counted continuously, satisfies theta(F z) = theta(z) + p/q exactly. The Fourier series that fits
    the points at these angles starts Newton's method, with the rotation number held at p/q.
    """
    orbit = [z]
    while len(orbit) <= LONGEST:
        following = map_(orbit[-1])
        if len(orbit) > 2 and np.abs(following - z).max() < PERIODIC * np.ptp(np.array(orbit), axis=0).max():
            break
        orbit.append(following)
    q = len(orbit)
    if not 2 < q <= LONGEST:
        return None
    every = np.concatenate([np.array(orbit), points])
    size = np.ptp(np.array(orbit), axis=0).max()
    rows = [every]
    for _ in range(q):
        rows.append(map_(rows[-1]))
    orbits = np.array(rows)
    good = np.isfinite(orbits).all((0, 2)) & (np.abs(orbits[q] - orbits[0]).max(-1) < PERIODIC * size)
    orbits = orbits[:q, good]
    for reach in REACHES:
        circle = _fitted(map_, orbits[:, _connected(orbits, q, reach * size)])
        if circle is not None:
            return circle
    return None


def _connected(orbits: Array, q: int, reach: float) -> Array:
    """Members whose points chain up with those of the first q members, each within reach of the next."""
    n = orbits.shape[1]
    inside = np.zeros(n, dtype=bool)
    inside[:q] = True
    while True:
        known = orbits[:, inside].reshape(-1, orbits.shape[-1])
        gaps = np.linalg.norm(orbits[0][:, None] - known[None], axis=-1).min(1)
        grown = gaps < reach
        if (grown | inside).sum() == inside.sum():
            return np.flatnonzero(inside)
        inside |= grown


def _fitted(map_: System, orbits: Array) -> InvariantCircle | None:
    """An invariant circle fitted to orbits (q, N, D) of period q that lie on one curve; None where that fails."""
    q, n, d = orbits.shape
    flat = orbits.reshape(-1, d)
    centred = flat - (flat.max(0) + flat.min(0)) / 2
    if d > 2:
        centred = centred @ np.linalg.svd(centred, full_matrices=False)[2][:2].T
    angle = (np.arctan2(centred[:, 1], centred[:, 0]) / (2 * np.pi)).reshape(q, n)
    turns = np.diff(np.concatenate([angle, angle[:1]]), axis=0)
    middle = np.angle(np.exp(2j * np.pi * turns).mean()) / (2 * np.pi) % 1
    turns = (turns - middle + 0.5) % 1 - 0.5 + middle
    p = round(float(turns.sum(0).mean()))
    if not 0 < p < q:
        return None
    lifted = angle[0] + np.concatenate([np.zeros((1, n)), np.cumsum(turns[:-1], axis=0)])
    theta = (lifted - np.arange(q)[:, None] * p / q).mean(0) + np.arange(q)[:, None] * p / q
    theta = theta.ravel() % 1
    gap = np.diff(np.sort(theta), append=theta.min() + 1).max()
    m = int(min(MOST_MODES, 0.4 / gap))
    if m < 1:
        return None
    waves = np.exp(2j * np.pi * theta[:, None] * np.arange(-m, m + 1))
    coefficients = np.linalg.lstsq(waves, flat.astype(complex), rcond=1e-10)[0]
    coefficients = (coefficients + coefficients[::-1].conj()) / 2
    return refined(map_, coefficients, p / q, held=True)
