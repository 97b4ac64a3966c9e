"""The double zero of a flow with one eigenvector (Takens-Bogdanov): what its non-linear terms decide.

On the two-dimensional centre manifold, in coordinates x' = y, y' = E(x, y), let F(x) = E(x, 0) = a x^alpha + ... and
G(x) = dE/dy(x, 0) = b x^beta + ... (Andreev 1958; Dumortier, Llibre & Artes 2006, theorem 3.5):

* alpha even: a cusp or a saddle-node; alpha odd and a > 0: a saddle. Unstable.
* alpha = 2n - 1, a < 0, and beta < n - 1, or beta = n - 1 and b^2 + 4 a n >= 0: a node for even beta, attracting
  exactly where b < 0; for odd beta an elliptic sector beside a hyperbolic one, unstable.
* otherwise orbits turn around the point. With beta = n - 1 even, the energy of the quasi-homogeneous part falls where
  b < 0. With beta > n - 1 that part is the oscillator y^2/2 - a x^(2n)/(2n). Its energy V, corrected term by term in
  the weights 1 of x and n of y, changes by c x^D + (higher weight): the mean of x^D over a turn is positive, so the
  sign of c decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import sympy
from sympy import QQ, ring

from ...symbolic.coefficients import NoExpansionError, Rational, Series
from .fate import Fate, NonlinearDecision
from .linear_part import LinearPart

if TYPE_CHECKING:
    from sympy.polys.rings import PolyElement

ORDER = 9
NAME = "Takens-Bogdanov double zero"
PLANE, U, V = ring("u,v", QQ)


def by_nilpotent_terms(lin: LinearPart, all_critical: bool) -> NonlinearDecision:
    """The decision at a double zero eigenvalue with one eigenvector, all other eigenvalues contracting."""
    local, exact = lin.local, lin.exact
    assert local is not None
    assert exact is not None
    try:
        rows = local.series(ORDER, Rational)
    except NoExpansionError as error:
        return _open(f"no rational Taylor series to order {ORDER}: {error.given}")
    fate, why = _fate(_second_order(*_on_manifold(sympy.Matrix(exact.matrix), rows)))
    if fate is Fate.REPELLING and not all_critical:
        fate = Fate.SADDLE
    return _open(why) if fate is Fate.UNDECIDED else NonlinearDecision(fate, f"{NAME}: {why}")


def _open(why: str) -> NonlinearDecision:
    return NonlinearDecision(Fate.UNDECIDED, f"{NAME}: {why}")


def _cut(p: PolyElement, order: int = ORDER) -> PolyElement:
    return PLANE.from_dict({m: c for m, c in p.items() if sum(m) <= order})


def _times(p: PolyElement, q: PolyElement) -> PolyElement:
    return _cut(p * q)


def _on_manifold(matrix: sympy.Matrix, rows: Sequence[Series]) -> tuple[PolyElement, PolyElement]:
    """(u', v') on the centre manifold, displacements being u q0 + v q1 + (range of A^2) h(u, v), with A q1 = q0."""
    n = matrix.rows
    q1 = next(q for q in (matrix**2).nullspace() if any(matrix * q))
    stable = (matrix**2).columnspace()
    basis = sympy.Matrix.hstack(matrix * q1, q1, *stable)
    inverse = basis.inv()
    contraction: PolyElement = (inverse * matrix * basis)[2:, 2:].inv() if n > 2 else None
    number = QQ.from_sympy
    h = [PLANE.zero] * (n - 2)

    def moved() -> list[PolyElement]:
        inner = [U, V, *h]
        places = [sum((number(basis[i, k]) * inner[k] for k in range(n)), PLANE.zero) for i in range(n)]
        powers: dict[tuple[int, ...], PolyElement] = {(): PLANE.one}

        def power(m: tuple[int, ...]) -> PolyElement:
            if m not in powers:
                powers[m] = _times(power(m[:-1]), places[m[-1]])
            return powers[m]

        images = [sum((c * power(m) for m, c in row.items()), PLANE.zero) for row in rows]
        return [sum((number(inverse[i, k]) * images[k] for k in range(n)), PLANE.zero) for i in range(n)]

    for m in range(2, ORDER + 1 if n > 2 else 2):
        found = moved()
        gap = [
            _degree(found[2 + k] - _times(h[k].diff(U), found[0]) - _times(h[k].diff(V), found[1]), m)
            for k in range(n - 2)
        ]
        extra = [PLANE.zero] * (n - 2)
        for _ in range(m + 1):  # v d/du is nilpotent, so that this ends at the exact solution
            rhs = [V * extra[k].diff(U) - gap[k] for k in range(n - 2)]
            extra = [sum((number(contraction[i, k]) * rhs[k] for k in range(n - 2)), PLANE.zero) for i in range(n - 2)]
        h = [a + b for a, b in zip(h, extra, strict=True)]
    found = moved()
    return found[0], found[1]


def _degree(p: PolyElement, m: int) -> PolyElement:
    return PLANE.from_dict({k: c for k, c in p.items() if sum(k) == m})


def _second_order(p: PolyElement, q: PolyElement) -> PolyElement:
    """E with y' = E(x, y) for x = u, y = u' = p(u, v): v is a series in x and y, found by repeated substitution."""
    v = V
    for _ in range(ORDER):
        v = _cut(V - _at(p - V, v))
    return _at(_times(p.diff(U), p) + _times(p.diff(V), q), v)


def _at(p: PolyElement, v: PolyElement) -> PolyElement:
    """The polynomial p(u, v(u, y)) in u and y, without terms above the order kept."""
    powers = [PLANE.one]
    for _ in range(ORDER):
        powers.append(_times(powers[-1], v))
    return sum((c * _times(U**i, powers[j]) for (i, j), c in p.items() if i + j <= ORDER), PLANE.zero)


def _fate(e: sympy.Expr) -> tuple[Fate, str]:
    force = {i: c for (i, j), c in e.items() if j == 0}
    friction = {i: c for (i, j), c in e.items() if j == 1}
    if not force:
        return Fate.UNDECIDED, f"the force along the kernel vanishes to order {ORDER}"
    alpha = min(force)
    a, beta = force[alpha], min(friction, default=ORDER)
    b = friction.get(beta, QQ(0))
    shape = f"x' = y, y' = {a} x^{alpha} + ..."
    if alpha % 2 == 0:
        return Fate.SADDLE, f"a cusp or saddle-node, unstable: {shape}"
    if a > 0:
        return Fate.SADDLE, f"a saddle: {shape}"
    n = (alpha + 1) // 2
    if b and (beta < n - 1 or (beta == n - 1 and b**2 + 4 * a * n >= 0)):
        if beta % 2:
            return Fate.SADDLE, f"an elliptic and a hyperbolic sector, unstable: {shape} + {b} x^{beta} y"
        fate = Fate.ATTRACTING if b < 0 else Fate.REPELLING
        return fate, f"a node, its friction {b} x^{beta} y deciding: {shape}"
    if b and beta == n - 1:
        if beta % 2:
            return Fate.UNDECIDED, f"a centre or focus whose leading part is reversible: {shape} + {b} x^{beta} y"
        fate = Fate.ATTRACTING if b < 0 else Fate.REPELLING
        return fate, f"a focus, the leading part's energy falling or rising with {b} x^{beta} y: {shape}"
    return _turning(e, a, n, shape)


def _turning(e: sympy.Expr, a: object, n: int, shape: str) -> tuple[Fate, str]:
    """A centre or focus around the oscillator: the first c x^D that no correction of the energy removes.

    Unknown terms of E, of degree above ORDER, enter the energy's change at weight ORDER + 1 + n at least.
    """
    energy = V**2 / 2 - a * U ** (2 * n) / (2 * n)
    weight = {(i, j): i + n * j for i in range(4 * ORDER) for j in range(4 * ORDER)}
    rest = _change(energy, e)
    for size in range(3 * n, ORDER + n + 1):
        while True:
            terms = {m: c for m, c in rest.items() if weight[m] == size}
            high = max(terms, key=lambda m: m[1], default=None)
            if high is None or high[1] == 0:
                break
            i, k = high
            correction = -(terms[high] / (i + 1)) * U ** (i + 1) * V ** (k - 1)
            energy, rest = energy + correction, rest + _change(correction, e)
        if high is not None:
            c = terms[high]
            if size % 2:
                return Fate.UNDECIDED, f"a centre or focus whose terms of weight {size} cancel over a turn: {shape}"
            fate = Fate.ATTRACTING if c < 0 else Fate.REPELLING
            return fate, f"orbits turn, and the corrected energy changes by ({c}) x^{size} + ...: {shape}"
    return Fate.UNDECIDED, f"a centre or focus, no term to order {ORDER} deciding: {shape}"


def _change(p: PolyElement, e: sympy.Expr) -> PolyElement:
    """The time derivative of p along x' = y, y' = E(x, y)."""
    return p.diff(U) * V + p.diff(V) * e
