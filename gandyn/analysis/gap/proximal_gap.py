"""The proximal duality gap: the maximiser's answers to the minimiser are held near its point by a quadratic penalty."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from ... import worlds
from ...errors import DomainError
from ...rules import SimultaneousGD
from ...types import Array, Batch, Game, Rule
from ...worlds import NUMPY, world_of
from . import inner
from .exact_gap import replaced

SMALL = 1e-4  # of the gradients at the point: residuals below it count as none
DENSE = 100  # coordinates up to which answers are improved by Newton's method


@dataclasses.dataclass(frozen=True)
class Proximal:
    """One measurement of the proximal gap: each player's share, the answers, and how far these are from optimal."""

    shares: tuple[Array, Array]  # f(w) - min_x' max_y' [f - lam |y' - y|^2], and max_y' f - f(w), each (...)
    free: Array  # (x, y') with the maximiser's answer without the penalty
    penalised: Array  # (x', y'') with the minimiser's answer, and the maximiser's penalised answer to it
    # norm of the gradient at each player's answer over the norm of the gradient at w, one array (...) for each
    residuals: tuple[Array, Array]

    @property
    def converged(self) -> bool:
        """Whether all residuals are at most 1e-4."""
        sizes = [np.asarray(r.detach().cpu() if hasattr(r, "detach") else r, dtype=float) for r in self.residuals]
        return all(bool((r <= SMALL).all()) for r in sizes)


def proximal(game: Game, w: Array, rule: Rule, k: int, lam: float, stream: np.random.Generator) -> Proximal:
    """The proximal duality gap max_y' f(x, y') - min_x' max_y' [f(x', y') - lam |y' - y|^2].

    The game is zero-sum; f is the first player's cost, and x and y are the blocks of w (..., d). Each answer takes k
    steps of `rule`. A gradient step on the penalised problem is followed by the proximal map of the penalty, which is
    stable for every weight lam. In small deterministic games without constraints, the answers are then improved by
    Newton's method. Raises DomainError for games that are not zero-sum between two players.
    """
    if len(game.players) != 2 or not game.zero_sum:
        raise DomainError(f"the proximal gap of {game.name}", "a zero-sum game of two players", 'method="gradient"')
    with np.errstate(all="ignore"):
        free = replaced(game, 1, w, inner.run(game.restrict(1, w), rule, game.split(w)[1], k, stream)[-1])
        penalised = _penalised_answer(game, w, rule, k, lam, stream)
        if world_of(w) == NUMPY and game.deterministic and not game.constrained and game.dim <= DENSE:
            flat = [np.atleast_2d(a.reshape(-1, game.dim)) for a in (w, free, penalised)]
            pairs = [_improved(game, z, y, x, lam) for z, y, x in zip(*flat, strict=True)]
            free, penalised = (np.array(column).reshape(w.shape) for column in zip(*pairs, strict=True))
        return _measured(game, w, free, penalised, lam, game.draw_held_out(stream))


def _measured(game: Game, w: Array, free: Array, penalised: Array, lam: float, batch: Batch) -> Proximal:
    apart = game.split(penalised)[1] - game.split(w)[1]
    here = game.costs(w, batch)[0]
    held = game.costs(penalised, batch)[0] - lam * worlds.dot(apart, apart)[..., 0]
    minimiser, on_penalty = _slopes(game, penalised, batch)

    def left(i: int, z: Array, slope: Array) -> Array:
        view = game.restrict(i, z)
        return inner.residual(view, view.block, slope)

    first = left(0, penalised, minimiser)
    second = left(1, penalised, on_penalty + 2 * lam * apart) + left(1, free, _slopes(game, free, batch)[1])
    sizes = [worlds.norm(part)[..., 0] for part in _slopes(game, w, batch)]
    scale = sizes[0] + sizes[1]
    scale = scale + (scale == 0)  # where nothing pulls, nothing is left either
    residuals = first / scale, second / scale
    return Proximal((here - held, game.costs(free, batch)[0] - here), free, penalised, residuals)


def _slopes(game: Game, w: Array, batch: Batch) -> tuple[Array, Array]:
    first, second = game.split(game.field(w, batch))
    return first, second


