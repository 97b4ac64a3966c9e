"""Quadratic games with chosen answers: a planted spectrum, or a planted split J = S + A."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import ParameterError, ShapeError
from ..lazy import sympy
from ..oracles.known_facts import Facts
from ..oracles.symbolic import SymbolicGame
from ..worlds import exact
from . import registry
from .quadratic import _matrix, general_quadratic, quadratic


@registry.register(
    "planted_quadratic",
    examples=({"eigenvalues": (1 + 2j, 0.5 - 1j)}, {"eigenvalues": (2, -0.5, 1j), "coupling": 1.5, "seed": 1}),
)
def planted_quadratic(
    eigenvalues: Sequence[object], coupling: object = 1, seed: int | None = 0, tilt: object = 0
) -> SymbolicGame:
    """A zero-sum quadratic game whose Jacobian J has exactly the given eigenvalues.

    In suitable coordinates the game splits into scalar games a x^2 / 2 + b x y - c y^2 / 2 with Jacobian
    [[a, b], [-b, c]]. A complex number p + iq stands for itself and its conjugate: a, c = p +- tq and
    b = q sqrt(1 + t^2), with the tilt t. At t = 0 the matrix is normal and both players' curvatures are p; otherwise it
    is not normal, and from t > p/q on one player's own cost bends down although the spectrum has not changed. Two real
    numbers with mean m and half difference d: b is the coupling, a and c are m +- sqrt(d^2 + b^2), so that the spectrum
    alone does not show a player's own curvature. Exact rational rotations of x and of y, from `seed`, then mix the
    coordinates. Flow eigenvalues are minus the given ones.

    Args:
        eigenvalues: of J; complex ones once for the pair, real ones in pairs in the order given.
        coupling: b for each pair of real eigenvalues.
        seed: of the rotations; None for no rotation.
        tilt: t, for the complex eigenvalues.

    Raises:
        ParameterError: for an odd number of real eigenvalues.

    Example:
        >>> import gandyn as gd
        >>> sorted(gd.games.planted_quadratic([3 + 4j], seed=None).jacobian_expr.eigenvals(), key=str)
        [3 + 4*I, 3 - 4*I]
    """
    blocks, spectrum, real = [], [], []
    for value in map(exact, eigenvalues):
        p, q = value.as_real_imag()
        if q == 0:
            real.append(p)
        else:
            t = exact(tilt)
            blocks.append((p + t * q, q * sympy.sqrt(1 + t**2), p - t * q))
            spectrum += [p + sympy.I * q, p - sympy.I * q]
    if len(real) % 2 or not (blocks or real):
        raise ParameterError(
            f"{len(real)} real eigenvalues among {list(eigenvalues)}",
            "an even number: each coordinate of x is paired with one of y",
            "add or drop a real one; a complex one stands for its conjugate too",
        )
    b = exact(coupling)
    for first, second in zip(real[::2], real[1::2], strict=True):
        mean, half = (first + second) / 2, sympy.sqrt(((first - second) / 2) ** 2 + b**2)
        blocks.append((mean + half, b, mean - half))
        spectrum += [first, second]
    a, b, c = (sympy.diag(*entries) for entries in zip(*blocks, strict=True))
    u, v = rational_rotation(len(blocks), seed), rational_rotation(len(blocks), None if seed is None else seed + 1)
    game: SymbolicGame = quadratic(u * a * u.T, u * b * v.T, v * c * v.T)
    game.name = "quadratic with a planted spectrum"
    game.facts = Facts(flow_eigenvalues=(tuple(-value for value in spectrum),))
    return game


def rational_rotation(size: int, seed: int | None) -> sympy.Matrix:
    """An exact rational rotation, (I - K)(I + K)^-1 for a random skew K (Cayley); the identity for seed None."""
    import numpy as np

    if seed is None or size == 1:
        return sympy.eye(size)
    draw = np.random.default_rng(seed).integers(-2, 3, size=(size, size))
    skew = sympy.Matrix(size, size, lambda i, j: sympy.Rational(int(draw[i, j] - draw[j, i]), 2))
    return (sympy.eye(size) - skew) * (sympy.eye(size) + skew).inv()


@registry.register(
    "mixed_quadratic",
    examples=(
        {"symmetric": ((1, 0.5), (0.5, 0)), "antisymmetric": ((0, 2), (-2, 0))},
        {
            "symmetric": ((2, 0, 1), (0, 1, 0), (1, 0, 1)),
            "antisymmetric": ((0, 0, 1), (0, 0, -1), (-1, 1, 0)),
            "sizes": (2, 1),
        },
    ),
)
def mixed_quadratic(symmetric: object, antisymmetric: object, sizes: Sequence[int] | None = None) -> SymbolicGame:
    """The n-player game with Jacobian J = S + A everywhere: potential part S, Hamiltonian part A, both planted.

    Costs f_i = x_i^T J_ii x_i / 2 + sum_{j != i} x_i^T J_ij x_j (Balduzzi et al. 2018, section 2.3). With A = 0 the
    field is the gradient of w^T S w / 2; with S = 0 the flow conserves |w|^2 and, since the Hamiltonian is |A w|^2 / 2,
    that too.

    Args:
        symmetric: S, shape (d, d).
        antisymmetric: A, shape (d, d), zero within each player's own block (a player's own Hessian is symmetric).
        sizes: the players' block lengths; one coordinate each by default.

    Raises:
        ShapeError: if shapes and sizes do not fit.
        ParameterError: if S is not symmetric, A not antisymmetric, or A not zero within a block.

    Example:
        >>> import gandyn as gd
        >>> gd.games.mixed_quadratic(((1, 0), (0, 1)), ((0, 2), (-2, 0))).jacobian_expr
        Matrix([
        [ 1, 2],
        [-2, 1]])
    """
    s, a = _matrix(symmetric), _matrix(antisymmetric)
    d = s.rows
    sizes = (1,) * d if sizes is None else tuple(int(size) for size in sizes)
    if s.shape != (d, d) or a.shape != (d, d) or sum(sizes) != d or min(sizes) < 1:
        raise ShapeError(
            f"S of shape {s.shape}, A of shape {a.shape}, sizes {sizes}",
            "two square matrices of one shape, and positive sizes that add up to it",
            "give sizes=(d_1, ..., d_n)",
        )
    ends = [sum(sizes[:i]) for i in range(len(sizes) + 1)]
    own = [slice(ends[i], ends[i + 1]) for i in range(len(sizes))]
    for wrong, what, needed in (
        (s != s.T, "S is not symmetric", "S = S^T"),
        (a != -a.T, "A is not antisymmetric", "A = -A^T"),
        (any(not a[b, b].is_zero_matrix for b in own), "A is not zero within a player's own block", "zeros there"),
    ):
        if wrong:
            raise ParameterError(what, needed, "split J into (J + J^T) / 2 and (J - J^T) / 2")
    j = s + a
    game: SymbolicGame = general_quadratic([[j[row, column].tolist() for column in own] for row in own])
    w = game.symbols
    conserved = [sum(x**2 for x in w)] if s.is_zero_matrix else []
    if s.is_zero_matrix:
        conserved.append(sum((sum(a[i, k] * w[k] for k in range(d))) ** 2 for i in range(d)) / 2)
    game.name, game.facts = "mixed quadratic", Facts("Balduzzi et al. 2018, section 2", conserved=tuple(conserved))
    return game


@registry.register("potential_quadratic", examples=({"matrix": ((2, 1), (1, 1))},))
def potential_quadratic(matrix: object, sizes: Sequence[int] | None = None) -> SymbolicGame:
    """The n-player potential game with field S w: every player's cost changes with its own block as w^T S w / 2 does.

    Args:
        matrix: S, symmetric, shape (d, d).
        sizes: the players' block lengths; one coordinate each by default.

    Raises:
        ShapeError, ParameterError: as `mixed_quadratic`.
    """
    s = _matrix(matrix)
    game: SymbolicGame = mixed_quadratic(s, 0 * s, sizes)
    game.name = "potential quadratic"
    return game


@registry.register("hamiltonian_quadratic", examples=({"matrix": ((0, 1, -2), (-1, 0, 1), (2, -1, 0))},))
def hamiltonian_quadratic(matrix: object, sizes: Sequence[int] | None = None) -> SymbolicGame:
    """The n-player Hamiltonian game with field A w: the flow circles, conserving |w|^2 and |A w|^2 / 2.

    Args:
        matrix: A, antisymmetric, shape (d, d), zero within each player's own block.
        sizes: the players' block lengths; one coordinate each by default.

    Raises:
        ShapeError, ParameterError: as `mixed_quadratic`.
    """
    a = _matrix(matrix)
    game: SymbolicGame = mixed_quadratic(0 * a, a, sizes)
    game.name = "Hamiltonian quadratic"
    return game
