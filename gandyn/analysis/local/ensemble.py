"""Spectra of an ensemble: rules and games of which each member has its own parameters, linearised at once."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...arguments import given_or_known
from ...dynamics.iterate import checked_start, over_ensemble
from ...dynamics.structure import structure_of
from ...dynamics.trace import traced
from ...errors import DomainError, ParameterError
from ...lazy import sympy
from ...results import Result
from ...symbolic.backends import NUMPY, numpy_namespace
from ...symbolic.function import compile_python
from ...symbolic.lowering import lower
from ...symbolic.members import members_in, spread, values_of
from ...symbolic.slopes import with_slopes
from ...types import Array, Game, Rule
from ...worlds import is_symbolic
from .implicit import is_implicit
from .verdicts import Verdict

DECIDED = 5e-8  # a double eigenvalue on the boundary is computed to the root of the rounding
AT_REST = 1e-9


@dataclasses.dataclass(frozen=True, repr=False)
class LinearizedEnsemble(Result):
    """The linear part of each member of an ensemble, in floating point.

    Attributes:
        game, rule: with the arrays of parameters; rule is None for the flow.
        at: the points, shape (..., d).
        matrix: -J for the flow, the derivative of the augmented map for a rule, shape (..., D, D).
        eigenvalues: of each matrix, shape (..., D), not a number where the matrix is not finite.
        residual: |v(w)|, or |F(z) - z|, of each member.
    """

    game: Game
    rule: Rule | None
    at: Array
    matrix: Array
    eigenvalues: Array
    residual: Array

    _data = "game rule points=at matrix eigenvalues spectral_radius spectral_abscissa verdict residual"

    @property
    def spectral_radius(self) -> Array:
        """The largest modulus of an eigenvalue, shape (...)."""
        return np.abs(self.eigenvalues).max(-1, initial=0.0)

    @property
    def spectral_abscissa(self) -> Array:
        """The largest real part of an eigenvalue, shape (...)."""
        return self.eigenvalues.real.max(-1, initial=-np.inf)

    @property
    def verdict(self) -> Array:
        """A `Verdict` of each member; undecided within 5e-8 of the boundary, where only exact arithmetic decides."""
        discrete = self.rule is not None
        sides = np.abs(self.eigenvalues) - 1 if discrete else self.eigenvalues.real
        scale = 1.0 if discrete else np.abs(self.eigenvalues).max(-1, keepdims=True, initial=0.0)
        inside, outside = (sides < -DECIDED * scale), (sides > DECIDED * scale)
        found = np.full(self.residual.shape, Verdict.UNDECIDED, dtype=object)
        found[outside.any(-1) & inside.any(-1)] = Verdict.SADDLE
        found[outside.all(-1)] = Verdict.REPELLING
        found[inside.all(-1)] = Verdict.ATTRACTING
        size = np.maximum(1.0, np.abs(self.at).max(-1, initial=0.0))
        norm = np.abs(self.matrix).max((-2, -1), initial=0.0)
        found[~(self.residual <= AT_REST * size * np.maximum(norm, 1.0))] = Verdict.NO_EQUILIBRIUM
        return found

    def summary(self) -> str:
        """How many members attract, and the range of the spectral radius or abscissa."""
        name, values = "spectral abscissa", self.spectral_abscissa
        if self.rule is not None:
            name, values = "spectral radius", self.spectral_radius
        kinds, counts = np.unique(self.verdict.astype(str), return_counts=True)
        tally = ", ".join(f"{count} {kind}" for kind, count in zip(kinds, counts, strict=True))
        low, high = (f"{v:.6g}" for v in (values.min(initial=np.inf), values.max(initial=-np.inf)))
        return f"{self._dynamics()}: {values.size} members, {tally}; {name} from {low} to {high} (floating point)"


def linearize_ensemble(game: Game, rule: Rule | None, at: object) -> LinearizedEnsemble:
    """What `linearize` answers where parameters are arrays: one matrix and its eigenvalues for each member. Raises
    DomainError for games and rules with kinks or constraints, and steps without a closed form.
    """
    _refuse_kinks(game, rule)
    w = _points(game, rule, at)
    shape = w.shape[:-1]
    moves = MembersMap(game, rule, shape)
    z = moves.start(w)
    moved, matrix = moves(z)
    residual = np.linalg.norm(moved if rule is None else moved - z, axis=-1)
    return LinearizedEnsemble(game, rule, w, matrix, eigenvalues_of(matrix), residual)


class MembersMap:
    """z -> (F(z), DF(z)) of the flow or the augmented map, each member of an ensemble with its own parameters."""

    def __init__(self, game: Game, rule: Rule | None, shape: tuple[int, ...]) -> None:
        self.game, self.rule, self.shape = game, rule, shape
        inputs, columns, outputs, bindings = _program(game, rule)
        rows, program = with_slopes(inputs, outputs, bindings)
        code = lower([*inputs, *(s for s, _ in columns)], [*outputs, *rows], program)
        self.size, self._run = len(inputs), compile_python(code, NUMPY, numpy_namespace())
        self._columns = [spread(carrier.values, shape) for _, carrier in columns]

    def start(self, w: Array) -> Array:
        """The augmented states in which the rule starts at points w, (..., d)."""
        return w if self.rule is None else _augmented(self.game, self.rule, w)

    def __call__(self, z: Array) -> tuple[Array, Array]:
        """F, shape (..., D), and its derivative, shape (..., D, D), at augmented states z."""
        n = self.size
        with np.errstate(all="ignore"):
            numbers = self._run(*(z[..., k] for k in range(n)), *self._columns)
        found = np.empty((*self.shape, n + n * n))
        for k, number in enumerate(numbers):
            found[..., k] = number
        return found[..., :n], found[..., n:].reshape(*self.shape, n, n)


def eigenvalues_of(matrix: Array) -> Array:
    """Eigenvalues of matrices (..., n, n), shape (..., n); not a number where an entry is not finite."""
    found = np.full(matrix.shape[:-1], np.nan + 0j)
    finite = np.isfinite(matrix).all((-2, -1))
    if matrix.shape[-1] != 2:
        if finite.any():
            found[finite] = np.linalg.eigvals(matrix[finite])
        return found
    (a, b), (c, d) = np.moveaxis(matrix, (-2, -1), (0, 1))
    with np.errstate(all="ignore"):
        middle, half = (a + d) / 2, (a - d) / 2
        root = np.sqrt(half**2 + b * c + 0j)
        found[..., 0], found[..., 1] = middle + root, middle - root
    found[~finite] = np.nan
    return found


def _refuse_kinks(game: Game, rule: Rule | None) -> None:
    alone = "one value of each parameter at a time"
    if not game.symbolic or not game.deterministic:
        raise DomainError(f"spectra of an ensemble of {game.name}", "a deterministic game of symbols", alone)
    if game.constrained or not game.smooth:
        raise DomainError(f"spectra of an ensemble of {game.name}", "a smooth game without constraints", alone)
    if rule is not None and (not rule.domain.smooth or is_implicit(game, rule)):
        raise DomainError(f"spectra of an ensemble of {rule!r}", "a smooth rule with an explicit step", alone)


def _points(game: Game, rule: Rule | None, at: object) -> Array:
    w = checked_start(game, known_point(game, at))
    return np.asarray(over_ensemble(w, game, rule), dtype=float)


def known_point(game: Game, at: Sequence[float] | Array | None = None) -> Array:
    """The point in floats, or the game's first known equilibrium, which may be another for each member."""
    point = given_or_known(game, at)
    if hasattr(point, "shape"):
        return np.asarray(point, dtype=float)
    return np.stack(np.broadcast_arrays(*map(_number, point)), -1)


