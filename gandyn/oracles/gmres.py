"""Linear systems on the long vectors of networks: GMRES, which asks only for products with the matrix."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

MOST_ITERATIONS = 200


@dataclasses.dataclass(frozen=True)
class KrylovReport:
    """How a linear solve ended: products used, |b - A x| / |b| as measured by a last product, and its success."""

    iterations: int
    residual: float
    converged: bool


def gmres(
    operator: Callable[[Any], Any], rhs: Any, tolerance: float, most: int = MOST_ITERATIONS
) -> tuple[Any, KrylovReport]:
    """x with A x = b, the x of smallest residual in the Krylov space (Saad & Schultz 1986), without restarts.

    Args:
        operator: u -> A u on torch vectors (d,). rhs: b, shape (d,).
        tolerance: stop where |b - A x| <= tolerance |b|.
        most: products at most; the basis takes that many vectors of memory.
    """
    import torch

    rhs = rhs.detach()
    size = float(rhs.norm())
    if size == 0:
        return torch.zeros_like(rhs), KrylovReport(0, 0.0, True)
    basis = [rhs / size]
    hessenberg = np.zeros((most + 1, most))
    target = np.zeros(most + 1)
    target[0] = size
    for k in range(min(most, rhs.shape[0])):
        vector = operator(basis[k]).detach()
        span = torch.stack(basis)
        for _ in range(2):  # Gram-Schmidt once more: in floating point, once does not make them orthogonal
            overlap = span @ vector
            vector = vector - overlap @ span
            hessenberg[: k + 1, k] += overlap.cpu().numpy()
        length = float(vector.norm())
        hessenberg[k + 1, k] = length
        small = hessenberg[: k + 2, : k + 1]
        coefficients = np.linalg.lstsq(small, target[: k + 2], rcond=None)[0]
        residual = float(np.linalg.norm(target[: k + 2] - small @ coefficients)) / size
        if residual <= tolerance or length <= 1e-14 * size:
            break
        basis.append(vector / length)
    weights = torch.as_tensor(coefficients, dtype=rhs.dtype, device=rhs.device)
    solution = weights @ torch.stack(basis[: len(coefficients)])
    measured = float((rhs - operator(solution).detach()).norm()) / size
    return solution, KrylovReport(len(coefficients), measured, measured <= 10 * tolerance)
