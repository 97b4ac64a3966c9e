"""The sections of `gandyn analyze --global`: what lies around the point, and what happens far from the linear part."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..errors import DomainError
from .sections import Section, Subject

if TYPE_CHECKING:
    from ..analysis.long_run.lyapunov_exponents import LyapunovExponents

REACH = 3.0
MOST = 12
OFFSET = 0.5
SPAN = 10.0
MAP_STEPS, FLOW_STEPS = 3000, 200


def around_section(subject: Subject) -> Section:
    """All equilibria and, in the plane, the flow's limit cycles in a box about the point."""
    from ..analysis.closed_orbits.cycles import limit_cycles
    from ..analysis.zeros.fixed_points import fixed_points

    section, game = Section(f"Around it, within {REACH:g}"), subject.game
    box = _box(subject)
    points = fixed_points(game, box=box)
    rows = [", on ".join([_shown(p.point), *p.active]) for p in points[:MOST]] or ["none found"]
    section.add("equilibria", *rows, *_more(points))
    section.add("these are all" if points.complete else "perhaps not all", points.reason)
    cycles: Any = []
    if game.dim == 2:
        try:
            cycles = limit_cycles(game, box)
        except DomainError as error:
            section.add("cycles of the flow", f"not searched for: {error.given}")
        else:
            rows = [f"{_kind(c)}, period {c.period:.8g}" for c in cycles[:MOST]]
            section.add("cycles of the flow", *(rows or ["none found"]), *_more(cycles))
            section.add("all the cycles" if cycles.complete else "perhaps not all", cycles.reason)
    section.data = {
        "global": {
            "equilibria": [[float(x) for x in p.point] for p in points],
            "cycles": [{"period": float(c.period), "stable": bool(c.stable)} for c in cycles],
        }
    }
    return section


def circles_section(subject: Subject) -> Section:
    """What the rule makes of the flow's cycles: invariant circles and periodic orbits of its map."""
    from ..analysis.closed_orbits.closed_orbit import InvariantCircle
    from ..analysis.closed_orbits.cycles import limit_cycles

    section, game = Section("Closed orbits of the rule"), subject.game
    if subject.rule is None or game.dim != 2:
        raise DomainError("circles are searched for under a rule, in games of two coordinates")
    found = limit_cycles(game, _box(subject), subject.rule)
    circles = [c for c in found if isinstance(c, InvariantCircle)]
    orbits = Counter(f"{_kind(c)}, period {c.period}" for c in found if not isinstance(c, InvariantCircle))
    rows = [
        f"{_kind(c)}, rotation number {c.rotation_number:.8g}, {1 / c.rotation_number:.6g} steps per turn"
        for c in circles[:MOST]
    ]
    section.add("invariant circles", *(rows or ["none found"]), *_more(circles))
    section.add("periodic orbits", *(row if n == 1 else f"{row}: {n} of them" for row, n in orbits.items()))
    section.data = {
        "closed_orbits": [
            {"circle": isinstance(c, InvariantCircle), "period": float(c.period), "stable": bool(c.stable)}
            for c in found
        ]
    }
    return section


def bifurcation_section(subject: Subject) -> Section:
    """Where the picture changes as all step sizes grow together."""
    import numpy as np

    from ..analysis.backward_error.expansion import STEP, in_proportion, step_sizes
    from ..analysis.parameters.bifurcation import bifurcation

    if subject.rule is None:
        raise DomainError("a flow has no step to vary")
    lr = step_sizes(subject.game, subject.rule)[0]
    if getattr(lr, "free_symbols", ()):
        raise DomainError("the step has no value around which to vary it")
    low, high = float(lr) / SPAN, float(lr) * SPAN
    found = bifurcation(
        subject.game,
        in_proportion(subject.game, subject.rule),
        str(STEP),
        np.linspace(low, high, 60),
        at=[float(x) for x in subject.lin.at],
    )
    section = Section(f"Bifurcations, lr from {low:.6g} to {high:.6g}")
    for point in found.points:
        name = f"{point.criticality} {point.kind}" if point.criticality else str(point.kind)
        section.add(f"lr = {point.parameter:.8g}", f"{name} at {_shown(point.point)}: {point.reason}")
    if not found.points:
        section.add("bifurcations", "none found")
    section.add("note", *found.notes)
    section.data = {
        "bifurcations": [
            {"lr": p.parameter, "kind": str(p.kind), "criticality": p.criticality, "coefficient": p.coefficient,
             "point": [float(x) for x in p.point]}
            for p in found.points
        ]
    }  # fmt: skip
    return section


