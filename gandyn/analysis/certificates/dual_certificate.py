"""Proven worst cases: multipliers of a semidefinite programme, repaired and checked in exact fractions."""

from __future__ import annotations

import dataclasses
import math
import time
from fractions import Fraction
from typing import Any

import numpy as np

from ...types import Array
from .performance_points import Row, Run

Matrix = list[list[Fraction]]
Key = tuple[int, int, str]
MARGINS = (1e-11, 1e-10, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5)
BITS = 52
LARGEST_PROGRAMME = 20_000_000  # entries
ENDS = 2001


@dataclasses.dataclass(frozen=True)
class Certificate:
    """Proof of |w_T - w*|^2 <= bound |w_0 - w*|^2, that a few lines of fractions can repeat.

    With x_i the points, v_i / L the basis elements (v_0 = 0 at x_0 = w* = 0), every field of the class fulfils

        monotone  (i, j): <v_i - v_j, x_i - x_j> / L - (mu / L) |x_i - x_j|^2 >= 0
        lipschitz (i, j): |x_i - x_j|^2 - |v_i - v_j|^2 / L^2 >= 0

    and bound |w_0|^2 - |w_T|^2 = sum of multiplier times these + a square: `residual()` is the matrix of that square
    in the basis, and `holds()` eliminates it exactly to see that it is positive semidefinite.
    """

    run: Run  # the points
    multipliers: dict[Key, Fraction]  # {(i, j, "monotone" | "lipschitz"): number >= 0}
    bound: Fraction  # rho^2

    def to_dict(self) -> dict[str, Any]:
        """The certificate as a dictionary: points, multipliers and bound, with fractions written as text."""
        return {
            "bound": self.bound,
            "kappa": self.run.kappa,
            "points": self.run.points,
            "last": self.run.last,
            "multipliers": [[i, j, kind, c] for (i, j, kind), c in self.multipliers.items()],
        }

    def residual(self) -> Matrix:
        """bound |w_0|^2 - |w_T|^2 - sum of multipliers times inequalities, as a symmetric matrix."""
        matrix = _rest(self.run, self.multipliers)
        matrix[0][0] += self.bound
        return matrix

    def holds(self) -> bool:
        """Whether all multipliers are >= 0 and the residual is positive semidefinite, in exact arithmetic."""
        least = least_bound(_rest(self.run, self.multipliers))
        return least is not None and least <= self.bound and min(self.multipliers.values(), default=0) >= 0


def pair_matrix(run: Run, i: int, j: int, kind: str) -> Matrix:
    """The inequality that a monotone or Lipschitz field satisfies at two points, as a quadratic form.

    It is a symmetric matrix of fractions, in the basis of the run; `kind` is "monotone" or "lipschitz".
    """
    x = [a - b for a, b in zip(run.points[i], run.points[j], strict=True)]
    v = [Fraction(int(k == i > 0) - int(k == j > 0)) for k in range(run.size)]
    if kind == "lipschitz":
        return [[a * b - c * d for b, d in zip(x, v, strict=True)] for a, c in zip(x, v, strict=True)]
    half, kappa = Fraction(1, 2), run.kappa
    return [
        [half * (c * b + a * d) - kappa * a * b for b, d in zip(x, v, strict=True)] for a, c in zip(x, v, strict=True)
    ]


def _rest(run: Run, multipliers: dict[Key, Fraction]) -> Matrix:
    matrix = [[-a * b for b in run.last] for a in run.last]
    for (i, j, kind), factor in multipliers.items():
        for row, part in zip(matrix, pair_matrix(run, i, j, kind), strict=True):
            for k, entry in enumerate(part):
                if entry:
                    row[k] -= factor * entry
    return matrix


def least_bound(matrix: Matrix) -> Fraction | None:
    """The smallest r >= 0 for which matrix + r e_0 e_0^T is positive semidefinite; None where none is.

    Gaussian elimination of all but the first coordinate: every pivot must be positive, or 0 with its row 0.
    """
    rows = [row[:] for row in matrix]
    size = len(rows)
    for k in range(size - 1, 0, -1):
        pivot = rows[k][k]
        if pivot < 0 or (pivot == 0 and any(rows[k][:k])):
            return None
        for i in range(k if pivot else 0):
            factor = rows[i][k] / pivot
            if factor:
                for j in range(k):
                    rows[i][j] -= factor * rows[k][j]
    return max(Fraction(0), -rows[0][0])


