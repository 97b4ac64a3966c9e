"""What happens at a marginal point, decided by the first non-linear term, a conserved quantity, or exact linearity."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from ...lazy import sympy
from ...types.signs import is_zero
from ..exact_numbers.polynomials import Placement, place
from ..exact_numbers.roots import is_rational
from .fate import Fate, NonlinearDecision
from .linear_part import LinearPart

FIRST_ORDER, PLANAR_ORDER, SPATIAL_ORDER = 3, 7, 5
LARGEST = 8


def decide(lin: LinearPart) -> NonlinearDecision:
    """Decide a marginal linearisation by a normal form, a conserved quantity or linearity; else say what is missing."""
    from .leading_terms import by_terms

    assert lin.exact is not None
    flow = lin.rule is None
    placement = place(lin.exact.factors, flow)
    if lin.constraints is not None:
        placement = dataclasses.replace(placement, inside=placement.inside + len(lin.constraints.strong))
    if lin.local is None:
        return _open("the dynamics has no Taylor series here: it is not given by expressions", flow)
    if not lin.settled:
        return _open("the point is no fixed point", flow)
    if lin.counted:
        return _open("the map changes with the step count and this is its limit: what fades on the way decides", flow)
    if lin.exact.matrix.rows > LARGEST and not lin.affine:
        return _open(f"more than {LARGEST} coordinates", flow)
    if lin.affine:
        kept = _conserved(lin, 2) if placement.inside == 0 else None
        return kept or _linear(lin, placement, flow)
    single = _single(placement.boundary_factors, flow)
    kernels = all(f.degree() == 1 and f.eval(0 if flow else 1) == 0 for f, _ in placement.boundary_factors)
    blocks = [item for item in placement.boundary_factors if item in lin.exact.defects]
    if kernels and not blocks and _kernel_of_fixed_points(lin):
        return NonlinearDecision(
            Fate.SET, "equilibria fill the kernel of the linear part, and every other direction contracts", flow=flow
        )
    found = None if single is None else by_terms(lin, single, placement, range(FIRST_ORDER, FIRST_ORDER + 1))
    if found is None or found.verdict is Fate.UNDECIDED:
        kept = _conserved(lin) if placement.inside == 0 else None
        if kept is not None:
            return kept
    if single is None:
        return _several(lin, placement, blocks, kernels)
    if found is None:
        most = PLANAR_ORDER if lin.exact.matrix.rows <= 3 else SPATIAL_ORDER
        found = by_terms(lin, single, placement, range(FIRST_ORDER + 1, most + 1))
        if found is None:
            found = _open(f"every coefficient of the normal form vanishes up to order {most}", flow)
    return found


def _several(
    lin: LinearPart, placement: Placement, blocks: list[tuple[sympy.Poly, int]], kernels: bool
) -> NonlinearDecision:
    """The decision where more than one eigenvalue or pair is critical: a double zero of a flow, or none."""
    flow = lin.rule is None
    if flow and kernels and blocks and placement.boundary == 2 and not placement.outside:
        from .nilpotent import by_nilpotent_terms

        return by_nilpotent_terms(lin, all_critical=placement.inside == 0)
    names = named(placement.boundary_factors, blocks, flow)
    return _open(f"{names}: no normal form of a single eigenvalue or pair applies", flow)


def _open(why: str, flow: bool) -> NonlinearDecision:
    return NonlinearDecision(Fate.UNDECIDED, why, flow=flow)


def named(boundary: Sequence[tuple[sympy.Poly, int]], blocks: Sequence[tuple[sympy.Poly, int]], flow: bool) -> str:
    """The usual name of a degenerate point (Kuznetsov, sections 8.1 and 9.1).

    `boundary` are the factors of the characteristic polynomial on the stability boundary, with multiplicities; `blocks`
    those of them that have Jordan blocks.
    """
    kinds = sorted(_kind(f, flow) for f, m in boundary for _ in range(m))
    known: dict[tuple[str, ...], str] = {
        ("zero", "zero"): "a double zero",
        ("pair", "zero"): "zero-Hopf (a zero and an imaginary pair)",
        ("pair", "pair"): "double Hopf (two imaginary pairs)",
        ("one", "one"): "the resonance 1:1 (a double eigenvalue 1)",
        ("minus one", "minus one"): "the resonance 1:2 (a double eigenvalue -1)",
        ("minus one", "one"): "fold-flip (eigenvalues 1 and -1)",
    }
    if not flow:
        known[("pair", "pair")] = "two pairs on the unit circle"
    count = sum(f.degree() * m for f, m in boundary)
    name = known.get(tuple(kinds), f"{count} eigenvalues on the boundary at once")
    return f"{name}, with a Jordan block" if blocks else name


def _kind(f: sympy.Poly, flow: bool) -> str:
    if f.degree() > 1:
        return "pair" if f.degree() == 2 else "several"
    if f.eval(0) == 0:
        return "zero"
    return "one" if f.eval(1) == 0 else "minus one"


def _single(boundary: Sequence[tuple[sympy.Poly, int]], flow: bool) -> sympy.Poly | None:
    """The factor of the one critical eigenvalue or pair; None if there are several."""
    if len(boundary) != 1 or boundary[0][1] != 1:
        return None
    f = boundary[0][0]
    on = place([(f, 1)], flow).boundary
    real = f.degree() == 1 or (not is_rational(f) and on == 1)
    return f if real or on == 2 else None


def _linear(lin: LinearPart, placement: Placement, flow: bool) -> NonlinearDecision:
    what = "flow" if flow else "map"
    if all(f.degree() == 1 and f.eval(0 if flow else 1) == 0 for f, _ in placement.boundary_factors):
        why = f"the {what} is linear, its fixed points fill a plane, and every other direction contracts"
        return NonlinearDecision(Fate.SET, why, flow=flow)
    why = f"the {what} is linear: no further term follows, errors on the boundary neither grow nor fade"
    return NonlinearDecision(Fate.NEUTRAL, why, flow=flow)


def _kernel_of_fixed_points(lin: LinearPart) -> bool:
    """Whether every point of the plane through the fixed point along the kernel is a fixed point, identically."""
    local, exact = lin.local, lin.exact
    assert local is not None
    assert exact is not None
    shifted = exact.matrix if local.flow else exact.matrix - sympy.eye(exact.matrix.rows)
    kernel = shifted.nullspace()
    steps = sympy.symbols(f"s1:{len(kernel) + 1}", real=True)
    moved = sympy.Matrix(local.point) + sum(
        (s * v for s, v in zip(steps, kernel, strict=True)), sympy.zeros(shifted.rows, 1)
    )
    replacement = dict(zip(local.symbols, moved, strict=True))
    outputs = local.outputs if local.traced is None else local.traced.expression
    there = (e.xreplace(replacement) for e in outputs)
    gaps = [e if local.flow else e - m for e, m in zip(there, moved, strict=True)]
    return all(map(is_zero, gaps))


def _conserved(lin: LinearPart, degree: int | None = None) -> NonlinearDecision | None:
    """Conservative, by a conserved quantity with a strict minimum or maximum at the point."""
    from ..conserved.quantities import strict_extremum

    found = strict_extremum(lin.game, lin.rule, lin.local, degree)
    if found is None:
        return None
    return NonlinearDecision(
        Fate.CONSERVATIVE,
        f"{found.expression} is conserved (verified identically) and its Hessian is definite, "
        "so starts near the point stay near and do not converge",
        flow=lin.rule is None,
        quantity=found.expression,
    )
