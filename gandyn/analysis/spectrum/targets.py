"""Which eigenvalues are wanted, how they are read off Ritz values, and when they are accepted."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from ...errors import refuse_unknown
from ...krylov.arnoldi import Ritz
from ...types import Array

SENSITIVE = 100.0  # an eigenvalue's estimated error may be so many times the tolerance


def excess(increments: Array) -> Array:
    """|1 + mu| - 1 = (2 Re mu + |mu|^2) / (|1 + mu| + 1) for increments mu: small values keep their digits."""
    return (2 * increments.real + np.abs(increments) ** 2) / (np.abs(1 + increments) + 1)


@dataclasses.dataclass(frozen=True)
class Target:
    """One end of a spectrum: the eigenvalues at which a measure is largest."""

    name: str  # "LM", "LR", "SR" or "LI"
    words: str  # the name in words, for sentences
    measure: Callable[[Array], Array]  # from eigenvalues (n,) to real numbers (n,)
    # whether residuals are compared with the operator's norm instead of |measure|, which may be zero
    against_norm: bool = False

    def sizes(self, values: Array, norm: float) -> Array:
        """What residuals are compared with, (n,): |measure| of each value, or the operator's norm."""
        return np.full(len(values), norm) if self.against_norm else np.abs(self.measure(values))

    def order(self, values: Array) -> Array:
        """Indices that sort the values, largest measure first; of equal ones, the upper half plane first."""
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
    """The targets of the given names; those of a map take mu = lambda - 1, and "LM" measures |lambda| - 1.

    Raises UnknownNameError for an unknown name.
    """
    known = {t.name: t for t in (_OF_MAP if of_map else _OF_MATRIX)}
    names = (which,) if isinstance(which, str) else tuple(which)
    for name in names:
        refuse_unknown("end of a spectrum", name, known)
    return tuple(known[name] for name in dict.fromkeys(names))


@dataclasses.dataclass(frozen=True)
class Reading:
    """Numbers computed from Ritz values z of an operator, perhaps several from each; all three have shape (n,)."""

    values: Array  # complex
    sources: Array  # index of the z from which each value comes
    slopes: Array  # |d value / d z|, which multiplies an error of z


def itself(values: Array) -> Reading:
    """A reading that returns the Ritz values unchanged."""
    return Reading(values, np.arange(len(values)), np.ones(len(values)))


@dataclasses.dataclass(frozen=True)
class Pick:
    """The k values at one end of the spectrum, as read from a Krylov space of one size; all have shape (k,)."""

    values: Array
    sources: Array  # indices of the Ritz values from which they come
    sizes: Array  # what their residuals are compared with
    residuals: Array  # estimated
    good: Array  # whether the value is accepted

    def agrees(self, other: Pick | None, target: Target, tolerance: float) -> Array:
        """Whether each measure differs from the other pick's by at most `tolerance` times the value's size, (k,)."""
        if other is None or len(other.values) != len(self.values):
            return np.zeros(len(self.values), bool)
        here, there = target.measure(self.values), target.measure(other.values)
        return np.abs(here - there) <= tolerance * self.sizes


def pick(target: Target, reading: Reading, ritz: Ritz, k: int, tolerance: float) -> Pick:
    """The k values at a target's end, and which of them are accepted.

    A value is accepted if its residual is at most `tolerance` times its size and its estimated error, the residual
    times the eigenvalue's condition number, at most 100 times that. A value whose size is zero to rounding is refused.
    Where the space is complete, residuals are rounding errors: there the estimated error is compared with the
    operator's norm where that is larger, and of small sizes only a largest imaginary part of zero is refused.
    """
    chosen = target.order(reading.values)[:k]
    values, sources = reading.values[chosen], reading.sources[chosen]
    units = ritz.norm * reading.slopes[chosen]
    residuals, sizes = ritz.residuals[sources] * reading.slopes[chosen], target.sizes(values, ritz.norm)
    small = (residuals <= tolerance * sizes) & (sizes > 1e-14 * units)
    if ritz.complete:
        small |= (target.name != "LI") | (values.imag != 0)
    scale = np.maximum(sizes, units) if ritz.complete else sizes
    sure = ritz.conditions[sources] * residuals <= SENSITIVE * tolerance * scale
    return Pick(values, sources, sizes, residuals, small & sure)