def _penalised_answer(game: Game, w: Array, rule: Rule, k: int, lam: float, stream: np.random.Generator) -> Array:
    """The pair (x', y''): k steps of the minimiser, each against the maximiser's penalised answer."""
    x, state = game.split(w)[0], None
    for _ in range(k):
        penalised = _penalised_run(game, w, x, rule, k, lam, stream)
        view = game.restrict(0, penalised)
        state = rule.init(view, x, stream) if state is None else state
        x, state, _ = rule.step(view, x, state, stream)
    return _penalised_run(game, w, x, rule, k, lam, stream)


def _penalised_run(
    game: Game, w: Array, x: Array, rule: Rule, k: int, lam: float, stream: np.random.Generator
) -> Array:
    """(x, y) with y after k steps on f_2(x, .) + lam |y - y_w|^2 from y_w."""
    at = replaced(game, 0, w, x)
    if not isinstance(rule, SimultaneousGD):
        near = inner.Near(game, 1, at, lam)
        return replaced(game, 1, at, inner.run(near, rule, near.block, k, stream)[-1])
    view = game.restrict(1, at)
    y = centre = view.block
    pull = 2 * lam * view.per_coordinate(rule.lr, y)
    for _ in range(k):
        moved, _, _ = rule.step(view, y, rule.init(view, y, stream), stream)
        y = view.project((moved + pull * centre) / (1 + pull))
    return replaced(game, 1, at, y)


def _improved(game: Game, w: Array, free: Array, penalised: Array, lam: float) -> tuple[Array, Array]:
    """The points (x, y') and (x', y''), as in `Proximal`, after Newton's method from the answers given."""
    own, other = game.slices
    start = free if np.isfinite(free).all() else w

    def answer(y: Array) -> tuple[float, Array, Array]:
        z = np.concatenate([w[own], y])
        return float(game.costs(z)[1]), game.field(z)[other], game.jacobian(z)[other, other]

    free = np.concatenate([w[own], _minimised(answer, start[other])])
    start = penalised if np.isfinite(penalised).all() else w
    last = start[other]

    def to(x: Array) -> Array:
        """The point (x, y) with the maximiser's penalised answer y to x, searched for from the last answer found."""
        nonlocal last

        def pulled(y: Array) -> tuple[float, Array, Array]:
            z, apart = np.concatenate([x, y]), y - w[other]
            curved = game.jacobian(z)[other, other] + 2 * lam * np.eye(len(y))
            return float(game.costs(z)[1]) + lam * float(apart @ apart), game.field(z)[other] + 2 * lam * apart, curved

        last = _minimised(pulled, last)
        return np.concatenate([x, last])

    def envelope(x: Array) -> tuple[float, Array, Array]:
        z = to(x)
        apart, j = z[other] - w[other], game.jacobian(z)
        curved = j[other, other] + 2 * lam * np.eye(len(apart))
        hessian = j[own, own] - j[own, other] @ np.linalg.solve(curved, j[other, own])
        return float(game.costs(z)[0]) - lam * float(apart @ apart), game.field(z)[own], (hessian + hessian.T) / 2

    return free, to(_minimised(envelope, start[own]))


def _minimised(function: Callable[[Array], tuple[float, Array, Array]], start: Array) -> Array:
    """A local minimum by Newton's method with a trust region, in units of the function's own curvature."""
    from scipy.optimize import minimize

    value, slope, hessian = function(start)
    curvature, size = float(np.abs(hessian).max()), float(np.linalg.norm(slope))
    if not (np.isfinite([value, curvature, size]).all() and size > 0):
        return start
    bent = np.sqrt(curvature)
    unit = max(size / bent, 1e-300) if bent else 0.0
    step, scale = (unit / bent, unit**2) if bent else (1.0, size)

    def parts(u: Array) -> tuple[float, Array, Array]:
        f, g, h = function(start + step * u)
        return (f - value) / scale, g * step / scale, h * step**2 / scale

    try:
        found = minimize(
            lambda u: parts(u)[0], np.zeros_like(start), method="trust-exact",
            jac=lambda u: parts(u)[1], hess=lambda u: parts(u)[2], options={"gtol": 1e-10, "maxiter": 60},
        )  # fmt: skip
    except (ValueError, np.linalg.LinAlgError):  # values that are not finite
        return start
    end = start + step * found.x
    return end if np.isfinite(end).all() else start
