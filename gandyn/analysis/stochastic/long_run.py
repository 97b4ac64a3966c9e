"""The long run of a stochastic flow: its density in the plane, mean times of exit, and how fast it forgets a phase."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from ...arguments import whole
from ...errors import DomainError, ParameterError, ShapeError
from ...types import Array, Game

STEPS = 400  # points of a cycle at which its sensitivity is averaged
TURNED = 1e-6  # how far a point may miss itself after a period, in units of the cycle


class Flow(Protocol):
    """What is needed of a `StochasticFlow`: drift and diffusion, SymPy matrices that can be called with points."""

    @property
    def game(self) -> Game:
        """The game whose noisy gradient flow this is."""
        ...

    @property
    def drift(self) -> Array:
        """The drift at points (..., d): the mean rate of change, (..., d)."""
        ...

    @property
    def diffusion(self) -> Array:
        """The rate B B^T, (..., d, d)."""
        ...

    @property
    def slopes(self) -> Array:
        """The drift's Jacobian, (..., d, d)."""
        ...


@dataclasses.dataclass(frozen=True)
class Plane:
    """A stochastic flow in a box of the plane, as a chain on cells with exponentially fitted rates between neighbours.

    Rates (Scharfetter & Gummel 1969) are positive for every step of the grid, so that densities and times are too; the
    error falls with the square of the cells' sizes.

    Attributes:
        flow: the stochastic differential equation, with independent noise in the coordinates. box: ((low, high),) * 2.
        cells: along each axis.
    """

    flow: Flow
    box: tuple[tuple[float, float], ...]
    cells: int = 120

    def __post_init__(self) -> None:
        edges = np.asarray(self.box, dtype=float)
        if edges.shape != (2, 2) or self.flow.game.dim != 2 or not (edges[:, 0] < edges[:, 1]).all():
            raise ShapeError(
                f"a box of shape {edges.shape} for {self.flow.game.name} in {self.flow.game.dim} coordinates",
                "two coordinates, low < high",
                "box=[(-2, 2), (-2, 2)]",
            )
        whole("cells", self.cells, 8, 600)
        if self.flow.diffusion[0, 1] != 0:
            raise DomainError("noise that is correlated between the coordinates", "independent noise", "simulate()")

    @property
    def sizes(self) -> Array:
        """Sides (2,) of a cell."""
        edges = np.asarray(self.box, dtype=float)
        found: Array = (edges[:, 1] - edges[:, 0]) / self.cells
        return found

    @functools.cached_property
    def points(self) -> Array:
        """The middles of the cells, (cells, cells, 2)."""
        axes = [low + h * (np.arange(self.cells) + 0.5) for (low, _), h in zip(self.box, self.sizes, strict=True)]
        return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)

    @functools.cached_property
    def generator(self) -> Any:
        """Q (n, n), sparse: rates from a cell (row) to its neighbours, nothing leaving the box; rows add up to 0."""
        from scipy import sparse

        n = self.cells
        number = np.arange(n * n).reshape(n, n)
        rows, columns, rates = [], [], []
        for axis, h in enumerate(self.sizes):
            first, second = (np.take(number, range(*ends), axis=axis).ravel() for ends in ((0, n - 1), (1, n)))
            middle = (np.take(self.points, range(n - 1), axis=axis) + np.take(self.points, range(1, n), axis=axis)) / 2
            rate = self.flow.diffusion(middle)[..., axis, axis].ravel() / 2
            if not (rate > 0).all():
                raise DomainError("a coordinate without noise", "noise in both", "noise=0.1")
            before, after = (self.flow.diffusion(self.points)[..., axis, axis].ravel()[k] / 2 for k in (first, second))
            drift = self.flow.drift(middle)[..., axis].ravel() - (after - before) / h
            peclet = drift * h / rate
            rows += [first, second]
            columns += [second, first]
            rates += [rate / h**2 * _bernoulli(-peclet), rate / h**2 * _bernoulli(peclet)]
        away = sparse.coo_array((np.concatenate(rates), (np.concatenate(rows), np.concatenate(columns)))).tocsr()
        return away - sparse.diags_array(np.asarray(away.sum(axis=1)).ravel())

    def density(self) -> Array:
        """The stationary density at the middles of the cells, (cells, cells), with integral 1 over the box."""
        from scipy.sparse import linalg

        balance = self.generator.T.tolil()
        balance[0, :] = 1.0
        rhs = np.zeros(self.cells**2)
        rhs[0] = 1.0
        found: Array = np.maximum(linalg.spsolve(balance.tocsc(), rhs), 0).reshape(self.cells, self.cells)
        return found / float(np.prod(self.sizes))

    def exit_time(self, inside: Callable[[Array], Array]) -> Array:
        """Mean time to leave a region from each cell, (cells, cells): 0 outside it, in units in which a step takes lr.

        `inside`: a function of points (..., 2) that says which belong to the region.
        """
        from scipy.sparse import linalg

        within = np.asarray(inside(self.points), dtype=bool).ravel()
        if within.all() or not within.any():
            raise ParameterError(
                "a region that is all of the box, or none of it", "a part", "inside=lambda w: w[..., 0] < 0"
            )
        found = np.zeros(self.cells**2)
        found[within] = linalg.spsolve(-self.generator[within][:, within].tocsc(), np.ones(int(within.sum())))
        return found.reshape(self.cells, self.cells)


