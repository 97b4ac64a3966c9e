"""The duality-gap flow dw/dt = -grad G(w): its field, Jacobian, eigenvalues and stationary points."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence

import numpy as np

from ...doors import door
from ...errors import DomainError
from ...lazy import sympy
from ...oracles.symbolic import SymbolicGame
from ...results import Result
from ...rules import DualityGapDescent
from ...symbolic.function import SymbolicFunction
from ...types import Array, Game, Parameter
from ...types.signs import is_zero
from ...worlds import SYMBOLS, object_vector
from ..local.linearize import Linearization, linearize
from ..zeros.fixed_points import FixedPoint, FixedPoints, fixed_points

PROBES = 20
NOTHING = 1e-9
AT_REST = 1e-8


class GapGame(SymbolicGame):
    """The game in which every player's cost is the gap G, and whose field is the `slope` given.

    With exact answers, or answers differentiated through, the field is grad G: a game of common interest. With held
    answers the field is in general no gradient.
    """

    def __init__(self, game: SymbolicGame, gap: sympy.Expr, slope: Sequence[sympy.Expr], label: str) -> None:
        blocks = {p.name: game.symbols[own] for p, own in zip(game.players, game.slices, strict=True)}
        super().__init__(f"{label} of {game.name}", game.exprs, blocks, game.equilibria)
        self.exprs, self.field_exprs = (gap,) * len(game.players), tuple(slope)
        # asked of the game itself: of an expression as nested as the gap's they would take minutes
        self.zero_sum, self.quadratic, self.own_quadratic = False, game.quadratic, game.quadratic


@dataclasses.dataclass(frozen=True, repr=False)
class GapFlow(Result):
    """The flow dw/dt = -grad G(w) down the duality gap G (Grnarova et al. 2021, section 4).

    The result is itself the field, a function of points w (..., d): `gd.flow(game, start, time, field=gap_flow)`.

    Attributes:
        game: the game whose gap G is.
        rule: the update rule that follows this flow as its step size tends to 0.
    """

    game: Game
    rule: DualityGapDescent

    _data = "game rule rotates field=expression"
    _plot = "gap_flow"

    def __call__(self, w: Array) -> Array:
        """The right-hand side -grad G(w) at points w (..., d): an array of the same shape and kind."""
        point = w if hasattr(w, "shape") else np.asarray(w, dtype=float)
        return -self.rule.gap_gradient(self.game, point)

    @property
    def answers(self) -> str:
        """How the players answer, in words: exactly, or by k steps that are held or differentiated through."""
        if self.rule.k is None:
            return "exact answers"
        how = "differentiated through" if self.rule.through else "held"
        return f"answers of {self.rule.k} step{'s' if self.rule.k > 1 else ''}, {how}"

    @functools.cached_property
    def gap_game(self) -> GapGame:
        """A game whose gradient flow is this flow, for `gd.fixed_points`, `gd.linearize`, `gd.basins` and pictures.

        Raises:
            DomainError: for games without expressions.
        """
        if SYMBOLS not in self.game.worlds or not isinstance(self.game, SymbolicGame):
            raise DomainError(
                f"the gap of {self.game.name} as an expression", "a game of expressions", "call the flow at points"
            )
        w = object_vector(self.game.symbols)
        answers = self.rule.answers(self.game, w)
        costs = self.game.costs(w)
        gap = sum(costs[i] - self.game.costs(y)[i] for i, y in enumerate(answers))
        slope = [self._tidied(e) for e in self.rule.gap_gradient(self.game, w)]
        return GapGame(self.game, self._tidied(gap), slope, f"duality gap ({self.answers})")

    def _tidied(self, e: sympy.Expr) -> sympy.Expr:
        return sympy.expand(sympy.cancel(e)) if self.game.quadratic else e

    @property
    def gap(self) -> sympy.Expr:
        """G(w) as a SymPy expression: the gap for exact answers, else what the players gain by k steps."""
        return self.gap_game.exprs[0]

    @property
    def expression(self) -> sympy.Expr:
        """The right-hand side -grad G as a SymPy column, (d, 1)."""
        return sympy.ImmutableMatrix([-e for e in self.gap_game.field_exprs])

    def jacobian(self, w: Array = None) -> Array:
        """The Jacobian of -grad G at points (..., d), shape (..., d, d); without a point, a SymPy matrix (d, d)."""
        if w is None:
            return -self.gap_game.jacobian_expr
        return -np.asarray(self.gap_game.jacobian(np.asarray(w, dtype=float)))

    def linearize(self, at: object = None) -> Linearization:
        """The linearisation of the flow at a point, by default at the game's first equilibrium: see `gd.linearize`."""
        return linearize(self.gap_game, at=at)

    def eigenvalues(self, at: object = None) -> Array:
        """Eigenvalues of the Jacobian of -grad G at a point, complex, (d,): stable if all real parts are negative."""
        return self.linearize(at).eigenvalues

    def rotation(self, w: Array = None) -> sympy.Expr:
        """The antisymmetric part (J - J^T) / 2 of the Jacobian J, at points or as a matrix; zero for a gradient."""
        matrix = self.jacobian(w)
        return (matrix - (matrix.T if w is None else np.swapaxes(matrix, -1, -2))) / 2

    @functools.cached_property
    def rotates(self) -> bool:
        """Whether the field is not a gradient, so that its Jacobian is not symmetric.

        For quadratic games the entries of `rotation` are tested exactly. For others they are evaluated at 20 random
        points, and count where they exceed 1e-9 times the largest entry of the Jacobian.
        """
        if self.game.quadratic:
            return not all(is_zero(e) for e in self.rotation())
        symbols = (*self.gap_game.parameters, *self.gap_game.symbols)
        function = SymbolicFunction([symbols], [*self.rotation(), *self.jacobian()])
        turning, all_of_it = np.split(
            function(np.random.default_rng(0).uniform(0.1, 1.1, (PROBES, len(symbols)))), 2, -1
        )
        return bool(np.abs(turning).max() > NOTHING * np.abs(all_of_it).max())

    def stationary_points(self, box: Sequence[tuple[float, float]] | None = None) -> FixedPoints:
        """The zeros of grad G, in a box of one (low, high) pair per coordinate: see `gd.fixed_points`."""
        return fixed_points(self.gap_game, box)

    def created(self, box: Sequence[tuple[float, float]] | None = None) -> list[FixedPoint]:
        """Stationary points of the gap that are no equilibria of the game: there the game's own field v is not zero.

        A point counts where |v| exceeds 1e-8 |J| |w|, with J the game's Jacobian at w and |w| at least half a side of
        the box (1 without a box): below that v is rounding. The test does not depend on the units of the costs.
        """
        least = 1.0 if box is None else max(high - low for low, high in box) / 2
        return [p for p in self.stationary_points(box) if self._moves(p.point, least)]

    def _moves(self, w: Array, least: float) -> bool:
        size = max(float(np.abs(w).max()), least) * float(np.abs(self.game.jacobian(w)).max())
        return bool(np.abs(self.game.field(w)).max() > AT_REST * size)

    def latex(self) -> str:
        """The equation dw/dt = -grad G(w) as LaTeX text."""
        return rf"\dot w = {sympy.latex(self.expression)}"

    def summary(self) -> str:
        """The answers, the field of a quadratic game, whether it is a gradient, and eigenvalues at an equilibrium."""
        lines = [f"duality-gap flow of {self.game.name}, {self.answers}"]
        if self.game.quadratic:
            lines.append(f"dw/dt = {list(self.expression)}")
        lines.append("rotates: not a gradient" if self.rotates else "does not rotate: a gradient")
        if self.game.equilibria and not self.gap_game.parameters:
            values = ", ".join(f"{v:.6g}" if v.imag else f"{v.real:.6g}" for v in self.eigenvalues())
            lines.append(f"eigenvalues at the equilibrium: {values} ({self.linearize().verdict})")
        return "\n".join(lines)


