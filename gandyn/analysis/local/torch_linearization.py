"""The linear part of a torch game by automatic differentiation, held to differences of the step itself."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import torch

from ...oracles.product_check import derivative_error
from ...types import Array, Game, Rng, Rule, State
from .derivatives import on_known_face, refuse_ensemble
from .implicit import implicit_jacobian_torch, is_implicit
from .lengths import SOLVED, own_length
from .linearization import Linearization

AT_INFINITY = 10**15  # steps, at which counters stand


def linearize_torch(game: Game, rule: Rule | None, at: object, state: State | None, rng: Rng) -> Linearization:
    """What `linearize` returns for a game without expressions; arguments as there, all draws from one seed."""
    refuse_ensemble(game, at)
    w = at if isinstance(at, torch.Tensor) else torch.tensor(np.asarray(at, dtype=float), device="cpu")
    game.check(w)
    seed = rng if isinstance(rng, (int, np.integer)) else 0
    z, move = _dynamics(game, rule, w, state, seed)
    counted = rule is not None and _counted(game, rule, w, state, seed)
    implicit = rule is not None and is_implicit(game, rule)
    if rule is not None and implicit:
        moved, matrix = implicit_jacobian_torch(game, rule, w, seed)
    else:
        matrix = torch.autograd.functional.jacobian(move, z)  # type: ignore[no-untyped-call]
        moved = move(z).detach()
    value = _floats(moved if rule is None else moved - z)
    finite = bool(torch.isfinite(matrix).all())
    obstacle = "" if finite else f"the map of {rule!r} on {game.name} has no finite derivative at this point"
    names = tuple(f"z{k + 1}" for k in range(len(z)))
    residual, numbers = float(np.linalg.norm(value)), matrix.cpu().numpy()
    found = Linearization(game, rule, tuple(w.tolist()), names, residual, numbers, None, obstacle, counted=counted)
    if not finite:
        return found
    batch, generator = game.draw(np.random.default_rng(seed)), np.random.default_rng(seed)
    u = torch.as_tensor(generator.standard_normal(z.shape), device="cpu").to(z)
    length = own_length(lambda shift: _floats(game.jvp(w.detach() + shift, u[: len(w)], batch)))
    if not game.constrained and not implicit:  # there, steps have kinks of their own
        base = 0 if rule is None else 1  # of a map, the difference from the identity
        slopes = length * (matrix @ u - base * u)
        change = derivative_error(lambda x: move(x).detach() - base * x, slopes, z, length * u, base * float(z.norm()))
        found = dataclasses.replace(found, product_error=change)
    known = np.abs(_floats(z))
    known[: len(w)] = np.maximum(length, known[: len(w)])
    found = _judged(found, value, known, 500 * float(torch.finfo(w.dtype).eps))
    return on_known_face(found, w, batch, length) if game.constrained else found


def _dynamics(
    game: Game, rule: Rule | None, w: Array, state: State | None, seed: int, steps: int = AT_INFINITY
) -> tuple[Array, Callable[[Array], Array]]:
    """The point z = (w, the rule's arrays) and -v, or the map z -> z+ after so many steps; one batch in every call."""
    if rule is None:
        return w.detach(), lambda x: -game.field(x, game.draw(np.random.default_rng(seed)))
    start = rule.init(game, w, np.random.default_rng(seed)) if state is None else state
    memory = [array for _, array in start.leaves()]
    sizes = [len(w), *map(len, memory)]
    counters = [steps for _ in start.counter_leaves()]

    def move(x: Array) -> Array:
        point, *arrays = x.split(sizes)
        inner = start.replace_leaves(iter(arrays), iter(counters))
        w_next, after, _ = rule.step(game, point, inner, np.random.default_rng(seed))
        return torch.cat([w_next, *(array for _, array in after.leaves())])

    return torch.cat([w, *memory]).detach(), move


def _counted(game: Game, rule: Rule, w: Array, state: State | None, seed: int) -> bool:
    """Whether the map still changes after a million steps: bias corrections have ended, averages and decay have not."""
    if not any(True for _ in rule.init(game, w, np.random.default_rng(seed)).counter_leaves()):
        return False
    (z, early), (_, late) = (_dynamics(game, rule, w, state, seed, steps) for steps in (10**6, 10**7))
    away = z + torch.as_tensor(np.random.default_rng(seed).standard_normal(z.shape), device="cpu").to(z)
    gap = early(away).detach() - late(away).detach()
    return bool(gap.norm() > 100 * torch.finfo(z.dtype).eps * away.norm())


def _floats(x: Array) -> Array:
    return x.detach().cpu().numpy().astype(float)


def _judged(lin: Linearization, value: Array, known: Array, rounding: float) -> Linearization:
    """The linear part with -J or DF - 1 added, and whether F(z) - z is zero to the precision of z.

    `known`: |z|, or the game's own length where a coordinate of w is nearer 0.
    """
    change = lin.numeric if lin.rule is None else lin.numeric - np.eye(len(value))
    size = np.linalg.norm(change, 2)
    at_rest = bool((np.abs(value) <= max(SOLVED, rounding) * np.abs(change) @ known).all())
    if lin.rule is not None and size:
        rounding *= max(1.0, float(np.linalg.norm(lin.numeric, 2) / size))
    return dataclasses.replace(lin, change=change, rounding=rounding, equilibrium=at_rest, settled=at_rest)
