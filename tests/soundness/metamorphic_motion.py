"""What proofs and long runs say of a subject: basins, rates, certificates, closed orbits, thresholds at solutions.

Steps follow the unit of cost, so that the restated game takes the same steps to rounding. Starts that rounding sends
elsewhere (on the border of a basin, or chaotic) may be few.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from metamorphic_answers import BUDGET, CLOSE, both
from metamorphic_transforms import Restated

import gandyn as gd

STARTS, FEW, STEPS = 24, 2, 400


def _floats(box: Any) -> list[tuple[float, float]]:
    return [(float(low), float(high)) for low, high in box]


def _size(subject: Any) -> float:
    return max(float(high - low) for low, high in subject.box)


def _step(one: Any, restated: Restated, subject: Any) -> Any:
    return gd.rules.GDA(0.1 / (restated.rate if subject is restated.subject else 1.0))


def basins(one: Any, restated: Restated) -> str | None:
    """As many attractors, and each start at the same one."""
    low, high = np.array(_floats(one.box)).T
    starts = low + (high - low) * np.random.default_rng(0).random((STARTS, one.game.dim))

    def ask(subject: Any) -> Any:
        w = starts if subject is one else restated.forward(starts)
        rule, box = _step(one, restated, subject), _floats(subject.box)
        return gd.basins(subject.game, rule, w, 1000, box=box, budget=BUDGET)

    def compare(a: Any, b: Any) -> str | None:
        if "out of time" in a.reason + b.reason:
            return None
        mine, its = restated.forward(np.asarray(a.attractors)), np.asarray(b.attractors)
        if len(mine) != len(its):
            return f"attractors {mine.tolist()} and {its.tolist()}"
        if not len(mine):
            labels = a.labels
        else:
            distance = np.abs(mine[:, None] - its[None]).max(-1)
            if distance.min(1).max() > 1e-3 * _size(restated.subject):
                return f"attractors {mine.tolist()} and {its.tolist()}"
            labels = np.where(a.labels < 0, a.labels, distance.argmin(1)[np.maximum(a.labels, 0)])
        differ = int((labels != b.labels).sum())
        return None if differ <= FEW else f"{differ} of {STARTS} labels differ: {a.shares} and {b.shares}"

    return both(ask, one, restated, compare) if restated.same_box and not restated.extra else None


def rate(one: Any, restated: Restated) -> str | None:
    """The same model, with factors within each other's bands."""

    def ask(subject: Any) -> Any:
        rule, start = _step(one, restated, subject), np.array(subject.point, dtype=float)
        end = gd.iterate(subject.game, rule, start, 4 * STEPS, "last").w
        return gd.fit_rate(gd.iterate(subject.game, rule, start, STEPS), to=end if np.isfinite(end).all() else start)

    def compare(a: Any, b: Any) -> str | None:
        if a.model != b.model:
            return f"{a.model} ({a.reason}) and {b.model} ({b.reason})"
        if a.model not in {"linear", "diverged"} or restated.extra:
            return None
        slack = 1e-4 * abs(a.rho)
        apart = a.rho_band[0] > b.rho_band[1] + slack or b.rho_band[0] > a.rho_band[1] + slack
        return f"rho {a.rho} {a.rho_band} and {b.rho} {b.rho_band}" if apart else None

    # elsewhere the level of rounding is another, and with it the part of the run that is fitted
    return None if "moved" in restated.how else both(ask, one, restated, compare)


def certificate(one: Any, restated: Restated) -> str | None:
    """The same steps proven, and a basin of the same size."""

    def ask(subject: Any) -> Any:
        options = {"at": list(subject.point), "box": _floats(subject.box), "effort": 300}
        return gd.certify(subject.game, _step(one, restated, subject), **options)

    def compare(a: Any, b: Any) -> str | None:
        if a.proven != b.proven:
            return f"proven {a.proven} and {b.proven}: {a.failure} and {b.failure}"
        if not a.proven or restated.extra or a.basin_radius is None or b.basin_radius is None:
            return None
        mine, its = float(a.basin_radius) / restated.scale, float(b.basin_radius)
        return None if abs(mine - its) <= 0.1 * max(mine, its) else f"basins {mine} and {its}"

    return both(ask, one, restated, compare) if restated.same_box else None


def closed_orbits(one: Any, restated: Restated) -> str | None:
    """As many cycles of the flow, with the same multipliers, in the new unit of time."""

    def ask(subject: Any) -> Any:
        return gd.limit_cycles(subject.game, _floats(subject.box), budget=BUDGET)

    def compare(a: Any, b: Any) -> str | None:
        if "out of time" in a.reason + b.reason:
            return None
        if a.complete != b.complete or len(a) != len(b):
            return f"{len(a)} cycles ({a.reason}) and {len(b)} ({b.reason})"
        for mine, its in zip(a, b, strict=True):
            if abs(mine.period / restated.rate - its.period) > 1e-5 * its.period:
                return f"periods {mine.period} and {its.period}"
            first, second = (np.sort(np.abs(c.multipliers)) for c in (mine, its))
            if np.abs(first - second).max() > 1e-4 * max(1.0, second.max()):
                return f"multipliers {first} and {second}"
        return None

    return both(ask, one, restated, compare) if restated.same_box and not restated.extra else None


def threshold_at_a_solution(one: Any, restated: Restated) -> str | None:
    """The largest stable step at the first solution in the box, which may lie on the border of the feasible set."""
    found = gd.fixed_points(one.game, box=_floats(one.box), budget=BUDGET)
    its = gd.fixed_points(restated.subject.game, box=_floats(restated.subject.box), budget=BUDGET)
    if not found or not its or not found.complete or not its.complete:
        return None
    near = min(
        its, key=lambda p: float(np.abs(np.asarray(p.point) - restated.forward(np.asarray(found[0].point))).max())
    )
    points = [p.exact if p.exact is not None else p.point for p in (found[0], near)]

    def ask(subject: Any) -> Any:
        at = list(points[subject is not one])
        return float(gd.stability_region(subject.game, gd.rules.GDA("lr"), at=at, budget=BUDGET).critical("lr"))

    def compare(a: float, b: float) -> str | None:
        mine = a / restated.rate
        if restated.extra:
            return None if b <= a * (1 + CLOSE) else f"{a} and {b}"
        return None if mine == b or abs(mine - b) <= CLOSE * abs(mine) else f"{mine} and {b}"

    if (found[0].exact is None) != (near.exact is None) or not restated.same_box:
        return None  # a threshold is asked for at an exact point
    return both(ask, one, restated, compare)


QUESTIONS = {
    "basins": basins,
    "rate": rate,
    "certificate": certificate,
    "closed orbits": closed_orbits,
    "threshold at a solution": threshold_at_a_solution,
}
