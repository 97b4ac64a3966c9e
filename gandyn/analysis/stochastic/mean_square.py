"""Mean-square stability: do second moments stay bounded, up to which parameter, and what do single runs do?"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import math

import numpy as np

from ...arguments import whole
from ...budget import Budget, OutOfTimeError
from ...doors import door
from ...errors import DomainError
from ...lazy import sympy
from ...noise import Additive
from ...results import Result
from ...types import Array, Game, Rule
from . import stein
from .random_map import RandomMap
from .traced_map import freed_map, random_map

PROBES = 400  # values of a parameter at which a threshold is bracketed where there is no polynomial
RUNS, STEPS = 400, 2000


@dataclasses.dataclass(frozen=True)
class Exponent:
    """A top Lyapunov exponent lim (1/t) log|M_t ... M_1 u|, per step: its estimate, and half a 95 % band around it."""

    value: float
    band: float


@dataclasses.dataclass(frozen=True, repr=False)
class MeanSquare(Result):
    """Whether second moments around an equilibrium shrink under a noisy rule: the spectral radius of E[M (x) M].

    Attributes:
        game, rule: what was analysed.
        at: the equilibrium.
        step: one noisy step as a random affine map.
        seconds: that an exact threshold may take.
    """

    game: Game
    rule: Rule
    at: tuple[sympy.Expr, ...]
    step: RandomMap
    seconds: float = 20.0

    _data = "game rule at kind spectral_radius deterministic_radius stable"
    _plot = "mean_square"

    @property
    def kind(self) -> str:
        """Either "exact", where the step is affine, or "local": of its linear part at the point."""
        return self.step.kind

    @functools.cached_property
    def spectral_radius(self) -> float | None:
        """Of E[M (x) M] on the augmented state: by it E|z - z*|^2 is multiplied in a step, in the long run.

        None while a parameter has no value.
        """
        return None if self.step.parameters else stein.spectral_radius(self.step)

    @property
    def deterministic_radius(self) -> float | None:
        """The squared spectral radius of E[M]: the factor by which the mean field alone multiplies |z - z*|^2."""
        if self.step.parameters:
            return None
        return float(np.abs(np.linalg.eigvals(self.step.first_moments[0])).max(initial=0.0) ** 2)

    @functools.cached_property
    def stable(self) -> bool | None:
        """Whether the spectral radius lies below 1, decided exactly near 1. None while a parameter has no value."""
        return None if self.step.parameters else stein.stable(self.step)

    def critical(self, name: str) -> float | sympy.Expr:
        """Supremum of the interval of one parameter, starting at 0, on which second moments stay bounded.

        E[M (x) M] maps positive semidefinite matrices to such, so its spectral radius is one of its eigenvalues: it
        passes 1 only where det(I - E[M (x) M]) vanishes. The answer is the first positive root at which stability
        ends, exact (a SymPy number) where that determinant is rational in the parameter, else in floating point. 0 if
        there is no stable interval, infinity if it never ends.

        Args:
            name: a parameter of the rule ("lr"), or a free symbol of rule or game.

        Raises:
            ParameterError: for an unknown name, or while another parameter has no value.
        """
        free, symbol = freed_map(self, name)
        if not free.matrix.has(symbol):
            return sympy.oo if stein.stable(free.at_value(symbol, 1)) else sympy.Integer(0)
        try:
            roots = Budget(self.seconds).run(lambda: _crossings(free, symbol), "the exact threshold")
        except (OutOfTimeError, ValueError, NotImplementedError, ArithmeticError):
            return _bisected(free, symbol)
        return _first_end(free, symbol, roots)

    def radii(self, name: str, values: Array) -> tuple[Array, Array]:
        """(spectral radius of E[M (x) M], of E[M] squared) at each value of a parameter."""
        free, symbol = freed_map(self, name)
        steps = [free.at_value(symbol, float(x)) for x in values]
        means = [np.abs(np.linalg.eigvals(step.first_moments[0])).max(initial=0.0) ** 2 for step in steps]
        return np.array([stein.spectral_radius(step) for step in steps]), np.array(means)

    def exponent(self, steps: int = STEPS, runs: int = RUNS, rng: int = 0) -> Exponent:
        """The top Lyapunov exponent of the random product M_t ... M_1: what almost every single run does.

        Negative, single runs approach the equilibrium, or their stationary law, almost surely, though second moments
        may grow all the same: rare runs carry them.

        Args:
            steps: factors of each product. runs: independent products, from whose spread the band comes. rng: the seed.
        """
        steps, runs = whole("steps", steps, 10), whole("runs", runs, 2)
        m = self.step.numbers[0]
        generator = np.random.default_rng(rng)
        u = generator.standard_normal((runs, m.shape[1]))
        total, skipped = np.zeros(runs), steps // 10
        for t in range(steps):
            u = np.einsum("nij,nj->ni", m[generator.integers(len(m), size=runs)], u)
            size = np.linalg.norm(u, axis=1)
            alive = size > 0
            u[alive] /= size[alive, None]
            if t >= skipped:
                with np.errstate(divide="ignore"):
                    total += np.log(size)
        rates = total / (steps - skipped)
        if not np.isfinite(rates).all():
            return Exponent(-math.inf, 0.0)
        return Exponent(float(rates.mean()), float(1.96 * rates.std(ddof=1) / math.sqrt(runs)))

    def summary(self) -> str:
        """The radius with and without the noise, and what it means."""
        head = f"{self._subject()}: "
        if self.step.parameters:
            names = ", ".join(map(str, self.step.parameters))
            return f"{head}mean-square stability depends on {names}\nask .critical({names.split(', ')[0]!r})"
        verdict = "mean-square stable" if self.stable else "not mean-square stable"
        return (
            f"{head}{verdict}, spectral radius of E[M (x) M] {self.spectral_radius:.8g}\n"
            f"of the mean step alone {self.deterministic_radius:.8g}\n"
            f"{self.kind}: {'the step is affine' if self.kind == 'exact' else 'of the linear part at the point'}"
        )


@door
def mean_square(
    game: Game, rule: Rule, at: object = None, noise: object = None, *, budget: float | None = 20
) -> MeanSquare:
    """Mean-square stability of a noisy rule at an equilibrium: the spectral radius of E[M (x) M] on z = (w, memory).

    M is the linear part of one step with one draw of the noise. Additive noise does not change it; the summands of a
    finite sum do: extragradient with fresh samples diverges for every step on a bilinear finite sum whose scalar
    couplings have E b^2 >= 2 (E b)^2.

    Args:
        game: a symbolic game, or a finite sum of them.
        rule: the rule.
        at: the equilibrium of the mean game; the first known one by default.
        noise: additive noise on top of the game's own.
        budget: seconds that an exact threshold may take.

    Returns:
        A `MeanSquare`: the `.spectral_radius` of E[M (x) M], whether it is `.stable`, and its `.critical("lr")`.

    Raises:
        DomainError, ParameterError: as `gd.stationary`.

    Example:
        >>> import gandyn as gd
        >>> game = gd.games.stochastic_bilinear(size=1, summands=4)
        >>> gd.mean_square(game, gd.rules.Extragradient(0.1)).critical("lr")
        sqrt(205)/41
        >>> gd.mean_square(game, gd.rules.Extragradient(0.1, fresh=True)).critical("lr")
        0
    """
    step = random_map(game, rule, None if noise is None else Additive.read(noise), at)
    return MeanSquare(game, rule, tuple(step.at), step, Budget.of(budget).seconds)


def _crossings(free: RandomMap, symbol: sympy.Symbol) -> list[sympy.Expr]:
    """The positive roots of det(I - E[M (x) M]), exact and in order."""
    from sympy.polys.matrices import DomainMatrix

    _, system = stein.exact_system(free)
    matrix = DomainMatrix.from_Matrix(system).to_field()
    numerator = sympy.fraction(sympy.together(matrix.domain.to_sympy(matrix.charpoly_berk()[-1])))[0]
    polynomial = sympy.Poly(numerator, symbol)
    if polynomial.is_zero or not polynomial.domain.is_Exact or polynomial.domain.is_Composite:
        raise ValueError("no polynomial with rational coefficients")
    found: list[sympy.Expr] = []
    for factor, _ in polynomial.factor_list()[1]:
        found += [r for r in factor.real_roots() if r.is_positive]
    return sorted(found, key=float)


def _first_end(free: RandomMap, symbol: sympy.Symbol, roots: list[sympy.Expr]) -> sympy.Expr:
    """The first root after which second moments grow; 0 if they grow before the first, infinity if they never do."""
    edges = [0.0, *map(float, roots)]
    probes = [*((a + b) / 2 for a, b in itertools.pairwise(edges)), 2 * edges[-1] + 1]
    ends = [sympy.Integer(0), *roots]
    for end, probe in zip(ends, probes, strict=True):
        if not stein.stable(free.at_value(symbol, _rational(probe))):
            return end
    return sympy.oo


def _rational(value: float) -> sympy.Expr:
    return sympy.Rational(value).limit_denominator(10**12) if value > 1e-6 else sympy.Rational(value)


def _bisected(free: RandomMap, symbol: object) -> sympy.Expr:
    """The threshold in floating point, from a grid of decades about the value at which the step is of the size of w."""
    grid = np.geomspace(1e-6, 1e3, PROBES) * free.unit(symbol)
    first = next((k for k, x in enumerate(grid) if not stein.stable(free.at_value(symbol, x))), None)
    if first is None:
        raise DomainError(f"no threshold of {symbol} up to {grid[-1]:g}", "a threshold", "evaluate .stable at values")
    if first == 0:
        return sympy.Integer(0)
    from scipy.optimize import brentq

    return sympy.Float(
        brentq(lambda x: stein.spectral_radius(free.at_value(symbol, x)) - 1, grid[first - 1], grid[first])
    )
