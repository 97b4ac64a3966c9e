"""The linear part of a flow or of a rule's map at a point, and its spectrum; what it decides is in `linearization`."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np

from ...errors import NotDifferentiableError, ParameterError
from ...lazy import sympy
from ...results import Result
from ...types import Array, Game, Rule
from ..exact_numbers.roots import double_roots
from .constrained import Constraints
from .dynamics import LocalDynamics
from .exact_linearization import ExactLinearization

EXACT_SIZE = 32
ROUNDING = 1e-13


@dataclasses.dataclass(frozen=True, repr=False)
class LinearPart(Result):
    """The linear part at a point, of the flow (matrix -J) or of a rule's augmented map (matrix DF), and its spectrum.

    Attributes:
        game, rule: what was linearised; rule is None for the flow.
        at: the point, shape (d,).
        symbols: names of the augmented coordinates.
        residual: |F(z) - z|, or of the flow |v(w)|, in a constrained game |w - P(w - v(w))|: zero at an equilibrium.
        exact: the exact linearisation, None where the game is not symbolic or the point not exact.
        obstacle: why there is no derivative, where there is none.
        local: the dynamics around the point as Taylor series, where they are given by expressions.
        change: -J, or DF - 1 where DF is the matrix, to the relative precision of its largest entry.
        rounding: relative error of `change`.
        equilibrium: whether w solves the game or stands still under the rule: exactly, or as far as its digits tell.
        settled: whether the whole of z stands still, the rule's memory included.
        counted: whether the map changes with the step count; its limit after infinitely many steps stands for it.
        constraints: where the point lies in the feasible set, and which bounds press; None in an unconstrained game.
        note: what stands for a stochastic game: its mean, or one batch.
        product_error: for games in torch, the relative difference between the matrix times a random direction and
            central differences of the field or the step; no verdict where they disagree. None where none was made.

    In a constrained game the coordinates of the matrix are displacements along the point's face, named by `symbols`:
    only feasible directions have eigenvalues.
    """

    game: Game
    rule: Rule | None
    at: tuple[float | sympy.Expr, ...]
    symbols: tuple[str, ...]
    residual: float
    numeric: Array
    exact: ExactLinearization | None
    obstacle: str = ""
    local: LocalDynamics | None = None
    change: Array = None
    rounding: float = ROUNDING
    equilibrium: bool = True
    settled: bool = True
    counted: bool = False
    constraints: Constraints | None = None
    note: str = ""
    product_error: float | None = None

    _plot = "linearization"

    @property
    def matrix(self) -> Array:
        """The derivative as a NumPy array, (D, D).

        Raises:
            ParameterError: while a parameter has no value.
            DomainError: where there is no derivative.
        """
        if self.obstacle:
            raise NotDifferentiableError(self.obstacle, "a smooth point", "give a state away from zero moments")
        if self.numeric is None:
            assert self.exact is not None
            names = ", ".join(map(str, self.exact.parameters))
            raise ParameterError(
                f"a numeric matrix while {names} has no value", "numbers", "set the parameter, or read `.exact.matrix`"
            )
        return self.numeric

    @functools.cached_property
    def eigenvalues(self) -> Array:
        """Eigenvalues, a complex NumPy array, largest modulus (maps) or real part (flows) first."""
        matrix = self.matrix
        if self.decidable:
            assert self.exact is not None
            values = np.array([r for f, m in self.exact.parts for r in double_roots(f) for _ in range(m)])
        else:
            values = np.linalg.eigvals(matrix).astype(complex)
        keys = values.real if self.rule is None else np.abs(values)
        return values[np.lexsort((-values.imag, -np.round(keys, 14)))]

    @functools.cached_property
    def eigenvectors(self) -> Array:
        """Unit right eigenvectors as columns, in the order of `eigenvalues`; (nearly) parallel where defective."""
        values, vectors = np.linalg.eig(self.matrix)
        order, free = [], list(range(len(values)))
        for target in self.eigenvalues:
            nearest = min(free, key=lambda k: abs(values[k] - target))
            free.remove(nearest)
            order.append(nearest)
        return vectors[:, order]

    @property
    def decidable(self) -> bool:
        """Whether the characteristic polynomial is exact and of a size at which it is used."""
        return self.exact is not None and not self.exact.parameters and self.exact.matrix.rows <= EXACT_SIZE

    @functools.cached_property
    def affine(self) -> bool:
        """Whether the dynamics is affine everywhere, so that the linear part describes it completely."""
        return self.local is not None and self.local.affine

    @property
    def spectral_radius(self) -> float | None:
        """Largest modulus of the map's eigenvalues; None for a flow."""
        return None if self.rule is None else float(np.abs(self.eigenvalues).max(initial=0.0))

    @property
    def spectral_abscissa(self) -> float | None:
        """Largest real part of the flow's eigenvalues; None for a map; minus infinity on a corner, which has none."""
        return float(self.eigenvalues.real.max(initial=-np.inf)) if self.rule is None else None

    @property
    def rate(self) -> float:
        """r in error ~ e^(-r t): -log(spectral radius) a step, minus the spectral abscissa of a flow; below 0 it grows.

        Infinite where the map's linear part dies out in finitely many steps.
        """
        if self.rule is None:
            return 0.0 - float(self.eigenvalues.real.max(initial=-np.inf))
        with np.errstate(divide="ignore"):
            return 0.0 - float(np.log(np.abs(self.eigenvalues).max(initial=0.0)))

    @property
    def e_folding_time(self) -> float:
        """Steps, or time, in which the error falls by a factor e: 1 / rate; infinite unless the rate is positive."""
        return 1 / self.rate if self.rate > 1e-15 else float("inf")

    @property
    def rotation_number(self) -> float:
        """How fast the leading error turns: turns a step (in [0, 1/2]) for a map, turns per unit of time for a flow.

        The leading eigenvalue is that of largest modulus, or real part, and of conjugates the one above the axis: its
        argument over 2 pi, or its imaginary part over 2 pi. Exact in `.exact.rotation_number`.
        """
        values = self.eigenvalues
        if not len(values):
            return 0.0
        keys = values.real if self.rule is None else np.abs(values)
        leading = values[keys > keys.max() - 1e-12 * max(1.0, abs(keys.max()))]
        turning = leading.imag if self.rule is None else np.angle(leading)
        return float(np.abs(turning).max() / (2 * np.pi))
