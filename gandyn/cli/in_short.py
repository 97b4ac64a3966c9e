"""How the page of `gandyn analyze` opens: the verdict in one line, and in another what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import DomainError
from .sections import Section, Subject

if TYPE_CHECKING:
    from ..analysis.local.linearization import Linearization

MOST_COORDINATES = 6


def verdict_section(subject: Subject) -> Section:
    """The opening's first line: the verdict, its measure, and how fast it turns."""
    section = Section("In short")
    verdict = _verdict(subject.lin)
    section.add("in short", verdict)
    section.data = {"in_short": {"verdict": verdict}}
    return section


def add_advice(section: Section, subject: Subject, stability: dict[str, Any] | None, others: dict[str, float]) -> None:
    """The opening's second line: what to do.

    Args:
        section: the opening, which gets the entry.
        subject: what is analysed.
        stability: the data of the section on stable steps, where it was computed.
        others: critical steps of other rules at the same point, by name; those that attract for no step have 0.
    """
    advice = _advice(subject, stability or {}, others)
    section.add("what to do", advice)
    section.data["in_short"] |= {"advice": advice, "critical_steps_of_others": others}


def _verdict(lin: Linearization) -> str:
    name = str(lin.fate)
    if lin.numeric is None or lin.obstacle or not lin.equilibrium:
        return f"{name}: {lin.reason}"
    flow = lin.rule is None
    measure = f"spectral abscissa {lin.spectral_abscissa:.6g}" if flow else f"spectral radius {lin.spectral_radius:.7g}"
    turning = f", {1 / lin.rotation_number:.3g} {'units of time' if flow else 'steps'} per turn" if _turns(lin) else ""
    return f"{name}, {measure}{turning}"


def _turns(lin: Linearization) -> bool:
    return bool(lin.rotation_number > 1e-9)


def _advice(subject: Subject, stability: dict[str, Any], others: dict[str, float]) -> str:
    lin = subject.lin
    attracting = lin.fate == "attracting"
    if not lin.equilibrium:
        return "give an equilibrium with --at; without it, a known or found one is taken"
    if lin.verdict.value == "attracting" and subject.rule is None:
        return "small enough steps of any rule that follows the flow attract: name one with --rule"
    critical = stability.get("critical")
    if critical is not None and critical["value"] > 0:
        end = f"{critical['value']:.6g}" if critical["value"] != float("inf") else "any size"
        keep = f"steps below {end} attract" if end != "any size" else "every step attracts"
        best = stability.get("best")
        found = f"; the fastest is {best['value']:.6g}, of radius {best['measure']:.6g}" if best else ""
        return keep + found
    if attracting and subject.rule is not None:
        return "nothing: it converges from nearby"
    would = [
        f"{name} would below {end:.6g}" if end != float("inf") else f"{name} would, with any step"
        for name, end in others.items()
        if end > 0
    ]
    none = _none(stability)
    if subject.rule is None:
        slowly = "the flow is attracted by non-linear terms alone, slower than any exponential"
        none = slowly if attracting else "the flow is not attracted"
    if would:
        return f"{none}; {' and '.join(would)}"
    return f"{none}; neither do small steps of {' or '.join(others)}" if others else none


def _none(stability: dict[str, Any]) -> str:
    if stability.get("never"):
        return "no step of it attracts"
    short = (stability.get("critical") or {}).get("value") == 0
    return "no short step of it attracts" if short else "try another step"


def other_rules(subject: Subject) -> dict[str, float]:
    """Critical steps of optimistic and extragradient steps at the point, by name.

    Raises:
        DomainError: for games that are too large, or not given by expressions.
    """
    from .. import rules
    from ..analysis.parameters.stability import stability_region

    if subject.game.dim > MOST_COORDINATES or not subject.game.symbolic or subject.game.parameters:
        raise DomainError("other rules are tried on small games given by expressions, without free parameters")
    found = {}
    for rule in (rules.OptimisticGD("lr"), rules.Extragradient("lr")):
        if subject.rule is not None and rule.name == subject.rule.name:
            continue
        region = stability_region(subject.game, rule, ("lr",), subject.place)
        found[rule.name] = 0.0 if region.never else float(region.critical("lr"))
    return found