def _bernoulli(x: Array) -> Array:
    """x / (e^x - 1)."""
    small = np.abs(x) < 1e-4
    x = np.where(small, 1.0, x)
    with np.errstate(over="ignore"):
        found = x / np.expm1(x)
    return np.where(small, 1 - x * small / 2, found)


def phase_diffusion(flow: Flow, cycle: Any) -> float:
    """D of the phase on a limit cycle, Var(angle) = 2 D t for small noise, the angle growing by 2 pi in a period.

    D = (omega^2 / 2T) integral of Z^T D(w) Z over a period, Z the gradient of the phase: Z' = -A^T Z along the cycle,
    A the drift's slopes, scaled to Z . drift = 1 (Kuramoto 1984; Demir, Mehrotra & Roychowdhury 2000, equation 9).

    Raises DomainError where the drift does not close up along the cycle.
    """
    from scipy.integrate import solve_ivp

    slopes = flow.slopes
    start, period, d = np.asarray(cycle.points, dtype=float)[0], float(cycle.period), flow.game.dim
    options: dict[str, object] = {"method": "DOP853", "rtol": 1e-11, "atol": 1e-12}

    def forward(_: float, z: Array) -> Array:
        return np.concatenate([flow.drift(z[:d]), (slopes(z[:d]) @ z[d:].reshape(d, d)).ravel()])

    run = solve_ivp(forward, (0, period), np.concatenate([start, np.eye(d).ravel()]), dense_output=True, **options)
    end, spread = run.y[:d, -1], float(np.ptp(np.asarray(cycle.points, dtype=float), axis=0).max())
    if not run.success or np.abs(end - start).max() > TURNED * spread:
        raise DomainError(
            "a cycle that the drift does not follow", "a cycle of this flow", "gd.limit_cycles(game, box)"
        )
    values, vectors = np.linalg.eig(run.y[d:, -1].reshape(d, d).T)
    z0 = vectors[:, int(np.argmin(np.abs(values - 1)))].real
    z0 = z0 / (z0 @ flow.drift(start))
    times = np.linspace(0, period, STEPS + 1)
    back = solve_ivp(lambda t, z: -slopes(run.sol(t)[:d]).T @ z, (period, 0), z0, t_eval=times[::-1], **options)
    along = run.sol(times)[:d].T
    rates = np.einsum("ti,tij,tj->t", back.y.T[::-1], flow.diffusion(along), back.y.T[::-1])
    return float((2 * np.pi / period) ** 2 * rates[:-1].mean() / 2)