def certify(run: Run, goal: float, deadline: float) -> tuple[Certificate | None, str]:
    """Search for multipliers that prove an upper bound of rho^2.

    `goal` is a lower bound of rho^2: the search ends early within 1e-9 of it, and at `deadline` on the clock
    `time.monotonic`. Returns the best certificate found and an empty text; or None and the reason why there is none.
    """
    pairs = [(i, j) for i in range(len(run.points)) for j in range(i)]
    keys: list[Key] = [(i, j, kind) for i, j in pairs for kind in ("monotone", "lipschitz")]
    if len(keys) * run.size**2 > LARGEST_PROGRAMME:
        return None, f"a semidefinite programme of {len(keys)} multipliers and size {run.size} is too large"
    scale = _scale(run)
    columns = np.empty((len(keys), run.size, run.size))
    for row, key in zip(columns, keys, strict=True):
        if time.monotonic() > deadline:
            return None, "out of time"
        row[...] = np.array(pair_matrix(run, *key), dtype=float) * scale
    last = np.array(run.last, dtype=float)
    objective = np.outer(last, last) * scale
    best: Certificate | None = None
    for margin in MARGINS:
        if time.monotonic() > deadline:
            break
        found = _multipliers(columns, objective, margin, deadline)
        if found is None:
            continue
        multipliers = _rounded(keys, found)
        bound = least_bound(_rest(run, multipliers))
        if bound is not None and (best is None or bound < best.bound):
            best = Certificate(run, multipliers, bound)
        if best is not None and float(best.bound) - goal <= 1e-9 * max(goal, 1e-300):
            break
    if best is None:
        return None, "out of time" if time.monotonic() > deadline else "the solver's multipliers could not be repaired"
    return best, ""


def _scale(run: Run) -> Array:
    """Outer product that brings the basis to the size at which field values enter the points."""
    rows = np.abs(np.array([*run.points, run.last], dtype=float))
    sizes = np.maximum(rows.max(0), 1e-8)
    sizes[0] = 1.0
    return 1 / np.outer(sizes, sizes)


def _rounded(keys: list[Key], found: Array) -> dict[Key, Fraction]:
    """Multipliers as fractions of 2^52 times their largest, what is negative left out."""
    unit = Fraction(2) ** (math.frexp(float(np.max(found, initial=1.0)))[1] - BITS - 8)
    whole = ((key, round(Fraction(float(value)) / unit)) for key, value in zip(keys, found, strict=True))
    return {key: number * unit for key, number in whole if number > 0}


def _multipliers(columns: Array, objective: Array, margin: float, deadline: float) -> Array | None:
    """min rho subject to rho e_0 e_0^T - objective - sum_k lambda_k columns_k >= margin I, lambda >= 0, by Clarabel."""
    import clarabel
    import scipy.sparse as sparse

    count, size = len(columns), len(objective)
    rows, cols = np.tril_indices(size)
    weight = np.where(rows == cols, 1.0, math.sqrt(2))  # lower triangle by rows: the upper one by columns
    first = np.zeros((size, size))
    first[0, 0] = 1.0
    norms = np.maximum(np.linalg.norm(columns, axis=(1, 2)), 1e-300)
    packed = np.stack([-first, *(columns / norms[:, None, None])])[:, rows, cols] * weight
    bounds = sparse.hstack([sparse.csc_matrix((count, 1)), -sparse.identity(count)])
    system = sparse.vstack([sparse.csc_matrix(packed.T), bounds]).tocsc()
    right = np.concatenate([(-objective - margin * np.eye(size))[rows, cols] * weight, np.zeros(count)])
    cost = np.zeros(count + 1)
    cost[0] = 1.0
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.time_limit = max(deadline - time.monotonic(), 0.01)
    settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = 1e-12
    cones = [clarabel.PSDTriangleConeT(size), clarabel.NonnegativeConeT(count)]
    problem = sparse.csc_matrix((count + 1, count + 1))
    found = np.array(clarabel.DefaultSolver(problem, cost, system, right, cones, settings).solve().x)
    return found[1:] / norms if np.isfinite(found).all() else None


