"""What a claim is: a published statement with hypotheses, a conclusion, and examples where it stops being true."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Callable, Mapping
from typing import Any

from ..errors import ParameterError
from ..registry import Entry, Registry

Draw = Mapping[str, Any]
registry = Registry("claim")


class How(enum.StrEnum):
    """By what a verdict is reached. The value is its own message."""

    PROVED = "proved symbolically"
    CERTIFIED = "certified by ball arithmetic"
    WORST_CASE = "worst case by performance estimation"
    PROPERTY = "property-tested"
    REPRODUCED = "reproduced numerically"


class Verdict(enum.StrEnum):
    """What we find of a statement. The value is its own message."""

    HOLDS = "holds"
    CORRECTED = "holds with a correction"
    REFUTED = "refuted"
    OPEN = "open"


@dataclasses.dataclass(frozen=True)
class Evidence:
    """The outcome of a conclusion on one draw: whether it held, and the numbers that say so.

    Attributes:
        holds: whether the statement was true there.
        detail: what was computed and compared, for a person.
    """

    holds: bool
    detail: str = ""

    def __bool__(self) -> bool:
        return bool(self.holds)


@dataclasses.dataclass(frozen=True)
class Outside:
    """One example just outside the hypotheses (of a refuted statement: inside them), where the conclusion fails.

    Attributes:
        why: which hypothesis it lacks.
        draw: makes the arguments of the conclusion.
    """

    why: str
    draw: Callable[[], Draw]


@dataclasses.dataclass(frozen=True)
class Mutant:
    """A small wrong change of the code that a claim speaks of: with it, the claim must fail.

    Attributes:
        file: inside the package, "rules/gradient.py". find: text that occurs there. replace: what stands there instead.
    """

    file: str
    find: str
    replace: str


@dataclasses.dataclass(frozen=True)
class Claim:
    """A convergence statement as a tested object.

    Attributes:
        name: "paper.what", unique.
        statement: in words, with its hypotheses. latex: the formula at its heart.
        source: to the theorem, equation or figure.
        how: by what it is established here. verdict: what comes out.
        conclusion: draw -> Evidence (or a bool).
        hypotheses: makes a Hypothesis strategy of draws, dicts that the conclusion takes as keyword arguments; None for
            one fixed instance.
        where: what else a draw must satisfy; draws without it are counted as rejected.
        outside: examples where the conclusion fails.
        mutants: changes of the code that the claim must notice.
        correction: what had to be changed in the published statement, and how we know.
        draws: how many are tried.
    """

    name: str
    statement: str
    latex: str
    source: str
    how: How
    conclusion: Callable[..., Evidence | bool]
    verdict: Verdict = Verdict.HOLDS
    hypotheses: Callable[[], Any] | None = None
    where: Callable[..., bool] | None = None
    outside: tuple[Outside, ...] = ()
    mutants: tuple[Mutant, ...] = ()
    correction: str = ""
    draws: int = 50

    def __post_init__(self) -> None:
        if self.verdict is not Verdict.OPEN and not self.outside:
            raise ParameterError(
                f"the claim {self.name} without an example where it fails", "outside=(Outside(...),)", "add one"
            )
        if (self.verdict is Verdict.CORRECTED) != bool(self.correction):
            raise ParameterError(
                f"the claim {self.name}, {self.verdict}, with the correction {self.correction!r}",
                "a correction exactly where the verdict says so",
                "state it, or change the verdict",
            )

    @property
    def paper(self) -> str:
        """The paper's key: what stands before the dot."""
        return self.name.partition(".")[0]


def register(claim: Claim) -> Claim:
    """List a claim under its name."""
    registry.add(Entry(claim.name, lambda: claim))
    return claim
