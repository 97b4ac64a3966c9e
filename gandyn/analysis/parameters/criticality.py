"""Which side a bifurcation opens to: normal-form coefficients of a fixed point with one critical eigenvalue or pair.

Second and third derivatives are central differences of exact Jacobians, extrapolated once; eight digits or so.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ...types import Array
from .continuation import Family
from .system import System

H2, H3 = 1e-3, 1e-2
ZERO, CROSSING = 1e-5, 1e-5

Named = tuple[str | None, float | None, str]


def _limit(central: Callable[[float], Array], h: float) -> Array:
    """A central difference for h to 0: the error of order h^2 is taken out by that for h / 2."""
    return np.asarray((4 * central(h / 2) - central(h)) / 3)


def _second(made: System, z: Array, p: float, u: Array, v: Array) -> Array:
    """B(u, v) = D^2 F(z)[u, v], complex directions allowed, by differences over a fraction of a unit."""

    def along(a: Array, b: Array) -> Array:
        def central(h: float) -> Array:
            return np.asarray((made.jacobian(z + h * a, p) - made.jacobian(z - h * a, p)) @ b / (2 * h))

        return _limit(central, H2)

    total = np.zeros(made.size, dtype=complex)
    for a, scale_a in ((u.real, 1.0), (u.imag, 1j)):
        if a.any():
            total = total + scale_a * (along(a, v.real) + 1j * along(a, v.imag))
    return total


def _third(made: System, z: Array, p: float, u: Array, v: Array, w: Array) -> Array:
    """C(u, v, w) = D^3 F(z)[u, v, w] by polarisation of second differences of the Jacobian."""

    def pure(a: Array) -> Array:
        """The third derivative D^3 F[a, a, .] in two equal directions a and a fixed third one."""

        def central(h: float) -> Array:
            middle = 2 * made.jacobian(z, p)
            return np.asarray((made.jacobian(z + h * a, p) - middle + made.jacobian(z - h * a, p)) / h**2)

        return _limit(central, H3)

    def pair(a: Array, b: Array) -> Array:
        return np.asarray((pure(a + b) - pure(a - b)) / 4)

    total = np.zeros(made.size, dtype=complex)
    for a, scale_a in ((u.real, 1.0), (u.imag, 1j)):
        for b, scale_b in ((v.real, 1.0), (v.imag, 1j)):
            if a.any() and b.any():
                total = total + scale_a * scale_b * (pair(a, b) @ w)
    return total


def _eigenvectors(matrix: Array, target: complex) -> tuple[complex, Array, Array]:
    """(eigenvalue nearest to target, right q of norm 1, left p with <p, q> = sum conj(p) q = 1)."""
    values, right = np.linalg.eig(matrix)
    k = int(np.argmin(np.abs(values - target)))
    q = right[:, k] / np.linalg.norm(right[:, k])
    others, left = np.linalg.eig(matrix.conj().T)
    p = left[:, int(np.argmin(np.abs(others - np.conj(values[k]))))]
    return complex(values[k]), q, p / np.conj(np.vdot(p, q))


def coefficient(family: Family, x: Array) -> Named:
    """Criticality of a flip: the cubic coefficient of x+ = -x + c x^3 on the centre manifold.

    c = <p, C(q,q,q)>/6 - <p, B(q, (A - 1)^{-1} B(q,q))>/2 (Kuznetsov 2004, equation 5.49); c > 0 is supercritical.
    |q| = 1 in the game's coordinates; what is small is judged in the region's.
    """
    made, z, parameter = family.rescaled, x[:-1], family.split(x)[1]
    a = made.jacobian(z, parameter)
    _, q, p = _eigenvectors(a, -1.0)
    quadratic = _second(made, z, parameter, q, q)
    inner = np.linalg.lstsq(a - np.eye(made.size), quadratic, rcond=None)[0]
    cubic = _third(made, z, parameter, q, q, q)
    c = float((np.vdot(p, cubic) / 6 - np.vdot(p, _second(made, z, parameter, q, inner)) / 2).real)
    scale, small = 1 + float(np.abs(cubic).max() + np.abs(quadratic).max()), abs(c)
    c = c / float(np.linalg.norm(made.units * q) ** 2)
    if small < ZERO * scale:
        return None, c, "an eigenvalue at -1; its cubic coefficient vanishes: the criticality is undecided"
    side = "supercritical" if c > 0 else "subcritical"
    born = "an attracting" if c > 0 else "a repelling"
    return side, c, f"an eigenvalue at -1; cubic coefficient {c:.6g}: {born} orbit of period 2 (in its direction)"


def pair_coefficient(family: Family, x: Array) -> Named:
    """Criticality of a Hopf or Neimark-Sacker point: the first Lyapunov coefficient; negative is supercritical.

    Flow: l = Re[<p, C(q,q,q') - 2 B(q, A^{-1} B(q,q')) + B(q', (2 i w - A)^{-1} B(q,q))>] / (2 w).
    Map: Re e^{-i t}<p, C(q,q,q') + 2 B(q, (1 - A)^{-1} B(q,q')) + B(q', (e^{2 i t} - A)^{-1} B(q,q))> / 2, with the
    eigenvalue e^{i t}, q' the conjugate (Kuznetsov 2004, equations 5.34 and 5.61). Strong resonances, t/2 pi = 1/3 or
    1/4, are left undecided. |q| = 1 in the game's coordinates.
    """
    made, z, parameter = family.rescaled, x[:-1], family.split(x)[1]
    a = made.jacobian(z, parameter)
    values = np.linalg.eigvals(a)
    size = np.abs(np.abs(values) - 1) if made.discrete else np.abs(values.real) / np.abs(values).max()
    pairs = values[(size < 1e-5) & (values.imag > 0)]
    value, q, p = _eigenvectors(a, complex(pairs[0]))
    bar, eye = q.conj(), np.eye(made.size)
    qq, qbar = _second(made, z, parameter, q, q), _second(made, z, parameter, q, bar)
    cubic = _third(made, z, parameter, q, q, bar)
    if made.discrete:
        for k in (3, 4):
            if abs(value**k - 1) < 1e-4:
                return None, None, f"a pair at a {k}-th root of unity: a strong resonance, criticality undecided"
        first, second, factor = np.linalg.solve(eye - a, qbar), value**2 * eye - a, np.conj(value) / 2
    else:
        first, second, factor = -np.linalg.solve(a, qbar), 2 * value * eye - a, 1 / (2 * abs(value.imag))
    inner = np.linalg.solve(second, qq)
    total = cubic + 2 * _second(made, z, parameter, q, first) + _second(made, z, parameter, bar, inner)
    number = float((factor * np.vdot(p, total)).real)
    turning = 1.0 if made.discrete else abs(value.imag)
    scale = 1 + float(np.abs(cubic).max() + np.abs(qq).max() + np.abs(qbar).max()) / turning
    small, number = abs(number), number / float(np.linalg.norm(made.units * q) ** 2)
    where = f"a pair at angle {abs(np.angle(value)) / (2 * np.pi):.6g} turns" if made.discrete else (
        f"a pair at +-{abs(value.imag):.6g} i"
    )  # fmt: skip
    what = "invariant circle" if made.discrete else "cycle"
    if small < ZERO * scale:
        return None, number, f"{where}; the first Lyapunov coefficient vanishes: criticality undecided"
    side = "supercritical" if number < 0 else "subcritical"
    born = "an attracting" if number < 0 else "a repelling"
    return side, number, f"{where}; first Lyapunov coefficient {number:.6g}: {born} {what} is born (in its plane)"


def sharpened(family: Family, x: Array) -> Array:
    """The crossing of two branches nearest to x, by Newton's method; x itself where there is none close by.

    Following a branch finds it to half the digits only. It is a regular solution (x, b, psi) of G + b psi = 0,
    psi^T dG = 0, psi^T psi = 1 (Moore 1980).
    """
    u, singular, _ = np.linalg.svd(family.derivative(x))
    if singular[-1] > CROSSING * singular[0]:
        return x
    d, h = family.system.size, 1e-4
    at, b, psi = x, 0.0, u[:, -1]
    for _ in range(8):
        slopes = family.derivative(at)
        moves = [family.derivative(at + h * e) - family.derivative(at - h * e) for e in np.eye(d + 1)]
        bends = np.stack([(m.T @ psi) / (2 * h) for m in moves], axis=-1)
        residual = np.concatenate([family.residual(at) + b * psi, slopes.T @ psi, [psi @ psi - 1]])
        matrix = np.block([
            [slopes, psi[:, None], b * np.eye(d)],
            [bends, np.zeros((d + 1, 1)), slopes.T],
            [np.zeros((1, d + 2)), 2 * psi[None]],
        ])  # fmt: skip
        if not (np.isfinite(residual).all() and np.isfinite(matrix).all()):
            return x
        step = np.linalg.lstsq(matrix, residual, rcond=None)[0]
        at, b, psi = at - step[: d + 1], b - step[d + 1], psi - step[d + 2 :]
    close = np.abs(at - x).max() < 1e-3 and np.abs(family.residual(at)).max() < 1e-11
    return at if close else x


def branch_kind(family: Family, x: Array, tangent: Array) -> tuple[str, str | None, float | None, str, list[Array]]:
    """(name, criticality, coefficient, reason, other directions) where a real eigenvalue is critical.

    Where dG/d(z, p) has full rank the branch has a fold. Where its null space is a plane, two branches cross: their
    directions a solve the algebraic bifurcation equation <psi, D^2 G[a, a]> = 0 in that plane. If one of them has no
    component in p the crossing is a pitchfork, else transcritical.
    """
    u, singular, vt = np.linalg.svd(family.derivative(x))
    d = family.system.size
    if d < 1 or singular[-1] > CROSSING * singular[0]:
        return "fold", None, None, "an eigenvalue meets the boundary where the branch turns back in the parameter", []
    psi, first, second = u[:, -1], vt[-1], vt[-2]

    def form(a: Array, b: Array) -> float:
        def central(h: float) -> Array:
            return np.asarray((family.derivative(x + h * a) - family.derivative(x - h * a)) @ b / (2 * h))

        return float(psi @ _limit(central, H2))

    roots = _directions(form(first, first), form(first, second), form(second, second))
    if roots is None:
        return "branch point", None, None, "two branches or more touch; the quadratic terms do not separate them", []
    directions = [c * first + s * second for c, s in roots]
    flat = [a for a in directions if abs(a[-1]) < 1e-5]
    others = [a for a in directions if abs(abs(a @ tangent) / np.linalg.norm(tangent) - 1) > 1e-5]
    if not flat:
        return "transcritical", None, None, "two branches cross and both go on in the parameter", others
    side, number = _pitchfork_side(family, x, flat[0], directions)
    reason = "a branch leaves across the parameter, to one side of it"
    return "pitchfork", side, number, f"{reason}; curvature {number:.6g}", others


def _directions(a: float, b: float, c: float) -> list[tuple[float, float]] | None:
    """The two unit (s, t) with a s^2 + 2 b s t + c t^2 = 0, None unless they are real and distinct."""
    matrix = np.array([[a, b], [b, c]])
    values, vectors = np.linalg.eigh(matrix)
    if not values[0] < -1e-7 * max(1.0, values[1]) or not values[1] > 1e-7 * max(1.0, -values[0]):
        return None
    root = [np.sqrt(values[1]), np.sqrt(-values[0])]
    found = [vectors @ np.array([root[0], sign * root[1]]) for sign in (1.0, -1.0)]
    return [(float(v[0] / np.linalg.norm(v)), float(v[1] / np.linalg.norm(v))) for v in found]


def _pitchfork_side(family: Family, x: Array, flat: Array, directions: list[Array]) -> tuple[str, float]:
    """Supercritical where the new branch lies on the side on which the old one has lost the critical eigenvalue."""
    h = 1e-2
    away = family.correct(x + h * flat, flat)
    curvature = float("nan") if away is None else float((away[-1] - x[-1]) / h**2)
    old = max(directions, key=lambda a: abs(a[-1]))
    ahead = family.correct(x + np.sign(curvature) * np.sign(old[-1]) * 1e-3 * old, old)
    if ahead is None or not np.isfinite(curvature):
        return "supercritical" if curvature > 0 else "subcritical", curvature
    values = family.eigenvalues(ahead)
    one = 1.0 if family.system.discrete else 0.0
    moved = values[int(np.argmin(np.abs(values - one)))]
    lost = moved.real > one
    return "supercritical" if lost else "subcritical", curvature
