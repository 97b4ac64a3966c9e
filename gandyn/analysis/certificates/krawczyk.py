"""Existence and uniqueness of a fixed point on balls: Krawczyk's operator, an interval Newton method; bisection."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...symbolic.balls import Ball
from ...types import Array
from .ball_matrices import box, ends, identity, magnitude, middle, points
from .enclosures import System

ROUNDS = 40
MOST_BOXES = 4000
NARROWEST = 1e-7
NEWTON_STARTS = 12


@dataclasses.dataclass(frozen=True)
class Unproven:
    """What stopped a proof: the reason, the sub-box, and interval values there. `refuted`: it is disproved."""

    reason: str
    box: tuple[tuple[float, float], ...]
    values: dict[str, Any] = dataclasses.field(default_factory=dict)
    refuted: bool = False


def _image(system: System, x: Array, p: Sequence[Ball], preconditioner: Array) -> tuple[Array, Array]:
    """(K(x), I - C DG(x)) with K(x) = m - C G(m) + (I - C DG(x)) (x - m), which holds every zero of G in x."""
    m = middle(x)
    value, _ = system.residual(m, p)
    _, slope = system.residual(x, p)
    defect = identity(len(x)) - preconditioner @ slope
    return m - preconditioner @ value + defect @ (x - m), defect


def _preconditioner(system: System, z: Array, p: Sequence[Ball]) -> Array | None:
    """The inverse of DG at a point, in floating point, as exact balls; None where it is singular."""
    slope = system.function.jacobian([float(b.mid()) for b in z], [float(b.mid()) for b in p])
    slope = slope - (0.0 if system.flow else np.eye(len(z)))
    rows = np.maximum(np.abs(slope).max(-1, keepdims=True), 1e-300)  # each is a cost's own unit
    if not np.isfinite(slope).all() or np.linalg.cond(slope / rows) > 1e13:
        return None
    return points(np.linalg.inv(slope))


def enclose(system: System, guess: Array, p: Sequence[Ball], widest: float) -> Array | None:
    """Balls that hold a fixed point for every parameter value in p, exactly one each; None where that is not proven.

    K(x) inside the interior of x proves it (Krawczyk 1969; Moore 1977): x grows from the guess until that holds.

    `guess`: a fixed point in floats; `widest`: half width beyond which the search gives up.
    """
    centre = points(guess)
    c = _preconditioner(system, centre, p)
    if c is None:
        return None
    value, _ = system.residual(centre, p)
    reach = np.array([magnitude(b) for b in c @ value]) * 1.1 + 1e-13 * (1 + np.abs(guess))
    for _ in range(ROUNDS):
        if not np.isfinite(reach).all() or reach.max() > widest:
            return None
        x = box(guess - reach, guess + reach)
        image, _ = _image(system, x, p, c)
        if all(outer.contains_interior(inner) for outer, inner in zip(x, image, strict=True)):
            for _ in range(3):
                tighter = _image(system, image, p, c)[0]
                image = np.array([a.intersection(b) for a, b in zip(image, tighter, strict=True)] + [None])[:-1]
            return image
        away = np.array([max(abs(e - g) for e in ends(b)) for b, g in zip(image, guess, strict=True)])
        reach = np.maximum(1.05 * reach, 1.1 * away)
    return None


def injective(defect: Array) -> bool:
    """Whether C DG is an H-matrix on the box: then G takes no value twice there. |I - C DG| v < v for some v > 0."""
    sizes = np.array([[magnitude(b) for b in row] for row in defect])
    if not np.isfinite(sizes).all():
        return False
    v = np.ones(len(sizes))
    for _ in range(30):
        image = sizes @ v
        if (image * (1 + 1e-12) < v).all():
            return True
        v = 0.5 * v + 0.5 * image / image.max() + 1e-9
    return False


def unique(system: System, low: Array, high: Array, fixed: Array, p: Sequence[Ball]) -> tuple[Unproven | None, int]:
    """Try to prove that an enclosed fixed point is the only one in a box.

    In the part of the box around the point where G is injective no search is needed. Every other sub-box has to be
    excluded, because the range of G there does not hold 0, or because K(x) does not meet x; a sub-box for which neither
    is shown is bisected.

    Returns None and the number of boxes used, or the obstacle that stopped the proof.
    """
    c = _preconditioner(system, middle(fixed), p)
    if c is None:
        return Unproven("the Jacobian of the fixed-point equation is singular", _ends(fixed)), 0
    safe = _safe(system, low, high, fixed, p, c)
    if safe is None:
        return Unproven("no neighbourhood of the fixed point is proven to hold only one", _ends(fixed)), 0
    other = _another(system, low, high, fixed, p)
    if other is not None:
        return Unproven("a second fixed point is proven to lie here", _ends(other), refuted=True), 0
    widths = high - low
    stack, count = [(low, high)], 0
    while stack:
        a, b = stack.pop()
        if (a >= safe[0]).all() and (b <= safe[1]).all():
            continue
        count += 1
        x = box(a, b)
        local = c if _overlap(x, fixed) else _preconditioner(system, x, p)
        image, defect = _image(system, x, p, c if local is None else local)
        value, _ = system.residual(x, p)
        # "not overlaps" is true of nan too, so ends that are not finite exclude nothing
        finite = all(g.is_finite() for g in [*value, *image])
        if finite and (any(not g.contains(0) for g in value) or not _overlap(image, x)):
            continue
        if finite and all(outer.contains_interior(inner) for outer, inner in zip(x, image, strict=True)):
            if not _overlap(x, fixed):
                return Unproven("a second fixed point is proven to lie here", _ends(image), refuted=True), count
            if injective(defect) and all(outer.contains(inner) for outer, inner in zip(x, fixed, strict=True)):
                continue
        if count >= MOST_BOXES or ((b - a) <= NARROWEST * widths).all():
            values = {f"G_{name}": ends(g) for name, g in zip(system.names, value, strict=True)}
            return Unproven("fixed points could not be excluded here", _ends(x), values), count
        stack += _halves(a, b, defect, safe)
    return None, count


def _another(system: System, low: Array, high: Array, fixed: Array, p: Sequence[Ball]) -> Array | None:
    """Balls around a second fixed point in the box, looked for by Newton's method from scattered starts."""
    middle_of_p = [float(b.mid()) for b in p]
    rng = np.random.default_rng(0)
    for start in rng.uniform(low, high, (NEWTON_STARTS, len(low))):
        guess = system.newton_from(start, middle_of_p)
        if guess is None or (guess < low).any() or (guess > high).any():
            continue
        if all(b.contains(float(g)) for b, g in zip(fixed, guess, strict=True)):
            continue
        found = enclose(system, guess, p, widest=float((high - low).max()))
        inside = found is not None and all(
            a <= ends(b)[0] and ends(b)[1] <= c for a, b, c in zip(low, found, high, strict=True)
        )
        if inside and not _overlap(found, fixed):
            return found
    return None


