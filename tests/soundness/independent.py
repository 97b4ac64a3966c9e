"""A short checker that shares nothing with the analyses: grids, Newton's method, long runs, NumPy's eigenvalues.

`refuted(question, rng)` draws a game, asks the package, and returns what the game was and, where the checker has a
counterexample, what it is. The checker may miss something; what it finds is there.
"""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import sympy
from metamorphic_games import Subject, subject
from plain_games import Array, Oracle, follow, radius, residual_at, run, smooth_between, step_of, zeros

import gandyn as gd
from gandyn.oracles.projections import Box

SMOOTH = ("polynomial", "quadratic", "transcendental")


def solutions(o: Oracle, rng: Any) -> str | None:
    """The list of solutions, their labels as Nash points, their verdicts and the thresholds of a rule there."""
    found = gd.fixed_points(o.subject.game, box=o.box, budget=10)
    for check in (listed_points, labels, verdicts, thresholds):
        if wrong := check(o, rng, found):
            return f"{check.__name__}: {wrong}"
    return None


def listed_points(o: Oracle, rng: Any, found: Any) -> str | None:
    """Every zero that Newton's method finds is listed where the list is complete, and what is listed is one."""
    listed = np.array([p.point for p in found]).reshape(-1, len(o.box))
    scale = np.abs(o.field(o.project(rng.uniform(*o.box.T, (200, len(o.box)))))).max() + 1e-300
    for p in found:
        if p.proven and np.abs(residual_at(o, p.point)).max() > 1e-7 * max(scale, np.abs(p.point).max()):
            return f"{p.point} is listed, and the residual there is {residual_at(o, p.point)}"
        if p.enclosure is not None and not ((p.enclosure[:, 0] <= p.point) & (p.point <= p.enclosure[:, 1])).all():
            return f"{p.point} is outside of {p.enclosure}"
    for w in zeros(o, rng):
        if found.complete and not (np.abs(listed - w).max(-1) < 1e-4 * o.size).any():
            return f"{w} is a zero, residual {o.residual(w)}, and not among {listed.tolist()}: {found.reason}"
    return None


def _own_deviations(o: Oracle, w: Array, i: int, share: float, rng: Any) -> tuple[float, float]:
    """The least and the largest gain of cost when player i alone moves by a share of the box's sides, projected."""
    first = sum(o.sizes[:i])
    own = slice(first, first + o.sizes[i])
    moved = np.repeat(w[None], 400, 0)
    steps = rng.normal(size=(400, o.sizes[i]))
    sides = np.ptp(o.box, axis=-1)
    moved[:, own] += share * sides[own] * steps / np.linalg.norm(steps, axis=-1, keepdims=True)
    moved = o.project(moved)
    moved[:, : own.start], moved[:, own.stop :] = w[: own.start], w[own.stop :]
    change = o.costs(moved)[:, i] - o.costs(w)[i]
    change = change[np.isfinite(change) & ((np.abs(moved - w) / sides).max(-1) > 0.3 * share)]
    return (float(change.min()), float(change.max())) if len(change) else (0.0, 0.0)


def labels(o: Oracle, rng: Any, found: Any) -> str | None:
    """No deviation lowers a cost at a Nash point, and at what is none one does."""
    for p in list(found)[:4]:
        if not p.proven:
            continue
        at = p.point if p.exact is None else p.exact
        try:
            c = gd.classify(o.subject.game, at=at)
        except gd.GandynError as error:
            return f"{p.point} is listed, and classify refuses it: {error}"
        w = np.asarray(p.point, dtype=float)
        scale = 1e-300 + np.abs(o.costs(w)).max() + np.abs(o.jacobian(w)).max() * o.size**2
        for share in (1e-3, 1e-2):
            least = [_own_deviations(o, w, i, share, rng)[0] for i in range(len(o.sizes))]
            said = not c.nash.startswith(("not", "undecided")) and (share == 1e-3 or c.global_nash)
            if said and min(least) < -1e-10 * scale:
                return f"{w}: {c.nash}, and a player gains {least} at {share}"
        least = [_own_deviations(o, w, i, 1e-3, rng)[0] for i in range(len(o.sizes))]
        if c.nash.startswith("not") and min(least) > 1e-8 * scale:
            return f"{w}: {c.nash}, and nobody gains {least}"
        if c.global_nash:
            least = [_own_deviations(o, w, i, 1.0, rng)[0] for i in range(len(o.sizes))]
            if min(least) < -1e-9 * scale:
                return f"{w}: global Nash, and a player gains {least} far away"
    return None


