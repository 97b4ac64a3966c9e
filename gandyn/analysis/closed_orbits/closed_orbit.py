"""What a search for closed orbits returns: cycles of flows, circles and periodic orbits of maps, and lists of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

import numpy as np

from ...results import Found, Result
from ...types import Array, AsArray, Game, Rule


class ClosedOrbit(AsArray, Result):
    """What cycles, circles and periodic orbits share: `multipliers` say how the distance of nearby orbits grows."""

    period: Any

    multipliers: Array
    points: Array

    _plot = "limit_cycle"
    _array = "points"

    @property
    def stable(self) -> bool:
        """Whether nearby orbits approach this one."""
        return bool(np.abs(self.multipliers).max() < 1)

    @property
    def radius(self) -> tuple[float, float]:
        """The smallest and the largest distance of the orbit's points from their mean."""
        return extent(self.points)


class ClosedOrbits(Found[ClosedOrbit]):
    """A list of closed orbits, smallest first, that says whether any could be missing from it.

    Attributes:
        complete: True if it is proven that no other isolated closed orbit lies in the box.
        reason: the argument; or what was searched, how, and what could have been missed.
        possible: orbits that close to rounding, with a multiplier 1: each may be a semistable cycle, two cycles nearer
            each other than rounding, or none. They are not in the list.
    """

    _data = "complete reason found possible"

    def __init__(
        self,
        orbits: Iterable[ClosedOrbit] = (),
        complete: bool = False,
        reason: str = "",
        possible: Iterable[ClosedOrbit] = (),
    ) -> None:
        super().__init__(orbits, complete, reason)
        self.possible = list(possible)

    def _lines(self) -> list[str]:
        return [*super()._lines(), *(f"perhaps: {orbit.summary()}" for orbit in self.possible)]


@dataclasses.dataclass(frozen=True, repr=False)
class LimitCycle(ClosedOrbit):
    """An isolated periodic orbit of dw/dt = -v(w).

    Attributes:
        game: the game.
        period: T, in units of the flow's time.
        points: one period in order, at equal times, shape (n, d); the first is not repeated.
        multipliers: Floquet multipliers without the trivial 1, complex, largest modulus first.
        residual: |w(T) - w(0)|.
        approached: in the plane, whether orbits approach it (from inside, from outside); otherwise None.
    """

    game: Game
    period: float
    points: Array
    multipliers: Array
    residual: float
    approached: tuple[bool, bool] | None = None

    _data = "game period multipliers stable kind residual points"

    @property
    def stable(self) -> bool:
        """Whether nearby orbits approach it; in the plane those on both sides, which decide if a multiplier is 1."""
        return self.kind == "attracting"

    @property
    def kind(self) -> str:
        """Attracting, repelling, saddle, or (in the plane) semistable: attracting from one side only."""
        if self.approached is None:
            return kind_of(np.abs(self.multipliers))
        return {2: "attracting", 1: "semistable", 0: "repelling"}[sum(self.approached)]

    def summary(self) -> str:
        """The kind of the cycle, its period and its multipliers, as text."""
        shown = ", ".join(f"{m:.6g}" for m in self.multipliers)
        return f"{self.kind} cycle of {self._dynamics()}: period {self.period:.12g}, multipliers {shown}"


