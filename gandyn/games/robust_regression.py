"""Robust regression with a planted solution: a strongly monotone saddle problem of any dimension, matrix by vector."""

from __future__ import annotations

import functools
import math
import sys
from fractions import Fraction

import numpy as np

from .. import worlds
from ..errors import ParameterError
from ..lazy import sympy
from ..oracles.known_facts import Facts
from ..types import Array, Batch, Game, Parameter, Player
from ..worlds import SYMBOLS, TORCH, exact
from . import registry


class RobustRegression(Game):
    """What `robust_regression` returns: f and its derivatives by products with A, in every world.

    Attributes:
        design: A, shape (n, p). targets: b, shape (n,). lam: the weight of the adversary's budget. All floats.
    """

    zero_sum = True
    name = "robust regression"
    quadratic = True

    def __init__(self, design: Array, targets: Array, lam: Fraction, solution: list[Fraction]) -> None:
        n, p = design.shape
        self.players = (Player("x", p), Player("y", n))
        self._exact_design, self._exact_targets, self._exact_lam = design, targets, lam
        self.design, self.targets, self.lam = design.astype(float), targets.astype(float), float(lam)
        self.equilibria = (tuple(exact_fraction(value) for value in solution),)
        self.facts = Facts(source="min-max least squares; its saddle and spectrum are planted")

    @functools.cache  # noqa: B019 - converted once for each world and device
    def _constants(self, world: str, dtype: object = None, device: object = None) -> tuple[Array, Array, Array]:
        if world == SYMBOLS:
            convert = np.frompyfunc(exact_fraction, 1, 1)
            return convert(self._exact_design), convert(self._exact_targets), exact_fraction(self._exact_lam)
        if world == TORCH:
            torch = sys.modules["torch"]
            design, targets = (torch.as_tensor(a, dtype=dtype, device=device) for a in (self.design, self.targets))
            return design, targets, self.lam
        return self.design, self.targets, self.lam

    def _constants_for(self, w: Array) -> tuple[Array, Array, Array]:
        world = worlds.world_of(w)
        return self._constants(world, w.dtype, w.device) if world == TORCH else self._constants(world)

    def _costs(self, w: Array, batch: Batch) -> tuple[Array, ...]:
        a, b, lam = self._constants_for(w)
        x, y = self.split(w)
        fit, change = x @ a.T - y, y - b
        value = (worlds.dot(fit, fit) - lam * worlds.dot(change, change))[..., 0] / 2
        return value, -value

    def _gradient(self, w: Array) -> tuple[Array, Array]:
        a, b, lam = self._constants_for(w)
        x, y = self.split(w)
        fit = x @ a.T - y
        return fit @ a, -fit - lam * (y - b)

    def _field(self, w: Array, batch: Batch, only: int | None) -> Array:
        gx, gy = self._gradient(w)
        keep = (gx if only != 1 else 0 * gx, -gy if only != 0 else 0 * gy)
        return worlds.concatenate(list(keep))

    def _cost_gradients(self, w: Array, batch: Batch) -> Array:
        gradient = worlds.concatenate(list(self._gradient(w)))
        return worlds.stack([gradient, -gradient], axis=0)

    def _jvp(self, w: Array, u: Array, batch: Batch) -> Array:
        a, _, lam = self._constants_for(w)
        ux, uy = self.split(u)
        fit = ux @ a.T - uy
        return worlds.concatenate([fit @ a, fit + lam * uy])

    def _vjp(self, w: Array, u: Array, batch: Batch) -> Array:
        a, _, lam = self._constants_for(w)
        ux, uy = self.split(u)
        fit = ux @ a.T + uy
        return worlds.concatenate([fit @ a, lam * uy - fit])


def exact_fraction(value: object) -> sympy.Expr:
    """A SymPy rational from a Fraction, an integer or a number."""
    return sympy.Rational(value.numerator, value.denominator) if isinstance(value, Fraction) else exact(value)


@registry.register("robust_regression", examples=({"rows": 4, "columns": 2},))
def robust_regression(rows: int = 20, columns: int = 5, lam: Parameter = 2, seed: int = 0) -> RobustRegression:
    """f(x, y) = |A x - y|^2 / 2 - lam |y - b|^2 / 2: x fits targets y that an adversary moves away from b at a price.

    For lam > 1 it is concave in y, and convex in x. The columns of the random design A sum to 0, so that a constant
    residual r is orthogonal to them; with the planted integers x* and b = A x* + r the saddle is x*, y* = A x* + r
    lam / (lam - 1), exactly. The Jacobian is [[A^T A, -A^T], [A, (lam - 1) I]]: for each singular value s of A two
    eigenvalues, the roots of t^2 - (s^2 + lam - 1) t + lam s^2, and lam - 1 for the rest of y.

    Products with A serve any dimension: rows + columns = d can be thousands.

    Args:
        rows: n, the targets and the length of y.
        columns: p, the length of x, below n.
        lam: price of moving the targets, above 1.
        seed: of the design and of x*.

    Raises:
        ParameterError: for sizes or lam out of range.

    Example:
        >>> import gandyn as gd
        >>> gd.games.robust_regression(rows=4, columns=2).equilibria
        ((1, -1, 10/3, 4/3, 7/3, 1),)
    """
    if not 1 <= columns < rows:
        raise ParameterError(f"rows={rows}, columns={columns}", "1 <= columns < rows", "rows=20, columns=5")
    try:
        lam = Fraction(str(lam))
    except ValueError as error:
        raise ParameterError(f"lam={lam!r}", "a number", "lam=2") from error
    if not lam > 1:
        raise ParameterError(f"lam={lam}", "more than 1, or the adversary's gain is unbounded", "lam=2")
    rng = np.random.default_rng(seed)
    entries = rng.integers(-2, 3, size=(rows, columns))
    entries[:columns] += 3 * np.eye(columns, dtype=int)
    entries[-1] -= entries.sum(0)
    scale = math.isqrt(rows) + 1
    design = np.frompyfunc(lambda entry: Fraction(int(entry), scale), 1, 1)(entries)
    x = np.array([Fraction((-1) ** k * (1 + k // 2)) for k in range(columns)], dtype=object)
    fitted = design @ x
    y = fitted + lam / (lam - 1)
    return RobustRegression(design, fitted + Fraction(1), lam, [*x, *y])