def verdicts(o: Oracle, rng: Any, found: Any) -> str | None:
    """What attracts the flow brings starts beside it back, and from what repels or is a saddle some leave."""
    sides = np.ptp(o.box, axis=-1)  # a small deviation along a long side is a large one along a short side
    for p in list(found)[:4]:
        verdict, w = p.kind, np.asarray(p.point, dtype=float)
        if not p.proven or verdict not in {"attracting", "repelling", "saddle"}:
            continue
        norm = 1e-300 + float(np.linalg.norm(o.jacobian(o.project(w + 1e-6 * rng.normal(size=len(w)))), 2))
        around = rng.normal(size=(24, len(w)))
        around *= 1e-4 / np.linalg.norm(around, axis=-1, keepdims=True)
        starts = o.project(w + around * sides)
        starts = starts[np.abs((starts - w) / sides).max(-1) > 1e-6]
        if not len(starts):
            continue
        if not o.subject.game.constrained and smooth_between(o, w, starts):
            values = np.linalg.eigvals(-o.jacobian(w))
            margin = 1e-6 * norm
            told = (
                "attracting"
                if values.real.max() < -margin
                else "repelling"
                if values.real.min() > margin
                else "saddle"
                if values.real.max() > margin and values.real.min() < -margin
                else None
            )
            if told is not None and told != verdict:
                return f"{w}: {verdict}, and the eigenvalues of -J are {values}"
            continue
        before = np.linalg.norm((starts - w) / sides, axis=-1)
        after = np.linalg.norm((run(o, starts, 0.02 / norm, 4000) - w) / sides, axis=-1)
        grown = 1.5 * np.exp(4000 * 0.02**2 / 2)  # as much comes of the step where the flow only turns
        if verdict == "attracting" and (after > grown * before.max()).any():
            return f"{w}: {verdict}, and starts leave it: {before} {after}"
        elif verdict != "attracting" and (after < 1e-3 * before.min()).all() and len(starts) > 20:
            return f"{w}: {verdict}, and all starts come to it: {before} {after}"
    return None


def thresholds(o: Oracle, rng: Any, found: Any) -> str | None:
    """Below the supremum of stable steps the spectral radius by differences is below 1, and above it above."""
    if o.subject.game.constrained or not o.subject.game.smooth:
        return None
    name = str(rng.choice(["GDA", "AlternatingGD", "Extragradient", "OptimisticGD", "HeavyBall"]))
    options = {"momentum": sympy.Rational(-3, 10)} if name == "HeavyBall" else {}
    for p in [p for p in found if p.exact is not None][:1]:
        w = np.asarray(p.point, dtype=float)
        rule = getattr(gd.rules, name)("lr", **options)
        try:
            critical = float(gd.stability_region(o.subject.game, rule, at=list(p.exact), budget=5).critical("lr"))
        except gd.GandynError:
            continue
        norm = 1e-300 + float(np.linalg.norm(o.jacobian(w), 2))
        slack = 1e-6
        for share in (0.02, 0.3, 0.7, 0.97):
            if 0 < critical < np.inf and radius(o, name, share * critical, w) > 1 + slack:
                return f"{w} {name}: critical {critical}, radius {radius(o, name, share * critical, w)} at {share}"
        if np.isfinite(critical):
            for lr in (1.03 * critical,) if critical else (1e-3 / norm, 1e-2 / norm):
                if radius(o, name, lr, w) < 1 - slack:
                    return f"{w} {name}: critical {critical}, radius {radius(o, name, lr, w)} at {lr}"
        elif radius(o, name, 100 / norm, w) > 1 + slack:
            return f"{w} {name}: critical {critical}, radius {radius(o, name, 100 / norm, w)} at {100 / norm}"
    return None


