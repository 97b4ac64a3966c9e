"""`duality_gap`: what was given, which method answers, and what its number is worth."""

from __future__ import annotations

import dataclasses
import functools
import time

import numpy as np

from ... import worlds
from ...arguments import positive, whole
from ...budget import Budget, OutOfTimeError
from ...doors import door
from ...errors import ParameterError, made, refuse_unknown, shown
from ...lazy import sympy
from ...rules import SimultaneousGD
from ...types import Array, Game, Parameter, Rule
from ...worlds import object_vector
from . import box as boxes
from . import exact_gap as exact
from . import inner
from .measured_gap import DualityGap
from .proximal_gap import Proximal, proximal

INFEASIBLE = 1e-6  # relative distance from the feasible set that is taken for rounding
METHODS = ("exact", "box", "gradient", "perturbed", "proximal")


@dataclasses.dataclass(frozen=True)
class Inner:
    """How a player searches for its answer: by k steps of a rule."""

    rule: Rule
    k: int  # number of steps
    repeats: int = 1  # independent runs that are averaged
    scale: float = 0.0  # standard deviation of the random move before the first step, for "perturbed"
    lam: float = 0.0  # weight of the penalty, for "proximal"
    seed: int = 0

    def streams(self) -> list[np.random.Generator]:
        """Random generators, one for each repeat."""
        return [np.random.default_rng([self.seed, r]) for r in range(self.repeats)]


@door
def duality_gap(
    game: Game,
    w: object = None,
    method: str = "exact",
    *,
    k: int = 100,
    inner_lr: Parameter = 0.05,
    rule: Rule | None = None,
    scale: float = 0.01,
    lam: float = 1.0,
    repeats: int = 1,
    rng: int = 0,
    radius: object = None,
    box: object = None,
    tolerance: float = 1e-12,
    parts: int = 100_000,
    budget: float | Budget | None = 60.0,
) -> DualityGap:
    """The duality gap G(w) = sum_i [f_i(w) - min f_i(., w_-i)]: what the players could gain by answering each other.

    For a zero-sum game G(x, y) = max_y' f(x, y') - min_x' f(x', y) (Grnarova et al. 2021, eq. 2); for n players and
    general sums it is the Nikaido-Isoda function (Nikaido & Isoda 1955). It is never negative, and zero exactly at the
    (global) Nash equilibria. Every result says what its number is:

    * "exact": a closed form. It exists for matrix games, and where each cost is quadratic in its player's own block
      (bilinear, quadratic and Gaussian games, linear critics); in a box the own Hessian must also be diagonal. The gap
      is inf where a player can gain without limit, which is everywhere off the saddle of an unconstrained bilinear
      game. At symbolic points it is an expression.
    * "box": the gap when each player answers within a box, enclosed in a proven interval by branch and bound on
      interval arithmetic. `value` is the lower end of the interval. The kind is "exact" only where the interval is
      narrower than `tolerance` times the value, or than 1e-14 times the size of the costs, which is their rounding;
      otherwise it is "lower". For games given by expressions, with up to about three coordinates a player.
    * "gradient": each player alone takes k steps of gradient descent, or of any `rule`, from w. Any answer bounds the
      gap from below, up to rounding of the costs, so the value is a lower bound where the game is deterministic and an
      estimate where it is not. With plain steps of inner_lr <= 2 / L, L the Lipschitz constant of the player's own
      gradient, it is not negative and grows with k; with longer steps it can fall below zero.
    * "perturbed": the same from w plus `scale` times a normal vector, which leaves saddles of a player's own cost
      (Sidheekh et al. 2021a, section 4).
    * "proximal": max_y' f(x, y') - min_x' max_y' [f(x', y') - lam |y' - y|^2], the gap to a proximal equilibrium, of
      zero-sum games (Sidheekh et al. 2021b; Farnia & Ozdaglar 2020). As lam grows it tends to the gap. `residuals` are
      the norms of the gradients at the answers, divided by the norm at w; above 1e-4 the note says that the inner
      steps have not converged.

    Args:
        game: the game.
        w: a point or an ensemble, (..., d); symbols too for "exact", where None stands for the game's own.
        method: one of the above.
        k: number of inner steps.
        inner_lr: step size of the inner gradient steps, one number or one per player.
        rule: a rule for the inner steps, in place of gradient descent with `inner_lr`.
        scale: for "perturbed", the standard deviation of the random move in each coordinate.
        lam: for "proximal", the weight of the penalty.
        repeats: independent runs (batches, perturbations) to average, with a standard error.
        rng: seed of batches and perturbations.
        radius, box: for "box", where the players may answer: |x_k| <= radius for every coordinate, or one (low, high)
            pair per coordinate of w. By default the game's own box. What is not feasible is left out.
        tolerance: for "box", the relative width of the interval at which the search stops.
        parts: for "box", how many parts of the box may be searched for each player.
        budget: seconds. When they run out, a search returns the interval that it has, and inner steps the value after
            the steps made so far; the note says so.

    Returns:
        A `DualityGap`: `.value`, what `.kind` of number that is (exact, a bound, an estimate), and the `.answers`
        behind it.

    Raises:
        DomainError: for "exact" where there is no closed form, for "proximal" outside zero-sum games of two players,
            for "box" on games without expressions.
        OutOfTimeError: where not even one run of "proximal" ends in time.
        ParameterError: for parameters out of range, and for a point outside the box or the feasible set.
        UnknownNameError: for an unknown method.

    Example:
        >>> import sympy, gandyn as gd
        >>> x, y = sympy.symbols("x y", real=True)
        >>> gd.duality_gap(gd.games.from_sympy(3 * x**2 - y**2 + 4 * x * y, [x, y])).value.expand()
        7*x**2 + 7*y**2/3
    """
    refuse_unknown("method", method, METHODS)
    point = _point(game, w, method)
    game.check(point)
    calls = game.counts * 1
    limit = Budget.of(budget)
    if method != "box":  # which refuses points outside its own box
        _feasible(game, point)
    with game.undisturbed():
        if method == "exact":
            found = _exactly(game, point)
        elif method == "box":
            end = time.monotonic() + limit.left
            effort = boxes.Effort(positive("tolerance", tolerance), whole("parts", parts), end)
            at = exact.numbers(game, point, "bounds on the duality gap")
            found = boxes.over_box(game, at, boxes.box_of(game, box, radius), effort)
        else:
            how = Inner(_inner_rule(game, rule, inner_lr), whole("k", k), whole("repeats", repeats), seed=rng)
            if method == "perturbed":
                how = dataclasses.replace(how, scale=positive("scale", scale))
            if method == "proximal":
                how = dataclasses.replace(how, lam=positive("lam", lam))
            found = (_proximally if method == "proximal" else _by_steps)(game, point, how, limit)
    return dataclasses.replace(found, method=method, counts=game.counts - calls)


