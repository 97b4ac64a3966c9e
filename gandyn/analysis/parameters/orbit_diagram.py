"""Where an ensemble of starts is in the long run, at every value of a parameter at once."""

from __future__ import annotations

import numpy as np

from ...types import Array
from .system import System

SETTLE, KEPT = 1500, 60
FLOW_STEPS, REACH = 3000, 50.0


def attractor(made: System, grid: Array, starts: Array, size: float) -> Array:
    """Long-run values of w at each parameter value: the last iterates of a map, turning points of a flow's coordinates.

    Shape (len(grid), samples, d). A flow is integrated by Runge-Kutta steps of fourth order; where a first coordinate
    has an extremum, the point is kept, the last point elsewhere.
    """
    n, m, d = len(grid), len(starts), made.game.dim
    z = np.stack([made.start(starts, float(p)) for p in grid])
    p = np.broadcast_to(grid[:, None], (n, m))
    rows = np.full((KEPT, n, m, d), np.nan)
    with np.errstate(all="ignore"):
        if made.discrete:
            for step in range(SETTLE + KEPT):
                z = made(z, p)
                if step >= SETTLE:
                    rows[step - SETTLE] = z[..., :d]
        else:
            _flow_rows(made, z, p, rows)
    rows[~(np.abs(rows).max(-1) < REACH * size)] = np.nan
    return np.moveaxis(rows, 0, 1).reshape(n, KEPT * m, d)


def _flow_rows(made: System, z: Array, p: Array, rows: Array) -> None:
    """Fill rows with points at which the first coordinate turns, and with the last point where it does not."""
    fastest = float(np.nanmax(np.abs(np.linalg.eigvals(np.nan_to_num(made.jacobian(z, p))))))
    h = 0.2 / fastest if fastest > 0 else 1.0  # in units of the fastest rate, whatever the units of the costs
    steps = FLOW_STEPS
    count: Array = np.zeros(z.shape[:-1], dtype=int)
    first, second = np.indices(count.shape)
    before = made(z, p)[..., 0]
    for step in range(steps):
        k1 = made(z, p)
        k2 = made(z + h / 2 * k1, p)
        k3 = made(z + h / 2 * k2, p)
        z = z + h / 6 * (k1 + 2 * k2 + 2 * k3 + made(z + h * k3, p))
        turned = (k1[..., 0] * before < 0) & (step > steps // 2)
        before = k1[..., 0]
        at = turned & (count < len(rows))
        places: tuple[Array, ...] = (count[at], first[at], second[at])
        rows[places] = z[at]
        count += at
    empty = count == 0
    rows[0][empty] = z[empty]
