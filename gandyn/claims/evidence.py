"""What conclusions share: numbers and expressions compared, orbits, and spectra that the library finds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from .. import analysis, games
from ..dynamics.iterate import iterate
from ..lazy import sympy
from ..types import Array, Game, Rule
from .base import Evidence, incomparable


def same_numbers(found: object, expected: object, tolerance: float = 1e-10) -> Evidence:
    """Whether two arrays agree within `tolerance`, relative to the larger of 1 and the largest expected number."""
    a, b = np.asarray(found, dtype=complex), np.asarray(expected, dtype=complex)
    if a.shape != b.shape:
        return incomparable(f"shape {a.shape} beside {b.shape}")
    apart = float(np.abs(a - b).max(initial=0.0) / max(1.0, float(np.abs(b).max(initial=0.0))))
    shown = f"{a.ravel()[:4]} beside {b.ravel()[:4]}" if a.size < 5 else f"{a.size} numbers"
    return Evidence(apart <= tolerance, f"{shown}, {apart:.1e} apart")


def same_spectrum(found: object, expected: object, tolerance: float = 1e-10) -> Evidence:
    """Whether two sets of eigenvalues agree, each matched with its own partner."""
    from scipy.optimize import linear_sum_assignment

    a, b = np.ravel(np.asarray(found, dtype=complex)), np.ravel(np.asarray(expected, dtype=complex))
    if a.shape != b.shape:
        return incomparable(f"{a.size} eigenvalues beside {b.size}")
    rows, columns = linear_sum_assignment(np.abs(a[:, None] - b))
    return same_numbers(a[rows], b[columns], tolerance)


def same_expressions(found: object, expected: object) -> Evidence:
    """Whether expressions (or matrices, or sequences of them) are identically equal."""
    one, other = _entries(found), _entries(expected)
    if len(one) != len(other):
        return incomparable(f"{len(one)} expressions beside {len(other)}")
    pairs = list(zip(one, other, strict=True))
    for a, b in pairs:
        left = sympy.expand(a - b)
        left = left if left.is_polynomial() else sympy.simplify(left)
        if left != 0:
            return Evidence(False, f"{a} is not {b}: {left} is left")
    return Evidence(True, "; ".join(str(b) for _, b in pairs[:3]))


def bilinear_modes(rule: Rule, mode: Callable[[sympy.Expr, sympy.Expr], sympy.Expr]) -> Evidence:
    """Whether on f = sigma x y the characteristic polynomial is p(z) times its conjugate, p = mode(z, sigma).

    An orthogonal change of either player's coordinates turns x^T M y into such games, one for each singular value
    sigma: for rules that do not care for coordinates this is the whole spectrum on every square matrix.
    """
    sigma = sympy.Symbol("sigma", positive=True)
    found, z = characteristic(games.bilinear(sigma), rule)
    p = mode(z, sigma)
    found, expected = sympy.expand(found), sympy.expand(p * p.subs(sympy.I, -sympy.I))
    if sympy.degree(found, z) != sympy.degree(expected, z):
        return incomparable(f"a polynomial of degree {sympy.degree(found, z)} beside {sympy.degree(expected, z)}")
    return same_expressions(found, expected)


def exact(game: Game, rule: Rule | None = None) -> sympy.Expr:
    """The exact linear part of the rule's map, or of the flow, at the known equilibrium; there must be one."""
    found = analysis.linearize(game, rule).exact
    assert found is not None
    return found


def characteristic(game: Game, rule: Rule) -> tuple[sympy.Expr, sympy.Symbol]:
    """The exact characteristic polynomial of the rule's map, and its variable."""
    from ..analysis.exact_numbers.roots import Z

    return exact(game, rule).charpoly, Z


def critical_step(game: Game, rule: Rule, expected: object) -> Evidence:
    """Whether the rule's exact critical step "lr" on the game is the expected one."""
    found = critical(game, rule)
    return Evidence(bool(found == expected), f"critical step {found} beside {expected}")


def critical(game: Game, rule: Rule) -> sympy.Expr:
    """The rule's exact critical step "lr" on the game."""
    return analysis.stability_region(game, rule, ("lr",)).critical("lr")


def update_map(game: Game, rule: Rule) -> Any:
    """`gd.update_map`, whose module is loaded with the first call."""
    from ..dynamics.trace import update_map

    return update_map(game, rule)


def same_maps(game: Game, *rules: Rule) -> Evidence:
    """Whether several rules make the same step of the game, as expressions."""
    first, *others = [update_map(game, rule).expression for rule in rules]
    return all_of(*(same_expressions(first, other) for other in others))


