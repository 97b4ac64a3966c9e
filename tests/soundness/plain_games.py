"""Random games once more in plain NumPy: costs, fields, projections, and runs that share no code with the package."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import sympy
from metamorphic_games import Subject

from gandyn.oracles.projections import Box

Array = Any


@dataclasses.dataclass(frozen=True)
class Oracle:
    """Costs, field and Jacobian of a subject as plain NumPy, and its feasible set by hand."""

    subject: Subject

    @property
    def sizes(self) -> list[int]:
        return [p.size for p in self.subject.game.players]

    @functools.cached_property
    def compiled(self) -> tuple[Any, Any, Any]:
        symbols, costs = self.subject.game.symbols, self.subject.game.exprs
        owner = np.repeat(np.arange(len(costs)), self.sizes)
        field = [sympy.diff(costs[i], s) for i, s in zip(owner, symbols, strict=True)]
        slopes = [sympy.diff(f, s) for f in field for s in symbols]
        modules = [
            {"Heaviside": lambda x, h=0.5: np.heaviside(x, h), "sign": np.sign, "DiracDelta": np.zeros_like},
            "numpy",
        ]
        return tuple(sympy.lambdify(symbols, e, modules) for e in (list(costs), field, slopes))

    def _call(self, which: int, w: Array) -> Array:
        parts = self.compiled[which](*(w[..., k] for k in range(w.shape[-1])))
        values = np.empty((*w.shape[:-1], len(parts)))
        for k, part in enumerate(parts):
            values[..., k] = part
        return values

    def costs(self, w: Array) -> Array:
        return self._call(0, w)

    def field(self, w: Array) -> Array:
        return self._call(1, w)

    def jacobian(self, w: Array) -> Array:
        flat = self._call(2, w)
        return flat.reshape(*flat.shape[:-1], np.shape(w)[-1], np.shape(w)[-1])

    def project(self, w: Array) -> Array:
        """Onto a box, or each block onto its simplex by sorting."""
        projection = self.subject.game.projection
        if projection is None or not self.subject.game.constrained:
            return w
        if isinstance(projection, Box):
            return np.minimum(np.maximum(w, self.ends[0]), self.ends[1])
        if len(set(self.sizes)) == 1:
            return _simplex(w.reshape(*w.shape[:-1], -1, self.sizes[0])).reshape(w.shape)
        blocks = np.split(w, np.cumsum(self.sizes)[:-1], axis=-1)
        return np.concatenate([_simplex(b) for b in blocks], -1)

    @functools.cached_property
    def ends(self) -> Array:
        """Of a box, shape (2, d), infinite where there is none."""
        ends = [(None, None) if b is None else b for b in self.subject.game.projection.bounds]
        low = [-np.inf if a is None else float(a) for a, _ in ends]
        return np.array([low, [np.inf if b is None else float(b) for _, b in ends]])

    def residual(self, w: Array) -> Array:
        if self.subject.game.constrained:
            return w - self.project(w - self.field(w))
        return self.field(w)  # w - (w - v) has the rounding of w, which may be larger than v

    @property
    def box(self) -> Array:
        return np.array([[float(a), float(b)] for a, b in self.subject.box])

    @property
    def size(self) -> float:
        return float(np.ptp(self.box, axis=-1).max())


def _simplex(x: Array) -> Array:
    u = np.sort(x, axis=-1)[..., ::-1]
    excess = (np.cumsum(u, -1) - 1) / np.arange(1, x.shape[-1] + 1)
    k = (u > excess).sum(-1) - 1
    return np.maximum(x - np.take_along_axis(excess, k[..., None], -1), 0)


def residual_at(o: Oracle, w: Array) -> Array:
    """The residual at a point: 0 where the field of a coordinate goes from negative to positive, a minimum."""
    found = o.residual(w)
    for k, h in enumerate(1e-9 * np.ptp(o.box, axis=-1)):
        beside = w + h * np.array([[-1.0], [1.0]]) * np.eye(len(w))[k]
        inside = (o.project(beside) == beside).all()
        left, right = o.field(beside)[:, k]
        found[k] = 0.0 if inside and left < 0 < right else found[k]
    return found


def zeros(o: Oracle, rng: Any, starts: int = 300) -> Array:
    """Zeros of the natural residual in the box: damped Newton by differences from everywhere."""
    low, high = o.box.T
    d = len(low)
    w = o.project(rng.uniform(low, high, (starts, d)))
    eye, h = np.eye(d), 1e-7 * o.size
    with np.errstate(all="ignore"):
        for _ in range(30):
            r = o.residual(w)
            slopes = np.stack([(o.residual(w + h * e) - o.residual(w - h * e)) / (2 * h) for e in eye], -1)
            good = np.isfinite(r).all(-1) & np.isfinite(slopes).all((-2, -1))
            w, r, slopes = w[good], r[good], slopes[good]
            step = (np.linalg.pinv(slopes) @ r[..., None])[..., 0]
            w = w - step / np.maximum(1, 4 * np.abs(step).max(-1, keepdims=True) / o.size)
        r, scale = np.abs(o.residual(w)).max(-1), 1e-300 + np.abs(o.field(w)).max()
    near = (np.abs(step).max(-1) < 1e-10 * o.size) & (r < 1e-10 * scale)
    edge = 1e-7 * o.size
    w = w[near & ((w > low + edge) & (w < high - edge)).all(-1)]
    kept: list[Array] = []
    for p in w:
        if all(np.abs(p - q).max() > 1e-5 * o.size for q in kept):
            kept.append(p)
    return np.array(kept).reshape(-1, d)


def run(o: Oracle, w: Array, lr: float, steps: int) -> Array:
    with np.errstate(all="ignore"):
        for _ in range(steps):
            w = o.project(w - lr * o.field(w))
    return w


def smooth_between(o: Oracle, w: Array, starts: Array) -> bool:
    """Whether no kink lies within the distance of the starts from w: slopes there differ by what a step changes."""
    if o.subject.game.smooth:
        return True
    slope, around = o.jacobian(w), o.jacobian(np.concatenate([starts, 2 * w - starts]))
    return bool(np.abs(around - slope).max() < 1e-2 * np.abs(slope).max())


def step_of(o: Oracle, name: str, lr: float) -> tuple[Callable[[Array], Array], int]:
    """One step of a rule on its augmented state, written again; memory in units of w, so that none is rounded away."""
    v, d = o.field, len(o.box)
    owner = np.repeat(np.arange(len(o.sizes)), o.sizes)

    def alternating(z: Array) -> Array:
        for i in range(len(o.sizes)):
            z = z - lr * v(z) * (owner == i)
        return z

    def optimistic(z: Array) -> Array:
        w, last = z[:d], z[d:]
        return np.concatenate([w - 2 * lr * v(w) + last, lr * v(w)])

    def heavy(z: Array) -> Array:
        w, m = z[:d], z[d:]
        m = -0.3 * m - lr * v(w)
        return np.concatenate([w + m, m])

    return {
        "GDA": (lambda z: z - lr * v(z), 1),
        "AlternatingGD": (alternating, 1),
        "Extragradient": (lambda z: z - lr * v(z - lr * v(z)), 1),
        "OptimisticGD": (optimistic, 2),
        "HeavyBall": (heavy, 2),
    }[name]


def radius(o: Oracle, name: str, lr: float, w: Array) -> float:
    step, copies = step_of(o, name, lr)
    z = np.concatenate([w, np.zeros(len(w) * (copies - 1))])
    sides = np.tile(np.ptp(o.box, axis=-1), copies) * 1e-5
    columns = [(step(z + h * e) - step(z - h * e)) / (2 * h) for h, e in zip(sides, np.eye(len(z)), strict=True)]
    return float(np.abs(np.linalg.eigvals(np.stack(columns, -1))).max())


def follow(o: Oracle, w: Array, dt: float, steps: int, last: int) -> Array:
    """Runge and Kutta's method for w' = v(w), the last points (dt < 0: the gradient flow)."""
    kept = []
    with np.errstate(all="ignore"):
        for k in range(steps + (last if last > 1 else 0)):
            a = o.field(w)
            b = o.field(w + dt / 2 * a)
            c = o.field(w + dt / 2 * b)
            w = w + dt / 6 * (a + 2 * b + 2 * c + o.field(w + dt * c))
            if k >= steps - 1 and k % 20 == 0:
                kept.append(w)
            if k % 1000 == 0 and not np.isfinite(w).any():
                break
    return np.array([*kept, w])