# --- members of the class ---------------------------------------------------------------------------------------------

Complex = tuple[Fraction, Fraction]


def linear_member(run: Run) -> tuple[Fraction, Complex]:
    """The worst of the linear fields v = L z w, z = a + bi with a >= mu / L, |z| <= 1: (|w_T|^2, z), both exact.

    |w_T|^2 is subharmonic in z, so that its maximum lies on the border: the chord a = mu / L, or the arc.
    """
    kappa = float(run.kappa)
    top = math.sqrt(max(1 - kappa**2, 0.0))
    chord = kappa + 1j * np.linspace(0, top, ENDS)
    arc = np.exp(1j * np.linspace(0, math.acos(min(kappa, 1.0)), ENDS))
    found: list[tuple[Fraction, Complex]] = [
        _exactly(run, (run.kappa, Fraction(0))),
        _exactly(run, _inside(run, 1.0, 1.0)),
    ]
    for border in (chord, arc):
        with np.errstate(all="ignore"):
            values = np.abs(_end(run, border))
        k = int(np.argmax(np.where(np.isfinite(values), values, -1.0)))
        fine = border[max(k - 1, 0)] + np.linspace(0, 1, ENDS) * (border[min(k + 1, ENDS - 1)] - border[max(k - 1, 0)])
        fine = fine / np.maximum(np.abs(fine), 1e-300) if border is arc else fine
        z = fine[int(np.argmax(np.abs(_end(run, fine))))]
        found += [_exactly(run, _inside(run, w.real, w.imag)) for w in (z, border[k], border[-1])]
    return max(found)


def _end(run: Run, z: Array) -> Array:
    """The last iterate w_T of the rule on the linear field v(w) = L z w from w_0 = 1, for an array of complex z."""
    basis = [np.ones_like(z)]
    for k, x in enumerate(run.points[1:], start=1):
        rest = sum(float(c) * b for c, b in zip(x[:k], basis, strict=True) if c)
        basis.append(z * rest / (1 - float(x[k]) * z))
    return sum(float(c) * b for c, b in zip(run.last, basis, strict=True) if c) + 0 * z


def _inside(run: Run, a: float, b: float) -> Complex:
    """The member a + bi of the class, as rational numbers: the given values are moved into the class if need be."""
    unit = 2**50
    real = min(max(run.kappa, Fraction(math.floor(a * unit), unit)), Fraction(1))
    room = 1 - real**2
    most = Fraction(math.isqrt(room.numerator * unit**2 // room.denominator), unit)
    return real, min(max(Fraction(math.floor(b * unit), unit), Fraction(0)), most)


def _exactly(run: Run, z: Complex) -> tuple[Fraction, Complex]:
    basis: list[Complex] = [(Fraction(1), Fraction(0))]
    for k, x in enumerate(run.points[1:], start=1):
        rest = _combined(x[:k], basis)
        basis.append(_over(_times(z, rest), (1 - x[k] * z[0], -x[k] * z[1])))
    end = _combined(run.last, basis)
    return end[0] ** 2 + end[1] ** 2, z


def _combined(row: Row, basis: list[Complex]) -> Complex:
    used = [(c, b) for c, b in zip(row, basis, strict=True) if c]
    return sum((c * b[0] for c, b in used), Fraction(0)), sum((c * b[1] for c, b in used), Fraction(0))


def _times(a: Complex, b: Complex) -> Complex:
    return a[0] * b[0] - a[1] * b[1], a[0] * b[1] + a[1] * b[0]


def _over(a: Complex, b: Complex) -> Complex:
    size = b[0] ** 2 + b[1] ** 2
    real, imaginary = _times(a, (b[0], -b[1]))
    return real / size, imaginary / size


def rounded_up(value: Fraction) -> float:
    """The smallest float that is greater than or equal to a fraction."""
    near = float(value)
    return near if Fraction(near) >= value else math.nextafter(near, math.inf)


def rounded_down(value: Fraction) -> float:
    """The largest float that is less than or equal to a fraction."""
    return -rounded_up(-value)
