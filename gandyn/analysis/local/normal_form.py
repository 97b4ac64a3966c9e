"""The first non-linear terms that decide at a marginal point: centre manifold and normal form, order by order.

Where one simple eigenvalue, or one simple conjugate pair, lies on the stability boundary and all others on the stable
side, the dynamics near the point is decided on a curve or surface H(z) tangent to the critical eigenvectors. H and the
reduced equation for z are the solution of one identity, dynamics(H(z)) = H(reduced dynamics(z)), solved power by power
(Kuznetsov, Elements of Applied Bifurcation Theory, sections 5.4 and 8.7; Coullet & Spiegel 1983). Its coefficients that
cannot be removed by a choice of H are the normal form: Poincare and Lyapunov's focal values for a flow's pair, the
Neimark-Sacker coefficient for a map's, the fold, transcritical, pitchfork and flip coefficients for real eigenvalues.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from ...symbolic.coefficients import Series
from ..exact_numbers.algebraic import Algebraic, Decimals, Element, kernel, solve

Power = tuple[int, int]
Planar = dict[Power, Any]


@dataclasses.dataclass
class NormalForm:
    """z' = lambda z + sum of c_{jk} z^j conj(z)^k over the resonant powers, or z+ = the same."""

    numbers: Algebraic | Decimals  # where the coefficients live
    flow: bool  # differential equation or map
    real: bool
    vector: list[Element]  # q, with displacement = z q + conj(z q) + ..., or z q for a real eigenvalue
    coefficients: Planar  # c_{jk}, those that are not zero
    order: int  # all resonant terms to this total degree are known


