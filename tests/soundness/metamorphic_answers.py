"""What an analysis says of a subject, in a form that can be compared with what it says of the subject said otherwise.

Each function asks about both and returns nothing where the answers agree, and a sentence where they do not. An answer
may become "undecided" in other words of the same game only where its argument needs exact numbers; that is named here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from metamorphic_transforms import Restated

import gandyn as gd
from gandyn.errors import GandynError

BUDGET = 20.0
CLOSE = 1e-6


def _floats(point: Any) -> np.ndarray:
    return np.array([float(v) for v in point])


def _refused(ask: Callable[[], Any]) -> tuple[Any, str]:
    """The answer, or the kind of refusal."""
    try:
        return ask(), ""
    except GandynError as error:
        return None, type(error).__name__


def both(
    ask: Callable[[Any], Any], one: Any, restated: Restated, compare: Callable[[Any, Any], str | None]
) -> str | None:
    """Ask about both; refusals must agree too."""
    (first, no), (second, not_) = _refused(lambda: ask(one)), _refused(lambda: ask(restated.subject))
    if "OutOfTimeError" in (no, not_):
        return None  # undecided is no answer that another could contradict
    if no or not_:
        return None if no == not_ else f"refused as {no or 'nothing'} and as {not_ or 'nothing'}"
    return compare(first, second)


def fixed_points(one: Any, restated: Restated) -> str | None:
    """The same points of the same kinds, and as complete."""

    def ask(subject: Any) -> Any:
        box = [(float(a), float(b)) for a, b in subject.box]
        return gd.fixed_points(subject.game, box=box, budget=BUDGET)

    def compare(a: Any, b: Any) -> str | None:
        if "out of time" in a.reason + b.reason:
            return None
        if a.complete != b.complete:
            return f"complete {a.complete} ({a.reason}) and {b.complete} ({b.reason})"
        if not a.complete:
            return None
        if len(a) != len(b):
            return f"{len(a)} points and {len(b)}"
        if not a:
            return None
        mine = np.array([restated.forward(p.point) for p in a])
        its = np.array([p.point for p in b])
        size = max(float(np.ptp([float(v) for pair in restated.subject.box for v in pair])), 1e-300)
        distance = np.abs(mine[:, None] - its[None]).max(-1)
        if (distance.min(1) > CLOSE * size).any():
            return f"points {mine.tolist()} and {its.tolist()}"
        if restated.extra:
            return None
        pairs = [(p, b[int(k)]) for p, k in zip(a, distance.argmin(1), strict=True)]
        # a point known exactly on one side alone (a registered equilibrium) may be decided there alone
        kinds = [(p.kind, q.kind) for p, q in pairs if (p.exact is None) == (q.exact is None)]
        return None if all(one == other for one, other in kinds) else f"kinds {kinds}"

    return both(ask, one, restated, compare) if restated.same_box else None


def _where(subject: Any) -> Any:
    return list(subject.point)


def _rules(scale: float) -> list[Any]:
    lr = 0.1 / scale
    return [
        None,
        gd.rules.GDA(lr),
        gd.rules.AlternatingGD(lr),
        gd.rules.Extragradient(lr),
        gd.rules.OptimisticGD(lr),
        gd.rules.HeavyBall(lr, -0.3),
        gd.rules.Consensus(lr, 0.5 / scale),
    ]


def spectrum(one: Any, restated: Restated, which: int) -> str | None:
    """The same spectrum, and the same verdict."""

    def ask(subject: Any) -> Any:
        scale = restated.rate if subject is restated.subject else 1.0
        rule = _rules(scale)[which]
        if "players swapped" in restated.how and isinstance(rule, gd.rules.AlternatingGD) and scale != 0:
            rule = gd.rules.AlternatingGD(rule.lr, order=(1, 0)) if subject is restated.subject else rule
        return gd.linearize(subject.game, rule, at=_where(subject))

    def compare(a: Any, b: Any) -> str | None:
        rate = restated.rate if which == 0 else 1.0
        if bool(a.obstacle) != bool(b.obstacle):
            return f"obstacle {a.obstacle!r} and {b.obstacle!r}"
        if not restated.extra and a.verdict != b.verdict:
            return f"{a.verdict} ({a.reason}) and {b.verdict} ({b.reason})"
        if a.obstacle:
            return None
        mine, its = np.sort_complex(a.eigenvalues * rate), np.sort_complex(b.eigenvalues)
        if restated.extra:
            return _contained(mine, its)
        return _same_values(mine, its)

    return both(ask, one, restated, compare)


def _same_values(mine: np.ndarray, its: np.ndarray) -> str | None:
    """Whether two lists of eigenvalues agree, whatever their order; loosely where they are nearly defective."""
    size = max(float(np.abs(mine).max(initial=0)), float(np.abs(its).max(initial=0)), 1e-300)
    if len(mine) != len(its):
        return f"{len(mine)} eigenvalues and {len(its)}"
    left = list(its)
    for value in mine:
        nearest = min(left, key=lambda other: abs(other - value))
        if abs(nearest - value) > 1e-5 * size:
            return f"eigenvalues {mine} and {its}"
        left.remove(nearest)
    return None


def _contained(mine: np.ndarray, its: np.ndarray) -> str | None:
    size = max(float(np.abs(its).max(initial=0)), 1e-300)
    missing = [v for v in mine if np.abs(its - v).min() > 1e-5 * size]
    return f"{missing} are not among {its}" if missing else None


def nash(one: Any, restated: Restated) -> str | None:
    """The same label."""

    def ask(subject: Any) -> Any:
        return gd.classify(subject.game, at=_where(subject))

    def compare(a: Any, b: Any) -> str | None:
        said = a.summary().splitlines(), b.summary().splitlines()
        first, second = (getattr(c, "label", None) or getattr(c, "kind", None) for c in (a, b))
        return None if first == second else f"{first} and {second}: {said}"

    return None if restated.extra else both(ask, one, restated, compare)


def gap_in_a_box(one: Any, restated: Restated) -> str | None:
    """The same value, in the new units, and of the same kind."""

    def ask(subject: Any) -> Any:
        box = [(float(a), float(b)) for a, b in subject.box]
        return gd.duality_gap(subject.game, _floats(subject.point), "box", box=box)

    def compare(a: Any, b: Any) -> str | None:
        if a.kind != b.kind:
            return f"{a.kind} {a.value} and {b.kind} {b.value}"
        mine, its = float(a.value) * restated.value, float(b.value)
        if not (np.isfinite(mine) and np.isfinite(its)):
            return None if str(mine) == str(its) else f"{mine} and {its}"
        size = max(abs(mine), abs(its), restated.value)
        return None if abs(mine - its) <= 1e-3 * size else f"{mine} and {its}"

    return both(ask, one, restated, compare) if restated.same_box else None


def threshold(one: Any, restated: Restated) -> str | None:
    """The largest stable step of GDA, in the new units."""

    def ask(subject: Any) -> Any:
        region = gd.stability_region(subject.game, gd.rules.GDA("lr"), at=_where(subject))
        return float(region.critical("lr"))

    def compare(a: float, b: float) -> str | None:
        if restated.extra:
            return None if b <= a * (1 + CLOSE) else f"{a} and {b}"
        mine = a / restated.rate
        return None if mine == b or abs(mine - b) <= CLOSE * abs(mine) else f"{mine} and {b}"

    return both(ask, one, restated, compare)


def correction(one: Any, restated: Restated) -> str | None:
    """The first corrections of the modified flow of GDA: c_i' = c_i rate^(i+1) / scale."""

    def ask(subject: Any) -> Any:
        scale = restated.rate if subject is restated.subject else 1.0
        flow = gd.modified_flow(subject.game, gd.rules.GDA(0.1 / scale), order=2)
        return [np.asarray(flow.correction(i)(_floats(subject.point)), dtype=float) for i in (1, 2)]

    def compare(a: Any, b: Any) -> str | None:
        for i, (mine, its) in enumerate(zip(a, b, strict=True), 1):
            mine = mine * restated.rate ** (i + 1) / restated.scale
            turned = restated.forward(mine) - restated.forward(np.zeros_like(mine)) if restated.scale == 1 else mine
            size = max(float(np.abs(turned).max()), float(np.abs(its).max()), 1e-300)
            if np.abs(turned - its[: len(turned)]).max() > CLOSE * size:
                return f"correction {i}: {turned} and {its}"
        return None

    return both(ask, one, restated, compare)


