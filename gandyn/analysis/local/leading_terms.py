"""Which term of a normal form decides at a marginal point, and how fast the distance then grows or falls."""

from __future__ import annotations

from typing import TYPE_CHECKING

import mpmath

from ...lazy import sympy
from ...symbolic.coefficients import DECIMALS, Decimal, NoExpansionError, Rational
from ...types.signs import simplified
from ..exact_numbers.algebraic import Algebraic, Decimals, on_boundary
from ..exact_numbers.roots import is_rational
from .dynamics import LocalDynamics
from .fate import Fate, NonlinearDecision
from .linear_part import LinearPart
from .normal_form import NormalForm, Reduction

if TYPE_CHECKING:
    from ..exact_numbers.polynomials import Placement


@mpmath.workdps(DECIMALS)  # type: ignore[untyped-decorator]
def by_terms(lin: LinearPart, f: sympy.Poly, placement: Placement, orders: range) -> NonlinearDecision | None:
    """The decision by the first non-linear term that does not vanish.

    f is the factor of the characteristic polynomial whose roots are the one critical eigenvalue or pair; orders are
    tried lowest first. None if the terms of all these orders vanish.
    """
    local = lin.local
    assert local is not None
    all_critical = placement.inside == 0
    try:
        reduction = _reduction(local, f, orders[-1])
    except NoExpansionError as error:
        why = f"no Taylor series to order {orders[-1]}: {error.given}"
        return NonlinearDecision(Fate.UNDECIDED, why, flow=local.flow)
    for order in range(2, orders[-1] + 1):
        form = reduction.to(order)
        found = _decide_real(form, all_critical) if form.real else _decide_pair(form, all_critical, lin.game.dim)
        if found is not None:
            return found
    return None


def _reduction(local: LocalDynamics, f: sympy.Poly, order: int) -> Reduction:
    """A `Reduction`, exact where coefficients and eigenvalue allow, in 50 digits elsewhere."""
    try:
        if not is_rational(f):
            raise NoExpansionError("an eigenvalue that is not algebraic over the rationals")
        numbers = Algebraic(f, local.flow)
        return Reduction(local.series(order, Rational), numbers, local.flow, f.degree() == 1)
    except NoExpansionError:
        root = on_boundary(f, local.flow)
        real = abs(float(root.as_real_imag()[1])) < 1e-20
        return Reduction(local.series(order, Decimal), Decimals(root), local.flow, real)


def _decide_real(form: NormalForm, all_critical: bool) -> NonlinearDecision | None:
    """z' = c z^m, z+ = z + c z^m, or z+ = -z + c z^m: the last by the growth of z^2."""
    m, numbers = form.order, form.numbers
    length = sympy.sqrt(numbers.real(sum((x * x for x in form.vector[1:]), form.vector[0] * form.vector[0])))
    flip = not form.flow and numbers.real(numbers.eigenvalue) < 0
    if flip:
        growth = _growth(form, (m - 1) // 2) if m % 2 else None
        if growth is None:
            return None
        c = growth / (2 * length ** (m - 1))
        return _decided(c, m, form, all_critical, "flip (eigenvalue -1)")
    if (m, 0) not in form.coefficients:
        return None
    c = numbers.real(form.coefficients[m, 0]) / length ** (m - 1)
    eigenvalue = f"a simple eigenvalue {'0' if form.flow else '1'}"
    if m % 2 == 0:
        why = f"{eigenvalue} whose first term, of even order {m}, points the same way on both sides"
        return NonlinearDecision(Fate.ONE_SIDED, why, m, c, form.flow)
    return _decided(c, m, form, all_critical, f"centre manifold of {eigenvalue}")


def _decide_pair(form: NormalForm, all_critical: bool, dim: int) -> NonlinearDecision | None:
    """A pair: |z|^2 gains 2 Re c_k |z|^(2k+2) a unit of time, or a step; strong resonances are bounded or named."""
    m, numbers = form.order, form.numbers
    others = {p: c for p, c in form.coefficients.items() if sum(p) == m and p[0] - p[1] != 1}
    if m % 2 == 0:
        return _resonant(form, others) if others else None
    growth = _growth(form, (m - 1) // 2)
    if others:
        sizes = sum((sympy.sqrt(numbers.real(c * numbers.conjugate(c))) for c in others.values()), sympy.Integer(0))
        if growth is None or not bool(abs(growth) > 2 * sizes):
            return _resonant(form, others)
    if growth is None:
        return None
    shown = form.vector[:dim]
    squares = [x * numbers.conjugate(x) for x in shown]
    spread = 2 * numbers.real(sum(squares[1:], squares[0]))  # the mean of |z q + conj(z q)|^2 over a turn is this |z|^2
    c = growth / (2 * spread ** ((m - 1) // 2))
    kind = f"focal value of order {m} (Poincare, Lyapunov)" if form.flow else f"Neimark-Sacker coefficient of order {m}"
    return _decided(c, m, form, all_critical, kind)


def _resonant(form: NormalForm, others: dict[tuple[int, int], object]) -> NonlinearDecision:
    j, k = next(iter(others))
    why = f"the strong resonance 1:{abs(j - k - 1)} of the eigenvalue: z^{j} conj(z)^{k} acts at the deciding order"
    return NonlinearDecision(Fate.UNDECIDED, why, flow=form.flow)


def _growth(form: NormalForm, k: int) -> sympy.Expr | None:
    """g_k in d|z|^2/dt or |z+|^2 - |z|^2 = sum of g_k |z|^(2k+2); None where it vanishes."""
    numbers = form.numbers
    radial = {(a - 1): c for (a, b), c in form.coefficients.items() if (form.real or a - b == 1)}
    if form.real:
        radial = {(a - 1) // 2: c for (a, _), c in form.coefficients.items() if a % 2}
    if k not in radial and form.flow:
        return None
    if form.flow:
        value = radial[k] + numbers.conjugate(radial[k])
    else:
        terms_of = {0: numbers.eigenvalue, **radial}
        terms = [terms_of[i] * numbers.conjugate(terms_of[k - i]) for i in terms_of if k - i in terms_of]
        if not terms:
            return None
        value = sum(terms[1:], terms[0])
    return None if numbers.is_zero(value) else numbers.real(value)


def _decided(c: sympy.Expr, m: int, form: NormalForm, all_critical: bool, kind: str) -> NonlinearDecision:
    if form.numbers.exact:
        c = simplified(c)
    negative = bool(sympy.N(c, 30) < 0)
    fate = Fate.ATTRACTING if negative else Fate.REPELLING if all_critical else Fate.SADDLE
    term = {3: "cubic", 5: "quintic"}.get(m, f"order-{m}")
    return NonlinearDecision(fate, f"by the {term} term: {kind}", m, c, form.flow)