def exponents_section(subject: Subject) -> Section:
    """Lyapunov exponents along the orbit of a start near the point: what kind of motion it settles to."""
    from ..analysis.long_run.lyapunov_exponents import lyapunov_exponents

    if subject.game.constrained:
        raise DomainError("the orbit would leave the constraints of this game")
    start = [float(x) + OFFSET for x in subject.lin.at]
    steps, settle = (FLOW_STEPS, FLOW_STEPS // 2) if subject.rule is None else (MAP_STEPS, MAP_STEPS // 3)
    section = Section(f"An orbit, from {_shown(start)}")
    found = lyapunov_exponents(subject.game, subject.rule, start, steps=steps, settle=settle)
    if found.status.startswith(("diverged", "stalled")):
        section.add("Lyapunov exponents", "none: the orbit overflows")
        section.data = {"lyapunov_exponents": None}
        return section
    unit = "unit of time" if subject.rule is None else "step"
    pairs = zip(found.exponents, found.band, strict=True)
    section.add("Lyapunov exponents", *(f"{e:.6g} +- {b:.1g} per {unit}" for e, b in pairs))
    section.add("so", _motion(found))
    section.data = {"lyapunov_exponents": found.to_dict()}
    return section


def certificate_section(subject: Subject) -> Section:
    """A proof by ball arithmetic, with a basin; or what could not be proven."""
    from ..analysis.certificates.certify import certify

    section = Section("Certificate, by ball arithmetic")
    if not all(isinstance(x, float) for x in subject.lin.at):
        raise DomainError("a point with a free parameter")
    found = certify(subject.game, subject.rule, subject.place)
    place = " x ".join(f"[{low:.6g}, {high:.6g}]" for low, high in found.box)
    if found.proven:
        section.add("proven", f"attracts, and is the only equilibrium in {place}")
    else:
        section.add("not proven", str(found.failure))
    if found.basin_radius:
        section.add("proven basin", f"every start within {found.basin_radius:.6g} of it converges to it")
    section.data = {"certificate": found.to_dict()}
    return section


GLOBAL: dict[Callable[[Subject], Section], tuple[str, ...]] = {
    around_section: ("global",),
    circles_section: ("closed_orbits",),
    bifurcation_section: ("bifurcations",),
    exponents_section: ("lyapunov_exponents",),
    certificate_section: ("certificate",),
}


def _box(subject: Subject) -> list[tuple[float, float]]:
    return [(float(x) - REACH, float(x) + REACH) for x in subject.lin.at]


def _shown(point: Any) -> str:
    return f"({', '.join(f'{float(x) + 0.0:.6g}' for x in point)})"


def _more(found: Any) -> list[str]:
    return [f"and {len(found) - MOST} more"] if len(found) > MOST else []


def _kind(closed: Any) -> str:
    """What an orbit is to its neighbours: attracting, repelling or a saddle."""
    return "attracting" if closed.stable else "saddle" if min(abs(m) for m in closed.multipliers) < 1 else "repelling"


def _motion(found: LyapunovExponents) -> str:
    """What the largest exponent says."""
    if found.largest < -found.band[0]:
        return "nearby orbits meet: it settles"
    if found.chaotic:
        return "nearby orbits part: it is chaotic if it stays bounded, and escaping if not"
    return "0 lies in the band of the largest: a closed orbit, a centre, or undecided"
