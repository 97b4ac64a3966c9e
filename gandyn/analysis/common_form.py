"""One quadratic form that decreases under several matrices at once, by a semidefinite program."""

from __future__ import annotations

import numpy as np

from ..errors import MissingDependencyError
from ..types import Array


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