def _exactly(game: Game, w: Array) -> DualityGap:
    terms, answers = exact.shares(game, w)
    value = sum(terms[1:], terms[0])
    note = ""
    if answers is None:
        endless = [p.name for p, term in zip(game.players, terms, strict=True) if _infinite(term)]
        note = f"{' and '.join(endless)} can gain without limit" if endless else "approached, and attained by no answer"
    return DualityGap(game, w, value, "exact", "exact", terms, answers, note=note)


def _feasible(game: Game, w: Array) -> None:
    """Refuse points outside the feasible set: such a point cannot be played, so its gap has no meaning."""
    if not game.constrained or worlds.world_of(w) == worlds.SYMBOLS:
        return
    apart = w - game.project(w)
    if _any(abs(apart) > INFEASIBLE * (1 + abs(w))):
        raise ParameterError(
            f"a point outside the feasible set of {game.name}", "a point that can be played", "game.project(w)"
        )


def _infinite(term: Array) -> bool:
    if isinstance(term, sympy.Basic):
        return bool(term.has(sympy.oo))
    return bool(np.isinf(np.asarray(term, dtype=float)).any())


def _by_steps(game: Game, w: Array, how: Inner, limit: Budget) -> DualityGap:
    """The average over repeats of the gap along each player's own inner path.

    When the time runs out, all repeats take as many steps as the first one made, and repeats that do not get so far are
    left out: a shorter run bounds the gap as well.
    """
    runs: list[tuple[Array, Array, Array, list[Array]]] = []
    k = how.k
    for stream in how.streams():
        ends_at = time.monotonic() + (limit.left if runs else limit.left / how.repeats)
        paths = _inner_paths(game, w, how, k, stream, ends_at)
        reached = len(paths[0]) - 1
        if runs and reached < k:
            break
        k = reached
        batch = game.draw_held_out(stream)
        history, shares = inner.gaps_along(game, w, paths, batch)
        ends = [path[-1] for path in paths]
        views = [game.restrict(i, w) for i in range(len(ends))]
        residuals = [inner.residual(v, y, v.field(y, batch)) for v, y in zip(views, ends, strict=True)]
        answers = [exact.replaced(game, i, w, y) for i, y in enumerate(ends)]
        runs.append((history, worlds.stack(shares, axis=0), worlds.stack(residuals, axis=0), answers))
    history, shares, residuals = (_mean([*column]) for column in [*zip(*runs, strict=True)][:3])
    error = _standard_error([r[0][-1] for r in runs])
    kind = "lower" if game.deterministic and _finite(history[-1]) else "estimate"
    note = _warning(game, history, shares)
    if k < how.k or len(runs) < how.repeats:
        late = f"out of time (budget of {limit.seconds:g} s) after {k} of {how.k} inner steps"
        late += f" in {len(runs)} of {how.repeats} runs" if how.repeats > 1 else ""
        note = "; ".join(part for part in (note, late) if part)
    return DualityGap(
        game, w, history[-1], kind, "", shares, runs[-1][3], None, residuals, history, error, note
    )  # fmt: skip


