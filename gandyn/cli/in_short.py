"""How the page of `gandyn analyze` opens: the verdict in one line, and in another what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import DomainError, GandynError
from .section_text import interval
from .sections import Section, Subject

if TYPE_CHECKING:
    from ..analysis.local.linearization import Linearization
    from ..analysis.parameters.fates import Stretch

MOST_COORDINATES = 6
FATES = 2.0  # seconds for the fate at each interval of a free parameter
UNKNOWN = "the linear part says nothing of it: run it, with gd.iterate"
Steps = dict[str, tuple[float, float] | None]  # by rule, the ends of an interval of steps


def verdict_section(subject: Subject) -> Section:
    """The opening's first line: the verdict, its measure, and how fast it turns."""
    section = Section("In short")
    verdict = _verdict(subject.lin)
    if subject.lin.exact is not None and subject.lin.exact.parameters:
        verdict = _by_parameter(subject) or verdict
    section.add("in short", verdict)
    section.data = {"in_short": {"verdict": verdict}}
    return section


def add_advice(section: Section, subject: Subject, stability: dict[str, Any] | None, others: Steps) -> None:
    """The opening's second line: what to do.

    Args:
        section: the opening, which gets the entry.
        subject: what is analysed.
        stability: the data of the section on stable steps, where it was computed.
        others: the first interval of steps of other rules that attract at the point, by name; None if no step does.
    """
    advice = _advice(subject, stability or {}, others)
    section.add("what to do", advice)
    section.data["in_short"] |= {"advice": advice, "stable_steps_of_others": others}


def _verdict(lin: Linearization) -> str:
    name = lin.worded(lin.fate)
    if lin.numeric is None or lin.obstacle or not lin.equilibrium or name == "undecided":
        return f"{name}: {lin.reason}"
    flow = lin.rule is None
    measure = f"spectral abscissa {lin.spectral_abscissa:.6g}" if flow else f"spectral radius {lin.spectral_radius:.7g}"
    if not lin.symbols:  # a corner of the feasible set, at which every bound presses
        measure = "at a corner that no direction leads away from"
    if lin.rotation_number > 1e-9:
        measure += f", {1 / lin.rotation_number:.3g} {'units of time' if flow else 'steps'} per turn"
    return f"{name}, {measure}"


def _by_parameter(subject: Subject) -> str:
    """The verdict for each interval of the one free parameter; "" where that is not found."""
    from ..analysis.parameters.fates import fates

    try:
        found = fates(subject.game, subject.rule, subject.place, FATES)
    except (GandynError, ArithmeticError):
        return ""
    name = str(subject.lin.exact.parameters[0])
    parts = []
    for one in found:
        where = interval(name, float(one.low), float(one.high))
        parts.append(f"{subject.lin.worded(one.verdict)} for {where}{_further(one, name)}")
    return ", ".join(parts)


def _further(one: Stretch, name: str) -> str:
    """The fate in an interval where the verdict is marginal, or the fates at the values that were looked at."""
    if one.fate == one.verdict:
        return ""
    if one.throughout:
        return f" ({one.fate})"
    values: dict[str, list[str]] = {}
    for value, fate in one.looked:
        values.setdefault(fate, []).append(str(value))
    told = (f"{fate} at {name} = {', '.join(at)}" for fate, at in values.items())
    return f" (by terms beyond the linear part {' and '.join(told)}; no other value was tried)"