def orbit(game: Game, rule: Rule, start: Array, steps: int, **options: Any) -> Array:
    """The points of an orbit, (steps + 1, ..., d); `options` are those of `iterate`."""
    return np.asarray(iterate(game, rule, start, steps, **options).w)


def jacobian(game: Game) -> Array:
    """J at 0, as floating-point numbers."""
    return np.array(game.jacobian(np.zeros(game.dim)), dtype=float)


def map_matrix(game: Game, rule: Rule) -> Array:
    """The derivative of the rule's map, as floating-point numbers."""
    return np.asarray(analysis.linearize(game, rule).matrix, dtype=float)


def radius(game: Game, rule: Rule) -> float:
    """The spectral radius of the rule's map, from floating-point eigenvalues alone."""
    return float(np.abs(np.linalg.eigvals(map_matrix(game, rule))).max())


def between(numbers: Array, low: float, high: float) -> Evidence:
    """Whether all numbers lie strictly between two others."""
    least, most = float(np.min(numbers)), float(np.max(numbers))
    return Evidence(low < least and most < high, f"in the end between {least:.4g} and {most:.4g}")


def all_of(*parts: Evidence) -> Evidence:
    """The first part that does not hold, or all of them in one."""
    for part in parts:
        if not part:
            return part
    return Evidence(True, "; ".join(part.detail for part in parts if part.detail))


def spectral(game: Game, rule: Rule | None = None, at: object = None) -> float:
    """The spectral radius of a rule's map, or the spectral abscissa of the flow."""
    found = analysis.linearize(game, rule, at)
    return float(found.spectral_abscissa if rule is None else found.spectral_radius)


def attracting(game: Game, rule: Rule | None = None, at: object = None) -> Evidence:
    """Whether the linear part decides that the point attracts."""
    found = analysis.linearize(game, rule, at)
    size = found.spectral_abscissa if rule is None else found.spectral_radius
    return Evidence(found.verdict.name == "ATTRACTING", f"{found.verdict}, {size:.12g}")


def moduli(game: Game) -> tuple[float, float, float]:
    """(mu, L, gamma): mu <v(a) - v(b), a - b> / |a - b|^2 at least, and gamma <= |v(a) - v(b)| / |a - b| <= L.

    For affine fields, and for the log cosh terms of `strategies.strongly_monotone`, whose second derivative is largest
    at 0 and vanishes far away: there gamma is taken to be mu.
    """
    near, far = (np.array(game.jacobian(np.full(game.dim, at)), dtype=float) for at in (0.0, 30.0))
    curved = float(np.linalg.norm(near - far, 2))
    mu = float(np.linalg.eigvalsh((far + far.T) / 2)[0])
    least = float(np.linalg.svd(far, compute_uv=False)[-1]) if curved == 0 else max(0.0, mu)
    return mu, float(np.linalg.norm(far, 2)) + curved, least


def curved_game() -> Game:
    """A general-sum game with cubic and quartic terms: no symmetry that could hide a wrong sign."""
    x, y = sympy.symbols("x y", real=True)
    game: Game = games.from_sympy([x**3 * y + 2 * x * y**2 - x**2, y**3 - 3 * x * y + x**2 * y**2], [x, y])
    return game


def sped_up_abscissa(game: Game, tau: float) -> float:
    """The largest real part of the flow's eigenvalues at 0 with player 2 moving tau times as fast."""
    j = jacobian(game)
    j[game.slices[1]] *= tau
    return float(np.linalg.eigvals(-j).real.max())


def minimax_curvatures(game: Game) -> tuple[sympy.Matrix, sympy.Matrix]:
    """Eigenvalues of the Schur complement f_xx - f_xy f_yy^-1 f_yx and of -f_yy, at 0; NaN where f_yy is singular."""
    x, y = game.slices
    j = jacobian(game)
    own = np.linalg.eigvalsh(j[y, y])
    if np.abs(own).min() == 0:
        return own * np.nan, own
    return np.linalg.eigvalsh(j[x, x] - j[x, y] @ np.linalg.solve(j[y, y], j[y, x])), own


def singular_values(game: Game) -> np.ndarray:
    """The singular values of a bilinear game's matrix, largest first."""
    x, y = game.slices
    return np.asarray(np.linalg.svd(jacobian(game)[x, y], compute_uv=False))


def _entries(values: object) -> Sequence[complex]:
    rows = values.flat() if hasattr(values, "flat") else values if isinstance(values, Iterable) else [values]
    return [sympy.sympify(e, strict=True) for e in rows]
