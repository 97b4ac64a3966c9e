"""Spectra of real GANs, matrix-free: the ends of the spectra of J, S, A, own Hessians and update maps of any rule."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ...doors import door
from ...errors import ParameterError, UnknownNameError
from ...krylov.operator import Operator
from ...oracles.product_check import ProductCheck, check_products, derivative_error
from ...types import Array, Batch, Game, Rule, State
from .bounds import outer_bounds
from .maps import increment_operator, mode_vector, modes, moves_modes, tilted
from .operators import as_point, operator_of
from .result import Spectrum
from .solve import End, Resolution, Settings, ends
from .targets import itself, targets_of

__all__ = ["End", "Resolution", "Spectrum", "spectrum"]

STATISTICS = {"batch": "those of the batch, differentiated through", "running": "running ones, held fixed"}


@door
def spectrum(
    game: Game,
    w: Any,
    k: int = 1,
    which: str | Sequence[str] = "LM",
    of: int | str = "J",
    rule: Rule | None = None,
    state: State | None = None,
    *,
    as_equilibrium: bool = False,
    batch: Batch = None,
    batches: int | Sequence[Batch] = 1,
    batch_size: int | None = None,
    statistics: str = "batch",
    bounds: bool = False,
    confirm: bool = True,
    tolerance: float | None = None,
    most: int = 600,
    memory: float = 2**31,
    limit: bool = True,
    seed: int = 0,
) -> Spectrum:
    """Eigenvalues at the ends of a spectrum, by products alone: for networks whose matrices do not fit anywhere.

    By default of the game Jacobian J = Dv(w); flow eigenvalues are minus these. With `rule`, of the derivative of its
    update map on the augmented state. Where that is a function of J (linear rules, one step size for all players) its
    eigenvalues are read off those of J, |1 - lr z| for GDA; for the others the step is differentiated automatically.

    Every end is read from the same Krylov space. Values are believed when their residuals are small against the
    target's own size, twice running and by a fresh product, and `confirm`ed as the extreme ones by a larger space and a
    second start. What is not believed is returned as "unresolved", with residuals; so is, always, a largest imaginary
    part of zero. One product is held to central differences of the field: `product_error`, with which nothing counts as
    converged where they disagree.

    Batch-norm layers use the statistics of the batch and are differentiated through them (`statistics="batch"`, the
    Jacobian of what training does with this batch), or their running statistics as constants ("running", each sample
    by itself). Running statistics, parameters and random streams are left as they were.

    Args:
        game: any game that torch can evaluate. w: the point, (d,). k: how many at each end.
        which: "LM" (modulus), "LR" (rightmost), "SR" (leftmost), "LI" (imaginary part), or several of them.
        of: "J", "S" = (J + J^T)/2, "A" = (J - J^T)/2, or a player, for the Hessian of its cost in its own block.
        rule: a rule, for its map. state: its state; by default the one it starts from. limit: take its step counters at
            infinity instead of as they are in the state.
        as_equilibrium: for a map, take v(w) off the field, so that w is a fixed point with the same J.
        batch: a token to use. batches: how many tokens to draw, or tokens; with several, all is repeated, the result
            has error bars, and its own values are those of the first. batch_size: of the tokens drawn, where the game
            has a `size`: the Jacobian of a big batch is the mean of those of its parts.
        bounds: for J, also compute outer bounds from S and A.
        tolerance: of residuals, relative to the target's own size; 1e-6, or 1e-3 in single precision.
        most: products for each start. memory: bytes for the basis; beyond them the space is restarted (Krylov-Schur),
            keeping at least 100 vectors.
        seed: of the starts and of the batches.

    Raises:
        UnknownNameError: for ends, operators and players that there are not.
        ParameterError: for k outside 1 to d, or a point that does not fit.
        DomainError: for rules whose map has no derivative there; see `state` and `as_equilibrium`.

    Example:
        >>> import gandyn as gd
        >>> game = gd.games.planted_quadratic([1 + 5j, 3 - 2j])
        >>> found = gd.spectrum(game, [0.0] * 4, 1, ("LM", "LR"))
        >>> [round(float(x), 9) for x in (abs(found["LM"].eigenvalues[0]) ** 2, found["LR"].eigenvalues[0].real)]
        [26.0, 3.0]
        >>> gd.spectrum(game, [0.0] * 4, rule=gd.rules.Extragradient(0.1)).converged
        True
    """
    began = time.perf_counter()
    if statistics not in STATISTICS:
        raise UnknownNameError.among("kind of batch statistics", statistics, STATISTICS)
    targets = targets_of(which, rule is not None)
    point = as_point(game, w)
    if rule is not None:
        rule.check(game)
    with game.undisturbed(), _batch_statistics(game, statistics):
        tokens = _tokens(game, batch, batches, batch_size, seed)
        first: Spectrum | None = None
        repeats: dict[str, list[Any]] = {t.name: [] for t in targets}
        for token in tokens:
            operator, by_modes = _operator(game, point, token, of, rule, state, as_equilibrium, limit)
            if isinstance(k, bool) or not isinstance(k, (int, np.integer)) or not 1 <= k <= operator.size:
                raise ParameterError(f"k={k!r}", f"a whole number from 1 to {operator.size}", "k=6")
            settings = Settings.of(operator, tolerance, most, memory, confirm and first is None, seed)
            read = modes(rule) if rule is not None and by_modes else itself
            found, space, ritz = ends(operator, targets, int(k), settings, read)
            outline = read(ritz).values + (rule is not None)
            if rule is not None and by_modes:
                found = {name: _lifted(rule, end) for name, end in found.items()}
            outer: dict[str, float] = {}
            more = 0
            if bounds and rule is None and of == "J" and first is None:
                outer, more = outer_bounds(game, point, token, list(found), settings)
            name = "map" if rule is not None else operator.name if of not in ("J", "S", "A") else str(of)
            conditions = _conditions(game, tokens, token, statistics, rule is not None and as_equilibrium)
            one = Spectrum(
                *(game, name, rule, found, outer, operator.products + more, space),
                *(0.0, {}, conditions, point, outline, _held(game, point, token, operator) if first is None else None),
            )
            first = first or one
            for end in found:
                repeats[end].append(one._values(found[end]))
    assert first is not None
    several = {name: np.stack(rows) for name, rows in repeats.items()} if len(tokens) > 1 else {}
    return dataclasses.replace(first, seconds=time.perf_counter() - began, repeats=several)


def _operator(
    game: Game, w: Array, batch: Batch, of: int | str, rule: Rule | None, state: State | None, still: bool, limit: bool
) -> tuple[Operator, bool]:
    """What to iterate on, and whether it is J with a map read off it."""
    if rule is None:
        return operator_of(game, w, batch, of), False
    if not game.constrained and moves_modes(rule, anywhere=not (still or game.quadratic)):
        return operator_of(game, w, batch, "J"), True
    return increment_operator(tilted(game, w, batch) if still else game, rule, w, state, batch, limit), False


def _held(game: Game, w: Array, batch: Batch, operator: Operator) -> ProductCheck:
    """Products with J, and an operator that is the derivative of some function, held to differences."""
    check = check_products(game, w, batch)
    if operator.function is None or check.precision != "double" or operator.precision > 1e-12:
        return check
    u = np.random.default_rng(0).standard_normal(operator.size)
    direction = operator.like.new_tensor(u)
    product, size = operator.apply(direction).detach(), float(operator.like.norm())
    error = derivative_error(operator.function, product, operator.like, direction, size)
    return dataclasses.replace(check, error=max(check.error, error))


def _lifted(rule: Rule, end: End) -> End:
    """Eigenvectors of J made into those of the augmented map."""
    import torch

    lifted = [
        mode_vector(rule, complex(z), complex(mu), end.vectors[:, i])
        for i, (z, mu) in enumerate(zip(end.ritz, end.values, strict=True))
    ]
    return dataclasses.replace(end, vectors=torch.stack(lifted, dim=-1))


def _tokens(game: Game, batch: Batch, batches: Any, size: int | None, seed: int) -> list[Batch]:
    """The batch tokens: given, or drawn from the seed."""
    if batch is not None or game.deterministic:
        return [batch]
    if not isinstance(batches, (int, np.integer)):
        return list(batches)
    if isinstance(batches, bool) or batches < 1:
        raise ParameterError(f"batches={batches!r}", "a whole number >= 1, or batch tokens", "batches=8")
    source = game
    if size is not None:
        import copy

        if not hasattr(game, "size"):
            raise ParameterError(f"batch_size={size} on {game.name}", "a game with batches of its own", "batch=...")
        source = copy.copy(game)
        vars(source)["size"] = size
    rng = np.random.default_rng(seed)
    return [source.draw(rng) for _ in range(int(batches))]


def _conditions(game: Game, tokens: list[Batch], token: Batch, statistics: str, still: bool) -> str:
    said = []
    if token is not None:
        count = f"{len(tokens)} batches" if len(tokens) > 1 else "one fixed batch"
        said.append(f"{count} of {game.batch_size(token)}")
    if _batch_norms(game):
        said.append(f"batch statistics: {STATISTICS[statistics]}")
    if still:
        said.append("v(w) taken off, as at an equilibrium")
    return "; ".join(said) or "no randomness"


def _batch_norms(game: Game) -> list[Any]:
    if not hasattr(game, "networks"):
        return []
    from torch.nn.modules.batchnorm import _BatchNorm

    return [m for network in game.networks for m in network.modules() if isinstance(m, _BatchNorm)]


@contextlib.contextmanager
def _batch_statistics(game: Game, statistics: str) -> Iterator[None]:
    """Batch-norm layers in training mode or in evaluation mode; `Game.undisturbed` puts modes back."""
    for layer in _batch_norms(game):
        layer.train(statistics == "batch")
    yield
