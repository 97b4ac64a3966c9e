"""Which eigenvalues are wanted, how they are read off Ritz values, and when they are believed."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from ...errors import refuse_unknown
from ...types import Array


def excess(increments: Array) -> Array:
    """|1 + mu| - 1 without cancellation: (2 Re mu + |mu|^2) / (|1 + mu| + 1)."""
    return (2 * increments.real + np.abs(increments) ** 2) / (np.abs(1 + increments) + 1)


@dataclasses.dataclass(frozen=True)
class Target:
    """One end of a spectrum."""

    name: str  # "LM", "LR", "SR" or "LI"
    words: str  # in a sentence
    measure: Callable[[Array], Array]  # what is largest at this end, from values to numbers
    # compare residuals with the operator's norm instead of the target's own size, which may be zero
    against_norm: bool = False

    def sizes(self, values: Array, norm: float) -> Array:
        """What residuals are small against: the target's own size, |Re|, |Im| or |.|."""
        return np.full(len(values), norm) if self.against_norm else np.abs(self.measure(values))

    def order(self, values: Array) -> Array:
        """Indices, the wanted end first; of equals, the upper half plane first."""
        measures = self.measure(values)
        scale = np.abs(measures).max(initial=0.0)
        rounded = np.round(measures / scale, 10) if scale > 0 else measures
        return np.lexsort((-values.imag, -rounded))


_OF_MATRIX = (
    Target("LM", "largest modulus", np.abs),
    Target("LR", "largest real part", np.real),
    Target("SR", "smallest real part", lambda z: -np.real(z)),
    Target("LI", "largest imaginary part", np.imag),
)
_OF_MAP = (Target("LM", "spectral radius", excess), *_OF_MATRIX[1:])


def targets_of(which: str | Sequence[str], of_map: bool) -> tuple[Target, ...]:
    """Targets by name; a map's are read off mu = lambda - 1, its modulus as |lambda| - 1. Raises UnknownNameError."""
    known = {t.name: t for t in (_OF_MAP if of_map else _OF_MATRIX)}
    names = (which,) if isinstance(which, str) else tuple(which)
    for name in names:
        refuse_unknown("end of a spectrum", name, known)
    return tuple(known[name] for name in dict.fromkeys(names))


@dataclasses.dataclass(frozen=True)
class Reading:
    """What Ritz values z of the operator say: several numbers for each."""

    values: Array  # as many numbers as there are, complex
    sources: Array  # index of the z that each comes from
    slopes: Array  # |d value / d z|: by how much an error of z is passed on


def itself(values: Array) -> Reading:
    """A reading that returns the Ritz values unchanged."""
    return Reading(values, np.arange(len(values)), np.ones(len(values)))


@dataclasses.dataclass(frozen=True)
class Pick:
    """The k values at one end, as read at one size of the space."""

    values: Array  # (k,)
    sources: Array  # which Ritz values
    sizes: Array  # what their errors are compared with
    residuals: Array  # what those are estimated at
    good: Array  # which of them are small, at values that are not zero

    def agrees(self, other: Pick | None, target: Target, tolerance: float) -> Array:
        """Which values another reading has too, measured at this end and against their own size; (k,)."""
        if other is None or len(other.values) != len(self.values):
            return np.zeros(len(self.values), bool)
        here, there = target.measure(self.values), target.measure(other.values)
        return np.abs(here - there) <= tolerance * self.sizes


def pick(target: Target, reading: Reading, residuals: Array, k: int, tolerance: float, norm: float) -> Pick:
    """The k values at a target's end, and which of them are accurate enough.

    A value whose size is zero to rounding is never accepted.

    A residual is accepted up to `tolerance` times the target's size, or `norm`, an estimate of the operator's norm.
    """
    chosen = target.order(reading.values)[:k]
    values, sources = reading.values[chosen], reading.sources[chosen]
    errors = residuals[sources] * reading.slopes[chosen]
    sizes = target.sizes(values, norm)
    floor = 1e-14 * norm * reading.slopes[chosen]
    return Pick(values, sources, sizes, errors, (errors <= tolerance * sizes) & (sizes > floor))
