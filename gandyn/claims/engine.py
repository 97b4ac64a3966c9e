"""Checking claims: their draws, their examples outside, and the verdict that rests on both."""

from __future__ import annotations

import dataclasses
import time

from ..errors import GandynError
from ..results import Result
from .base import FALSE, Claim, Draw, Evidence, Outside, Verdict, evidence_of
from .coverage import Coverage
from .recipe import recipes, written
from .search import Search, enough, search


@dataclasses.dataclass(frozen=True, repr=False)
class Check(Result):
    """What came of checking a claim.

    Attributes:
        claim: the claim. verdict: what was found now.
        agrees: the verdict is the declared one, and the conclusion fails on every example outside, by itself.
        tried, rejected: draws of the search. shrunk: draws tried to make a failure smaller.
        seconds: of the whole check.
        failure: the smallest draw on which the conclusion fails, where it should not.
        detail: evidence, of the failure or of the last draw. silent: reasons of examples outside that do not show
            what they should; because: for each of them, why not.
        coverage: which games were drawn. asked: how many draws were asked for.
    """

    claim: Claim
    verdict: Verdict
    agrees: bool
    tried: int
    rejected: int
    seconds: float
    failure: Draw | None = None
    detail: str = ""
    silent: tuple[str, ...] = ()
    shrunk: int = 0
    coverage: Coverage = dataclasses.field(default_factory=Coverage)
    asked: int = 1
    because: tuple[str, ...] = ()

    _data = (
        "claim=claim.name paper=claim.paper statement=claim.statement latex=claim.latex source=claim.source "
        "origin=claim.origin prior=claim.prior said=claim.said how=claim.how verdict declared=claim.verdict agrees "
        "correction=claim.correction outside=_outside silent because draws=tried rejected shrunk coverage seconds "
        "failure=_failure detail"
    )

    @property
    def rejected_share(self) -> float:
        """Draws that did not meet the hypotheses, of all."""
        return self.rejected / max(1, self.tried + self.rejected)

    @property
    def enough(self) -> bool:
        """Whether so many draws met the hypotheses that a verdict may rest on them."""
        return enough(self.tried, self.rejected, self.asked, self.claim.least)

    def summary(self) -> str:
        """Claim, source, whose it is, how it is established, verdict, draws and the games they hold, time."""
        claim = self.claim
        drawn = f" on {self.tried} draws ({self.rejected_share:.0%} rejected)" if claim.hypotheses else ""
        lines = [
            f"{claim.name}: {claim.statement}",
            f"  {claim.source}; {claim.how}: {self.verdict}{drawn}, {self.seconds:.2g} s",
        ]
        lines += [f"  {claim.origin}" + (f"; before: {claim.prior}" if claim.prior else "")] if claim.origin else []
        lines += [f"  said: {claim.said}"] if claim.said else []
        lines += [f"  correction: {claim.correction}"] if claim.correction else []
        if claim.hypotheses and not self.enough and self.failure is None:
            lines.append(f"  undecided: {self.tried} of {self.asked} draws met the hypotheses, too few for a verdict")
        lines += [f"  tried on {self.coverage.summary()}"] if self.coverage.summary() else []
        if self.failure is not None:
            lines.append(f"  fails at {written(self.failure)}" + (f" ({self.shrunk} draws to shrink it)"))
        lines += [f"  {self.detail}"] if self.detail else []
        told = zip(self.silent, self.because, strict=True)
        lines += [f"  does not fail where it should: {why} ({reason})" for why, reason in told]
        return "\n".join(lines)

    @property
    def _outside(self) -> list[str]:
        return [example.why for example in self.claim.outside]

    @property
    def _failure(self) -> dict[str, str] | None:
        return recipes(self.failure)


