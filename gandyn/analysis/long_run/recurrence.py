"""Poincare recurrence: when and how closely an orbit comes back to its start, and what it conserves meanwhile."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from ...arguments import positive
from ...budget import Budget, in_time
from ...doors import door
from ...dynamics.flow import flow, right_hand_side
from ...errors import DomainError, ParameterError
from ...lazy import sympy
from ...memory import afford
from ...results import Result, Status
from ...symbolic.functions import sigmoid, softplus
from ...types import Array, Game
from ...worlds import object_vector
from .approaches import visits

Step = Callable[[Array], Array]
SAMPLES_A_UNIT = 50


@dataclasses.dataclass(frozen=True, repr=False)
class Recurrence(Result):
    """Returns of one orbit to a ball around its start.

    Attributes:
        game: the game.
        label: the name of the dynamics.
        radius: of the ball.
        returns: times at which the orbit entered the ball again after having left it, (n,); for a map, the first step
            inside.
        closest: the smallest distance from the start in each visit, (n,).
        t, w, distance: recorded times (T,), points (T, d), and distances from the start (T,).
        divergence: sum over players of KL(equilibrium || point) along the orbit, (T,), in nats; None without a known
            interior equilibrium.
    """

    game: Game
    label: str
    radius: float
    returns: Array
    closest: Array
    t: Array
    w: Array
    distance: Array
    divergence: Array

    _data = "game label radius returns closest drift"
    _plot = "recurrence"

    @property
    def drift(self) -> float | None:
        """Change of the KL sum from the first to the last point, 0 if it is conserved; None where it is unknown."""
        return None if self.divergence is None else float(self.divergence[-1] - self.divergence[0])

    @property
    def spread(self) -> float | None:
        """The largest difference of the KL sum along the orbit from its first value; None where it is not known."""
        return None if self.divergence is None else float(np.abs(self.divergence - self.divergence[0]).max())

    def summary(self) -> str:
        """The number of returns, the first and the closest one, and the change of the KL sum, as text."""
        text = f"{self.label} on {self.game.name}, t = 0 to {self.t[-1]:g}: "
        text += f"{len(self.returns)} returns within {self.radius:g}"
        if len(self.returns):
            text += f", the first at {self.returns[0]:.6g}, the closest to {self.closest.min():.3g}"
        if self.drift is not None:
            text += f"; KL sum {self.divergence[0]:.6g} changes by {self.drift:.3g}"
        return text


@door
@in_time
def recurrence(
    game: Game,
    start: object,
    time: float,
    radius: float = 0.05,
    field: Callable[[Array], Array] | None = None,
    step: Step | None = None,
    rtol: float = 1e-10,
    budget: float | Budget | None = 300.0,
) -> Recurrence:
    """The returns of an orbit to a ball around its start.

    By default the orbit is the replicator dynamics of a matrix game. In a zero-sum game with an interior equilibrium
    (x*, y*) it keeps volume (in suitable coordinates) and the sum KL(x*||x) + KL(y*||y), so that almost every start
    returns arbitrarily close, infinitely often (Poincare's theorem; Piliouras & Shamma 2014; Mertikopoulos,
    Papadimitriou & Piliouras 2018, theorem 3.3). In discrete time the same sum grows
    (`multiplicative_weights`; Bailey & Piliouras 2018).

    Returns of a flow are searched for at nine points inside every step of the integrator, so that a short pass through
    a small ball is found between the recorded times too.

    Args:
        game: a matrix game, or any game with `field` or `step`.
        start: a point, shape (d,); for a matrix game, probabilities (x, y).
        time: duration of the flow, or with `step` the number of steps.
        radius: of the ball, in Euclidean distance.
        field: dw/dt as a function of w (..., d), in place of the replicator dynamics.
        step: a map w -> w+ in place of a flow.
        rtol: relative tolerance of the integrator.
        budget: seconds. Beyond them the call raises, without a partial answer.

    Returns:
        A `Recurrence`: the times of the `.returns`, how `.closest` each comes, and the orbit.

    Raises:
        OutOfTimeError: when the budget is spent.
        DomainError: for a game without replicator dynamics when neither field nor step is given.
        ParameterError: for a start outside the simplices, a radius or time that is not positive, or an orbit that
            overflows.
        ConvergenceError: where the orbit cannot be followed to the end.

    Example:
        >>> import gandyn as gd
        >>> found = gd.recurrence(gd.games.matching_pennies(), [0.7, 0.3, 0.5, 0.5], time=60.0)
        >>> len(found.returns), found.spread < 1e-8
        (9, True)
    """
    w = np.asarray(start, dtype=float)
    if w.shape != (game.dim,) or not np.isfinite(w).all() or not radius > 0:
        raise ParameterError(
            f"start={start!r}, radius={radius}", f"{game.dim} finite numbers, radius > 0", "radius=0.05"
        )
    positive("time", time)
    rows_kept = 1 + (time if step is not None else max(200, SAMPLES_A_UNIT * time))
    afford(int(16 * rows_kept * game.dim), f"{rows_kept:.3g} points of the orbit", "a shorter time")
    label = "flow"
    if field is None and step is None:
        field, label = _replicator(game, w), "replicator dynamics"
    if step is not None:
        rows = np.empty((int(time) + 1, game.dim))
        rows[0] = w
        for n in range(int(time)):
            rows[n + 1] = step(rows[n])
        t, label = np.arange(len(rows), dtype=float), getattr(step, "label", "map")
        distance = np.linalg.norm(rows - w, axis=-1)
        returns, closest = _visits(distance, radius)
    else:
        times = np.linspace(0, time, max(200, int(SAMPLES_A_UNIT * time)) + 1)
        run = flow(game, w, times, rtol=rtol, field=field)
        if run.status is not Status.OK:
            raise ParameterError(f"the orbit of {start!r} overflows", "a bounded orbit", "start elsewhere")
        t, rows = np.asarray(run.t), np.asarray(run.w)
        distance = np.linalg.norm(rows - w, axis=-1)
        returns, closest = visits(right_hand_side(game, w, field, np.inf), w, time, radius, rtol)
    return Recurrence(game, label, radius, returns, closest, t, rows, distance, _divergence(game, rows))


@door
def multiplicative_weights(game: Game, lr: float) -> Step:
    """Multiplicative weights on a matrix game: x_i -> x_i exp(-lr (A y)_i) / sum, y_j -> y_j exp(lr (A^T x)_j) / sum.

    In the limit of small steps it follows the replicator dynamics. In a zero-sum game the sum over players of KL from
    an interior equilibrium never falls, and rises everywhere but at the equilibrium (Bailey & Piliouras 2018, theorem
    1).

    Args:
        game: a matrix game.
        lr: the step size of both players.

    Returns:
        A map from probabilities w = (x, y), shape (..., d), to those after one step: a `step` for `gd.recurrence`.

    Raises:
        DomainError: for a game without a matrix.
        ParameterError: for a step that is not positive.
    """
    positive("lr", lr)
    if not hasattr(game, "matrix"):
        raise DomainError(f"multiplicative weights on {game.name}", "a matrix game", "gd.games.matrix_game(A)")
    return _MultiplicativeWeights(np.array(game.matrix.tolist(), dtype=float), lr)


@dataclasses.dataclass(frozen=True)
class _MultiplicativeWeights:
    a: Array
    lr: float

    @property
    def label(self) -> str:
        return f"multiplicative weights (lr {self.lr:g})"

    def __call__(self, w: Array) -> Array:
        x, y = np.split(w, [len(self.a)], axis=-1)
        x, y = x * np.exp(-self.lr * (y @ self.a.T)), y * np.exp(self.lr * (x @ self.a))
        return np.concatenate([x / x.sum(-1, keepdims=True), y / y.sum(-1, keepdims=True)], axis=-1)


def _log_sum(logits: list[sympy.Expr]) -> sympy.Expr:
    """log(e^u_1 + ... + e^u_n) on symbols, by softplus: neither it nor its derivatives overflow."""
    total = logits[0]
    for u in logits[1:]:
        total = total + softplus(u - total)
    return total


@door
def replicator_in_logits(game: Game) -> Callable[[Array], Array]:
    """The replicator dynamics as dw/dt of logits w = (u, v): du/dt = -A softmax(v), dv/dt = A^T softmax(u).

    A is the game's matrix. The orbits are those of `game.replicator_field` on the probabilities x = softmax(u),
    y = softmax(v), but rounding errors cannot grow off the simplices. The flow conserves volume in these coordinates,
    as the divergence of each player's field is zero. Logarithms of probabilities are a start.

    Args:
        game: a matrix game.

    Returns:
        The field, a function from w = (u, v), NumPy floats (..., d) or symbols (d,), to dw/dt of the same shape.

    Raises:
        DomainError: for a game without a matrix.

    Example:
        >>> import gandyn as gd
        >>> move = gd.replicator_in_logits(gd.games.matching_pennies())
        >>> (move(np.log([0.75, 0.25, 0.5, 0.5])).round(12) + 0.0).tolist()
        [0.0, 0.0, 0.5, -0.5]
    """
    if not hasattr(game, "matrix"):
        raise DomainError(f"replicator dynamics of {game.name}", "a matrix game", "gd.games.matrix_game(A)")
    a = np.array(game.matrix.tolist(), dtype=object)
    m = len(a)
    numbers = a.astype(float)

    def softmax(logits: Array) -> Array:
        if logits.dtype == object:
            others = [[*logits[:k], *logits[k + 1 :]] for k in range(len(logits))]
            shares = [
                sigmoid(u - _log_sum(rest)) if rest else 0 * u + 1 for u, rest in zip(logits, others, strict=True)
            ]
            return object_vector(shares)
        powers = np.exp(logits - logits.max(-1, keepdims=True))
        return powers / powers.sum(-1, keepdims=True)

    def field(w: Array) -> Array:
        matrix = a if w.dtype == object else numbers
        x, y = softmax(w[..., :m]), softmax(w[..., m:])
        return np.concatenate([-(y @ matrix.T), x @ matrix], axis=-1)

    return field


def _replicator(game: Game, w: Array) -> Callable[[Array], Array]:
    if not hasattr(game, "replicator_field"):
        raise DomainError(
            f"replicator dynamics of {game.name}", "a matrix game, a field or a step", "field=lambda w: -game.field(w)"
        )
    sums = [part.sum() for part in game.split(w)]
    if not (w > 0).all() or not np.allclose(sums, 1.0):
        raise ParameterError(f"start={w.tolist()}", "positive probabilities of each player", "divide by their sums")
    return lambda point: -game.replicator_field(point)


def _visits(distance: Array, radius: float) -> tuple[Array, Array]:
    """Steps at which a map's orbit enters the ball after having left it; smallest distance of each visit."""
    inside = distance < radius
    entries = np.flatnonzero(~inside[:-1] & inside[1:]) + 1
    leaves = [first + int(np.argmin(np.append(inside[first:], False))) for first in entries]
    closest = [distance[a:b].min() for a, b in zip(entries, leaves, strict=True)]
    return entries.astype(float), np.array(closest)


def _divergence(game: Game, rows: Array) -> Array | None:
    """KL(x*||x) + KL(y*||y) along the orbit of a matrix game by probabilities; None without interior equilibrium."""
    if getattr(game, "parametrization", None) != "direct" or not game.equilibria:
        return None
    star = np.array([float(e) for e in game.equilibria[0]])
    if not (star > 0).all() or not (rows > 0).all():
        return None
    return np.asarray((star * (np.log(star) - np.log(rows))).sum(-1))
