"""Flows of fields that jump: smooth pieces between the surfaces of discontinuity, and sliding along them.

Where the field points at a surface {g = 0} from both sides, a trajectory cannot leave it. It then follows the convex
combination of the two sides that is tangent to the surface (Filippov 1988, section 4); where several such surfaces
meet, the multilinear combination of the sides (Alexander & Seidman 1998).
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import sympy

from ..lazy import scipy
from ..symbolic.function import SymbolicFunction
from ..types import Game

LOOKS = 9  # points inside a step at which the surfaces are looked at
MOST_PIECES = 20_000
MOST_MEETING = 4
NEWTON_STEPS = 30
SLACK = 1e-9
Signs = tuple[int, ...]


class Pieces:
    """The field -v of a symbolic game, piece by piece.

    Attributes:
        surfaces: g_1, ..., g_m; the field is smooth where none of them vanishes.
    """

    def __init__(self, game: Game) -> None:
        self.symbols = game.symbols
        self.field = tuple(-e for e in game.field_exprs)
        self.surfaces = tuple(dict.fromkeys(_oriented(g)[0] for e in self.field for g in _switches(e)))
        self._values = SymbolicFunction([self.symbols], self.surfaces)
        self._fields: dict[Signs, SymbolicFunction] = {}
        self._slopes: dict[Signs, SymbolicFunction] = {}

    def values(self, w: np.ndarray) -> np.ndarray:
        """The m functions g(w) whose signs select the piece of the field, shape (..., m)."""
        return np.asarray(self._values(w))

    def velocity(self, w: np.ndarray, signs: Signs) -> np.ndarray:
        """The smooth field of the piece in which g_k has the sign signs[k], continued to w."""
        if signs not in self._fields:
            self._fields[signs] = SymbolicFunction([self.symbols], [self._piece(e, signs) for e in self.field])
        return np.asarray(self._fields[signs](w))

    def slopes(self, w: np.ndarray, signs: Signs) -> np.ndarray:
        """Dg(w), shape (m, d), in that piece."""
        if signs not in self._slopes:
            rows = [sympy.diff(self._piece(g, signs), s) for g in self.surfaces for s in self.symbols]
            self._slopes[signs] = SymbolicFunction([self.symbols], rows)
        return np.asarray(self._slopes[signs](w)).reshape(len(self.surfaces), -1)

    def _piece(self, e: sympy.Expr, signs: Signs) -> sympy.Expr:
        """The expression with every jump replaced by its value in the piece."""
        places = {g: k for k, g in enumerate(self.surfaces)}

        def side(argument: object) -> int:
            surface, orientation = _oriented(argument)
            return orientation * signs[places[surface]]

        def truth(relation: Any) -> sympy.Basic:
            if isinstance(relation, (sympy.Eq, sympy.Ne)):
                return sympy.false if isinstance(relation, sympy.Eq) else sympy.true
            return sympy.true if (side(relation.gts - relation.lts) > 0) else sympy.false

        e = e.replace(lambda x: isinstance(x, sympy.sign), lambda x: sympy.Integer(side(x.args[0])))
        e = e.replace(lambda x: isinstance(x, sympy.Heaviside), lambda x: sympy.Rational(1 + side(x.args[0]), 2))
        relations = {r: truth(r) for r in e.atoms(sympy.core.relational.Relational)}
        return e.xreplace(relations) if relations else e


def _switches(e: sympy.Expr) -> set[sympy.Expr]:
    """Arguments whose sign the expression jumps with."""
    found = {x.args[0] for x in e.atoms(sympy.sign, sympy.Heaviside)}
    relations = e.atoms(sympy.core.relational.Relational)
    return found | {r.lhs - r.rhs for r in relations if not isinstance(r, (sympy.Eq, sympy.Ne))}


def _oriented(g: sympy.Expr) -> tuple[sympy.Expr, int]:
    """g without a numeric factor or a leading minus, so that 2x and -x are one surface; and the factor's sign."""
    content, g = g.as_content_primitive()
    side = -1 if content.is_negative else 1
    return (-g, -side) if g.could_extract_minus_sign() else (g, side)


def jumps(game: Game) -> bool:
    """Whether the field of a game given by expressions jumps somewhere."""
    return any(_switches(e) for e in game.field_exprs)


