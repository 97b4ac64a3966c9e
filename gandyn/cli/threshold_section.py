"""The critical step by bisection: the section on stable steps where the exact conditions take too long."""

from __future__ import annotations

from typing import Any

from ..errors import DomainError
from .section_text import both
from .sections import Section, Subject

PROOF_SECONDS = 1.0


def threshold_section(subject: Subject) -> Section:
    """The end of the interval of attracting steps that begins at 0, as a number, and what is proved of it.

    Raises:
        DomainError: for the flow, with several free parameters, on a constrained game, and without exact derivatives;
            for a number that is not proved where the rule's own step does not attract.
    """
    from ..analysis.backward_error.expansion import in_proportion
    from ..analysis.local.linearize import linearize
    from ..analysis.parameters.crossing import crossing
    from ..analysis.parameters.freed import symbols_of

    if subject.rule is None or subject.game.constrained:
        raise DomainError("the threshold of a step is bisected for a rule on a game without constraints")
    rule = in_proportion(subject.game, subject.rule)
    free = sorted({*symbols_of(rule), *subject.game.parameters}, key=str)
    exact = linearize(subject.game, rule, at=subject.place).exact if len(free) == 1 else None
    if exact is None:
        raise DomainError("the threshold is bisected for one free parameter, where derivatives are exact")
    found, name = crossing(exact, free[0], PROOF_SECONDS), str(free[0])
    if found.bracket is None and str(subject.lin.verdict.value) != "attracting":
        raise DomainError("a threshold that is neither proved nor supported by a step that attracts")
    section = Section("Stable steps")
    section.add(f"critical {name}", both(found.value))
    section.add("how it is known", str(found))
    section.add("exact conditions", "take longer than this page has; --all prints them")
    section.data = {
        "stability": {"conditions": [], "never": False, "kind": "numeric", "critical": _critical(name, found)}
    }
    return section


def _critical(name: str, found: Any) -> dict[str, Any]:
    """The value, and the fractions between which it was proved to lie."""
    bracket = None if found.bracket is None else [float(end) for end in found.bracket]
    return {"parameter": name, "exact": None, "value": float(found.value), "bracket": bracket}
