"""Solutions P of P = E[M P M^T] + Q, the discrete Lyapunov (Stein) equation of a random linear map."""

from __future__ import annotations

import numpy as np

from ...lazy import sympy
from ...types import Array
from .random_map import RandomMap

NEAR = 1e-8  # distance of a spectral radius from 1 below which floats do not decide
DOUBLINGS = 100


def spectral_radius(step: RandomMap) -> float:
    """Spectral radius of E[M (x) M]: the factor by which second moments grow in a step, in the long run."""
    m = step.numbers[0]
    if step.single:
        return float(np.abs(np.linalg.eigvals(m[0])).max(initial=0.0) ** 2)
    return float(np.abs(np.linalg.eigvals(step.second_moment_matrix)).max(initial=0.0))


def stable(step: RandomMap) -> bool:
    """Whether the spectral radius lies below 1, exactly where it is near 1.

    P = E[M P M^T] + I has a positive definite solution exactly then (Stein's theorem, for E[M (x) M] in place of
    M (x) M); near 1 it is solved in rational arithmetic and the leading minors of P decide.
    """
    radius = spectral_radius(step)
    if abs(radius - 1) > NEAR:
        return radius < 1
    if not step.matrix.rows:  # measured: no exact entries
        return False
    solution = solve_exact(step, sympy.eye(step.matrix.rows))
    if solution is None:
        return False
    minors = [solution[:k, :k].det() for k in range(1, solution.rows + 1)]
    return all(bool(minor > 0) for minor in minors)


def solve(step: RandomMap, forcing: Array) -> Array:
    """P in floats, for a stable map: by doubling where M is fixed, else from the linear system of size D^2."""
    if step.single:
        return doubled(step.numbers[0][0], forcing)
    size = len(forcing)
    system = np.eye(size**2) - step.second_moment_matrix
    found: Array = np.linalg.solve(system, forcing.ravel()).reshape(size, size)
    return (found + found.T) / 2


def doubled(a: Array, forcing: Array) -> Array:
    """sum_k A^k Q A^kT for a spectral radius below 1: P <- P + A P A^T, A <- A A, each time twice as many terms."""
    total, power = forcing.copy(), a.copy()
    for _ in range(DOUBLINGS):
        added = power @ total @ power.T
        total = total + added
        power = power @ power
        if np.abs(added).max(initial=0.0) <= 1e-18 * np.abs(total).max(initial=0.0):
            break
    return (total + total.T) / 2


def solve_exact(step: RandomMap, forcing: sympy.Matrix) -> sympy.Matrix | None:
    """P as a SymPy matrix, in the rational functions of the free parameters; None where the system is singular. Raises
    ValueError, NotImplementedError SymPy's, where the entries lie in no field that it computes in.
    """
    from sympy.polys.matrices import DomainMatrix
    from sympy.polys.matrices.exceptions import DMNonInvertibleMatrixError

    pairs, system = exact_system(step)
    rhs = sympy.Matrix([forcing[i, j] for i, j in pairs])
    joined = DomainMatrix.from_Matrix(sympy.Matrix.hstack(system, rhs)).to_field()
    n = len(pairs)
    try:
        solution = joined[:, :n].lu_solve(joined[:, n:]).to_Matrix()
    except DMNonInvertibleMatrixError:
        return None
    size, found = step.matrix.rows, {}
    for (i, j), value in zip(pairs, solution, strict=True):
        found[i, j] = found[j, i] = value
    return sympy.Matrix(size, size, lambda i, j: found[i, j])


def exact_system(step: RandomMap) -> tuple[list[tuple[int, int]], sympy.Matrix]:
    """(pairs i <= j, the matrix of P - E[M P M^T] on the entries P_ij), exact."""
    size = step.matrix.rows
    pairs = [(i, j) for i in range(size) for j in range(i, size)]
    m = step.matrix

    def moved(i: int, j: int, k: int, l: int) -> sympy.Expr:
        both = m[i, k] * m[j, l]
        return both if k == l else both + m[i, l] * m[j, k]

    products = sympy.Matrix([[moved(i, j, k, l) for k, l in pairs] for i, j in pairs])
    return pairs, sympy.eye(len(pairs)) - step.expected(products)
