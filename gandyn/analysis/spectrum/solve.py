"""The ends of a spectrum by Arnoldi's method, all read from the same Ritz values, and when they are accepted.

With m = 60, 80, ... basis vectors the wanted Ritz values must have residuals small against their *own* size, twice
running and with the same values (a rightmost eigenvalue of 1e-3 beside a modulus of 10 needs a residual below 1e-3).
A small residual makes a value an eigenvalue of a matrix near by; far from normal matrices, these can be far from the
eigenvalues looked for, so that residual times condition number must be small too. A fresh product then checks each
residual. That the values are the *extreme* ones is not proven: a space half as large again, and one from another random
start, must show no more extreme ones.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Callable, Sequence

import numpy as np

from ...budget import Budget
from ...krylov.arnoldi import Krylov, Ritz
from ...krylov.operator import Operator
from ...lazy import torch
from ...types import Array
from .targets import Pick, Reading, Target, pick

FIRST, STEP, LEAST_ROOM = 60, 20, 100
AGREEMENT = 1e-4  # of the target's own size, between two spaces


class Resolution(enum.StrEnum):
    """How far the values at one end of a spectrum can be trusted. The value is its own message."""

    COMPLETE = "complete: the Krylov space was everything, so these are all the eigenvalues there are at this end"
    CONFIRMED = "converged: eigenvalues by residual and condition; a larger space and a second start show no further"
    CONVERGED = "converged: eigenvalues by residual and condition; that they are the extreme ones was not confirmed"
    UNRESOLVED = "unresolved: no answer, only estimates, whose errors are not small against the values' own size"


@dataclasses.dataclass(frozen=True)
class Settings:
    """How a search for eigenvalues runs, and when it ends."""

    tolerance: float  # of residuals, relative to a target's own size
    most: int  # products with the operator for each start
    capacity: int  # basis vectors that fit in memory
    confirm: bool  # whether a larger space and a second start are compared
    seed: int
    budget: Budget

    @classmethod
    def of(
        cls,
        operator: Operator,
        tolerance: float | None,
        most: int,
        memory: float,
        confirm: bool,
        seed: int,
        budget: Budget | None = None,
    ) -> Settings:
        """Settings with the default tolerance of the dtype, and a basis that fits in `memory` bytes, or of 100."""
        if tolerance is None:
            tolerance = 1e-6 if operator.precision < 1e-12 else 1e-3
        room = int(memory // (operator.size * operator.like.element_size()))
        return cls(tolerance, most, max(LEAST_ROOM, room), confirm, seed, Budget.of(budget))

    def used_up(self, spent: int) -> bool:
        """Whether all products are spent, or the time is up."""
        return spent >= self.most or self.budget.out


@dataclasses.dataclass(frozen=True)
class End:
    """The k eigenvalues at one end of a spectrum, and how far they can be trusted."""

    target: Target  # which end
    values: Array  # (k,), the eigenvalues; of a map, lambda - 1
    ritz: Array  # (k,), the operator's Ritz values theta from which they come
    vectors: Array  # eigenvectors x of the operator, columns of unit length, (n, k), complex torch
    residuals: Array  # |A x - theta x| by a fresh product, times |d value / d theta|, (k,)
    resolved: Array  # which values are accepted, (k,)
    resolution: Resolution  # of all values together


class _Search:
    """One Krylov space, and what was last read from it at each end."""

    def __init__(self, operator: Operator, targets: Sequence[Target], k: int, read: Callable[..., Reading],
                 settings: Settings, seed: int) -> None:  # fmt: skip
        self.krylov, self.targets, self.k, self.read = Krylov(operator, seed), targets, k, read
        self.settings = dataclasses.replace(settings, capacity=max(settings.capacity, 3 * k + 2 * STEP))
        self.spent = 0
        self.ritz: Ritz | None = None
        self.picks: dict[str, Pick] = {}
        self.believed: dict[str, Array] = {}

    def advance(self, more: int) -> None:
        """Enlarge the space, restarting it where memory ends, and read it again."""
        capacity = self.settings.capacity
        before = self.krylov.operator.applications
        if self.krylov.size + more > capacity:
            self.krylov.extend(capacity)
            if not self.krylov.complete:
                self.krylov.restart(self._keep, capacity // 2)
        self.krylov.extend(min(self.krylov.size + more, capacity))
        self.spent += self.krylov.operator.applications - before
        self._look()

    def _look(self) -> None:
        self.ritz = ritz = self.krylov.ritz()
        reading = self.read(ritz.values)
        for target in self.targets:
            old = self.picks.get(target.name)
            new = pick(target, reading, ritz, self.k, self.settings.tolerance)
            believed = new.good.copy()
            if not ritz.complete:
                believed &= new.agrees(old, target, AGREEMENT) & (False if old is None else old.good)
            self.believed[target.name] = np.logical_and.accumulate(believed)  # none behind one that is not
            self.picks[target.name] = new

    def _keep(self, values: Array) -> Array:
        """The Ritz values to keep at a restart: as many at each end as there is room for, in conjugate pairs."""
        reading = self.read(values)
        each = max(self.k + 4, self.settings.capacity // (3 * len(self.targets)))
        mask = np.zeros(len(values), bool)
        for target in self.targets:
            mask[reading.sources[target.order(reading.values)[:each]]] = True
        kept = values[mask]
        mirrored = np.abs(kept[None, :] - values.conj()[:, None]).min(1) <= 1e-10 * np.abs(values)
        return mask | mirrored

    def accepted(self, name: str) -> bool:
        """Whether all values at the end of this name are accepted."""
        believed = self.believed.get(name)
        return believed is not None and len(believed) == self.k and bool(believed.all())

    @property
    def finished(self) -> bool:
        """Whether every value is accepted, the space is everything, or products or seconds are used up."""
        accepted = all(self.accepted(t.name) for t in self.targets)
        return accepted or self.krylov.complete or self.settings.used_up(self.spent)

    def run(self) -> None:
        """Extend the Krylov space until the search is finished: see `finished`."""
        if self.ritz is None:
            self.advance(max(FIRST, 3 * self.k + STEP))
        while not self.finished:
            self.advance(STEP)


def ends(
    operator: Operator, targets: Sequence[Target], k: int, settings: Settings, read: Callable[[Array], Reading]
) -> tuple[dict[str, End], int, Array]:
    """The k values at each wanted end of the spectrum of an operator A.

    `read` turns Ritz values into the values that are looked for. A value is accepted under the rules at the head of
    this file. Returns the `End` for each target's name, the dimension of the Krylov space, and its Ritz values.
    """
    search = _Search(operator, targets, k, read, settings, settings.seed)
    search.run()
    confirmed = dict.fromkeys((t.name for t in targets), False)
    if settings.confirm and not search.krylov.complete and any(search.accepted(t.name) for t in targets):
        search, confirmed = _confirm(search, operator, targets, k, settings, read)
    assert search.ritz is not None
    found = {t.name: _verified(search, t, confirmed[t.name]) for t in targets}
    return found, search.krylov.size, search.ritz.values


def _confirm(
    search: _Search,
    operator: Operator,
    targets: Sequence[Target],
    k: int,
    settings: Settings,
    read: Callable[[Array], Reading],
) -> tuple[_Search, dict[str, bool]]:
    """A space half as large again and one from another start, until both show the same ends or the budget is spent."""
    other = _Search(operator, targets, k, read, settings, settings.seed + 1)
    while True:
        before = dict(search.picks)
        search.advance(max(STEP, search.krylov.size // 2))
        search.run()
        other.run()
        agreed = {
            t.name: search.accepted(t.name)
            and other.accepted(t.name)
            and bool(search.picks[t.name].agrees(before[t.name], t, AGREEMENT).all())
            and bool(search.picks[t.name].agrees(other.picks[t.name], t, AGREEMENT).all())
            for t in targets
        }
        disputed = [t.name for t in targets if search.accepted(t.name) and not agreed[t.name]]
        spent = settings.used_up(max(search.spent, other.spent))
        if search.krylov.complete:
            return search, agreed
        if not disputed or spent:
            for name in disputed:  # two starts that see different ends: neither is an answer
                search.believed[name] = np.zeros(k, bool)
            return search, agreed
        other.advance(STEP)


def _verified(search: _Search, target: Target, confirmed: bool) -> End:
    """The values at a target's end, with residuals computed by fresh products."""
    assert search.ritz is not None
    found, ritz, krylov = search.picks[target.name], search.ritz, search.krylov
    operator, columns, measured = krylov.operator, {}, {}
    for source in dict.fromkeys(found.sources.tolist()):
        real, imaginary = krylov.combine(ritz.coefficients[:, source])
        theta = ritz.values[source]
        image = operator(real) - (theta.real * real - theta.imag * imaginary)
        size = float((real.norm() ** 2 + imaginary.norm() ** 2) ** 0.5)
        error = float(image.norm()) ** 2
        if imaginary.any():
            other = operator(imaginary) - (theta.real * imaginary + theta.imag * real)
            error += float(other.norm()) ** 2
        columns[source] = torch.complex(real, imaginary) / size
        measured[source] = error**0.5 / size
    slopes = search.read(ritz.values)
    gain = dict(zip(zip(slopes.sources, slopes.values, strict=True), slopes.slopes, strict=True))
    residuals = np.array([measured[s] * gain[s, v] for s, v in zip(found.sources, found.values, strict=True)])
    small = residuals <= 10 * np.maximum(search.settings.tolerance * found.sizes, found.residuals)
    resolved = search.believed[target.name] & small
    resolution = Resolution.UNRESOLVED
    if len(resolved) == search.k and resolved.all():
        resolution = Resolution.COMPLETE if ritz.complete else Resolution.CONVERGED
        resolution = Resolution.CONFIRMED if confirmed and not ritz.complete else resolution
    vectors = torch.stack([columns[s] for s in found.sources.tolist()], dim=-1)
    return End(target, found.values, ritz.values[found.sources], vectors, residuals, resolved, resolution)
