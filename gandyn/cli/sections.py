"""The sections of `gandyn analyze`, each a function of the subject: one more is a function and two lines below."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from ..budget import Budget
from ..errors import DomainError, GandynError
from ..lazy import sympy
from .section_text import Formula, Rows, both, complex_text, interval, matrix_rows, number, readable

EXACT_SECONDS = 3
FEW = 8  # coordinates up to which they are named beside their player


@dataclasses.dataclass
class Section:
    """A titled part of the page: named entries of one or more rows, and the same content for JSON."""

    title: str
    entries: list[tuple[str, Rows]] = dataclasses.field(default_factory=list)
    data: dict[str, Any] = dataclasses.field(default_factory=dict)

    def add(self, name: str, *rows: object) -> None:
        """Append an entry with its rows; one without rows is left out."""
        if rows:
            self.entries.append((name, [row if isinstance(row, str) else str(row) for row in rows]))


@dataclasses.dataclass
class Subject:
    """What is analysed: game, rule (None for the flow), the exact point where it is known, the linearisation there.

    `stochastic` names the game that was asked for, where `game` is its mean. `drawn` is that game, and `noise` what is
    added to its field, for the section on noise.
    """

    game: Any
    rule: Any
    place: Any
    lin: Any
    stochastic: str = ""
    drawn: Any = None
    noise: Any = None


def game_section(subject: Subject) -> Section:
    """The section on the game: its players, costs, field and known equilibria."""
    game, section = subject.game, Section("Game")
    if subject.stochastic:
        section.add("stochastic", f"{subject.stochastic} draws batches; what follows is its mean game, {game.name}")
    section.add("players", f"{_players(game)}; {'zero-sum' if game.zero_sum else 'general-sum'}")
    if game.symbolic:
        costs = game.exprs[:1] if game.zero_sum else game.exprs
        names = ["f"] if game.zero_sum else [f"f_{p.name}" for p in game.players]
        section.add("costs", *(Formula(f"{n} = {e}") for n, e in zip(names, costs, strict=True)))
        section.add("field", *(Formula(f"v_{s} = {e}") for s, e in zip(game.symbols, game.field_exprs, strict=True)))
    known = [f"({', '.join(map(str, p))})" for p in game.equilibria]
    section.add("equilibria", *known)
    section.data = {
        "players": {player.name: player.size for player in game.players},
        "zero_sum": game.zero_sum,
        "costs": [str(e) for e in game.exprs],
        "field": [str(e) for e in game.field_exprs],
        "equilibria": [[str(x) for x in p] for p in game.equilibria],
    }
    return section


def _players(game: Any) -> str:
    """Each player, with the coordinates that it moves where they are few, otherwise their number."""
    if not game.symbolic or game.dim > FEW:
        return ", ".join(f"{p.name} ({p.size})" for p in game.players)
    blocks = [", ".join(map(str, game.symbols[block])) for block in game.slices]
    return ", ".join(f"{p.name} moves {block}" for p, block in zip(game.players, blocks, strict=True))


def dynamics_section(subject: Subject) -> Section:
    """The section on the dynamics: the rule's update map, or the flow's equation."""
    section = Section("Dynamics")
    section.add("dynamics", "gradient flow, dw/dt = -v(w)" if subject.rule is None else repr(subject.rule))
    return section


def map_section(subject: Subject) -> Section:
    """The update map, one expression a coordinate of the augmented state."""
    from ..dynamics.trace import update_map

    section = Section("Update map")
    if subject.rule is None:
        raise DomainError("a flow has no update map")
    traced = update_map(subject.game, subject.rule)
    table = {str(s): str(e) for s, e in zip(traced.symbols, traced.expression, strict=True)}
    section.add("map", *(Formula(f"{s}+ = {e}") for s, e in table.items()))
    section.data = {"map": table}
    return section


def linear_section(subject: Subject) -> Section:
    """Point, characteristic polynomial, eigenvalues, rate, rotation, verdict and why."""
    lin, section = subject.lin, Section("Linear part")
    section.add("point", f"({', '.join(number(x) for x in lin.at)})")
    if lin.constraints is not None:
        _bounds(section, lin.constraints)
    found = exact_parts(lin)
    _spectrum(section, lin, found)
    unit, units = ("unit of time", "units of time") if lin.rule is None else ("step", "steps")
    if lin.numeric is not None and not lin.obstacle:
        if lin.rate > 1e-14:
            section.add("rate", f"{lin.rate:.6g} per {unit}: errors shrink e-fold in {lin.e_folding_time:.6g} {units}")
        elif lin.rate < -1e-14:
            section.add("rate", f"{lin.rate:.6g} per {unit}: errors grow e-fold in {-1 / lin.rate:.6g} {units}")
        else:
            section.add("rate", "0: the linear part neither shrinks nor grows errors")
        if lin.rotation_number > 0:
            section.add("rotation", f"{1 / lin.rotation_number:.6g} {units} per turn")
    section.add("verdict", lin.worded(lin.fate))
    section.add("because", lin.reason)
    section.data = lin.to_dict()
    section.data["eigenvalues_exact"] = None if found is None else found[0]
    name = "spectral_abscissa_exact" if lin.rule is None else "spectral_radius_exact"
    section.data[name] = None if found is None else found[1]
    return section


def _bounds(section: Section, bounds: Any) -> None:
    """Which bounds are active at the point, and how hard they press."""
    found = bounds.to_dict()
    rows = [
        f"{name} at its {row['at']}, multiplier {row['multiplier']}" for name, row in found.get("active", {}).items()
    ]
    section.add("active bounds", *(rows or [found["obstacle"] or "none"]))
    if bounds.face is not None and bounds.face.dimension < bounds.face.set.dim:
        names = ", ".join(found_name for found_name in bounds.directions)
        section.add("free directions", names or "none: a corner")


def exact_parts(lin: Any) -> tuple[Rows, str | None] | None:
    """Exact eigenvalues and spectral radius or abscissa as text, where they have a closed form."""
    if lin.exact is None or lin.obstacle:
        return None

    def radicals() -> tuple[Rows, str | None]:
        measure = lin.exact.spectral_abscissa if lin.rule is None else lin.exact.spectral_radius
        return [str(e) for e in lin.exact.eigenvalues], str(measure)

    try:
        return Budget(EXACT_SECONDS).run(radicals, "exact eigenvalues")
    except (GandynError, NotImplementedError):  # the second is how SymPy says that it knows no way
        return None


def _spectrum(section: Section, lin: Any, found: tuple[Rows, str | None] | None) -> None:
    kind = "spectral abscissa" if lin.rule is None else "spectral radius"
    if lin.obstacle:
        section.add("eigenvalues", "none: the map has no derivative here")
        return
    if lin.exact is not None:
        section.add("char. polynomial", Formula(lin.exact.charpoly))
    if lin.numeric is None:
        if found is not None:
            section.add("eigenvalues", *found[0])
            section.add(kind, found[1] or "")
        return
    if found is None:
        shown = [complex_text(v) for v in lin.eigenvalues]
    else:
        pairs = [(e, complex(sympy.N(e))) for e in lin.exact.eigenvalues]
        pairs.sort(key=lambda p: (-(p[1].real if lin.rule is None else abs(p[1])), -p[1].imag))
        shown = [_both_complex(e, v) for e, v in pairs]
    section.add("eigenvalues", *shown)
    value = lin.spectral_abscissa if lin.rule is None else lin.spectral_radius
    text = found[1] if found and found[1] and readable(found[1]) else None
    section.add(kind, f"{value:.12g}" if text in (None, f"{value:.12g}") else f"{text}  =  {value:.12g}")


def _both_complex(exact: object, value: complex) -> str:
    """An exact eigenvalue and its decimals; the decimals alone where the exact form is long, but with --full."""
    decimals, both = complex_text(value), f"{exact}  =  {complex_text(value)}"
    return both if readable(str(exact)) else Formula(decimals, both)


def solution_section(subject: Subject) -> Section:
    """What kind of solution the point is, and what the field is made of there."""
    from ..analysis.local.decomposition import decompose
    from ..analysis.nash.classification import classify

    section = Section("The point as a solution")
    if not subject.lin.equilibrium or len(subject.game.parameters):
        raise DomainError("the point is no equilibrium, or a parameter of the game is free")
    found = classify(subject.game, subject.place)
    section.add("kind", found.label)
    section.add("local minimax", found.minimax)
    pairs = list(zip(subject.game.players, found.players, strict=True))
    section.add("own optima", *(f"{p.name}: {own.kind} ({own.reason})" for p, own in pairs))
    section.add("own Hessians", *(f"{p.name}: {own.hessian}" for p, own in pairs))
    parts = decompose(subject.game, subject.place if subject.place is not None else subject.lin.at)
    section.add("J = S + A", f"{parts.kind} at this point" if parts.kind != "mixed" else "mixed: neither part vanishes")
    if subject.game.dim <= 4:
        section.add("S (potential)", *matrix_rows(parts.S))
        section.add("A (Hamiltonian)", *matrix_rows(parts.A))
    section.data = {"classification": found.to_dict(), "decomposition": parts.to_dict()}
    return section


def stability_section(subject: Subject) -> Section:
    """Conditions on the step, its threshold and its best value."""
    from ..analysis.backward_error.expansion import in_proportion
    from ..analysis.parameters.freed import symbols_of
    from ..analysis.parameters.stability import stability_region

    section = Section("Stable steps")
    rule = None if subject.rule is None else in_proportion(subject.game, subject.rule)
    free = tuple(sorted({*map(str, symbols_of(rule)), *map(str, subject.game.parameters)}))
    if rule is None and not free:
        raise DomainError("a flow without free parameters has no step to choose")
    region = stability_region(subject.game, rule, free, subject.place)
    section.add("attracts where", *(Formula(c) for c in region.conditions if not region.never))
    data: dict[str, Any] = {"conditions": [str(c) for c in region.conditions], "never": region.never}
    names = [str(p) for p in region.parameters]
    if region.reason:
        section.add("attracts where", region.summary().splitlines()[-1])
        data["reason"] = region.reason
    elif region.never:
        section.add("stable steps", f"none: {region.why_never}")
    elif len(names) == 1:
        critical = region.critical(names[0])
        data["critical"] = {"parameter": names[0], "exact": str(critical), "value": float(critical)}
        section.add(f"critical {names[0]}", both(critical))
        found = region.intervals(names[0])
        data["intervals"] = [[float(low), float(high)] for low, high in found]
        if critical == 0 or len(found) > 1:
            section.add(f"stable {names[0]}", *([f"{both(low)} to {both(high)}" for low, high in found] or ["none"]))
        if critical != 0:
            value, radius = region.best(names[0])
            data["best"] = {"value": float(value), "measure": float(radius)}
            measure = "spectral radius" if rule is not None else "spectral abscissa"
            section.add(f"best {names[0]}", f"{both(value)}, with {measure} {both(radius)}")
    section.data = {"stability": data}
    return section


def time_scale_section(subject: Subject) -> Section:
    """For which tau the flow attracts, the second player moving tau times as fast."""
    from ..analysis.parameters.time_scale import attracting_time_scales

    section = Section("Two time scales")
    free = subject.game.parameters
    if free or len(subject.game.players) != 2:
        raise DomainError("time scales are compared in games of two players without free parameters")
    found = attracting_time_scales(subject.game, subject.place)
    name = subject.game.players[1].name
    section.add("of", f"the gradient flow in which {name} moves tau times as fast, by its linear part at this point")
    section.add(
        "flow attracts for", *([interval("tau", low, high, both) for low, high in found] or ["no tau to first order"])
    )
    critical = found[-1][0] if found and found[-1][1] == sympy.oo else sympy.oo
    section.data = {
        "critical_time_scale": {
            "exact": str(critical),
            "value": float(critical),
            "attracting": [[float(low), float(high)] for low, high in found],
        }
    }
    return section


def drift_section(subject: Subject) -> Section:
    """What finite steps add to the flow: first correction, drift of each player, the high-resolution equation."""
    from ..analysis.backward_error.drift_coefficients import drift
    from ..analysis.backward_error.high_resolution import high_resolution
    from ..analysis.backward_error.modified_flow import modified_flow

    section, data = Section("What finite steps add"), {}
    if subject.rule is None:
        raise DomainError("a flow takes no steps")
    try:
        flow = modified_flow(subject.game, subject.rule, order=1)
        symbols = subject.game.symbols
        section.add("first correction", *(Formula(f"c_{s} = {e}") for s, e in zip(symbols, flow.terms[1], strict=True)))
        data["modified_flow"] = flow.to_dict()["terms"]
    except DomainError as error:
        if "which has memory" not in error.given:
            raise
        equation = high_resolution(subject.game, subject.rule)
        section.add("as a flow", *map(Formula, equation.summary().splitlines()[1:]))
        data["high_resolution"] = equation.to_dict()
    try:
        found = drift(subject.game, subject.rule)
        section.add("drift per step", *(Formula(line.strip()) for line in found.summary().splitlines()[1:]))
        data["drift"] = found.to_dict()
    except DomainError as error:
        section.add("drift per step", f"not a penalty of known form: {error.given}")
        data["drift"] = None
    section.data = {"backward_error": data}
    return section


def conserved_section(subject: Subject) -> Section:
    """The section on conserved quantities: functions of w that the dynamics never change."""
    from ..analysis.conserved.quantities import conserved_quantities

    section = Section("Conserved quantities")
    found = conserved_quantities(subject.game, subject.rule)
    rows: Rows = [Formula(q.expression) for q in found]
    section.add("conserved", *(rows or ["none found among polynomials of low degree"]))
    section.data = {"conserved": [str(q.expression) for q in found]}
    return section


def lyapunov_section(subject: Subject) -> Section:
    """A quadratic function that falls along every step, verified exactly."""
    from ..analysis.certificates.lyapunov_function import lyapunov_function

    section = Section("Lyapunov function")
    if subject.lin.verdict.value != "attracting":
        raise DomainError("only an attracting point has one")
    bounds = subject.lin.constraints
    if bounds is not None and bounds.face.dimension < bounds.face.set.dim:
        raise DomainError(
            "a quadratic function of all coordinates says nothing of a point on the edge of the feasible set"
        )
    found = lyapunov_function(subject.game, subject.rule, subject.place)
    section.add("V", Formula(found.expression))
    section.add("verified", "exactly, for the linear part" if found.verified else "numerically only")
    section.data = {"lyapunov": found.to_dict()}
    return section


ALWAYS: tuple[Callable[[Subject], Section], ...] = (game_section, dynamics_section, linear_section)
SECTIONS: tuple[Callable[[Subject], Section], ...] = (
    map_section,
    solution_section,
    stability_section,
    drift_section,
    lyapunov_section,
    time_scale_section,
    conserved_section,
)
KEYS: dict[Callable[[Subject], Section], tuple[str, ...]] = {
    map_section: ("map",),
    solution_section: ("classification", "decomposition"),
    stability_section: ("stability",),
    time_scale_section: ("critical_time_scale",),
    drift_section: ("backward_error",),
    conserved_section: ("conserved",),
    lyapunov_section: ("lyapunov",),
}
