"""What a spectrum decides: exactly where the linear part is exact, in floating point elsewhere, and where it stops."""

from __future__ import annotations

import enum

import numpy as np

from ...lazy import sympy
from ..exact_numbers.polynomials import place
from .constrained import Constraints
from .linear_part import LinearPart

ON_BOUNDARY = 1e-9
NEAR_LIMIT = 1e-6  # of a map in floats whose step count stands at 1e15: what fades like 1/sqrt(t) has faded to 3e-8
DISAGREEMENT = 1e-2  # between a matrix and central differences, in either precision
Decision = tuple["Verdict", str]


class Verdict(enum.StrEnum):
    """What the linearisation says of the point. The value is its own message."""

    ATTRACTING = "attracting"
    REPELLING = "repelling"
    SADDLE = "saddle"
    MARGINAL = "marginal"
    DEFECTIVE = "unstable by a defective eigenvalue on the boundary"
    UNDECIDED = "undecided"
    NO_EQUILIBRIUM = "not an equilibrium"


def decide(lin: LinearPart) -> Decision:
    """The verdict on a linearisation and the argument behind it."""
    verdict, reason = _decide(lin)
    if lin.rule is not None and lin.equilibrium and not (lin.settled or lin.obstacle):
        reason += f"; the rule's memory is not at rest (residual {lin.residual:.1e})"
    return verdict, reason + (f"; {lin.note}" if lin.note else "")


def _decide(lin: LinearPart) -> Decision:
    bounds = lin.constraints
    if lin.product_error is not None and lin.product_error > DISAGREEMENT:
        how = f"{lin.product_error:.1e} from central differences, relatively"
        return Verdict.UNDECIDED, f"the matrix is not the derivative of what is evaluated ({how})"
    if bounds is not None and bounds.first_order is None:
        return Verdict.UNDECIDED, bounds.obstacle
    if lin.obstacle:
        return Verdict.UNDECIDED, lin.obstacle
    if not lin.equilibrium:
        natural = "|w - P(w - v)|" if bounds is not None and lin.rule is None else "residual"
        return Verdict.NO_EQUILIBRIUM, f"the point is not an equilibrium ({natural} {lin.residual:.1e})"
    if lin.exact is not None and lin.exact.parameters:
        return Verdict.UNDECIDED, f"it depends on {', '.join(map(str, lin.exact.parameters))}"
    if bounds is not None and bounds.obstacle:
        return Verdict.UNDECIDED, bounds.obstacle
    if bounds is not None and bounds.weak:
        return one_sided(lin)
    verdict, reason = exactly(lin) if lin.decidable else numerically(lin)
    return (verdict, reason) if bounds is None else on_the_face(lin, verdict, reason)


def line(lin: LinearPart) -> str:
    """The name of the stability boundary: the imaginary axis for a flow, the unit circle for a map."""
    return "the imaginary axis" if lin.rule is None else "the unit circle"


def exactly(lin: LinearPart) -> Decision:
    """The verdict from the exact characteristic polynomial."""
    assert lin.exact is not None
    far = _in_other_units(lin)
    if far is not None:
        return far
    placement = place(lin.exact.parts, flow=lin.rule is None)
    how = "exact characteristic polynomial" if placement.certain else "eigenvalues to 40 digits"
    if placement.outside:
        kind = Verdict.SADDLE if placement.inside or placement.boundary else Verdict.REPELLING
        beyond = f"{placement.outside} of {lin.exact.matrix.rows} eigenvalues beyond {line(lin)} ({how})"
        return kind, beyond + _defects(lin)
    if not placement.boundary:
        return Verdict.ATTRACTING, f"all eigenvalues on the stable side of {line(lin)} ({how})" + _defects(lin)
    if any(item in lin.exact.defects for item in placement.boundary_factors):
        block = f"an eigenvalue on {line(lin)} has a Jordan block: the linear part grows polynomially ({how})"
        if lin.affine:
            return Verdict.DEFECTIVE, block
        return Verdict.MARGINAL, f"{block}, which decides nothing unless the dynamics is one linear map"
    return Verdict.MARGINAL, (
        f"{placement.boundary} eigenvalues on {line(lin)}, semisimple: the linear part stays bounded "
        f"and does not decide ({how})"
    ) + _defects(lin)


def _in_other_units(lin: LinearPart) -> Decision | None:
    """Irrational entries of very large or small size, in 80 digits and units of the largest; None where not needed.

    With DF = 1 + s N, |1 + s nu|^2 - 1 = s (2 Re nu + s |nu|^2): a small step does not hide which side that lies on.
    """
    import mpmath

    assert lin.exact is not None
    matrix = lin.exact.matrix
    size = float(np.abs(lin.change).max(initial=0.0))
    if size == 0 or 1e-6 <= size <= 1e6 or all(e.is_Rational for e in matrix):
        return None
    unit = sympy.Rational(10) ** int(np.floor(np.log10(size)))
    change = (matrix if lin.rule is None else matrix - sympy.eye(matrix.rows)) / unit
    with mpmath.workdps(80):
        table = mpmath.matrix([[mpmath.mpmathify(sympy.N(e, 80)) for e in row] for row in change.tolist()])
        values = mpmath.eig(table, left=False, right=False)
        bend = 0 if lin.rule is None else mpmath.mpf(unit.p) / unit.q
        distances = [2 * mpmath.re(v) + bend * abs(v) ** 2 for v in values]
        if any(abs(d) < mpmath.mpf(10) ** -30 for d in distances):
            return (
                None
                if size <= 1 and lin.rule is None
                else (Verdict.UNDECIDED, f"an eigenvalue within 1e-30 of {line(lin)}, relative to the largest entry")
            )
        out = sum(bool(d > 0) for d in distances)
    how = "eigenvalues to 80 digits"
    if not out:
        return Verdict.ATTRACTING, f"all eigenvalues on the stable side of {line(lin)} ({how})"
    kind = Verdict.REPELLING if out == len(distances) else Verdict.SADDLE
    return kind, f"{out} of {len(distances)} eigenvalues beyond {line(lin)} ({how})"