def _advice(subject: Subject, stability: dict[str, Any], others: Steps) -> str:
    lin = subject.lin
    if not lin.equilibrium:
        return "give an equilibrium with --at, or leave --at out: a known one is taken, or one is looked for"
    if lin.verdict.value == "attracting" and subject.rule is None:
        return f"small enough steps of any rule that follows the flow attract{_reach(lin)}: name one with --rule"
    own, reach = stability.get("intervals") or [], _reach(lin)
    if own:
        words = [_steps(*interval) for interval in own]
        best = stability.get("best")
        found = f"; the fastest is {best['value']:.6g}, of radius {best['measure']:.6g}" if best else ""
        return f"{' or '.join(words)} attract{reach}{found}".replace("any step attract", "every step attracts")
    critical = (stability.get("critical") or {}).get("value") or 0.0
    if stability.get("kind") == "numeric" and critical > 0:
        return f"{_steps(0, critical)} attract{reach}, as far as a bisection shows"
    if lin.fate == "attracting" and subject.rule is not None:
        return "nothing: it converges from nearby"
    if lin.fate == "attracting to a set of equilibria":
        return "nothing: from nearby it converges, each start to its own point of the set"
    would = [f"{name} with {_steps(*interval)}" for name, interval in others.items() if interval]
    none, elsewhere = _none(subject, stability), "" if subject.game.quadratic else " locally"
    if would and none == UNKNOWN:
        return f"{none}; {' and '.join(would)} attract{'s' if len(would) == 1 else ''}{elsewhere}"
    if would:
        return f"{none}; {' or '.join(would)} would{elsewhere}"
    if others:
        first = " to first order" if elsewhere else ""
        return (
            f"{none}, and no step of {' or '.join(others)} attracts{first}; other points: gd.fixed_points, or --global"
        )
    return none


def _reach(lin: Linearization) -> str:
    """Which starts a linear part speaks of: of an affine dynamics, all."""
    return "" if lin.describes_all else " locally"


def _steps(low: float, high: float) -> str:
    """An open interval of steps in words."""
    return interval("steps", low, high).replace("every steps", "any step")


def _none(subject: Subject, stability: dict[str, Any]) -> str:
    """That what was asked for does not attract, in as many words as were proved."""
    if subject.rule is None:
        return _no_flow(str(subject.lin.fate))
    free = subject.lin.exact is not None and bool(subject.lin.exact.parameters)
    limit = subject.lin.counted and subject.lin.fate == "marginal"
    if limit or subject.lin.obstacle or (subject.lin.fate == "undecided" and not free):
        return UNKNOWN
    first = " to first order" if _reach(subject.lin) else ""
    if stability.get("never") or stability.get("intervals") == []:
        return f"no step of it attracts{first}"
    if free and (stability.get("critical") or {}).get("value") != 0:
        return "give the free parameters values, or read the conditions below"
    if (stability.get("critical") or {}).get("value") == 0:
        return f"no small step of it attracts{first}"
    return (
        "the flow attracts locally: try smaller steps"
        if _flow_attracts(subject)
        else "try another step, or another rule"
    )


def _no_flow(fate: str) -> str:
    """What is known of a flow whose linear part does not attract."""
    if fate == "attracting":
        return "the flow is attracted by non-linear terms alone, near the point and slower than any exponential"
    if fate in ("marginal", "undecided"):
        return "whether the flow is attracted is open: run it, with gd.flow"
    return "the flow is not attracted"


def _flow_attracts(subject: Subject) -> bool:
    from ..analysis.local.linearize import linearize

    try:
        return linearize(subject.game, at=subject.place).fate == "attracting"
    except GandynError:
        return False


def other_rules(subject: Subject) -> Steps:
    """The first steps with which optimistic and extragradient steps attract, by name. Raises DomainError if unknown."""
    from .. import rules
    from ..analysis.parameters.stability import stability_region

    if subject.game.dim > MOST_COORDINATES or not subject.game.symbolic or subject.game.parameters:
        raise DomainError("other rules are tried on small games given by expressions, without free parameters")
    found: Steps = {}
    for rule in (rules.OptimisticGD("lr"), rules.Extragradient("lr")):
        if subject.rule is not None and rule.name == subject.rule.name:
            continue
        intervals = stability_region(subject.game, rule, ("lr",), subject.place).intervals("lr")
        found[rule.name] = (float(intervals[0][0]), float(intervals[0][1])) if intervals else None
    return found