def _number(value: Any) -> Any:
    """A coordinate of an equilibrium: a number, or one for each member."""
    if not is_symbolic(value) or not value.free_symbols:
        return float(value)
    found = values_of(value, np.empty(0))
    if found is None:
        raise ParameterError(f"the equilibrium coordinate {value}", "a value for every parameter", "give a point, at=")
    return found


def _program(
    game: Game, rule: Rule | None
) -> tuple[Sequence[sympy.Expr], list[tuple[sympy.Expr, sympy.Symbol]], list[sympy.Expr], Sequence[sympy.Symbol]]:
    """Inputs, (symbol, carrier of its values) pairs, outputs and bindings of the flow or of the map."""
    own = [(s, s) for s in members_in(game)]
    if rule is None:
        return game.symbols, own, [-e for e in game.field_exprs], ()
    structure = structure_of(rule, scalars=False)
    symbolic, symbols = structure.symbolic
    update = traced(game, symbolic, columns=[*symbols, *(s for s, _ in own)])
    decaying = {s for s, v in zip(symbols, structure.values, strict=True) if np.abs(v.values).max(initial=0.0) < 1}

    def settle(e: sympy.Expr) -> sympy.Expr:
        for t in update.counters:
            e = e.replace(lambda p, t=t: p.is_Pow and p.exp.has(t) and p.base in decaying, lambda p: sympy.Integer(0))
        return update._at_infinity(e)

    bindings = [(name, settle(e)) for name, e in update.bindings]
    outputs = [settle(e) for e in update.outputs]
    return update.symbols, [*zip(symbols, structure.values, strict=True), *own], outputs, bindings


def _augmented(game: Game, rule: Rule, w: Array) -> Array:
    leaves = [np.asarray(leaf, dtype=float) for _, leaf in rule.init(game, w).leaves()]
    return np.concatenate([w, *(np.broadcast_to(a, (*w.shape[:-1], a.shape[-1])) for a in leaves)], axis=-1)