def _defects(lin: LinearPart) -> str:
    """A remark on Jordan blocks off the boundary: they do not change the verdict, but errors grow before they fall."""
    assert lin.exact is not None
    names = [
        f"a defective eigenvalue, root of {f.as_expr()}, {m}-fold with too few eigenvectors"
        for f, m in lin.exact.defects
    ]
    return f"; {' and '.join(names)}: errors carry a factor growing like t" if names else ""


def numerically(lin: LinearPart) -> Decision:
    """The verdict from eigenvalues in floating point, each with the error that its condition number allows.

    When the matrix M moves by eps |M|, an eigenvalue moves by about eps |M| / s, s being the cosine between its left
    and right eigenvectors (Golub & Van Loan, section 7.2.2), and by no more than (2 + eps) |M| eps^(1/n) (Elsner 1985),
    which holds for Jordan blocks too. M is -J, or DF - 1: the costs' units do not matter.
    """
    import scipy.linalg

    matrix, n = lin.change, len(lin.change)
    values, left, right = scipy.linalg.eig(matrix, left=True, right=True)
    cosines = np.maximum(np.abs((left.conj() * right).sum(0)), 1e-300)
    moved = np.minimum(lin.rounding / cosines, (2 + lin.rounding) * lin.rounding ** (1 / n))
    errors = ON_BOUNDARY * np.abs(values) + np.linalg.norm(matrix, 2) * moved
    distances = values.real
    if lin.rule is not None:
        distances = (2 * values.real + np.abs(values) ** 2) / (1 + np.abs(1 + values))
    if lin.counted and (np.abs(distances) <= NEAR_LIMIT).any():
        why = "the map changes with the step count, and an eigenvalue of its limit is within 1e-6 of"
        return Verdict.UNDECIDED, f"{why} {line(lin)}"
    if (np.abs(distances) <= errors).any():
        return Verdict.UNDECIDED, f"an eigenvalue within rounding of {line(lin)}, in floating point"
    if (distances < 0).all():
        return Verdict.ATTRACTING, f"all eigenvalues on the stable side of {line(lin)} (floating point)"
    kind = Verdict.REPELLING if (distances > 0).all() else Verdict.SADDLE
    return kind, f"{int((distances > 0).sum())} of {len(values)} eigenvalues beyond {line(lin)} (floating point)"


def on_the_face(lin: LinearPart, verdict: Verdict, reason: str) -> Decision:
    """The verdict at a point with active bounds, from the spectrum on its face and the bounds that press onto it."""
    bounds = lin.constraints
    assert bounds is not None
    face = bounds.face
    assert face is not None
    if face.dimension < face.set.dim:
        reason += f"; the spectrum is that of the feasible directions, {face.dimension} of {face.set.dim}"
    if not bounds.strong:
        return verdict, reason
    if verdict is Verdict.REPELLING:
        verdict = Verdict.SADDLE
    when = "finite time" if lin.rule is None else "finitely many steps"
    names = ", ".join(bounds.strong)
    return verdict, f"{reason}; the multipliers of {names} are positive: nearby starts reach those bounds in {when}"


def one_sided(lin: LinearPart) -> Decision:
    """At bounds that are touched and do not press, the dynamics is piecewise smooth: only what holds on every piece.

    A projection onto a convex set is nonexpansive. So a flow whose J has a positive definite symmetric part on the face
    contracts there, whatever the bounds do, and so does one projected step whose smooth part has norm below 1.
    """
    bounds = lin.constraints
    assert bounds is not None
    face = bounds.face
    assert face is not None
    names = f"{', '.join(bounds.weak)}: active with multiplier zero"
    lengths = np.sqrt([float(sum(c * c for c in column)) for column in face.columns])
    memory = len(lin.symbols) - face.dimension
    if lin.rule is not None and (memory or bounds.projections != 1):
        return Verdict.UNDECIDED, f"{names}: the step is not differentiable here, and no one-sided argument applies"
    matrix = lengths[:, None] * lin.matrix.real / lengths
    if lin.rule is not None:
        size = float(np.linalg.norm(matrix, 2))
        if size < 1 - ON_BOUNDARY:
            return (
                Verdict.ATTRACTING,
                f"{names}; one-sided: the step's smooth part has norm {size:.6g} and P is nonexpansive",
            )
        if face.dimension == 1 and matrix[0, 0] > 1 + ON_BOUNDARY:
            return _leaving(bounds), f"{names}; one-sided: the feasible side grows by {matrix[0, 0]:.6g} a step"
        return Verdict.UNDECIDED, f"{names}: the step's smooth part, of norm {size:.6g}, is no contraction"
    top = float(np.linalg.eigvalsh((matrix + matrix.T) / 2).max())
    scale = ON_BOUNDARY * float(np.linalg.norm(matrix, 2))
    if top < -scale:
        return Verdict.ATTRACTING, (
            f"{names}; one-sided: the symmetric part of J is positive definite on the feasible directions, "
            "so the projected flow contracts"
        )
    if face.dimension == 1 and top > scale:
        return _leaving(bounds), f"{names}; one-sided: the feasible side grows at rate {top:.6g}"
    return Verdict.UNDECIDED, f"{names}: the symmetric part of J is not positive definite on the feasible directions"


def _leaving(bounds: Constraints) -> Verdict:
    return Verdict.SADDLE if bounds.strong else Verdict.REPELLING
