"""What a search for closed orbits of a map returns: invariant circles and periodic orbits."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from ..results import Result, plain
from ..types import Array, Game, Rule


class ClosedOrbit(Result):
    """What circles and periodic orbits have in common; multipliers are those of leaving it."""

    multipliers: Any
    points: Any

    _plot = "limit_cycle"

    @property
    def stable(self) -> bool:
        """Whether nearby orbits approach it."""
        return bool(np.abs(self.multipliers).max() < 1)

    @property
    def radius(self) -> tuple[float, float]:
        """Smallest and largest distance of its points from their mean."""
        return extent(self.points)


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
    coefficients: Any
    points: Any
    multipliers: Any
    residual: float

    @property
    def period(self) -> float:
        """Steps a turn, 1 / rho; not a whole number in general."""
        return 1 / self.rotation_number

    @property
    def multipliers_per_turn(self) -> Any:
        """Growth of distances from the curve in one turn: what Floquet multipliers are to a flow's cycle."""
        return self.multipliers**self.period

    def __call__(self, theta: Any) -> Any:
        """K(theta) on the augmented state, shape (..., D); theta in turns."""
        return evaluate(self.coefficients, np.asarray(theta, dtype=float))

    def summary(self) -> str:
        """Kind, rotation number, multipliers."""
        shown = ", ".join(f"{m:.6g}" for m in self.multipliers)
        return (
            f"{kind_of(self.multipliers)} invariant circle of {self.rule!r} on {self.game.name}: rotation number "
            f"{self.rotation_number:.12g} ({self.period:.6g} steps a turn), multipliers {shown}"
        )

    def to_dict(self) -> dict[str, Any]:
        """All fields as plain data."""
        return data_of(self, rotation_number=self.rotation_number)


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
    points: Any
    multipliers: Any
    residual: float

    @property
    def rotation_number(self) -> float:
        """1 / q turns a step."""
        return 1 / self.period

    def summary(self) -> str:
        """Kind, period, multipliers."""
        shown = ", ".join(f"{m:.6g}" for m in self.multipliers)
        kind = kind_of(np.abs(self.multipliers))
        return f"{kind} orbit of period {self.period} of {self.rule!r} on {self.game.name}, multipliers {shown}"

    def to_dict(self) -> dict[str, Any]:
        """All fields as plain data."""
        return data_of(self, period=self.period)


def extent(points: Array) -> tuple[float, float]:
    """Smallest and largest distance of points from their mean."""
    distances = np.linalg.norm(points - points.mean(0), axis=-1)
    return float(distances.min()), float(distances.max())


def kind_of(sizes: Array) -> str:
    """Attracting, repelling or saddle, from moduli of multipliers."""
    return "attracting" if sizes.max() < 1 else "repelling" if sizes.min() > 1 else "saddle"


def data_of(found: Any, **own: Any) -> dict[str, Any]:
    """What both kinds have, and what is their own, as plain data."""
    shared = {"multipliers": found.multipliers, "stable": found.stable, "residual": found.residual}
    names = {"game": found.game.name, "rule": repr(found.rule)}
    result: dict[str, Any] = plain({**names, **own, **shared, "points": found.points})
    return result


def evaluate(coefficients: Array, theta: Array) -> Array:
    """K(theta) = sum_k c_k exp(2 pi i k theta) at angles in turns, shape (..., D)."""
    m = len(coefficients) // 2
    waves = np.exp(2j * np.pi * theta[..., None] * np.arange(-m, m + 1))
    return np.asarray((waves @ coefficients).real)
