"""Krylov bases on torch vectors: Arnoldi with full reorthogonalisation, and thick restarts where memory ends.

The basis V and the products stay on the device; only the small matrix H comes to the host, as float64, for LAPACK.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import NotDifferentiableError
from ..lazy import torch
from ..worlds import Array
from .operator import Operator

BLOCK = 64  # basis vectors are allocated in blocks of so many
FLOOR = 4.5  # rounding units of |H| below which no residual estimate is believed: 1e-15 |H| in double precision


@dataclasses.dataclass(frozen=True)
class Ritz:
    """Eigenpairs of the small matrix: A V y is theta V y up to `residuals`.

    Attributes:
        values: theta, (m,), complex. coefficients: unit y as columns, (m, m).
        residuals: |A x - theta x| for x = V y, estimated from H and floored at 1e-15 |H| (4.5 rounding units).
        conditions: of the eigenvalues of H, (m,): an error e of H moves theta by about its condition number times |e|.
            1 for normal matrices, without bound near multiple eigenvalues.
        norm: |H|_2. complete: the space is everything, so that these are all the eigenvalues.
    """

    values: Array
    coefficients: Array
    residuals: Array
    conditions: Array
    norm: float
    complete: bool


class Krylov:
    """A V_m = V_{m+1} H with orthonormal V: built by Arnoldi steps, shortened by Krylov-Schur restarts.

    Arnoldi gives a Hessenberg H; after a restart (Stewart 2002) its leading block is a Schur form and the row below is
    full. Nothing here depends on which of the two it is. Where the space is invariant, a random direction continues it.

    `operator`: what is multiplied with; `seed`: of the start and of directions that continue an invariant space.
    """

    def __init__(self, operator: Operator, seed: int) -> None:
        self.operator, self.size = operator, 0
        self._random = torch.Generator().manual_seed(seed)
        self._blocks: list[Array] = []
        self._hessenberg = np.zeros((BLOCK + 1, BLOCK))
        start = self._draw()
        self._store(0, start / start.norm())

    @property
    def complete(self) -> bool:
        """Whether the basis spans everything."""
        return self.size == self.operator.size

    @property
    def hessenberg(self) -> Array:
        """The Hessenberg matrix H of the recurrence A V_m = V_(m+1) H, shape (m+1, m)."""
        return self._hessenberg[: self.size + 1, : self.size]

    def extend(self, size: int) -> None:
        """Multiply until the basis has `size` vectors, or everything is spanned."""
        size = min(size, self.operator.size)
        if size > self._hessenberg.shape[1]:
            grown = np.zeros((size + BLOCK + 1, size + BLOCK))
            rows, columns = self._hessenberg.shape
            grown[:rows, :columns] = self._hessenberg
            self._hessenberg = grown
        while self.size < size:
            self._step()

    def _step(self) -> None:
        j = self.size
        vector = self.operator(self._row(j))
        overlap, vector = self._orthogonalise(vector, j + 1)
        length = float(vector.norm())
        if not math.isfinite(length):
            raise NotDifferentiableError(
                f"a product with the {self.operator.name} that is not finite",
                "a point and a state where there is a derivative",
                "another batch or state",
            )
        self._hessenberg[: j + 1, j] = overlap
        scale = max(float(np.linalg.norm(overlap)), length, float(np.abs(self._hessenberg[:j, :j]).max(initial=0.0)))
        self.size = j + 1
        if self.complete:
            self._hessenberg[j + 1, j] = 0.0
            return
        if length <= 10 * self.operator.precision * scale:
            self._hessenberg[j + 1, j] = 0.0
            vector = self._orthogonalise(self._draw(), j + 1)[1]
            self._store(j + 1, vector / vector.norm())
            return
        self._hessenberg[j + 1, j] = length
        self._store(j + 1, vector / length)

    def _orthogonalise(self, vector: Array, count: int) -> tuple[Array, Array]:
        """Components along the first `count` rows, and the vector without them; twice, or rounding would remain."""
        total = np.zeros(count)
        for _ in range(2):
            for start, block in self._used(count):
                overlap = block @ vector
                vector = vector - overlap @ block
                total[start : start + len(overlap)] += overlap.double().cpu().numpy()
        return total, vector

    def ritz(self) -> Ritz:
        """All eigenpairs of the small matrix; of symmetric and skew operators by the Hermitian solver."""
        m = self.size
        square, last = self.hessenberg[:m], self.hessenberg[m]
        if self.operator.kind == "symmetric":
            values, vectors = np.linalg.eigh((square + square.T) / 2)
        elif self.operator.kind == "skew":
            values, vectors = np.linalg.eigh(-0.5j * (square - square.T))
            values = 1j * values
        else:
            values, vectors = np.linalg.eig(square)
        conditions = np.ones(m) if self.operator.kind in ("symmetric", "skew") else _conditions(vectors)
        norm = float(np.linalg.norm(square, 2))
        residuals = np.maximum(np.abs(last @ vectors), FLOOR * self.operator.precision * norm)
        return Ritz(values.astype(complex), vectors.astype(complex), residuals, conditions, norm, self.complete)

    def combine(self, coefficients: Array) -> tuple[Array, Array]:
        """Real and imaginary part of V y, each (n,)."""
        real, imaginary = (
            self._combined(np.ascontiguousarray(part)) for part in (coefficients.real, coefficients.imag)
        )
        return real, imaginary

    def _combined(self, weights: Array) -> Array:
        like = self.operator.like
        total = like.new_zeros(self.operator.size)
        for start, block in self._used(len(weights)):
            share = weights[start : start + len(block)]
            total += like.new_tensor(share) @ block[: len(share)]
        return total

    def restart(self, keep: Callable[[Any], Any], room: int) -> None:
        """Krylov-Schur: keep the invariant directions of the wanted Ritz values, drop the others.

        `keep`: from Ritz values (m,) to a mask of those wanted, whole conjugate pairs; `room`: kept at most.
        """
        from scipy.linalg import schur

        m = self.size
        square, last = self.hessenberg[:m].copy(), self.hessenberg[m].copy()
        mask = keep(np.linalg.eigvals(square))
        values = np.linalg.eigvals(square)
        wanted = values[mask]

        def select(real: float, imaginary: float) -> bool:
            return bool(np.abs(wanted - complex(real, imaginary)).min() <= 1e-8 * np.abs(values).max())

        form, rotation, count = schur(square, output="real", sort=select)
        count = min(int(count), room)
        if count and abs(form[count, count - 1]) > 0:  # a conjugate pair is kept or dropped whole
            count += 1
        rotated = [self._combined(np.ascontiguousarray(rotation[:, k])) for k in range(count)]
        following = self._row(m).clone()
        for k, vector in enumerate([*rotated, following]):
            self._store(k, vector)
        self._blocks = self._blocks[: count // BLOCK + 1]
        self._hessenberg[:] = 0.0
        self._hessenberg[:count, :count] = form[:count, :count]
        self._hessenberg[count, :count] = last @ rotation[:, :count]
        self.size = count

    # --- storage ---------------------------------------------------------------------------------------------------

    def _draw(self) -> Array:
        return torch.randn(self.operator.size, generator=self._random, dtype=torch.float64, device="cpu").to(
            self.operator.like
        )

    def _row(self, k: int) -> Array:
        return self._blocks[k // BLOCK][k % BLOCK]

    def _store(self, k: int, vector: Array) -> None:
        while k >= BLOCK * len(self._blocks):
            self._blocks.append(vector.new_empty((min(BLOCK, self.operator.size + 1), vector.shape[0])))
        self._blocks[k // BLOCK][k % BLOCK] = vector

    def _used(self, count: int) -> list[tuple[int, Array]]:
        """(index of the first row, rows) of each block, `count` rows together."""
        return [
            (start, block[: min(BLOCK, count - start)])
            for start, block in zip(range(0, count, BLOCK), self._blocks, strict=False)
        ]


def _conditions(vectors: Array) -> Array:
    """Condition numbers |y| |x| / |y^H x| of eigenvalues, (m,), from unit right eigenvectors x, the columns.

    The left eigenvectors y are the rows of the inverse. Infinite where the eigenvectors are dependent.
    """
    try:
        return np.asarray(np.linalg.norm(np.linalg.inv(vectors), axis=-1))
    except np.linalg.LinAlgError:
        return np.full(len(vectors), np.inf)
