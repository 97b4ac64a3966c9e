"""What a claim is: a statement with hypotheses, a conclusion, whose it is, and examples where it stops being true."""

from __future__ import annotations

import dataclasses
import enum
import zlib
from collections.abc import Callable, Mapping
from typing import Any, Protocol, runtime_checkable

from ..errors import ParameterError
from ..registry import Entry, Registry

Draw = Mapping[str, Any]
registry = Registry("claim")


class How(enum.StrEnum):
    """By what a verdict is reached. The value is its own message."""

    PROVED = "proved symbolically"
    CERTIFIED = "certified by ball arithmetic"
    WORST_CASE = "worst case by performance estimation"
    INSTANCE = "checked on an instance"
    PROPERTY = "property-tested"
    REPRODUCED = "reproduced numerically"


class Verdict(enum.StrEnum):
    """What we find of a statement. The value is its own message."""

    HOLDS = "holds"
    CORRECTED = "holds with a correction"
    REFUTED = "refuted"
    REMARK = "a remark: false as it stands"
    OPEN = "open"


FALSE = (Verdict.REFUTED, Verdict.REMARK)


class Origin(enum.StrEnum):
    """Whose statement it is. The value is its own message."""

    PAPER = "the paper says it"
    SHARPENED = "the paper says so in other or weaker words; constants or cases derived here"
    DERIVED = "derived here, beside the paper"
    NOBODY = "nobody is quoted for it"


@dataclasses.dataclass(frozen=True)
class Evidence:
    """The outcome of a conclusion on one draw: whether it held, and the numbers that say so.

    Attributes:
        holds: whether the statement was true there.
        detail: what was computed and compared, for a person.
        applies: False where nothing could be compared (arrays of two shapes, polynomials of two degrees, no derivative
            at the point): then `holds` is False, but that says nothing about the statement.

    Raises:
        ParameterError: where `holds` is no truth value: None, a number, a text, an array, an undecided expression.
    """

    holds: bool
    detail: str = ""
    applies: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "holds", truth(self.holds) and self.applies)

    def __bool__(self) -> bool:
        return self.holds


def incomparable(detail: str) -> Evidence:
    """Neither true nor false: what was to be compared is not there."""
    return Evidence(False, detail, applies=False)


def truth(value: object) -> bool:
    """The truth value of a statement's answer.

    Raises:
        ParameterError: for None, numbers, texts, arrays and undecided expressions, which would count as true or false
            by accident.
    """
    given = f"a statement that answered {value!r:.60} ({type(value).__name__})"
    needed = "True, False or Evidence(holds, detail)"
    if value is None:
        raise ParameterError("a statement that answered None", needed, "return the comparison")
    if isinstance(value, (int, float, complex, str, bytes, list, tuple, dict, set)) and not isinstance(value, bool):
        raise ParameterError(given, needed, "compare it with what it should be")
    try:
        return bool(value)
    except (TypeError, ValueError) as error:
        raise ParameterError(f"{given}, which is neither true nor false", needed, "all(...), or decide it") from error


@runtime_checkable
class Measured(Protocol):
    """An answer that carries its evidence, as a `Convergence` does."""

    @property
    def evidence(self) -> Evidence:
        """Whether it held, and the numbers that say so."""


def evidence_of(answer: object) -> Evidence:
    """A statement's answer as evidence. Raises ParameterError where it is no truth value."""
    if isinstance(answer, Measured):
        return answer.evidence
    return answer if isinstance(answer, Evidence) else Evidence(truth(answer))


@dataclasses.dataclass(frozen=True)
class Outside:
    """One example outside the hypotheses (of a false statement: inside them), where the conclusion fails.

    It breaks one hypothesis and keeps the others. Its *control* is the same draw with that hypothesis restored: there
    the conclusion has to hold, so that it is the missing hypothesis by which the example fails.

    Attributes:
        why: which hypothesis it lacks.
        draw: makes the arguments of the conclusion.
        restore: makes the arguments that restore the hypothesis. None where the control follows from the draw: a claim
            on a fixed instance of which one argument was changed, or one argument more than the hypotheses draw.
    """

    why: str
    draw: Callable[[], Draw]
    restore: Callable[[], Draw] | None = None

    def control(self, drawn: frozenset[str] | None) -> Draw | None:
        """The draw with its hypothesis restored; None where that is not known.

        Args:
            drawn: names of the arguments that the hypotheses draw; None for a claim on a fixed instance.
        """
        draw = self.draw()
        if self.restore is not None:
            return {**draw, **self.restore()}
        more = set(draw) - (drawn or frozenset())
        return {name: value for name, value in draw.items() if name not in more} if len(more) == 1 else None


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
        correction: what had to be changed in the published statement, and how we know.
        draws: how many are tried.
        origin: whether the paper says it or we derive it. prior: who had a derived statement before.
        said: of a refuted statement, where it is said: the sentence, or file and line.
        least: the fewest draws on which a verdict may rest; half of the draws asked for by default, where some were
            rejected.
    """

    name: str
    statement: str
    latex: str
    source: str
    how: How
    conclusion: Callable[..., Evidence | bool]
    verdict: Verdict = Verdict.HOLDS
    hypotheses: Callable[[], object] | None = None
    where: Callable[..., bool] | None = None
    outside: tuple[Outside, ...] = ()
    correction: str = ""
    draws: int = 50
    origin: Origin | None = None
    prior: str = ""
    said: str = ""
    least: int | None = None

    def __post_init__(self) -> None:
        if self.verdict is not Verdict.OPEN and not self.outside:
            raise ParameterError(
                f"the claim {self.name} without an example where it fails",
                "outside=(Outside(...),)",
                "name arguments that break the statement",
            )
        if (self.verdict is Verdict.CORRECTED) != bool(self.correction):
            raise ParameterError(
                f"the claim {self.name}, {self.verdict}, with the correction {self.correction!r}",
                "a correction exactly where the verdict says so",
                "state it, or change the verdict",
            )

    @property
    def seed(self) -> int:
        """Of its draws, a checksum of its name: claims with the same hypotheses are tried on different games."""
        return zlib.crc32(self.name.encode())

    @property
    def paper(self) -> str:
        """The paper's key: what stands before the dot."""
        return self.name.partition(".")[0]


def register(claim: Claim) -> Claim:
    """List a claim under its name."""
    registry.add(Entry(claim.name, lambda: claim))
    return claim