def _inner_paths(
    game: Game, w: Array, how: Inner, k: int, stream: np.random.Generator, ends_at: float
) -> list[inner.Path]:
    """The points of each player's k inner steps: fewer, equally many for all, where the clock passes `ends_at`."""
    paths: list[inner.Path] = []
    for i, left in enumerate(range(len(game.players), 0, -1)):
        view = game.restrict(i, w)
        start = inner.perturbed(game, i, w, how.scale, stream) if how.scale else view.block
        now = time.monotonic()
        path = inner.run(view, how.rule, start, k, stream, now + (ends_at - now) / left)
        paths, k = [*paths, path], len(path) - 1
    return [path[: k + 1] for path in paths]


def _warning(game: Game, history: Array, shares: Array) -> str:
    """What a reader must know of inner runs that diverged or raised the cost; an empty text where none did."""
    bad = [p.name for i, p in enumerate(game.players) if not _finite(shares[i])]
    if bad:
        return f"the inner steps of {' and '.join(bad)} diverged: no bound; use smaller steps or fewer of them"
    if _any(history[-1] < 0):
        return "negative: the inner steps went uphill; they are longer than 2 / L, or the batches too noisy"
    if _any(history[1:].amin(0) < history[0] if hasattr(history, "amin") else history[1:].min(0) < history[0]):
        return "the inner steps went uphill on the way; they may be longer than 2 / L"
    return ""


def _finite(values: Array) -> bool:
    return bool(values.isfinite().all() if hasattr(values, "isfinite") else np.isfinite(np.asarray(values)).all())


def _any(values: Array) -> bool:
    return bool(values.any())


def _mean(values: list[Array]) -> Array:
    return sum(values[1:], values[0]) / len(values)


def _standard_error(values: list[Array]) -> Array | None:
    if len(values) < 2:
        return None
    mean = _mean(values)
    return (sum((v - mean) ** 2 for v in values) / (len(values) - 1) / len(values)) ** 0.5


def _proximally(game: Game, w: Array, how: Inner, limit: Budget) -> DualityGap:
    """The proximal duality gap (Sidheekh et al. 2021b), averaged over the repeats that end in time."""
    runs: list[Proximal] = []
    for stream in how.streams():
        step = functools.partial(proximal, game, w, how.rule, how.k, how.lam, stream)
        try:
            runs.append(limit.run(step, "the proximal gap"))
        except OutOfTimeError:
            if not runs:
                raise
            break
    shares = worlds.stack([_mean([run.shares[i] for run in runs]) for i in range(2)], axis=0)
    residuals = worlds.stack([_mean([run.residuals[i] for run in runs]) for i in range(2)], axis=0)
    total, error = shares[0] + shares[1], _standard_error([run.shares[0] + run.shares[1] for run in runs])
    note = _warning(game, worlds.stack([total, total], axis=0), shares)
    if not all(run.converged for run in runs):
        left = " and ".join(f"{_largest(residuals[i]):.1e}" for i in range(2))
        words = f"not converged: {left} of the gradients are left, so the value is of these answers, not of the best"
        note = "; ".join(part for part in (note, words) if part)
    if len(runs) < how.repeats:
        late = f"out of time (budget of {limit.seconds:g} s) after {len(runs)} of {how.repeats} runs"
        note = "; ".join(part for part in (note, late) if part)
    answers = [runs[-1].penalised, runs[-1].free]
    return DualityGap(game, w, total, "estimate", "", shares, answers, None, residuals, None, error, note)


def _largest(values: Array) -> float:
    return float(np.max(np.asarray(values.detach().cpu() if hasattr(values, "detach") else values, dtype=float)))


def _point(game: Game, w: Array, method: str) -> Array:
    if w is None:
        if not game.symbols or method != "exact":
            raise ParameterError("no point", f"w, shape (..., {game.dim})", "pass a point")
        return object_vector(game.symbols)
    if hasattr(w, "detach") or (isinstance(w, np.ndarray) and w.dtype != object):
        return w
    point = worlds.from_list(w, game.worlds)
    like = getattr(game, "w0", None)
    return point if like is None else point.to(like)


def _inner_rule(game: Game, rule: Rule | None, inner_lr: Parameter) -> Rule:
    if rule is not None:
        if not isinstance(rule, Rule):
            raise ParameterError(f"rule={shown(rule)}", "an update rule", made(rule, "rule=gd.rules.Adam(0.01)"))
        return rule
    game.per_player(inner_lr)
    chosen: Rule = SimultaneousGD(inner_lr)
    return chosen
