"""How hard it is for small noise to carry a flow from one point to another: the quasi-potential, and the path."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize

from ...arguments import whole
from ...errors import DomainError, ParameterError, ShapeError
from ...types import Array
from .long_run import Flow

ROUNDS, SEARCHES = 12, 60
SLOPE = 1e-6  # of the path's length: half the width of a difference quotient


class LeastAction(NamedTuple):
    """The action of the cheapest path found, an upper bound of the quasi-potential, and the path, (points, d)."""

    action: float
    path: Array


def least_action(flow: Flow, start: object, end: object, points: int = 100) -> LeastAction:
    """The smallest Freidlin-Wentzell action from one point to another, and the path that has it.

    S = (1/2) integral of |dw/dt - b|^2 dt over paths of any duration, b the drift, lengths being those of the inverse
    of the diffusion's rate. Minimised over the duration it is the integral of |dw| |b| - <dw, b> along the path alone
    (Heymann & Vanden-Eijnden 2008, proposition 2.1), which is minimised here over polygons of about equal sides by
    quasi-Newton steps, from the straight line. The mean time until noise leaves a basin is exp(S) to leading order in
    small noise, S being that to its lowest pass. For a gradient flow with drift -grad U and rate s2 I it is 2 dU / s2.

    It starts at an attracting equilibrium of the drift and ends at a point such as the saddle on the border of its
    basin; the error falls with the square of the number of `points`. Raises ShapeError for points of another size;
    DomainError where the rate of the noise is singular.
    """
    ends = [np.asarray(p, dtype=float) for p in (start, end)]
    if any(p.shape != (flow.game.dim,) for p in ends):
        raise ShapeError(f"ends of shapes {ends[0].shape}, {ends[1].shape}", f"({flow.game.dim},)", "end=[0, 0]")
    whole("points", points, 8, 2000)
    if not np.abs(ends[1] - ends[0]).max() > 0:
        raise ParameterError(f"a path from {ends[0].tolist()} to itself", "two points", "end= the saddle")
    path = np.stack(ends)
    for corners in (-(-points // 4), -(-points // 2), points):
        path = _shortened(flow, _even(path, corners))
    return LeastAction(float(_actions(flow, path[:-1], path[1:]).sum()), path)


def _shortened(flow: Flow, path: Array) -> Array:
    """The polygon moved to a smallest action, its ends held; made even after every few steps, as corners slide."""

    def whole(inner: Array) -> tuple[float, Array]:
        return _action_and_slope(flow, np.vstack([path[:1], inner.reshape(-1, path.shape[1]), path[-1:]]))

    least = np.inf
    for _ in range(ROUNDS):
        found = minimize(whole, path[1:-1].ravel(), jac=True, method="L-BFGS-B", options={"maxiter": SEARCHES})
        path = _even(np.vstack([path[:1], found.x.reshape(-1, path.shape[1]), path[-1:]]), len(path))
        if found.fun > least * (1 - 1e-7):
            break
        least = found.fun
    return path


def _actions(flow: Flow, a: Array, b: Array) -> Array:
    """|b - a| |drift| - <b - a, drift> of segments, the drift at their middles, in the metric of the noise."""
    middle, side = (a + b) / 2, b - a
    rate, drift = flow.diffusion(middle), flow.drift(middle)
    try:
        both = np.linalg.solve(rate, np.stack([side, drift], axis=-1))
    except np.linalg.LinAlgError:
        raise DomainError("noise whose rate is singular", "noise in every direction", "noise=0.1") from None
    along = np.einsum("...i,...ij->...j", side, both)
    sizes = along[..., 0] * np.einsum("...i,...i->...", drift, both[..., 1])
    return np.asarray(np.sqrt(np.maximum(sizes, 0)) - along[..., 1])


def _action_and_slope(flow: Flow, path: Array) -> tuple[float, Array]:
    """The action of a polygon and its derivative in the inner corners: each moves two sides."""
    slope = np.zeros_like(path)
    for k in range(path.shape[1]):
        h = np.zeros(path.shape[1])
        h[k] = SLOPE * float(np.linalg.norm(np.diff(path, axis=0), axis=1).sum())
        for at, ends in ((slice(None, -1), (h, 0)), (slice(1, None), (0, h))):
            up, down = (_actions(flow, path[:-1] + s * ends[0], path[1:] + s * ends[1]) for s in (1, -1))
            slope[at, k] += (up - down) / (2 * h[k])
    return float(_actions(flow, path[:-1], path[1:]).sum()), slope[1:-1].ravel()


def _even(path: Array, corners: int) -> Array:
    """A polygon (points, d) again as one with `corners` points, (corners, d), at equal distances along it."""
    lengths = np.concatenate([[0], np.linalg.norm(np.diff(path, axis=0), axis=1).cumsum()])
    places = np.linspace(0, lengths[-1], corners)
    return np.stack([np.interp(places, lengths, column) for column in path.T], axis=1)