@dataclasses.dataclass(frozen=True, repr=False)
class InvariantCircle(ClosedOrbit):
    """A closed curve K with F(K(theta)) = K(theta + rho): the map turns it by rho, theta being counted in turns.

    Attributes:
        game, rule: the pair.
        rotation_number: rho in (0, 1/2], turns a step.
        coefficients: K(theta) = sum_k c_k exp(2 pi i k theta), k = -M..M, shape (2M + 1, D), on the augmented state.
        points: K(j / n) on the game's coordinates, in order, shape (n, d).
        multipliers: growth a step of distances from the curve (exponentials of the normal Lyapunov exponents), largest
            first; the one along the curve, 1, is left out.
        residual: largest |F(K) - K(. + rho)|, at angles between those it was solved at.
    """

    game: Game
    rule: Rule
    rotation_number: float
    coefficients: Array
    points: Array
    multipliers: Array
    residual: float

    _data = "game rule rotation_number multipliers stable residual points"

    @property
    def period(self) -> float:
        """The number of steps that one turn takes, 1 / rho; in general not an integer."""
        return 1 / self.rotation_number

    @property
    def multipliers_per_turn(self) -> Array:
        """Growth of distances from the curve in one turn: what Floquet multipliers are to a flow's cycle."""
        return self.multipliers**self.period

    def moved(self, origin: Array, units: Array) -> InvariantCircle:
        """The circle that this one is in coordinates u = (z - origin) / units."""
        d, middle = self.points.shape[-1], np.arange(len(self.coefficients)) == len(self.coefficients) // 2
        return dataclasses.replace(
            self,
            coefficients=self.coefficients * units + np.outer(middle, origin),
            points=origin[:d] + units[:d] * self.points,
            residual=self.residual * float(units.max()),
        )

    def __call__(self, theta: Array) -> Array:
        """K(theta) on the augmented state, shape (..., D); theta in turns."""
        return evaluate(self.coefficients, np.asarray(theta, dtype=float))

    def summary(self) -> str:
        """The kind of the circle, its rotation number and its multipliers, as text."""
        shown = ", ".join(f"{m:.6g}" for m in self.multipliers)
        return (
            f"{kind_of(self.multipliers)} invariant circle of {self._dynamics()}: rotation number "
            f"{self.rotation_number:.12g} ({self.period:.6g} steps a turn), multipliers {shown}"
        )


@dataclasses.dataclass(frozen=True, repr=False)
class PeriodicOrbit(ClosedOrbit):
    """q points that the map visits in turn.

    Attributes:
        game, rule: the pair.
        period: q, in steps.
        points: on the game's coordinates, in the order of visits, shape (q, d).
        multipliers: eigenvalues of the derivative of q steps, complex, largest modulus first.
        residual: |F^q(z) - z|.
    """

    game: Game
    rule: Rule
    period: int
    points: Array
    multipliers: Array
    residual: float

    _data = "game rule period multipliers stable residual points"

    def moved(self, origin: Array, units: Array) -> PeriodicOrbit:
        """The orbit that this one is in coordinates u = (z - origin) / units."""
        d = self.points.shape[-1]
        points = origin[:d] + units[:d] * self.points
        return dataclasses.replace(self, points=points, residual=self.residual * float(units.max()))

    @property
    def rotation_number(self) -> float:
        """The share of a turn made per step, 1 / q for an orbit of period q."""
        return 1 / self.period

    def summary(self) -> str:
        """The kind of the orbit, its period and its multipliers, as text."""
        shown = ", ".join(f"{m:.6g}" for m in self.multipliers)
        kind = kind_of(np.abs(self.multipliers))
        return f"{kind} orbit of period {self.period} of {self._dynamics()}, multipliers {shown}"


def extent(points: Array) -> tuple[float, float]:
    """The smallest and the largest distance of points, shape (N, D), from their mean."""
    distances = np.linalg.norm(points - points.mean(0), axis=-1)
    return float(distances.min()), float(distances.max())


def kind_of(sizes: Array) -> str:
    """The word attracting, repelling or saddle, from the moduli of the multipliers."""
    return "attracting" if sizes.max() < 1 else "repelling" if sizes.min() > 1 else "saddle"


def evaluate(coefficients: Array, theta: Array) -> Array:
    """K(theta) = sum_k c_k exp(2 pi i k theta) at angles in turns, shape (..., D)."""
    m = len(coefficients) // 2
    waves = np.exp(2j * np.pi * theta[..., None] * np.arange(-m, m + 1))
    return np.asarray((waves @ coefficients).real)