def _safe(
    system: System, low: Array, high: Array, fixed: Array, p: Sequence[Ball], c: Array
) -> tuple[Array, Array] | None:
    """The largest of a few boxes around the point, inside the given one, on which G is injective."""
    centre = np.array([float(b.mid()) for b in fixed])
    for share in (1.0, 0.7, 0.5, 0.3, 0.2, 0.1, 0.05, 0.02, 0.01, 1e-3, 1e-4, 1e-6):
        a = centre + share * (low - centre) if share < 1 else low
        b = centre + share * (high - centre) if share < 1 else high
        x = box(a, b)
        if not all(outer.contains(inner) for outer, inner in zip(x, fixed, strict=True)):
            return None
        if injective(_image(system, x, p, c)[1]):
            return a, b
    return None


def _halves(a: Array, b: Array, defect: Array, safe: tuple[Array, Array]) -> list[tuple[Array, Array]]:
    """Cut along a face of the safe box where it passes through, else across the side that costs most."""
    overlap = ((a < safe[1]) & (b > safe[0])).all()
    if overlap:
        for k in range(len(a)):
            for cut in (safe[0][k], safe[1][k]):
                if a[k] < cut < b[k]:
                    return _cut(a, b, k, cut)
    sizes = np.array([[magnitude(e) for e in row] for row in defect])
    cost = sizes.sum(0) * (b - a) if np.isfinite(sizes).all() else b - a
    cost = np.where(b - a > 1e-3 * (b - a).max(), cost, 0.0)
    k = int(np.argmax(cost))
    return _cut(a, b, k, 0.5 * (a[k] + b[k]))


def _cut(a: Array, b: Array, k: int, at: float) -> list[tuple[Array, Array]]:
    left, right = b.copy(), a.copy()
    left[k] = right[k] = at
    return [(a, left), (right, b)]


def _overlap(x: Array, y: Array) -> bool:
    return all(a.overlaps(b) for a, b in zip(x, y, strict=True))


def _ends(x: Array) -> tuple[tuple[float, float], ...]:
    return tuple(ends(b) for b in x)
