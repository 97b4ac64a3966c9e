"""Stochastic games: costs that are a mean over N summands, of which a step sees a minibatch."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from .. import worlds
from ..errors import ParameterError, ShapeError
from ..lazy import sympy, torch
from ..oracles.known_facts import Facts
from ..oracles.symbolic import SymbolicGame
from ..oracles.symbolic_draws import SymbolicDraws
from ..types import ALL_WORLDS, Array, Batch, Game
from ..worlds import SYMBOLS, TORCH, exact, object_vector
from . import registry

ORDERS = ("independent", "shuffled", "flip-flop", "fixed")


class FiniteSumGame(Game):
    """f_i(w) = (1/N) sum_k g_i(w; z_k) over rows z_k of a data table; a batch token is an array of row numbers.

    `draw` takes `minibatch` rows, uniformly with replacement unless another `order` is given, so the field on a drawn
    batch is an unbiased estimate of the full one, which is the field without a batch. Every method is the mean of the
    summand's own. The place in an epoch is kept with the random generator: another generator starts a new epoch.

    Args:
        summand: the game (g_1, ..., g_n) as expressions, its data being free parameters.
        data: N rows of values for `parameters`, exact where the game is to be evaluated on symbols.
        parameters: the summand's data symbols, one for each column.
        minibatch: rows in a drawn token.
        equilibria, facts: of the full game.
        order: "independent", rows drawn with replacement; "shuffled", in a new order for each epoch, as loaders do;
            "flip-flop", in an order and back again; "fixed", in the order of the table.

    Raises:
        ShapeError: if the rows do not fit the parameters. ParameterError: for a minibatch below 1.
    """

    deterministic = False
    worlds = ALL_WORLDS

    def __init__(
        self,
        name: str,
        summand: SymbolicGame,
        data: Sequence[Sequence[float | sympy.Expr]],
        parameters: Sequence[object],
        minibatch: int = 1,
        equilibria: Sequence[Sequence[float | sympy.Expr]] = (),
        facts: Facts | None = None,
        order: str = "independent",
    ) -> None:
        self.name, self.summand, self.players = name, summand, summand.players
        self.zero_sum, self.smooth, self.minibatch = summand.zero_sum, summand.smooth, int(minibatch)
        self.quadratic, self.order = summand.quadratic, order
        self._epoch: tuple[Any, list[int]] = (None, [])
        self.parameters, self.facts = tuple(parameters), facts or Facts()
        self.rows = tuple(tuple(map(exact, row)) for row in data)
        self.equilibria = tuple(tuple(map(exact, point)) for point in equilibria)
        if not self.rows or any(len(row) != len(self.parameters) for row in self.rows):
            raise ShapeError(
                f"{len(self.rows)} rows of lengths {sorted({len(row) for row in self.rows})}",
                f"at least one row, each with {len(self.parameters)} values",
                "one column for each data symbol of the summand",
            )
        if order not in ORDERS:
            raise ParameterError(f"order={order!r}", " or ".join(map(repr, ORDERS)), 'order="shuffled"')
        if self.minibatch < 1:
            raise ParameterError(f"minibatch={minibatch}", "at least 1", "minibatch=1")

    @functools.cached_property
    def full(self) -> SymbolicGame:
        """The deterministic game of the whole sum."""
        replacements = [dict(zip(self.parameters, row, strict=True)) for row in self.rows]
        costs = [sum(cost.subs(r) for r in replacements) / len(self.rows) for cost in self.summand.exprs]
        blocks = {p.name: self.summand.symbols[b] for p, b in zip(self.players, self.slices, strict=True)}
        return SymbolicGame(f"{self.name}, whole sum", costs, blocks, self.equilibria, facts=self.facts)

    def mean(self) -> SymbolicGame:
        """The mean over all summands, which single draws estimate."""
        return self.full

    def draw(self, rng: Any) -> Batch:
        """Row numbers, shape (minibatch,), or rows of symbols; None, the whole sum, where there is no generator."""
        if isinstance(rng, SymbolicDraws):
            return rng.rows(self.parameters, self.rows, self.minibatch)
        if rng is None or self.order == "independent":
            return None if rng is None else rng.integers(len(self.rows), size=self.minibatch)
        if self._epoch[0] is not rng or not self._epoch[1]:
            self._epoch = rng, self._next_epoch(rng)
        taken, left = self._epoch[1][: self.minibatch], self._epoch[1][self.minibatch :]
        self._epoch = rng, left
        return np.array(taken)

    def _next_epoch(self, rng: Any) -> list[int]:
        """The rows of an epoch in their order; with flip-flop, of two."""
        rows = list(range(len(self.rows))) if self.order == "fixed" else rng.permutation(len(self.rows)).tolist()
        return [*rows, *rows[::-1]] if self.order == "flip-flop" else rows

    def batch_size(self, batch: Batch) -> int:
        """The number of rows in a batch token; N without a token."""
        return len(self.rows) if batch is None else len(batch)

    @functools.cached_property
    def _table(self) -> np.ndarray:
        return np.array([[float(value) for value in row] for row in self.rows])

    @functools.cache  # noqa: B019 - a game and its compiled functions live and die together
    def _function(self, what: str, only: int | None = None) -> Any:
        from ..symbolic.function import SymbolicFunction

        function = self.summand._function(what, only)
        return SymbolicFunction([*function.inputs, self.parameters], function.outputs)

    def _mean(self, what: str, arrays: Sequence[Array], batch: Batch, only: int | None = None) -> Array:
        """The mean over the batch's rows of a function of the summand."""
        function: Callable[..., Array] = self._function(what, only)
        chosen = range(len(self.rows)) if batch is None else batch
        w = arrays[0]
        if worlds.world_of(w) == SYMBOLS:
            drawn = [k if isinstance(k, tuple) else self.rows[k] for k in chosen]
            rows = [object_vector(row) for row in drawn]
            return sum(function(*arrays, row) for row in rows) / exact(len(rows))
        table = self._table[np.asarray(chosen)]
        if worlds.world_of(w) == TORCH:
            table = torch.as_tensor(table, dtype=w.dtype, device=w.device)
            spread = [a.unsqueeze(-2).expand(*a.shape[:-1], len(table), a.shape[-1]) for a in arrays]
            return function(*spread, table.expand(*w.shape[:-1], *table.shape)).mean(-2)
        spread = [np.broadcast_to(a[..., None, :], (*a.shape[:-1], len(table), a.shape[-1])) for a in arrays]
        return function(*spread, np.broadcast_to(table, (*w.shape[:-1], *table.shape))).mean(-2)

    def _costs(self, w: Array, batch: Batch) -> tuple[Array, ...]:
        values = self._mean("costs", [w], batch)
        return tuple(values[..., i] for i in range(len(self.players)))

    def _field(self, w: Array, batch: Batch, only: int | None) -> Array:
        return self._mean("field", [w], batch, only)

    def _jvp(self, w: Array, u: Array, batch: Batch) -> Array:
        return self._mean("jvp", [w, u], batch)

    def _vjp(self, w: Array, u: Array, batch: Batch) -> Array:
        return self._mean("vjp", [w, u], batch)

    def _cost_gradients(self, w: Array, batch: Batch) -> Array:
        values, n = self._mean("cost_gradients", [w], batch), len(self.players)
        return worlds.stack([values[..., i * self.dim : (i + 1) * self.dim] for i in range(n)], axis=0)


