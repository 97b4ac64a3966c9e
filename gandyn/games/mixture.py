"""The mixture game: movable means of a 2-D Gaussian mixture against a radial-basis discriminator, in closed form."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import ParameterError, ShapeError
from ..lazy import sympy
from ..oracles.gaussian_mixture import GaussianMixture
from ..oracles.known_facts import Facts
from ..oracles.symbolic import SymbolicGame
from ..types import Array
from ..worlds import exact
from . import registry

MODES = ((-1, 0), (1, 0))
CENTERS = ((-2, 0), (-1, 1), (2, 0), (1, -1))


class MixtureGame(SymbolicGame):
    """What `mixture_game` returns, with what a picture in data space needs, as plain arrays.

    Attributes:
        centers: shape (C, 2). width: of the discriminator's bumps. std: of the components.
        data: the data's mixture.
    """

    centers: np.ndarray
    width: float
    std: float
    data: GaussianMixture

    def discriminator(self, w: Array, points: Array) -> np.ndarray:
        """s(x) at points of shape (n, 2), for one joint vector w: shape (n,)."""
        return np.asarray(self._bumps(points) @ self._heights(w))

    def discriminator_gradient(self, w: Array, points: Array) -> np.ndarray:
        """grad s(x) at points of shape (n, 2), the direction in which samples are pulled: shape (n, 2)."""
        away = (np.asarray(points, dtype=float)[:, None] - self.centers) / self.width**2
        return np.asarray(-((self._bumps(points) * self._heights(w))[..., None] * away).sum(1))

    def generator(self, w: Array) -> GaussianMixture:
        """The Gaussian mixture that the generator makes at w."""
        means = np.asarray(w, dtype=float)[self.slices[0]].reshape(-1, 2)
        return GaussianMixture(means, self.std)

    def _heights(self, w: Array) -> np.ndarray:
        return np.asarray(w, dtype=float)[self.slices[1]]

    def _bumps(self, points: Array) -> np.ndarray:
        points = np.asarray(points, dtype=float)
        if points.ndim != 2 or points.shape[1] != 2:
            raise ShapeError(f"points of shape {points.shape}", "(n, 2)", "one row for each point of the plane")
        return np.asarray(np.exp(-((points[:, None] - self.centers) ** 2).sum(-1) / (2 * self.width**2)))


@registry.register("mixture_game", examples=({},))
def mixture_game(
    modes: Sequence[Sequence[Any]] = MODES,
    centers: Sequence[Sequence[Any]] = CENTERS,
    std: Any = 0.5,
    width: Any = 1,
    rho: Any = 0.3,
) -> MixtureGame:
    """f(m, phi) = E_data s - E_gen s - rho |phi|^2 / 2, s(x) = sum_c phi_c exp(-|x - c|^2 / (2 h^2)), in the plane.

    Data and generator are mixtures of as many equal components N(., std^2 I); the generator moves its means m_k to
    minimise f, the discriminator, high on real data, its heights phi_c over fixed centres to maximise it. With
    g_c(m) = h^2 / (h^2 + std^2) exp(-|m - c|^2 / (2 (h^2 + std^2))), the mean of a bump over N(m, std^2 I), both
    expectations are exact: f = sum_c phi_c mean_k [g_c(mode_k) - g_c(m_k)] - rho |phi|^2 / 2.

    Equilibria: m a permutation of the modes and phi = 0 (given: the identity, and the first two swapped). There
    J = [[0, -B^T], [B, rho I]] with B_ck = grad g_c(mode_k) / K, so the flow eigenvalues are
    -rho/2 +- sqrt(rho^2/4 - sigma^2) for each singular value sigma of B, and -rho for each centre, or 0 for each
    coordinate of a mean, beyond these. The modes attract if and only if the columns of B are independent, so that every
    movement of the means changes what some centre sees: enough centres are needed, and none need lie on a mode.

    `discriminator`, `discriminator_gradient` and `generator` give what is drawn in data space.

    Args:
        modes: the data's means, K rows of 2; the generator has K as well.
        centers: C rows of 2.
        std: of every component, a number.
        width: h, a number.
        rho: the discriminator's weight decay; it may be free.

    Raises:
        ShapeError: unless modes and centres are rows of 2.
        ParameterError: unless std, width and rho are positive.
    """
    for label, rows in (("modes", modes), ("centers", centers)):
        if not len(rows) or any(len(row) != 2 for row in rows):
            raise ShapeError(f"{label} with rows of lengths {[len(row) for row in rows]}", "rows of 2", "(x, y) pairs")
    for label, number in (("std", std), ("width", width), ("rho", rho)):
        free = exact(number).free_symbols
        if free and label != "rho":  # pictures in data space draw with them
            raise ParameterError(f"{label}={number!r}", "a number", f"{label}=0.5")
        if exact(number).is_positive is False or not (free or number > 0):
            raise ParameterError(f"{label}={number!r}", "a positive number", f"{label}=0.5")
    data = [tuple(map(exact, row)) for row in modes]
    places = [tuple(map(exact, row)) for row in centers]
    h2, total, r = exact(width) ** 2, exact(width) ** 2 + exact(std) ** 2, exact(rho)
    k = len(data)
    means = [sympy.symbols(f"m{i + 1}x m{i + 1}y", real=True) for i in range(k)]
    heights = sympy.symbols(f"phi1:{len(places) + 1}", real=True)

    def bump(m: tuple[sympy.Expr, ...], c: tuple[sympy.Expr, ...]) -> sympy.Expr:
        return h2 / total * sympy.exp(-((m[0] - c[0]) ** 2 + (m[1] - c[1]) ** 2) / (2 * total))

    value = sum(
        phi * sum(bump(mode, c) - bump(m, c) for mode, m in zip(data, means, strict=True)) / k
        for phi, c in zip(heights, places, strict=True)
    )
    value -= r * sum(phi**2 for phi in heights) / 2
    orders = [data, [data[1], data[0], *data[2:]]] if k > 1 else [data]
    points = [(*(x for mode in order for x in mode), *[0] * len(places)) for order in orders]
    players = {"generator": [s for m in means for s in m], "discriminator": heights}
    facts = Facts(source="the moment-matching GAN, in closed form")
    if not r.free_symbols:
        spectrum = _spectrum(np.array(data, float), np.array(places, float), float(width), float(std), float(r))
        facts = dataclasses.replace(facts, flow_eigenvalues=(spectrum,) * len(points))
    game = MixtureGame("mixture game", [value, -value], players, points, None, facts)
    game.centers, game.width, game.std = np.array(places, float), float(width), float(std)
    game.data = GaussianMixture(np.array(data, float), float(std))
    return game


def _spectrum(modes: np.ndarray, centers: np.ndarray, width: float, std: float, rho: float) -> tuple[complex, ...]:
    """Flow eigenvalues at the modes, from the singular values of B, shape (C, 2 K)."""
    total = width**2 + std**2
    away = modes[None] - centers[:, None]
    slopes = -(width**2 / total**2) * np.exp(-(away**2).sum(-1) / (2 * total))[..., None] * away / len(modes)
    b = slopes.reshape(len(centers), -1)
    singular = np.linalg.svd(b, compute_uv=False)
    roots = np.sqrt(rho**2 / 4 - singular.astype(complex) ** 2)
    pairs = [-rho / 2 + sign * root for root in roots for sign in (1, -1)]
    rest = [-rho] * (b.shape[0] - len(singular)) + [0.0] * (b.shape[1] - len(singular))
    return tuple(complex(value) for value in (*pairs, *rest))
