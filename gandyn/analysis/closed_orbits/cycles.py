"""Isolated closed orbits that starts in a box reach: cycles of the flow, circles and periodic orbits of a rule.

Under a rule, the same question of its update map: invariant circles and periodic orbits (`invariant_circles.py`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...arguments import box_array
from ...budget import Budget, OutOfTimeError
from ...doors import door
from ...errors import DomainError, ParameterError
from ...lazy import sympy
from ...types import Array, Game, Rule
from ...worlds import NUMPY
from ..parameters.system import refuse_moving_limit, system
from ..zeros.fixed_points import fixed_points
from .closed_orbit import ClosedOrbits, LimitCycle
from .flow_cycles import settled_cycles
from .invariant_circles import invariant_sets
from .no_cycles import conserved, excluded, is_saddle, not_gone_around
from .planar_cycles import PlanarSearch, as_remarks, crossing, search

__all__ = ["ClosedOrbits", "LimitCycle", "limit_cycles"]


@door
def limit_cycles(
    game: Game,
    box: Sequence[tuple[float, float]],
    rule: Rule | None = None,
    seed: int = 0,
    periods: int = 4,
    budget: float | Budget | None = 60.0,
) -> ClosedOrbits:
    """Isolated closed orbits that starts in a box reach, forwards or backwards in time: of the flow, or of a rule.

    **Flow in the plane** (`rule=None`). First a proof is tried that the box holds none (`no_cycles.excluded`): then the
    list is empty and `.complete`. Otherwise: a closed orbit goes around an equilibrium that is no saddle, so it crosses
    any ray from there. The first return P of the flow to a ray from each such equilibrium is computed with its
    derivative, by an integrator that takes stiff flows (relaxation oscillations) as they are; log(P(s)/s) is
    interpolated, s from 1e-4 to 4 half widths of the box (coarsely to 1e4), and refined until changes of sign and
    extrema near 0 are told apart; then each zero is solved for. Where orbits do not return, the same backwards in
    time. An extremum that rounding does not tell from 0 goes to `.possible`: a semistable cycle, two very near
    each other, or none. All this is numbers and no proof: `.complete` is False then, and `.reason` says what was done.

    **Flow in more dimensions.** Scattered starts settle onto attracting cycles forwards and onto repelling ones
    backwards in time; a first return gives a guess, and Newton's method on (w, T) with the variational equation refines
    it. Cycles of saddle type are missed.

    **Rule.** A map's counterpart is an invariant circle, a curve with F(K(theta)) = K(theta + rho). Rotation number and
    Fourier coefficients come from long orbits, of the map and, for a rule without memory, of its inverse, by weighted
    Birkhoff averages (Das, Saiki, Sander & Yorke 2017); for a rule with memory also from the flow's cycles. Newton's
    method on (K, rho) then solves the invariance equation to rounding. Where the rotation is rational and the circle
    locked, and wherever else the map has them, periodic orbits are returned.

    A continuum of closed orbits (a conservative game) has a multiplier 1 and is not reported.

    Args:
        game: a deterministic smooth game; in symbols for a rule.
        box: one (low, high) pair per coordinate, where the starts lie.
        rule: an update rule with numbers for all parameters, or None.
        seed: of the starts.
        periods: for a rule, the longest period that is searched for from scattered starts (attracting orbits are found
            up to period 200).
        budget: seconds; when they are spent, the list has what was found and `.reason` begins "undecided: out of time".

    Returns:
        A list with `.complete`, `.reason`, `.possible`: `LimitCycle`s of a flow; `InvariantCircle`s and
        `PeriodicOrbit`s of a map. All have `.period`, `.multipliers`, `.points`, `.stable`, `.radius`, and are sorted
        by size, smallest first.

    Raises:
        ParameterError: for a box that does not fit, or a game without a NumPy field.
        DomainError: for a game or rule that is not smooth, or a rule that does not trace; for averages, anchors and
            decaying steps, whose limit keeps every point.
    """
    bounds, clock = box_array(game, box), Budget.of(budget)
    if NUMPY not in game.worlds or not game.deterministic or game.constrained:
        raise ParameterError(
            f"limit_cycles of {game.name}", "a deterministic, unconstrained game in NumPy", "use a toy game"
        )
    _check_smooth(game)
    if rule is None:
        return _flow_cycles(game, bounds, seed, clock)
    rule.check(game)
    refuse_moving_limit(system(game, rule))
    remembers = any(True for _ in rule.init(game, bounds.mean(-1)).leaves())
    return invariant_sets(
        game, rule, bounds, _flow_cycles(game, bounds, seed, clock) if remembers else [], seed, periods, clock
    )


def _check_smooth(game: Game) -> None:
    """Refuse a field with a kink or a jump by the name of the function that has it."""
    kinks: tuple[type, ...] = (
        sympy.Abs,
        sympy.sign,
        sympy.Max,
        sympy.Min,
        sympy.Piecewise,
        sympy.Heaviside,
        sympy.DiracDelta,
    )
    kinks += (sympy.floor, sympy.ceiling, sympy.Mod)
    names = {type(a).__name__ for e in game.field_exprs for a in e.atoms(*kinks)}
    if names or (not game.symbolic and not game.smooth):
        what = f"whose field has {', '.join(sorted(names))}" if names else "whose field is not smooth"
        raise DomainError(
            f"limit_cycles of {game.name}, {what}", "a field without kinks and jumps", "a smooth penalty or loss"
        )


def _flow_cycles(game: Game, bounds: Array, seed: int, clock: Budget) -> ClosedOrbits:
    found = PlanarSearch()
    try:
        reason = _search(game, bounds, seed, clock, found)
    except OutOfTimeError:
        return _listed(found, bounds, f"{clock.reason}; {_remarks('cycles found until then', found)}")
    if reason is not None:
        return ClosedOrbits([], True, reason)
    return _listed(found, bounds, _remarks(_searched(game), found))


def _search(game: Game, bounds: Array, seed: int, clock: Budget, found: PlanarSearch) -> str | None:
    """Search for cycles: a proof, in words, that there is none; or None, with the cycles added to `found`."""
    reason = clock.run(lambda: excluded(game, bounds), "the search for cycles")
    if reason is not None:
        return reason
    if game.dim != 2:
        settled_cycles(game, bounds, seed, clock, found.cycles)
        return None
    zeros = clock.run(lambda: fixed_points(game, [tuple(b) for b in bounds], seed), "the search for equilibria")
    reason = not_gone_around(game, zeros)
    if reason is not None:
        return reason
    if not zeros.complete:
        found.remarks.append(f"equilibria may be missing ({zeros.reason})")
    centres = [p.point for p in zeros if not is_saddle(game, p.point)]
    search(game, bounds, np.array(centres).reshape(-1, 2), clock, found)
    if found.bands and not found.cycles:
        return clock.run(lambda: conserved(game, bounds), "the search for a conserved quantity")
    return None


def _listed(found: PlanarSearch, bounds: Array, reason: str) -> ClosedOrbits:
    cycles = crossing(found.cycles, bounds) if len(bounds) == 2 else found.cycles
    return ClosedOrbits(sorted(cycles, key=lambda c: c.radius), False, reason, found.possible)


def _remarks(first: str, found: PlanarSearch) -> str:
    return "; ".join([first, *dict.fromkeys(as_remarks(found.possible) + found.remarks)])


def _searched(game: Game) -> str:
    if game.dim != 2:
        return (
            "found by search, no proof: orbits from 48 starts, followed both ways in time; cycles of saddle type, and "
            "those that no start reaches, are missed"
        )
    return (
        "found by search, no proof: the zeros of log(P(s)/s), P the return map on a ray from each equilibrium in the "
        "box that is no saddle (a closed orbit in the box goes around one), s from 1e-4 to 4 half widths of the box; "
        "smaller cycles, and narrower changes of sign than the interpolation saw, could have been missed"
    )