def proofs(o: Oracle, rng: Any) -> str | None:
    """Starts in a proven basin come to the point, and the box has no other where it is proven unique."""
    found = [p for p in gd.fixed_points(o.subject.game, box=o.box, budget=10) if p.kind == "attracting"]
    name = str(rng.choice(["GDA", "AlternatingGD", "Extragradient", "OptimisticGD", "HeavyBall"]))
    for p in found[:1]:
        w = np.asarray(p.point, dtype=float)
        lr = float(rng.uniform(0.05, 0.5)) / float(np.linalg.norm(o.jacobian(w), 2))
        rule = getattr(gd.rules, name)(lr, **({"momentum": -0.3} if name == "HeavyBall" else {}))
        half = float(rng.uniform(0.1, 0.6)) * o.size
        box = np.stack([w - half, w + half], -1)
        told = gd.certify(o.subject.game, rule, at=w, box=box, effort=300, budget=10)
        if told.unique:
            shifted = dataclasses.replace(o.subject, box=tuple(map(tuple, box)))
            others = zeros(Oracle(shifted), rng, 500)
            if (np.abs(others - w).max(-1) > 1e-4 * half).any():
                return f"{w} {rule}: unique in {box.tolist()}, and there are {others.tolist()}"
        if told.attracting and (r := radius(o, name, lr, w)) > 1 + 1e-6:
            return f"{w} {rule}: attracting, and the spectral radius is {r}"
        if told.basin_radius > 0:
            starts = rng.normal(size=(60, len(w)))
            starts *= told.basin_radius / np.linalg.norm(starts, axis=-1, keepdims=True)
            starts *= rng.choice([0.999, 0.8], size=(60, 1))
            step, _ = step_of(o, name, lr)
            for w0 in w + starts:
                z = np.concatenate([w0, lr * o.field(w0)]) if name == "OptimisticGD" else w0
                z = np.concatenate([z, np.zeros(len(w))]) if name == "HeavyBall" else z
                for _ in range(3000):
                    z = step(z)
                if not np.abs(z[: len(w)] - w).max() < 0.5 * np.abs(w0 - w).max():
                    return f"{w} {rule}: basin {told.basin_radius}, and from {w0} it is at {z} after 3000 steps"
    return None


def gaps(o: Oracle, rng: Any) -> str | None:
    """A finer and finer grid of answers gains no more than the upper end, and where exact no less than the value."""
    w = np.asarray([float(v) for v in o.subject.point])
    try:
        told = gd.duality_gap(o.subject.game, w, "box", box=o.box, budget=10)
    except gd.GandynError:
        return None  # nothing feasible lies in the box
    low, high = (float(told.interval[k]) for k in (0, 1))
    ends = o.box.copy()
    if isinstance(o.subject.game.projection, Box):
        ends = np.stack([o.project(o.box[:, 0]), o.project(o.box[:, 1])], -1)
    gained = 0.0
    with np.errstate(all="ignore"):
        for i, size in enumerate(o.sizes):
            first = sum(o.sizes[:i])
            own = slice(first, first + size)
            a, b = ends[own].T
            best, centre = -np.inf, None
            for _ in range(40):
                count = 4001 if size == 1 else 121
                axes = [np.linspace(x, y, count) for x, y in zip(a, b, strict=True)]
                answers = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, size)
                z = np.repeat(w[None], len(answers), 0)
                z[:, own] = answers
                gain = o.costs(w)[i] - o.costs(z)[:, i]
                gain[~np.isfinite(gain)] = -np.inf
                if gain.max() >= best:
                    best, centre = float(gain.max()), answers[int(gain.argmax())]
                width = (b - a) * (0.02 if size == 1 else 0.1)
                a, b = np.maximum(ends[own, 0], centre - width), np.minimum(ends[own, 1], centre + width)
                if (b - a).max() < 1e-13 * o.size:
                    break
            gained += max(best, 0.0)
    scale = 1e-300 + np.abs(o.costs(w)).max() + abs(gained)
    if gained > high + 1e-12 * scale:
        return f"at {w} in {ends.tolist()}: {told.kind} in [{low}, {high}], and the players gain {gained}"
    if told.kind == "exact" and gained < low - 1e-9 * scale:
        return f"at {w} in {ends.tolist()}: {told.kind} {low}, and a grid gains {gained}"
    return None


def cycles(o: Oracle, rng: Any) -> str | None:
    """What long runs of the flow, forward and backward, go round is listed where the list is complete."""
    if len(o.box) != 2 or o.subject.game.constrained:
        return None
    told = gd.limit_cycles(o.subject.game, o.box, budget=20)
    low, high = o.box.T
    w = rng.uniform(low, high, (200, 2))
    speed = np.linalg.norm(o.field(w), axis=-1)
    dt = 0.01 * o.size / max(np.percentile(speed, 90), 1e-300)
    for sign in (-1.0, 1.0):
        orbit = follow(o, w[:12], sign * dt, 40000, 40000)
        for path in np.moveaxis(orbit, 1, 0):
            if not np.isfinite(path).all() or not ((path >= low) & (path <= high)).all():
                continue
            extent = np.ptp(path, axis=0)
            if extent.min() < 0.03 * o.size:
                continue
            half = len(path) // 2
            if np.abs(np.ptp(path[:half], axis=0) - np.ptp(path[half:], axis=0)).max() > 1e-4 * o.size:
                continue
            inner = follow(o, (path.mean(0) + 0.97 * (path[-1] - path.mean(0)))[None], sign * dt, 40000, 40000)[:, 0]
            if np.abs(np.ptp(inner, axis=0) - extent).max() > 1e-3 * o.size:
                continue  # does not attract: a centre
            listed = [c for c in told if np.abs(np.ptp(c.points, axis=0) - extent).max() < 0.02 * o.size]
            if not listed and told.complete:
                return f"a cycle of extent {extent} about {path.mean(0)} ({sign}), and listed {told}: {told.reason}"
            if not listed:
                return f"missed, said to be incomplete: {extent} about {path.mean(0)} ({sign}): {told.reason}"
    for c in told:
        path = np.asarray(c.points)
        end = follow(o, path[:1], -c.period / 4000, 4000, 1)[-1, 0]
        if max(np.abs(c.multipliers)) < 30 and np.abs(end - path[0]).max() > 1e-3 * o.size:
            return f"a cycle of period {c.period} through {path[0]} is at {end} after it"
    return None