@registry.register("stochastic_bilinear", examples=({"size": 1, "summands": 4}, {"size": 2, "summands": 3, "seed": 1}))
def stochastic_bilinear(size: int = 1, summands: int = 8, minibatch: int = 1, seed: int = 0) -> FiniteSumGame:
    """f(x, y) = (1/N) sum_k [x^T A_k y + b_k^T x + c_k^T y], a finite sum of bilinear games with a planted saddle.

    The A_k are diagonal with entries +3 or -1 (of mean 1 where N is even), the b_k and c_k random integers, shifted so
    that the whole sum has its saddle at (1, -1, 1, ...), (-1, 1, -1, ...). Extragradient, which converges on the whole
    sum, diverges on single summands drawn afresh for look-ahead and update (Chavdarova et al. 2019, section 2): in the
    scalar game the mean of |w - saddle|^2 grows by 1 + lr^2 (E a^2 - 2 (E a)^2) + O(lr^4) = 1 + 3 lr^2 a step. With the
    same summand in both it is 1 - lr^2 E a^2 + O(lr^4), plus noise that does not grow.

    Args:
        size: coordinates of x, and of y.
        summands: N.
        minibatch: summands in one drawn token.
        seed: of the coefficients.

    Raises:
        ParameterError: for sizes below 1.

    Example:
        >>> import numpy as np, gandyn as gd
        >>> game = gd.games.stochastic_bilinear(size=1, summands=4)
        >>> bool(np.allclose(game.field(np.array([1.0, -1.0])), 0))
        True
    """
    if size < 1 or summands < 1:
        raise ParameterError(f"size={size}, summands={summands}", "both at least 1", "size=1, summands=8")
    rng = np.random.default_rng(seed)
    a = np.stack([rng.permutation(np.resize([3, -1], summands)) for _ in range(size)], axis=1)
    b, c = rng.integers(-3, 4, size=(2, summands, size))
    saddle = [[(-1) ** k for k in range(size)], [-((-1) ** k) for k in range(size)]]
    means = [sympy.Rational(int(a[:, k].sum()), summands) for k in range(size)]
    shift_b = [-means[k] * saddle[1][k] - sympy.Rational(int(b[:, k].sum()), summands) for k in range(size)]
    shift_c = [-means[k] * saddle[0][k] - sympy.Rational(int(c[:, k].sum()), summands) for k in range(size)]
    rows = [
        [*map(int, a[i]), *(int(b[i, k]) + shift_b[k] for k in range(size))]
        + [int(c[i, k]) + shift_c[k] for k in range(size)]
        for i in range(summands)
    ]
    x, y, sa, sb, sc = (sympy.symbols(f"{name}1:{size + 1}", real=True) for name in "xyabc")
    value = sum(sa[k] * x[k] * y[k] + sb[k] * x[k] + sc[k] * y[k] for k in range(size))
    players: Mapping[str, Any] = {"x": x, "y": y}
    eigenvalues = tuple(sign * sympy.I * mean for mean in means for sign in (1, -1))
    return FiniteSumGame(
        "stochastic bilinear",
        SymbolicGame("summand", [value, -value], players),
        rows,
        (*sa, *sb, *sc),
        minibatch,
        [(*saddle[0], *saddle[1])],
        Facts(
            "Chavdarova et al. 2019 (SVRE), section 2",
            flow_eigenvalues=(eigenvalues,),
            notes=("Extragradient with fresh single summands diverges; with the same summand, or the whole sum, not.",),
        ),
    )