@door
def gap_flow(game: Game, k: int | None = None, inner_lr: Parameter = None, through: bool = False) -> GapFlow:
    """The flow dw/dt = -grad G(w) down the duality gap G, which the rule `DualityGapDescent` follows in small steps.

    G(w) = sum_i [f_i(w) - f_i(y_i, w_-i)], and its gradient depends on how the answers y_i are found (Grnarova et al.
    2021, section 4):

    * exact (k=None): grad G by Danskin's theorem; on 3 x^2 - y^2 + 4 x y, dw/dt = (-14 x, -14 y / 3).
    * k inner steps of size e, held: on f = x y the field (-y - k e x, x - k e y), eigenvalues -k e +- i.
    * k inner steps, differentiated through: the gradient of the k-step gap, with real eigenvalues, -2 k e on f = x y.

    Args:
        game: a game without constraints or noise.
        k: number of gradient steps by which each player answers; None for exact answers.
        inner_lr: size of these steps, one number or one per player.
        through: whether to differentiate through the steps.

    Returns:
        A `GapFlow`: a function of w, with the `.gap`, its `.stationary_points`, and whether it `.rotates`.

    Raises:
        DomainError: for constrained and stochastic games; for exact answers where a player has none.
        ParameterError: for parameters that do not go together.

    Example:
        >>> import gandyn as gd
        >>> held = gd.gap_flow(gd.games.bilinear(), k=2, inner_lr="e")
        >>> list(held.expression), held.rotates
        ([-2*a*e - b, a - 2*b*e], True)
        >>> through = gd.gap_flow(gd.games.bilinear(), k=2, inner_lr="e", through=True)
        >>> list(through.expression), through.rotates
        ([-4*a*e, -4*b*e], False)
    """
    rule = DualityGapDescent(1, k, inner_lr, through=through)
    rule.check(game)
    if game.constrained or not game.deterministic:
        kind = "constrained" if game.constrained else "stochastic"
        raise DomainError(
            f"the gap flow of {game.name}, a {kind} game",
            "a deterministic game without constraints",
            "iterate gd.rules.DualityGapDescent with a small step",
        )
    if k is None and isinstance(game, SymbolicGame):  # ask now whether every player has an answer
        rule.answers(game, object_vector(game.symbols))
    return GapFlow(game, rule)