class Reduction:
    """Solves the identity to higher and higher order.

    The series go to the highest order wanted; `numbers` is the field of the critical eigenvalue, and `real` says that
    it is real.
    """

    def __init__(self, series: Sequence[Series], numbers: Algebraic | Decimals, flow: bool, real: bool) -> None:
        self.numbers, self.flow, self.real, self.n = numbers, flow, real, len(series)
        self.zero = numbers.eigenvalue - numbers.eigenvalue
        embed = numbers.number
        self.linear = [
            [embed(row[(k,)]) if (k,) in row else self.zero for k in range(self.n)] for row in series
        ]  # fmt: skip
        self.terms = [{m: embed(c) for m, c in row.items() if len(m) > 1} for row in series]
        self.one = numbers.one
        self.q, self.p = self._eigenvectors()
        self.manifold: list[Planar] = [{(1, 0): x} for x in self.q]
        if not real:
            for row, x in zip(self.manifold, self.q, strict=True):
                row[(0, 1)] = numbers.conjugate(x)
        self.coefficients: Planar = {}
        self.order = 1

    def _eigenvectors(self) -> tuple[list[Element], list[Element]]:
        shifted = self._shifted(self.numbers.eigenvalue)
        (q,) = kernel(self.numbers, shifted)
        (p,) = kernel(self.numbers, [list(column) for column in zip(*shifted, strict=True)])
        pairing = sum((a * b for a, b in zip(p, q, strict=True)), self.zero)
        return q, [x / pairing for x in p]

    def _shifted(self, mu: object) -> list[list[Element]]:
        """The matrix mu I - A as nested lists, A the linear part."""
        return [[(mu if i == k else self.zero) - self.linear[i][k] for k in range(self.n)] for i in range(self.n)]

    def to(self, order: int) -> NormalForm:
        """The normal form with all terms up to a total degree `order`."""
        while self.order < order:
            self._next()
        return NormalForm(self.numbers, self.flow, self.real, self.q, dict(self.coefficients), self.order)

    def _next(self) -> None:
        m = self.order + 1
        gained = [_degree(self._compose(row, m), m) for row in self.terms]
        carried = self._carried(m)
        powers = [(m, 0)] if self.real else [(j, m - j) for j in range(m, -1, -1)]
        done: set[Power] = set()
        for power in sorted(powers, key=lambda jk: (not self._resonates(*jk), -jk[0])):
            if power in done:
                continue
            rhs = [a.get(power, self.zero) - b.get(power, self.zero) for a, b in zip(gained, carried, strict=True)]
            h, c = self._solve(power, rhs)
            if not self.numbers.is_zero(c):
                self.coefficients[power] = c
            mirrored = power[::-1]
            for row, x in zip(self.manifold, h, strict=True):
                if not self.numbers.is_zero(x):
                    row[power] = x
                    if not self.real:
                        row[mirrored] = self.numbers.conjugate(x)
            done |= {power, mirrored}
        self.order = m

    def _eigenvalue(self, j: int, k: int) -> Element:
        """The factor by which the linear part multiplies z^j conj(z)^k."""
        value, mirrored = self.numbers.eigenvalue, self.numbers.conjugate(self.numbers.eigenvalue)
        if self.flow:
            return sum([value] * j + [mirrored] * k, self.zero)
        product = self.one
        for factor in [value] * j + [mirrored] * k:
            product = product * factor
        return product

    def _resonates(self, j: int, k: int) -> bool:
        return bool(self.numbers.is_zero(self._eigenvalue(j, k) - self.numbers.eigenvalue))

    def _solve(self, power: Power, rhs: list[Element]) -> tuple[list[Element], Element]:
        """h with (mu - A) h = rhs; where mu is the critical eigenvalue, (mu - A) h + c q = rhs and p h = 0."""
        rows = self._shifted(self._eigenvalue(*power))
        if not self._resonates(*power):
            return solve(self.numbers, [[*row, b] for row, b in zip(rows, rhs, strict=True)]), self.zero
        bordered = [[*row, x, b] for row, x, b in zip(rows, self.q, rhs, strict=True)]
        found = solve(self.numbers, [*bordered, [*self.p, self.zero, self.zero]])
        return found[:-1], found[-1]

    def _compose(self, terms: dict[tuple[int, ...], Element], m: int) -> Planar:
        """The non-linear terms on the centre manifold, up to degree m."""
        products: dict[tuple[int, ...], Planar] = {(): {(0, 0): self.one}}

        def product(monomial: tuple[int, ...]) -> Planar:
            if monomial not in products:
                products[monomial] = self._times(product(monomial[:-1]), self.manifold[monomial[-1]], m)
            return products[monomial]

        total: Planar = {}
        for monomial, c in terms.items():
            if len(monomial) <= m:
                self._add(total, product(monomial), c)
        return total

    def _times(self, a: Planar, b: Planar, m: int) -> Planar:
        total: Planar = {}
        for (i, j), x in a.items():
            for (k, l), y in b.items():
                if i + j + k + l <= m:
                    key = (i + k, j + l)
                    total[key] = total[key] + x * y if key in total else x * y
        return total

    def _add(self, total: Planar, part: Planar, factor: object) -> None:
        for power, x in part.items():
            total[power] = total[power] + factor * x if power in total else factor * x

    def _carried(self, m: int) -> list[Planar]:
        """The degree-m part of H under the reduced dynamics known so far, beyond its own linear factor."""
        mirrored = {(k, j): self.numbers.conjugate(c) for (j, k), c in self.coefficients.items()}
        if self.flow:
            return [self._derivative(row, mirrored) for row in self.manifold]
        z: Planar = {(1, 0): self.numbers.eigenvalue, **self.coefficients}
        w: Planar = {(0, 1): self.numbers.conjugate(self.numbers.eigenvalue), **mirrored}
        powers: list[list[Planar]] = [[{(0, 0): self.one}], [{(0, 0): self.one}]]
        for _ in range(m):
            for base, found in zip((z, w), powers, strict=True):
                found.append(self._times(found[-1], base, m))
        result: list[Planar] = []
        for row in self.manifold:
            total: Planar = {}
            for (j, k), x in row.items():
                self._add(total, self._times(powers[0][j], powers[1][k], m), x)
            result.append(_degree(total, m))
        return result

    def _derivative(self, row: Planar, mirrored: Planar) -> Planar:
        total: Planar = {}
        for (j, k), x in row.items():
            if j + k < 2:
                continue
            for times, shift, part in ((j, (j - 1, k), self.coefficients), (k, (j, k - 1), mirrored)):
                for (a, b), c in part.items():
                    key = (shift[0] + a, shift[1] + b)
                    for _ in range(times):
                        total[key] = total[key] + x * c if key in total else x * c
        return total


def _degree(part: Planar, m: int) -> Planar:
    return {power: x for power, x in part.items() if sum(power) == m}
