"""Which quadratic function to try: shapes from the Lyapunov equation, sized by sampling floats. Guesses, no proofs."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Sequence

import numpy as np

from ...types import Array
from .common_form import widest_form
from .enclosures import System

RADII = 40
SHIFTS = (0.0, 0.3, 0.6, 0.9, 0.98)
POLISHED = 4
NODES = 4  # Gauss points of averages along segments
TURN, MOST_ACTIVE = 16, 6
REACHES = (0.1, 0.3, 0.5, 0.65, 0.8, 1.0, 1.3, 2.0)  # of the asked radius, tried until the program has no solution


def transforms(jacobian: Array, flow: bool, units: Array) -> list[Array]:
    """Matrices T for which |T^-1 u| contracts near the fixed point, best for the linear part last.

    P = T^-T T^-1 solves the Lyapunov equation of the matrix moved towards the edge of stability: the closer, the nearer
    its decrease is to the true rate.
    """
    from scipy.linalg import solve_continuous_lyapunov, solve_discrete_lyapunov

    if np.ptp(units) > 0:  # the players' own lengths too: it is in these that a gradient flow shrinks
        here, back = transforms(jacobian, flow, np.ones(len(units))), 1 / units[:, None]
        own = transforms(units[:, None] * jacobian / units, flow, np.ones(len(units)))
        return [*(back * t for t in own), *here]
    n = len(jacobian)
    matrix = -jacobian if flow else jacobian
    eigenvalues = np.linalg.eigvals(matrix)
    size = float(eigenvalues.real.max()) if flow else float(np.abs(eigenvalues).max())
    if size >= (0.0 if flow else 1.0):
        return []
    found = []
    for share in SHIFTS:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a poor guess is found out by the proof
            if flow:
                p = solve_continuous_lyapunov((matrix - share * size * np.eye(n)).T, -np.eye(n))
            else:
                p = solve_discrete_lyapunov((matrix / (1 - share * (1 - max(size, 1e-3)))).T, np.eye(n))
        t = _root(p)
        if t is not None:
            found.append(t)
    return [np.eye(n), *found]


def _root(p: Array) -> Array | None:
    """A matrix T with P = T^-T T^-1 up to a factor, scaled to determinant 1; None where there is none in floats."""
    p = 0.5 * (p + p.T)
    if not np.isfinite(p).all() or np.linalg.eigvalsh(p).min() <= 1e-12 * np.abs(p).max():
        return None
    t = np.linalg.inv(np.linalg.cholesky(p).T)
    return np.asarray(t / abs(np.linalg.det(t)) ** (1 / len(p)))


def shadow(transform: Array, active: Sequence[int]) -> Array:
    """K with K K^T = T_a T_a^T: the ellipsoid |y| <= R has the shadow {K s: |s| <= R} on the active coordinates."""
    rows = transform[list(active)]
    return np.asarray(np.linalg.cholesky(rows @ rows.T))


class Sampler:
    """Levels up to which V decreases on a fixed cloud of directions and radii, for any T."""

    def __init__(
        self, system: System, fixed: Sequence[Array], parameters: Sequence[Sequence[float]], most: float
    ) -> None:
        """`fixed` and `parameters`: fixed points in floats with the parameter values that they belong to."""
        self.system, self.cases, self.most = system, list(zip(fixed, parameters, strict=True)), most
        whole = len(system.names) <= 2
        n = len(system.names) if whole else len(system.active)
        rng = np.random.default_rng(0)
        if n == 2:
            angle = 2 * np.pi * np.arange(96 if whole else 24) / (96 if whole else 24)
            self.directions = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
        else:
            cloud = rng.normal(size=(40 * n, n))
            self.directions = cloud / np.linalg.norm(cloud, axis=-1, keepdims=True)
        self.shares = np.concatenate([[1e-3], np.linspace(0, 1, RADII + 1 if whole else RADII // 2 + 1)[1:]])

    def spread(self, transform: Array) -> float:
        """|T^-1 D z_0|: how fast the level grows with the distance of a start."""
        back = np.linalg.inv(transform)
        return max(float(np.linalg.norm(back @ spread, 2)) for spread in self.spreads)

    @functools.cached_property
    def spreads(self) -> list[Array]:
        """D z_0 for a start that moves by 1, in each case."""
        d, reach = self.system.game.dim, self.system.reach
        return [self.system.start.jacobian(z[:d], p) * reach for z, p in self.cases]

    def level(self, transform: Array) -> float:
        """The largest level, at most that of the asked radius, below which no sample contradicts the proof.

        In one or two dimensions the samples ask whether V decreases, else whether the derivative contracts.
        """
        top = self.most * self.spread(transform)
        back = np.linalg.inv(transform)
        good = np.ones(len(self.shares), dtype=bool)
        check = self._decreases if len(back) <= 2 else self._contracts
        with np.errstate(all="ignore"):
            for z, p in self.cases:
                good &= check(transform, back, top, z, p).all(axis=0)
        if good.all():
            return top
        first = int(np.argmin(good))
        return float(self.shares[first - 1] * top) if first else 0.0

    def _decreases(self, transform: Array, back: Array, top: float, z: Array, p: Sequence[float]) -> Array:
        y = self.directions[:, None, :] * (self.shares * top)[None, :, None]
        image = self.system.function.values(z + y @ transform.T, p)
        if self.system.flow:
            return (y * (image @ back.T)).sum(-1) > 0
        return (((image - z) @ back.T) ** 2).sum(-1) < (y**2).sum(-1)

    def _contracts(self, transform: Array, back: Array, top: float, z: Array, p: Sequence[float]) -> Array:
        s = self.directions[:, None, :] * (self.shares * top)[None, :, None]
        slope = back @ self.average(s @ shadow(transform, self.system.active).T, z, p) @ transform
        slope = np.where(np.isfinite(slope), slope, 1e6)
        if self.system.flow:
            return np.linalg.eigvalsh(slope + slope.swapaxes(-1, -2)).min(-1) > 0
        return np.linalg.norm(slope, 2, axis=(-2, -1)) < 1

    def average(self, u: Array, z: Array, p: Sequence[float]) -> Array:
        """The derivative, averaged over the segments from z to where the active coordinates are moved by u."""
        nodes, weights = np.polynomial.legendre.leggauss(NODES)
        total = np.zeros((*u.shape[:-1], len(z), len(z)))
        for node, weight in zip((nodes + 1) / 2, weights / 2, strict=True):
            around = np.broadcast_to(z, (*u.shape[:-1], len(z))).copy()
            around[..., self.system.active] += node * u
            total += weight * self.system.function.jacobian(around, p)
        return total

    def widest(self) -> list[Array]:
        """Shapes from a semidefinite program, those that reach furthest; none without cvxpy."""
        active = self.system.active
        n = len(self.system.names)
        if n <= 2 or not active or len(active) > MOST_ACTIVE:
            return []
        whole = len(active) == 2
        angle = 2 * np.pi * np.arange(TURN) / TURN
        directions = np.stack([np.cos(angle), np.sin(angle)], -1) if whole else self.directions[: 2 * TURN]
        found: list[Array] = []
        for share in REACHES:
            reach = self.most * share / float(self.system.units[list(active)].min())
            moves = np.concatenate([0 * directions[:1], 0.5 * reach * directions, reach * directions])
            with np.errstate(all="ignore"):
                slopes = [a for z, p in self.cases for a in self.average(moves, z, p)]
            form = (
                widest_form(slopes, active, self.spreads, reach, self.system.flow)
                if np.isfinite(slopes).all()
                else None
            )
            if form is None:
                break
            root = _root(form)
            found += [] if root is None else [root]
        return found[-2:]

    def guess(self, transform: Array) -> tuple[float, bool]:
        """The level, and whether only the asked radius bounds it: samples just above it contradict the proof else."""
        level = self.level(transform)
        return level, level >= self.most * self.spread(transform)

    def radius(self, transform: Array) -> float:
        """The radius of the ball of starts that the level reached by this transform would give."""
        return self.level(transform) / self.spread(transform)

    def best(self, candidates: Sequence[Array], polish: bool = True) -> list[Array]:
        """Candidates by falling radius; in few dimensions, the best one polished first."""
        ranked = sorted(candidates, key=self.radius, reverse=True)
        if ranked and polish and len(self.system.names) <= POLISHED and self.radius(ranked[0]) < self.most:
            ranked.insert(0, self._polish(ranked[0]))
        return [t for t in ranked if self.level(t) > 0]

    def _polish(self, transform: Array) -> Array:
        """A shape nearby with a larger radius, by Nelder and Mead on the entries of T's triangle."""
        from scipy.optimize import minimize

        n = len(transform)
        lower = np.tril_indices(n)
        r = np.linalg.qr(transform.T)[1]
        start = r.T @ np.diag(np.sign(np.diag(r)))  # T and T Q have the same level sets: a triangle is enough

        def unpack(x: Array) -> Array:
            t = np.zeros((n, n))
            t[lower] = x
            return t

        def smaller(x: Array) -> float:
            t = unpack(x)
            return -self.radius(t) if np.linalg.cond(t) < 1e6 else 0.0

        options = {"maxfev": 150, "xatol": 1e-3, "fatol": 1e-3 * self.most}
        found = minimize(smaller, start[lower], method="Nelder-Mead", options=options)
        better = unpack(found.x)
        return better if self.radius(better) > self.radius(start) else start
