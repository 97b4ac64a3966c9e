"""Spectra of real GANs, matrix-free: the ends of the spectra of J, S, A, own Hessians and update maps of any rule."""

from __future__ import annotations

import dataclasses
import functools
import time
from collections.abc import Sequence

import numpy as np

from ...budget import Budget
from ...doors import door, grouped
from ...errors import ParameterError
from ...krylov.operator import Operator
from ...lazy import torch
from ...oracles.product_check import ProductCheck, check_products, derivative_error
from ...types import Array, Batch, Game, Rule
from .bounds import outer_bounds
from .maps import counts, increment_operator, mode_vector, modes, moves_modes, without_its_field
from .network_spectrum import Spectrum
from .operators import as_point, operator_of
from .options import Draws, MapPoint, Search
from .solve import End, Resolution, Settings, ends
from .targets import Target, itself, targets_of

__all__ = ["Draws", "End", "MapPoint", "Resolution", "Search", "Spectrum", "spectrum"]

GROUPS = {"map_point": MapPoint, "draws": Draws, "search": Search}


@door
def spectrum(
    game: Game,
    w: object,
    k: int = 1,
    which: str | Sequence[str] = "LM",
    of: int | str = "J",
    rule: Rule | None = None,
    **options: object,
) -> Spectrum:
    """Eigenvalues at the ends of a spectrum by matrix-vector products, for Jacobians that are too large to store.

    Without `rule` they are eigenvalues of the game Jacobian J = Dv(w), (d, d); flow eigenvalues are minus these. With
    `rule` they are those of the derivative of its update map on the augmented state. Where that is a function of J
    (linear rules, one step size for all players) its eigenvalues are computed from those of J, as 1 - lr z for GDA;
    for other rules the step is differentiated automatically.

    All ends are read from the same Krylov space. A value is accepted when its residual, and its residual times its
    condition number, are small against the value's own size, twice running and by a fresh product. With `confirm`, a
    larger space and a second start must also show no more extreme value, which is evidence and not a proof. Values that
    are not accepted are returned as "unresolved", with residuals; so is, always, a largest imaginary part of zero. One
    product is compared with central differences of the field (`product_error`): where they disagree, the result is not
    `.converged`.

    With `statistics="batch"`, batch-norm layers use the statistics of the batch and are differentiated through them, as
    training does; with "running" they use their running statistics as constants. Running statistics, parameters and
    random streams are left as they were.

    Args:
        game: any game that torch can evaluate.
        w: the point, (d,).
        k: number of eigenvalues at each end.
        which: "LM" (modulus), "LR" (rightmost), "SR" (leftmost), "LI" (imaginary part), or several of them.
        of: "J", "S" = (J + J^T)/2, "A" = (J - J^T)/2, or a player, for the Hessian of its cost in its own block.
        rule: an update rule whose map is examined, or None.
        options: where the map's derivative is taken (`MapPoint`): state, limit, as_equilibrium; on which batches
            (`Draws`): batch, batches, batch_size, statistics, seed; how long to search (`Search`): tolerance, most,
            memory, confirm, bounds, budget (in seconds). Each is given by its own name, or in its group:
            `search=Search(most=2000)`.

    Returns:
        A `Spectrum`: `.eigenvalues` and `.residuals` at each end asked for, by `found["LM"]`, and whether they have
        `.converged`.

    Raises:
        UnknownNameError: for unknown ends, operators and players.
        ParameterError: for k outside 1 to d, or a point that does not fit.
        CallError: for an unknown option.
        DomainError: for rules whose map has no derivative at w; see `state` and `as_equilibrium`.

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
    map_point, draws, search = grouped(spectrum, GROUPS, options)
    limit, targets = Budget.of(search.budget), targets_of(which, rule is not None)
    asked = _Asked(game, as_point(game, w), k, targets, of, rule, map_point, draws, search, limit)
    if rule is not None:
        rule.check(game)
    with asked.draws.in_mode(game):
        tokens = asked.draws.tokens(game)
        first = asked.answer(tokens[0], len(tokens))
        rows = [_values(first), *(_values(asked.answer(token, len(tokens), again=True)) for token in tokens[1:])]
    repeats = {name: np.stack([row[name] for row in rows]) for name in first.ends} if len(tokens) > 1 else {}
    return dataclasses.replace(first, seconds=time.perf_counter() - began, repeats=repeats)


@dataclasses.dataclass(frozen=True)
class _Asked:
    """The arguments of one call of `spectrum`, and the steps that answer it."""

    game: Game
    point: Array
    k: int
    targets: tuple[Target, ...]
    of: int | str
    rule: Rule | None
    map_point: MapPoint
    draws: Draws
    search: Search
    limit: Budget

    def answer(self, token: Batch, count: int, again: bool = False) -> Spectrum:
        """The ends on one of so many batches; `again` is without what is computed on the first only."""
        game, rule, search = self.game, self.rule, self.search
        operator, by_modes = self._operator(token)
        if not 1 <= self.k <= operator.size:
            raise ParameterError(f"k={self.k!r}", f"a whole number from 1 to {operator.size}", "k=6")
        confirm = search.confirm and not again
        how = (search.tolerance, search.most, search.memory, confirm, self.draws.seed, self.limit)
        settings = Settings.of(operator, *how)
        read = modes(rule) if rule is not None and by_modes else itself
        found, space, ritz = ends(operator, self.targets, self.k, settings, read)
        outline = read(ritz).values + (rule is not None)
        if rule is not None and by_modes:
            found = {name: _lifted(rule, end) for name, end in found.items()}
        outer: dict[str, float] = {}
        more = 0
        if search.bounds and rule is None and self.of == "J" and not again:
            outer, more = outer_bounds(game, self.point, token, list(found), settings)
        name = "map" if rule is not None else operator.name if self.of not in ("J", "S", "A") else str(self.of)
        return Spectrum(
            *(game, name, rule, found, outer, operator.products + more, space, 0.0, {}),
            *(self._conditions(token, count), self.point, outline),
            None if again else _held(game, self.point, token, operator),
        )

    def _operator(self, token: Batch) -> tuple[Operator, bool]:
        """What to iterate on, and whether it is J with a map read off it."""
        game, w, rule, there = self.game, self.point, self.rule, self.map_point
        if rule is None:
            return operator_of(game, w, token, self.of), False
        by_modes = not game.constrained and (there.limit or not self._counts)
        if by_modes and moves_modes(rule, anywhere=not (there.as_equilibrium or game.quadratic)):
            return operator_of(game, w, token, "J"), True
        seen = without_its_field(game, w, token) if there.as_equilibrium else game
        return increment_operator(seen, rule, w, there.state, token, there.limit), False

    @functools.cached_property
    def _counts(self) -> bool:
        """Whether the map may change from step to step."""
        return self.rule is not None and counts(self.game, self.rule, self.point)

    def _conditions(self, token: Batch, count: int) -> str:
        said = [self.draws.conditions(self.game, token, count)]
        if self._counts and self.map_point.limit:
            said.append("the step changes with its count: this is its limit after many steps")
        if self.rule is not None and self.map_point.as_equilibrium:
            said.append("v(w) taken off, as at an equilibrium")
        if self.rule is None and self.game.constrained:
            said.append("of the field alone: where a bound presses, gd.linearize has the spectrum of the feasible set")
        if self.limit.out:
            said.append(self.limit.reason)
        return "; ".join(filter(None, said)) or "no randomness"


def _values(one: Spectrum) -> dict[str, Array]:
    """The values at each end; vectors, which are large, are kept of the first batch only."""
    return {name: one._values(end) for name, end in one.ends.items()}


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
    """An end of the spectrum of J whose eigenvectors are extended to those of the augmented map."""
    lifted = [
        mode_vector(rule, complex(z), complex(mu), end.vectors[:, i])
        for i, (z, mu) in enumerate(zip(end.ritz, end.values, strict=True))
    ]
    return dataclasses.replace(end, vectors=torch.stack(lifted, dim=-1))