def invariants(one: Any, restated: Restated) -> str | None:
    """As many conserved quantities."""

    def ask(subject: Any) -> Any:
        return len(gd.conserved_quantities(subject.game, budget=BUDGET))

    return (
        None
        if restated.extra
        else both(ask, one, restated, lambda a, b: None if a == b else f"{a} and {b} conserved quantities")
    )


def decomposition(one: Any, restated: Restated) -> str | None:
    """The same share of the Jacobian turns."""

    def ask(subject: Any) -> Any:
        made = gd.decompose(subject.game, _where(subject))
        return [np.linalg.norm(np.array(m, dtype=float)) for m in (made.symmetric, made.antisymmetric)]

    def compare(a: Any, b: Any) -> str | None:
        mine, its = np.array(a) * restated.rate, np.array(b)
        size = max(mine.max(), its.max(), 1e-300)
        return None if restated.extra or np.abs(mine - its).max() <= CLOSE * size else f"{mine} and {its}"

    return both(ask, one, restated, compare)


QUESTIONS: dict[str, Callable[[Any, Restated], str | None]] = {
    "fixed points": fixed_points,
    **{f"spectrum {k}": (lambda one, restated, k=k: spectrum(one, restated, k)) for k in range(7)},
    "nash": nash,
    "gap": gap_in_a_box,
    "threshold": threshold,
    "correction": correction,
    "invariants": invariants,
    "decomposition": decomposition,
}