def basin_runs(o: Oracle, rng: Any) -> str | None:
    """Where a plain loop takes a start is where its label says."""
    w = rng.uniform(*o.box.T, (40, len(o.box)))
    norm = float(np.median(np.linalg.norm(o.jacobian(w), axis=(-2, -1)))) + 1e-300
    lr = float(rng.uniform(0.02, 0.3)) / norm
    told = gd.basins(o.subject.game, gd.rules.GDA(lr), w, 3000, box=o.box, budget=20)
    end, beside = run(o, w, lr, 5000), run(o, w * (1 + 1e-13), lr, 5000)
    later = run(o, end, lr, 97)
    size = o.size
    for k, label in enumerate(told.labels):
        if (
            not np.abs(end[k] - beside[k]).max() < 1e-3 * size
            and np.isfinite(end[k]).any() | np.isfinite(beside[k]).any()
        ):
            continue  # rounding decides where it ends
        if label >= 0 and not np.abs(end[k] - told.attractors[label]).max() < 2e-3 * size:
            return f"lr {lr}: {w[k]} is said to reach {told.attractors[label]} and is at {end[k]}"
        if label == gd.analysis.long_run.basins.DIVERGED and np.isfinite(end[k]).all():
            return f"lr {lr}: {w[k]} is said to diverge and is at {end[k]}"
        settled = np.isfinite(end[k]).all() and np.abs(later[k] - end[k]).max() < 1e-12 * size
        inside = settled and ((end[k] > o.box[:, 0]) & (end[k] < o.box[:, 1])).all()
        if label == gd.analysis.long_run.basins.CYCLING and settled:
            return f"lr {lr}: {w[k]} is said to cycle and rests at {end[k]}"
        if label == gd.analysis.long_run.basins.LEFT and inside:
            return f"lr {lr}: {w[k]} is said to leave and rests at {end[k]}"
    return None


QUESTIONS: dict[str, tuple[Callable[[Oracle, Any], str | None], tuple[str, ...]]] = {
    "solutions": (solutions, (*SMOOTH, "kinked", "boxed", "simplices")),
    "proofs": (proofs, SMOOTH),
    "gaps": (gaps, (*SMOOTH, "kinked", "boxed")),
    "cycles": (cycles, ("polynomial", "transcendental", "orbiting", "orbiting")),
    "basins": (basin_runs, (*SMOOTH, "kinked", "boxed", "simplices")),
}


def scaled(one: Subject, rng: Any) -> Subject:
    """The subject in other units and elsewhere, each coordinate its own, where it has no constraints."""
    if one.game.constrained or rng.random() < 0.6:
        return one
    game, d = one.game, one.game.dim
    unit = [sympy.Rational(10) ** int(k) for k in rng.integers(-3, 4, size=d)]
    shift = [sympy.Integer(int(k)) * u for k, u in zip(rng.integers(-30, 31, size=d), unit, strict=True)]
    into = {s: (s - c) / u for s, c, u in zip(game.symbols, shift, unit, strict=True)}
    cost = sympy.Rational(10) ** int(rng.integers(-6, 7))
    blocks = {p.name: list(game.symbols[b]) for p, b in zip(game.players, game.slices, strict=True)}
    made = gd.games.from_sympy([cost * e.xreplace(into) for e in game.exprs], blocks, name=game.name)
    moved = [(u, c) for u, c in zip(unit, shift, strict=True)]
    box = tuple((a * u + c, b * u + c) for (a, b), (u, c) in zip(one.box, moved, strict=True))
    point = tuple(p * u + c for p, (u, c) in zip(one.point, moved, strict=True))
    return Subject(f"scaled {one.family}", made, box, point)


def refuted(question: str, rng: Any) -> tuple[str, str | None]:
    """What was asked, and a counterexample to the answer, if there is one."""
    check, families = QUESTIONS[question]
    one = subject(rng, str(rng.choice(families)))
    one = scaled(one, rng) if question in {"gaps", "solutions"} else one
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return f"{question} of {one}", check(Oracle(one), rng)
