"""The dynamics around one point as Taylor series: of the flow's right-hand side -v, or of a rule's augmented map."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ...errors import DomainError
from ...lazy import sympy
from ...types import Array, Game, Rule
from ...types.signs import is_zero

if TYPE_CHECKING:
    from ...dynamics.trace import UpdateMap
    from ...symbolic.coefficients import Decimal, Rational, Series


def refuse_without_symbols(game: Game, what: str) -> None:
    """An analysis of expressions needs a game that has some, and the same ones in every step."""
    if not game.symbolic:
        raise DomainError(f"{what} of {game.name}, which is not given by expressions", "symbols", "gd.games.from_sympy")
    if not game.deterministic:
        raise DomainError(f"{what} of {game.name}, which draws batches", "its mean game", "game.mean()")


def step_counts(traced: UpdateMap) -> set[sympy.Symbol]:
    """The step counters on which a rule's map depends: it then changes from one step to the next."""
    expressions = [*(e for _, e in traced.bindings), *traced.outputs]
    return set(traced.counters) & set().union(*(e.free_symbols for e in expressions))


def refuse_marginal_limit(game: Game, rule: Rule | None, matrix: sympy.Matrix | Array) -> None:
    """Refuse the linear part of a step that changes with the step count if its limit has the eigenvalue 1.

    Uniform averages, anchors and step sizes that decay to 0 have such limits, whatever they converge to, and how fast.

    Raises:
        DomainError: where det(1 - M) vanishes, free symbols taking values of no special relation to each other; of an
            array, where an eigenvalue lies within 1e-6 of 1.
    """
    if isinstance(matrix, np.ndarray):
        marginal = bool((np.abs(np.linalg.eigvals(matrix) - 1) < 1e-6).any())
    else:
        sample = {s: sympy.Rational(k, 7) for k, s in enumerate(sorted(matrix.free_symbols, key=str), 3)}
        marginal = is_zero((sympy.eye(matrix.rows) - matrix).xreplace(sample).det())
    if marginal:
        raise DomainError(
            f"{rule!r} on {game.name}, which changes with the step count and has the eigenvalue 1 in the limit",
            "a rule whose limit decides",
            "gd.iterate, or ask it of the rule inside: the `average_covariance` of its law is that of averages",
        )


@dataclasses.dataclass(frozen=True)
class LocalDynamics:
    """dz/dt = F(z) or z+ = F(z) near a point, expanded when asked."""

    point: tuple[sympy.Expr, ...]  # the coordinates of z, SymPy numbers
    symbols: tuple[sympy.Symbol, ...]  # their names
    # outputs, bindings: F as a straight-line program
    outputs: tuple[sympy.Expr, ...]
    bindings: tuple[tuple[sympy.Symbol, sympy.Expr], ...] = ()
    traced: UpdateMap | None = None  # the update map that it comes from; None for a flow

    @property
    def flow(self) -> bool:
        """Whether F is the right-hand side of a differential equation."""
        return self.traced is None

    @functools.cached_property
    def counted(self) -> bool:
        """Whether F changes with the step count, and stands here for its limit after infinitely many steps."""
        return self.traced is not None and bool(step_counts(self.traced))

    @functools.cached_property
    def affine(self) -> bool:
        """Whether F is one affine map everywhere, and not only to the order of some Taylor series or in a limit."""
        if self.counted:
            return False
        outputs = self.outputs if self.traced is None else self.traced.expression
        return all(e.is_polynomial(*self.symbols) and sympy.Poly(e, *self.symbols).total_degree() <= 1 for e in outputs)

    @classmethod
    def of_flow(cls, game: Game, point: Sequence[object]) -> LocalDynamics | None:
        """The gradient flow of a game given by expressions; None for another."""
        if not game.symbolic:
            return None
        return cls(tuple(point), game.symbols, tuple(-e for e in game.field_exprs))

    @classmethod
    def of_map(cls, traced: UpdateMap, point: Sequence[sympy.Expr]) -> LocalDynamics:
        """The dynamics of a traced update map near a point."""
        return cls(tuple(point), traced.symbols, traced.outputs, traced.bindings, traced)

    def series(self, order: int, arithmetic: type[Rational] | type[Decimal]) -> list[Series]:
        """Taylor series of F in the displacements of z, to total degree `order`. Raises NoExpansionError at a kink or a
        pole, or (exactly) where a coefficient is irrational.
        """
        from ...symbolic.taylor import expand

        counters = () if self.traced is None else self.traced.counters
        settle = None if self.traced is None else functools.cache(self.traced._at_infinity)
        return expand(self.symbols, self.point, self.outputs, order, self.bindings, arithmetic, counters, settle)