@dataclasses.dataclass(frozen=True)
class Regime:
    """Where a trajectory is: the sides of the surfaces that it is off, and the surfaces that it slides along."""

    signs: Signs
    on: tuple[int, ...] = ()

    def corner(self, sides: Sequence[int]) -> Signs:
        """The piece on the given sides of the surfaces that it slides along."""
        signs = list(self.signs)
        for k, side in zip(self.on, sides, strict=True):
            signs[k] = side
        return tuple(signs)


class Slide:
    """One trajectory, from surface to surface.

    Args:
        pieces: the field. rtol, atol: tolerances of the smooth pieces. bound: of every coordinate.
        stop: asked between steps; True ends the trajectory where it is.
    """

    def __init__(
        self, pieces: Pieces, rtol: float, atol: float, bound: float, stop: Callable[[], bool] = lambda: False
    ) -> None:
        self.pieces, self.rtol, self.atol, self.bound, self.stop = pieces, rtol, atol, bound, stop
        self.evaluations = self.steps = 0

    def run(self, start: np.ndarray, times: np.ndarray) -> tuple[np.ndarray, float, str]:
        """Points at the times, (T, d); the time that was reached; "end", "stop", or why it cannot go on."""
        rows = np.repeat(start[None], len(times), axis=0)
        t, w, ending = float(times[0]), np.array(start, dtype=float), ""
        touched = tuple(int(k) for k in np.flatnonzero(self.pieces.values(w) == 0))
        signs = tuple(int(s) for s in np.where(self.pieces.values(w) < 0, -1, 1))
        regime = self._continue(w, Regime(signs), touched)
        for _ in range(MOST_PIECES):
            if regime is None:
                ending = "the field does not say where to go from here"
                break
            t, w, hit, ending = self._piece(t, w, regime, times, rows)
            if ending:
                break
            regime = self._continue(w, regime, (*regime.on, *hit))
        rows[times > t] = w
        return rows, t, ending or "it meets surfaces of discontinuity without end"

    # --- which way to go on ----------------------------------------------------------------------------------------

    def _continue(self, w: np.ndarray, regime: Regime, touched: tuple[int, ...]) -> Regime | None:
        """The one consistent way to leave or follow the touched surfaces: None where there is none, or several."""
        touched = tuple(dict.fromkeys(touched))
        if not touched:
            return regime
        if len(touched) > MOST_MEETING:
            return None
        found = []
        for choice in itertools.product((1, -1, 0), repeat=len(touched)):
            signs = list(regime.signs)
            for k, side in zip(touched, choice, strict=True):
                signs[k] = side or signs[k]
            on = tuple(k for k, side in zip(touched, choice, strict=True) if side == 0)
            candidate = Regime(tuple(signs), on)
            if self._consistent(w, candidate, touched):
                found.append(candidate)
        stays = [c for c in found if not c.on and c.signs == regime.signs]
        return (stays or found)[0] if self._agree(w, found) else None

    def _agree(self, w: np.ndarray, found: list[Regime]) -> bool:
        """Whether there is a way to go on, and all ways begin with the same velocity."""
        velocities = [self._velocity(w, c, weights) for c in found if (weights := self._weights(w, c)) is not None]
        if not velocities:
            return False
        size = max(float(np.abs(v).max()) for v in velocities)
        return all(bool(np.abs(v - velocities[0]).max() <= SLACK * size) for v in velocities)

    def _consistent(self, w: np.ndarray, regime: Regime, touched: tuple[int, ...]) -> bool:
        """Whether a trajectory in this regime leaves the touched surfaces on its sides and is held on the others."""
        weights = self._weights(w, regime)
        if weights is None:
            return False
        rates = self.pieces.slopes(w, regime.signs) @ self._velocity(w, regime, weights)
        leaves = all(regime.signs[k] * rates[k] >= 0 for k in touched if k not in regime.on)
        return leaves and all(self._held(w, regime, weights, i) for i in range(len(regime.on)))

    def _held(self, w: np.ndarray, regime: Regime, weights: np.ndarray, i: int) -> bool:
        """Whether both sides of the i-th surface that it slides along point at it."""
        if not -SLACK <= weights[i] <= 1 + SLACK:
            return False
        slope = self.pieces.slopes(w, regime.signs)[regime.on[i]]
        above, below = (slope @ self._velocity(w, regime, _with(weights, i, side)) for side in (1.0, 0.0))
        return bool(above <= 0 <= below and above < below)

    def _velocity(self, w: np.ndarray, regime: Regime, weights: np.ndarray) -> np.ndarray:
        """The multilinear combination of the pieces around: weights[i] is that of the upper side of surface on[i]."""
        total = np.zeros_like(w)
        for sides in itertools.product((1, -1), repeat=len(regime.on)):
            share = float(np.prod([a if side > 0 else 1 - a for a, side in zip(weights, sides, strict=True)]))
            total = total + share * self.pieces.velocity(w, regime.corner(sides))
        self.evaluations += 2 ** len(regime.on)
        return total

    def _weights(self, w: np.ndarray, regime: Regime) -> np.ndarray | None:
        """Weights with which the combination is tangent to every surface that it slides along; None if not found."""
        n = len(regime.on)
        weights = np.full(n, 0.5)
        slopes = self.pieces.slopes(w, regime.signs)[list(regime.on)]
        for _ in range(NEWTON_STEPS if n > 1 else n):  # for one surface the equation is linear: one step is exact
            rates = slopes @ self._velocity(w, regime, weights)
            change = np.stack(
                [
                    slopes
                    @ (
                        self._velocity(w, regime, _with(weights, i, 1.0))
                        - self._velocity(w, regime, _with(weights, i, 0.0))
                    )
                    for i in range(n)
                ],
                axis=-1,
            )
            step = np.linalg.lstsq(change, rates, rcond=None)[0]
            weights = weights - step
            if not np.isfinite(weights).all():
                return None
            if np.abs(step).max() <= 1e-14:
                break
        return weights

    # --- one smooth piece ------------------------------------------------------------------------------------------

    def _piece(
        self, t: float, w: np.ndarray, regime: Regime, times: np.ndarray, rows: np.ndarray
    ) -> tuple[float, np.ndarray, tuple[int, ...], str]:
        """Until a surface is met or a sliding one let go: time, point, the surfaces met, and how it ended if it did."""

        def field(_: float, y: np.ndarray) -> np.ndarray:
            if not np.abs(y).max() <= self.bound:
                return np.full_like(y, np.nan)
            weights = self._weights(y, regime)
            return np.full_like(y, np.nan) if weights is None else self._velocity(y, regime, weights)

        solver = scipy.integrate.DOP853(field, t, w, times[-1], rtol=self.rtol, atol=self.atol)
        while solver.status == "running":
            if self.stop():
                return solver.t, solver.y, (), "stop"
            before, point = solver.t, solver.y
            solver.step()
            if solver.status == "failed" or not np.isfinite(solver.y).all():
                return before, point, (), "its steps shrank to nothing"
            self.steps += 1
            between = solver.dense_output()
            event, met = self._first_event(between, solver.t_old, solver.t, regime)
            inside = (times > solver.t_old) & (times <= event)
            rows[inside] = between(times[inside]).T
            if event < solver.t or met:
                return event, between(event), met, ""
        return solver.t, solver.y, (), "end"

    def _first_event(self, between: Any, begin: float, end: float, regime: Regime) -> tuple[float, tuple[int, ...]]:
        """The first time in the step at which the regime ends, and the surfaces met there; `end` and none otherwise."""
        looks = np.linspace(begin, end, LOOKS)
        points = [between(x) for x in looks]
        margins = np.stack([self._margins(p, regime) for p in points])
        gone = (margins[1:] < 0).any(0)
        if not gone.any():
            return end, ()
        events = {}
        for k in np.flatnonzero(gone):
            i = int(np.argmax(margins[1:, k] < 0)) + 1
            inside = margins[i - 1, k] > 0
            events[int(k)] = (
                scipy.optimize.brentq(
                    lambda x, k=k: self._margins(between(x), regime)[k], looks[i - 1], looks[i], xtol=1e-15
                )
                if inside
                else looks[i - 1]
            )
        first = min(events.values())
        m = len(regime.signs)
        return float(first), tuple(k for k, at in events.items() if at <= first and k < m)

    def _margins(self, w: np.ndarray, regime: Regime) -> np.ndarray:
        """What must stay positive: signs[k] g_k off the surfaces, then the weights and their complements on them."""
        g = np.where(
            [k in regime.on for k in range(len(regime.signs))], 1.0, np.array(regime.signs) * self.pieces.values(w)
        )
        if not regime.on:
            return g
        weights = self._weights(w, regime)
        weights = np.full(len(regime.on), np.nan) if weights is None else weights
        return np.concatenate([g, weights + SLACK, 1 - weights + SLACK])


def _with(weights: np.ndarray, i: int, value: float) -> np.ndarray:
    changed = weights.copy()
    changed[i] = value
    return changed
