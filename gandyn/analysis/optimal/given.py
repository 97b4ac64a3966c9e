"""The class of games that is meant: one of `gd.classes`, or the outline of a measured spectrum."""

from __future__ import annotations

import numpy as np

from ...classes import GameClass, Spectrum
from ...errors import DomainError, ParameterError, made, shown
from ...types import Array
from ..spectrum.network_spectrum import Spectrum as Measured


def class_of(over: object) -> GameClass:
    """A class of games, or that of a measured spectrum. Raises ParameterError or DomainError for anything else."""
    if isinstance(over, GameClass):
        return over
    if isinstance(over, Measured):
        return measured_class(over)
    raise ParameterError(f"over={shown(over)}", "a class of games", made(over, "over=gd.classes.Bilinear(0.5, 2)"))


def measured_class(found: Measured) -> Spectrum:
    """The convex hull, closed under conjugation, of a measured spectrum. Raises DomainError unless it is J's."""
    if found.of != "J":
        raise DomainError(f"a design over the spectrum of {found.of}", "the spectrum of J", "gd.spectrum(game, w)")
    values = np.concatenate([np.asarray(found.ritz, dtype=complex).ravel(), np.asarray(found.eigenvalues).ravel()])
    values = values[np.isfinite(values)]
    return hull(np.concatenate([values, values.conj()]))


def hull(values: Array) -> Spectrum:
    """The convex hull of complex numbers as a class: a polygon, or a segment or points where it is none."""
    unique = sorted({(round(float(z.real), 14), round(float(z.imag), 14)) for z in values})
    if len(unique) < 3 or all(not y for _, y in unique) or all(x == unique[0][0] for x, _ in unique):
        ends = [complex(*unique[0]), complex(*unique[-1])]
        return Spectrum(segment=ends) if len(unique) > 1 else Spectrum(points=ends[:1])
    corners: list[tuple[float, float]] = []
    for side in (unique, unique[::-1]):
        chain: list[tuple[float, float]] = []
        for z in side:
            while len(chain) > 1 and _turn(chain[-2], chain[-1], z) <= 0:
                chain.pop()
            chain.append(z)
        corners += chain[:-1]
    return Spectrum(polygon=[complex(x, y) for x, y in corners])


def _turn(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
