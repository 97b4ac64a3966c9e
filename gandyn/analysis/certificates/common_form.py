"""One quadratic form that decreases under several matrices at once, by semidefinite programs."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np

from ...errors import MissingDependencyError
from ...types import Array

ROOM = 0.3


def common_form(slopes: list[Array], flow: bool) -> Array | None:
    """P with trace D that decreases most on all samples: maximise t with A^T P + P A <= -t I (maps: F^T P F - P)."""
    try:
        import cvxpy
    except ImportError as error:
        raise MissingDependencyError(
            "a common Lyapunov function without cvxpy", "cvxpy and clarabel", 'pip install "gandyn[proof]"'
        ) from error
    n = len(slopes[0])
    if flow:  # in other units of time the same P serves: the solver's tolerances are absolute
        slopes = [a / max(float(np.abs(b).max()) for b in slopes) for a in slopes]
    p, t = cvxpy.Variable((n, n), symmetric=True), cvxpy.Variable()
    identity = np.eye(n)
    changes = [a.T @ p + p @ a if flow else a.T @ p @ a - p for a in slopes]
    constraints = [p >> 1e-3 * identity, cvxpy.trace(p) == n, *(c << -t * identity for c in changes)]
    problem = cvxpy.Problem(cvxpy.Maximize(t), constraints)
    problem.solve(solver=cvxpy.CLARABEL)
    return None if p.value is None or t.value is None or t.value <= 0 else np.asarray(p.value)


def widest_form(
    slopes: Sequence[Array], active: Sequence[int], spreads: Sequence[Array], reach: float, flow: bool
) -> Array | None:
    """The matrix P of an ellipsoid u^T P u <= 1 that holds the largest ball of starts, by semidefinite programming.

    The form u^T P u decreases under every given slope. These slopes hold for |u_active| <= reach only, so the
    projection of the ellipsoid onto the active coordinates has to stay within that reach. A start u_0 in R^d gives the
    augmented state D u_0 with D in `spreads`; minimised is the t with D^T P D <= t I.

    The first of the slopes, (D, D) each, is that at the fixed point; with `flow` they are those of a field v with dw/dt
    = -v(w). `active` are the coordinates on which the derivative depends, `reach` their half width. None without cvxpy,
    or where no solution was found.
    """
    try:
        import cvxpy
    except ImportError:
        return None
    n, d = spreads[0].shape
    values = np.linalg.eigvals(slopes[0])  # the linear part's: room for the proof is a share of its own decrease
    room = ROOM * (2 * values.real.min() if flow else 1 - np.abs(values).max() ** 2)
    if room <= 0:
        return None
    scale = max(float(np.abs(a).max()) for a in slopes) if flow else 1.0
    p, t = cvxpy.Variable((n, n), PSD=True), cvxpy.Variable()  # in units of reach
    kept = np.eye(n)[:, list(active)]
    changes = [-(a.T @ p + p @ a) / scale if flow else a.T @ p @ a - p for a in slopes]
    constraints = [c << -(room / scale) * p for c in changes]
    constraints += [cvxpy.bmat([[p, kept], [kept.T, np.eye(len(active))]]) >> 0]
    constraints += [s.T @ p @ s << t * np.eye(d) for s in spreads]
    problem = cvxpy.Problem(cvxpy.Minimize(t), constraints)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an inexact P serves: it is a guess, to be proven or dropped
            problem.solve(solver=cvxpy.CLARABEL)
    except cvxpy.error.SolverError:
        return None
    usable = problem.status in ("optimal", "optimal_inaccurate") and p.value is not None
    return np.asarray(p.value) / reach**2 if usable else None