def check(claim: Claim, draws: int | None = None, shrink: bool = True) -> Check:
    """Check a claim: on draws of its hypotheses, and on its examples outside them.

    An example outside has to fail by the conclusion: one that raises, that cannot be compared, or whose control (the
    same draw with its hypothesis restored) does not hold, counts as silent. A false statement (refuted, or a remark) is
    found false when the conclusion fails on its examples, which then lie inside the hypotheses. Where too few draws met
    the hypotheses the verdict is open.

    Args:
        claim: the claim. draws: how many are tried; the claim's own number by default.
        shrink: look for a simplest failure; False is faster where only the verdict matters.

    Raises:
        ParameterError: where the conclusion's answer is no truth value.

    Example:
        >>> import gandyn as gd
        >>> found = gd.claims.check(gd.claims.registry["daskalakis_2018.simultaneous_diverges"].build(), draws=5)
        >>> found.verdict.value, found.agrees
        ('holds', True)
    """
    start = time.perf_counter()
    asked = draws or claim.draws
    false = claim.verdict in FALSE
    seen = Search() if false else _searched(claim, asked, shrink)
    reasons = [(example.why, _silent(claim, example, seen)) for example in claim.outside]
    silent = [(why, reason) for why, reason in reasons if reason]
    verdict = claim.verdict
    if claim.verdict in (Verdict.HOLDS, Verdict.CORRECTED):
        if seen.failure is not None:
            verdict = Verdict.REFUTED
        elif not enough(seen.tried, seen.rejected, asked, claim.least):
            verdict = Verdict.OPEN
    if false and silent:
        verdict = Verdict.OPEN
    return Check(
        claim,
        verdict,
        verdict is claim.verdict and not silent,
        seen.tried,
        seen.rejected,
        time.perf_counter() - start,
        seen.failure,
        seen.evidence.detail if seen.evidence is not None else "",
        tuple(why for why, _ in silent),
        seen.shrunk,
        seen.coverage,
        asked if claim.hypotheses is not None else 1,
        tuple(reason for _, reason in silent),
    )


def _searched(claim: Claim, draws: int, shrink: bool) -> Search:
    """The draws of the hypotheses, or the one instance."""
    if claim.hypotheses is not None:
        return search(claim.conclusion, claim.hypotheses(), draws, claim.where, claim.seed, shrink)
    evidence = evidence_of(claim.conclusion())
    failure: Draw | None = {} if evidence.applies and not evidence else None
    return Search(int(evidence.applies), int(not evidence.applies), 0, failure, evidence)


def _silent(claim: Claim, example: Outside, seen: Search) -> str:
    """Why an example does not show what it should; empty where it does."""
    found = _outcome(claim, example.draw())
    if isinstance(found, str):
        return found
    if found:
        return f"the conclusion holds: {found.detail}" if found.detail else "the conclusion holds"
    if not found.applies:
        return f"nothing could be compared: {found.detail}"
    return "" if claim.verdict in FALSE else _uncontrolled(claim, example, seen)


def _uncontrolled(claim: Claim, example: Outside, seen: Search) -> str:
    """Why the example fails by more than the hypothesis that it breaks; empty where its control holds."""
    if claim.hypotheses is not None and not seen.names:  # nothing was drawn, and the verdict is open
        return ""
    control = example.control(seen.names if claim.hypotheses is not None else None)
    if control is None or (claim.hypotheses is None and not control):  # the instance itself, which was checked
        return ""
    if claim.where is not None and not claim.where(**control):
        return "with its hypothesis restored it lies outside another one"
    found = _outcome(claim, control)
    if isinstance(found, str) or not found:
        return f"with its hypothesis restored it fails too: {found if isinstance(found, str) else found.detail}"
    return ""


def _outcome(claim: Claim, draw: Draw) -> Evidence | str:
    """The conclusion's evidence, or the name of what it raised."""
    try:
        answer = claim.conclusion(**draw)
    except (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError, GandynError) as error:
        return f"it raises {type(error).__name__}: {error}"
    return evidence_of(answer)
