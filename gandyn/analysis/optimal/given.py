"""The class of games that an argument stands for: one of `gd.classes`, or the outline of a measured spectrum."""

from __future__ import annotations

import math

import numpy as np

from ...classes import GameClass, Spectrum
from ...errors import DomainError, ParameterError, made, shown
from ...types import Array
from ..spectrum.network_spectrum import Spectrum as Measured


def class_of(over: object) -> GameClass:
    """The class itself, or for a result of `gd.spectrum` of J the class of its outline: see `measured_class`.

    Raises ParameterError for anything else, DomainError for the spectrum of another matrix than J.
    """
    if isinstance(over, GameClass):
        return over
    if isinstance(over, Measured):
        return measured_class(over)
    raise ParameterError(f"over={shown(over)}", "a class of games", made(over, "over=gd.classes.Bilinear(0.5, 2)"))


def measured_class(found: Measured) -> Spectrum:
    """The convex hull of the Ritz values of J and their conjugates, as a class.

    Ritz values are estimates, so that eigenvalues of J may lie outside. Raises DomainError unless J was measured.
    """
    if found.of != "J":
        raise DomainError(f"a design over the spectrum of {found.of}", "the spectrum of J", "gd.spectrum(game, w)")
    values = np.concatenate([np.asarray(found.ritz, dtype=complex).ravel(), np.asarray(found.eigenvalues).ravel()])
    values = values[np.isfinite(values)]
    return hull(np.concatenate([values, values.conj()]))


def hull(values: Array) -> Spectrum:
    """The convex hull of complex numbers as a class: a polygon, or a segment or a point where it is one.

    Numbers that differ by less than 1e-14 times the largest modulus count as one.
    """
    digits = 14 - math.frexp(float(np.abs(values).max()) or 1.0)[1] * math.log10(2)
    unique = sorted({(round(float(z.real), int(digits)), round(float(z.imag), int(digits))) for z in values})
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
